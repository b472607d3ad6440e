//! What clients do with an alert that exists.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::labels::Labels;

use super::{
    DESCRIPTION, DETAILS_PREFIX, FieldErrors, Fields, MAX_DESCRIPTION_CHARS, MAX_DETAILS_CHARS,
    MAX_MESSAGE_CHARS, MAX_NOTE_CHARS, MAX_TAGS, OCCURRENCES, SUMMARY, TAGS, chars_of,
};

/// One thing to do with an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is over.
    Close,
    /// Somebody works on it.
    Acknowledge,
    /// Nobody works on it any more.
    Unacknowledge,
    /// Nobody should be told of it until then.
    Snooze(Timestamp),
    /// Only the note that comes with it.
    Note,
    /// Something we keep as a note: whom it concerns is decided by routes here.
    Mention(String),
    /// Its description changes.
    Edit(Edit),
}

/// How the description of an alert changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It occurred again.
    Occurrence,
    /// Its message.
    Message(String),
    /// Its description.
    Description(String),
    /// The label `severity`.
    Severity(&'static str),
    /// Tags that it gets.
    AddTags(Vec<String>),
    /// Tags that it loses.
    RemoveTags(Vec<String>),
    /// Details that it gets.
    AddDetails(BTreeMap<String, String>),
    /// Names of details that it loses.
    RemoveDetails(Vec<String>),
}

impl Action {
    /// Reads what the last part of a path and the body say; `None` for a verb nobody knows.
    ///
    /// # Errors
    /// What is wrong, by field.
    pub fn read(verb: &str, body: &Map<String, Value>) -> Option<Result<Self, FieldErrors>> {
        let mut fields = Fields::new(body);
        let action = match verb {
            "close" => Self::Close,
            "acknowledge" => Self::Acknowledge,
            "unacknowledge" => Self::Unacknowledge,
            "snooze" => Self::Snooze(end_time(&mut fields)),
            "notes" => {
                fields.required("note", MAX_NOTE_CHARS);
                Self::Note
            }
            "tags" => Self::Edit(Edit::AddTags(fields.tags())),
            "details" => Self::Edit(Edit::AddDetails(fields.details())),
            "message" => Self::Edit(Edit::Message(fields.required("message", MAX_MESSAGE_CHARS))),
            "description" => {
                let text = fields.required("description", MAX_DESCRIPTION_CHARS);
                Self::Edit(Edit::Description(text))
            }
            "priority" => {
                fields.required("priority", 2);
                Self::Edit(Edit::Severity(fields.priority()))
            }
            "assign" => Self::Mention(mention("assign to", fields.raw("owner"))),
            "responders" => Self::Mention(mention("add responder", fields.raw("responder"))),
            "teams" => Self::Mention(mention("add team", fields.raw("team"))),
            "escalate" => Self::Mention(mention("escalate to", fields.raw("escalation"))),
            _ => return None,
        };
        Some(fields.finish(action))
    }
}

fn end_time(fields: &mut Fields<'_>) -> Timestamp {
    let text = fields.required("endTime", 64);
    text.parse().unwrap_or_else(|_| {
        fields.complain("endTime", "must be an instant like 2026-11-20T12:00:00Z");
        Timestamp::UNIX_EPOCH
    })
}

fn mention(what: &str, whom: Option<&Value>) -> String {
    let named = whom.and_then(|whom| {
        ["username", "name", "id"].into_iter().find_map(|key| whom.get(key)?.as_str())
    });
    format!("{what} {}", named.unwrap_or("somebody who is not named"))
}

impl Edit {
    /// Changes an alert as it is known.
    ///
    /// # Errors
    /// It would have more tags or details than it may; nothing changes.
    pub fn apply(&self, alert: &mut IncomingAlert) -> Result<(), String> {
        let mut annotations: BTreeMap<String, String> = alert
            .annotations
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        match self {
            Self::Occurrence => {
                let before = annotations.get(OCCURRENCES).and_then(|count| count.parse().ok());
                let count = before.unwrap_or(1_u64).saturating_add(1);
                annotations.insert(OCCURRENCES.to_owned(), count.to_string());
            }
            Self::Message(text) => drop(annotations.insert(SUMMARY.to_owned(), text.clone())),
            Self::Description(text) => {
                annotations.insert(DESCRIPTION.to_owned(), text.clone());
            }
            Self::Severity(word) => {
                let others = alert.labels.iter().filter(|(name, _)| *name != "severity");
                alert.labels = others.chain([("severity", *word)]).collect();
                alert.fingerprint = alert.labels.fingerprint();
            }
            Self::AddTags(tags) | Self::RemoveTags(tags) => {
                let known = annotations.remove(TAGS).unwrap_or_default();
                let known = known.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned);
                let mut all: Vec<String> = known.filter(|tag| !tags.contains(tag)).collect();
                if matches!(self, Self::AddTags(_)) {
                    all.extend(tags.iter().cloned());
                }
                if all.len() > MAX_TAGS {
                    return Err(format!("the alert would have more than {MAX_TAGS} tags"));
                }
                annotations.insert(TAGS.to_owned(), all.join(","));
            }
            Self::AddDetails(details) => {
                for (name, value) in details {
                    annotations.insert(format!("{DETAILS_PREFIX}{name}"), value.clone());
                }
                let all = annotations.iter().filter(|(name, _)| name.starts_with(DETAILS_PREFIX));
                let all = all.map(|(name, value)| (name.clone(), value.clone())).collect();
                if chars_of(&all) > MAX_DETAILS_CHARS + all.len() * DETAILS_PREFIX.len() {
                    return Err(format!(
                        "the details would have more than {MAX_DETAILS_CHARS} characters"
                    ));
                }
            }
            Self::RemoveDetails(names) => {
                for name in names {
                    annotations.remove(&format!("{DETAILS_PREFIX}{name}"));
                }
            }
        }
        alert.annotations = annotations.into_iter().collect::<Labels>();
        Ok(())
    }
}
