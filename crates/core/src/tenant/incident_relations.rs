//! Incidents become part of another one and go on by themselves again, exactly as before.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::acknowledge::Word;
use super::incident_change::impossible;
use super::{Tenant, later};
use crate::escalation::{EscalationRun, RunState};
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::{
    AlertRole, Author, Fact, Incident, IncidentAlert, IncidentKey, IncidentNumber,
    IncidentRejection, MAX_MERGED_AT_ONCE, MAX_RELATED, Merge, ResolutionCode, Status,
    UNMERGE_WINDOW,
};
use crate::labels::Fingerprint;
use crate::paging::Action;

type Changed = Result<bool, IncidentRejection>;

impl Tenant {
    /// Other incidents go on as part of this one: all of them, or none.
    pub(super) fn merge(
        &mut self,
        now: Timestamp,
        into: IncidentNumber,
        by: &Author,
        sources: &[IncidentNumber],
    ) -> Changed {
        let sources: BTreeSet<IncidentNumber> = sources.iter().copied().collect();
        if sources.is_empty() || sources.len() > MAX_MERGED_AT_ONCE {
            return Err(impossible(format!("1 to {MAX_MERGED_AT_ONCE} incidents merge at once")));
        }
        let Some(target) = self.incident(into) else { return Ok(false) };
        if !target.is_active() {
            return Err(impossible(format!("incident {into} is over; merge into an open one")));
        }
        if target.relations.absorbed.len() + sources.len() > MAX_RELATED {
            return Err(impossible(format!("{MAX_RELATED} incidents are part of it already")));
        }
        let mut alerts = self.incidents.held.get(&into).map_or(0, |held| held.alerts.len());
        for source in &sources {
            self.check_source(into, *source)?;
            alerts += self.incidents.held.get(source).map_or(0, |held| held.alerts.len());
        }
        if alerts > super::incident_alerts::MAX_ALERTS_PER_INCIDENT {
            return Err(impossible(format!(
                "together they have {alerts} alerts, too many for one"
            )));
        }
        for source in sources {
            self.absorb(now, into, by, source);
        }
        self.recount_incident_alerts(now, into);
        Ok(true)
    }

    /// Says why an incident cannot become part of another one.
    fn check_source(
        &self,
        into: IncidentNumber,
        source: IncidentNumber,
    ) -> Result<(), IncidentRejection> {
        if into == source {
            return Err(impossible("an incident cannot become part of itself"));
        }
        let it = self.known_incident(source)?;
        if let Some(merge) = &it.relations.merged_into {
            let other = merge.into;
            return Err(impossible(format!("incident {source} is part of incident {other}")));
        }
        if !it.is_active() {
            return Err(impossible(format!("incident {source} is over; nothing of it goes on")));
        }
        if let Some(parent) = it.relations.parent {
            let why = format!("incident {source} belongs beneath incident {parent}; unlink it");
            return Err(impossible(why));
        }
        if !it.relations.children.is_empty() {
            return Err(impossible(format!(
                "incident {source} has others beneath it; unlink them"
            )));
        }
        let Some(target) = self.incident(into) else { return Ok(()) };
        if target.mode != it.mode {
            let (one, other) = (it.mode.as_str(), target.mode.as_str());
            return Err(impossible(format!(
                "incident {source} is {one} and incident {into} is {other}"
            )));
        }
        if target.restricted.is_some() != it.restricted.is_some() {
            let why = "one of them is restricted: what few may know would be told to all";
            return Err(impossible(format!("incident {source} and incident {into}: {why}")));
        }
        if let Some(outsider) = self.who_else_knows(target, it) {
            let why = format!("{outsider} may see incident {into} and not incident {source}");
            return Err(impossible(format!("{why}; restrict both to the same people first")));
        }
        Ok(())
    }

    /// Returns somebody who may know of one incident and not of the other.
    fn who_else_knows(&self, one: &Incident, other: &Incident) -> Option<&Handle> {
        other.restricted.as_ref()?;
        let active = self.directory.people().filter(|it| it.is_active).map(|it| &it.handle);
        let mut knows = active.filter(|it| self.may_know(one, it));
        knows.find(|it| !self.may_know(other, it))
    }

