//! Escalations: they begin when a group is told, go from step to step while nobody answers, stand
//! still while nothing fires, and end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::mute::time_cause;
use super::responders::{Found, Problem};
use super::{Tenant, Timer, later};
use crate::acknowledgement::AcknowledgementEnd;
use crate::escalation::{
    End, EscalationPolicy, EscalationRun, Next, PagedPerson, Planned, Reached, RunKey, RunState,
};
use crate::event::Event;
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::Author;
use crate::labels::Fingerprint;
use crate::notification::LogKey;
use crate::paging::{Page, Recipient, Urgency};
use crate::severity::Severity;

/// The kind of the integration that a receiver with a policy has.
pub const ESCALATION: &str = "escalation";

/// What a receiver names to have the policy chosen by service, severity and category.
pub const AUTO_POLICY: &str = "auto";

/// The most ended escalations that are remembered to answer late answers.
const MAX_REMEMBERED_RUNS: usize = 10_000;

/// The most steps that one turn carries out for one escalation; the rest follows at once.
const MAX_STEPS_PER_TURN: usize = 64;

/// All escalations of a tenant.
#[derive(Debug, Default)]
pub(super) struct Escalations {
    pub(super) runs: BTreeMap<RunNumber, EscalationRun>,
    /// The open run of a receiver and group.
    pub(super) by_key: BTreeMap<RunKey, RunNumber>,
    /// The open runs that page for an alert.
    pub(super) by_alert: BTreeMap<Fingerprint, BTreeSet<RunNumber>>,
    /// The short numbers by which a person answers.
    pub(super) codes: BTreeMap<Handle, Codes>,
    /// The open runs that paged a person.
    pub(super) by_person: BTreeMap<Handle, BTreeSet<RunNumber>>,
    /// Ended runs, oldest first, until they are forgotten.
    pub(super) ended: BTreeSet<(Timestamp, RunNumber)>,
    /// Policies made through the API.
    pub(super) policies: BTreeMap<Arc<str>, Arc<EscalationPolicy>>,
    /// How often a step that goes round has been reached, by policy and step.
    pub(super) turns: BTreeMap<(Arc<str>, usize), u64>,
}

/// Short numbers of one person that are taken.
#[derive(Debug, Default)]
pub(super) struct Codes {
    taken: BTreeSet<u32>,
    /// All below are taken.
    free_from: u32,
}

impl Codes {
    /// Takes the smallest that is free.
    fn take(&mut self) -> u32 {
        let mut code = self.free_from.max(1);
        while !self.taken.insert(code) {
            code = code.saturating_add(1);
        }
        self.free_from = code.saturating_add(1);
        code
    }

    fn hold(&mut self, code: u32) {
        self.taken.insert(code);
    }

    fn free(&mut self, code: u32) {
        if self.taken.remove(&code) {
            self.free_from = self.free_from.min(code);
        }
    }
}

