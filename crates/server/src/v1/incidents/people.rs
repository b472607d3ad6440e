//! Who does what in an incident.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::identity::{Handle, Permission, Who};
use tocsin_core::incident::{IncidentStep, PeopleStep, Role};
use tocsin_core::reminder::ReminderKind;
use tocsin_wire::v1::{
    IncidentHandover, IncidentHelpAnswer, IncidentHelpAsked, IncidentResult, IncidentRoleGiven,
    IncidentRoleTaken, IncidentSnooze, IncidentSubscription,
};

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::steps::Asked;
use crate::App;
use crate::access::Caller;

/// Reads a handle.
fn handle(field: &str, text: &str) -> Answer<Handle> {
    Handle::parse(text).map_err(|error| Refusal::field(field, error.to_string()))
}

/// Returns whom a request is about: whoever is named, or whoever asks; and whether it is the
/// latter.
fn whom(caller: &Caller, person: Option<&str>) -> Answer<(Handle, bool)> {
    let own = match &caller.actor.who {
        Who::Person(handle) => Some(handle.clone()),
        _ => None,
    };
    match (person.map(|it| handle("/person", it)).transpose()?, own) {
        (Some(person), own) => Ok((person.clone(), own.as_ref() == Some(&person))),
        (None, Some(own)) => Ok((own, true)),
        (None, None) => Err(Refusal::field("/person", "must say who, since no person asks")),
    }
}

/// Give a role to somebody
///
/// They are told, by their own rules. A role that one person has must be nobody's; otherwise it is
/// handed over.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/roles", operation_id = "give_incident_role",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentRoleGiven,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRoleGiven>,
) -> Answer<Response> {
    let to = handle("/person", &body.person)?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentRole)?;
    let step = PeopleStep::Give { role: body.role.into(), to, note: body.note };
    asked.carry_out(&app, IncidentStep::People(step)).await
}

/// Join an incident
///
/// As responder, or in a role that is nobody's.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/join", operation_id = "join_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentRoleTaken,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn join(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRoleTaken>,
) -> Answer<Response> {
    let (to, is_own) = whom(&caller, body.person.as_deref())?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(if is_own { Permission::IncidentComment } else { Permission::IncidentRole })?;
    let role = body.role.map_or(Role::Responder, Into::into);
    let step = PeopleStep::Give { role, to, note: String::new() };
    asked.carry_out(&app, IncidentStep::People(step)).await
}

/// Give back a role
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/leave", operation_id = "leave_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentRoleTaken,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn leave(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRoleTaken>,
) -> Answer<Response> {
    let (person, is_own) = whom(&caller, body.person.as_deref())?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(if is_own { Permission::IncidentComment } else { Permission::IncidentRole })?;
    let role = body.role.map_or(Role::Responder, Into::into);
    asked.carry_out(&app, IncidentStep::People(PeopleStep::Leave { role, person })).await
}

/// Hand a role over
///
/// In one step, with how things stand; whoever had it goes on as responder. Both are told.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/handover", operation_id = "hand_over_incident_role",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentHandover,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn hand_over(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentHandover>,
) -> Answer<Response> {
    let to = handle("/to", &body.to)?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentRole)?;
    let step = PeopleStep::HandOver { role: body.role.into(), to, note: body.note };
    asked.carry_out(&app, IncidentStep::People(step)).await
}

/// Ask people for help
///
/// They are told by their own rules, and have some time to answer.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/responders",
    operation_id = "ask_incident_responders", tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentHelpAsked,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentHelpAsked>,
) -> Answer<Response> {
    let people: Answer<Vec<Handle>> = body.people.iter().map(|it| handle("/people", it)).collect();
    let people = people?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentRole)?;
    let role = body.role.map_or(Role::Responder, Into::into);
    let within = body.minutes.map(|it| SignedDuration::from_mins(i64::from(it)));
    let step = PeopleStep::Ask { people, role, message: body.message, within };
    asked.carry_out(&app, IncidentStep::People(step)).await
}

/// Answer to a request for help
///
/// Whoever was asked says whether they come; who comes late comes all the same.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/responders/{number}/answer",
    operation_id = "answer_incident_request", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("number" = u32, Path, description = "Which request")
    ),
    request_body = IncidentHelpAnswer,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, request)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentHelpAnswer>,
) -> Answer<Response> {
    let request = super::number(&request)?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let step = PeopleStep::Answer { request, comes: body.comes, message: body.message };
    asked.carry_out(&app, IncidentStep::People(step)).await
}

/// Follow an incident
///
/// Who follows hears of every change of status and severity, by their own rules.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/subscribe", operation_id = "subscribe_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentSubscription,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn subscribe(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentSubscription>,
) -> Answer<Response> {
    follow(&app, caller, &text, &headers, (body, true)).await
}

/// Follow an incident no more
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/unsubscribe", operation_id = "unsubscribe_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentSubscription,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn unsubscribe(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentSubscription>,
) -> Answer<Response> {
    follow(&app, caller, &text, &headers, (body, false)).await
}

/// Hear of something later
///
/// Puts a reminder off for one person, who hears of it then if it still waits. Others hear of it as
/// before, and it is no activity.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/snooze", operation_id = "snooze_incident_reminder",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentSnooze,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn snooze(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentSnooze>,
) -> Answer<Response> {
    let (person, is_own) = whom(&caller, body.person.as_deref())?;
    let Some(kind) = ReminderKind::parse(&body.reminder) else {
        let known = ReminderKind::ALL.map(ReminderKind::as_str).join(", ");
        return Err(Refusal::field("/reminder", format!("must be one of {known}")));
    };
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(if is_own { Permission::IncidentRead } else { Permission::IncidentRole })?;
    let after = SignedDuration::from_mins(i64::from(body.minutes));
    let until = app.engine.now().checked_add(after).unwrap_or(Timestamp::MAX);
    let step = PeopleStep::Snooze { person, kind, task: body.task, until };
    asked.carry_out(&app, IncidentStep::People(step)).await
}

async fn follow(
    app: &App,
    caller: Caller,
    text: &str,
    headers: &HeaderMap,
    (body, wants): (IncidentSubscription, bool),
) -> Answer<Response> {
    let (person, is_own) = whom(&caller, body.person.as_deref())?;
    let asked = Asked::find(app, caller, text, headers).await?;
    asked.must(if is_own { Permission::IncidentRead } else { Permission::IncidentRole })?;
    asked.carry_out(app, IncidentStep::People(PeopleStep::Subscribe { person, wants })).await
}