    /// Returns an incident that may still change.
    pub(super) fn known_incident(
        &self,
        number: IncidentNumber,
    ) -> Result<&Incident, IncidentRejection> {
        self.incident(number).ok_or(match number.0 <= self.highest.incident.0 && number.0 > 0 {
            true => IncidentRejection::Archived { incident: number },
            false => IncidentRejection::Unknown { incident: number },
        })
    }

    fn absorb(
        &mut self,
        now: Timestamp,
        into: IncidentNumber,
        by: &Author,
        source: IncidentNumber,
    ) {
        let Some(merge) = self.how_it_was(now, into, by, source) else { return };
        let (title, count) = match self.incident(source) {
            Some(it) => (it.title.clone(), merge.alerts.len()),
            None => return,
        };
        let own_key = self.incident(source).and_then(|it| it.key.clone());
        let moved: Vec<Fingerprint> = merge.alerts.iter().map(|it| it.fingerprint).collect();
        for fingerprint in &moved {
            self.move_alert(source, into, *fingerprint);
        }
        for run in &merge.runs {
            self.move_run(source, into, *run);
        }
        let keys: Vec<IncidentKey> = own_key.into_iter().chain(merge.keys.clone()).collect();
        if let Some(held) = self.incidents.held.get_mut(&source) {
            held.incident.relations.keys.clear();
            held.incident.relations.absorbed.clear();
            held.firing = 0;
        }
        let code = Some(ResolutionCode::Merged);
        let note = format!("it goes on as part of incident {into}");
        let severity = merge.severity;
        let (participants, subscribers) = (merge.participants.clone(), merge.subscribers.clone());
        let (runs, absorbed) = (merge.runs.clone(), merge.absorbed.clone());
        if let Some(held) = self.incidents.held.get_mut(&source) {
            held.incident.relations.merged_into = Some(Box::new(merge));
        }
        self.move_incident(now, source, Status::Resolved, by, note, code);
        for key in &keys {
            self.incidents.latest.remove(key);
            self.incidents.by_key.insert(key.clone(), into);
        }
        let Some(held) = self.incidents.held.get_mut(&into) else { return };
        let incident = &mut held.incident;
        incident.relations.keys.extend(keys);
        incident.relations.absorbed.insert(source);
        incident.relations.absorbed.extend(absorbed);
        incident.participants.extend(participants);
        incident.crew.subscribers.extend(subscribers);
        let fact = Fact::Absorbed { other: source, title, alerts: count };
        self.tell_incident(now, into, by, now, fact);
        if let Some((from, to)) = severity {
            if let Some(held) = self.incidents.held.get_mut(&into) {
                held.incident.severity = to;
            }
            let reason = format!("incident {source} is part of it");
            let fact = Fact::SeverityChanged { from, to, reason };
            self.tell_incident(now, into, &Author::system(), now, fact);
        }
        self.recount_incident_alerts(now, into);
        if self.incident(into).is_some_and(|it| it.status() > Status::Detected) {
            let (runs, alerts) = self.take_parts(now, by, &runs, &moved);
            let held = self.incidents.held.get_mut(&source);
            if let Some(merge) = held.and_then(|it| it.incident.relations.merged_into.as_mut()) {
                merge.taken_runs = runs;
                merge.taken_alerts = alerts;
            }
        }
    }

    /// Notes how two incidents stand before one becomes part of the other.
    fn how_it_was(
        &self,
        now: Timestamp,
        into: IncidentNumber,
        by: &Author,
        source: IncidentNumber,
    ) -> Option<Merge> {
        let held = self.incidents.held.get(&source)?;
        let target = self.incidents.held.get(&into)?;
        let (it, other) = (&held.incident, &target.incident);
        let alerts: Vec<IncidentAlert> = held.alerts.values().copied().collect();
        let shared = held.alerts.keys().filter(|fp| target.alerts.contains_key(fp));
        let is_worse = it.severity < other.severity && other.severity_by.is_none();
        Some(Merge {
            into,
            at: now,
            by: by.name.clone(),
            record: it.record.clone(),
            owner: it.owner.clone(),
            worked: it.participants.clone(),
            recovered: it.recovered,
            active_at: it.active_at,
            shared: shared.copied().collect(),
            alerts,
            runs: it.runs.clone(),
            keys: it.relations.keys.clone(),
            absorbed: it.relations.absorbed.clone(),
            taken_runs: BTreeSet::new(),
            taken_alerts: BTreeSet::new(),
            participants: it.participants.difference(&other.participants).cloned().collect(),
            subscribers: it.crew.subscribers.difference(&other.crew.subscribers).cloned().collect(),
            severity: is_worse.then_some((other.severity, it.severity)),
            target_recovered: other.recovered,
            rests: it.rests,
            target_rests: other.rests,
        })
    }

