//! When an incident stood where: an interval for each status, a cycle for each time it was open.
//!
//! What happens never overwrites what was: when an incident is reopened another cycle begins, and
//! what the first one took can still be read. Times that were written down wrongly are set right by
//! [`Record::correct`].

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ResolutionCode, Status, TimeField};

/// The most cycles of one incident; what comes back after that is another incident.
pub const MAX_CYCLES: usize = 200;

/// The most intervals that are kept; the oldest go first, and the cycles keep their times.
pub const MAX_INTERVALS: usize = 1_000;

/// Whether an incident is one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is.
    #[default]
    Real,
    /// Somebody tries something out.
    Test,
    /// People practise.
    Drill,
    /// It was, and is written down afterwards; nobody is told of it.
    Backfilled,
}

impl Mode {
    /// All, in the order of the manual.
    pub const ALL: [Self; 4] = [Self::Real, Self::Test, Self::Drill, Self::Backfilled];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Test => "test",
            Self::Drill => "drill",
            Self::Backfilled => "backfilled",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|mode| mode.as_str() == lower)
    }
}

/// One stay in one status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// In which cycle, counted from 1.
    pub cycle: u32,
    /// Where it stood.
    pub status: Status,
    /// Since when.
    pub entered_at: Timestamp,
    /// Until when; `None` for still.
    pub left_at: Option<Timestamp>,
    /// Who moved it there.
    pub by: String,
}

/// One time that an incident was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Counted from 1.
    pub number: u32,
    /// When it began: detected, or reopened.
    pub opened_at: Timestamp,
    /// When somebody took it first.
    pub acknowledged_at: Option<Timestamp>,
    /// Whether they did so by going to work rather than by saying so.
    #[serde(default)]
    pub is_acknowledged_implicitly: bool,
    /// When the search for the cause began.
    pub investigating_at: Option<Timestamp>,
    /// When the cause was known; a cause that turned out wrong does not count.
    pub identified_at: Option<Timestamp>,
    /// When something began to be done against it.
    pub mitigating_at: Option<Timestamp>,
    /// When what was done held.
    pub mitigated_at: Option<Timestamp>,
    /// Whether that is only when it was resolved, since nobody watched it before.
    #[serde(default)]
    pub is_mitigation_assumed: bool,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// How it ended.
    pub resolution: Option<ResolutionCode>,
    /// When nothing was left to do.
    pub closed_at: Option<Timestamp>,
    /// The times that somebody named rather than that they were seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub given: BTreeSet<TimeField>,
}

/// Where an incident stood when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Record {
    /// Never empty; the last one is the present one.
    cycles: Vec<Cycle>,
    /// Never empty, without gaps; the last one goes on.
    intervals: Vec<Interval>,
}

/// In which time it is counted how often an incident was opened again.
pub const FLAP_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// What is opened again so often in that time comes and goes.
const FLAPS_FROM: usize = 3;

/// The longest that nothing may fire until what comes and goes is over.
const MAX_FLAP_DELAY: SignedDuration = SignedDuration::from_hours(1);

/// A record as it is read, before it is known to be whole.
#[derive(Deserialize)]
struct Written {
    cycles: Vec<Cycle>,
    intervals: Vec<Interval>,
}

impl TryFrom<Written> for Record {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { cycles, intervals } = written;
        if cycles.is_empty() || intervals.is_empty() {
            return Err("a record of an incident without a beginning");
        }
        Ok(Self { cycles, intervals })
    }
}

impl Cycle {
    fn new(number: u32, opened_at: Timestamp) -> Self {
        Self {
            number,
            opened_at,
            acknowledged_at: None,
            is_acknowledged_implicitly: false,
            investigating_at: None,
            identified_at: None,
            mitigating_at: None,
            mitigated_at: None,
            is_mitigation_assumed: false,
            resolved_at: None,
            resolution: None,
            closed_at: None,
            given: BTreeSet::new(),
        }
    }
}

impl Record {
    /// Begins with an incident that was detected.
    pub fn new(detected_at: Timestamp, by: &str) -> Self {
        let first = Interval {
            cycle: 1,
            status: Status::Detected,
            entered_at: detected_at,
            left_at: None,
            by: by.to_owned(),
        };
        Self { cycles: vec![Cycle::new(1, detected_at)], intervals: vec![first] }
    }

    /// Returns where it stands.
    pub fn status(&self) -> Status {
        self.intervals.last().map_or(Status::Detected, |it| it.status)
    }

    /// Returns since when.
    pub fn status_since(&self) -> Timestamp {
        self.intervals.last().map_or(Timestamp::MIN, |it| it.entered_at)
    }

    /// Returns when it was detected first.
    pub fn detected_at(&self) -> Timestamp {
        self.cycles.first().map_or(Timestamp::MIN, |it| it.opened_at)
    }

    /// Returns all cycles, the present one last.
    pub fn cycles(&self) -> &[Cycle] {
        &self.cycles
    }

