//! The audit log as our API shows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A page of the audit log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// The newest first: each an object with `number`, `at`, `who`, `credential`, `address`,
    /// `action`, `subject`, `before`, `after` and `reason`, and the `hash` of the row.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<Value>,
    /// The cursor of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Whether the audit log is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerdict {
    /// Whether every row follows from the one before it.
    pub intact: bool,
    /// How many rows follow from the first one on.
    pub rows: u64,
    /// The hash of the last of these, in hex. Kept elsewhere, it proves later that nothing before
    /// it was changed or cut off.
    pub hash: String,
    /// The first row that is missing, altered or misplaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_row: Option<u64>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