    /// An alert belongs to another incident from now on.
    pub(super) fn move_alert(
        &mut self,
        from: IncidentNumber,
        to: IncidentNumber,
        fingerprint: Fingerprint,
    ) {
        let Some(mut row) =
            self.incidents.held.get_mut(&from).and_then(|held| held.alerts.remove(&fingerprint))
        else {
            return;
        };
        self.recorder.incident_alerts.remove(&(from, fingerprint));
        self.recorder.left_incident_alerts.insert((from, fingerprint));
        let Some(held) = self.incidents.held.get_mut(&to) else { return };
        // There is one root at most, and that of the incident that goes on stays.
        let has_root = held.alerts.values().any(|it| it.role == Some(AlertRole::Root));
        if has_root && row.role == Some(AlertRole::Root) {
            row.role = Some(AlertRole::Symptom);
        }
        held.alerts.entry(fingerprint).or_insert(row);
        self.recorder.left_incident_alerts.remove(&(to, fingerprint));
        self.recorder.incident_alerts.insert((to, fingerprint));
        if self.incidents.by_alert.get(&fingerprint) == Some(&from) {
            self.incidents.by_alert.insert(fingerprint, to);
        }
    }

    /// An escalation pages about another incident from now on.
    pub(super) fn move_run(&mut self, from: IncidentNumber, to: IncidentNumber, run: RunNumber) {
        let held = self.incidents.held.get_mut(&from);
        if !held.is_some_and(|held| held.incident.runs.remove(&run)) {
            return;
        }
        self.recorder.incidents.insert(from);
        if let Some(held) = self.incidents.held.get_mut(&to) {
            held.incident.runs.insert(run);
            self.recorder.incidents.insert(to);
        }
        self.incidents.by_run.insert(run, to);
    }

    /// Counts anew what fires of an incident, and notes whether anything does.
    pub(super) fn recount_incident_alerts(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(held) = self.incidents.held.get(&number) else { return };
        let is_its = |fp: &Fingerprint| {
            self.is_firing(*fp) && self.incidents.by_alert.get(fp) == Some(&number)
        };
        let firing = held.members().filter(is_its).count();
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.firing = firing;
        if firing > 0 {
            held.fires_again();
        }
        self.recorder.incidents.insert(number);
        self.look_at_recovery(now, number, false);
        self.set_incident_timer(now, number);
    }

    /// Whoever works on an incident works on what became part of it. Returns what was taken.
    fn take_parts(
        &mut self,
        now: Timestamp,
        by: &Author,
        runs: &BTreeSet<RunNumber>,
        alerts: &[Fingerprint],
    ) -> (BTreeSet<RunNumber>, BTreeSet<Fingerprint>) {
        let answerer = self.answerer(by);
        let note = "it is part of an incident that somebody works on";
        let is_free = |fp: &Fingerprint| {
            let alert = self.alerts.get(fp);
            alert.is_some_and(|it| !it.is_resolved && it.acknowledgement.is_none())
        };
        let free: BTreeSet<Fingerprint> = alerts.iter().copied().filter(is_free).collect();
        let mut taken = BTreeSet::new();
        for run in runs {
            let is_open = |run: &EscalationRun| run.is_open() && run.state == RunState::Open;
            if !self.escalations.runs.get(run).is_some_and(is_open) {
                continue;
            }
            if self.acknowledge_run(now, *run, &answerer, note).is_some() {
                taken.insert(*run);
                self.record_answer(now, *run, &answerer, Action::Acknowledge, "incident", note);
                self.announce(now, *run, Some(&by.name));
                self.advance_run(now, *run);
            }
        }
        let left: Vec<Fingerprint> = free
            .iter()
            .copied()
            .filter(|fp| self.alerts.get(fp).is_some_and(|it| it.acknowledgement.is_none()))
            .take(crate::acknowledgement::MAX_ALERTS)
            .collect();
        if !left.is_empty() {
            let word = Word::new(by.name.clone(), note.to_owned());
            // They fire, so nothing can be refused.
            if let Ok(acknowledged) = self.acknowledge(now, left, &word, None) {
                self.runs_follow(now, &acknowledged, &by.name);
            }
        }
        (taken, free)
    }

