//! Go's time layouts: a time is written as the reference time `Mon Jan 2 15:04:05 MST 2006` would
//! be.
//!
//! Source: package `time` of Go, "Constants" and `Time.Format`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// One part of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    LongMonth,
    Month,
    NumMonth { is_padded: bool },
    LongWeekday,
    Weekday,
    Day { pad: Option<char> },
    YearDay { pad: char },
    Hour24,
    Hour12 { is_padded: bool },
    Minute { is_padded: bool },
    Second { is_padded: bool },
    LongYear,
    Year,
    Noon { is_upper: bool },
    ZoneName,
    Offset(OffsetStyle),
    Fraction { separator: char, digits: usize, trims: bool },
}

/// How an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OffsetStyle {
    /// Whether UTC is `Z`.
    has_z: bool,
    has_colons: bool,
    has_minutes: bool,
    has_seconds: bool,
}

/// The fixed texts of a layout, longer ones before those they begin with.
const PARTS: &[(&str, Part)] = &[
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::Weekday),
    ("MST", Part::ZoneName),
    ("2006", Part::LongYear),
    ("_2006", Part::LongYear),
    ("__2", Part::YearDay { pad: ' ' }),
    ("002", Part::YearDay { pad: '0' }),
    ("_2", Part::Day { pad: Some(' ') }),
    ("01", Part::NumMonth { is_padded: true }),
    ("02", Part::Day { pad: Some('0') }),
    ("03", Part::Hour12 { is_padded: true }),
    ("04", Part::Minute { is_padded: true }),
    ("05", Part::Second { is_padded: true }),
    ("06", Part::Year),
    ("15", Part::Hour24),
    ("1", Part::NumMonth { is_padded: false }),
    ("2", Part::Day { pad: None }),
    ("3", Part::Hour12 { is_padded: false }),
    ("4", Part::Minute { is_padded: false }),
    ("5", Part::Second { is_padded: false }),
    ("PM", Part::Noon { is_upper: true }),
    ("pm", Part::Noon { is_upper: false }),
    ("-07:00:00", Part::Offset(OffsetStyle::new(false, true, true, true))),
    ("-070000", Part::Offset(OffsetStyle::new(false, false, true, true))),
    ("-07:00", Part::Offset(OffsetStyle::new(false, true, true, false))),
    ("-0700", Part::Offset(OffsetStyle::new(false, false, true, false))),
    ("-07", Part::Offset(OffsetStyle::new(false, false, false, false))),
    ("Z07:00:00", Part::Offset(OffsetStyle::new(true, true, true, true))),
    ("Z070000", Part::Offset(OffsetStyle::new(true, false, true, true))),
    ("Z07:00", Part::Offset(OffsetStyle::new(true, true, true, false))),
    ("Z0700", Part::Offset(OffsetStyle::new(true, false, true, false))),
    ("Z07", Part::Offset(OffsetStyle::new(true, false, false, false))),
];

impl OffsetStyle {
    const fn new(has_z: bool, has_colons: bool, has_minutes: bool, has_seconds: bool) -> Self {
        Self { has_z, has_colons, has_minutes, has_seconds }
    }
}

/// Splits a layout at the next part that stands for something.
fn next_part(layout: &str) -> Option<(&str, Part, &str)> {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        if let Some((part, length)) = part_at(rest) {
            return Some((&layout[..at], part, &rest[length..]));
        }
    }
    None
}

fn part_at(text: &str) -> Option<(Part, usize)> {
    if let Some(fraction) = fraction_at(text) {
        return Some(fraction);
    }
    let (name, part) = PARTS.iter().find(|(name, _)| text.starts_with(name))?;
    // `Jan` and `Mon` stand for something only where no small letter follows them.
    let follows_small = text[name.len()..].starts_with(|c: char| c.is_ascii_lowercase());
    if matches!(part, Part::Month | Part::Weekday) && follows_small {
        return None;
    }
    // `_2006` is an underscore and the year.
    if *name == "_2006" {
        return None;
    }
    if *name == "_2" && text.starts_with("_2006") {
        return None;
    }
    Some((*part, name.len()))
}

/// `.000` or `,999` behind anything; no further digit may follow.
fn fraction_at(text: &str) -> Option<(Part, usize)> {
    let separator = text.chars().next().filter(|c| matches!(c, '.' | ','))?;
    let digit = text[1..].chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let digits = text[1..].chars().take_while(|c| *c == digit).count();
    let follows_digit = text[1 + digits..].starts_with(|c: char| c.is_ascii_digit());
    if follows_digit || digits > 9 {
        return None;
    }
    Some((Part::Fraction { separator, digits, trims: digit == '9' }, 1 + digits))
}

