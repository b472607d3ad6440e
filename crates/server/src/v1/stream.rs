//! The live feed, as server-sent events.
//!
//! A follower gets every event once and in order: what it missed comes from the history, then the
//! feed goes on. It reads both by the events' sequence numbers, which have no gaps, so nothing is
//! skipped or repeated where they meet.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tocsin_core::event::Recorded;
use tocsin_core::identity::Permission;
use tocsin_core::ids::Sequence;
use tocsin_store::{EventQuery, StoreError};
use tocsin_wire::v1::{Directory, Hello, ProblemCode, Reset, ResetReason};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use super::hub::{Batch, Hub, Told, tell};
use super::params::{Ask, FromQuery, Params, invalid};
use super::problem::{Answer, Refusal};
use super::{Shared, events};
use crate::App;
use crate::access::Caller;

/// How many may follow at once.
const MAX_FOLLOWERS: usize = 256;

/// How many events a follower that comes back or lags is sent from the history; one that missed
/// more reads its lists anew, which is cheaper for both sides.
const MAX_MISSED: u64 = 10_000;

/// How many events are taken from the history at once.
const REPLAY_STEP: u64 = 500;

/// How often a quiet stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long a client whose stream broke waits before it comes back.
const RECONNECT: Duration = Duration::from_secs(2);

/// How long a client that found no place should wait, in seconds.
const NO_PLACE_SECONDS: u32 = 10;

/// Ends the streams of a connection when the server stops, which would wait for them otherwise;
/// put into the extensions of its requests by the accept loop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

/// The places of followers.
pub(super) struct Followers(Arc<Semaphore>);

impl Default for Followers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_FOLLOWERS)))
    }
}

/// What to follow.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamQuery {
    /// Only events of this kind; may be repeated, and then any will do.
    #[param(required = false)]
    kind: Vec<String>,
    /// Begin after the event with this sequence; `Last-Event-ID` counts more. From now on when
    /// both are absent.
    after: Option<u64>,
}

impl FromQuery for StreamQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            kind: events::kinds(params)?,
            after: params.parsed("after", "the sequence of an event")?,
        })
    }
}

