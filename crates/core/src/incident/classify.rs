//! How bad an incident is, from what is known of its effects. The first clause that fits wins.

use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// What is known of the effects; `None` for what nobody has measured, which never counts as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Which part of the users is concerned, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_percent: Option<f64>,
    /// Which part of the requests fails, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// How many times slower than usual it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_factor: Option<f64>,
    /// Whether something that everybody needs is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_core: Option<bool>,
    /// Whether somebody may do or see what they must not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_security: Option<bool>,
}

/// The sentence of the rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clause {
    /// A matter of security that reaches users.
    SecurityWithUsers,
    /// Nearly everything fails, or nearly everybody is concerned.
    Outage,
    /// Half of it fails or half of the users are concerned, or a quarter of something central.
    MajorImpact,
    /// A tenth fails or is concerned, or it is five times slower.
    ModerateImpact,
    /// A hundredth fails or is concerned, or it is twice as slow.
    MinorImpact,
    /// Nothing of that, as far as is known.
    NoImpact,
}

impl Clause {
    /// Returns the sentence for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::SecurityWithUsers => "a matter of security that reaches users",
            Self::Outage => "at least 95 % of requests fail or of users are concerned",
            Self::MajorImpact => {
                "at least half of requests fail or of users are concerned, or a quarter of \
                 requests to something central"
            }
            Self::ModerateImpact => {
                "at least a tenth of requests fail or of users are concerned, or it is five \
                 times slower"
            }
            Self::MinorImpact => {
                "at least a hundredth of requests fail or of users are concerned, or it is \
                 twice as slow"
            }
            Self::NoImpact => "no effect that is known",
        }
    }
}

/// What nobody has measured and might have made it worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// [`Evidence::users_percent`].
    UsersPercent,
    /// [`Evidence::error_rate`].
    ErrorRate,
    /// [`Evidence::latency_factor`].
    LatencyFactor,
    /// [`Evidence::is_core`].
    IsCore,
    /// [`Evidence::is_security`].
    IsSecurity,
}

/// How bad it is, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// How bad.
    pub severity: Severity,
    /// Why.
    pub clause: Clause,
    /// What was not known, and would have been asked.
    pub missing: Vec<Missing>,
}

impl Evidence {
    /// Returns whether nothing is known at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the first value that cannot be, by its name and what it has to be.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        let outside = |value: Option<f64>, low: f64, high: f64| {
            value.is_some_and(|it| !(it.is_finite() && low <= it && it <= high))
        };
        if outside(self.users_percent, 0.0, 100.0) {
            return Some(("users_percent", "a number from 0 to 100"));
        }
        if outside(self.error_rate, 0.0, 1.0) {
            return Some(("error_rate", "a number from 0 to 1"));
        }
        if outside(self.latency_factor, 0.0, 1e9) {
            return Some(("latency_factor", "a number that is not negative"));
        }
        None
    }
}

