//! Slack: buttons, and the command `/tocsin`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
use tocsin_connect::paging::Press;
use tocsin_core::command::Command;
use tocsin_core::identity::{Actor, Who};
use tocsin_core::paging::{Answer, Answerer, Channel, Spoken};

use super::proof::{is_slacks, secret};
use super::{Untold, not_set_up, person_at, tell, tell_answer, unproved};
use crate::App;
use crate::access::Caller;
use crate::v1::incidents_in_chats as incidents;

/// The most characters of a command that are looked at.
const MAX_TEXT_CHARS: usize = 4_000;

/// What the command can do.
const HELP: &str = "`/tocsin ack 3` acknowledges your alert 3, `escalate 3` goes to the next step, \
                    `close 3` resolves it, `snooze 3` waits 30 minutes; without a number your \
                    latest is meant, and `ackall` means all of them.";

#[derive(Deserialize)]
struct Payload {
    r#type: String,
    user: User,
    #[serde(default)]
    actions: Vec<Pressed>,
    #[serde(default)]
    response_url: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Pressed {
    #[serde(default)]
    value: String,
}

/// Takes a button.
pub(super) async fn action(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = match proved(&app, &headers, &body).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let payload = form.iter().find(|(name, _)| name == "payload").map_or("", |(_, it)| it);
    let Ok(payload) = serde_json::from_str::<Payload>(payload) else {
        return (StatusCode::BAD_REQUEST, "the payload cannot be read\n").into_response();
    };
    let pressed = payload.actions.iter().find(|pressed| !pressed.value.is_empty());
    let Some(pressed) = pressed.filter(|_| payload.r#type == "block_actions") else {
        // A button that is a link tells us of its press, too.
        return StatusCode::OK.into_response();
    };
    let text = press(&app, &caller, &payload.user.id, &pressed.value).await;
    // The message itself is changed by the page that tells how things go on; this is a word in
    // private to whoever pressed. Slack waits three seconds for us, so it does not wait for this.
    let to = payload.response_url;
    tokio::spawn(async move { app.deliver.respond(Channel::Slack, &to, &text).await });
    StatusCode::OK.into_response()
}

async fn press(app: &App, caller: &Caller, user: &str, value: &str) -> String {
    let press = match Press::read(value) {
        Ok(press) => press,
        Err(error) => return error.to_string(),
    };
    let person = match person_at(app, Channel::Slack, vec![user.to_owned()]).await {
        Ok(Some(person)) => person,
        Ok(None) => return stranger(app, user),
        Err(untold) => return untold.text(),
    };
    let answer = Answer {
        run: press.run,
        by: Answerer::Person(person),
        action: press.action,
        comment: String::new(),
        via: "slack".to_owned(),
        asked_at: Some(press.asked_at),
    };
    let told = tell_answer(app, caller, answer).await;
    told.map_or_else(Untold::text, |answered| answered.text)
}

/// Takes the command.
pub(super) async fn command(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = match proved(&app, &headers, &body).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let value = |name: &str| form.iter().find(|(it, _)| it == name).map_or("", |(_, it)| it);
    let text: String = value("text").trim().chars().take(MAX_TEXT_CHARS).collect();
    let user = value("user_id").to_owned();
    let key = Some(value("trigger_id")).filter(|it| !it.is_empty()).map(|it| format!("slack/{it}"));
    let reply = spoken(&app, &caller, user, text, key).await;
    Json(json!({ "response_type": "ephemeral", "text": reply })).into_response()
}

async fn spoken(
    app: &App,
    caller: &Caller,
    user: String,
    text: String,
    key: Option<String>,
) -> String {
    if text.is_empty() || text.eq_ignore_ascii_case("help") {
        return help();
    }
    let person = match person_at(app, Channel::Slack, vec![user.clone()]).await {
        Ok(Some(person)) => person,
        Ok(None) => return stranger(app, &user),
        Err(untold) => return untold.text(),
    };
    if let Some(told) = incidents::said(app, caller, &person, &text, key).await {
        return told;
    }
    if tocsin_core::paging::parse_words(&text).is_none() {
        return help();
    }
    let actor = Actor { who: Who::Person(person), ..caller.actor.clone() };
    let spoken = Spoken { channel: Channel::Slack, address: user, text };
    let told = tell(app, actor, Command::Spoken(spoken)).await;
    told.map_or_else(Untold::text, |answered| answered.text)
}

fn help() -> String {
    format!("{HELP} {}", incidents::HELP)
}

/// Says how somebody becomes known.
fn stranger(app: &App, user: &str) -> String {
    let user: String = user.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    format!(
        "Tocsin does not know who you are, so nothing was changed. Add the Slack member id \
         `{user}` to your contact methods at {} and enter the code that is sent to you here.",
        app.options.external_url
    )
}

/// Proves that a body is Slack's, and reads the form in it.
async fn proved(
    app: &App,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Vec<(String, String)>, Response> {
    let channels = Arc::clone(&app.reloader.current().channels);
    let config = &channels.slack;
    let Some(secret) = secret(config.signing()).await else {
        return Err(not_set_up("`channels.slack.signing_secret`"));
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let stamp = header("x-slack-request-timestamp").unwrap_or_default();
    let signature = header("x-slack-signature").unwrap_or_default();
    let tolerance = SignedDuration::try_from(config.signature_tolerance)
        .unwrap_or(SignedDuration::from_mins(5));
    if !is_slacks(&secret, tolerance, app.engine.now(), stamp, body, signature) {
        return Err(unproved("X-Slack-Signature does not fit, or is too old"));
    }
    Ok(form_urlencoded::parse(body).into_owned().collect())
}