/// Returns `time` written as `layout` says.
pub(super) fn format(time: &Zoned, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len() + 8);
    let mut rest = layout;
    while let Some((literal, part, behind)) = next_part(rest) {
        out.push_str(literal);
        write_part(&mut out, time, &part);
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn write_part(out: &mut String, time: &Zoned, part: &Part) {
    let hour12 = || match time.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let two = |number: i8, is_padded: bool| {
        if is_padded { format!("{number:02}") } else { number.to_string() }
    };
    let text = match part {
        Part::LongMonth => month_name(time).to_owned(),
        Part::Month => month_name(time)[..3].to_owned(),
        Part::NumMonth { is_padded } => two(time.month(), *is_padded),
        Part::LongWeekday => day_name(time).to_owned(),
        Part::Weekday => day_name(time)[..3].to_owned(),
        Part::Day { pad: None } => time.day().to_string(),
        Part::Day { pad: Some(' ') } => format!("{:2}", time.day()),
        Part::Day { pad: Some(_) } => format!("{:02}", time.day()),
        Part::YearDay { pad: ' ' } => format!("{:3}", time.day_of_year()),
        Part::YearDay { .. } => format!("{:03}", time.day_of_year()),
        Part::Hour24 => two(time.hour(), true),
        Part::Hour12 { is_padded } => two(hour12(), *is_padded),
        Part::Minute { is_padded } => two(time.minute(), *is_padded),
        Part::Second { is_padded } => two(time.second(), *is_padded),
        Part::LongYear => format!("{:04}", time.year()),
        Part::Year => format!("{:02}", time.year().rem_euclid(100)),
        Part::Noon { is_upper } => match (time.hour() >= 12, is_upper) {
            (true, true) => "PM".to_owned(),
            (true, false) => "pm".to_owned(),
            (false, true) => "AM".to_owned(),
            (false, false) => "am".to_owned(),
        },
        Part::ZoneName => zone_name(time),
        Part::Offset(style) => offset(time.offset().seconds(), *style),
        Part::Fraction { separator, digits, trims } => {
            let all = format!("{:09}", time.subsec_nanosecond());
            let shown = &all[..*digits];
            let shown = if *trims { shown.trim_end_matches('0') } else { shown };
            if shown.is_empty() { String::new() } else { format!("{separator}{shown}") }
        }
    };
    out.push_str(&text);
}

fn month_name(time: &Zoned) -> &'static str {
    MONTHS[usize::try_from(time.month() - 1).unwrap_or_default() % 12]
}

fn day_name(time: &Zoned) -> &'static str {
    DAYS[usize::try_from(time.weekday().to_sunday_zero_offset()).unwrap_or_default() % 7]
}

/// Zones without a name are called by their offset, as Go does.
fn zone_name(time: &Zoned) -> String {
    if time.time_zone() == &TimeZone::UTC || time.time_zone().iana_name().is_some() {
        return time.strftime("%Z").to_string();
    }
    let style = OffsetStyle::new(false, false, time.offset().seconds() % 3600 != 0, false);
    offset(time.offset().seconds(), style)
}

fn offset(seconds: i32, style: OffsetStyle) -> String {
    if style.has_z && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let colon = if style.has_colons { ":" } else { "" };
    let mut text = format!("{sign}{:02}", seconds / 3600);
    if style.has_minutes {
        text.push_str(&format!("{colon}{:02}", seconds / 60 % 60));
    }
    if style.has_seconds {
        text.push_str(&format!("{colon}{:02}", seconds % 60));
    }
    text
}

/// What a text says of a time.
#[derive(Default)]
struct Read {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    year_day: Option<i16>,
    hour: i8,
    is_afternoon: Option<bool>,
    minute: i8,
    second: i8,
    nanosecond: i32,
    offset: Option<i32>,
    is_utc: bool,
}

/// Reads `text` as `layout` says; a zone that it does not name is UTC.
pub(super) fn parse(layout: &str, text: &str) -> Result<Zoned, String> {
    let fail = || format!("cannot read {text:?} as {layout:?}");
    let mut read = Read::default();
    let (mut rest, mut input) = (layout, text);
    loop {
        let Some((literal, part, behind)) = next_part(rest) else {
            return if rest == input { read.time().ok_or_else(fail) } else { Err(fail()) };
        };
        input = input.strip_prefix(literal).ok_or_else(fail)?;
        input = read.take(&part, input).ok_or_else(fail)?;
        // A fraction behind the seconds is taken also where the layout has none.
        if matches!(part, Part::Second { .. }) && fraction_at(behind).is_none() {
            input = read.loose_fraction(input);
        }
        rest = behind;
    }
}

