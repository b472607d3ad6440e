//! How the rest of the process talks to a tenant's engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Order, Reply};
use tocsin_core::escalation::OutwardHeartbeat;
use tocsin_core::event::Recorded;
use tocsin_core::identity::Directory;
use tocsin_core::ids::TenantId;
use tocsin_core::oncall::ImportOutcome;
use tocsin_store::{Store, StoreError};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

use crate::EngineOptions;
use crate::auditor::AuditReport;
use crate::calendars::MAX_AT_ONCE;
use crate::clock::Clock;
use crate::watcher::Knock;

/// Turns a follower of the feed may lag behind before it is told that it missed some.
const FEED_TURNS: usize = 1_024;

/// How long the end of an attempt that could not be recorded waits until it is handed in again.
const REPORT_PAUSE: Duration = Duration::from_millis(200);

/// A tenant's engine, from outside. Cheap to clone.
#[derive(Clone)]
pub struct EngineHandle {
    inner: Arc<Inner>,
}

struct Inner {
    tenant: TenantId,
    inbox: mpsc::Sender<Request>,
    inbox_requests: usize,
    feed: broadcast::Sender<Arc<[Recorded]>>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Why nothing is accepted; empty while everything is well.
    trouble: ArcSwapOption<String>,
    /// Who may do what, as far as it is written.
    directory: ArcSwap<Directory>,
    audit: ArcSwap<AuditReport>,
    /// The watcher outside of the configuration in effect.
    watcher: ArcSwapOption<OutwardHeartbeat>,
    /// Room to read calendars.
    calendar_reads: Semaphore,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    calendars_read: AtomicU64,
    calendars_unchanged: AtomicU64,
    calendars_failed: AtomicU64,
    knocks_heard: AtomicU64,
    knocks_failed: AtomicU64,
    knocks_withheld: AtomicU64,
    /// In seconds since 1970; 0 for never.
    knocked_at: AtomicI64,
    turns: AtomicU64,
    commands: AtomicU64,
    commits: AtomicU64,
    commit_nanoseconds: AtomicU64,
    failed_commits: AtomicU64,
}

/// What an engine has done since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Turns taken.
    pub turns: u64,
    /// Commands applied.
    pub commands: u64,
    /// Turns that had something to write.
    pub commits: u64,
    /// Time spent waiting for the store, in nanoseconds.
    pub commit_nanoseconds: u64,
    /// Turns that could not be written.
    pub failed_commits: u64,
    /// Requests waiting right now.
    pub waiting: usize,
    /// How often the watcher outside was told that we are alive.
    pub knocks_heard: u64,
    /// How often it could not be told.
    pub knocks_failed: u64,
    /// How often it was not told because we did not work.
    pub knocks_withheld: u64,
    /// When it was told last, in seconds since 1970; 0 for never.
    pub knocked_at: i64,
    /// How often a calendar was read.
    pub calendars_read: u64,
    /// How often one had not changed.
    pub calendars_unchanged: u64,
    /// How often one could not be read.
    pub calendars_failed: u64,
}

/// What a reader does with the state between two turns.
pub(crate) type Read = Box<dyn FnOnce(&Tenant, Timestamp) + Send>;

/// What lies in an inbox.
pub(crate) enum Request {
    Order(Box<Order>, oneshot::Sender<Result<Reply, EngineError>>),
    Read(Read),
    Stop(oneshot::Sender<()>),
}

/// Why the engine gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The inbox is full: the caller should try again after a moment.
    #[error("the engine is overloaded: {waiting} commands are waiting already")]
    Overloaded {
        /// How many.
        waiting: usize,
    },
    /// The turn could not be written, so nothing of it happened.
    #[error("nothing was accepted because it could not be written: {0}")]
    NotWritten(String),
    /// What it takes could not be read, so nothing was done.
    #[error("what is needed could not be read: {0}")]
    Unread(String),
    /// The process is stopping.
    #[error("the engine is stopping")]
    Stopping,
}

impl From<StoreError> for EngineError {
    /// For reads: what cannot be written is told by the turn.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Stopping,
            error => Self::Unread(error.to_string()),
        }
    }
}

