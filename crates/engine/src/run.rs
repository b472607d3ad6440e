//! The turn: take what has arrived, decide, write, then act.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tocsin_core::command::{Command, Order, Reply};
use tocsin_core::ids::OutboxNumber;
use tocsin_core::policy::Policy;
use tocsin_core::{Tenant, Turn};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

use crate::EngineOptions;
use crate::delivery::{Deliver, Pool};
use crate::handle::{EngineError, EngineHandle, Read, Request};

/// How often an engine that cannot write tries whether it can again.
const RECOVERY_PAUSE: Duration = Duration::from_secs(1);

/// The longest sleep between two looks at the clock, in case the wall clock is set forward.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// How long an engine that stops waits for attempts under way. What is sent and not recorded would
/// be sent again at the next start.
const FAREWELL: Duration = Duration::from_secs(5);

type Answer = oneshot::Sender<Result<Reply, EngineError>>;

/// One tenant's state and everything needed to act on it.
pub(crate) struct Engine {
    options: EngineOptions,
    handle: EngineHandle,
    tenant: Tenant,
    pool: Pool,
    /// The configuration of the turn before.
    policy: Arc<Policy>,
    /// Attempts whose end is not recorded yet. They outlive a state that is read anew, which must
    /// not send the same again beside them.
    under_way: BTreeSet<OutboxNumber>,
    /// Whether no attempt begins any more.
    is_stopping: bool,
}

/// What was decided and is not written yet, and what happens once it is.
#[derive(Default)]
struct Staged {
    replies: Vec<Reply>,
    answers: Vec<Answer>,
    ended: Vec<OutboxNumber>,
    reads: Vec<Read>,
    stop: Option<oneshot::Sender<()>>,
}

impl Staged {
    /// Returns whether more may join: readers must see what is written and nothing else, so
    /// nothing is decided between them and their turn.
    fn is_open(&self, most: usize) -> bool {
        self.reads.is_empty() && self.stop.is_none() && self.answers.len() < most
    }

    fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.reads.is_empty() && self.stop.is_none()
    }
}

impl Engine {
    pub(crate) fn new(
        options: EngineOptions,
        handle: EngineHandle,
        tenant: Tenant,
        deliver: Arc<dyn Deliver>,
    ) -> Self {
        let pool = Pool::new(deliver, handle.clone(), options.max_attempts_per_integration);
        let under_way = BTreeSet::new();
        let policy = Arc::clone(tenant.policy());
        handle.set_watcher(policy.escalation.outward_heartbeat.as_ref());
        Self { options, handle, tenant, pool, policy, under_way, is_stopping: false }
    }

    pub(crate) async fn run(mut self, first: Turn, mut inbox: mpsc::Receiver<Request>) {
        self.release(first, Vec::new());
        let most = self.options.max_requests_per_turn;
        let mut requests = Vec::with_capacity(most);
        let mut staged = Staged::default();
        loop {
            if staged.is_empty() {
                let sleep = self.until_next_deadline();
                tokio::select! {
                    biased;
                    count = inbox.recv_many(&mut requests, most) => {
                        if count == 0 {
                            return;
                        }
                    }
                    () = tokio::time::sleep(sleep) => {}
                }
                self.stage(&mut staged, requests.drain(..));
            }
            let stop = staged.stop.take();
            staged = self.commit(staged, &mut inbox, stop.is_none()).await;
            if let Some(stopped) = stop {
                self.is_stopping = true;
                // Whatever is not recorded by then is sent again, with the same idempotency key.
                let _ = tokio::time::timeout(FAREWELL, self.see_out(&mut inbox)).await;
                inbox.close();
                let _ = stopped.send(());
                return;
            }
        }
    }

    /// Records how attempts under way end, and takes on nothing else.
    async fn see_out(&mut self, inbox: &mut mpsc::Receiver<Request>) {
        while !self.under_way.is_empty() {
            match inbox.recv().await {
                Some(Request::Order(order, answer))
                    if matches!(order.command, Command::AttemptEnded { .. }) =>
                {
                    let request = Request::Order(order, answer);
                    let mut staged = Staged::default();
                    self.stage(&mut staged, std::iter::once(request));
                    self.commit(staged, inbox, false).await;
                }
                Some(Request::Order(_, answer)) => {
                    let _ = answer.send(Err(EngineError::Stopping));
                }
                Some(Request::Read(read)) => read(&self.tenant, self.handle.now()),
                Some(Request::Stop(stopped)) => drop(stopped.send(())),
                None => return,
            }
        }
    }

    /// Decides what requests bring about. Nothing of it is written or told yet.
    fn stage(&mut self, staged: &mut Staged, requests: impl Iterator<Item = Request>) {
        let mut orders: Vec<Order> = Vec::new();
        for request in requests {
            match request {
                Request::Order(order, answer) => {
                    if let Command::AttemptEnded { number, .. } = &order.command {
                        staged.ended.push(*number);
                    }
                    orders.push(*order);
                    staged.answers.push(answer);
                }
                Request::Read(read) => staged.reads.push(read),
                Request::Stop(stopped) => staged.stop = Some(stopped),
            }
        }
        self.handle.count_turn(orders.len());
        staged.replies.extend(self.tenant.step(self.handle.now(), orders));
    }

    fn until_next_deadline(&self) -> Duration {
        let Some(deadline) = self.tenant.next_deadline() else { return MAX_SLEEP };
        let span = deadline.duration_since(self.handle.now());
        // The timer wheel rounds up to a millisecond; rounding here, too, would be late twice.
        Duration::try_from(span).unwrap_or(Duration::ZERO).min(MAX_SLEEP)
    }

