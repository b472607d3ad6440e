//! Postmortems.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tocsin_core::action::{self, ActionCategory, ActionPriority};
use tocsin_core::incident::{Incident, IncidentRef};
use tocsin_core::postmortem::{
    self, LiveBlocks, PostmortemState, SectionName, allowed_from, blame_hints,
};
use utoipa::ToSchema;

use super::{ActionItem, IncidentMetric};

/// What is learned from an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Postmortem {
    /// The number of the incident; there is at most one postmortem of each.
    #[schema(example = 142)]
    pub incident: u64,
    /// Its reference.
    #[serde(rename = "ref")]
    #[schema(example = "PIR-INC-20260131-1f2e3d4c")]
    pub reference: String,
    /// Counts every change; also the `ETag`.
    pub version: u64,
    /// How far it is: `draft`, `scheduled`, `in_review`, `completed`, `published` or `waived`.
    #[schema(value_type = String, example = "draft")]
    pub state: PostmortemState,
    /// What it is called.
    pub title: String,
    /// How bad the incident was.
    #[schema(example = "sev2")]
    pub severity: String,
    /// The service of the incident; may be empty.
    pub service: String,
    /// Whether the severity asks for it.
    pub is_required: bool,
    /// Until when it has to be published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Whether that is over.
    pub is_overdue: bool,
    /// Who sees to it that it is written, by handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
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
    /// When it began.
    pub created_at: Timestamp,
    /// Who began it.
    pub created_by: String,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
    /// Words by which it is found.
    pub tags: Vec<String>,
    /// How many comments there are.
    pub comments: u64,
    /// Where it may go from here.
    #[schema(value_type = Vec<String>)]
    pub allowed_transitions: Vec<PostmortemState>,
    /// Required sections in which nothing stands yet.
    #[schema(value_type = Vec<String>)]
    pub missing: Vec<SectionName>,
}

impl Postmortem {
    /// Shows a postmortem; `severity` and `service` are those of its incident.
    pub fn new(
        it: &postmortem::Postmortem,
        detected_at: Timestamp,
        (severity, service): (&str, &str),
        now: Timestamp,
    ) -> Self {
        Self {
            incident: it.incident.0,
            reference: format!("PIR-{}", IncidentRef::new(it.incident, detected_at)),
            version: it.version,
            state: it.state,
            title: it.title.clone(),
            severity: severity.to_owned(),
            service: service.to_owned(),
            is_required: it.is_required,
            due_at: it.due_at,
            is_overdue: it.state.is_open() && it.due_at.is_some_and(|at| at < now),
            owner: it.owner.as_ref().map(ToString::to_string),
            review_at: it.review_at,
            published_at: it.published_at,
            waived_because: it.waived_because.clone(),
            drafted_at: it.drafted_at,
            created_at: it.created_at,
            created_by: it.created_by.name.clone(),
            changed_at: it.changed_at,
            changed_by: it.changed_by.clone(),
            tags: it.tags.iter().map(ToString::to_string).collect(),
            comments: it.comments,
            allowed_transitions: allowed_from(it.state).to_vec(),
            missing: it.missing(),
        }
    }
}

/// A page of postmortems.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemPage {
    /// Those of the newest incidents first.
    pub items: Vec<Postmortem>,
    /// Leads to the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A postmortem with all that stands in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemDetail {
    /// The postmortem.
    #[serde(flatten)]
    pub postmortem: Postmortem,
    /// Whether the incident has changed since it was drafted.
    pub is_draft_outdated: bool,
    /// Its sections, in the order of the document.
    pub sections: Vec<PostmortemSection>,
    /// What the data suggest to do.
    pub recommendations: Vec<PostmortemRecommendation>,
    /// What follows the incident until it is published.
    pub live: PostmortemLive,
    /// What was promised.
    pub actions: Vec<ActionItem>,
}

