//! Proves from what was written that every due step of an escalation ran.
//!
//! The engine that carries steps out is not asked: the history is played again beside the policy
//! as it was at the start, and each step that fell due without a word about it is named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::policy::EscalationPolicy;
use super::run::Next;
use crate::event::{Event, Recorded};
use crate::ids::RunNumber;
use crate::severity::Severity;

/// A step that fell due and never ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissedStep {
    /// When it was due.
    pub due_at: Timestamp,
    /// Which pass through the steps, counted from 1.
    pub round: u32,
    /// Which step, counted from 1.
    pub step: usize,
}

/// Follows a history and knows of every escalation in it what must have happened by now.
#[derive(Debug)]
pub struct StepAuditor {
    /// How late a step may be.
    grace: SignedDuration,
    /// When an engine began to work last: what fell due before counts from then.
    since: Timestamp,
    runs: BTreeMap<RunNumber, Replay>,
}

impl StepAuditor {
    /// The kinds of events that say how an escalation stands; it needs no others.
    pub const KINDS: [&'static str; 10] = [
        "escalation_started",
        "escalation_worsened",
        "step_reached",
        "escalation_stands_still",
        "escalation_went_on",
        "escalation_answered",
        "escalation_reopened",
        "escalation_ended",
        "step_missed",
        "engine_started",
    ];

    /// Starts with an empty history.
    pub fn new(grace: SignedDuration) -> Self {
        Self { grace, since: Timestamp::MIN, runs: BTreeMap::new() }
    }

    /// Returns how many escalations are followed: those that are open, and those that are over
    /// and miss a step that was not told yet.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns whether none is followed.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Follows one event; they come in the order of the history. `policy` is asked for the policy
    /// with which an escalation began; one whose policy or beginning is not known any more is left
    /// out, because nothing can be said about it.
    pub fn take(
        &mut self,
        recorded: &Recorded,
        policy: impl FnOnce(RunNumber) -> Option<Arc<EscalationPolicy>>,
    ) {
        match &recorded.event {
            Event::EngineStarted { .. } => {
                self.since = recorded.at;
                for replay in self.runs.values_mut() {
                    replay.excuse(recorded.at);
                }
            }
            Event::EscalationStarted { run, severity, .. } => {
                if let Some(policy) = policy(*run) {
                    self.runs.insert(*run, Replay::new(policy, recorded.at, *severity));
                }
            }
            event => {
                let (since, grace) = (self.since, self.grace);
                for run in event.runs() {
                    if let Some(replay) = self.runs.get_mut(run) {
                        replay.take(recorded, since, grace);
                    }
                }
            }
        }
    }

    /// Returns the steps that fell due before `now` and never ran, and that the history does not
    /// tell to be missed already. Forgets escalations that are over and of which all is told.
    pub fn look(&mut self, now: Timestamp) -> BTreeSet<(RunNumber, MissedStep)> {
        let mut found = BTreeSet::new();
        for (number, replay) in &self.runs {
            let mut missed = replay.missed.iter().map(|(_, step)| step.clone()).collect();
            if replay.can_miss(now, self.since, self.grace) {
                let mut ahead = replay.clone();
                ahead.look(now, self.since, self.grace, None);
                missed = ahead.missed.into_iter().map(|(_, step)| step).collect::<Vec<_>>();
            }
            let untold = missed.into_iter().filter(|step| !replay.told.contains(step));
            found.extend(untold.map(|step| (*number, step)));
        }
        self.runs.retain(|number, replay| {
            !replay.is_over || found.iter().any(|(missing, _)| missing == number)
        });
        found
    }
}

/// How an escalation must stand.
#[derive(Clone, Debug)]
struct Replay {
    policy: Arc<EscalationPolicy>,
    severity: Severity,
    next: Option<Next>,
    round: u32,
    still_since: Option<Timestamp>,
    /// Whether somebody has taken it, and until when.
    taken: Option<Option<Timestamp>>,
    is_over: bool,
    /// The step that was carried out last and paged somebody.
    last_step: usize,
    /// What is missing, and when that showed; the beginning of time for what no start excuses.
    missed: Vec<(Timestamp, MissedStep)>,
    /// What the history says is missing.
    told: BTreeSet<MissedStep>,
}

