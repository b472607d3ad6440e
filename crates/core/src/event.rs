//! What happened, oldest first: the history that explain, audit and replay read.
//!
//! The kinds are one flat list, because a history is one flat list and every reader must say what
//! it does with each. A kind with more than a few fields can carry them as a struct from a file of
//! its own under `event/`, as `Kind(Struct)`: it is stored the same way.

mod kind;
mod subject;
mod why;

use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::acknowledgement::AcknowledgementEnd;
use crate::change::Change;
use crate::escalation::End;
use crate::identity::Handle;
use crate::ids::{
    AlertNumber, GroupNumber, OutboxNumber, RunNumber, Sequence, SilenceId, SilenceNumber,
};
use crate::incident::{IncidentNumber, ResolutionCode, Status};
use crate::labels::{Fingerprint, Labels};
use crate::notification::{Failure, NotifyReason};
use crate::oncall::HandoffNotice;
use crate::paging::{Channel, PageState, Recipient, Urgency};
use crate::severity::Severity;

pub use subject::Subject;
pub use why::{FlushReason, MuteCause};

/// An event with its place and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its place in the tenant's history.
    pub sequence: Sequence,
    /// When it took effect.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Event {
    /// A condition fires that did not before.
    AlertFired {
        /// Its life.
        alert: AlertNumber,
        /// The hash of its labels.
        fingerprint: Fingerprint,
        /// When it began.
        starts_at: Timestamp,
        /// When it ends unless told again.
        ends_at: Timestamp,
        /// Whether that end is only our resolve timeout.
        is_timeout: bool,
        /// Whether it had fired before in this life.
        is_refire: bool,
        /// The groups it joined.
        groups: Vec<GroupNumber>,
    },
    /// A condition is over.
    AlertResolved {
        /// Its life.
        alert: AlertNumber,
        /// The hash of its labels.
        fingerprint: Fingerprint,
        /// When it ended.
        ends_at: Timestamp,
        /// Whether nobody told us for the whole resolve timeout, rather than the source saying so.
        is_timeout: bool,
    },
    /// A resolved alert arrived that was never seen firing; nobody is told.
    AlertArrivedResolved {
        /// Its life.
        alert: AlertNumber,
        /// The hash of its labels.
        fingerprint: Fingerprint,
    },
    /// An alert was left out because a bound was met.
    AlertLimited {
        /// The hash of its labels.
        fingerprint: Fingerprint,
        /// Which bound.
        limit: String,
    },
    /// An alert is held back in a group.
    AlertMuted {
        /// Its life.
        alert: AlertNumber,
        /// Where.
        group: GroupNumber,
        /// Why.
        cause: MuteCause,
    },
    /// An alert is no longer held back in a group.
    AlertUnmuted {
        /// Its life.
        alert: AlertNumber,
        /// Where.
        group: GroupNumber,
        /// What held it back.
        cause: MuteCause,
    },
    /// Somebody works on an alert.
    AlertAcknowledged {
        /// Its life.
        alert: AlertNumber,
        /// Who.
        by: String,
        /// What they say; may be empty.
        comment: String,
        /// When it lapses; `None` for not before the alert ends.
        expires_at: Option<Timestamp>,
    },
    /// Nobody works on an alert any more.
    AlertUnacknowledged {
        /// Its life.
        alert: AlertNumber,
        /// Why.
        why: AcknowledgementEnd,
    },
    /// Somebody added to the history of an alert.
    AlertNoted {
        /// Its life.
        alert: AlertNumber,
        /// Who.
        by: String,
        /// What they said.
        text: String,
    },
    /// The first alert of a group arrived.
    GroupOpened {
        /// The group.
        group: GroupNumber,
        /// Its identity: its route's key, a colon, its labels.
        key: Arc<str>,
        /// The receiver of its route.
        receiver: Arc<str>,
        /// Its labels.
        labels: Labels,
        /// When it is looked at first.
        flush_at: Timestamp,
        /// Why then.
        why: FlushReason,
    },
    /// A group is looked at earlier than its grid says.
    FlushAdvanced {
        /// The group.
        group: GroupNumber,
        /// When.
        flush_at: Timestamp,
        /// Why.
        why: FlushReason,
    },
    /// The last alert of a group is gone.
    GroupClosed {
        /// The group.
        group: GroupNumber,
    },
    /// A message was decided and is on its way.
    NotificationQueued {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it goes, as `receiver/kind[index]`.
        integration: String,
        /// Why now.
        reason: NotifyReason,
        /// The alerts it tells as firing.
        firing: Vec<AlertNumber>,
        /// The alerts it tells as resolved.
        resolved: Vec<AlertNumber>,
    },
    /// A message arrived.
    NotificationSent {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it went.
        integration: String,
        /// How many attempts it took.
        attempts: u32,
    },
    /// A message went out with built-in text where templates failed.
    MessageDegraded {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it went.
        integration: String,
        /// Which templates, and why, one sentence each.
        why: Vec<String>,
    },
    /// An attempt failed and there will be another.
    AttemptFailed {
        /// The message.
        notification: OutboxNumber,
        /// The group it tells about.
        group: GroupNumber,
        /// Where it goes.
        integration: String,
        /// Which attempt, counted from 1.
        attempt: u32,
        /// What went wrong.
        failure: Failure,
        /// When it is tried next.
        retry_at: Timestamp,
    },
    /// A message was given up; the next flush decides anew.
    NotificationAbandoned {
        /// The message.
        notification: OutboxNumber,
        /// The group it told about.
        group: GroupNumber,
        /// Where it was to go.
        integration: String,
        /// Why.
        why: String,
    },
    /// A silence was made or changed.
    SilenceSet {
        /// The silence.
        silence: SilenceNumber,
        /// Its public id.
        id: SilenceId,
        /// Who.
        by: String,
        /// Its matchers as text.
        matchers: String,
        /// First instant.
        starts_at: Timestamp,
        /// Last instant.
        ends_at: Timestamp,
        /// Why.
        comment: String,
    },
    /// A silence began to mute.
    SilenceStarted {
        /// The silence.
        silence: SilenceNumber,
        /// Its public id.
        id: SilenceId,
    },
    /// A silence no longer mutes.
    SilenceEnded {
        /// The silence.
        silence: SilenceNumber,
        /// Its public id.
        id: SilenceId,
        /// Whether a person ended it before its time.
        is_early: bool,
    },
    /// A maintenance window was planned or changed.
    MaintenanceWindowSet {
        /// Its name.
        name: Arc<str>,
        /// Who.
        by: String,
    },
    /// A maintenance window was removed.
    MaintenanceWindowDeleted {
        /// Its name.
        name: Arc<str>,
    },
    /// A maintenance window that the store holds could not be read at the start, so it holds
    /// nothing back.
    MaintenanceWindowUnreadable {
        /// Its name.
        name: Arc<str>,
        /// What is wrong with it.
        why: String,
    },
    /// An occurrence of a maintenance window began.
    MaintenanceStarted {
        /// Its name.
        name: Arc<str>,
        /// When the occurrence ends.
        ends_at: Timestamp,
    },
    /// An occurrence of a maintenance window ended.
    MaintenanceEnded {
        /// Its name.
        name: Arc<str>,
    },
    /// A schedule, or something that changes it, was edited.
    OnCallChanged {
        /// Which schedule; `None` for a person's absence or a calendar address.
        schedule: Option<Arc<str>>,
        /// What was done, as the audit log calls it.
        what: String,
        /// Who.
        by: String,
    },
    /// Other people are on call than before.
    HandedOver {
        /// In which schedule.
        schedule: Arc<str>,
        /// When the shift passed, which may be earlier when nobody was watching.
        handoff_at: Timestamp,
        /// Who was on call; empty for nobody.
        before: Vec<Handle>,
        /// Who is on call now; empty for nobody.
        after: Vec<Handle>,
        /// Why, in a sentence.
        why: String,
        /// When that changes, at the earliest.
        until: Option<Timestamp>,
    },
    /// Somebody is to be told that their time on call begins or ends.
    HandoffNoticed {
        /// Whom and what.
        notice: HandoffNotice,
    },
    /// Nobody took a swap until it began; its owner is on call.
    SwapPastDue {
        /// In which schedule.
        schedule: Arc<str>,
        /// Whose time it is.
        owner: Handle,
    },
    /// A calendar that a schedule imports says something else than before, or can be read again.
    CalendarRead {
        /// Which schedule.
        schedule: Arc<str>,
        /// Which calendar.
        import: Arc<str>,
        /// How many events it has, each repetition counted.
        events: usize,
        /// How many names in it nobody goes by.
        unknown: usize,
    },
    /// A calendar cannot be read; what it said last holds for a while.
    CalendarFailed {
        /// Which schedule.
        schedule: Arc<str>,
        /// Which calendar.
        import: Arc<str>,
        /// Why.
        why: String,
    },
    /// A calendar could not be read for so long that nothing of it holds any more.
    CalendarDropped {
        /// Which schedule.
        schedule: Arc<str>,
        /// Which calendar.
        import: Arc<str>,
        /// Why.
        why: String,
    },
    /// Something was changed somewhere outside.
    ChangeRecorded {
        /// What.
        change: Change,
    },
    /// Somebody is going to be paged about a group.
    EscalationStarted {
        /// The escalation.
        run: RunNumber,
        /// The group's identity.
        group: Arc<str>,
        /// The receiver.
        receiver: Arc<str>,
        /// The policy.
        policy: Arc<str>,
        /// How bad it is.
        severity: Severity,
        /// What it is about.
        title: String,
        /// The alerts.
        alerts: Vec<AlertNumber>,
        /// Why that policy.
        why: String,
    },
    /// More alerts belong to an escalation.
    EscalationJoined {
        /// The escalation.
        run: RunNumber,
        /// The alerts that are new in it.
        alerts: Vec<AlertNumber>,
    },
    /// It is worse than it was.
    EscalationWorsened {
        /// The escalation.
        run: RunNumber,
        /// How bad it was.
        from: Severity,
        /// How bad it is.
        to: Severity,
    },
    /// A step of the policy was reached.
    StepReached {
        /// The escalation.
        run: RunNumber,
        /// Which pass through the steps, counted from 1.
        round: u32,
        /// Which step, counted from 1.
        step: usize,
        /// Its level.
        level: CompactString,
        /// When it was due.
        due_at: Timestamp,
        /// Who is paged, and why.
        people: Vec<(Handle, String)>,
        /// The places that are told.
        places: Vec<Arc<str>>,
        /// Who is not, and why.
        left_out: Vec<String>,
        /// Why nobody is; empty otherwise.
        skipped: String,
    },
    /// Nobody is disturbed for a while: nothing fires, or everything is held back.
    EscalationStandsStill {
        /// The escalation.
        run: RunNumber,
        /// Why.
        why: String,
    },
    /// Something fires again, and everything goes on later by the time it stood still.
    EscalationWentOn {
        /// The escalation.
        run: RunNumber,
        /// Since when it stood still.
        stood_since: Timestamp,
    },
    /// Somebody answered.
    EscalationAnswered {
        /// The escalation.
        run: RunNumber,
        /// Who.
        by: String,
        /// What they want: `acknowledge`, `unacknowledge`, `escalate`, `resolve`, `snooze`.
        action: CompactString,
        /// How the answer came.
        via: String,
        /// What they say; may be empty.
        comment: String,
        /// Until when nobody is disturbed by that; `None` for until it is over, or not at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Who is still asked for, where everybody's acknowledgement counts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        still_asked: Vec<Handle>,
    },
    /// It goes on after somebody had taken it.
    EscalationReopened {
        /// The escalation.
        run: RunNumber,
        /// The step it goes on with, counted from 1.
        step: usize,
        /// Why.
        why: String,
    },
    /// All steps are done, the time after the last one is over, and nobody answered.
    EscalationUnanswered {
        /// The escalation.
        run: RunNumber,
        /// How often its steps were gone through.
        rounds: u32,
        /// Who is told of it, and why they; nobody when there is nobody else.
        told: Option<(Handle, String)>,
    },
    /// A step fell due and the history does not have that it ran.
    StepMissed {
        /// The escalation.
        run: RunNumber,
        /// Which pass through the steps, counted from 1.
        round: u32,
        /// Which step, counted from 1.
        step: usize,
        /// When it was due.
        due_at: Timestamp,
    },
    /// It is over.
    EscalationEnded {
        /// The escalation.
        run: RunNumber,
        /// Why.
        why: End,
    },
    /// A message to a person or a place is on its way.
    PageQueued {
        /// The message.
        page: OutboxNumber,
        /// The escalations that it tells about.
        runs: Vec<RunNumber>,
        /// To whom.
        recipient: Recipient,
        /// By what.
        channel: Channel,
        /// What it is: `page`, `update`, `verification`, `test`, `handoff`.
        content: CompactString,
        /// Whether it may wake somebody up.
        urgency: Urgency,
    },
    /// A message has to wait.
    PageHeld {
        /// The escalation.
        run: RunNumber,
        /// For whom.
        recipient: Recipient,
        /// Until when.
        until: Timestamp,
        /// Why.
        why: String,
    },
    /// A provider took a message.
    PageSent {
        /// The message.
        page: OutboxNumber,
        /// The escalations that it tells about.
        runs: Vec<RunNumber>,
        /// To whom.
        recipient: Recipient,
        /// By what.
        channel: Channel,
        /// How many attempts it took.
        attempts: u32,
    },
    /// An attempt to send a message failed.
    PageAttemptFailed {
        /// The message.
        page: OutboxNumber,
        /// The escalations that it tells about.
        runs: Vec<RunNumber>,
        /// To whom.
        recipient: Recipient,
        /// By what.
        channel: Channel,
        /// Which attempt, counted from 1.
        attempt: u32,
        /// What went wrong.
        failure: Failure,
        /// When it is tried next; `None` when it is given up.
        retry_at: Option<Timestamp>,
    },
    /// A message was not sent: there was no more reason to.
    PageDropped {
        /// The message.
        page: OutboxNumber,
        /// The escalations that it told about.
        runs: Vec<RunNumber>,
        /// To whom.
        recipient: Recipient,
        /// By what.
        #[serde(default = "by_mail")]
        channel: Channel,
        /// Why.
        why: String,
    },
    /// A person's next method is used at once.
    PageFellBack {
        /// The escalation.
        run: RunNumber,
        /// To whom, by the next method.
        recipient: Recipient,
        /// Why the one before does not do.
        why: String,
    },
    /// A provider told what became of a message.
    PageConfirmed {
        /// The message.
        page: OutboxNumber,
        /// The escalations that it tells about.
        runs: Vec<RunNumber>,
        /// To whom.
        recipient: Recipient,
        /// What became of it.
        state: PageState,
        /// In the provider's words.
        detail: String,
    },
    /// A channel failed so often that it is left alone for a while.
    ChannelDown {
        /// Which.
        channel: Channel,
        /// Until when.
        until: Timestamp,
    },
    /// Somebody wants no messages to an address, or wants them again.
    ContactStopped {
        /// Who.
        person: Handle,
        /// The channel.
        channel: Channel,
        /// Whether they want none.
        is_stopped: bool,
    },
    /// Something did not say in time that it is alive.
    HeartbeatMissed {
        /// The monitor.
        name: Arc<str>,
        /// When it was heard last.
        heard_at: Option<Timestamp>,
    },
    /// It is heard again.
    HeartbeatHeard {
        /// The monitor.
        name: Arc<str>,
        /// Since when it was missed.
        missed_since: Timestamp,
    },
    /// The watcher outside was not told that we are alive, several times in a row.
    WatcherUnreachable {
        /// How often in a row.
        failures: u32,
        /// What went wrong last, without the address.
        why: String,
    },
    /// The watcher outside hears from us again.
    WatcherReached,
    /// An incident began.
    IncidentOpened {
        /// Which.
        incident: IncidentNumber,
        /// How bad it is.
        severity: Severity,
        /// What it is about.
        title: String,
        /// The alerts it began with.
        alerts: Vec<AlertNumber>,
        /// Why it is one.
        why: String,
        /// Who declared it.
        by: String,
    },
    /// More alerts belong to an incident.
    IncidentJoined {
        /// Which.
        incident: IncidentNumber,
        /// The alerts that are new in it.
        alerts: Vec<AlertNumber>,
    },
    /// An incident stands elsewhere.
    IncidentMoved {
        /// Which.
        incident: IncidentNumber,
        /// Where it stood.
        from: Status,
        /// Where it stands.
        to: Status,
        /// How it ended.
        code: Option<ResolutionCode>,
        /// What was said; may be empty.
        note: String,
        /// Who moved it.
        by: String,
    },
    /// Anything else that the timeline of an incident tells.
    IncidentNoted {
        /// Which.
        incident: IncidentNumber,
        /// The row of the timeline.
        entry: u64,
        /// The kind of the row.
        what: CompactString,
        /// What happened, in one sentence.
        text: String,
        /// Who did it.
        by: String,
    },
    /// The engine began to work with what the store holds.
    EngineStarted {
        /// Firing alerts it found.
        alerts: usize,
        /// Groups it found.
        groups: usize,
        /// Unsent notifications it found.
        notifications: usize,
    },
    /// A configuration took effect while running.
    Reconfigured {
        /// Groups that were built anew.
        groups: usize,
    },
}

/// Earlier releases did not write by what a message that was dropped would have gone.
fn by_mail() -> Channel {
    Channel::Email
}
