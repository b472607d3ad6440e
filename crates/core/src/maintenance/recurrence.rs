//! Recurrence rules: their text, and every way in which it can be wrong.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};

use super::series::Series;

/// The longest rule that is read.
pub const MAX_RULE_BYTES: usize = 512;
/// The highest `COUNT`: whether a counted rule is over is found out by counting.
pub const MAX_COUNT: u32 = 10_000;
/// The highest `INTERVAL`.
pub const MAX_INTERVAL: i64 = 10_000;
/// How many starts a rule may name for one day by `BYHOUR` and `BYMINUTE`: one in five minutes.
pub const MAX_STARTS_PER_DAY: usize = 288;

/// A recurrence rule that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    text: String,
    rule: Arc<Rule>,
}

/// A recurrence rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid recurrence rule `{rule}`: {message}")]
pub struct BadRecurrence {
    /// The rule as written.
    pub rule: String,
    /// What is wrong with it.
    pub message: String,
}

impl Recurrence {
    /// Checks an RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=SU`.
    ///
    /// All parts of the RFC are understood; `FREQ=SECONDLY` is refused because no maintenance
    /// begins every second, and so is a rule that never occurs, such as the 30th of February.
    ///
    /// # Errors
    /// [`BadRecurrence`] when the rule cannot be read.
    pub fn new(rule: &str) -> Result<Self, BadRecurrence> {
        let bad = |message: String| BadRecurrence {
            rule: rule.chars().take(MAX_RULE_BYTES).collect(),
            message,
        };
        let parsed = Rule::parse(rule).map_err(bad)?;
        if !Series::ever_occurs(&parsed) {
            return Err(bad("it never occurs".to_owned()));
        }
        Ok(Self { text: rule.to_owned(), rule: Arc::new(parsed) })
    }

    /// Returns the rule as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }
}

/// The period that a rule repeats, from the longest to the shortest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
}

/// The last instant at which an occurrence may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Read in the window's zone.
    Local(DateTime),
    Instant(Timestamp),
}

/// A rule in parts. An empty list is a part that is not there; lists are ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    pub(super) week_start: Weekday,
    pub(super) months: Vec<i8>,
    pub(super) week_numbers: Vec<i8>,
    pub(super) year_days: Vec<i16>,
    pub(super) month_days: Vec<i8>,
    /// The n-th of its kind, from the end when negative; all of them when 0.
    pub(super) weekdays: Vec<(i8, Weekday)>,
    pub(super) hours: Vec<i8>,
    pub(super) minutes: Vec<i8>,
    pub(super) seconds: Vec<i8>,
    pub(super) positions: Vec<i16>,
}

const PARTS: [&str; 14] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
    "BYSETPOS",
];

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_RULE_BYTES {
            return Err(format!("it is longer than {MAX_RULE_BYTES} bytes"));
        }
        let upper = text.to_ascii_uppercase();
        let parts = split(upper.strip_prefix("RRULE:").unwrap_or(&upper))?;
        let part = |name| parts.get(name).copied();
        let frequency = match part("FREQ").ok_or("the part FREQ is missing")? {
            "YEARLY" => Frequency::Yearly,
            "MONTHLY" => Frequency::Monthly,
            "WEEKLY" => Frequency::Weekly,
            "DAILY" => Frequency::Daily,
            "HOURLY" => Frequency::Hourly,
            "MINUTELY" => Frequency::Minutely,
            "SECONDLY" => return Err("FREQ=SECONDLY is not supported".to_owned()),
            other => {
                return Err(format!(
                    "FREQ is `{other}`, not YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY or MINUTELY"
                ));
            }
        };
        let rule = Self {
            frequency,
            interval: part("INTERVAL")
                .map_or(Ok(1), |value| number("INTERVAL", value, &(1..=MAX_INTERVAL)))?,
            count: part("COUNT")
                .map(|value| number("COUNT", value, &(1..=MAX_COUNT)))
                .transpose()?,
            until: part("UNTIL").map(until).transpose()?,
            week_start: part("WKST").map_or(Ok(Weekday::Monday), |value| {
                weekday(value).ok_or_else(|| format!("WKST is `{value}`, not a day such as MO"))
            })?,
            months: numbers("BYMONTH", part("BYMONTH"), 1..=12)?,
            week_numbers: numbers("BYWEEKNO", part("BYWEEKNO"), -53..=53)?,
            year_days: numbers("BYYEARDAY", part("BYYEARDAY"), -366..=366)?,
            month_days: numbers("BYMONTHDAY", part("BYMONTHDAY"), -31..=31)?,
            weekdays: part("BYDAY").map_or(Ok(Vec::new()), weekdays)?,
            hours: numbers("BYHOUR", part("BYHOUR"), 0..=23)?,
            minutes: numbers("BYMINUTE", part("BYMINUTE"), 0..=59)?,
            seconds: numbers("BYSECOND", part("BYSECOND"), 0..=59)?,
            positions: numbers("BYSETPOS", part("BYSETPOS"), -366..=366)?,
        };
        rule.check()?;
        Ok(rule)
    }

    /// Checks what the parts may not be together.
    ///
    /// Source: RFC 5545, section 3.3.10.
    fn check(&self) -> Result<(), String> {
        use Frequency::{Daily, Monthly, Weekly, Yearly};
        let frequency = self.frequency;
        let nth = || self.weekdays.iter().map(|(n, _)| *n).filter(|n| *n != 0);
        for (is_wrong, message) in [
            (self.count.is_some() && self.until.is_some(), "COUNT and UNTIL exclude each other"),
            (
                !self.month_days.is_empty() && frequency == Weekly,
                "BYMONTHDAY does not go with FREQ=WEEKLY",
            ),
            (
                !self.year_days.is_empty() && matches!(frequency, Daily | Weekly | Monthly),
                "BYYEARDAY does not go with FREQ=DAILY, WEEKLY or MONTHLY",
            ),
            (
                !self.week_numbers.is_empty() && frequency != Yearly,
                "BYWEEKNO goes with FREQ=YEARLY only",
            ),
            (
                nth().next().is_some() && !matches!(frequency, Monthly | Yearly),
                "a number before a day of BYDAY goes with FREQ=MONTHLY or YEARLY only",
            ),
            (
                nth().next().is_some() && !self.week_numbers.is_empty(),
                "a number before a day of BYDAY does not go with BYWEEKNO",
            ),
            (
                frequency == Monthly && nth().any(|n| n.abs() > 5),
                "a month has at most 5 of each day of the week",
            ),
            (
                !self.positions.is_empty() && !self.has_by_part(),
                "BYSETPOS needs another part that begins with BY",
            ),
            (self.seconds.len() > 1, "BYSECOND may name one second only"),
            (
                self.hours.len().max(1) * self.minutes.len().max(1) > MAX_STARTS_PER_DAY,
                "BYHOUR and BYMINUTE name more than 288 starts of one day",
            ),
        ] {
            if is_wrong {
                return Err(message.to_owned());
            }
        }
        Ok(())
    }

    fn has_by_part(&self) -> bool {
        self.names_days()
            || [&self.months, &self.hours, &self.minutes, &self.seconds]
                .into_iter()
                .any(|list| !list.is_empty())
    }

    /// Returns whether a part other than `BYMONTH` chooses days.
    pub(super) fn names_days(&self) -> bool {
        !(self.week_numbers.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.weekdays.is_empty())
    }
}

