//! The classic grammar: label names are ASCII, values may be bare, empty and half escaped.

use super::{MatchOp, Matcher, ParseError};

/// Reads a comma-separated list; a leading `{` and a trailing `}` are each optional.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, ParseError> {
    pieces(text).into_iter().map(|(offset, piece)| matcher_at(piece, offset)).collect()
}

/// Reads one matcher.
pub(super) fn matcher(text: &str) -> Result<Matcher, ParseError> {
    matcher_at(text, 0)
}

/// Cuts the list at commas that are not inside double quotes; yields each piece with its offset.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let inside = text.strip_prefix('{').unwrap_or(text);
    let base = text.len() - inside.len();
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (i, c) in inside.char_indices() {
        match c {
            ',' if !is_quoted => {
                pieces.push((base + start, &inside[start..i]));
                start = i + 1;
            }
            // An escape reaches over a comma: that is how the grammar has always been read.
            ',' => {}
            '"' if is_escaped => is_escaped = false,
            '"' => is_quoted = !is_quoted,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    let last = &inside[start..];
    if !last.trim().is_empty() {
        let indent = last.len() - last.trim_start().len();
        pieces.push((base + start + indent, last.trim()));
    }
    pieces
}

/// Reads one matcher that begins at `offset` of the whole text.
fn matcher_at(text: &str, offset: usize) -> Result<Matcher, ParseError> {
    let error = |message: String| ParseError { message, offset };
    let Some((name, op, raw)) = split(text) else {
        return Err(error(format!("bad matcher format: {text}")));
    };
    let value = unescape(raw)
        .ok_or_else(|| error(format!("matcher value contains unescaped double quote: {raw}")))?;
    Matcher::new(name, op, value).map_err(|bad| error(bad.to_string()))
}

/// Splits into name, operator and raw value, without the white space around them.
fn split(text: &str) -> Option<(&str, MatchOp, &str)> {
    // Go's `\s`.
    const SPACE: [char; 5] = ['\t', '\n', '\x0c', '\r', ' '];
    let text = text.trim_start_matches(SPACE);
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !crate::quote::is_classic_name(name) {
        return None;
    }
    let rest = rest.trim_start_matches(SPACE);
    // The longer operators come first: `=` would leave the `~` to the value.
    [MatchOp::Regex, MatchOp::Equal, MatchOp::NotEqual, MatchOp::NotRegex]
        .into_iter()
        .find_map(|op| Some((name, op, rest.strip_prefix(op.as_str())?.trim_matches(SPACE))))
}

/// Undoes `\"`, `\n` and `\\`, and takes the quotes off; any other back-slash is literal.
/// `None` when a double quote stands where it must not.
fn unescape(raw: &str) -> Option<String> {
    let (mut awaits_quote, raw) = match raw.strip_prefix('"') {
        Some(rest) => (true, rest),
        None => (false, raw),
    };
    let mut value = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('n')) => value.push('\n'),
            ('\\', Some(&next @ ('"' | '\\'))) => value.push(next),
            ('\\', Some(&next)) => value.extend(['\\', next]),
            ('"', None) if awaits_quote => {
                awaits_quote = false;
                continue;
            }
            ('"', _) => return None,
            (c, _) => {
                value.push(c);
                continue;
            }
        }
        // The character after the back-slash is done.
        chars.next();
    }
    (!awaits_quote).then_some(value)
}
