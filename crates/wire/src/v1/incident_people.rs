//! Who does what in an incident, and how incidents belong together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::incident::{self, LinkKind, Relations, Role, Targets, UNMERGE_WINDOW};
use tocsin_core::labels::Fingerprint;
use utoipa::ToSchema;

/// What somebody is in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentRole {
    /// Decides and coordinates.
    #[serde(alias = "commander", alias = "ic")]
    IncidentCommander,
    /// Leads the search for the cause and the repair.
    #[serde(alias = "lead")]
    TechnicalLead,
    /// Tells those who have to know.
    #[serde(alias = "communications")]
    CommunicationsLead,
    /// Writes down what happens.
    Scribe,
    /// Knows what is concerned.
    #[serde(alias = "expert", alias = "sme")]
    SubjectMatterExpert,
    /// Works on it.
    Responder,
}

/// How another incident stands to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentLinkKind {
    /// It stands above.
    Parent,
    /// It belongs beneath.
    Child,
    /// They have something to do with each other.
    Related,
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
    IncidentRole = Role: IncidentCommander TechnicalLead CommunicationsLead Scribe
        SubjectMatterExpert Responder;
    IncidentLinkKind = LinkKind: Parent Child Related;
}

/// Everybody who has something to do with an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentPeople {
    /// One for each time that somebody had a role, the oldest first.
    pub roles: Vec<IncidentHolding>,
    /// Roles that its severity asks for and nobody has.
    pub vacant_roles: Vec<IncidentRole>,
    /// Who was asked for help, in order.
    pub requests: Vec<IncidentRequest>,
    /// Who hears of every change, by handle.
    pub subscribers: Vec<String>,
}

/// That somebody has or had a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentHolding {
    /// Which.
    pub role: IncidentRole,
    /// Who, by handle.
    pub person: String,
    /// Since when.
    pub assumed_at: Timestamp,
    /// Until when; absent for still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renounced_at: Option<Timestamp>,
    /// Who said so.
    pub by: String,
    /// What was said when it was given; may be empty.
    pub note: String,
}

/// That somebody was asked for help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentRequest {
    /// Counted from 1 in the incident.
    pub number: u32,
    /// Who was asked, by handle.
    pub person: String,
    /// What they would be.
    pub role: IncidentRole,
    /// What they were told; may be empty.
    pub message: String,
    /// Who asked.
    pub by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Until when they have to answer.
    pub expires_at: Timestamp,
    /// What became of it: `accepted`, `declined`, `expired` or `withdrawn`; absent while nobody
    /// has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "accepted")]
    pub answer: Option<String>,
    /// When they answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// What they said; may be empty.
    pub answer_message: String,
}

/// How an incident belongs together with others, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentRelations {
    /// As part of which one it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<u64>,
    /// Until when that can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmerge_until: Option<Timestamp>,
    /// Those that go on as part of it.
    pub merged: Vec<u64>,
    /// The one that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<u64>,
    /// Those that are the same.
    pub duplicates: Vec<u64>,
    /// The one above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u64>,
    /// Those beneath.
    pub children: Vec<u64>,
    /// Those that have something to do with it.
    pub related: Vec<u64>,
    /// The one that it came out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_from: Option<u64>,
    /// Those that came out of it.
    pub split_off: Vec<u64>,
}

impl IncidentPeople {
    /// Returns the people of an incident as the API shows them.
    pub fn new(it: &incident::Incident, targets: &Targets) -> Self {
        let holding = |it: &incident::Holding| IncidentHolding {
            role: it.role.into(),
            person: it.person.to_string(),
            assumed_at: it.assumed_at,
            renounced_at: it.renounced_at,
            by: it.by.clone(),
            note: it.note.clone(),
        };
        let request = |it: &incident::HelpRequest| IncidentRequest {
            number: it.number,
            person: it.person.to_string(),
            role: it.role.into(),
            message: it.message.clone(),
            by: it.by.clone(),
            asked_at: it.asked_at,
            expires_at: it.expires_at,
            answer: it.answer.as_ref().map(|answer| answer.said.as_str().to_owned()),
            answered_at: it.answer.as_ref().map(|answer| answer.at),
            answer_message: it.answer.as_ref().map_or_else(String::new, |it| it.message.clone()),
        };
        let vacant = match it.is_active() {
            true => it.crew.vacant(targets, it.owner.as_ref()),
            false => Vec::new(),
        };
        Self {
            roles: it.crew.holdings.iter().map(holding).collect(),
            vacant_roles: vacant.into_iter().map(Into::into).collect(),
            requests: it.crew.requests.iter().map(request).collect(),
            subscribers: it.crew.subscribers.iter().map(ToString::to_string).collect(),
        }
    }
}

