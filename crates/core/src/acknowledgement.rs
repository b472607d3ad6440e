//! Somebody works on an alert: a fact of its own beside firing, silenced and inhibited.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::AlertView;

/// The most characters of a name.
pub const MAX_BY_CHARS: usize = 200;

/// The most characters of a comment or note.
pub const MAX_COMMENT_CHARS: usize = 4_000;

/// The most alerts one command acknowledges.
pub const MAX_ALERTS: usize = 10_000;

/// Who works on an alert, since when and until when.
///
/// It belongs to one life of the alert: it ends when the alert ends, when it lapses, or when it
/// is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The person, or the integration that told us.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// When it lapses; `None` for not before the alert ends.
    pub expires_at: Option<Timestamp>,
    /// What they said; may be empty.
    pub comment: String,
}

/// Why an acknowledgement ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum AcknowledgementEnd {
    /// Its time was over.
    Lapsed,
    /// The alert is over.
    Resolved,
    /// Somebody took it back.
    TakenBack {
        /// Who.
        by: String,
        /// What they said; may be empty.
        comment: String,
    },
}

/// An alert that an outside key names, firing or lately resolved.
#[derive(Clone, Debug)]
pub struct SourceAlert {
    /// The alert.
    pub alert: AlertView,
    /// Whether it is over.
    pub is_resolved: bool,
}

/// Cuts `text` to `max` characters.
pub(crate) fn bounded(text: String, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}
