//! What sentences mention, so that its names can be looked up before.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::event::{Event, MuteCause};
use tocsin_core::ids::{AlertNumber, GroupNumber, SilenceId};
use tocsin_core::labels::Fingerprint;

use super::{MAX_NAMED_ALERTS, Names};

/// What sentences mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Alerts, with their fingerprints as far as the events tell them.
    pub alerts: BTreeMap<AlertNumber, Option<Fingerprint>>,
    /// Alerts that are mentioned by their fingerprints only.
    pub fingerprints: BTreeSet<Fingerprint>,
    /// Groups.
    pub groups: BTreeSet<GroupNumber>,
    /// Silences.
    pub silences: BTreeSet<SilenceId>,
}

impl Mentions {
    /// Returns what the sentences of `events` mention and `known` has no name for.
    pub fn unknown<'a>(events: impl Iterator<Item = &'a Event>, known: &dyn Names) -> Self {
        let mut mentions = Self::default();
        for event in events {
            mentions.add(event);
        }
        mentions.forget(known);
        mentions
    }

    /// Leaves out what has a name by now.
    pub fn forget(&mut self, known: &dyn Names) {
        self.alerts.retain(|number, _| known.alert(*number).is_none());
        self.fingerprints.retain(|fingerprint| known.fingerprint(*fingerprint).is_none());
        self.groups.retain(|number| known.group(*number).is_none());
        self.silences.retain(|id| known.silence(*id).is_none());
    }

    /// Returns whether nothing is mentioned.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
            && self.fingerprints.is_empty()
            && self.groups.is_empty()
            && self.silences.is_empty()
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::AlertFired { alert, fingerprint, groups, .. } => {
                self.alerts.insert(*alert, Some(*fingerprint));
                self.groups.extend(groups);
            }
            Event::AlertResolved { alert, fingerprint, .. }
            | Event::AlertArrivedResolved { alert, fingerprint } => {
                self.alerts.insert(*alert, Some(*fingerprint));
            }
            Event::AlertMuted { alert, cause, .. } | Event::AlertUnmuted { alert, cause, .. } => {
                self.alerts.entry(*alert).or_default();
                self.add_cause(cause);
            }
            Event::AlertAcknowledged { alert, .. }
            | Event::AlertUnacknowledged { alert, .. }
            | Event::AlertNoted { alert, .. } => {
                self.alerts.entry(*alert).or_default();
            }
            Event::NotificationQueued { group, firing, resolved, .. } => {
                self.groups.insert(*group);
                for alerts in [firing, resolved] {
                    for alert in alerts.iter().take(MAX_NAMED_ALERTS) {
                        self.alerts.entry(*alert).or_default();
                    }
                }
            }
            Event::FlushAdvanced { group, .. }
            | Event::GroupClosed { group }
            | Event::NotificationSent { group, .. }
            | Event::MessageDegraded { group, .. }
            | Event::AttemptFailed { group, .. }
            | Event::NotificationAbandoned { group, .. } => {
                self.groups.insert(*group);
            }
            Event::EscalationStarted { alerts, .. }
            | Event::EscalationJoined { alerts, .. }
            | Event::IncidentJoined { alerts, .. } => {
                for alert in alerts.iter().take(MAX_NAMED_ALERTS) {
                    self.alerts.entry(*alert).or_default();
                }
            }
            Event::IncidentOpened { .. }
            | Event::IncidentMoved { .. }
            | Event::IncidentNoted { .. }
            | Event::EscalationWorsened { .. }
            | Event::StepReached { .. }
            | Event::EscalationStandsStill { .. }
            | Event::EscalationWentOn { .. }
            | Event::EscalationAnswered { .. }
            | Event::EscalationReopened { .. }
            | Event::EscalationUnanswered { .. }
            | Event::StepMissed { .. }
            | Event::EscalationEnded { .. }
            | Event::PageQueued { .. }
            | Event::PageHeld { .. }
            | Event::PageSent { .. }
            | Event::PageAttemptFailed { .. }
            | Event::PageDropped { .. }
            | Event::PageFellBack { .. }
            | Event::PageConfirmed { .. }
            | Event::ChannelDown { .. }
            | Event::ContactStopped { .. }
            | Event::HeartbeatMissed { .. }
            | Event::HeartbeatHeard { .. }
            | Event::WatcherUnreachable { .. }
            | Event::WatcherReached => {}
            // An alert that was left out is hardly ever known, and while a bound is met there are
            // many.
            Event::AlertLimited { .. }
            | Event::GroupOpened { .. }
            | Event::SilenceSet { .. }
            | Event::SilenceStarted { .. }
            | Event::SilenceEnded { .. }
            | Event::MaintenanceWindowSet { .. }
            | Event::MaintenanceWindowDeleted { .. }
            | Event::MaintenanceWindowUnreadable { .. }
            | Event::MaintenanceStarted { .. }
            | Event::MaintenanceEnded { .. }
            | Event::OnCallChanged { .. }
            | Event::HandedOver { .. }
            | Event::HandoffNoticed { .. }
            | Event::SwapPastDue { .. }
            | Event::CalendarRead { .. }
            | Event::CalendarFailed { .. }
            | Event::CalendarDropped { .. }
            | Event::ChangeRecorded { .. }
            | Event::EngineStarted { .. }
            | Event::Reconfigured { .. } => {}
        }
    }

    /// Adds what the sentence about a cause mentions.
    pub fn add_cause(&mut self, cause: &MuteCause) {
        match cause {
            MuteCause::Inhibition(inhibitor) => {
                self.fingerprints.insert(inhibitor.source);
            }
            MuteCause::Silence { id } => {
                self.silences.insert(*id);
            }
            MuteCause::ActiveInterval { .. }
            | MuteCause::MuteInterval { .. }
            | MuteCause::Maintenance { .. } => {}
        }
    }
}
