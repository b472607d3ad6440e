//! What one turn writes and what a start reads: plain values that a store keeps as they are.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acknowledgement::Acknowledgement;
use crate::alert::{Activity, Description, Identity};
use crate::audit::{AuditHead, AuditRow};
use crate::change::Change;
use crate::escalation::{EscalationPolicy, EscalationRun};
use crate::event::{MuteCause, Recorded};
use crate::heartbeat::HeartbeatRow;
use crate::identity::{Handle, IdentityRows, IdentityWrites};
use crate::ids::{AlertNumber, GroupNumber, OutboxNumber, Sequence};
use crate::incident::{Entry, Incident, IncidentAlert, IncidentNumber};
use crate::labels::{Fingerprint, Labels};
use crate::lesson::{LessonRows, LessonWrites};
use crate::notification::{LogEntry, LogKey, OutboxEntry};
use crate::oncall::{OnCallRows, OnCallWrites};
use crate::paging::{Contacts, Page, Recipient, Throttle};
use crate::reminder::{Reminder, ReminderKey};
use crate::silence::Silence;

/// Everything one turn changes. A store writes all of it in one transaction or nothing.
///
/// A row with a key that exists replaces the old one. Within one set each key occurs once.
#[derive(Clone, Debug, Default)]
pub struct WriteSet {
    /// Appended to the history.
    pub events: Vec<Recorded>,
    /// Lives that began; never changed later.
    pub identities: Vec<Arc<Identity>>,
    /// Descriptions that are new or changed.
    pub descriptions: Vec<(AlertNumber, Arc<Description>)>,
    /// Alert states that are new or changed.
    pub alerts: Vec<AlertRow>,
    /// Acknowledgements that are new or changed.
    pub acknowledgements: Vec<(AlertNumber, Acknowledgement)>,
    /// Alerts that nobody works on any more.
    pub ended_acknowledgements: Vec<AlertNumber>,
    /// Groups that are new or changed.
    pub groups: Vec<GroupRow>,
    /// Groups that ended.
    pub closed_groups: Vec<GroupNumber>,
    /// Log entries that are new or changed.
    pub log: Vec<(LogKey, LogEntry)>,
    /// Log entries that are forgotten.
    pub forgotten_log: Vec<LogKey>,
    /// Notifications that are new or changed.
    pub outbox: Vec<OutboxEntry>,
    /// Notifications that were sent or given up.
    pub finished_outbox: Vec<OutboxNumber>,
    /// Silences that are new or changed.
    pub silences: Vec<Silence>,
    /// Silences that are forgotten.
    pub forgotten_silences: Vec<Silence>,
    /// Maintenance windows that were planned or changed through the API.
    pub maintenance_windows: Vec<MaintenanceRow>,
    /// Names of maintenance windows that were removed.
    pub deleted_maintenance_windows: Vec<String>,
    /// Who may do what, as far as it changed.
    pub identity: IdentityWrites,
    /// Who is on call when, as far as it changed.
    pub on_call: OnCallWrites,
    /// Appended to the audit log.
    pub audit: Vec<AuditRow>,
    /// Escalations that are new or changed.
    pub runs: Vec<EscalationRun>,
    /// Pages that are new or changed; they leave by `finished_outbox`.
    pub pages: Vec<Page>,
    /// Policies that were made, changed or removed through the API.
    pub policies: Vec<(Arc<str>, Option<Arc<EscalationPolicy>>)>,
    /// How people said they are reached.
    pub contacts: Vec<(Handle, Contacts)>,
    /// When methods were used lately.
    pub throttles: Vec<(Recipient, Throttle)>,
    /// How often steps that go round have been reached: policy, step, count.
    pub turns: Vec<(Arc<str>, usize, u64)>,
    /// Heartbeat monitors, as they stand.
    pub heartbeats: Vec<HeartbeatRow>,
    /// Incidents that are new or changed.
    pub incidents: Vec<Incident>,
    /// Alerts that are new in an incident, or have another life.
    pub incident_alerts: Vec<(IncidentNumber, IncidentAlert)>,
    /// Alerts that belong to an incident no more.
    pub left_incident_alerts: Vec<(IncidentNumber, Fingerprint)>,
    /// Appended to timelines.
    pub entries: Vec<Entry>,
    /// Reminders that are new or changed.
    pub reminders: Vec<Reminder>,
    /// Reminders that are not wanted any more.
    pub ended_reminders: Vec<ReminderKey>,
    /// What is learned, as far as it changed.
    pub lessons: LessonWrites,
}

impl WriteSet {
    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.identities.is_empty()
            && self.descriptions.is_empty()
            && self.alerts.is_empty()
            && self.acknowledgements.is_empty()
            && self.ended_acknowledgements.is_empty()
            && self.groups.is_empty()
            && self.closed_groups.is_empty()
            && self.log.is_empty()
            && self.forgotten_log.is_empty()
            && self.outbox.is_empty()
            && self.finished_outbox.is_empty()
            && self.silences.is_empty()
            && self.forgotten_silences.is_empty()
            && self.maintenance_windows.is_empty()
            && self.deleted_maintenance_windows.is_empty()
            && self.identity.is_empty()
            && self.on_call.is_empty()
            && self.audit.is_empty()
            && self.runs.is_empty()
            && self.pages.is_empty()
            && self.policies.is_empty()
            && self.contacts.is_empty()
            && self.throttles.is_empty()
            && self.turns.is_empty()
            && self.heartbeats.is_empty()
            && self.incidents.is_empty()
            && self.incident_alerts.is_empty()
            && self.left_incident_alerts.is_empty()
            && self.entries.is_empty()
            && self.reminders.is_empty()
            && self.ended_reminders.is_empty()
            && self.lessons.is_empty()
    }
}

