//! What was promised after incidents.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::action::{self, ActionCategory, ActionPriority, ActionStatus};
use utoipa::ToSchema;

/// What a team promised to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionItem {
    /// Its name.
    #[schema(example = "AI-142-1")]
    pub id: String,
    /// The number of the incident.
    pub incident: u64,
    /// Counts every change; also the `ETag`.
    pub version: u64,
    /// What to do.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// How soon: `P0` to `P3`.
    #[schema(value_type = String, example = "P1")]
    pub priority: ActionPriority,
    /// `process`, `tooling`, `monitoring` or `documentation`.
    #[schema(value_type = String, example = "monitoring")]
    pub category: ActionCategory,
    /// Who does it, by handle; absent for nobody yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Until when.
    pub due_at: Timestamp,
    /// Whether that is over and it is not done.
    pub is_overdue: bool,
    /// `open`, `in_progress`, `completed` or `deferred`.
    #[schema(value_type = String, example = "open")]
    pub status: ActionStatus,
    /// Why it is put off; may be empty.
    pub reason: String,
    /// Where else it is tracked; may be empty.
    pub link: String,
    /// The rule that suggested it; may be empty.
    pub rule: String,
    /// When it was written down.
    pub created_at: Timestamp,
    /// Who wrote it down.
    pub created_by: String,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Incidents about the same that came while it was open.
    pub recurred: Vec<u64>,
}

impl ActionItem {
    /// Shows an action item.
    pub fn new(it: &action::ActionItem, now: Timestamp) -> Self {
        Self {
            id: it.id.to_string(),
            incident: it.id.incident.0,
            version: it.version,
            title: it.title.clone(),
            description: it.description.clone(),
            priority: it.priority,
            category: it.category,
            owner: it.owner.as_ref().map(ToString::to_string),
            due_at: it.due_at,
            is_overdue: it.is_overdue(now),
            status: it.status,
            reason: it.reason.clone(),
            link: it.link.clone(),
            rule: it.rule.to_string(),
            created_at: it.created_at,
            created_by: it.created_by.name.clone(),
            completed_at: it.completed_at,
            recurred: it.recurred.iter().map(|it| it.0).collect(),
        }
    }
}

/// A page of action items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionPage {
    /// The most urgent and earliest due first.
    pub items: Vec<ActionItem>,
    /// Leads to the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An action item that somebody wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionDraft {
    /// What to do; may be left out with `rule`.
    #[serde(default)]
    pub title: Option<String>,
    /// More about it.
    #[serde(default)]
    pub description: String,
    /// How soon; follows from the severity of the incident unless it is said.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub priority: Option<ActionPriority>,
    /// What kind of change it is; `process` unless it is said.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub category: Option<ActionCategory>,
    /// Who does it, by handle.
    #[serde(default)]
    pub owner: Option<String>,
    /// Until when; follows from the priority unless it is said.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// Where else it is tracked.
    #[serde(default)]
    pub link: String,
    /// The rule of a recommendation of the postmortem: title, category and priority are its.
    #[serde(default)]
    pub rule: Option<String>,
}

/// What is to be changed of an action item. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionPatch {
    /// What to do.
    #[serde(default)]
    pub title: Option<String>,
    /// More about it.
    #[serde(default)]
    pub description: Option<String>,
    /// How soon.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub priority: Option<ActionPriority>,
    /// What kind of change it is.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub category: Option<ActionCategory>,
    /// Who does it, by handle; empty for nobody.
    #[serde(default)]
    pub owner: Option<String>,
    /// Until when.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// `open`, `in_progress`, `completed` or `deferred`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub status: Option<ActionStatus>,
    /// Why; needed with `deferred`, and with it a new `due_at`.
    #[serde(default)]
    pub reason: Option<String>,
    /// Where else it is tracked.
    #[serde(default)]
    pub link: Option<String>,
}

/// What a request about an action item did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionResult {
    /// Whether it changed anything.
    pub has_changed: bool,
    /// The action item, as it stands now.
    #[serde(flatten)]
    pub action: ActionItem,
}
