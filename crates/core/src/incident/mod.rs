//! Incidents: a coordinated response to harm, from the first alert to what was learned.
//!
//! What stands here only computes: which status may follow which, how bad something is, how long
//! things took. Who is told and what is written is decided in [`crate::tenant`].

mod alert_role;
mod change;
mod classify;
mod crew;
mod curation;
mod cycle;
mod duty;
mod entry;
mod facets;
mod key;
mod mention;
mod message;
mod message_draft;
mod metrics;
mod number;
mod particulars;
mod people_step;
mod relations;
mod reminders;
mod report;
mod resolution;
mod restricted;
mod sentence;
mod settings;
mod severity_guide;
mod snooze;
mod standing;
mod status;
mod targets;
mod task;
mod telling;
mod times;
mod transition;

pub use alert_role::{AlertRole, alert_roles};
pub use change::{
    Expected, IncidentChange, IncidentDraft, IncidentEdit, IncidentRejection, IncidentReply,
    IncidentStep, MAX_IDEMPOTENCY_CHARS, MAX_TEXT_CHARS, MAX_TITLE_CHARS,
};
pub use classify::{Classified, Clause, Evidence, Missing, classify};
pub use crew::{
    Crew, HelpAnswer, HelpRequest, Holding, MAX_HOLDINGS, MAX_REQUESTS, MAX_SUBSCRIBERS, Said,
    time_to_answer,
};
pub use curation::{
    CurateStep, FoundRow, Imported, MAX_BLACKED_OUT, MAX_CAPTION_CHARS, MAX_IMPORTED, MAX_MARKS,
    Mark, MarkEdit, Marks, OWN_REVISION_WINDOW,
};
pub use cycle::{Cycle, FLAP_WINDOW, Interval, MAX_CYCLES, MAX_INTERVALS, Mode, Record};
pub use duty::Duty;
pub use entry::{Author, AuthorKind, Entry, Fact};
pub use facets::Facet;
pub use key::IncidentKey;
pub use mention::{MAX_MENTIONS, Mention, mentions};
pub use message::{
    Audience, GIVEN_VARIABLES, INCIDENT_VARIABLES, MAX_NAMED, MAX_RECIPIENTS, MAX_SUBJECT_CHARS,
    Message, MessageTemplate, MissingVariables, Pattern, PatternError, built_in_templates, is_name,
    template_by_alias, template_of_kind, variables_of,
};
pub use message_draft::{IncidentUpdate, MessageDraft, MessageTarget, MessageTargetError};
pub use metrics::{Anchor, Measure, Metric, MetricName, Summary, Validity, measure, summarize};
pub use number::{IncidentNumber, IncidentRef, RefError};
pub use particulars::{
    Impact, MAX_LISTED, MAX_LISTED_CHARS, MAX_TICKET_CHARS, ParticularsEdit, Ticket,
};
pub use people_step::PeopleStep;
pub use relations::{
    LinkKind, MAX_MERGED_AT_ONCE, MAX_RELATED, Merge, RelationStep, Relations, UNMERGE_WINDOW,
};
pub use reminders::INCIDENT_REMINDERS;
pub use report::{
    CustomMeasure, GroupBy, Kept, MAX_CUSTOM_MEASURES, Moment, Report, ReportGroup, ReportSpec,
    report,
};
pub use resolution::ResolutionCode;
pub use restricted::{
    AccessAnswer, AccessRequest, MAX_ACCESS_REQUESTS, MAX_NAMED_IN_RESTRICTION, RestrictStep,
    Restriction,
};
pub use settings::{Automation, IncidentSettings};
pub use severity_guide::SeverityGuide;
pub use snooze::{MAX_SNOOZE, MAX_SNOOZES, Snooze};
pub use standing::{AlertsSaid, Incident, IncidentAlert, Recovery};
pub use status::{PublicStatus, State, Status};
pub use targets::{Category, PostmortemDuty, Role, SeverityTable, Targets};
pub use task::{MAX_TASKS, Priority, Task, TaskDraft, TaskEdit, TaskStatus, TaskStep};
pub use telling::{BLACKED_OUT, BlackedOut, Told, told};
pub use times::{TimeError, TimeField};
pub use transition::{Need, Refusal, Rule, allowed_from, rule};
