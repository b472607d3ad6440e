//! What nobody takes, or does not end, reaches the next level before its policy says so.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::responders::Problem;
use crate::escalation::{AckMode, RunState};
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::{IncidentNumber, Status};
use crate::labels::Fingerprint;
use crate::paging::{Action, Answerer};

/// Who asks for the next level, where no person does.
const ASKS: &str = "tocsin";

/// From where the next level is asked.
const VIA: &str = "reminder";

impl Tenant {
    /// Begins the next step of the escalations of an incident that are still at their first, as
    /// nobody has taken it in the time that its severity promises.
    ///
    /// Returns the steps that begin now, counted from 1. A policy that is already further, or
    /// whose next step is due anyway, goes its own way.
    pub(super) fn push_escalations(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        why: &str,
    ) -> Vec<usize> {
        let runs: Vec<RunNumber> =
            self.incident(number).into_iter().flat_map(|it| &it.runs).copied().collect();
        let mut begun = Vec::new();
        for run in runs {
            let Some(held) = self.escalations.runs.get_mut(&run) else { continue };
            let is_first = held.state == RunState::Open && held.reached.len() == 1;
            let Some(next) = held.next.as_mut().filter(|it| is_first && it.due_at > now) else {
                continue;
            };
            next.due_at = now;
            begun.push(next.step + 1);
            self.recorder.runs.insert(run);
            let by = Answerer::Outsider(ASKS.to_owned());
            self.record_answer(now, run, &by, Action::Escalate, VIA, why);
            self.advance_run(now, run);
        }
        begun
    }

    /// What fires again while somebody works on its incident is theirs at once: they are told, and
    /// nobody is paged. What is new, or worse than the incident, begins at the first step.
    pub(super) fn give_to_whoever_works(&mut self, now: Timestamp, number: RunNumber) {
        let Some((incident, owner)) = self.whoever_works(now, number) else { return };
        let by = Answerer::Person(owner.clone());
        let comment = "works on its incident";
        if self.acknowledge_run(now, number, &by, comment).is_some() {
            self.record_answer(now, number, &by, Action::Acknowledge, "incident", comment);
            let title = self.escalations.runs.get(&number).map(|run| run.title.clone());
            let line = format!("It fires again: {}", title.unwrap_or_default());
            self.notify(now, incident, &owner, &[line]);
        }
    }

    fn whoever_works(&self, now: Timestamp, number: RunNumber) -> Option<(IncidentNumber, Handle)> {
        let incident = self.incidents.by_run.get(&number)?;
        let held = self.incidents.held.get(incident)?;
        let run = self.escalations.runs.get(&number)?;
        let owner = held.incident.owner.as_ref()?;
        let is_known = |fp: &Fingerprint| held.alerts.get(fp).is_some_and(|it| it.joined_at < now);
        let is_theirs = held.incident.is_active()
            && held.incident.status() > Status::Detected
            && self.directory.person(owner.as_str()).is_some_and(|it| it.is_active)
            && run.severity >= held.incident.severity
            && run.policy.acknowledgement != AckMode::All
            && !run.alerts.is_empty()
            && run.alerts.iter().all(is_known);
        is_theirs.then(|| (*incident, owner.clone()))
    }

    /// Returns whom the next step of the escalations of an incident would page, were it not taken.
    pub(super) fn next_level(&self, now: Timestamp, number: IncidentNumber) -> BTreeSet<Handle> {
        let runs = self.incident(number).into_iter().flat_map(|it| &it.runs);
        let mut people = BTreeSet::new();
        for run in runs.filter_map(|run| self.escalations.runs.get(run)) {
            let policy = &run.policy;
            let at = run.current_step() + 1;
            let Some(step) = policy.steps.get(at) else { continue };
            let turns = &self.escalations.turns;
            let turn = turns.get(&(policy.name.clone(), at)).copied().unwrap_or(0);
            let problem = Problem {
                severity: run.severity,
                category: &run.category,
                alerts: Some(&run.alerts),
                turn,
            };
            let found = self.responders(policy, step, problem, now);
            people.extend(found.people.into_iter().map(|(person, _)| person));
        }
        people
    }
}
