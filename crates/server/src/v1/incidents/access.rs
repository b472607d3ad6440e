//! Whoever was told of a restricted incident asks to see it, and those who keep it answer.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tocsin_core::identity::{Permission, Who};
use tocsin_core::incident::{IncidentChange, IncidentStep, RestrictStep, Role};
use tocsin_wire::v1::{IncidentAccessAnswer, IncidentAccessAsked, IncidentResult, ProblemCode};

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::steps::Asked;
use super::{command, number, parse, recall};
use crate::App;
use crate::access::Caller;

/// Ask to see a restricted incident
///
/// Whoever has it, or is in command, hears of it and answers. The reply is the same whether there
/// is such an incident or not.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/access-requests",
    operation_id = "ask_incident_access", tag = "incidents",
    params(("incident" = String, Path, description = "Its number")),
    request_body = IncidentAccessAsked,
    responses((status = 204, description = "Whoever keeps it hears of it, if there is one"))
)]
pub(in super::super) async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentAccessAsked>,
) -> Answer<StatusCode> {
    let incident = parse(&text)?;
    if !matches!(caller.actor.who, Who::Person(_)) {
        let detail = "only people ask to see an incident; programs have permissions";
        return Err(Refusal::new(ProblemCode::Forbidden, detail));
    }
    // One that was closed long ago is asked for like any other.
    recall(&app, &caller, incident).await?;
    command(&app, &caller, IncidentChange::AskAccess { incident, reason: body.reason }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer somebody who asked to see a restricted incident
///
/// For whoever has it, is in command, or may see all restricted incidents. Who may see it is told
/// so, who may not is told nothing.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/access-requests/{number}/answer",
    operation_id = "answer_incident_access", tag = "incidents",
    params(
        ("incident" = String, Path, description = "Its number or reference"),
        ("number" = u32, Path, description = "Which request")
    ),
    request_body = IncidentAccessAnswer,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((text, request)): Path<(String, String)>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentAccessAnswer>,
) -> Answer<Response> {
    let request = number(&request)?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    let keeps = match &asked.caller().actor.who {
        Who::Person(person) => {
            asked.incident().owner.as_ref() == Some(person)
                || asked.incident().crew.has(Role::IncidentCommander, person)
                || asked.incident().restricted.as_ref().is_some_and(|it| it.by == person.as_str())
        }
        _ => false,
    };
    if !keeps {
        asked.must(Permission::IncidentRestrictedRead)?;
    }
    let step = RestrictStep::Answer { request, is_granted: body.grant };
    asked.carry_out(&app, IncidentStep::Restrict(step)).await
}
