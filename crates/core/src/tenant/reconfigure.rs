//! A new configuration takes effect: groups are built anew from the alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use super::inhibit::Inhibition;
use crate::event::Event;
use crate::ids::{GroupNumber, OutboxNumber};
use crate::labels::Fingerprint;
use crate::policy::Policy;

impl Tenant {
    /// Alertmanager's rule: all timers restart, groups whose alerts are older than `group_wait`
    /// are looked at at once, and the log keeps them from being told again.
    pub(super) fn reconfigure(&mut self, now: Timestamp, policy: Arc<Policy>) {
        self.policy = policy;
        self.groups_are_stale = true;
        // Alertmanager groups anew whatever it still knows, alerts that ended long ago included.
        let takes_all = !self.policy.compat.resolve_follows_page;
        let grouped: Vec<Fingerprint> = self
            .alerts
            .iter()
            .filter(|(_, alert)| takes_all || !alert.is_resolved || !alert.groups.is_empty())
            .map(|(fp, _)| *fp)
            .collect();
        self.dissolve_groups();
        self.derive_anew();
        self.provision_windows(now);
        self.former = Some(Arc::clone(&self.directory));
        self.provision_identity();
        self.provision_heartbeats(now, Vec::new());
        self.provision_roster(now);
        for fingerprint in grouped {
            self.join_groups(now, fingerprint, false);
        }
        self.carry_log();
        self.readdress_outbox(now);
        self.look_at_runs_after_reload(now);
        self.look_at_incidents_after_reload(now);
        self.former = None;
        self.record(now, Event::Reconfigured { groups: self.groups.len() });
    }

    fn dissolve_groups(&mut self) {
        let numbers: Vec<GroupNumber> = self.groups.keys().copied().collect();
        for number in numbers {
            if let Some(group) = self.groups.remove(&number) {
                if let Some(at) = group.wake_at {
                    self.timers.remove(&(at, super::Timer::Flush(number)));
                }
                self.recorder.groups.remove(&number);
                self.recorder.closed_groups.push(number);
            }
        }
        self.group_index.clear();
        for alert in self.alerts.values_mut() {
            alert.groups.clear();
        }
    }

    /// Works out anew what the configuration says of each known alert.
    fn derive_anew(&mut self) {
        self.destinations = BTreeMap::new();
        self.inhibition = Inhibition::new(&self.policy.inhibit_rules);
        let known: Vec<Fingerprint> = self.alerts.keys().copied().collect();
        for fingerprint in known {
            let Some(alert) = self.alerts.get(&fingerprint) else { continue };
            let identity = Arc::clone(&alert.identity);
            let is_resolved = alert.is_resolved;
            let destinations = self.destinations_of(&identity.labels);
            let sides = self.inhibition.enroll(&identity.labels);
            if !is_resolved {
                self.inhibition.fires(fingerprint, &sides);
            }
            if let Some(alert) = self.alerts.get_mut(&fingerprint) {
                alert.destinations = destinations;
                alert.sides = sides;
            }
        }
        self.recount_firing();
    }

    /// Notifications on their way belong to the new groups with their keys, or to those that their
    /// alerts moved to; those whose integration is gone are given up.
    pub(super) fn readdress_outbox(&mut self, now: Timestamp) {
        self.carry_outbox();
        let by_key: BTreeMap<Arc<str>, GroupNumber> =
            self.groups.values().map(|group| (Arc::clone(&group.key), group.number)).collect();
        let numbers: Vec<OutboxNumber> = self.outbox.keys().copied().collect();
        for number in numbers {
            let Some(outbound) = self.outbox.get_mut(&number) else { continue };
            let entry = &mut outbound.entry;
            if let Some(group) = by_key.get(&entry.key.group) {
                entry.group = *group;
                self.recorder.outbox.insert(number);
            }
            let key = &entry.key;
            let exists = self.policy.receiver(&key.receiver).is_some_and(|receiver| {
                receiver.integrations.iter().any(|i| *i.kind == *key.kind && i.index == key.index)
            });
            if !exists {
                let why = format!("the configuration no longer has {}", key.integration());
                self.abandon(now, number, why);
            }
        }
    }
}
