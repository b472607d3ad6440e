//! What says in time that it is alive, and what does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::{SignedDuration, Timestamp};

use super::{Tenant, Timer, later};
use crate::alert::IncomingAlert;
use crate::command::Rejection;
use crate::event::Event;
use crate::heartbeat::{HeartbeatMonitor, HeartbeatRow};
use crate::labels::{ALERTNAME, Labels};

/// The name of the alert of a monitor that was not heard.
const MISSED: &str = "HeartbeatMissed";

/// How often an overdue monitor tells so again, so that its alert goes on.
const TELL_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// How long its alert fires when it is not told again.
const ALERT_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// A monitor and how it stands.
#[derive(Debug)]
pub(super) struct Heartbeat {
    row: HeartbeatRow,
    wake_at: Option<Timestamp>,
}

impl Tenant {
    /// Takes over the monitors of the configuration.
    pub(super) fn provision_heartbeats(&mut self, now: Timestamp, rows: Vec<HeartbeatRow>) {
        let mut rows: BTreeMap<Arc<str>, HeartbeatRow> =
            rows.into_iter().map(|row| (Arc::clone(&row.name), row)).collect();
        let policy = Arc::clone(&self.policy);
        for (name, heartbeat) in std::mem::take(&mut self.heartbeats) {
            if let Some(at) = heartbeat.wake_at {
                self.timers.remove(&(at, Timer::Heartbeat(Arc::clone(&name))));
            }
            let is_gone = !policy.heartbeats.iter().any(|monitor| monitor.name == name);
            if is_gone && heartbeat.row.missed_at.is_some() {
                self.end_heartbeat(now, &name);
            }
            rows.insert(name, heartbeat.row);
        }
        for monitor in &policy.heartbeats {
            let name = Arc::clone(&monitor.name);
            let row = rows.remove(&name).unwrap_or_else(|| HeartbeatRow {
                name: Arc::clone(&name),
                heard_at: None,
                known_since: now,
                missed_at: None,
            });
            self.heartbeats.insert(Arc::clone(&name), Heartbeat { row, wake_at: None });
            self.recorder.heartbeats.insert(Arc::clone(&name));
            self.await_heartbeat(now, monitor);
        }
    }

    /// While we were down nobody could be heard: everything gets its whole time anew.
    pub(super) fn forgive_heartbeats(&mut self, now: Timestamp) {
        let policy = Arc::clone(&self.policy);
        for monitor in &policy.heartbeats {
            let Some(heartbeat) = self.heartbeats.get_mut(&monitor.name) else { continue };
            if heartbeat.row.missed_at.is_none() {
                heartbeat.row.known_since = now;
                self.await_heartbeat(now, monitor);
            }
        }
    }

    fn await_heartbeat(&mut self, now: Timestamp, monitor: &HeartbeatMonitor) {
        let Some(heartbeat) = self.heartbeats.get_mut(&monitor.name) else { return };
        let row = &heartbeat.row;
        let since = row.heard_at.unwrap_or(row.known_since).max(row.known_since);
        let at = match row.missed_at {
            Some(_) => now,
            None => later(since, monitor.timeout),
        };
        let old = heartbeat.wake_at.replace(at);
        if let Some(old) = old {
            self.timers.remove(&(old, Timer::Heartbeat(Arc::clone(&monitor.name))));
        }
        self.schedule(at, Timer::Heartbeat(Arc::clone(&monitor.name)));
    }

    /// Something says that it is alive.
    pub(super) fn beat(&mut self, now: Timestamp, name: &Arc<str>) -> Result<(), Rejection> {
        let policy = Arc::clone(&self.policy);
        let monitor = policy.heartbeats.iter().find(|monitor| monitor.name == *name);
        let (Some(monitor), Some(heartbeat)) = (monitor, self.heartbeats.get_mut(name)) else {
            return Err(Rejection::UnknownHeartbeat { name: name.to_string() });
        };
        heartbeat.row.heard_at = Some(now);
        let missed = heartbeat.row.missed_at.take();
        self.recorder.heartbeats.insert(Arc::clone(name));
        if let Some(since) = missed {
            self.record(now, Event::HeartbeatHeard { name: Arc::clone(name), missed_since: since });
            self.tell_heartbeat(now, name, monitor, true);
        }
        self.await_heartbeat(now, monitor);
        Ok(())
    }

