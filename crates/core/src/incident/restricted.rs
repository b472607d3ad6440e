//! Who may see an incident that is not for everybody.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Handle;

/// That only few may see an incident: those who are named, those of named teams, those who have a
/// role in it or have it, and whoever may see restricted incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// Since when.
    pub since: Timestamp,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Who may see it, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub people: BTreeSet<Handle>,
    /// Whose members may see it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<String>,
}

/// Something that is done about who may see an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestrictStep {
    /// Only few may.
    Restrict {
        /// Who, by name.
        people: BTreeSet<Handle>,
        /// The members of these teams, too.
        teams: BTreeSet<String>,
        /// Why; not empty.
        reason: String,
    },
    /// Everybody may who may see incidents.
    Lift {
        /// Why; not empty.
        reason: String,
    },
}

impl RestrictStep {
    /// Returns the name of the action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Restrict { .. } => "incident.restrict",
            Self::Lift { .. } => "incident.unrestrict",
        }
    }

    /// Returns what was said.
    pub fn reason(&self) -> &str {
        match self {
            Self::Restrict { reason, .. } | Self::Lift { reason } => reason,
        }
    }
}
