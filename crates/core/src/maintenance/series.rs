//! The local starts that a recurrence rule names, forwards and backwards from any place.
//!
//! Everything here is calendar arithmetic without zones: a rule speaks of local time, and the
//! window asks its zone for the instant of each start afterwards. A period (a year, a month, a
//! week …) is reached by arithmetic from the first one, so a window that began years ago costs
//! no more than one that begins tomorrow.
//!
//! Source: RFC 5545, section 3.3.10. A first start that the rule itself does not name is not an
//! occurrence.

use std::ops::ControlFlow;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Weekday, date};

use super::recurrence::{Frequency, Rule};

/// How many periods one walk examines before it gives up; only rules that hardly ever occur
/// come near it.
const MAX_PERIODS: usize = 100_000;

/// How far ahead the next occurrence is looked for: a 29th of February that is a Monday comes
/// every 28 years, and every 40 around a century.
pub(super) const MAX_YEARS_AHEAD: i16 = 60;

/// A rule together with its first start.
pub(super) struct Series {
    rule: Rule,
    first: DateTime,
    /// The period that holds `first`.
    origin: i64,
    /// Whether `1MO` is the first of its month rather than of its year.
    counts_in_month: bool,
}

impl Series {
    /// Takes what the rule leaves open from the first start.
    pub(super) fn new(rule: &Rule, first: DateTime) -> Self {
        let mut rule = rule.clone();
        let counts_in_month = rule.frequency == Frequency::Monthly || !rule.months.is_empty();
        if !rule.names_days() {
            match rule.frequency {
                Frequency::Yearly => {
                    if rule.months.is_empty() {
                        rule.months = vec![first.month()];
                    }
                    rule.month_days = vec![first.day()];
                }
                Frequency::Monthly => rule.month_days = vec![first.day()],
                Frequency::Weekly => rule.weekdays = vec![(0, first.weekday())],
                Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {}
            }
        }
        let fill = |list: &mut Vec<i8>, is_open: bool, value: i8| {
            if list.is_empty() && is_open {
                list.push(value);
            }
        };
        fill(&mut rule.hours, rule.frequency < Frequency::Hourly, first.hour());
        fill(&mut rule.minutes, rule.frequency < Frequency::Minutely, first.minute());
        fill(&mut rule.seconds, true, first.second());
        let mut series = Self { rule, first, origin: 0, counts_in_month };
        series.origin = series.period_of(first);
        series
    }

    /// Returns whether the rule names any start at all, whatever its first one and its end.
    pub(super) fn ever_occurs(rule: &Rule) -> bool {
        let from = date(2000, 1, 1).at(0, 0, 0, 0);
        let rule = Rule { interval: 1, ..rule.clone() };
        let mut occurs = false;
        Self::new(&rule, from).forwards(from, years_after(from), |_| {
            occurs = true;
            ControlFlow::Break(())
        });
        occurs
    }

