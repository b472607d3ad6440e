//! A small world in which everything meets everything: few labels, two receivers, three rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::compat::Compat;
use tocsin_core::escalation::EscalationSettings;
use tocsin_core::incident::IncidentSettings;
use tocsin_core::labels::Labels;
use tocsin_core::matcher::{Matcher, Matchers};
use tocsin_core::policy::{
    GroupBy, InhibitRule, Integration, Limits, Policy, Receiver, Route, RouteIndex, RouteTree,
};
use tocsin_core::severity::Severity;
use tocsin_core::time_interval::{MinuteRange, TimeInterval};

/// How many different alerts there are.
pub(crate) const ALERTS: usize = 12;

/// How many different selections silences and maintenance windows make.
pub(crate) const SELECTIONS: usize = 6;

pub(crate) const RECEIVERS: [&str; 2] = ["ops", "pager"];

pub(crate) const GROUP_WAIT: SignedDuration = SignedDuration::from_secs(30);
pub(crate) const GROUP_INTERVAL: SignedDuration = SignedDuration::from_mins(5);
pub(crate) const REPEAT_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// Nothing pages between these minutes of a day.
const QUIET: (u16, u16) = (10 * 60, 10 * 60 + 30);

/// Returns when the quiet time last began or ended; the start before it ever did.
pub(crate) fn last_quiet_change(now: Timestamp) -> Timestamp {
    let midnight = now.to_zoned(TimeZone::UTC).start_of_day().map_or(now, |day| day.timestamp());
    let minutes = |count: u16| midnight + SignedDuration::from_mins(i64::from(count));
    [minutes(QUIET.1), minutes(QUIET.0), minutes(QUIET.1) - SignedDuration::from_hours(24)]
        .into_iter()
        .find(|at| *at <= now)
        .unwrap_or_else(start)
        .max(start())
}

pub(crate) fn start() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

/// Returns the labels of alert `index`.
pub(crate) fn alert(index: usize) -> Labels {
    let name = ["DiskFull", "HighLatency", "NodeDown"][index % 3];
    let host = ["a", "b"][index / 3 % 2];
    let severity = ["critical", "warning"][index / 6 % 2];
    Labels::from_iter([("alertname", name), ("host", host), ("severity", severity)])
}

/// Returns the label values that selection `index` asks for.
pub(crate) fn selection(index: usize) -> Vec<(&'static str, &'static str)> {
    match index % SELECTIONS {
        0 => vec![("host", "a")],
        1 => vec![("alertname", "DiskFull")],
        2 => vec![("severity", "warning")],
        3 => vec![("alertname", "NodeDown"), ("host", "b")],
        4 => vec![("severity", "critical"), ("host", "a")],
        _ => vec![("alertname", "HighLatency"), ("severity", "critical"), ("host", "b")],
    }
}

pub(crate) fn matchers(pairs: &[(&'static str, &'static str)]) -> Matchers {
    Matchers::new(pairs.iter().map(|(name, value)| Matcher::equal(*name, *value)).collect())
}

/// The inhibition rules as plain data: source, target, equal.
pub(crate) type PlainRule = (
    &'static [(&'static str, &'static str)],
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

pub(crate) fn rules(variant: usize) -> Vec<PlainRule> {
    let mut rules: Vec<PlainRule> = vec![
        (&[("severity", "critical")], &[("severity", "warning")], &["alertname", "host"]),
        (&[("alertname", "NodeDown")], &[("alertname", "HighLatency")], &["host"]),
        // Three sources for one target.
        (
            &[("severity", "critical"), ("host", "a")],
            &[("alertname", "DiskFull"), ("host", "b")],
            &[],
        ),
    ];
    if variant == 1 {
        // Both sides match the same alerts.
        rules.push((&[("alertname", "DiskFull")], &[("alertname", "DiskFull")], &["severity"]));
    }
    rules
}

/// Two configurations with the same routes and receivers and different timers and rules.
pub(crate) fn policy(variant: usize, resolve_timeout: SignedDuration) -> Arc<Policy> {
    let integration = |kind, send_resolved| Integration { kind, index: 0, send_resolved };
    let receiver = |name: &str, integrations| Receiver {
        name: name.into(),
        labels: Labels::from_iter([("name", name)]),
        integrations,
        escalation_policy: None,
    };
    let route = |receiver: &str, group_by, matchers: Matchers, key: &str| Route {
        parent: None,
        children: Vec::new(),
        key: key.into(),
        unique_key: key.into(),
        receiver: receiver.into(),
        matchers,
        is_continue: false,
        group_by,
        group_wait: GROUP_WAIT,
        group_wait_by_severity: BTreeMap::new(),
        group_interval: GROUP_INTERVAL,
        repeat_interval: REPEAT_INTERVAL,
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        labels: Labels::default(),
    };
    let names = |names: &[&str]| GroupBy::Names(names.iter().map(|name| (*name).into()).collect());
    let mut root = route("ops", names(&["alertname"]), Matchers::default(), "{}");
    root.children = vec![RouteIndex(1), RouteIndex(2)];
    let critical = Matchers::new(vec![Matcher::equal("severity", "critical")]);
    let mut pager = route("pager", names(&["host"]), critical, "{}/{severity=\"critical\"}");
    pager.parent = Some(RouteIndex(0));
    pager.is_continue = true;
    pager.mute_time_intervals = vec!["quiet".into()];
    pager.group_wait = SignedDuration::ZERO;
    let mut rest = route("ops", names(&["alertname"]), Matchers::default(), "{}/{}");
    rest.parent = Some(RouteIndex(0));
    if variant == 1 {
        rest.group_wait = SignedDuration::from_secs(10);
        rest.group_wait_by_severity = [("critical".into(), SignedDuration::from_secs(5))].into();
    }
    let quiet = TimeInterval {
        times: vec![MinuteRange { start: QUIET.0, end: QUIET.1 }],
        weekdays: Vec::new(),
        days_of_month: Vec::new(),
        months: Vec::new(),
        years: Vec::new(),
        zone: TimeZone::UTC,
    };
    Arc::new(Policy {
        resolve_timeout,
        routes: RouteTree { nodes: vec![root, pager, rest] },
        inhibit_rules: rules(variant)
            .into_iter()
            .map(|(source, target, equal)| InhibitRule {
                name: None,
                source: matchers(source),
                target: matchers(target),
                equal: equal.iter().map(|name| (*name).into()).collect(),
            })
            .collect(),
        time_intervals: [("quiet".into(), vec![quiet])].into(),
        receivers: vec![
            receiver("ops", vec![integration("webhook", true), integration("email", false)]),
            receiver("pager", vec![integration("webhook", true)]),
        ],
        people: Vec::new(),
        teams: Vec::new(),
        schedules: Vec::new(),
        holidays: Vec::new(),
        escalation: EscalationSettings::default(),
        heartbeats: Vec::new(),
        // Small bounds, so that random histories meet them.
        incidents: IncidentSettings {
            open_from: Some(Severity::Sev5),
            reopen_window: SignedDuration::from_mins(20),
            storm_limit: 4,
            ..IncidentSettings::default()
        },
        maintenance_windows: Vec::new(),
        compat: Compat::NATIVE,
        retention: SignedDuration::from_hours(120),
        start_delay: SignedDuration::ZERO,
        limits: Limits::default(),
    })
}
