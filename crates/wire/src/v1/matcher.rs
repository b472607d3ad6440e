//! Conditions on labels.

use serde::{Deserialize, Serialize};
use tocsin_core::matcher::{self, MatchOp, Matchers, ParseMode, parse_matcher};
use tocsin_core::quote;
use utoipa::ToSchema;

/// A condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The name of the label.
    #[schema(example = "severity")]
    pub name: String,
    /// How the value is compared; the expressions of `=~` and `!~` are anchored at both ends.
    #[schema(value_type = String, example = "=~")]
    pub op: MatchOp,
    /// The value or regular expression; an absent label has the value `""`.
    #[schema(example = "critical|high")]
    pub value: String,
}

impl From<&matcher::Matcher> for Matcher {
    fn from(matcher: &matcher::Matcher) -> Self {
        Self {
            name: matcher.name().to_owned(),
            op: matcher.op(),
            value: matcher.value().to_owned(),
        }
    }
}

/// A condition on one label as a request writes it: `severity=~"critical|high"`, or its parts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(
    untagged,
    expecting = "a matcher is a text such as `severity=\"critical\"`, or an object \
                               of `name`, `op` and `value`"
)]
pub enum WrittenMatcher {
    /// In one text.
    Text(String),
    /// In parts.
    Parts(Matcher),
}

/// Why one of several matchers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MatcherError {
    /// Which one, counted from 0.
    pub index: usize,
    /// What is wrong with it.
    pub message: String,
    /// The byte at which reading it failed, for those written as a text.
    pub offset: Option<usize>,
}

impl WrittenMatcher {
    fn compile(&self, mode: ParseMode) -> Result<matcher::Matcher, (String, Option<usize>)> {
        match self {
            Self::Text(text) => match parse_matcher(text, mode) {
                Ok(parsed) => Ok(parsed.value),
                Err(error) => Err((error.message, Some(error.offset))),
            },
            Self::Parts(Matcher { name, op, value }) => {
                let is_valid = match mode {
                    ParseMode::Classic => quote::is_classic_name(name),
                    ParseMode::Fallback | ParseMode::Utf8Strict => !name.is_empty(),
                };
                if !is_valid {
                    return Err((format!("invalid label name {}", quote::go(name)), None));
                }
                matcher::Matcher::new(name.as_str(), *op, value.as_str())
                    .map_err(|bad| (bad.to_string(), None))
            }
        }
    }
}

/// Returns the matchers that are written, or what is wrong with each that is none.
///
/// # Errors
/// One [`MatcherError`] for each matcher that cannot be used.
pub fn compile_matchers(
    written: &[WrittenMatcher],
    mode: ParseMode,
) -> Result<Matchers, Vec<MatcherError>> {
    let mut matchers = Vec::with_capacity(written.len());
    let mut errors = Vec::new();
    for (index, one) in written.iter().enumerate() {
        match one.compile(mode) {
            Ok(matcher) => matchers.push(matcher),
            Err((message, offset)) => errors.push(MatcherError { index, message, offset }),
        }
    }
    if errors.is_empty() { Ok(Matchers::new(matchers)) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<WrittenMatcher> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn both_forms_mean_the_same() {
        let written = read(r#"["a=~\"x.*\"", {"name": "a", "op": "=~", "value": "x.*"}]"#);
        let matchers = compile_matchers(&written, ParseMode::Fallback).unwrap();
        let [one, two] = [0, 1].map(|i| matchers.iter().nth(i).unwrap());
        assert_eq!(one, two);
    }

    #[test]
    fn each_bad_one_is_named_with_its_place() {
        let written = read(r#"["a=1", "b", {"name": "", "op": "=", "value": "x"}]"#);
        let errors = compile_matchers(&written, ParseMode::Fallback).unwrap_err();
        assert_eq!(errors.iter().map(|error| error.index).collect::<Vec<_>>(), [1, 2]);
        assert!(errors[0].offset.is_some());
        assert_eq!(errors[1].message, r#"invalid label name """#);
    }
}
