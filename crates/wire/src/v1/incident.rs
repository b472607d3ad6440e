//! Incidents: how they stand, what belongs to them, and what happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::incident::{
    self, AlertRole, Category, Entry, Evidence, IncidentAlert, Marks, Metric, Mode, Need,
    ResolutionCode, State, Status, Targets, Validity, allowed_from, measure,
};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::reminder::Reminder;
use utoipa::ToSchema;

use super::incident_edit::{IncidentAlertRole, IncidentImpact, IncidentTicket};
use super::incident_more::{IncidentRestricted, IncidentTask};
use super::incident_people::{IncidentPeople, IncidentRelations};
use super::severity::{IncidentClassification, IncidentTargets};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// It is known, and nobody has taken it.
    #[serde(alias = "open")]
    Detected,
    /// Somebody has taken it.
    Acknowledged,
    /// Somebody looks for the cause.
    Investigating,
    /// The cause is known.
    Identified,
    /// Something is being done against it.
    Mitigating,
    /// What was done seems to hold, and is watched.
    Monitoring,
    /// The harm is over.
    Resolved,
    /// Nothing is left to do about it.
    Closed,
}

/// The same in four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Nobody has taken it.
    Open,
    /// Somebody has taken it.
    Acknowledged,
    /// Somebody works on it.
    Investigating,
    /// It is over.
    Resolved,
}

/// Whether an incident is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentMode {
    /// It is.
    #[default]
    Real,
    /// Somebody tries something out.
    Test,
    /// People practise.
    Drill,
    /// It was, and is written down afterwards.
    Backfilled,
}

/// What kind of harm an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentCategory {
    /// Something does not answer.
    Availability,
    /// Something is slow.
    Performance,
    /// Data is lost or wrong.
    DataIntegrity,
    /// Somebody may do or see what they must not.
    Security,
    /// Something is full, or will be.
    Capacity,
    /// Somebody else's service fails.
    Dependency,
    /// A setting is wrong.
    Configuration,
    /// A model answers badly.
    Model,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentResolution {
    /// What caused it is repaired.
    Fixed,
    /// Its effects are gone; the cause may not be.
    Mitigated,
    /// It went away by itself.
    SelfRecovered,
    /// There was no harm.
    FalsePositive,
    /// It is the same as another one.
    Duplicate,
    /// It goes on as part of another one.
    Merged,
    /// It was not to be an incident.
    Cancelled,
    /// Nothing will be done about it.
    WontFix,
    /// It was meant to happen.
    Expected,
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
    IncidentStatus = Status: Detected Acknowledged Investigating Identified Mitigating Monitoring
        Resolved Closed;
    IncidentState = State: Open Acknowledged Investigating Resolved;
    IncidentMode = Mode: Real Test Drill Backfilled;
    IncidentCategory = Category: Availability Performance DataIntegrity Security Capacity
        Dependency Configuration Model;
    IncidentResolution = ResolutionCode: Fixed Mitigated SelfRecovered FalsePositive Duplicate
        Merged Cancelled WontFix Expected;
}

/// A coordinated response to harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Incident {
    /// Its number, to say aloud.
    #[schema(example = 142)]
    pub number: u64,
    /// Its reference, to write down.
    #[serde(rename = "ref")]
    #[schema(example = "INC-20260131-1f2e3d4c")]
    pub reference: String,
    /// Counts every change; also the `ETag`.
    pub version: u64,
    /// What it is about.
    pub title: String,
    /// More about it; may be empty.
    pub summary: String,
    /// Where it stands.
    pub status: IncidentStatus,
    /// The same in four words.
    pub state: IncidentState,
    /// Since when it stands there.
    pub status_since: Timestamp,
    /// How bad it is: `sev1` to `sev5`.
    #[schema(example = "sev2")]
    pub severity: String,
    /// The same as a word.
    #[schema(example = "high")]
    pub severity_word: String,
    /// Who said how bad it is; absent while alerts and effects decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_by: Option<String>,
    /// What kind of harm it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<IncidentCategory>,
    /// The service; may be empty.
    pub service: String,
    /// Other services that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Words by which it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A ticket in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<IncidentTicket>,
    /// Labels that name what it is about.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// Whether it is one.
    pub mode: IncidentMode,
    /// Who has it, by handle; absent for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who worked on it or was named, by handle.
    pub participants: Vec<String>,
    /// Who declared it.
    pub created_by: String,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was detected first.
    pub detected_at: Timestamp,
    /// When somebody took it, this time; absent while nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// When it was over, this time; absent while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// How it ended, this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<IncidentResolution>,
    /// When nothing was left to do; absent while something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Which time it is that it was open, counted from 1.
    pub cycle: u32,
    /// Since when nothing of it fires; absent while something does or nothing ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
    /// When somebody did something about it last.
    pub active_at: Timestamp,
    /// From the first detection to the last end, in seconds; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mttr: Option<i64>,
    /// The number of the earlier incident about the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<u64>,
}