impl Replay {
    fn new(policy: Arc<EscalationPolicy>, at: Timestamp, severity: Severity) -> Self {
        let due_at = later(at, policy.delay_of(0, severity));
        Self {
            policy,
            severity,
            next: Some(Next { step: 0, due_at }),
            round: 1,
            still_since: None,
            taken: None,
            is_over: false,
            last_step: 0,
            missed: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    /// An engine began to work: what it recorded at that instant it could not do before.
    fn excuse(&mut self, at: Timestamp) {
        self.missed.retain(|(shown_at, _)| *shown_at < at);
    }

    /// Returns whether anything can be missing, quickly.
    fn can_miss(&self, now: Timestamp, since: Timestamp, grace: SignedDuration) -> bool {
        let due_at = match self.taken {
            Some(until) => until,
            None => self.next.map(|next| next.due_at),
        };
        !self.is_over
            && self.still_since.is_none()
            && due_at.is_some_and(|due_at| later(due_at.max(since), grace) < now)
    }

    /// Notes every step that must have run before `at` and did not. `reached` is the step that is
    /// told to have run then.
    fn look(
        &mut self,
        at: Timestamp,
        since: Timestamp,
        grace: SignedDuration,
        reached: Option<Next>,
    ) {
        if self.taken.is_some() && self.can_miss(at, since, grace) {
            // An acknowledgement or a snooze is over, and nobody is paged again.
            let until = self.taken.take().flatten();
            self.next = until.map(|due_at| Next { step: self.last_step, due_at });
        }
        while let Some(next) = self.next {
            let is_it = reached
                .is_some_and(|it| it.step == next.step && it.due_at <= later(next.due_at, grace));
            if is_it || self.taken.is_some() || self.still_since.is_some() || self.is_over {
                return;
            }
            // What comes after it ran, so it cannot run any more.
            let is_passed = reached.is_some() && next.due_at <= at;
            if !is_passed && !self.can_miss(at, since, grace) {
                return;
            }
            let missed = MissedStep { due_at: next.due_at, round: self.round, step: next.step + 1 };
            self.missed.push((if is_passed { Timestamp::MIN } else { at }, missed));
            self.follow(next, false);
        }
    }

    /// Plans what follows a step.
    fn follow(&mut self, done: Next, is_left: bool) {
        let Next { step, due_at } = done;
        self.next = self.policy.after_step(step, self.round, self.severity, due_at, is_left);
        if self.next.is_some_and(|next| next.step == 0) {
            self.round += 1;
        }
    }

    fn take(&mut self, recorded: &Recorded, since: Timestamp, grace: SignedDuration) {
        let at = recorded.at;
        match &recorded.event {
            Event::StepReached { round, step, due_at, skipped, .. } => {
                let reached = Next { step: step.saturating_sub(1), due_at: *due_at };
                self.look(at, since, grace, Some(reached));
                self.round = *round;
                let skips =
                    self.policy.steps.get(reached.step).is_some_and(|step| step.skip_if_empty);
                if skipped.is_empty() {
                    self.last_step = reached.step;
                }
                self.follow(reached, !skipped.is_empty() && skips);
            }
            // It stands still when something is due and nobody has to be disturbed.
            Event::EscalationStandsStill { .. } => {
                self.look(at, since, grace, None);
                self.still_since = Some(at);
            }
            Event::EscalationWentOn { stood_since, .. } => {
                self.still_since = None;
                if let Some(next) = &mut self.next {
                    next.due_at = later(next.due_at, at.duration_since(*stood_since));
                }
            }
            Event::EscalationWorsened { to, .. } => {
                self.look(at, since, grace, None);
                self.severity = *to;
                let from = self.still_since.unwrap_or(at);
                if let Some(next) = self.next.as_mut().filter(|_| self.taken.is_none()) {
                    let due_at = later(from, self.policy.delay_of(next.step, *to));
                    next.due_at = next.due_at.min(due_at);
                }
            }
            Event::EscalationAnswered { action, until, still_asked, .. } => {
                self.look(at, since, grace, None);
                match action.as_str() {
                    // Where everybody's counts, the others are still asked.
                    "acknowledge" if !still_asked.is_empty() => {}
                    "acknowledge" | "snooze" | "resolve" => {
                        (self.taken, self.still_since) = (Some(*until), None);
                    }
                    "escalate" => {
                        let count = self.policy.steps.len().max(1);
                        let following =
                            self.next.map_or((self.last_step + 1) % count, |next| next.step);
                        (self.taken, self.still_since) = (None, None);
                        self.next = Some(Next { step: following, due_at: at });
                    }
                    // That it goes on is an event of its own.
                    _ => {}
                }
            }
            Event::EscalationReopened { step, .. } => {
                if self.taken.is_none() {
                    self.look(at, since, grace, None);
                }
                (self.taken, self.still_since) = (None, None);
                self.next = Some(Next { step: step.saturating_sub(1), due_at: at });
            }
            Event::EscalationEnded { .. } => {
                self.look(at, since, grace, None);
                self.is_over = true;
            }
            Event::StepMissed { round, step, due_at, .. } => {
                self.told.insert(MissedStep { due_at: *due_at, round: *round, step: *step });
            }
            _ => {}
        }
    }
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::policy::Delay;
    use super::super::run::End;
    use super::*;
    use crate::identity::Handle;
    use crate::ids::{RunNumber, Sequence};

    const RUN: RunNumber = RunNumber(1);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    /// Ada at once, grace after 5 minutes, linus after 10 more; twice, 20 minutes apart.
    fn policy() -> EscalationPolicy {
        let step = |name: &str, minutes: u32| {
            let person = Handle::parse(name).unwrap();
            let mut step = EscalationPolicy::of_people(&[person]).steps.remove(0);
            step.after = Delay::Fixed { seconds: minutes * 60 };
            step
        };
        let mut policy = EscalationPolicy::of_people(&[]);
        policy.steps = vec![step("ada", 0), step("grace", 5), step("linus", 10)];
        policy.repeat = 1;
        policy.repeat_after = Delay::Fixed { seconds: 20 * 60 };
        policy
    }

    fn started() -> Event {
        Event::EscalationStarted {
            run: RUN,
            group: "g".into(),
            receiver: "r".into(),
            policy: "p".into(),
            severity: Severity::Sev2,
            title: String::new(),
            alerts: Vec::new(),
            why: String::new(),
        }
    }

    fn reached(round: u32, step: usize, due: i64) -> Event {
        let person = ["ada", "grace", "linus"][step - 1];
        Event::StepReached {
            run: RUN,
            round,
            step,
            level: "".into(),
            due_at: at(due),
            people: vec![(Handle::parse(person).unwrap(), String::new())],
            places: Vec::new(),
            left_out: Vec::new(),
            skipped: String::new(),
        }
    }

    fn answered(by: &str, action: &str) -> Event {
        Event::EscalationAnswered {
            run: RUN,
            by: by.to_owned(),
            action: action.into(),
            via: String::new(),
            comment: String::new(),
            until: None,
            still_asked: Vec::new(),
        }
    }

    fn ended() -> Event {
        Event::EscalationEnded { run: RUN, why: End::AlertsResolved }
    }

    fn missed(events: &[(i64, Event)], now: i64) -> Vec<(u32, usize, i64)> {
        missed_by(&policy(), events, &[], now)
    }

    fn auditor(policy: &EscalationPolicy, events: &[(i64, Event)], starts: &[i64]) -> StepAuditor {
        let start = |minute: &i64| {
            (*minute, Event::EngineStarted { alerts: 0, groups: 0, notifications: 0 })
        };
        // A start is told after what it brings about.
        let mut all: Vec<_> = events.iter().cloned().chain(starts.iter().map(start)).collect();
        all.sort_by_key(|(minute, _)| *minute);
        let policy = Arc::new(policy.clone());
        let mut auditor = StepAuditor::new(SignedDuration::from_secs(30));
        for (sequence, (minute, event)) in (1..).zip(all) {
            let recorded = Recorded { sequence: Sequence(sequence), at: at(minute), event };
            auditor.take(&recorded, |_| Some(Arc::clone(&policy)));
        }
        auditor
    }

    fn missed_by(
        policy: &EscalationPolicy,
        events: &[(i64, Event)],
        starts: &[i64],
        now: i64,
    ) -> Vec<(u32, usize, i64)> {
        let missed = auditor(policy, events, starts).look(at(now));
        let minute = |it: Timestamp| it.duration_since(at(0)).as_mins();
        let mut missed: Vec<_> =
            missed.iter().map(|(_, it)| (it.round, it.step, minute(it.due_at))).collect();
        missed.sort_by_key(|it| it.2);
        missed
    }

    /// Both passes, as they must be.
    fn whole() -> Vec<(i64, Event)> {
        let steps = [(1, 1, 0), (1, 2, 5), (1, 3, 15), (2, 1, 35), (2, 2, 40), (2, 3, 50)];
        let steps = steps.map(|(round, step, due)| (due, reached(round, step, due)));
        std::iter::once((0, started())).chain(steps).collect()
    }

    #[test]
    fn a_whole_history_misses_nothing() {
        assert_eq!(missed(&whole(), 500), []);
    }

    #[test]
    fn each_event_that_is_dropped_is_found() {
        let all = whole();
        for dropped in 1..all.len() {
            let mut events = all.clone();
            let (_, event) = events.remove(dropped);
            let Event::StepReached { round, step, due_at, .. } = event else { panic!() };
            let due = due_at.duration_since(at(0)).as_mins();
            assert_eq!(missed(&events, 500), [(round, step, due)], "without event {dropped}");
        }
    }

    #[test]
    fn a_step_that_is_due_now_has_its_grace() {
        assert_eq!(missed(&whole()[..2], 5), []);
        assert_eq!(missed(&whole()[..2], 6), [(1, 2, 5)]);
    }

    #[test]
    fn what_was_acknowledged_snoozed_or_over_is_not_due() {
        let begin = || whole()[..2].to_vec();
        for event in [answered("ada", "acknowledge"), answered("x", "snooze"), ended()] {
            let mut events = begin();
            events.push((2, event));
            assert_eq!(missed(&events, 500), []);
        }
        let mut late = begin();
        late.push((9, answered("ada", "acknowledge")));
        assert_eq!(missed(&late, 500), [(1, 2, 5)]);
    }

    #[test]
    fn an_acknowledgement_that_lapses_makes_its_step_due_again() {
        let reopened = Event::EscalationReopened { run: RUN, step: 1, why: "it lapsed".to_owned() };
        let mut events = whole()[..2].to_vec();
        events.extend([(2, answered("ada", "acknowledge")), (32, reopened)]);
        assert_eq!(missed(&events, 33), [(1, 1, 32)]);
        events.push((32, reached(1, 1, 32)));
        assert_eq!(missed(&events, 33), []);
        assert_eq!(missed(&events, 40), [(1, 2, 37)]);
    }

    #[test]
    fn time_that_stood_still_does_not_count() {
        let still = Event::EscalationStandsStill { run: RUN, why: String::new() };
        let went_on = Event::EscalationWentOn { run: RUN, stood_since: at(5) };
        let mut events = whole()[..2].to_vec();
        events.push((5, still));
        assert_eq!(missed(&events, 500), []);
        events.push((65, went_on));
        assert_eq!(missed(&events, 67), [(1, 2, 65)]);
        events.push((65, reached(1, 2, 65)));
        assert_eq!(missed(&events, 70), []);
    }

    #[test]
    fn what_got_worse_is_due_earlier() {
        let mut policy = policy();
        policy.steps[1].after = Delay::BySeverity;
        let worse =
            Event::EscalationWorsened { run: RUN, from: Severity::Sev2, to: Severity::Sev1 };
        let mut events = whole()[..2].to_vec();
        assert_eq!(missed_by(&policy, &events, &[], 14), []);
        events.push((2, worse));
        assert_eq!(missed_by(&policy, &events, &[], 14), [(1, 2, 7)]);
    }

    #[test]
    fn somebody_escalates_by_hand() {
        let mut events = whole()[..2].to_vec();
        events.push((1, answered("ada", "escalate")));
        assert_eq!(missed(&events, 3), [(1, 2, 1)]);
        events.push((1, reached(1, 2, 1)));
        assert_eq!(missed(&events, 3), []);
    }

    #[test]
    fn where_everybody_has_to_answer_the_steps_go_on_until_all_have() {
        let mut events = whole()[..3].to_vec();
        let Event::EscalationAnswered { run, by, action, via, comment, until, .. } =
            answered("ada", "acknowledge")
        else {
            panic!()
        };
        let still_asked = vec![Handle::parse("grace").unwrap()];
        let answer =
            Event::EscalationAnswered { run, by, action, via, comment, until, still_asked };
        events.push((6, answer));
        assert_eq!(missed(&events, 16), [(1, 3, 15)]);
        events.push((7, answered("grace", "acknowledge")));
        assert_eq!(missed(&events, 500), []);
    }

    #[test]
    fn an_acknowledgement_that_never_lapses_is_a_missed_step() {
        let mut events = whole()[..3].to_vec();
        let mut answer = answered("ada", "acknowledge");
        if let Event::EscalationAnswered { until, .. } = &mut answer {
            *until = Some(at(36));
        }
        events.push((6, answer));
        assert_eq!(missed(&events, 36), []);
        assert_eq!(missed(&events, 37), [(1, 2, 36)]);
    }

    #[test]
    fn what_was_told_is_not_told_again_and_what_is_over_is_forgotten() {
        let mut events = whole()[..2].to_vec();
        let told = Event::StepMissed { run: RUN, round: 1, step: 2, due_at: at(5) };
        events.push((7, told));
        assert_eq!(missed(&events, 8), []);
        events.push((9, ended()));
        let mut auditor = auditor(&policy(), &events, &[]);
        assert_eq!(auditor.len(), 1);
        assert!(auditor.look(at(10)).is_empty() && auditor.is_empty());
    }

    #[test]
    fn who_is_over_is_followed_until_its_missing_step_is_told() {
        let mut events = whole()[..2].to_vec();
        events.push((9, ended()));
        let mut auditor = auditor(&policy(), &events, &[]);
        assert_eq!(auditor.look(at(10)).len(), 1);
        assert_eq!(auditor.look(at(500)).len(), 1, "until the history has it");
    }

    #[test]
    fn what_fell_due_while_we_were_down_counts_from_the_start() {
        let mut events = whole()[..2].to_vec();
        assert_eq!(missed_by(&policy(), &events, &[60], 60), []);
        assert_eq!(missed_by(&policy(), &events, &[60], 62).len(), 5);
        events.extend([(60, reached(1, 2, 5)), (60, reached(1, 3, 15)), (60, reached(2, 1, 35))]);
        events.extend([(60, reached(2, 2, 40)), (60, reached(2, 3, 50))]);
        assert_eq!(missed_by(&policy(), &events, &[60], 62), []);
    }

    #[test]
    fn a_history_without_its_beginning_says_nothing() {
        assert_eq!(missed(&whole()[1..], 500), []);
        assert_eq!(missed(&[], 500), []);
    }
}
