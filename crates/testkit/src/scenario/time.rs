//! Instants and durations as scenarios write them.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The longest duration a scenario may name.
const MAX_SPAN: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);

/// Reads `1h30m`, `90s`, `500ms`, `1d`, `1w`.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut total = SignedDuration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => SignedDuration::from_millis(1),
            "s" => SignedDuration::from_secs(1),
            "m" => SignedDuration::from_mins(1),
            "h" => SignedDuration::from_hours(1),
            "d" => SignedDuration::from_hours(24),
            "w" => SignedDuration::from_hours(24 * 7),
            _ => return None,
        };
        rest = &rest[letters..];
        let span = unit.as_millis().checked_mul(i128::from(count))?;
        let span = SignedDuration::from_millis(i64::try_from(span).ok()?);
        total = total.checked_add(span)?;
    }
    (total <= MAX_SPAN).then_some(total)
}

/// What an instant is counted from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// What offsets are counted from.
    pub(super) instant: Timestamp,
    /// The zone in which clock times are read.
    pub(super) zone: TimeZone,
}

impl Origin {
    /// Reads `09:00`, `09:00:30.500`, `+90s`, `2026-03-02T09:00:00Z`, `2026-03-02T09:00`.
    pub(super) fn instant(&self, text: &str) -> Option<Timestamp> {
        if let Some(offset) = text.strip_prefix('+') {
            return self.instant.checked_add(duration(offset)?).ok();
        }
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(instant);
        }
        let local = self.local(text)?;
        Some(local.to_zoned(self.zone.clone()).ok()?.timestamp())
    }

    /// Reads a local time: a clock time on the day of the origin, or a date with a clock time.
    pub(super) fn local(&self, text: &str) -> Option<DateTime> {
        if let Some(time) = clock(text) {
            let day = self.instant.to_zoned(self.zone.clone()).date();
            return Some(day.to_datetime(time));
        }
        let (date, time) = text.split_once(['T', ' '])?;
        let date: jiff::civil::Date = date.parse().ok()?;
        Some(date.to_datetime(clock(time)?))
    }

    /// Prints an instant: the clock time on the day of the origin, date and clock time on others.
    pub(super) fn show(&self, at: Timestamp) -> String {
        let (local, origin) =
            (at.to_zoned(self.zone.clone()), self.instant.to_zoned(self.zone.clone()));
        let clock = if local.subsec_nanosecond() == 0 {
            local.strftime("%H:%M:%S").to_string()
        } else {
            local.strftime("%H:%M:%S%.3f").to_string()
        };
        if local.date() == origin.date() { clock } else { format!("{} {clock}", local.date()) }
    }
}

fn clock(text: &str) -> Option<Time> {
    let is_clock = text.len() >= 5
        && text.as_bytes().get(2) == Some(&b':')
        && text.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.');
    if is_clock { text.parse().ok() } else { None }
}

/// Prints a duration as scenarios write it.
pub(super) fn show_duration(span: SignedDuration) -> String {
    let millis = span.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let parts = [
        (millis / 86_400_000, "d"),
        (millis / 3_600_000 % 24, "h"),
        (millis / 60_000 % 60, "m"),
        (millis / 1_000 % 60, "s"),
        (millis % 1_000, "ms"),
    ];
    parts.iter().filter(|(n, _)| *n != 0).map(|(n, unit)| format!("{n}{unit}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { instant: "2026-03-02T09:00:00Z".parse().unwrap(), zone: TimeZone::UTC }
    }

    #[test]
    fn durations_are_read_and_printed() {
        assert_eq!(duration("1h30m"), Some(SignedDuration::from_mins(90)));
        assert_eq!(duration("500ms"), Some(SignedDuration::from_millis(500)));
        assert_eq!(duration("1w"), Some(SignedDuration::from_hours(168)));
        for bad in ["", "5", "m", "5x", "-5m", "99999999999999999w", "999999d"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
        assert_eq!(show_duration(SignedDuration::from_millis(5_400_500)), "1h30m500ms");
    }

    #[test]
    fn instants_are_clock_times_offsets_or_dates() {
        let at = |text| origin().instant(text).map(|at| origin().show(at));
        assert_eq!(at("09:00:30.500").as_deref(), Some("09:00:30.500"));
        assert_eq!(at("+1h").as_deref(), Some("10:00:00"));
        assert_eq!(at("2026-03-03T01:00").as_deref(), Some("2026-03-03 01:00:00"));
        assert_eq!(at("2026-03-02T10:00:00Z").as_deref(), Some("10:00:00"));
        assert_eq!(at("9 o'clock"), None);
        assert_eq!(at("25:00"), None);
    }
}
