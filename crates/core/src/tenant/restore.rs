//! Taking up work with what the store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::escalate::Escalations;
use super::incidents::Incidents;
use super::ingest::REFRESH_DELAY;
use super::inhibit::Inhibition;
use super::mute::time_cause;
use super::page::Paging;
use super::recorder::Recorder;
use super::silences::Index;
use super::{SWEEP_INTERVAL, Tenant, Timer, later};
use crate::acknowledgement::Acknowledgement;
use crate::alert::{Activity, Description, Identity};
use crate::event::{Event, FlushReason};
use crate::identity::Directory;
use crate::ids::{AlertNumber, GroupNumber};
use crate::labels::{Fingerprint, Labels};
use crate::maintenance::MaintenanceWindow;
use crate::notification::OutboxEntry;
use crate::oncall::Roster;
use crate::policy::{Policy, RouteIndex};
use crate::rows::{AlertRow, GroupRow, TenantRows};

/// A notification found unsent is tried for at least this long after a start.
const MIN_SPAN_AFTER_START: SignedDuration = SignedDuration::from_secs(10);

type LoadedAlert = (Arc<Identity>, Arc<Description>, AlertRow);

impl Tenant {
    /// Takes up work at `now` with what the store holds.
    ///
    /// Alerts come first, then what holds them back, then groups and timers: nothing is told
    /// before everything that could hold it back is known. What changes by this is written with
    /// the first turn.
    pub fn restore(policy: Arc<Policy>, rows: TenantRows, now: Timestamp) -> Self {
        let keeps_alerts = policy.compat.durable_alerts;
        Self::take_up(policy, rows, now, now, keeps_alerts)
    }

    /// Takes up work anew with what the store holds, within the same process: what was accepted
    /// stays accepted even where a restart would forget it, and the start delay is over when it
    /// would have been.
    #[must_use]
    pub fn resume(&self, rows: TenantRows, now: Timestamp) -> Self {
        Self::take_up(Arc::clone(&self.policy), rows, now, self.started_at, true)
    }