impl IncidentRelations {
    /// Returns how an incident belongs together with others as the API shows it.
    pub fn new(it: &Relations) -> Self {
        let merge = it.merged_into.as_deref();
        let list = |numbers: &std::collections::BTreeSet<incident::IncidentNumber>| {
            numbers.iter().map(|it| it.0).collect()
        };
        Self {
            merged_into: merge.map(|it| it.into.0),
            unmerge_until: merge.and_then(|it| it.at.checked_add(UNMERGE_WINDOW).ok()),
            merged: list(&it.absorbed),
            duplicate_of: it.duplicate_of.map(|it| it.0),
            duplicates: list(&it.duplicates),
            parent: it.parent.map(|it| it.0),
            children: list(&it.children),
            related: list(&it.related),
            split_from: it.split_from.map(|it| it.0),
            split_off: list(&it.split_off),
        }
    }
}

/// Somebody gets a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentRoleGiven {
    /// Which.
    pub role: IncidentRole,
    /// Who, by handle.
    pub person: String,
    /// What they are told; may be empty.
    #[serde(default)]
    pub note: String,
}

/// Somebody joins, or gives back a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentRoleTaken {
    /// As what; `responder` unless said.
    pub role: Option<IncidentRole>,
    /// Who, by handle; whoever asks unless said.
    pub person: Option<String>,
}

/// Somebody takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentHandover {
    /// Which role.
    pub role: IncidentRole,
    /// Who takes over, by handle.
    pub to: String,
    /// How things stand.
    #[schema(example = "The provider is informed; next call at 14:00")]
    pub note: String,
}

/// People are asked for help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentHelpAsked {
    /// Whom, by handle.
    pub people: Vec<String>,
    /// As what; `responder` unless said.
    #[serde(default)]
    pub role: Option<IncidentRole>,
    /// What they are told; may be empty.
    #[serde(default)]
    pub message: String,
    /// How long they have to answer; by severity unless said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: Option<u32>,
}

/// Somebody who was asked for help answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentHelpAnswer {
    /// Whether they come.
    pub comes: bool,
    /// What they say; may be empty.
    #[serde(default)]
    pub message: String,
}

/// Somebody follows an incident, or no more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentSubscription {
    /// Who, by handle; whoever asks unless said.
    pub person: Option<String>,
}

/// A reminder that somebody wants to hear later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentSnooze {
    /// Of what, as `reminders` of the incident names it.
    #[schema(example = "update_due")]
    pub reminder: String,
    /// The number of the task, for `task_due`.
    #[serde(default)]
    pub task: Option<u32>,
    /// After how many minutes; at most 30 days.
    #[schema(example = 60)]
    pub minutes: u32,
    /// Who, by handle; whoever asks when left out.
    #[serde(default)]
    pub person: Option<String>,
}

/// Incidents become part of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentMerge {
    /// Which, by number or reference; 1 to 20.
    pub sources: Vec<String>,
}

/// Some alerts of an incident become another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentSplit {
    /// Which, by fingerprint.
    #[schema(value_type = Vec<String>)]
    pub alerts: Vec<Fingerprint>,
    /// What it is about; follows from the alerts when it is left out.
    #[serde(default)]
    pub title: Option<String>,
}

/// An incident is the same as another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentDuplicate {
    /// As which, by number or reference.
    pub of: String,
}

/// A link between two incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentLink {
    /// How the other one stands to it.
    pub kind: IncidentLinkKind,
    /// Which, by number or reference.
    pub other: String,
}

/// An incident and everything beneath it are over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentResolveAll {
    /// How it ended.
    pub note: String,
    /// The same for programs; `fixed` unless said.
    #[serde(default)]
    pub code: Option<super::IncidentResolution>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_core() {
        for role in Role::ALL {
            let wire = IncidentRole::from(role);
            assert_eq!(serde_json::to_value(wire).unwrap(), role.as_str());
            assert_eq!(Role::from(wire), role);
        }
        let short: IncidentRole = serde_json::from_str("\"ic\"").unwrap();
        assert_eq!(short, IncidentRole::IncidentCommander);
        for kind in LinkKind::ALL {
            assert_eq!(serde_json::to_value(IncidentLinkKind::from(kind)).unwrap(), kind.as_str());
        }
    }
}
