//! Opsgenie's Alert API: what clients send, what alerts look like to them, and the queries they
//! list alerts by.
//!
//! Shapes and limits are those of the public documentation of the API.

mod action;
mod alert;
mod create;
mod query;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use action::{Action, Edit};
pub use alert::OpsgenieAlert;
pub use create::Create;
pub use query::{NotAQuery, Query};

/// The longest message, in characters.
pub const MAX_MESSAGE_CHARS: usize = 130;
/// The longest alias, in characters.
pub const MAX_ALIAS_CHARS: usize = 512;
/// The longest description, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 15_000;
/// The most tags.
pub const MAX_TAGS: usize = 20;
/// The longest tag, in characters.
pub const MAX_TAG_CHARS: usize = 50;
/// The most characters of all details, names and values.
pub const MAX_DETAILS_CHARS: usize = 8_000;
/// The longest entity, in characters.
pub const MAX_ENTITY_CHARS: usize = 512;
/// The longest source or name of a user, in characters.
pub const MAX_NAME_CHARS: usize = 100;
/// The longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 25_000;

/// The annotation that carries the message.
pub(crate) const SUMMARY: &str = "summary";
/// The annotation that carries the description.
pub(crate) const DESCRIPTION: &str = "description";
/// The annotation that carries the tags, separated by commas.
pub(crate) const TAGS: &str = "tags";
/// The annotation that says how often the alert was created while it was open.
pub(crate) const OCCURRENCES: &str = "occurrences";
/// What the annotations of details begin with.
pub(crate) const DETAILS_PREFIX: &str = "details_";

/// What is wrong, by field.
pub type FieldErrors = BTreeMap<String, String>;

/// Returns the word for a priority that the label `severity` carries.
pub(crate) fn severity_of(priority: &str) -> Option<&'static str> {
    Some(match priority {
        "P1" => "critical",
        "P2" => "high",
        "P3" => "warning",
        "P4" => "low",
        "P5" => "info",
        _ => return None,
    })
}

/// Reads the fields of a body one by one and keeps every complaint.
pub(crate) struct Fields<'a> {
    body: &'a Map<String, Value>,
    pub(crate) errors: FieldErrors,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(body: &'a Map<String, Value>) -> Self {
        Self { body, errors: FieldErrors::new() }
    }

    pub(crate) fn complain(&mut self, field: &str, why: impl Into<String>) {
        self.errors.entry(field.to_owned()).or_insert_with(|| why.into());
    }

    /// Returns a text of at most `max` characters; empty when it is not there.
    pub(crate) fn text(&mut self, field: &str, max: usize) -> String {
        let text = match self.body.get(field) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => {
                self.complain(field, "must be a text");
                String::new()
            }
        };
        if text.chars().count() > max {
            self.complain(field, format!("must not be longer than {max} characters"));
        }
        text
    }

    /// Returns a text that must be there.
    pub(crate) fn required(&mut self, field: &str, max: usize) -> String {
        let text = self.text(field, max);
        if text.is_empty() {
            self.complain(field, "must not be empty");
        }
        text
    }

    /// Returns the severity and the name of a priority; `P3` when none is given.
    pub(crate) fn priority(&mut self) -> &'static str {
        let given = self.text("priority", 2);
        let given = if given.is_empty() { "P3" } else { given.as_str() };
        severity_of(given).unwrap_or_else(|| {
            self.complain("priority", "must be one of P1, P2, P3, P4, P5");
            ""
        })
    }

    pub(crate) fn tags(&mut self) -> Vec<String> {
        let Some(given) = self.body.get("tags").filter(|tags| !tags.is_null()) else {
            return Vec::new();
        };
        let Some(list) = given.as_array() else {
            self.complain("tags", "must be a list of texts");
            return Vec::new();
        };
        let mut tags: Vec<String> = Vec::new();
        for tag in list {
            match tag.as_str().map(str::trim) {
                Some("") => {}
                Some(tag) if tag.chars().count() > MAX_TAG_CHARS => {
                    self.complain("tags", format!("a tag has at most {MAX_TAG_CHARS} characters"));
                }
                Some(tag) if tag.contains(',') => self.complain("tags", "a tag has no comma"),
                Some(tag) if !tags.iter().any(|known| known == tag) => tags.push(tag.to_owned()),
                Some(_) => {}
                None => self.complain("tags", "must be a list of texts"),
            }
        }
        if tags.len() > MAX_TAGS {
            self.complain("tags", format!("there are at most {MAX_TAGS} tags"));
        }
        tags
    }

    pub(crate) fn details(&mut self) -> BTreeMap<String, String> {
        let Some(given) = self.body.get("details").filter(|details| !details.is_null()) else {
            return BTreeMap::new();
        };
        let Some(object) = given.as_object() else {
            self.complain("details", "must be an object of texts");
            return BTreeMap::new();
        };
        let details: BTreeMap<String, String> = object
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, value)| match value {
                Value::String(text) => (name.clone(), text.clone()),
                other => (name.clone(), other.to_string()),
            })
            .collect();
        if chars_of(&details) > MAX_DETAILS_CHARS {
            self.complain("details", format!("have at most {MAX_DETAILS_CHARS} characters"));
        }
        details
    }

    pub(crate) fn raw(&self, field: &str) -> Option<&'a Value> {
        self.body.get(field)
    }

    pub(crate) fn finish<T>(self, value: T) -> Result<T, FieldErrors> {
        if self.errors.is_empty() { Ok(value) } else { Err(self.errors) }
    }
}

/// Returns how many characters details have.
pub(crate) fn chars_of(details: &BTreeMap<String, String>) -> usize {
    details.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum()
}
