//! Mattermost by a bot's token; Microsoft Teams and Discord by the address of a webhook.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::World;
use super::board::{Button, Entry, Kind};
use super::page::sent;

/// The most bytes of a card.
const MAX_CARD_BYTES: usize = 28_000;

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/mattermost/api/v4/users/me", get(me))
        .route("/mattermost/api/v4/users/username/{name}", get(user))
        .route("/mattermost/api/v4/channels/direct", post(direct))
        .route("/mattermost/api/v4/posts", post(posted))
        .route("/mattermost/api/v4/posts/{id}/patch", put(patched))
        .route("/teams/{name}", post(card))
        .route("/discord/webhooks/{id}/{token}", post(embed))
        .route("/discord/webhooks/{id}/{token}/messages/{message}", patch(embed_changed))
}

/// Returns the refusal of whoever does not show the bot's token.
fn refusal(world: &World, headers: &HeaderMap) -> Option<Response> {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if shown == Some(&*format!("Bearer {}", world.setup.mattermost)) {
        return None;
    }
    let body = json!({ "id": "api.context.session_expired.app_error", "status_code": 401 });
    Some((StatusCode::UNAUTHORIZED, Json(body)).into_response())
}

async fn me(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    refusal(&world, &headers).unwrap_or_else(|| Json(json!({ "id": "tocsinbot" })).into_response())
}

