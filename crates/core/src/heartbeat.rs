//! Heartbeat monitors: what does not say in time that it is alive becomes an alert.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::labels::Labels;

/// The most monitors of a tenant.
pub const MAX_HEARTBEATS: usize = 1_000;

/// Something that is expected to say that it is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatMonitor {
    /// Unique in the tenant.
    pub name: Arc<str>,
    /// How long it may stay silent.
    pub timeout: SignedDuration,
    /// Labels of the alert beside `alertname` and `heartbeat`.
    pub labels: Labels,
    /// Annotations of the alert.
    pub annotations: Labels,
}

/// A monitor as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatRow {
    /// Its name.
    pub name: Arc<str>,
    /// When it was heard last; `None` for never, when it counts from when it was first known.
    pub heard_at: Option<Timestamp>,
    /// Since when it is known.
    pub known_since: Timestamp,
    /// Since when it is overdue; `None` while it is well.
    pub missed_at: Option<Timestamp>,
}
