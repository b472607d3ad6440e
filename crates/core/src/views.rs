//! What readers see: owned values, taken from the state at one instant.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alert::AlertView;
use crate::event::MuteCause;
use crate::ids::{GroupNumber, OutboxNumber};
use crate::labels::Labels;
use crate::notification::LogEntry;
use crate::silence::SilenceState;

/// A group as readers see it.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The group.
    pub number: GroupNumber,
    /// Its identity: its route's key, a colon, its labels.
    pub key: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// The labels of its route.
    pub route_labels: Labels,
    /// The receiver of its route.
    pub receiver: Arc<str>,
    /// When its first alert arrived.
    pub opened_at: Timestamp,
    /// When it is looked at next.
    pub flush_at: Timestamp,
    /// Its firing alerts, by `job`, `instance`, then all labels; `muted_by` is filled in.
    pub alerts: Vec<AlertView>,
}

/// A maintenance window as readers see it.
#[derive(Clone, Debug)]
pub struct MaintenanceView {
    /// The window.
    pub window: crate::maintenance::MaintenanceWindow,
    /// Whether the configuration file provisions it.
    pub is_provisioned: bool,
    /// Active, pending (another occurrence comes) or expired.
    pub state: SilenceState,
    /// The occurrence that is open, or else the next one.
    pub occurrence: Option<crate::maintenance::Occurrence>,
}

/// Why an alert was told, or was not, as far as the present state knows; the history adds to it.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The alert.
    pub alert: AlertView,
    /// Whether it is over.
    pub is_resolved: bool,
    /// How often it was told.
    pub received: u64,
    /// Where it stands in each of its groups.
    pub groups: Vec<GroupExplanation>,
}

/// Where an alert stands in one of its groups.
#[derive(Clone, Debug)]
pub struct GroupExplanation {
    /// The group.
    pub number: GroupNumber,
    /// Its identity.
    pub key: Arc<str>,
    /// The receiver of its route.
    pub receiver: Arc<str>,
    /// When it is looked at next.
    pub flush_at: Timestamp,
    /// Whether it has been looked at before.
    pub has_flushed: bool,
    /// Whether somebody works on every alert that fires in it, so that it is not repeated.
    pub is_acknowledged: bool,
    /// What holds the alert back right now.
    pub muted: Option<MuteCause>,
    /// Each integration of the receiver: its name, what it was last told, what is on its way.
    pub integrations: Vec<IntegrationExplanation>,
}

/// What one integration knows of an alert.
#[derive(Clone, Debug)]
pub struct IntegrationExplanation {
    /// As `receiver/kind[index]`.
    pub integration: String,
    /// What it was last told about the group.
    pub log: Option<LogEntry>,
    /// Whether the alert was told as firing in it.
    pub was_told: bool,
    /// When an unchanged group is told again.
    pub repeat_at: Option<Timestamp>,
    /// The notification on its way, with its attempts so far and the next try.
    pub pending: Option<(OutboxNumber, u32, Timestamp)>,
}

/// Counts for metrics and status pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Firing and not held back.
    pub alerts_active: usize,
    /// Firing and held back.
    pub alerts_suppressed: usize,
    /// Open groups.
    pub groups: usize,
    /// Unsent notifications.
    pub outbox: usize,
    /// Silences that mute.
    pub silences_active: usize,
    /// Silences that begin later.
    pub silences_pending: usize,
    /// Silences that are over.
    pub silences_expired: usize,
}
