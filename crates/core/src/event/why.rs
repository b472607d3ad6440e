//! Why an alert is held back, and why a group is looked at.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::alert::Inhibitor;
use crate::ids::SilenceId;

/// Why an alert is held back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum MuteCause {
    /// A firing alert inhibits it.
    Inhibition(Inhibitor),
    /// None of the route's active intervals is in effect.
    ActiveInterval {
        /// The intervals, comma-separated.
        names: Arc<str>,
    },
    /// A mute interval of the route is in effect.
    MuteInterval {
        /// Its name.
        name: Arc<str>,
    },
    /// A silence matches it.
    Silence {
        /// Which one.
        id: SilenceId,
    },
    /// A maintenance window is open and matches it.
    Maintenance {
        /// Its name.
        name: Arc<str>,
    },
}

impl std::fmt::Display for MuteCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inhibition(inhibitor) => write!(f, "inhibited by {}", inhibitor.source),
            Self::ActiveInterval { names } => write!(f, "outside the active intervals {names}"),
            Self::MuteInterval { name } => write!(f, "in the mute interval {name}"),
            Self::Silence { id } => write!(f, "silenced by {id}"),
            Self::Maintenance { name } => write!(f, "in the maintenance window {name}"),
        }
    }
}

/// Why a group is looked at when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlushReason {
    /// `group_wait` after the group began.
    GroupWait,
    /// Its first alert is older than `group_wait`.
    OldAlert,
    /// The aggregation window of the alert's severity is shorter.
    SeverityWindow,
    /// A silence, maintenance window or mute interval ends.
    Unmute,
    /// The repeat interval elapses.
    Repeat,
    /// The start delay of the process holds it back.
    StartDelay,
    /// Nobody works on its alerts any more and a repetition is overdue.
    Unacknowledged,
}
