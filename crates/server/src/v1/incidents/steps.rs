//! What people do about incidents.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::identity::Permission;
use tocsin_core::incident::{self, Expected, IncidentChange, IncidentEdit, IncidentStep, Status};
use tocsin_core::labels::Labels;
use tocsin_wire::v1::{
    Incident, IncidentAssignment, IncidentClose, IncidentComment, IncidentMove, IncidentMoveTo,
    IncidentPatch, IncidentRating, IncidentResolution, IncidentResult, ProblemCode,
};

use super::super::body::Json as Body;
use super::super::escalations::parse_severity;
use super::super::params::{Ask, Nothing, invalid};
use super::super::problem::{Answer, Refusal};
use super::{command, etag, find, header_text, look_up, parse, parse_owner};
use crate::App;
use crate::access::Caller;

/// One request about one incident.
pub(super) struct Asked {
    caller: Caller,
    /// As it was found.
    pub(super) incident: incident::Incident,
    expected: Expected,
}

impl Asked {
    /// Finds an incident that the caller may see.
    pub(super) async fn find(
        app: &App,
        caller: Caller,
        text: &str,
        headers: &HeaderMap,
    ) -> Answer<Self> {
        let (incident, _) = find(app, &caller, parse(text)?).await?;
        let expected = Expected { version: version(headers)?, status: None };
        Ok(Self { caller, incident, expected })
    }

    /// Returns the incident as it was found.
    pub(super) fn incident(&self) -> &incident::Incident {
        &self.incident
    }

    /// Returns who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Refuses what the caller may not do with it.
    pub(super) fn must(&self, permission: Permission) -> Answer<()> {
        self.caller.must(permission, &self.incident.labels)
    }

    /// Refuses to move it where the caller may not.
    pub(super) fn must_move(&self, to: Status) -> Answer<()> {
        self.must(match (self.incident.status(), to) {
            (Status::Closed, to) if to != Status::Closed => Permission::IncidentReopenClosed,
            (_, Status::Resolved | Status::Closed) => Permission::IncidentResolve,
            _ => Permission::IncidentTransition,
        })
    }

    pub(super) async fn carry_out(self, app: &App, step: IncidentStep) -> Answer<Response> {
        let Self { caller, incident, expected } = self;
        let number = incident.number;
        let change = IncidentChange::Step { incident: number, expected, step };
        let reply = command(app, &caller, change).await?;
        // Whoever did it knows what came of it, although few may see it from now on.
        let own = if reply.incident == number { look_up(app, number).await? } else { None };
        let (it, _) = match own {
            Some(own) => own,
            None => find(app, &caller, reply.incident).await?,
        };
        let result =
            IncidentResult { has_changed: reply.has_changed, incident: Incident::new(&it) };
        Ok(([(header::ETAG, etag(it.version))], Json(result)).into_response())
    }
}

/// Reads the version in `If-Match`.
fn version(headers: &HeaderMap) -> Answer<Option<u64>> {
    version_of(header_text(headers, &header::IF_MATCH)?)
}

/// Reads what an `If-Match` says.
pub(in super::super) fn version_of(text: Option<String>) -> Answer<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    if text == "*" {
        return Ok(None);
    }
    let digits = text.trim_start_matches("W/").trim_matches('"');
    digits.parse().map(Some).map_err(|_| {
        invalid("If-Match", "must be the `ETag` that was seen, which is the version in quotes")
    })
}

/// Acknowledge an incident
///
/// Whoever asks works on it: nobody else is paged for it.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/acknowledge", operation_id = "acknowledge_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentMove,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn acknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentMove>,
) -> Answer<Response> {
    step(&app, caller, &text, &headers, Status::Acknowledged, body).await
}

/// Give an incident back
///
/// Paging goes on with the step it was at.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/unacknowledge",
    operation_id = "unacknowledge_incident", tag = "incidents",
    params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentMove,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn unacknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentMove>,
) -> Answer<Response> {
    step(&app, caller, &text, &headers, Status::Detected, body).await
}

/// Move an incident to another status
///
/// `allowed_transitions` of the incident says where it may go, and what that takes.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/transition", operation_id = "move_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentMoveTo,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn transition(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentMoveTo>,
) -> Answer<Response> {
    let IncidentMoveTo { to, from, note, code } = body;
    let body = IncidentMove { from, note, code };
    step(&app, caller, &text, &headers, to.into(), body).await
}

/// Resolve an incident
///
/// `note` says how it ended. Nobody is paged for it any more, whatever still fires.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/resolve", operation_id = "resolve_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentMove,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn resolve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentMove>,
) -> Answer<Response> {
    step(&app, caller, &text, &headers, Status::Resolved, body).await
}

