//! JSON and base64.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::layout;
use super::{arguments, text_of};
use crate::function::Call;
use crate::value::Value;

/// How deep values may lie within each other.
const MAX_DEPTH: usize = 64;

/// How Go's JSON writes times.
const RFC3339: &str = "2006-01-02T15:04:05.999999999Z07:00";

pub(super) fn base64_encode(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    Ok(BASE64_STANDARD.encode(text_of(text)?.as_bytes()).into())
}

pub(super) fn base64_decode(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    let bytes = BASE64_STANDARD
        .decode(text_of(text)?.as_bytes())
        .map_err(|error| format!("this is not base64: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned().into())
}

/// A value as Go's `encoding/json` writes it.
pub(super) fn to_json(call: &Call<'_>) -> Result<Value, String> {
    let [value] = arguments(call)?;
    let mut out = String::new();
    write(&mut out, value, 0)?;
    Ok(out.into())
}

fn write(out: &mut String, value: &Value, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("the value lies deeper than {MAX_DEPTH} levels"));
    }
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => {
            let number = serde_json::Number::from_f64(*number)
                .ok_or_else(|| format!("{number} has no form in JSON"))?;
            let text = number.to_string();
            out.push_str(text.strip_suffix(".0").unwrap_or(&text));
        }
        Value::Text(text) | Value::Trusted(_, text) => write_text(out, text),
        Value::Time(time) => write_text(out, &layout::format(time, RFC3339)),
        Value::Duration(span) => {
            let _ = write!(out, "{}", span.as_nanos());
        }
        Value::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, value, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| (name.as_str(), value.clone()));
            write_object(out, entries, depth)?;
        }
        Value::Object(object) => match object.inner() {
            Some(inner) => write(out, &inner, depth + 1)?,
            None => {
                let fields = object.fields().iter().filter_map(|name| {
                    let shown = object.json_name(name)?;
                    Some((shown, object.field(name)?))
                });
                write_object(out, fields, depth)?;
            }
        },
    }
    Ok(())
}

fn write_object<'v>(
    out: &mut String,
    entries: impl Iterator<Item = (&'v str, Value)>,
    depth: usize,
) -> Result<(), String> {
    out.push('{');
    for (index, (name, value)) in entries.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write(out, &value, depth + 1)?;
    }
    out.push('}');
    Ok(())
}

/// Go escapes what could end a script, too.
fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;

    fn json(value: Value) -> String {
        let call = Call { arguments: &[value], now: Timestamp::UNIX_EPOCH };
        to_json(&call).unwrap().as_text().unwrap().to_string()
    }

    #[test]
    fn json_is_written_as_go_does() {
        let map = BTreeMap::from([
            ("b".to_owned(), Value::List([Value::Int(1), Value::Float(2.0), Value::Nil].into())),
            ("a".to_owned(), "<b>&\n\u{2028}é".into()),
        ]);
        assert_eq!(
            json(Value::Map(Arc::new(map))),
            r#"{"a":"\u003cb\u003e\u0026\n\u2028é","b":[1,2,null]}"#
        );
        let time: Timestamp = "2026-11-24T12:00:00.5Z".parse().unwrap();
        assert_eq!(json(Value::Time(Box::new(layout::utc(time)))), r#""2026-11-24T12:00:00.5Z""#);
    }

    #[test]
    fn base64_goes_both_ways() {
        let run = |function: crate::Function, text: &str| {
            function(&Call { arguments: &[text.into()], now: Timestamp::UNIX_EPOCH })
        };
        let encoded = run(base64_encode, "hé").unwrap();
        assert_eq!(encoded.as_text().map(|text| &**text), Some("aMOp"));
        assert!(run(base64_decode, "***").is_err());
    }
}
