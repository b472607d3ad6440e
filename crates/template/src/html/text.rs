//! Follows the text between actions, and takes the comments out of it.

use super::context::{Context, Quote, State};
use super::page;

/// Follows a whole text; returns what is left of it and where it ends, or what is wrong and at which
/// byte.
pub(super) fn follow(start: Context, text: &str) -> Result<(String, Context), (usize, String)> {
    let mut out = String::with_capacity(text.len());
    let mut context = start;
    let mut at = 0;
    // What begins here is not written yet.
    let mut pending = 0;
    while at < text.len() {
        let (next, length) = page::follow(context, &text[at..]).map_err(|message| (at, message))?;
        let end = at + length;
        if matches!(context.state, State::Text | State::Content) {
            write_text(&mut out, text, &mut pending, at, end, next.state != context.state);
        } else if context.is_comment() && context.quote == Quote::None {
            out.push_str(instead_of_comment(context.state, &text[pending..end]));
            pending = end;
        }
        if next.state != context.state && next.is_comment() && next.quote == Quote::None {
            let mark = if next.state == State::Comment { 4 } else { 2 };
            out.push_str(&text[pending..(end - mark).max(pending)]);
            pending = end;
        }
        context = next;
        at = end;
    }
    if !context.is_comment() || context.quote != Quote::None {
        out.push_str(&text[pending..]);
    }
    Ok((out, context))
}

/// A `<` that begins no tag is escaped, so that what follows cannot make one of it.
fn write_text(
    out: &mut String,
    text: &str,
    pending: &mut usize,
    from: usize,
    to: usize,
    left: bool,
) {
    let last = if left { text[from..to].rfind('<').map_or(to, |at| from + at) } else { to };
    for (offset, _) in text[from..last].match_indices('<') {
        let at = from + offset;
        let is_doctype =
            text.get(at..at + 9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype"));
        if !is_doctype {
            out.push_str(&text[*pending..at]);
            out.push_str("&lt;");
            *pending = at + 1;
        }
    }
}

/// A comment separates words, and with a line feed also lines.
fn instead_of_comment(state: State, comment: &str) -> &'static str {
    match state {
        State::ScriptBlockComment if comment.contains(['\n', '\r', '\u{2028}', '\u{2029}']) => "\n",
        State::ScriptBlockComment | State::StyleBlockComment => " ",
        _ => "",
    }
}
