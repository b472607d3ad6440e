//! What readers take from the state: owned values, cheap to collect.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::flush::repeat_span;
use super::ingest::Alert;
use super::mute::{muting_intervals, time_cause};
use super::{Tenant, later};
use crate::alert::{AlertStatus, AlertView, Identity};
use crate::ids::{AlertNumber, GroupNumber, OutboxNumber, SilenceId};
use crate::labels::{Fingerprint, Labels};
use crate::notification::OutboxEntry;
use crate::silence::{Silence, SilenceState};
use crate::views::{
    Counts, Explanation, GroupExplanation, GroupView, IntegrationExplanation, MaintenanceView,
};

impl Tenant {
    /// Returns all firing alerts, ascending by fingerprint.
    pub fn alerts(&self, now: Timestamp) -> Vec<AlertView> {
        self.alerts
            .values()
            .filter(|alert| is_firing(alert, now))
            .map(|alert| self.view(alert, &[]))
            .collect()
    }

    /// Iterates over the firing alerts with fingerprints above `after` whose labels `takes` likes,
    /// ascending: a page of a long list costs no more than what it shows.
    pub fn alerts_after(
        &self,
        after: Option<Fingerprint>,
        now: Timestamp,
        takes: impl Fn(&Labels) -> bool,
    ) -> impl Iterator<Item = AlertView> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.alerts
            .range((from, Bound::Unbounded))
            .map(|(_, alert)| alert)
            .filter(move |alert| is_firing(alert, now) && takes(&alert.identity.labels))
            .map(|alert| self.view(alert, &[]))
    }

    /// Returns the identity of the alert with that fingerprint, firing or lately resolved.
    pub fn identity(&self, fingerprint: Fingerprint) -> Option<&Arc<Identity>> {
        self.alerts.get(&fingerprint).map(|alert| &alert.identity)
    }

    /// Returns the identities of those of the alerts that are known, by looking at all of them.
    pub fn identities(&self, numbers: &BTreeSet<AlertNumber>) -> Vec<Arc<Identity>> {
        let identities = self.alerts.values().map(|alert| &alert.identity);
        identities.filter(|identity| numbers.contains(&identity.number)).cloned().collect()
    }

    /// Returns the receiver and the labels of an open group.
    pub fn group_name(&self, number: GroupNumber) -> Option<(Arc<str>, Labels)> {
        let group = self.groups.get(&number)?;
        let route = self.policy.routes.get(group.route);
        Some((Arc::clone(&route.receiver), group.labels.clone()))
    }

    /// Returns the firing alert with that fingerprint.
    pub fn alert(&self, fingerprint: Fingerprint, now: Timestamp) -> Option<AlertView> {
        let alert = self.alerts.get(&fingerprint).filter(|alert| is_firing(alert, now))?;
        Some(self.view(alert, &[]))
    }

    /// Returns all groups with at least one firing alert, in Alertmanager's order: by labels
    /// (fewer first), then by receiver.
    pub fn groups(&self, now: Timestamp) -> Vec<GroupView> {
        let mut groups: Vec<GroupView> =
            self.groups.keys().filter_map(|number| self.group(*number, now)).collect();
        groups.sort_by(|a, b| {
            a.labels.compare_as_groups(&b.labels).then_with(|| a.receiver.cmp(&b.receiver))
        });
        groups
    }

    /// Returns the group with that number; `None` when it is gone or nothing fires in it.
    pub fn group(&self, number: GroupNumber, now: Timestamp) -> Option<GroupView> {
        let group = self.groups.get(&number)?;
        let route = self.policy.routes.get(group.route);
        let muted_by = muting_intervals(&self.policy, route, now);
        let mut alerts: Vec<AlertView> = group
            .alerts
            .iter()
            .filter_map(|fp| self.alerts.get(fp))
            .filter(|alert| is_firing(alert, now))
            .map(|alert| self.view(alert, &muted_by))
            .collect();
        if alerts.is_empty() {
            return None;
        }
        alerts.sort_by(|a, b| by_job_and_instance(&a.identity.labels, &b.identity.labels));
        Some(GroupView {
            number,
            key: Arc::clone(&group.key),
            labels: group.labels.clone(),
            route_labels: route.labels.clone(),
            receiver: Arc::clone(&route.receiver),
            opened_at: group.opened_at,
            flush_at: group.next_look(),
            alerts,
        })
    }

    /// Returns all silences in Alertmanager's order: active (ending first first), pending
    /// (starting first first), expired (latest first).
    pub fn silences(&self, now: Timestamp) -> Vec<(Silence, SilenceState)> {
        let mut silences: Vec<(Silence, SilenceState)> = self
            .silences
            .values()
            .map(|entry| (entry.silence.clone(), entry.silence.state_at(now)))
            .collect();
        let rank = |state: SilenceState| match state {
            SilenceState::Active => 0,
            SilenceState::Pending => 1,
            SilenceState::Expired => 2,
        };
        silences.sort_by(|(a, a_state), (b, b_state)| {
            rank(*a_state).cmp(&rank(*b_state)).then_with(|| match a_state {
                SilenceState::Active => a.ends_at.cmp(&b.ends_at),
                SilenceState::Pending => a.starts_at.cmp(&b.starts_at),
                SilenceState::Expired => b.ends_at.cmp(&a.ends_at),
            })
        });
        silences
    }

    /// Returns the silence with that id.
    pub fn silence(&self, id: SilenceId, now: Timestamp) -> Option<(Silence, SilenceState)> {
        let silence = &self.silences.get(self.silence_ids.get(&id)?)?.silence;
        Some((silence.clone(), silence.state_at(now)))
    }

    /// Returns all maintenance windows by name.
    pub fn maintenance_windows(&self, now: Timestamp) -> Vec<MaintenanceView> {
        self.windows
            .values()
            .map(|entry| {
                let next = entry.open.or_else(|| entry.window.next_occurrence(now));
                let state = match (entry.open, next) {
                    (Some(_), _) => SilenceState::Active,
                    (None, Some(_)) => SilenceState::Pending,
                    (None, None) => SilenceState::Expired,
                };
                MaintenanceView {
                    window: entry.window.clone(),
                    is_provisioned: entry.is_provisioned,
                    state,
                    occurrence: next,
                }
            })
            .collect()
    }

    /// Returns where the alert with that fingerprint stands, firing or lately resolved.
    pub fn explain(&self, fingerprint: Fingerprint, now: Timestamp) -> Option<Explanation> {
        let alert = self.alerts.get(&fingerprint)?;
        let groups =
            alert.groups.iter().filter_map(|number| self.explain_group(alert, *number, now));
        Some(Explanation {
            alert: self.view(alert, &[]),
            is_resolved: !is_firing(alert, now),
            received: alert.received,
            groups: groups.collect(),
        })
    }

    fn explain_group(
        &self,
        alert: &Alert,
        number: GroupNumber,
        now: Timestamp,
    ) -> Option<GroupExplanation> {
        let group = self.groups.get(&number)?;
        let route = self.policy.routes.get(group.route);
        let by_time = time_cause(&self.policy, route, now);
        let compat = self.policy.compat;
        let span = repeat_span(compat, route.repeat_interval, route.group_interval);
        let fingerprint = alert.identity.fingerprint;
        let is_acknowledged = self.is_acknowledged(group);
        let integrations = self
            .integrations_of(number)
            .into_iter()
            .map(|(key, _)| {
                let log = self.log.get(&key).cloned();
                let pending = self.in_flight.get(&key).and_then(|n| self.outbox.get(n));
                IntegrationExplanation {
                    integration: key.integration(),
                    was_told: log
                        .as_ref()
                        .is_some_and(|entry| entry.firing.binary_search(&fingerprint).is_ok()),
                    repeat_at: log
                        .as_ref()
                        .filter(|_| !is_acknowledged)
                        .filter(|entry| !entry.firing.is_empty())
                        .map(|entry| later(entry.told_at, span)),
                    log,
                    pending: pending.map(|outbound| {
                        let entry = &outbound.entry;
                        (entry.number, entry.attempts, entry.due_at)
                    }),
                }
            })
            .collect();
        Some(GroupExplanation {
            number,
            key: Arc::clone(&group.key),
            receiver: Arc::clone(&route.receiver),
            flush_at: group.next_look(),
            has_flushed: group.has_flushed,
            is_acknowledged,
            muted: self.mute_cause(alert, by_time.as_ref()),
            integrations,
        })
    }

    /// Returns the unsent notifications, ascending by number.
    pub fn outbox(&self) -> Vec<OutboxEntry> {
        self.outbox.values().map(|outbound| outbound.entry.clone()).collect()
    }

    /// Returns the unsent notification with that number.
    pub fn outbox_entry(&self, number: OutboxNumber) -> Option<&OutboxEntry> {
        self.outbox.get(&number).map(|outbound| &outbound.entry)
    }

    /// Returns the names of the receivers an alert with these labels would be told to, with the
    /// key of each route, in order.
    pub fn route(&self, labels: &Labels) -> Vec<(Arc<str>, Arc<str>)> {
        let tree = &self.policy.routes;
        tree.matching(labels)
            .into_iter()
            .map(|index| tree.get(index))
            .map(|route| (Arc::clone(&route.receiver), Arc::clone(&route.unique_key)))
            .collect()
    }

    /// Returns how much there is of everything.
    pub fn counts(&self, now: Timestamp) -> Counts {
        let mut counts =
            Counts { groups: self.groups.len(), outbox: self.outbox.len(), ..Counts::default() };
        for alert in self.alerts.values().filter(|alert| is_firing(alert, now)) {
            if self.mute_cause(alert, None).is_some() {
                counts.alerts_suppressed += 1;
            } else {
                counts.alerts_active += 1;
            }
        }
        for entry in self.silences.values() {
            match entry.silence.state_at(now) {
                SilenceState::Active => counts.silences_active += 1,
                SilenceState::Pending => counts.silences_pending += 1,
                SilenceState::Expired => counts.silences_expired += 1,
            }
        }
        counts
    }

    pub(super) fn view(&self, alert: &Alert, muted_by: &[Arc<str>]) -> AlertView {
        let mut silenced_by: Vec<SilenceId> = alert
            .silenced_by
            .iter()
            .filter_map(|number| Some(self.silences.get(number)?.silence.id))
            .collect();
        silenced_by.sort_unstable();
        AlertView {
            identity: Arc::clone(&alert.identity),
            description: Arc::clone(&alert.description),
            activity: alert.activity,
            receivers: Arc::clone(&alert.destinations.receivers),
            status: AlertStatus {
                silenced_by,
                maintained_by: alert.maintained_by.clone(),
                inhibited_by: self.inhibition.inhibitor_of(&alert.sides),
                muted_by: muted_by.to_vec(),
            },
            acknowledgement: alert.acknowledgement.clone(),
        }
    }
}

fn is_firing(alert: &Alert, now: Timestamp) -> bool {
    !alert.is_resolved && !alert.activity.is_resolved_at(now)
}

/// Orders alerts as Alertmanager does within a group: by `job`, `instance`, then all labels. Those
/// without a job come after those with one, and of two the one with fewer labels is first.
///
/// Source: Alertmanager, `types.AlertSlice`; Prometheus, `model.LabelSet.Before`.
pub(super) fn by_job_and_instance(a: &Labels, b: &Labels) -> Ordering {
    ["job", "instance"]
        .into_iter()
        .map(|name| (a.value(name), b.value(name)))
        .map(|(a, b)| a.is_empty().cmp(&b.is_empty()).then_with(|| a.cmp(b)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| by_all_labels(a, b))
}

fn by_all_labels(a: &Labels, b: &Labels) -> Ordering {
    let pairs = || a.iter().zip(b.iter());
    let differing = pairs().map(|((name_a, value_a), (name_b, value_b))| {
        // Whoever lacks the first name that only one of them has comes first.
        name_b.cmp(name_a).then_with(|| value_a.cmp(value_b))
    });
    a.len()
        .cmp(&b.len())
        .then_with(|| differing.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal))
}
