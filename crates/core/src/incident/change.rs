//! What may be asked about incidents, and why it may be refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;

use super::{
    AlertRole, Category, CurateStep, Evidence, Incident, IncidentAlert, IncidentKey,
    IncidentNumber, IncidentUpdate, Mode, Need, ParticularsEdit, PeopleStep, Refusal, RelationStep,
    ResolutionCode, RestrictStep, Status, TaskStep, TimeError, TimeField, allowed_from,
};
use crate::identity::Handle;
use crate::labels::Fingerprint;
use crate::severity::Severity;

/// The most characters of a title.
pub const MAX_TITLE_CHARS: usize = 200;

/// The most characters of a summary, a note or a comment.
pub const MAX_TEXT_CHARS: usize = 10_000;

/// The most characters of a key that makes asking twice harmless.
pub const MAX_IDEMPOTENCY_CHARS: usize = 200;

/// One change of incidents.
#[derive(Clone, Debug)]
pub enum IncidentChange {
    /// Somebody says that there is one.
    Declare(Box<IncidentDraft>),
    /// Somebody looked at a restricted one, or was not let.
    Looked {
        /// Which.
        incident: IncidentNumber,
        /// Whether they may.
        is_allowed: bool,
    },
    /// Something is to be done about what belongs to one that was closed long ago: here it is, as
    /// the store has it. What memory holds is newer and wins.
    Recall(Box<(Incident, Vec<IncidentAlert>)>),
    /// Somebody who was told of a restricted one asks to see it.
    AskAccess {
        /// Which.
        incident: IncidentNumber,
        /// Why; not empty.
        reason: String,
    },
    /// Something is done about one.
    Step {
        /// Which.
        incident: IncidentNumber,
        /// How whoever asks believes it to stand.
        expected: Expected,
        /// What.
        step: IncidentStep,
    },
}

/// An incident that somebody declares.
#[derive(Clone, Debug, Default)]
pub struct IncidentDraft {
    /// What it is about; not empty.
    pub title: String,
    /// More about it; may be empty.
    pub summary: String,
    /// How bad it is; follows from the evidence when it is left open.
    pub severity: Option<Severity>,
    /// What is known of the effects.
    pub evidence: Evidence,
    /// What kind of harm it is.
    pub category: Option<Category>,
    /// The service; may be empty.
    pub service: CompactString,
    /// The team whose it is; may be empty.
    pub team: CompactString,
    /// Whether it is one.
    pub mode: Mode,
    /// While an incident with this key is open, it is that one.
    pub key: Option<IncidentKey>,
    /// Who has it.
    pub owner: Option<Handle>,
    /// What else is said about it.
    pub particulars: ParticularsEdit,
    /// The escalation policy by which people are paged about it; nobody is when `None`.
    pub page: Option<Arc<str>>,
    /// When it was detected, for one that is written down afterwards.
    pub detected_at: Option<Timestamp>,
    /// Makes asking twice harmless, for a day.
    pub idempotency_key: Option<String>,
}

/// How whoever asks believes an incident to stand. What is `None` may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its version.
    pub version: Option<u64>,
    /// Its status.
    pub status: Option<Status>,
}

/// Something that is done about an incident.
#[derive(Clone, Debug)]
pub enum IncidentStep {
    /// It goes somewhere.
    Move {
        /// Where.
        to: Status,
        /// How it ended, or why it goes back; may be empty where neither is asked for.
        note: String,
        /// How it ended; [`ResolutionCode::Fixed`] unless said otherwise.
        code: Option<ResolutionCode>,
    },
    /// It is better or worse than it was held to be.
    SetSeverity {
        /// How bad it is.
        severity: Severity,
        /// Why; not empty.
        reason: String,
    },
    /// Somebody else has it, or nobody.
    Assign {
        /// Who.
        to: Option<Handle>,
    },
    /// Somebody says something.
    Comment {
        /// What, in Markdown; not empty.
        text: String,
        /// When it happened, if not now.
        occurred_at: Option<Timestamp>,
    },
    /// It is called, or said to be about, something else.
    Edit(Box<IncidentEdit>),
    /// Somebody has another role, is asked for help, or follows it.
    People(PeopleStep),
    /// It belongs together with others otherwise.
    Relate(RelationStep),
    /// It goes somewhere, is better or worse, and others are told, all of it or nothing.
    Update(Box<IncidentUpdate>),
    /// Rows of its timeline are pinned, corrected, blacked out or imported.
    Curate(CurateStep),
    /// There is another task, or one is changed.
    Task(TaskStep),
    /// Few may see it, or everybody again.
    Restrict(RestrictStep),
    /// One of its alerts is something else in it.
    SetAlertRole {
        /// Which.
        alert: Fingerprint,
        /// What it is.
        role: AlertRole,
    },
    /// It is closed although something is missing.
    CloseAnyway {
        /// Why; not empty.
        note: String,
    },
}

