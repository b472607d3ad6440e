//! Texts: case, trimming, regular expressions, trust.

use std::cell::RefCell;
use std::sync::Arc;

use regex::Regex;
use tocsin_core::matcher::go_regex;

use super::{arguments, text_of};
use crate::format::MAX_TEXT_BYTES;
use crate::function::Call;
use crate::value::{Trust, Value};

/// How many compiled expressions a thread keeps; templates have a handful.
const MAX_KEPT: usize = 64;

/// What a replacement may come to at most, in bytes; more is an error before anything is replaced.
const MAX_REPLACED_BYTES: usize = 64 << 20;

pub(super) fn to_upper(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    Ok(text_of(text)?
        .chars()
        .map(|letter| single(letter, letter.to_uppercase()))
        .collect::<String>()
        .into())
}

pub(super) fn to_lower(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    Ok(text_of(text)?
        .chars()
        .map(|letter| single(letter, letter.to_lowercase()))
        .collect::<String>()
        .into())
}

/// Go changes the case letter by letter, and leaves alone what would become several, such as `ß`.
fn single(letter: char, mut changed: impl ExactSizeIterator<Item = char>) -> char {
    match changed.len() {
        1 => changed.next().unwrap_or(letter),
        _ => letter,
    }
}

/// Makes the first letter of every word large and the others small.
pub(super) fn title(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    let mut out = String::new();
    let (mut is_within, mut has_large) = (false, false);
    for letter in text_of(text)?.chars() {
        // An apostrophe, a point or a colon stands within a word, a hyphen between two.
        is_within = letter.is_alphanumeric()
            || letter == '_'
            || (is_within && matches!(letter, '\'' | '.' | ':' | '\u{b7}' | '\u{2019}'));
        has_large &= is_within;
        if has_large {
            out.extend(letter.to_lowercase());
        } else {
            // A digit in front is no letter: `10px` becomes `10Px`.
            out.extend(letter.to_uppercase());
            has_large = letter.is_alphabetic();
        }
    }
    Ok(out.into())
}

pub(super) fn trim_space(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    Ok(text_of(text)?.trim().into())
}

/// `join SEPARATOR LIST`.
pub(super) fn join(call: &Call<'_>) -> Result<Value, String> {
    let [separator, list] = arguments(call)?;
    let separator = text_of(separator)?;
    let Value::List(values) = list.plain() else {
        return Err(format!("expected a list of strings; found {}", list.type_name()));
    };
    let texts = values.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
    let length =
        texts.iter().map(|text| text.len() + separator.len()).fold(0, usize::saturating_add);
    if length > MAX_TEXT_BYTES {
        return Err(format!("the text becomes longer than {MAX_TEXT_BYTES} bytes"));
    }
    Ok(texts.join(&*separator).into())
}

/// `match PATTERN TEXT`: whether the pattern is found anywhere.
pub(super) fn matches(call: &Call<'_>) -> Result<Value, String> {
    let [pattern, text] = arguments(call)?;
    let text = text_of(text)?;
    with_regex(&text_of(pattern)?, |regex| Value::Bool(regex.is_match(&text)))
}

/// `reReplaceAll PATTERN REPLACEMENT TEXT`.
pub(super) fn replace_all(call: &Call<'_>) -> Result<Value, String> {
    let [pattern, replacement, text] = arguments(call)?;
    let (replacement, text) = (text_of(replacement)?, text_of(text)?);
    // Every match may put in the replacement, and every two bytes of that a part of the text.
    if replacement.len().saturating_mul(text.len() + 1) > MAX_REPLACED_BYTES {
        return Err("the text and the replacement are too long for each other".to_owned());
    }
    with_regex(&text_of(pattern)?, |regex| regex.replace_all(&text, &*replacement).as_ref().into())
}

pub(super) fn safe_html(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    Ok(Value::Trusted(Trust::Html, text_of(text)?))
}

pub(super) fn safe_url(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    Ok(Value::Trusted(Trust::Url, text_of(text)?))
}

/// Decodes `%xx` and `+`.
pub(super) fn url_unescape(call: &Call<'_>) -> Result<Value, String> {
    let [text] = arguments(call)?;
    let text = text_of(text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|digit| digit.and_then(hex));
                let [Some(high), Some(low)] = digits else {
                    return Err(format!("invalid URL escape in {text:?}"));
                };
                out.push(high * 16 + low);
            }
            other => out.push(other),
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned().into())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Runs `work` with a compiled expression; the last ones are kept, since an expression is used for
/// every alert of a group.
fn with_regex(pattern: &Arc<str>, work: impl FnOnce(&Regex) -> Value) -> Result<Value, String> {
    thread_local! {
        static KEPT: RefCell<Vec<(Arc<str>, Regex)>> = const { RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| {
        if let Some((_, regex)) = kept.iter().find(|(known, _)| known == pattern) {
            return Ok(work(regex));
        }
        let regex = go_regex(pattern).map_err(|error| error.to_string())?;
        if kept.len() == MAX_KEPT {
            kept.remove(0);
        }
        let result = work(&regex);
        kept.push((Arc::clone(pattern), regex));
        Ok(result)
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn run(function: crate::Function, arguments: &[Value]) -> Result<String, String> {
        let value = function(&Call { arguments, now: Timestamp::UNIX_EPOCH })?;
        Ok(value.as_text().map_or_else(|| format!("{value:?}"), ToString::to_string))
    }

    #[test]
    fn texts_are_changed_as_go_does() {
        let one = |function: crate::Function, text: &str| run(function, &[text.into()]).unwrap();
        assert_eq!(one(title, "disk FULL on db-1 o'neil"), "Disk Full On Db-1 O'neil");
        assert_eq!(one(to_upper, "größe"), "GRÖßE");
        assert_eq!(one(to_lower, "ΑΣ ÉTÉ"), "ασ été");
        assert_eq!(one(trim_space, " \n a b\t"), "a b");
        assert_eq!(one(url_unescape, "a%20b+%C3%A9"), "a b é");
        assert!(run(url_unescape, &["%zz".into()]).unwrap_err().contains("%zz"));
        assert!(run(to_upper, &[Value::Int(1)]).unwrap_err().contains("expected string"));
        assert!(run(to_upper, &[]).unwrap_err().contains("1 argument"));
    }

    #[test]
    fn expressions_are_gos() {
        let replaced =
            run(replace_all, &["(\\d+)\\.(\\d+)".into(), "$2-${1}".into(), "1.2 3.4".into()]);
        assert_eq!(replaced.unwrap(), "2-1 4-3");
        let named =
            run(replace_all, &["(?P<h>[^.]+)\\..*".into(), "${h}|$hx|$$".into(), "db.x".into()]);
        assert_eq!(named.unwrap(), "db||$");
        assert_eq!(run(matches, &["^a.c$".into(), "abc".into()]).unwrap(), "Bool(true)");
        assert!(run(matches, &["(".into(), "abc".into()]).is_err());
        let list = Value::List(["a".into(), "b".into()].into());
        assert_eq!(run(join, &[", ".into(), list]).unwrap(), "a, b");
    }
}
