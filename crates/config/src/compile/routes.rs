//! The route tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use jiff::SignedDuration;
use tocsin_core::labels::Labels;
use tocsin_core::policy::{GroupBy, Route, RouteIndex};
use tocsin_core::time_interval::TimeInterval;

use super::{bad_label, check_labels, matchers};
use crate::document::Document;
use crate::reader::{Reader, nearest};
use crate::route::RouteConfig;
use crate::values::signed;

/// What stands for "all labels" in `group_by`.
const ALL: &str = "...";

/// The most routes of one tree; far more than any team could keep in mind.
const MAX_ROUTES: usize = 100_000;

/// Compiles the tree in which everything inherited is filled in; empty when there is none.
pub(super) fn compile(
    document: &Document,
    intervals: &BTreeMap<Arc<str>, Vec<TimeInterval>>,
    reader: &mut Reader<'_>,
) -> Vec<Route> {
    let Some(root) = &document.route else {
        let span = reader.place("");
        reader.error_span(span, "`route` is missing; its root needs at least a `receiver`");
        return Vec::new();
    };
    check_root(root, reader);
    let receivers = document.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let mut tree = Tree { receivers, intervals, reader, nodes: Vec::new() };
    tree.add(root, ".route", None, &mut BTreeMap::new());
    tree.nodes
}

