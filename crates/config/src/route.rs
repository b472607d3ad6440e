//! `route` and `inhibit_rules` as they are written.

use std::collections::BTreeMap;
use std::time::Duration;

use compact_str::CompactString;
use jiff::SignedDuration;
use tocsin_core::matcher::{Matcher, parse_matchers};

use crate::reader::{Reader, Value};
use crate::section::{Entry, Out, Shape, Text, section};
use crate::values::{Template, signed};
use crate::yaml::{Kind, Node};

section! {
    /// A route: which alerts it takes, how they are gathered, and who is told. The root takes all.
    RouteConfig => {
        /// Who is told; inherited.
        receiver: Option<String>;
        /// The labels that make alerts belong together; inherited. `['...']` means all labels,
        /// `[]` puts the whole route in one group.
        group_by: Option<Vec<String>>;
        /// What alerts must satisfy, all of it. Not for the root.
        matchers: MatcherList;
        /// Labels with the values that alerts must have.
        @Deprecated r#match: BTreeMap<String, String>;
        /// Labels with the expressions that their values must match.
        @Deprecated match_re: BTreeMap<String, String>;
        /// While any of these time intervals is in effect, nothing is sent. Not inherited.
        mute_time_intervals: Vec<String>;
        /// Unless one of these time intervals is in effect, nothing is sent. Not inherited.
        active_time_intervals: Vec<String>;
        /// Whether later siblings are asked although this route matched.
        r#continue: bool;
        /// How long a new group waits for more alerts; inherited, 30s at the root.
        group_wait: Option<Duration>;
        /// The distance between two flushes of a group; inherited, 5m at the root.
        group_interval: Option<Duration>;
        /// How long an unchanged group stays quiet; inherited, 4h at the root.
        repeat_interval: Option<Duration>;
        /// How long an alert of a severity may wait, whether its group is new or old; inherited.
        /// `standard` means critical 0s, warning 30s, info 60s.
        @Native group_wait_by_severity: Option<SeverityWaits>;
        /// Labels of the route itself; inherited key by key.
        @Newer labels: BTreeMap<String, Template>;
        /// The routes below; the first that matches takes an alert.
        routes: Vec<RouteConfig>;
    }
}

section! {
    /// While an alert fires that matches the source, alerts that match the target and agree with
    /// it on some labels stay quiet.
    InhibitRuleConfig => {
        /// The name of the rule, shown as the reason.
        @Newer name: Option<String>;
        /// What a firing alert must satisfy to inhibit others.
        source_matchers: MatcherList;
        /// What an alert must satisfy to be inhibited.
        target_matchers: MatcherList;
        /// The labels on which both must have the same value; absent counts as empty.
        equal: Vec<String>;
        /// Labels with the values that the source must have.
        @Deprecated source_match: BTreeMap<String, String>;
        /// Labels with the expressions that the values of the source must match.
        @Deprecated source_match_re: BTreeMap<String, String>;
        /// Labels with the values that the target must have.
        @Deprecated target_match: BTreeMap<String, String>;
        /// Labels with the expressions that the values of the target must match.
        @Deprecated target_match_re: BTreeMap<String, String>;
    }
}

/// Matchers as they are listed in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatcherList(pub Vec<Matcher>);

impl Value for MatcherList {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::List(items) = &node.kind else {
            reader.wrong_type(node, "a list of matchers, such as `- severity=\"critical\"`");
            return None;
        };
        let mut all = Vec::new();
        for item in items {
            let mode = reader.mode;
            let mut warning = None;
            let matchers = reader.parsed(item, "a matcher", |text| {
                let parsed = parse_matchers(text, mode).map_err(|error| error.to_string())?;
                warning = parsed.warning;
                Ok(parsed.value)
            });
            if let Some(warning) = warning {
                reader.warn_span(item.span, warning);
            }
            all.extend(matchers.unwrap_or_default());
        }
        Some(Self(all))
    }

    fn encode(&self) -> Out {
        Out::List(self.0.iter().map(Out::text).collect())
    }

    fn shape() -> Shape {
        Shape::List(Box::new(Shape::Text(Text::Matcher)))
    }
}

/// How long an alert of a severity may wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SeverityWaits(pub(crate) BTreeMap<CompactString, SignedDuration>);

/// The word for the usual waits.
const STANDARD: &str = "standard";

impl SeverityWaits {
    fn standard() -> Self {
        let waits = [("critical", 0), ("warning", 30), ("info", 60)];
        Self(waits.map(|(name, wait)| (name.into(), SignedDuration::from_secs(wait))).into())
    }
}

impl Value for SeverityWaits {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Kind::Scalar { text, .. } = &node.kind {
            if text == STANDARD {
                return Some(Self::standard());
            }
            reader.wrong_type(node, "`standard`, or a mapping of severities to durations");
            return None;
        }
        let waits = BTreeMap::<String, Duration>::decode(node, reader)?;
        let mut lower = BTreeMap::new();
        for (severity, wait) in waits {
            if lower.insert(severity.to_lowercase().into(), signed(wait)).is_some() {
                reader.error(node, format!("the severity `{severity}` is given twice"));
            }
        }
        Some(Self(lower))
    }

    fn encode(&self) -> Out {
        let entry = |(severity, wait): (&CompactString, &SignedDuration)| {
            Entry::new(severity.as_str(), wait.unsigned_abs().encode())
        };
        Out::Map(self.0.iter().map(entry).collect())
    }

    fn shape() -> Shape {
        Shape::OneOf(vec![
            Shape::Words(&[STANDARD]),
            Shape::Map(Box::new(Shape::Text(Text::Duration))),
        ])
    }
}
