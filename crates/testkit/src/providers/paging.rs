//! PagerDuty, Opsgenie, and webhooks with the signature of Standard Webhooks.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::World;
use super::board::{Entry, Kind};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/pagerduty/v2/enqueue", post(enqueue))
        .route("/opsgenie/v2/alerts", post(alert))
        .route("/opsgenie/v2/alerts/{alias}/{verb}", post(verb))
        .route("/hook/{name}", post(hook))
}

async fn enqueue(State(world): State<Arc<World>>, Json(event): Json<Value>) -> Response {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let action = text(&event["event_action"]);
    let payload = &event["payload"];
    let is_valid = !text(&event["routing_key"]).is_empty()
        && match action.as_str() {
            "trigger" => {
                let severity = payload["severity"].as_str().unwrap_or_default();
                ["critical", "error", "warning", "info"].contains(&severity)
                    && (1..=1_024).contains(&text(&payload["summary"]).chars().count())
                    && !text(&payload["source"]).is_empty()
            }
            "acknowledge" | "resolve" => !text(&event["dedup_key"]).is_empty(),
            _ => false,
        };
    if !is_valid {
        let body = json!({ "status": "invalid event", "message": "Event object is invalid" });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let key = text(&event["dedup_key"]);
    upsert(&world, "pagerduty", &key, &action, &text(&payload["summary"]), event);
    let body = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

fn upsert(world: &World, provider: &'static str, id: &str, state: &str, title: &str, raw: Value) {
    // Two systems may know the same by the same key.
    let id = &format!("{provider}:{id}");
    let is_there = world.board.change(id, |entry| {
        state.clone_into(&mut entry.state);
        entry.changes += 1;
        entry.raw = raw.clone();
    });
    if !is_there {
        world.board.add(Entry {
            id: id.to_owned(),
            title: title.to_owned(),
            text: raw["description"].as_str().unwrap_or_default().to_owned(),
            state: state.to_owned(),
            raw,
            ..Entry::new(provider, Kind::Event, provider)
        });
    }
}

fn is_known(world: &World, headers: &HeaderMap) -> bool {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    shown == Some(&*format!("GenieKey {}", world.setup.opsgenie))
}

async fn alert(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Json(alert): Json<Value>,
) -> Response {
    if !is_known(&world, &headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Key is not valid" })))
            .into_response();
    }
    let message = alert["message"].as_str().unwrap_or_default().to_owned();
    if !(1..=130).contains(&message.chars().count()) {
        let body = json!({ "message": "Request body is not processable", "errors": { "message": "1 to 130" } });
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response();
    }
    let alias = alert["alias"].as_str().unwrap_or_default().to_owned();
    upsert(&world, "opsgenie", &alias, "open", &message, alert);
    (StatusCode::ACCEPTED, Json(json!({ "result": "Request will be processed" }))).into_response()
}

async fn verb(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    Path((alias, verb)): Path<(String, String)>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
    Json(body): Json<Value>,
) -> Response {
    if !is_known(&world, &headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Key is not valid" })))
            .into_response();
    }
    if query.get("identifierType").map(String::as_str) != Some("alias") {
        return (StatusCode::UNPROCESSABLE_ENTITY, "the identifier is no id").into_response();
    }
    let state = match verb.as_str() {
        "acknowledge" => "acknowledged",
        "close" => "closed",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    upsert(&world, "opsgenie", &alias, state, &alias, body);
    (StatusCode::ACCEPTED, Json(json!({ "result": "Request will be processed" }))).into_response()
}

async fn hook(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, stamp) = (header("webhook-id"), header("webhook-timestamp"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, world.setup.webhook.as_bytes());
    let said = [format!("{id}.{stamp}.").as_bytes(), &body].concat();
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap_or_default();
    let signature = STANDARD.decode(signature).unwrap_or_default();
    if hmac::verify(&key, &said, &signature).is_err() {
        return (StatusCode::UNAUTHORIZED, "the signature does not fit").into_response();
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, "this is no JSON").into_response();
    };
    world.board.add(Entry {
        title: message["subject"].as_str().unwrap_or_default().to_owned(),
        text: message["text"].as_str().unwrap_or_default().to_owned(),
        raw: message,
        ..Entry::new("webhook", Kind::Event, name)
    });
    StatusCode::NO_CONTENT.into_response()
}
