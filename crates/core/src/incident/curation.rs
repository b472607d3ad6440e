//! What is done with rows of a timeline: pinned, told in other words, corrected, blacked out. The
//! row itself never changes; another row says what became of it.

use std::collections::BTreeMap;

use compact_str::CompactString;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The most rows of one timeline that are pinned, key moments, captioned or corrected. What is
/// blacked out does not count: nothing may stand in the way of taking out a secret.
pub const MAX_MARKS: usize = 1_000;

/// The most rows of one timeline that are blacked out; as many as are ever exported.
pub const MAX_BLACKED_OUT: usize = 20_000;

/// The most characters of a caption.
pub const MAX_CAPTION_CHARS: usize = 300;

/// The most rows that are imported at once.
pub const MAX_IMPORTED: usize = 1_000;

/// How long whoever wrote something may correct it without further permission.
pub const OWN_REVISION_WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// What became of the rows of a timeline, by their place.
pub type Marks = BTreeMap<u64, Mark>;

/// What became of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// Whether it is shown above all others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_pinned: bool,
    /// Whether it belongs to the story as it is told afterwards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_key_moment: bool,
    /// How it is told there; empty for in its own words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// Where it is told there; `None` for by its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// The row that has the corrected text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// When it was blacked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted_at: Option<Timestamp>,
}

impl Mark {
    /// Returns whether nothing became of it after all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is to become of a row; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarkEdit {
    /// Whether it is shown above all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Whether it belongs to the story as it is told afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_moment: Option<bool>,
    /// How it is told there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Where it is told there; 0 for by its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

/// A row, as whoever asks found it. Rows never change, so it is still like this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRow {
    /// Its place.
    pub seq: u64,
    /// Who wrote it.
    pub by: String,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Whether it has words that somebody chose: a comment, or what was said elsewhere.
    pub is_text: bool,
}

/// Something that was said elsewhere, to be put into a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// When.
    pub occurred_at: Timestamp,
    /// Who said it, by the name they have there.
    pub author: String,
    /// What.
    pub text: String,
}

/// Something that is done with rows of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CurateStep {
    /// It is pinned, or a key moment.
    Mark {
        /// Which row.
        row: FoundRow,
        /// What is to become of it.
        edit: MarkEdit,
    },
    /// Its words are corrected.
    Revise {
        /// Which row.
        row: FoundRow,
        /// What it says now; not empty.
        text: String,
        /// Whether whoever asks may correct what others wrote.
        may_all: bool,
    },
    /// Its words must not be read any more.
    Redact {
        /// Which row.
        row: FoundRow,
        /// Why; not empty.
        reason: String,
    },
    /// What was said elsewhere is put in its place.
    Import {
        /// What, in order.
        rows: Vec<Imported>,
        /// Where it was said, such as `slack`.
        source: CompactString,
    },
}

impl CurateStep {
    /// Returns the name of the action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Mark { .. } => "incident.timeline.mark",
            Self::Revise { .. } => "incident.timeline.revise",
            Self::Redact { .. } => "incident.timeline.redact",
            Self::Import { .. } => "incident.timeline.import",
        }
    }

    /// Returns what was said.
    pub fn reason(&self) -> &str {
        match self {
            Self::Redact { reason, .. } => reason,
            Self::Mark { .. } | Self::Revise { .. } | Self::Import { .. } => "",
        }
    }
}
