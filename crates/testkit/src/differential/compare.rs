//! What one side said and the other did not.

use std::collections::BTreeMap;
use std::fmt;

use super::moment::{TICK_MS, text};
use super::observe::Observed;

/// The most lines that a report quotes of one side about one thing.
const QUOTED: usize = 6;

/// What the two sides said on one occasion, without what both said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The tick.
    pub tick: i64,
    /// On what occasion.
    pub about: String,
    /// What only we said.
    pub ours: Vec<String>,
    /// What only Alertmanager said.
    pub theirs: Vec<String>,
}

/// Compares, tick by tick; the order within one does not count.
pub fn differences(ours: &Observed, theirs: &Observed) -> Vec<Difference> {
    let mut open: BTreeMap<(i64, &str), BTreeMap<&str, i64>> = BTreeMap::new();
    for (facts, by) in [(&ours.facts, 1), (&theirs.facts, -1)] {
        for fact in facts {
            let said = open.entry((fact.tick, &fact.about)).or_default();
            *said.entry(&fact.text).or_default() += by;
        }
    }
    let mut found = Vec::new();
    for ((tick, about), said) in open {
        let mut difference =
            Difference { tick, about: about.to_owned(), ours: Vec::new(), theirs: Vec::new() };
        for (text, balance) in said {
            let side = if balance > 0 { &mut difference.ours } else { &mut difference.theirs };
            for _ in 0..balance.unsigned_abs() {
                side.push(text.to_owned());
            }
        }
        if !difference.ours.is_empty() || !difference.theirs.is_empty() {
            found.push(difference);
        }
    }
    found
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", text(self.tick * TICK_MS), self.about)?;
        for (who, said) in [("Tocsin", &self.ours), ("Alertmanager", &self.theirs)] {
            for line in said.iter().take(QUOTED) {
                write!(f, "\n    only {who}: {line}")?;
            }
            if said.len() > QUOTED {
                write!(f, "\n    … and {} more", said.len() - QUOTED)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stream(messages: &[(i64, &str)]) -> Observed {
        let mut observed = Observed::new(0);
        for (at, status) in messages {
            let alert = json!({"status": status, "labels": {"alertname": "A"}});
            let body = json!({"status": status, "receiver": "r0", "alerts": [alert]});
            observed.message(*at, 0, true, &body);
        }
        observed
    }

    #[test]
    fn equal_streams_do_not_differ() {
        let one = stream(&[(1_205, "firing"), (3_204, "resolved")]);
        let other = stream(&[(1_720, "firing"), (3_201, "resolved")]);
        assert_eq!(differences(&one, &other), []);
    }

    #[test]
    fn a_dropped_message_is_told() {
        let theirs = stream(&[(1_205, "firing"), (3_204, "resolved")]);
        let found = differences(&stream(&[(1_205, "firing")]), &theirs);
        assert_eq!(found.len(), 1);
        assert!(found[0].ours.is_empty() && found[0].theirs.len() == 1);
        let report = found[0].to_string();
        assert!(report.starts_with("+3s, message to hook 0"), "{report}");
        assert!(report.contains("only Alertmanager: resolved to r0"), "{report}");
    }

    #[test]
    fn a_changed_status_a_repeated_and_a_late_message_are_told() {
        let theirs = stream(&[(1_205, "firing")]);
        for ours in [
            stream(&[(1_205, "resolved")]),
            stream(&[(1_205, "firing"), (1_210, "firing")]),
            stream(&[(2_205, "firing")]),
        ] {
            assert!(!differences(&ours, &theirs).is_empty(), "{ours:?}");
        }
    }
}
