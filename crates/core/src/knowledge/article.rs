//! Articles: best practices and lessons that hold beyond one incident.

use std::collections::BTreeSet;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::IncidentNumber;

/// The most characters of an article.
pub const MAX_ARTICLE_CHARS: usize = 50_000;

/// The most characters of the service or the team that an article is for.
pub const MAX_SCOPE_CHARS: usize = 200;

/// An article of a tenant, counted from 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ArticleNumber(pub u64);

impl std::fmt::Display for ArticleNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What an article is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArticleKind {
    /// How something is done well.
    BestPractice,
    /// What was learned.
    Lesson,
}

impl ArticleKind {
    /// All.
    pub const ALL: [Self; 2] = [Self::BestPractice, Self::Lesson];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BestPractice => "best_practice",
            Self::Lesson => "lesson",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.as_str() == lower)
    }
}

/// An article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its number.
    pub number: ArticleNumber,
    /// Counts every change.
    pub version: u64,
    /// How it is, in the words of whoever wrote it.
    #[serde(flatten)]
    pub content: ArticleDraft,
    /// When it was written.
    pub created_at: Timestamp,
    /// Who wrote it first.
    pub created_by: String,
    /// When it changed last.
    pub changed_at: Timestamp,
    /// Who changed it last.
    pub changed_by: String,
}

/// What an article says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleDraft {
    /// What it is.
    pub kind: ArticleKind,
    /// What it is about.
    pub title: String,
    /// What it says, in Markdown.
    pub body: String,
    /// Words by which it is found.
    #[serde(default)]
    pub tags: BTreeSet<CompactString>,
    /// The service that it is for; empty for any.
    #[serde(default)]
    pub service: CompactString,
    /// The team that it is for; empty for any.
    #[serde(default)]
    pub team: CompactString,
    /// The incident that it was learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentNumber>,
    /// Whether it holds no more; then it is found only by those who ask for it.
    #[serde(default)]
    pub is_archived: bool,
}
