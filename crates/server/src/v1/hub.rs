//! Writes each event once for all followers of the stream.

use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::event::Recorded;
use tocsin_wire::v1::{Directory, Event};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, WeakSender};

use super::{Shared, names};
use crate::App;

/// The most events of one batch.
const MAX_EVENTS_PER_BATCH: usize = 500;

/// Batches that a follower may lag behind; with about half a kilobyte for each event this bounds
/// what lagging followers hold in memory to some megabytes.
const MAX_BATCHES: usize = 32;

/// An event as followers are sent it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) sequence: u64,
    pub(super) kind: &'static str,
    pub(super) json: Arc<str>,
}

/// What followers receive.
#[derive(Clone, Debug)]
pub(super) enum Batch {
    /// Events, the oldest first.
    Told(Arc<[Told]>),
    /// Some events were missed; the history has them.
    Gap,
}

/// Tells followers of events while there are any.
#[derive(Default)]
pub(super) struct Hub(Mutex<Option<WeakSender<Batch>>>);

impl Hub {
    /// Returns what happens from now on.
    pub(super) fn follow(app: &Arc<App>, shared: &Arc<Shared>) -> broadcast::Receiver<Batch> {
        let mut feed = shared.hub.0.lock();
        if let Some(sender) = feed.as_ref().and_then(WeakSender::upgrade) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(MAX_BATCHES);
        *feed = Some(sender.downgrade());
        // Before the lock is given up: what is committed from here on reaches the follower.
        let events = app.engine.subscribe();
        tokio::spawn(run(Arc::clone(app), Arc::clone(shared), events, sender));
        receiver
    }
}

async fn run(
    app: Arc<App>,
    shared: Arc<Shared>,
    mut events: broadcast::Receiver<Arc<[Recorded]>>,
    sender: broadcast::Sender<Batch>,
) {
    let mut directory = names::directory(&app).await;
    loop {
        match events.recv().await {
            Ok(turn) => {
                for part in turn.chunks(MAX_EVENTS_PER_BATCH) {
                    let told = tell(&app, &mut directory, part).await;
                    // Nobody may be left, which is seen below.
                    let _ = sender.send(Batch::Told(told.into()));
                }
            }
            Err(RecvError::Lagged(_)) => {
                let _ = sender.send(Batch::Gap);
            }
            Err(RecvError::Closed) => return,
        }
        let mut feed = shared.hub.0.lock();
        if sender.receiver_count() == 0 {
            *feed = None;
            return;
        }
    }
}

/// Writes events as followers are sent them.
pub(super) async fn tell(app: &App, directory: &mut Directory, events: &[Recorded]) -> Vec<Told> {
    names::keep_small(directory);
    names::learn(app, directory, events).await;
    events
        .iter()
        .map(|recorded| {
            let event = Event::new(recorded, directory);
            // Plain values, so writing them cannot fail.
            let json = serde_json::to_string(&event).unwrap_or_default();
            Told {
                sequence: recorded.sequence.0,
                kind: recorded.event.kind(),
                json: Arc::from(json),
            }
        })
        .collect()
}
