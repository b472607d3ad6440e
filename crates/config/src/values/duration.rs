//! Durations as Prometheus writes them: `1d`, `1h30m`, `500ms`.

use std::time::Duration;

use jiff::SignedDuration;

use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadDuration(String);

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 24 * 3600 * SECOND;

/// Units with their nanoseconds, longest first; the order in which they must be written.
const UNITS: [(&str, u64); 10] = [
    ("y", 365 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

/// The longest duration accepted, a hundred years: far below what any timer arithmetic bears.
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Reads a duration such as `1d`, `1h30m`, `500ms` or `0`.
///
/// Beside Prometheus' whole numbers it takes the fractions that Go's durations allow (`1.5s`),
/// because some of Alertmanager's keys are read that way.
///
/// # Errors
/// [`BadDuration`] says what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<SignedDuration, BadDuration> {
    parse(text).map(signed)
}

/// Returns the same length with a sign.
pub(crate) fn signed(duration: Duration) -> SignedDuration {
    // What was read from a file is far below what a signed duration holds.
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

/// Prints a duration as Prometheus does: years, weeks and days only when they are whole. A
/// negative one, which no file can hold, prints with a minus.
pub fn print_duration(duration: SignedDuration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    format!("{sign}{}", print(duration.unsigned_abs()))
}

fn parse(text: &str) -> Result<Duration, BadDuration> {
    let bad = |message: String| Err(BadDuration(message));
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return bad("an empty text is not a duration".to_owned());
    }
    if text.starts_with('-') {
        return bad("a duration cannot be negative".to_owned());
    }
    let mut nanos: f64 = 0.0;
    let mut exact: u128 = 0;
    let mut fraction = false;
    let mut next_unit = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        rest = after;
        if number.is_empty() {
            return bad("it needs a number with a unit, as in `5m` or `1h30m`".to_owned());
        }
        if unit.is_empty() {
            return bad(format!("`{number}` needs a unit: y, w, d, h, m, s or ms"));
        }
        let Some(position) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return bad(format!("unknown unit `{unit}`; the units are y, w, d, h, m, s and ms"));
        };
        if position < next_unit {
            return bad("units go from the longest to the shortest, each once".to_owned());
        }
        next_unit = position + 1;
        let size = UNITS[position].1;
        if let Ok(whole) = number.parse::<u64>() {
            exact += u128::from(whole) * u128::from(size);
        } else {
            let Some(value) =
                number.parse::<f64>().ok().filter(|_| number.matches('.').count() <= 1)
            else {
                return bad(format!("`{number}` is not a number"));
            };
            fraction = true;
            // A fraction is at most a few digits of a unit, which a float holds exactly enough.
            nanos += value * size as f64;
        }
    }
    let limit = MAX_DURATION.as_nanos();
    if exact > limit || nanos > limit as f64 {
        return bad("it is longer than a hundred years".to_owned());
    }
    let extra =
        if fraction { Duration::from_secs_f64(nanos / SECOND as f64) } else { Duration::ZERO };
    let whole = Duration::from_nanos_u128(exact);
    Ok(whole + extra)
}

fn print(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    let mut rest = duration.as_nanos();
    let mut out = String::new();
    for (unit, size) in UNITS {
        let size = u128::from(size);
        let is_whole_only = matches!(unit, "y" | "w" | "d");
        if unit == "us" || rest < size || (is_whole_only && !rest.is_multiple_of(size)) {
            continue;
        }
        out.push_str(&format!("{}{unit}", rest / size));
        rest %= size;
    }
    out
}

impl Value for Duration {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "a duration", |text| parse(text).map_err(|error| error.to_string()))
    }

    fn encode(&self) -> Out {
        Out::word(print(*self))
    }

    fn shape() -> Shape {
        Shape::Text(Text::Duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print_as_prometheus_does() {
        for (text, seconds, printed) in [
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
            ("1d", 86_400, "1d"),
            ("1h30m", 5_400, "1h30m"),
            ("90m", 5_400, "1h30m"),
            ("25h", 90_000, "25h"),
            ("1w", 604_800, "1w"),
            ("8d", 691_200, "8d"),
            ("1y", 31_536_000, "1y"),
            ("120h", 432_000, "5d"),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!((duration.as_secs(), print_duration(duration).as_str()), (seconds, printed));
        }
        assert_eq!(parse_duration("500ms").unwrap(), SignedDuration::from_millis(500));
        assert_eq!(parse_duration("1.5s").unwrap(), SignedDuration::from_millis(1500));
        assert_eq!(print_duration(SignedDuration::from_millis(1500)), "1s500ms");
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, why) in [
            ("", "empty"),
            ("5", "needs a unit"),
            ("5x", "unknown unit `x`"),
            ("m", "needs a number"),
            ("1m1h", "longest to the shortest"),
            ("1h1h", "longest to the shortest"),
            ("-5m", "negative"),
            ("1..5s", "not a number"),
            ("5 m", "unknown unit"),
            ("999y", "hundred years"),
            ("99999999999999999999y", "hundred years"),
        ] {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
