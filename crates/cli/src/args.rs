//! What arguments mean: matchers, labels, durations, instants.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::labels::ALERTNAME;
use tocsin_core::matcher::{MatchOp, Matcher, ParseMode, parse_matcher};
use tocsin_core::quote;

use crate::failure::Failure;
use crate::output::note;

/// Returns the arguments with the short form written out: a first one without an operator is the
/// value of `alertname`.
pub(crate) fn with_alertname(arguments: &[String]) -> Vec<String> {
    let mut texts = arguments.to_vec();
    if let Some(first) = texts.first_mut().filter(|first| !has_operator(first)) {
        *first = format!("{ALERTNAME}={}", quote::go(first));
    }
    texts
}

fn has_operator(text: &str) -> bool {
    text.contains('=') || text.contains("!~")
}

/// Reads matchers; a doubt between the two grammars is told on standard error.
pub(crate) fn matchers(arguments: &[String]) -> Result<Vec<Matcher>, Failure> {
    with_alertname(arguments).iter().map(|text| matcher(text)).collect()
}

fn matcher(text: &str) -> Result<Matcher, Failure> {
    let parsed = parse_matcher(text, ParseMode::Fallback).map_err(|error| {
        Failure::usage(format!(
            "`{text}` is not a matcher: {error}; write it like severity=critical or 'job=~\"db.*\"'"
        ))
    })?;
    if let Some(warning) = parsed.warning {
        note(&format!("tocsin: warning: {warning}"));
    }
    Ok(parsed.value)
}

/// Reads `name=value` pairs, the first one possibly a bare `alertname`.
pub(crate) fn labels(arguments: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    pairs(&with_alertname(arguments), "a label", "severity=critical")
}

/// Reads `name=value` pairs.
pub(crate) fn pairs(
    texts: &[String],
    what: &str,
    example: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut pairs = BTreeMap::new();
    for text in texts {
        let (name, value) = pair(text).ok_or_else(|| {
            Failure::usage(format!("`{text}` is not {what}; write it like {example}"))
        })?;
        if pairs.insert(name.clone(), value).is_some() {
            return Err(Failure::usage(format!("`{name}` is given twice; give it once")));
        }
    }
    Ok(pairs)
}

/// Reads one pair: as a matcher where that is possible, because values may be quoted there, and
/// otherwise everything after the first `=` is the value.
fn pair(text: &str) -> Option<(String, String)> {
    if let Ok(parsed) = parse_matcher(text, ParseMode::Fallback) {
        let matcher = parsed.value;
        let is_equal = matcher.op() == MatchOp::Equal;
        return is_equal.then(|| (matcher.name().to_owned(), matcher.value().to_owned()));
    }
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && !name.ends_with('!') && !value.starts_with('~');
    is_name.then(|| (name.to_owned(), value.to_owned()))
}

/// Reads a duration such as `1h30m`; for clap.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    tocsin_config::parse_duration(text).map_err(|error| error.to_string())
}

/// Reads an instant; for clap.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "not an instant; write it like 2026-11-21T10:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_a_first_argument_without_an_operator_is_the_alertname() {
        assert_eq!(
            with_alertname(&owned(&["Disk \"Full\"", "job"])),
            owned(&["alertname=\"Disk \\\"Full\\\"\"", "job"])
        );
        assert_eq!(with_alertname(&owned(&["job!~db.*"])), owned(&["job!~db.*"]));
        assert!(with_alertname(&[]).is_empty());
    }

    #[test]
    fn labels_may_be_quoted_and_must_be_equalities() {
        let read = labels(&owned(&["DiskFull", "job=\"a b\"", "path=/var/lib"])).unwrap();
        let pairs: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("alertname", "DiskFull"), ("job", "a b"), ("path", "/var/lib")]);
        assert!(labels(&owned(&["a=b", "job=~db"])).is_err());
        assert!(labels(&owned(&["a=b", "job"])).is_err());
        assert!(labels(&owned(&["a=b", "a=c"])).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn an_annotation_may_hold_what_no_matcher_may() {
        let read = pairs(&owned(&["summary=disk {full}, really = true"]), "x", "y").unwrap();
        assert_eq!(read["summary"], "disk {full}, really = true");
    }

    #[test]
    fn a_matcher_that_cannot_be_read_says_how_to_write_one() {
        let error = matchers(&owned(&["a=b", "c"])).unwrap_err();
        assert!(error.to_string().contains("severity=critical"), "{error}");
    }
}
