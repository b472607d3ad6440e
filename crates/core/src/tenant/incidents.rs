//! Incidents: they begin when a group is told or a person says so, collect what belongs to them,
//! and are written down row by row.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use compact_str::CompactString;
use jiff::Timestamp;

use super::begin::INCIDENT_GROUP;
use super::{Tenant, Timer, later};
use crate::event::Event;
use crate::identity::Handle;
use crate::ids::{AlertNumber, RunNumber};
use crate::incident::{
    Author, Entry, Fact, Incident, IncidentAlert, IncidentKey, IncidentNumber, IncidentSettings,
    Status,
};
use crate::labels::Fingerprint;

/// The most incidents that are open at once. Beyond it no alert begins another, which is an alert
/// of its own, and nobody can declare one.
pub(super) const MAX_OPEN_INCIDENTS: usize = 10_000;

/// The most incidents that are over and kept in memory; older ones can only be read.
const MAX_REMEMBERED_INCIDENTS: usize = 10_000;

/// How long a closed incident stays in memory, so that late words reach it.
const CLOSED_LINGER: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// How long an incident stays in memory that was taken up again for something that belongs to it.
/// It is far longer than a request may take, so that none carries what is older.
const RECALLED_LINGER: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// What the history says of restricted incidents instead of words.
const RESTRICTED: &str = "(restricted)";

/// All incidents of a tenant that may still change.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    pub(super) held: BTreeMap<IncidentNumber, Held>,
    /// The open incident of a key.
    pub(super) by_key: BTreeMap<IncidentKey, IncidentNumber>,
    /// The latest incident of a key that is over.
    pub(super) latest: BTreeMap<IncidentKey, IncidentNumber>,
    /// The incident that an alert belongs to. One that goes on firing when its incident is over
    /// stays there: only what begins to fire again is news.
    pub(super) by_alert: BTreeMap<Fingerprint, IncidentNumber>,
    pub(super) by_run: BTreeMap<RunNumber, IncidentNumber>,
    /// What programs named lately, so that asking twice is harmless.
    pub(super) by_idempotency: BTreeMap<String, IncidentNumber>,
    /// When incidents that were forgotten were taken up again.
    pub(super) recalled: BTreeMap<IncidentNumber, Timestamp>,
    /// How many are open.
    pub(super) open: usize,
    /// When alerts began incidents lately.
    pub(super) begun: VecDeque<Timestamp>,
    /// Those whose alerts began or ended to fire in this turn, and whether some joined.
    pub(super) stirred: BTreeMap<IncidentNumber, bool>,
}

/// An incident with what can be found out again.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) incident: Incident,
    pub(super) alerts: BTreeMap<Fingerprint, IncidentAlert>,
    /// Those that belong to it and are too many for a row of their own. After a start they are
    /// found when their group is looked at, as long as they fire.
    pub(super) left_out: BTreeSet<Fingerprint>,
    /// How many of both fire.
    pub(super) firing: usize,
    /// When its timer goes off.
    pub(super) wake_at: Option<Timestamp>,
}

impl Held {
    pub(super) fn new(incident: Incident) -> Self {
        Self {
            incident,
            alerts: BTreeMap::new(),
            left_out: BTreeSet::new(),
            firing: 0,
            wake_at: None,
        }
    }

    /// Returns all alerts that belong to it, as far as they are known.
    pub(super) fn members(&self) -> impl Iterator<Item = Fingerprint> {
        self.alerts.keys().chain(&self.left_out).copied()
    }

    /// Something of it fires: whatever was noted while nothing did holds no more. Returns whether
    /// anything was.
    pub(super) fn fires_again(&mut self) -> bool {
        let rested = std::mem::take(&mut self.incident.rests);
        self.incident.recovered.take().is_some() || rested
    }
}

impl Tenant {
    /// Returns an incident that may still change.
    pub fn incident(&self, number: IncidentNumber) -> Option<&Incident> {
        self.incidents.held.get(&number).map(|held| &held.incident)
    }

    /// Returns the incidents that may still change, by number.
    pub fn incidents(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.incidents.held.values().map(|held| &held.incident)
    }

    /// Returns how many incidents are open.
    pub fn open_incidents(&self) -> usize {
        self.incidents.open
    }

    /// Returns the open incident to which what has this key belongs.
    pub fn incident_of_key(&self, key: &IncidentKey) -> Option<IncidentNumber> {
        self.incidents.by_key.get(key).copied()
    }

    /// Returns the alerts of an incident that may still change, and whether each fires.
    pub fn incident_alerts(&self, number: IncidentNumber) -> Vec<(IncidentAlert, bool)> {
        let held = self.incidents.held.get(&number);
        let alerts = held.into_iter().flat_map(|held| held.alerts.values());
        alerts.map(|alert| (*alert, self.is_firing(alert.fingerprint))).collect()
    }

