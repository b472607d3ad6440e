//! What an escalation would do if nobody answered, found by the same decisions as a real one.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use super::escalate::urgency_of;
use super::later;
use super::responders::Problem;
use crate::escalation::{
    EscalationPolicy, MAX_REPEATS, MAX_STEPS, Next, PlaceTarget, SimulatedMessage, SimulatedPerson,
    SimulatedStep, Simulation, select,
};
use crate::identity::Handle;
use crate::paging::{MethodId, Urgency};
use crate::severity::Severity;

/// The most steps that a simulation tells.
const MAX_SIMULATED: usize = MAX_STEPS * (MAX_REPEATS as usize + 1);

impl Tenant {
    /// Returns what would happen from `at` on if a problem of that service and severity were told
    /// and nobody answered. `policy` names one; otherwise it is chosen as usual.
    pub fn simulate(
        &self,
        service: &str,
        severity: Severity,
        category: &str,
        policy: Option<&str>,
        at: Timestamp,
    ) -> Simulation {
        let chosen = match policy {
            Some(name) => self
                .escalation_policy(name)
                .map(|it| (it, format!("policy `{name}` was asked for"))),
            None => select(self.escalation_policies(), service, severity, category),
        };
        let mut simulation = Simulation {
            service: service.to_owned(),
            severity,
            at,
            policy: chosen.as_ref().map(|(policy, _)| Arc::clone(&policy.name)),
            why: chosen.as_ref().map_or_else(
                || "no policy serves it and none is the default: nobody would be paged".to_owned(),
                |(_, why)| why.clone(),
            ),
            steps: Vec::new(),
        };
        if let Some((policy, _)) = chosen {
            simulation.steps = self.simulated_steps(policy, severity, category, at);
        }
        simulation
    }

    fn simulated_steps(
        &self,
        policy: &EscalationPolicy,
        severity: Severity,
        category: &str,
        at: Timestamp,
    ) -> Vec<SimulatedStep> {
        let mut steps = Vec::new();
        let mut round = 1_u32;
        let mut next = Some(Next { step: 0, due_at: later(at, policy.delay_of(0, severity)) });
        let mut used: BTreeSet<(Handle, MethodId, Timestamp)> = BTreeSet::new();
        let mut turns = self.escalations.turns.clone();
        while let Some(Next { step: index, due_at }) = next.filter(|_| steps.len() < MAX_SIMULATED)
        {
            let Some(step) = policy.steps.get(index) else { break };
            let turn_key = (Arc::clone(&policy.name), index);
            let turn = turns.get(&turn_key).copied().unwrap_or(0);
            let problem = Problem { severity, category, alerts: None, turn };
            let mut found = self.responders(policy, step, problem, due_at);
            self.leave_out_unreachable(&mut found);
            if step.round_robin && !found.is_empty() {
                turns.insert(turn_key, turn + found.passed + 1);
            }
            let skipped = found.skipped();
            let is_left = !skipped.is_empty() && step.skip_if_empty;
            let urgency = step.urgency.unwrap_or(urgency_of(severity));
            let people = found.people.iter().map(|(person, why)| SimulatedPerson {
                person: person.clone(),
                why: why.clone(),
                messages: self.simulated_messages(person, urgency, due_at, &mut used),
            });
            steps.push(SimulatedStep {
                round,
                step: u32::try_from(index + 1).unwrap_or(u32::MAX),
                level: step.level.clone(),
                at: due_at,
                people: people.collect(),
                places: found.places.iter().map(PlaceTarget::name).collect(),
                skipped,
                left_out: found.left_out,
            });
            next = policy.after_step(index, round, severity, due_at, is_left);
            if next.is_some_and(|next| next.step == 0) {
                round += 1;
            }
        }
        steps
    }

    fn simulated_messages(
        &self,
        person: &Handle,
        urgency: Urgency,
        at: Timestamp,
        used: &mut BTreeSet<(Handle, MethodId, Timestamp)>,
    ) -> Vec<SimulatedMessage> {
        let contacts = self.contacts_of(person);
        let quiet = contacts.rules.quiet_hours.as_ref().filter(|_| urgency == Urgency::Low);
        let zone = self.zone_of(person);
        let plan = contacts.rules.plan(&contacts, urgency);
        let messages = plan.into_iter().filter_map(|(after, method)| {
            let planned = later(at, after);
            let held = quiet.and_then(|quiet| quiet.end_of(planned, &zone));
            let at = held.unwrap_or(planned);
            // What waits for the end of quiet hours is sent once.
            let is_new = used.insert((person.clone(), method.id.clone(), at));
            let held = held.map(|_| "held back by quiet hours".to_owned()).unwrap_or_default();
            let (method, channel) = (method.id.clone(), method.channel);
            is_new.then_some(SimulatedMessage { at, method, channel, held })
        });
        messages.collect()
    }
}