impl Read {
    fn take<'t>(&mut self, part: &Part, text: &'t str) -> Option<&'t str> {
        Some(match part {
            Part::LongMonth => self.named(&MONTHS, text, usize::MAX)?,
            Part::Month => self.named(&MONTHS, text, 3)?,
            Part::NumMonth { is_padded } => {
                let (number, rest) = number(text, if *is_padded { 2 } else { 1 }, 2)?;
                self.month = Some(number.try_into().ok()?);
                rest
            }
            Part::LongWeekday => strip_name(&DAYS, text, usize::MAX)?.1,
            Part::Weekday => strip_name(&DAYS, text, 3)?.1,
            Part::Day { pad } => {
                let text = if *pad == Some(' ') { text.trim_start_matches(' ') } else { text };
                let (number, rest) = number(text, if *pad == Some('0') { 2 } else { 1 }, 2)?;
                self.day = Some(number.try_into().ok()?);
                rest
            }
            Part::YearDay { .. } => {
                let (number, rest) = number(text.trim_start_matches(' '), 1, 3)?;
                self.year_day = Some(number.try_into().ok()?);
                rest
            }
            Part::Hour24 => two_digits(&mut self.hour, text, true)?,
            Part::Hour12 { is_padded } => {
                let rest = two_digits(&mut self.hour, text, *is_padded)?;
                (self.hour <= 12).then_some(rest)?
            }
            Part::Minute { is_padded } => two_digits(&mut self.minute, text, *is_padded)?,
            Part::Second { is_padded } => two_digits(&mut self.second, text, *is_padded)?,
            Part::LongYear => {
                let (number, rest) = number(text, 4, 4)?;
                self.year = Some(number.try_into().ok()?);
                rest
            }
            Part::Year => {
                let (number, rest) = number(text, 2, 2)?;
                let century = if number >= 69 { 1900 } else { 2000 };
                self.year = Some((century + number).try_into().ok()?);
                rest
            }
            Part::Noon { is_upper } => {
                let (morning, evening) = if *is_upper { ("AM", "PM") } else { ("am", "pm") };
                if let Some(rest) = text.strip_prefix(evening) {
                    self.is_afternoon = Some(true);
                    rest
                } else {
                    self.is_afternoon = Some(false);
                    text.strip_prefix(morning)?
                }
            }
            Part::ZoneName => {
                let end = text.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(text.len());
                if !(3..=5).contains(&end) {
                    return None;
                }
                self.is_utc = &text[..end] == "UTC";
                &text[end..]
            }
            Part::Offset(style) => self.offset(*style, text)?,
            Part::Fraction { separator, digits, trims } => {
                let Some(rest) = text.strip_prefix(*separator) else {
                    return trims.then_some(text);
                };
                let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                if !trims && length < *digits {
                    return None;
                }
                let length = if *trims { length.min(9) } else { *digits };
                self.fraction(&rest[..length])?;
                &rest[length..]
            }
        })
    }

    fn named<'t>(&mut self, names: &[&str], text: &'t str, letters: usize) -> Option<&'t str> {
        let (index, rest) = strip_name(names, text, letters)?;
        self.month = Some(i8::try_from(index).ok()? + 1);
        Some(rest)
    }

    fn fraction(&mut self, digits: &str) -> Option<()> {
        let padded = format!("{digits:0<9}");
        self.nanosecond = padded.get(..9)?.parse().ok()?;
        Some(())
    }

    fn loose_fraction<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(rest) = text.strip_prefix(['.', ',']) else { return text };
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        match self.fraction(&rest[..length.min(9)]) {
            Some(()) if length > 0 => &rest[length..],
            _ => text,
        }
    }

    fn offset<'t>(&mut self, style: OffsetStyle, text: &'t str) -> Option<&'t str> {
        if style.has_z
            && let Some(rest) = text.strip_prefix('Z')
        {
            self.is_utc = true;
            return Some(rest);
        }
        let sign = match text.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let (hours, mut rest) = number(&text[1..], 2, 2)?;
        let mut seconds = hours * 3600;
        for (is_there, unit) in [(style.has_minutes, 60), (style.has_seconds, 1)] {
            if is_there {
                rest = if style.has_colons { rest.strip_prefix(':')? } else { rest };
                let (value, behind) = number(rest, 2, 2)?;
                seconds += value * unit;
                rest = behind;
            }
        }
        self.offset = Some(sign * i32::try_from(seconds).ok()?);
        Some(rest)
    }

    fn time(&self) -> Option<Zoned> {
        let hour = match self.is_afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let year = self.year.unwrap_or(0);
        let date = match self.year_day {
            Some(day) => {
                let first = Date::new(year, 1, 1).ok()?;
                first.checked_add(jiff::Span::new().days(i64::from(day) - 1)).ok()?
            }
            None => Date::new(year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?,
        };
        let clock = Time::new(hour, self.minute, self.second, self.nanosecond).ok()?;
        let local = DateTime::from_parts(date, clock);
        let zone = match self.offset {
            Some(0) | None => TimeZone::UTC,
            Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
        };
        local.to_zoned(zone).ok()
    }
}

