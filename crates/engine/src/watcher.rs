//! The background job that tells a watcher outside that we are alive: while the engine truly
//! works its address is asked again and again, and when it does not, the watcher hears nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tocsin_core::command::Command;
use tocsin_core::escalation::OutwardHeartbeat;
use tracing::{Instrument as _, debug, warn};

use crate::delivery::Deliver;
use crate::handle::EngineHandle;

/// How often it is looked whether there is a watcher, where there is none.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How long the engine may take to answer, and the store to write.
const PATIENCE: Duration = Duration::from_secs(10);

/// After how many failures in a row somebody hears that the watcher cannot be told.
const FAILURES_TOLD: u32 = 3;

/// How old the audit of the history may be.
const MAX_AUDIT_AGE: SignedDuration = SignedDuration::from_mins(3);

/// For how long after a missed step the watcher hears nothing.
const SILENT_AFTER_MISSED: SignedDuration = SignedDuration::from_mins(10);

pub(crate) fn spawn(handle: &EngineHandle, deliver: Arc<dyn Deliver>) {
    let watch = Watch { handle: handle.clone(), deliver, failures: 0 };
    tokio::spawn(watch.run().in_current_span());
}

struct Watch {
    handle: EngineHandle,
    deliver: Arc<dyn Deliver>,
    /// How often in a row the watcher could not be told.
    failures: u32,
}

impl Watch {
    async fn run(mut self) {
        while !self.handle.has_stopped() {
            let began = tokio::time::Instant::now();
            let pause = match self.handle.watcher() {
                None => {
                    self.failures = 0;
                    LOOK_AGAIN
                }
                Some(watcher) => {
                    let trouble = match self.trouble_of_engine().await {
                        Some(trouble) => Some(trouble),
                        None => self.trouble_elsewhere().await,
                    };
                    match trouble {
                        Some(why) => self.withhold(&why),
                        None => self.knock(&watcher).await,
                    }
                    Duration::try_from(watcher.every).unwrap_or(LOOK_AGAIN)
                }
            };
            tokio::time::sleep_until(began + pause).await;
        }
    }

    /// Returns why the engine does not work; that it answers proves that its loop turns.
    async fn trouble_of_engine(&self) -> Option<String> {
        let read = self.handle.read(tocsin_core::Tenant::paging_trouble);
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(trouble)) => trouble,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("the engine did not answer within {} s", PATIENCE.as_secs())),
        }
    }

    /// Returns why something beside the engine's loop does not work.
    async fn trouble_elsewhere(&self) -> Option<String> {
        if let Err(why) = self.handle.readiness() {
            return Some(why);
        }
        match tokio::time::timeout(PATIENCE, self.handle.store().probe()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(error.to_string()),
            Err(_) => {
                return Some(format!("the store did not write within {} s", PATIENCE.as_secs()));
            }
        }
        let audit = self.handle.audit();
        let now = self.handle.now();
        let is_old = audit.at.is_some_and(|at| now.duration_since(at) > MAX_AUDIT_AGE);
        if is_old {
            return Some("whether every due step ran was not looked at for a while".to_owned());
        }
        let is_missed =
            audit.reported_at.is_some_and(|at| now.duration_since(at) < SILENT_AFTER_MISSED);
        is_missed.then(|| "a due step did not run".to_owned())
    }

    fn withhold(&self, why: &str) {
        self.handle.count_knock(Knock::Withheld);
        warn!("the watcher outside is not told that we are alive: {why}");
    }

    async fn knock(&mut self, watcher: &OutwardHeartbeat) {
        match self.deliver.knock(&watcher.url, self.handle.now()).await {
            Ok(()) => {
                self.handle.count_knock(Knock::Heard { at: self.handle.now() });
                debug!("the watcher outside was told that we are alive");
                if std::mem::take(&mut self.failures) >= FAILURES_TOLD {
                    self.report(None).await;
                }
            }
            Err(why) => {
                self.handle.count_knock(Knock::Failed);
                self.failures = self.failures.saturating_add(1);
                warn!(
                    "the watcher outside could not be told that we are alive, {} in a row: {why}",
                    self.failures
                );
                if self.failures >= FAILURES_TOLD {
                    self.report(Some((self.failures, why))).await;
                }
            }
        }
    }

    async fn report(&self, failing: Option<(u32, String)>) {
        if let Err(error) = self.handle.command(Command::ReportWatcher { failing }).await {
            warn!("how the watcher outside stands could not be recorded: {error}");
        }
    }
}

/// How it went with the watcher outside.
#[derive(Clone, Copy)]
pub(crate) enum Knock {
    /// It was told that we are alive.
    Heard { at: jiff::Timestamp },
    /// It could not be told.
    Failed,
    /// It was not told, because we do not work.
    Withheld,
}
