//! What each severity means and asks for.

use serde::{Deserialize, Serialize};
use tocsin_core::incident::{
    Evidence, Incident, Role, SeverityGuide, SeverityTable, Targets, classify,
};
use tocsin_core::severity::Severity;
use utoipa::ToSchema;

use super::incident::word;
use super::incident_people::IncidentRole;

/// What a severity asks for, in minutes from when the incident was detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentTargets {
    /// Somebody has taken it.
    pub acknowledge_minutes: u32,
    /// An update is written so often.
    pub update_minutes: u32,
    /// It goes to the next level when it is not over.
    pub escalate_minutes: u32,
    /// It is over; absent for no promise.
    pub resolve_minutes: Option<u32>,
    /// Whether somebody has to be in command.
    pub needs_commander: bool,
}

impl IncidentTargets {
    /// Shows what a severity asks for.
    pub fn new(it: &Targets) -> Self {
        Self {
            acknowledge_minutes: it.acknowledge_minutes,
            update_minutes: it.update_minutes,
            escalate_minutes: it.escalate_minutes,
            resolve_minutes: it.resolve_minutes,
            needs_commander: it.needs_commander(),
        }
    }
}

/// What every severity means and asks for, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Severities {
    /// The severities.
    pub items: Vec<SeverityRow>,
}

/// What a severity means and asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeverityRow {
    /// `sev1` to `sev5`.
    #[schema(example = "sev2")]
    pub severity: String,
    /// The same as a word.
    #[schema(example = "high")]
    pub word: String,
    /// What people call it.
    #[schema(example = "Major")]
    pub name: String,
    /// What it is.
    pub description: String,
    /// What users notice.
    pub user_impact: String,
    /// What is one.
    pub examples: Vec<String>,
    /// What it asks for.
    pub targets: IncidentTargets,
    /// Who is needed.
    pub roles: Vec<SeverityRole>,
    /// Whether a postmortem has to be published.
    pub requires_postmortem: bool,
    /// In how many days one is due.
    pub postmortem_days: u8,
    /// Whether Saturdays and Sundays do not count among them.
    pub postmortem_days_are_working_days: bool,
    /// Whether executives hear of it.
    pub tells_executives: bool,
}

/// A role that a severity asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeverityRole {
    /// Which.
    pub role: IncidentRole,
    /// What somebody with it does.
    pub responsibility: String,
}

impl Severities {
    /// Shows all of them; `requires_postmortem` says which need one.
    pub fn new(table: &SeverityTable, requires_postmortem: impl Fn(Severity) -> bool) -> Self {
        let row = |severity: Severity| {
            let (guide, targets) = (SeverityGuide::of(severity), table.of(severity));
            let (postmortem_days, is_business) = targets.postmortem_days();
            let role = |role: &Role| SeverityRole {
                role: (*role).into(),
                responsibility: role.responsibility().to_owned(),
            };
            SeverityRow {
                severity: severity.as_str().to_owned(),
                word: severity.word().to_owned(),
                name: guide.name.to_owned(),
                description: guide.description.to_owned(),
                user_impact: guide.user_impact.to_owned(),
                examples: guide.examples.map(str::to_owned).to_vec(),
                targets: IncidentTargets::new(targets),
                roles: targets.roles.iter().map(role).collect(),
                requires_postmortem: requires_postmortem(severity),
                postmortem_days,
                postmortem_days_are_working_days: is_business,
                tells_executives: targets.tells_executives,
            }
        };
        Self { items: Severity::ALL.into_iter().map(row).collect() }
    }
}

/// How bad something is by what is known of its effects, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentClassification {
    /// `sev1` to `sev5`.
    #[schema(example = "sev2")]
    pub severity: String,
    /// Which sentence decided, for programs.
    #[schema(example = "major_impact")]
    pub clause: String,
    /// The same for people.
    pub reason: String,
    /// What nobody has measured and might have made it worse.
    #[schema(example = json!(["users_percent"]))]
    pub missing: Vec<String>,
    /// Who said how bad it is, so that effects do not change it; absent while nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_by: Option<String>,
    /// What it could be set to, where that is not what it is; effects make it worse by themselves
    /// unless it is pinned, and never better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl IncidentClassification {
    /// Classifies what is known of the effects.
    pub fn of(evidence: &Evidence) -> Self {
        let it = classify(evidence);
        Self {
            severity: it.severity.as_str().to_owned(),
            clause: word(&it.clause),
            reason: it.clause.text().to_owned(),
            missing: it.missing.iter().map(word).collect(),
            pinned_by: None,
            suggestion: None,
        }
    }

    /// The same of an incident; `None` while nothing is known of its effects.
    pub fn of_incident(it: &Incident) -> Option<Self> {
        if it.evidence.is_empty() {
            return None;
        }
        let classified = Self::of(&it.evidence);
        let is_other = classified.severity != it.severity.as_str();
        Some(Self {
            pinned_by: it.severity_by.clone(),
            suggestion: is_other.then(|| classified.severity.clone()),
            ..classified
        })
    }
}
