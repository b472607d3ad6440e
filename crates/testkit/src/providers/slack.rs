//! Slack: methods by form, an app's token, messages that are changed in place, user groups. With
//! quirks, it answers as services that imitate Slack do.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::World;
use super::board::{Button, Entry, Kind};

/// The most characters of a text.
const MAX_TEXT_CHARS: usize = 40_000;

/// Channels beside ids of members.
const CHANNELS: [&str; 3] = ["general", "ops", "incidents"];

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/slack/api/{method}", post(method))
        .route("/slack/respond/{number}", post(respond))
}

type Form = Vec<(String, String)>;

fn value<'a>(form: &'a Form, name: &str) -> &'a str {
    form.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
}

/// Every answer has status 200, errors too.
async fn method(
    State(world): State<Arc<World>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    let is_known = shown == Some(&*format!("Bearer {}", world.setup.slack.0));
    let has_quirks = world.setup.has_slack_quirks;
    if method == "auth.test" && (is_known || has_quirks) {
        return Json(json!({ "ok": true, "user": "tocsin" }));
    }
    if !is_known {
        return refuse("not_authed");
    }
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
    let is_form = kind.is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"));
    if !is_form && !body.is_empty() {
        // What is not a form is not read; imitations say that all is well nevertheless.
        return if has_quirks {
            Json(json!({ "ok": true, "channel": "", "ts": "" }))
        } else {
            refuse("invalid_form_data")
        };
    }
    Json(match method.as_str() {
        "chat.postMessage" => posted(&world, &form),
        "chat.update" => updated(&world, &form),
        "usergroups.list" => groups(has_quirks),
        "usergroups.users.update" => group_set(&world, &form),
        "conversations.list" => conversations(&form),
        other => json!({ "ok": false, "error": format!("unknown_method: {other}") }),
    })
}

fn refuse(error: &str) -> Json<Value> {
    Json(json!({ "ok": false, "error": error }))
}

fn posted(world: &World, form: &Form) -> Value {
    let channel = value(form, "channel").trim_start_matches('#');
    let is_member = channel.len() > 3
        && channel.starts_with(['U', 'W', 'D', 'C'])
        && channel.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !is_member && !CHANNELS.contains(&channel) {
        return json!({ "ok": false, "error": "channel_not_found" });
    }
    let (text, attachments) = match content(form, world.setup.has_slack_quirks) {
        Ok(content) => content,
        Err(error) => return json!({ "ok": false, "error": error }),
    };
    let mut entry = Entry::new("slack", Kind::Chat, format!("#{channel}"));
    entry.thread = value(form, "thread_ts").to_owned();
    put(&mut entry, &text, &attachments, form);
    let number = world.board.entries().len() + 1;
    let ts = format!("17959{number:05}.{:06}", uuid::Uuid::new_v4().as_u128() % 1_000_000);
    entry.id.clone_from(&ts);
    world.board.add(entry);
    let id = if CHANNELS.contains(&channel) {
        format!("C{}", channel.to_uppercase())
    } else {
        format!("D{}", &channel[1..])
    };
    if world.setup.has_slack_quirks {
        return json!({ "ok": true, "channel": id, "TS": ts, "message": { "ts": ts } });
    }
    json!({ "ok": true, "channel": id, "ts": ts, "message": { "ts": ts, "text": text } })
}

fn updated(world: &World, form: &Form) -> Value {
    let (text, attachments) = match content(form, world.setup.has_slack_quirks) {
        Ok(content) => content,
        Err(error) => return json!({ "ok": false, "error": error }),
    };
    let ts = value(form, "ts").to_owned();
    let is_known = world.board.change(&ts, |entry| {
        put(entry, &text, &attachments, form);
        entry.changes += 1;
    });
    if world.setup.has_slack_quirks {
        // Always another time stamp, whatever was asked for.
        let other = format!("9{ts}");
        let message = json!({ "ts": other, "update_ts": ts });
        return json!({ "ok": true, "channel": value(form, "channel"), "TS": other, "message": message });
    }
    if !is_known {
        return json!({ "ok": false, "error": "message_not_found" });
    }
    json!({ "ok": true, "channel": value(form, "channel"), "ts": ts })
}

fn content(form: &Form, has_quirks: bool) -> Result<(String, Vec<Value>), &'static str> {
    let text = value(form, "text").to_owned();
    let attachments = match value(form, "attachments") {
        "" => Vec::new(),
        json => serde_json::from_str(json).map_err(|_| "invalid_attachments")?,
    };
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err("msg_too_long");
    }
    let has_blocks = !value(form, "blocks").is_empty() && !has_quirks;
    if text.is_empty() && attachments.is_empty() && !has_blocks {
        return Err("no_text");
    }
    let blocks: Vec<&Value> = attachments
        .iter()
        .filter_map(|attachment: &Value| attachment["blocks"].as_array())
        .flatten()
        .collect();
    let is_too_long = |block: &&Value| {
        block["text"]["text"].as_str().is_some_and(|text| text.chars().count() > 3_000)
    };
    if blocks.len() > 50 || blocks.iter().any(is_too_long) {
        return Err("invalid_blocks");
    }
    Ok((text, attachments))
}

