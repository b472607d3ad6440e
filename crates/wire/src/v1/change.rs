//! Changes told from outside.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tocsin_core::change::{self, MAX_DETAILS_BYTES, MAX_LINKS, MAX_SUMMARY_CHARS};
use tocsin_core::event::{Event, Recorded};
use utoipa::ToSchema;

use super::FieldError;

/// Something that was changed somewhere: a deploy, a setting, a switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Its place in the history.
    pub sequence: u64,
    /// When we were told.
    pub recorded_at: Timestamp,
    /// When it happened, as its source says.
    pub occurred_at: Timestamp,
    /// What, in one line.
    #[schema(example = "checkout 1.42 is live")]
    pub summary: String,
    /// Where; may be empty.
    pub source: String,
    /// The integration that told us.
    pub integration: String,
    /// Further facts.
    #[schema(value_type = Object)]
    pub details: Value,
    /// Where to read more.
    pub links: Vec<ChangeLink>,
}

/// A link of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeLink {
    /// Where it leads.
    pub href: String,
    /// What it says.
    #[serde(default)]
    pub text: String,
}

/// A change as it is told.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a change: an object with `summary`")]
pub struct ChangeDraft {
    /// What, in one line.
    #[schema(example = "checkout 1.42 is live")]
    pub summary: String,
    /// Where, such as a host, a service or a pipeline.
    #[serde(default)]
    pub source: String,
    /// When; now when it is not given.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
    /// Further facts.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// Where to read more.
    #[serde(default)]
    pub links: Vec<ChangeLink>,
}

impl ChangeDraft {
    /// Returns the change as `integration` tells it at `now`.
    ///
    /// # Errors
    /// Each field that meets a bound.
    pub fn into_change(
        self,
        integration: &str,
        now: Timestamp,
    ) -> Result<change::Change, Vec<FieldError>> {
        let details = if self.details.is_empty() {
            String::new()
        } else {
            Value::Object(self.details).to_string()
        };
        let summary_chars = self.summary.chars().count();
        let source_chars = self.source.chars().count();
        let bounds = [
            ("/summary", self.summary.trim().is_empty(), "must not be empty".to_owned()),
            (
                "/summary",
                summary_chars > MAX_SUMMARY_CHARS,
                format!("has {summary_chars} characters; at most {MAX_SUMMARY_CHARS} are taken"),
            ),
            (
                "/source",
                source_chars > MAX_SUMMARY_CHARS,
                format!("has {source_chars} characters; at most {MAX_SUMMARY_CHARS} are taken"),
            ),
            (
                "/details",
                details.len() > MAX_DETAILS_BYTES,
                format!("has {} bytes; at most {MAX_DETAILS_BYTES} are taken", details.len()),
            ),
            (
                "/links",
                self.links.len() > MAX_LINKS,
                format!("are {}; at most {MAX_LINKS} are taken", self.links.len()),
            ),
        ];
        let errors: Vec<FieldError> = bounds
            .into_iter()
            .filter(|(_, is_met, _)| *is_met)
            .map(|(pointer, _, message)| FieldError::at(pointer, message))
            .collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let links = self.links.into_iter();
        Ok(change::Change {
            summary: self.summary,
            source: self.source,
            occurred_at: self.occurred_at.unwrap_or(now),
            details,
            links: links.map(|it| change::ChangeLink { href: it.href, text: it.text }).collect(),
            integration: integration.to_owned(),
        })
    }
}

impl Change {
    /// Returns the change that an event tells of; `None` for all other events.
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let Event::ChangeRecorded { change } = &recorded.event else { return None };
        let links = change.links.iter();
        Some(Self {
            sequence: recorded.sequence.0,
            recorded_at: recorded.at,
            occurred_at: change.occurred_at,
            summary: change.summary.clone(),
            source: change.source.clone(),
            integration: change.integration.clone(),
            // Only ever written by `into_change` and its like.
            details: serde_json::from_str(&change.details)
                .unwrap_or_else(|_| Value::Object(Map::new())),
            links: links
                .map(|it| ChangeLink { href: it.href.clone(), text: it.text.clone() })
                .collect(),
        })
    }
}