fn split(text: &str) -> Result<BTreeMap<&str, &str>, String> {
    let mut parts = BTreeMap::new();
    for part in text.split(';') {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("`{part}` is not of the form NAME=VALUE"))?;
        if !PARTS.contains(&name) {
            return Err(format!("there is no part `{name}`; there are {}", PARTS.join(", ")));
        }
        if parts.insert(name, value).is_some() {
            return Err(format!("the part {name} is there twice"));
        }
    }
    Ok(parts)
}

fn number<N>(name: &str, text: &str, range: &RangeInclusive<N>) -> Result<N, String>
where
    N: FromStr + PartialOrd + std::fmt::Display,
{
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        format!("{name} is `{text}`, not a number from {} to {}", range.start(), range.end())
    })
}

/// Reads a list of numbers; in a range that begins below zero, zero means nothing.
fn numbers<N>(name: &str, text: Option<&str>, range: RangeInclusive<N>) -> Result<Vec<N>, String>
where
    N: FromStr + Ord + std::fmt::Display + Default,
{
    let Some(text) = text else { return Ok(Vec::new()) };
    let counts_from_end = *range.start() < N::default();
    let mut numbers = Vec::new();
    for item in text.split(',') {
        let number = number(name, item, &range)?;
        if counts_from_end && number == N::default() {
            return Err(format!("{name} has no 0; it counts from 1, or from -1 backwards"));
        }
        numbers.push(number);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn weekdays(text: &str) -> Result<Vec<(i8, Weekday)>, String> {
    text.split(',')
        .map(|item| {
            let bad = || format!("BYDAY is `{item}`, not a day such as MO, 1MO or -1FR");
            let (nth, day) = item
                .len()
                .checked_sub(2)
                .and_then(|at| item.split_at_checked(at))
                .ok_or_else(bad)?;
            let day = weekday(day).ok_or_else(bad)?;
            let nth = match nth {
                "" => 0,
                nth => nth
                    .parse()
                    .ok()
                    .filter(|nth| *nth != 0 && (-53..=53).contains(nth))
                    .ok_or_else(bad)?,
            };
            Ok((nth, day))
        })
        .collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

/// Reads `20270131`, `20270131T020000` or `20270131T010000Z`; a date means all of that day.
fn until(text: &str) -> Result<Until, String> {
    let read = || {
        let (local, is_utc) = text.strip_suffix('Z').map_or((text, false), |local| (local, true));
        let digits = |from: usize, to: usize| -> Option<i16> {
            let digits = local.get(from..to)?;
            digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let small = |from| i8::try_from(digits(from, from + 2)?).ok();
        let date = Date::new(digits(0, 4)?, small(4)?, small(6)?).ok()?;
        if local.len() == 8 && !is_utc {
            return Some(Until::Local(date.at(23, 59, 59, 999_999_999)));
        }
        if local.len() != 15 || local.as_bytes()[8] != b'T' {
            return None;
        }
        let local = date.to_datetime(Time::new(small(9)?, small(11)?, small(13)?, 0).ok()?);
        if !is_utc {
            return Some(Until::Local(local));
        }
        jiff::tz::TimeZone::UTC.to_timestamp(local).ok().map(Until::Instant)
    };
    read().ok_or_else(|| {
        format!("UNTIL is `{text}`, not of the form 20270131, 20270131T020000 or 20270131T010000Z")
    })
}
