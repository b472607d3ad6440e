//! Tasks of an incident, and who may see it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tocsin_core::identity::{Handle, Permission};
use tocsin_core::incident::{IncidentStep, RestrictStep, TaskDraft, TaskEdit, TaskStep};
use tocsin_wire::v1::{
    IncidentRedaction, IncidentRestrict, IncidentResult, IncidentTaskDraft, IncidentTaskPatch,
};

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::steps::Asked;
use crate::App;
use crate::access::Caller;

fn handle(field: &str, text: &str) -> Answer<Handle> {
    Handle::parse(text).map_err(|error| Refusal::field(field, error.to_string()))
}

/// Add a task to an incident
///
/// Whoever does it is told, by their own rules, and reminded when it is late.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/tasks", operation_id = "add_incident_task",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentTaskDraft,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentTaskDraft>,
) -> Answer<Response> {
    let assignee = body.assignee.as_deref().map(|it| handle("/assignee", it)).transpose()?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let step = TaskStep::Add(TaskDraft {
        title: body.title,
        assignee,
        due_at: body.due_at,
        priority: body.priority.into(),
        is_blocking: body.is_blocking,
    });
    asked.carry_out(&app, IncidentStep::Task(step)).await
}

/// Change a task of an incident
#[utoipa::path(
    patch, path = "/api/v1/incidents/{incident}/tasks/{number}",
    operation_id = "change_incident_task", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("number" = u32, Path, description = "Which task")
    ),
    request_body = IncidentTaskPatch,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, task)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentTaskPatch>,
) -> Answer<Response> {
    let task = super::number(&task)?;
    let assignee = match body.assignee.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(text) => Some(Some(handle("/assignee", text)?)),
    };
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let edit = TaskEdit {
        title: body.title,
        assignee,
        due_at: body.due_at,
        priority: body.priority.map(Into::into),
        status: body.status.map(Into::into),
        is_blocking: body.is_blocking,
    };
    asked.carry_out(&app, IncidentStep::Task(TaskStep::Change { task, edit })).await
}

/// Restrict an incident
///
/// Only those who are named, those who have it or a role in it, and whoever may see restricted
/// incidents see it from now on; to others there is none. Whoever reads it is written into the
/// audit log.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/restrict", operation_id = "restrict_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentRestrict,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn restrict(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRestrict>,
) -> Answer<Response> {
    let people: Answer<_> = body.people.iter().map(|it| handle("/people", it)).collect();
    let (people, teams) = (people?, body.teams.into_iter().collect());
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentRole)?;
    let step = RestrictStep::Restrict { people, teams, reason: body.reason };
    asked.carry_out(&app, IncidentStep::Restrict(step)).await
}

/// Let everybody see an incident again
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/unrestrict", operation_id = "unrestrict_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentRedaction,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn unrestrict(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRedaction>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentRole)?;
    let step = RestrictStep::Lift { reason: body.reason };
    asked.carry_out(&app, IncidentStep::Restrict(step)).await
}