fn put(entry: &mut Entry, text: &str, attachments: &[Value], form: &Form) {
    entry.title = plain(text);
    let mut lines = Vec::new();
    let mut buttons = Vec::new();
    for attachment in attachments {
        if entry.colour.is_empty() || entry.changes > 0 || !attachments.is_empty() {
            attachment["color"].as_str().unwrap_or_default().clone_into(&mut entry.colour);
        }
        for block in attachment["blocks"].as_array().into_iter().flatten() {
            if let Some(text) = block["text"]["text"].as_str() {
                lines.push(plain(text));
            }
            for element in block["elements"].as_array().into_iter().flatten() {
                match (element["type"].as_str(), element["text"]["text"].as_str()) {
                    (Some("button"), Some(label)) => buttons.push(Button {
                        label: label.to_owned(),
                        value: element["value"]
                            .as_str()
                            .or(element["url"].as_str())
                            .unwrap_or_default()
                            .to_owned(),
                        is_link: element["url"].is_string(),
                    }),
                    _ => lines.extend(element["text"].as_str().map(plain)),
                }
            }
        }
    }
    entry.text = lines.join("\n");
    entry.buttons = buttons;
    entry.raw = json!(form);
}

/// Returns Slack's mark-up as it is read.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((inside, after)) = after.split_once('>') else { break };
        out.push_str(inside.split_once('|').map_or(inside, |(_, label)| label));
        rest = after;
    }
    out.push_str(rest);
    out.replace('*', "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn groups(has_quirks: bool) -> Value {
    let groups = json!([{ "id": "S0ONCALL", "handle": "oncall", "name": "On call" }]);
    if has_quirks {
        return json!({ "ok": false, "usergroups": groups });
    }
    json!({ "ok": true, "usergroups": groups })
}

fn group_set(world: &World, form: &Form) -> Value {
    if value(form, "usergroup") != "S0ONCALL" {
        return json!({ "ok": false, "error": "subteam_not_found" });
    }
    let users = value(form, "users");
    if users.is_empty() || users.split(',').any(|user| !user.starts_with(['U', 'W'])) {
        return json!({ "ok": false, "error": "invalid_users" });
    }
    world.board.add(Entry {
        title: "User group @oncall".to_owned(),
        text: users.to_owned(),
        ..Entry::new("slack", Kind::Event, "@oncall")
    });
    let group = json!({ "id": "S0ONCALL", "users": users.split(',').collect::<Vec<_>>() });
    if world.setup.has_slack_quirks {
        return json!({ "ok": false, "usergroup": group, "users": null });
    }
    json!({ "ok": true, "usergroup": group })
}

/// One channel a page, whatever limit is asked for.
fn conversations(form: &Form) -> Value {
    let place: usize = value(form, "cursor").parse().unwrap_or(0);
    let channel = CHANNELS.get(place);
    let next = if place + 1 < CHANNELS.len() { (place + 1).to_string() } else { String::new() };
    let channels: Vec<Value> = channel
        .map(|name| json!({ "id": format!("C{}", name.to_uppercase()), "name": name }))
        .into_iter()
        .collect();
    json!({ "ok": true, "channels": channels, "response_metadata": { "next_cursor": next } })
}

/// Takes a word in private.
async fn respond(
    State(world): State<Arc<World>>,
    Path(number): Path<u64>,
    Json(said): Json<Value>,
) -> Json<Value> {
    let thread = world.board.entry(number).map(|entry| entry.id).unwrap_or_default();
    world.board.add(Entry {
        title: "Only you can see this".to_owned(),
        text: said["text"].as_str().unwrap_or_default().to_owned(),
        thread,
        ..Entry::new("slack", Kind::Chat, "you")
    });
    Json(json!({ "ok": true }))
}

/// Presses a button, as a member does.
pub(super) async fn press(
    world: &World,
    entry: &Entry,
    member: &str,
    value: &str,
    own_url: &str,
) -> Result<(), String> {
    let payload = json!({
        "type": "block_actions",
        "user": { "id": member },
        "response_url": format!("{own_url}/slack/respond/{}", entry.number),
        "actions": [{ "type": "button", "action_id": "tocsin_0", "value": value }],
    });
    let pairs = [("payload", payload.to_string())];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let seconds = (world.setup.now)().as_second();
    let key =
        aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, world.setup.slack.1.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&key, format!("v0:{seconds}:{body}").as_bytes());
    let hex: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = world
        .client
        .post(format!("{}/answers/slack/action", world.setup.tocsin_url))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", seconds.to_string())
        .header("x-slack-signature", format!("v0={hex}"))
        .body(body);
    super::page::sent(request).await.map(drop)
}
