//! How text moves through a page: from tag to attribute to script and back.

use super::attributes;
use super::context::{Attribute, Context, Element, Quote, State};
use super::{address, script, style};

/// Follows text from its beginning; returns the place behind what was read, and how much that was.
///
/// At least one byte is read, or the state changes.
pub(super) fn follow(context: Context, text: &str) -> Result<(Context, usize), String> {
    if context.quote != Quote::None {
        return attribute_value(context, text);
    }
    let end = content_end(context.element, context.state, text);
    if end == Some(0) {
        return Ok((Context::default(), 0));
    }
    step(context, &text[..end.unwrap_or(text.len())])
}

/// One step, without looking at what ends an attribute or an element.
fn step(context: Context, text: &str) -> Result<(Context, usize), String> {
    match context.state {
        State::Text => Ok(between_tags(context, text)),
        State::Tag => tag(context, text),
        State::AttributeName => {
            let length = name_length(text)?;
            let state = if length == text.len() { State::AttributeName } else { State::AfterName };
            Ok((context.with(state), length))
        }
        State::AfterName => Ok(after_name(context, text)),
        State::BeforeValue => Ok(before_value(context, text)),
        State::Comment => Ok(match text.find("-->") {
            Some(at) => (Context::default(), at + 3),
            None => (context, text.len()),
        }),
        State::Content | State::Attribute | State::Never => Ok((context, text.len())),
        State::Address | State::AddressSet => Ok((address::follow(context, text), text.len())),
        State::Script => script::code(context, text),
        State::ScriptDouble | State::ScriptSingle | State::ScriptTemplate | State::ScriptRegex => {
            script::delimited(context, text)
        }
        State::Style => Ok(style::sheet(context, text)),
        State::StyleDouble
        | State::StyleSingle
        | State::StyleAddressDouble
        | State::StyleAddressSingle
        | State::StyleAddress => style::delimited(context, text),
        State::ScriptBlockComment => Ok(block_comment(context, text, State::Script)),
        State::StyleBlockComment => Ok(block_comment(context, text, State::Style)),
        State::ScriptLineComment => {
            Ok(line_comment(context, text, State::Script, &['\n', '\r', '\u{2028}', '\u{2029}']))
        }
        State::StyleLineComment => {
            Ok(line_comment(context, text, State::Style, &['\n', '\u{c}', '\r']))
        }
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn block_comment(context: Context, text: &str, behind: State) -> (Context, usize) {
    match text.find("*/") {
        Some(at) => (context.with(behind), at + 2),
        None => (context, text.len()),
    }
}

/// The line feed belongs to what follows.
fn line_comment(context: Context, text: &str, behind: State, ends: &[char]) -> (Context, usize) {
    match text.find(ends) {
        Some(at) => (context.with(behind), at),
        None => (context, text.len()),
    }
}

/// Returns where the content of an element ends whose content is no mark-up: at its closing tag.
fn content_end(element: Element, state: State, text: &str) -> Option<usize> {
    let inside_tag =
        matches!(state, State::Tag | State::AttributeName | State::AfterName | State::BeforeValue);
    if element == Element::Other || inside_tag {
        return None;
    }
    let name = element.name();
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let rest = &text[at + 2..];
        let is_name = rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        is_name && rest[name.len()..].starts_with(['>', ' ', '\t', '\n', '\u{c}', '/'])
    })
}

fn between_tags(context: Context, text: &str) -> (Context, usize) {
    let mut from = 0;
    while let Some(found) = text[from..].find('<') {
        let at = from + found;
        let rest = &text[at + 1..];
        if rest.starts_with("!--") {
            return (Context { state: State::Comment, ..Context::default() }, at + 4);
        }
        let (closes, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        let length = tag_name_length(rest);
        if length > 0 {
            let element = if closes { Element::Other } else { Element::named(&rest[..length]) };
            let behind = text.len() - rest.len() + length;
            return (Context { state: State::Tag, element, ..Context::default() }, behind);
        }
        from = text.len() - rest.len();
    }
    (context, text.len())
}

/// `x-y` and `x:y` are names, `x-` and `x--y` are not.
fn tag_name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        let joins =
            matches!(byte, b':' | b'-') && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
        at += match (byte.is_ascii_alphanumeric(), joins) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => break,
        };
    }
    at
}

