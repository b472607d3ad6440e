//! Reminders: what has to be said or done at a time, however long we were down until then.
//!
//! A reminder follows from how something stands: since when it waits (the anchor), when it is due
//! first, and how often after that. While the anchor stays, it is the same reminder, so a restart,
//! a reload or a change elsewhere never makes it due twice; when the anchor moves, it begins anew.
//! What was due while nobody watched is done once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::incident::IncidentNumber;

/// What a reminder is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReminderKind {
    /// Nobody has taken an incident in the time that its severity promises.
    AckSla,
    /// Nobody has said how it goes in the time that its severity promises.
    UpdateDue,
    /// Most of that time is over.
    UpdateSoon,
    /// A role that its severity asks for is nobody's.
    RoleVacant,
    /// Somebody who was asked to help has not answered.
    RequestUnanswered,
    /// A task has to be done.
    TaskDue,
    /// It is not over in the time after which others have to know.
    EscalateThreshold,
    /// Nobody has done anything about an open incident for days.
    Inactivity,
    /// Nothing of an incident on which somebody works fires any more.
    AllRecovered,
    /// A postmortem that has to be published is not.
    PostmortemMissing,
    /// A postmortem is due soon, now, or was.
    PostmortemDue,
    /// People meet soon to talk about a postmortem.
    ReviewMeeting,
}

impl ReminderKind {
    /// All, in the order of the manual.
    pub const ALL: [Self; 12] = [
        Self::AckSla,
        Self::UpdateDue,
        Self::UpdateSoon,
        Self::RoleVacant,
        Self::RequestUnanswered,
        Self::TaskDue,
        Self::EscalateThreshold,
        Self::Inactivity,
        Self::AllRecovered,
        Self::PostmortemMissing,
        Self::PostmortemDue,
        Self::ReviewMeeting,
    ];

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AckSla => "ack_sla",
            Self::UpdateDue => "update_due",
            Self::UpdateSoon => "update_soon",
            Self::RoleVacant => "role_vacant",
            Self::RequestUnanswered => "request_unanswered",
            Self::TaskDue => "task_due",
            Self::EscalateThreshold => "escalate_threshold",
            Self::Inactivity => "inactivity",
            Self::AllRecovered => "all_recovered",
            Self::PostmortemMissing => "postmortem_missing",
            Self::PostmortemDue => "postmortem_due",
            Self::ReviewMeeting => "review_meeting",
        }
    }
}

/// What a reminder belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReminderSubject {
    /// An incident.
    Incident(IncidentNumber),
    /// A request for help in an incident, by its number there.
    Request(IncidentNumber, u32),
    /// A task of an incident, by its number there.
    Task(IncidentNumber, u32),
    /// What somebody wants to hear of an incident later, by its number there.
    Snooze(IncidentNumber, u32),
}

impl ReminderSubject {
    /// Returns the incident that it is about in the end.
    pub fn incident(self) -> IncidentNumber {
        match self {
            Self::Incident(incident)
            | Self::Request(incident, _)
            | Self::Task(incident, _)
            | Self::Snooze(incident, _) => incident,
        }
    }
}

impl std::fmt::Display for ReminderSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Incident(incident) => write!(f, "incident/{incident}"),
            Self::Request(incident, number) => write!(f, "incident/{incident}/request/{number}"),
            Self::Task(incident, number) => write!(f, "incident/{incident}/task/{number}"),
            Self::Snooze(incident, number) => write!(f, "incident/{incident}/snooze/{number}"),
        }
    }
}

/// Which reminder; there is one of a kind for a subject. Ordered by subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReminderKey {
    /// What it belongs to.
    pub subject: ReminderSubject,
    /// What it is about.
    pub kind: ReminderKind,
}

impl ReminderKey {
    /// Names a reminder.
    pub fn new(kind: ReminderKind, subject: ReminderSubject) -> Self {
        Self { subject, kind }
    }
}

/// When a reminder is wanted, as things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReminderPlan {
    /// Since when it waits. While this stays, it is the same reminder.
    pub anchor: Timestamp,
    /// When it is due first.
    pub first: Timestamp,
    /// How often after that; `None` for never again.
    pub every: Option<SignedDuration>,
    /// From when on it is not said again.
    pub until: Option<Timestamp>,
    /// How often at most, so that nobody who has stopped listening is told for ever.
    pub limit: u32,
}

/// How often one reminder is said at most, unless its plan says otherwise.
const MAX_TIMES: u32 = 100;

impl ReminderPlan {
    /// Returns a plan for `after` the anchor.
    pub fn after(anchor: Timestamp, after: SignedDuration) -> Self {
        let first = anchor.checked_add(after).unwrap_or(Timestamp::MAX);
        Self { anchor, first, every: None, until: None, limit: MAX_TIMES }
    }

