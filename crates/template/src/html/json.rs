//! Values as a script reads them.

use std::fmt::Write as _;

use super::escapers;
use crate::format::{self, MAX_VALUE_DEPTH};
use crate::value::Value;

/// Returns the value in JSON, with nothing in it that could end a script.
pub(super) fn write(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    push(&mut out, value, 0)?;
    Ok(out)
}

fn push(out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if depth > MAX_VALUE_DEPTH {
        return Err(format!("lists and maps lie deeper than {MAX_VALUE_DEPTH} in each other"));
    }
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        // Very large and very small numbers are written with an exponent.
        Value::Float(number) if number.is_finite() => {
            let is_plain = *number == 0.0 || (1e-6..1e21).contains(&number.abs());
            let text = if is_plain { format!("{number}") } else { format!("{number:e}") };
            out.push_str(&if number.abs() >= 1e21 { text.replace('e', "e+") } else { text });
        }
        Value::Float(_) => out.push_str("null"),
        Value::Text(text) | Value::Trusted(_, text) => push_text(out, text),
        Value::Time(instant) => push_text(
            out,
            &instant.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string().replace("+00:00", "Z"),
        ),
        Value::Duration(span) => push_text(out, &format::duration(*span)),
        Value::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                push(out, value, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                push_text(out, key);
                out.push(':');
                push(out, value, depth + 1)?;
            }
            out.push('}');
        }
        Value::Object(_) => match (value.plain(), escapers::to_json(value)) {
            (Value::Object(_), Some(json)) => out.push_str(&harmless(&json?)),
            (Value::Object(_), None) => push_text(out, &format::text(value)?),
            (plain, _) => push(out, &plain, depth + 1)?,
        },
    }
    Ok(())
}

fn push_text(out: &mut String, text: &str) {
    let json = serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned());
    out.push_str(&harmless(&json));
}

/// In JSON these characters only stand inside of texts.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out
}