/// What is to be changed of an incident; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct IncidentEdit {
    /// What it is about.
    pub title: Option<String>,
    /// More about it.
    pub summary: Option<String>,
    /// What kind of harm it is.
    pub category: Option<Category>,
    /// The service.
    pub service: Option<CompactString>,
    /// The team whose it is; empty for none.
    pub team: Option<CompactString>,
    /// What is known of the effects.
    pub evidence: Option<Evidence>,
    /// What else is said about it.
    pub particulars: ParticularsEdit,
    /// When harm began.
    pub impact_started_at: Option<Timestamp>,
    /// When harm ended.
    pub impact_ended_at: Option<Timestamp>,
    /// Whether it was seen coming before harm began.
    pub is_predicted: Option<bool>,
    /// When it stood where.
    pub times: BTreeMap<TimeField, Timestamp>,
}

/// How an incident stands after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentReply {
    /// Which.
    pub incident: IncidentNumber,
    /// Its version.
    pub version: u64,
    /// Whether the command changed anything.
    pub has_changed: bool,
    /// Whether it is new.
    pub is_new: bool,
}

/// Why nothing was done about an incident.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncidentRejection {
    /// There is none with that number.
    #[error("there is no incident {incident}")]
    Unknown {
        /// The number.
        incident: IncidentNumber,
    },
    /// It is closed so long that it can only be read.
    #[error("incident {incident} was closed long ago and can only be read")]
    Archived {
        /// The number.
        incident: IncidentNumber,
    },
    /// It does not go there, or not without a word.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It no longer stands as whoever asks believes.
    #[error(
        "incident {incident} has changed meanwhile: {by} made it {status} at {since:.0}, and it has version {version} now"
    )]
    Stale {
        /// Which.
        incident: IncidentNumber,
        /// How it stands.
        status: Status,
        /// Its version.
        version: u64,
        /// Who changed its status last.
        by: String,
        /// Since when it stands there.
        since: Timestamp,
    },
    /// A value cannot be.
    #[error("`{field}` {message}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it has to be.
        message: String,
    },
    /// Its times would contradict each other.
    #[error("{error}{}", hint(error))]
    Times {
        /// Which, and how.
        error: TimeError,
    },
    /// Nobody of that name is there.
    #[error("there is nobody called `{person}`, or they have left")]
    UnknownPerson {
        /// The name.
        person: String,
    },
    /// There is nothing with that number in it.
    #[error("there is no {what} {number} in this incident")]
    UnknownPart {
        /// What was asked for.
        what: &'static str,
        /// Its number.
        number: u32,
    },
    /// Something has to be done before it is closed.
    #[error("incident {incident} cannot be closed yet: {}", missing.join("; "))]
    Unfinished {
        /// Which.
        incident: IncidentNumber,
        /// What, in words for people.
        missing: Vec<String>,
    },
    /// As things stand that cannot be done.
    #[error("{why}")]
    Impossible {
        /// Why not, and what else could be done.
        why: String,
    },
    /// As many incidents as there may be.
    #[error("{limit} incidents are open, which is the bound; resolve some first")]
    TooMany {
        /// The bound.
        limit: usize,
    },
}

/// Harm begins after it was detected only where it was seen coming.
fn hint(error: &TimeError) -> &'static str {
    match error {
        TimeError::Order { earlier: "impact_started_at", later: "detected_at" } => {
            "; say `is_predicted` when it was seen coming"
        }
        _ => "",
    }
}

impl IncidentRejection {
    /// Returns where an incident could go instead, when that is what was refused.
    pub fn allowed(&self) -> Vec<(Status, Need)> {
        match self {
            Self::Refused(Refusal::Never { from, .. } | Refusal::Unexplained { from, .. }) => {
                allowed_from(*from).collect()
            }
            _ => Vec::new(),
        }
    }
}
