//! The two matcher grammars and the three modes that choose between them.

use super::Matcher;

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
pub fn parse_matcher(_text: &str, _mode: ParseMode) -> Result<Parsed<Matcher>, ParseError> {
    todo!()
}

/// Reads a comma-separated list with optional braces, as in the configuration file.
///
/// # Errors
/// [`ParseError`] when no grammar of the mode accepts the text.
pub fn parse_matchers(_text: &str, _mode: ParseMode) -> Result<Parsed<Vec<Matcher>>, ParseError> {
    todo!()
}
