//! A postmortem drafted from what was recorded, without any language model.
//!
//! Every sentence names the rows that it follows from. What the data do not say is left to people:
//! a section without data stays empty and asks its question.

mod factors;
mod facts;
mod review;
mod story;

use super::{PostmortemDraft, SectionName};
use crate::incident::told;

pub use facts::{AlertFacts, Facts};

use facts::Words;

/// Returns what the data say about an incident. What must not be read of its timeline is not
/// quoted.
pub fn draft(facts: &Facts) -> PostmortemDraft {
    let told = told(&facts.entries, &facts.incident.marks);
    let entries = told.into_iter().map(|it| it.entry).collect();
    let facts = &Facts { entries, ..facts.clone() };
    let mut draft =
        PostmortemDraft { incident_version: facts.incident.version, ..PostmortemDraft::default() };
    let mut put = |name: SectionName, sentences: Words| {
        if !sentences.0.is_empty() {
            draft.sections.insert(name, sentences.0);
        }
    };
    put(SectionName::Summary, story::summary(facts));
    put(SectionName::Impact, story::impact(facts));
    put(SectionName::Timeline, story::phases(facts));
    put(SectionName::Detection, story::detection(facts));
    put(SectionName::Response, story::response(facts));
    put(SectionName::RootCause, factors::root_cause(facts));
    put(SectionName::ContributingFactors, factors::factors(facts));
    let review = review::review(facts);
    put(SectionName::WentWell, review.well);
    put(SectionName::CouldImprove, review.badly);
    if facts.recommends {
        draft.recommendations = review.recommendations;
    }
    draft
}

#[cfg(test)]
mod tests;
