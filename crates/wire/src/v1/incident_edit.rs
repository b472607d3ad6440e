//! Incidents to be declared, what is to be changed of one, and all of its alerts.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::incident::{AlertRole, Impact, ParticularsEdit, Ticket, TimeField};
use utoipa::ToSchema;

use super::incident::{IncidentAlertRow, IncidentCategory, IncidentEvidence, IncidentMode};

/// Whom an incident harms, and how much, as somebody estimates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentImpact {
    /// How many users are concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<String>>,
    /// How much revenue is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<f64>,
    /// In which currency, in three letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// Whether what was promised to customers is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sla_breach: Option<bool>,
    /// How many messages customers were sent about it; each that is sent from here is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_notifications: Option<u64>,
}

/// A ticket about an incident in another system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentTicket {
    /// How it is called there.
    #[schema(example = "OPS-1234")]
    pub id: String,
    /// Where it can be seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

impl IncidentImpact {
    /// Shows it; what nobody said is absent.
    pub fn new(it: &Impact) -> Self {
        let regions: Vec<String> = it.regions.iter().map(ToString::to_string).collect();
        Self {
            users: it.users,
            regions: Some(regions).filter(|it| !it.is_empty()),
            revenue: it.revenue,
            currency: Some(it.currency.to_string()).filter(|it| !it.is_empty()),
            sla_breach: it.sla_breach,
            customer_notifications: it.customer_notifications,
        }
    }

    /// Returns whether nobody said anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn said(&self) -> ParticularsEdit {
        ParticularsEdit {
            users: self.users,
            regions: words(self.regions.clone()),
            revenue: self.revenue,
            currency: self.currency.as_deref().map(Into::into),
            sla_breach: self.sla_breach,
            customer_notifications: self.customer_notifications,
            ..ParticularsEdit::default()
        }
    }
}

impl From<Ticket> for IncidentTicket {
    fn from(it: Ticket) -> Self {
        Self { id: it.id, url: it.url }
    }
}

impl From<IncidentTicket> for Ticket {
    fn from(it: IncidentTicket) -> Self {
        Self { id: it.id, url: it.url }
    }
}

fn words(list: Option<Vec<String>>) -> Option<BTreeSet<CompactString>> {
    list.map(|list| list.into_iter().map(CompactString::from).collect())
}

/// An incident to be declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentDraft {
    /// What it is about, in one line.
    #[schema(example = "Customers cannot pay")]
    pub title: String,
    /// More about it, in Markdown.
    pub summary: String,
    /// How bad it is: `sev1` to `sev5`, or a word such as `critical`. Follows from `evidence`
    /// when it is left out.
    pub severity: Option<String>,
    /// What is known of the effects.
    pub evidence: IncidentEvidence,
    /// What kind of harm it is.
    pub category: Option<IncidentCategory>,
    /// The service.
    pub service: String,
    /// The team whose it is. When it is left out, that of the first escalation policy for the
    /// service that has one.
    pub team: String,
    /// Whether it is one.
    pub mode: IncidentMode,
    /// While an incident with this key is open, it is that one.
    pub key: Option<String>,
    /// Who has it, by handle.
    pub owner: Option<String>,
    /// The name of the escalation policy by which people are paged about it; nobody is when it is
    /// left out. Whoever acknowledges the page takes the incident, and the other way round.
    pub page: Option<String>,
    /// When it was detected, if not now.
    pub detected_at: Option<Timestamp>,
    /// Whom it harms, and how much.
    pub impact: IncidentImpact,
    /// The services that it is about, beside `service`.
    pub services: Vec<String>,
    /// Words by which it is found.
    pub tags: Vec<String>,
    /// A ticket in another system.
    pub ticket: Option<IncidentTicket>,
    /// What caused it, in Markdown.
    pub root_cause: Option<String>,
}

impl IncidentDraft {
    /// Returns what is said beside the rest.
    pub fn particulars(&self) -> ParticularsEdit {
        let list = |it: &Vec<String>| Some(it.clone()).filter(|it| !it.is_empty());
        ParticularsEdit {
            services: words(list(&self.services)),
            tags: words(list(&self.tags)),
            ticket: self.ticket.clone().map(Into::into),
            root_cause: self.root_cause.clone(),
            ..self.impact.said()
        }
    }
}

