//! What people answer to pages: links in messages, text messages, keys, buttons in chats.
//!
//! Whatever the channel, an answer becomes a command like any other. What comes in is proved first:
//! by the signature of a link, or by that of the vendor. What cannot be proved changes nothing.

mod link;
mod look;
mod mattermost;
mod proof;
mod slack;
mod telegram;
mod twilio;
mod voice;

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Actor, Handle, Who};
use tocsin_core::paging::{Answer, Answered, Answerer, Channel};
use tocsin_engine::EngineError;

use crate::App;
use crate::access::{Caller, client_address};
use crate::limits::{Peer, client_of};

/// The largest body of an answer; longer ones are answered with 413.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How many answers one client may send each minute; more are answered with 429. A vendor sends
/// those of all people from a few addresses.
const ANSWERS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(600).expect("not zero");

/// How many of them at once.
const BURST: NonZeroU32 = NonZeroU32::new(120).expect("not zero");

/// How many replies that only explain something one number gets at once, and how long it takes
/// until there is room for another: two programs that answer each other stop like that.
const PASSIVE_REPLIES: NonZeroU32 = NonZeroU32::new(5).expect("not zero");
const PASSIVE_PERIOD: Duration = Duration::from_secs(12 * 60);

/// How many clients and numbers are remembered before idle ones are dropped.
const MAX_REMEMBERED: usize = 10_000;

/// What is counted of those who answer.
struct Counts {
    clients: DefaultKeyedRateLimiter<IpAddr>,
    passive: DefaultKeyedRateLimiter<String>,
}

impl Counts {
    fn new() -> Self {
        let passive = Quota::with_period(PASSIVE_PERIOD).unwrap_or_else(|| Quota::per_hour(BURST));
        Self {
            clients: RateLimiter::dashmap(Quota::per_minute(ANSWERS_PER_MINUTE).allow_burst(BURST)),
            passive: RateLimiter::dashmap(passive.allow_burst(PASSIVE_REPLIES)),
        }
    }

    /// Returns whether a number may be told something that changes nothing.
    fn may_explain(&self, number: &str) -> bool {
        if self.passive.len() > MAX_REMEMBERED {
            self.passive.retain_recent();
        }
        self.passive.check_key(&number.to_owned()).is_ok()
    }
}

/// Returns the routes by which answers come in.
pub(crate) fn router(app: Arc<App>) -> Router<Arc<App>> {
    let counts = Arc::new(Counts::new());
    Router::new()
        .route("/a/{token}", get(link::show).post(link::answer))
        .route("/answers/twilio/sms", post(twilio::text_message))
        .route("/answers/twilio/voice", post(voice::speak))
        .route("/answers/twilio/status", post(twilio::status))
        .route("/answers/slack/action", post(slack::action))
        .route("/answers/slack/command", post(slack::command))
        .route("/answers/telegram", post(telegram::update))
        .route("/answers/mattermost", post(mattermost::action))
        .layer(from_fn_with_state((app, Arc::clone(&counts)), bound))
        .layer(Extension(counts))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// Answers 429 to a client that answers too often.
async fn bound(
    State((app, counts)): State<(Arc<App>, Arc<Counts>)>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let proxies = &app.reloader.current().access.proxies;
    let address = client_address(peer, request.headers(), proxies);
    let client = address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), client_of);
    if counts.clients.len() > MAX_REMEMBERED {
        counts.clients.retain_recent();
    }
    if let Err(early) = counts.clients.check_key(&client) {
        let seconds = early.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        let wait = [(header::RETRY_AFTER, seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, wait, "too many answers\n").into_response();
    }
    let mut response = next.run(request).await;
    let no_store = header::HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    response
}

/// Why an answer could not be taken up.
enum Untold {
    /// It changes nothing; the sentence says why.
    Rejected(String),
    /// We have trouble ourselves: worth trying again.
    Trouble(String),
}

/// Returns who is behind an answer, for the audit log.
fn actor(caller: &Caller, by: &Answerer) -> Actor {
    let who = match (by, &caller.actor.who) {
        (Answerer::Person(person), _) => Who::Person(person.clone()),
        (Answerer::Outsider(name), Who::Stranger) => Who::Network(name.clone()),
        (Answerer::Outsider(_), known) => known.clone(),
    };
    Actor { who, ..caller.actor.clone() }
}

/// Hands a command to the engine and returns what it did.
async fn tell(app: &App, actor: Actor, command: Command) -> Result<Answered, Untold> {
    match app.engine.command(command.by(actor)).await {
        Ok(Reply::Answered(answered)) => Ok(answered),
        Ok(Reply::Rejected(rejection)) => Err(Untold::Rejected(sentence(&rejection))),
        Ok(_) => Ok(Answered { text: String::new(), has_changed: false }),
        Err(error) => Err(Untold::Trouble(trouble(&error))),
    }
}

/// Makes a sentence of what an error says.
fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn trouble(error: &EngineError) -> String {
    format!("Tocsin has trouble itself, try again in a moment: {error}.")
}

/// Answers one escalation in the name of somebody.
async fn tell_answer(app: &App, caller: &Caller, answer: Answer) -> Result<Answered, Untold> {
    let actor = actor(caller, &answer.by);
    tell(app, actor, Command::Answer(answer)).await
}

/// Returns whose address it is; `None` when it is nobody's.
async fn person_at(
    app: &App,
    channel: Channel,
    addresses: Vec<String>,
) -> Result<Option<Handle>, Untold> {
    let found = app.engine.read(move |tenant, _| {
        addresses.iter().find_map(|address| tenant.person_at(channel, address))
    });
    found.await.map_err(|error| Untold::Trouble(trouble(&error)))
}

impl Untold {
    fn text(self) -> String {
        match self {
            Self::Rejected(text) | Self::Trouble(text) => text,
        }
    }
}

/// Says that a channel cannot take answers.
fn not_set_up(what: &str) -> Response {
    let text = format!("{what} is not set, so nothing is taken here\n");
    (StatusCode::NOT_FOUND, text).into_response()
}

/// Says that it is not proved who asks.
fn unproved(why: &str) -> Response {
    tracing::debug!("an answer was refused: {why}");
    (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response()
}
