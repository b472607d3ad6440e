//! Maintenance windows: planned, possibly recurring times in which matching alerts stay quiet.

mod recurrence;
mod row;
mod series;

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use recurrence::{
    BadRecurrence, MAX_COUNT, MAX_INTERVAL, MAX_RULE_BYTES, MAX_STARTS_PER_DAY, Recurrence,
};
pub use row::BadWindow;

use crate::matcher::Matchers;
use recurrence::Until;
use series::{Series, years_after};

/// The furthest that a change of clocks has ever moved local time, and a little more: Samoa left
/// out a whole day. Starts this near to one another may change their order as instants.
const CLOCK_JUMP: SignedDuration = SignedDuration::from_hours(25);

/// A planned quiet time for the alerts that match.
#[derive(Clone, Debug, PartialEq)]
pub struct MaintenanceWindow {
    /// Unique among the tenant's windows; shown wherever an alert is held back by it.
    pub name: Arc<str>,
    /// Which alerts it holds back; never empty.
    pub matchers: Matchers,
    /// Local start of the first occurrence.
    pub starts_at: DateTime,
    /// How long each occurrence lasts.
    pub duration: SignedDuration,
    /// The zone of `starts_at`; a window at 02:00 stays at 02:00 through clock changes.
    pub zone: TimeZone,
    /// When it recurs (RFC 5545); `None` for once.
    pub recurrence: Option<Recurrence>,
    /// Why.
    pub comment: String,
    /// Who planned it; "configuration" for provisioned ones.
    pub created_by: String,
}

/// One occurrence of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// First instant.
    pub starts_at: Timestamp,
    /// The instant after the last.
    pub ends_at: Timestamp,
}

/// An occurrence keeps its local start through changes of clocks. A start that they leave out is
/// moved on by the length of the gap, of one that they repeat the first counts; the length is
/// elapsed time.
impl MaintenanceWindow {
    /// Returns the occurrence that covers `at`; of several the one that ends last.
    pub fn occurrence_at(&self, at: Timestamp) -> Option<Occurrence> {
        // All occurrences last equally long, so the one that ends last is the one that starts
        // last.
        let starts_at = match &self.recurrence {
            None => self.instant(self.starts_at).filter(|start| *start <= at)?,
            Some(recurrence) => self.last_start(recurrence, at)?,
        };
        Some(self.occurrence(starts_at)).filter(|occurrence| at < occurrence.ends_at)
    }

    /// Returns the first occurrence that starts after `at`; `None` also when that is more than a
    /// lifetime away.
    pub fn next_occurrence(&self, at: Timestamp) -> Option<Occurrence> {
        let starts_at = match &self.recurrence {
            None => self.instant(self.starts_at).filter(|start| *start > at)?,
            Some(recurrence) => self.next_start(recurrence, at)?,
        };
        Some(self.occurrence(starts_at))
    }

