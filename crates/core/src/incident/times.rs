//! Times of an incident that people set right afterwards: nothing is told in an impossible order,
//! and where it stood when follows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cycle, Interval, Record, Status};

/// A time of an incident that may be set right, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeField {
    /// When it was detected first.
    Detected,
    /// When somebody took it.
    Acknowledged,
    /// When the search for the cause began.
    Investigating,
    /// When the cause was known.
    Identified,
    /// When something began to be done against it.
    Mitigating,
    /// When what was done held.
    Mitigated,
    /// When it was over.
    Resolved,
    /// When nothing was left to do.
    Closed,
}

/// Why a time cannot be what it was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It would have happened before something that came earlier.
    #[error("`{earlier}` must not lie after `{later}`")]
    Order {
        /// What comes first.
        earlier: &'static str,
        /// What comes later.
        later: &'static str,
    },
    /// The incident is not so far.
    #[error("`{}` can only be set once it is {}", .0.name(), .0.status())]
    NotReached(TimeField),
}

impl TimeField {
    /// All, in order.
    pub const ALL: [Self; 8] = [
        Self::Detected,
        Self::Acknowledged,
        Self::Investigating,
        Self::Identified,
        Self::Mitigating,
        Self::Mitigated,
        Self::Resolved,
        Self::Closed,
    ];

    /// Returns the name of the field, as in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detected => "detected_at",
            Self::Acknowledged => "acknowledged_at",
            Self::Investigating => "investigating_at",
            Self::Identified => "identified_at",
            Self::Mitigating => "mitigating_at",
            Self::Mitigated => "mitigated_at",
            Self::Resolved => "resolved_at",
            Self::Closed => "closed_at",
        }
    }

    /// Returns the status whose beginning it is.
    pub fn status(self) -> Status {
        match self {
            Self::Detected => Status::Detected,
            Self::Acknowledged => Status::Acknowledged,
            Self::Investigating => Status::Investigating,
            Self::Identified => Status::Identified,
            Self::Mitigating => Status::Mitigating,
            Self::Mitigated => Status::Monitoring,
            Self::Resolved => Status::Resolved,
            Self::Closed => Status::Closed,
        }
    }

    fn of_status(status: Status) -> Self {
        let found = Self::ALL.into_iter().find(|field| field.status() == status);
        found.unwrap_or(Self::Detected)
    }

    /// Returns the time in a cycle.
    pub fn of(self, cycle: &Cycle) -> Option<Timestamp> {
        match self {
            Self::Detected => Some(cycle.opened_at),
            Self::Acknowledged => cycle.acknowledged_at,
            Self::Investigating => cycle.investigating_at,
            Self::Identified => cycle.identified_at,
            Self::Mitigating => cycle.mitigating_at,
            // One that is only assumed follows the end and is nothing of its own.
            Self::Mitigated => cycle.mitigated_at.filter(|_| !cycle.is_mitigation_assumed),
            Self::Resolved => cycle.resolved_at,
            Self::Closed => cycle.closed_at,
        }
    }

    fn put(self, cycle: &mut Cycle, at: Timestamp) {
        match self {
            Self::Detected => cycle.opened_at = at,
            Self::Acknowledged => {
                cycle.acknowledged_at = Some(at);
                cycle.is_acknowledged_implicitly = false;
            }
            Self::Investigating => cycle.investigating_at = Some(at),
            Self::Identified => cycle.identified_at = Some(at),
            Self::Mitigating => cycle.mitigating_at = Some(at),
            Self::Mitigated => {
                cycle.mitigated_at = Some(at);
                cycle.is_mitigation_assumed = false;
            }
            Self::Resolved => {
                cycle.resolved_at = Some(at);
                if cycle.is_mitigation_assumed {
                    cycle.mitigated_at = Some(at);
                }
            }
            Self::Closed => cycle.closed_at = Some(at),
        }
        cycle.given.insert(self);
    }
}

impl Record {
    /// Says that somebody named a time of the present cycle rather than that it was seen.
    pub fn note_given(&mut self, field: TimeField) {
        if let Some(cycle) = self.cycles_mut().last_mut() {
            cycle.given.insert(field);
        }
    }

