//! Everything that arrived, in order, with what can be pressed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::faults::Fault;

/// The most that is kept; what is older is forgotten.
const MAX_ENTRIES: usize = 500;

/// What kind of thing arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text message.
    Sms,
    /// A call.
    Call,
    /// A mail.
    Mail,
    /// A message in a chat.
    Chat,
    /// A notification of a phone or a browser.
    Push,
    /// An event for another system.
    Event,
}

/// Something that can be pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it carries, or where it leads.
    pub value: String,
    /// Whether it is a link.
    pub is_link: bool,
}

/// Something that arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its number, counted from 1.
    pub number: u64,
    /// `slack`, `twilio` and so on.
    pub provider: &'static str,
    /// What it is.
    pub kind: Kind,
    /// For whom.
    pub to: String,
    /// How the provider names it.
    pub id: String,
    /// The first line.
    pub title: String,
    /// The rest.
    pub text: String,
    /// `#rrggbb`; may be empty.
    pub colour: String,
    /// What can be pressed.
    pub buttons: Vec<Button>,
    /// What became of it: `delivered`, `in-progress`; may be empty.
    pub state: String,
    /// How often it was changed.
    pub changes: u32,
    /// The message that it follows in a thread; may be empty.
    pub thread: String,
    /// The page as HTML, of a mail.
    pub html: String,
    /// The request as it came.
    pub raw: Value,
}

impl Entry {
    /// Makes one about which little is known yet.
    pub(super) fn new(provider: &'static str, kind: Kind, to: impl Into<String>) -> Self {
        Self {
            number: 0,
            provider,
            kind,
            to: to.into(),
            id: String::new(),
            title: String::new(),
            text: String::new(),
            colour: String::new(),
            buttons: Vec::new(),
            state: String::new(),
            changes: 0,
            thread: String::new(),
            html: String::new(),
            raw: Value::Null,
        }
    }
}

/// Everything that arrived.
#[derive(Debug)]
pub struct Board {
    inner: Mutex<Inner>,
    grown: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<Entry>,
    count: u64,
    faults: Vec<Fault>,
}

impl Default for Board {
    fn default() -> Self {
        Self { inner: Mutex::default(), grown: watch::channel(0).0 }
    }
}

impl Board {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touched(&self) {
        self.grown.send_modify(|version| *version += 1);
    }

    /// Returns everything, the oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.inner().entries.iter().cloned().collect()
    }

    /// Returns one by its number.
    pub fn entry(&self, number: u64) -> Option<Entry> {
        self.inner().entries.iter().find(|entry| entry.number == number).cloned()
    }

    /// Waits until something arrived that fits, and returns the first such.
    pub async fn wait(&self, fits: impl Fn(&Entry) -> bool) -> Entry {
        let mut grown = self.grown.subscribe();
        loop {
            grown.borrow_and_update();
            if let Some(entry) = self.entries().into_iter().find(&fits) {
                return entry;
            }
            // The sender is a part of us, so it does not go away meanwhile.
            let _ = grown.changed().await;
        }
    }

    /// Returns what changes whenever something arrives or changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }

    /// Adds something and returns its number.
    pub(super) fn add(&self, mut entry: Entry) -> u64 {
        let mut inner = self.inner();
        inner.count += 1;
        entry.number = inner.count;
        if entry.id.is_empty() {
            entry.id = format!("{}-{}", entry.provider, entry.number);
        }
        inner.entries.push_back(entry);
        if inner.entries.len() > MAX_ENTRIES {
            inner.entries.pop_front();
        }
        let number = inner.count;
        drop(inner);
        self.touched();
        number
    }

    /// Changes something that arrived before; returns whether it is known.
    pub(super) fn change(&self, id: &str, change: impl FnOnce(&mut Entry)) -> bool {
        let mut inner = self.inner();
        let found = inner.entries.iter_mut().find(|entry| entry.id == id);
        let is_known = found.map(change).is_some();
        drop(inner);
        self.touched();
        is_known
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.inner() = Inner::default();
        self.touched();
    }

    /// Orders a fault.
    pub fn order(&self, fault: Fault) {
        self.inner().faults.push(fault);
    }

    /// Takes the next fault of a provider, if one is ordered.
    pub(super) fn fault(&self, provider: &str) -> Option<Fault> {
        let mut inner = self.inner();
        let place = inner.faults.iter().position(|it| it.provider == provider && it.times > 0)?;
        inner.faults[place].times -= 1;
        let fault = inner.faults[place].clone();
        inner.faults.retain(|fault| fault.times > 0);
        Some(fault)
    }
}
