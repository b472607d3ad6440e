//! Which turn it is. The turn is counted from the first handoff by arithmetic, never by a stored
//! counter, so neither a restart nor a long outage can lose one.

use std::ops::ControlFlow;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Span, Timestamp};

use super::cadence::{Cadence, Length, Unit};
use super::clock::Zone;

/// The most occurrences of a rule that are counted: eleven years of hourly ones. What comes later
/// is not covered.
pub const MAX_COUNTED_OCCURRENCES: usize = 100_000;

/// How far an estimate from the local clock may be off, in turns: hourly turns around the day that
/// Samoa left out, and a little more.
const MAX_CORRECTION: usize = 64;

/// One turn: who has it is found by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Counted from 0 at the first handoff.
    pub(super) index: i64,
    /// First instant.
    pub(super) from: Timestamp,
    /// The instant after the last.
    pub(super) to: Timestamp,
}

/// Which turn it is, and when that changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// `None` before the first, after the last and between those of a rule.
    pub(super) turn: Option<Turn>,
    /// When another turn or a pause begins.
    pub(super) next: Option<Timestamp>,
}

/// All turns of one version of a layer.
#[derive(Clone, Debug)]
pub(super) struct Turns<'a> {
    cadence: &'a Cadence,
    anchor: DateTime,
    zone: &'a Zone,
    /// Starts by a rule, with their local times, as far as they were asked for.
    occurrences: Vec<(Timestamp, DateTime)>,
    /// How far they are known.
    counted_to: Option<Timestamp>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(cadence: &'a Cadence, anchor: DateTime, zone: &'a Zone) -> Self {
        Self { cadence, anchor, zone, occurrences: Vec::new(), counted_to: None }
    }

    /// Returns which turn it is at an instant. Asking in ascending order is cheap.
    pub(super) fn at(&mut self, at: Timestamp) -> Place {
        if let Cadence::Rule { length, .. } = self.cadence {
            let length = *length;
            self.count_to(at);
            return self.occurrence_at(at, length);
        }
        let Some(mut index) = self.estimate(at) else { return Place::default() };
        for _ in 0..MAX_CORRECTION {
            match self.start_of(index) {
                Some(start) if start <= at => break,
                _ => index -= 1,
            }
        }
        for _ in 0..MAX_CORRECTION {
            match self.start_of(index + 1) {
                Some(start) if start <= at => index += 1,
                _ => break,
            }
        }
        if index < 0 {
            return Place { turn: None, next: self.start_of(0) };
        }
        let from = self.start_of(index).unwrap_or(Timestamp::MIN);
        let next = self.start_of(index + 1);
        let to = next.unwrap_or(Timestamp::MAX);
        Place { turn: Some(Turn { index, from, to }), next }
    }

    /// Returns the bounds of a turn that [`Self::at`] has counted to, or any of a fixed cadence.
    pub(super) fn bounds(&self, index: i64) -> Option<(Timestamp, Timestamp)> {
        if let Cadence::Rule { length, .. } = self.cadence {
            let place = usize::try_from(index).ok()?;
            let start = self.occurrences.get(place)?;
            return Some((start.0, self.end_of(place, *length)?));
        }
        Some((self.start_of(index)?, self.start_of(index + 1)?))
    }

    /// Returns when a turn of a fixed cadence begins.
    fn start_of(&self, index: i64) -> Option<Timestamp> {
        match self.cadence {
            Cadence::Every(Length { count, unit: Unit::Hours }) if 24 % *count != 0 => {
                let hours = i64::from(*count).checked_mul(index)?;
                let span = SignedDuration::try_from_hours(hours)?;
                self.zone.first(self.anchor).checked_add(span).ok()
            }
            Cadence::Every(Length { count, unit: Unit::Months }) => {
                let months = i64::from(*count).checked_mul(index)?;
                // From the first handoff each time: the 31st stays the 31st where there is one.
                let span = Span::new().try_months(months).ok()?;
                Some(self.zone.first(self.anchor.checked_add(span).ok()?))
            }
            Cadence::Every(length) => self.at_wall(wall_seconds(*length).checked_mul(index)?),
            Cadence::Alternating { lengths } => {
                let places = i64::try_from(lengths.len()).ok().filter(|len| *len > 0)?;
                let round: i64 = lengths.iter().map(|it| wall_seconds(*it)).sum();
                let place = usize::try_from(index.rem_euclid(places)).ok()?;
                let within: i64 = lengths.iter().take(place).map(|it| wall_seconds(*it)).sum();
                self.at_wall(round.checked_mul(index.div_euclid(places))?.checked_add(within)?)
            }
            Cadence::Rule { .. } => None,
        }
    }

    fn at_wall(&self, seconds: i64) -> Option<Timestamp> {
        let local = self.anchor.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        Some(self.zone.first(local))
    }

    /// Returns about which turn it is, from the local clock; no further off than a change of
    /// clocks makes it.
    fn estimate(&self, at: Timestamp) -> Option<i64> {
        let elapsed = |zone: &Zone| zone.local(at).duration_since(self.anchor).as_secs();
        match self.cadence {
            Cadence::Every(Length { count, unit: Unit::Hours }) if 24 % *count != 0 => {
                let since = at.duration_since(self.zone.first(self.anchor)).as_secs();
                Some(since.div_euclid(i64::from(*count) * 3_600))
            }
            Cadence::Every(Length { count, unit: Unit::Months }) => {
                let local = self.zone.local(at);
                let months = |it: DateTime| i64::from(it.year()) * 12 + i64::from(it.month());
                Some((months(local) - months(self.anchor)).div_euclid(i64::from(*count)))
            }
            Cadence::Every(length) => Some(elapsed(self.zone).div_euclid(wall_seconds(*length))),
            Cadence::Alternating { lengths } => {
                let places = i64::try_from(lengths.len()).ok()?;
                let round: i64 = lengths.iter().map(|it| wall_seconds(*it)).sum();
                let elapsed = elapsed(self.zone);
                let mut within = elapsed.rem_euclid(round.max(1));
                let mut place = 0;
                for length in lengths {
                    if within < wall_seconds(*length) {
                        break;
                    }
                    within -= wall_seconds(*length);
                    place += 1;
                }
                Some(elapsed.div_euclid(round.max(1)) * places + place)
            }
            Cadence::Rule { .. } => None,
        }
    }

    /// Counts the occurrences of a rule up to the first after `at`.
    fn count_to(&mut self, at: Timestamp) {
        let Cadence::Rule { rule, except, also, .. } = self.cadence else { return };
        if self.counted_to.is_some_and(|to| at < to) {
            return;
        }
        // Somewhat further than asked for, so that a walk does not count anew at every step.
        let reach = at.checked_add(SignedDuration::from_hours(100 * 24)).unwrap_or(Timestamp::MAX);
        let mut found: Vec<(Timestamp, DateTime)> = Vec::new();
        let mut is_past = false;
        rule.walk(
            self.anchor,
            |local| self.zone.first(local),
            |local, instant| {
                found.push((instant, local));
                is_past = instant > reach;
                let is_enough = is_past || found.len() >= MAX_COUNTED_OCCURRENCES;
                if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        found.extend(also.iter().map(|instant| (*instant, self.zone.local(*instant))));
        found.retain(|(instant, _)| !except.contains(instant));
        found.sort_unstable();
        found.dedup_by_key(|(instant, _)| *instant);
        self.counted_to = Some(if is_past { reach } else { Timestamp::MAX });
        self.occurrences = found;
    }

    fn occurrence_at(&self, at: Timestamp, length: Length) -> Place {
        let later = self.occurrences.partition_point(|(start, _)| *start <= at);
        let following = self.occurrences.get(later).map(|(start, _)| *start);
        let turn = later.checked_sub(1).and_then(|place| {
            let (from, _) = *self.occurrences.get(place)?;
            let to = self.end_of(place, length)?;
            let index = i64::try_from(place).ok()?;
            (at < to).then_some(Turn { index, from, to })
        });
        Place { turn, next: turn.map(|turn| turn.to).or(following) }
    }

    fn end_of(&self, place: usize, length: Length) -> Option<Timestamp> {
        let (_, local) = *self.occurrences.get(place)?;
        let span = SignedDuration::from_secs(wall_seconds(length));
        let end = self.zone.last(local.checked_add(span).unwrap_or(DateTime::MAX));
        let following = self.occurrences.get(place + 1).map_or(Timestamp::MAX, |it| it.0);
        Some(end.min(following))
    }
}

/// Returns a length on the wall; months are counted elsewhere.
fn wall_seconds(length: Length) -> i64 {
    i64::from(length.count.max(1)) * length.unit.seconds().unwrap_or(30 * 86_400)
}