    /// An incident that became part of another one goes on by itself again.
    pub(super) fn unmerge(
        &mut self,
        now: Timestamp,
        source: IncidentNumber,
        by: &Author,
    ) -> Changed {
        let merge = self.check_unmerge(now, source)?;
        let into = merge.into;
        let known: BTreeSet<Fingerprint> = merge.alerts.iter().map(|it| it.fingerprint).collect();
        let runs: Vec<RunNumber> = self.runs_to_return(&merge, &known);
        if let Some(held) = self.incidents.held.get_mut(&source) {
            let incident = &mut held.incident;
            incident.record = merge.record.clone();
            incident.owner = merge.owner.clone().filter(|it| {
                self.directory.person(it.as_str()).is_some_and(|person| person.is_active)
            });
            incident.participants = merge.worked.clone();
            incident.recovered = merge.recovered;
            incident.rests = merge.rests;
            incident.active_at = merge.active_at;
            incident.relations.merged_into = None;
            incident.relations.keys = merge.keys.clone();
            incident.relations.absorbed = merge.absorbed.clone();
        }
        self.incidents.open += 1;
        let own_key = self.incident(source).and_then(|it| it.key.clone());
        let keys: Vec<IncidentKey> = own_key.into_iter().chain(merge.keys.clone()).collect();
        for key in &keys {
            if self.incidents.latest.get(key) == Some(&into) {
                self.incidents.latest.remove(key);
            }
            self.incidents.by_key.insert(key.clone(), source);
        }
        for row in &merge.alerts {
            self.return_alert(source, into, row, merge.shared.contains(&row.fingerprint));
        }
        for run in runs {
            self.move_run(into, source, run);
        }
        self.restore_target(&merge, &keys, source);
        let fact = Fact::Unmerged { from: into };
        self.tell_incident(now, source, by, now, fact);
        self.tell_incident(now, into, by, now, Fact::Released { other: source });
        self.recount_incident_alerts(now, source);
        self.recount_incident_alerts(now, into);
        self.give_back_parts(now, by, &merge);
        Ok(true)
    }

    fn check_unmerge(
        &self,
        now: Timestamp,
        source: IncidentNumber,
    ) -> Result<Merge, IncidentRejection> {
        let it = self.known_incident(source)?;
        let Some(merge) = &it.relations.merged_into else {
            return Err(impossible(format!("incident {source} is no part of another one")));
        };
        let hours = UNMERGE_WINDOW.as_hours();
        if now >= later(merge.at, UNMERGE_WINDOW) {
            let at = format!("{:.0}", merge.at);
            return Err(impossible(format!(
                "they were merged at {at}; that can be undone for {hours} hours"
            )));
        }
        if it.status() == Status::Closed {
            return Err(impossible(format!("incident {source} is closed")));
        }
        let into = merge.into;
        let target = self.known_incident(into)?;
        if let Some(outer) = &target.relations.merged_into {
            let outer = outer.into;
            return Err(impossible(format!(
                "incident {into} is part of incident {outer}; undo that first"
            )));
        }
        if target.status() == Status::Closed {
            return Err(impossible(format!("incident {into} is closed")));
        }
        for key in it.key.iter().chain(&merge.keys) {
            if let Some(other) = self.incidents.by_key.get(key).filter(|it| **it != into) {
                return Err(impossible(format!(
                    "what fires for incident {source} is incident {other} by now"
                )));
            }
        }
        if !self.has_room_for_incident() {
            let limit = super::incidents::MAX_OPEN_INCIDENTS;
            return Err(IncidentRejection::TooMany { limit });
        }
        Ok((**merge).clone())
    }

