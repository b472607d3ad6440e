//! How an incident ended. What others make a status of, such as merged or cancelled, is one of
//! these: the incident is resolved, and this says how.

use serde::{Deserialize, Serialize};

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionCode {
    /// What caused it is repaired.
    Fixed,
    /// Its effects are gone; the cause may not be.
    Mitigated,
    /// It went away by itself.
    SelfRecovered,
    /// There was no harm.
    FalsePositive,
    /// It is the same as another one.
    Duplicate,
    /// It goes on as part of another one.
    Merged,
    /// It was not to be an incident.
    Cancelled,
    /// Nothing will be done about it.
    WontFix,
    /// It was meant to happen.
    Expected,
}

impl ResolutionCode {
    /// All, in the order of the manual.
    pub const ALL: [Self; 9] = [
        Self::Fixed,
        Self::Mitigated,
        Self::SelfRecovered,
        Self::FalsePositive,
        Self::Duplicate,
        Self::Merged,
        Self::Cancelled,
        Self::WontFix,
        Self::Expected,
    ];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Mitigated => "mitigated",
            Self::SelfRecovered => "self_recovered",
            Self::FalsePositive => "false_positive",
            Self::Duplicate => "duplicate",
            Self::Merged => "merged",
            Self::Cancelled => "cancelled",
            Self::WontFix => "wont_fix",
            Self::Expected => "expected",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|code| code.as_str() == lower)
    }

    /// Returns whether the same problem coming back soon means that it was not over: the incident
    /// is reopened rather than another one begun.
    pub fn may_reopen(self) -> bool {
        matches!(self, Self::Fixed | Self::Mitigated | Self::SelfRecovered)
    }

    /// Returns whether it was an incident of its own, so that its times count.
    pub fn counts(self) -> bool {
        !matches!(self, Self::FalsePositive | Self::Duplicate | Self::Merged | Self::Cancelled)
    }

    /// Returns whether there is something to learn from it, so that a postmortem may be due.
    pub fn is_reviewed(self) -> bool {
        self.counts() && self != Self::Expected
    }
}

impl std::fmt::Display for ResolutionCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_groups_are_as_designed() {
        for code in ResolutionCode::ALL {
            assert_eq!(ResolutionCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(ResolutionCode::parse("done"), None);
        let of = |wanted: fn(ResolutionCode) -> bool| {
            ResolutionCode::ALL.into_iter().filter(|code| wanted(*code)).count()
        };
        assert_eq!(of(ResolutionCode::may_reopen), 3);
        assert_eq!(of(ResolutionCode::counts), 5);
        assert_eq!(of(ResolutionCode::is_reviewed), 4);
    }
}
