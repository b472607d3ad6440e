//! What can be asked of times and durations.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::format;
use crate::function::Call;
use crate::functions;
use crate::value::Value;

/// The instant that Go calls zero: the first second of the year 1.
const ZERO_SECOND: i64 = -62_135_596_800;

/// Calls a method of a time; `None` when there is no such method.
pub(super) fn time(instant: &Zoned, name: &str, call: &Call<'_>) -> Option<Result<Value, String>> {
    let timestamp = instant.timestamp();
    let plain = match name {
        "String" => Value::from(format::instant(instant)),
        // Where this runs says nothing about where it is read, so our local time is UTC.
        "UTC" | "Local" => Value::Time(Box::new(instant.with_time_zone(TimeZone::UTC))),
        "Location" => Value::from(instant.time_zone().iana_name().unwrap_or_default().to_owned()),
        "Unix" => Value::Int(timestamp.as_second()),
        "UnixMilli" => Value::Int(timestamp.as_millisecond()),
        "UnixMicro" => Value::Int(timestamp.as_microsecond()),
        "UnixNano" => Value::Int(i64::try_from(timestamp.as_nanosecond()).unwrap_or(i64::MAX)),
        "Year" => Value::Int(instant.year().into()),
        "Month" => Value::from(instant.strftime("%B").to_string()),
        "Day" => Value::Int(instant.day().into()),
        "Weekday" => Value::from(instant.strftime("%A").to_string()),
        "YearDay" => Value::Int(instant.day_of_year().into()),
        "Hour" => Value::Int(instant.hour().into()),
        "Minute" => Value::Int(instant.minute().into()),
        "Second" => Value::Int(instant.second().into()),
        "Nanosecond" => Value::Int(instant.subsec_nanosecond().into()),
        "IsZero" => {
            Value::Bool(timestamp.as_second() == ZERO_SECOND && timestamp.subsec_nanosecond() == 0)
        }
        "Format" => return Some(layout(instant, call)),
        "Sub" => {
            return Some(
                time_argument(call).map(|other| Value::Duration(between(other, timestamp))),
            );
        }
        "Before" => return Some(time_argument(call).map(|other| Value::Bool(timestamp < other))),
        "After" => return Some(time_argument(call).map(|other| Value::Bool(timestamp > other))),
        "Equal" => return Some(time_argument(call).map(|other| Value::Bool(timestamp == other))),
        "Compare" => {
            return Some(time_argument(call).map(|other| Value::Int(timestamp.cmp(&other) as i64)));
        }
        "Add" => return Some(add(instant, call)),
        "AddDate" => return Some(add_date(instant, call)),
        "Round" => return Some(time_to_multiple(instant, call, true)),
        "Truncate" => return Some(time_to_multiple(instant, call, false)),
        _ => return None,
    };
    Some(without_arguments(call, plain))
}

/// Calls a method of a duration; `None` when there is no such method.
pub(super) fn duration(
    span: SignedDuration,
    name: &str,
    call: &Call<'_>,
) -> Option<Result<Value, String>> {
    let whole = |number: i128| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let plain = match name {
        "String" => Value::from(format::duration(span)),
        "Seconds" => Value::Float(span.as_secs_f64()),
        "Minutes" => Value::Float(span.as_secs_f64() / 60.0),
        "Hours" => Value::Float(span.as_secs_f64() / 3600.0),
        "Milliseconds" => whole(span.as_millis()),
        "Microseconds" => whole(span.as_micros()),
        "Nanoseconds" => whole(span.as_nanos()),
        "Abs" => Value::Duration(span.abs()),
        "Round" => return Some(to_multiple(span, call, true)),
        "Truncate" => return Some(to_multiple(span, call, false)),
        _ => return None,
    };
    Some(without_arguments(call, plain))
}

fn without_arguments(call: &Call<'_>, value: Value) -> Result<Value, String> {
    if call.arguments.is_empty() { Ok(value) } else { Err("it takes no arguments".to_owned()) }
}

/// `Format` is the function `date` with the time in front.
fn layout(instant: &Zoned, call: &Call<'_>) -> Result<Value, String> {
    let ([layout], Some(date)) = (call.arguments, functions::lookup("date")) else {
        return Err("it takes a layout, such as \"2006-01-02 15:04:05\"".to_owned());
    };
    let arguments = [layout.clone(), Value::Time(Box::new(instant.clone()))];
    date(&Call { arguments: &arguments, now: call.now })
}