    pub(super) fn cycles_mut(&mut self) -> &mut [Cycle] {
        &mut self.cycles
    }

    pub(super) fn intervals_mut(&mut self) -> &mut Vec<Interval> {
        &mut self.intervals
    }

    /// Returns the present cycle.
    #[expect(clippy::missing_panics_doc, reason = "a record is never without a cycle")]
    pub fn cycle(&self) -> &Cycle {
        self.cycles.last().expect("a record begins with a cycle and loses none")
    }

    /// Returns where it stood, the oldest first.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// Returns how often it was reopened.
    pub fn reopened(&self) -> usize {
        self.cycles.len() - 1
    }

    /// Returns how often it was opened again in the [`FLAP_WINDOW`] up to when it was last.
    pub fn reopened_lately(&self) -> usize {
        let last = self.cycle().opened_at;
        let since = last.checked_sub(FLAP_WINDOW).unwrap_or(Timestamp::MIN);
        self.cycles.iter().skip(1).filter(|it| it.opened_at > since).count()
    }

    /// Returns whether it ends and begins again so often that it is left open for longer.
    pub fn flaps(&self) -> bool {
        self.reopened_lately() >= FLAPS_FROM
    }

    /// Returns how long nothing may fire until it is over, where `usual` is that for others: twice
    /// as long with every time that it came back lately, an hour at most.
    pub fn resolve_delay(&self, usual: SignedDuration) -> SignedDuration {
        let times = (self.reopened_lately() + 1).saturating_sub(FLAPS_FROM);
        let most = MAX_FLAP_DELAY.max(usual);
        (0..times).fold(usual, |delay, _| delay.saturating_mul(2).min(most))
    }

    /// Returns whether another cycle may begin.
    pub fn may_reopen(&self) -> bool {
        self.cycles.len() < MAX_CYCLES
    }

    /// Moves to another status at `now`; whether that is allowed has been decided before. A person
    /// who leaves [`Status::Detected`] acknowledges by that. Going there again changes nothing.
    pub fn enter(
        &mut self,
        now: Timestamp,
        to: Status,
        by: &str,
        is_person: bool,
        resolution: Option<ResolutionCode>,
    ) {
        let from = self.status();
        if from == to {
            return;
        }
        // A clock that steps back leaves no interval that ends before it begins.
        let now = now.max(self.status_since());
        if !from.is_active() && to.is_active() {
            let number = self.cycle().number + 1;
            self.cycles.push(Cycle::new(number, now));
        }
        if let Some(last) = self.intervals.last_mut() {
            last.left_at = Some(now);
        }
        if self.intervals.len() >= MAX_INTERVALS {
            self.intervals.remove(0);
        }
        let cycle = self.cycle().number;
        self.intervals.push(Interval {
            cycle,
            status: to,
            entered_at: now,
            left_at: None,
            by: by.to_owned(),
        });
        if let Some(cycle) = self.cycles.last_mut() {
            stamp(cycle, now, (from, to), is_person, resolution);
        }
    }
}

