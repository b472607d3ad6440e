//! Alerts are listed and counted.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use tocsin_wire::opsgenie::{OpsgenieAlert, Query};

use super::caller::{Caller, Refused};
use super::{all, view};
use crate::App;

/// The entries of a page unless asked for otherwise, and the most.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;
/// The most entries that a list reaches.
const MAX_REACH: usize = 20_000;

pub(super) async fn count(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, Refused> {
    let count = matching(&app, &caller).await?.len();
    Ok(caller.answer(StatusCode::OK, json!({ "data": { "count": count } })))
}

pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Refused> {
    let offset = number(&caller, "offset", 0)?;
    let limit = number(&caller, "limit", DEFAULT_LIMIT)?.clamp(1, MAX_LIMIT);
    if offset.saturating_add(limit) > MAX_REACH {
        return Err(caller.wrong("offset", "a list reaches 20000 alerts; ask by `createdAt`"));
    }
    let is_ascending = match caller.param("order") {
        None | Some("" | "desc") => false,
        Some("asc") => true,
        Some(_) => return Err(caller.wrong("order", "must be asc or desc")),
    };
    let mut found = matching(&app, &caller).await?;
    let sort = caller.param("sort").filter(|sort| !sort.is_empty()).unwrap_or("createdAt");
    let by: fn(&OpsgenieAlert) -> SortKey = match sort {
        "createdAt" => |alert| SortKey::Number(alert.created_at.as_nanosecond()),
        "updatedAt" | "lastOccurredAt" => |alert| SortKey::Number(alert.updated_at.as_nanosecond()),
        "count" => |alert| SortKey::Number(i128::from(alert.count)),
        "tinyId" => |alert| SortKey::Number(alert.tiny_id.parse().unwrap_or_default()),
        "message" => |alert| SortKey::Text(alert.message.clone()),
        "alias" => |alert| SortKey::Text(alert.alias.clone()),
        "status" => |alert| SortKey::Text(alert.status.to_owned()),
        "priority" => |alert| SortKey::Text(alert.priority.to_owned()),
        "source" => |alert| SortKey::Text(alert.source.clone()),
        "owner" => |alert| SortKey::Text(alert.owner.clone()),
        _ => return Err(caller.wrong("sort", "there is no such field to sort by")),
    };
    found.sort_by_cached_key(|alert| (by(alert), alert.id));
    if !is_ascending {
        found.reverse();
    }
    let total = found.len();
    let page: Vec<OpsgenieAlert> = found.into_iter().skip(offset).take(limit).collect();
    let link = |offset: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in ["query", "sort", "order"] {
            if let Some(value) = caller.param(name) {
                query.append_pair(name, value);
            }
        }
        query.append_pair("offset", &offset.to_string()).append_pair("limit", &limit.to_string());
        let (home, prefix) = (app.options.external_url.trim_end_matches('/'), app.options.prefix());
        let prefix = if home.is_empty() { prefix.as_str() } else { "" };
        format!("{home}{prefix}/v2/alerts?{}", query.finish())
    };
    let last = if total == 0 { 0 } else { (total - 1) / limit * limit };
    let mut paging = json!({ "first": link(0), "last": link(last) });
    if offset + limit < total {
        paging["next"] = json!(link(offset + limit));
    }
    if offset > 0 {
        paging["prev"] = json!(link(offset.saturating_sub(limit)));
    }
    Ok(caller.answer(StatusCode::OK, json!({ "data": page, "paging": paging })))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Number(i128),
    Text(String),
}

async fn matching(app: &App, caller: &Caller) -> Result<Vec<OpsgenieAlert>, Refused> {
    let query = Query::read(caller.param("query").unwrap_or_default())
        .map_err(|error| caller.wrong("query", &error.to_string()))?;
    let shown = all(app, caller).await?;
    Ok(shown.iter().map(|known| view(caller, known)).filter(|alert| query.takes(alert)).collect())
}

fn number(caller: &Caller, name: &str, default: usize) -> Result<usize, Refused> {
    match caller.param(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| caller.wrong(name, "must be a whole number")),
    }
}
