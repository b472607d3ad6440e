//! What happened, oldest first: the history that explain, audit and replay read.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acknowledgement::AcknowledgementEnd;
use crate::alert::Inhibitor;
use crate::change::Change;
use crate::ids::{AlertNumber, GroupNumber, OutboxNumber, Sequence, SilenceId, SilenceNumber};
use crate::labels::{Fingerprint, Labels};
use crate::notification::{Failure, NotifyReason};

/// An event with its place and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its place in the tenant's history.
    pub sequence: Sequence,
    /// When it took effect.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "number")]
pub enum Subject {
    /// One life of an alert.
    Alert(AlertNumber),
    /// One life of a group.
    Group(GroupNumber),
    /// A silence.
    Silence(SilenceNumber),
    /// The tenant as a whole.
    Tenant,
}

impl Subject {
    /// Returns the kind as a small number and the subject's own number, for storage.
    pub fn to_parts(self) -> (i64, u64) {
        match self {
            Self::Tenant => (0, 0),
            Self::Alert(number) => (1, number.0),
            Self::Group(number) => (2, number.0),
            Self::Silence(number) => (3, number.0),
        }
    }
}

/// Why an alert is held back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum MuteCause {
    /// A firing alert inhibits it.
    Inhibition(Inhibitor),
    /// None of the route's active intervals is in effect.
    ActiveInterval {
        /// The intervals, comma-separated.
        names: Arc<str>,
    },
    /// A mute interval of the route is in effect.
    MuteInterval {
        /// Its name.
        name: Arc<str>,
    },
    /// A silence matches it.
    Silence {
        /// Which one.
        id: SilenceId,
    },
    /// A maintenance window is open and matches it.
    Maintenance {
        /// Its name.
        name: Arc<str>,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Event {
    /// A condition fires that did not before.
    AlertFired {
        /// Its life.
        alert: AlertNumber,
        /// The hash of its labels.
        fingerprint: Fingerprint,
        /// When it began.
        starts_at: Timestamp,
        /// When it ends unless told again.
        ends_at: Timestamp,
        /// Whether that end is only our resolve timeout.
        is_timeout: bool,
        /// Whether it had fired before in this life.
        is_refire: bool,
        /// The groups it joined.
        groups: Vec<GroupNumber>,
    },
    /// A condition is over.
    AlertResolved {
        /// Its life.
        alert: AlertNumber,
        /// The hash of its labels.
        fingerprint: Fingerprint,
        /// When it ended.
        ends_at: Timestamp,
        /// Whether nobody told us for the whole resolve timeout, rather than the source saying so.
        is_timeout: bool,
    },
    /// A resolved alert arrived that was never seen firing; nobody is told.
    AlertArrivedResolved {
        /// Its life.
        alert: AlertNumber,
        /// The hash of its labels.
        fingerprint: Fingerprint,
    },
    /// An alert was left out because a bound was met.
    AlertLimited {
        /// The hash of its labels.
        fingerprint: Fingerprint,
        /// Which bound.
        limit: String,
    },
    /// An alert is held back in a group.
    AlertMuted {
        /// Its life.
        alert: AlertNumber,
        /// Where.
        group: GroupNumber,
        /// Why.
        cause: MuteCause,
    },
    /// An alert is no longer held back in a group.
    AlertUnmuted {
        /// Its life.
        alert: AlertNumber,
        /// Where.
        group: GroupNumber,
        /// What held it back.
        cause: MuteCause,
    },
    /// Somebody works on an alert.
    AlertAcknowledged {
        /// Its life.
        alert: AlertNumber,
        /// Who.
        by: String,
        /// What they say; may be empty.
        comment: String,
        /// When it lapses; `None` for not before the alert ends.
        expires_at: Option<Timestamp>,
    },
    /// Nobody works on an alert any more.
    AlertUnacknowledged {
        /// Its life.
        alert: AlertNumber,
        /// Why.
        why: AcknowledgementEnd,
    },
    /// Somebody added to the history of an alert.
    AlertNoted {
        /// Its life.
        alert: AlertNumber,
        /// Who.
        by: String,
        /// What they said.
        text: String,
    },
    /// The first alert of a group arrived.
    GroupOpened {
        /// The group.
        group: GroupNumber,
        /// Its identity: its route's key, a colon, its labels.
        key: Arc<str>,
        /// The receiver of its route.
        receiver: Arc<str>,
        /// Its labels.
        labels: Labels,
        /// When it is looked at first.
        flush_at: Timestamp,
        /// Why then.
        why: FlushReason,
    },
    /// A group is looked at earlier than its grid says.
    FlushAdvanced {
        /// The group.
        group: GroupNumber,
        /// When.
        flush_at: Timestamp,
        /// Why.
        why: FlushReason,
    },
    /// The last alert of a group is gone.
    GroupClosed {
        /// The group.
        group: GroupNumber,
    },
    /// A message was decided and is on its way.
    NotificationQueued {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it goes, as `receiver/kind[index]`.
        integration: String,
        /// Why now.
        reason: NotifyReason,
        /// The alerts it tells as firing.
        firing: Vec<AlertNumber>,
        /// The alerts it tells as resolved.
        resolved: Vec<AlertNumber>,
    },
    /// A message arrived.
    NotificationSent {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it went.
        integration: String,
        /// How many attempts it took.
        attempts: u32,
    },
    /// A message went out with built-in text where templates failed.
    MessageDegraded {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it went.
        integration: String,
        /// Which templates, and why, one sentence each.
        why: Vec<String>,
    },
    /// An attempt failed and there will be another.
    AttemptFailed {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it goes.
        integration: String,
        /// Which attempt, counted from 1.
        attempt: u32,
        /// What went wrong.
        failure: Failure,
        /// When it is tried next.
        retry_at: Timestamp,
    },
    /// A message was given up; the next flush decides anew.
    NotificationAbandoned {
        /// The message.
        notification: OutboxNumber,
        /// The group it told about.
        group: GroupNumber,
        /// Where it was to go.
        integration: String,
        /// Why.
        why: String,
    },
    /// A silence was made or changed.
    SilenceSet {
        /// The silence.
        silence: SilenceNumber,
        /// Its public id.
        id: SilenceId,
        /// Who.
        by: String,
        /// Its matchers as text.
        matchers: String,
        /// First instant.
        starts_at: Timestamp,
        /// Last instant.
        ends_at: Timestamp,
        /// Why.
        comment: String,
    },
    /// A silence began to mute.
    SilenceStarted {
        /// The silence.
        silence: SilenceNumber,
        /// Its public id.
        id: SilenceId,
    },
    /// A silence no longer mutes.
    SilenceEnded {
        /// The silence.
        silence: SilenceNumber,
        /// Its public id.
        id: SilenceId,
        /// Whether a person ended it before its time.
        is_early: bool,
    },
    /// A maintenance window was planned or changed.
    MaintenanceWindowSet {
        /// Its name.
        name: Arc<str>,
        /// Who.
        by: String,
    },
    /// A maintenance window was removed.
    MaintenanceWindowDeleted {
        /// Its name.
        name: Arc<str>,
    },
    /// A maintenance window that the store holds could not be read at the start, so it holds
    /// nothing back.
    MaintenanceWindowUnreadable {
        /// Its name.
        name: Arc<str>,
        /// What is wrong with it.
        why: String,
    },
    /// An occurrence of a maintenance window began.
    MaintenanceStarted {
        /// Its name.
        name: Arc<str>,
        /// When the occurrence ends.
        ends_at: Timestamp,
    },
    /// An occurrence of a maintenance window ended.
    MaintenanceEnded {
        /// Its name.
        name: Arc<str>,
    },
    /// Something was changed somewhere outside.
    ChangeRecorded {
        /// What.
        change: Change,
    },
    /// The engine began to work with what the store holds.
    EngineStarted {
        /// Firing alerts it found.
        alerts: usize,
        /// Groups it found.
        groups: usize,
        /// Unsent notifications it found.
        notifications: usize,
    },
    /// A configuration took effect while running.
    Reconfigured {
        /// Groups that were built anew.
        groups: usize,
    },
}

/// Why a group is looked at when it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlushReason {
    /// `group_wait` after the group began.
    GroupWait,
    /// Its first alert is older than `group_wait`.
    OldAlert,
    /// The aggregation window of the alert's severity is shorter.
    SeverityWindow,
    /// A silence, maintenance window or mute interval ends.
    Unmute,
    /// The repeat interval elapses.
    Repeat,
    /// The start delay of the process holds it back.
    StartDelay,
    /// Nobody works on its alerts any more and a repetition is overdue.
    Unacknowledged,
}

