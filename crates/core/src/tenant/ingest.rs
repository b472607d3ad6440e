//! Alerts arrive, merge with what is known, end, and are forgotten.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::inhibit::Side;
use super::{Tenant, Timer, later};
use crate::acknowledgement::{Acknowledgement, AcknowledgementEnd};
use crate::alert::{Activity, Description, Identity, IncomingAlert};
use crate::command::Ingested;
use crate::event::Event;
use crate::ids::{AlertNumber, GroupNumber, SilenceNumber};
use crate::labels::{ALERTNAME, Fingerprint};
use crate::policy::RouteIndex;
use crate::rows::AlertRow;

/// How long a resolved alert stays known after its last group let it go. Prometheus re-sends a
/// resolved alert for 15 minutes; each of these must be recognised as old news.
const RESOLVED_LINGER: SignedDuration = SignedDuration::from_mins(20);

/// How long refreshed ends may wait before they are written.
pub(super) const REFRESH_DELAY: SignedDuration = SignedDuration::from_secs(5);

/// The most refreshed alerts written in one turn, and the pause until the next: a bounded share
/// of the disk, so that the background never delays the foreground.
const REFRESH_ROWS_PER_TURN: usize = 256;
const REFRESH_PAUSE: SignedDuration = SignedDuration::from_millis(25);

/// Where alerts with one set of routes go; shared by all of them.
#[derive(Debug)]
pub(super) struct Destinations {
    pub(super) routes: Vec<RouteIndex>,
    pub(super) receivers: Arc<[Arc<str>]>,
}

/// One life of an alert.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) identity: Arc<Identity>,
    pub(super) description: Arc<Description>,
    pub(super) activity: Activity,
    /// Whether the end of the last firing phase has been recorded.
    pub(super) is_resolved: bool,
    pub(super) received: u64,
    pub(super) destinations: Arc<Destinations>,
    pub(super) groups: Vec<GroupNumber>,
    /// The active silences that match, ascending.
    pub(super) silenced_by: Vec<SilenceNumber>,
    /// The open maintenance windows that match, ascending.
    pub(super) maintained_by: Vec<Arc<str>>,
    pub(super) sides: Box<[Side]>,
    /// The instant of its timer; an end that moves later leaves the timer where it is.
    pub(super) timer_at: Option<Timestamp>,
    /// Whether it waits in [`Tenant::refreshed`].
    pub(super) is_refreshed: bool,
    pub(super) is_description_changed: bool,
    /// Who works on it.
    pub(super) acknowledgement: Option<Acknowledgement>,
}

impl Alert {
    pub(super) fn to_row(&self) -> AlertRow {
        AlertRow {
            number: self.identity.number,
            fingerprint: self.identity.fingerprint,
            activity: self.activity,
            is_resolved: self.is_resolved,
            received: self.received,
            is_closed: false,
        }
    }
}

impl Tenant {
    pub(super) fn ingest(&mut self, now: Timestamp, alerts: Vec<IncomingAlert>) -> Ingested {
        let mut result = Ingested::default();
        for incoming in alerts {
            let ends_at =
                incoming.ends_at.unwrap_or_else(|| later(now, self.policy.resolve_timeout));
            let activity = Activity {
                starts_at: incoming.starts_at.or(incoming.ends_at).unwrap_or(now),
                ends_at,
                is_timeout: incoming.ends_at.is_none(),
                updated_at: now,
            };
            let is_known = self.alerts.contains_key(&incoming.fingerprint);
            if is_known {
                self.update(now, incoming, activity, &mut result);
            } else if let Some(limit) = self.limit_met(&incoming, activity.is_resolved_at(now)) {
                result.limited += 1;
                let fingerprint = incoming.fingerprint;
                self.record(now, Event::AlertLimited { fingerprint, limit });
            } else {
                self.admit(now, incoming, activity, &mut result);
            }
        }
        result
    }

    fn update(
        &mut self,
        now: Timestamp,
        incoming: IncomingAlert,
        told: Activity,
        result: &mut Ingested,
    ) {
        let fingerprint = incoming.fingerprint;
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        let before = alert.activity;
        alert.activity = before.merge(told);
        alert.received += 1;
        if alert.description.annotations != incoming.annotations
            || alert.description.generator_url != incoming.generator_url
        {
            alert.description = Arc::new(Description {
                annotations: incoming.annotations,
                generator_url: incoming.generator_url,
            });
            alert.is_description_changed = true;
        }
        let activity = alert.activity;
        match (alert.is_resolved, activity.is_resolved_at(now)) {
            (false, false) => {
                result.refreshed += 1;
                if alert.timer_at.is_none_or(|at| activity.ends_at < at) {
                    self.set_end_timer(fingerprint, activity.ends_at);
                }
                self.mark_refreshed(now, fingerprint);
            }
            (false, true) => {
                result.resolved += 1;
                self.resolve(now, fingerprint, false);
            }
            (true, false) => {
                result.fired += 1;
                self.fire(now, fingerprint, true);
            }
            (true, true) => {
                result.resolved += 1;
                if before.ends_at != activity.ends_at || alert.is_description_changed {
                    self.mark_refreshed(now, fingerprint);
                }
                self.join_groups_ended(now, fingerprint);
            }
        }
    }