    /// Returns the escalations that go back: those that came along, and those that began since and
    /// are about nothing else.
    fn runs_to_return(&self, merge: &Merge, alerts: &BTreeSet<Fingerprint>) -> Vec<RunNumber> {
        let Some(target) = self.incident(merge.into) else { return Vec::new() };
        let is_about = |run: &EscalationRun| {
            run.started_at >= merge.at
                && !run.alerts.is_empty()
                && run.alerts.iter().all(|fp| alerts.contains(fp))
        };
        let goes = |run: &&RunNumber| {
            merge.runs.contains(run) || self.escalations.runs.get(run).is_some_and(is_about)
        };
        target.runs.iter().filter(goes).copied().collect()
    }

    fn return_alert(
        &mut self,
        source: IncidentNumber,
        into: IncidentNumber,
        row: &IncidentAlert,
        is_shared: bool,
    ) {
        let fingerprint = row.fingerprint;
        let Some(held) = self.incidents.held.get_mut(&into) else { return };
        // Meanwhile it may have been split off, or have another life.
        let Some(present) = held.alerts.get(&fingerprint).copied() else { return };
        if !is_shared {
            held.alerts.remove(&fingerprint);
            self.recorder.incident_alerts.remove(&(into, fingerprint));
            self.recorder.left_incident_alerts.insert((into, fingerprint));
        }
        let Some(held) = self.incidents.held.get_mut(&source) else { return };
        held.alerts.insert(fingerprint, IncidentAlert { alert: present.alert, ..*row });
        self.recorder.left_incident_alerts.remove(&(source, fingerprint));
        self.recorder.incident_alerts.insert((source, fingerprint));
        let is_lost = || self.is_firing(fingerprint);
        if self.incidents.by_alert.get(&fingerprint).map_or_else(is_lost, |it| *it == into) {
            self.incidents.by_alert.insert(fingerprint, source);
        }
    }

    /// Takes back what an incident had only because another one was part of it.
    fn restore_target(&mut self, merge: &Merge, keys: &[IncidentKey], source: IncidentNumber) {
        let Some(held) = self.incidents.held.get_mut(&merge.into) else { return };
        let incident = &mut held.incident;
        for key in keys {
            incident.relations.keys.remove(key);
        }
        incident.relations.absorbed.remove(&source);
        for number in &merge.absorbed {
            incident.relations.absorbed.remove(number);
        }
        let has_work = |it: &Incident, person: &Handle| {
            it.owner.as_ref() == Some(person) || it.crew.present().any(|h| h.person == *person)
        };
        for person in &merge.participants {
            if !has_work(incident, person) {
                incident.participants.remove(person);
            }
        }
        for person in &merge.subscribers {
            incident.crew.subscribers.remove(person);
        }
        if let Some((before, raised)) = merge.severity
            && incident.severity == raised
            && incident.severity_by.is_none()
        {
            incident.severity = before;
        }
        incident.rests = merge.target_rests;
        if incident.rests {
            incident.recovered = None;
        } else if incident.is_active() && incident.recovered.is_none() {
            incident.recovered = merge.target_recovered;
        }
    }

    /// Nobody works any more on what was taken only because it was part of another incident.
    fn give_back_parts(&mut self, now: Timestamp, by: &Author, merge: &Merge) {
        let answerer = self.answerer(by);
        for run in &merge.taken_runs {
            let is_taken = |run: &EscalationRun| run.is_open() && run.state != RunState::Open;
            if self.escalations.runs.get(run).is_some_and(is_taken) {
                self.record_answer(now, *run, &answerer, Action::Unacknowledge, "incident", "");
                // Its incident stands as it stood, whatever that says of the escalation.
                let incident = self.incidents.by_run.remove(run);
                self.give_back_run(now, *run, &answerer);
                self.incidents.by_run.extend(incident.map(|it| (*run, it)));
            }
        }
        let alerts: Vec<Fingerprint> = merge
            .taken_alerts
            .iter()
            .copied()
            .filter(|fp| self.alerts.get(fp).is_some_and(|it| it.acknowledgement.is_some()))
            .take(crate::acknowledgement::MAX_ALERTS)
            .collect();
        if !alerts.is_empty() {
            let word = Word::new(by.name.clone(), "given back".to_owned());
            // Alerts that nobody had acknowledged need not be given back.
            let _ = self.unacknowledge(now, &alerts, &word);
        }
    }
}
