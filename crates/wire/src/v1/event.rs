//! The history and the live feed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::event::{self, Recorded};
use tocsin_core::labels::{Fingerprint, Labels};
use utoipa::ToSchema;
use uuid::Uuid;

use super::sentence::{Names, sentence, subject_name};

/// The kinds of events there are, as filters name them.
pub const KINDS: [&str; 63] = [
    "alert_fired",
    "alert_resolved",
    "alert_arrived_resolved",
    "alert_limited",
    "alert_muted",
    "alert_unmuted",
    "alert_acknowledged",
    "alert_unacknowledged",
    "alert_noted",
    "group_opened",
    "flush_advanced",
    "group_closed",
    "notification_queued",
    "notification_sent",
    "message_degraded",
    "attempt_failed",
    "notification_abandoned",
    "silence_set",
    "silence_started",
    "silence_ended",
    "maintenance_window_set",
    "maintenance_window_deleted",
    "maintenance_window_unreadable",
    "maintenance_started",
    "maintenance_ended",
    "on_call_changed",
    "handed_over",
    "handoff_noticed",
    "swap_past_due",
    "calendar_read",
    "calendar_failed",
    "calendar_dropped",
    "change_recorded",
    "escalation_started",
    "escalation_joined",
    "escalation_worsened",
    "step_reached",
    "escalation_stands_still",
    "escalation_went_on",
    "escalation_answered",
    "escalation_reopened",
    "escalation_unanswered",
    "step_missed",
    "escalation_ended",
    "page_queued",
    "page_held",
    "page_sent",
    "page_attempt_failed",
    "page_dropped",
    "page_fell_back",
    "page_confirmed",
    "channel_down",
    "contact_stopped",
    "heartbeat_missed",
    "heartbeat_heard",
    "watcher_unreachable",
    "watcher_reached",
    "incident_opened",
    "incident_joined",
    "incident_moved",
    "incident_noted",
    "engine_started",
    "reconfigured",
];

/// The most alerts that an event lists; their number is told beside them.
const MAX_LISTED_ALERTS: usize = 100;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place in the history, counted from 1 without gaps.
    pub sequence: u64,
    /// When it took effect.
    pub at: Timestamp,
    /// What happened, for programs.
    #[schema(example = "alert_muted")]
    pub kind: String,
    /// What it is about.
    pub subject: Subject,
    /// What happened and why, for people; the subject goes without saying.
    #[schema(example = "not sent: silenced by 6e0d7c4e-2b5e-4f0e-9d5c-0f3b8f7f4a11")]
    pub text: String,
    /// What the kind adds.
    #[schema(value_type = Object)]
    pub details: Value,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Its number; absent for the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The alert's fingerprint, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "6c4d0d558f7061a9")]
    pub fingerprint: Option<Fingerprint>,
    /// The silence's id, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What people call it.
    #[schema(example = "PgDown{cluster=\"eu1\"}")]
    pub name: String,
}

/// What kind of thing an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// One life of an alert.
    Alert,
    /// One life of a group.
    Group,
    /// A silence.
    Silence,
    /// An escalation.
    Escalation,
    /// An incident.
    Incident,
    /// Everything.
    Tenant,
}

impl Subject {
    fn of(event: &event::Event, names: &dyn Names) -> Self {
        let (kind, number) = match event.subject() {
            event::Subject::Alert(number) => (SubjectKind::Alert, Some(number.0)),
            event::Subject::Group(number) => (SubjectKind::Group, Some(number.0)),
            event::Subject::Silence(number) => (SubjectKind::Silence, Some(number.0)),
            event::Subject::Run(number) => (SubjectKind::Escalation, Some(number.0)),
            event::Subject::Incident(number) => (SubjectKind::Incident, Some(number.0)),
            event::Subject::Tenant => (SubjectKind::Tenant, None),
        };
        let fingerprint = match event {
            event::Event::AlertFired { fingerprint, .. }
            | event::Event::AlertResolved { fingerprint, .. }
            | event::Event::AlertArrivedResolved { fingerprint, .. }
            | event::Event::AlertLimited { fingerprint, .. } => Some(*fingerprint),
            event::Event::AlertMuted { alert, .. }
            | event::Event::AlertUnmuted { alert, .. }
            | event::Event::AlertAcknowledged { alert, .. }
            | event::Event::AlertUnacknowledged { alert, .. }
            | event::Event::AlertNoted { alert, .. } => {
                names.alert(*alert).map(Labels::fingerprint)
            }
            _ => None,
        };
        let id = match event {
            event::Event::SilenceSet { id, .. }
            | event::Event::SilenceStarted { id, .. }
            | event::Event::SilenceEnded { id, .. } => Some(*id),
            _ => None,
        };
        Self { kind, number, fingerprint, id, name: subject_name(event, names) }
    }
}

impl Event {
    /// Returns an event with what people call the things in it.
    pub fn new(recorded: &Recorded, names: &dyn Names) -> Self {
        let event = &recorded.event;
        Self {
            sequence: recorded.sequence.0,
            at: recorded.at,
            kind: event.kind().to_owned(),
            subject: Subject::of(event, names),
            text: sentence(event, names),
            details: details(event),
        }
    }
}

/// Returns the fields of an event. Lists of alerts are cut, with their lengths beside them: a
/// message may tell of tens of thousands.
fn details(event: &event::Event) -> Value {
    // Events are plain values, so writing one cannot fail.
    let mut details = serde_json::to_value(event).unwrap_or_default();
    let Some(fields) = details.as_object_mut() else { return details };
    fields.remove("kind");
    for name in ["firing", "resolved"] {
        let Some(Value::Array(list)) = fields.get_mut(name) else { continue };
        let total = list.len();
        list.truncate(MAX_LISTED_ALERTS);
        fields.insert(format!("{name}_total"), total.into());
    }
    details
}

/// The first message of a stream: everything after `sequence` follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hello {
    /// The last event that the stream does not send.
    pub sequence: u64,
}

/// Tells a follower that it missed events: it should read the lists it shows anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reset {
    /// Why.
    pub reason: ResetReason,
    /// The last event that the stream does not send.
    pub sequence: u64,
}

/// Why a follower missed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// It read more slowly than events came.
    Lagged,
    /// More happened since the event it asked to resume from than is sent at once.
    TooFarBehind,
    /// The event it asked to resume from is not part of the history, or no longer.
    UnknownPosition,
}
