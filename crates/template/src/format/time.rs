//! Instants and spans as Go prints them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};

/// Returns an instant as `2006-01-02 15:04:05.999999999 -0700 MST`.
pub(crate) fn instant(instant: &Zoned) -> String {
    let fraction = match instant.subsec_nanosecond() {
        0 => String::new(),
        nanoseconds => format!(".{}", format!("{nanoseconds:09}").trim_end_matches('0')),
    };
    let offset = instant.strftime("%z").to_string();
    format!(
        "{}{fraction} {offset} {}",
        instant.strftime("%Y-%m-%d %H:%M:%S"),
        abbreviation(instant, &offset)
    )
}

/// A zone without a name is called by its offset.
fn abbreviation(instant: &Zoned, offset: &str) -> String {
    if instant.time_zone() == &TimeZone::UTC || instant.time_zone().iana_name().is_some() {
        return instant.strftime("%Z").to_string();
    }
    if offset == "+0000" { "UTC".to_owned() } else { offset.to_owned() }
}

/// Returns an instant as a Go program writes it.
pub(super) fn source(instant: &Zoned) -> String {
    let zone = match instant.time_zone().iana_name() {
        None | Some("UTC") => "time.UTC".to_owned(),
        Some(name) => format!("time.Location({name:?})"),
    };
    format!(
        "time.Date({}, time.{}, {}, {}, {}, {}, {}, {zone})",
        instant.year(),
        instant.strftime("%B"),
        instant.day(),
        instant.hour(),
        instant.minute(),
        instant.second(),
        instant.subsec_nanosecond(),
    )
}

/// Returns a span in nanoseconds, at most what fits.
pub(super) fn nanoseconds(span: SignedDuration) -> i64 {
    let limit = if span.is_negative() { i64::MIN } else { i64::MAX };
    i64::try_from(span.as_nanos()).unwrap_or(limit)
}

/// Returns a span as `1h2m3.5s`; below a second with the largest unit that leaves a whole part.
pub(crate) fn duration(span: SignedDuration) -> String {
    let total = span.as_nanos().unsigned_abs();
    let sign = if span.is_negative() { "-" } else { "" };
    let text = match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{total}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(total, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(total, 1_000_000)),
        _ => {
            const MINUTE: u128 = 60_000_000_000;
            let seconds = decimal(total % MINUTE, 1_000_000_000);
            match (total / MINUTE / 60, total / MINUTE % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// Returns `total / unit` with as many decimals as it takes.
fn decimal(total: u128, unit: u128) -> String {
    let fraction = total % unit;
    if fraction == 0 {
        return (total / unit).to_string();
    }
    let digits = unit.ilog10() as usize;
    format!("{}.{}", total / unit, format!("{fraction:0digits$}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_printed_as_go_does() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (100_000_000, "100ms"),
            (1_000_000_000, "1s"),
            (-1_500_000_000, "-1.5s"),
            (3_723_000_000_000, "1h2m3s"),
            (3_600_000_000_000, "1h0m0s"),
            (300_000_000_189, "5m0.000000189s"),
        ] {
            assert_eq!(duration(SignedDuration::from_nanos(nanoseconds)), expected);
        }
    }

    #[test]
    fn instants_are_printed_as_go_does() {
        let at = |text: &str| text.parse::<Zoned>().expect("a time");
        assert_eq!(
            instant(&at("2026-01-02T03:04:05.120Z[UTC]")),
            "2026-01-02 03:04:05.12 +0000 UTC"
        );
        assert_eq!(
            instant(&at("2026-07-02T03:04:05[Europe/Berlin]")),
            "2026-07-02 03:04:05 +0200 CEST"
        );
        assert_eq!(
            instant(&at("2026-07-02T03:04:05+02:00[+02:00]")),
            "2026-07-02 03:04:05 +0200 +0200"
        );
        assert_eq!(instant(&at("0001-01-01T00:00:00Z[UTC]")), "0001-01-01 00:00:00 +0000 UTC");
    }
}
