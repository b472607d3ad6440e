//! Text in quotes, and text as hexadecimal digits.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::spec::Spec;

/// Letters, marks, numbers, punctuation, symbols and the plain space, as Go defines printable.
static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\pL\pM\pN\pP\pS ]$").ok());

/// Returns whether Go would print the character as it is.
pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    PRINTABLE.as_ref().is_some_and(|class| class.is_match(character.encode_utf8(&mut [0; 4])))
}

/// Returns the text in double quotes with escapes; with `raw`, in back quotes where that is possible.
pub(super) fn quote(text: &str, raw: bool, ascii: bool) -> String {
    if raw
        && text
            .chars()
            .all(|character| character != '`' && character != '\u{feff}' && !is_control(character))
    {
        return format!("`{text}`");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        push_escaped(&mut out, character, '"', ascii);
    }
    out.push('"');
    out
}

fn is_control(character: char) -> bool {
    (character < ' ' && character != '\t') || character == '\u{7f}'
}

/// Returns the character in single quotes with escapes.
pub(super) fn quote_character(character: char, ascii: bool) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, character, '\'', ascii);
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, character: char, quote: char, ascii: bool) {
    let short = match character {
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{b}' => "\\v",
        '\\' => "\\\\",
        _ => "",
    };
    let number = u32::from(character);
    // Writing to a `String` cannot fail.
    let _ = if !short.is_empty() {
        out.write_str(short)
    } else if character == quote {
        write!(out, "\\{quote}")
    } else if is_printable(character) && (!ascii || character.is_ascii()) {
        out.write_char(character)
    } else if number < 0x20 || number == 0x7f {
        write!(out, "\\x{number:02x}")
    } else if number < 0x1_0000 {
        write!(out, "\\u{number:04x}")
    } else {
        write!(out, "\\U{number:08x}")
    };
}

/// Returns the bytes in hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8], spec: &Spec) -> String {
    let bytes = &bytes[..spec.precision.unwrap_or(bytes.len()).min(bytes.len())];
    let mut out = String::with_capacity(bytes.len() * 2);
    for (index, byte) in bytes.iter().enumerate() {
        if spec.space && index > 0 {
            out.push(' ');
        }
        if spec.sharp && (spec.space || index == 0) {
            out.push_str("0x");
        }
        let _ = write!(out, "{byte:02x}");
    }
    if spec.verb == 'X' {
        out.make_ascii_uppercase();
    }
    out
}