    fn take_up(
        policy: Arc<Policy>,
        rows: TenantRows,
        now: Timestamp,
        started_at: Timestamp,
        keeps_alerts: bool,
    ) -> Self {
        let mut tenant = Self {
            started_at,
            latest: now,
            alerts: BTreeMap::new(),
            firing_by_alertname: BTreeMap::new(),
            destinations: BTreeMap::new(),
            groups: BTreeMap::new(),
            group_index: BTreeMap::new(),
            log: rows.log.into_iter().collect(),
            outbox: BTreeMap::new(),
            sources: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            silences: BTreeMap::new(),
            silence_ids: BTreeMap::new(),
            silence_index: Index::default(),
            windows: BTreeMap::new(),
            inhibition: Inhibition::new(&policy.inhibit_rules),
            refreshed: Vec::new(),
            timers: BTreeSet::new(),
            highest: rows.highest,
            directory: Arc::new(Directory::restore(rows.identity)),
            directory_changed: true,
            former: None,
            roster: Roster::restore(rows.on_call),
            handoffs: super::oncall::Handoffs::default(),
            audit_head: rows.audit_head,
            recorder: Recorder::default(),
            attempts: Vec::new(),
            escalations: Escalations::default(),
            paging: Paging::default(),
            page_attempts: Vec::new(),
            user_groups: BTreeMap::new(),
            group_syncs: Vec::new(),
            groups_are_stale: true,
            heartbeats: BTreeMap::new(),
            is_watcher_lost: false,
            names_of: None,
            incidents: Incidents::default(),
            reminders: rows.reminders.into_iter().map(|it| (it.key, it)).collect(),
            lessons: super::lessons::Lessons::default(),
            changes: rows.changes.into(),
            policy,
        };
        for silence in rows.silences {
            tenant.take_up_silence(now, silence);
        }
        for row in rows.maintenance_windows {
            let name = Arc::from(row.name.as_str());
            match MaintenanceWindow::from_row(row) {
                Ok(window) => tenant.take_up_window(now, window),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                    let why = format!("{error}{}", cause.unwrap_or_default());
                    tenant.record(now, Event::MaintenanceWindowUnreadable { name, why });
                }
            }
        }
        tenant.provision_windows(now);
        tenant.provision_identity();
        tenant.paging.contacts = rows.contacts.into_iter().collect();
        tenant.restore_throttles(rows.throttles);
        let policies = rows.policies.into_iter();
        tenant.escalations.policies =
            policies.map(|it| (Arc::clone(&it.name), Arc::new(it))).collect();
        let turns = rows.turns.into_iter();
        tenant.escalations.turns =
            turns.map(|(policy, step, count)| ((policy, step), count)).collect();
        if keeps_alerts {
            tenant.restore_alerts(now, rows.alerts, rows.acknowledgements);
            tenant.restore_groups(now, rows.groups);
            tenant.look_after_downtime(now);
            tenant.restore_outbox(now, rows.outbox);
            tenant.restore_pages(now, rows.pages);
            tenant.restore_runs(now, rows.runs);
            tenant.restore_lessons(rows.lessons);
            tenant.restore_incidents(now, rows.incidents, rows.incident_alerts);
            tenant.provision_heartbeats(now, rows.heartbeats);
            tenant.forgive_heartbeats(now);
        } else {
            let acknowledged = rows.acknowledgements.iter().map(|(number, _)| *number);
            tenant.recorder.ended_acknowledgements.extend(acknowledged);
            tenant.forget_rows(rows.alerts, rows.groups, &rows.outbox);
            tenant.forget_runs(now, rows.runs, &rows.pages);
            tenant.restore_lessons(rows.lessons);
            tenant.restore_incidents(now, rows.incidents, rows.incident_alerts);
            tenant.provision_heartbeats(now, rows.heartbeats);
        }
        tenant.recount_firing();
        tenant.take_up_roster(now);
        tenant.restore_reminders(now);
        tenant.schedule(later(now, SWEEP_INTERVAL), Timer::Sweep);
        tenant.record(
            now,
            Event::EngineStarted {
                alerts: tenant.alerts.values().filter(|alert| !alert.is_resolved).count(),
                groups: tenant.groups.len(),
                notifications: tenant.outbox.len(),
            },
        );
        tenant
    }

    fn restore_alerts(
        &mut self,
        now: Timestamp,
        alerts: Vec<LoadedAlert>,
        acknowledgements: Vec<(AlertNumber, Acknowledgement)>,
    ) {
        let mut acknowledged: BTreeMap<_, _> = acknowledgements.into_iter().collect();
        let heard_at = alerts.iter().map(|(_, _, row)| row.activity.updated_at).max();
        let downtime = heard_at.map_or(SignedDuration::ZERO, |at| now.duration_since(at));
        for (identity, description, mut row) in alerts {
            let fingerprint = identity.fingerprint;
            let told_end = row.activity.ends_at;
            if !row.is_resolved {
                row.activity = self.outlive_downtime(now, downtime, row.activity);
            }
            let AlertRow { activity, is_resolved, received, .. } = row;
            self.enroll(identity, description, activity, is_resolved, received);
            if is_resolved {
                continue;
            }
            if let Some(acknowledgement) = acknowledged.remove(&row.number) {
                self.restore_acknowledgement(fingerprint, acknowledgement);
            }
            if let Some(alert) = self.alerts.get(&fingerprint) {
                self.inhibition.fires(fingerprint, &alert.sides);
            }
            self.set_end_timer(fingerprint, activity.ends_at);
            // Another start soon must not find an end that has passed and was forgiven now.
            if told_end <= later(now, REFRESH_DELAY) {
                self.recorder.alerts.insert(fingerprint);
            } else if told_end != activity.ends_at {
                self.mark_refreshed(now, fingerprint);
            }
        }
    }

    /// Gives a firing alert the time that its source could not use to tell us it goes on:
    /// nothing resolves because *we* were down. A timeout begins anew; a source's own end moves
    /// by the downtime, at most to where a timeout would be.
    fn outlive_downtime(
        &self,
        now: Timestamp,
        downtime: SignedDuration,
        mut activity: Activity,
    ) -> Activity {
        let anew = later(now, self.policy.resolve_timeout);
        if activity.is_timeout {
            activity.ends_at = activity.ends_at.max(anew);
        } else {
            let moved = later(activity.ends_at, downtime.max(SignedDuration::ZERO)).min(anew);
            activity.ends_at = activity.ends_at.max(moved);
        }
        activity
    }

    /// Restores the groups that the present configuration would build, with their timers, and
    /// opens those that it wants and the store does not have.
    fn restore_groups(&mut self, now: Timestamp, rows: Vec<GroupRow>) {
        let routes: BTreeMap<Arc<str>, RouteIndex> = (0_u32..)
            .zip(&self.policy.routes.nodes)
            .map(|(index, route)| (Arc::clone(&route.unique_key), RouteIndex(index)))
            .collect();
        // Ended alerts of groups that are not restored may have to be told by others.
        let mut untold: BTreeSet<Fingerprint> = BTreeSet::new();
        for row in rows {
            let wanted: Vec<_> = match routes.get(&row.route) {
                Some(route) => row
                    .alerts
                    .iter()
                    .filter(|(fp, _)| self.belongs(*fp, *route, &row.labels))
                    .cloned()
                    .collect(),
                None => Vec::new(),
            };
            if wanted.len() < row.alerts.len() {
                let kept: BTreeSet<_> = wanted.iter().map(|(fp, _)| *fp).collect();
                untold.extend(row.alerts.iter().map(|(fp, _)| *fp).filter(|fp| !kept.contains(fp)));
            }
            match routes.get(&row.route) {
                Some(route) if !wanted.is_empty() => self.restore_group(*route, row, wanted),
                _ => self.recorder.closed_groups.push(row.number),
            }
        }
        // Whatever fires and is not in all of its groups joins them now: the configuration may
        // have changed while we were down.
        let all: Vec<(Fingerprint, bool)> =
            self.alerts.iter().map(|(fp, alert)| (*fp, alert.is_resolved)).collect();
        for (fingerprint, is_resolved) in all {
            if !is_resolved || untold.contains(&fingerprint) {
                self.join_groups(now, fingerprint, false);
            }
            self.schedule_forgetting(now, fingerprint);
        }
        self.carry_log();
    }

    /// Looks at once at groups with an alert that is no longer held back: what held it ended while
    /// we were down.
    fn look_after_downtime(&mut self, now: Timestamp) {
        if !self.policy.compat.renotify_on_unmute {
            return;
        }
        let policy = Arc::clone(&self.policy);
        let freed: Vec<GroupNumber> = self
            .groups
            .values()
            .filter(|group| {
                let by_time = time_cause(&policy, policy.routes.get(group.route), now);
                group.muted.iter().filter(|(_, cause)| cause.is_window()).any(|(fp, _)| {
                    self.alerts.get(fp).is_some_and(|alert| {
                        !alert.is_resolved && self.mute_cause(alert, by_time.as_ref()).is_none()
                    })
                })
            })
            .map(|group| group.number)
            .collect();
        for number in freed {
            self.advance_flush(number, now, FlushReason::Unmute);
        }
    }

    fn belongs(&self, fingerprint: Fingerprint, route: RouteIndex, labels: &Labels) -> bool {
        self.alerts.get(&fingerprint).is_some_and(|alert| {
            let group_by = &self.policy.routes.get(route).group_by;
            alert.destinations.routes.contains(&route)
                && group_by.labels_of(&alert.identity.labels) == *labels
        })
    }

    fn restore_group(
        &mut self,
        route: RouteIndex,
        row: GroupRow,
        alerts: Vec<(Fingerprint, Option<crate::event::MuteCause>)>,
    ) {
        let number: GroupNumber = row.number;
        let key = (route, row.labels.fingerprint(), row.labels);
        let mut group = self.new_group(number, key, row.opened_at, row.flush_at);
        group.early_flush_at = row.early_flush_at;
        group.has_flushed = row.has_flushed;
        for (fingerprint, muted) in alerts {
            group.alerts.insert(fingerprint);
            if let Some(cause) = muted {
                group.muted.insert(fingerprint, cause);
            }
            if let Some(alert) = self.alerts.get_mut(&fingerprint) {
                alert.groups.push(number);
            }
        }
        self.groups.insert(number, group);
        self.reschedule(number);
    }

    /// Unsent notifications are tried at once. Those that were sent just before a crash are sent
    /// again with the same idempotency key.
    fn restore_outbox(&mut self, now: Timestamp, entries: Vec<OutboxEntry>) {
        for mut entry in entries {
            entry.deadline = entry.deadline.max(later(now, MIN_SPAN_AFTER_START));
            entry.due_at = entry.due_at.min(entry.deadline);
            let number = entry.number;
            self.enqueue(entry);
            self.recorder.outbox.remove(&number);
        }
        self.readdress_outbox(now);
    }

    fn forget_rows(
        &mut self,
        alerts: Vec<LoadedAlert>,
        groups: Vec<GroupRow>,
        outbox: &[OutboxEntry],
    ) {
        let closed = alerts.into_iter().map(|(_, _, row)| AlertRow { is_closed: true, ..row });
        self.recorder.closed_alerts.extend(closed);
        self.recorder.closed_groups.extend(groups.into_iter().map(|row| row.number));
        self.recorder.finished_outbox.extend(outbox.iter().map(|entry| entry.number));
    }
}
