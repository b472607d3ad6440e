//! Heartbeats: what is watched says that it is alive.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Actor, Permission};
use tocsin_wire::v1::{Heartbeat, Heartbeats, ProblemCode};

use super::params::{Ask, Nothing};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// List heartbeat monitors
#[utoipa::path(
    get, path = "/api/v1/heartbeats", operation_id = "list_heartbeats", tag = "heartbeats",
    responses((status = 200, description = "All monitors", body = Heartbeats))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Heartbeats>> {
    Ok(Json(Heartbeats { items: all(&app).await? }))
}

/// Say that something is alive
///
/// With a token that may, or with the key of an integration: in `Authorization: Bearer KEY`,
/// `X-Tocsin-Key`, or as the parameter `key`.
#[utoipa::path(
    post, path = "/api/v1/heartbeats/{name}/ping", operation_id = "ping_heartbeat",
    tag = "heartbeats",
    params(
        ("name" = String, Path, description = "The name of the monitor"),
        ("key" = Option<String>, Query, description = "The key of an integration")
    ),
    responses((status = 200, description = "It was heard", body = Heartbeat))
)]
pub(super) async fn ping(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let Some(actor) = admitted(&app, &caller, &query, &headers) else {
        let why = "send a token with `heartbeat.ping` or the key of an integration: \
                   `Authorization: Bearer KEY`, `X-Tocsin-Key: KEY` or `?key=KEY`";
        let refusal = Refusal::new(ProblemCode::Unauthorized, why);
        return Err(([(header::WWW_AUTHENTICATE, "Bearer")], refusal).into_response());
    };
    beat(&app, actor, &name).await.map_err(IntoResponse::into_response)?;
    let heard = all(&app).await.map_err(IntoResponse::into_response)?;
    let heard = heard.into_iter().find(|heartbeat| heartbeat.name == name);
    Ok(Json(heard).into_response())
}

/// Say that something is alive, for clients that can only fetch
///
/// Like `POST`.
#[utoipa::path(
    get, path = "/api/v1/heartbeats/{name}/ping", operation_id = "ping_heartbeat_by_get",
    tag = "heartbeats",
    params(
        ("name" = String, Path, description = "The name of the monitor"),
        ("key" = Option<String>, Query, description = "The key of an integration")
    ),
    responses((status = 200, description = "It was heard", body = Heartbeat))
)]
pub(super) async fn ping_by_get(
    app: State<Arc<App>>,
    caller: Caller,
    name: Path<String>,
    query: Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    ping(app, caller, name, query, headers).await
}

/// Returns who is behind it: whoever may by themselves, or the integration whose key is shown.
fn admitted(
    app: &App,
    caller: &Caller,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Option<Actor> {
    if caller.access.allows(Permission::HeartbeatPing) {
        return Some(caller.actor.clone());
    }
    let key = crate::inbound::key_of(headers).or_else(|| query.get("key").map(String::as_str));
    let inbound = crate::inbound::admit(app, caller, None, key?).ok()?;
    Some(crate::inbound::actor(caller, &inbound))
}

/// Tells the engine that a monitor was heard.
pub(crate) async fn beat(app: &App, actor: Actor, name: &str) -> Answer<()> {
    match app.engine.command(Command::Beat { name: name.into() }.by(actor)).await? {
        Reply::Done => Ok(()),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

async fn all(app: &App) -> Answer<Vec<Heartbeat>> {
    let items = app.engine.read(|tenant, _| {
        let policy = tenant.policy();
        let items = tenant.heartbeats().map(|row| {
            let monitor = policy.heartbeats.iter().find(|monitor| monitor.name == row.name);
            let timeout = monitor.map(|monitor| monitor.timeout).unwrap_or_default();
            let since = row.heard_at.unwrap_or(row.known_since).max(row.known_since);
            let due_at = since.checked_add(timeout).ok();
            Heartbeat {
                name: row.name.to_string(),
                timeout_seconds: timeout.as_secs(),
                is_missed: row.missed_at.is_some(),
                heard_at: row.heard_at,
                missed_since: row.missed_at,
                due_at: due_at.filter(|_| row.missed_at.is_none()),
            }
        });
        items.collect::<Vec<_>>()
    });
    Ok(items.await?)
}