    /// Writes what is staged and then acts on it. While the store is busy, what arrives is decided
    /// already: it is returned, to be written next.
    async fn commit(
        &mut self,
        staged: Staged,
        inbox: &mut mpsc::Receiver<Request>,
        takes_more: bool,
    ) -> Staged {
        let mut turn = Turn { replies: staged.replies, ..self.tenant.seal() };
        let mut next = Staged::default();
        if !turn.writes.is_empty() {
            // The feed needs the events after the store has taken the rest.
            let events = turn.writes.events.clone();
            let writes = std::mem::take(&mut turn.writes);
            let started = Instant::now();
            let store = Arc::clone(self.handle.store());
            let commit = store.commit(self.options.tenant, writes);
            tokio::pin!(commit);
            let takes_more = takes_more && staged.reads.is_empty();
            let most = self.options.max_requests_per_turn;
            let mut requests = Vec::new();
            let result = loop {
                let room = most.saturating_sub(next.answers.len());
                tokio::select! {
                    biased;
                    result = &mut commit => break result,
                    count = inbox.recv_many(&mut requests, room),
                        if takes_more && next.is_open(most) =>
                    {
                        if count == 0 {
                            break commit.await;
                        }
                        self.stage(&mut next, requests.drain(..));
                    }
                }
            };
            self.handle.count_commit(started.elapsed(), result.is_ok());
            if let Err(error) = result {
                let why = error.to_string();
                error!("a turn could not be written, nothing of it takes effect: {why}");
                for answer in staged.answers.into_iter().chain(next.answers) {
                    let _ = answer.send(Err(EngineError::NotWritten(why.clone())));
                }
                let reads = staged.reads.into_iter().chain(next.reads).collect();
                self.recover(why, reads, inbox).await;
                return Staged { stop: next.stop, ..Staged::default() };
            }
            turn.writes.events = events;
        }
        for number in staged.ended {
            self.under_way.remove(&number);
        }
        self.release(turn, staged.answers);
        for read in staged.reads {
            read(&self.tenant, self.handle.now());
        }
        next
    }

    /// What was decided is written: now callers are answered, pages sent, watchers told.
    fn release(&mut self, turn: Turn, answers: Vec<Answer>) {
        if !Arc::ptr_eq(&self.policy, self.tenant.policy()) {
            self.policy = Arc::clone(self.tenant.policy());
            self.handle.set_watcher(self.policy.escalation.outward_heartbeat.as_ref());
        }
        // Before anybody is answered: whoever just signed in or was shut out meets the new state.
        if let Some(directory) = turn.directory {
            self.handle.set_directory(directory);
        }
        for (answer, reply) in answers.into_iter().zip(turn.replies) {
            // A caller that went away needs no answer.
            let _ = answer.send(Ok(reply));
        }
        for entry in turn.attempts {
            if !self.is_stopping && self.under_way.insert(entry.number) {
                self.pool.attempt(entry);
            }
        }
        for page in turn.pages {
            if !self.is_stopping && self.under_way.insert(page.number) {
                self.pool.page(page);
            }
        }
        if !self.is_stopping {
            turn.groups.into_iter().for_each(|sync| self.pool.group(sync));
        }
        self.handle.publish(turn.writes.events);
    }

    /// The memory is ahead of what is written, so it is dropped and read anew. Until a write
    /// succeeds, commands are refused and readers see what the store holds.
    async fn recover(
        &mut self,
        why: String,
        reads: Vec<Read>,
        inbox: &mut mpsc::Receiver<Request>,
    ) {
        self.handle.set_trouble(Some(why.clone()));
        let mut waiting = reads;
        let mut stopping = None;
        loop {
            match self.resume().await {
                Ok(()) => break,
                Err(error) => self.handle.set_trouble(Some(error)),
            }
            for read in waiting.drain(..) {
                read(&self.tenant, self.handle.now());
            }
            let pause = tokio::time::sleep(RECOVERY_PAUSE);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    request = inbox.recv() => match request {
                        Some(Request::Order(_, answer)) => {
                            let _ = answer.send(Err(EngineError::NotWritten(why.clone())));
                        }
                        Some(Request::Read(read)) => read(&self.tenant, self.handle.now()),
                        Some(Request::Stop(stopped)) => stopping = Some(stopped),
                        None => return,
                    },
                }
                if let Some(stopped) = stopping.take() {
                    inbox.close();
                    let _ = stopped.send(());
                    return;
                }
            }
        }
        info!("writing works again; the engine resumes from what the store holds");
        self.handle.set_trouble(None);
        for read in waiting {
            read(&self.tenant, self.handle.now());
        }
    }

    /// Reads the state anew and records that work was taken up again.
    async fn resume(&mut self) -> Result<(), String> {
        let tenant_id = self.options.tenant;
        let store = Arc::clone(self.handle.store());
        let rows = store.load(tenant_id).await.map_err(|error| error.to_string())?;
        let now = self.handle.now();
        self.tenant = self.tenant.resume(rows, now);
        store.probe().await.map_err(|error| error.to_string())?;
        let mut first = self.tenant.turn(now, Vec::new());
        let events = first.writes.events.clone();
        let writes = std::mem::take(&mut first.writes);
        store.commit(tenant_id, writes).await.map_err(|error| error.to_string())?;
        first.writes.events = events;
        self.release(first, Vec::new());
        Ok(())
    }
}
