//! The page that shows the phone, the inbox and the chats, and takes what is pressed there.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::Stream;
use serde::Deserialize;
use serde_json::json;

use super::board::{Entry, Kind};
use super::{World, chat, push, slack, telegram, twilio};

/// Only what comes from here is loaded and run.
const CONTENT_SECURITY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                                connect-src 'self'; base-uri 'none'; form-action 'none'; \
                                frame-ancestors 'none'";

/// The most characters that are typed on the phone.
const MAX_TYPED_CHARS: usize = 160;

pub(super) fn router() -> Router<Arc<World>> {
    let file = |kind: &'static str, text: &'static str| {
        get(async move || {
            let headers =
                [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY)];
            (headers, text).into_response()
        })
    };
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page/sandbox.html")))
        .route(
            "/sandbox.js",
            file("text/javascript; charset=utf-8", include_str!("page/sandbox.js")),
        )
        .route("/sandbox.css", file("text/css; charset=utf-8", include_str!("page/sandbox.css")))
        .route("/entries", get(entries))
        .route("/events", get(events))
        .route("/press", post(press))
        .route("/reply", post(reply))
}

async fn entries(State(world): State<Arc<World>>) -> Json<Vec<Entry>> {
    Json(world.board.entries())
}

/// Tells that something arrived or changed; the page then reads all of it.
async fn events(
    State(world): State<Arc<World>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let grown = world.board.subscribe();
    let stream = futures_util::stream::unfold((grown, true), async |(mut grown, is_first)| {
        if !is_first {
            grown.changed().await.ok()?;
        }
        let version = *grown.borrow_and_update();
        Some((Ok(Event::default().data(version.to_string())), (grown, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct Pressed {
    entry: u64,
    value: String,
}

#[derive(Deserialize)]
struct Typed {
    from: String,
    text: String,
}

/// Presses something, as whoever looks at it would.
async fn press(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(pressed): Json<Pressed>,
) -> Response {
    let Some(entry) = world.board.entry(pressed.entry) else {
        return (StatusCode::NOT_FOUND, "it is gone").into_response();
    };
    let is_there = entry.buttons.iter().any(|it| it.value == pressed.value && !it.is_link);
    if !is_there {
        return (StatusCode::BAD_REQUEST, "there is no such button").into_response();
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let own_url = format!("http://{host}");
    let value = pressed.value.as_str();
    let outcome = match (entry.provider, entry.kind) {
        ("twilio", Kind::Call) => twilio::press(&world, &entry, value).await,
        ("slack", _) => {
            // In a talk with the app it is that person; in a channel whoever was paged there.
            let member = entry.to.trim_start_matches('#');
            let member = if member.starts_with(['U', 'W']) { member } else { "U0SANDBOX" };
            slack::press(&world, &entry, member, value, &own_url).await
        }
        ("telegram", _) => telegram::press(&world, &entry, value).await,
        ("mattermost", _) => chat::press(&world, &entry, value).await,
        ("ntfy", _) => push::press(&world, value).await,
        _ => Err("nothing happens".to_owned()),
    };
    told(outcome)
}

/// Sends a text message from the phone.
async fn reply(State(world): State<Arc<World>>, Json(typed): Json<Typed>) -> Response {
    let text: String = typed.text.chars().take(MAX_TYPED_CHARS).collect();
    told(twilio::reply(&world, &typed.from, &text).await)
}

fn told(outcome: Result<(), String>) -> Response {
    match outcome {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => (StatusCode::BAD_GATEWAY, Json(json!({ "error": why }))).into_response(),
    }
}

/// Sends a request to Tocsin and returns what it answered.
pub(super) async fn sent(request: reqwest::RequestBuilder) -> Result<String, String> {
    let shown = |error: reqwest::Error| error.without_url().to_string();
    let answer = request.send().await.map_err(shown)?;
    let status = answer.status();
    let text = answer.text().await.map_err(shown)?;
    if status.is_success() { Ok(text) } else { Err(format!("Tocsin answered {status}: {text}")) }
}
