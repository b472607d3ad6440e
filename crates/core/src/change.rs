//! Changes told from outside: deploys, configuration changes, feature switches. Whoever looks for
//! the cause of an incident asks for them first.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most characters of a summary.
pub const MAX_SUMMARY_CHARS: usize = 1_024;

/// The most bytes of the details as JSON.
pub const MAX_DETAILS_BYTES: usize = 64 * 1024;

/// The most links.
pub const MAX_LINKS: usize = 20;

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

/// A link of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLink {
    /// Where it leads.
    pub href: String,
    /// What it says; may be empty.
    pub text: String,
}
