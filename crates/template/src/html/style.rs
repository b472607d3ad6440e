//! Text inside style sheets.

use super::address;
use super::context::{Context, State};

/// White space of style sheets.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

/// Follows a sheet up to the first text, address or comment; returns how much was read.
pub(super) fn sheet(context: Context, text: &str) -> (Context, usize) {
    let mut from = 0;
    while let Some(found) = text[from..].find(['(', '"', '\'', '/']) {
        let at = from + found;
        match text.as_bytes()[at] {
            b'(' if ends_with_url(&text[..at]) => return address_start(context, text, at + 1),
            b'"' => return (context.with(State::StyleDouble), at + 1),
            b'\'' => return (context.with(State::StyleSingle), at + 1),
            b'/' if text[at..].starts_with("//") => {
                return (context.with(State::StyleLineComment), at + 2);
            }
            b'/' if text[at..].starts_with("/*") => {
                return (context.with(State::StyleBlockComment), at + 2);
            }
            _ => from = at + 1,
        }
    }
    (context, text.len())
}

fn address_start(context: Context, text: &str, behind: usize) -> (Context, usize) {
    let rest = text[behind..].trim_start_matches(is_space);
    let at = text.len() - rest.len();
    match rest.bytes().next() {
        Some(b'"') => (context.with(State::StyleAddressDouble), at + 1),
        Some(b'\'') => (context.with(State::StyleAddressSingle), at + 1),
        _ => (context.with(State::StyleAddress), at),
    }
}

/// Returns whether the word before a parenthesis is `url`.
fn ends_with_url(text: &str) -> bool {
    let text = decode(text.trim_end_matches(is_space)).to_ascii_lowercase();
    text.strip_suffix("url").is_some_and(|before| !before.ends_with(is_name))
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_') || !character.is_ascii()
}

/// Follows a text or an address to its end.
pub(super) fn delimited(context: Context, text: &str) -> Result<(Context, usize), String> {
    let ends = |byte: u8| match context.state {
        State::StyleDouble | State::StyleAddressDouble => byte == b'"',
        State::StyleSingle | State::StyleAddressSingle => byte == b'\'',
        _ => matches!(byte, b'\t' | b'\n' | 12 | b'\r' | b' ' | b')'),
    };
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if ends(byte) => return Ok((context.with(State::Style), at + 1)),
            _ => {}
        }
    }
    if is_escaped {
        return Err(
            "a backslash in a text of a style sheet stands right before an action or the end"
                .to_owned(),
        );
    }
    Ok((address::follow(context, &decode(text)), text.len()))
}

/// Returns the text without escapes: `\41 ` is `A`.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escaped = &rest[at + 1..];
        let digits = escaped.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        if digits > 0 {
            let number = u32::from_str_radix(&escaped[..digits], 16).unwrap_or(0);
            out.push(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER));
            rest = &escaped[digits..];
            rest =
                rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(is_space)).unwrap_or(rest);
        } else {
            // The character itself, whatever it is.
            let length = escaped.chars().next().map_or(0, char::len_utf8);
            out.push_str(&escaped[..length]);
            rest = &escaped[length..];
        }
    }
    out.push_str(rest);
    out
}

/// Returns a value that cannot leave its place in a declaration; a word that says nothing otherwise.
pub(super) fn value(text: &str) -> String {
    let decoded = decode(text);
    let is_unsafe = |character| {
        matches!(
            character,
            '\0' | '"'
                | '\''
                | '('
                | ')'
                | '/'
                | ';'
                | '@'
                | '['
                | '\\'
                | ']'
                | '`'
                | '{'
                | '}'
                | '<'
                | '>'
        )
    };
    let name: String = decoded
        .chars()
        .filter(|character| character.is_ascii() && is_name(*character))
        .collect::<String>()
        .to_lowercase();
    // Old browsers run what stands behind these two.
    let runs = name.contains("expression") || name.contains("mozbinding");
    if decoded.contains(is_unsafe) || decoded.contains("--") || runs {
        return super::escapers::FAILSAFE.to_owned();
    }
    decoded
}

/// Returns the text as it stands between quotes.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\0' | '\t' | '\n' | '\u{c}' | '\r' | '"' | '&' | '\'' | '(' | ')' | '+' | '/'
            | ':' | ';' | '<' | '>' | '{' | '}' => {
                out.push_str(&format!("\\{:x}", u32::from(character)));
                if characters.peek().is_none_or(|next| next.is_ascii_hexdigit() || is_space(*next))
                {
                    out.push(' ');
                }
            }
            other => out.push(other),
        }
    }
    out
}
