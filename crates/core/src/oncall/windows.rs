//! Whether a layer is on at this time of the week, and whether a day is a holiday.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::clock::Zone;
use super::exception::HolidayCalendar;
use super::schedule::ShiftWindow;

/// Days before the present one whose windows may still be open: the longest window lasts a day,
/// and a change of clocks moves local time by a day at most.
const DAYS_BACK: i64 = 2;
/// Days ahead within which every window begins again.
const DAYS_AHEAD: i64 = 8;
/// How far ahead the next holiday is looked for, in days.
const HOLIDAY_DAYS_AHEAD: i64 = 32;

/// Whether something holds, and when that may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holds {
    pub(super) now: bool,
    pub(super) next: Option<Timestamp>,
}

/// Returns the instants of a window that begins on `day`; `None` when a change of clocks leaves
/// nothing of it.
pub(super) fn instance(
    window: &ShiftWindow,
    day: Date,
    zone: &Zone,
) -> Option<(Timestamp, Timestamp)> {
    if !window.days.has(day.weekday()) {
        return None;
    }
    let last_day = if window.to <= window.from { day.tomorrow().ok()? } else { day };
    let from = zone.first(window.from.on(day));
    let to = zone.last(window.to.on(last_day));
    (from < to).then_some((from, to))
}

/// Returns whether any of the windows is open.
pub(super) fn open_at(windows: &[ShiftWindow], at: Timestamp, zone: &Zone) -> Holds {
    let today = zone.local(at).date();
    let mut open_until: Option<Timestamp> = None;
    let mut next: Option<Timestamp> = None;
    for offset in -DAYS_BACK..=DAYS_AHEAD {
        let Some(day) = shifted(today, offset) else { continue };
        if next.is_some() && offset > 2 {
            break;
        }
        for (from, to) in windows.iter().filter_map(|window| instance(window, day, zone)) {
            if from <= at && at < to {
                open_until = Some(open_until.map_or(to, |known| known.min(to)));
            }
            if from > at {
                next = Some(next.map_or(from, |known| known.min(from)));
            }
        }
    }
    Holds { now: open_until.is_some(), next: open_until.into_iter().chain(next).min() }
}

/// Returns whether the local day is a holiday of any of the calendars.
pub(super) fn holiday_at(calendars: &[&HolidayCalendar], at: Timestamp, zone: &Zone) -> Holds {
    let is_holiday = |day: Date| {
        calendars.iter().flat_map(|calendar| &calendar.days).any(|holiday| holiday.covers(day))
    };
    let today = zone.local(at).date();
    let now = is_holiday(today);
    let mut next = None;
    for offset in 1..=HOLIDAY_DAYS_AHEAD {
        let Some(day) = shifted(today, offset) else { break };
        if is_holiday(day) != now {
            next = Some(day);
            break;
        }
    }
    let next = next.or_else(|| shifted(today, HOLIDAY_DAYS_AHEAD));
    let midnight = next.map(|day| zone.first(day.at(0, 0, 0, 0)));
    Holds { now, next: midnight.filter(|next| *next > at) }
}

fn shifted(day: Date, days: i64) -> Option<Date> {
    day.checked_add(Span::new().try_days(days).ok()?).ok()
}
