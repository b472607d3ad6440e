//! A schedule that shows a difference is made smaller while it still shows one.

use super::schedule::{Action, Schedule};

/// Removes steps, many at first and then one by one.
///
/// Every question costs a run in real time, so candidates come in batches that can be played at
/// once, and there is a bound on all of them.
#[derive(Debug)]
pub struct Shrinker {
    smallest: Schedule,
    /// How many steps are taken away at once.
    size: usize,
    runs_left: usize,
    is_done: bool,
}

impl Shrinker {
    /// Begins with a schedule that shows a difference; at most `runs` candidates are proposed.
    pub fn new(schedule: Schedule, runs: usize) -> Self {
        let size = schedule.steps.len().div_ceil(2).max(1);
        Self { smallest: schedule, size, runs_left: runs, is_done: false }
    }

    /// Returns the next schedules to be tried, each smaller than the smallest so far; none when
    /// it is enough.
    pub fn candidates(&mut self) -> Vec<Schedule> {
        if self.is_done {
            return Vec::new();
        }
        let steps = &self.smallest.steps;
        let mut candidates: Vec<Schedule> = (0..steps.len())
            .step_by(self.size)
            .map(|from| {
                let gone = steps[from..].iter().take(self.size).map(|step| step.number);
                let gone: Vec<usize> = gone.collect();
                self.smallest.only(|step| !gone.contains(&step.number))
            })
            .collect();
        if self.size == 1 {
            candidates.extend(self.with_fewer_tellings());
        }
        candidates.truncate(self.runs_left);
        self.runs_left -= candidates.len();
        candidates
    }

    /// Takes the answer: which of the candidates still shows a difference, the first one if
    /// several do.
    pub fn answer(&mut self, candidate: Option<Schedule>) {
        match candidate {
            Some(smaller) => {
                self.smallest = smaller;
                self.size = self.size.min(self.smallest.steps.len().div_ceil(2)).max(1);
            }
            None if self.size > 1 => self.size = self.size.div_ceil(2),
            None => self.is_done = true,
        }
        self.is_done |= self.runs_left == 0 || self.smallest.steps.is_empty();
    }

    /// Returns the smallest schedule that still showed a difference.
    pub fn smallest(&self) -> &Schedule {
        &self.smallest
    }

    /// Returns the schedule with one alert less in one of its batches, in all ways.
    fn with_fewer_tellings(&self) -> Vec<Schedule> {
        let mut smaller = Vec::new();
        for (index, step) in self.smallest.steps.iter().enumerate() {
            let Action::Tell(tellings) = &step.action else { continue };
            for gone in (0..tellings.len()).filter(|_| tellings.len() > 1) {
                let mut candidate = self.smallest.clone();
                if let Action::Tell(tellings) = &mut candidate.steps[index].action {
                    tellings.remove(gone);
                }
                smaller.push(candidate);
            }
        }
        smaller
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::differences;
    use super::super::observe::Observed;
    use super::*;

    /// A side that sends a message for each alert it is told of, and forgets those with
    /// `forgotten` among their labels.
    fn play(schedule: &Schedule, forgotten: Option<&str>) -> Observed {
        let mut observed = Observed::new(0);
        for step in &schedule.steps {
            let Action::Tell(tellings) = &step.action else { continue };
            for telling in tellings {
                if forgotten.is_none_or(|value| !telling.labels.values().any(|v| v == value)) {
                    let body = serde_json::json!({"alerts": [{"labels": telling.labels}]});
                    observed.message(step.at + 205, 0, true, &body);
                }
            }
        }
        observed
    }

    fn shrink(schedule: Schedule, runs: usize) -> (Schedule, usize) {
        let mut shrinker = Shrinker::new(schedule, runs);
        let mut played = 0;
        loop {
            let candidates = shrinker.candidates();
            if candidates.is_empty() {
                return (shrinker.smallest().clone(), played);
            }
            played += candidates.len();
            let shows = |candidate: &Schedule| {
                !differences(&play(candidate, Some("h1")), &play(candidate, None)).is_empty()
            };
            shrinker.answer(candidates.into_iter().find(shows));
        }
    }

    #[test]
    fn a_difference_is_shrunk_to_the_one_alert_that_shows_it() {
        let (mut shrunk, mut largest) = (0, 0);
        for seed in 1..=50 {
            let schedule = Schedule::new(seed);
            if differences(&play(&schedule, Some("h1")), &play(&schedule, None)).is_empty() {
                continue;
            }
            let (smallest, played) = shrink(schedule, 200);
            assert_eq!(smallest.steps.len(), 1, "seed {seed}: {smallest:?}");
            let Action::Tell(tellings) = &smallest.steps[0].action else { panic!("{smallest:?}") };
            assert_eq!(tellings.len(), 1);
            assert_eq!(tellings[0].labels["instance"], "h1");
            shrunk += 1;
            largest = largest.max(played);
        }
        assert!(shrunk > 40, "{shrunk}");
        assert!(largest < 60, "{largest}");
    }

    #[test]
    fn it_ends_when_the_runs_are_used_up() {
        let (_, played) = shrink(Schedule::new(1), 5);
        assert!(played <= 5, "{played}");
    }
}