    fn admit(
        &mut self,
        now: Timestamp,
        incoming: IncomingAlert,
        activity: Activity,
        result: &mut Ingested,
    ) {
        let number = AlertNumber(self.highest.alert.0 + 1);
        self.highest.alert = number;
        let fingerprint = incoming.fingerprint;
        let identity = Arc::new(Identity { number, fingerprint, labels: incoming.labels });
        let description = Arc::new(Description {
            annotations: incoming.annotations,
            generator_url: incoming.generator_url,
        });
        self.recorder.identities.push(Arc::clone(&identity));
        self.recorder.descriptions.insert(fingerprint);
        let is_resolved = activity.is_resolved_at(now);
        self.enroll(identity, description, activity, is_resolved, 1);
        if is_resolved {
            result.resolved += 1;
            self.recorder.alerts.insert(fingerprint);
            self.record(now, Event::AlertArrivedResolved { alert: number, fingerprint });
            self.join_groups_ended(now, fingerprint);
            self.schedule_forgetting(now, fingerprint);
        } else {
            result.fired += 1;
            self.fire(now, fingerprint, false);
        }
    }

    /// Puts an alert among the known ones, with everything its labels decide for its whole life.
    pub(super) fn enroll(
        &mut self,
        identity: Arc<Identity>,
        description: Arc<Description>,
        activity: Activity,
        is_resolved: bool,
        received: u64,
    ) {
        let destinations = self.destinations_of(&identity.labels);
        let sides = self.inhibition.enroll(&identity.labels);
        let silenced_by = self.silence_index.matching(&identity.labels);
        let maintained_by = self.open_windows_matching(&identity.labels);
        let fingerprint = identity.fingerprint;
        let alert = Alert {
            identity,
            description,
            activity,
            is_resolved,
            received,
            destinations,
            groups: Vec::new(),
            silenced_by,
            maintained_by,
            sides,
            timer_at: None,
            is_refreshed: false,
            is_description_changed: false,
            acknowledgement: None,
        };
        self.enlist_source(&alert.identity.labels, fingerprint, is_resolved);
        self.alerts.insert(fingerprint, alert);
    }

    /// An alert fires that did not before: it inhibits, and it joins its groups.
    fn fire(&mut self, now: Timestamp, fingerprint: Fingerprint, is_refire: bool) {
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        alert.is_resolved = false;
        let Activity { starts_at, ends_at, is_timeout, .. } = alert.activity;
        let identity = Arc::clone(&alert.identity);
        let number = identity.number;
        self.inhibition.fires(fingerprint, &alert.sides);
        if is_refire {
            self.enlist_source(&identity.labels, fingerprint, false);
        }
        self.count_firing(fingerprint, true);
        self.set_end_timer(fingerprint, ends_at);
        self.recorder.alerts.insert(fingerprint);
        // Groups it opens are recorded first: the event below names their numbers.
        let groups = self.join_groups(now, fingerprint, true);
        let event = Event::AlertFired {
            alert: number,
            fingerprint,
            starts_at,
            ends_at,
            is_timeout,
            is_refire,
            groups,
        };
        self.record(now, event);
        self.incident_alert_fires(now, fingerprint);
        if is_refire {
            self.look_at_runs_of(now, fingerprint);
        }
    }

    /// A firing alert is over; its groups tell so at their next flush.
    fn resolve(&mut self, now: Timestamp, fingerprint: Fingerprint, is_timeout: bool) {
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        alert.is_resolved = true;
        self.inhibition.ends(fingerprint, &alert.sides);
        let (number, ends_at) = (alert.identity.number, alert.activity.ends_at);
        self.count_firing(fingerprint, false);
        self.recorder.alerts.insert(fingerprint);
        self.record(now, Event::AlertResolved { alert: number, fingerprint, ends_at, is_timeout });
        self.end_acknowledgement(now, fingerprint, AcknowledgementEnd::Resolved);
        self.incident_alert_ends(now, fingerprint, is_timeout);
        self.schedule_forgetting(now, fingerprint);
    }