fn time_argument(call: &Call<'_>) -> Result<Timestamp, String> {
    match call.arguments {
        [Value::Time(other)] => Ok(other.timestamp()),
        _ => Err("it takes another time".to_owned()),
    }
}

/// Go's durations end at 292 years; longer ones stay there.
fn between(from: Timestamp, to: Timestamp) -> SignedDuration {
    let nanoseconds = to.as_nanosecond() - from.as_nanosecond();
    SignedDuration::from_nanos(
        nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()).try_into().unwrap_or(i64::MAX),
    )
}

/// Go counts a duration among the whole numbers, so a number of nanoseconds is one, too.
fn duration_argument(call: &Call<'_>) -> Result<SignedDuration, String> {
    match call.arguments {
        [Value::Duration(span)] => Ok(*span),
        [Value::Int(nanoseconds)] => Ok(SignedDuration::from_nanos(*nanoseconds)),
        // `.StartsAt.Add 28800e9` is how many shift a time by hours.
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and has no fraction")]
        [Value::Float(nanoseconds)] if nanoseconds.fract() == 0.0 => {
            Ok(SignedDuration::from_nanos(*nanoseconds as i64))
        }
        _ => Err("it takes a duration".to_owned()),
    }
}

fn add(instant: &Zoned, call: &Call<'_>) -> Result<Value, String> {
    let sum = instant.checked_add(duration_argument(call)?);
    sum.map(|sum| Value::Time(Box::new(sum)))
        .map_err(|_| "the sum lies beyond what a time can be".to_owned())
}

/// Adds years, months and days; a day that the month does not have runs on into the next.
fn add_date(instant: &Zoned, call: &Call<'_>) -> Result<Value, String> {
    let [Value::Int(years), Value::Int(months), Value::Int(days)] = call.arguments else {
        return Err("it takes numbers of years, months and days".to_owned());
    };
    let beyond = || "the sum lies beyond what a time can be".to_owned();
    let month = i64::from(instant.month()) - 1;
    let all = years.checked_mul(12).and_then(|all| all.checked_add(*months)).ok_or_else(beyond)?;
    let all = all.checked_add(i64::from(instant.year()) * 12 + month).ok_or_else(beyond)?;
    let year = i16::try_from(all.div_euclid(12)).map_err(|_| beyond())?;
    let month = i8::try_from(all.rem_euclid(12) + 1).map_err(|_| beyond())?;
    let days = days.checked_add(i64::from(instant.day()) - 1).ok_or_else(beyond)?;
    let first = jiff::civil::Date::new(year, month, 1).map_err(|_| beyond())?;
    let span = jiff::Span::new().try_days(days).map_err(|_| beyond())?;
    let date = first.checked_add(span).map_err(|_| beyond())?;
    let local = date.to_datetime(instant.time()).to_zoned(instant.time_zone().clone());
    local.map(|time| Value::Time(Box::new(time))).map_err(|_| beyond())
}

/// Rounds or cuts off since Go's zero time, so that hours and days begin with the clock's in UTC.
fn time_to_multiple(instant: &Zoned, call: &Call<'_>, rounds: bool) -> Result<Value, String> {
    let unit = duration_argument(call)?.as_nanos();
    if unit <= 0 {
        return Ok(Value::Time(Box::new(instant.clone())));
    }
    let zero = i128::from(ZERO_SECOND) * 1_000_000_000;
    let rest = (instant.timestamp().as_nanosecond() - zero).rem_euclid(unit);
    let shift = if rounds && rest * 2 >= unit { unit - rest } else { -rest };
    let shift = SignedDuration::from_nanos(i64::try_from(shift).unwrap_or_default());
    let sum = instant.checked_add(shift);
    sum.map(|sum| Value::Time(Box::new(sum)))
        .map_err(|_| "the result lies beyond what a time can be".to_owned())
}

/// Rounds half away from zero, or cuts off.
fn to_multiple(span: SignedDuration, call: &Call<'_>, rounds: bool) -> Result<Value, String> {
    let unit = duration_argument(call)?.as_nanos();
    if unit <= 0 {
        return Ok(Value::Duration(span));
    }
    let total = span.as_nanos();
    let rest = total % unit;
    let away = rounds && rest.abs() * 2 >= unit;
    let multiple = total - rest + if away { unit * total.signum() } else { 0 };
    let clamped = multiple.clamp(i64::MIN.into(), i64::MAX.into());
    Ok(Value::Duration(SignedDuration::from_nanos(i64::try_from(clamped).unwrap_or(i64::MAX))))
}
