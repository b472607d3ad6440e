//! What people call things: alerts by their labels, silences by the names a file gives them,
//! integrations without an index where there is only one.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::ids::{AlertNumber, GroupNumber, SilenceId};
use tocsin_core::labels::{ALERTNAME, Fingerprint, Labels};
use tocsin_core::policy::Policy;
use tocsin_core::quote;

/// Everything that was named so far.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) alerts: BTreeMap<AlertNumber, Labels>,
    pub(super) fingerprints: BTreeMap<Fingerprint, Labels>,
    pub(super) groups: BTreeMap<GroupNumber, (Arc<str>, Labels)>,
    silences: BTreeMap<SilenceId, String>,
    by_name: BTreeMap<String, SilenceId>,
}

impl Names {
    /// Says how a silence will be called if it comes to be.
    pub(super) fn expect_silence(&mut self, name: &str, id: SilenceId) {
        self.silences.insert(id, name.to_owned());
    }

    pub(super) fn call_silence(&mut self, name: &str, id: SilenceId) {
        if let Some(old) = self.by_name.insert(name.to_owned(), id)
            && old != id
        {
            self.silences.insert(old, format!("{name} (the old one)"));
        }
        self.silences.insert(id, name.to_owned());
    }

    pub(super) fn silence_id(&self, name: &str) -> Option<SilenceId> {
        self.by_name.get(name).copied()
    }

    pub(super) fn silence_names(&self) -> Vec<&str> {
        self.by_name.keys().map(String::as_str).collect()
    }

    pub(super) fn silence(&self, id: SilenceId) -> String {
        self.silences.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Puts names in the place of the numbers that silences and alerts are known by.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (id, name) in &self.silences {
            text = text.replace(&id.to_string(), name);
        }
        for (fingerprint, labels) in &self.fingerprints {
            text = text.replace(&fingerprint.to_string(), &alert(labels));
        }
        text
    }

    pub(super) fn alert(&self, number: AlertNumber) -> String {
        self.alerts.get(&number).map_or_else(|| format!("alert {number}"), alert)
    }

    pub(super) fn fingerprint(&self, fingerprint: Fingerprint) -> String {
        self.fingerprints.get(&fingerprint).map_or_else(|| fingerprint.to_string(), alert)
    }

    /// Returns the receiver of a group and the group's labels.
    pub(super) fn group(&self, number: GroupNumber) -> (String, String) {
        match self.groups.get(&number) {
            Some((receiver, labels)) => (receiver.to_string(), set(labels)),
            None => (format!("group {number}"), String::new()),
        }
    }
}

/// Prints `DiskFull{host="a"}`.
pub(super) fn alert(labels: &Labels) -> String {
    alert_without(labels, &Labels::default())
}

/// Prints an alert without the labels that its group has in common.
pub(super) fn alert_without(labels: &Labels, common: &Labels) -> String {
    let is_common = |name: &str| common.get(name).is_some();
    let name = labels.get(ALERTNAME).filter(|_| !is_common(ALERTNAME)).unwrap_or("");
    let name = if quote::is_classic_name(name) || name.is_empty() {
        name.to_owned()
    } else {
        quote::go(name)
    };
    let rest: Labels = labels.iter().filter(|(n, _)| *n != ALERTNAME && !is_common(n)).collect();
    if rest.is_empty() && !name.is_empty() { name } else { format!("{name}{}", set(&rest)) }
}

/// Prints `{a="1", b="2"}`.
pub(super) fn set(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{}={}", quote::name(name), quote::go(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// Prints `team/webhook` where `team` has one webhook, `team/webhook[1]` where it has more.
pub(super) fn integration(policy: &Policy, name: &str) -> String {
    let Some((receiver, kind)) = name.rsplit_once('/') else { return name.to_owned() };
    let kind = kind.split('[').next().unwrap_or(kind);
    let count = policy
        .receiver(receiver)
        .map_or(0, |r| r.integrations.iter().filter(|i| i.kind == kind).count());
    if count == 1 && name.ends_with("[0]") { format!("{receiver}/{kind}") } else { name.to_owned() }
}
