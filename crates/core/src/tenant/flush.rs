//! A group is looked at: who is held back, and which integration has to be told what.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::escalate::ESCALATION;
use super::group::Settling;
use super::mute::{next_time_change, time_cause};
use super::{Tenant, later};
use crate::compat::Compat;
use crate::event::{Event, FlushReason};
use crate::ids::GroupNumber;
use crate::labels::Fingerprint;
use crate::notification::{LogEntry, LogKey, NotifyReason};
use crate::policy::Integration;

/// What a group looks like at one flush, for all of its integrations.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// Fire and are not held back.
    pub(super) firing: BTreeSet<Fingerprint>,
    /// Fire and are held back.
    pub(super) muted: BTreeSet<Fingerprint>,
    /// Are over and nothing would hold them back.
    pub(super) resolved: BTreeSet<Fingerprint>,
    /// Are over and held back.
    pub(super) muted_resolved: BTreeSet<Fingerprint>,
    /// Fire, and were held back until this flush by a silence, maintenance window or interval.
    pub(super) unmuted: BTreeSet<Fingerprint>,
}

/// What one integration gets to see of a group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Telling {
    /// Told as firing.
    pub(super) firing: Vec<Fingerprint>,
    /// Told as resolved.
    pub(super) resolved: Vec<Fingerprint>,
    /// Told as firing before, fire on, and are held back: not told now and not forgotten.
    pub(super) kept: Vec<Fingerprint>,
}

impl Tenant {
    pub(super) fn flush_due(&mut self, now: Timestamp, number: GroupNumber) {
        let policy = Arc::clone(&self.policy);
        let Some(group) = self.groups.get_mut(&number) else { return };
        group.wake_at = None;
        let interval = policy.routes.get(group.route).group_interval;
        if group.flush_at <= now {
            group.flush_at = next_on_grid(group.flush_at, interval, now);
        }
        group.early_flush_at = None;
        group.has_flushed = true;
        self.recorder.groups.insert(number);
        let sight = self.look(now, number);
        if let Some(group) = self.groups.get_mut(&number) {
            let resolved = sight
                .resolved
                .iter()
                .chain(&sight.muted_resolved)
                .filter_map(|fp| Some((*fp, self.alerts.get(fp)?.activity.ends_at)))
                .collect();
            group.settling = Some(Settling { resolved, has_failed: false });
        }
        self.open_incident_for(now, number, &sight.firing);
        for integration in self.integrations_of(number) {
            self.tell(now, number, &integration, &sight);
            if integration.1.kind == ESCALATION {
                self.look_at_run_of_group(now, &integration.0);
            }
        }
        self.settle(now, number);
        self.plan_early_look(now, number);
        self.reschedule(number);
    }

    /// Sorts the alerts of a group and records who is newly held back and who no longer is.
    pub(super) fn look(&mut self, now: Timestamp, number: GroupNumber) -> Sight {
        let policy = Arc::clone(&self.policy);
        let Some(group) = self.groups.get(&number) else { return Sight::default() };
        let by_time = time_cause(&policy, policy.routes.get(group.route), now);
        let mut sight = Sight::default();
        let mut changes = Vec::new();
        for fingerprint in &group.alerts {
            let Some(alert) = self.alerts.get(fingerprint) else { continue };
            let cause = self.mute_cause(alert, by_time.as_ref());
            let before = group.muted.get(fingerprint);
            match (alert.is_resolved, cause.is_some()) {
                (true, true) => sight.muted_resolved.insert(*fingerprint),
                (true, false) => sight.resolved.insert(*fingerprint),
                (false, true) => sight.muted.insert(*fingerprint),
                (false, false) => {
                    if before.is_some_and(crate::event::MuteCause::is_window) {
                        sight.unmuted.insert(*fingerprint);
                    }
                    sight.firing.insert(*fingerprint)
                }
            };
            let cause = cause.filter(|_| !alert.is_resolved);
            if cause.as_ref() != before {
                // That an alert is over is told by another event than that it is let go.
                let before = before.filter(|_| !alert.is_resolved).cloned();
                changes.push((*fingerprint, alert.identity.number, before, cause));
            }
        }
        for (fingerprint, alert, before, cause) in changes {
            let Some(group) = self.groups.get_mut(&number) else { break };
            match &cause {
                Some(cause) => group.muted.insert(fingerprint, cause.clone()),
                None => group.muted.remove(&fingerprint),
            };
            self.recorder.groups.insert(number);
            match (before, cause) {
                (_, Some(cause)) => {
                    self.record(now, Event::AlertMuted { alert, group: number, cause });
                }
                (Some(cause), None) => {
                    self.record(now, Event::AlertUnmuted { alert, group: number, cause });
                }
                (None, None) => {}
            }
        }
        sight
    }

