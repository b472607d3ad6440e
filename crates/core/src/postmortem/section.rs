//! The sections of a postmortem, and what each asks.

use serde::{Deserialize, Serialize};

/// A section of a postmortem, in the order of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionName {
    /// What happened, in a few sentences.
    Summary,
    /// Whom it harmed, and how much.
    Impact,
    /// How it went on; the rows themselves are a live block.
    Timeline,
    /// How it was noticed.
    Detection,
    /// What was done about it.
    Response,
    /// What made it possible.
    RootCause,
    /// What else played a part.
    ContributingFactors,
    /// What helped.
    WentWell,
    /// What could be better.
    CouldImprove,
    /// What helped by chance.
    GotLucky,
    /// What the team takes along.
    LessonsLearned,
}

impl SectionName {
    /// All, in the order of the document.
    pub const ALL: [Self; 11] = [
        Self::Summary,
        Self::Impact,
        Self::Timeline,
        Self::Detection,
        Self::Response,
        Self::RootCause,
        Self::ContributingFactors,
        Self::WentWell,
        Self::CouldImprove,
        Self::GotLucky,
        Self::LessonsLearned,
    ];

    /// Those without which a postmortem is not complete.
    pub const REQUIRED: [Self; 4] =
        [Self::Summary, Self::Impact, Self::RootCause, Self::LessonsLearned];

    /// Returns the name that is stored and that programs use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Impact => "impact",
            Self::Timeline => "timeline",
            Self::Detection => "detection",
            Self::Response => "response",
            Self::RootCause => "root_cause",
            Self::ContributingFactors => "contributing_factors",
            Self::WentWell => "went_well",
            Self::CouldImprove => "could_improve",
            Self::GotLucky => "got_lucky",
            Self::LessonsLearned => "lessons_learned",
        }
    }

    /// Reads a name; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|section| section.as_str() == lower)
    }

    /// Returns the heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Impact => "Impact",
            Self::Timeline => "Timeline",
            Self::Detection => "Detection",
            Self::Response => "Response",
            Self::RootCause => "Root Cause",
            Self::ContributingFactors => "Contributing Factors",
            Self::WentWell => "What Went Well",
            Self::CouldImprove => "What Could Improve",
            Self::GotLucky => "Where We Got Lucky",
            Self::LessonsLearned => "Lessons Learned",
        }
    }

    /// Returns the question that whoever writes it answers. It asks how and what, never who.
    pub fn prompt(self) -> &'static str {
        match self {
            Self::Summary => "What happened, and what did it do to users? Two or three sentences.",
            Self::Impact => "Which users and services were harmed, how, and for how long?",
            Self::Timeline => "What led up to it, and how did it go on?",
            Self::Detection => "How was it noticed? What would have told us sooner?",
            Self::Response => "What was tried, in which order, and what did each attempt show?",
            Self::RootCause => "What made this possible? Ask what and how until no answer is left.",
            Self::ContributingFactors => "What else had to be as it was for this to happen?",
            Self::WentWell => "What helped, and should stay as it is?",
            Self::CouldImprove => "What made it harder or slower than it had to be?",
            Self::GotLucky => "What kept it from being worse, and was no merit of ours?",
            Self::LessonsLearned => "What do we know now, and what do we change?",
        }
    }

    /// Returns whether its sentences stand as a list rather than as a paragraph.
    pub fn is_list(self) -> bool {
        matches!(
            self,
            Self::Timeline
                | Self::ContributingFactors
                | Self::WentWell
                | Self::CouldImprove
                | Self::GotLucky
                | Self::LessonsLearned
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_prompts_blame_nobody() {
        for section in SectionName::ALL {
            assert_eq!(SectionName::parse(section.as_str()), Some(section));
            let words: Vec<_> = section.prompt().split(|c: char| !c.is_alphabetic()).collect();
            assert!(!words.iter().any(|it| ["who", "Who"].contains(it)), "{section:?}");
        }
        assert_eq!(SectionName::parse("blame"), None);
    }
}
