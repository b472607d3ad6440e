//! What is wrong with a policy although it is well-formed: it would page nobody when it has to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNotice {
    /// What it is.
    pub kind: NoticeKind,
    /// The step, counted from 1; `None` for the policy as a whole.
    pub step: Option<usize>,
    /// Since when, or from when, where that is known.
    pub at: Option<Timestamp>,
    /// One sentence.
    pub text: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// No step would page anybody now.
    PagesNobody,
    /// A step would page nobody now.
    EmptyStep,
    /// Somebody who is named cannot be reached.
    Unreachable,
    /// A person who is named is not here, or has left.
    UnknownPerson,
    /// A team that is named does not exist.
    UnknownTeam,
    /// A schedule that is named does not exist.
    UnknownSchedule,
    /// A schedule will have nobody on call soon.
    GapSoon,
}

impl NoticeKind {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PagesNobody => "pages_nobody",
            Self::EmptyStep => "empty_step",
            Self::Unreachable => "unreachable",
            Self::UnknownPerson => "unknown_person",
            Self::UnknownTeam => "unknown_team",
            Self::UnknownSchedule => "unknown_schedule",
            Self::GapSoon => "gap_soon",
        }
    }
}
