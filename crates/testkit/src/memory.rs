//! A store that keeps everything and forgets nothing, so that a restart can be simulated.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::acknowledgement::Acknowledgement;
use tocsin_core::alert::{Description, Identity};
use tocsin_core::audit::{self, AuditHead};
use tocsin_core::change::Change;
use tocsin_core::escalation::{EscalationPolicy, EscalationRun};
use tocsin_core::event::{Event, Recorded};
use tocsin_core::heartbeat::HeartbeatRow;
use tocsin_core::identity::{Changed, Handle, IdentityRows, IdentityWrites};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber, RunNumber, SilenceNumber};
use tocsin_core::incident::{Entry, Incident, IncidentAlert, IncidentNumber};
use tocsin_core::labels::Fingerprint;
use tocsin_core::lesson::{LessonRows, LessonWrites};
use tocsin_core::notification::{LogEntry, LogKey, OutboxEntry};
use tocsin_core::oncall::OnCallWrites;
use tocsin_core::paging::{Contacts, Page, Recipient, Throttle};
use tocsin_core::reminder::{Reminder, ReminderKey};
use tocsin_core::rows::{
    AlertRow, GroupRow, Highest, MAX_RECENT_CHANGES, MaintenanceRow, TenantRows, WriteSet,
};
use tocsin_core::silence::Silence;

/// What a perfect store holds of one tenant.
#[derive(Clone, Debug, Default)]
pub struct MemoryRows {
    identities: BTreeMap<AlertNumber, Arc<Identity>>,
    descriptions: BTreeMap<AlertNumber, Arc<Description>>,
    alerts: BTreeMap<AlertNumber, AlertRow>,
    acknowledgements: BTreeMap<AlertNumber, Acknowledgement>,
    groups: BTreeMap<GroupNumber, GroupRow>,
    log: BTreeMap<LogKey, LogEntry>,
    outbox: BTreeMap<OutboxNumber, OutboxEntry>,
    silences: BTreeMap<SilenceNumber, Silence>,
    windows: BTreeMap<String, MaintenanceRow>,
    identity: IdentityWrites,
    on_call: OnCallWrites,
    audit_head: AuditHead,
    runs: BTreeMap<RunNumber, EscalationRun>,
    pages: BTreeMap<OutboxNumber, Page>,
    policies: BTreeMap<Arc<str>, Arc<EscalationPolicy>>,
    contacts: BTreeMap<Handle, Contacts>,
    throttles: BTreeMap<Recipient, Throttle>,
    turns: BTreeMap<(Arc<str>, usize), u64>,
    heartbeats: BTreeMap<Arc<str>, HeartbeatRow>,
    incidents: BTreeMap<IncidentNumber, Incident>,
    incident_alerts: BTreeMap<(IncidentNumber, Fingerprint), IncidentAlert>,
    entries: BTreeMap<(IncidentNumber, u64), Entry>,
    reminders: BTreeMap<ReminderKey, Reminder>,
    lessons: LessonRows,
    highest: Highest,
    events: Vec<Recorded>,
}