    /// Returns the incident that an escalation pages about.
    pub fn incident_of_run(&self, run: RunNumber) -> Option<IncidentNumber> {
        self.incidents.by_run.get(&run).copied()
    }

    /// Returns the incident that an alert belongs to.
    pub fn incident_of_alert(&self, alert: Fingerprint) -> Option<IncidentNumber> {
        self.incidents.by_alert.get(&alert).copied()
    }

    /// Returns whether an alert fires.
    pub fn is_alert_firing(&self, alert: Fingerprint) -> bool {
        self.is_firing(alert)
    }

    pub(super) fn is_firing(&self, fingerprint: Fingerprint) -> bool {
        self.alerts.get(&fingerprint).is_some_and(|alert| !alert.is_resolved)
    }

    /// Returns the incidents that somebody has and that are not closed.
    pub(super) fn incidents_of(&self, owner: &Handle) -> Vec<IncidentNumber> {
        let is_theirs =
            |it: &&Incident| it.status() != Status::Closed && it.owner.as_ref() == Some(owner);
        self.incidents().filter(is_theirs).map(|it| it.number).collect()
    }

    /// Writes a row into the timeline, tells the feed of it, and counts the version up.
    pub(super) fn tell_incident(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        occurred_at: Timestamp,
        fact: Fact,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let incident = &mut held.incident;
        let is_signal = fact.is_signal();
        // Whoever writes meanwhile has not read anything that holds no more.
        if !is_signal && !matches!(fact, Fact::AlertsChanged { .. }) {
            incident.version += 1;
        }
        incident.entries += 1;
        if by.kind != crate::incident::AuthorKind::System
            && !matches!(fact, Fact::ChangeNoted { .. })
        {
            incident.active_at = now;
        }
        let entry = Entry {
            incident: number,
            seq: incident.entries,
            occurred_at,
            recorded_at: now,
            cycle: incident.record.cycle().number,
            by: by.clone(),
            fact,
        };
        self.recorder.incidents.insert(number);
        // The history is for everybody who may read it; the timeline is not.
        let is_restricted = incident.restricted.is_some();
        let words = |text: String| if is_restricted { RESTRICTED.to_owned() } else { text };
        // What began and who joined is told with the numbers of the alerts, by whoever knows them.
        let event = match &entry.fact {
            Fact::Opened { .. } | Fact::AlertsJoined { .. } => None,
            _ if is_signal => None,
            Fact::Moved { from, to, note, code } => Some(Event::IncidentMoved {
                incident: number,
                from: *from,
                to: *to,
                code: *code,
                note: if note.is_empty() { String::new() } else { words(note.clone()) },
                by: by.name.clone(),
            }),
            fact => Some(Event::IncidentNoted {
                incident: number,
                entry: entry.seq,
                what: CompactString::from(fact.kind()),
                text: words(fact.sentence()),
                by: by.name.clone(),
            }),
        };
        self.recorder.entries.push(entry);
        if let Some(event) = event {
            self.record(now, event);
        }
    }

    /// Begins an incident that is complete but for its first row.
    pub(super) fn begin_incident(
        &mut self,
        now: Timestamp,
        incident: Incident,
        alerts: &[AlertNumber],
        why: String,
    ) {
        let number = incident.number;
        self.incidents.open += 1;
        if let Some(key) = incident.key.clone() {
            self.incidents.by_key.insert(key, number);
        }
        if let Some(key) = incident.idempotency_key.clone() {
            self.incidents.by_idempotency.insert(key, number);
        }
        let by = incident.created_by.clone();
        let (title, severity) = (incident.title.clone(), incident.severity);
        let detected_at = incident.record.detected_at();
        let recurrence_of = incident.recurrence_of;
        let is_restricted = incident.restricted.is_some();
        let category = incident.category.map(|it| format!("category:{it}"));
        let service = format!("service:{}", incident.service);
        let service = Some(service).filter(|_| !incident.service.is_empty());
        self.incidents.held.insert(number, Held::new(incident));
        self.add_traits(number, category.into_iter().chain(service));
        self.record(
            now,
            Event::IncidentOpened {
                incident: number,
                severity,
                title: if is_restricted { RESTRICTED.to_owned() } else { title.clone() },
                alerts: alerts.to_vec(),
                why: why.clone(),
                by: by.name.clone(),
            },
        );
        self.tell_incident(now, number, &by, detected_at, Fact::Opened { title, severity, why });
        if let Some(of) = recurrence_of {
            self.tell_incident(now, number, &Author::system(), now, Fact::Recurs { of });
        }
        self.note_earlier_changes(now, number);
    }

