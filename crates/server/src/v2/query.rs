//! Query parameters, read as leniently as Alertmanager does.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts;
use tocsin_core::matcher::{MatchOp, Matcher, ParseMode, parse_matcher};
use tocsin_wire::alertmanager::{ApiError, regex_complaint};

/// All parameters, in order; unknown ones are simply never asked for.
#[derive(Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await?;
        Ok(Self::parse(query.as_deref().unwrap_or_default()))
    }
}

impl Params {
    fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn last(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value);
        value.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns a flag that is on unless said otherwise; what cannot be read is off.
    pub(super) fn flag(&self, name: &str) -> bool {
        const TRUE: [&str; 10] =
            ["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"];
        self.last(name).is_none_or(|value| TRUE.contains(&value.to_ascii_lowercase().as_str()))
    }

    /// Returns the matchers of a repeatable parameter; all of them must hold.
    pub(super) fn matchers(&self, name: &str, mode: ParseMode) -> Result<Vec<Matcher>, ApiError> {
        let texts = self.0.iter().filter(|(key, _)| key == name);
        let parse = |text: &str| match parse_matcher(text, mode) {
            Ok(parsed) => {
                if let Some(warning) = parsed.warning {
                    tracing::warn!(parameter = name, matcher = text, "{warning}");
                }
                Ok(parsed.value)
            }
            Err(error) => Err(ApiError::bad_request(error.to_string())),
        };
        texts.map(|(_, text)| parse(text)).collect()
    }

    /// Returns the condition on the name of a receiver.
    pub(super) fn receiver(&self) -> Result<Option<Matcher>, ApiError> {
        let Some(pattern) = self.last("receiver") else { return Ok(None) };
        let matcher = Matcher::new("receiver", MatchOp::Regex, pattern).map_err(|bad| {
            let why = regex_complaint(&format!("^(?:{})$", bad.pattern), &bad.message);
            ApiError::bad_request(format!("failed to parse receiver param: {why}"))
        })?;
        Ok(Some(matcher))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_on_unless_said_otherwise() {
        let params = Params::parse("a=true&b=false&c=maybe&d=&e=T&f=1&g=0&g=yes");
        let on: Vec<_> = "abcdefgh".split("").filter(|n| !n.is_empty() && params.flag(n)).collect();
        assert_eq!(on, ["a", "d", "e", "f", "g", "h"]);
    }

    #[test]
    fn matchers_are_collected_and_complaints_are_alertmanagers() {
        let params = Params::parse("filter=a%3D%22x+y%22&other=1&filter=b%3D~%22c.*%22");
        let matchers = params.matchers("filter", ParseMode::Fallback).unwrap();
        let shown: Vec<_> = matchers.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [r#"a="x y""#, r#"b=~"c.*""#]);
        let bad = Params::parse("filter=foo").matchers("filter", ParseMode::Fallback).unwrap_err();
        assert_eq!((bad.status(), bad.body()), (400, r#""bad matcher format: foo""#.to_owned()));
    }

    #[test]
    fn a_receiver_is_an_anchored_pattern() {
        let receiver = Params::parse("receiver=db.*").receiver().unwrap().unwrap();
        assert!(receiver.matches_value("db.hook") && !receiver.matches_value("a.db"));
        assert!(Params::parse("receiver=").receiver().unwrap().is_none());
        let bad = Params::parse("receiver=(").receiver().unwrap_err();
        assert_eq!(bad.status(), 400);
        assert_eq!(
            bad.to_string(),
            "failed to parse receiver param: error parsing regexp: missing closing ): `^(?:()$`"
        );
    }
}