    /// Returns the plan, to be said at most so often.
    #[must_use]
    pub fn at_most(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// Returns the plan, not to be said again from then on.
    #[must_use]
    pub fn until(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Returns the plan, with a repetition; one that does not lie in the future is none.
    #[must_use]
    pub fn every(self, every: SignedDuration) -> Self {
        Self { every: (every > SignedDuration::ZERO).then_some(every), ..self }
    }
}

/// A reminder, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// Which.
    pub key: ReminderKey,
    /// Since when it waits.
    pub anchor: Timestamp,
    /// How often it was due since then.
    pub fired: u32,
    /// When it is due; `None` for not again unless it begins anew.
    pub due_at: Option<Timestamp>,
}

impl Reminder {
    /// Returns the reminder that follows from a plan and from what there was.
    pub fn follow(key: ReminderKey, before: Option<&Self>, plan: ReminderPlan) -> Self {
        let said = before.filter(|it| it.fired > 0);
        match said {
            // It has been said; how often it comes again may have changed, but not for this time.
            Some(said) if said.anchor == plan.anchor => *said,
            // A time was set right: what was said for it is not said again.
            Some(said) if plan.anchor < said.anchor => Self { anchor: plan.anchor, ..*said },
            _ => Self { key, anchor: plan.anchor, fired: 0, due_at: Some(plan.first) },
        }
    }

    /// Counts that it was due at `now`, and sets when it is next: at the first of its times that is
    /// not past, so that what was missed is not made up for.
    pub fn fire(&mut self, now: Timestamp, plan: ReminderPlan) {
        self.fired = self.fired.saturating_add(1);
        let due_at = self.due_at.unwrap_or(now);
        let every = plan.every.filter(|_| self.fired < plan.limit);
        self.due_at = every.and_then(|every| {
            let late = now.duration_since(due_at).max(SignedDuration::ZERO);
            let missed = late.as_secs() / every.as_secs().max(1);
            let steps = i32::try_from(missed + 1).ok()?;
            let next = due_at.checked_add(every.checked_mul(steps)?).ok()?;
            plan.until.is_none_or(|until| next < until).then_some(next)
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn key() -> ReminderKey {
        let subject = ReminderSubject::Incident(IncidentNumber(7));
        ReminderKey::new(ReminderKind::Inactivity, subject)
    }

    #[test]
    fn words_are_those_that_are_stored() {
        for kind in ReminderKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(key().subject.to_string(), "incident/7");
    }

    #[test]
    fn the_same_anchor_is_the_same_reminder() {
        let plan = ReminderPlan::after(at(0), SignedDuration::from_secs(10));
        let mut reminder = Reminder::follow(key(), None, plan);
        assert_eq!((reminder.fired, reminder.due_at), (0, Some(at(10))));
        // Before it was due its time may change, as when an incident is worse than it seemed.
        let sooner = ReminderPlan { first: at(5), ..plan };
        reminder = Reminder::follow(key(), Some(&reminder), sooner);
        assert_eq!(reminder.due_at, Some(at(5)));
        reminder.fire(at(6), plan);
        assert_eq!((reminder.fired, reminder.due_at), (1, None));
        assert_eq!(Reminder::follow(key(), Some(&reminder), plan), reminder);
        let anew = ReminderPlan::after(at(20), SignedDuration::from_secs(10));
        let begun = Reminder::follow(key(), Some(&reminder), anew);
        assert_eq!((begun.fired, begun.due_at), (0, Some(at(30))));
    }

    #[test]
    fn what_was_missed_is_done_once() {
        let plan = ReminderPlan::after(at(0), SignedDuration::from_secs(10));
        let mut reminder = Reminder::follow(key(), None, plan);
        let plan = plan.every(SignedDuration::from_secs(10)).at_most(3);
        reminder.fire(at(47), plan);
        assert_eq!((reminder.fired, reminder.due_at), (1, Some(at(50))));
        reminder.fire(at(50), plan);
        assert_eq!((reminder.fired, reminder.due_at), (2, Some(at(60))));
        reminder.fire(at(60), plan);
        assert_eq!((reminder.fired, reminder.due_at), (3, None));
    }

    #[test]
    fn it_is_not_said_again_once_something_else_is() {
        let every = SignedDuration::from_secs(10);
        let plan = ReminderPlan::after(at(0), every).every(every).until(at(30));
        let mut reminder = Reminder::follow(key(), None, plan);
        reminder.fire(at(10), plan);
        assert_eq!(reminder.due_at, Some(at(20)));
        reminder.fire(at(20), plan);
        assert_eq!(reminder.due_at, None);
    }

    proptest! {
        #[test]
        fn it_is_next_due_later_than_now(due in 0_i64..1_000, late in 0_i64..100_000, every in 1_i64..5_000) {
            let plan = ReminderPlan::after(at(0), SignedDuration::from_secs(due));
            let mut reminder = Reminder::follow(key(), None, plan);
            reminder.fire(at(due + late), plan.every(SignedDuration::from_secs(every)));
            let next = reminder.due_at.unwrap();
            prop_assert!(next > at(due + late));
            prop_assert!(next <= at(due + late + every));
        }
    }
}
