//! One tenant's engine: all of its state, and the only place that changes it.
//!
//! A turn is: do what is due, apply the commands in order, do what they made due. Each family of
//! decisions has its own file beneath; this one holds the state, the timers and the turn.

mod acknowledge;
mod action_change;
mod action_reminders;
mod answer;
mod begin;
mod calendars;
mod carry;
mod contacts;
mod deliver;
mod escalate;
mod flush;
mod group;
mod handoff;
mod heartbeat;
mod identity;
mod incident_access;
mod incident_alerts;
mod incident_change;
mod incident_curation;
mod incident_links;
mod incident_messages;
mod incident_moves;
mod incident_people;
mod incident_push;
mod incident_relations;
mod incident_restricted;
mod incident_signals;
mod incident_tasks;
mod incident_times;
mod incidents;
mod ingest;
mod inhibit;
mod lesson_change;
mod lessons;
mod maintain;
mod mute;
mod notices;
mod oncall;
mod oversight;
mod page;
mod page_attempt;
mod read;
mod reconfigure;
mod recorder;
mod reminder_snooze;
mod reminders;
mod responders;
mod restore;
mod silences;
mod simulate;
mod state;
mod unanswered;
mod user_groups;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::audit::{AuditHead, AuditNote};
use crate::change::Change;
use crate::command::{Command, Order, Rejection, Reply};
use crate::identity::Directory;
use crate::ids::{GroupNumber, OutboxNumber, RunNumber, SilenceId, SilenceNumber};
use crate::incident::IncidentNumber;
use crate::labels::{Fingerprint, Labels};
use crate::notification::{LogEntry, LogKey, OutboxEntry};
use crate::oncall::Roster;
use crate::paging::{Page, Recipient};
use crate::policy::{Policy, RouteIndex};
use crate::reminder::{Reminder, ReminderKey};
use crate::rows::{Highest, WriteSet};

use acknowledge::Word;
use deliver::Outbound;
use escalate::Escalations;
use group::Group;
use heartbeat::Heartbeat;
use incidents::Incidents;
use ingest::{Alert, Destinations};
use inhibit::Inhibition;
use lessons::Lessons;
use maintain::Window;
use page::Paging;
use recorder::Recorder;
use silences::SilenceEntry;

pub use calendars::CalendarToRead;
pub use escalate::{AUTO_POLICY, ESCALATION};
pub use oversight::{IncidentCounts, PagingCounts};
pub use state::EscalationState;
pub use user_groups::{GroupOutcome, GroupSync};

/// The most timers one turn works off; what is left is due at once in the next turn, so commands
/// that wait are never held up for long.
const MAX_TIMERS_PER_TURN: usize = 4_096;

/// How often forgotten log entries are looked for.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_mins(15);

/// What one turn decided.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be written in one transaction before anything else happens.
    pub writes: WriteSet,
    /// One for each command, in order; to be given once the writes are committed.
    pub replies: Vec<Reply>,
    /// To be attempted once the writes are committed, in order.
    pub attempts: Vec<OutboxEntry>,
    /// Pages to be attempted once the writes are committed, in order.
    pub pages: Vec<Page>,
    /// User groups to be set once the writes are committed.
    pub groups: Vec<GroupSync>,
    /// Who may do what, when that changed; takes effect once the writes are committed.
    pub directory: Option<Arc<Directory>>,
}