    pub(super) fn integrations_of(&self, number: GroupNumber) -> Vec<(LogKey, Integration)> {
        let Some(group) = self.groups.get(&number) else { return Vec::new() };
        let name = &self.policy.routes.get(group.route).receiver;
        let Some(receiver) = self.policy.receiver(name) else { return Vec::new() };
        receiver
            .integrations
            .iter()
            .map(|integration| {
                let key = LogKey {
                    group: Arc::clone(&group.key),
                    receiver: Arc::clone(name),
                    kind: integration.kind.into(),
                    index: integration.index,
                };
                (key, integration.clone())
            })
            .collect()
    }

    /// Decides whether one integration has to be told, and puts what on its way.
    pub(super) fn tell(
        &mut self,
        now: Timestamp,
        number: GroupNumber,
        (key, integration): &(LogKey, Integration),
        sight: &Sight,
    ) {
        if let Some(pending) = self.in_flight.get(key).copied()
            && !self.gives_way(pending, sight)
        {
            return;
        }
        let Some(group) = self.groups.get(&number) else { return };
        let compat = self.policy.compat;
        let route = self.policy.routes.get(group.route);
        let entry = self.log.get(key);
        let telling = Telling::new(sight, entry, compat);
        // A reminder that still waits stays due: only the flush that planned it saw what ended.
        let is_reminder_waiting =
            self.waiting_reason(key) == Some(NotifyReason::Unmuted) && !telling.firing.is_empty();
        let has_unmuted = is_reminder_waiting
            || sight.unmuted.iter().any(|fp| telling.firing.binary_search(fp).is_ok());
        let decision = decide(Question {
            entry,
            telling: &telling,
            has_unmuted: compat.renotify_on_unmute && has_unmuted,
            send_resolved: integration.send_resolved,
            repeat: repeat_span(compat, route.repeat_interval, route.group_interval),
            is_exact: compat.exact_repeat,
            now,
        });
        // Whoever works on it need not be reminded.
        let decision = decision.filter(|reason| {
            *reason != NotifyReason::Repeat || !self.are_acknowledged(&telling.firing)
        });
        match decision {
            Some(reason) if integration.kind == ESCALATION => {
                self.tell_escalation(now, number, key, telling, reason);
            }
            Some(reason) => self.queue(now, number, key, integration, telling, reason),
            None => {
                self.note_untold_ends(key, integration, &telling);
                self.drop_superseded(now, key);
            }
        }
    }

    /// An integration that is not told of ends has nothing to be told of them, yet the log notes
    /// them: an alert that fires again is news to everybody.
    fn note_untold_ends(&mut self, key: &LogKey, integration: &Integration, telling: &Telling) {
        if integration.send_resolved || !self.policy.compat.resolve_follows_page {
            return;
        }
        let Some(entry) = self.log.get_mut(key) else { return };
        let count = entry.firing.len() + entry.doubted.len();
        entry.firing.retain(|fp| telling.resolved.binary_search(fp).is_err());
        entry.doubted.retain(|fp| telling.resolved.binary_search(fp).is_err());
        if entry.firing.len() + entry.doubted.len() != count {
            self.recorder.log.insert(key.clone());
        }
    }