impl MemoryRows {
    /// Writes one turn, and returns what a store would be right to complain about: events out of
    /// order, rows of alerts that were never introduced, keys that occur twice.
    pub fn apply(&mut self, writes: WriteSet) -> Vec<String> {
        let mut complaints = Vec::new();
        self.apply_events(writes.events, &mut complaints);
        for identity in writes.identities {
            self.highest.alert = self.highest.alert.max(identity.number);
            if self.identities.insert(identity.number, Arc::clone(&identity)).is_some() {
                complaints.push(format!("alert number {} was given twice", identity.number));
            }
        }
        self.descriptions.extend(writes.descriptions);
        let mut seen = Vec::new();
        for row in writes.alerts {
            if !self.identities.contains_key(&row.number) {
                complaints.push(format!("alert {} has a state but no identity", row.number));
            }
            if seen.contains(&row.number) {
                complaints.push(format!("alert {} is written twice in one turn", row.number));
            }
            seen.push(row.number);
            if row.is_closed {
                self.alerts.remove(&row.number);
            } else {
                self.alerts.insert(row.number, row);
            }
        }
        for number in writes.ended_acknowledgements {
            self.acknowledgements.remove(&number);
        }
        self.acknowledgements.extend(writes.acknowledgements);
        for number in writes.closed_groups {
            self.highest.group = self.highest.group.max(number);
            self.groups.remove(&number);
        }
        for row in writes.groups {
            self.highest.group = self.highest.group.max(row.number);
            self.groups.insert(row.number, row);
        }
        for key in writes.forgotten_log {
            if writes.log.iter().any(|(other, _)| *other == key) {
                complaints.push(format!("the log of {} is both written and forgotten", key.group));
            }
            self.log.remove(&key);
        }
        self.log.extend(writes.log);
        for number in writes.finished_outbox {
            self.highest.outbox = self.highest.outbox.max(number);
            self.outbox.remove(&number);
            self.pages.remove(&number);
        }
        for page in writes.pages {
            self.highest.outbox = self.highest.outbox.max(page.number);
            self.pages.insert(page.number, page);
        }
        for run in writes.runs {
            self.highest.run = self.highest.run.max(run.number);
            self.runs.insert(run.number, stored(run));
        }
        for (name, policy) in writes.policies {
            match policy {
                Some(policy) => self.policies.insert(name, policy),
                None => self.policies.remove(&name),
            };
        }
        self.contacts.extend(writes.contacts);
        self.throttles.extend(writes.throttles);
        self.turns
            .extend(writes.turns.into_iter().map(|(policy, step, count)| ((policy, step), count)));
        self.heartbeats
            .extend(writes.heartbeats.into_iter().map(|row| (Arc::clone(&row.name), row)));
        self.apply_incidents(writes.incidents, writes.entries, &mut complaints);
        self.apply_lessons(writes.lessons, &mut complaints);
        for (number, alert) in writes.incident_alerts {
            self.incident_alerts.insert((number, alert.fingerprint), alert);
        }
        for left in writes.left_incident_alerts {
            self.incident_alerts.remove(&left);
        }
        for key in writes.ended_reminders {
            self.reminders.remove(&key);
        }
        self.reminders.extend(writes.reminders.into_iter().map(|it| (it.key, it)));
        for entry in writes.outbox {
            self.highest.outbox = self.highest.outbox.max(entry.number);
            self.outbox.insert(entry.number, entry);
        }
        for silence in writes.forgotten_silences {
            self.silences.remove(&silence.number);
        }
        for silence in writes.silences {
            self.highest.silence = self.highest.silence.max(silence.number);
            self.silences.insert(silence.number, silence);
        }
        for name in writes.deleted_maintenance_windows {
            self.windows.remove(&name);
        }
        for row in writes.maintenance_windows {
            self.windows.insert(row.name.clone(), row);
        }
        self.on_call.absorb(writes.on_call);
        let identity = writes.identity;
        self.identity.people.extend(identity.people);
        self.identity.teams.extend(identity.teams);
        self.identity.tokens.extend(identity.tokens);
        self.identity.sessions.extend(identity.sessions);
        self.identity.credentials.extend(identity.credentials);
        self.identity.links.extend(identity.links);
        self.identity.secrets.extend(identity.secrets);
        match audit::verify(self.audit_head, &writes.audit) {
            Ok(head) => self.audit_head = head,
            Err(broken) => complaints.push(format!("the audit log: {broken}")),
        }
        complaints
    }

    fn apply_events(&mut self, events: Vec<Recorded>, complaints: &mut Vec<String>) {
        for event in events {
            let expected = self.highest.event.0 + 1;
            if event.sequence.0 != expected {
                complaints.push(format!("event {} follows event {}", event.sequence, expected - 1));
            }
            if self.events.last().is_some_and(|last| last.at > event.at) {
                complaints.push(format!("event {} is older than the one before", event.sequence));
            }
            self.highest.event = self.highest.event.max(event.sequence);
            self.events.push(event);
        }
    }

    fn apply_incidents(
        &mut self,
        incidents: Vec<Incident>,
        entries: Vec<Entry>,
        complaints: &mut Vec<String>,
    ) {
        for incident in incidents {
            self.highest.incident = self.highest.incident.max(incident.number);
            self.incidents.insert(incident.number, incident);
        }
        for entry in entries {
            let (number, seq) = (entry.incident, entry.seq);
            let has_before = seq == 1 || self.entries.contains_key(&(number, seq - 1));
            if self.entries.insert((number, seq), entry).is_some() || !has_before {
                complaints.push(format!("row {seq} of incident {number} is out of order"));
            }
        }
        let mut open = BTreeMap::new();
        for incident in self.incidents.values().filter(|it| it.is_active()) {
            let Some(key) = &incident.key else { continue };
            if let Some(other) = open.insert(key, incident.number) {
                complaints.push(format!("incidents {other} and {} are one", incident.number));
            }
        }
    }

