//! Times and durations.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::layout;
use super::{arguments, text_of};
use crate::function::Call;
use crate::value::Value;

/// `date LAYOUT TIME`.
pub(super) fn date(call: &Call<'_>) -> Result<Value, String> {
    let [layout, time] = arguments(call)?;
    Ok(layout::format(&time_of(time)?, &text_of(layout)?).into())
}

/// `tz ZONE TIME`.
pub(super) fn in_zone(call: &Call<'_>) -> Result<Value, String> {
    let [zone, time] = arguments(call)?;
    let name = text_of(zone)?;
    let zone = match &*name {
        "" | "UTC" => TimeZone::UTC,
        name => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}"))?,
    };
    Ok(Value::Time(Box::new(time_of(time)?.with_time_zone(zone))))
}

pub(super) fn now(call: &Call<'_>) -> Result<Value, String> {
    let [] = arguments(call)?;
    Ok(Value::Time(Box::new(layout::utc(call.now))))
}

/// `since TIME`.
pub(super) fn since(call: &Call<'_>) -> Result<Value, String> {
    let [time] = arguments(call)?;
    let span = call.now.duration_since(time_of(time)?.timestamp());
    // Go's durations end at 292 years; an alert that fires ended in the year 1.
    let longest = SignedDuration::from_nanos(i64::MAX);
    Ok(Value::Duration(span.clamp(-longest, longest)))
}

/// `toDate LAYOUT TEXT`; a text that cannot be read is the beginning of time.
pub(super) fn to_date(call: &Call<'_>) -> Result<Value, String> {
    Ok(must_to_date(call).unwrap_or_else(|_| Value::Time(Box::new(zero()))))
}

/// `mustToDate LAYOUT TEXT`.
pub(super) fn must_to_date(call: &Call<'_>) -> Result<Value, String> {
    let [layout, text] = arguments(call)?;
    Ok(Value::Time(Box::new(layout::parse(&text_of(layout)?, &text_of(text)?)?)))
}

/// A number of seconds, or a duration, for people: `1d 3h 4m 5s`, `1.235s`, `12.3ms`.
///
/// Source: `HumanizeDuration` of Prometheus, package `helpers/templates` of its common library.
pub(super) fn humanize_duration(call: &Call<'_>) -> Result<Value, String> {
    let [value] = arguments(call)?;
    let seconds = match value.plain() {
        Value::Duration(span) => span.as_secs_f64(),
        #[expect(clippy::cast_precision_loss, reason = "nobody reads the last digit of so many")]
        Value::Int(seconds) => seconds as f64,
        Value::Float(seconds) => seconds,
        Value::Text(text) => {
            text.trim().parse().map_err(|_| format!("cannot convert {text:?} to a number"))?
        }
        other => return Err(format!("expected a number; found {}", other.type_name())),
    };
    Ok(humanized(seconds).into())
}

fn humanized(seconds: f64) -> String {
    if seconds.is_nan() || seconds.is_infinite() {
        let sign = if seconds > 0.0 { "+" } else { "-" };
        return if seconds.is_nan() { "NaN".to_owned() } else { format!("{sign}Inf") };
    }
    if seconds == 0.0 {
        return "0s".to_owned();
    }
    if seconds.abs() >= 1.0 {
        let sign = if seconds < 0.0 { "-" } else { "" };
        let seconds = seconds.abs();
        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
        let whole = seconds as i64;
        let (days, hours) = (whole / 86_400, whole / 3_600 % 24);
        let (minutes, rest) = (whole / 60 % 60, whole % 60);
        if days != 0 {
            return format!("{sign}{days}d {hours}h {minutes}m {rest}s");
        }
        if hours != 0 {
            return format!("{sign}{hours}h {minutes}m {rest}s");
        }
        if minutes != 0 {
            return format!("{sign}{minutes}m {rest}s");
        }
        return format!("{sign}{}s", four_digits(seconds));
    }
    let mut value = seconds;
    let mut unit = "";
    for smaller in ["m", "u", "n", "p", "f", "a", "z", "y"] {
        if value.abs() >= 1.0 {
            break;
        }
        unit = smaller;
        value *= 1_000.0;
    }
    format!("{}{unit}s", four_digits(value))
}

/// Returns a number with four digits that count, as `%.4g` does.
fn four_digits(value: f64) -> String {
    let digits = 4;
    #[expect(clippy::cast_possible_truncation, reason = "an exponent is small")]
    let exponent = value.abs().log10().floor() as i32;
    let decimals = usize::try_from(digits - 1 - exponent).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn time_of(value: &Value) -> Result<Zoned, String> {
    match value.plain() {
        Value::Time(time) => Ok(*time),
        other => Err(format!("expected time.Time; found {}", other.type_name())),
    }
}

/// Returns the instant that Go calls zero, the end of alerts that fire.
pub(crate) fn zero() -> Zoned {
    let second = Timestamp::from_second(-62_135_596_800).unwrap_or(Timestamp::MIN);
    layout::utc(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(seconds: i64) -> Value {
        Value::Duration(SignedDuration::from_secs(seconds))
    }

    fn run(function: crate::Function, arguments: &[Value]) -> Result<Value, String> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        function(&Call { arguments, now })
    }

    #[test]
    fn durations_are_for_people() {
        for (value, expected) in [
            (span(100_000), "1d 3h 46m 40s"),
            (span(3_661), "1h 1m 1s"),
            (span(-61), "-1m 1s"),
            (Value::Float(12.345_6), "12.35s"),
            (Value::Float(0.012_3), "12.3ms"),
            (Value::Float(0.000_001), "1us"),
            (Value::Int(0), "0s"),
            ("59".into(), "59s"),
            (Value::Float(f64::INFINITY), "+Inf"),
        ] {
            let shown = run(humanize_duration, std::slice::from_ref(&value)).unwrap();
            assert_eq!(shown.as_text().map(|text| &**text), Some(expected), "{value:?}");
        }
        assert!(run(humanize_duration, &["soon".into()]).is_err());
    }

    #[test]
    fn times_are_shown_in_zones_and_read() {
        let noon = run(now, &[]).unwrap();
        let tokyo = run(in_zone, &["Asia/Tokyo".into(), noon.clone()]).unwrap();
        let shown = run(date, &["15:04 MST".into(), tokyo]).unwrap();
        assert_eq!(shown.as_text().map(|text| &**text), Some("21:00 JST"));
        assert!(run(in_zone, &["Nowhere".into(), noon.clone()]).is_err());
        let read = run(must_to_date, &["2006-01-02".into(), "2026-11-24".into()]).unwrap();
        let Value::Duration(span) = run(since, &[read]).unwrap() else { panic!("a duration") };
        assert_eq!(span, SignedDuration::from_hours(12));
        assert!(run(must_to_date, &["2006-01-02".into(), "x".into()]).is_err());
        let Value::Time(zero) = run(to_date, &["2006-01-02".into(), "x".into()]).unwrap() else {
            panic!("a time")
        };
        assert_eq!(zero.year(), 1);
    }
}
