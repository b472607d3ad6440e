//! How far a postmortem is, and what may follow.

use serde::{Deserialize, Serialize};

/// How far a postmortem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostmortemState {
    /// It is being written.
    Draft,
    /// A time to talk about it is set.
    Scheduled,
    /// Others read it.
    InReview,
    /// Nothing is missing.
    Completed,
    /// Everybody may read it, and it changes no more.
    Published,
    /// It was decided that none is needed.
    Waived,
}

impl PostmortemState {
    /// All, as a postmortem usually goes.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Scheduled,
        Self::InReview,
        Self::Completed,
        Self::Published,
        Self::Waived,
    ];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::InReview => "in_review",
            Self::Completed => "completed",
            Self::Published => "published",
            Self::Waived => "waived",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|state| state.as_str() == lower)
    }

    /// Returns whether somebody still has to do something about it.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Published | Self::Waived)
    }

    /// Returns whether its words may be changed.
    pub fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::Scheduled | Self::InReview)
    }

    /// Returns whether going from here to there takes a word of explanation.
    pub fn needs_reason(self, to: Self) -> bool {
        to == Self::Waived || (!self.is_open() && to == Self::Draft)
    }
}

impl std::fmt::Display for PostmortemState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns where a postmortem may go from here: only what is completed can be published, and what
/// is published goes back only as a new version.
pub fn allowed_from(state: PostmortemState) -> &'static [PostmortemState] {
    use PostmortemState::{Completed, Draft, InReview, Published, Scheduled, Waived};
    match state {
        Draft => &[Scheduled, InReview, Completed, Waived],
        Scheduled => &[Draft, InReview, Completed, Waived],
        InReview => &[Draft, Scheduled, Completed, Waived],
        Completed => &[Draft, InReview, Published],
        Published | Waived => &[Draft],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_completed_is_published_and_words_are_read_back() {
        for state in PostmortemState::ALL {
            assert_eq!(PostmortemState::parse(state.as_str()), Some(state));
            assert!(!allowed_from(state).contains(&state));
            assert!(!allowed_from(state).is_empty());
            let publishes = allowed_from(state).contains(&PostmortemState::Published);
            assert_eq!(publishes, state == PostmortemState::Completed);
        }
        assert_eq!(PostmortemState::parse("done"), None);
        assert!(PostmortemState::Published.needs_reason(PostmortemState::Draft));
        assert!(!PostmortemState::InReview.needs_reason(PostmortemState::Draft));
    }
}