async fn user(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Response {
    refusal(&world, &headers).unwrap_or_else(|| Json(json!({ "id": name })).into_response())
}

async fn direct(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(two): Json<Value>,
) -> Response {
    let name = format!("@{}", two[1].as_str().unwrap_or_default());
    let answer = || (StatusCode::CREATED, Json(json!({ "id": name }))).into_response();
    refusal(&world, &headers).unwrap_or_else(answer)
}

async fn posted(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(message): Json<Value>,
) -> Response {
    if let Some(refusal) = refusal(&world, &headers) {
        return refusal;
    }
    let channel = message["channel_id"].as_str().unwrap_or_default();
    if channel.is_empty() {
        return (StatusCode::BAD_REQUEST, "channel_id is missing").into_response();
    }
    let mut entry = Entry::new("mattermost", Kind::Chat, channel);
    message["root_id"].as_str().unwrap_or_default().clone_into(&mut entry.thread);
    put_post(&mut entry, &message);
    entry.id = format!("post{}", world.board.entries().len() + 1);
    let id = entry.id.clone();
    world.board.add(entry);
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

async fn patched(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(message): Json<Value>,
) -> Response {
    if let Some(refusal) = refusal(&world, &headers) {
        return refusal;
    }
    let is_there = world.board.change(&id, |entry| {
        put_post(entry, &message);
        entry.changes += 1;
    });
    if is_there {
        Json(json!({ "id": id })).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn put_post(entry: &mut Entry, message: &Value) {
    let unmarked = |text: &str| text.replace("**", "").replace(['\\', '\u{200b}'], "");
    let text = unmarked(message["message"].as_str().unwrap_or_default());
    let (title, rest) = text.split_once('\n').unwrap_or((&text, ""));
    title.clone_into(&mut entry.title);
    let mut lines: Vec<String> = rest.lines().map(str::to_owned).collect();
    entry.buttons.clear();
    for attachment in message["props"]["attachments"].as_array().into_iter().flatten() {
        attachment["color"].as_str().unwrap_or_default().clone_into(&mut entry.colour);
        for field in attachment["fields"].as_array().into_iter().flatten() {
            let text = |key: &str| field[key].as_str().unwrap_or_default();
            lines.push(unmarked(&format!("{}: {}", text("title"), text("value"))));
        }
        lines.extend(attachment["text"].as_str().map(unmarked));
        for action in attachment["actions"].as_array().into_iter().flatten() {
            entry.buttons.push(Button {
                label: action["name"].as_str().unwrap_or_default().to_owned(),
                value: action["integration"].to_string(),
                is_link: false,
            });
        }
    }
    entry.text = lines.join("\n");
    entry.raw = message.clone();
}

/// Presses a button of Mattermost.
pub(super) async fn press(world: &World, entry: &Entry, value: &str) -> Result<(), String> {
    let integration: Value = serde_json::from_str(value).map_err(|error| error.to_string())?;
    let url = integration["url"].as_str().ok_or("the button leads nowhere")?;
    let body = json!({
        "user_id": "u1", "user_name": entry.to.trim_start_matches('@'), "post_id": entry.id,
        "context": integration["context"],
    });
    let answer = sent(world.client.post(url).json(&body)).await?;
    let said: Value = serde_json::from_str(&answer).unwrap_or_default();
    world.board.add(Entry {
        title: "Only you can see this".to_owned(),
        text: said["ephemeral_text"].as_str().unwrap_or_default().to_owned(),
        ..Entry::new("mattermost", Kind::Chat, entry.to.clone())
    });
    Ok(())
}

async fn card(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Json(message): Json<Value>,
) -> Response {
    let attachment = &message["attachments"][0];
    let is_card = message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && attachment["content"]["type"] == "AdaptiveCard";
    if !is_card {
        return (StatusCode::BAD_REQUEST, "this is no adaptive card").into_response();
    }
    if message.to_string().len() > MAX_CARD_BYTES {
        return (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge").into_response();
    }
    let mut entry = Entry::new("teams", Kind::Chat, name);
    let mut lines = Vec::new();
    walk(&attachment["content"]["body"], &mut lines, &mut entry.buttons);
    entry.title = if lines.is_empty() { String::new() } else { lines.remove(0) };
    entry.text = lines.join("\n");
    entry.raw = message;
    world.board.add(entry);
    StatusCode::ACCEPTED.into_response()
}

/// Collects what a card shows.
fn walk(part: &Value, lines: &mut Vec<String>, buttons: &mut Vec<Button>) {
    for element in part.as_array().into_iter().flatten() {
        lines.extend(element["text"].as_str().map(|text| text.replace('\\', "")));
        for fact in element["facts"].as_array().into_iter().flatten() {
            let text = |key: &str| fact[key].as_str().unwrap_or_default();
            lines.push(format!("{}: {}", text("title"), text("value")));
        }
        for action in element["actions"].as_array().into_iter().flatten() {
            buttons.push(Button {
                label: action["title"].as_str().unwrap_or_default().to_owned(),
                value: action["url"].as_str().unwrap_or_default().to_owned(),
                is_link: true,
            });
        }
        walk(&element["items"], lines, buttons);
    }
}

async fn embed(
    State(world): State<Arc<World>>,
    Path((id, _)): Path<(String, String)>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
    Json(message): Json<Value>,
) -> Response {
    if let Some(why) = wrong_embed(&message) {
        return (StatusCode::BAD_REQUEST, Json(json!({ "message": why, "code": 50035 })))
            .into_response();
    }
    let mut entry = Entry::new("discord", Kind::Chat, id);
    put_embed(&mut entry, message);
    let number = world.board.add(entry);
    if query.get("wait").map(String::as_str) != Some("true") {
        return StatusCode::NO_CONTENT.into_response();
    }
    Json(json!({ "id": format!("discord-{number}") })).into_response()
}

async fn embed_changed(
    State(world): State<Arc<World>>,
    Path((_, _, id)): Path<(String, String, String)>,
    Json(message): Json<Value>,
) -> Response {
    let is_there = world.board.change(&id, |entry| {
        put_embed(entry, message);
        entry.changes += 1;
    });
    if is_there {
        Json(json!({ "id": id })).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn wrong_embed(message: &Value) -> Option<&'static str> {
    let embeds = message["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let total: usize =
        embeds.iter().map(|embed| length(&embed["title"]) + length(&embed["description"])).sum();
    if length(&message["content"]) > 2_000 || embeds.len() > 10 || total > 6_000 {
        return Some("Invalid Form Body");
    }
    (length(&message["content"]) == 0 && embeds.is_empty())
        .then_some("Cannot send an empty message")
}

fn put_embed(entry: &mut Entry, message: Value) {
    message["content"].as_str().unwrap_or_default().clone_into(&mut entry.title);
    let mut lines = Vec::new();
    entry.buttons.clear();
    for embed in message["embeds"].as_array().into_iter().flatten() {
        let text = embed["description"].as_str().unwrap_or_default();
        lines.push(
            text.replace("**", "")
                .replace('\\', "")
                .split("\n[Answer](")
                .next()
                .unwrap_or_default()
                .to_owned(),
        );
        if let Some(colour) = embed["color"].as_u64() {
            entry.colour = format!("#{colour:06x}");
        }
        if let Some(url) = embed["url"].as_str() {
            entry.buttons.push(Button {
                label: "Answer".to_owned(),
                value: url.to_owned(),
                is_link: true,
            });
        }
    }
    entry.text = lines.join("\n");
    entry.raw = message;
}
