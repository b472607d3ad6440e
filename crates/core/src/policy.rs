//! The compiled configuration: everything the engine decides by, with all defaults filled in and
//! all references resolved. Built by `tocsin-config`, never changed afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::SignedDuration;

use crate::compat::Compat;
use crate::escalation::EscalationSettings;
use crate::heartbeat::HeartbeatMonitor;
use crate::identity::{Person, Team};
use crate::incident::IncidentSettings;
use crate::labels::Labels;
use crate::maintenance::MaintenanceWindow;
use crate::matcher::Matchers;
use crate::oncall::{HolidayCalendar, ScheduleSpec};
use crate::time_interval::TimeInterval;

/// A compiled configuration of one tenant.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long an alert fires when its source names no end.
    pub resolve_timeout: SignedDuration,
    /// The route tree; never empty, the root is at index 0.
    pub routes: RouteTree,
    /// In the order of the file; the first that hits is the one that is reported.
    pub inhibit_rules: Vec<InhibitRule>,
    /// By name.
    pub time_intervals: BTreeMap<Arc<str>, Vec<TimeInterval>>,
    /// In the order of the file.
    pub receivers: Vec<Receiver>,
    /// Maintenance windows that the file provisions.
    pub maintenance_windows: Vec<MaintenanceWindow>,
    /// People that the file provisions.
    pub people: Vec<Person>,
    /// Teams that the file provisions.
    pub teams: Vec<Team>,
    /// How people are paged.
    pub escalation: EscalationSettings,
    /// When incidents begin, reopen and end by themselves.
    pub incidents: IncidentSettings,
    /// What is expected to say that it is alive.
    pub heartbeats: Vec<HeartbeatMonitor>,
    /// Schedules that the file provisions.
    pub schedules: Vec<ScheduleSpec>,
    /// Calendars whose days are holidays.
    pub holidays: Vec<HolidayCalendar>,
    /// Which improvements over Alertmanager are on.
    pub compat: Compat,
    /// How long an expired silence is kept, and the longest life of a notification-log entry.
    pub retention: SignedDuration,
    /// No group flushes before this long after the process started (`--dispatch.start-delay`).
    pub start_delay: SignedDuration,
    /// Bounds on what one tenant may hold.
    pub limits: Limits,
}

/// Bounds on what one tenant may hold; zero means "no bound", as in Alertmanager's flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Silences, expired ones included.
    pub silences: usize,
    /// Serialized size of one silence, in bytes.
    pub silence_bytes: usize,
    /// Firing alerts with the same `alertname`; known ones keep refreshing.
    pub alerts_per_alertname: usize,
    /// Alerts held altogether; known ones keep refreshing.
    pub alerts: usize,
}

/// Where a route stands in [`RouteTree::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteIndex(pub u32);

/// All routes, each with its inherited settings filled in.
#[derive(Clone, Debug)]
pub struct RouteTree {
    /// Depth first, children in the order of the file; the root is the first.
    pub nodes: Vec<Route>,
}

/// One route, with what it inherits filled in.
#[derive(Clone, Debug)]
pub struct Route {
    /// The route above; `None` for the root.
    pub parent: Option<RouteIndex>,
    /// The routes below, in the order of the file.
    pub children: Vec<RouteIndex>,
    /// Alertmanager's path of matchers, `{}/{team="db"}`. Siblings may share it.
    pub key: Arc<str>,
    /// Like `key`, but different for every route of the tree.
    pub unique_key: Arc<str>,
    /// The name of the receiver.
    pub receiver: Arc<str>,
    /// What alerts must satisfy; empty means all.
    pub matchers: Matchers,
    /// Whether later siblings are asked although this one matched.
    pub is_continue: bool,
    /// Which labels make alerts belong together.
    pub group_by: GroupBy,
    /// Alerts of a new group wait this long for others.
    pub group_wait: SignedDuration,
    /// The native aggregation windows: how long an alert of a severity may wait, whether its
    /// group is new or old. Keyed by the lower-cased value of the label `severity`.
    pub group_wait_by_severity: BTreeMap<CompactString, SignedDuration>,
    /// The distance between two flushes of a group.
    pub group_interval: SignedDuration,
    /// How long an unchanged group stays quiet.
    pub repeat_interval: SignedDuration,
    /// While any of these is in effect, nothing is sent.
    pub mute_time_intervals: Vec<Arc<str>>,
    /// Unless one of these is in effect, nothing is sent; empty means always.
    pub active_time_intervals: Vec<Arc<str>>,
    /// Labels of the route itself, inherited key by key.
    pub labels: Labels,
}

/// Which labels make alerts belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// `group_by: ['...']`: every label, so each alert is its own group.
    All,
    /// The listed labels; an empty list puts the whole route in one group.
    Names(Vec<CompactString>),
}

impl GroupBy {
    /// Returns the labels that name the group of an alert.
    pub fn labels_of(&self, labels: &Labels) -> Labels {
        match self {
            Self::All => labels.clone(),
            Self::Names(names) => labels.only(names),
        }
    }
}

/// While a source fires, targets that agree with it on `equal` stay quiet.
#[derive(Clone, Debug)]
pub struct InhibitRule {
    /// The optional name of the rule.
    pub name: Option<Arc<str>>,
    /// What a firing alert must satisfy to inhibit others.
    pub source: Matchers,
    /// What an alert must satisfy to be inhibited.
    pub target: Matchers,
    /// The labels on which both must have the same value; absent counts as empty.
    pub equal: Vec<CompactString>,
}

/// A named list of integrations.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Unique.
    pub name: Arc<str>,
    /// Labels of the receiver, `name` among them.
    pub labels: Labels,
    /// What is told, in the order of the file; empty for a receiver that swallows.
    pub integrations: Vec<Integration>,
    /// The policy by which it pages people, or `auto`; then [`ESCALATION`] is among the
    /// integrations.
    ///
    /// [`ESCALATION`]: crate::tenant::ESCALATION
    pub escalation_policy: Option<Arc<str>>,
}

/// What the engine needs to know of one integration; how to reach it is `tocsin-connect`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// `webhook`, `email`, `slack`, …
    pub kind: &'static str,
    /// The position among the receiver's integrations of the same kind, counted from 0.
    pub index: u32,
    /// Whether resolved alerts are told.
    pub send_resolved: bool,
}

impl Policy {
    /// Returns the receiver of that name.
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| &*receiver.name == name)
    }
}

impl RouteTree {
    /// Returns the route at `index`.
    pub fn get(&self, index: RouteIndex) -> &Route {
        &self.nodes[index.0 as usize]
    }

    /// Returns the routes that an alert takes, in order.
    ///
    /// Depth first; children in order until one matches that does not say `continue`; when no
    /// child matches, the route itself.
    pub fn matching(&self, labels: &Labels) -> Vec<RouteIndex> {
        let mut found = Vec::new();
        if self.get(RouteIndex(0)).matchers.matches(labels) {
            self.descend(RouteIndex(0), labels, &mut found);
        }
        found
    }

    fn descend(&self, index: RouteIndex, labels: &Labels, found: &mut Vec<RouteIndex>) {
        let before = found.len();
        for &child in &self.get(index).children {
            let route = self.get(child);
            if route.matchers.matches(labels) {
                self.descend(child, labels, found);
                if !route.is_continue {
                    break;
                }
            }
        }
        if found.len() == before {
            found.push(index);
        }
    }
}
