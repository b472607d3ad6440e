//! A new alert.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::labels::{ALERTNAME, Labels};

use super::{
    DESCRIPTION, DETAILS_PREFIX, FieldErrors, Fields, MAX_ALIAS_CHARS, MAX_DESCRIPTION_CHARS,
    MAX_ENTITY_CHARS, MAX_MESSAGE_CHARS, MAX_NAME_CHARS, MAX_NOTE_CHARS, OCCURRENCES, SUMMARY,
    TAGS,
};

/// What a client tells of a new alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// What the client knows it by; empty when the server shall choose.
    pub alias: String,
    /// Who creates it; may be empty.
    pub user: String,
    /// The first note; may be empty.
    pub note: String,
    message: String,
    description: String,
    severity: &'static str,
    tags: Vec<String>,
    details: BTreeMap<String, String>,
    entity: String,
    source: String,
}

impl Create {
    /// Reads a body.
    ///
    /// # Errors
    /// What is wrong, by field.
    pub fn read(body: &Map<String, Value>) -> Result<Self, FieldErrors> {
        let mut fields = Fields::new(body);
        let create = Self {
            message: fields.required("message", MAX_MESSAGE_CHARS),
            alias: fields.text("alias", MAX_ALIAS_CHARS),
            description: fields.text("description", MAX_DESCRIPTION_CHARS),
            severity: fields.priority(),
            tags: fields.tags(),
            details: fields.details(),
            entity: fields.text("entity", MAX_ENTITY_CHARS),
            source: fields.text("source", MAX_NAME_CHARS),
            user: fields.text("user", MAX_NAME_CHARS),
            note: fields.text("note", MAX_NOTE_CHARS),
        };
        fields.finish(create)
    }

    /// Returns the alert, without what the integration adds.
    pub fn alert(&self) -> IncomingAlert {
        let labels = Labels::from([
            (ALERTNAME, self.message.as_str()),
            ("severity", self.severity),
            ("entity", self.entity.as_str()),
            ("source", self.source.as_str()),
        ]);
        let tags = self.tags.join(",");
        let own = [
            (SUMMARY, self.message.as_str()),
            (DESCRIPTION, self.description.as_str()),
            (TAGS, tags.as_str()),
            (OCCURRENCES, "1"),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let details = self.details.iter();
        let details =
            details.map(|(name, value)| (format!("{DETAILS_PREFIX}{name}"), value.clone()));
        IncomingAlert::new(labels, own.chain(details).collect())
    }
}
