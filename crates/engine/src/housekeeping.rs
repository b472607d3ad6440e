//! The background job that deletes old history.

use std::time::Duration;

use jiff::SignedDuration;
use tocsin_store::Retention;
use tracing::{Instrument as _, info, warn};

use crate::EngineOptions;
use crate::handle::EngineHandle;

/// How often old history is looked for, and how soon after the start.
const PERIOD: Duration = Duration::from_secs(3_600);
const FIRST: Duration = Duration::from_secs(60);

/// How long history is kept. What is open is never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Events.
    pub events: SignedDuration,
    /// Alerts whose life is over.
    pub alerts: SignedDuration,
}

impl Default for Keep {
    fn default() -> Self {
        let quarter = SignedDuration::from_hours(90 * 24);
        Self { events: quarter, alerts: quarter }
    }
}

pub(crate) fn spawn(options: EngineOptions, handle: &EngineHandle) {
    let handle = handle.clone();
    let work = async move {
        let mut pause = FIRST;
        loop {
            tokio::time::sleep(pause).await;
            pause = PERIOD;
            if handle.has_stopped() {
                return;
            }
            let now = handle.now();
            let before = |span: SignedDuration| now.checked_sub(span).unwrap_or(now);
            let retention = Retention {
                events_before: before(options.keep.events),
                alerts_before: before(options.keep.alerts),
            };
            match handle.store().purge(options.tenant, retention).await {
                Ok(purged) if purged.events + purged.alerts > 0 => {
                    info!("deleted {} old events and {} old alerts", purged.events, purged.alerts);
                }
                Ok(_) => {}
                Err(tocsin_store::StoreError::Closed) => return,
                Err(error) => warn!("old history was not deleted: {error}"),
            }
        }
    };
    tokio::spawn(work.in_current_span());
}
