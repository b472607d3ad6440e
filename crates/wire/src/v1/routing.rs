//! Receivers and routes: who is told what.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tocsin_core::labels::Labels;
use tocsin_core::policy::{self, GroupBy, RouteIndex, RouteTree};
use utoipa::ToSchema;

use super::Matcher;

/// A named list of integrations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Its labels, `name` among them.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// What is told; empty for a receiver that swallows.
    pub integrations: Vec<Integration>,
}

/// One way to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integration {
    /// As events name it: `receiver/kind[index]`.
    #[schema(example = "db-team/slack[0]")]
    pub name: String,
    /// What it is.
    #[schema(example = "slack")]
    pub kind: String,
    /// Whether resolved alerts are told.
    pub sends_resolved: bool,
}

impl From<&policy::Receiver> for Receiver {
    fn from(receiver: &policy::Receiver) -> Self {
        let integrations = receiver.integrations.iter().map(|integration| Integration {
            name: format!("{}/{}[{}]", receiver.name, integration.kind, integration.index),
            kind: integration.kind.to_owned(),
            sends_resolved: integration.send_resolved,
        });
        Self {
            name: receiver.name.to_string(),
            labels: receiver.labels.clone(),
            integrations: integrations.collect(),
        }
    }
}

/// A route with everything it inherits filled in, and the routes below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Route {
    /// Its identity among all routes.
    #[schema(example = "{}/{team=\"db\"}")]
    pub key: String,
    /// The name of the receiver.
    pub receiver: String,
    /// What alerts must satisfy; empty for all.
    pub matchers: Vec<Matcher>,
    /// Whether later siblings are asked although this one matched.
    #[serde(rename = "continue")]
    pub is_continue: bool,
    /// The labels that make alerts belong together; `...` alone stands for all.
    pub group_by: Vec<String>,
    /// How long alerts of a new group wait for others.
    pub group_wait_seconds: f64,
    /// How long an alert of a severity may wait at most, by severity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub group_wait_seconds_by_severity: BTreeMap<String, f64>,
    /// The distance between two looks at a group.
    pub group_interval_seconds: f64,
    /// How long an unchanged group stays quiet.
    pub repeat_interval_seconds: f64,
    /// While any of these is in effect, nothing is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<String>,
    /// Unless one of these is in effect, nothing is sent; empty for always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
    /// Labels of the route itself.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// The routes below, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub routes: Vec<Route>,
}

impl Route {
    /// Returns the whole tree from its root.
    pub fn tree(tree: &RouteTree) -> Self {
        Self::at(tree, RouteIndex(0))
    }

    fn at(tree: &RouteTree, index: RouteIndex) -> Self {
        let route = tree.get(index);
        let names = |names: &[std::sync::Arc<str>]| names.iter().map(ToString::to_string).collect();
        let by_severity = route.group_wait_by_severity.iter();
        Self {
            key: route.unique_key.to_string(),
            receiver: route.receiver.to_string(),
            matchers: route.matchers.iter().map(Matcher::from).collect(),
            is_continue: route.is_continue,
            group_by: match &route.group_by {
                GroupBy::All => vec!["...".to_owned()],
                GroupBy::Names(names) => names.iter().map(ToString::to_string).collect(),
            },
            group_wait_seconds: route.group_wait.as_secs_f64(),
            group_wait_seconds_by_severity: by_severity
                .map(|(severity, wait): (_, &SignedDuration)| {
                    (severity.to_string(), wait.as_secs_f64())
                })
                .collect(),
            group_interval_seconds: route.group_interval.as_secs_f64(),
            repeat_interval_seconds: route.repeat_interval.as_secs_f64(),
            mute_time_intervals: names(&route.mute_time_intervals),
            active_time_intervals: names(&route.active_time_intervals),
            labels: route.labels.clone(),
            routes: route.children.iter().map(|child| Self::at(tree, *child)).collect(),
        }
    }
}

/// Asks where an alert would go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `labels`")]
pub struct RouteTest {
    /// The labels of the alert.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
}

/// Where an alert would go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteTestResult {
    /// The names of the receivers, each once, in the order of the routes.
    pub receivers: Vec<String>,
    /// The routes it takes, in order.
    pub routes: Vec<TakenRoute>,
}

/// A route that an alert takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenRoute {
    /// The name of the receiver.
    pub receiver: String,
    /// The labels of the group it would join.
    #[schema(value_type = BTreeMap<String, String>)]
    pub group_labels: Labels,
    /// The way from the root.
    pub path: Vec<RouteStep>,
}

/// One step on the way from the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RouteStep {
    /// The identity of the route.
    pub key: String,
    /// What the alert satisfied there.
    pub matchers: Vec<Matcher>,
}

impl RouteTestResult {
    /// Returns where an alert with these labels would go.
    pub fn of(tree: &RouteTree, labels: &Labels) -> Self {
        let routes: Vec<TakenRoute> = tree
            .matching(labels)
            .into_iter()
            .map(|index| {
                let route = tree.get(index);
                let mut path: Vec<RouteStep> =
                    std::iter::successors(Some(index), |index| tree.get(*index).parent)
                        .map(|index| RouteStep {
                            key: tree.get(index).unique_key.to_string(),
                            matchers: tree.get(index).matchers.iter().map(Matcher::from).collect(),
                        })
                        .collect();
                path.reverse();
                TakenRoute {
                    receiver: route.receiver.to_string(),
                    group_labels: route.group_by.labels_of(labels),
                    path,
                }
            })
            .collect();
        let mut receivers: Vec<String> = Vec::new();
        for route in &routes {
            if !receivers.contains(&route.receiver) {
                receivers.push(route.receiver.clone());
            }
        }
        Self { receivers, routes }
    }
}
