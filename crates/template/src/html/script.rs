//! Text inside scripts.

use super::context::{Context, Slash, State};

/// Words behind which a slash begins a regular expression.
const BEFORE_REGEX: &[&str] = &[
    "break",
    "case",
    "continue",
    "delete",
    "do",
    "else",
    "finally",
    "in",
    "instanceof",
    "return",
    "throw",
    "try",
    "typeof",
    "void",
];

/// Follows code up to the first text, comment or regular expression; returns how much was read.
pub(super) fn code(context: Context, text: &str) -> Result<(Context, usize), String> {
    let Some(at) = text.find(['"', '\'', '`', '/']) else {
        return Ok((Context { slash: slash_after(text, context.slash), ..context }, text.len()));
    };
    let slash = slash_after(&text[..at], context.slash);
    let context = Context { slash, ..context };
    let in_text = |state| Ok((Context { state, slash: Slash::Regex, ..context }, at + 1));
    match text.as_bytes()[at] {
        b'"' => in_text(State::ScriptDouble),
        b'\'' => in_text(State::ScriptSingle),
        b'`' => in_text(State::ScriptTemplate),
        _ if text[at..].starts_with("//") => Ok((context.with(State::ScriptLineComment), at + 2)),
        _ if text[at..].starts_with("/*") => Ok((context.with(State::ScriptBlockComment), at + 2)),
        _ => match slash {
            Slash::Regex => Ok((context.with(State::ScriptRegex), at + 1)),
            Slash::Division => Ok((Context { slash: Slash::Regex, ..context }, at + 1)),
            Slash::Unknown => {
                Err("the `/` may be a division or begin a regular expression; add parentheses"
                    .to_owned())
            }
        },
    }
}

/// Follows a text or a regular expression to its end.
pub(super) fn delimited(context: Context, text: &str) -> Result<(Context, usize), String> {
    let end = match context.state {
        State::ScriptSingle => b'\'',
        State::ScriptTemplate => b'`',
        State::ScriptRegex => b'/',
        _ => b'"',
    };
    let is_regex = context.state == State::ScriptRegex;
    let (mut is_escaped, mut in_set) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'[' if is_regex => in_set = true,
            b']' if is_regex => in_set = false,
            _ if byte == end && !in_set => {
                return Ok((
                    Context { state: State::Script, slash: Slash::Division, ..context },
                    at + 1,
                ));
            }
            _ => {}
        }
    }
    if is_escaped {
        return Err(
            "a backslash in a text of a script stands right before an action or the end".to_owned()
        );
    }
    if in_set {
        return Err(
            "an action stands in the brackets of a regular expression; move it out".to_owned()
        );
    }
    Ok((context, text.len()))
}

/// Returns what a slash means behind the code.
fn slash_after(code: &str, before: Slash) -> Slash {
    let code = code
        .trim_end_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    let Some(last) = code.chars().next_back() else { return before };
    match last {
        // `x++` is a value, `x + +` expects one.
        '+' | '-' => {
            let run = code.chars().rev().take_while(|character| *character == last).count();
            if run % 2 == 1 { Slash::Regex } else { Slash::Division }
        }
        // `1.` is a value.
        '.' => match code[..code.len() - 1].chars().next_back() {
            Some(digit) if digit.is_ascii_digit() => Slash::Division,
            _ => Slash::Regex,
        },
        ',' | '<' | '>' | '=' | '*' | '%' | '&' | '|' | '^' | '?' | '!' | '~' | '(' | '[' | ':'
        | ';' | '{' | '}' => Slash::Regex,
        _ => {
            let word_start = code
                .char_indices()
                .rev()
                .take_while(|(_, character)| is_name(*character))
                .last()
                .map_or(code.len(), |(at, _)| at);
            if BEFORE_REGEX.contains(&&code[word_start..]) { Slash::Regex } else { Slash::Division }
        }
    }
}

/// Returns whether the character can stand in a name.
pub(super) fn is_name(character: char) -> bool {
    matches!(character, '$' | '_') || character.is_ascii_alphanumeric()
}