impl EngineHandle {
    pub(crate) fn new(
        options: EngineOptions,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> (Self, mpsc::Receiver<Request>) {
        let (inbox, requests) = mpsc::channel(options.inbox_requests.max(1));
        let (feed, _) = broadcast::channel(FEED_TURNS);
        let inner = Inner {
            tenant: options.tenant,
            inbox,
            inbox_requests: options.inbox_requests,
            feed,
            store,
            clock,
            trouble: ArcSwapOption::empty(),
            directory: ArcSwap::default(),
            audit: ArcSwap::default(),
            watcher: ArcSwapOption::empty(),
            calendar_reads: Semaphore::new(MAX_AT_ONCE),
            counters: Counters::default(),
        };
        (Self { inner: Arc::new(inner) }, requests)
    }

    /// Returns the tenant this engine serves.
    pub fn tenant(&self) -> TenantId {
        self.inner.tenant
    }

    /// Returns who may do what, as far as it is written.
    pub fn directory(&self) -> Arc<Directory> {
        self.inner.directory.load_full()
    }

    /// Hands in a command and returns its answer once its turn is committed.
    ///
    /// # Errors
    /// [`EngineError`]; nothing of the command happened.
    pub async fn command(&self, order: impl Into<Order> + Send) -> Result<Reply, EngineError> {
        let (answer, wait) = oneshot::channel();
        self.hand_in(Request::Order(Box::new(order.into()), answer))?;
        wait.await.unwrap_or(Err(EngineError::Stopping))
    }

    /// Runs `read` on the state between two turns and returns what it returns. Everything
    /// answered before is seen. `read` should only collect owned values (cheap `Arc` clones):
    /// formatting belongs to the caller's side.
    ///
    /// # Errors
    /// [`EngineError`] when the engine is overloaded or stopping.
    pub async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Tenant, Timestamp) -> R + Send + 'static,
    ) -> Result<R, EngineError> {
        let (answer, wait) = oneshot::channel();
        self.hand_in(Request::Read(Box::new(move |tenant, now| {
            // A reader that went away needs no answer.
            let _ = answer.send(read(tenant, now));
        })))?;
        wait.await.map_err(|_| EngineError::Stopping)
    }

    /// Returns a feed of the events of each committed turn, from now on. A follower that lags
    /// more than the feed's bound is told how many turns it missed.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Recorded]>> {
        self.inner.feed.subscribe()
    }

    /// Returns why the engine accepts nothing at the moment; `Ok` when it does.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn readiness(&self) -> Result<(), String> {
        match self.inner.trouble.load_full() {
            None if self.inner.inbox.is_closed() => Err("the engine has stopped".to_owned()),
            None => Ok(()),
            Some(why) => Err(why.as_ref().clone()),
        }
    }

    /// Returns whether the engine's task has ended, asked or by itself; it never comes back.
    pub fn has_stopped(&self) -> bool {
        self.inner.inbox.is_closed()
    }

    /// Returns the store, for reads of the history.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Returns the present instant of the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Returns what the engine has done since it was started.
    pub fn stats(&self) -> Stats {
        let counters = &self.inner.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            turns: read(&counters.turns),
            commands: read(&counters.commands),
            commits: read(&counters.commits),
            commit_nanoseconds: read(&counters.commit_nanoseconds),
            failed_commits: read(&counters.failed_commits),
            waiting: self.inner.inbox_requests - self.inner.inbox.capacity(),
            knocks_heard: read(&counters.knocks_heard),
            knocks_failed: read(&counters.knocks_failed),
            knocks_withheld: read(&counters.knocks_withheld),
            knocked_at: counters.knocked_at.load(Ordering::Relaxed),
            calendars_read: read(&counters.calendars_read),
            calendars_unchanged: read(&counters.calendars_unchanged),
            calendars_failed: read(&counters.calendars_failed),
        }
    }

    /// Lets the engine finish its turn and the attempts under way, within a bound, and stop. Later
    /// requests are answered
    /// [`EngineError::Stopping`].
    pub async fn stop(&self) {
        let (answer, wait) = oneshot::channel();
        if self.inner.inbox.send(Request::Stop(answer)).await.is_ok() {
            let _ = wait.await;
        }
    }

    /// Hands in the end of an attempt. Unlike callers from outside it waits for room and for a
    /// store that can be written again: what was sent must be recorded.
    pub(crate) async fn report(&self, command: Command) {
        loop {
            let (answer, wait) = oneshot::channel();
            let request = Request::Order(Box::new(command.clone().into()), answer);
            if self.inner.inbox.send(request).await.is_err() {
                return;
            }
            match wait.await {
                Ok(Err(EngineError::NotWritten(_))) => tokio::time::sleep(REPORT_PAUSE).await,
                _ => return,
            }
        }
    }

    /// Returns what the audit of the history came to last.
    pub fn audit(&self) -> Arc<AuditReport> {
        self.inner.audit.load_full()
    }

    pub(crate) fn watcher(&self) -> Option<Arc<OutwardHeartbeat>> {
        self.inner.watcher.load_full()
    }

    pub(crate) fn set_watcher(&self, watcher: Option<&OutwardHeartbeat>) {
        self.inner.watcher.store(watcher.cloned().map(Arc::new));
    }

    pub(crate) fn set_audit(&self, report: AuditReport) {
        self.inner.audit.store(Arc::new(report));
    }

    pub(crate) fn calendar_reads(&self) -> &Semaphore {
        &self.inner.calendar_reads
    }

    pub(crate) fn count_calendar(&self, outcome: &ImportOutcome) {
        let counters = &self.inner.counters;
        let counter = match outcome {
            ImportOutcome::Fetched { .. } => &counters.calendars_read,
            ImportOutcome::Unchanged => &counters.calendars_unchanged,
            ImportOutcome::Failed { .. } => &counters.calendars_failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_knock(&self, knock: Knock) {
        let counters = &self.inner.counters;
        let counter = match knock {
            Knock::Heard { at } => {
                counters.knocked_at.store(at.as_second(), Ordering::Relaxed);
                &counters.knocks_heard
            }
            Knock::Failed => &counters.knocks_failed,
            Knock::Withheld => &counters.knocks_withheld,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn publish(&self, events: Vec<Recorded>) {
        if !events.is_empty() && self.inner.feed.receiver_count() > 0 {
            let _ = self.inner.feed.send(events.into());
        }
    }

    pub(crate) fn set_directory(&self, directory: Arc<Directory>) {
        self.inner.directory.store(directory);
    }

    pub(crate) fn set_trouble(&self, why: Option<String>) {
        self.inner.trouble.store(why.map(Arc::new));
    }

    pub(crate) fn count_turn(&self, commands: usize) {
        self.inner.counters.turns.fetch_add(1, Ordering::Relaxed);
        self.inner.counters.commands.fetch_add(commands as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_commit(&self, took: Duration, is_written: bool) {
        let counters = &self.inner.counters;
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        counters.commits.fetch_add(1, Ordering::Relaxed);
        counters.commit_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        if !is_written {
            counters.failed_commits.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn hand_in(&self, request: Request) -> Result<(), EngineError> {
        self.inner.inbox.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                EngineError::Overloaded { waiting: self.inner.inbox_requests }
            }
            mpsc::error::TrySendError::Closed(_) => EngineError::Stopping,
        })
    }
}
