//! From the document to the policy; what refers to nothing or cannot be is complained about.

mod receivers;
mod routes;
mod templates;

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use tocsin_core::maintenance::MaintenanceWindow;
use tocsin_core::matcher::{MatchOp, Matcher, Matchers, ParseMode};
use tocsin_core::policy::{InhibitRule, Limits, Policy, Receiver, RouteTree};
use tocsin_core::tenant::ESCALATION;
use tocsin_core::time_interval::TimeInterval;
use tocsin_template::Templates;

use crate::document::Document;
use crate::integration::ReceiverConfig;
use crate::interval::{TimeIntervalConfig, Zone};
use crate::load::LoadOptions;
use crate::native::MaintenanceWindowConfig;
use crate::reader::Reader;
use crate::route::{InhibitRuleConfig, MatcherList};
use crate::values::signed;

/// Who planned a maintenance window of a file.
const CREATED_BY: &str = "configuration";

/// What a document becomes.
pub(crate) struct Compiled {
    pub(crate) policy: Policy,
    pub(crate) receivers: Vec<ReceiverConfig>,
    pub(crate) templates: Arc<Templates>,
}

/// Compiles a document in which everything inherited is filled in.
pub(crate) fn compile(
    document: &Document,
    options: &LoadOptions,
    reader: &mut Reader<'_>,
) -> Compiled {
    let time_intervals = time_intervals(document, reader);
    let routes = routes::compile(document, &time_intervals, reader);
    let receivers = receivers::compile(document, reader);
    let inhibit_rules = inhibit_rules(document, reader);
    let maintenance_windows = maintenance_windows(document, reader);
    check_integrations(document, reader);
    let (people, teams) = crate::identity::compile(document, reader);
    let escalation = crate::escalation::compile(document, &people, &teams, reader);
    let incidents = crate::incidents::compile(document, reader);
    let heartbeats = crate::escalation::heartbeats(document, reader);
    let (schedules, holidays) = crate::schedule::compile(document, &people, &teams, reader);
    let templates = templates::compile(document, reader);
    let policy = Policy {
        resolve_timeout: signed(document.global.resolve_timeout),
        routes: RouteTree { nodes: routes },
        inhibit_rules,
        time_intervals,
        receivers: receivers.iter().map(policy_receiver).collect(),
        maintenance_windows,
        people,
        teams,
        escalation,
        incidents,
        heartbeats,
        schedules,
        holidays,
        compat: options.compat.unwrap_or(document.compat.0),
        retention: options.retention,
        start_delay: options.start_delay,
        limits: Limits {
            silences: document.limits.max_silences,
            silence_bytes: document.limits.max_silence_size_bytes,
            alerts_per_alertname: document.limits.alerts_per_alertname,
            alerts: document.limits.max_alerts,
        },
    };
    Compiled { policy, receivers, templates }
}

fn policy_receiver(receiver: &ReceiverConfig) -> Receiver {
    let integration = |config: &crate::IntegrationConfig| tocsin_core::policy::Integration {
        kind: config.kind,
        index: config.index,
        send_resolved: config.send_resolved,
    };
    let escalation = receiver.escalation_policy.iter().map(|_| tocsin_core::policy::Integration {
        kind: ESCALATION,
        index: 0,
        send_resolved: true,
    });
    Receiver {
        name: Arc::clone(&receiver.name),
        labels: receiver.labels.clone(),
        integrations: receiver.integrations.iter().map(integration).chain(escalation).collect(),
        escalation_policy: receiver.escalation_policy.clone(),
    }
}

/// Complains about names that two integrations have, and about labels that are none.
fn check_integrations(document: &Document, reader: &mut Reader<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, integration) in document.integrations.iter().enumerate() {
        let path = format!(".integrations[{index}]");
        if !integration.name.is_empty() && !seen.insert(integration.name.as_str()) {
            let span = reader.place(&format!("{path}.name"));
            let message = format!("a second integration is named `{}`", integration.name);
            reader.error_span(span, message);
        }
        for name in integration.labels.keys() {
            if let Some(why) = bad_label(name, reader.mode) {
                let span = reader.place(&format!("{path}.labels.{name}"));
                reader.error_span(span, why);
            }
        }
    }
}