    fn apply_lessons(&mut self, lessons: LessonWrites, complaints: &mut Vec<String>) {
        let rows = &mut self.lessons;
        for it in lessons.postmortems {
            let is_known = self.incidents.contains_key(&it.incident);
            if !is_known {
                complaints.push(format!("a postmortem of incident {}, which is not", it.incident));
            }
            rows.postmortems.retain(|known| known.incident != it.incident);
            rows.postmortems.extend(Some(it).filter(|it| it.state.is_open()));
        }
        rows.postmortems.sort_by_key(|it| it.incident);
        for it in lessons.actions {
            let numbers = &mut rows.action_numbers;
            match numbers.iter_mut().find(|(incident, _)| *incident == it.id.incident) {
                Some((_, highest)) => *highest = it.id.number.max(*highest),
                None => numbers.push((it.id.incident, it.id.number)),
            }
            rows.actions.retain(|known| known.id != it.id);
            rows.actions.extend(Some(it).filter(|it| it.status.is_open()));
        }
        rows.action_numbers.sort_unstable();
        rows.actions.sort_by_key(|it| it.id);
        let highest = lessons.articles.iter().map(|it| it.number).max();
        rows.article = rows.article.max(highest.unwrap_or_default());
    }

    /// Returns the timeline of an incident, in the order of recording.
    pub fn timeline(&self, number: IncidentNumber) -> Vec<&Entry> {
        self.entries.range((number, 0)..=(number, u64::MAX)).map(|(_, entry)| entry).collect()
    }

    /// Returns what a start reads.
    pub fn rows(&self) -> TenantRows {
        let alerts = self
            .alerts
            .iter()
            .filter_map(|(number, row)| {
                let identity = Arc::clone(self.identities.get(number)?);
                let description = self.descriptions.get(number).cloned().unwrap_or_default();
                Some((identity, description, *row))
            })
            .collect();
        TenantRows {
            alerts,
            acknowledgements: self
                .acknowledgements
                .iter()
                .map(|(number, row)| (*number, row.clone()))
                .collect(),
            groups: self.groups.values().cloned().collect(),
            log: self.log.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect(),
            outbox: self.outbox.values().cloned().collect(),
            silences: self.silences.values().cloned().collect(),
            maintenance_windows: self.windows.values().cloned().collect(),
            identity: IdentityRows {
                people: kept(&self.identity.people),
                teams: kept(&self.identity.teams),
                tokens: kept(&self.identity.tokens),
                sessions: kept(&self.identity.sessions),
                credentials: kept(&self.identity.credentials),
                links: kept(&self.identity.links),
                secrets: kept(&self.identity.secrets),
            },
            on_call: self.on_call.rows(),
            audit_head: self.audit_head,
            runs: self.runs.values().cloned().collect(),
            pages: self.pages.values().cloned().collect(),
            policies: self
                .policies
                .values()
                .map(|policy| EscalationPolicy::clone(policy))
                .collect(),
            contacts: self.contacts.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            throttles: self.throttles.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            turns: self
                .turns
                .iter()
                .map(|((policy, step), count)| (Arc::clone(policy), *step, *count))
                .collect(),
            heartbeats: self.heartbeats.values().cloned().collect(),
            incidents: self.incidents.values().cloned().collect(),
            incident_alerts: self
                .incident_alerts
                .iter()
                .map(|((number, _), alert)| (*number, *alert))
                .collect(),
            reminders: self.reminders.values().copied().collect(),
            changes: self.changes(),
            lessons: self.lessons.clone(),
            highest: self.highest,
        }
    }

    /// Returns the changes that were told last, oldest first.
    fn changes(&self) -> Vec<Change> {
        let told = self.events.iter().rev().filter_map(|it| match &it.event {
            Event::ChangeRecorded { change } => Some(change.clone()),
            _ => None,
        });
        let mut changes: Vec<Change> = told.take(MAX_RECENT_CHANGES).collect();
        changes.reverse();
        changes
    }

    /// Returns the whole history, oldest first.
    pub fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// Returns the log of what was told.
    pub fn log(&self) -> &BTreeMap<LogKey, LogEntry> {
        &self.log
    }

    /// Returns the unsent notification of that number as it was last written.
    pub fn outbox_entry(&self, number: OutboxNumber) -> Option<&OutboxEntry> {
        self.outbox.get(&number)
    }

    /// Returns the page on its way of that number as it was last written.
    pub fn page(&self, number: OutboxNumber) -> Option<&Page> {
        self.pages.get(&number)
    }

    /// Returns what identifies the alert of that number, also after its life.
    pub fn identity(&self, number: AlertNumber) -> Option<&Arc<Identity>> {
        self.identities.get(&number)
    }

    /// Returns how many alerts, groups, notifications and silences are held.
    pub fn counts(&self) -> (usize, usize, usize, usize) {
        (self.alerts.len(), self.groups.len(), self.outbox.len(), self.silences.len())
    }
}

/// Returns a run as a store keeps it: what is only known while it is worked on is not.
fn stored(run: EscalationRun) -> EscalationRun {
    EscalationRun { wake_at: None, ..run }
}

fn kept<K, V: Clone>(changed: &Changed<K, V>) -> Vec<V> {
    changed.values().flatten().map(|row| V::clone(row)).collect()
}
