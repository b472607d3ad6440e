//! One alert, its notes and its log.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tocsin_core::event::{Event, Recorded, Subject};
use tocsin_core::ids::Sequence;
use tocsin_store::EventQuery;

use super::caller::{Caller, Refused};
use super::{lookup, view};
use crate::App;

/// The entries of a page unless asked for otherwise, and the most.
const DEFAULT_ENTRIES: usize = 100;
const MAX_ENTRIES: usize = 100;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
) -> Result<Response, Refused> {
    let known = lookup(&app, &caller, identifier).await?.ok_or_else(|| caller.not_found())?;
    Ok(caller.answer(StatusCode::OK, json!({ "data": view(&caller, &known) })))
}

/// Shows notes or the log.
pub(super) async fn part(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((identifier, part)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let kinds = match part.as_str() {
        "notes" => vec!["alert_noted".to_owned()],
        "logs" => Vec::new(),
        _ => {
            let why = format!("`{part}` is not implemented");
            return Err(caller.refuse(StatusCode::NOT_IMPLEMENTED, &why));
        }
    };
    let known = lookup(&app, &caller, identifier).await?.ok_or_else(|| caller.not_found())?;
    let before = match caller.param("offset").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => match text.parse() {
            Ok(0) => None,
            Ok(place) => Some(Sequence(place)),
            Err(_) => return Err(caller.wrong("offset", "must be the `offset` of an entry")),
        },
    };
    let limit = caller.param("limit").and_then(|text| text.parse().ok());
    let query = EventQuery {
        subjects: vec![Subject::Alert(known.alert.identity.number)],
        kinds,
        before,
        limit: limit.unwrap_or(DEFAULT_ENTRIES).clamp(1, MAX_ENTRIES),
        ..EventQuery::default()
    };
    let found = app.engine.store().events(app.engine.tenant(), query).await.map_err(|error| {
        tracing::error!(%error, "the history of an alert cannot be read");
        caller.refuse(StatusCode::INTERNAL_SERVER_ERROR, "the history cannot be read")
    })?;
    let entries: Vec<Value> = found.iter().map(|recorded| entry(recorded, &part)).collect();
    Ok(caller.answer(StatusCode::OK, json!({ "data": entries })))
}

fn entry(recorded: &Recorded, part: &str) -> Value {
    let (owner, said) = match &recorded.event {
        Event::AlertNoted { by, text, .. } => (by.as_str(), text.as_str()),
        Event::AlertAcknowledged { by, comment, .. } => (by.as_str(), comment.as_str()),
        _ => ("System", ""),
    };
    let offset = recorded.sequence.0.to_string();
    if part == "notes" {
        return json!({ "note": said, "owner": owner, "createdAt": recorded.at, "offset": offset });
    }
    let what = recorded.event.kind().replace('_', " ");
    let log = if said.is_empty() { what } else { format!("{what}: {said}") };
    let kind = if owner == "System" { "system" } else { "alertRecipient" };
    json!({
        "log": log, "type": kind, "owner": owner, "createdAt": recorded.at, "offset": offset
    })
}
