//! Incidents go from status to status, and escalations go with them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::acknowledge::Word;
use crate::escalation::{End, EscalationRun, RunState};
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::{
    Author, Fact, Incident, IncidentNumber, Need, Refusal, ResolutionCode, Role, Rule, Status, rule,
};
use crate::labels::Fingerprint;
use crate::paging::{Action, Answerer};

impl Tenant {
    /// Moves an incident, whatever the table says; the timeline tells so. Alerts and escalations
    /// are left as they are.
    pub(super) fn move_incident(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        to: Status,
        by: &Author,
        note: String,
        code: Option<ResolutionCode>,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let incident = &mut held.incident;
        let from = incident.status();
        if from == to {
            return;
        }
        let closed_at = incident.record.cycle().closed_at.filter(|_| from == Status::Closed);
        incident.record.enter(now, to, &by.name, by.is_person(), code);
        incident.active_at = now;
        if by.is_person() {
            incident.told_at = Some(now);
        }
        if to == Status::Resolved && code.is_some_and(ResolutionCode::may_reopen) {
            let measure = &mut incident.measure;
            if measure.impact_ended_at.is_none() && measure.impact_started_at.is_some() {
                measure.impact_ended_at = Some(now);
                measure.is_end_assumed = true;
            }
        }
        if to.is_active() && !from.is_active() && incident.measure.is_end_assumed {
            // It was not the end of it.
            incident.measure.impact_ended_at = None;
            incident.measure.is_end_assumed = false;
        }
        if to == Status::Detected {
            // Whoever had it may not be there any more; whoever takes it next has it.
            incident.owner = None;
        }
        if let Ok(handle) = Handle::parse(&by.name)
            && by.is_person()
            && self.directory.person(handle.as_str()).is_some()
        {
            incident.participants.insert(handle.clone());
            // Whoever takes what nobody has, has it.
            if to.is_active() && to != Status::Detected && incident.owner.is_none() {
                incident.owner = Some(handle);
            }
        }
        let key = incident.key.clone();
        let incident_parent = incident.relations.parent;
        if from.is_active() != to.is_active() {
            self.reindex(number, key, to.is_active());
        }
        let parent = incident_parent;
        let fact = Fact::Moved { from, to, note, code };
        let text = fact.sentence();
        self.tell_incident(now, number, by, now, fact);
        if !from.is_active() && to.is_active() {
            self.note_flapping(now, number);
        }
        self.tell_subscribers(now, number, by, format!("{}, says {}.", text, by.name));
        if to == Status::Closed {
            self.release_everybody(now, number);
        }
        if to == Status::Resolved {
            self.incident_is_over(now, number);
        }
        if let Some(closed_at) = closed_at {
            self.offer_roles_back(now, number, by, closed_at);
        }
        self.set_incident_timer(now, number);
        if let Some(parent) = parent {
            // It may end by itself once nothing beneath it goes on.
            self.set_incident_timer(now, parent);
        }
    }

    /// Says that an incident comes and goes, and how long nothing may fire now until it is over.
    fn note_flapping(&mut self, now: Timestamp, number: IncidentNumber) {
        let usual = self.policy.incidents.resolve_delay;
        let Some(incident) = self.incident(number).filter(|it| it.record.flaps()) else { return };
        let delay = incident.record.resolve_delay(usual).as_secs();
        let (times, delay_seconds) = (incident.record.reopened_lately(), delay.unsigned_abs());
        let fact = Fact::Flaps { times, delay_seconds };
        self.tell_incident(now, number, &Author::system(), now, fact);
    }

