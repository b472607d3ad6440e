//! What people are told at the beginning and the end of their time on call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::schedule::ScheduleName;
use crate::identity::Handle;

/// One message for one person, however many schedules hand over at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffNotice {
    /// Whom it is for.
    pub person: Handle,
    /// Schedules in which their time begins.
    #[serde(default)]
    pub begins: Vec<NoticedShift>,
    /// Schedules in which their time ends.
    #[serde(default)]
    pub ends: Vec<NoticedShift>,
    /// Whether it is told before the time, not at it.
    #[serde(default)]
    pub is_ahead: bool,
    /// Whether it is told later than it should, because nobody was watching; several handoffs may
    /// be told as one then.
    #[serde(default)]
    pub is_late: bool,
    /// What is open in the schedules in which their time begins.
    #[serde(default)]
    pub open: OpenWork,
}

/// A shift that a notice names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedShift {
    /// In which schedule.
    pub schedule: ScheduleName,
    /// When it begins or ends.
    pub at: Timestamp,
    /// Until when it lasts, at the earliest; `None` for not within sight.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// What the next one on call finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWork {
    /// Alerts that fire and nobody works on.
    pub alerts_waiting: u64,
    /// Alerts that fire and somebody works on; they stay with whoever that is.
    pub alerts_acknowledged: u64,
}

impl HandoffNotice {
    /// Returns what it says as a sentence.
    pub fn sentence(&self) -> String {
        let names = |shifts: &[NoticedShift]| {
            let names: Vec<&str> = shifts.iter().map(|it| &*it.schedule).collect();
            names.join(", ")
        };
        let mut parts = Vec::new();
        if let Some(first) = self.begins.first() {
            let until = first.until.map_or_else(String::new, |until| format!(" until {until}"));
            let verb = match (self.is_ahead, self.is_late) {
                (true, _) => format!("will be on call from {}", first.at),
                (false, true) => "is on call now".to_owned(),
                (false, false) => "is on call".to_owned(),
            };
            parts.push(format!("{} {verb} for {}{until}", self.person, names(&self.begins)));
        }
        if !self.ends.is_empty() {
            let who = if parts.is_empty() { format!("{} ", self.person) } else { String::new() };
            parts.push(format!("{who}is no longer on call for {}", names(&self.ends)));
        }
        let mut sentence = parts.join(", and ");
        if !self.begins.is_empty() && self.open != OpenWork::default() {
            let OpenWork { alerts_waiting, alerts_acknowledged } = self.open;
            sentence.push_str(&format!(
                "; open: {alerts_waiting} alerts wait, {alerts_acknowledged} are worked on"
            ));
        }
        sentence
    }
}
