//! What may be asked of a tenant's engine, and what it answers.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alert::IncomingAlert;
use crate::change::Change;
use crate::escalation::{EscalationPolicy, MissedStep};
use crate::identity::{Actor, Handle, IdentityChange, IdentityRejection};
use crate::ids::{OutboxNumber, RunNumber, SilenceId};
use crate::incident::{IncidentChange, IncidentRejection, IncidentReply};
use crate::labels::Fingerprint;
use crate::lesson::{LessonChange, LessonRejection, LessonReply};
use crate::maintenance::MaintenanceWindow;
use crate::notification::AttemptOutcome;
use crate::oncall::{OnCallChange, OnCallRejection};
use crate::paging::{
    Answer, AnswerRejection, Answered, Channel, MethodId, PagingRejection, Receipt, Rules, Spoken,
};
use crate::policy::Policy;
use crate::severity::Severity;
use crate::silence::{SilenceRejection, SilenceRequest};
use crate::tenant::{GroupOutcome, GroupSync};

/// One thing to do. Anything random is in it already.
#[derive(Clone, Debug)]
pub enum Command {
    /// Alerts arrived from a source.
    Ingest {
        /// Checked ones; the order is kept.
        alerts: Vec<IncomingAlert>,
    },
    /// A person makes or changes a silence.
    SetSilence {
        /// What is asked for.
        request: SilenceRequest,
        /// The id that a new silence gets.
        fresh_id: SilenceId,
    },
    /// A person ends a silence.
    ExpireSilence {
        /// Which one.
        id: SilenceId,
    },
    /// A person plans a maintenance window or changes the one of that name.
    SetMaintenanceWindow {
        /// The window.
        window: MaintenanceWindow,
    },
    /// A person removes a maintenance window.
    DeleteMaintenanceWindow {
        /// Its name.
        name: String,
    },
    /// Somebody works on alerts. Of those that do not fire nothing is kept.
    Acknowledge {
        /// Which ones.
        alerts: Vec<Fingerprint>,
        /// Who.
        by: String,
        /// What they say; may be empty.
        comment: String,
        /// When it lapses; `None` for not before the alert ends.
        expires_at: Option<Timestamp>,
    },
    /// Nobody works on alerts any more.
    Unacknowledge {
        /// Which ones.
        alerts: Vec<Fingerprint>,
        /// Who says so.
        by: String,
        /// What they say; may be empty.
        comment: String,
    },
    /// Somebody adds to the history of an alert.
    AddNote {
        /// Which one, firing or lately resolved.
        alert: Fingerprint,
        /// Who.
        by: String,
        /// What they say.
        text: String,
    },
    /// Something was changed somewhere outside.
    RecordChange {
        /// What.
        change: Change,
    },
    /// An attempt to send ended.
    AttemptEnded {
        /// Which notification.
        number: OutboxNumber,
        /// How.
        outcome: AttemptOutcome,
        /// In `0.0..1.0`; spreads the next attempt.
        jitter: f64,
    },
    /// An attempt to let a user group hold whoever is on call ended.
    GroupSynced {
        /// What it was to hold.
        sync: GroupSync,
        /// How.
        outcome: GroupOutcome,
    },
    /// A new configuration takes effect: groups are built anew from the alerts.
    Reconfigure {
        /// The configuration.
        policy: Arc<Policy>,
    },
    /// Who may do what changes, or somebody signs in or out.
    Identity(IdentityChange),
    /// Who is on call when changes.
    OnCall(OnCallChange),
    /// Policies or contact methods change, or somebody pages by hand.
    Paging(PagingChange),
    /// An incident is declared, or something is done about one.
    Incident(IncidentChange),
    /// A postmortem, an action item or an article changes.
    Lesson(LessonChange),
    /// Somebody answers to a page.
    Answer(Answer),
    /// Somebody sent a text message or pressed keys.
    Spoken(Spoken),
    /// A provider tells what became of a message.
    Receipt(Receipt),
    /// Something that is watched says that it is alive.
    Beat {
        /// The monitor's name.
        name: Arc<str>,
    },
    /// The history was audited, and these steps fell due without a word that they ran.
    ReportMissed {
        /// By escalation.
        missed: Vec<(RunNumber, MissedStep)>,
    },
    /// The watcher outside could be told that we are alive, or could not.
    ReportWatcher {
        /// How often in a row it could not, and what went wrong last; `None` when it could.
        failing: Option<(u32, String)>,
    },
}

