//! How the server is doing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::views;
use utoipa::ToSchema;

/// How the server is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The release.
    pub version: String,
    /// When the process began to serve.
    pub started_at: Timestamp,
    /// How long ago that was.
    pub uptime_seconds: i64,
    /// Whether it takes commands.
    pub readiness: Readiness,
    /// How much there is of everything.
    pub counts: Counts,
    /// The configuration in effect.
    pub configuration: ConfigurationStatus,
}

/// Whether the server takes commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether it does.
    pub is_ready: bool,
    /// Why not, for people; absent when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Alerts that fire and are not held back.
    pub alerts_active: usize,
    /// Alerts that fire and are held back.
    pub alerts_suppressed: usize,
    /// Open groups.
    pub groups: usize,
    /// Unsent notifications.
    pub notifications_unsent: usize,
    /// Silences that mute.
    pub silences_active: usize,
    /// Silences that begin later.
    pub silences_pending: usize,
    /// Silences that are over.
    pub silences_expired: usize,
}

impl From<views::Counts> for Counts {
    fn from(counts: views::Counts) -> Self {
        Self {
            alerts_active: counts.alerts_active,
            alerts_suppressed: counts.alerts_suppressed,
            groups: counts.groups,
            notifications_unsent: counts.outbox,
            silences_active: counts.silences_active,
            silences_pending: counts.silences_pending,
            silences_expired: counts.silences_expired,
        }
    }
}

/// The configuration in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConfigurationStatus {
    /// The hash of the files it was read from, as 16 hexadecimal digits.
    #[schema(example = "1f3b0c77a2d94e10")]
    pub hash: String,
    /// Whether the last attempt to read it anew succeeded.
    pub is_last_reload_successful: bool,
    /// When it took effect.
    pub loaded_at: Timestamp,
}