/// Reopen an incident
///
/// As one that is investigated; `note` says why. What it took before is kept.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/reopen", operation_id = "reopen_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentMove,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn reopen(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentMove>,
) -> Answer<Response> {
    step(&app, caller, &text, &headers, Status::Investigating, body).await
}

/// Close an incident
///
/// Nothing is left to do about it. What `incidents.close_requires` asks for has to be done; with
/// `force` it is closed all the same.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/close", operation_id = "close_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentClose,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn close(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentClose>,
) -> Answer<Response> {
    let IncidentClose { from, note, force } = body;
    if force {
        let mut asked = Asked::find(&app, caller, &text, &headers).await?;
        asked.must(Permission::IncidentCloseForce)?;
        asked.expected.status = from.map(Into::into);
        return asked.carry_out(&app, IncidentStep::CloseAnyway { note }).await;
    }
    let body = IncidentMove { from, note, code: None };
    step(&app, caller, &text, &headers, Status::Closed, body).await
}

async fn step(
    app: &App,
    caller: Caller,
    text: &str,
    headers: &HeaderMap,
    to: Status,
    body: IncidentMove,
) -> Answer<Response> {
    let mut asked = Asked::find(app, caller, text, headers).await?;
    if body.code.is_some() && to != Status::Resolved {
        return Err(Refusal::field("/code", "is only for an incident that is resolved"));
    }
    asked.must_move(to)?;
    asked.expected.status = body.from.map(Into::into);
    // These say which other incident goes on, so they come with it.
    let by_itself = match body.code {
        Some(IncidentResolution::Merged) => Some("merge"),
        Some(IncidentResolution::Duplicate) => Some("duplicate"),
        _ => None,
    };
    if let Some(step) = by_itself {
        let detail = format!("follows from `{step}`, which names the other incident; use that");
        return Err(Refusal::field("/code", detail));
    }
    let (note, code) = (body.note, body.code.map(Into::into));
    asked.carry_out(app, IncidentStep::Move { to, note, code }).await
}

/// Say how bad an incident is
///
/// From then on alerts do not make it worse by themselves.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/severity", operation_id = "rate_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentRating,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn rate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentRating>,
) -> Answer<Response> {
    let severity = parse_severity("/severity", &body.severity)?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentSeverity)?;
    asked.carry_out(&app, IncidentStep::SetSeverity { severity, reason: body.reason }).await
}

/// Assign an incident
///
/// To somebody, or to nobody.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/assign", operation_id = "assign_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentAssignment,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn assign(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentAssignment>,
) -> Answer<Response> {
    let to = parse_owner(body.owner.as_deref())?;
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentRole)?;
    asked.carry_out(&app, IncidentStep::Assign { to }).await
}

/// Comment on an incident
///
/// `occurred_at` puts what is learned late in its place in the timeline.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/comments", operation_id = "comment_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentComment,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn comment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentComment>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentComment)?;
    let IncidentComment { text, occurred_at } = body;
    asked.carry_out(&app, IncidentStep::Comment { text, occurred_at }).await
}

/// Edit an incident
///
/// What is absent stays. More evidence may make it worse by itself, never better. Times may be set
/// right, which takes `incident.edit_time`; those that would contradict each other are refused by
/// both names.
#[utoipa::path(
    patch, path = "/api/v1/incidents/{incident}", operation_id = "edit_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = IncidentPatch,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn edit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<IncidentPatch>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    asked.must(Permission::IncidentTransition)?;
    if body.has_times() {
        asked.must(Permission::IncidentEditTime)?;
    }
    // It must not be moved to where whoever moves it may do nothing.
    let moved = [("service", body.service.as_deref()), ("team", body.team.as_deref())];
    let is_moved = |name: &str| moved.iter().any(|(it, to)| *it == name && to.is_some());
    let known = asked.incident.labels.iter().filter(|(name, _)| !is_moved(name));
    let labels: Labels =
        known.chain(moved.into_iter().filter_map(|(name, to)| Some((name, to?)))).collect();
    if !asked.caller.may(Permission::IncidentTransition, &labels) {
        let word = if body.service.is_some() { "service" } else { "team" };
        let detail = format!("you may not move incidents to this {word}");
        return Err(Refusal::new(ProblemCode::Forbidden, detail));
    }
    let (times, particulars) = (body.times(), body.particulars());
    let edit = IncidentEdit {
        title: body.title,
        summary: body.summary,
        category: body.category.map(Into::into),
        service: body.service.map(Into::into),
        team: body.team.map(Into::into),
        evidence: body.evidence.map(Into::into),
        impact_started_at: body.impact_started_at,
        impact_ended_at: body.impact_ended_at,
        is_predicted: body.is_predicted,
        times,
        particulars,
    };
    asked.carry_out(&app, IncidentStep::Edit(Box::new(edit))).await
}