    /// An incident is over or open again: its key and its alerts are found accordingly.
    fn reindex(
        &mut self,
        number: IncidentNumber,
        key: Option<crate::incident::IncidentKey>,
        is_active: bool,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        if is_active {
            self.incidents.open += 1;
            held.incident.recovered = None;
            held.incident.rests = held.firing == 0 && !held.alerts.is_empty();
            for key in key.into_iter().chain(held.incident.relations.keys.clone()) {
                self.incidents.latest.remove(&key);
                self.incidents.by_key.insert(key, number);
            }
            return;
        }
        self.incidents.open -= 1;
        for key in key.into_iter().chain(held.incident.relations.keys.clone()) {
            self.incidents.by_key.remove(&key);
            self.incidents.latest.insert(key, number);
        }
        let over: Vec<Fingerprint> = held.members().collect();
        for fingerprint in over {
            // What fires on stays, so that it does not begin another incident at the next look.
            if !self.is_firing(fingerprint)
                && self.incidents.by_alert.get(&fingerprint) == Some(&number)
            {
                self.incidents.by_alert.remove(&fingerprint);
            }
        }
    }

    /// Moves an incident as somebody asks; returns whether it moved.
    ///
    /// # Errors
    /// [`Refusal`] when the table does not have the move, or asks for words that are missing.
    pub(super) fn move_as_asked(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        to: Status,
        (note, code): (String, Option<ResolutionCode>),
    ) -> Result<bool, Refusal> {
        let Some(held) = self.incidents.held.get(&number) else { return Ok(false) };
        let from = held.incident.status();
        let rule = rule(from, to);
        match rule {
            Rule::Same => return Ok(false),
            Rule::Never | Rule::Refire => return Err(Refusal::Never { from, to }),
            _ => {}
        }
        let is_unsaid = note.trim().is_empty();
        let is_note = rule.need() == Need::Note;
        if is_unsaid && (is_note || matches!(rule.need(), Need::Reason | Need::ReopenClosed)) {
            return Err(Refusal::Unexplained { from, to, is_note });
        }
        let code = (to == Status::Resolved).then(|| code.unwrap_or(ResolutionCode::Fixed));
        // Its key may have been taken by a younger one since.
        if to.is_active()
            && !from.is_active()
            && let mut keys = held.incident.key.iter().chain(&held.incident.relations.keys)
            && let Some(by) = keys.find_map(|key| self.incidents.by_key.get(key)).copied()
        {
            return Err(Refusal::Superseded { by });
        }
        self.move_incident(now, number, to, by, note.clone(), code);
        match to {
            Status::Detected => self.give_back_runs(now, number, by),
            Status::Resolved => self.end_runs(now, number, by),
            Status::Closed => {}
            _ if from == Status::Detected => self.take_runs(now, number, by, &note),
            _ => {}
        }
        Ok(true)
    }

    fn open_runs(&self, number: IncidentNumber) -> Vec<RunNumber> {
        let runs = self.incidents.held.get(&number).map(|held| &held.incident.runs);
        let is_open =
            |it: &&RunNumber| self.escalations.runs.get(*it).is_some_and(EscalationRun::is_open);
        runs.into_iter().flatten().filter(is_open).copied().collect()
    }

    pub(super) fn answerer(&self, by: &Author) -> Answerer {
        match Handle::parse(&by.name) {
            Ok(handle) if self.directory.person(handle.as_str()).is_some() => {
                Answerer::Person(handle)
            }
            _ => Answerer::Outsider(by.name.clone()),
        }
    }

    /// Whoever works on the incident works on what it pages about, and on its alerts.
    fn take_runs(&mut self, now: Timestamp, number: IncidentNumber, by: &Author, note: &str) {
        let answerer = self.answerer(by);
        for run in self.open_runs(number) {
            if self.acknowledge_run(now, run, &answerer, note).is_some() {
                self.record_answer(now, run, &answerer, Action::Acknowledge, "incident", note);
                self.announce(now, run, Some(&by.name));
                self.advance_run(now, run);
            }
        }
        let Some(held) = self.incidents.held.get(&number) else { return };
        let left: Vec<Fingerprint> = held
            .alerts
            .keys()
            .copied()
            .filter(|fp| {
                self.alerts
                    .get(fp)
                    .is_some_and(|it| !it.is_resolved && it.acknowledgement.is_none())
            })
            .take(crate::acknowledgement::MAX_ALERTS)
            .collect();
        if !left.is_empty() {
            let word = Word::new(by.name.clone(), note.to_owned());
            // They fire, so nothing can be refused.
            if let Ok(acknowledged) = self.acknowledge(now, left, &word, None) {
                self.runs_follow(now, &acknowledged, &by.name);
            }
        }
    }

