//! What holds an alert back, in the order of the pipeline: inhibition, active intervals, mute
//! intervals, silences, maintenance windows.

use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use super::ingest::Alert;
use crate::event::MuteCause;
use crate::policy::{Policy, Route};
use crate::time_interval;

impl MuteCause {
    /// Returns whether the end of this cause is told at once when the alert still fires. The end
    /// of an inhibition is not: its target waits for the next flush of its group.
    pub(super) fn is_window(&self) -> bool {
        !matches!(self, Self::Inhibition(_))
    }
}

impl Tenant {
    /// Returns what holds an alert back; `by_time` is what holds its whole group back.
    pub(super) fn mute_cause(
        &self,
        alert: &Alert,
        by_time: Option<&MuteCause>,
    ) -> Option<MuteCause> {
        if let Some(inhibitor) = self.inhibition.inhibitor_of(&alert.sides) {
            return Some(MuteCause::Inhibition(inhibitor));
        }
        if let Some(cause) = by_time {
            return Some(cause.clone());
        }
        if let Some(entry) = alert.silenced_by.first().and_then(|number| self.silences.get(number))
        {
            return Some(MuteCause::Silence { id: entry.silence.id });
        }
        alert.maintained_by.first().map(|name| MuteCause::Maintenance { name: Arc::clone(name) })
    }
}

/// Returns the time interval that holds back everything a route sends at `now`.
pub(super) fn time_cause(policy: &Policy, route: &Route, now: Timestamp) -> Option<MuteCause> {
    if !route.active_time_intervals.is_empty()
        && !route.active_time_intervals.iter().any(|name| is_in(policy, name, now))
    {
        let names = route.active_time_intervals.join(", ");
        return Some(MuteCause::ActiveInterval { names: names.into() });
    }
    let name = route.mute_time_intervals.iter().find(|name| is_in(policy, name, now))?;
    Some(MuteCause::MuteInterval { name: Arc::clone(name) })
}

/// Returns the names of the time intervals that hold back everything a route sends at `now`, as
/// Alertmanager's `mutedBy` shows them.
pub(super) fn muting_intervals(policy: &Policy, route: &Route, now: Timestamp) -> Vec<Arc<str>> {
    match time_cause(policy, route, now) {
        None => Vec::new(),
        Some(MuteCause::ActiveInterval { .. }) => route.active_time_intervals.clone(),
        Some(_) => route
            .mute_time_intervals
            .iter()
            .filter(|name| is_in(policy, name, now))
            .map(Arc::clone)
            .collect(),
    }
}

/// Returns when the intervals of a route may next answer differently.
pub(super) fn next_time_change(
    policy: &Policy,
    route: &Route,
    now: Timestamp,
) -> Option<Timestamp> {
    route
        .active_time_intervals
        .iter()
        .chain(&route.mute_time_intervals)
        .filter_map(|name| time_interval::next_change(policy.time_intervals.get(name)?, now))
        .min()
}

fn is_in(policy: &Policy, name: &str, now: Timestamp) -> bool {
    policy.time_intervals.get(name).is_some_and(|list| list.iter().any(|i| i.contains(now)))
}