fn stamp(
    cycle: &mut Cycle,
    now: Timestamp,
    (from, to): (Status, Status),
    is_person: bool,
    resolution: Option<ResolutionCode>,
) {
    let is_taken = to == Status::Acknowledged;
    let is_taken_by_work = is_person && to > Status::Acknowledged && to != Status::Closed;
    if cycle.acknowledged_at.is_none() && (is_taken || is_taken_by_work) {
        cycle.acknowledged_at = Some(now);
        cycle.is_acknowledged_implicitly = !is_taken;
    }
    if to.is_active() && to < from {
        // It did not hold, or was not the cause: what comes next counts.
        if to <= Status::Mitigating {
            cycle.mitigated_at = None;
        }
        if to <= Status::Investigating {
            cycle.identified_at = None;
        }
    }
    match to {
        Status::Investigating => {
            cycle.investigating_at.get_or_insert(now);
        }
        Status::Identified => {
            cycle.identified_at.get_or_insert(now);
        }
        Status::Mitigating => {
            cycle.mitigating_at.get_or_insert(now);
        }
        Status::Monitoring => {
            cycle.mitigated_at.get_or_insert(now);
        }
        Status::Resolved => {
            cycle.resolved_at = Some(now);
            cycle.resolution = resolution;
            if cycle.mitigated_at.is_none() {
                cycle.mitigated_at = Some(now);
                cycle.is_mitigation_assumed = true;
            }
        }
        Status::Closed => cycle.closed_at = Some(now),
        Status::Detected | Status::Acknowledged => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Rule, rule};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_record_without_a_beginning_is_not_read() {
        let whole = serde_json::to_value(Record::new(Timestamp::UNIX_EPOCH, "ada")).unwrap();
        assert!(serde_json::from_value::<Record>(whole.clone()).is_ok());
        for part in ["cycles", "intervals"] {
            let mut broken = whole.clone();
            broken[part] = serde_json::json!([]);
            let error = serde_json::from_value::<Record>(broken).unwrap_err();
            assert!(error.to_string().contains("without a beginning"), "{part}: {error}");
        }
    }

    #[test]
    fn skipped_statuses_get_no_time_and_work_acknowledges() {
        let mut record = Record::new(at(0), "tocsin");
        record.enter(at(60), Status::Identified, "ada", true, None);
        let cycle = record.cycle();
        assert_eq!(cycle.acknowledged_at, Some(at(60)));
        assert!(cycle.is_acknowledged_implicitly);
        assert_eq!((cycle.investigating_at, cycle.identified_at), (None, Some(at(60))));
        record.enter(at(120), Status::Resolved, "ada", true, Some(ResolutionCode::Fixed));
        let cycle = record.cycle();
        assert_eq!((cycle.mitigated_at, cycle.is_mitigation_assumed), (Some(at(120)), true));
    }

    #[test]
    fn the_engine_does_not_acknowledge() {
        let mut record = Record::new(at(0), "tocsin");
        let code = Some(ResolutionCode::SelfRecovered);
        record.enter(at(60), Status::Resolved, "tocsin", false, code);
        assert_eq!(record.cycle().acknowledged_at, None);
        assert_eq!(record.cycle().resolution, code);
    }

    #[test]
    fn a_cause_that_was_wrong_and_a_repair_that_did_not_hold_do_not_count() {
        let mut record = Record::new(at(0), "tocsin");
        for (second, status) in [
            (10, Status::Acknowledged),
            (20, Status::Identified),
            (30, Status::Monitoring),
            (40, Status::Investigating),
            (50, Status::Identified),
            (60, Status::Monitoring),
        ] {
            record.enter(at(second), status, "ada", true, None);
        }
        let cycle = record.cycle();
        assert_eq!((cycle.identified_at, cycle.mitigated_at), (Some(at(50)), Some(at(60))));
        assert_eq!(cycle.acknowledged_at, Some(at(10)));
        assert!(!cycle.is_acknowledged_implicitly);
    }

    #[test]
    fn reopening_begins_a_cycle_and_keeps_the_earlier_one() {
        let mut record = Record::new(at(0), "tocsin");
        record.enter(at(10), Status::Acknowledged, "ada", true, None);
        record.enter(at(20), Status::Resolved, "ada", true, Some(ResolutionCode::Fixed));
        record.enter(at(30), Status::Detected, "tocsin", false, None);
        assert_eq!((record.cycles().len(), record.reopened()), (2, 1));
        let [first, second] = record.cycles() else { panic!("two cycles") };
        assert_eq!(
            (first.resolved_at, first.resolution),
            (Some(at(20)), Some(ResolutionCode::Fixed))
        );
        assert_eq!((second.opened_at, second.acknowledged_at), (at(30), None));
        assert_eq!((record.detected_at(), record.status()), (at(0), Status::Detected));
    }

    proptest! {
        /// Whatever is done in whatever order: no gap, no two open cycles, times in order, and the
        /// times of the cycle are those of its intervals.
        #[test]
        fn intervals_and_cycles_agree(moves in proptest::collection::vec((0_usize..8, 0_i64..100, any::<bool>()), 0..80)) {
            let mut record = Record::new(at(0), "tocsin");
            let mut now = 0;
            for (to, pause, is_person) in moves {
                let to = Status::ALL[to];
                if rule(record.status(), to) == Rule::Never {
                    continue;
                }
                now += pause;
                let code = (to == Status::Resolved).then_some(ResolutionCode::Fixed);
                record.enter(at(now), to, "ada", is_person, code);
            }
            for pair in record.intervals().windows(2) {
                prop_assert_eq!(pair[0].left_at, Some(pair[1].entered_at));
                prop_assert!(pair[0].status != pair[1].status);
            }
            let open = record.intervals().iter().filter(|it| it.left_at.is_none()).count();
            prop_assert_eq!(open, 1);
            let (present, earlier) = record.cycles().split_last().unwrap();
            prop_assert!(earlier.iter().all(|it| it.resolved_at.is_some()));
            prop_assert_eq!(present.resolved_at.is_none(), record.status().is_active());
            for cycle in record.cycles() {
                let of = |status| {
                    let of_cycle = record.intervals().iter().filter(|it| it.cycle == cycle.number);
                    of_cycle.filter(move |it| it.status == status).map(|it| it.entered_at)
                };
                prop_assert_eq!(cycle.resolved_at, of(Status::Resolved).next());
                prop_assert_eq!(cycle.closed_at, of(Status::Closed).next());
                if let Some(identified_at) = cycle.identified_at {
                    prop_assert!(of(Status::Identified).any(|it| it == identified_at));
                }
                let times = [Some(cycle.opened_at), cycle.acknowledged_at, cycle.resolved_at, cycle.closed_at];
                let known: Vec<_> = times.into_iter().flatten().collect();
                prop_assert!(known.is_sorted());
            }
        }
    }
}