/// Reads digits, at least `min` and at most `max` of them.
fn number(text: &str, min: usize, max: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if length < min {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

fn two_digits<'t>(into: &mut i8, text: &'t str, is_padded: bool) -> Option<&'t str> {
    let (value, rest) = number(text, if is_padded { 2 } else { 1 }, 2)?;
    *into = value.try_into().ok()?;
    Some(rest)
}

/// Strips one of the names, of which only so many letters are written; any case will do.
fn strip_name<'t>(names: &[&str], text: &'t str, letters: usize) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = &name[..letters.min(name.len())];
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (index, &text[name.len()..]))
    })
}

/// Returns an instant in UTC.
pub(super) fn utc(instant: Timestamp) -> Zoned {
    instant.to_zoned(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(layout: &str) -> String {
        let time: Timestamp = "2026-02-05T21:04:07.012345678Z".parse().unwrap();
        format(&time.to_zoned(TimeZone::get("Europe/Berlin").unwrap()), layout)
    }

    #[test]
    fn every_part_of_a_layout_is_written() {
        for (layout, expected) in [
            ("2006-01-02T15:04:05Z07:00", "2026-02-05T22:04:07+01:00"),
            ("2006-01-02T15:04:05.999999999Z07:00", "2026-02-05T22:04:07.012345678+01:00"),
            ("Mon, 02 Jan 2006 15:04:05 MST", "Thu, 05 Feb 2026 22:04:07 CET"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Thursday, 05-Feb-26 22:04:07 CET"),
            ("Mon Jan _2 15:04:05 2006", "Thu Feb  5 22:04:07 2026"),
            ("January 2, 2006 3:4:5 pm", "February 5, 2026 10:4:7 pm"),
            ("03:04PM .000 .00 ,999", "10:04PM .012 .01 ,012"),
            ("002 __2 1/2/06", "036  36 2/5/26"),
            ("-07 -0700 -07:00 -07:00:00 Z0700", "+01 +0100 +01:00 +01:00:00 +0100"),
            ("Janet Month 2007", "Janet Month 5007"),
            ("", ""),
        ] {
            assert_eq!(shown(layout), expected, "{layout}");
        }
        let noon: Timestamp = "2026-02-05T12:00:00Z".parse().unwrap();
        assert_eq!(format(&utc(noon), "3PM Z07:00 MST .999"), "12PM Z UTC ");
    }

    #[test]
    fn what_is_written_can_be_read() {
        for (layout, text, expected) in [
            ("2006-01-02T15:04:05Z07:00", "2026-02-05T22:04:07+01:00", "2026-02-05T21:04:07Z"),
            ("2006-01-02T15:04:05Z07:00", "2026-02-05T22:04:07.5Z", "2026-02-05T22:04:07.5Z"),
            ("2006-01-02", "2026-02-05", "2026-02-05T00:00:00Z"),
            ("January 2, 2006 3:04PM", "february 5, 2026 12:04AM", "2026-02-05T00:04:00Z"),
            ("Mon Jan _2 15:04:05 2006", "Thu Feb  5 22:04:07 2026", "2026-02-05T22:04:07Z"),
            ("2006 002", "2026 036", "2026-02-05T00:00:00Z"),
            ("02 Jan 06 15:04 -0700", "05 Feb 99 22:04 -0130", "1999-02-05T23:34:00Z"),
        ] {
            let read = parse(layout, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read.timestamp().to_string(), expected, "{layout} {text}");
        }
        for (layout, text) in [
            ("2006-01-02", "2026-2-5"),
            ("2006-01-02", "2026-02-30"),
            ("2006-01-02", "2026-02-05 "),
            ("15:04", "25:00"),
            ("3PM", "13PM"),
        ] {
            assert!(parse(layout, text).is_err(), "{layout} {text}");
        }
    }
}
