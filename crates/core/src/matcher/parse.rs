//! The two matcher grammars and the three modes that choose between them.

use super::{Matcher, classic, utf8};

/// The longest text that is read as matchers.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Which grammar reads a matcher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParseMode {
    /// Both grammars; where they disagree the classic one wins and says so.
    #[default]
    Fallback,
    /// Only the UTF-8 grammar.
    Utf8Strict,
    /// Only the grammar of Alertmanager 0.26 and before.
    Classic,
}

/// What was read, and a warning when the two grammars disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// The result.
    pub value: T,
    /// Set when the grammars disagree and the classic reading was taken.
    pub warning: Option<String>,
}

/// Why a text is not a matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, in Alertmanager's words where its API shows them.
    pub message: String,
    /// Byte offset of the place in the text.
    pub offset: usize,
}

/// Reads exactly one matcher, as in API filters and CLI arguments.
///
/// # Errors
/// [`ParseError`] when no grammar of the mode accepts the text.
pub fn parse_matcher(text: &str, mode: ParseMode) -> Result<Parsed<Matcher>, ParseError> {
    if mode != ParseMode::Classic && (text.starts_with('{') || text.ends_with('}')) {
        let offset = if text.starts_with('{') { 0 } else { text.len() - 1 };
        let message = format!("unexpected open or close brace: {text}");
        return Err(ParseError { message, offset });
    }
    read(text, mode, classic::matcher, utf8::matcher, ToString::to_string)
}

/// Reads a comma-separated list with optional braces, as in the configuration file.
///
/// # Errors
/// [`ParseError`] when no grammar of the mode accepts the text.
pub fn parse_matchers(text: &str, mode: ParseMode) -> Result<Parsed<Vec<Matcher>>, ParseError> {
    read(text, mode, classic::matchers, utf8::matchers, |matchers| {
        matchers.iter().map(Matcher::to_string).collect::<Vec<_>>().join(",")
    })
}

fn read<T: PartialEq>(
    text: &str,
    mode: ParseMode,
    classic: impl Fn(&str) -> Result<T, ParseError>,
    utf8: impl Fn(&str) -> Result<T, ParseError>,
    print: impl Fn(&T) -> String,
) -> Result<Parsed<T>, ParseError> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("matchers are longer than {MAX_TEXT_BYTES} bytes");
        return Err(ParseError { message, offset: MAX_TEXT_BYTES });
    }
    let sure = |value| Parsed { value, warning: None };
    match mode {
        ParseMode::Classic => return classic(text).map(sure),
        ParseMode::Utf8Strict => return utf8(text).map(sure),
        ParseMode::Fallback => {}
    }
    let (value, warning) = match (classic(text), utf8(text)) {
        // The error of the classic grammar is the one that Alertmanager shows.
        (Err(error), Err(_)) => return Err(error),
        (Err(_), Ok(value)) => return Ok(sure(value)),
        (Ok(value), Ok(other)) if value == other => return Ok(sure(value)),
        (Ok(value), Ok(other)) => {
            let warning = format!(
                "the two matcher grammars read `{text}` differently: it is taken as `{}`, \
                 as Alertmanager's classic grammar does, and not as `{}`; \
                 double the backslashes or quote the value to make it clear",
                print(&value),
                print(&other)
            );
            (value, warning)
        }
        (Ok(value), Err(error)) => {
            let warning = format!(
                "only the classic matcher grammar reads `{text}` (the UTF-8 one: {error}); \
                 write `{}` to be ready for the day it goes",
                print(&value)
            );
            (value, warning)
        }
    };
    Ok(Parsed { value, warning: Some(warning) })
}

#[cfg(test)]
mod tests;
