//! Action items: what a team promised to change after an incident.

use std::str::FromStr;

use compact_str::CompactString;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identity::Handle;
use crate::incident::{Author, IncidentNumber};
use crate::severity::Severity;

/// The most action items of one incident.
pub const MAX_ACTIONS_PER_INCIDENT: u32 = 100;

/// The most incidents that an item notes as having come while it was open.
pub const MAX_RECURRENCES: usize = 50;

/// The most characters of a link.
pub const MAX_LINK_CHARS: usize = 2_000;

/// An action item: `AI-142-1` is the first of incident 142. Numbers are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActionId {
    /// Of which incident.
    pub incident: IncidentNumber,
    /// Counted from 1.
    pub number: u32,
}

impl std::fmt::Display for ActionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AI-{}-{}", self.incident, self.number)
    }
}

/// A text that names no action item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no action item; write one such as AI-142-1")]
pub struct ActionIdError {
    /// What was written.
    pub text: String,
}

impl FromStr for ActionId {
    type Err = ActionIdError;

    fn from_str(text: &str) -> Result<Self, ActionIdError> {
        let read = || {
            let rest = text.trim();
            let rest = match rest.get(..3) {
                Some(head) if head.eq_ignore_ascii_case("ai-") => &rest[3..],
                _ => return None,
            };
            let (incident, number) = rest.rsplit_once('-')?;
            let id = Self { incident: incident.parse().ok()?, number: number.parse().ok()? };
            (id.number > 0).then_some(id)
        };
        read().ok_or_else(|| ActionIdError { text: text.chars().take(60).collect() })
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $text)] $word,)*
        }

        impl $name {
            /// All, in the order of the manual.
            pub const ALL: &[Self] = &[$(Self::$word,)*];

            /// Returns the word that is stored and shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }

            /// Reads a word; `None` for any other.
            pub fn parse(word: &str) -> Option<Self> {
                let word = word.trim();
                Self::ALL.iter().copied().find(|it| it.as_str().eq_ignore_ascii_case(word))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How soon something has to be done.
    ActionPriority {
        /// Within three days.
        P0 = "P0",
        /// Within two weeks.
        P1 = "P1",
        /// Within a month.
        P2 = "P2",
        /// Within three months.
        P3 = "P3",
    }
}

words! {
    /// What kind of change it is.
    ActionCategory {
        /// How people work together.
        Process = "process",
        /// What they work with, and the system itself.
        Tooling = "tooling",
        /// What is noticed, and how.
        Monitoring = "monitoring",
        /// What is written down.
        Documentation = "documentation",
    }
}

words! {
    /// How far an action item is.
    ActionStatus {
        /// Nobody has begun.
        Open = "open",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// It is done.
        Completed = "completed",
        /// It is put off, with a reason and a new date.
        Deferred = "deferred",
    }
}

impl ActionPriority {
    /// Returns how long there is to do it, unless somebody says otherwise.
    pub fn time(self) -> SignedDuration {
        let days = match self {
            Self::P0 => 3,
            Self::P1 => 14,
            Self::P2 => 30,
            Self::P3 => 90,
        };
        SignedDuration::from_hours(24 * days)
    }

    /// Returns what follows from how bad the incident was.
    pub fn of(severity: Severity) -> Self {
        match severity {
            Severity::Sev1 => Self::P1,
            Severity::Sev2 => Self::P2,
            Severity::Sev3 | Severity::Sev4 | Severity::Sev5 => Self::P3,
        }
    }

    /// Returns the next more urgent one.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::P0 | Self::P1 => Self::P0,
            Self::P2 => Self::P1,
            Self::P3 => Self::P2,
        }
    }
}

impl ActionStatus {
    /// Returns whether it is still to be done, now or later.
    pub fn is_open(self) -> bool {
        self != Self::Completed
    }
}

/// What a team promised to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionItem {
    /// Which.
    pub id: ActionId,
    /// Counts every change.
    pub version: u64,
    /// What to do, in one line.
    pub title: String,
    /// More about it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How soon.
    pub priority: ActionPriority,
    /// What kind of change it is.
    pub category: ActionCategory,
    /// Who does it; `None` for nobody yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Handle>,
    /// Until when.
    pub due_at: Timestamp,
    /// How far it is.
    pub status: ActionStatus,
    /// Why it is put off.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Where else it is tracked; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub link: String,
    /// The rule that suggested it; empty for one by hand.
    #[serde(default, skip_serializing_if = "CompactString::is_empty")]
    pub rule: CompactString,
    /// When it was written down.
    pub created_at: Timestamp,
    /// Who wrote it down.
    pub created_by: Author,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Who changed it last; empty where that was not written down yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub changed_by: String,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Incidents about the same that came while it was open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recurred: Vec<IncidentNumber>,
    /// When its owner was reminded last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Timestamp>,
    /// How often.
    #[serde(default)]
    pub reminders: u32,
}

impl ActionItem {
    /// Returns whether it should have been done by now.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.status.is_open() && self.due_at <= now
    }

    /// Returns what comes first in a list: the most urgent, then what is due first.
    pub fn order(&self) -> (ActionPriority, Timestamp, ActionId) {
        (self.priority, self.due_at, self.id)
    }
}

/// An action item that somebody wants.
#[derive(Clone, Debug)]
pub struct ActionDraft {
    /// What to do; not empty.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// How soon; follows from the severity of the incident when it is left open.
    pub priority: Option<ActionPriority>,
    /// What kind of change it is.
    pub category: ActionCategory,
    /// Who does it.
    pub owner: Option<Handle>,
    /// Until when; follows from the priority when it is left open.
    pub due_at: Option<Timestamp>,
    /// Where else it is tracked; may be empty.
    pub link: String,
    /// The rule that suggested it; empty for one by hand. There is one item for a rule.
    pub rule: CompactString,
}

/// What is to be changed of an action item; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ActionEdit {
    /// What to do.
    pub title: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// How soon.
    pub priority: Option<ActionPriority>,
    /// What kind of change it is.
    pub category: Option<ActionCategory>,
    /// Who does it; `Some(None)` for nobody.
    pub owner: Option<Option<Handle>>,
    /// Until when.
    pub due_at: Option<Timestamp>,
    /// How far it is.
    pub status: Option<ActionStatus>,
    /// Why; needed to put it off.
    pub reason: Option<String>,
    /// Where else it is tracked.
    pub link: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let id = ActionId { incident: IncidentNumber(142), number: 3 };
        assert_eq!(id.to_string(), "AI-142-3");
        for text in ["AI-142-3", " ai-142-3"] {
            assert_eq!(text.parse(), Ok(id), "{text}");
        }
        for text in ["", "AI-", "AI-1", "AI-1-0", "142-3", "AI-x-1", "ÄÄÄ", "AI-1--1"] {
            assert!(text.parse::<ActionId>().is_err(), "{text}");
        }
        assert_eq!(ActionPriority::parse("p0"), Some(ActionPriority::P0));
        assert_eq!(ActionStatus::parse("done"), None);
    }

    #[test]
    fn worse_incidents_leave_less_time() {
        let times = Severity::ALL.map(|it| ActionPriority::of(it).time());
        assert!(times.is_sorted());
        assert_eq!(ActionPriority::P0.time(), SignedDuration::from_hours(72));
        assert_eq!(ActionPriority::P3.raised().raised().raised().raised(), ActionPriority::P0);
    }
}