fn time_intervals(
    document: &Document,
    reader: &mut Reader<'_>,
) -> BTreeMap<Arc<str>, Vec<TimeInterval>> {
    let mut all = BTreeMap::new();
    let lists = [
        ("time_intervals", &document.time_intervals),
        ("mute_time_intervals", &document.mute_time_intervals),
    ];
    for (key, list) in lists {
        for (index, interval) in list.iter().enumerate() {
            let compiled =
                interval.time_intervals.iter().map(TimeIntervalConfig::compile).collect();
            if all.insert(Arc::from(interval.name.as_str()), compiled).is_some() {
                let span = reader.place(&format!(".{key}[{index}].name"));
                let message = format!("a second time interval is named `{}`", interval.name);
                reader.error_span(span, message);
            }
        }
    }
    all
}

fn inhibit_rules(document: &Document, reader: &mut Reader<'_>) -> Vec<InhibitRule> {
    let mut rules = Vec::with_capacity(document.inhibit_rules.len());
    for (index, rule) in document.inhibit_rules.iter().enumerate() {
        let path = format!(".inhibit_rules[{index}]");
        if *rule == InhibitRuleConfig::default() {
            let span = reader.place(&path);
            reader.warn_span(span, "this rule is empty; it inhibits nothing");
        }
        let source = [&rule.source_match, &rule.source_match_re];
        let target = [&rule.target_match, &rule.target_match_re];
        check_labels(&rule.equal, &format!("{path}.equal"), reader);
        rules.push(InhibitRule {
            name: rule.name.as_deref().map(Arc::from),
            source: matchers(&rule.source_matchers, source, &path, "source_match", reader),
            target: matchers(&rule.target_matchers, target, &path, "target_match", reader),
            equal: rule.equal.iter().map(CompactString::from).collect(),
        });
    }
    rules
}

fn maintenance_windows(document: &Document, reader: &mut Reader<'_>) -> Vec<MaintenanceWindow> {
    let mut windows: Vec<MaintenanceWindow> = Vec::new();
    for (index, config) in document.maintenance_windows.iter().enumerate() {
        // What is missing was complained about when the section was read.
        let Some(window) = maintenance_window(config) else { continue };
        if windows.iter().any(|other| other.name == window.name) {
            let span = reader.place(&format!(".maintenance_windows[{index}].name"));
            let message = format!("a second maintenance window is named `{}`", config.name);
            reader.error_span(span, message);
        }
        windows.push(window);
    }
    windows
}

fn maintenance_window(config: &MaintenanceWindowConfig) -> Option<MaintenanceWindow> {
    let window = MaintenanceWindow {
        name: Arc::from(config.name.as_str()),
        matchers: Matchers::new(config.matchers.0.clone()),
        starts_at: config.starts_at?.0,
        duration: signed(config.duration?),
        zone: Zone::of(config.time_zone.as_ref()),
        recurrence: config.recurrence.as_ref().map(|rule| rule.0.clone()),
        comment: config.comment.clone(),
        created_by: CREATED_BY.to_owned(),
    };
    window.check().is_ok().then_some(window)
}

/// Joins matchers with the older `match` and `match_re`, whose keys are `old` and `old` + `_re`.
fn matchers(
    list: &MatcherList,
    [equal, regex]: [&BTreeMap<String, String>; 2],
    path: &str,
    old: &str,
    reader: &mut Reader<'_>,
) -> Matchers {
    let mut all = list.0.clone();
    let both = [(equal, MatchOp::Equal, ""), (regex, MatchOp::Regex, "_re")];
    for (map, op, suffix) in both {
        for (name, value) in map {
            let at = format!("{path}.{old}{suffix}.{name}");
            if let Some(why) = bad_label(name, reader.mode) {
                let span = reader.place(&at);
                reader.error_span(span, why);
            }
            match Matcher::new(name.as_str(), op, value.as_str()) {
                Ok(matcher) => all.push(matcher),
                Err(error) => {
                    let span = reader.place(&at);
                    reader.error_span(span, error.to_string());
                }
            }
        }
    }
    Matchers::new(all)
}

/// Complains about each of the names that is no label.
fn check_labels(names: &[String], path: &str, reader: &mut Reader<'_>) {
    for (index, name) in names.iter().enumerate() {
        if let Some(why) = bad_label(name, reader.mode) {
            let span = reader.place(&format!("{path}[{index}]"));
            reader.error_span(span, why);
        }
    }
}

/// Returns why `name` cannot be a label: in classic mode only `[a-zA-Z_][a-zA-Z0-9_]*` can.
fn bad_label(name: &str, mode: ParseMode) -> Option<String> {
    if name.is_empty() {
        return Some("the name of a label cannot be empty".to_owned());
    }
    let is_classic = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (mode == ParseMode::Classic && !is_classic)
        .then(|| format!("`{name}` is not the name of a label in classic mode"))
}
