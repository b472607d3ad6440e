//! The shell around the core: inboxes, turns, timers, outbox delivery and the real clock.
//!
//! One task per tenant owns the tenant's state. It takes what has arrived, asks the core, writes
//! everything in one transaction, and only then answers, sends and publishes.

mod auditor;
mod calendars;
pub mod clock;
mod delivery;
mod drill;
mod handle;
mod housekeeping;
mod lessons;
mod run;
mod watcher;

use std::sync::Arc;

use tocsin_core::Tenant;
use tocsin_core::ids::TenantId;
use tocsin_core::policy::Policy;
use tocsin_store::{Store, StoreError};
use tracing::Instrument as _;

pub use auditor::AuditReport;
pub use calendars::refresh_calendar;
pub use clock::{Clock, SystemClock};
pub use delivery::{Deliver, Delivery};
pub use drill::{DRILL_ALERTNAME, Drill, Drilled, drill};
pub use handle::{EngineError, EngineHandle, Stats};
pub use housekeeping::Keep;
pub use lessons::{IncidentTold, SimilarFound, draft_postmortem, incident_told, similar_incidents};

/// How an engine is sized. The defaults suit one tenant on a small machine.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Whose engine it is.
    pub tenant: TenantId,
    /// Requests that may wait; one more is answered [`EngineError::Overloaded`].
    pub inbox_requests: usize,
    /// Requests taken into one turn; more wait for the next, so a turn stays short.
    pub max_requests_per_turn: usize,
    /// Attempts that may run at once towards one integration.
    pub max_attempts_per_integration: usize,
    /// How long the history is kept.
    pub keep: Keep,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            tenant: TenantId::DEFAULT,
            inbox_requests: 4_096,
            max_requests_per_turn: 256,
            max_attempts_per_integration: 16,
            keep: Keep::default(),
        }
    }
}

/// Takes up work with what the store holds and returns how to talk to the engine.
///
/// # Errors
/// [`StoreError`] when the state cannot be read or the start cannot be recorded.
pub async fn start(
    options: EngineOptions,
    store: Arc<dyn Store>,
    policy: Arc<Policy>,
    deliver: Arc<dyn Deliver>,
    clock: Arc<dyn Clock>,
) -> Result<EngineHandle, StoreError> {
    let rows = store.load(options.tenant).await?;
    let now = clock.now();
    let mut tenant = Tenant::restore(policy, rows, now);
    let first = tenant.turn(now, Vec::new());
    store.commit(options.tenant, first.writes.clone()).await?;
    let (handle, inbox) = EngineHandle::new(options, store, clock);
    // Before anybody can ask: without it everybody would be a stranger, or nobody have an account.
    handle.set_directory(Arc::clone(tenant.directory()));
    let engine = run::Engine::new(options, handle.clone(), tenant, Arc::clone(&deliver));
    // What it logs carries whatever the caller's span carries.
    tokio::spawn(engine.run(first, inbox).in_current_span());
    housekeeping::spawn(options, &handle);
    auditor::spawn(&handle);
    calendars::spawn(&handle, Arc::clone(&deliver));
    lessons::spawn(&handle);
    watcher::spawn(&handle, deliver);
    Ok(handle)
}
