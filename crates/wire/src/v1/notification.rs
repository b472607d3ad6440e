//! Notifications that are not sent yet.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::notification::{NotifyReason, OutboxEntry};
use utoipa::ToSchema;

/// A notification on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// Its number; events name notifications by it.
    pub number: u64,
    /// What every attempt carries, so that the other side can tell a repetition.
    pub idempotency_key: String,
    /// Where it goes: `receiver/kind[index]`.
    #[schema(example = "db-team/slack[0]")]
    pub integration: String,
    /// The name of the receiver.
    pub receiver: String,
    /// The number of the group it tells about.
    pub group: u64,
    /// The identity of that group.
    pub group_key: String,
    /// Why it is sent.
    #[schema(value_type = String, example = "new_alerts")]
    pub reason: NotifyReason,
    /// How many alerts it tells as firing.
    pub alerts_firing: usize,
    /// How many alerts it tells as resolved.
    pub alerts_resolved: usize,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// After this it is given up and the group's next look decides anew.
    pub deadline: Timestamp,
}

impl From<&OutboxEntry> for Notification {
    fn from(entry: &OutboxEntry) -> Self {
        let told = &entry.notification;
        let resolved = told.alerts.iter().filter(|alert| alert.is_resolved).count();
        Self {
            number: entry.number.0,
            idempotency_key: entry.idempotency_key(),
            integration: entry.key.integration(),
            receiver: entry.key.receiver.to_string(),
            group: entry.group.0,
            group_key: entry.key.group.to_string(),
            reason: told.reason,
            alerts_firing: told.alerts.len() - resolved,
            alerts_resolved: resolved,
            decided_at: told.decided_at,
            attempts: entry.attempts,
            due_at: entry.due_at,
            deadline: entry.deadline,
        }
    }
}
