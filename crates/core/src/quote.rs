//! Quoting as Go prints strings, because group keys and matchers are part of the contract.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns `text` in double quotes with Go's escapes (`strconv.Quote`).
pub fn go(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{07}' => out.push_str("\\a"),
            '\u{08}' => out.push_str("\\b"),
            '\u{0b}' => out.push_str("\\v"),
            '\u{0c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns a label name as it is when it is a classic one, in double quotes otherwise.
pub fn name(name: &str) -> Cow<'_, str> {
    if is_classic_name(name) { Cow::Borrowed(name) } else { Cow::Owned(go(name)) }
}

/// Returns whether `name` is `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_classic_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}
