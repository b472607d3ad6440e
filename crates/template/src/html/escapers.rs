//! Makes a value harmless at one place of a page.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{address, attributes, json, script, style};
use crate::format;
use crate::function::Call;
use crate::language;
use crate::value::{Trust, Value};

/// What stands for a value that cannot be made harmless; easy to search for.
pub(super) const FAILSAFE: &str = "ZgotmplZ";

/// One way to escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escaper {
    /// Text between tags.
    Markup,
    /// The content of `title` and `textarea`.
    Content,
    /// A value in quotes.
    Quoted,
    /// A value without quotes.
    Unquoted,
    /// The name of an attribute.
    Name,
    /// Nothing at all comes out.
    Comment,
    /// An address from its scheme on.
    AddressFilter,
    Address,
    /// One part of an address.
    AddressPart,
    AddressSet,
    ScriptValue,
    ScriptText,
    ScriptRegex,
    StyleValue,
    StyleText,
    /// The function `html`, where it does what is needed.
    HtmlFunction,
    /// The function `urlquery`, where it does what is needed.
    QueryFunction,
}

impl Escaper {
    /// Returns whether this one changes nothing more behind the other.
    pub(super) fn is_redundant_behind(self, other: Self) -> bool {
        match other {
            Self::Comment => matches!(self, Self::Quoted | Self::Unquoted | Self::Markup),
            Self::StyleText | Self::ScriptRegex | Self::ScriptText => self == Self::Quoted,
            Self::AddressPart => self == Self::Address,
            _ => false,
        }
    }

    /// Returns the escaped value.
    pub(crate) fn apply(self, value: &Value) -> Result<Value, String> {
        if self == Self::ScriptValue {
            return script_value(value).map(Value::from);
        }
        let (text, trust) = shown(value)?;
        let escaped = match (self, trust) {
            (Self::Markup, Some(Trust::Html)) => text.into_owned(),
            (Self::Markup, _) => escape(&text, true, false),
            (Self::Content, Some(Trust::Html)) => escape(&text, false, false),
            (Self::Content, _) => escape(&text, true, false),
            (Self::Quoted, Some(Trust::Html)) => escape(&without_tags(&text), false, false),
            (Self::Quoted, _) => escape(&text, true, false),
            (Self::Unquoted, _) if text.is_empty() => FAILSAFE.to_owned(),
            (Self::Unquoted, Some(Trust::Html)) => escape(&without_tags(&text), false, true),
            (Self::Unquoted, _) => escape(&text, true, true),
            (Self::Name, _) => name(&text),
            (Self::Comment, _) => String::new(),
            // What is trusted stays trusted for the escapers that follow.
            (Self::AddressFilter, Some(Trust::Url)) => return Ok(value.clone()),
            (Self::AddressFilter, _) => address::filter(&text).to_owned(),
            (Self::Address, _) | (Self::AddressPart, Some(Trust::Url)) => address::normalize(&text),
            (Self::AddressPart, _) => address::escape(&text),
            (Self::AddressSet, Some(Trust::Url)) => address::one_of_set(&text),
            (Self::AddressSet, _) => address::set(&text),
            (Self::ScriptText, _) => script_text(&text, false),
            (Self::ScriptRegex, _) if text.is_empty() => "(?:)".to_owned(),
            (Self::ScriptRegex, _) => script_text(&text, true),
            (Self::StyleValue, _) => style::value(&text),
            (Self::StyleText, _) => style::text(&text),
            (Self::HtmlFunction, _) => language::html(&text),
            (Self::QueryFunction, _) => language::query(&text),
            (Self::ScriptValue, _) => text.into_owned(),
        };
        Ok(Value::from(escaped))
    }
}

/// Returns the value as text, and how far that is trusted. What is missing is empty.
fn shown(value: &Value) -> Result<(Cow<'_, str>, Option<Trust>), String> {
    Ok(match value {
        Value::Nil => (Cow::Borrowed(""), None),
        Value::Text(text) => (Cow::Borrowed(text), None),
        Value::Trusted(trust, text) => (Cow::Borrowed(text), Some(*trust)),
        other => (Cow::Owned(format::text(other)?), None),
    })
}

/// Escapes mark-up; `&` only where character references mean nothing yet, white space where it would
/// end a value.
fn escape(text: &str, with_ampersand: bool, with_space: bool) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '\0' => out.push_str(if with_space { "&#xfffd;" } else { "\u{fffd}" }),
            '"' => out.push_str("&#34;"),
            '&' if with_ampersand => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '+' => out.push_str("&#43;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '=' | '`' if with_space => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            // Some browsers take these for nothing, or for white space.
            '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}' if with_space => {
                let _ = write!(out, "&#x{:x};", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out
}

/// Returns mark-up without its tags and comments: what is left of it inside a value.
fn without_tags(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let end = if tag.starts_with("<!--") {
            Some(tag.find("-->").map_or(tag.len(), |end| end + 3))
        } else if tag[1..]
            .trim_start_matches('/')
            .starts_with(|character: char| character.is_ascii_alphabetic())
        {
            Some(tag_end(tag))
        } else {
            None
        };
        match end {
            Some(end) => {
                out.push_str(&rest[..at]);
                rest = &tag[end..];
            }
            None => {
                out.push_str(&rest[..=at]);
                rest = &tag[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns where a tag ends; a `>` in quotes does not end it.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// Returns the name of an attribute when it is one that decides about nothing.
fn name(text: &str) -> String {
    let name = text.to_lowercase();
    let is_plain = attributes::kind(&name) == Some(super::context::Attribute::Plain);
    let is_name =
        !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric());
    if is_plain && is_name { name } else { FAILSAFE.to_owned() }
}

/// Returns a value as it is written in a script.
fn script_value(value: &Value) -> Result<String, String> {
    let text = json::write(value)?;
    // A name beside it must stay a word of its own.
    let touches = text.starts_with(script::is_name) || text.ends_with(script::is_name);
    Ok(if touches { format!(" {text} ") } else { text })
}

fn script_text(text: &str, is_regex: bool) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '$' | '(' | ')' | '*' | '-' | '.' | '?' | '[' | ']' | '^' | '{' | '|' | '}'
                if is_regex =>
            {
                out.push('\\');
                out.push(character);
            }
            '"' | '\'' | '`' | '&' | '+' | '<' | '>' | '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out
}

/// `toJson` knows how Alertmanager's own types are written.
pub(super) fn to_json(value: &Value) -> Option<Result<String, String>> {
    let function = crate::functions::lookup("toJson")?;
    let call = Call { arguments: std::slice::from_ref(value), now: jiff::Timestamp::UNIX_EPOCH };
    Some(function(&call).map(|value| value.as_text().map_or_else(String::new, ToString::to_string)))
}
