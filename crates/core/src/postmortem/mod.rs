//! Postmortems: what a team learns from an incident, drafted from what was recorded and finished
//! by people.
//!
//! There is at most one for an incident. What stands here only computes: which state may follow
//! which, what a draft says and why, which blocks are shown live. Who is told and what is written
//! is decided in [`crate::tenant`].

mod blame;
mod change;
mod document;
mod draft;
mod due;
mod live;
mod section;
mod state;

pub use blame::{BlameHint, blame_hints};
pub use change::{PostmortemDraft, PostmortemEdit, PostmortemStep};
pub use document::{
    MAX_POSTMORTEM_COMMENTS, MAX_TAG_CHARS, MAX_TAGS, Postmortem, PostmortemComment,
    Recommendation, Section, Sentence, Source,
};
pub use draft::{AlertFacts, Facts, draft};
pub use due::due_at;
pub use live::{LiveBlocks, LivePerson, LiveRow, MAX_LIVE_ROWS, live};
pub use section::SectionName;
pub use state::{PostmortemState, allowed_from};
