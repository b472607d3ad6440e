//! How incidents belong together: one goes on as part of another, is the same, belongs beneath
//! another, or came out of one.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{IncidentAlert, IncidentKey, IncidentNumber, Record, Recovery};
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::labels::Fingerprint;
use crate::severity::Severity;

/// The most incidents that become part of another one at once.
pub const MAX_MERGED_AT_ONCE: usize = 20;

/// The most incidents of each kind that one is related to.
pub const MAX_RELATED: usize = 500;

/// How long a merge can be undone.
pub const UNMERGE_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What an incident has to do with others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Relations {
    /// As part of which one it goes on, and how to undo that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<Box<Merge>>,
    /// Those that go on as part of this one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub absorbed: BTreeSet<IncidentNumber>,
    /// Keys of those: what fires under them belongs here.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<IncidentKey>,
    /// The one that is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<IncidentNumber>,
    /// Those that are the same as this one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub duplicates: BTreeSet<IncidentNumber>,
    /// The one that it belongs beneath.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<IncidentNumber>,
    /// Those that belong beneath it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub children: BTreeSet<IncidentNumber>,
    /// Those that have something to do with it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub related: BTreeSet<IncidentNumber>,
    /// The one that it came out of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_from: Option<IncidentNumber>,
    /// Those that came out of it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub split_off: BTreeSet<IncidentNumber>,
}

/// That an incident goes on as part of another one, with everything that undoing it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merge {
    /// As part of which.
    pub into: IncidentNumber,
    /// Since when.
    pub at: Timestamp,
    /// Who said so.
    pub by: String,
    /// Where it stood when.
    pub record: Record,
    /// Who had it.
    pub owner: Option<Handle>,
    /// Who worked on it.
    pub worked: BTreeSet<Handle>,
    /// Whether nothing of it fired.
    pub recovered: Option<Recovery>,
    /// When somebody did something about it last.
    pub active_at: Timestamp,
    /// The alerts that moved.
    pub alerts: Vec<IncidentAlert>,
    /// Those of them that the other one had had before.
    pub shared: BTreeSet<Fingerprint>,
    /// The escalations that moved.
    pub runs: BTreeSet<RunNumber>,
    /// The keys that moved beside its own.
    pub keys: BTreeSet<IncidentKey>,
    /// The incidents that were part of it.
    pub absorbed: BTreeSet<IncidentNumber>,
    /// Escalations and alerts that were taken by this, since somebody works on the other one.
    pub taken_runs: BTreeSet<RunNumber>,
    /// Alerts that were taken by this.
    pub taken_alerts: BTreeSet<Fingerprint>,
    /// Who works on the other one only because of this.
    pub participants: BTreeSet<Handle>,
    /// Who follows the other one only because of this.
    pub subscribers: BTreeSet<Handle>,
    /// How bad the other one was, when it became worse by this, and how bad it became.
    pub severity: Option<(Severity, Severity)>,
    /// Whether nothing of the other one fired.
    pub target_recovered: Option<Recovery>,
    /// Whether somebody had it open although nothing of it fired.
    #[serde(default)]
    pub rests: bool,
    /// Whether somebody had the other one open although nothing of it fired.
    #[serde(default)]
    pub target_rests: bool,
}

/// How two incidents belong together, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// The other one stands above it.
    Parent,
    /// The other one belongs beneath it.
    Child,
    /// They have something to do with each other.
    Related,
}

impl LinkKind {
    /// All, in the order of the manual.
    pub const ALL: [Self; 3] = [Self::Parent, Self::Child, Self::Related];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Child => "child",
            Self::Related => "related",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.as_str() == lower)
    }

    /// Returns how it looks from the other side.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
            Self::Related => Self::Related,
        }
    }
}

/// Something that is done about how incidents belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelationStep {
    /// Others go on as part of it.
    Merge {
        /// Which.
        sources: Vec<IncidentNumber>,
    },
    /// It goes on by itself again.
    Unmerge,
    /// Some of its alerts are another incident.
    Split {
        /// Which.
        alerts: Vec<Fingerprint>,
        /// What that is about; follows from the alerts when it is left out.
        title: Option<String>,
    },
    /// It is the same as another one, and over by that.
    Duplicate {
        /// As which.
        of: IncidentNumber,
    },
    /// It has something to do with another one, or no more.
    Link {
        /// How the other one stands to it.
        kind: LinkKind,
        /// Which.
        other: IncidentNumber,
        /// Whether it has.
        linked: bool,
    },
    /// It is over, and so are those beneath it.
    ResolveAll {
        /// How it ended.
        note: String,
        /// The same for programs.
        code: Option<super::ResolutionCode>,
    },
}

impl RelationStep {
    /// Returns the name of the action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Merge { .. } => "incident.merge",
            Self::Unmerge => "incident.unmerge",
            Self::Split { .. } => "incident.split",
            Self::Duplicate { .. } => "incident.duplicate",
            Self::Link { linked: true, .. } => "incident.link",
            Self::Link { .. } => "incident.unlink",
            Self::ResolveAll { .. } => "incident.resolve",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_has_another_side() {
        for kind in LinkKind::ALL {
            assert_eq!(kind.reversed().reversed(), kind);
            assert_eq!(LinkKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(LinkKind::parse("cousin"), None);
    }
}