/// An incident with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentDetail {
    /// The incident.
    #[serde(flatten)]
    pub incident: Incident,
    /// Its alerts, at most a hundred of them, the first that joined first.
    pub alerts: Vec<IncidentAlertRow>,
    /// How many there are.
    pub alerts_total: u64,
    /// The numbers of the escalations that page about it.
    pub escalations: Vec<u64>,
    /// Each time it was open, the oldest first.
    pub cycles: Vec<IncidentCycle>,
    /// Whether it ends and begins again so often that it is left open for longer.
    pub is_flapping: bool,
    /// What its severity asks for.
    pub targets: IncidentTargets,
    /// How long things took.
    pub metrics: Vec<IncidentMetric>,
    /// What is known of the effects.
    pub evidence: IncidentEvidence,
    /// How bad it is by that, and why; absent while nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<IncidentClassification>,
    /// Whom it harms, and how much; absent while nobody said.
    #[serde(default, skip_serializing_if = "IncidentImpact::is_empty")]
    pub impact: IncidentImpact,
    /// What caused it, in Markdown; absent while nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root_cause: String,
    /// When harm began, as somebody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_started_at: Option<Timestamp>,
    /// When harm ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_ended_at: Option<Timestamp>,
    /// Whether that is only when it was resolved, since nobody said anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_impact_end_assumed: bool,
    /// Whether it was seen coming before harm began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_predicted: bool,
    /// Where it may go from here, and what that takes.
    pub allowed_transitions: Vec<IncidentTransition>,
    /// Who does what.
    pub people: IncidentPeople,
    /// How it belongs together with others.
    pub relations: IncidentRelations,
    /// What has to be done.
    pub tasks: Vec<IncidentTask>,
    /// Who may see it; absent for everybody who may see incidents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<IncidentRestricted>,
    /// What people are reminded of, and when next.
    pub reminders: Vec<IncidentReminder>,
}

/// Something that people are reminded of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentReminder {
    /// Of what, such as `ack_sla`, `update_due` or `inactivity`.
    #[schema(example = "update_due")]
    pub kind: String,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it is said next; absent for not again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// How often it was said.
    pub fired: u32,
}

impl IncidentReminder {
    /// Returns a reminder as the API shows it.
    pub fn new(it: &Reminder) -> Self {
        let kind = it.key.kind.as_str().to_owned();
        Self { kind, since: it.anchor, due_at: it.due_at, fired: it.fired }
    }
}

/// The most alerts that one incident lists; their number is told beside them.
pub const MAX_LISTED_INCIDENT_ALERTS: usize = 100;

/// An alert of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentAlertRow {
    /// The hash of its labels.
    #[schema(value_type = String, example = "6c4d0d558f7061a9")]
    pub fingerprint: Fingerprint,
    /// Its labels, as long as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub labels: Option<Labels>,
    /// Since when it belongs to the incident.
    pub joined_at: Timestamp,
    /// What it is in the incident: the first that joined is the root until somebody says otherwise.
    pub role: IncidentAlertRole,
    /// Whether it fires.
    pub is_firing: bool,
}

