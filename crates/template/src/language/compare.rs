//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`, with Go's rules about types.

use std::cmp::Ordering;

use super::expect;
use crate::format;
use crate::function::Call;
use crate::value::Value;

/// Whether the first argument equals any other.
pub(super) fn eq(call: &Call<'_>) -> Result<Value, String> {
    let Some((first, others)) = call.arguments.split_first() else {
        return Err("it takes at least two arguments".to_owned());
    };
    if others.is_empty() {
        return Err(
            "it takes at least two arguments: the second to compare with is missing".to_owned()
        );
    }
    let first = comparable(first)?;
    for other in others {
        if equal(&first, &other.plain())? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(call: &Call<'_>) -> Result<Value, String> {
    expect(call, 2)?;
    equal(&comparable(&call.arguments[0])?, &call.arguments[1].plain())
        .map(|equal| Value::Bool(!equal))
}

pub(super) fn lt(call: &Call<'_>) -> Result<Value, String> {
    ordered(call, Ordering::is_lt)
}

pub(super) fn le(call: &Call<'_>) -> Result<Value, String> {
    ordered(call, Ordering::is_le)
}

pub(super) fn gt(call: &Call<'_>) -> Result<Value, String> {
    ordered(call, Ordering::is_gt)
}

pub(super) fn ge(call: &Call<'_>) -> Result<Value, String> {
    ordered(call, Ordering::is_ge)
}

/// Lists, and whatever else Go cannot compare, cannot be on the left side.
fn comparable(value: &Value) -> Result<Value, String> {
    let plain = value.plain();
    match &plain {
        Value::List(_) => Err(format!(
            "values of type {} cannot be compared; compare their parts",
            value.type_name()
        )),
        _ => Ok(plain),
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Float(left), Value::Float(right)) => Ok(left == right),
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        _ => match (left.as_text(), right.as_text(), whole(left), whole(right)) {
            (Some(left), Some(right), ..) => Ok(left == right),
            (.., Some(left), Some(right)) => Ok(left == right),
            _ => Err(incompatible(left, right)),
        },
    }
}

fn ordered(call: &Call<'_>, holds: fn(Ordering) -> bool) -> Result<Value, String> {
    expect(call, 2)?;
    let (left, right) = (call.arguments[0].plain(), call.arguments[1].plain());
    let order = match (&left, &right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        _ => match (left.as_text(), right.as_text(), whole(&left), whole(&right)) {
            (Some(left), Some(right), ..) => Some(left.cmp(right)),
            (.., Some(left), Some(right)) => Some(left.cmp(&right)),
            _ if std::mem::discriminant(&left) == std::mem::discriminant(&right) => {
                return Err(format!("values of type {} have no order", left.type_name()));
            }
            _ => return Err(incompatible(&left, &right)),
        },
    };
    Ok(Value::Bool(order.is_some_and(holds)))
}

/// Go counts a span among the whole numbers.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Duration(span) => Some(span.as_nanos()),
        _ => None,
    }
}

fn incompatible(left: &Value, right: &Value) -> String {
    let help = match (left, right) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            "; write the whole number with a fraction, such as 1.0"
        }
        (Value::Int(_), Value::Text(_)) | (Value::Text(_), Value::Int(_)) => {
            "; labels and annotations are texts: put the number in quotes"
        }
        _ => "",
    };
    let shown = |value: &Value| {
        let text = format::text(value).unwrap_or_default();
        format!("{:.40} ({})", text, value.type_name())
    };
    format!("{} and {} cannot be compared{help}", shown(left), shown(right))
}
