//! Dates, times and lengths as calendars write them.
//!
//! Source: RFC 5545, sections 3.3.4 to 3.3.6 and 3.3.9.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// The longest length that is believed, in seconds: ten years.
const MAX_SECONDS: i64 = 10 * 366 * 86_400;

/// A date or a time as it is written; the zone is found elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A whole day.
    Day(Date),
    /// By some clock.
    Local(DateTime),
    /// By UTC.
    Utc(DateTime),
}

impl Written {
    /// Reads `20261128`, `20261128T093000` or `20261128T093000Z`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = |from: usize, to: usize| -> Option<i16> {
            let digits = text.get(from..to)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let small = |from: usize| i8::try_from(number(from, from + 2)?).ok();
        let date = Date::new(number(0, 4)?, small(4)?, small(6)?).ok()?;
        if text.len() == 8 {
            return Some(Self::Day(date));
        }
        if !matches!(text.as_bytes().get(8), Some(b'T' | b't')) {
            return None;
        }
        // A leap second is the last second before it.
        let time = Time::new(small(9)?, small(11)?, small(13)?.min(59), 0).ok()?;
        match text.get(15..)? {
            "" => Some(Self::Local(date.to_datetime(time))),
            "Z" | "z" => Some(Self::Utc(date.to_datetime(time))),
            _ => None,
        }
    }
}

/// A date or a time in its zone.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    /// What a clock in the zone shows; midnight for a day.
    pub(super) local: DateTime,
    pub(super) zone: TimeZone,
    /// Whether it is a whole day.
    pub(super) is_day: bool,
}

impl Moment {
    /// Returns the instant: of a local time that is repeated the first one, and of one that is left
    /// out the one that its offset before the gap gives it (section 3.3.5), as calendar programs
    /// show it.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        instant(&self.zone, self.local)
    }
}

/// Returns the instant of a local time, as [`Moment::instant`] does.
pub(super) fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(local).compatible().ok()
}

/// How long something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So long on the wall clock of its zone: an end was given by the same clock, so a shift from
    /// nine to nine stays one when clocks change.
    Wall(SignedDuration),
    /// So many days on the calendar, and then so much elapsed time.
    Days(i64, SignedDuration),
}

impl Length {
    /// Reads `P1D`, `PT8H`, `P1DT12H` or `P2W`; negative ones are read, too.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, text) = match text.as_bytes().first()? {
            b'-' => (-1, text.get(1..)?),
            b'+' => (1, text.get(1..)?),
            _ => (1, text),
        };
        let text = text.strip_prefix(['P', 'p'])?;
        let (mut days, mut seconds, mut number, mut is_time, mut is_any) =
            (0, 0, None, false, false);
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                let value = number.unwrap_or(0_i64) * 10 + i64::from(digit);
                number = Some(value).filter(|value| *value <= MAX_SECONDS);
                number?;
                continue;
            }
            if matches!(c, 'T' | 't') && !is_time && number.is_none() {
                is_time = true;
                continue;
            }
            let value: i64 = number.take()?;
            is_any = true;
            match (c.to_ascii_uppercase(), is_time) {
                ('W', false) => days += value * 7,
                ('D', false) => days += value,
                ('H', true) => seconds += value * 3_600,
                ('M', true) => seconds += value * 60,
                ('S', true) => seconds += value,
                _ => return None,
            }
        }
        let is_believed = days <= MAX_SECONDS / 86_400 && seconds <= MAX_SECONDS;
        (is_any && number.is_none() && is_believed)
            .then(|| Self::Days(sign * days, SignedDuration::from_secs(sign * seconds)))
    }

    /// Returns when something ends that begins at a local time.
    pub(super) fn end(self, start: DateTime, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Wall(length) => instant(zone, start.checked_add(length).ok()?),
            Self::Days(days, rest) => {
                let day = start.checked_add(Span::new().try_days(days).ok()?).ok()?;
                instant(zone, day)?.checked_add(rest).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn dates_and_times_are_read_and_nothing_else() {
        let at = date(2026, 11, 28).at(9, 30, 0, 0);
        assert_eq!(Written::parse("20261128"), Some(Written::Day(date(2026, 11, 28))));
        assert_eq!(Written::parse("20261128T093000"), Some(Written::Local(at)));
        assert_eq!(Written::parse(" 20261128T093000Z"), Some(Written::Utc(at)));
        let leap = Written::parse("20161231T235960Z");
        assert_eq!(leap, Some(Written::Utc(date(2016, 12, 31).at(23, 59, 59, 0))));
        for text in [
            "",
            "2026",
            "2026-11-28",
            "20261328",
            "20260230",
            "20261128T",
            "20261128T0930",
            "20261128T243000",
            "20261128T093000+01",
            "2026112\u{e4}",
            "+2026112T093000",
        ] {
            assert_eq!(Written::parse(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_are_read_and_nothing_else() {
        let days = |days, seconds| Some(Length::Days(days, SignedDuration::from_secs(seconds)));
        assert_eq!(Length::parse("P1D"), days(1, 0));
        assert_eq!(Length::parse("P2W"), days(14, 0));
        assert_eq!(Length::parse("PT8H30M5S"), days(0, 30_605));
        assert_eq!(Length::parse("P1DT12H"), days(1, 43_200));
        assert_eq!(Length::parse("-PT15M"), days(0, -900));
        assert_eq!(Length::parse("PT0S"), days(0, 0));
        for text in
            ["", "P", "PT", "1D", "PD", "P1", "P1H", "PT1D", "P1M", "P99999999999999999999D"]
        {
            assert_eq!(Length::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_length_on_the_wall_keeps_the_clock_and_an_elapsed_one_does_not() {
        let zone = TimeZone::get("America/Chicago").unwrap();
        let start = date(2027, 3, 13).at(20, 0, 0, 0);
        let show = |length: Length| length.end(start, &zone).unwrap().to_string();
        let half_day = SignedDuration::from_hours(12);
        assert_eq!(show(Length::Wall(half_day)), "2027-03-14T13:00:00Z");
        assert_eq!(show(Length::Days(0, half_day)), "2027-03-14T14:00:00Z");
        assert_eq!(show(Length::Days(1, SignedDuration::ZERO)), "2027-03-15T01:00:00Z");
    }
}
