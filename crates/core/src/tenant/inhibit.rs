//! Inhibition: a firing source alert mutes target alerts that agree with it on chosen labels.
//!
//! For each rule, alerts with the same values for the rule's `equal` labels share a bucket that
//! holds *all* firing sources, so the end of one of two sources changes nothing. Labels never
//! change during an alert's life, so its buckets are found once, when it arrives.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;

use crate::alert::Inhibitor;
use crate::labels::{Fingerprint, Labels};
use crate::policy::InhibitRule;

/// The sides of one rule that an alert matches, and its bucket there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    rule: u32,
    bucket: u32,
    is_source: bool,
    is_target: bool,
}

/// All rules with their firing sources.
#[derive(Debug, Default)]
pub(super) struct Inhibition {
    rules: Vec<RuleIndex>,
}

#[derive(Debug)]
struct RuleIndex {
    rule: InhibitRule,
    keys: BTreeMap<Box<[CompactString]>, u32>,
    buckets: Vec<Bucket>,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Bucket {
    /// Firing sources that are not targets of the rule themselves.
    one_sided: BTreeSet<Fingerprint>,
    /// Firing sources that match both sides: they do not inhibit others that match both.
    two_sided: BTreeSet<Fingerprint>,
    /// Alerts that know this bucket.
    users: u32,
}

impl Inhibition {
    pub(super) fn new(rules: &[InhibitRule]) -> Self {
        let rules = rules
            .iter()
            .map(|rule| RuleIndex {
                rule: rule.clone(),
                keys: BTreeMap::new(),
                buckets: Vec::new(),
                free: Vec::new(),
            })
            .collect();
        Self { rules }
    }

    /// Finds the rules that concern an alert and takes a place in their buckets.
    pub(super) fn enroll(&mut self, labels: &Labels) -> Box<[Side]> {
        let mut sides = Vec::new();
        for (index, rule) in (0_u32..).zip(&mut self.rules) {
            let is_source = rule.rule.source.matches(labels);
            let is_target = rule.rule.target.matches(labels);
            if is_source || is_target {
                let bucket = rule.enroll(labels);
                sides.push(Side { rule: index, bucket, is_source, is_target });
            }
        }
        sides.into_boxed_slice()
    }

    /// Gives up the place of an alert that is forgotten.
    pub(super) fn leave(&mut self, labels: &Labels, sides: &[Side]) {
        for side in sides {
            self.rules[side.rule as usize].leave(labels, side.bucket);
        }
    }

    /// Notes that an alert fires.
    pub(super) fn fires(&mut self, fingerprint: Fingerprint, sides: &[Side]) {
        for side in sides.iter().filter(|side| side.is_source) {
            self.bucket_mut(side).sources_mut(side.is_target).insert(fingerprint);
        }
    }

    /// Notes that an alert is over.
    pub(super) fn ends(&mut self, fingerprint: Fingerprint, sides: &[Side]) {
        for side in sides.iter().filter(|side| side.is_source) {
            self.bucket_mut(side).sources_mut(side.is_target).remove(&fingerprint);
        }
    }

    /// Returns what inhibits an alert: the first rule that hits, and of its sources the one with
    /// the lowest fingerprint. An alert that matches both sides of a rule is not inhibited by
    /// another that does, and so never by itself.
    pub(super) fn inhibitor_of(&self, sides: &[Side]) -> Option<Inhibitor> {
        sides.iter().filter(|side| side.is_target).find_map(|side| {
            let bucket = &self.rules[side.rule as usize].buckets[side.bucket as usize];
            let one_sided = bucket.one_sided.first();
            let source =
                if side.is_source { one_sided } else { one_sided.or(bucket.two_sided.first()) };
            source.map(|source| Inhibitor { source: *source, rule: side.rule as usize })
        })
    }

    fn bucket_mut(&mut self, side: &Side) -> &mut Bucket {
        &mut self.rules[side.rule as usize].buckets[side.bucket as usize]
    }
}

impl RuleIndex {
    fn key(&self, labels: &Labels) -> Box<[CompactString]> {
        self.rule.equal.iter().map(|name| CompactString::from(labels.value(name))).collect()
    }

