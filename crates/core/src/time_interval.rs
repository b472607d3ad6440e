//! Time intervals: the calendar conditions under which a route is muted or active.

use jiff::Timestamp;
use jiff::tz::TimeZone;

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

impl TimeInterval {
    /// Returns whether `at` lies in the interval.
    pub fn contains(&self, _at: Timestamp) -> bool {
        todo!()
    }
}

/// Returns the first minute boundary after `at` at which [`TimeInterval::contains`] answers
/// differently for the union of `intervals` than it does at `at`; `None` when that is more than
/// 400 days away.
pub fn next_change(_intervals: &[TimeInterval], _at: Timestamp) -> Option<Timestamp> {
    todo!()
}