impl Tenant {
    /// Looks whether something of an escalation fires, and lets its times go on or stand still.
    pub(super) fn look_at_run(&mut self, now: Timestamp, number: RunNumber) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        if run.state == RunState::Open {
            let is_live = self.what_holds(run, now).is_none();
            let Some(run) = self.escalations.runs.get_mut(&number) else { return };
            if let Some(since) = run.still_since.filter(|_| is_live) {
                run.still_since = None;
                run.shift(now.duration_since(since));
                self.recorder.runs.insert(number);
                let waiting: Vec<Recipient> =
                    run.waiting.iter().map(|it| it.recipient.clone()).collect();
                self.record(now, Event::EscalationWentOn { run: number, stood_since: since });
                for recipient in waiting {
                    self.pump(now, &recipient);
                }
            }
        }
        self.advance_run(now, number);
    }

    /// Looks at the escalations that page for an alert.
    pub(super) fn look_at_runs_of(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        let Some(runs) = self.escalations.by_alert.get(&fingerprint) else { return };
        for number in runs.clone() {
            self.look_at_run(now, number);
        }
    }

    /// Looks at the escalation of a group that was flushed.
    pub(super) fn look_at_run_of_group(&mut self, now: Timestamp, key: &LogKey) {
        let key = RunKey { receiver: Arc::clone(&key.receiver), group: Arc::clone(&key.group) };
        if let Some(number) = self.escalations.by_key.get(&key).copied() {
            self.look_at_run(now, number);
        }
    }

    /// Returns why nobody has to be disturbed although nobody has answered; `None` when something
    /// fires and is not held back.
    pub(super) fn what_holds(&self, run: &EscalationRun, now: Timestamp) -> Option<String> {
        if run.alerts.is_empty() {
            return None;
        }
        let mut held = None;
        for alert in run.alerts.iter().filter_map(|fp| self.alerts.get(fp)) {
            if alert.is_resolved {
                continue;
            }
            let group = alert.groups.iter().filter_map(|number| self.groups.get(number));
            let group = group.into_iter().find(|group| group.key == run.key.group);
            let by_time = group.and_then(|group| {
                time_cause(&self.policy, self.policy.routes.get(group.route), now)
            });
            match self.mute_cause(alert, by_time.as_ref()) {
                None => return None,
                Some(cause) => held = held.or(Some(cause)),
            }
        }
        Some(match held {
            Some(cause) => format!("everything that fires is held back: {cause}"),
            None => "nothing of it fires any more".to_owned(),
        })
    }

    /// Carries out what is due of an escalation, and sets its timer.
    pub(super) fn advance_run(&mut self, now: Timestamp, number: RunNumber) {
        let mut left = MAX_STEPS_PER_TURN;
        while left > 0 && self.do_next_of_run(now, number) {
            left -= 1;
        }
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        let wanted = run.next_deadline().map(|at| at.max(now));
        if run.wake_at != wanted {
            if let Some(old) = std::mem::replace(&mut run.wake_at, wanted) {
                self.timers.remove(&(old, Timer::Escalation(number)));
            }
            if let Some(at) = wanted {
                self.schedule(at, Timer::Escalation(number));
            }
        }
    }

    pub(super) fn escalation_due(&mut self, now: Timestamp, number: RunNumber) {
        if let Some(run) = self.escalations.runs.get_mut(&number) {
            run.wake_at = None;
        }
        self.advance_run(now, number);
    }

    /// Does the next thing that is due and returns whether there was one.
    fn do_next_of_run(&mut self, now: Timestamp, number: RunNumber) -> bool {
        let Some(run) = self.escalations.runs.get(&number) else { return false };
        if run.next_deadline().is_none_or(|at| at > now) {
            return false;
        }
        match &run.state {
            RunState::Acknowledged { by, .. } => {
                let why = format!("the acknowledgement of {by} has lapsed");
                self.reopen_run(now, number, why, false);
            }
            RunState::Snoozed { .. } => {
                self.reopen_run(now, number, "the snooze is over".to_owned(), false);
            }
            RunState::Open => {
                if let Some(why) = self.what_holds(run, now) {
                    self.stand_still(now, number, why);
                    return false;
                }
                let Some(run) = self.escalations.runs.get_mut(&number) else { return false };
                self.recorder.runs.insert(number);
                let planned = run.planned.first().filter(|it| it.at <= now).map(|it| it.at);
                match (run.next.filter(|next| next.due_at <= now), planned) {
                    // Methods of an earlier step first, as long as they were due earlier.
                    (Some(next), planned) if planned.is_none_or(|at| next.due_at <= at) => {
                        self.reach(now, number, next);
                    }
                    (_, Some(_)) => {
                        let planned = run.planned.remove(0);
                        self.use_planned(now, number, planned);
                    }
                    (_, None) => self.tell_unanswered(now, number),
                }
            }
            RunState::Ended { .. } => return false,
        }
        true
    }

    pub(super) fn stand_still(&mut self, now: Timestamp, number: RunNumber, why: String) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let is_known = run.alerts.iter().any(|fp| self.alerts.contains_key(fp));
        let groups = run.alerts.iter().filter_map(|fp| self.alerts.get(fp));
        let mut groups = groups.flat_map(|alert| &alert.groups);
        let has_group = groups
            .any(|number| self.groups.get(number).is_some_and(|group| group.key == run.key.group));
        if !is_known || !has_group && self.policy.receiver(&run.key.receiver).is_none() {
            self.end_run(now, number, if is_known { End::Orphaned } else { End::AlertsResolved });
            return;
        }
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        // From when it was due: what was due then is due as soon as it goes on.
        run.still_since = Some(now);
        self.recorder.runs.insert(number);
        self.record(now, Event::EscalationStandsStill { run: number, why });
    }

    /// Carries out a step: whoever it means is paged.
    fn reach(&mut self, now: Timestamp, number: RunNumber, next: Next) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let policy = Arc::clone(&run.policy);
        let Some(step) = policy.steps.get(next.step) else {
            self.finish_steps(now, number);
            return;
        };
        let (round, severity) = (run.round, run.severity);
        let turn_key = (Arc::clone(&policy.name), next.step);
        let turn = self.escalations.turns.get(&turn_key).copied().unwrap_or(0);
        let problem =
            Problem { severity, category: &run.category, alerts: Some(&run.alerts), turn };
        let mut found = self.responders(&policy, step, problem, now);
        self.leave_out_unreachable(&mut found);
        if run.people.values().any(|paged| paged.acknowledged_at.is_some()) {
            // Somebody works on it; whoever else was asked still is, and nobody new.
            let is_asked = |person: &Handle| {
                run.people.get(person).is_some_and(|paged| paged.acknowledged_at.is_none())
            };
            found.people.retain(|(person, _)| is_asked(person));
            found.places.clear();
            if found.people.is_empty() {
                found.left_out = vec!["somebody works on it, and nobody new is asked".to_owned()];
            }
        }
        if step.round_robin && !found.is_empty() {
            self.escalations.turns.insert(turn_key.clone(), turn + found.passed + 1);
            self.recorder.turns.insert(turn_key);
        }
        let urgency = step.urgency.unwrap_or(urgency_of(severity));
        let skipped = found.skipped();
        let Found { people, places, left_out, .. } = found;
        let is_left = !skipped.is_empty() && step.skip_if_empty;
        self.record(
            now,
            Event::StepReached {
                run: number,
                round,
                step: next.step + 1,
                level: step.level.clone(),
                due_at: next.due_at,
                people: people.clone(),
                places: places.iter().map(crate::escalation::PlaceTarget::name).collect(),
                left_out,
                skipped: skipped.clone(),
            },
        );
        self.tell_asked(now, number, next.step, (&people, &places), &skipped);
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        run.note(Reached {
            round,
            step: next.step,
            due_at: next.due_at,
            at: now,
            people: people.iter().map(|(person, _)| person.clone()).collect(),
            skipped,
        });
        run.next = policy.after_step(next.step, round, severity, next.due_at, is_left);
        if run.next.is_some_and(|next| next.step == 0) {
            run.round += 1;
        }
        let is_last = run.next.is_none();
        run.unanswered_at = is_last.then(|| later(next.due_at, policy.repeat_after.of(severity)));
        for (person, why) in people {
            self.page_person(now, number, &person, next.step, why, urgency);
        }
        for place in places {
            self.page_place(now, number, place, next.step, urgency);
        }
        if is_last {
            self.finish_steps(now, number);
        }
    }

    /// Leaves out those whom nothing can reach, so that a step does not wait for them.
    pub(super) fn leave_out_unreachable(&self, found: &mut Found) {
        found.people.retain(|(person, _)| {
            let can_be_reached = self.contacts_of(person).usable().next().is_some();
            if !can_be_reached {
                found.left_out.push(format!("{person} has no contact method that can be used"));
            }
            can_be_reached
        });
    }

    /// The last step is done. When nobody was paged at all, somebody must hear of that.
    fn finish_steps(&mut self, now: Timestamp, number: RunNumber) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        run.next = None;
        if !run.people.is_empty() || !run.places.is_empty() {
            return;
        }
        run.unanswered_at = None;
        let (policy, title) = (Arc::clone(&run.policy), run.title.clone());
        let last = policy.steps.len().saturating_sub(1);
        let substitute = policy.default_on_call.clone().filter(|person| {
            let is_active = self.directory.person(person.as_str()).is_some_and(|it| it.is_active);
            is_active && self.contacts_of(person).usable().next().is_some()
        });
        if let Some(person) = substitute {
            let why = "nobody else was found, and the policy has them on call by default";
            self.page_person(now, number, &person, last, why.to_owned(), Urgency::High);
            return;
        }
        let text = format!("policy `{}` found nobody to page for {title}", policy.name);
        self.own_alert(now, "TocsinNobodyToPage", &[("policy", &policy.name)], &text);
    }

    /// Pages somebody by their rules.
    pub(super) fn page_person(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        person: &Handle,
        step: usize,
        why: String,
        urgency: Urgency,
    ) {
        let contacts = self.contacts_of(person);
        let plan: Vec<_> = contacts
            .rules
            .plan(&contacts, urgency)
            .into_iter()
            .map(|(after, method)| (later(now, after), method.id.clone()))
            .collect();
        let code = self.code_for(person, number);
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        let paged = run.people.entry(person.clone()).or_insert_with(|| PagedPerson {
            code,
            since: now,
            step,
            why: String::new(),
            acknowledged_at: None,
            receipts: BTreeMap::new(),
            used: BTreeSet::new(),
        });
        if paged.acknowledged_at.is_some() {
            return;
        }
        paged.step = step;
        paged.why = why;
        // Each step may use every method again.
        paged.used.clear();
        for (at, method) in plan {
            run.plan(Planned { at, person: person.clone(), method, urgency, step });
        }
        self.recorder.runs.insert(number);
        self.escalations.by_person.entry(person.clone()).or_default().insert(number);
    }

    /// Returns the short number by which a person answers: the one they know, else the smallest
    /// that is free.
    fn code_for(&mut self, person: &Handle, number: RunNumber) -> u32 {
        let known = self.escalations.runs.get(&number).and_then(|run| run.people.get(person));
        match known {
            Some(paged) => paged.code,
            None => self.escalations.codes.entry(person.clone()).or_default().take(),
        }
    }

    /// The escalation goes on after somebody had taken it: with the step it was at, or from the
    /// beginning.
    pub(super) fn reopen_run(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        why: String,
        from_start: bool,
    ) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        if run.state == RunState::Open || run.state.is_over() {
            return;
        }
        run.state = RunState::Open;
        run.reopened_at = Some(now);
        run.still_since = None;
        run.spare(None);
        for paged in run.people.values_mut() {
            paged.acknowledged_at = None;
            paged.used.clear();
        }
        let step = if from_start { 0 } else { run.current_step() };
        if from_start {
            run.round = 1;
        }
        run.next = Some(Next { step, due_at: now });
        self.recorder.runs.insert(number);
        let reason = why.clone();
        self.record(now, Event::EscalationReopened { run: number, step: step + 1, why });
        self.incident_given_back(now, number, &Author::system(), &reason);
        self.announce(now, number, None);
        self.advance_run(now, number);
    }

    /// Returns the open escalations that a person has acknowledged.
    pub(super) fn runs_acknowledged_by(&self, person: &Handle) -> Vec<RunNumber> {
        let is_theirs = |run: &&EscalationRun| matches!(&run.state, RunState::Acknowledged { by, .. } if by == person.as_str());
        let open = self.escalations.by_key.values();
        let open = open.filter_map(|number| self.escalations.runs.get(number));
        open.filter(is_theirs).map(|run| run.number).collect()
    }

    /// An escalation that nobody has taken is gone through again from its first step.
    pub(super) fn begin_again(&mut self, now: Timestamp, number: RunNumber, why: String) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        run.spare(None);
        for paged in run.people.values_mut() {
            paged.acknowledged_at = None;
            paged.used.clear();
        }
        run.round = 1;
        // Where nothing has to be disturbed for, it stands still again when this is due.
        run.still_since = None;
        run.next = Some(Next { step: 0, due_at: now });
        self.recorder.runs.insert(number);
        self.record(now, Event::EscalationReopened { run: number, step: 1, why });
    }

    /// The configuration is another one: who left is paged no more, and what no receiver pages
    /// for any more is over.
    pub(super) fn look_at_runs_after_reload(&mut self, now: Timestamp) {
        self.leave_runs_of_inactive(now);
        let orphaned = |run: &&EscalationRun| {
            let receiver = self.policy.receiver(&run.key.receiver);
            !run.alerts.is_empty() && receiver.is_none_or(|it| it.escalation_policy.is_none())
        };
        let open = self.escalations.by_key.values().filter_map(|it| self.escalations.runs.get(it));
        let orphaned: Vec<RunNumber> = open.filter(orphaned).map(|run| run.number).collect();
        for number in orphaned {
            self.end_run(now, number, End::Orphaned);
        }
        let open: Vec<RunNumber> = self.escalations.by_key.values().copied().collect();
        for number in open {
            self.look_at_run(now, number);
        }
    }

    fn leave_runs_of_inactive(&mut self, now: Timestamp) {
        let is_active = |handle: &Handle| {
            self.directory.person(handle.as_str()).is_some_and(|person| person.is_active)
        };
        let paged = self.escalations.by_person.keys();
        let left: Vec<Handle> = paged.filter(|handle| !is_active(handle)).cloned().collect();
        for leaver in left {
            let successor = self.substitute_of(&leaver);
            self.leave_runs(now, &leaver, successor.as_ref());
        }
    }

    /// Somebody leaves: what they worked on goes on, and where they were being paged their
    /// successor is. Returns the alerts that nobody works on any more by that.
    pub(super) fn leave_runs(
        &mut self,
        now: Timestamp,
        leaver: &Handle,
        successor: Option<&Handle>,
    ) -> BTreeSet<Fingerprint> {
        let mut reopened = BTreeSet::new();
        for number in self.runs_acknowledged_by(leaver) {
            let Some(run) = self.escalations.runs.get(&number) else { continue };
            let alerts = run.alerts.clone();
            for fingerprint in &alerts {
                let why = AcknowledgementEnd::TakenBack {
                    by: leaver.to_string(),
                    comment: format!("{leaver} has left"),
                };
                self.end_acknowledgement(now, *fingerprint, why);
            }
            reopened.extend(alerts);
            self.reopen_run(now, number, format!("{leaver} has left"), false);
        }
        let paged = self.escalations.by_person.remove(leaver).unwrap_or_default();
        for number in paged {
            let Some(run) = self.escalations.runs.get_mut(&number) else { continue };
            run.spare(Some(leaver));
            let Some(paged) = run.people.remove(leaver) else { continue };
            self.escalations.codes.remove(leaver);
            let is_open = run.state == RunState::Open;
            let urgency = urgency_of(run.severity);
            self.recorder.runs.insert(number);
            let is_paged = successor.is_some_and(|successor| run.people.contains_key(successor));
            if let Some(successor) = successor.filter(|_| is_open && !is_paged) {
                let why = format!("stands in for {leaver}, who has left");
                self.page_person(now, number, successor, paged.step, why, urgency);
            }
            self.advance_run(now, number);
        }
        reopened
    }

    /// An escalation is over.
    pub(super) fn end_run(&mut self, now: Timestamp, number: RunNumber, why: End) {
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        if run.state.is_over() {
            return;
        }
        let by = match &why {
            End::Resolved { by } => Some(by.clone()),
            _ => None,
        };
        run.state = RunState::Ended { at: now, why: why.clone() };
        run.next = None;
        run.still_since = None;
        run.spare(None);
        if let Some(at) = run.wake_at.take() {
            self.timers.remove(&(at, Timer::Escalation(number)));
        }
        let (key, alerts) = (run.key.clone(), run.alerts.clone());
        let people: Vec<(Handle, u32)> =
            run.people.iter().map(|(person, paged)| (person.clone(), paged.code)).collect();
        if self.escalations.by_key.get(&key) == Some(&number) {
            self.escalations.by_key.remove(&key);
        }
        for fingerprint in alerts {
            remove_from(&mut self.escalations.by_alert, &fingerprint, &number);
        }
        self.recorder.runs.insert(number);
        self.record(now, Event::EscalationEnded { run: number, why });
        self.announce(now, number, by.as_deref());
        for (person, code) in people {
            remove_from(&mut self.escalations.by_person, &person, &number);
            if let Some(codes) = self.escalations.codes.get_mut(&person) {
                codes.free(code);
            }
        }
        self.escalations.ended.insert((now, number));
    }

    /// Forgets escalations that ended long ago, and ends those of which nothing is left.
    pub(super) fn sweep_runs(&mut self, now: Timestamp) {
        let since = now.checked_sub(self.policy.escalation.remember).unwrap_or(Timestamp::MIN);
        while let Some((at, number)) = self.escalations.ended.first().copied() {
            if at > since && self.escalations.ended.len() <= MAX_REMEMBERED_RUNS {
                break;
            }
            self.escalations.ended.pop_first();
            if let Some(run) = self.escalations.runs.remove(&number) {
                self.forget_receipts(&run);
            }
        }
        let lost: Vec<RunNumber> = self
            .escalations
            .by_key
            .values()
            .filter_map(|number| self.escalations.runs.get(number))
            .filter(|run| !run.alerts.is_empty())
            .filter(|run| !run.alerts.iter().any(|fp| self.alerts.contains_key(fp)))
            .map(|run| run.number)
            .collect();
        for number in lost {
            self.end_run(now, number, End::AlertsResolved);
        }
    }

    /// Returns the number of open escalations that paged a person.
    pub(super) fn open_runs_of(&self, person: &Handle) -> usize {
        self.escalations.by_person.get(person).map_or(0, BTreeSet::len)
    }

    /// Alerts do not outlive a start here, so neither do the escalations about them.
    pub(super) fn forget_runs(&mut self, now: Timestamp, runs: Vec<EscalationRun>, pages: &[Page]) {
        self.recorder.finished_outbox.extend(pages.iter().map(|page| page.number));
        for mut run in runs.into_iter().filter(EscalationRun::is_open) {
            let number = run.number;
            let why = End::AlertsResolved;
            run.state = RunState::Ended { at: now, why: why.clone() };
            (run.next, run.still_since) = (None, None);
            run.spare(None);
            self.escalations.ended.insert((now, number));
            self.escalations.runs.insert(number, run);
            self.recorder.runs.insert(number);
            self.record(now, Event::EscalationEnded { run: number, why });
        }
    }

    /// Takes up the escalations that the store holds.
    pub(super) fn restore_runs(&mut self, now: Timestamp, runs: Vec<EscalationRun>) {
        for run in runs {
            let number = run.number;
            if let RunState::Ended { at, .. } = run.state {
                self.escalations.ended.insert((at, number));
            } else {
                self.escalations.by_key.insert(run.key.clone(), number);
                for fingerprint in &run.alerts {
                    self.escalations.by_alert.entry(*fingerprint).or_default().insert(number);
                }
                for (person, paged) in &run.people {
                    self.escalations.by_person.entry(person.clone()).or_default().insert(number);
                    self.escalations.codes.entry(person.clone()).or_default().hold(paged.code);
                }
            }
            self.restore_receipts(&run);
            self.escalations.runs.insert(number, run);
        }
        // Everything that waits is known before anything is sent, so that it is sent together.
        let open: Vec<RunNumber> = self.escalations.by_key.values().copied().collect();
        let mut recipients = BTreeSet::new();
        for number in &open {
            let waiting: Vec<Recipient> = self
                .escalations
                .runs
                .get(number)
                .map(|run| run.waiting.iter().map(|it| it.recipient.clone()).collect())
                .unwrap_or_default();
            for recipient in waiting {
                self.await_turn(*number, &recipient);
                recipients.insert(recipient);
            }
        }
        self.leave_runs_of_inactive(now);
        for recipient in recipients {
            if let Some(queue) = self.paging.queues.get_mut(&recipient) {
                queue.wake_at = Some(now);
                self.schedule(now, Timer::Method(recipient));
            }
        }
        for number in open {
            self.advance_run(now, number);
        }
    }
}

/// Returns whether somebody may be woken up for it.
pub(super) fn urgency_of(severity: Severity) -> Urgency {
    if severity.is_urgent() { Urgency::High } else { Urgency::Low }
}

/// Returns how long an acknowledgement of an escalation holds.
pub(super) fn acknowledged_until(run: &EscalationRun, now: Timestamp) -> Option<Timestamp> {
    let timeout: SignedDuration = run.policy.ack_timeout.as_ref()?.of(run.severity);
    (timeout > SignedDuration::ZERO).then(|| later(now, timeout))
}

pub(super) fn remove_from<K: Ord, V: Ord>(
    index: &mut BTreeMap<K, BTreeSet<V>>,
    key: &K,
    value: &V,
) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}
