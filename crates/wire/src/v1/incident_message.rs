//! Messages about incidents, as the API takes and shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tocsin_core::incident::{self, MessageTemplate};
use utoipa::ToSchema;

use super::{IncidentResolution, IncidentStatus};

/// Who reads a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageAudience {
    /// Colleagues.
    #[default]
    Internal,
    /// Customers.
    Customer,
    /// Executives.
    Executive,
}

impl From<incident::Audience> for MessageAudience {
    fn from(audience: incident::Audience) -> Self {
        match audience {
            incident::Audience::Internal => Self::Internal,
            incident::Audience::Customer => Self::Customer,
            incident::Audience::Executive => Self::Executive,
        }
    }
}

impl From<MessageAudience> for incident::Audience {
    fn from(audience: MessageAudience) -> Self {
        match audience {
            MessageAudience::Internal => Self::Internal,
            MessageAudience::Customer => Self::Customer,
            MessageAudience::Executive => Self::Executive,
        }
    }
}

/// Several things about an incident at once: all of it happens, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentUpdate {
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<IncidentStatus>,
    /// What is said about that, and why the severity is another one.
    pub note: String,
    /// How it ended; only when it is resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<IncidentResolution>,
    /// How bad it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sev2")]
    pub severity: Option<String>,
    /// What others are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<IncidentMessage>,
}

/// A message that is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentMessage {
    /// From which template; absent for one in one's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "customer_update")]
    pub template: Option<String>,
    /// What is told, in place of the name of a template: `alert` to colleagues, `start`, `update` or
    /// `resolved` to customers, `briefing` to executives, as `audience` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "update")]
    pub kind: Option<String>,
    /// Who reads it, where no template says so.
    pub audience: MessageAudience,
    /// The subject, in place of the template's; may have variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it says, in place of the template's; may have variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Values of variables, in place of those that follow from the incident.
    pub variables: BTreeMap<String, String>,
    /// Who is told: `list:NAME`, `participants`, `subscribers`, or a target as in a policy, such as `ada`,
    /// `team:db`, `slack:#db`; 1 to 50.
    pub to: Vec<String>,
}

/// A message as it would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentMessagePreview {
    /// Who reads it.
    pub audience: MessageAudience,
    /// One line.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Who would be told.
    pub to: Vec<String>,
}

/// What messages can be made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageTemplateList {
    /// The templates, by name.
    pub items: Vec<MessageTemplateRow>,
    /// The names of lists that may be told.
    pub lists: Vec<String>,
}

/// What a message can be made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageTemplateRow {
    /// Its name.
    #[schema(example = "customer_update")]
    pub name: String,
    /// Who reads it.
    pub audience: MessageAudience,
    /// One line.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Variables to which whoever sends has to give a value.
    pub to_be_given: Vec<String>,
}

impl MessageTemplateRow {
    /// Returns a template as the API shows it; `has_value` says which variables have one.
    pub fn new(it: &MessageTemplate, has_value: impl Fn(&str) -> bool) -> Self {
        let open = it.variables().into_iter().filter(|name| !has_value(name));
        Self {
            name: it.name.to_string(),
            audience: it.audience.into(),
            subject: it.subject.to_string(),
            body: it.body.to_string(),
            to_be_given: open.map(str::to_owned).collect(),
        }
    }
}