    /// Sets times right, as `by` says: [`TimeField::Detected`] is that of the first cycle, any
    /// other one that of the present cycle, for earlier cycles can only be read. A time that was
    /// skipped may be added. Where it stood when follows.
    ///
    /// # Errors
    /// [`TimeError`] when the times would contradict each other, or the incident is not so far;
    /// nothing changes.
    pub fn correct(
        &mut self,
        times: &BTreeMap<TimeField, Timestamp>,
        by: &str,
    ) -> Result<(), TimeError> {
        let status = self.status();
        if let Some(field) = times.keys().find(|field| field.status() > status) {
            return Err(TimeError::NotReached(*field));
        }
        let mut changed = self.clone();
        let mut skipped = Vec::new();
        for (field, at) in times {
            let index = if *field == TimeField::Detected { 0 } else { changed.cycles().len() - 1 };
            let cycle = &mut changed.cycles_mut()[index];
            let (number, old) = (cycle.number, field.of(cycle));
            field.put(cycle, *at);
            // Whoever took it by that did so then.
            if cycle.is_acknowledged_implicitly && cycle.acknowledged_at == old {
                cycle.acknowledged_at = Some(*at);
            }
            if !old.is_some_and(|old| changed.move_interval(number, field.status(), old, *at)) {
                skipped.push((number, *field, *at));
            }
        }
        for (before, after) in self.cycles().iter().zip(changed.cycles()) {
            check_order(before, after, times)?;
        }
        for pair in changed.intervals().windows(2) {
            if pair[1].entered_at < pair[0].entered_at {
                let name = |it: &Interval| TimeField::of_status(it.status).name();
                return Err(TimeError::Order { earlier: name(&pair[0]), later: name(&pair[1]) });
            }
        }
        for (cycle, field, at) in skipped {
            changed.insert_interval(cycle, field.status(), at, by);
        }
        *self = changed;
        Ok(())
    }

    /// Moves the beginning of a stay; returns whether there is one.
    fn move_interval(&mut self, cycle: u32, status: Status, old: Timestamp, at: Timestamp) -> bool {
        let is_it = |it: &Interval| (it.cycle, it.status, it.entered_at) == (cycle, status, old);
        let intervals = self.intervals_mut();
        let Some(index) = intervals.iter().position(is_it) else { return false };
        intervals[index].entered_at = at;
        if let Some(before) = index.checked_sub(1) {
            intervals[before].left_at = Some(at);
        }
        true
    }

    /// Adds a stay that was skipped, where it lies between less and more advanced ones.
    fn insert_interval(&mut self, cycle: u32, status: Status, at: Timestamp, by: &str) {
        let intervals = self.intervals_mut();
        let holds = |it: &Interval| {
            it.cycle == cycle && it.entered_at <= at && it.left_at.is_none_or(|left| at < left)
        };
        let Some(index) = intervals.iter().position(holds) else { return };
        let is_between = intervals[index].status < status
            && intervals.get(index + 1).is_none_or(|next| status < next.status);
        if !is_between || intervals.len() >= super::MAX_INTERVALS {
            return;
        }
        let left_at = intervals[index].left_at.replace(at);
        let by = by.to_owned();
        intervals.insert(index + 1, Interval { cycle, status, entered_at: at, left_at, by });
    }
}