    /// Returns the last start that `COUNT` allows, if it is not after `until`.
    pub(super) fn last_counted(&self, until: DateTime) -> Option<DateTime> {
        let mut left = self.rule.count?;
        let mut last = None;
        let is_complete = self.forwards(self.first, until, |start| {
            last = Some(start);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        // A walk that gave up has counted as far as it could, and there the series ends.
        if left == 0 || !is_complete { Some(last.unwrap_or(self.first)) } else { None }
    }

    /// Shows `visit` the starts from `from` to `to` in ascending order until it breaks.
    /// Returns whether nothing was left out for want of patience.
    pub(super) fn forwards(
        &self,
        from: DateTime,
        to: DateTime,
        mut visit: impl FnMut(DateTime) -> ControlFlow<()>,
    ) -> bool {
        let from = from.max(self.first);
        let mut step = (self.period_of(from) - self.origin).div_euclid(self.rule.interval);
        let mut starts = Vec::new();
        for _ in 0..MAX_PERIODS {
            let Some(begin) = self.begin_of(self.origin + step * self.rule.interval) else {
                return true;
            };
            if begin > to {
                return true;
            }
            if let Some(barren) = self.barren(begin) {
                let Some(next) = barren.1 else { return true };
                let distance = self.period_of(next) - self.origin;
                step = -(-distance).div_euclid(self.rule.interval);
                continue;
            }
            self.starts_in(begin, (from, to), &mut starts);
            if starts.iter().any(|start| visit(*start).is_break()) {
                return true;
            }
            step += 1;
        }
        false
    }

    /// Shows `visit` the starts from `from` back to `to` in descending order until it breaks.
    pub(super) fn backwards(
        &self,
        from: DateTime,
        to: DateTime,
        mut visit: impl FnMut(DateTime) -> ControlFlow<()>,
    ) {
        let to = to.max(self.first);
        if from < to {
            return;
        }
        let last = self.period_of(to);
        let mut step = (self.period_of(from) - self.origin).div_euclid(self.rule.interval);
        let mut starts = Vec::new();
        for _ in 0..MAX_PERIODS {
            let period = self.origin + step * self.rule.interval;
            let Some(begin) = self.begin_of(period).filter(|_| period >= last) else { return };
            if let Some(barren) = self.barren(begin) {
                let Some(previous) = barren.0 else { return };
                let distance = self.period_of(previous) - self.origin;
                step = distance.div_euclid(self.rule.interval);
                continue;
            }
            self.starts_in(begin, (to, from), &mut starts);
            if starts.iter().rev().any(|start| visit(*start).is_break()) {
                return;
            }
            step -= 1;
        }
    }

    /// Returns the number of the period that holds `at`.
    fn period_of(&self, at: DateTime) -> i64 {
        let days = days_since_epoch(at.date());
        let (hour, minute) = (i64::from(at.hour()), i64::from(at.minute()));
        match self.rule.frequency {
            Frequency::Yearly => i64::from(at.year()),
            Frequency::Monthly => i64::from(at.year()) * 12 + i64::from(at.month()) - 1,
            Frequency::Weekly => (days - self.first_week_start()).div_euclid(7),
            Frequency::Daily => days,
            Frequency::Hourly => days * 24 + hour,
            Frequency::Minutely => (days * 24 + hour) * 60 + minute,
        }
    }

    /// Returns where a period begins; `None` outside of the calendar.
    fn begin_of(&self, period: i64) -> Option<DateTime> {
        let midnight = |day| Some(date_of(day)?.at(0, 0, 0, 0));
        let first_of = |year: i64, month: i64| {
            let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()?;
            Some(date.at(0, 0, 0, 0))
        };
        match self.rule.frequency {
            Frequency::Yearly => first_of(period, 1),
            Frequency::Monthly => first_of(period.div_euclid(12), period.rem_euclid(12) + 1),
            Frequency::Weekly => midnight(period * 7 + self.first_week_start()),
            Frequency::Daily => midnight(period),
            Frequency::Hourly => {
                let hour = i8::try_from(period.rem_euclid(24)).ok()?;
                Some(date_of(period.div_euclid(24))?.at(hour, 0, 0, 0))
            }
            Frequency::Minutely => {
                let hour = i8::try_from(period.div_euclid(60).rem_euclid(24)).ok()?;
                let minute = i8::try_from(period.rem_euclid(60)).ok()?;
                Some(date_of(period.div_euclid(24 * 60))?.at(hour, minute, 0, 0))
            }
        }
    }

    /// Returns the day, counted from the epoch, on which a week began around it.
    fn first_week_start(&self) -> i64 {
        // The epoch was a Thursday.
        -i64::from(self.rule.week_start.until(Weekday::Thursday))
    }

    /// For periods within a day: when no start can be on the day or in the hour of `begin`,
    /// returns the last moment before that day or hour, and the first after it.
    fn barren(&self, begin: DateTime) -> Option<(Option<DateTime>, Option<DateTime>)> {
        if self.rule.frequency < Frequency::Hourly {
            return None;
        }
        let minute = SignedDuration::from_mins(1);
        if !self.allows_day(begin.date()) {
            let midnight = begin.date().at(0, 0, 0, 0);
            let next = begin.date().tomorrow().ok().map(|day| day.at(0, 0, 0, 0));
            return Some((midnight.checked_sub(minute).ok(), next));
        }
        if self.rule.hours.is_empty() || self.rule.hours.contains(&begin.hour()) {
            return None;
        }
        let hour = begin.date().at(begin.hour(), 0, 0, 0);
        let next = hour.checked_add(SignedDuration::from_hours(1)).ok();
        Some((hour.checked_sub(minute).ok(), next))
    }

    /// Lists the starts of the period that begins at `begin`, ascending, within both bounds.
    fn starts_in(&self, begin: DateTime, within: (DateTime, DateTime), starts: &mut Vec<DateTime>) {
        starts.clear();
        let first_day = begin.date();
        let days = match self.rule.frequency {
            Frequency::Yearly => first_day.days_in_year(),
            Frequency::Monthly => i16::from(first_day.days_in_month()),
            Frequency::Weekly => 7,
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => 1,
        };
        // A position counts from the ends of the whole period, so nothing may be left out.
        let is_whole = !self.rule.positions.is_empty();
        let mut next = Some(first_day);
        for _ in 0..days {
            let Some(day) = next else { break };
            next = day.tomorrow().ok();
            let is_near = is_whole || (within.0.date() <= day && day <= within.1.date());
            if is_near && self.allows_day(day) {
                self.starts_on(day, begin, starts);
            }
        }
        if is_whole {
            self.keep_positions(starts);
        }
        starts.retain(|start| within.0 <= *start && *start <= within.1);
    }

    fn starts_on(&self, day: Date, begin: DateTime, starts: &mut Vec<DateTime>) {
        let (this_hour, this_minute) = ([begin.hour()], [begin.minute()]);
        let is_minutely = self.rule.frequency == Frequency::Minutely;
        let is_listed = self.rule.minutes.is_empty() || self.rule.minutes.contains(&begin.minute());
        if is_minutely && !is_listed {
            return;
        }
        let is_within_day = self.rule.frequency >= Frequency::Hourly;
        let hours = if is_within_day { &this_hour[..] } else { &self.rule.hours };
        let minutes = if is_minutely { &this_minute[..] } else { &self.rule.minutes };
        for hour in hours {
            for minute in minutes {
                for second in &self.rule.seconds {
                    starts.push(day.at(*hour, *minute, *second, self.first.subsec_nanosecond()));
                }
            }
        }
    }

    fn keep_positions(&self, starts: &mut Vec<DateTime>) {
        let mut kept: Vec<DateTime> = self
            .rule
            .positions
            .iter()
            .filter_map(|position| {
                let distance = usize::from(position.unsigned_abs());
                let index = if *position > 0 {
                    distance.checked_sub(1)
                } else {
                    starts.len().checked_sub(distance)
                };
                starts.get(index?).copied()
            })
            .collect();
        kept.sort_unstable();
        kept.dedup();
        *starts = kept;
    }

    /// Returns whether every part that chooses days chooses this one.
    fn allows_day(&self, day: Date) -> bool {
        let rule = &self.rule;
        let of_year = day.day_of_year();
        let of_year_from_end = of_year - day.days_in_year() - 1;
        let of_month_from_end = day.day() - day.days_in_month() - 1;
        (rule.months.is_empty() || rule.months.contains(&day.month()))
            && (rule.month_days.is_empty()
                || rule.month_days.contains(&day.day())
                || rule.month_days.contains(&of_month_from_end))
            && (rule.year_days.is_empty()
                || rule.year_days.contains(&of_year)
                || rule.year_days.contains(&of_year_from_end))
            && (rule.weekdays.is_empty() || self.allows_weekday(day))
            && (rule.week_numbers.is_empty() || self.allows_week(day))
    }

    fn allows_weekday(&self, day: Date) -> bool {
        let (position, length) = if self.counts_in_month {
            (i16::from(day.day()), i16::from(day.days_in_month()))
        } else {
            (day.day_of_year(), day.days_in_year())
        };
        let nth = (position - 1) / 7 + 1;
        let nth_from_end = -((length - position) / 7 + 1);
        self.rule.weekdays.iter().any(|(wanted, weekday)| {
            let wanted = i16::from(*wanted);
            *weekday == day.weekday() && [0, nth, nth_from_end].contains(&wanted)
        })
    }

    /// Week 1 is the first with at least four days in its year, so the fourth day of a week says
    /// which year it belongs to.
    fn allows_week(&self, day: Date) -> bool {
        let fourth_day = |day: Date| {
            let since_start = i64::from(self.rule.week_start.until(day.weekday()));
            date_of(days_since_epoch(day) - since_start + 3)
        };
        let number = |fourth: Date| (fourth.day_of_year() - 1) / 7 + 1;
        let Some(fourth) = fourth_day(day) else { return false };
        // The 28th of December is always in the last week of its year.
        let Some(last) = fourth_day(date(fourth.year(), 12, 28)) else { return false };
        let number_from_end = number(fourth) - number(last) - 1;
        self.rule
            .week_numbers
            .iter()
            .any(|wanted| [number(fourth), number_from_end].contains(&i16::from(*wanted)))
    }
}

/// Returns the end of the search that begins at `from`.
pub(super) fn years_after(from: DateTime) -> DateTime {
    let year = from.year().saturating_add(MAX_YEARS_AHEAD);
    Date::new(year, 12, 31).map_or(DateTime::MAX, |day| day.at(23, 59, 59, 999_999_999))
}

const EPOCH: Date = date(1970, 1, 1);

fn days_since_epoch(day: Date) -> i64 {
    day.duration_since(EPOCH).as_hours() / 24
}

fn date_of(days_since_epoch: i64) -> Option<Date> {
    EPOCH.checked_add(SignedDuration::try_from_hours(days_since_epoch.checked_mul(24)?)?).ok()
}

#[cfg(test)]
mod tests;
