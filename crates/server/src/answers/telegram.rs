//! Telegram: buttons, and messages to the bot.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tocsin_connect::paging::Press;
use tocsin_core::command::Command;
use tocsin_core::identity::{Actor, Who};
use tocsin_core::paging::{Answer, Answerer, Channel, Spoken};

use super::proof::{is_same, secret};
use super::{Untold, not_set_up, person_at, tell, tell_answer, unproved};
use crate::App;
use crate::access::Caller;
use crate::v1::incidents_in_chats as incidents;

/// The most characters of an alert that a bot shows.
const MAX_ALERT_CHARS: usize = 190;

/// The most characters of a text that is looked at.
const MAX_TEXT_CHARS: usize = 4_000;

#[derive(Deserialize)]
struct Update {
    update_id: Option<i64>,
    callback_query: Option<Query>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Query {
    id: String,
    from: User,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct User {
    id: i64,
}

#[derive(Deserialize)]
struct Message {
    chat: User,
    from: Option<User>,
    #[serde(default)]
    text: String,
}

/// Takes what Telegram tells. The answer to it is a method that Telegram calls for us.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let channels = Arc::clone(&app.reloader.current().channels);
    let Some(secret) = secret(channels.telegram.webhook_secret()).await else {
        return not_set_up("`channels.telegram.webhook_secret`");
    };
    let shown = headers.get("x-telegram-bot-api-secret-token").and_then(|it| it.to_str().ok());
    if !shown.is_some_and(|shown| is_same(shown, secret.expose())) {
        return unproved("X-Telegram-Bot-Api-Secret-Token does not fit");
    }
    let Ok(update) = serde_json::from_slice::<Update>(&body) else {
        // Telegram repeats what is refused; what cannot be read now never can.
        return StatusCode::OK.into_response();
    };
    if let Some(query) = update.callback_query {
        let text = press(&app, &caller, &query).await;
        let text: String = text.chars().take(MAX_ALERT_CHARS).collect();
        return Json(json!({
            "method": "answerCallbackQuery",
            "callback_query_id": query.id,
            "text": text,
            "show_alert": false,
        }))
        .into_response();
    }
    // In a group many people talk; only what is said to the bot alone is meant for it.
    let message =
        update.message.filter(|it| it.from.as_ref().is_some_and(|from| from.id == it.chat.id));
    let Some(message) = message.filter(|message| !message.text.trim().is_empty()) else {
        return StatusCode::OK.into_response();
    };
    let key = update.update_id.map(|it| format!("telegram/{it}"));
    let text = said(&app, &caller, &message, key).await;
    if text.is_empty() {
        return StatusCode::OK.into_response();
    }
    Json(json!({ "method": "sendMessage", "chat_id": message.chat.id, "text": text }))
        .into_response()
}

async fn press(app: &App, caller: &Caller, query: &Query) -> String {
    let press = match Press::read(&query.data) {
        Ok(press) => press,
        Err(error) => return error.to_string(),
    };
    let from = query.from.id.to_string();
    let person = match person_at(app, Channel::Telegram, vec![from.clone()]).await {
        Ok(Some(person)) => person,
        Ok(None) => return stranger(&from),
        Err(untold) => return untold.text(),
    };
    let answer = Answer {
        run: press.run,
        by: Answerer::Person(person),
        action: press.action,
        comment: String::new(),
        via: "telegram".to_owned(),
        asked_at: Some(press.asked_at),
    };
    let told = tell_answer(app, caller, answer).await;
    told.map_or_else(Untold::text, |answered| answered.text)
}

async fn said(app: &App, caller: &Caller, message: &Message, key: Option<String>) -> String {
    let from = message.chat.id.to_string();
    let person = match person_at(app, Channel::Telegram, vec![from.clone()]).await {
        Ok(Some(person)) => person,
        // Whoever begins with the bot wants to know the number to be reached by.
        Ok(None) if message.text.trim().starts_with("/start") => return stranger(&from),
        Ok(None) => return String::new(),
        Err(untold) => return untold.text(),
    };
    let text = message.text.trim().trim_start_matches('/');
    let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
    if let Some(told) = incidents::said(app, caller, &person, &text, key).await {
        return told;
    }
    let actor = Actor { who: Who::Person(person), ..caller.actor.clone() };
    let spoken = Spoken { channel: Channel::Telegram, address: from, text };
    let told = tell(app, actor, Command::Spoken(spoken)).await;
    told.map_or_else(Untold::text, |answered| answered.text)
}

fn stranger(id: &str) -> String {
    format!("Tocsin does not know you yet. Add the chat id {id} to your contact methods.")
}