/// One change of how people are paged. Anything random has been done already.
#[derive(Clone, Debug)]
pub enum PagingChange {
    /// A policy is new or changed.
    SetPolicy(Box<EscalationPolicy>),
    /// A policy is removed.
    DeletePolicy(String),
    /// A contact method is new or changed.
    SetMethod {
        /// Whose.
        person: Handle,
        /// Its name.
        id: MethodId,
        /// What it is.
        channel: Channel,
        /// Where it leads.
        address: String,
    },
    /// A contact method is removed.
    RemoveMethod {
        /// Whose.
        person: Handle,
        /// Its name.
        id: MethodId,
    },
    /// A person wants to be reached otherwise.
    SetRules {
        /// Who.
        person: Handle,
        /// How.
        rules: Rules,
    },
    /// A code is sent to an address.
    BeginVerification {
        /// Whose.
        person: Handle,
        /// The method.
        id: MethodId,
        /// Six random digits.
        code: String,
    },
    /// Somebody tells the code that was sent.
    Verify {
        /// Who.
        person: Handle,
        /// The method.
        id: MethodId,
        /// What they tell.
        code: String,
    },
    /// A test message is sent.
    TestMethod {
        /// Whose.
        person: Handle,
        /// The method.
        id: MethodId,
    },
    /// Somebody pages by hand.
    Page {
        /// By which policy.
        policy: Option<String>,
        /// Or whom.
        people: Vec<Handle>,
        /// Makes asking twice harmless.
        id: uuid::Uuid,
        /// What for.
        title: String,
        /// The service; may be empty.
        service: compact_str::CompactString,
        /// How bad it is.
        severity: Severity,
    },
}

/// A command and who is behind it.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who.
    pub by: Actor,
    /// What.
    pub command: Command,
}

impl Command {
    /// Says who is behind it.
    pub fn by(self, actor: Actor) -> Order {
        Order { by: actor, command: self }
    }
}

impl From<Command> for Order {
    /// Nobody but the engine itself is behind it.
    fn from(command: Command) -> Self {
        command.by(Actor::ENGINE)
    }
}

/// The answer to a command, given after its turn is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing more to say.
    Done,
    /// The alerts were taken; some may have met a bound.
    Ingested(Ingested),
    /// The silence has this id now.
    Silence(SilenceId),
    /// These alerts are acknowledged now, or no longer.
    Alerts(Vec<Fingerprint>),
    /// What an answer did.
    Answered(Answered),
    /// The escalation that was begun.
    Run(RunNumber),
    /// How the incident stands.
    Incident(IncidentReply),
    /// How a postmortem, an action item or an article stands.
    Lesson(LessonReply),
    /// The command changed nothing.
    Rejected(Rejection),
}

/// What became of the alerts of one command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Were not known or fire again.
    pub fired: usize,
    /// Were known and fire on.
    pub refreshed: usize,
    /// Are over.
    pub resolved: usize,
    /// Were left out because a bound was met.
    pub limited: usize,
}

/// Why a command changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The silence cannot be.
    #[error(transparent)]
    Silence(#[from] SilenceRejection),
    /// Who may do what cannot change like that.
    #[error(transparent)]
    Identity(#[from] IdentityRejection),
    /// The answer did nothing.
    #[error(transparent)]
    Answer(#[from] Arc<AnswerRejection>),
    /// Nothing about paging can change like that.
    #[error(transparent)]
    Paging(#[from] PagingRejection),
    /// Nothing was done about an incident.
    #[error(transparent)]
    Incident(Box<IncidentRejection>),
    /// Nothing changed in what is learned.
    #[error(transparent)]
    Lesson(Box<LessonRejection>),
    /// There is no such heartbeat monitor.
    #[error("there is no heartbeat monitor `{name}`")]
    UnknownHeartbeat {
        /// Its name.
        name: String,
    },
    /// Who is on call when cannot change like that.
    #[error(transparent)]
    OnCall(#[from] OnCallRejection),
    /// No alert is known by that fingerprint.
    #[error("no alert is known by the fingerprint {fingerprint}")]
    UnknownAlert {
        /// What was asked for.
        fingerprint: Fingerprint,
    },
    /// None of the alerts fires.
    #[error("none of these alerts fires")]
    NothingFires,
    /// None of the alerts is acknowledged.
    #[error("none of these alerts is acknowledged")]
    NothingAcknowledged,
    /// An acknowledgement would lapse before it begins.
    #[error("the acknowledgement would have lapsed already; its end must be in the future")]
    ExpiryInThePast,
    /// More alerts than one command takes.
    #[error("these are more than {limit} alerts, which is the bound of one request")]
    TooManyAlerts {
        /// The bound.
        limit: usize,
    },
    /// There is no such maintenance window.
    #[error("there is no maintenance window `{name}`")]
    UnknownMaintenanceWindow {
        /// The name asked for.
        name: String,
    },
    /// What is to be changed is the file's.
    #[error("`{name}` is provisioned by the configuration file; change it there")]
    Provisioned {
        /// Its name.
        name: String,
    },
    /// As many windows as there may be.
    #[error("there are {limit} maintenance windows already, which is the bound")]
    TooManyMaintenanceWindows {
        /// The bound.
        limit: usize,
    },
}

impl From<LessonRejection> for Rejection {
    fn from(why: LessonRejection) -> Self {
        Self::Lesson(Box::new(why))
    }
}

impl From<IncidentRejection> for Rejection {
    fn from(why: IncidentRejection) -> Self {
        Self::Incident(Box::new(why))
    }
}
