//! Which policy a problem gets where nobody names one.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::policy::EscalationPolicy;
use crate::severity::Severity;

/// The most patterns of one selector.
const MAX_PATTERNS: usize = 100;

/// The most characters of a pattern.
const MAX_PATTERN_CHARS: usize = 200;

/// Which problems a policy is for; what is empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Names of services, with `*` for any characters and `?` for one.
    #[serde(default)]
    pub services: Vec<ServicePattern>,
    /// Severities.
    #[serde(default)]
    pub severities: Vec<Severity>,
    /// Categories.
    #[serde(default)]
    pub categories: Vec<CompactString>,
}

impl Selector {
    /// Returns whether nothing is asked for, so that the policy is chosen by its name only.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.severities.is_empty() && self.categories.is_empty()
    }

    /// Returns whether a problem is one of them; an empty selector has none.
    pub fn matches(&self, service: &str, severity: Severity, category: &str) -> bool {
        !self.is_empty()
            && (self.services.is_empty() || self.services.iter().any(|it| it.matches(service)))
            && (self.severities.is_empty() || self.severities.contains(&severity))
            && (self.categories.is_empty() || self.categories.iter().any(|it| it == category))
    }

    /// Returns whether the lists keep their bounds.
    pub fn is_bounded(&self) -> bool {
        self.services.len() <= MAX_PATTERNS && self.categories.len() <= MAX_PATTERNS
    }
}

/// A name with `*` for any characters and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServicePattern(Arc<str>);

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pattern for services has 1 to {MAX_PATTERN_CHARS} characters")]
pub struct SelectorError;

impl ServicePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`SelectorError`] when it is empty or too long.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if (1..=MAX_PATTERN_CHARS).contains(&text.chars().count()) {
            return Ok(Self(text.into()));
        }
        Err(SelectorError)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a name fits. Takes time in proportion to both lengths at most.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut from) = (0, 0);
        // Where to take up again when what follows the last star does not fit.
        let mut retry: Option<(usize, usize)> = None;
        while from < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    retry = Some((at + 1, from));
                    at += 1;
                }
                Some(c) if *c == '?' || *c == name[from] => {
                    at += 1;
                    from += 1;
                }
                _ => {
                    let Some((after_star, taken)) = retry else { return false };
                    retry = Some((after_star, taken + 1));
                    at = after_star;
                    from = taken + 1;
                }
            }
        }
        pattern[at..].iter().all(|c| *c == '*')
    }
}

impl TryFrom<String> for ServicePattern {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        Self::parse(&text)
    }
}

impl From<ServicePattern> for String {
    fn from(pattern: ServicePattern) -> Self {
        pattern.0.as_ref().to_owned()
    }
}

/// Returns the policy of a problem and why it is that one: the first in order that serves it, else
/// the default.
pub fn select<'p>(
    policies: impl IntoIterator<Item = &'p Arc<EscalationPolicy>>,
    service: &str,
    severity: Severity,
    category: &str,
) -> Option<(&'p Arc<EscalationPolicy>, String)> {
    let mut default = None;
    for policy in policies {
        if policy.serves.matches(service, severity, category) {
            let shown = if service.is_empty() { "no service" } else { service };
            let why = format!("policy `{}` serves {shown} at {severity}", policy.name);
            return Some((policy, why));
        }
        if policy.is_default && default.is_none() {
            default = Some(policy);
        }
    }
    let policy = default?;
    Some((policy, format!("policy `{}` is the default", policy.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        ServicePattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn stars_and_question_marks_fit_what_they_should() {
        assert!(fits("checkout*", "checkout-eu") && fits("*", "") && fits("*-db", "a-b-db"));
        assert!(fits("db-?", "db-1") && fits("a*b*c", "a-b-b-c"));
        assert!(!fits("checkout", "checkout-eu") && !fits("db-?", "db-") && !fits("a*b", "a-c"));
        let hard = "*a".repeat(50);
        assert!(!fits(&hard, &"a".repeat(49)), "and it ends in good time");
    }

    #[test]
    fn the_first_that_serves_wins_and_the_default_is_last() {
        let policy = |name: &str, services: &[&str], is_default| {
            let services = services.iter().map(|it| ServicePattern::parse(it).unwrap()).collect();
            Arc::new(EscalationPolicy {
                name: name.into(),
                description: String::new(),
                team: None,
                serves: Selector { services, ..Selector::default() },
                is_default,
                steps: Vec::new(),
                repeat: 0,
                repeat_after: super::super::Delay::default(),
                acknowledgement: super::super::AckMode::First,
                ack_timeout: None,
                default_on_call: None,
                origin: crate::identity::PersonOrigin::Api,
            })
        };
        let policies =
            [policy("any", &[], true), policy("db", &["*-db"], false), policy("x", &["x*"], false)];
        let chosen = |service| {
            select(&policies, service, Severity::Sev2, "").map(|(it, why)| (&*it.name, why))
        };
        let why = "policy `db` serves orders-db at sev2".to_owned();
        assert_eq!(chosen("orders-db"), Some(("db", why)));
        assert_eq!(chosen("web").unwrap().1, "policy `any` is the default");
        assert!(select(&policies[1..], "web", Severity::Sev2, "").is_none());
    }
}
