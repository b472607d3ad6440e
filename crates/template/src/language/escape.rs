//! `html`, `js` and `urlquery`.

use std::fmt::Write as _;

use crate::format;
use crate::function::Call;
use crate::value::Value;

pub(super) fn html_function(call: &Call<'_>) -> Result<Value, String> {
    Ok(Value::from(html(&format::joined(call.arguments)?)))
}

pub(super) fn js_function(call: &Call<'_>) -> Result<Value, String> {
    Ok(Value::from(js(&format::joined(call.arguments)?)))
}

pub(super) fn query_function(call: &Call<'_>) -> Result<Value, String> {
    Ok(Value::from(query(&format::joined(call.arguments)?)))
}

/// Returns the text with the five characters of mark-up escaped.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// Returns the text as it stands inside the quotes of a script.
fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..'\u{20}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            _ if character.is_ascii() || format::is_printable(character) => out.push(character),
            _ => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
        }
    }
    out
}

/// Returns the text as it stands in the query of an address, a space as `+`.
pub(crate) fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