/// One time that an incident was open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentCycle {
    /// Counted from 1.
    pub number: u32,
    /// When it began: detected, or reopened.
    pub opened_at: Timestamp,
    /// When somebody took it first.
    pub acknowledged_at: Option<Timestamp>,
    /// Whether they did so by going to work rather than by saying so.
    pub is_acknowledged_implicitly: bool,
    /// When the search for the cause began.
    pub investigating_at: Option<Timestamp>,
    /// When the cause was known.
    pub identified_at: Option<Timestamp>,
    /// When something began to be done against it.
    pub mitigating_at: Option<Timestamp>,
    /// When what was done held.
    pub mitigated_at: Option<Timestamp>,
    /// Whether that is only when it was resolved.
    pub is_mitigation_assumed: bool,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// How it ended.
    pub resolution: Option<IncidentResolution>,
    /// When nothing was left to do.
    pub closed_at: Option<Timestamp>,
    /// Which of these times somebody named rather than that they were seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["resolved_at"]))]
    pub given: Vec<String>,
}

/// How long something took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentMetric {
    /// What.
    #[schema(example = "mtta")]
    pub name: String,
    /// Of which cycle; absent for the incident as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<u32>,
    /// In seconds; only when it is recorded.
    pub seconds: Option<i64>,
    /// Whether it has a value: `recorded`, `pending`, `not_applicable` or `invalid`.
    #[schema(example = "recorded")]
    pub status: String,
    /// What it begins with.
    #[schema(example = "detected")]
    pub start: String,
    /// What it ends with.
    #[schema(example = "acknowledged")]
    pub end: String,
}

/// What is known of the effects; what is absent is unknown, which is not the same as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentEvidence {
    /// Which part of the users is concerned, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_percent: Option<f64>,
    /// Which part of the requests fails, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
    /// How many times slower than usual it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_factor: Option<f64>,
    /// Whether something that everybody needs is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_core: Option<bool>,
    /// Whether somebody may do or see what they must not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_security: Option<bool>,
}

impl From<IncidentEvidence> for Evidence {
    fn from(it: IncidentEvidence) -> Self {
        let IncidentEvidence { users_percent, error_rate, latency_factor, is_core, is_security } =
            it;
        Self { users_percent, error_rate, latency_factor, is_core, is_security }
    }
}

impl From<Evidence> for IncidentEvidence {
    fn from(it: Evidence) -> Self {
        let Evidence { users_percent, error_rate, latency_factor, is_core, is_security } = it;
        Self { users_percent, error_rate, latency_factor, is_core, is_security }
    }
}

/// Where an incident may go, and what that takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentTransition {
    /// Where.
    pub to: IncidentStatus,
    /// What that takes: `nothing`, `note`, `reason`, `preconditions` or `reopen_closed`.
    #[schema(example = "note")]
    pub needs: String,
}

/// A row of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentEntry {
    /// Its place, counted from 1 without gaps in the order of recording.
    pub seq: u64,
    /// What happened, in coarse words: `alert_fired`, `comment`, `state_change`, `assignment`,
    /// `resolution` or `change`.
    #[serde(rename = "type")]
    #[schema(example = "state_change")]
    pub family: String,
    /// What happened, for programs.
    #[schema(example = "moved")]
    pub kind: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// In which cycle, counted from 1.
    pub cycle: u32,
    /// Who did it.
    pub by: String,
    /// What kind of author: `person`, `system` or `program`.
    #[schema(example = "person")]
    pub by_kind: String,
    /// How they said so, such as `api` or a channel; empty for Tocsin itself.
    pub via: String,
    /// What happened, for people.
    #[schema(example = "resolved as fixed: the disk is larger")]
    pub text: String,
    /// What the kind adds.
    #[schema(value_type = Object)]
    pub details: Value,
    /// The text as HTML, where people wrote it and it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Whether it is shown above all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_pinned: bool,
    /// Whether it belongs to the story as it is told afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_key_moment: bool,
    /// How it is told there; empty for in its own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// Where it is told there; absent for by its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Whether its words were corrected; `text` is what it says now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_edited: bool,
    /// Whether it must not be read any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_redacted: bool,
}

