//! Pages on their way and in the past, and why somebody was paged or was not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::paging;
use utoipa::ToSchema;

/// A message to a person or a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PagedMessage {
    /// Its number.
    pub number: u64,
    /// To whom: `person/method`, or the name of a place.
    #[schema(example = "ada/phone")]
    pub recipient: String,
    /// The person; absent for a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// By what.
    #[schema(example = "sms")]
    pub channel: String,
    /// What it is: `page`, `update`, `verification`, `test` or `handoff`.
    #[schema(example = "page")]
    pub content: String,
    /// Whether it may wake somebody up: `high` or `low`.
    pub urgency: String,
    /// The escalations that it tells about.
    pub escalations: Vec<u64>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// What became of it: `waiting`, `sent`, `delivered`, `seen`, `failed` or `dropped`.
    #[schema(example = "sent")]
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// What happened to it, the oldest first; empty while it is on its way.
    pub history: Vec<PageMoment>,
}

/// Something that happened to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageMoment {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

impl PagedMessage {
    /// Returns a page that is on its way.
    pub fn waiting(page: &paging::Page) -> Self {
        Self {
            number: page.number.0,
            recipient: page.recipient.to_string(),
            person: page.recipient.person().map(ToString::to_string),
            channel: page.channel.to_string(),
            content: page.content.kind().to_owned(),
            urgency: page.urgency.as_str().to_owned(),
            escalations: page.runs().map(|run| run.0).collect(),
            decided_at: page.decided_at,
            state: "waiting".to_owned(),
            attempts: page.attempts,
            due_at: Some(page.due_at),
            history: Vec::new(),
        }
    }
}

/// A page of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PagedMessages {
    /// On their way: ascending by number. In the past: the newest first.
    pub items: Vec<PagedMessage>,
    /// What to give as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Why somebody was paged, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhyPaged {
    /// Who.
    pub person: String,
    /// The escalation.
    pub escalation: u64,
    /// Whether a message to them was sent.
    pub was_paged: bool,
    /// The answer in one sentence.
    #[schema(example = "grace was not paged: ada acknowledged before a step meant grace")]
    pub text: String,
    /// What led to it, the oldest first.
    pub reasons: Vec<PageMoment>,
}

/// A heartbeat monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    /// Its name.
    #[schema(example = "nightly-backup")]
    pub name: String,
    /// How long it may stay silent.
    pub timeout_seconds: i64,
    /// Whether it is overdue.
    pub is_missed: bool,
    /// When it was heard last; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// Since when it is overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_since: Option<Timestamp>,
    /// When it will be overdue unless it is heard; absent when it is already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// All heartbeat monitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Heartbeats {
    /// By name.
    pub items: Vec<Heartbeat>,
}
