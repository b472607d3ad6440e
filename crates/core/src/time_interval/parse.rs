//! The words of a time interval in the configuration file, by Alertmanager's rules.

use std::sync::LazyLock;

use jiff::fmt::temporal::{DateTimeParser, DateTimePrinter};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{DayRange, MINUTES_PER_DAY, MinuteRange};

/// Why a text is no part of a time interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTimeInterval {
    /// Not `HH:MM`.
    #[error("`{text}` is not a time of day from 00:00 to 24:00, such as 09:00")]
    Time {
        /// As written.
        text: String,
    },
    /// A range of times that ends where it starts or before.
    #[error(
        "the start time {start} is not before the end time {end}; a range cannot pass midnight"
    )]
    TimesReversed {
        /// As written.
        start: String,
        /// As written.
        end: String,
    },
    /// A word or a number that means nothing here.
    #[error("`{text}` is not {expected}")]
    Unknown {
        /// As written.
        text: String,
        /// What it could be.
        expected: &'static str,
    },
    /// A range that ends before it starts.
    #[error("the range `{text}` ends before it starts")]
    Reversed {
        /// As written.
        text: String,
    },
    /// A range of days of the month that starts counting at its end and ends at its beginning.
    #[error("the range `{text}` starts with a negative day, so it must end with one")]
    NegativeStart {
        /// As written.
        text: String,
    },
    /// No such time zone.
    #[error("`{name}` is not a time zone, such as Europe/Berlin or UTC")]
    TimeZone {
        /// As written.
        name: String,
    },
}

/// Reads `09:00` and returns the minute of the day; `24:00` is 1440.
///
/// # Errors
/// [`BadTimeInterval::Time`]; both digits of hours and minutes are needed.
pub fn parse_minute(text: &str) -> Result<u16, BadTimeInterval> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let two_digits = |text: &str| {
            let is_plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            is_plain.then(|| text.parse::<u16>().ok())?
        };
        let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
        let total = hour * 60 + minute;
        (minute < 60 && total <= MINUTES_PER_DAY).then_some(total)
    };
    read().ok_or_else(|| BadTimeInterval::Time { text: text.to_owned() })
}

/// Reads the two ends of a range of times.
///
/// # Errors
/// [`BadTimeInterval::Time`], and [`BadTimeInterval::TimesReversed`] unless the start is before
/// the end.
pub fn parse_times(start: &str, end: &str) -> Result<MinuteRange, BadTimeInterval> {
    let range = MinuteRange { start: parse_minute(start)?, end: parse_minute(end)? };
    if range.start < range.end {
        return Ok(range);
    }
    Err(BadTimeInterval::TimesReversed { start: start.to_owned(), end: end.to_owned() })
}

/// Reads `saturday` or `monday:friday`; the week begins on Sunday and no range wraps around it.
///
/// # Errors
/// [`BadTimeInterval::Unknown`] and [`BadTimeInterval::Reversed`].
pub fn parse_weekdays(text: &str) -> Result<DayRange, BadTimeInterval> {
    const NAMES: [&str; 7] =
        ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    ascending(
        text,
        range(text, "a day of the week, such as monday or monday:friday", |word| {
            NAMES.iter().zip(0..).find_map(|(name, number)| (*name == word).then_some(number))
        })?,
    )
}

/// Reads `15`, `1:5` or `-3:-1`; negative days count from the end of the month.
///
/// # Errors
/// [`BadTimeInterval::Unknown`], [`BadTimeInterval::NegativeStart`], and
/// [`BadTimeInterval::Reversed`] for a range that is empty in every month.
pub fn parse_days_of_month(text: &str) -> Result<DayRange, BadTimeInterval> {
    const SHORTEST_MONTH: i16 = 28;
    let days = range(text, "a day of the month from 1 to 31 or -1 to -31", |word| {
        word.parse::<i16>().ok().filter(|day| *day != 0 && (-31..=31).contains(day))
    })?;
    if days.start < 0 && days.end > 0 {
        return Err(BadTimeInterval::NegativeStart { text: text.to_owned() });
    }
    let from_start = |day: i16| if day < 0 { SHORTEST_MONTH + day } else { day };
    let compared = DayRange { start: from_start(days.start), end: from_start(days.end) };
    ascending(text, compared).map(|_| days)
}

/// Reads `3`, `march`, `january:march` or `1:3`.
///
/// # Errors
/// [`BadTimeInterval::Unknown`] and [`BadTimeInterval::Reversed`].
pub fn parse_months(text: &str) -> Result<DayRange, BadTimeInterval> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    ascending(
        text,
        range(text, "a month, such as march, 3 or january:march", |word| {
            NAMES
                .iter()
                .zip(1..)
                .find_map(|(name, number)| (*name == word).then_some(number))
                .or_else(|| word.parse::<i16>().ok().filter(|month| (1..=12).contains(month)))
        })?,
    )
}

/// Reads `2027` or `2027:2029`.
///
/// # Errors
/// [`BadTimeInterval::Unknown`] and [`BadTimeInterval::Reversed`].
pub fn parse_years(text: &str) -> Result<DayRange, BadTimeInterval> {
    ascending(
        text,
        range(text, "a year, such as 2027 or 2027:2029", |word| {
            word.parse::<i16>().ok().filter(|year| (0..=9999).contains(year))
        })?,
    )
}