/// Follow events
///
/// Server-sent events: `id` is the sequence, `event` the kind, `data` an `Event`. The first
/// message is `hello` with the sequence that the stream begins after. A client that comes back
/// with `Last-Event-ID` gets what it missed; when that is too much, or no longer kept, or the
/// client reads too slowly, it gets `reset`, reads its lists anew, and the stream goes on.
#[utoipa::path(
    get, path = "/api/v1/stream", operation_id = "follow_events", tag = "events",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last event that was received")
    ),
    responses((status = 200, description = "Events", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(shared): Extension<Arc<Shared>>,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
    Ask(query): Ask<StreamQuery>,
) -> Answer<Response> {
    let place = Arc::clone(&shared.followers.0).try_acquire_owned().map_err(|_| {
        let detail = format!("{MAX_FOLLOWERS} clients follow the stream already");
        Refusal::new(ProblemCode::TooManyFollowers, detail).retry_after(NO_PLACE_SECONDS)
    })?;
    let after = last_event_id(&headers)?.or(query.after);
    // First the feed, then the end of the history: what happens in between is in both.
    let feed = Hub::follow(&app, &shared);
    let head = head(&app).await?;
    let mut follower = Follower {
        passed: after.unwrap_or(head),
        replay_until: head,
        kinds: query.kind,
        queue: VecDeque::new(),
        directory: Directory::default(),
        feed,
        caller,
        stopping: stopping.map(|Extension(stopping)| stopping).unwrap_or_default(),
        app,
        _place: place,
    };
    follower.greet();
    let messages = stream::unfold(follower, async |mut follower| {
        let message = follower.next().await?;
        Some((Ok::<_, Infallible>(message), follower))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("alive");
    Ok(Sse::new(messages).keep_alive(keep_alive).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Answer<Option<u64>> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(Some).ok_or_else(|| invalid("Last-Event-ID", "must be the sequence of an event"))
}

/// Returns the sequence of the last event of the history.
async fn head(app: &App) -> Result<u64, StoreError> {
    let query = EventQuery { limit: 1, ..EventQuery::default() };
    let newest = app.engine.store().events(app.engine.tenant(), query).await?;
    Ok(newest.first().map_or(0, |recorded| recorded.sequence.0))
}

/// One client that follows.
struct Follower {
    app: Arc<App>,
    feed: broadcast::Receiver<Batch>,
    /// Who follows: nothing is sent any more once they may not.
    caller: Caller,
    stopping: Stopping,
    /// Empty means all.
    kinds: Vec<String>,
    /// Written, and not sent yet.
    queue: VecDeque<sse::Event>,
    /// The last event that was sent or passed over.
    passed: u64,
    /// Up to here events come from the history.
    replay_until: u64,
    /// Names for what comes from the history.
    directory: Directory,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// Puts the first message into the queue.
    fn greet(&mut self) {
        if self.passed > self.replay_until {
            self.reset(ResetReason::UnknownPosition, self.replay_until);
        } else if self.replay_until - self.passed > MAX_MISSED {
            self.reset(ResetReason::TooFarBehind, self.replay_until);
        } else {
            let hello = Hello { sequence: self.passed };
            let message = message("hello", self.passed, &hello).retry(RECONNECT);
            self.queue.push_back(message);
        }
    }

    /// Returns the next message; `None` ends the stream.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                let may = self.caller.still_may(&self.app, Permission::EventRead);
                return may.then_some(message);
            }
            if self.passed < self.replay_until {
                if let Err(error) = self.replay().await {
                    // The client comes back and resumes where it was.
                    tracing::warn!(%error, "a follower is cut off: the history cannot be read");
                    return None;
                }
                continue;
            }
            let received = tokio::select! {
                () = self.stopping.0.cancelled() => return None,
                received = self.feed.recv() => received,
            };
            match received {
                Ok(Batch::Told(events)) => self.take(&events),
                Ok(Batch::Gap) | Err(RecvError::Lagged(_)) => self.catch_up().await?,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Takes events from the feed.
    fn take(&mut self, events: &[Told]) {
        for event in events {
            if event.sequence <= self.passed {
                continue;
            }
            if event.sequence > self.passed + 1 {
                // Should the feed ever leave something out, the history has it.
                self.replay_until = events.last().map_or(event.sequence, |last| last.sequence);
                return;
            }
            self.passed = event.sequence;
            self.push(event);
        }
    }

    /// Turns to the history, or gives up on what was missed.
    async fn catch_up(&mut self) -> Option<()> {
        let head = head(&self.app).await.ok()?;
        if head.saturating_sub(self.passed) > MAX_MISSED {
            self.reset(ResetReason::Lagged, head);
        } else {
            self.replay_until = head.max(self.passed);
        }
        Some(())
    }

    /// Takes events from the history.
    async fn replay(&mut self) -> Result<(), StoreError> {
        let until = self.replay_until.min(self.passed + REPLAY_STEP);
        let query = EventQuery {
            after: Some(Sequence(self.passed)),
            before: Some(Sequence(until + 1)),
            limit: tocsin_store::MAX_EVENTS_PER_QUERY,
            ..EventQuery::default()
        };
        let mut events: Vec<Recorded> =
            self.app.engine.store().events(self.app.engine.tenant(), query).await?;
        if events.len() as u64 != until - self.passed {
            // Some of them are no longer kept.
            self.reset(ResetReason::UnknownPosition, self.replay_until);
            return Ok(());
        }
        events.reverse();
        for event in &tell(&self.app, &mut self.directory, &events).await {
            self.push(event);
        }
        self.passed = until;
        Ok(())
    }

    fn push(&mut self, event: &Told) {
        if self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == event.kind) {
            let id = event.sequence.to_string();
            self.queue.push_back(sse::Event::default().id(id).event(event.kind).data(&event.json));
        }
    }

    /// Goes on after `sequence` and tells the client that it missed what lies before.
    fn reset(&mut self, reason: ResetReason, sequence: u64) {
        self.passed = sequence;
        self.replay_until = sequence;
        self.queue.push_back(message("reset", sequence, &Reset { reason, sequence }));
    }
}

fn message(kind: &str, id: u64, data: &impl Serialize) -> sse::Event {
    // Plain values, so writing them cannot fail.
    let data = serde_json::to_string(data).unwrap_or_default();
    sse::Event::default().id(id.to_string()).event(kind).data(data)
}
