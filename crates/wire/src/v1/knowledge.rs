//! Articles, what is found, and incidents like one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::incident::IncidentRef;
use tocsin_core::knowledge::{self, ArticleKind, Novelty, Similar};
use utoipa::ToSchema;

/// A best practice or a lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Article {
    /// Its number.
    pub number: u64,
    /// Counts every change; also the `ETag`.
    pub version: u64,
    /// `best_practice` or `lesson`.
    #[schema(value_type = String, example = "lesson")]
    pub kind: ArticleKind,
    /// What it is about.
    pub title: String,
    /// What it says, in Markdown.
    pub body: String,
    /// Words by which it is found.
    pub tags: Vec<String>,
    /// The service that it is for; empty for any.
    pub service: String,
    /// The team that it is for; empty for any.
    pub team: String,
    /// The number of the incident that it was learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<u64>,
    /// Whether it holds no more.
    pub is_archived: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// Who wrote it first.
    pub created_by: String,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

impl Article {
    /// Shows an article.
    pub fn new(it: &knowledge::Article) -> Self {
        let content = &it.content;
        Self {
            number: it.number.0,
            version: it.version,
            kind: content.kind,
            title: content.title.clone(),
            body: content.body.clone(),
            tags: content.tags.iter().map(ToString::to_string).collect(),
            service: content.service.to_string(),
            team: content.team.to_string(),
            incident: content.incident.map(|it| it.0),
            is_archived: content.is_archived,
            created_at: it.created_at,
            created_by: it.created_by.clone(),
            changed_at: it.changed_at,
            changed_by: it.changed_by.clone(),
        }
    }
}

/// What an article is to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArticleDraft {
    /// `best_practice` or `lesson`.
    #[schema(value_type = String, example = "lesson")]
    pub kind: ArticleKind,
    /// What it is about.
    pub title: String,
    /// What it says, in Markdown.
    pub body: String,
    /// Words by which it is found.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The service that it is for; empty for any.
    #[serde(default)]
    pub service: String,
    /// The team that it is for; empty for any.
    #[serde(default)]
    pub team: String,
    /// The number of the incident that it was learned from.
    #[serde(default)]
    pub incident: Option<u64>,
    /// Whether it holds no more.
    #[serde(default)]
    pub is_archived: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnowledgePage {
    /// The best first.
    pub items: Vec<KnowledgeItem>,
    /// Whether nothing has all of the words, so that these have only some.
    pub is_partial: bool,
    /// Leads to the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnowledgeItem {
    /// `incident`, `comment`, `postmortem`, `action`, `runbook`, `best_practice` or `lesson`.
    #[schema(example = "postmortem")]
    pub kind: String,
    /// Which of its kind.
    pub key: String,
    /// The number of the incident that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<u64>,
    /// What it is about.
    pub title: String,
    /// The place where the words stand, as plain text.
    pub excerpt: String,
    /// When it was written.
    pub at: Timestamp,
    /// More is better.
    pub score: f64,
}

/// Earlier incidents like one, and how often something like it happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarIncidents {
    /// The most alike first.
    pub items: Vec<SimilarIncident>,
    /// `new`, `rare`, `occasional` or `frequent`, from the 30 days before it.
    #[schema(value_type = String, example = "rare")]
    pub novelty: Novelty,
    /// How many incidents of those 30 days share an alert with it, or else the service.
    pub alike: u64,
    /// Of how many.
    pub of: u64,
}

/// An earlier incident that is like this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarIncident {
    /// Its number.
    pub incident: u64,
    /// Its reference.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it was about.
    pub title: String,
    /// When it was detected.
    pub detected_at: Timestamp,
    /// From 0 to 1; more is more alike.
    pub score: f64,
    /// Why.
    pub reasons: Vec<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// What was said at its end; may be empty.
    pub note: String,
    /// Who had it, by handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// From the first detection to the last end, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mttr: Option<i64>,
    /// Where it was written what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

impl SimilarIncident {
    /// Shows an earlier incident.
    pub fn new(it: &Similar) -> Self {
        let other = &it.candidate;
        Self {
            incident: other.number.0,
            reference: IncidentRef::new(other.number, other.detected_at).to_string(),
            title: other.title.clone(),
            detected_at: other.detected_at,
            score: (it.score * 1_000.0).round() / 1_000.0,
            reasons: it.reasons.clone(),
            resolution: other.resolution.map(|code| code.to_string()),
            note: other.note.clone(),
            owner: other.owner.as_ref().map(ToString::to_string),
            mttr: other.mttr,
            runbook: other.runbook.clone(),
        }
    }
}