/// The narrow, often written part of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRow {
    /// Its life.
    pub number: AlertNumber,
    /// The hash of its labels.
    pub fingerprint: Fingerprint,
    /// Start, end, last telling.
    pub activity: Activity,
    /// Whether the end of the last firing phase has been recorded.
    pub is_resolved: bool,
    /// How often it was told.
    pub received: u64,
    /// Whether the life is over: resolved, told, and no longer in memory.
    pub is_closed: bool,
}

/// A group with its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// The group.
    pub number: GroupNumber,
    /// The unique key of its route; a group whose route is gone is not restored.
    pub route: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// When its first alert arrived.
    pub opened_at: Timestamp,
    /// The next instant of its grid.
    pub flush_at: Timestamp,
    /// An instant before that at which it is looked at, too.
    pub early_flush_at: Option<Timestamp>,
    /// Whether it has been looked at before.
    pub has_flushed: bool,
    /// Its alerts, ascending by fingerprint, with what held each back at the last flush.
    pub alerts: Vec<(Fingerprint, Option<MuteCause>)>,
}

/// A maintenance window made through the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceRow {
    /// Unique among the tenant's windows.
    pub name: String,
    /// Which alerts it holds back.
    pub matchers: crate::matcher::Matchers,
    /// Local start of the first occurrence.
    pub starts_at: jiff::civil::DateTime,
    /// Length of an occurrence, in seconds.
    pub duration_seconds: i64,
    /// IANA name of the zone.
    pub time_zone: String,
    /// RFC 5545 rule; `None` for once.
    pub recurrence: Option<String>,
    /// Why.
    pub comment: String,
    /// Who.
    pub created_by: String,
}

/// How many changes a tenant keeps at hand, so that an incident that begins finds those before it.
pub const MAX_RECENT_CHANGES: usize = 256;

/// Everything a start reads: the open state of one tenant.
#[derive(Clone, Debug, Default)]
pub struct TenantRows {
    /// Alerts whose life is not over, ascending by number.
    pub alerts: Vec<(Arc<Identity>, Arc<Description>, AlertRow)>,
    /// Acknowledgements of those alerts, ascending by number.
    pub acknowledgements: Vec<(AlertNumber, Acknowledgement)>,
    /// Open groups, ascending by number.
    pub groups: Vec<GroupRow>,
    /// The whole log.
    pub log: Vec<(LogKey, LogEntry)>,
    /// Unsent notifications, ascending by number.
    pub outbox: Vec<OutboxEntry>,
    /// Silences, ascending by number.
    pub silences: Vec<Silence>,
    /// Maintenance windows made through the API, by name.
    pub maintenance_windows: Vec<MaintenanceRow>,
    /// Who may do what.
    pub identity: IdentityRows,
    /// Who is on call when.
    pub on_call: OnCallRows,
    /// Where the audit log ends.
    pub audit_head: AuditHead,
    /// Escalations that are open or ended lately, ascending by number.
    pub runs: Vec<EscalationRun>,
    /// Unsent pages, ascending by number.
    pub pages: Vec<Page>,
    /// Policies made through the API, by name.
    pub policies: Vec<EscalationPolicy>,
    /// How people said they are reached.
    pub contacts: Vec<(Handle, Contacts)>,
    /// When methods were used lately.
    pub throttles: Vec<(Recipient, Throttle)>,
    /// How often steps that go round have been reached: policy, step, count.
    pub turns: Vec<(Arc<str>, usize, u64)>,
    /// Heartbeat monitors, as they stood.
    pub heartbeats: Vec<HeartbeatRow>,
    /// Incidents that are not closed, and those closed lately, ascending by number.
    pub incidents: Vec<Incident>,
    /// Their alerts.
    pub incident_alerts: Vec<(IncidentNumber, IncidentAlert)>,
    /// Reminders, by subject and kind.
    pub reminders: Vec<Reminder>,
    /// What is learned and still open.
    pub lessons: LessonRows,
    /// The changes that were told last, [`MAX_RECENT_CHANGES`] at most, oldest first.
    pub changes: Vec<Change>,
    /// The highest numbers ever given, so that none is given twice.
    pub highest: Highest,
}

/// The highest numbers a tenant has given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highest {
    /// Of alerts.
    pub alert: AlertNumber,
    /// Of groups.
    pub group: GroupNumber,
    /// Of notifications.
    pub outbox: OutboxNumber,
    /// Of silences.
    pub silence: crate::ids::SilenceNumber,
    /// Of escalations.
    #[serde(default)]
    pub run: crate::ids::RunNumber,
    /// Of incidents.
    #[serde(default)]
    pub incident: IncidentNumber,
    /// Of events.
    pub event: Sequence,
}
