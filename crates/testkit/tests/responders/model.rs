//! What is documented about steps and pages, as plainly as it can be written: one list of
//! escalations, walked through time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::paging::Action;

use super::house::{Act, House, PERSON, SCHEDULE, start};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reached {
    pub(crate) run: u64,
    pub(crate) at: Timestamp,
    pub(crate) due_at: Timestamp,
    pub(crate) round: u32,
    /// Counted from 1.
    pub(crate) step: usize,
    pub(crate) who: Vec<String>,
    pub(crate) is_skipped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Paged {
    pub(crate) at: Timestamp,
    pub(crate) run: u64,
    pub(crate) person: String,
}

#[derive(Debug)]
struct Run {
    is_critical: bool,
    is_over: bool,
    /// Whether somebody has it or it is snoozed, and until when.
    taken: Option<Option<Timestamp>>,
    /// Who has it; nobody when it is snoozed.
    taken_by: Option<usize>,
    next: Option<(usize, Timestamp)>,
    round: u32,
    last_step: usize,
    paged: BTreeSet<usize>,
    answered: BTreeSet<usize>,
    /// Messages to come.
    planned: BTreeSet<(Timestamp, usize)>,
}

pub(crate) struct Model {
    house: House,
    now: Timestamp,
    runs: Vec<Run>,
    fired: BTreeSet<usize>,
    /// How often a step that goes round was reached.
    turns: BTreeMap<usize, usize>,
    pub(crate) steps: Vec<Reached>,
    pub(crate) pages: Vec<Paged>,
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

impl Model {
    pub(crate) fn new(house: House, now: Timestamp) -> Self {
        Self {
            house,
            now,
            runs: Vec::new(),
            fired: BTreeSet::new(),
            turns: BTreeMap::new(),
            steps: Vec::new(),
            pages: Vec::new(),
        }
    }

    /// Lets time pass: whatever falls due is done at its own instant.
    pub(crate) fn advance(&mut self, until: Timestamp) {
        loop {
            let due = (0..self.runs.len()).filter_map(|it| Some((self.runs[it].due_at()?, it)));
            let Some((at, run)) = due.min().filter(|(at, _)| *at <= until) else { break };
            self.now = self.now.max(at);
            self.catch_up(run);
        }
        self.now = until;
    }

    /// Nothing happens until then, and everything that fell due at once then.
    pub(crate) fn restart(&mut self, up: Timestamp) {
        self.now = up;
        // In the order in which they had to be looked at first.
        let due = (0..self.runs.len()).filter_map(|it| Some((self.runs[it].due_at()?, it)));
        let mut due: Vec<_> = due.filter(|(at, _)| *at <= up).collect();
        due.sort();
        for (_, run) in due {
            self.catch_up(run);
        }
    }

    pub(crate) fn act(&mut self, now: Timestamp, act: &Act) {
        self.now = now;
        match act {
            Act::Fire(index) if self.fired.insert(*index) => {
                let is_critical = index % 2 == 0;
                let due_at = now + self.delay(0, is_critical);
                self.runs.push(Run {
                    is_critical,
                    is_over: false,
                    taken: None,
                    taken_by: None,
                    next: Some((0, due_at)),
                    round: 1,
                    last_step: 0,
                    paged: BTreeSet::new(),
                    answered: BTreeSet::new(),
                    planned: BTreeSet::new(),
                });
                self.catch_up(self.runs.len() - 1);
            }
            Act::Answer { run, person, action } => {
                let index = usize::try_from(*run).unwrap() - 1;
                if index < self.runs.len() && !self.runs[index].is_over {
                    self.answer(index, *person, *action);
                    self.catch_up(index);
                }
            }
            _ => {}
        }
    }

    fn delay(&self, step: usize, is_critical: bool) -> SignedDuration {
        let (critical, warning) = self.house.steps[step].after;
        minutes(if is_critical { critical } else { warning })
    }

    /// Does all that is due of one escalation.
    fn catch_up(&mut self, index: usize) {
        while let Some(at) = self.runs[index].due_at().filter(|at| *at <= self.now) {
            let run = &mut self.runs[index];
            if run.taken.is_some() {
                run.reopen(self.now);
                continue;
            }
            match run.next {
                Some((step, due_at)) if due_at == at => self.reach(index, step, due_at),
                _ => {
                    let (_, person) = run.planned.pop_first().unwrap();
                    self.page(index, person);
                }
            }
        }
    }

    fn reach(&mut self, index: usize, step: usize, due_at: Timestamp) {
        let mut who = self.whom(step, self.runs[index].is_critical);
        let spec = self.house.steps[step].clone();
        let now = self.now;
        let count = self.house.steps.len();
        let run = &mut self.runs[index];
        if !run.answered.is_empty() {
            who.retain(|it| run.paged.contains(it) && !run.answered.contains(it));
        }
        if spec.is_round_robin && !who.is_empty() {
            // The one whose turn it was, and those before that could not be reached.
            let turn = self.turns.entry(step).or_default();
            let length = spec.targets.len();
            while PERSON.get(spec.targets[*turn % length]) == Some(&"mute") {
                *turn += 1;
            }
            *turn += 1;
        }
        let mut names: Vec<String> = who.iter().map(|it| PERSON[*it].to_owned()).collect();
        names.sort();
        let is_skipped = who.is_empty();
        let number = index as u64 + 1;
        let (round, is_critical) = (run.round, run.is_critical);
        self.steps.push(Reached {
            run: number,
            at: now,
            due_at,
            round,
            step: step + 1,
            who: names,
            is_skipped,
        });
        if !is_skipped {
            run.last_step = step;
        }
        run.paged.extend(&who);
        let unanswered = who.iter().filter(|it| !run.answered.contains(it));
        run.planned.extend(unanswered.map(|it| (now, *it)));
        let next = if step + 1 < count {
            let is_left = is_skipped && spec.skips_if_empty;
            let span = if is_left { minutes(0) } else { self.delay(step + 1, is_critical) };
            Some((step + 1, due_at + span))
        } else if round <= self.house.repeat {
            Some((0, due_at + minutes(self.house.repeat_after)))
        } else {
            None
        };
        let run = &mut self.runs[index];
        run.next = next;
        if next.is_some_and(|(step, _)| step == 0) {
            run.round += 1;
        }
    }

    /// Returns whom a step means now.
    fn whom(&self, step: usize, is_critical: bool) -> Vec<usize> {
        let spec = &self.house.steps[step];
        if spec.only_critical.is_some_and(|only| only != is_critical) {
            return Vec::new();
        }
        let can_be_reached = |person: &usize| PERSON[*person] != "mute";
        let people = spec.targets.iter().map(|target| match *target {
            SCHEDULE => self.on_call(),
            person => person,
        });
        let people: Vec<usize> = people.collect();
        if spec.is_round_robin {
            let turn = self.turns.get(&step).copied().unwrap_or(0);
            let in_order = (0..people.len()).map(|it| people[(turn + it) % people.len()]);
            return in_order.filter(can_be_reached).take(1).collect();
        }
        let people: BTreeSet<usize> = people.into_iter().filter(can_be_reached).collect();
        people.into_iter().collect()
    }

    /// Ada and grace take turns of a day, from nine to nine in Berlin; linus stands in for ada.
    fn on_call(&self) -> usize {
        let local = self.now.to_zoned(TimeZone::get("Europe/Berlin").unwrap());
        let first = jiff::civil::date(2026, 3, 2);
        let mut days = i64::from(first.until(local.date()).unwrap().get_days());
        if local.time() < Time::constant(9, 0, 0, 0) {
            days -= 1;
        }
        let by_turn = usize::try_from(days.rem_euclid(2)).unwrap();
        let from = start() + minutes(self.house.override_from);
        let to = from + minutes(self.house.override_for);
        if by_turn == 0 && from <= self.now && self.now < to { 2 } else { by_turn }
    }

    /// A message is due: at once, or when the person's quiet hours are over.
    fn page(&mut self, index: usize, person: usize) {
        let run = &mut self.runs[index];
        if let Some((from, to)) = self.house.quiet.filter(|_| person == 1 && !run.is_critical) {
            let zone = TimeZone::get(self.house.grace_zone).unwrap();
            let local = self.now.to_zoned(zone.clone());
            let hour = local.time().hour();
            let is_quiet =
                if from < to { from <= hour && hour < to } else { from <= hour || hour < to };
            if is_quiet {
                let is_tomorrow = hour >= to;
                let day = if is_tomorrow { local.date().tomorrow().unwrap() } else { local.date() };
                let end = day.at(to, 0, 0, 0).to_zoned(zone).unwrap().timestamp();
                run.planned.insert((end, person));
                return;
            }
        }
        let person = PERSON[person].to_owned();
        self.pages.push(Paged { at: self.now, run: index as u64 + 1, person });
    }

    fn answer(&mut self, index: usize, person: usize, action: Action) {
        let (now, count) = (self.now, self.house.steps.len());
        let until = self.house.ack_timeout.map(|it| now + minutes(it));
        let needs_all = self.house.needs_all;
        let run = &mut self.runs[index];
        match action {
            Action::Acknowledge => {
                let was_asked = run.paged.contains(&person);
                if run.taken_by == Some(person)
                    || needs_all && was_asked && run.answered.contains(&person)
                {
                    return;
                }
                if was_asked {
                    run.answered.insert(person);
                    run.planned.retain(|(_, it)| *it != person);
                }
                if needs_all && was_asked && run.paged.len() > run.answered.len() {
                    return;
                }
                (run.taken, run.taken_by) = (Some(until), Some(person));
                run.planned.clear();
            }
            Action::Unacknowledge => {
                if run.taken.is_some() {
                    run.reopen(now);
                }
            }
            Action::Escalate => {
                let following = run.next.map_or((run.last_step + 1) % count, |(step, _)| step);
                if run.taken.is_some() {
                    run.answered.clear();
                }
                (run.taken, run.taken_by) = (None, None);
                run.next = Some((following, now));
            }
            Action::Resolve => {
                run.is_over = true;
                run.planned.clear();
            }
            Action::Snooze { span } => {
                (run.taken, run.taken_by) = (Some(Some(now + span)), None);
                run.planned.clear();
            }
        }
    }
}

impl Run {
    /// Returns when something of it is due.
    fn due_at(&self) -> Option<Timestamp> {
        if self.is_over {
            return None;
        }
        if let Some(until) = self.taken {
            return until;
        }
        let planned = self.planned.first().map(|(at, _)| *at);
        self.next.map(|(_, at)| at).into_iter().chain(planned).min()
    }

    /// It goes on with the step it was at.
    fn reopen(&mut self, now: Timestamp) {
        (self.taken, self.taken_by) = (None, None);
        self.answered.clear();
        self.planned.clear();
        self.next = Some((self.last_step, now));
    }
}
