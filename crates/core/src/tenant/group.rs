//! Groups: alerts that are told together, and when they are looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::ingest::Destinations;
use super::{Tenant, Timer, later};
use crate::event::{Event, FlushReason, MuteCause};
use crate::ids::GroupNumber;
use crate::labels::{Fingerprint, Labels};
use crate::policy::{Policy, Route, RouteIndex};
use crate::rows::GroupRow;

/// One life of a group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) number: GroupNumber,
    pub(super) route: RouteIndex,
    pub(super) labels: Labels,
    /// What the log knows it by; see [`Tenant::log_group`].
    pub(super) key: Arc<str>,
    pub(super) opened_at: Timestamp,
    /// The next instant of its grid.
    pub(super) flush_at: Timestamp,
    /// An instant before that at which it is looked at, too.
    pub(super) early_flush_at: Option<Timestamp>,
    pub(super) has_flushed: bool,
    pub(super) alerts: BTreeSet<Fingerprint>,
    /// What held alerts back at the last flush; only firing ones are in it.
    pub(super) muted: BTreeMap<Fingerprint, MuteCause>,
    /// The last flush, until everything it sent has arrived or been given up.
    pub(super) settling: Option<Settling>,
    /// The instant of its timer.
    pub(super) wake_at: Option<Timestamp>,
}

/// What has to happen before the resolved alerts of a flush may leave the group.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// The alerts that had ended, and when.
    pub(super) resolved: Vec<(Fingerprint, Timestamp)>,
    /// Whether something it sent was given up, so that the next flush has to tell it again.
    pub(super) has_failed: bool,
}

impl Group {
    pub(super) fn next_look(&self) -> Timestamp {
        self.early_flush_at.map_or(self.flush_at, |early| early.min(self.flush_at))
    }

    pub(super) fn to_row(&self, policy: &Policy) -> GroupRow {
        GroupRow {
            number: self.number,
            route: Arc::clone(&policy.routes.get(self.route).unique_key),
            labels: self.labels.clone(),
            opened_at: self.opened_at,
            flush_at: self.flush_at,
            early_flush_at: self.early_flush_at,
            has_flushed: self.has_flushed,
            alerts: self.alerts.iter().map(|fp| (*fp, self.muted.get(fp).cloned())).collect(),
        }
    }
}

impl Route {
    /// Returns how long an alert may wait because of its severity, when the route says so.
    pub fn severity_window(&self, labels: &Labels) -> Option<SignedDuration> {
        if self.group_wait_by_severity.is_empty() {
            return None;
        }
        let severity = labels.value("severity").to_lowercase();
        self.group_wait_by_severity.get(severity.as_str()).copied()
    }
}

impl Tenant {
    /// Returns where an alert goes; alerts with the same routes share one value.
    pub(super) fn destinations_of(&mut self, labels: &Labels) -> Arc<Destinations> {
        let mut routes = self.policy.routes.matching(labels);
        if self.policy.compat.route_identity {
            self.drop_twins(&mut routes);
        }
        if let Some(known) = self.destinations.get(&routes) {
            return Arc::clone(known);
        }
        // Alertmanager names a receiver once for each of its routes.
        let names_twice = !self.policy.compat.route_identity;
        let mut receivers: Vec<Arc<str>> = Vec::new();
        for index in &routes {
            let receiver = &self.policy.routes.get(*index).receiver;
            if names_twice || !receivers.contains(receiver) {
                receivers.push(Arc::clone(receiver));
            }
        }
        let known = Arc::new(Destinations { routes: routes.clone(), receivers: receivers.into() });
        self.destinations.insert(routes, Arc::clone(&known));
        known
    }

    /// Of routes with the same matchers, receiver and grouping only the first counts: a receiver
    /// is not told the same thing twice.
    fn drop_twins(&self, routes: &mut Vec<RouteIndex>) {
        let tree = &self.policy.routes;
        let mut kept: Vec<RouteIndex> = Vec::with_capacity(routes.len());
        for index in routes.drain(..) {
            let route = tree.get(index);
            let is_twin = kept.iter().map(|other| tree.get(*other)).any(|other| {
                other.key == route.key
                    && other.receiver == route.receiver
                    && other.group_by == route.group_by
            });
            if !is_twin {
                kept.push(index);
            }
        }
        *routes = kept;
    }

    /// Puts an alert into its groups and returns those it was not in before.
    ///
    /// One that just fired makes groups hurry that it is in already; others do not, because they
    /// did so when they joined.
    pub(super) fn join_groups(
        &mut self,
        now: Timestamp,
        fingerprint: Fingerprint,
        has_just_fired: bool,
    ) -> Vec<GroupNumber> {
        let Some(alert) = self.alerts.get(&fingerprint) else { return Vec::new() };
        let identity = Arc::clone(&alert.identity);
        let destinations = Arc::clone(&alert.destinations);
        let starts_at = alert.activity.starts_at;
        let policy = Arc::clone(&self.policy);
        let mut joined = Vec::new();
        for index in &destinations.routes {
            let route = policy.routes.get(*index);
            let labels = route.group_by.labels_of(&identity.labels);
            let window = route.severity_window(&identity.labels);
            let wait = window.unwrap_or(route.group_wait);
            let is_old = later(starts_at, wait) < now;
            let key = (*index, labels.fingerprint(), labels);
            let number = match self.group_index.get(&key) {
                Some(number) => {
                    let number = *number;
                    let is_member = |g: &Group| g.alerts.contains(&fingerprint);
                    if has_just_fired || !self.groups.get(&number).is_some_and(is_member) {
                        self.hurry(now, number, wait, window.is_some(), is_old);
                    }
                    number
                }
                None => self.open_group(now, key, wait, is_old),
            };
            let Some(group) = self.groups.get_mut(&number) else { continue };
            if group.alerts.insert(fingerprint) {
                joined.push(number);
                self.recorder.groups.insert(number);
            }
        }
        if let Some(alert) = self.alerts.get_mut(&fingerprint) {
            alert.groups.extend(&joined);
        }
        joined
    }

