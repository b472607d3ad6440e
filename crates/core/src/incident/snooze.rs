//! Reminders that somebody wants to hear later.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::IncidentNumber;
use crate::identity::Handle;
use crate::reminder::{ReminderKey, ReminderKind, ReminderSubject};

/// The most reminders of one incident that are put off at once.
pub const MAX_SNOOZES: usize = 200;

/// The longest that somebody may put a reminder off.
pub const MAX_SNOOZE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// That somebody does not want to hear of something until later. Others hear of it as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// Who.
    pub person: Handle,
    /// Of what.
    pub kind: ReminderKind,
    /// Of which task, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u32>,
    /// Since when that waits: what waits anew is said anew.
    pub anchor: Timestamp,
    /// When they said so.
    pub since: Timestamp,
    /// When they want to hear of it.
    pub until: Timestamp,
}

impl Snooze {
    /// Returns which reminder of an incident is put off.
    pub fn what(&self, incident: IncidentNumber) -> ReminderKey {
        let subject = match self.task {
            Some(task) => ReminderSubject::Task(incident, task),
            None => ReminderSubject::Incident(incident),
        };
        ReminderKey::new(self.kind, subject)
    }

    /// Returns the reminder by which they hear of it later.
    pub fn again(&self, incident: IncidentNumber) -> ReminderKey {
        ReminderKey::new(self.kind, ReminderSubject::Snooze(incident, self.number))
    }
}