    /// Returns the last start up to `at`, looking no further back than one that covers it.
    fn last_start(&self, recurrence: &Recurrence, at: Timestamp) -> Option<Timestamp> {
        let series = Series::new(recurrence.rule(), self.starts_at);
        let (local, earliest) = (
            self.zone.to_datetime(at),
            self.zone.to_datetime(at.checked_sub(self.duration).unwrap_or(Timestamp::MIN)),
        );
        let limit = self.limit(recurrence, &series, later(local));
        let fitting = |start| limit.allows(start, self.instant(start)?).filter(|it| *it <= at);
        let mut last: Option<(DateTime, Timestamp)> = None;
        series.backwards(later(local).min(limit.local()), earlier(earliest), |start| {
            last = fitting(start).map(|instant| (start, instant));
            if last.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let (start, mut last) = last?;
        // A gap may have moved one that comes before it on the calendar behind it.
        series.backwards(start, earlier(start), |start| {
            last = last.max(fitting(start).unwrap_or(last));
            ControlFlow::Continue(())
        });
        Some(last)
    }

    fn next_start(&self, recurrence: &Recurrence, at: Timestamp) -> Option<Timestamp> {
        let series = Series::new(recurrence.rule(), self.starts_at);
        let from = earlier(self.zone.to_datetime(at)).max(self.starts_at);
        let limit = self.limit(recurrence, &series, years_after(from));
        let fitting = |start| limit.allows(start, self.instant(start)?).filter(|it| *it > at);
        let mut next: Option<(DateTime, Timestamp)> = None;
        series.forwards(from, years_after(from).min(limit.local()), |start| {
            next = fitting(start).map(|instant| (start, instant));
            if next.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let (start, mut next) = next?;
        // A gap may have moved it behind one that comes after it on the calendar.
        series.forwards(start, later(start).min(limit.local()), |start| {
            next = next.min(fitting(start).unwrap_or(next));
            ControlFlow::Continue(())
        });
        Some(next)
    }

    /// Returns the end of the series, as far as it matters up to `until`.
    fn limit(&self, recurrence: &Recurrence, series: &Series, until: DateTime) -> Limit {
        match recurrence.rule().until {
            Some(Until::Instant(last)) => {
                Limit { local: later(self.zone.to_datetime(last)), instant: last }
            }
            Some(Until::Local(last)) => Limit { local: last, instant: Timestamp::MAX },
            None => Limit {
                local: series.last_counted(until).unwrap_or(DateTime::MAX),
                instant: Timestamp::MAX,
            },
        }
    }

    fn instant(&self, start: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(start).ok()
    }

    fn occurrence(&self, starts_at: Timestamp) -> Occurrence {
        let ends_at = starts_at.checked_add(self.duration).unwrap_or(Timestamp::MAX);
        Occurrence { starts_at, ends_at }
    }
}

/// The most starts that are looked at to find two that are close.
const MAX_DENSITY_PROBES: u32 = 400;

/// Schedules of people on call count the occurrences of a rule.
impl Recurrence {
    /// Shows `visit` the starts from `first` on, in order, with the instants that `resolve` gives
    /// them, until it breaks or the series ends. `UNTIL` is compared as an instant.
    pub(crate) fn walk(
        &self,
        first: DateTime,
        resolve: impl Fn(DateTime) -> Timestamp,
        visit: impl FnMut(DateTime, Timestamp) -> ControlFlow<()>,
    ) {
        self.walk_from(first, first, resolve, visit);
    }

    /// Does so from `from` on. Starts before it are looked at only where they have to be counted,
    /// which are [`MAX_COUNT`] at most.
    pub fn walk_from(
        &self,
        first: DateTime,
        from: DateTime,
        resolve: impl Fn(DateTime) -> Timestamp,
        mut visit: impl FnMut(DateTime, Timestamp) -> ControlFlow<()>,
    ) {
        let until = match self.rule().until {
            Some(Until::Instant(last)) => last,
            Some(Until::Local(last)) => resolve(last),
            None => Timestamp::MAX,
        };
        let mut left = self.rule().count.unwrap_or(u32::MAX);
        let begin = if self.rule().count.is_some() { first } else { from.max(first) };
        Series::new(self.rule(), first).forwards(begin, DateTime::MAX, |start| {
            let instant = resolve(start);
            if left == 0 || instant > until {
                return ControlFlow::Break(());
            }
            left -= 1;
            if start < from { ControlFlow::Continue(()) } else { visit(start, instant) }
        });
    }

    /// Returns whether two starts are closer than that, among the first ones.
    pub fn is_denser_than(&self, first: DateTime, minutes: i64) -> bool {
        let mut last: Option<DateTime> = None;
        let mut probes = 0;
        let mut is_denser = false;
        Series::new(self.rule(), first).forwards(first, years_after(first), |start| {
            let distance = last.map(|last| start.duration_since(last).as_mins());
            is_denser |= distance.is_some_and(|distance| distance < minutes);
            last = Some(start);
            probes += 1;
            let is_enough = is_denser || probes >= MAX_DENSITY_PROBES;
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        is_denser
    }
}

/// The last start of a series: both must hold.
struct Limit {
    local: DateTime,
    instant: Timestamp,
}

impl Limit {
    fn local(&self) -> DateTime {
        self.local
    }

    fn allows(&self, start: DateTime, instant: Timestamp) -> Option<Timestamp> {
        (start <= self.local && instant <= self.instant).then_some(instant)
    }
}

fn earlier(local: DateTime) -> DateTime {
    local.checked_sub(CLOCK_JUMP).unwrap_or(DateTime::MIN)
}

fn later(local: DateTime) -> DateTime {
    local.checked_add(CLOCK_JUMP).unwrap_or(DateTime::MAX)
}

#[cfg(test)]
mod tests;
