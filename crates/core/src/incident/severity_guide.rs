//! What each severity means to people: its name, whom it harms, and what is one.

use crate::severity::Severity;

/// What a severity means to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeverityGuide {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub description: &'static str,
    /// What users notice.
    pub user_impact: &'static str,
    /// What is one.
    pub examples: [&'static str; 3],
}

impl SeverityGuide {
    /// Returns what a severity means.
    ///
    /// Source: the severity matrix of the incident response guide.
    pub fn of(severity: Severity) -> Self {
        match severity {
            Severity::Sev1 => Self {
                name: "Critical",
                description: "Nothing works, data is lost, or somebody broke in.",
                user_impact: "All users, or nearly all, cannot use the service.",
                examples: [
                    "the whole service is down",
                    "data is lost or damaged",
                    "somebody reads what they must not",
                ],
            },
            Severity::Sev2 => Self {
                name: "Major",
                description: "Something central works badly or not at all.",
                user_impact: "Half of the users or more are concerned.",
                examples: ["customers cannot pay", "half of all requests fail", "a region is down"],
            },
            Severity::Sev3 => Self {
                name: "Minor",
                description: "Part of it works badly, and there is a way around it.",
                user_impact: "Some users, a tenth or more, are concerned.",
                examples: [
                    "answers take five times as long",
                    "search finds nothing, the rest works",
                    "a tenth of requests fail",
                ],
            },
            Severity::Sev4 => Self {
                name: "Low",
                description: "A small fault.",
                user_impact: "Few users notice it.",
                examples: [
                    "a report is late",
                    "a page looks wrong",
                    "one request in a hundred fails",
                ],
            },
            Severity::Sev5 => Self {
                name: "Informational",
                description: "Nothing is harmed; somebody should know.",
                user_impact: "None.",
                examples: [
                    "a disk will be full in weeks",
                    "a certificate is to be renewed",
                    "one of several copies restarted",
                ],
            },
        }
    }
}