    fn give_back_runs(&mut self, now: Timestamp, number: IncidentNumber, by: &Author) {
        let answerer = self.answerer(by);
        for run in self.open_runs(number) {
            let is_taken = |run: &EscalationRun| run.state != RunState::Open;
            if self.escalations.runs.get(&run).is_some_and(is_taken) {
                // What they say comes first, what follows from it after.
                self.record_answer(now, run, &answerer, Action::Unacknowledge, "incident", "");
                self.give_back_run(now, run, &answerer);
            }
        }
        let Some(held) = self.incidents.held.get(&number) else { return };
        let alerts: Vec<Fingerprint> =
            held.alerts.keys().copied().take(crate::acknowledgement::MAX_ALERTS).collect();
        let word = Word::new(by.name.clone(), "given back".to_owned());
        // Alerts that nobody had acknowledged need not be given back.
        let _ = self.unacknowledge(now, &alerts, &word);
    }

    fn end_runs(&mut self, now: Timestamp, number: IncidentNumber, by: &Author) {
        let answerer = self.answerer(by);
        for run in self.open_runs(number) {
            self.record_answer(now, run, &answerer, Action::Resolve, "incident", "");
            self.end_run(now, run, End::Resolved { by: by.name.clone() });
        }
    }

    /// Somebody answered to an escalation: when it is taken, its incident is.
    pub(super) fn incident_follows_run(
        &mut self,
        now: Timestamp,
        run: RunNumber,
        by: &Author,
        comment: &str,
    ) {
        let Some(number) = self.incident_of_run(run) else { return };
        let Some(state) = self.escalations.runs.get(&run).map(|run| &run.state) else { return };
        let is_taken = matches!(state, RunState::Acknowledged { .. });
        let is_open = self.incident(number).is_some_and(|it| it.status() == Status::Detected);
        if is_taken && is_open {
            self.move_incident(now, number, Status::Acknowledged, by, comment.to_owned(), None);
        }
    }

    /// An escalation goes on after somebody had taken it: its incident is nobody's again, unless
    /// work on it has begun.
    pub(super) fn incident_given_back(
        &mut self,
        now: Timestamp,
        run: RunNumber,
        by: &Author,
        why: &str,
    ) {
        let Some(number) = self.incident_of_run(run) else { return };
        if self.incident(number).is_some_and(|it| it.status() == Status::Acknowledged) {
            self.move_incident(now, number, Status::Detected, by, why.to_owned(), None);
        }
    }

    /// Somebody answered that it is over: so is the incident, once no other escalation of it goes
    /// on.
    pub(super) fn incident_resolved_by_answer(
        &mut self,
        now: Timestamp,
        run: RunNumber,
        by: &Author,
        comment: &str,
    ) {
        let Some(number) = self.incident_of_run(run) else { return };
        let is_active = self.incident(number).is_some_and(Incident::is_active);
        if !is_active || !self.open_runs(number).is_empty() {
            return;
        }
        let note = match comment.trim() {
            "" => "said to be over in answer to a page".to_owned(),
            comment => comment.to_owned(),
        };
        let code = Some(ResolutionCode::Fixed);
        self.move_incident(now, number, Status::Resolved, by, note, code);
    }

    /// Returns who has what somebody had in an incident once they have left: whoever stands in for
    /// them, else whom the incident's team has on call by default, else who is in command, else
    /// whom the policy for it falls back on.
    pub(super) fn heir_of(&self, number: IncidentNumber, leaver: &Handle) -> Option<Handle> {
        let is_fit = |it: &&Handle| *it != leaver && self.is_there(it);
        let incident = self.incident(number)?;
        self.deputy_of(incident, leaver)
            .or_else(|| incident.crew.holders(Role::IncidentCommander).find(is_fit).cloned())
            .or_else(|| self.fallback_for(incident).filter(|it| it != leaver))
    }