/// A section of a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemSection {
    /// Its name, such as `root_cause`.
    #[schema(value_type = String, example = "root_cause")]
    pub name: SectionName,
    /// Its heading.
    pub heading: String,
    /// The question that it answers.
    pub prompt: String,
    /// Whether it has to be filled in.
    pub is_required: bool,
    /// What a person wrote, in Markdown; absent while the draft stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the data say.
    pub drafted: Vec<PostmortemSentence>,
    /// Who wrote it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Words in it that may blame somebody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<WordingHint>,
}

/// A sentence that was drafted, and what it follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemSentence {
    /// As plain text.
    pub text: String,
    /// What it follows from, such as `timeline/12`, `event/345`, `alert/7` or `metric/mtta`.
    pub sources: Vec<String>,
}

impl PostmortemSentence {
    fn new(it: &postmortem::Sentence) -> Self {
        let sources = it.sources.iter().map(|source| source.0.to_string()).collect();
        Self { text: it.text.clone(), sources }
    }
}

/// A place in a text where blame may be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WordingHint {
    /// As it stands there.
    pub phrase: String,
    /// Where, in characters from the beginning of the text.
    pub at: usize,
    /// What helps more.
    pub instead: String,
}

/// Something that the data suggest to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemRecommendation {
    /// The rule that suggests it; name it to make an action item of it.
    pub rule: String,
    /// What to do.
    pub title: String,
    /// Why.
    pub why: PostmortemSentence,
    /// What kind of change it is.
    #[schema(value_type = String, example = "monitoring")]
    pub category: ActionCategory,
    /// How soon.
    #[schema(value_type = String, example = "P2")]
    pub priority: ActionPriority,
    /// The action item that was made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// What follows the incident until the postmortem is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemLive {
    /// Whether it is as it was when the postmortem was published.
    pub is_frozen: bool,
    /// When the incident was detected.
    pub detected_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// The key moments of the timeline in their order, each in the words of its caption; absent
    /// when nobody chose any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_moments: Vec<PostmortemRow>,
    /// What happened, in the order in which it did. What is of one kind and came within two
    /// minutes is one row.
    pub timeline: Vec<PostmortemRow>,
    /// Rows in the middle of the timeline that there was no room for; the incident has all.
    pub rows_left_out: usize,
    /// How long things took.
    pub metrics: Vec<IncidentMetric>,
    /// Who took part.
    pub people: Vec<PostmortemPerson>,
}

/// A row of the timeline in a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemRow {
    /// The rows of the incident's timeline that it tells of.
    pub rows: Vec<u64>,
    /// When it happened.
    pub at: Timestamp,
    /// When the last one happened, where it tells of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who did it.
    pub by: String,
    /// The kind of the row.
    pub kind: String,
    /// What happened.
    pub text: String,
}

/// Somebody who took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemPerson {
    /// Who, by handle.
    pub person: String,
    /// What they did.
    pub parts: Vec<String>,
}

impl PostmortemLive {
    fn new(it: &LiveBlocks, is_frozen: bool) -> Self {
        let row = |it: &postmortem::LiveRow| PostmortemRow {
            rows: it.rows.clone(),
            at: it.at,
            until: it.until,
            by: it.by.clone(),
            kind: it.kind.clone(),
            text: it.text.clone(),
        };
        let person = |it: &postmortem::LivePerson| PostmortemPerson {
            person: it.person.to_string(),
            parts: it.parts.clone(),
        };
        Self {
            is_frozen,
            detected_at: it.detected_at,
            resolved_at: it.resolved_at,
            key_moments: it.key_moments.iter().map(row).collect(),
            timeline: it.timeline.iter().map(row).collect(),
            rows_left_out: it.rows_left_out,
            metrics: it.metrics.iter().map(IncidentMetric::new).collect(),
            people: it.people.iter().map(person).collect(),
        }
    }
}

