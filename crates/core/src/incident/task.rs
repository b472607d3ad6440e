//! Tasks: what has to be done during an incident, by whom and until when.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identity::Handle;
use crate::reminder::ReminderPlan;

/// The most tasks of one incident.
pub const MAX_TASKS: usize = 200;

/// How often somebody is reminded of a task that is late.
const LATE_AGAIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The same for what matters most.
const LATE_AGAIN_URGENT: SignedDuration = SignedDuration::from_hours(24);

/// How often at most.
const MAX_LATE: u32 = 10;

/// How much a task matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Before anything else.
    P0,
    /// Next.
    P1,
    /// In its turn.
    #[default]
    P2,
    /// When there is time.
    P3,
}

/// How far a task is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Nobody has begun.
    #[default]
    Open,
    /// Somebody has.
    InProgress,
    /// It is done.
    Done,
    /// It will not be done.
    WontDo,
}

/// Something that has to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// What.
    pub title: String,
    /// Who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Handle>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How much it matters.
    #[serde(default)]
    pub priority: Priority,
    /// How far it is.
    #[serde(default)]
    pub status: TaskStatus,
    /// Whether the incident cannot be closed before it is done.
    #[serde(default)]
    pub is_blocking: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was done, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// A task that is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskDraft {
    /// What; not empty.
    pub title: String,
    /// Who does it.
    pub assignee: Option<Handle>,
    /// Until when.
    pub due_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: Priority,
    /// Whether the incident cannot be closed before it is done.
    pub is_blocking: bool,
}

/// What is to be changed of a task; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskEdit {
    /// What.
    pub title: Option<String>,
    /// Who does it; within, `None` for nobody.
    pub assignee: Option<Option<Handle>>,
    /// Until when.
    pub due_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: Option<Priority>,
    /// How far it is.
    pub status: Option<TaskStatus>,
    /// Whether the incident cannot be closed before it is done.
    pub is_blocking: Option<bool>,
}

/// Something that is done about tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskStep {
    /// There is another one.
    Add(TaskDraft),
    /// One is changed.
    Change {
        /// Which.
        task: u32,
        /// What of it.
        edit: TaskEdit,
    },
}

macro_rules! words {
    ($type:ident { $($name:ident = $word:literal)* }) => {
        impl $type {
            /// All, in the order of the manual.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the word that is stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Reads a word; `None` for any other.
            pub fn parse(word: &str) -> Option<Self> {
                let lower = word.trim().to_ascii_lowercase();
                Self::ALL.iter().copied().find(|it| it.as_str() == lower)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! { Priority { P0 = "p0" P1 = "p1" P2 = "p2" P3 = "p3" } }
words! { TaskStatus { Open = "open" InProgress = "in_progress" Done = "done" WontDo = "wont_do" } }

impl TaskStatus {
    /// Returns whether nothing is left to do.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::WontDo)
    }
}

impl Task {
    /// Returns when whoever does it has to be reminded.
    pub fn reminder(&self) -> Option<ReminderPlan> {
        let due_at = self.due_at.filter(|_| !self.status.is_over() && self.assignee.is_some())?;
        let again = if self.priority == Priority::P0 { LATE_AGAIN_URGENT } else { LATE_AGAIN };
        Some(ReminderPlan::after(due_at, SignedDuration::ZERO).every(again).at_most(MAX_LATE))
    }
}

impl TaskStep {
    /// Returns the name of the action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Add(_) => "incident.task.add",
            Self::Change { .. } => "incident.task.change",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_reminded_of_what_is_late() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut task = Task {
            number: 1,
            title: "Call the provider".to_owned(),
            assignee: Handle::parse("ada").ok(),
            due_at: Some(at(60)),
            priority: Priority::P0,
            status: TaskStatus::Open,
            is_blocking: true,
            by: "ada".to_owned(),
            created_at: at(0),
            ended_at: None,
        };
        let plan = task.reminder().unwrap();
        assert_eq!((plan.first, plan.every), (at(60), Some(LATE_AGAIN_URGENT)));
        task.assignee = None;
        assert_eq!(task.reminder(), None);
        task.assignee = Handle::parse("ada").ok();
        task.status = TaskStatus::Done;
        assert_eq!(task.reminder(), None);
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::parse(status.as_str()), Some(*status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(Priority::parse("P1"), Some(Priority::P1));
    }
}