/// The state of one tenant.
#[derive(Debug)]
pub struct Tenant {
    policy: Arc<Policy>,
    started_at: Timestamp,
    /// The latest instant seen: a clock that steps back does not turn history around.
    latest: Timestamp,
    alerts: BTreeMap<Fingerprint, Alert>,
    firing_by_alertname: BTreeMap<String, usize>,
    destinations: BTreeMap<Vec<RouteIndex>, Arc<Destinations>>,
    groups: BTreeMap<GroupNumber, Group>,
    group_index: BTreeMap<(RouteIndex, Fingerprint, Labels), GroupNumber>,
    log: BTreeMap<LogKey, LogEntry>,
    outbox: BTreeMap<OutboxNumber, Outbound>,
    /// By integration and the key by which it knows an alert.
    sources: BTreeMap<String, BTreeMap<String, Fingerprint>>,
    in_flight: BTreeMap<LogKey, OutboxNumber>,
    silences: BTreeMap<SilenceNumber, SilenceEntry>,
    silence_ids: BTreeMap<SilenceId, SilenceNumber>,
    silence_index: silences::Index,
    windows: BTreeMap<Arc<str>, Window>,
    inhibition: Inhibition,
    /// Alerts that were told again since their state was last written.
    refreshed: Vec<Fingerprint>,
    timers: BTreeSet<(Timestamp, Timer)>,
    highest: Highest,
    directory: Arc<Directory>,
    directory_changed: bool,
    /// Who was there before the configuration that is being taken over; only while it is.
    former: Option<Arc<Directory>>,
    roster: Roster,
    /// Who has to be told of handoffs once this turn's are known.
    handoffs: oncall::Handoffs,
    audit_head: AuditHead,
    recorder: Recorder,
    /// What was changed outside lately, oldest first.
    changes: VecDeque<Change>,
    attempts: Vec<OutboxEntry>,
    escalations: Escalations,
    paging: Paging,
    page_attempts: Vec<Page>,
    user_groups: BTreeMap<Arc<str>, user_groups::Kept>,
    group_syncs: Vec<GroupSync>,
    /// Whether user groups may have to hold others than before this turn.
    groups_are_stale: bool,
    heartbeats: BTreeMap<Arc<str>, Heartbeat>,
    /// Whether it is told that the watcher outside cannot be reached.
    is_watcher_lost: bool,
    /// Whose names the roster knows.
    names_of: Option<Arc<Directory>>,
    incidents: Incidents,
    reminders: BTreeMap<ReminderKey, Reminder>,
    lessons: Lessons,
}

/// What may become due. At one instant the order of the variants is the order of work: what
/// changes the state of alerts comes before what looks at it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    AlertEnd(Fingerprint),
    Heartbeat(Arc<str>),
    Silence(SilenceNumber),
    Window(Arc<str>),
    Shift(Arc<str>),
    ShiftAhead(Arc<str>, u32),
    UserGroup(Arc<str>),
    Lapse(Fingerprint),
    Deadline(OutboxNumber),
    Flush(GroupNumber),
    Escalation(RunNumber),
    Method(Recipient),
    Incident(IncidentNumber),
    Reminder(ReminderKey),
    Page(OutboxNumber),
    Attempt(OutboxNumber),
    Forget(Fingerprint),
    Sweep,
    Refresh,
}

impl Tenant {
    /// Does everything that is due at `now`, then `orders` in order, and returns what to write,
    /// answer and send. With no orders this is the wake-up call.
    pub fn turn(&mut self, now: Timestamp, orders: Vec<Order>) -> Turn {
        let replies = self.step(now, orders);
        Turn { replies, ..self.seal() }
    }

    /// The first half of [`Self::turn`]: decides, and returns the replies that may be given once
    /// what [`Self::seal`] returns is written. Several steps may share one seal.
    pub fn step(&mut self, now: Timestamp, orders: Vec<Order>) -> Vec<Reply> {
        let now = self.advance(now);
        let mut budget = MAX_TIMERS_PER_TURN;
        self.wake(now, &mut budget);
        let mut replies = Vec::with_capacity(orders.len());
        for order in orders {
            replies.push(self.carry_out(now, order).unwrap_or_else(Reply::Rejected));
        }
        self.wake(now, &mut budget);
        self.tell_handoffs(now);
        self.wake(now, &mut budget);
        self.look_after_groups(now);
        self.say_alerts(now);
        self.look_at_reminders(now);
        replies
    }

    /// The second half of [`Self::turn`]: returns what the steps since the last seal have to
    /// write, and what may be sent once it is written; no replies.
    pub fn seal(&mut self) -> Turn {
        let writes = self.collect_writes();
        let attempts = std::mem::take(&mut self.attempts);
        let pages = std::mem::take(&mut self.page_attempts);
        let groups = std::mem::take(&mut self.group_syncs);
        self.with_directory(Turn { writes, attempts, pages, groups, ..Turn::default() })
    }

