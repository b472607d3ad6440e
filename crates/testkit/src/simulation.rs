//! The engine in virtual time: the tenant, a perfect store, receivers, and nothing that waits.
//!
//! One step is what the shell does: a turn, its writes, then its attempts. Attempts end after as
//! long as their receiver takes, and their ends are commands of a later turn. At every turn it is
//! checked that nothing leaves before it was written and that a start would find the same state.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Reply};
use tocsin_core::event::Recorded;
use tocsin_core::identity::Actor;
use tocsin_core::ids::OutboxNumber;
use tocsin_core::notification::{AttemptOutcome, OutboxEntry};
use tocsin_core::paging::{Channel, Page};
use tocsin_core::policy::Policy;
use tocsin_core::tenant::EscalationState;

use crate::memory::MemoryRows;
use crate::receivers::{Meeting, Receivers};

/// The spread of every back-off: exactly its middle.
const JITTER: f64 = 0.5;

/// The most turns at one instant; more means that the engine does not come to rest.
const MAX_TURNS_PER_INSTANT: usize = 10_000;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// The engine recorded an event.
    Recorded(Recorded),
    /// A message arrived at its receiver.
    Arrived {
        /// The message.
        entry: Box<OutboxEntry>,
        /// Whether one with the same idempotency key had arrived before.
        is_again: bool,
    },
    /// A page arrived at a person or a place.
    Paged {
        /// The page.
        page: Box<Page>,
        /// Whether one with the same idempotency key had arrived before.
        is_again: bool,
    },
    /// An attempt begins that fails without anybody knowing whether the message arrived.
    Doubted {
        /// The message.
        entry: Box<OutboxEntry>,
    },
    /// An attempt was lost because the process died.
    Lost {
        /// Where it was going.
        integration: String,
    },
}

/// An attempt that is under way.
#[derive(Debug)]
struct UnderWay {
    ends_at: Timestamp,
    /// The message, when it arrives only at the end.
    arriving: Option<Message>,
    integration: String,
    number: OutboxNumber,
    outcome: AttemptOutcome,
}

/// Something that is sent.
#[derive(Clone, Debug)]
enum Message {
    Notification(Box<OutboxEntry>),
    Page(Box<Page>),
}

/// One engine with its surroundings.
#[derive(Debug)]
pub struct Simulation {
    now: Timestamp,
    policy: Arc<Policy>,
    /// `None` while the process is down.
    tenant: Option<Tenant>,
    /// When a process that is down comes back.
    starts_at: Option<Timestamp>,
    rows: MemoryRows,
    under_way: Vec<UnderWay>,
    arrived: BTreeSet<String>,
    happenings: Vec<Happening>,
    complaints: Vec<String>,
    /// Who is behind the commands.
    pub actor: Actor,
    /// How the receivers behave.
    pub receivers: Receivers,
    /// Whether every turn is followed by a restart on the side whose state is compared.
    pub checks_restarts: bool,
}

impl Simulation {
    /// Starts an engine that knows nothing.
    pub fn new(policy: Arc<Policy>, now: Timestamp) -> Self {
        let mut simulation = Self {
            now,
            tenant: None,
            starts_at: Some(now),
            policy,
            rows: MemoryRows::default(),
            under_way: Vec::new(),
            arrived: BTreeSet::new(),
            happenings: Vec::new(),
            complaints: Vec::new(),
            actor: Actor::ENGINE,
            receivers: Receivers::default(),
            checks_restarts: true,
        };
        simulation.advance_to(now);
        simulation
    }

    /// Returns the virtual time.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the engine; `None` while it is down.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// Returns the configuration in effect.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Returns what the store holds.
    pub fn rows(&self) -> &MemoryRows {
        &self.rows
    }