impl PostmortemDetail {
    /// Shows a postmortem with what belongs to it; `live` counts while it has no frozen blocks.
    pub fn new(
        it: &postmortem::Postmortem,
        incident: &Incident,
        live: &LiveBlocks,
        actions: &[action::ActionItem],
        now: Timestamp,
    ) -> Self {
        let blocks = it.frozen.as_deref().unwrap_or(live);
        let section = |name: &SectionName| {
            let it = it.section(*name);
            let hints = it.text.as_deref().map(blame_hints).unwrap_or_default();
            PostmortemSection {
                name: *name,
                heading: name.heading().to_owned(),
                prompt: name.prompt().to_owned(),
                is_required: SectionName::REQUIRED.contains(name),
                drafted: it.drafted.iter().map(PostmortemSentence::new).collect(),
                edited_by: it.edited_by,
                edited_at: it.edited_at,
                text: it.text,
                hints: hints
                    .into_iter()
                    .map(|hint| WordingHint {
                        phrase: hint.phrase,
                        at: hint.at,
                        instead: hint.instead.to_owned(),
                    })
                    .collect(),
            }
        };
        let recommendation = |it: &postmortem::Recommendation| PostmortemRecommendation {
            rule: it.rule.to_string(),
            title: it.title.clone(),
            why: PostmortemSentence::new(&it.why),
            category: it.category,
            priority: it.priority,
            action: actions.iter().find(|a| a.rule == it.rule).map(|it| it.id.to_string()),
        };
        let about = (incident.severity.as_str(), incident.service.as_str());
        Self {
            postmortem: Postmortem::new(it, incident.record.detected_at(), about, now),
            is_draft_outdated: it.frozen.is_none() && it.drafted_from != incident.version,
            sections: SectionName::ALL.iter().map(section).collect(),
            recommendations: it.recommendations.iter().map(recommendation).collect(),
            live: PostmortemLive::new(blocks, it.frozen.is_some()),
            actions: actions.iter().map(|it| ActionItem::new(it, now)).collect(),
        }
    }
}

/// What is to be changed of a postmortem. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostmortemPatch {
    /// What it is called.
    #[serde(default)]
    pub title: Option<String>,
    /// Who sees to it, by handle; empty for nobody.
    #[serde(default)]
    pub owner: Option<String>,
    /// When people meet to talk about it.
    #[serde(default)]
    pub review_at: Option<Timestamp>,
    /// Words by which it is found.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// What stands in which section, in Markdown; `null` puts back what the data say.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub sections: BTreeMap<SectionName, Option<String>>,
}

/// Where a postmortem is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostmortemMove {
    /// `draft`, `scheduled`, `in_review`, `completed`, `published` or `waived`.
    #[schema(value_type = String, example = "in_review")]
    pub to: PostmortemState,
    /// Why; needed to waive it and to open it again.
    #[serde(default)]
    pub reason: String,
}

/// What somebody says about a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostmortemCommentDraft {
    /// What, in Markdown.
    pub text: String,
    /// About which section; absent for the whole.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub section: Option<SectionName>,
}

/// What somebody said about a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemComment {
    /// Its place, counted from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// About which section; absent for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub section: Option<SectionName>,
    /// What, in Markdown.
    pub text: String,
}

impl PostmortemComment {
    /// Shows a comment.
    pub fn new(it: &postmortem::PostmortemComment) -> Self {
        let (number, at, by) = (it.number, it.at, it.by.name.clone());
        Self { number, at, by, section: it.section, text: it.text.clone() }
    }
}

/// What was said about a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemComments {
    /// In the order in which it was said.
    pub items: Vec<PostmortemComment>,
}

/// One version of a postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemVersion {
    /// Counted from 1.
    pub version: u64,
    /// How far it was.
    #[schema(value_type = String)]
    pub state: PostmortemState,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
}

/// The versions of a postmortem that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemVersions {
    /// The newest first.
    pub items: Vec<PostmortemVersion>,
}

/// What a request about a postmortem did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostmortemResult {
    /// Whether it changed anything.
    pub has_changed: bool,
    /// The postmortem, as it stands now.
    #[serde(flatten)]
    pub postmortem: PostmortemDetail,
}