    /// Returns the earliest instant at which [`Self::turn`] without commands would do anything.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Returns the configuration in effect.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Returns who is on call when.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Does what is asked and writes into the audit log who asked, unless nothing changed.
    fn carry_out(&mut self, now: Timestamp, order: Order) -> Result<Reply, Rejection> {
        let Order { by, command } = order;
        let command = match command {
            Command::Identity(change) => {
                if let Some(note) = self.change_identity(now, &by, change)? {
                    self.audit(now, by, note);
                }
                return Ok(Reply::Done);
            }
            Command::Paging(change) => {
                let (reply, note) = self.change_paging(now, &by, change)?;
                self.groups_are_stale = true;
                if let Some(note) = note {
                    self.audit(now, by, note);
                }
                return Ok(reply);
            }
            Command::Incident(change) => {
                let (reply, note) = self.change_incident(now, &by, change)?;
                if let Some(note) = note {
                    self.audit(now, by, note);
                }
                return Ok(Reply::Incident(reply));
            }
            Command::Lesson(change) => {
                let (reply, note) = self.change_lesson(now, &by, change)?;
                if let Some(note) = note {
                    self.audit(now, by, note);
                }
                return Ok(Reply::Lesson(reply));
            }
            Command::OnCall(change) => {
                if let Some(note) = self.change_roster(now, &by, change)? {
                    self.audit(now, by, note);
                }
                return Ok(Reply::Done);
            }
            command => command,
        };
        let note = self.note_before(&by, &command);
        let spokesman = match &command {
            Command::Acknowledge { by, .. } | Command::Unacknowledge { by, .. } => by.clone(),
            _ => String::new(),
        };
        let reply = self.apply(now, command)?;
        if let Some(note) = note {
            let note = match &reply {
                Reply::Silence(id) => {
                    let note = AuditNote { subject: format!("silence/{id}"), ..note };
                    AuditNote { after: self.shown_silence(*id), ..note }
                }
                Reply::Alerts(alerts) => identity::about_alerts(note, &spokesman, alerts),
                Reply::Answered(answered) if !answered.has_changed => return Ok(reply),
                Reply::Answered(answered) => note.after(json!({ "answer": answered.text })),
                _ => note,
            };
            self.audit(now, by, note);
        }
        Ok(reply)
    }

    fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Rejection> {
        match command {
            Command::Ingest { alerts } => Ok(Reply::Ingested(self.ingest(now, alerts))),
            Command::SetSilence { request, fresh_id } => {
                Ok(Reply::Silence(self.set_silence(now, request, fresh_id)?))
            }
            Command::ExpireSilence { id } => {
                self.expire_silence(now, id)?;
                Ok(Reply::Done)
            }
            Command::SetMaintenanceWindow { window } => {
                self.set_maintenance_window(now, window)?;
                Ok(Reply::Done)
            }
            Command::DeleteMaintenanceWindow { name } => {
                self.delete_maintenance_window(now, &name)?;
                Ok(Reply::Done)
            }
            Command::Acknowledge { alerts, by, comment, expires_at } => {
                let word = Word::new(by, comment);
                let acknowledged = self.acknowledge(now, alerts, &word, expires_at)?;
                self.tell_alerts_taken(now, &acknowledged, &word, true);
                self.runs_follow(now, &acknowledged, &word.by);
                Ok(Reply::Alerts(acknowledged))
            }
            Command::Unacknowledge { alerts, by, comment } => {
                let word = Word::new(by, comment);
                let ended = self.unacknowledge(now, &alerts, &word)?;
                self.tell_alerts_taken(now, &ended, &word, false);
                self.runs_follow(now, &ended, &word.by);
                Ok(Reply::Alerts(ended))
            }
            Command::AddNote { alert, by, text } => {
                self.add_note(now, alert, Word::new(by, text))?;
                Ok(Reply::Done)
            }
            Command::RecordChange { change } => {
                self.record_change(now, change);
                Ok(Reply::Done)
            }
            Command::AttemptEnded { number, outcome, jitter } => {
                self.attempt_ended(now, number, outcome, jitter);
                Ok(Reply::Done)
            }
            Command::GroupSynced { sync, outcome } => {
                self.group_synced(now, &sync, &outcome);
                Ok(Reply::Done)
            }
            Command::Reconfigure { policy } => {
                self.reconfigure(now, policy);
                Ok(Reply::Done)
            }
            Command::Answer(answer) => Ok(Reply::Answered(self.answer(now, &answer)?)),
            Command::Spoken(spoken) => Ok(Reply::Answered(self.spoken(now, &spoken)?)),
            Command::Receipt(receipt) => {
                self.take_receipt(now, receipt);
                Ok(Reply::Done)
            }
            Command::Beat { name } => {
                self.beat(now, &name)?;
                Ok(Reply::Done)
            }
            Command::ReportMissed { missed } => {
                self.report_missed(now, missed);
                Ok(Reply::Done)
            }
            Command::ReportWatcher { failing } => {
                self.report_watcher(now, failing);
                Ok(Reply::Done)
            }
            // Carried out before they come here.
            Command::Identity(_)
            | Command::Paging(_)
            | Command::Incident(_)
            | Command::Lesson(_)
            | Command::OnCall(_) => Ok(Reply::Done),
        }
    }