    /// Returns who has the roles of somebody who has left; who is in command has enough to do.
    fn deputy_of(&self, incident: &Incident, leaver: &Handle) -> Option<Handle> {
        let on_call = || self.default_on_call_of(incident).filter(|it| it != leaver);
        self.substitute_of(leaver).or_else(on_call)
    }

    /// What a leaver had gets whoever takes over, or nobody.
    pub(super) fn pass_incidents_on(&mut self, now: Timestamp, leaver: &Handle) {
        let owned = self.incidents_of(leaver);
        let all: BTreeSet<IncidentNumber> =
            self.incidents_with(leaver).into_iter().chain(owned.iter().copied()).collect();
        for number in all {
            let is_owned = owned.contains(&number);
            let successor = self.heir_of(number, leaver);
            let deputy = self.incident(number).and_then(|it| self.deputy_of(it, leaver));
            // What few may see does not get to others by a task.
            let knows = |it: &&Handle| {
                is_owned || self.incident(number).is_some_and(|known| self.may_know(known, it))
            };
            // Nor by a role, unless it is theirs anyway.
            let deputy = deputy.filter(|it| {
                let known = self.incident(number).is_some_and(|known| self.may_know(known, it));
                known || is_owned && successor.as_ref() == Some(it)
            });
            let owner = self.incident(number).and_then(|it| it.owner.clone());
            let owner = owner.filter(|it| it != leaver);
            let doer = successor.as_ref().filter(knows).cloned().or(owner);
            self.pass_roles_on(now, number, leaver, (deputy.as_ref(), doer.as_ref()));
            if !is_owned {
                continue;
            }
            let Some(held) = self.incidents.held.get_mut(&number) else { continue };
            held.incident.owner = successor.clone();
            if let Some(successor) = &successor {
                held.incident.participants.insert(successor.clone());
            }
            let note = format!("{leaver} has left");
            let fact = Fact::Assigned { from: Some(leaver.clone()), to: successor.clone(), note };
            self.tell_incident(now, number, &Author::system(), now, fact);
            if let Some(successor) = &successor {
                let line = format!("It is yours now: {leaver} has left.");
                self.notify(now, number, successor, &[line]);
            }
        }
    }

    /// Returns the incidents that are not closed in which somebody has a role, is asked for help, or which they
    /// follow.
    fn incidents_with(&self, person: &Handle) -> Vec<IncidentNumber> {
        let has = |it: &Incident| {
            it.crew.present().any(|holding| holding.person == *person)
                || it.crew.waiting().any(|request| request.person == *person)
                || it.crew.subscribers.contains(person)
                || it.tasks.iter().any(|it| it.assignee.as_ref() == Some(person))
        };
        let is_open = |it: &Incident| it.status() != Status::Closed;
        self.incidents().filter(|it| is_open(it) && has(it)).map(|it| it.number).collect()
    }

    /// The configuration is another one: what ends by itself may do so at other times, and who
    /// left has no incidents any more.
    pub(super) fn look_at_incidents_after_reload(&mut self, now: Timestamp) {
        self.pass_incidents_of_inactive(now);
        self.pass_lessons_of_leavers(now);
        let all: Vec<IncidentNumber> = self.incidents.held.keys().copied().collect();
        for number in all {
            self.set_incident_timer(now, number);
        }
        self.look_at_all_reminders(now);
    }

    pub(super) fn pass_incidents_of_inactive(&mut self, now: Timestamp) {
        let owners: BTreeSet<Handle> = self
            .incidents()
            .filter(|it| it.status() != Status::Closed)
            .flat_map(|it| {
                let asked = it.crew.waiting().map(|it| &it.person);
                let tasks = it.tasks.iter().filter(|it| !it.status.is_over());
                let tasks = tasks.filter_map(|it| it.assignee.as_ref());
                let others = it.crew.subscribers.iter().chain(asked).chain(tasks);
                it.crew.people().into_iter().chain(others.cloned()).chain(it.owner.clone())
            })
            .collect();
        for owner in owners {
            if !self.directory.person(owner.as_str()).is_some_and(|it| it.is_active) {
                self.pass_incidents_on(now, &owner);
            }
        }
    }
}