fn check_root(root: &RouteConfig, reader: &mut Reader<'_>) {
    let mut refuse = |is_there: bool, key: &str, why: &str| {
        if is_there {
            let span = reader.places.get(&format!(".route.{key}")).map(|place| place.key);
            let span = span.unwrap_or_else(|| reader.place(".route"));
            reader.error_span(span, format!("the root route cannot have `{key}`: {why}"));
        }
    };
    let all = "it takes every alert";
    refuse(!root.matchers.0.is_empty(), "matchers", all);
    refuse(!root.r#match.is_empty(), "match", all);
    refuse(!root.match_re.is_empty(), "match_re", all);
    let always = "it is always in effect";
    refuse(!root.mute_time_intervals.is_empty(), "mute_time_intervals", always);
    refuse(!root.active_time_intervals.is_empty(), "active_time_intervals", always);
    refuse(root.r#continue, "continue", "nothing follows it");
    if root.receiver.as_deref().unwrap_or_default().is_empty() {
        let span = reader.places.get(".route").map(|place| place.key);
        let span = span.unwrap_or_else(|| reader.place(".route"));
        reader.error_span(span, "the root route needs a `receiver`");
    }
}

struct Tree<'a, 'f> {
    receivers: BTreeSet<&'a str>,
    intervals: &'a BTreeMap<Arc<str>, Vec<TimeInterval>>,
    reader: &'a mut Reader<'f>,
    nodes: Vec<Route>,
}

impl Tree<'_, '_> {
    /// Adds a route and all below it. `twins` counts the siblings so far by their keys.
    fn add(
        &mut self,
        config: &RouteConfig,
        path: &str,
        parent: Option<RouteIndex>,
        twins: &mut BTreeMap<String, u32>,
    ) -> Option<RouteIndex> {
        if self.nodes.len() >= MAX_ROUTES {
            self.error(path, format!("more than {MAX_ROUTES} routes"));
            return None;
        }
        self.check(config, path);
        let old = [&config.r#match, &config.match_re];
        let matchers = matchers(&config.matchers, old, path, "match", self.reader);
        let step = matchers.to_string();
        let (key, unique_key) = match parent {
            // The root's key is `{}`, whatever stood there was complained about.
            None => ("{}".to_owned(), "{}".to_owned()),
            Some(parent) => {
                let parent = &self.nodes[parent.0 as usize];
                let twin = twins.entry(step.clone()).or_default();
                *twin += 1;
                // Counted among twins only, so that other edits to the file leave it alone.
                let suffix = if *twin > 1 { format!("#{twin}") } else { String::new() };
                (format!("{}/{step}", parent.key), format!("{}/{step}{suffix}", parent.unique_key))
            }
        };
        let index = RouteIndex(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let wait = |duration: Option<std::time::Duration>| signed(duration.unwrap_or_default());
        let names = |names: &[String]| names.iter().map(|name| Arc::from(name.as_str())).collect();
        self.nodes.push(Route {
            parent,
            children: Vec::new(),
            key: key.into(),
            unique_key: unique_key.into(),
            receiver: config.receiver.as_deref().unwrap_or_default().into(),
            matchers,
            is_continue: config.r#continue,
            group_by: group_by(config.group_by.as_deref().unwrap_or_default()),
            group_wait: wait(config.group_wait),
            group_wait_by_severity: self.waits(config),
            group_interval: wait(config.group_interval),
            repeat_interval: wait(config.repeat_interval),
            mute_time_intervals: names(&config.mute_time_intervals),
            active_time_intervals: names(&config.active_time_intervals),
            labels: labels(config),
        });
        let mut twins = BTreeMap::new();
        for (position, child) in config.routes.iter().enumerate() {
            let path = format!("{path}.routes[{position}]");
            if let Some(child) = self.add(child, &path, Some(index), &mut twins) {
                self.nodes[index.0 as usize].children.push(child);
            }
        }
        Some(index)
    }

    fn waits(&self, config: &RouteConfig) -> BTreeMap<CompactString, SignedDuration> {
        config.group_wait_by_severity.as_ref().map(|waits| waits.0.clone()).unwrap_or_default()
    }

    fn check(&mut self, config: &RouteConfig, path: &str) {
        // What was inherited is complained about where it stands, which has no place here.
        let own =
            |reader: &Reader<'_>, key: &str| reader.places.contains_key(&format!("{path}.{key}"));
        if let Some(name) = config.receiver.as_deref().filter(|name| !name.is_empty())
            && own(self.reader, "receiver")
            && !self.receivers.contains(name)
        {
            let hint = nearest(name, self.receivers.iter().copied());
            self.error(&format!("{path}.receiver"), format!("unknown receiver `{name}`{hint}"));
        }
        let timers = [
            ("group_interval", config.group_interval),
            ("repeat_interval", config.repeat_interval),
        ];
        for (key, timer) in timers {
            if timer.is_some_and(|timer| timer.is_zero()) && own(self.reader, key) {
                self.error(&format!("{path}.{key}"), format!("`{key}` cannot be 0"));
            }
        }
        if own(self.reader, "group_by") {
            self.check_group_by(config.group_by.as_deref().unwrap_or_default(), path);
        }
        for name in config.labels.keys() {
            if own(self.reader, &format!("labels.{name}"))
                && let Some(why) = bad_label(name, self.reader.mode)
            {
                self.error(&format!("{path}.labels.{name}"), why);
            }
        }
        self.check_intervals(&config.mute_time_intervals, path, "mute_time_intervals");
        self.check_intervals(&config.active_time_intervals, path, "active_time_intervals");
    }

    fn check_group_by(&mut self, names: &[String], path: &str) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let at = format!("{path}.group_by[{index}]");
            if !seen.insert(name) {
                self.error(&at, format!("`{name}` is given twice in `group_by`"));
            }
            if name == ALL && names.len() > 1 {
                self.error(&at, "`...` means all labels and must stand alone".to_owned());
            }
        }
        if !names.iter().any(|name| name == ALL) {
            check_labels(names, &format!("{path}.group_by"), self.reader);
        }
    }

    fn check_intervals(&mut self, names: &[String], path: &str, key: &str) {
        for (index, name) in names.iter().enumerate() {
            if !self.intervals.contains_key(name.as_str()) {
                let hint = nearest(name, self.intervals.keys().map(|name| &**name));
                let at = format!("{path}.{key}[{index}]");
                self.error(&at, format!("unknown time interval `{name}`{hint}"));
            }
        }
    }

    fn error(&mut self, path: &str, message: String) {
        let span = self.reader.place(path);
        self.reader.error_span(span, message);
    }
}

fn group_by(names: &[String]) -> GroupBy {
    if names.iter().any(|name| name == ALL) {
        return GroupBy::All;
    }
    GroupBy::Names(names.iter().map(CompactString::from).collect())
}

/// Returns the labels as they are written; templates in them are filled in for each message.
fn labels(config: &RouteConfig) -> Labels {
    let written = config.labels.iter();
    written.map(|(name, value)| (name.clone(), value.text().to_owned())).collect()
}
