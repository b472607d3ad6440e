//! A postmortem as it is kept.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::{CompactString, format_compact};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LiveBlocks, PostmortemState, SectionName};
use crate::action::{ActionCategory, ActionPriority};
use crate::identity::Handle;
use crate::incident::{Author, BLACKED_OUT, BlackedOut, IncidentNumber};

/// The most tags of a postmortem or an article.
pub const MAX_TAGS: usize = 20;

/// The most characters of a tag.
pub const MAX_TAG_CHARS: usize = 40;

/// The most comments on one postmortem; what is said beyond is refused.
pub const MAX_POSTMORTEM_COMMENTS: u64 = 1_000;

/// What is learned from one incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Postmortem {
    /// Of which incident; there is at most one of each.
    pub incident: IncidentNumber,
    /// Counts every change of its words or its state.
    pub version: u64,
    /// How far it is.
    pub state: PostmortemState,
    /// What it is called.
    pub title: String,
    /// Whether the severity of the incident asks for it.
    pub is_required: bool,
    /// Until when it has to be published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// Who began it.
    pub created_by: Author,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
    /// Who sees to it that it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Handle>,
    /// When people meet to talk about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_at: Option<Timestamp>,
    /// When it was published last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Why none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived_because: Option<String>,
    /// When it was drafted from the data last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafted_at: Option<Timestamp>,
    /// The version of the incident that the draft tells of.
    #[serde(default)]
    pub drafted_from: u64,
    /// What it says.
    #[serde(default)]
    pub sections: BTreeMap<SectionName, Section>,
    /// What the data suggest to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommendations: Vec<Recommendation>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<CompactString>,
    /// How many comments there are.
    #[serde(default)]
    pub comments: u64,
    /// The live blocks as they were when it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Box<LiveBlocks>>,
}

impl Postmortem {
    /// Returns a section; an empty one when nothing was written.
    pub fn section(&self, name: SectionName) -> Section {
        self.sections.get(&name).cloned().unwrap_or_default()
    }

    /// Returns the required sections in which nothing stands.
    pub fn missing(&self) -> Vec<SectionName> {
        let is_empty = |name: &SectionName| self.sections.get(name).is_none_or(Section::is_empty);
        SectionName::REQUIRED.into_iter().filter(is_empty).collect()
    }

    /// Takes out what must not be read any more of the timeline that it was made from: of what was
    /// drafted, what people copied, and what was frozen.
    pub fn black_out(&mut self, out: &BlackedOut) {
        if out.is_empty() {
            return;
        }
        for section in self.sections.values_mut() {
            for sentence in &mut section.drafted {
                sentence.black_out(out);
            }
            if let Some(text) = &mut section.text {
                out.scrub(text);
            }
        }
        for it in &mut self.recommendations {
            it.why.black_out(out);
        }
        let Some(frozen) = &mut self.frozen else { return };
        for row in frozen.timeline.iter_mut().chain(&mut frozen.key_moments) {
            if row.rows.iter().any(|seq| out.has_row(*seq)) {
                BLACKED_OUT.clone_into(&mut row.text);
            }
        }
    }
}

impl Sentence {
    /// Takes out what it quotes of rows that must not be read any more.
    fn black_out(&mut self, out: &BlackedOut) {
        let rows =
            self.sources.iter().filter_map(|it| it.0.strip_prefix("timeline/")?.parse().ok());
        if rows.into_iter().any(|seq: u64| out.has_row(seq)) {
            out.scrub_sentence(&mut self.text);
        } else {
            out.scrub(&mut self.text);
        }
    }
}

/// One section: what the data say, and what people made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What the data say; drafting again replaces it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drafted: Vec<Sentence>,
    /// What a person wrote instead, in Markdown; drafting leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who wrote it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
}

impl Section {
    /// Returns whether nothing stands there.
    pub fn is_empty(&self) -> bool {
        match &self.text {
            Some(text) => text.trim().is_empty(),
            None => self.drafted.is_empty(),
        }
    }
}

/// A sentence that was drafted, and what it follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// As plain text.
    pub text: String,
    /// What it follows from; never empty.
    pub sources: Vec<Source>,
}

/// What a sentence follows from, such as `timeline/12`, `event/345`, `alert/7`, `incident/3`,
/// `action/AI-3-1`, `metric/mtta` or `field/service`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Source(pub CompactString);

impl Source {
    /// A row of the incident's timeline.
    pub fn entry(seq: u64) -> Self {
        Self(format_compact!("timeline/{seq}"))
    }

    /// An event of the history.
    pub fn event(sequence: crate::ids::Sequence) -> Self {
        Self(format_compact!("event/{sequence}"))
    }

    /// A life of an alert.
    pub fn alert(number: crate::ids::AlertNumber) -> Self {
        Self(format_compact!("alert/{number}"))
    }

    /// Another incident.
    pub fn incident(number: IncidentNumber) -> Self {
        Self(format_compact!("incident/{number}"))
    }

    /// A measure of the incident.
    pub fn metric(name: &str) -> Self {
        Self(format_compact!("metric/{name}"))
    }

    /// Something that is known of the incident itself.
    pub fn field(name: &str) -> Self {
        Self(format_compact!("field/{name}"))
    }

    /// An action item.
    pub fn action(id: crate::action::ActionId) -> Self {
        Self(format_compact!("action/{id}"))
    }
}

/// Something that the data suggest to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The rule that suggests it; unique in its postmortem.
    pub rule: CompactString,
    /// What to do, in one line.
    pub title: String,
    /// Why.
    pub why: Sentence,
    /// What kind of change it is.
    pub category: ActionCategory,
    /// How soon.
    pub priority: ActionPriority,
}

/// What somebody says about a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostmortemComment {
    /// Of which incident.
    pub incident: IncidentNumber,
    /// Its place, counted from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Author,
    /// About which section; `None` for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<SectionName>,
    /// What, in Markdown.
    pub text: String,
}
