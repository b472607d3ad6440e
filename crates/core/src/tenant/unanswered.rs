//! All steps are done and nobody answered: somebody else hears of that, once.

use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use super::escalate::urgency_of;
use crate::alert::IncomingAlert;
use crate::escalation::{EscalationRun, RunState};
use crate::event::Event;
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::Fact;
use crate::labels::{ALERTNAME, Labels};
use crate::severity::SEVERITY;

/// The name of the alert that tells so.
const UNANSWERED: &str = "TocsinEscalationUnanswered";

impl Tenant {
    /// The time after the last step of the last pass is over.
    pub(super) fn tell_unanswered(&mut self, now: Timestamp, number: RunNumber) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        run.unanswered_at = None;
        self.recorder.runs.insert(number);
        let is_taken = run.people.values().any(|paged| paged.acknowledged_at.is_some());
        if run.state != RunState::Open || is_taken {
            return;
        }
        let (rounds, last, severity) = (run.round, run.current_step(), run.severity);
        let (policy, title) = (Arc::clone(&run.policy), run.title.clone());
        let is_own = self.is_about_unanswered(number);
        let told = self.whom_to_tell(number);
        let event = Event::EscalationUnanswered { run: number, rounds, told: told.clone() };
        self.record(now, event);
        let told_person = told.as_ref().map(|(person, _)| person.clone());
        self.tell_incident_of(now, number, Fact::Unanswered { told: told_person });
        if let Some((person, why)) = told {
            let why = format!("nobody answered to any step, and they are {why}");
            self.page_person(now, number, &person, last, why, urgency_of(severity));
        } else if !is_own {
            // Of one that is about others like it, nobody would hear again and again.
            let text = format!("nobody answered to any step of policy `{}`: {title}", policy.name);
            let labels = Labels::from([
                (ALERTNAME, UNANSWERED),
                ("policy", &policy.name),
                (SEVERITY, severity.as_str()),
                ("source", "tocsin"),
            ]);
            let annotations = Labels::from([("summary", text.as_str())]);
            self.ingest(now, vec![IncomingAlert::new(labels, annotations)]);
        }
    }

    /// Returns whether the escalation is only about others that nobody answered.
    fn is_about_unanswered(&self, number: RunNumber) -> bool {
        let Some(run) = self.escalations.runs.get(&number) else { return false };
        let mut known = run.alerts.iter().filter_map(|fp| self.alerts.get(fp)).peekable();
        known.peek().is_some()
            && known.all(|alert| alert.identity.labels.get(ALERTNAME) == Some(UNANSWERED))
    }

    /// Returns who hears that nobody answered, and what they are: the first who was not paged
    /// before and can be reached.
    fn whom_to_tell(&self, number: RunNumber) -> Option<(Handle, String)> {
        let run = self.escalations.runs.get(&number)?;
        let by_default = run.policy.default_on_call.iter();
        let by_default = by_default.map(|it| (it, "on call by default for the policy".to_owned()));
        let managers = last_paged(run).filter_map(|person| {
            let manager = self.directory.person(person.as_str())?.manager.as_ref()?;
            Some((manager, format!("the manager of {person}")))
        });
        let team = run.policy.team.as_ref().and_then(|name| self.directory.team(name));
        let of_team = team.and_then(|team| {
            let person = team.default_on_call.as_ref()?;
            Some((person, format!("on call by default for team {}", team.name)))
        });
        by_default
            .chain(managers)
            .chain(of_team)
            .find(|(person, _)| {
                let is_active =
                    self.directory.person(person.as_str()).is_some_and(|it| it.is_active);
                is_active
                    && !run.people.contains_key(*person)
                    && self.contacts_of(person).usable().next().is_some()
            })
            .map(|(person, why)| (person.clone(), why))
    }
}

/// Returns whom the steps paged, those of the last step first.
fn last_paged(run: &EscalationRun) -> impl Iterator<Item = &Handle> {
    run.reached.iter().rev().flat_map(|reached| &reached.people)
}
