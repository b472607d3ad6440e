//! Where an incident stands: eight stored statuses, and the simpler words that follow from them.

use serde::{Deserialize, Serialize};

/// Where an incident stands. Ordered as an incident usually goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is known, and nobody has taken it.
    Detected,
    /// Somebody has taken it.
    Acknowledged,
    /// Somebody looks for the cause.
    Investigating,
    /// The cause is known.
    Identified,
    /// Something is being done against it.
    Mitigating,
    /// What was done seems to hold, and is watched.
    Monitoring,
    /// The harm is over.
    Resolved,
    /// Nothing is left to do about it.
    Closed,
}

/// The four words for those who want it simple; derived, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has taken it.
    Open,
    /// Somebody has taken it.
    Acknowledged,
    /// Somebody works on it.
    Investigating,
    /// It is over.
    Resolved,
}

/// What a public status page says of it; derived, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicStatus {
    /// We look for the cause.
    Investigating,
    /// We know the cause.
    Identified,
    /// We watch whether it holds.
    Monitoring,
    /// It is over.
    Resolved,
}

impl PublicStatus {
    /// Returns the word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

impl Status {
    /// All, in the order an incident usually goes.
    pub const ALL: [Self; 8] = [
        Self::Detected,
        Self::Acknowledged,
        Self::Investigating,
        Self::Identified,
        Self::Mitigating,
        Self::Monitoring,
        Self::Resolved,
        Self::Closed,
    ];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Acknowledged => "acknowledged",
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Mitigating => "mitigating",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Reads a status, or the word `open` for [`Self::Detected`]; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        if lower == "open" {
            return Some(Self::Detected);
        }
        Self::ALL.into_iter().find(|status| status.as_str() == lower)
    }

    /// Returns the simpler word.
    pub fn state(self) -> State {
        match self {
            Self::Detected => State::Open,
            Self::Acknowledged => State::Acknowledged,
            Self::Investigating | Self::Identified | Self::Mitigating | Self::Monitoring => {
                State::Investigating
            }
            Self::Resolved | Self::Closed => State::Resolved,
        }
    }

    /// Returns the word of a public status page.
    pub fn public(self) -> PublicStatus {
        match self {
            Self::Detected | Self::Acknowledged | Self::Investigating => {
                PublicStatus::Investigating
            }
            Self::Identified | Self::Mitigating => PublicStatus::Identified,
            Self::Monitoring => PublicStatus::Monitoring,
            Self::Resolved | Self::Closed => PublicStatus::Resolved,
        }
    }

    /// Returns whether harm goes on, as far as is known.
    pub fn is_active(self) -> bool {
        self < Self::Resolved
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl State {
    /// All, in order.
    pub const ALL: [Self; 4] =
        [Self::Open, Self::Acknowledged, Self::Investigating, Self::Resolved];

    /// Returns the word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Investigating => "investigating",
            Self::Resolved => "resolved",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|state| state.as_str() == lower)
    }

    /// Returns the statuses that it stands for.
    pub fn statuses(self) -> impl Iterator<Item = Status> {
        Status::ALL.into_iter().filter(move |status| status.state() == self)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_vocabularies_are_understood() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse(" Open "), Some(Status::Detected));
        assert_eq!(Status::parse("merged"), None);
        assert_eq!(State::parse("open"), Some(State::Open));
        assert_eq!(State::parse("closed"), None);
    }

    #[test]
    fn every_status_has_exactly_one_state() {
        let mut all: Vec<Status> = State::ALL.into_iter().flat_map(State::statuses).collect();
        all.sort_unstable();
        assert_eq!(all, Status::ALL);
        assert_eq!(State::Resolved.statuses().count(), 2);
        assert!(Status::ALL.iter().all(|it| it.is_active() == (it.state() != State::Resolved)));
    }

    #[test]
    fn the_public_words_follow_the_status() {
        let words = Status::ALL.map(Status::public);
        assert_eq!(words[2], PublicStatus::Investigating);
        assert_eq!(words[4], PublicStatus::Identified);
        assert_eq!(words[5], PublicStatus::Monitoring);
        assert_eq!(words[7], PublicStatus::Resolved);
    }
}