    fn wake(&mut self, now: Timestamp, budget: &mut usize) {
        while *budget > 0 {
            match self.timers.first() {
                Some((at, _)) if *at <= now => {}
                _ => return,
            }
            let Some((at, timer)) = self.timers.pop_first() else { return };
            *budget -= 1;
            match timer {
                Timer::Heartbeat(name) => self.heartbeat_due(now, &name),
                Timer::Escalation(number) => self.escalation_due(now, number),
                Timer::Method(recipient) => self.method_due(now, &recipient),
                Timer::Incident(number) => self.incident_due(now, number),
                Timer::Reminder(key) => self.reminder_due(now, key),
                Timer::Page(number) => self.page_due(now, number),
                Timer::AlertEnd(fingerprint) => self.alert_end_due(now, at, fingerprint),
                Timer::Silence(number) => self.silence_due(now, number),
                Timer::Window(name) => self.window_due(now, &name),
                Timer::Shift(name) => self.shift_due(now, &name),
                Timer::ShiftAhead(name, minutes) => self.shift_ahead(now, at, &name, minutes),
                Timer::UserGroup(name) => self.group_due(now, &name),
                Timer::Lapse(fingerprint) => self.lapse_due(now, fingerprint),
                Timer::Deadline(number) => self.delivery_deadline_due(now, number),
                Timer::Flush(number) => self.flush_due(now, number),
                Timer::Attempt(number) => self.attempt_due(now, number),
                Timer::Forget(fingerprint) => self.forget_due(now, fingerprint),
                Timer::Sweep => self.sweep(now),
                Timer::Refresh => self.write_refreshed(now),
            }
        }
    }

    fn schedule(&mut self, at: Timestamp, timer: Timer) {
        self.timers.insert((at, timer));
    }

    /// Forgets log entries that nothing can refer to any more.
    ///
    /// With `resolve_follows_page` an entry outlives its expiry while an alert it tells as firing
    /// is still known: without it the resolve of a page sent before a long silence would be lost.
    /// So does an entry about an alert that somebody works on, since nothing renews it meanwhile.
    fn sweep(&mut self, now: Timestamp) {
        let keeps_told = self.policy.compat.resolve_follows_page;
        let expired: Vec<LogKey> = self
            .log
            .iter()
            .filter(|(key, entry)| {
                entry.expires_at <= now
                    && !self.in_flight.contains_key(*key)
                    && !entry
                        .firing
                        .iter()
                        .chain(&entry.doubted)
                        .filter_map(|fp| self.alerts.get(fp))
                        .any(|alert| keeps_told || alert.acknowledgement.is_some())
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in expired {
            self.log.remove(&key);
            self.recorder.forgotten_log.insert(key.clone());
            self.recorder.log.remove(&key);
        }
        self.sweep_identity(now);
        self.sweep_runs(now);
        self.sweep_incidents(now);
        self.sweep_lessons(now);
        self.schedule(later(now, SWEEP_INTERVAL), Timer::Sweep);
    }
}

/// Returns `at + span`, or the end of time.
fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