fn tag(context: Context, text: &str) -> Result<(Context, usize), String> {
    let trimmed = text.trim_start_matches(is_space);
    let start = text.len() - trimmed.len();
    if trimmed.is_empty() {
        return Ok((context, text.len()));
    }
    if trimmed.starts_with('>') {
        let state = context.element.content();
        return Ok((Context { state, element: context.element, ..Context::default() }, start + 1));
    }
    let length = name_length(trimmed)?;
    if length == 0 {
        return Err(format!(
            "the name of an attribute or `>` is expected, not {:?}",
            shortened(trimmed)
        ));
    }
    let name = trimmed[..length].to_lowercase();
    let attribute = if context.element == Element::Script && name == "type" {
        Attribute::ScriptType
    } else {
        attributes::kind(&name).unwrap_or_default()
    };
    let state = if length == trimmed.len() { State::AttributeName } else { State::AfterName };
    Ok((
        Context { state, attribute, element: context.element, ..Context::default() },
        start + length,
    ))
}

fn name_length(text: &str) -> Result<usize, String> {
    let end = text
        .find(|character| is_space(character) || matches!(character, '=' | '>' | '\'' | '"' | '<'));
    match end.map(|at| (at, text.as_bytes()[at])) {
        Some((_, quote @ (b'\'' | b'"' | b'<'))) => {
            let quote = char::from(quote);
            Err(format!(
                "there is {quote:?} in the name of an attribute, near {:?}",
                shortened(text)
            ))
        }
        Some((at, _)) => Ok(at),
        None => Ok(text.len()),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(32).collect()
}

fn after_name(context: Context, text: &str) -> (Context, usize) {
    let trimmed = text.trim_start_matches(is_space);
    let start = text.len() - trimmed.len();
    match trimmed.as_bytes().first() {
        None => (context, text.len()),
        Some(b'=') => (context.with(State::BeforeValue), start + 1),
        // An attribute without a value.
        Some(_) => (context.with(State::Tag), start),
    }
}

fn before_value(context: Context, text: &str) -> (Context, usize) {
    let trimmed = text.trim_start_matches(is_space);
    let start = text.len() - trimmed.len();
    let (quote, skipped) = match trimmed.as_bytes().first() {
        None => return (context, text.len()),
        Some(b'"') => (Quote::Double, 1),
        Some(b'\'') => (Quote::Single, 1),
        Some(_) => (Quote::Space, 0),
    };
    (Context { state: context.attribute.start(), quote, ..context }, start + skipped)
}

/// Follows text inside the value of an attribute, up to what ends the value.
fn attribute_value(context: Context, text: &str) -> Result<(Context, usize), String> {
    let end = match context.quote {
        Quote::Double => text.find('"'),
        Quote::Single => text.find('\''),
        Quote::Space | Quote::None => {
            text.find(|character| is_space(character) || character == '>')
        }
    };
    let value = &text[..end.unwrap_or(text.len())];
    if context.quote == Quote::Space
        && let Some(character) =
            value.chars().find(|character| matches!(character, '"' | '\'' | '<' | '=' | '`'))
    {
        return Err(format!(
            "there is {character:?} in the value of an attribute without quotes, near {:?}",
            shortened(value)
        ));
    }
    let Some(end) = end else {
        // The rules for scripts and addresses see the value as a browser hands it to them.
        let decoded = attributes::without_entities(text);
        let mut context = context;
        let mut rest = decoded.as_str();
        while !rest.is_empty() {
            let (next, length) = step(context, rest)?;
            // A closing tag means nothing inside of a value.
            rest = &rest[length..];
            context = next;
        }
        return Ok((context, text.len()));
    };
    let is_other_type = context.attribute == Attribute::ScriptType
        && context.state == State::Attribute
        && !attributes::is_script_type(value);
    let element = if is_other_type { Element::Other } else { context.element };
    let quote = usize::from(context.quote != Quote::Space);
    Ok((Context { state: State::Tag, element, ..Context::default() }, end + quote))
}
