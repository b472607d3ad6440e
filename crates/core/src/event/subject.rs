//! What an event is about.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::ids::{AlertNumber, GroupNumber, RunNumber, SilenceNumber};
use crate::incident::IncidentNumber;

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
    /// An escalation.
    Run(RunNumber),
    /// An incident.
    Incident(IncidentNumber),
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
            Self::Run(number) => (4, number.0),
            Self::Incident(number) => (5, number.0),
        }
    }
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
            Self::EscalationStarted { run, .. }
            | Self::EscalationJoined { run, .. }
            | Self::EscalationWorsened { run, .. }
            | Self::StepReached { run, .. }
            | Self::EscalationStandsStill { run, .. }
            | Self::EscalationWentOn { run, .. }
            | Self::EscalationAnswered { run, .. }
            | Self::EscalationReopened { run, .. }
            | Self::EscalationUnanswered { run, .. }
            | Self::StepMissed { run, .. }
            | Self::EscalationEnded { run, .. }
            | Self::PageHeld { run, .. }
            | Self::PageFellBack { run, .. } => Subject::Run(*run),
            Self::IncidentOpened { incident, .. }
            | Self::IncidentJoined { incident, .. }
            | Self::IncidentMoved { incident, .. }
            | Self::IncidentNoted { incident, .. } => Subject::Incident(*incident),
            Self::PageQueued { runs, .. }
            | Self::PageSent { runs, .. }
            | Self::PageAttemptFailed { runs, .. }
            | Self::PageDropped { runs, .. }
            | Self::PageConfirmed { runs, .. } => {
                runs.first().map_or(Subject::Tenant, |run| Subject::Run(*run))
            }
            Self::ChannelDown { .. }
            | Self::ContactStopped { .. }
            | Self::HeartbeatMissed { .. }
            | Self::HeartbeatHeard { .. }
            | Self::AlertLimited { .. }
            | Self::MaintenanceWindowSet { .. }
            | Self::MaintenanceWindowDeleted { .. }
            | Self::MaintenanceWindowUnreadable { .. }
            | Self::MaintenanceStarted { .. }
            | Self::MaintenanceEnded { .. }
            | Self::OnCallChanged { .. }
            | Self::HandedOver { .. }
            | Self::HandoffNoticed { .. }
            | Self::SwapPastDue { .. }
            | Self::CalendarRead { .. }
            | Self::CalendarFailed { .. }
            | Self::CalendarDropped { .. }
            | Self::ChangeRecorded { .. }
            | Self::WatcherUnreachable { .. }
            | Self::WatcherReached
            | Self::EngineStarted { .. }
            | Self::Reconfigured { .. } => Subject::Tenant,
        }
    }

    /// Returns the escalations that the event is about: of a message all that it tells about.
    pub fn runs(&self) -> &[RunNumber] {
        match self {
            Self::EscalationStarted { run, .. }
            | Self::EscalationJoined { run, .. }
            | Self::EscalationWorsened { run, .. }
            | Self::StepReached { run, .. }
            | Self::EscalationStandsStill { run, .. }
            | Self::EscalationWentOn { run, .. }
            | Self::EscalationAnswered { run, .. }
            | Self::EscalationReopened { run, .. }
            | Self::EscalationUnanswered { run, .. }
            | Self::StepMissed { run, .. }
            | Self::EscalationEnded { run, .. }
            | Self::PageHeld { run, .. }
            | Self::PageFellBack { run, .. } => std::slice::from_ref(run),
            Self::PageQueued { runs, .. }
            | Self::PageSent { runs, .. }
            | Self::PageAttemptFailed { runs, .. }
            | Self::PageDropped { runs, .. }
            | Self::PageConfirmed { runs, .. } => runs,
            _ => &[],
        }
    }
}
