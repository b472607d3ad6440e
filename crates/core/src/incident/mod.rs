//! Incidents: a coordinated response to harm, from the first alert to what was learned.
//!
//! What stands here only computes: which status may follow which, how bad something is, how long
//! things took. Who is told and what is written is decided in [`crate::tenant`].

mod change;
mod classify;
mod cycle;
mod entry;
mod key;
mod metrics;
mod number;
mod reminders;
mod report;
mod resolution;
mod settings;
mod standing;
mod status;
mod targets;
mod transition;

pub use change::{
    Expected, IncidentChange, IncidentDraft, IncidentEdit, IncidentRejection, IncidentReply,
    IncidentStep, MAX_IDEMPOTENCY_CHARS, MAX_TEXT_CHARS, MAX_TITLE_CHARS,
};
pub use classify::{Classified, Clause, Evidence, Missing, classify};
pub use cycle::{Cycle, Interval, MAX_CYCLES, MAX_INTERVALS, Mode, Record};
pub use entry::{Author, AuthorKind, Entry, Fact};
pub use key::IncidentKey;
pub use metrics::{Anchor, Measure, Metric, MetricName, Summary, Validity, measure, summarize};
pub use number::{IncidentNumber, IncidentRef, RefError};
pub use reminders::INCIDENT_REMINDERS;
pub use report::{
    CustomMeasure, GroupBy, Kept, MAX_CUSTOM_MEASURES, Moment, Report, ReportGroup, ReportSpec,
    report,
};
pub use resolution::ResolutionCode;
pub use settings::IncidentSettings;
pub use standing::{Incident, IncidentAlert, Recovery};
pub use status::{PublicStatus, State, Status};
pub use targets::{Category, PostmortemDuty, Role, Targets};
pub use transition::{Need, Refusal, Rule, allowed_from, rule};