impl Event {
    /// Returns what the event is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::AlertFired { alert, .. }
            | Self::AlertResolved { alert, .. }
            | Self::AlertArrivedResolved { alert, .. }
            | Self::AlertMuted { alert, .. }
            | Self::AlertAcknowledged { alert, .. }
            | Self::AlertUnacknowledged { alert, .. }
            | Self::AlertNoted { alert, .. }
            | Self::AlertUnmuted { alert, .. } => Subject::Alert(*alert),
            Self::GroupOpened { group, .. }
            | Self::FlushAdvanced { group, .. }
            | Self::GroupClosed { group }
            | Self::NotificationQueued { group, .. }
            | Self::NotificationSent { group, .. }
            | Self::MessageDegraded { group, .. }
            | Self::AttemptFailed { group, .. }
            | Self::NotificationAbandoned { group, .. } => Subject::Group(*group),
            Self::SilenceSet { silence, .. }
            | Self::SilenceStarted { silence, .. }
            | Self::SilenceEnded { silence, .. } => Subject::Silence(*silence),
            Self::AlertLimited { .. }
            | Self::MaintenanceWindowSet { .. }
            | Self::MaintenanceWindowDeleted { .. }
            | Self::MaintenanceWindowUnreadable { .. }
            | Self::MaintenanceStarted { .. }
            | Self::MaintenanceEnded { .. }
            | Self::ChangeRecorded { .. }
            | Self::EngineStarted { .. }
            | Self::Reconfigured { .. } => Subject::Tenant,
        }
    }

    /// Returns the name of the kind, as stored and as filters use it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AlertFired { .. } => "alert_fired",
            Self::AlertResolved { .. } => "alert_resolved",
            Self::AlertArrivedResolved { .. } => "alert_arrived_resolved",
            Self::AlertLimited { .. } => "alert_limited",
            Self::AlertMuted { .. } => "alert_muted",
            Self::AlertUnmuted { .. } => "alert_unmuted",
            Self::AlertAcknowledged { .. } => "alert_acknowledged",
            Self::AlertUnacknowledged { .. } => "alert_unacknowledged",
            Self::AlertNoted { .. } => "alert_noted",
            Self::GroupOpened { .. } => "group_opened",
            Self::FlushAdvanced { .. } => "flush_advanced",
            Self::GroupClosed { .. } => "group_closed",
            Self::NotificationQueued { .. } => "notification_queued",
            Self::NotificationSent { .. } => "notification_sent",
            Self::MessageDegraded { .. } => "message_degraded",
            Self::AttemptFailed { .. } => "attempt_failed",
            Self::NotificationAbandoned { .. } => "notification_abandoned",
            Self::SilenceSet { .. } => "silence_set",
            Self::SilenceStarted { .. } => "silence_started",
            Self::SilenceEnded { .. } => "silence_ended",
            Self::MaintenanceWindowSet { .. } => "maintenance_window_set",
            Self::MaintenanceWindowDeleted { .. } => "maintenance_window_deleted",
            Self::MaintenanceWindowUnreadable { .. } => "maintenance_window_unreadable",
            Self::MaintenanceStarted { .. } => "maintenance_started",
            Self::MaintenanceEnded { .. } => "maintenance_ended",
            Self::ChangeRecorded { .. } => "change_recorded",
            Self::EngineStarted { .. } => "engine_started",
            Self::Reconfigured { .. } => "reconfigured",
        }
    }
}
