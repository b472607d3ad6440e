//! Others are told how an incident goes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use tocsin_core::identity::Permission;
use tocsin_core::incident::{
    Audience, INCIDENT_VARIABLES, IncidentStep, IncidentUpdate, MAX_NAMED, MAX_RECIPIENTS,
    MessageDraft, MessageTarget, Status, template_of_kind,
};
use tocsin_wire::v1::{
    IncidentMessage, IncidentMessagePreview, IncidentResult, MessageTemplateList,
    MessageTemplateRow,
};

use super::super::body::Json as Body;
use super::super::escalations::parse_severity;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::steps::Asked;
use crate::App;
use crate::access::Caller;

/// Variables that follow from the incident only where there is such a thing: of one that is not over
/// there is no end.
const MAY_BE_MISSING: [&str; 5] = ["regions", "resolved_at", "root_cause", "tags", "ticket"];

/// List what messages can be made from
///
/// The built-in templates and those of the configuration, with the lists that may be told.
#[utoipa::path(
    get, path = "/api/v1/incidents/message-templates", operation_id = "list_message_templates",
    tag = "incidents",
    responses((status = 200, description = "The templates", body = MessageTemplateList))
)]
pub(in super::super) async fn templates(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<MessageTemplateList>> {
    let list = app.engine.read(|tenant, _| {
        let settings = &tenant.policy().incidents;
        let has_value = |name: &str| {
            let follows = INCIDENT_VARIABLES.iter().any(|(known, _)| *known == name);
            let is_set = settings.variables.get(name).is_some_and(|value| !value.is_empty());
            (follows && !MAY_BE_MISSING.contains(&name)) || is_set
        };
        let rows = settings.templates.values().map(|it| MessageTemplateRow::new(it, has_value));
        MessageTemplateList {
            items: rows.collect(),
            lists: settings.lists.keys().map(ToString::to_string).collect(),
        }
    });
    Ok(Json(list.await?))
}

/// Update an incident and tell others
///
/// Status, severity and message in one go: all of it happens, or nothing. A message to customers
/// takes the permission to publish.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/updates", operation_id = "update_incident",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = tocsin_wire::v1::IncidentUpdate,
    responses((status = 200, description = "What that did", body = IncidentResult))
)]
pub(in super::super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<tocsin_wire::v1::IncidentUpdate>,
) -> Answer<Response> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    let update = read(body)?;
    if let Some(to) = update.to {
        asked.must_move(to)?;
    }
    if update.severity.is_some() {
        asked.must(Permission::IncidentSeverity)?;
    }
    if let Some(message) = &update.message {
        asked.must(permission_of(&app, message).await?)?;
    }
    asked.carry_out(&app, IncidentStep::Update(Box::new(update))).await
}

/// See a message before it is sent
///
/// As it would read after the update, and who would be told. Nothing is changed.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/updates/preview",
    operation_id = "preview_incident_update",
    tag = "incidents", params(("incident" = String, Path, description = "Its number or reference")),
    request_body = tocsin_wire::v1::IncidentUpdate,
    responses((status = 200, description = "The message", body = IncidentMessagePreview))
)]
pub(in super::super) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<tocsin_wire::v1::IncidentUpdate>,
) -> Answer<Json<IncidentMessagePreview>> {
    let asked = Asked::find(&app, caller, &text, &headers).await?;
    let update = read(body)?;
    if let Some(message) = &update.message {
        asked.must(permission_of(&app, message).await?)?;
    }
    let (now, number) = (app.engine.now(), asked.incident.number);
    let made = app.engine.read(move |tenant, _| tenant.preview_update(now, number, &update));
    let (message, to) = made.await?.map_err(tocsin_core::command::Rejection::from)?;
    Ok(Json(IncidentMessagePreview {
        audience: message.audience.into(),
        subject: message.subject,
        body: message.body,
        to,
    }))
}

async fn permission_of(app: &App, message: &MessageDraft) -> Answer<Permission> {
    let audience = match message.template.clone() {
        None => message.audience,
        Some(name) => {
            let read = app.engine.read(move |tenant, _| {
                tenant.policy().incidents.template(&name).map(|it| it.audience)
            });
            read.await?.unwrap_or_default()
        }
    };
    Ok(match audience {
        Audience::Customer => Permission::StatusPublish,
        Audience::Internal | Audience::Executive => Permission::IncidentComment,
    })
}

fn read(body: tocsin_wire::v1::IncidentUpdate) -> Answer<IncidentUpdate> {
    let severity = body.severity.as_deref().map(|word| parse_severity("/severity", word));
    let to = body.status.map(Status::from);
    if body.code.is_some() && to != Some(Status::Resolved) {
        return Err(Refusal::field("/code", "is only for an incident that is resolved"));
    }
    Ok(IncidentUpdate {
        to,
        note: body.note,
        code: body.code.map(Into::into),
        severity: severity.transpose()?,
        message: body.message.map(read_message).transpose()?,
    })
}

fn read_message(body: IncidentMessage) -> Answer<MessageDraft> {
    if body.to.len() > MAX_RECIPIENTS {
        let why = format!("must name 1 to {MAX_RECIPIENTS} recipients");
        return Err(Refusal::field("/message/to", why));
    }
    if body.variables.len() > MAX_NAMED {
        let why = format!("must have at most {MAX_NAMED} entries");
        return Err(Refusal::field("/message/variables", why));
    }
    let mut to = Vec::new();
    for (place, text) in body.to.iter().enumerate() {
        let target = MessageTarget::parse(text)
            .map_err(|error| Refusal::field(&format!("/message/to/{place}"), error.to_string()))?;
        to.push(target);
    }
    let audience = Audience::from(body.audience);
    let template = match (body.template, body.kind) {
        (Some(_), Some(_)) => {
            return Err(Refusal::field("/message/kind", "is in place of `template`"));
        }
        (None, Some(kind)) => Some(
            template_of_kind(audience, &kind)
                .map_err(|why| Refusal::field("/message/kind", why))?
                .to_owned(),
        ),
        (template, None) => template,
    };
    Ok(MessageDraft {
        template: template.map(Into::into),
        audience,
        subject: body.subject,
        body: body.body,
        values: body.variables,
        to,
    })
}