    /// Lets resolved alerts go once everything about them has been told, and closes an empty
    /// group.
    ///
    /// Alertmanager lets go of all of them once everything has arrived, so beside an integration
    /// that never works they pile up. With `resolve_follows_page` an alert may go as soon as
    /// nobody awaits its end, whatever else is on its way or was given up.
    pub(super) fn settle(&mut self, now: Timestamp, number: GroupNumber) {
        let keys = self.integrations_of(number);
        let waits = keys.iter().any(|(key, _)| self.in_flight.contains_key(key));
        let picks = self.policy.compat.resolve_follows_page;
        if waits && !picks {
            return;
        }
        let Some(group) = self.groups.get_mut(&number) else { return };
        let Some(mut settling) = group.settling.take() else { return };
        let is_clean = !waits && !settling.has_failed;
        if !is_clean && !picks {
            return;
        }
        let (awaited, over): (Vec<_>, Vec<_>) = std::mem::take(&mut settling.resolved)
            .into_iter()
            .partition(|(fp, _)| !is_clean && self.is_end_awaited(&keys, *fp));
        for (fingerprint, ended_at) in over {
            let Some(alert) = self.alerts.get_mut(&fingerprint) else { continue };
            // Fired again since, or ended anew: the next flush tells.
            if !alert.is_resolved || alert.activity.ends_at != ended_at {
                continue;
            }
            alert.groups.retain(|other| *other != number);
            if let Some(group) = self.groups.get_mut(&number) {
                group.alerts.remove(&fingerprint);
                group.muted.remove(&fingerprint);
            }
            self.recorder.groups.insert(number);
            self.schedule_forgetting(now, fingerprint);
        }
        let Some(group) = self.groups.get_mut(&number) else { return };
        if waits {
            settling.resolved = awaited;
            group.settling = Some(settling);
        } else if group.alerts.is_empty() {
            self.close_group(now, number);
        }
    }

    /// Returns whether one of the integrations was told, or is being told, that the alert fires,
    /// or is being told that it ended.
    fn is_end_awaited(&self, keys: &[(LogKey, Integration)], fingerprint: Fingerprint) -> bool {
        let is_in = |list: &[Fingerprint]| list.binary_search(&fingerprint).is_ok();
        keys.iter().any(|(key, _)| {
            let on_its_way = self.in_flight.get(key).and_then(|number| self.outbox.get(number));
            self.log.get(key).is_some_and(|told| told.may_have_told(fingerprint))
                || on_its_way.is_some_and(|outbound| {
                    is_in(&outbound.entry.firing) || is_in(&outbound.entry.resolved)
                })
        })
    }

    /// Plans the look that a repeat or the end of an interval needs before the grid has it.
    pub(super) fn plan_early_look(&mut self, now: Timestamp, number: GroupNumber) {
        let Some(group) = self.groups.get(&number) else { return };
        let compat = self.policy.compat;
        let route = self.policy.routes.get(group.route);
        let mut wanted = None;
        if compat.renotify_on_unmute && !group.muted.is_empty() {
            wanted = next_time_change(&self.policy, route, now).map(|at| (at, FlushReason::Unmute));
        }
        if compat.exact_repeat
            && group.alerts.len() > group.muted.len()
            && !self.is_acknowledged(group)
        {
            let span = repeat_span(compat, route.repeat_interval, route.group_interval);
            let repeat = self
                .integrations_of(number)
                .iter()
                .filter_map(|(key, _)| self.log.get(key))
                .filter(|entry| !entry.firing.is_empty())
                .map(|entry| later(entry.told_at, span))
                .filter(|at| *at > now)
                .min();
            if let Some(at) = repeat.filter(|at| wanted.is_none_or(|(other, _)| *at < other)) {
                wanted = Some((at, FlushReason::Repeat));
            }
        }
        if let Some((at, why)) = wanted {
            // An unmute that time brings is no news either: it is planned, not asked for.
            let why = if why == FlushReason::Unmute { FlushReason::Repeat } else { why };
            self.advance_flush(number, at, why);
        }
    }

