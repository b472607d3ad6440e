//! Tasks of an incident, what is done with rows of its timeline, and who may see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::incident::{self, Priority, TaskStatus};
use utoipa::ToSchema;

use super::incident::{IncidentEntry, IncidentStatus};

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentTaskStatus {
    /// Nobody has begun.
    Open,
    /// Somebody has.
    InProgress,
    /// It is done.
    Done,
    /// It will not be done.
    WontDo,
}

/// How much a task matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentTaskPriority {
    /// Before anything else.
    P0,
    /// Next.
    P1,
    /// In its turn.
    #[default]
    P2,
    /// When there is time.
    P3,
}

macro_rules! same {
    ($($wire:ident = $core:ident: $($name:ident)*;)*) => {
        $(
            impl From<$core> for $wire {
                fn from(value: $core) -> Self {
                    match value { $($core::$name => Self::$name,)* }
                }
            }

            impl From<$wire> for $core {
                fn from(value: $wire) -> Self {
                    match value { $($wire::$name => Self::$name,)* }
                }
            }
        )*
    };
}

same! {
    IncidentTaskStatus = TaskStatus: Open InProgress Done WontDo;
    IncidentTaskPriority = Priority: P0 P1 P2 P3;
}

/// Something that has to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentTask {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// What.
    pub title: String,
    /// Who does it, by handle; absent for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: IncidentTaskPriority,
    /// How far it is.
    pub status: IncidentTaskStatus,
    /// Whether the incident cannot be closed before it is done.
    pub is_blocking: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was done, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl IncidentTask {
    /// Returns a task as the API shows it.
    pub fn new(it: &incident::Task) -> Self {
        Self {
            number: it.number,
            title: it.title.clone(),
            assignee: it.assignee.as_ref().map(ToString::to_string),
            due_at: it.due_at,
            priority: it.priority.into(),
            status: it.status.into(),
            is_blocking: it.is_blocking,
            by: it.by.clone(),
            created_at: it.created_at,
            ended_at: it.ended_at,
        }
    }
}

/// Who may see a restricted incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentRestricted {
    /// Since when.
    pub since: Timestamp,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Who may see it, by handle.
    pub people: Vec<String>,
    /// Whose members may see it.
    pub teams: Vec<String>,
    /// Who asked to see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<IncidentAccessRequest>,
}

/// That somebody asked to see a restricted incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentAccessRequest {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// Who, by handle.
    pub person: String,
    /// Why.
    pub reason: String,
    /// When.
    pub asked_at: Timestamp,
    /// Whether they may; absent while nobody has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_granted: Option<bool>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

impl IncidentAccessRequest {
    fn new(it: &incident::AccessRequest) -> Self {
        let answer = it.answer.as_ref();
        Self {
            number: it.number,
            person: it.person.to_string(),
            reason: it.reason.clone(),
            asked_at: it.asked_at,
            is_granted: answer.map(|it| it.is_granted),
            answered_by: answer.map(|it| it.by.clone()),
            answered_at: answer.map(|it| it.at),
        }
    }
}

/// A comment that names whoever asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentMention {
    /// The number of the incident.
    pub incident: u64,
    /// What the incident is about.
    pub title: String,
    /// Where the incident stands.
    pub status: IncidentStatus,
    /// The comment, as it reads now.
    pub entry: IncidentEntry,
}

impl IncidentMention {
    /// Returns a comment of an incident as the API shows it.
    pub fn new(it: &incident::Incident, entry: IncidentEntry) -> Self {
        let (title, status) = (it.title.clone(), it.status().into());
        Self { incident: it.number.0, title, status, entry }
    }
}

/// A page of comments that name whoever asks, the latest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentMentionPage {
    /// The comments.
    pub items: Vec<IncidentMention>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Somebody asks to see a restricted incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentAccessAsked {
    /// Why; not empty.
    pub reason: String,
}

/// Whether somebody may see a restricted incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentAccessAnswer {
    /// Whether they may.
    pub grant: bool,
}

impl IncidentRestricted {
    /// Returns a restriction as the API shows it.
    pub fn new(it: &incident::Restriction) -> Self {
        Self {
            since: it.since,
            by: it.by.clone(),
            reason: it.reason.clone(),
            people: it.people.iter().map(ToString::to_string).collect(),
            teams: it.teams.iter().cloned().collect(),
            requests: it.requests.iter().map(IncidentAccessRequest::new).collect(),
        }
    }
}

/// A task that is added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentTaskDraft {
    /// What, in one line.
    #[schema(example = "Call the provider")]
    pub title: String,
    /// Who does it, by handle.
    pub assignee: Option<String>,
    /// Until when.
    pub due_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: IncidentTaskPriority,
    /// Whether the incident cannot be closed before it is done.
    pub is_blocking: bool,
}

/// What is to be changed of a task; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentTaskPatch {
    /// What.
    pub title: Option<String>,
    /// Who does it, by handle; empty for nobody.
    pub assignee: Option<String>,
    /// Until when.
    pub due_at: Option<Timestamp>,
    /// How much it matters.
    pub priority: Option<IncidentTaskPriority>,
    /// How far it is.
    pub status: Option<IncidentTaskStatus>,
    /// Whether the incident cannot be closed before it is done.
    pub is_blocking: Option<bool>,
}

/// What is to become of a row of a timeline; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentRowPatch {
    /// Whether it is shown above all others.
    pub pinned: Option<bool>,
    /// Whether it belongs to the story as it is told afterwards.
    pub key_moment: Option<bool>,
    /// How it is told there; empty for in its own words.
    pub caption: Option<String>,
    /// Where it is told there; 0 for by its time.
    pub position: Option<u32>,
}

/// Other words for a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentRevision {
    /// What it says now, in Markdown.
    pub text: String,
}

/// A row must not be read any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentRedaction {
    /// Why.
    pub reason: String,
}

/// How a chat is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatFormat {
    /// Lines of the form `HH:MM name: text`.
    #[default]
    Lines,
    /// The messages of a Slack export, or the answer of Slack's API.
    Slack,
}

/// What was said elsewhere, to be put into a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentImport {
    /// How it is written; lines unless said.
    #[serde(default)]
    pub format: ChatFormat,
    /// What was said.
    #[schema(example = "10:32 Ada: looks like the disk")]
    pub text: String,
    /// On which day lines begin, as in 2026-01-31; the day the incident was detected unless said.
    #[serde(default)]
    pub date: Option<String>,
    /// In which zone the times of lines are; UTC unless said.
    #[serde(default)]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
}

/// Only few may see an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentRestrict {
    /// Who, by handle, beside those who have it or a role in it.
    pub people: Vec<String>,
    /// The members of these teams, too.
    pub teams: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Nothing is left to do about an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentClose {
    /// Where it is believed to stand; when it stands elsewhere, nothing changes.
    pub from: Option<IncidentStatus>,
    /// What is said.
    pub note: String,
    /// Whether it is closed although something is missing; needs a permission of its own.
    pub force: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_core() {
        for status in TaskStatus::ALL {
            let wire = IncidentTaskStatus::from(*status);
            assert_eq!(serde_json::to_value(wire).unwrap(), status.as_str());
        }
        for priority in Priority::ALL {
            let wire = IncidentTaskPriority::from(*priority);
            assert_eq!(serde_json::to_value(wire).unwrap(), priority.as_str());
        }
    }
}
