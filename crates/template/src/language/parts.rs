//! `len`, `index` and `slice`.

use std::sync::Arc;

use super::expect;
use crate::function::Call;
use crate::value::Value;

pub(super) fn len(call: &Call<'_>) -> Result<Value, String> {
    expect(call, 1)?;
    let value = &call.arguments[0];
    let length = match value.plain() {
        Value::Text(text) | Value::Trusted(_, text) => text.len(),
        Value::List(values) => values.len(),
        Value::Map(entries) => entries.len(),
        _ => return Err(format!("values of type {} have no length", value.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// `index x 1 "a"` is `x[1]["a"]`.
pub(super) fn index(call: &Call<'_>) -> Result<Value, String> {
    let Some((item, indexes)) = call.arguments.split_first() else {
        return Err("it takes a list or a map, and what to look for".to_owned());
    };
    let mut item = item.clone();
    for index in indexes {
        item = index_once(&item, &index.plain())?;
    }
    Ok(item)
}

fn index_once(item: &Value, index: &Value) -> Result<Value, String> {
    match item.plain() {
        Value::List(values) => {
            let at = position(index, values.len(), false)?;
            Ok(values[at].clone())
        }
        Value::Text(text) | Value::Trusted(_, text) => {
            let at = position(index, text.len(), false)?;
            Ok(Value::Int(i64::from(text.as_bytes()[at])))
        }
        Value::Map(entries) => {
            let Some(key) = index.as_text() else {
                return Err(format!(
                    "a map is looked into with a text, not with a value of type {}",
                    index.type_name()
                ));
            };
            let missing =
                || if let Value::Object(object) = item { object.zero() } else { Value::Nil };
            Ok(entries.get(&**key).cloned().unwrap_or_else(missing))
        }
        Value::Nil => Err("there is nothing to look into: the value is missing".to_owned()),
        other => Err(format!("values of type {} have no parts to look up", other.type_name())),
    }
}

/// Returns the position as a number below the length, or at most the length for an end.
fn position(index: &Value, length: usize, is_end: bool) -> Result<usize, String> {
    let Value::Int(number) = index else {
        return Err(format!(
            "a position is a whole number, not a value of type {}",
            index.type_name()
        ));
    };
    let limit = if is_end { length } else { length.saturating_sub(1) };
    match usize::try_from(*number) {
        Ok(at) if at <= limit && (is_end || length > 0) => Ok(at),
        _ => Err(format!("the position {number} lies outside: the length is {length}")),
    }
}

/// `slice x 1 3` is `x[1:3]`; positions in a text count bytes.
pub(super) fn slice(call: &Call<'_>) -> Result<Value, String> {
    let Some((item, bounds)) = call.arguments.split_first() else {
        return Err("it takes a text or a list, and where to cut".to_owned());
    };
    if bounds.len() > 3 {
        return Err(format!("it takes at most three positions, not {}", bounds.len()));
    }
    let plain = item.plain();
    let length = match &plain {
        Value::List(values) => values.len(),
        Value::Text(_) | Value::Trusted(..) if bounds.len() == 3 => {
            return Err("a text is cut with at most two positions".to_owned());
        }
        Value::Text(text) | Value::Trusted(_, text) => text.len(),
        Value::Nil => return Err("there is nothing to cut: the value is missing".to_owned()),
        _ => return Err(format!("values of type {} cannot be cut", item.type_name())),
    };
    let mut positions = [0, length, length];
    for (position_of, bound) in positions.iter_mut().zip(bounds) {
        *position_of = position(&bound.plain(), length, true)?;
    }
    let [from, to, capacity] = positions;
    if from > to || to > capacity {
        return Err(format!("the positions {from}, {to} are in the wrong order"));
    }
    match plain {
        Value::List(values) => Ok(Value::List(Arc::from(&values[from..to]))),
        Value::Text(text) | Value::Trusted(_, text) => {
            // A cut through a character leaves a replacement character.
            Ok(Value::from(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()))
        }
        other => Ok(other),
    }
}
