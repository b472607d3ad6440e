//! One escalation: from the first page until it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::policy::EscalationPolicy;
use crate::identity::Handle;
use crate::ids::{OutboxNumber, RunNumber};
use crate::labels::{Fingerprint, Labels};
use crate::paging::{Channel, MethodId, PageState, Recipient, StateWord, Urgency};
use crate::severity::Severity;

/// The most reached steps that a run remembers; older ones are in the history.
const MAX_REACHED: usize = 100;

/// The most messages whose names at their providers a run remembers.
const MAX_SENT: usize = 50;

/// What an escalation is about: one receiver and one group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunKey {
    /// The receiver with the policy.
    pub receiver: Arc<str>,
    /// The group's identity: its route's key, a colon, its labels.
    pub group: Arc<str>,
}

/// One escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationRun {
    /// Its number.
    pub number: RunNumber,
    /// What it is about.
    pub key: RunKey,
    /// The policy as it was at the start. Stored once for all runs that share it, under
    /// [`EscalationPolicy::snapshot_name`].
    #[serde(skip, default = "no_policy")]
    pub policy: Arc<EscalationPolicy>,
    /// Why that policy.
    pub why: String,
    /// What it tells.
    pub title: String,
    /// The label `service`; may be empty.
    pub service: CompactString,
    /// The label `category`; may be empty.
    pub category: CompactString,
    /// Labels that name the group.
    pub group_labels: Labels,
    /// How bad it is: the worst it has been.
    pub severity: Severity,
    /// The alerts it pages for, firing or over.
    pub alerts: BTreeSet<Fingerprint>,
    /// When it began.
    pub started_at: Timestamp,
    /// How it stands.
    pub state: RunState,
    /// The step that is due next; `None` when there is none left.
    pub next: Option<Next>,
    /// Since when nothing of it fires, or everything is held back: its times stand still.
    #[serde(default)]
    pub still_since: Option<Timestamp>,
    /// When it went on last after somebody had taken it: answers to what was sent before are old.
    #[serde(default)]
    pub reopened_at: Option<Timestamp>,
    /// Which pass through the steps it is, counted from 1.
    pub round: u32,
    /// The steps that were reached in this and earlier passes.
    pub reached: Vec<Reached>,
    /// Who was paged.
    pub people: BTreeMap<Handle, PagedPerson>,
    /// What the places that were told gave back, such as the message to update, by name.
    #[serde(default)]
    pub places: BTreeMap<Arc<str>, Place>,
    /// Methods that will be used when their time comes, soonest first.
    pub planned: Vec<Planned>,
    /// What waits for its method to be free.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// When somebody hears that nobody answered: after the last step of the last pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered_at: Option<Timestamp>,
    /// What providers call the messages that told of it, the oldest first, so that it is
    /// understood what they tell later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentMessage>,
    /// When its timer goes off.
    #[serde(skip)]
    pub wake_at: Option<Timestamp>,
}

fn no_policy() -> Arc<EscalationPolicy> {
    Arc::new(EscalationPolicy {
        name: "".into(),
        description: String::new(),
        team: None,
        serves: super::Selector::default(),
        is_default: false,
        steps: Vec::new(),
        repeat: 0,
        repeat_after: super::Delay::default(),
        acknowledgement: super::AckMode::First,
        ack_timeout: None,
        default_on_call: None,
        origin: crate::identity::PersonOrigin::Api,
    })
}

/// A place that was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where.
    pub target: super::PlaceTarget,
    /// What the channel gave back.
    #[serde(default)]
    pub receipt: Option<String>,
}

/// How an escalation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum RunState {
    /// Nobody has answered.
    Open,
    /// Somebody works on it.
    Acknowledged {
        /// Who.
        by: String,
        /// Since when.
        at: Timestamp,
        /// When it lapses; `None` for never.
        until: Option<Timestamp>,
    },
    /// It waits.
    Snoozed {
        /// Who said so.
        by: String,
        /// Since when.
        at: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// It is over.
    Ended {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: End,
    },
}

/// Why an escalation is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum End {
    /// Its alerts are over.
    AlertsResolved,
    /// Somebody said so.
    Resolved {
        /// Who.
        by: String,
    },
    /// Nothing of it is left: the configuration no longer has its receiver.
    Orphaned,
}

impl RunState {
    /// Returns whether it is over.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// Returns the word for it, and who made it so.
    pub fn word(&self) -> (StateWord, &str) {
        match self {
            Self::Open => (StateWord::Open, ""),
            Self::Acknowledged { by, .. } => (StateWord::Acknowledged, by),
            Self::Snoozed { by, .. } => (StateWord::Snoozed, by),
            Self::Ended { why: End::Resolved { by }, .. } => (StateWord::Resolved, by),
            Self::Ended { .. } => (StateWord::Resolved, ""),
        }
    }
}