/// What is to be changed of an incident; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentPatch {
    /// What it is about.
    pub title: Option<String>,
    /// More about it.
    pub summary: Option<String>,
    /// What kind of harm it is.
    pub category: Option<IncidentCategory>,
    /// The service.
    pub service: Option<String>,
    /// The team whose it is; empty for none.
    pub team: Option<String>,
    /// What is known of the effects.
    pub evidence: Option<IncidentEvidence>,
    /// When harm began.
    pub impact_started_at: Option<Timestamp>,
    /// When harm ended.
    pub impact_ended_at: Option<Timestamp>,
    /// Whom it harms, and how much; what is absent stays.
    pub impact: IncidentImpact,
    /// The services that it is about, beside `service`.
    pub services: Option<Vec<String>>,
    /// Words by which it is found.
    pub tags: Option<Vec<String>>,
    /// A ticket in another system; an empty one for none.
    pub ticket: Option<IncidentTicket>,
    /// What caused it, in Markdown.
    pub root_cause: Option<String>,
    /// Whether it was seen coming before harm began.
    pub is_predicted: Option<bool>,
    /// When it was detected first.
    pub detected_at: Option<Timestamp>,
    /// When somebody took it. This and what follows is that of the last time it was open.
    pub acknowledged_at: Option<Timestamp>,
    /// When the search for the cause began.
    pub investigating_at: Option<Timestamp>,
    /// When the cause was known.
    pub identified_at: Option<Timestamp>,
    /// When something began to be done against it.
    pub mitigating_at: Option<Timestamp>,
    /// When what was done held.
    pub mitigated_at: Option<Timestamp>,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// When nothing was left to do.
    pub closed_at: Option<Timestamp>,
}

impl IncidentPatch {
    /// Returns what is said beside the rest.
    pub fn particulars(&self) -> ParticularsEdit {
        ParticularsEdit {
            services: words(self.services.clone()),
            tags: words(self.tags.clone()),
            ticket: self.ticket.clone().map(Into::into),
            root_cause: self.root_cause.clone(),
            ..self.impact.said()
        }
    }

    /// Returns whether it sets times right.
    pub fn has_times(&self) -> bool {
        self.impact_started_at.is_some()
            || self.impact_ended_at.is_some()
            || self.is_predicted.is_some()
            || !self.times().is_empty()
    }

    /// Returns when it is to have stood where.
    pub fn times(&self) -> BTreeMap<TimeField, Timestamp> {
        let of = |field| match field {
            TimeField::Detected => self.detected_at,
            TimeField::Acknowledged => self.acknowledged_at,
            TimeField::Investigating => self.investigating_at,
            TimeField::Identified => self.identified_at,
            TimeField::Mitigating => self.mitigating_at,
            TimeField::Mitigated => self.mitigated_at,
            TimeField::Resolved => self.resolved_at,
            TimeField::Closed => self.closed_at,
        };
        TimeField::ALL.into_iter().filter_map(|field| Some((field, of(field)?))).collect()
    }
}

/// A page of the alerts of an incident, the first that joined first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentAlertPage {
    /// The alerts of this page.
    pub items: Vec<IncidentAlertRow>,
    /// What to give as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many were too many, so that the incident only counted them.
    pub left_out: u64,
}

/// What an alert is in its incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentAlertRole {
    /// It tells of the cause.
    Root,
    /// It tells of what follows from that.
    Symptom,
    /// It tells the same as another one.
    Duplicate,
}

impl From<AlertRole> for IncidentAlertRole {
    fn from(role: AlertRole) -> Self {
        match role {
            AlertRole::Root => Self::Root,
            AlertRole::Symptom => Self::Symptom,
            AlertRole::Duplicate => Self::Duplicate,
        }
    }
}

impl From<IncidentAlertRole> for AlertRole {
    fn from(role: IncidentAlertRole) -> Self {
        match role {
            IncidentAlertRole::Root => Self::Root,
            IncidentAlertRole::Symptom => Self::Symptom,
            IncidentAlertRole::Duplicate => Self::Duplicate,
        }
    }
}

/// What is to be changed of an alert of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentAlertPatch {
    /// What it is.
    pub role: IncidentAlertRole,
}