    pub(super) fn heartbeat_due(&mut self, now: Timestamp, name: &Arc<str>) {
        let policy = Arc::clone(&self.policy);
        let Some(monitor) = policy.heartbeats.iter().find(|monitor| monitor.name == *name) else {
            return;
        };
        let Some(heartbeat) = self.heartbeats.get_mut(name) else { return };
        heartbeat.wake_at = None;
        if heartbeat.row.missed_at.is_none() {
            heartbeat.row.missed_at = Some(now);
            let heard_at = heartbeat.row.heard_at;
            self.recorder.heartbeats.insert(Arc::clone(name));
            self.record(now, Event::HeartbeatMissed { name: Arc::clone(name), heard_at });
        }
        self.tell_heartbeat(now, name, monitor, false);
        let at = later(now, TELL_AGAIN);
        if let Some(heartbeat) = self.heartbeats.get_mut(name) {
            heartbeat.wake_at = Some(at);
        }
        self.schedule(at, Timer::Heartbeat(Arc::clone(name)));
    }

    /// Ends the alert of a monitor that is no longer watched, whatever labels it had.
    fn end_heartbeat(&mut self, now: Timestamp, name: &str) {
        let is_its = |labels: &Labels| {
            labels.get(ALERTNAME) == Some(MISSED) && labels.get("heartbeat") == Some(name)
        };
        let known = self.alerts.values().filter(|alert| !alert.is_resolved);
        let known = known.filter(|alert| is_its(&alert.identity.labels));
        let over = known.map(|alert| {
            let annotations = alert.description.annotations.clone();
            let mut over = IncomingAlert::new(alert.identity.labels.clone(), annotations);
            over.starts_at = Some(alert.activity.starts_at);
            over.ends_at = Some(now);
            over
        });
        let over: Vec<IncomingAlert> = over.collect();
        self.ingest(now, over);
    }

    /// Raises or ends the alert of a monitor.
    fn tell_heartbeat(
        &mut self,
        now: Timestamp,
        name: &Arc<str>,
        monitor: &HeartbeatMonitor,
        is_over: bool,
    ) {
        let pair =
            |name: &str, value: &str| (CompactString::from(name), CompactString::from(value));
        let mut labels = vec![pair(ALERTNAME, MISSED), pair("heartbeat", name)];
        let mut annotations = Vec::new();
        labels.extend(monitor.labels.iter().map(|(name, value)| pair(name, value)));
        annotations.extend(monitor.annotations.iter().map(|(name, value)| pair(name, value)));
        if !annotations.iter().any(|(name, _)| name == "summary") {
            let text = format!("nothing was heard from {name} for {:#}", monitor.timeout);
            annotations.push(pair("summary", &text));
        }
        let labels = Labels::new(labels);
        let mut alert = IncomingAlert::new(labels, Labels::new(annotations));
        alert.ends_at = Some(if is_over { now } else { later(now, ALERT_LIFE) });
        let missed_at = self.heartbeats.get(name).and_then(|it| it.row.missed_at);
        alert.starts_at = Some(missed_at.unwrap_or(now));
        self.ingest(now, vec![alert]);
    }

    pub(super) fn heartbeat_row(&self, name: &str) -> Option<HeartbeatRow> {
        Some(self.heartbeats.get(name)?.row.clone())
    }

    /// Returns the monitors as they stand, by name.
    pub fn heartbeats(&self) -> impl Iterator<Item = &HeartbeatRow> {
        self.heartbeats.values().map(|heartbeat| &heartbeat.row)
    }
}
