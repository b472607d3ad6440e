//! How bad it is: five levels, and the words from outside that mean them.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// The label that says how bad an alert is.
pub const SEVERITY: &str = "severity";

/// How bad something is. Ordered from worst to least.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Critical.
    Sev1,
    /// High, or major.
    Sev2,
    /// Medium, or minor; also what nothing is said about.
    #[default]
    Sev3,
    /// Low.
    Sev4,
    /// Informational.
    Sev5,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; 5] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4, Self::Sev5];

    /// Returns the number as it is written: `sev1` to `sev5`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sev1 => "sev1",
            Self::Sev2 => "sev2",
            Self::Sev3 => "sev3",
            Self::Sev4 => "sev4",
            Self::Sev5 => "sev5",
        }
    }

    /// Returns the word that people say.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sev1 => "critical",
            Self::Sev2 => "high",
            Self::Sev3 => "medium",
            Self::Sev4 => "low",
            Self::Sev5 => "info",
        }
    }

    /// Returns how long an alert may stay unacknowledged before the next step is due, in minutes:
    /// 5, 15, 60 and 240; nothing waits for an informational one, which gets the longest.
    pub fn acknowledge_minutes(self) -> i64 {
        match self {
            Self::Sev1 => 5,
            Self::Sev2 => 15,
            Self::Sev3 => 60,
            Self::Sev4 | Self::Sev5 => 240,
        }
    }

    /// Returns whether it wakes people up: the worst two do.
    pub fn is_urgent(self) -> bool {
        self <= Self::Sev2
    }

    /// Reads `sev1` to `sev5` and the words that sources use by default; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Some(match lower.as_str() {
            "sev1" | "critical" | "crit" | "p1" | "l1" | "page" | "fatal" | "emergency"
            | "disaster" => Self::Sev1,
            "sev2" | "high" | "error" | "major" | "p2" => Self::Sev2,
            "sev3" | "warning" | "warn" | "medium" | "minor" | "l2" | "p3" | "average" => {
                Self::Sev3
            }
            "sev4" | "low" | "p4" => Self::Sev4,
            "sev5" | "info" | "informational" | "information" | "l3" | "p5" | "notice" | "none" => {
                Self::Sev5
            }
            _ => return None,
        })
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which words mean which severity: the usual ones, and those of a configuration before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeverityWords {
    /// By lower-cased word.
    pub own: BTreeMap<CompactString, Severity>,
    /// What a word that nobody knows, or none, means.
    pub otherwise: Severity,
}

impl SeverityWords {
    /// Returns what a label's value means.
    pub fn read(&self, word: Option<&str>) -> Severity {
        let Some(word) = word.filter(|word| !word.is_empty()) else { return self.otherwise };
        let lower = word.trim().to_ascii_lowercase();
        let own = self.own.get(lower.as_str()).copied();
        own.or_else(|| Severity::from_word(&lower)).unwrap_or(self.otherwise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sources_are_understood_and_own_ones_win() {
        for (word, severity) in [
            ("critical", Severity::Sev1),
            ("P1", Severity::Sev1),
            (" High ", Severity::Sev2),
            ("warning", Severity::Sev3),
            ("low", Severity::Sev4),
            ("info", Severity::Sev5),
            ("sev2", Severity::Sev2),
        ] {
            assert_eq!(Severity::from_word(word), Some(severity), "{word}");
        }
        assert_eq!(Severity::from_word("pineapple"), None);
        let own = BTreeMap::from([("warning".into(), Severity::Sev4)]);
        let words = SeverityWords { own, otherwise: Severity::Sev3 };
        assert_eq!(words.read(Some("WARNING")), Severity::Sev4);
        assert_eq!(words.read(Some("critical")), Severity::Sev1);
        assert_eq!(words.read(Some("pineapple")), Severity::Sev3);
        assert_eq!(words.read(None), Severity::Sev3);
    }

    #[test]
    fn the_worst_comes_first() {
        assert_eq!(Severity::ALL.iter().min(), Some(&Severity::Sev1));
        assert!(Severity::Sev2.is_urgent() && !Severity::Sev3.is_urgent());
    }
}