    /// The end of an alert may be due. Refreshes move ends without moving timers, so the timer
    /// follows when it finds the end ahead of it.
    pub(super) fn alert_end_due(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        fingerprint: Fingerprint,
    ) {
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        if alert.timer_at != Some(at) {
            return;
        }
        alert.timer_at = None;
        if alert.is_resolved {
            return;
        }
        if alert.activity.is_resolved_at(now) {
            self.resolve(now, fingerprint, true);
        } else {
            let ends_at = alert.activity.ends_at;
            self.set_end_timer(fingerprint, ends_at);
        }
    }

    pub(super) fn set_end_timer(&mut self, fingerprint: Fingerprint, at: Timestamp) {
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        if alert.timer_at == Some(at) {
            return;
        }
        if let Some(old) = alert.timer_at.replace(at) {
            self.timers.remove(&(old, Timer::AlertEnd(fingerprint)));
        }
        self.schedule(at, Timer::AlertEnd(fingerprint));
    }

    /// A resolved alert that no group holds is forgotten after a while.
    pub(super) fn schedule_forgetting(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        if self.alerts.get(&fingerprint).is_some_and(|a| a.is_resolved && a.groups.is_empty()) {
            self.schedule(later(now, RESOLVED_LINGER), Timer::Forget(fingerprint));
        }
    }

    pub(super) fn forget_due(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        let Some(alert) = self.alerts.get(&fingerprint) else { return };
        if !alert.is_resolved || !alert.groups.is_empty() {
            return;
        }
        // It may have fired and ended again since the timer was set.
        let due_at = later(alert.activity.ends_at, RESOLVED_LINGER)
            .min(later(alert.activity.updated_at, RESOLVED_LINGER));
        if due_at > now {
            self.schedule(due_at, Timer::Forget(fingerprint));
            return;
        }
        let Some(alert) = self.alerts.remove(&fingerprint) else { return };
        self.inhibition.leave(&alert.identity.labels, &alert.sides);
        self.delist_source(&alert.identity.labels, fingerprint);
        self.recorder.alerts.remove(&fingerprint);
        self.recorder.closed_alerts.push(AlertRow { is_closed: true, ..alert.to_row() });
    }

    pub(super) fn mark_refreshed(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        let Some(alert) = self.alerts.get_mut(&fingerprint) else { return };
        if std::mem::replace(&mut alert.is_refreshed, true) {
            return;
        }
        if self.refreshed.is_empty() {
            self.schedule(later(now, REFRESH_DELAY), Timer::Refresh);
        }
        self.refreshed.push(fingerprint);
    }

    /// Writes a bounded number of refreshed ends in the background, those that waited longest first.
    pub(super) fn write_refreshed(&mut self, now: Timestamp) {
        let count = self.refreshed.len().min(REFRESH_ROWS_PER_TURN);
        let oldest: Vec<Fingerprint> = self.refreshed.drain(..count).collect();
        for fingerprint in oldest {
            let Some(alert) = self.alerts.get_mut(&fingerprint) else { continue };
            alert.is_refreshed = false;
            self.recorder.alerts.insert(fingerprint);
            if std::mem::take(&mut alert.is_description_changed) {
                self.recorder.descriptions.insert(fingerprint);
            }
        }
        if !self.refreshed.is_empty() {
            self.schedule(later(now, REFRESH_PAUSE), Timer::Refresh);
        }
    }

    fn limit_met(&self, incoming: &IncomingAlert, is_resolved: bool) -> Option<String> {
        let limits = &self.policy.limits;
        if limits.alerts > 0 && self.alerts.len() >= limits.alerts {
            return Some(format!("max_alerts: {}", limits.alerts));
        }
        let per_name = limits.alerts_per_alertname;
        if per_name > 0 && !is_resolved {
            let name = incoming.labels.value(ALERTNAME);
            if self.firing_by_alertname.get(name).is_some_and(|count| *count >= per_name) {
                return Some(format!("alerts_per_alertname: {per_name}"));
            }
        }
        None
    }

    fn count_firing(&mut self, fingerprint: Fingerprint, fires: bool) {
        if self.policy.limits.alerts_per_alertname == 0 {
            return;
        }
        let Some(alert) = self.alerts.get(&fingerprint) else { return };
        let name = alert.identity.labels.value(ALERTNAME);
        if fires {
            *self.firing_by_alertname.entry(name.to_owned()).or_default() += 1;
        } else if let Some(count) = self.firing_by_alertname.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.firing_by_alertname.remove(name);
            }
        }
    }

    /// Counts the firing alerts by name anew; the bound may have been switched on just now.
    pub(super) fn recount_firing(&mut self) {
        self.firing_by_alertname.clear();
        let firing: Vec<Fingerprint> =
            self.alerts.iter().filter(|(_, alert)| !alert.is_resolved).map(|(fp, _)| *fp).collect();
        for fingerprint in firing {
            self.count_firing(fingerprint, true);
        }
    }
}