    /// Looks at groups as soon as what held these alerts back has ended.
    pub(super) fn look_after_unmute(&mut self, now: Timestamp, alerts: &[Fingerprint]) {
        if !self.policy.compat.renotify_on_unmute {
            return;
        }
        // Alert by alert, each in its own few groups: a silence may hold back everything there is.
        let mut awaited: BTreeSet<GroupNumber> = BTreeSet::new();
        for fingerprint in alerts {
            let Some(alert) = self.alerts.get(fingerprint) else { continue };
            awaited.extend(alert.groups.iter().filter(|number| {
                let cause = self.groups.get(number).and_then(|group| group.muted.get(fingerprint));
                cause.is_some_and(crate::event::MuteCause::is_window)
            }));
        }
        for number in awaited {
            self.advance_flush(number, now, FlushReason::Unmute);
        }
    }
}

impl Telling {
    /// Returns what an integration with this log entry gets to see.
    ///
    /// Alertmanager hides everything that is held back, ended alerts included. With
    /// `resolve_follows_page` the log decides about ended alerts: those that were told as firing
    /// are told as resolved whatever holds them back, all others never are.
    fn new(sight: &Sight, entry: Option<&LogEntry>, compat: Compat) -> Self {
        let firing: Vec<Fingerprint> = sight.firing.iter().copied().collect();
        if !compat.resolve_follows_page {
            let resolved = sight.resolved.iter().copied().collect();
            return Self { firing, resolved, kept: Vec::new() };
        }
        let was_told = |fp: &Fingerprint| {
            entry.is_some_and(|e| e.may_have_told(*fp) || e.resolved.binary_search(fp).is_ok())
        };
        let resolved: BTreeSet<Fingerprint> =
            sight.resolved.iter().chain(&sight.muted_resolved).copied().filter(was_told).collect();
        let kept = sight
            .muted
            .iter()
            .copied()
            .filter(|fp| entry.is_some_and(|e| e.firing.binary_search(fp).is_ok()))
            .collect();
        Self { firing, resolved: resolved.into_iter().collect(), kept }
    }
}

/// Everything the decision depends on.
#[derive(Clone, Copy)]
struct Question<'a> {
    entry: Option<&'a LogEntry>,
    telling: &'a Telling,
    has_unmuted: bool,
    send_resolved: bool,
    repeat: SignedDuration,
    is_exact: bool,
    now: Timestamp,
}

/// Returns why an integration has to be told, or `None` when it knows everything already.
///
/// The first that holds: it knows nothing and something fires; something fires that it was not
/// told; nothing fires any more; something ended that it was not told; something is no longer
/// held back; the repeat interval has elapsed.
///
/// Source: Alertmanager, `notify/dedup_stage.go`.
fn decide(question: Question<'_>) -> Option<NotifyReason> {
    let Question { entry, telling, has_unmuted, send_resolved, repeat, is_exact, now } = question;
    let Some(entry) = entry else {
        return (!telling.firing.is_empty()).then_some(NotifyReason::First);
    };
    if !is_subset(&telling.firing, &entry.firing) {
        let is_first = entry.firing.is_empty();
        return Some(if is_first { NotifyReason::First } else { NotifyReason::NewAlerts });
    }
    let knows_resolved = is_subset(&telling.resolved, &entry.resolved);
    if telling.firing.is_empty() {
        if telling.kept.is_empty() {
            let was_told = !entry.firing.is_empty() || !entry.doubted.is_empty();
            let has_news = !telling.resolved.is_empty() && was_told;
            return has_news.then_some(NotifyReason::AllResolved);
        }
        return (send_resolved && !knows_resolved).then_some(NotifyReason::SomeResolved);
    }
    if send_resolved && !knows_resolved {
        return Some(NotifyReason::SomeResolved);
    }
    if has_unmuted {
        return Some(NotifyReason::Unmuted);
    }
    let due_at = later(entry.told_at, repeat);
    let is_due = if is_exact { due_at <= now } else { due_at < now };
    is_due.then_some(NotifyReason::Repeat)
}

