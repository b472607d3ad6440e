//! Incidents to be declared, what is to be changed of one, and all of its alerts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::incident::TimeField;
use utoipa::ToSchema;

use super::incident::{IncidentAlertRow, IncidentCategory, IncidentEvidence, IncidentMode};

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
    /// Whether it is one.
    pub mode: IncidentMode,
    /// While an incident with this key is open, it is that one.
    pub key: Option<String>,
    /// Who has it, by handle.
    pub owner: Option<String>,
    /// When it was detected, if not now.
    pub detected_at: Option<Timestamp>,
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
    /// What is known of the effects.
    pub evidence: Option<IncidentEvidence>,
    /// When harm began.
    pub impact_started_at: Option<Timestamp>,
    /// When harm ended.
    pub impact_ended_at: Option<Timestamp>,
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