/// The zones that are compiled in: every machine agrees on them, and no file is read.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Finds a zone by its IANA name; `UTC`, an offset such as `+02:00` and a POSIX rule are fine, too.
///
/// The zone of the machine, Alertmanager's `Local`, is for the caller to look up.
///
/// # Errors
/// [`BadTimeInterval::TimeZone`] when there is no such zone.
pub fn time_zone(name: &str) -> Result<TimeZone, BadTimeInterval> {
    ZONES
        .get(name)
        .or_else(|_| DateTimeParser::new().parse_time_zone_with(&ZONES, name))
        .ok()
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(|| BadTimeInterval::TimeZone { name: name.to_owned() })
}

/// Returns the name by which [`time_zone`] finds the zone again.
pub fn time_zone_name(zone: &TimeZone) -> String {
    match zone.iana_name() {
        Some(name) => name.to_owned(),
        // Every zone that was found by a name, an offset or a rule can be printed.
        None => DateTimePrinter::new()
            .time_zone_to_string(zone)
            .unwrap_or_else(|_| "Etc/Unknown".to_owned()),
    }
}

fn range(
    text: &str,
    expected: &'static str,
    member: impl Fn(&str) -> Option<i16>,
) -> Result<DayRange, BadTimeInterval> {
    let lower = text.to_lowercase();
    let (start, end) = lower.split_once(':').unwrap_or((&lower, &lower));
    let member = |word: &str| {
        member(word).ok_or_else(|| BadTimeInterval::Unknown { text: word.to_owned(), expected })
    };
    Ok(DayRange { start: member(start)?, end: member(end)? })
}

fn ascending(text: &str, range: DayRange) -> Result<DayRange, BadTimeInterval> {
    if range.start <= range.end {
        return Ok(range);
    }
    Err(BadTimeInterval::Reversed { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T: std::fmt::Debug>(result: Result<T, BadTimeInterval>) -> String {
        result.unwrap_err().to_string()
    }

    fn days(start: i16, end: i16) -> Result<DayRange, BadTimeInterval> {
        Ok(DayRange { start, end })
    }

    #[test]
    fn times_are_two_digits_each_and_end_after_they_start() {
        assert_eq!(parse_minute("00:00"), Ok(0));
        assert_eq!(parse_minute("09:05"), Ok(545));
        assert_eq!(parse_minute("24:00"), Ok(1440));
        for text in ["", "9:00", "09:5", "24:01", "25:00", "09:60", "-1:00", "+9:00", "09:00:00"] {
            assert_eq!(parse_minute(text), Err(BadTimeInterval::Time { text: text.to_owned() }));
        }
        assert_eq!(parse_times("09:00", "17:00"), Ok(MinuteRange { start: 540, end: 1020 }));
        assert!(parse_times("09:00", "09:00").is_err());
        assert_eq!(
            shown(parse_times("22:00", "06:00")),
            "the start time 22:00 is not before the end time 06:00; a range cannot pass midnight"
        );
    }

    #[test]
    fn days_of_the_week_begin_on_sunday_and_do_not_wrap() {
        assert_eq!(parse_weekdays("sunday"), days(0, 0));
        assert_eq!(parse_weekdays("Monday:FRIDAY"), days(1, 5));
        assert_eq!(
            shown(parse_weekdays("friday:monday")),
            "the range `friday:monday` ends before it starts"
        );
        assert_eq!(
            shown(parse_weekdays("monday:fri")),
            "`fri` is not a day of the week, such as monday or monday:friday"
        );
        for text in ["", "1", "monday:", "monday: friday", "monday:tuesday:friday"] {
            assert!(parse_weekdays(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_of_the_month_may_count_from_its_end() {
        assert_eq!(parse_days_of_month("1:5"), days(1, 5));
        assert_eq!(parse_days_of_month("-3:-1"), days(-3, -1));
        assert_eq!(parse_days_of_month("5:-3"), days(5, -3));
        assert_eq!(parse_days_of_month("31"), days(31, 31));
        assert_eq!(parse_days_of_month("-31:-1"), days(-31, -1));
        for text in ["0", "32", "-32", "x", "1:", "5:1", "-1:-3", "28:-1"] {
            assert!(parse_days_of_month(text).is_err(), "{text}");
        }
        assert_eq!(
            shown(parse_days_of_month("-3:5")),
            "the range `-3:5` starts with a negative day, so it must end with one"
        );
    }

    #[test]
    fn months_have_names_and_numbers_and_years_have_numbers() {
        assert_eq!(parse_months("January:march"), days(1, 3));
        assert_eq!(parse_months("1:december"), days(1, 12));
        assert_eq!(parse_months("5"), days(5, 5));
        assert!(parse_months("13").is_err() && parse_months("0").is_err());
        assert_eq!(shown(parse_months("3:1")), "the range `3:1` ends before it starts");
        assert_eq!(parse_years("2020:2022"), days(2020, 2022));
        assert!(parse_years("2022:2020").is_err() && parse_years("next").is_err());
        assert!(parse_years("99999").is_err());
    }

    #[test]
    fn zones_are_found_again_by_their_names() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "+02:00", "-03:30"] {
            let zone = time_zone(name).unwrap();
            assert_eq!(time_zone_name(&zone), name);
            assert_eq!(time_zone(&time_zone_name(&zone)), Ok(zone));
        }
        let posix = time_zone("EST5EDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(time_zone(&time_zone_name(&posix)), Ok(posix));
        for name in ["", "Mars/Base", "Etc/Unknown", "Local"] {
            assert!(time_zone(name).is_err(), "{name}");
        }
    }
}
