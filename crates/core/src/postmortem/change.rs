//! What may be asked about a postmortem.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use jiff::Timestamp;

use super::{LiveBlocks, PostmortemState, Recommendation, SectionName, Sentence};
use crate::identity::Handle;

/// What the data say, to be put into a postmortem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostmortemDraft {
    /// The version of the incident that it tells of.
    pub incident_version: u64,
    /// The sentences of each section.
    pub sections: BTreeMap<SectionName, Vec<Sentence>>,
    /// What the data suggest to do.
    pub recommendations: Vec<Recommendation>,
}

/// Something that is done about a postmortem.
#[derive(Clone, Debug)]
pub enum PostmortemStep {
    /// It begins; nothing changes when it has begun already.
    Begin,
    /// What the data say is put in; what people wrote stays.
    Draft(Box<PostmortemDraft>),
    /// Somebody writes.
    Edit(Box<PostmortemEdit>),
    /// It goes on to another state.
    Move {
        /// Which.
        to: PostmortemState,
        /// Why; needed to waive it and to open it again.
        reason: String,
        /// The live blocks as they stand, for one that is published.
        frozen: Option<Box<LiveBlocks>>,
    },
    /// Somebody says something about it.
    Comment {
        /// About which section; `None` for the whole.
        section: Option<SectionName>,
        /// What, in Markdown; not empty.
        text: String,
    },
}

/// What is to be changed of a postmortem; what is `None` or absent stays.
#[derive(Clone, Debug, Default)]
pub struct PostmortemEdit {
    /// What it is called.
    pub title: Option<String>,
    /// Who sees to it; `Some(None)` for nobody.
    pub owner: Option<Option<Handle>>,
    /// When people meet; `Some(None)` for no time.
    pub review_at: Option<Option<Timestamp>>,
    /// Words by which it is found.
    pub tags: Option<BTreeSet<CompactString>>,
    /// What stands in which section; `None` puts back what the data say.
    pub sections: BTreeMap<SectionName, Option<String>>,
}
