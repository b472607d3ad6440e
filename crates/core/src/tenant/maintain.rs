//! Maintenance windows: their occurrences open and close by themselves.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Tenant, Timer};
use crate::command::Rejection;
use crate::event::Event;
use crate::labels::{Fingerprint, Labels};
use crate::maintenance::{MaintenanceWindow, Occurrence};

/// The most maintenance windows a tenant may have; each is asked for its next occurrence when one
/// of its own ends.
const MAX_WINDOWS: usize = 1_000;

/// A window and the occurrence that is open.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) window: MaintenanceWindow,
    pub(super) is_provisioned: bool,
    pub(super) open: Option<Occurrence>,
}

impl Tenant {
    pub(super) fn set_maintenance_window(
        &mut self,
        now: Timestamp,
        window: MaintenanceWindow,
    ) -> Result<(), Rejection> {
        let name = Arc::clone(&window.name);
        match self.windows.get(&name) {
            Some(known) if known.is_provisioned => {
                return Err(Rejection::Provisioned { name: name.to_string() });
            }
            None if self.windows.len() >= MAX_WINDOWS => {
                return Err(Rejection::TooManyMaintenanceWindows { limit: MAX_WINDOWS });
            }
            _ => {}
        }
        let by = window.created_by.clone();
        self.record(now, Event::MaintenanceWindowSet { name: Arc::clone(&name), by });
        self.close_window(now, &name);
        self.windows
            .insert(Arc::clone(&name), Window { window, is_provisioned: false, open: None });
        self.recorder.windows.insert(Arc::clone(&name));
        self.recorder.deleted_windows.remove(&*name);
        self.window_due(now, &name);
        Ok(())
    }

    pub(super) fn delete_maintenance_window(
        &mut self,
        now: Timestamp,
        name: &str,
    ) -> Result<(), Rejection> {
        let Some((key, window)) = self.windows.get_key_value(name) else {
            return Err(Rejection::UnknownMaintenanceWindow { name: name.to_owned() });
        };
        if window.is_provisioned {
            return Err(Rejection::Provisioned { name: name.to_owned() });
        }
        let key = Arc::clone(key);
        self.close_window(now, &key);
        self.windows.remove(&key);
        self.recorder.windows.remove(&key);
        self.recorder.deleted_windows.insert(name.to_owned());
        self.record(now, Event::MaintenanceWindowDeleted { name: key });
        Ok(())
    }

    /// Takes over the windows of a configuration in the place of those of the last one. Those that
    /// did not change go on.
    pub(super) fn provision_windows(&mut self, now: Timestamp) {
        let policy = Arc::clone(&self.policy);
        let gone: Vec<Arc<str>> = self
            .windows
            .values()
            .filter(|entry| entry.is_provisioned)
            .filter(|entry| !policy.maintenance_windows.contains(&entry.window))
            .map(|entry| Arc::clone(&entry.window.name))
            .collect();
        for name in gone {
            self.close_window(now, &name);
            self.windows.remove(&name);
        }
        for window in &policy.maintenance_windows {
            let name = Arc::clone(&window.name);
            let goes_on = |known: &Window| known.is_provisioned && known.window == *window;
            if self.windows.get(&name).is_some_and(goes_on) {
                continue;
            }
            self.close_window(now, &name);
            let window = Window { window: window.clone(), is_provisioned: true, open: None };
            self.windows.insert(Arc::clone(&name), window);
            self.window_due(now, &name);
        }
    }

    /// Takes up a window that the store holds. That an occurrence is open already is no news.
    pub(super) fn take_up_window(&mut self, now: Timestamp, window: MaintenanceWindow) {
        let name = Arc::clone(&window.name);
        let open = window.occurrence_at(now);
        self.windows.insert(Arc::clone(&name), Window { window, is_provisioned: false, open });
        self.window_due(now, &name);
    }

    /// Brings the effect of a window in line with the time, and sets the timer of its next change.
    pub(super) fn window_due(&mut self, now: Timestamp, name: &Arc<str>) {
        let Some(entry) = self.windows.get(name) else { return };
        let current = entry.window.occurrence_at(now);
        if entry.open.is_some() && current.is_none() {
            self.close_window(now, name);
        }
        if let Some(occurrence) = current {
            self.open_window(now, name, occurrence);
            self.schedule(occurrence.ends_at, Timer::Window(Arc::clone(name)));
            return;
        }
        let next = self.windows.get(name).and_then(|entry| entry.window.next_occurrence(now));
        if let Some(next) = next {
            self.schedule(next.starts_at, Timer::Window(Arc::clone(name)));
        }
    }

    /// Returns the names of the open windows that match, ascending.
    pub(super) fn open_windows_matching(&self, labels: &Labels) -> Vec<Arc<str>> {
        self.windows
            .iter()
            .filter(|(_, entry)| entry.open.is_some() && entry.window.matchers.matches(labels))
            .map(|(name, _)| Arc::clone(name))
            .collect()
    }

    fn open_window(&mut self, now: Timestamp, name: &Arc<str>, occurrence: Occurrence) {
        let Some(entry) = self.windows.get_mut(name) else { return };
        if entry.open.replace(occurrence).is_some() {
            return;
        }
        let matchers = entry.window.matchers.clone();
        for alert in self.alerts.values_mut() {
            if matchers.matches(&alert.identity.labels)
                && let Err(place) = alert.maintained_by.binary_search(name)
            {
                alert.maintained_by.insert(place, Arc::clone(name));
            }
        }
        let ends_at = occurrence.ends_at;
        self.record(now, Event::MaintenanceStarted { name: Arc::clone(name), ends_at });
    }

    fn close_window(&mut self, now: Timestamp, name: &Arc<str>) {
        let Some(entry) = self.windows.get_mut(name) else { return };
        if entry.open.take().is_none() {
            return;
        }
        let mut freed: Vec<Fingerprint> = Vec::new();
        for (fingerprint, alert) in &mut self.alerts {
            if let Ok(place) = alert.maintained_by.binary_search(name) {
                alert.maintained_by.remove(place);
                freed.push(*fingerprint);
            }
        }
        self.record(now, Event::MaintenanceEnded { name: Arc::clone(name) });
        self.look_after_unmute(now, &freed);
    }
}