/// The step that is due next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// Its position in the policy.
    pub step: usize,
    /// When.
    pub due_at: Timestamp,
}

/// A step that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The pass, counted from 1.
    pub round: u32,
    /// The position in the policy.
    pub step: usize,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was carried out.
    pub at: Timestamp,
    /// Who was paged.
    pub people: Vec<Handle>,
    /// Why it was left at once; empty when it was not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub skipped: String,
}

/// Somebody who was paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagedPerson {
    /// The short number by which they answer.
    pub code: u32,
    /// Since when.
    pub since: Timestamp,
    /// The step that paged them last.
    pub step: usize,
    /// Why they: one sentence.
    pub why: String,
    /// When they acknowledged.
    #[serde(default)]
    pub acknowledged_at: Option<Timestamp>,
    /// What their methods gave back, such as the message to update.
    #[serde(default)]
    pub receipts: BTreeMap<MethodId, String>,
    /// Methods that were used, or tried in the place of one that did not work.
    #[serde(default)]
    pub used: BTreeSet<MethodId>,
}

/// A method that will be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub person: Handle,
    /// Which.
    pub method: MethodId,
    /// Whether it may wake the person up.
    pub urgency: Urgency,
    /// The step that wants it.
    pub step: usize,
}

/// A message that a provider took and gave a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// By what.
    pub channel: Channel,
    /// What the provider calls it.
    pub receipt: String,
    /// The message.
    pub page: OutboxNumber,
    /// To whom.
    pub recipient: Recipient,
    /// What became of it.
    pub state: PageState,
}

/// Something that waits for its method to be free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// For whom.
    pub recipient: Recipient,
    /// Whether it may wake the person up.
    pub urgency: Urgency,
    /// The step that wants it.
    pub step: usize,
    /// Since when.
    pub since: Timestamp,
}

impl EscalationRun {
    /// Returns whether it is not over.
    pub fn is_open(&self) -> bool {
        !self.state.is_over()
    }

    /// Returns whether people may be disturbed for it now.
    pub fn is_paging(&self) -> bool {
        self.state == RunState::Open && self.still_since.is_none()
    }

    /// Returns until when it is taken, where that is known.
    pub fn taken_until(&self) -> Option<Timestamp> {
        match &self.state {
            RunState::Acknowledged { until, .. } => *until,
            RunState::Snoozed { until, .. } => Some(*until),
            RunState::Open | RunState::Ended { .. } => None,
        }
    }

    /// Returns when something has to be done about it.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match &self.state {
            RunState::Ended { .. } => None,
            RunState::Acknowledged { until, .. } => *until,
            RunState::Snoozed { until, .. } => Some(*until),
            RunState::Open if self.still_since.is_some() => None,
            RunState::Open => {
                let next = self.next.map(|next| next.due_at);
                let planned = self.planned.first().map(|planned| planned.at);
                next.into_iter().chain(planned).chain(self.unanswered_at).min()
            }
        }
    }

    /// Plans to use a method, keeping the order.
    pub fn plan(&mut self, planned: Planned) {
        let is_known = self.planned.iter().any(|it| {
            it.person == planned.person && it.method == planned.method && it.at == planned.at
        });
        if !is_known {
            let place = self.planned.partition_point(|it| it.at <= planned.at);
            self.planned.insert(place, planned);
        }
    }

    /// Notes a step that was reached.
    pub fn note(&mut self, reached: Reached) {
        if self.reached.len() >= MAX_REACHED {
            self.reached.remove(0);
        }
        self.reached.push(reached);
    }

    /// Moves everything that is to come by the time it stood still.
    pub fn shift(&mut self, by: SignedDuration) {
        let moved = |at: Timestamp| at.checked_add(by).unwrap_or(Timestamp::MAX);
        if let Some(next) = &mut self.next {
            next.due_at = moved(next.due_at);
        }
        for planned in &mut self.planned {
            planned.at = moved(planned.at);
        }
        self.unanswered_at = self.unanswered_at.map(moved);
    }

    /// Notes what a provider calls a message; of very many the oldest are forgotten.
    pub fn remember(&mut self, sent: SentMessage) {
        if self.sent.len() >= MAX_SENT {
            self.sent.remove(0);
        }
        self.sent.push(sent);
    }

    /// Forgets what was to be used of one person, or of everybody.
    pub fn spare(&mut self, person: Option<&Handle>) {
        let Some(person) = person else {
            self.planned.clear();
            self.waiting.clear();
            self.unanswered_at = None;
            return;
        };
        self.planned.retain(|planned| planned.person != *person);
        self.waiting.retain(|waiting| waiting.recipient.person() != Some(person));
    }

    /// Returns the step that was carried out last; the first when none was.
    pub fn current_step(&self) -> usize {
        let done = self.reached.iter().rev().find(|reached| reached.skipped.is_empty());
        done.map_or(0, |reached| reached.step)
    }
}
