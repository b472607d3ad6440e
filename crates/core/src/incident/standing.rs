//! One incident, as it stands.

use std::collections::BTreeSet;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AlertRole, Author, Category, Crew, Evidence, Impact, IncidentKey, IncidentNumber, IncidentRef,
    Marks, Measure, Mode, Record, Relations, Restriction, Snooze, Status, Task, Ticket,
};
use crate::identity::Handle;
use crate::ids::{AlertNumber, RunNumber};
use crate::labels::{Fingerprint, Labels};
use crate::postmortem::PostmortemState;
use crate::severity::Severity;

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub number: IncidentNumber,
    /// What other alerts have in common with it that belong to it; `None` for one by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IncidentKey>,
    /// Counts every change.
    pub version: u64,
    /// How many rows its timeline has.
    pub entries: u64,
    /// Whether it is one.
    #[serde(default)]
    pub mode: Mode,
    /// What it is about.
    pub title: String,
    /// More about it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who said how bad it is; while nobody did, worse alerts make it worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_by: Option<String>,
    /// What kind of harm it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The service; may be empty.
    #[serde(default)]
    pub service: CompactString,
    /// Labels that name what it is about, among them those by which people may see it.
    #[serde(default)]
    pub labels: Labels,
    /// When it was written down.
    pub created_at: Timestamp,
    /// Who declared it.
    pub created_by: Author,
    /// Where it stood when.
    pub record: Record,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Handle>,
    /// Who worked on it or was named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub participants: BTreeSet<Handle>,
    /// The escalations that page about it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub runs: BTreeSet<RunNumber>,
    /// Since when nothing of it fires, and how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovery>,
    /// Whether somebody opened it again although nothing of it fires: then that is no recovery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rests: bool,
    /// When somebody did something about it last, or something of it began to fire.
    pub active_at: Timestamp,
    /// Who does what.
    #[serde(default)]
    pub crew: Crew,
    /// How it belongs together with others.
    #[serde(default)]
    pub relations: Relations,
    /// What has to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// What became of rows of its timeline.
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    pub marks: Marks,
    /// Who may see it, when that is not everybody who may see incidents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<Restriction>,
    /// When somebody said how it goes last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// What somebody wants to hear later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snoozes: Vec<Snooze>,
    /// Whether executives were told that it is one of theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executives_told: bool,
    /// Alerts that would belong to it and were too many.
    #[serde(default)]
    pub alerts_left_out: u64,
    /// What was said last of how many of its alerts fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts_said: Option<AlertsSaid>,
    /// How many rows tell of alerts, pages and changes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub signals: u32,
    /// The earlier incident about the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<IncidentNumber>,
    /// What it has in common with other incidents, such as `alert:HighErrorRate`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub traits: BTreeSet<String>,
    /// How far its postmortem is; `None` while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postmortem: Option<PostmortemState>,
    /// What is known of the effects.
    #[serde(default, skip_serializing_if = "Evidence::is_empty")]
    pub evidence: Evidence,
    /// Whom it harms, and how much.
    #[serde(default, skip_serializing_if = "Impact::is_empty")]
    pub impact: Impact,
    /// The services that it is about, beside the main one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<CompactString>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<CompactString>,
    /// A ticket in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// What caused it, in Markdown; empty while nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root_cause: String,
    /// Times of the harm itself.
    #[serde(default)]
    pub measure: Measure,
    /// What a program named so that asking twice is harmless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// That nothing of an incident fires any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Since when.
    pub at: Timestamp,
    /// Whether an alert ended only because nobody told it any more, which is no recovery.
    pub is_silent: bool,
}

/// What was said last of how many alerts of an incident fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsSaid {
    /// When a row said so; `None` when that was part of another row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How many fired.
    pub firing: usize,
    /// Of how many.
    pub total: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// An alert of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentAlert {
    /// The hash of its labels.
    pub fingerprint: Fingerprint,
    /// Its latest life.
    pub alert: AlertNumber,
    /// Since when it belongs to the incident.
    pub joined_at: Timestamp,
    /// What it is there, as somebody said; see [`super::alert_roles`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AlertRole>,
}

impl Incident {
    /// Returns an incident about which only this is known.
    pub fn new(
        number: IncidentNumber,
        detected_at: Timestamp,
        by: Author,
        title: String,
        severity: Severity,
    ) -> Self {
        Self {
            number,
            key: None,
            version: 0,
            entries: 0,
            mode: Mode::Real,
            title,
            summary: String::new(),
            severity,
            severity_by: None,
            category: None,
            service: Default::default(),
            labels: Labels::default(),
            created_at: detected_at,
            record: Record::new(detected_at, &by.name),
            created_by: by,
            owner: None,
            participants: Default::default(),
            runs: Default::default(),
            recovered: None,
            rests: false,
            active_at: detected_at,
            crew: Crew::default(),
            relations: Relations::default(),
            tasks: Vec::new(),
            marks: Marks::default(),
            restricted: None,
            told_at: None,
            snoozes: Vec::new(),
            executives_told: false,
            alerts_left_out: 0,
            alerts_said: None,
            signals: 0,
            recurrence_of: None,
            traits: Default::default(),
            postmortem: None,
            evidence: Evidence::default(),
            impact: Impact::default(),
            services: Default::default(),
            tags: Default::default(),
            ticket: None,
            root_cause: String::new(),
            measure: Measure::default(),
            idempotency_key: None,
        }
    }

    /// Returns where it stands.
    pub fn status(&self) -> Status {
        self.record.status()
    }

    /// Returns whether it is not over.
    pub fn is_active(&self) -> bool {
        self.status().is_active()
    }

    /// Returns what people write down.
    pub fn reference(&self) -> IncidentRef {
        IncidentRef::new(self.number, self.record.detected_at())
    }
}