    /// An escalation pages about alerts of an incident, or about one that was declared.
    pub(super) fn link_run(&mut self, number: RunNumber) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let of_alerts = run.alerts.iter().filter_map(|fp| self.incidents.by_alert.get(fp));
        let declared = run.key.group.strip_prefix(INCIDENT_GROUP).filter(|_| run.alerts.is_empty());
        let declared = declared.and_then(|it| it.parse().ok()).map(IncidentNumber);
        let mut incidents = of_alerts.copied().chain(declared);
        let is_active = |it: &IncidentNumber| {
            self.incidents.held.get(it).is_some_and(|held| held.incident.is_active())
        };
        let Some(incident) = incidents.find(is_active) else { return };
        self.incidents.by_run.insert(number, incident);
        if let Some(held) = self.incidents.held.get_mut(&incident)
            && held.incident.runs.insert(number)
        {
            self.recorder.incidents.insert(incident);
        }
    }

    /// Returns whether another incident may be open; if not, that is an alert.
    pub(super) fn has_room_for_incident(&self) -> bool {
        self.incidents.open < MAX_OPEN_INCIDENTS
    }

    /// Counts what began by alerts lately and returns whether it is a storm.
    pub(super) fn is_storm(&mut self, now: Timestamp) -> bool {
        let since = now.checked_sub(IncidentSettings::STORM_WINDOW).unwrap_or(Timestamp::MIN);
        while self.incidents.begun.front().is_some_and(|at| *at <= since) {
            self.incidents.begun.pop_front();
        }
        self.incidents.begun.len() >= self.policy.incidents.storm_limit
    }

    /// Takes up the incidents that the store holds.
    pub(super) fn restore_incidents(
        &mut self,
        now: Timestamp,
        incidents: Vec<Incident>,
        alerts: Vec<(IncidentNumber, IncidentAlert)>,
    ) {
        let mut by_incident: BTreeMap<IncidentNumber, BTreeMap<_, _>> = BTreeMap::new();
        for (number, alert) in alerts {
            by_incident.entry(number).or_default().insert(alert.fingerprint, alert);
        }
        for incident in incidents {
            let number = incident.number;
            let alerts = by_incident.remove(&number).unwrap_or_default();
            // What began again after its incident had ended is news.
            let ended_at = incident.record.cycle().resolved_at.filter(|_| !incident.is_active());
            let is_its = |row: &IncidentAlert| {
                let began = self.alerts.get(&row.fingerprint).map(|it| it.activity.starts_at);
                self.is_firing(row.fingerprint)
                    && ended_at.is_none_or(|ended| began.is_some_and(|began| began <= ended))
            };
            let firing: BTreeSet<Fingerprint> =
                alerts.values().filter(|row| is_its(row)).map(|row| row.fingerprint).collect();
            for fingerprint in alerts.keys() {
                if incident.is_active() || firing.contains(fingerprint) {
                    self.incidents.by_alert.insert(*fingerprint, number);
                }
            }
            let firing = firing.len();
            for run in &incident.runs {
                self.incidents.by_run.insert(*run, number);
            }
            // What goes on as part of another one has its key there.
            let is_merged = incident.relations.merged_into.is_some();
            let own = incident.key.iter().filter(|_| !is_merged);
            for key in own.chain(&incident.relations.keys) {
                if incident.is_active() {
                    self.incidents.by_key.insert(key.clone(), number);
                } else {
                    self.incidents.latest.insert(key.clone(), number);
                }
            }
            if let Some(key) = &incident.idempotency_key {
                self.incidents.by_idempotency.insert(key.clone(), number);
            }
            if incident.is_active() {
                self.incidents.open += 1;
            }
            if !incident.created_by.is_person() {
                self.incidents.begun.push_back(incident.created_at);
            }
            let held = Held { alerts, firing, ..Held::new(incident) };
            self.incidents.held.insert(number, held);
        }
        self.incidents.begun.make_contiguous().sort_unstable();
        let all: Vec<IncidentNumber> = self.incidents.held.keys().copied().collect();
        for number in all {
            // Whatever resolved while its row could not be written is noticed now.
            self.look_at_recovery(now, number, false);
            self.set_incident_timer(now, number);
        }
        self.pass_incidents_of_inactive(now);
    }

    /// Takes up an incident that was closed long ago, for something that belongs to it.
    pub(super) fn recall_incident(
        &mut self,
        now: Timestamp,
        incident: Incident,
        alerts: Vec<IncidentAlert>,
    ) {
        let number = incident.number;
        if incident.status() != Status::Closed || self.incidents.held.contains_key(&number) {
            return;
        }
        let alerts = alerts.into_iter().map(|it| (it.fingerprint, it)).collect();
        let held = Held { alerts, ..Held::new(incident) };
        self.incidents.held.insert(number, held);
        self.incidents.recalled.insert(number, now);
    }

    /// Sets the timer of an incident to when something has to be done about it.
    pub(super) fn set_incident_timer(&mut self, now: Timestamp, number: IncidentNumber) {
        // It does not end by itself as long as something beneath it goes on.
        let has_open_child = self.has_open_child(number);
        let is_over = self.incident(number).is_some_and(|it| it.status() == Status::Resolved);
        let is_unfinished = is_over && !self.missing_to_close(number).is_empty();
        let alerts_due = self.alerts_due(number);
        let settings = &self.policy.incidents;
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let waits = (held.incident.is_active() && has_open_child) || is_unfinished;
        let wanted = next_deadline(&held.incident, settings).filter(|_| !waits);
        let wanted = wanted.into_iter().chain(alerts_due).min().map(|at| at.max(now));
        if held.wake_at == wanted {
            return;
        }
        if let Some(old) = std::mem::replace(&mut held.wake_at, wanted) {
            self.timers.remove(&(old, Timer::Incident(number)));
        }
        if let Some(at) = wanted {
            self.schedule(at, Timer::Incident(number));
        }
    }

    /// Forgets incidents that were closed long ago; the store keeps them. As long as something is to
    /// be learned from one it stays: who may know of that depends on it.
    pub(super) fn sweep_incidents(&mut self, now: Timestamp) {
        let day = now.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        let held = &self.incidents.held;
        self.incidents
            .by_idempotency
            .retain(|_, number| held.get(number).is_some_and(|it| it.incident.created_at > day));
        let since = now.checked_sub(CLOSED_LINGER).unwrap_or(Timestamp::MIN);
        let closed_at = |incident: &Incident| incident.record.cycle().closed_at;
        let recently = now.checked_sub(RECALLED_LINGER).unwrap_or(Timestamp::MIN);
        self.incidents.recalled.retain(|_, at| *at > recently);
        let mut learned_from = self.learned_from();
        learned_from.extend(self.incidents.recalled.keys());
        let mut gone: BTreeSet<IncidentNumber> = self
            .incidents()
            .filter(|it| closed_at(it).is_some_and(|at| at <= since))
            .map(|it| it.number)
            .filter(|it| !learned_from.contains(it))
            .collect();
        let over = self.incidents.held.len() - self.incidents.open - gone.len();
        let ended = self.incidents().filter(|it| it.status() == Status::Closed);
        let ended = ended.map(|it| it.number);
        let ended = ended.filter(|it| !gone.contains(it) && !learned_from.contains(it));
        let too_many: Vec<_> = ended.take(over.saturating_sub(MAX_REMEMBERED_INCIDENTS)).collect();
        gone.extend(too_many);
        for number in gone {
            self.forget_incident(number);
        }
        // What was missing to close them may have come by another way.
        let is_waiting =
            |held: &&Held| held.wake_at.is_none() && held.incident.status() == Status::Resolved;
        let waiting = self.incidents.held.values().filter(is_waiting);
        for number in waiting.map(|held| held.incident.number).collect::<Vec<_>>() {
            self.set_incident_timer(now, number);
        }
        self.pass_incidents_of_inactive(now);
    }

    fn forget_incident(&mut self, number: IncidentNumber) {
        let Some(held) = self.incidents.held.remove(&number) else { return };
        if let Some(at) = held.wake_at {
            self.timers.remove(&(at, Timer::Incident(number)));
        }
        for run in &held.incident.runs {
            self.incidents.by_run.remove(run);
        }
        for fingerprint in held.members() {
            if self.incidents.by_alert.get(&fingerprint) == Some(&number) {
                self.incidents.by_alert.remove(&fingerprint);
            }
        }
        for key in held.incident.key.iter().chain(&held.incident.relations.keys) {
            if self.incidents.latest.get(key) == Some(&number) {
                self.incidents.latest.remove(key);
            }
        }
    }
}

/// Returns when something has to be done about an incident: it ends by itself, or is closed.
pub(super) fn next_deadline(incident: &Incident, settings: &IncidentSettings) -> Option<Timestamp> {
    match incident.status() {
        Status::Closed => None,
        Status::Resolved => Some(later(incident.record.status_since(), settings.close_after)),
        status => {
            let recovery = incident.recovered?;
            let is_untouched = status <= Status::Acknowledged && !recovery.is_silent;
            Some(if is_untouched {
                later(recovery.at, incident.record.resolve_delay(settings.resolve_delay))
            } else {
                later(recovery.at.max(incident.active_at), settings.resolve_after)
            })
        }
    }
}
