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
    /// Who asked to see it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<AccessRequest>,
}

/// The most people and teams that a restriction names.
pub const MAX_NAMED_IN_RESTRICTION: usize = 200;

/// The most requests to see one incident that are kept; the oldest that are answered go first.
pub const MAX_ACCESS_REQUESTS: usize = 100;

/// That somebody who was told of a restricted incident wants to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// Who.
    pub person: Handle,
    /// Why.
    pub reason: String,
    /// When.
    pub asked_at: Timestamp,
    /// What became of it; `None` while nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AccessAnswer>,
}

/// Whether somebody may see a restricted incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessAnswer {
    /// Whether they may.
    pub is_granted: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Restriction {
    /// Returns whether it may name somebody else.
    pub fn has_room(&self) -> bool {
        self.people.len() + self.teams.len() < MAX_NAMED_IN_RESTRICTION
    }

    /// Returns those who are named, as people read it.
    pub fn named(&self) -> Vec<String> {
        let people = self.people.iter().map(ToString::to_string);
        people.chain(self.teams.iter().map(|it| format!("team {it}"))).collect()
    }
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
    /// Somebody who asked may see it, or not.
    Answer {
        /// Which request.
        request: u32,
        /// Whether they may.
        is_granted: bool,
    },
}

impl RestrictStep {
    /// Returns the name of the action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Restrict { .. } => "incident.restrict",
            Self::Lift { .. } => "incident.unrestrict",
            Self::Answer { is_granted: true, .. } => "incident.access_grant",
            Self::Answer { is_granted: false, .. } => "incident.access_deny",
        }
    }

    /// Returns what was said.
    pub fn reason(&self) -> &str {
        match self {
            Self::Restrict { reason, .. } | Self::Lift { reason } => reason,
            Self::Answer { .. } => "",
        }
    }
}