/// Says how bad an incident with these effects is.
///
/// Source: the incident response guide's severity matrix, whose clauses are kept in their order.
/// What is unknown satisfies no clause.
pub fn classify(evidence: &Evidence) -> Classified {
    let at_least = |value: Option<f64>, bound: f64| value.is_some_and(|it| it >= bound);
    let errors = |bound| at_least(evidence.error_rate, bound);
    let users = |bound| at_least(evidence.users_percent, bound);
    let slower = |bound| at_least(evidence.latency_factor, bound);
    let is_core = evidence.is_core == Some(true);
    let reaches_users = evidence.users_percent.is_some_and(|it| it > 0.0);
    let (severity, clause) = if evidence.is_security == Some(true) && reaches_users {
        (Severity::Sev1, Clause::SecurityWithUsers)
    } else if errors(0.95) || users(95.0) {
        (Severity::Sev1, Clause::Outage)
    } else if errors(0.5) || users(50.0) || is_core && errors(0.25) {
        (Severity::Sev2, Clause::MajorImpact)
    } else if errors(0.1) || users(10.0) || slower(5.0) {
        (Severity::Sev3, Clause::ModerateImpact)
    } else if errors(0.01) || users(1.0) || slower(2.0) {
        (Severity::Sev4, Clause::MinorImpact)
    } else {
        (Severity::Sev5, Clause::NoImpact)
    };
    let missing = [
        (Missing::UsersPercent, evidence.users_percent.is_none()),
        (Missing::ErrorRate, evidence.error_rate.is_none()),
        (Missing::LatencyFactor, evidence.latency_factor.is_none()),
        (Missing::IsCore, evidence.is_core.is_none()),
        (Missing::IsSecurity, evidence.is_security.is_none()),
    ];
    let missing = match severity {
        // Nothing could make it worse.
        Severity::Sev1 => Vec::new(),
        _ => missing.into_iter().filter(|(_, is_missing)| *is_missing).map(|it| it.0).collect(),
    };
    Classified { severity, clause, missing }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(evidence: Evidence) -> (Severity, Clause) {
        let it = classify(&evidence);
        (it.severity, it.clause)
    }

    #[test]
    fn each_clause_begins_at_its_bound() {
        let nothing = Evidence::default();
        for (evidence, severity) in [
            (Evidence { error_rate: Some(0.95), ..nothing }, Severity::Sev1),
            (Evidence { error_rate: Some(0.949), ..nothing }, Severity::Sev2),
            (Evidence { users_percent: Some(95.0), ..nothing }, Severity::Sev1),
            (Evidence { users_percent: Some(50.0), ..nothing }, Severity::Sev2),
            (Evidence { users_percent: Some(49.9), ..nothing }, Severity::Sev3),
            (Evidence { error_rate: Some(0.25), is_core: Some(true), ..nothing }, Severity::Sev2),
            (Evidence { error_rate: Some(0.25), is_core: Some(false), ..nothing }, Severity::Sev3),
            (Evidence { latency_factor: Some(5.0), ..nothing }, Severity::Sev3),
            (Evidence { latency_factor: Some(4.9), ..nothing }, Severity::Sev4),
            (Evidence { error_rate: Some(0.01), ..nothing }, Severity::Sev4),
            (Evidence { users_percent: Some(0.9), ..nothing }, Severity::Sev5),
        ] {
            assert_eq!(classify(&evidence).severity, severity, "{evidence:?}");
        }
        let breach = Evidence { is_security: Some(true), users_percent: Some(0.1), ..nothing };
        assert_eq!(of(breach), (Severity::Sev1, Clause::SecurityWithUsers));
        let untouched = Evidence { users_percent: Some(0.0), ..breach };
        assert_eq!(of(untouched), (Severity::Sev5, Clause::NoImpact));
    }

    #[test]
    fn what_is_unknown_is_named_and_satisfies_nothing() {
        let it = classify(&Evidence::default());
        assert_eq!((it.severity, it.missing.len()), (Severity::Sev5, 5));
        let known = Evidence { error_rate: Some(0.2), is_core: Some(true), ..Evidence::default() };
        let missing = classify(&known).missing;
        assert_eq!(missing, [Missing::UsersPercent, Missing::LatencyFactor, Missing::IsSecurity]);
        let outage = Evidence { error_rate: Some(1.0), ..Evidence::default() };
        assert!(classify(&outage).missing.is_empty());
    }

    #[test]
    fn values_that_cannot_be_are_named() {
        let nothing = Evidence::default();
        assert_eq!(nothing.problem(), None);
        let wrong = |evidence: Evidence| evidence.problem().map(|it| it.0);
        assert_eq!(
            wrong(Evidence { users_percent: Some(101.0), ..nothing }),
            Some("users_percent")
        );
        assert_eq!(wrong(Evidence { error_rate: Some(f64::NAN), ..nothing }), Some("error_rate"));
        let negative = Evidence { latency_factor: Some(-1.0), ..nothing };
        assert_eq!(wrong(negative), Some("latency_factor"));
    }

    fn evidence() -> impl Strategy<Value = Evidence> {
        let share = || proptest::option::of(0.0..=1.0_f64);
        let flag = || proptest::option::of(any::<bool>());
        (share(), share(), proptest::option::of(0.0..20.0_f64), flag(), flag()).prop_map(
            |(users, errors, latency_factor, is_core, is_security)| Evidence {
                users_percent: users.map(|it| it * 100.0),
                error_rate: errors,
                latency_factor,
                is_core,
                is_security,
            },
        )
    }

    proptest! {
        #[test]
        fn knowing_of_more_harm_never_makes_it_better(less in evidence(), more in evidence()) {
            let max = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
            let either = |a: Option<bool>, b: Option<bool>| {
                (a.is_some() || b.is_some()).then(|| a == Some(true) || b == Some(true))
            };
            let both = Evidence {
                users_percent: max(less.users_percent, more.users_percent),
                error_rate: max(less.error_rate, more.error_rate),
                latency_factor: max(less.latency_factor, more.latency_factor),
                is_core: either(less.is_core, more.is_core),
                is_security: either(less.is_security, more.is_security),
            };
            prop_assert!(classify(&both).severity <= classify(&less).severity);
            prop_assert_eq!(both.problem(), None);
        }
    }
}