impl Incident {
    /// Returns an incident as the API shows it.
    pub fn new(it: &incident::Incident) -> Self {
        let cycle = it.record.cycle();
        let mttr = measure(&it.record, &it.measure)
            .into_iter()
            .find(|metric| metric.name == incident::MetricName::Mttr && metric.cycle.is_none());
        Self {
            number: it.number.0,
            reference: it.reference().to_string(),
            version: it.version,
            title: it.title.clone(),
            summary: it.summary.clone(),
            status: it.status().into(),
            state: it.status().state().into(),
            status_since: it.record.status_since(),
            severity: it.severity.to_string(),
            severity_word: it.severity.word().to_owned(),
            severity_by: it.severity_by.clone(),
            category: it.category.map(Into::into),
            service: it.service.to_string(),
            services: it.services.iter().map(ToString::to_string).collect(),
            tags: it.tags.iter().map(ToString::to_string).collect(),
            ticket: it.ticket.clone().map(Into::into),
            labels: it.labels.clone(),
            mode: it.mode.into(),
            owner: it.owner.as_ref().map(ToString::to_string),
            participants: it.participants.iter().map(ToString::to_string).collect(),
            created_by: it.created_by.name.clone(),
            created_at: it.created_at,
            detected_at: it.record.detected_at(),
            acknowledged_at: cycle.acknowledged_at,
            resolved_at: cycle.resolved_at,
            resolution: cycle.resolution.map(Into::into),
            closed_at: cycle.closed_at,
            cycle: cycle.number,
            recovered_at: it.recovered.map(|it| it.at),
            active_at: it.active_at,
            mttr: mttr.and_then(|metric| metric.seconds),
            recurrence_of: it.recurrence_of.map(|number| number.0),
        }
    }
}

impl IncidentDetail {
    /// Returns an incident with everything that belongs to it.
    ///
    /// `targets` are those of its severity.
    pub fn new(
        it: &incident::Incident,
        targets: &Targets,
        alerts: Vec<IncidentAlertRow>,
        total: usize,
    ) -> Self {
        Self {
            incident: Incident::new(it),
            alerts,
            alerts_total: total as u64 + it.alerts_left_out,
            escalations: it.runs.iter().map(|run| run.0).collect(),
            cycles: it.record.cycles().iter().map(IncidentCycle::new).collect(),
            is_flapping: it.record.flaps(),
            targets: IncidentTargets::new(targets),
            metrics: measure(&it.record, &it.measure).iter().map(IncidentMetric::new).collect(),
            evidence: it.evidence.into(),
            classification: IncidentClassification::of_incident(it),
            impact: IncidentImpact::new(&it.impact),
            root_cause: it.root_cause.clone(),
            impact_started_at: it.measure.impact_started_at,
            impact_ended_at: it.measure.impact_ended_at,
            is_impact_end_assumed: it.measure.is_end_assumed,
            is_predicted: it.measure.is_predicted,
            allowed_transitions: transitions(allowed_from(it.status())),
            people: IncidentPeople::new(it, targets),
            relations: IncidentRelations::new(&it.relations),
            tasks: it.tasks.iter().map(IncidentTask::new).collect(),
            restricted: it.restricted.as_ref().map(IncidentRestricted::new),
            reminders: Vec::new(),
        }
    }
}

/// Returns where an incident may go, as the API shows it.
pub fn transitions(moves: impl IntoIterator<Item = (Status, Need)>) -> Vec<IncidentTransition> {
    let shown =
        |(to, needs): (Status, Need)| IncidentTransition { to: to.into(), needs: word(&needs) };
    moves.into_iter().map(shown).collect()
}

impl IncidentAlertRow {
    /// Returns an alert of an incident as the API shows it.
    pub fn new(
        alert: &IncidentAlert,
        role: AlertRole,
        labels: Option<Labels>,
        is_firing: bool,
    ) -> Self {
        let IncidentAlert { fingerprint, joined_at, .. } = *alert;
        Self { fingerprint, labels, joined_at, role: role.into(), is_firing }
    }
}

