//! Time intervals: the calendar conditions under which a route is muted or active.

mod parse;

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

pub use parse::{
    BadTimeInterval, parse_days_of_month, parse_minute, parse_months, parse_times, parse_weekdays,
    parse_years, time_zone, time_zone_name,
};

/// How far ahead [`next_change`] looks: more than a leap year, so that a yearly condition is seen.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How much of the future [`next_change`] examines at a time.
const STRIDE: SignedDuration = SignedDuration::from_hours(4 * 24);

/// One set of calendar conditions. An empty list is "any"; all lists that are not must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeInterval {
    /// Minutes of the day, start inclusive, end exclusive (1440 = `24:00`), start before end.
    pub times: Vec<MinuteRange>,
    /// Days of the week, Sunday = 0, both ends inclusive.
    pub weekdays: Vec<DayRange>,
    /// Days of the month, 1..=31 or -1..=-31 counted from its end, both ends inclusive.
    pub days_of_month: Vec<DayRange>,
    /// Months, January = 1, both ends inclusive.
    pub months: Vec<DayRange>,
    /// Years, both ends inclusive.
    pub years: Vec<DayRange>,
    /// The zone in which all of it is read.
    pub zone: TimeZone,
}

/// Minutes of a day: `start <= minute < end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteRange {
    /// First minute.
    pub start: u16,
    /// The minute after the last.
    pub end: u16,
}

/// Days, months or years: `start <= x <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// First one.
    pub start: i16,
    /// Last one.
    pub end: i16,
}

impl Default for TimeInterval {
    fn default() -> Self {
        Self::always(TimeZone::UTC)
    }
}

impl TimeInterval {
    /// Returns the interval without conditions, which contains every instant.
    pub fn always(zone: TimeZone) -> Self {
        Self {
            times: Vec::new(),
            weekdays: Vec::new(),
            days_of_month: Vec::new(),
            months: Vec::new(),
            years: Vec::new(),
            zone,
        }
    }

    /// Returns whether `at` lies in the interval.
    pub fn contains(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        let minute =
            u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        self.contains_day(local.date())
            && (self.times.is_empty()
                || self.times.iter().any(|range| range.start <= minute && minute < range.end))
    }

    /// Returns whether every condition but the time of day holds.
    fn contains_day(&self, day: Date) -> bool {
        let any = |ranges: &[DayRange], x: i16| {
            ranges.is_empty() || ranges.iter().any(|range| range.contains(x))
        };
        any(&self.years, day.year())
            && any(&self.months, i16::from(day.month()))
            && any(&self.weekdays, i16::from(day.weekday().to_sunday_zero_offset()))
            && (self.days_of_month.is_empty()
                || self.days_of_month.iter().any(|range| range.contains_day_of_month(day)))
    }

    /// Lists the instants after `from` and up to `to` at which [`Self::contains`] can change.
    fn boundaries(&self, from: Timestamp, to: Timestamp, boundaries: &mut Vec<Timestamp>) {
        let mut note = |instant: Timestamp| {
            if let Some(minute) = minute_from(instant).filter(|it| from < *it && *it <= to) {
                boundaries.push(minute);
            }
        };
        // When clocks change, the local time jumps, perhaps over a boundary.
        for transition in self.zone.following(from) {
            if transition.timestamp() > to {
                break;
            }
            note(transition.timestamp());
        }
        let mut note_local = |day: Date, minute: u16| {
            let midnight = day.at(0, 0, 0, 0);
            let Ok(local) = midnight.checked_add(SignedDuration::from_mins(minute.into())) else {
                return;
            };
            let offsets = match self.zone.to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Unambiguous { offset } => [Some(offset), None],
                AmbiguousOffset::Fold { before, after } => [Some(before), Some(after)],
                // The local time is left out; what changes does so at the transition.
                AmbiguousOffset::Gap { .. } => [None, None],
            };
            for offset in offsets.into_iter().flatten() {
                offset.to_timestamp(local).into_iter().for_each(&mut note);
            }
        };
        // A day more at both ends: clocks that are put back around midnight return to a day that
        // had ended.
        let first = self.zone.to_datetime(from).date();
        let last = self.zone.to_datetime(to).date();
        let last = last.tomorrow().unwrap_or(last);
        let mut next = Some(first.yesterday().unwrap_or(first));
        while let Some(day) = next.filter(|day| *day <= last) {
            next = day.tomorrow().ok();
            if !self.contains_day(day) {
                continue;
            }
            if self.times.is_empty() {
                note_local(day, 0);
                note_local(day, MINUTES_PER_DAY);
            }
            for range in &self.times {
                note_local(day, range.start);
                note_local(day, range.end);
            }
        }
    }
}

impl DayRange {
    fn contains(self, x: i16) -> bool {
        self.start <= x && x <= self.end
    }

    /// Counts negative days from the end of the month of `day`. A range that begins after the end
    /// of a month leaves that month out, one that ends after it is cut.
    fn contains_day_of_month(self, day: Date) -> bool {
        let length = i16::from(day.days_in_month());
        let from_start = |x: i16| if x < 0 { length + x + 1 } else { x };
        let range = Self { start: from_start(self.start), end: from_start(self.end) };
        range.start <= length && range.contains(day.day().into())
    }
}

/// The minutes of a day, and with them the end of the last one.
const MINUTES_PER_DAY: u16 = 24 * 60;

/// Returns the first full minute that is not before `instant`.
fn minute_from(instant: Timestamp) -> Option<Timestamp> {
    let seconds = instant.as_second() + i64::from(instant.subsec_nanosecond() > 0);
    Timestamp::from_second(-(-seconds).div_euclid(60) * 60).ok()
}

/// Returns the first minute boundary after `at` at which [`TimeInterval::contains`] answers
/// differently for the union of `intervals` than it does at `at`; `None` when that is more than
/// 400 days away.
pub fn next_change(intervals: &[TimeInterval], at: Timestamp) -> Option<Timestamp> {
    let contains = |at| intervals.iter().any(|interval| interval.contains(at));
    let now = contains(at);
    let horizon = at.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
    let mut from = at;
    let mut boundaries = Vec::new();
    while from < horizon {
        let to = from.checked_add(STRIDE).unwrap_or(Timestamp::MAX).min(horizon);
        boundaries.clear();
        for interval in intervals {
            interval.boundaries(from, to, &mut boundaries);
        }
        boundaries.sort_unstable();
        boundaries.dedup();
        if let Some(change) = boundaries.iter().find(|boundary| contains(**boundary) != now) {
            return Some(*change);
        }
        from = to;
    }
    None
}

#[cfg(test)]
mod tests;
