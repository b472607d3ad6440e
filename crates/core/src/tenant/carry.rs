//! What was told under a key that no group has any more is carried over to the groups that its
//! alerts are in now: a route whose key changes forgets nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Tenant;
use crate::ids::OutboxNumber;
use crate::labels::Fingerprint;
use crate::notification::{LogEntry, LogKey};

impl Tenant {
    /// Carries the log over to the groups that its alerts are in at present.
    ///
    /// Only with `resolve_follows_page`: Alertmanager leaves such entries behind, tells what fires
    /// once more and never tells that it ended.
    pub(super) fn carry_log(&mut self) {
        let told: Vec<LogKey> = self
            .log
            .iter()
            .filter(|(_, entry)| !entry.firing.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        for key in told {
            self.carry_entry(&key);
        }
    }

    /// Moves each alert that an entry tells as firing to where it is told about from now on. What
    /// nobody takes over stays: a later configuration may have the key again.
    pub(super) fn carry_entry(&mut self, key: &LogKey) {
        if !self.policy.compat.resolve_follows_page {
            return;
        }
        let Some(old) = self.log.get(key) else { return };
        let mut staying = Vec::new();
        let mut moved: BTreeMap<LogKey, Vec<Fingerprint>> = BTreeMap::new();
        for fingerprint in &old.firing {
            let heirs = self.heirs(key, *fingerprint);
            if heirs.is_empty() {
                staying.push(*fingerprint);
            }
            for heir in heirs {
                moved.entry(heir).or_default().push(*fingerprint);
            }
        }
        if moved.is_empty() {
            return;
        }
        let mut old = LogEntry { firing: staying, ..old.clone() };
        // A message that several groups updated would tell of only one of them.
        let is_handed_over = moved.len() == 1 && old.firing.is_empty();
        let receipt = old.receipt.take_if(|_| is_handed_over);
        for (heir, fingerprints) in moved {
            let entry = self.log.entry(heir.clone()).or_insert_with(|| LogEntry {
                told_at: old.told_at,
                firing: Vec::new(),
                resolved: Vec::new(),
                expires_at: old.expires_at,
                receipt: receipt.clone(),
                page_key: old.page_key.clone(),
                doubted: Vec::new(),
            });
            entry.resolved.retain(|fp| fingerprints.binary_search(fp).is_err());
            entry.firing.extend(fingerprints);
            entry.firing.sort_unstable();
            entry.firing.dedup();
            // Whoever was told first is reminded in time.
            entry.told_at = entry.told_at.min(old.told_at);
            entry.expires_at = entry.expires_at.max(old.expires_at);
            self.recorder.forgotten_log.remove(&heir);
            self.recorder.log.insert(heir);
        }
        if old.firing.is_empty() {
            self.log.remove(key);
            self.recorder.log.remove(key);
            self.recorder.forgotten_log.insert(key.clone());
        } else {
            self.log.insert(key.clone(), old);
            self.recorder.log.insert(key.clone());
        }
    }

    /// Gives notifications on their way the key of the one group that all their alerts are in
    /// now. Where there is none, or several, they keep the key they have.
    pub(super) fn carry_outbox(&mut self) {
        if !self.policy.compat.resolve_follows_page {
            return;
        }
        let present = self.present_keys();
        let orphans: Vec<OutboxNumber> = self
            .outbox
            .iter()
            .filter(|(_, outbound)| !present.contains(&outbound.entry.key.group))
            .map(|(number, _)| *number)
            .collect();
        for number in orphans {
            let Some(outbound) = self.outbox.get(&number) else { continue };
            let entry = &outbound.entry;
            let alerts = entry.firing.iter().chain(&entry.resolved);
            let mut heirs: BTreeSet<LogKey> =
                alerts.flat_map(|fp| self.heirs(&entry.key, *fp)).collect();
            let Some(heir) = heirs.pop_first().filter(|_| heirs.is_empty()) else { continue };
            // One that the group has on its way already may not be lost sight of.
            if self.in_flight.contains_key(&heir) {
                continue;
            }
            let Some(outbound) = self.outbox.get_mut(&number) else { continue };
            let old = std::mem::replace(&mut outbound.entry.key, heir.clone());
            self.in_flight.remove(&old);
            self.in_flight.insert(heir, number);
            self.recorder.outbox.insert(number);
        }
    }

    fn present_keys(&self) -> BTreeSet<Arc<str>> {
        self.groups.values().map(|group| Arc::clone(&group.key)).collect()
    }

    /// Returns the keys under which the same integration is told about an alert at present; none
    /// while it is still told under this one.
    fn heirs(&self, key: &LogKey, fingerprint: Fingerprint) -> BTreeSet<LogKey> {
        let Some(alert) = self.alerts.get(&fingerprint) else { return BTreeSet::new() };
        let exists = self.policy.receiver(&key.receiver).is_some_and(|receiver| {
            receiver.integrations.iter().any(|i| *i.kind == *key.kind && i.index == key.index)
        });
        if !exists {
            return BTreeSet::new();
        }
        let groups = || alert.groups.iter().filter_map(|number| self.groups.get(number));
        if groups().any(|group| group.key == key.group) {
            return BTreeSet::new();
        }
        groups()
            .filter(|group| self.policy.routes.get(group.route).receiver == key.receiver)
            .map(|group| LogKey { group: Arc::clone(&group.key), ..key.clone() })
            .collect()
    }
}