/// Returns the span between two tellings of an unchanged group. With `exact_repeat` a group is
/// never told more often than it is looked at, whatever the repeat interval says.
pub(super) fn repeat_span(
    compat: Compat,
    repeat: SignedDuration,
    interval: SignedDuration,
) -> SignedDuration {
    if compat.exact_repeat { repeat.max(interval) } else { repeat }
}

fn is_subset(part: &[Fingerprint], whole: &[Fingerprint]) -> bool {
    part.iter().all(|fp| whole.binary_search(fp).is_ok())
}

/// Returns the first instant of the grid `from + n × interval` that lies after `now`.
fn next_on_grid(from: Timestamp, interval: SignedDuration, now: Timestamp) -> Timestamp {
    let interval_ns = interval.as_nanos().max(1);
    let steps = now.duration_since(from).as_nanos() / interval_ns + 1;
    let span = i64::try_from(steps.saturating_mul(interval_ns)).unwrap_or(i64::MAX);
    later(from, SignedDuration::from_nanos(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn fingerprints(list: &[u64]) -> Vec<Fingerprint> {
        list.iter().map(|fp| Fingerprint(*fp)).collect()
    }

    fn entry(told_at: i64, firing: &[u64], resolved: &[u64]) -> LogEntry {
        LogEntry {
            told_at: at(told_at),
            firing: fingerprints(firing),
            resolved: fingerprints(resolved),
            expires_at: at(100_000),
            receipt: None,
            page_key: None,
            doubted: Vec::new(),
        }
    }

    fn ask(
        entry: Option<&LogEntry>,
        firing: &[u64],
        resolved: &[u64],
        now: i64,
    ) -> Option<NotifyReason> {
        let telling = Telling {
            firing: fingerprints(firing),
            resolved: fingerprints(resolved),
            kept: Vec::new(),
        };
        decide(Question {
            entry,
            telling: &telling,
            has_unmuted: false,
            send_resolved: true,
            repeat: SignedDuration::from_secs(100),
            is_exact: false,
            now: at(now),
        })
    }

    #[test]
    fn the_first_rule_that_holds_names_the_reason() {
        let known = entry(0, &[1, 2], &[]);
        assert_eq!(ask(None, &[1], &[], 1), Some(NotifyReason::First));
        assert_eq!(ask(None, &[], &[1], 1), None);
        assert_eq!(ask(Some(&known), &[1, 3], &[], 1), Some(NotifyReason::NewAlerts));
        assert_eq!(ask(Some(&entry(0, &[], &[1])), &[1], &[], 1), Some(NotifyReason::First));
        assert_eq!(ask(Some(&known), &[], &[1, 2], 1), Some(NotifyReason::AllResolved));
        assert_eq!(ask(Some(&entry(0, &[], &[1])), &[], &[1], 1), None);
        assert_eq!(ask(Some(&known), &[1], &[2], 1), Some(NotifyReason::SomeResolved));
        assert_eq!(ask(Some(&known), &[1, 2], &[], 100), None, "strictly before");
        assert_eq!(ask(Some(&known), &[1, 2], &[], 101), Some(NotifyReason::Repeat));
    }

    #[test]
    fn a_late_flush_returns_to_its_grid() {
        let next = next_on_grid(at(10), SignedDuration::from_secs(5), at(23));
        assert_eq!(next, at(25));
        assert_eq!(next_on_grid(at(10), SignedDuration::from_secs(5), at(10)), at(15));
    }
}
