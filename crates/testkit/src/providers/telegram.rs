//! Telegram: methods of a bot, as strict about mark-up and buttons as the real one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::World;
use super::board::{Button, Entry, Kind};
use super::page::sent;

/// The most characters of a message, and the most bytes that a button carries.
const MAX_TEXT_CHARS: usize = 4_096;
const MAX_BUTTON_BYTES: usize = 64;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/telegram/{bot}/{method}", post(method))
}

fn refuse(status: u16, description: &str) -> Response {
    let body = json!({ "ok": false, "error_code": status, "description": description });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

async fn method(
    State(world): State<Arc<World>>,
    Path((bot, method)): Path<(String, String)>,
    Json(message): Json<Value>,
) -> Response {
    if bot != format!("bot{}", world.setup.telegram.0) {
        return refuse(401, "Unauthorized");
    }
    let chat = &message["chat_id"];
    if !chat.is_i64() && !chat.as_str().is_some_and(|chat| chat.starts_with('@')) {
        return refuse(400, "Bad Request: chat not found");
    }
    let text = message["text"].as_str().unwrap_or_default();
    if text.is_empty() || text.chars().count() > MAX_TEXT_CHARS {
        return refuse(400, "Bad Request: message text is empty or too long");
    }
    if ["b", "a"].iter().any(|tag| {
        text.matches(&format!("<{tag}>")).count() + text.matches(&format!("<{tag} ")).count()
            != text.matches(&format!("</{tag}>")).count()
    }) {
        return refuse(400, "Bad Request: can't parse entities");
    }
    let rows = message["reply_markup"]["inline_keyboard"].as_array();
    let all: Vec<&Value> =
        rows.into_iter().flatten().filter_map(Value::as_array).flatten().collect();
    let is_too_long = |button: &&Value| {
        button["callback_data"].as_str().is_some_and(|data| data.len() > MAX_BUTTON_BYTES)
    };
    if all.iter().any(is_too_long) {
        return refuse(400, "Bad Request: BUTTON_DATA_INVALID");
    }
    let buttons = all
        .iter()
        .map(|button| Button {
            label: button["text"].as_str().unwrap_or_default().to_owned(),
            value: button["callback_data"]
                .as_str()
                .or(button["url"].as_str())
                .unwrap_or_default()
                .to_owned(),
            is_link: button["url"].is_string(),
        })
        .collect();
    let plain = plain(text);
    let (title, rest) = plain.split_once('\n').unwrap_or((&plain, ""));
    let put = |entry: &mut Entry| {
        title.clone_into(&mut entry.title);
        rest.clone_into(&mut entry.text);
        entry.buttons = buttons;
        entry.raw = message.clone();
    };
    if method == "editMessageText" {
        let id = format!("telegram-{}", message["message_id"]);
        let is_known = world.board.change(&id, |entry| {
            put(entry);
            entry.changes += 1;
        });
        if !is_known {
            return refuse(400, "Bad Request: message to edit not found");
        }
        return Json(json!({ "ok": true, "result": { "message_id": message["message_id"] } }))
            .into_response();
    }
    if method != "sendMessage" {
        return refuse(404, "Not Found");
    }
    let mut entry = Entry::new("telegram", Kind::Chat, chat.to_string());
    put(&mut entry);
    let number = world.board.add(entry);
    Json(json!({ "ok": true, "result": { "message_id": number } })).into_response()
}

/// Returns the text without its mark-up.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for part in text.split('<') {
        out.push_str(part.split_once('>').map_or(part, |(_, rest)| rest));
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Presses a button.
pub(super) async fn press(world: &World, entry: &Entry, value: &str) -> Result<(), String> {
    let from: i64 = entry.to.parse().map_err(|_| "only a person presses buttons")?;
    let query = json!({ "callback_query": { "id": "1", "from": { "id": from }, "data": value } });
    let request = world
        .client
        .post(format!("{}/answers/telegram", world.setup.tocsin_url))
        .header("x-telegram-bot-api-secret-token", &world.setup.telegram.1)
        .json(&query);
    let answer = sent(request).await?;
    let said: Value = serde_json::from_str(&answer).unwrap_or_default();
    world.board.add(Entry {
        title: "Only you can see this".to_owned(),
        text: said["text"].as_str().unwrap_or_default().to_owned(),
        ..Entry::new("telegram", Kind::Chat, entry.to.clone())
    });
    Ok(())
}