    /// Takes what happened since it was last taken, oldest first.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// Takes what should never be so.
    pub fn take_complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    /// Lets time pass until `until`, doing everything that becomes due, in order.
    pub fn advance_to(&mut self, until: Timestamp) {
        let mut turns_here = 0;
        while let Some(next) = self.next_instant().filter(|next| *next <= until) {
            turns_here = if next > self.now { 0 } else { turns_here + 1 };
            if turns_here > MAX_TURNS_PER_INSTANT {
                let at = self.now;
                self.complaints.push(format!("the engine does not come to rest at {at}"));
                break;
            }
            self.now = self.now.max(next);
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Gives the engine a command now and returns its answer; `None` while it is down.
    pub fn submit(&mut self, command: Command) -> Option<Reply> {
        self.advance_to(self.now);
        if let Command::Reconfigure { policy } = &command
            && self.tenant.is_some()
        {
            self.policy = Arc::clone(policy);
        }
        let reply = self.turn(vec![command])?.pop();
        self.advance_to(self.now);
        reply
    }

    /// Kills the process: what is in memory and on its way is lost.
    pub fn kill(&mut self) {
        self.tenant = None;
        self.starts_at = None;
        for attempt in std::mem::take(&mut self.under_way) {
            let integration = attempt.integration;
            self.happenings.push(Happening { at: self.now, what: What::Lost { integration } });
        }
    }

    /// Starts a process that is down, after `pause`, perhaps with another configuration.
    pub fn start_after(&mut self, pause: SignedDuration, policy: Option<Arc<Policy>>) {
        if let Some(policy) = policy {
            self.policy = policy;
        }
        self.starts_at = Some(self.now + pause);
        self.advance_to(self.now);
    }

    fn next_instant(&self) -> Option<Timestamp> {
        let Some(tenant) = &self.tenant else { return self.starts_at };
        let attempt = self.under_way.iter().map(|attempt| attempt.ends_at).min();
        tenant.next_deadline().into_iter().chain(attempt).min()
    }

    fn step(&mut self) {
        if self.tenant.is_none() && self.starts_at.is_some_and(|at| at <= self.now) {
            self.starts_at = None;
            let policy = Arc::clone(&self.policy);
            self.tenant = Some(Tenant::restore(policy, self.rows.rows(), self.now));
        }
        let commands = self.ended_attempts();
        self.turn(commands);
    }

    fn ended_attempts(&mut self) -> Vec<Command> {
        let now = self.now;
        let (ended, rest) =
            std::mem::take(&mut self.under_way).into_iter().partition(|a| a.ends_at <= now);
        self.under_way = rest;
        let ended: Vec<UnderWay> = ended;
        ended
            .into_iter()
            .map(|attempt| {
                if let Some(message) = attempt.arriving {
                    self.arrive(message);
                }
                let UnderWay { number, outcome, .. } = attempt;
                Command::AttemptEnded { number, outcome, jitter: JITTER }
            })
            .collect()
    }

    fn turn(&mut self, commands: Vec<Command>) -> Option<Vec<Reply>> {
        let orders = commands.into_iter().map(|command| command.by(self.actor.clone())).collect();
        let turn = self.tenant.as_mut()?.turn(self.now, orders);
        let at = self.now;
        for event in &turn.writes.events {
            let what = What::Recorded(event.clone());
            self.happenings.push(Happening { at, what });
        }
        self.complaints.extend(self.rows.apply(turn.writes));
        for entry in turn.attempts {
            self.attempt(entry);
        }
        for page in turn.pages {
            self.attempt_page(page);
        }
        if self.checks_restarts {
            self.check_restart();
        }
        Some(turn.replies)
    }

    fn attempt(&mut self, entry: OutboxEntry) {
        let integration = entry.key.integration();
        let written = self.rows.outbox_entry(entry.number);
        if !written.is_some_and(|row| row.notification == entry.notification) {
            let number = entry.number;
            self.complaints.push(format!("notification {number} is sent but was not written"));
        }
        let meeting = self.receivers.meet(&integration);
        if meeting.outcome.is_in_doubt() {
            let what = What::Doubted { entry: Box::new(entry.clone()) };
            self.happenings.push(Happening { at: self.now, what });
        }
        let number = entry.number;
        self.send(meeting, integration, number, Message::Notification(Box::new(entry)));
    }

    fn attempt_page(&mut self, page: Page) {
        let number = page.number;
        let written = self.rows.page(number);
        if !written.is_some_and(|row| row.content == page.content && row.address == page.address) {
            self.complaints.push(format!("page {number} is sent but was not written"));
        }
        let channel = page.channel.as_str();
        let whom = page.recipient.person().map_or("", |person| person.as_str());
        let mut meeting = self.receivers.meet_page(channel, &page.address, whom);
        if let AttemptOutcome::Delivered { receipt, .. } = &mut meeting.outcome
            && gives_receipts(page.channel)
        {
            *receipt = Some(receipt_of(&page));
        }
        let name = page.recipient.to_string();
        self.send(meeting, name, number, Message::Page(Box::new(page)));
    }

    fn send(
        &mut self,
        meeting: Meeting,
        integration: String,
        number: OutboxNumber,
        message: Message,
    ) {
        let mut arriving = Some(message);
        match meeting.arrives_after {
            None => arriving = None,
            Some(span) if span.is_zero() => {
                if let Some(message) = arriving.take() {
                    self.arrive(message);
                }
            }
            Some(_) => {}
        }
        self.under_way.push(UnderWay {
            ends_at: self.now + meeting.ends_after,
            arriving,
            integration,
            number,
            outcome: meeting.outcome,
        });
    }

    fn arrive(&mut self, message: Message) {
        let what = match message {
            Message::Notification(entry) => {
                let is_again = !self.arrived.insert(entry.idempotency_key());
                What::Arrived { entry, is_again }
            }
            Message::Page(page) => {
                let is_again = !self.arrived.insert(page.idempotency_key());
                What::Paged { page, is_again }
            }
        };
        self.happenings.push(Happening { at: self.now, what });
    }

    /// A process that died right now and came back at once has to know what this one knows.
    fn check_restart(&mut self) {
        let Some(tenant) = &self.tenant else { return };
        if !self.policy.compat.durable_alerts {
            return;
        }
        let restored = Tenant::restore(Arc::clone(&self.policy), self.rows.rows(), self.now);
        let (found, expected) = (restored.counts(self.now), tenant.counts(self.now));
        if found != expected {
            let at = self.now;
            self.complaints.push(format!(
                "a restart at {at} would find {found:?} where there is {expected:?}"
            ));
        }
        let expected = tenant.escalation_state(self.now);
        let found = restored.escalation_state(self.now);
        let differences = escalation_differences(&expected, found);
        let at = self.now;
        let complaints = differences.into_iter().map(|what| format!("a restart at {at}: {what}"));
        self.complaints.extend(complaints);
    }
}

/// Returns what a start would find otherwise; of ended escalations a store may know more.
fn escalation_differences(expected: &EscalationState, mut found: EscalationState) -> Vec<String> {
    found.runs.retain(|run| {
        run.is_open() || expected.runs.iter().any(|expected| expected.number == run.number)
    });
    // While we were down nothing could be heard, so that every monitor gets its time anew.
    let heard = |state: &EscalationState| -> Vec<_> {
        let rows = state.heartbeats.iter();
        rows.map(|row| (row.name.clone(), row.heard_at, row.missed_at)).collect()
    };
    let mut differences = Vec::new();
    let mut compare = |what: &str, expected: String, found: String| {
        if expected != found {
            differences.push(format!("{what}\n  there are {expected}\n  it finds  {found}"));
        }
    };
    compare("escalations", format!("{:?}", expected.runs), format!("{:?}", found.runs));
    compare("pages", format!("{:?}", expected.pages), format!("{:?}", found.pages));
    compare("contacts", format!("{:?}", expected.contacts), format!("{:?}", found.contacts));
    compare("throttles", format!("{:?}", expected.throttles), format!("{:?}", found.throttles));
    compare("turns", format!("{:?}", expected.turns), format!("{:?}", found.turns));
    compare("heartbeats", format!("{:?}", heard(expected)), format!("{:?}", heard(&found)));
    differences
}

/// Returns what a fake provider calls a page; the same when it is sent again.
pub fn receipt_of(page: &Page) -> String {
    format!("{}-{}", page.channel, page.number)
}

/// Returns whether a provider of that kind gives messages names that they are known by later.
fn gives_receipts(channel: Channel) -> bool {
    !matches!(
        channel,
        Channel::Email | Channel::Msteams | Channel::Ntfy | Channel::WebPush | Channel::Stdout
    )
}
