//! Opsgenie's Alert API: clients that speak it can be pointed here.

mod act;
mod caller;
mod create;
mod list;
mod requests;
mod show;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use tocsin_core::acknowledgement::SourceAlert;
use tocsin_wire::opsgenie::OpsgenieAlert;

use crate::App;
use caller::{Caller, Refused};

pub(super) use requests::Requests;

/// How a path names an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdentifierType {
    Id,
    Alias,
    Tiny,
}

/// Returns the routes of the API.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/alerts", get(list::list).post(create::create))
        .route("/v2/alerts/count", get(list::count))
        .route("/v2/alerts/requests/{request}", get(requests::show))
        .route("/v2/alerts/{identifier}", get(show::show).delete(act::delete))
        .route(
            "/v2/alerts/{identifier}/{verb}",
            post(act::act).put(act::act).patch(act::act).delete(act::remove).get(show::part),
        )
        .route("/v2/heartbeats/{name}/ping", any(heartbeat))
}

/// Something that is watched says that it is alive, whatever the method.
async fn heartbeat(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Response {
    match crate::v1::beat(&app, caller.actor.clone(), &name).await {
        Ok(()) => {
            let body = serde_json::json!({ "result": "PONG - Heartbeat received" });
            caller.answer(StatusCode::ACCEPTED, body)
        }
        Err(refusal) => {
            let body = serde_json::json!({ "message": refusal.detail() });
            caller.answer(refusal.status(), body)
        }
    }
}

/// Finds the alert that a path names, among those of the caller's integration.
async fn lookup(
    app: &App,
    caller: &Caller,
    identifier: String,
) -> Result<Option<SourceAlert>, Refused> {
    let kind = match caller.param("identifierType").map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "id") => IdentifierType::Id,
        Some("alias") => IdentifierType::Alias,
        Some("tiny") => IdentifierType::Tiny,
        Some(_) => return Err(caller.wrong("identifierType", "must be one of id, alias, tiny")),
    };
    if kind == IdentifierType::Alias {
        let found = super::find(app, &caller.inbound, identifier).await;
        return found.map_err(|error| caller.busy(error));
    }
    let known = all(app, caller).await?;
    Ok(known.into_iter().find(|known| match kind {
        IdentifierType::Tiny => known.alert.identity.number.0.to_string() == identifier,
        _ => view(caller, known).id.to_string() == identifier,
    }))
}

/// Returns every alert of the caller's integration.
async fn all(app: &App, caller: &Caller) -> Result<Vec<SourceAlert>, Refused> {
    let name = caller.inbound.name.clone();
    let read = app.engine.read(move |tenant, now| tenant.alerts_of_source(&name, now));
    read.await.map_err(|error| caller.busy(error))
}

fn view(caller: &Caller, known: &SourceAlert) -> OpsgenieAlert {
    OpsgenieAlert::of(known, &caller.inbound.name)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}