/// Refuses times that were in order and would be no more, by a name that was given where there is
/// one. Those that went back and forth before may stay as they are.
fn check_order(
    before: &Cycle,
    after: &Cycle,
    times: &BTreeMap<TimeField, Timestamp>,
) -> Result<(), TimeError> {
    let name = |field: TimeField| match field {
        TimeField::Detected if after.number > 1 => "opened_at",
        field => field.name(),
    };
    let mut wrong = None;
    for (index, earlier) in TimeField::ALL.into_iter().enumerate() {
        for later in TimeField::ALL.into_iter().skip(index + 1) {
            let is_wrong = |cycle: &Cycle| {
                earlier.of(cycle).zip(later.of(cycle)).is_some_and(|(from, to)| to < from)
            };
            if !is_wrong(after) || is_wrong(before) {
                continue;
            }
            let error = TimeError::Order { earlier: name(earlier), later: name(later) };
            // What only follows from another time is not what somebody has to look at.
            let is_assumed = later == TimeField::Acknowledged && after.is_acknowledged_implicitly;
            if times.contains_key(&later) || times.contains_key(&earlier) && !is_assumed {
                return Err(error);
            }
            wrong = wrong.or(Some(error));
        }
    }
    wrong.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{ResolutionCode, Rule, rule};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn times(list: &[(TimeField, i64)]) -> BTreeMap<TimeField, Timestamp> {
        list.iter().map(|(field, second)| (*field, at(*second))).collect()
    }

    /// Written down at 10,000 and resolved at once.
    fn backfilled() -> Record {
        let mut record = Record::new(at(10_000), "ada");
        record.enter(at(10_005), Status::Resolved, "ada", true, Some(ResolutionCode::Fixed));
        record
    }

    fn stays(record: &Record) -> Vec<(Status, i64)> {
        let stays = record.intervals().iter();
        stays.map(|it| (it.status, it.entered_at.as_second())).collect()
    }

    #[test]
    fn an_incident_of_the_past_gets_its_own_times() {
        use TimeField::{Acknowledged, Detected, Identified, Mitigated, Resolved};
        let mut record = backfilled();
        record.correct(&times(&[(Detected, 100), (Resolved, 900)]), "ada").unwrap();
        assert_eq!(record.detected_at(), at(100));
        assert_eq!(record.cycle().resolved_at, Some(at(900)));
        // Whoever resolved it took it by that, and nobody said when it held: both follow the end.
        assert_eq!(record.cycle().acknowledged_at, Some(at(900)));
        assert_eq!(record.cycle().mitigated_at, Some(at(900)));
        assert_eq!(stays(&record), [(Status::Detected, 100), (Status::Resolved, 900)]);
        let more = times(&[(Acknowledged, 160), (Identified, 300), (Mitigated, 700)]);
        record.correct(&more, "ada").unwrap();
        assert_eq!(
            stays(&record),
            [
                (Status::Detected, 100),
                (Status::Acknowledged, 160),
                (Status::Identified, 300),
                (Status::Monitoring, 700),
                (Status::Resolved, 900),
            ]
        );
        assert!(!record.cycle().is_mitigation_assumed);
        assert!(record.cycle().given.contains(&Resolved));
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_both_names() {
        use TimeField::{Acknowledged, Closed, Detected, Identified, Resolved};
        let mut record = backfilled();
        record.correct(&times(&[(Detected, 100), (Resolved, 900)]), "ada").unwrap();
        let whole = record.clone();
        for (list, names) in [
            (vec![(Resolved, 99)], ("detected_at", "resolved_at")),
            (vec![(Acknowledged, 901)], ("acknowledged_at", "resolved_at")),
            (vec![(Acknowledged, 300), (Identified, 200)], ("acknowledged_at", "identified_at")),
        ] {
            let (earlier, later) = names;
            let error = record.correct(&times(&list), "ada").unwrap_err();
            assert_eq!(error, TimeError::Order { earlier, later });
            assert_eq!(record, whole);
        }
        let error = record.correct(&times(&[(Closed, 950)]), "ada").unwrap_err();
        assert_eq!(error.to_string(), "`closed_at` can only be set once it is closed");
    }

    #[test]
    fn earlier_cycles_are_left_as_they_were() {
        let mut record = backfilled();
        record.enter(at(20_000), Status::Investigating, "ada", true, None);
        record.enter(at(21_000), Status::Resolved, "ada", true, Some(ResolutionCode::Fixed));
        record.correct(&times(&[(TimeField::Resolved, 20_500)]), "ada").unwrap();
        let ends: Vec<_> = record.cycles().iter().map(|it| it.resolved_at).collect();
        assert_eq!(ends, [Some(at(10_005)), Some(at(20_500))]);
        let error = record.correct(&times(&[(TimeField::Resolved, 19_000)]), "ada").unwrap_err();
        let (earlier, later) = ("opened_at", "resolved_at");
        assert_eq!(error, TimeError::Order { earlier, later });
    }

    proptest! {
        /// Whatever is set right after whatever was done: intervals have no gap and are in order,
        /// and what was refused changed nothing.
        #[test]
        fn what_is_set_right_stays_whole(
            moves in proptest::collection::vec((0_usize..8, 0_i64..50), 0..20),
            edits in proptest::collection::vec((0_usize..8, 0_i64..1_000), 0..20),
        ) {
            let mut record = Record::new(at(0), "tocsin");
            let mut now = 0;
            for (to, pause) in moves {
                let to = Status::ALL[to];
                if rule(record.status(), to) != Rule::Never {
                    now += pause;
                    let code = (to == Status::Resolved).then_some(ResolutionCode::Fixed);
                    record.enter(at(now), to, "ada", true, code);
                }
            }
            let status = record.status();
            for (field, second) in edits {
                let before = record.clone();
                let field = TimeField::ALL[field];
                match record.correct(&times(&[(field, second)]), "ada") {
                    Ok(()) => {
                        let cycle = if field == TimeField::Detected {
                            &record.cycles()[0]
                        } else {
                            record.cycle()
                        };
                        prop_assert_eq!(field.of(cycle), Some(at(second)));
                    }
                    Err(_) => prop_assert_eq!(&record, &before),
                }
                prop_assert_eq!(record.status(), status);
                for pair in record.intervals().windows(2) {
                    prop_assert_eq!(pair[0].left_at, Some(pair[1].entered_at));
                    prop_assert!(pair[0].entered_at <= pair[1].entered_at);
                }
                prop_assert_eq!(record.intervals().last().unwrap().left_at, None);
            }
        }
    }
}