impl IncidentCycle {
    fn new(it: &incident::Cycle) -> Self {
        Self {
            number: it.number,
            opened_at: it.opened_at,
            acknowledged_at: it.acknowledged_at,
            is_acknowledged_implicitly: it.is_acknowledged_implicitly,
            investigating_at: it.investigating_at,
            identified_at: it.identified_at,
            mitigating_at: it.mitigating_at,
            mitigated_at: it.mitigated_at,
            is_mitigation_assumed: it.is_mitigation_assumed,
            resolved_at: it.resolved_at,
            resolution: it.resolution.map(Into::into),
            closed_at: it.closed_at,
            given: it.given.iter().map(|field| field.name().to_owned()).collect(),
        }
    }
}

impl IncidentMetric {
    /// Shows a measure.
    pub fn new(it: &Metric) -> Self {
        Self {
            name: word(&it.name),
            cycle: it.cycle,
            seconds: it.seconds.filter(|_| it.status == Validity::Recorded),
            status: word(&it.status),
            start: word(&it.start),
            end: word(&it.end),
        }
    }
}

impl IncidentEntry {
    /// Returns a row of a timeline as the API shows it.
    pub fn new(entry: &Entry) -> Self {
        let mut details = serde_json::to_value(&entry.fact).unwrap_or_default();
        if let Some(fields) = details.as_object_mut() {
            fields.remove("kind");
        }
        Self {
            seq: entry.seq,
            family: entry.fact.family().to_owned(),
            kind: entry.fact.kind().to_owned(),
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
            cycle: entry.cycle,
            by: entry.by.name.clone(),
            by_kind: word(&entry.by.kind),
            via: entry.by.via.to_string(),
            text: entry.fact.sentence(),
            details,
            html: None,
            is_pinned: false,
            is_key_moment: false,
            caption: String::new(),
            position: None,
            is_edited: false,
            is_redacted: false,
        }
    }

    /// Returns a row as the API shows it, with what became of it since; `revised` is what it says
    /// now, when that was corrected.
    pub fn with_marks(entry: &Entry, marks: &Marks, revised: Option<&str>) -> Self {
        let told = entry.told(marks, revised);
        let mut row = Self {
            text: told.text(),
            is_edited: told.is_edited,
            is_redacted: told.is_redacted,
            ..Self::new(entry)
        };
        if let Some(mark) = marks.get(&entry.seq) {
            row.is_pinned = mark.is_pinned;
            row.is_key_moment = mark.is_key_moment;
            row.caption.clone_from(&mark.caption);
            row.position = mark.position;
        }
        if row.is_redacted {
            row.details = Value::Object(serde_json::Map::new());
        }
        row
    }

    /// Adds the text as HTML, where people wrote it.
    #[must_use]
    pub fn with_html(self) -> Self {
        let is_written = matches!(self.kind.as_str(), "commented" | "imported");
        let html = (is_written && !self.is_redacted).then(|| crate::markdown::to_html(&self.text));
        Self { html, ..self }
    }
}

/// Returns the word by which a value is stored.
pub(super) fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// A move of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentMove {
    /// Where it is believed to stand; when it stands elsewhere, nothing changes.
    pub from: Option<IncidentStatus>,
    /// What is said.
    pub note: String,
    /// How it ended; only when it is resolved.
    pub code: Option<IncidentResolution>,
}

/// A move of an incident to a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentMoveTo {
    /// Where it goes.
    pub to: IncidentStatus,
    /// Where it is believed to stand; when it stands elsewhere, nothing changes.
    #[serde(default)]
    pub from: Option<IncidentStatus>,
    /// What is said.
    #[serde(default)]
    pub note: String,
    /// How it ended; only when it is resolved.
    #[serde(default)]
    pub code: Option<IncidentResolution>,
}

/// How bad an incident is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentRating {
    /// `sev1` to `sev5`, or a word such as `critical`.
    pub severity: String,
    /// Why.
    pub reason: String,
}

/// Who has an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentAssignment {
    /// By handle; absent for nobody.
    pub owner: Option<String>,
}

/// Something to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentComment {
    /// What, in Markdown.
    pub text: String,
    /// When it happened, if not now.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
}

/// What a command did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentResult {
    /// Whether anything changed; doing again what is done is no error.
    pub has_changed: bool,
    /// How the incident stands.
    pub incident: Incident,
}