    /// Alertmanager puts an alert that arrives ended into its groups, too: the next message tells
    /// of it, although nobody was told that it fired. With `resolve_follows_page` nothing would be
    /// told of it, so it stays outside.
    pub(super) fn join_groups_ended(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        if !self.policy.compat.resolve_follows_page {
            self.join_groups(now, fingerprint, false);
        }
    }

    fn open_group(
        &mut self,
        now: Timestamp,
        key: (RouteIndex, Fingerprint, Labels),
        wait: SignedDuration,
        is_old: bool,
    ) -> GroupNumber {
        let (flush_at, why) = if is_old {
            (now, FlushReason::OldAlert)
        } else {
            (later(now, wait), FlushReason::GroupWait)
        };
        let held_until = later(self.started_at, self.policy.start_delay);
        let (flush_at, why) = if flush_at < held_until {
            (held_until, FlushReason::StartDelay)
        } else {
            (flush_at, why)
        };
        let number = GroupNumber(self.highest.group.0 + 1);
        self.highest.group = number;
        let group = self.new_group(number, key, now, flush_at);
        let event = Event::GroupOpened {
            group: number,
            key: Arc::clone(&group.key),
            receiver: Arc::clone(&self.policy.routes.get(group.route).receiver),
            labels: group.labels.clone(),
            flush_at,
            why,
        };
        self.record(now, event);
        self.groups.insert(number, group);
        self.recorder.groups.insert(number);
        self.reschedule(number);
        number
    }

    /// Builds a group and makes it findable; its timer is not set yet.
    pub(super) fn new_group(
        &mut self,
        number: GroupNumber,
        key: (RouteIndex, Fingerprint, Labels),
        opened_at: Timestamp,
        flush_at: Timestamp,
    ) -> Group {
        self.group_index.insert(key.clone(), number);
        let (route, _, labels) = key;
        Group {
            number,
            route,
            key: self.log_group(route, &labels),
            labels,
            opened_at,
            flush_at,
            early_flush_at: None,
            has_flushed: false,
            alerts: BTreeSet::new(),
            muted: BTreeMap::new(),
            settling: None,
            wake_at: None,
        }
    }

    /// Returns what the log knows a group by: its route's key, a colon, its labels. Without
    /// `route_identity` the keys of sibling routes with equal matchers collide, as Alertmanager's
    /// do.
    fn log_group(&self, index: RouteIndex, labels: &Labels) -> Arc<str> {
        let route = self.policy.routes.get(index);
        let is_unique = self.policy.compat.route_identity;
        let key = if is_unique { &route.unique_key } else { &route.key };
        format!("{key}:{labels}").into()
    }

    /// An alert joins a group that exists: it may be too urgent for the group's own time.
    fn hurry(
        &mut self,
        now: Timestamp,
        number: GroupNumber,
        wait: SignedDuration,
        has_window: bool,
        is_old: bool,
    ) {
        let held_until = later(self.started_at, self.policy.start_delay);
        let Some(group) = self.groups.get_mut(&number) else { return };
        let (at, why) = if !group.has_flushed && is_old {
            (now.max(held_until), FlushReason::OldAlert)
        } else if has_window {
            (later(now, wait).max(held_until), FlushReason::SeverityWindow)
        } else {
            return;
        };
        if at >= group.next_look() {
            return;
        }
        if group.has_flushed {
            group.early_flush_at = Some(at);
        } else {
            group.flush_at = at;
        }
        self.recorder.groups.insert(number);
        self.record(now, Event::FlushAdvanced { group: number, flush_at: at, why });
        self.reschedule(number);
    }

    /// Looks at a group at `at` or before, beside its grid.
    pub(super) fn advance_flush(&mut self, number: GroupNumber, at: Timestamp, why: FlushReason) {
        let Some(group) = self.groups.get_mut(&number) else { return };
        if !group.has_flushed || at >= group.next_look() {
            return;
        }
        group.early_flush_at = Some(at);
        self.recorder.groups.insert(number);
        // Timers that only keep a promise made earlier are not news.
        if matches!(why, FlushReason::Unmute | FlushReason::Unacknowledged) {
            let now = self.latest;
            self.record(now, Event::FlushAdvanced { group: number, flush_at: at, why });
        }
        self.reschedule(number);
    }

    /// Sets the timer of a group to its next look.
    pub(super) fn reschedule(&mut self, number: GroupNumber) {
        let Some(group) = self.groups.get_mut(&number) else { return };
        let at = group.next_look();
        if group.wake_at == Some(at) {
            return;
        }
        if let Some(old) = group.wake_at.replace(at) {
            self.timers.remove(&(old, Timer::Flush(number)));
        }
        self.schedule(at, Timer::Flush(number));
    }

    pub(super) fn close_group(&mut self, now: Timestamp, number: GroupNumber) {
        let Some(group) = self.groups.remove(&number) else { return };
        self.group_index.remove(&(group.route, group.labels.fingerprint(), group.labels));
        if let Some(at) = group.wake_at {
            self.timers.remove(&(at, Timer::Flush(number)));
        }
        self.recorder.groups.remove(&number);
        self.recorder.closed_groups.push(number);
        self.record(now, Event::GroupClosed { group: number });
    }
}
