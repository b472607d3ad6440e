//! Changes told from outside: deploys, configuration changes, feature switches. Whoever looks for
//! the cause of an incident asks for them first.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The most characters of a summary.
pub const MAX_SUMMARY_CHARS: usize = 1_024;

/// The most bytes of the details as JSON.
pub const MAX_DETAILS_BYTES: usize = 64 * 1024;

/// The most links.
pub const MAX_LINKS: usize = 20;

/// How long before an incident a change may have to do with it.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(2);

/// Something that was changed somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What, in one line.
    pub summary: String,
    /// Where, such as a host, a service or a pipeline; may be empty.
    pub source: String,
    /// When, as the source says.
    pub occurred_at: Timestamp,
    /// Further facts as a JSON object; empty for none.
    pub details: String,
    /// Where to read more.
    pub links: Vec<ChangeLink>,
    /// The integration that told us.
    pub integration: String,
}

impl Change {
    /// Returns whether it names a service, as a word of its own, in its summary or as its source.
    ///
    /// `shop` is named by `shop 1.2` and `deploy/shop`, and not by `shopping` or `shop-admin`.
    pub fn concerns(&self, service: &str) -> bool {
        let is_part = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_');
        let names = |text: &str| {
            let (text, service) = (text.to_lowercase(), service.to_lowercase());
            text.match_indices(&service).any(|(at, found)| {
                !text[..at].ends_with(is_part) && !text[at + found.len()..].starts_with(is_part)
            })
        };
        !service.is_empty() && (names(&self.summary) || names(&self.source))
    }
}

/// A link of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLink {
    /// Where it leads.
    pub href: String,
    /// What it says; may be empty.
    pub text: String,
}
