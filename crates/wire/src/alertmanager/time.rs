//! Instants as Alertmanager's API reads and writes them.

use jiff::civil::{self, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;

/// Instants later than this are taken as this one, so that a silence "until the year 9999" leaves
/// room for arithmetic.
const LATEST: DateTime = civil::datetime(9999, 1, 1, 0, 0, 0, 0);

/// The instant that Go writes when none was set: the start of the year 1.
const GO_ZERO: DateTime = civil::datetime(1, 1, 1, 0, 0, 0, 0);

/// An instant of a body; `None` when it is null or Go's zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Instant(pub(super) Option<Timestamp>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Instant;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an instant as RFC 3339 writes it")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Instant, E> {
                parse(text).map(Instant).ok_or_else(|| E::custom("not an instant"))
            }
            fn visit_unit<E>(self) -> Result<Instant, E> {
                Ok(Instant(None))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Reads an instant: RFC 3339 with any offset, and the shorter ISO 8601 forms that go-swagger
/// takes as UTC. The inner `None` is Go's zero; the outer one means that the text is none.
pub(super) fn parse(text: &str) -> Option<Option<Timestamp>> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(normalize(instant));
    }
    if text.is_empty() {
        return Some(Some(Timestamp::UNIX_EPOCH));
    }
    // What is left are local times, dates, offsets without a colon, and the end of the year 9999,
    // which is a valid date but beyond what a timestamp holds.
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    Some(normalize(offset.to_timestamp(local).unwrap_or(Timestamp::MAX)))
}

fn normalize(instant: Timestamp) -> Option<Timestamp> {
    let utc = Offset::UTC.to_datetime(instant);
    if utc == GO_ZERO {
        return None;
    }
    if utc > LATEST {
        return Offset::UTC.to_timestamp(LATEST).ok();
    }
    Some(instant)
}

/// Returns Go's zero as an instant, for comparing silences that carry it.
pub(super) fn go_zero() -> Timestamp {
    Offset::UTC.to_timestamp(GO_ZERO).unwrap_or(Timestamp::MIN)
}

/// Returns `instant` in UTC with milliseconds, `2026-11-20T15:10:41.633Z`.
pub fn format_millis(instant: Timestamp) -> String {
    let mut out = Vec::with_capacity(24);
    write_millis(&mut out, instant);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends `instant` in UTC with milliseconds, without quotes.
pub(super) fn write_millis(out: &mut Vec<u8>, instant: Timestamp) {
    let utc = Offset::UTC.to_datetime(instant);
    digits(out, u32::try_from(utc.year()).unwrap_or(0), 4);
    out.push(b'-');
    digits(out, small(utc.month()), 2);
    out.push(b'-');
    digits(out, small(utc.day()), 2);
    out.push(b'T');
    digits(out, small(utc.hour()), 2);
    out.push(b':');
    digits(out, small(utc.minute()), 2);
    out.push(b':');
    digits(out, small(utc.second()), 2);
    out.push(b'.');
    digits(out, small(utc.millisecond()), 3);
    out.push(b'Z');
}

fn small(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(0)
}

fn digits(out: &mut Vec<u8>, mut value: u32, width: usize) {
    let mut buffer = [b'0'; 4];
    for slot in buffer[..width].iter_mut().rev() {
        *slot += (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&buffer[..width]);
}

/// Returns `instant` plus `timeout`, or the latest instant when that is out of range.
pub(super) fn after(instant: Timestamp, timeout: jiff::SignedDuration) -> Timestamp {
    let seconds = timeout.as_secs().clamp(0, i64::from(i32::MAX));
    instant.checked_add(seconds.seconds()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> String {
        format_millis(parse(text).unwrap().unwrap())
    }

    #[test]
    fn every_form_that_go_swagger_takes_is_read() {
        let expected = "2026-11-20T15:10:41.633Z";
        assert_eq!(millis("2026-11-20T15:10:41.633Z"), expected);
        assert_eq!(millis("2026-11-20T16:10:41.633+01:00"), expected);
        assert_eq!(millis("2026-11-20T16:10:41.633+0100"), expected);
        assert_eq!(millis("2026-11-20T10:10:41.633999999-05:00"), expected);
        assert_eq!(millis("2026-11-20T15:10:41"), "2026-11-20T15:10:41.000Z");
        assert_eq!(millis("2026-11-20T15:10Z"), "2026-11-20T15:10:00.000Z");
        assert_eq!(millis("2026-11-20 15:10:41"), "2026-11-20T15:10:41.000Z");
        assert_eq!(millis("2026-11-20"), "2026-11-20T00:00:00.000Z");
        assert_eq!(millis(""), "1970-01-01T00:00:00.000Z");
        assert_eq!(parse("tomorrow"), None);
        assert_eq!(parse("2026-13-40T00:00:00Z"), None);
    }

    #[test]
    fn gos_zero_is_no_instant_and_the_end_of_time_leaves_room() {
        assert_eq!(parse("0001-01-01T00:00:00Z"), Some(None));
        assert_eq!(parse("0001-01-01T00:00:00.000Z"), Some(None));
        assert_eq!(millis("9999-12-31T23:59:59Z"), "9999-01-01T00:00:00.000Z");
        assert_eq!(millis("9999-06-01T00:00:00+02:00"), "9999-01-01T00:00:00.000Z");
    }

    #[test]
    fn milliseconds_are_cut_and_padded() {
        assert_eq!(
            format_millis("2026-01-02T03:04:05.0069Z".parse().unwrap()),
            "2026-01-02T03:04:05.006Z"
        );
        assert_eq!(format_millis(go_zero()), "0001-01-01T00:00:00.000Z");
    }
}
