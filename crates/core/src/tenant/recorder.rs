//! Collects what a turn changes, so that each row is written once however often it changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use crate::alert::Identity;
use crate::audit::AuditRow;
use crate::event::{Event, Recorded};
use crate::identity::{Handle, IdentityWrites};
use crate::ids::{AlertNumber, GroupNumber, OutboxNumber, RunNumber, Sequence, SilenceNumber};
use crate::incident::{Entry, IncidentNumber};
use crate::labels::Fingerprint;
use crate::lesson::LessonWrites;
use crate::notification::LogKey;
use crate::oncall::OnCallWrites;
use crate::paging::Recipient;
use crate::reminder::ReminderKey;
use crate::rows::WriteSet;
use crate::silence::Silence;

/// Keys of everything that changed since the last turn was collected.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) events: Vec<Recorded>,
    pub(super) identities: Vec<Arc<Identity>>,
    pub(super) descriptions: BTreeSet<Fingerprint>,
    pub(super) alerts: BTreeSet<Fingerprint>,
    pub(super) closed_alerts: Vec<crate::rows::AlertRow>,
    pub(super) acknowledgements: BTreeSet<Fingerprint>,
    pub(super) ended_acknowledgements: Vec<AlertNumber>,
    pub(super) groups: BTreeSet<GroupNumber>,
    pub(super) closed_groups: Vec<GroupNumber>,
    pub(super) log: BTreeSet<LogKey>,
    pub(super) forgotten_log: BTreeSet<LogKey>,
    pub(super) outbox: BTreeSet<OutboxNumber>,
    pub(super) finished_outbox: Vec<OutboxNumber>,
    pub(super) silences: BTreeSet<SilenceNumber>,
    pub(super) forgotten_silences: Vec<Silence>,
    pub(super) windows: BTreeSet<Arc<str>>,
    pub(super) deleted_windows: BTreeSet<String>,
    pub(super) identity: IdentityWrites,
    pub(super) on_call: OnCallWrites,
    pub(super) audit: Vec<AuditRow>,
    pub(super) runs: BTreeSet<RunNumber>,
    pub(super) pages: BTreeSet<OutboxNumber>,
    pub(super) policies: BTreeSet<Arc<str>>,
    pub(super) contacts: BTreeSet<Handle>,
    pub(super) throttles: BTreeSet<Recipient>,
    pub(super) turns: BTreeSet<(Arc<str>, usize)>,
    pub(super) heartbeats: BTreeSet<Arc<str>>,
    pub(super) incidents: BTreeSet<IncidentNumber>,
    pub(super) incident_alerts: BTreeSet<(IncidentNumber, Fingerprint)>,
    pub(super) left_incident_alerts: BTreeSet<(IncidentNumber, Fingerprint)>,
    pub(super) entries: Vec<Entry>,
    pub(super) reminders: BTreeSet<ReminderKey>,
    pub(super) ended_reminders: BTreeSet<ReminderKey>,
    pub(super) lessons: LessonWrites,
}

impl Tenant {
    /// Appends an event to the history.
    pub(super) fn record(&mut self, at: Timestamp, event: Event) {
        let sequence = Sequence(self.highest.event.0 + 1);
        self.highest.event = sequence;
        self.recorder.events.push(Recorded { sequence, at, event });
    }

    /// Turns the collected keys into rows.
    pub(super) fn collect_writes(&mut self) -> WriteSet {
        let changed = std::mem::take(&mut self.recorder);
        let mut alerts = changed.closed_alerts;
        alerts.extend(changed.alerts.iter().filter_map(|fp| Some(self.alerts.get(fp)?.to_row())));
        WriteSet {
            events: changed.events,
            identities: changed.identities,
            descriptions: changed
                .descriptions
                .iter()
                .filter_map(|fp| self.alerts.get(fp))
                .map(|alert| (alert.identity.number, Arc::clone(&alert.description)))
                .collect(),
            alerts,
            acknowledgements: changed
                .acknowledgements
                .iter()
                .filter_map(|fp| self.alerts.get(fp))
                .filter_map(|alert| Some((alert.identity.number, alert.acknowledgement.clone()?)))
                .collect(),
            ended_acknowledgements: changed.ended_acknowledgements,
            groups: changed
                .groups
                .iter()
                .filter_map(|number| self.groups.get(number))
                .map(|group| group.to_row(&self.policy))
                .collect(),
            closed_groups: changed.closed_groups,
            log: changed
                .log
                .into_iter()
                .filter_map(|key| {
                    let entry = self.log.get(&key)?.clone();
                    Some((key, entry))
                })
                .collect(),
            forgotten_log: changed.forgotten_log.into_iter().collect(),
            outbox: changed
                .outbox
                .iter()
                .filter_map(|number| Some(self.outbox.get(number)?.entry.clone()))
                .collect(),
            finished_outbox: changed.finished_outbox,
            silences: changed
                .silences
                .iter()
                .filter_map(|number| Some(self.silences.get(number)?.silence.clone()))
                .collect(),
            forgotten_silences: changed.forgotten_silences,
            maintenance_windows: changed
                .windows
                .iter()
                .filter_map(|name| Some(self.windows.get(name)?.window.to_row()))
                .collect(),
            deleted_maintenance_windows: changed.deleted_windows.into_iter().collect(),
            identity: changed.identity,
            on_call: changed.on_call,
            audit: changed.audit,
            runs: changed
                .runs
                .iter()
                .filter_map(|number| self.escalations.runs.get(number).cloned())
                .collect(),
            pages: changed
                .pages
                .iter()
                .filter_map(|number| Some(self.paging.pages.get(number)?.page.clone()))
                .collect(),
            policies: changed
                .policies
                .into_iter()
                .map(|name| {
                    let policy = self.escalations.policies.get(&name).map(Arc::clone);
                    (name, policy)
                })
                .collect(),
            contacts: changed
                .contacts
                .into_iter()
                .filter_map(|person| {
                    let contacts = self.paging.contacts.get(&person)?.clone();
                    Some((person, contacts))
                })
                .collect(),
            throttles: changed
                .throttles
                .into_iter()
                .filter_map(|recipient| {
                    let throttle = self.paging.queues.get(&recipient)?.throttle.clone();
                    Some((recipient, throttle))
                })
                .collect(),
            turns: changed
                .turns
                .into_iter()
                .filter_map(|(policy, step)| {
                    let count = *self.escalations.turns.get(&(Arc::clone(&policy), step))?;
                    Some((policy, step, count))
                })
                .collect(),
            heartbeats: changed
                .heartbeats
                .iter()
                .filter_map(|name| self.heartbeat_row(name))
                .collect(),
            incidents: changed
                .incidents
                .iter()
                .filter_map(|number| Some(self.incidents.held.get(number)?.incident.clone()))
                .collect(),
            incident_alerts: changed
                .incident_alerts
                .into_iter()
                .filter_map(|(number, fingerprint)| {
                    let alert = self.incidents.held.get(&number)?.alerts.get(&fingerprint)?;
                    Some((number, *alert))
                })
                .collect(),
            left_incident_alerts: changed.left_incident_alerts.into_iter().collect(),
            entries: changed.entries,
            reminders: changed
                .reminders
                .iter()
                .filter_map(|key| self.reminders.get(key).copied())
                .collect(),
            ended_reminders: changed.ended_reminders.into_iter().collect(),
            lessons: changed.lessons,
        }
    }
}
