//! How incidents belong together.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tocsin_core::identity::Permission;
use tocsin_core::incident::{IncidentNumber, IncidentStep, RefError, RelationStep};
use tocsin_wire::v1::{
    IncidentDuplicate, IncidentLink, IncidentMerge, IncidentResolveAll, IncidentResult,
    IncidentSplit,
};

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::find;
use super::steps::Asked;
use crate::App;
use crate::access::Caller;

/// Finds another incident, which the caller must be allowed to see, too.
async fn other(app: &App, caller: &Caller, field: &str, text: &str) -> Answer<IncidentNumber> {
    let number: Result<IncidentNumber, RefError> = text.parse();
    let number = number.map_err(|why| Refusal::field(field, why.to_string()))?;
    let (found, _) = find(app, caller, number).await?;
    caller.must(Permission::IncidentMerge, &found.labels)?;
    Ok(number)
}

/// Merge incidents into one
///
/// They are over as `merged`, and their alerts and escalations go on as part of this one. What
/// fires for them later belongs here, too. It can be undone for 24 hours.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/merge", operation_id = "merge_incidents",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentMerge,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn merge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentMerge>,
) -> Answer<Response> {
    let mut sources = Vec::new();
    for (index, source) in body.sources.iter().take(super::MAX_NAMED_INCIDENTS).enumerate() {
        sources.push(other(&app, &caller, &format!("/sources/{index}"), source).await?);
    }
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentMerge)?;
    asked.carry_out(&app, IncidentStep::Relate(RelationStep::Merge { sources })).await
}

/// Undo a merge
///
/// The incident goes on by itself, with the alerts, the owner, the times and the escalations that
/// it had.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/unmerge", operation_id = "unmerge_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn unmerge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentMerge)?;
    asked.carry_out(&app, IncidentStep::Relate(RelationStep::Unmerge)).await
}

/// Split an incident
///
/// Some of its alerts become another incident, which is the one in the answer.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/split", operation_id = "split_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentSplit,
    responses((status = 200, description = "What that did, and the other incident",
        body = IncidentResult))
)]
pub(in super::super) async fn split(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentSplit>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentMerge)?;
    let step = RelationStep::Split { alerts: body.alerts, title: body.title };
    asked.carry_out(&app, IncidentStep::Relate(step)).await
}

/// Say that an incident is the same as another one
///
/// It is over by that; its alerts stay with it.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/duplicate", operation_id = "duplicate_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentDuplicate,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn duplicate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentDuplicate>,
) -> Answer<Response> {
    let of = other(&app, &caller, "/of", &body.of).await?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentMerge)?;
    asked.carry_out(&app, IncidentStep::Relate(RelationStep::Duplicate { of })).await
}

/// Link incidents
///
/// One stands above or beneath another, or has something to do with it. There is one level only.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/link", operation_id = "link_incidents",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentLink,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentLink>,
) -> Answer<Response> {
    set_link(&app, caller, &text, &headers, (body, true)).await
}

/// Take a link away
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/unlink", operation_id = "unlink_incidents",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentLink,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn unlink(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentLink>,
) -> Answer<Response> {
    set_link(&app, caller, &text, &headers, (body, false)).await
}

async fn set_link(
    app: &App,
    caller: Caller,
    text: &str,
    headers: &HeaderMap,
    (body, linked): (IncidentLink, bool),
) -> Answer<Response> {
    let other = other(app, &caller, "/other", &body.other).await?;
    let asked = Asked::find(app, caller, text, headers).await?;
    asked.must(Permission::IncidentMerge)?;
    let step = RelationStep::Link { kind: body.kind.into(), other, linked };
    asked.carry_out(app, IncidentStep::Relate(step)).await
}

/// Resolve an incident and everything beneath it
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/resolve-all", operation_id = "resolve_incidents",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentResolveAll,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn resolve_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentResolveAll>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentResolve)?;
    let children = asked.incident().relations.children.clone();
    for child in children {
        let (found, _) = find(&app, asked.caller(), child).await?;
        asked.caller().must(Permission::IncidentResolve, &found.labels)?;
    }
    let step = RelationStep::ResolveAll { note: body.note, code: body.code.map(Into::into) };
    asked.carry_out(&app, IncidentStep::Relate(step)).await
}