    fn enroll(&mut self, labels: &Labels) -> u32 {
        let key = self.key(labels);
        let index = match self.keys.get(&key) {
            Some(index) => *index,
            None => {
                let index = self.free.pop().unwrap_or_else(|| {
                    self.buckets.push(Bucket::default());
                    u32::try_from(self.buckets.len() - 1).unwrap_or(u32::MAX)
                });
                self.keys.insert(key, index);
                index
            }
        };
        self.buckets[index as usize].users += 1;
        index
    }

    fn leave(&mut self, labels: &Labels, index: u32) {
        let bucket = &mut self.buckets[index as usize];
        bucket.users -= 1;
        if bucket.users == 0 {
            *bucket = Bucket::default();
            let key = self.key(labels);
            self.keys.remove(&key);
            self.free.push(index);
        }
    }
}

impl Bucket {
    fn sources_mut(&mut self, is_two_sided: bool) -> &mut BTreeSet<Fingerprint> {
        if is_two_sided { &mut self.two_sided } else { &mut self.one_sided }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Matcher, Matchers};

    fn rule(source: (&str, &str), target: (&str, &str), equal: &[&str]) -> InhibitRule {
        let side = |(name, value): (&str, &str)| Matchers::new(vec![Matcher::equal(name, value)]);
        InhibitRule {
            name: None,
            source: side(source),
            target: side(target),
            equal: equal.iter().map(|name| CompactString::from(*name)).collect(),
        }
    }

    #[test]
    fn the_end_of_one_of_two_sources_changes_nothing() {
        let mut inhibition =
            Inhibition::new(&[rule(("severity", "critical"), ("severity", "warning"), &["host"])]);
        let labels = |name: &str, severity: &str| {
            Labels::from([("alertname", name), ("severity", severity), ("host", "a")])
        };
        let (first, second) = (labels("S1", "critical"), labels("S2", "critical"));
        let target = inhibition.enroll(&labels("T", "warning"));
        let (one, two) = (inhibition.enroll(&first), inhibition.enroll(&second));
        assert_eq!(inhibition.inhibitor_of(&target), None);
        inhibition.fires(first.fingerprint(), &one);
        inhibition.fires(second.fingerprint(), &two);
        inhibition.ends(first.fingerprint(), &one);
        let source = second.fingerprint();
        assert_eq!(inhibition.inhibitor_of(&target), Some(Inhibitor { source, rule: 0 }));
        inhibition.ends(second.fingerprint(), &two);
        assert_eq!(inhibition.inhibitor_of(&target), None);
    }

    #[test]
    fn alerts_that_match_both_sides_do_not_inhibit_each_other() {
        let mut inhibition = Inhibition::new(&[rule(("kind", "x"), ("kind", "x"), &[])]);
        let (a, b) =
            (Labels::from([("kind", "x"), ("n", "a")]), Labels::from([("kind", "x"), ("n", "b")]));
        let (sides_a, sides_b) = (inhibition.enroll(&a), inhibition.enroll(&b));
        inhibition.fires(a.fingerprint(), &sides_a);
        inhibition.fires(b.fingerprint(), &sides_b);
        assert_eq!(inhibition.inhibitor_of(&sides_a), None);
        assert_eq!(inhibition.inhibitor_of(&sides_b), None);
    }

    #[test]
    fn buckets_of_forgotten_alerts_are_used_again() {
        let mut inhibition = Inhibition::new(&[rule(("a", "1"), ("a", "2"), &["host"])]);
        for host in 0..100 {
            let labels = Labels::from([("a", "1"), ("host", format!("h{host}").as_str())]);
            let sides = inhibition.enroll(&labels);
            inhibition.leave(&labels, &sides);
        }
        assert_eq!(inhibition.rules[0].buckets.len(), 1);
        assert!(inhibition.rules[0].keys.is_empty());
    }
}
