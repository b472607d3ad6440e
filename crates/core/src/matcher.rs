//! Matchers: the conditions on labels used by routes, silences, inhibition and filters.

mod classic;
mod go_regex;
mod go_string;
mod parse;
mod utf8;

use std::fmt;

use compact_str::CompactString;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize};

pub use parse::{MAX_TEXT_BYTES, ParseError, ParseMode, Parsed, parse_matcher, parse_matchers};

use crate::labels::Labels;

/// The longest regular expression that is compiled.
pub const MAX_PATTERN_BYTES: usize = 16 * 1024;

/// The most memory that one compiled regular expression may take; a pattern such as
/// `(\pL{1000}){1000}` would otherwise take gigabytes.
const MAX_COMPILED_BYTES: usize = 4 * 1024 * 1024;

/// How a matcher compares a label's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MatchOp {
    /// `=`
    #[serde(rename = "=")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
    /// `=~`, anchored at both ends
    #[serde(rename = "=~")]
    Regex,
    /// `!~`, anchored at both ends
    #[serde(rename = "!~")]
    NotRegex,
}

impl MatchOp {
    /// Returns the operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }

    /// Returns the operator for the two booleans of Alertmanager's API.
    pub fn from_flags(is_equal: bool, is_regex: bool) -> Self {
        match (is_equal, is_regex) {
            (true, false) => Self::Equal,
            (false, false) => Self::NotEqual,
            (true, true) => Self::Regex,
            (false, true) => Self::NotRegex,
        }
    }

    /// Returns whether the operator compares with a regular expression.
    pub fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::NotRegex)
    }

    /// Returns whether the operator asks for agreement rather than difference.
    pub fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Regex)
    }
}

/// One condition on one label.
#[derive(Clone, Debug, Serialize)]
pub struct Matcher {
    name: CompactString,
    op: MatchOp,
    value: CompactString,
    #[serde(skip)]
    regex: Option<Regex>,
}

/// A regular expression that does not compile.
#[derive(Clone, Debug, thiserror::Error)]
#[error("invalid regular expression `{pattern}`: {message}")]
pub struct BadRegex {
    /// The pattern as written.
    pub pattern: String,
    /// What the compiler says, on one line.
    pub message: String,
}

impl Matcher {
    /// Builds a matcher.
    ///
    /// # Errors
    /// [`BadRegex`] when the operator needs a regular expression and the value is none.
    pub fn new(
        name: impl Into<CompactString>,
        op: MatchOp,
        value: impl Into<CompactString>,
    ) -> Result<Self, BadRegex> {
        let value = value.into();
        let regex = op.is_regex().then(|| anchored(&value)).transpose()?;
        Ok(Self { name: name.into(), op, value, regex })
    }

    /// Returns the matcher `name="value"`.
    pub fn equal(name: impl Into<CompactString>, value: impl Into<CompactString>) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// Returns the name of the label it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// Returns what it compares with: a value or a pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns whether a label with this value would match; absent labels have the value `""`.
    pub fn matches_value(&self, value: &str) -> bool {
        match (&self.regex, self.op) {
            (None, MatchOp::NotEqual) => value != self.value,
            (None, _) => value == self.value,
            (Some(regex), MatchOp::NotRegex) => !regex.is_match(value),
            (Some(regex), _) => regex.is_match(value),
        }
    }

    /// Returns whether `labels` satisfy the condition.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.value(&self.name))
    }

    fn key(&self) -> (&str, &str, MatchOp) {
        (&self.name, &self.value, self.op)
    }
}

/// Compiles a regular expression of Go that may match anywhere.
///
/// # Errors
/// [`BadRegex`] when it is none, or larger than the bound.
pub fn go_regex(pattern: &str) -> Result<Regex, BadRegex> {
    compile(pattern, |translated| translated)
}

/// Compiles Go's `^(?:pattern)$`.
fn anchored(pattern: &str) -> Result<Regex, BadRegex> {
    compile(pattern, |translated| format!("^(?:{translated})$"))
}

fn compile(pattern: &str, frame: impl FnOnce(String) -> String) -> Result<Regex, BadRegex> {
    let bad = |message: String| BadRegex { pattern: pattern.to_owned(), message };
    if pattern.len() > MAX_PATTERN_BYTES {
        let start: String = pattern.chars().take(32).collect();
        let message = format!("it is longer than {MAX_PATTERN_BYTES} bytes");
        return Err(BadRegex { pattern: format!("{start}…"), message });
    }
    let translated = go_regex::translate(pattern).map_err(bad)?;
    RegexBuilder::new(&frame(translated)).size_limit(MAX_COMPILED_BYTES).build().map_err(|error| {
        let text = error.to_string();
        let line = text.lines().last().unwrap_or_default().trim();
        bad(line.strip_prefix("error: ").unwrap_or(line).to_owned())
    })
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Matcher {}
impl PartialOrd for Matcher {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Matcher {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Prints `name="value"` with Go's quoting.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = crate::quote::name(&self.name);
        write!(f, "{name}{}{}", self.op.as_str(), crate::quote::go(&self.value))
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            name: CompactString,
            op: MatchOp,
            value: CompactString,
        }
        let raw = Raw::deserialize(deserializer)?;
        Self::new(raw.name, raw.op, raw.value).map_err(serde::de::Error::custom)
    }
}

/// Conditions that must all hold, sorted by name, value and operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Matchers(Vec<Matcher>);

impl Matchers {
    /// Sorts the conditions, which keeps group keys stable however a file orders them.
    pub fn new(mut matchers: Vec<Matcher>) -> Self {
        matchers.sort();
        Self(matchers)
    }

    /// Returns whether every condition holds; an empty list always does.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|matcher| matcher.matches(labels))
    }

    /// Iterates over the conditions in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Matcher> {
        self.0.iter()
    }

    /// Returns whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many conditions there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Matchers {
    type Item = &'a Matcher;
    type IntoIter = std::slice::Iter<'a, Matcher>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Prints `{a="1",b=~"x.*"}`, one `{…}` of a group key.
impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, matcher) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            matcher.fmt(f)?;
        }
        f.write_str("}")
    }
}

impl<'de> Deserialize<'de> for Matchers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::new)
    }
}
