//! A list of what people call things.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use tocsin_core::alert::Identity;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::ids::{AlertNumber, GroupNumber, SilenceId};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::policy::InhibitRule;
use tocsin_core::silence::Silence;

use super::Names;

/// What a group is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName {
    /// The name of its receiver.
    pub receiver: Arc<str>,
    /// Its labels.
    pub labels: Labels,
}

/// Who made a silence and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceName {
    /// Who.
    pub by: String,
    /// Why.
    pub comment: String,
}

/// What an inhibition rule is called, and on which labels it asks two alerts to agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName {
    /// Its optional name.
    pub name: Option<Arc<str>>,
    /// The labels.
    pub equal: Vec<CompactString>,
}

/// Knows the things it was told of.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    alerts: BTreeMap<AlertNumber, Arc<Identity>>,
    fingerprints: BTreeMap<Fingerprint, Arc<Identity>>,
    groups: BTreeMap<GroupNumber, GroupName>,
    silences: BTreeMap<SilenceId, SilenceName>,
    rules: Vec<RuleName>,
}

impl Directory {
    /// Takes in an alert under its own number, and for `number`: another life has other numbers
    /// and the same labels.
    pub fn add_alert(&mut self, number: AlertNumber, identity: &Arc<Identity>) {
        self.alerts.insert(number, Arc::clone(identity));
        self.add_identity(identity);
    }

    /// Takes in an alert.
    pub fn add_identity(&mut self, identity: &Arc<Identity>) {
        self.alerts.insert(identity.number, Arc::clone(identity));
        self.fingerprints.insert(identity.fingerprint, Arc::clone(identity));
    }

    /// Takes in a group.
    pub fn add_group(&mut self, number: GroupNumber, name: GroupName) {
        self.groups.insert(number, name);
    }

    /// Takes in a silence.
    pub fn add_silence(&mut self, silence: &Silence) {
        let name = SilenceName { by: silence.created_by.clone(), comment: silence.comment.clone() };
        self.silences.insert(silence.id, name);
    }

    /// Takes in the inhibition rules in the place of those known before.
    pub fn set_rules(&mut self, rules: &[InhibitRule]) {
        self.rules = rules
            .iter()
            .map(|rule| RuleName { name: rule.name.clone(), equal: rule.equal.clone() })
            .collect();
    }

    /// Takes in what an event tells of names, which is much for groups and silences and nothing
    /// for alerts: those carry their labels elsewhere.
    pub fn learn(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::GroupOpened { group, receiver, labels, .. } => {
                let name = GroupName { receiver: Arc::clone(receiver), labels: labels.clone() };
                self.groups.insert(*group, name);
            }
            Event::SilenceSet { id, by, comment, .. } => {
                let name = SilenceName { by: by.clone(), comment: comment.clone() };
                self.silences.insert(*id, name);
            }
            _ => {}
        }
    }

    /// Returns the alert with that fingerprint.
    pub fn identity(&self, fingerprint: Fingerprint) -> Option<&Arc<Identity>> {
        self.fingerprints.get(&fingerprint)
    }

    /// Forgets everything but the rules.
    pub fn clear(&mut self) {
        *self = Self { rules: std::mem::take(&mut self.rules), ..Self::default() };
    }

    /// Returns how many things are known, the rules aside.
    pub fn len(&self) -> usize {
        self.alerts.len() + self.fingerprints.len() + self.groups.len() + self.silences.len()
    }

    /// Returns whether nothing is known, the rules aside.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Names for Directory {
    fn alert(&self, number: AlertNumber) -> Option<&Labels> {
        self.alerts.get(&number).map(|identity| &identity.labels)
    }

    fn fingerprint(&self, fingerprint: Fingerprint) -> Option<&Labels> {
        self.fingerprints.get(&fingerprint).map(|identity| &identity.labels)
    }

    fn group(&self, number: GroupNumber) -> Option<&GroupName> {
        self.groups.get(&number)
    }

    fn silence(&self, id: SilenceId) -> Option<&SilenceName> {
        self.silences.get(&id)
    }

    fn rule(&self, index: usize) -> Option<&RuleName> {
        self.rules.get(index)
    }
}
