//! Action items: listed, written down, changed.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use compact_str::CompactString;
use tocsin_core::action::{
    self, ActionCategory, ActionEdit, ActionId, ActionPriority, ActionStatus,
};
use tocsin_core::identity::Permission;
use tocsin_core::incident::Incident;
use tocsin_core::lesson::{LessonChange, LessonSubject};
use tocsin_core::postmortem::Recommendation;
use tocsin_store::{ActionQuery, MAX_ACTIONS_PER_QUERY};
use tocsin_wire::v1::{ActionDraft, ActionItem, ActionPage, ActionPatch, ActionResult};

use super::super::body::Json as Body;
use super::super::cursor::List;
use super::super::incidents::{etag, find, parse, recall};
use super::super::params::{Ask, FromQuery, Nothing, Params, invalid, person, words};
use super::super::problem::{Answer, Refusal};
use super::{command, expected, owner, postmortems, visible};
use crate::App;
use crate::access::Caller;

/// Which action items to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct ActionsQuery {
    /// Only those of this incident, by number or reference.
    incident: Option<String>,
    /// Only those that are so far; may be repeated.
    #[param(required = false)]
    status: Vec<String>,
    /// Only those that are so urgent; may be repeated.
    #[param(required = false)]
    priority: Vec<String>,
    /// Only those that this person does, by handle.
    owner: Option<String>,
    /// Only those that should be done by now.
    #[param(required = false)]
    overdue: bool,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for ActionsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            incident: params.text("incident")?,
            status: params.many("status"),
            priority: params.many("priority"),
            owner: params.text("owner")?,
            overdue: params.parsed("overdue", "true or false")?.unwrap_or(false),
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List action items
///
/// The most urgent and earliest due first.
#[utoipa::path(
    get, path = "/api/v1/actions", operation_id = "list_actions", tag = "postmortems",
    params(ActionsQuery),
    responses((status = 200, description = "A page of action items", body = ActionPage))
)]
pub(in super::super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(query): Ask<ActionsQuery>,
) -> Answer<Json<ActionPage>> {
    let now = app.engine.now();
    let limit = query.limit.min(MAX_ACTIONS_PER_QUERY - 1);
    let after: Option<String> = List::Actions.key(query.cursor.as_deref())?;
    let asked = ActionQuery {
        incident: query.incident.as_deref().map(parse).transpose()?,
        statuses: words("status", &query.status, "those there are", ActionStatus::parse)?,
        priorities: words("priority", &query.priority, "P0 to P3", ActionPriority::parse)?,
        owner: person("owner", query.owner.as_deref())?,
        due_before: query.overdue.then_some(now),
        visible: visible(&app, &caller),
        after: after.as_deref().map(read_order).transpose()?,
        limit: limit + 1,
    };
    let mut rows = app.engine.store().actions(app.engine.tenant(), asked).await?;
    let next_cursor = List::Actions.page(&mut rows, limit, |it| {
        format!("{}/{}/{}", it.priority, it.due_at.as_nanosecond(), it.id)
    });
    let items = rows.iter().map(|it| ActionItem::new(it, now)).collect();
    Ok(Json(ActionPage { items, next_cursor }))
}

/// Reads where a page ended.
fn read_order(key: &str) -> Answer<(ActionPriority, jiff::Timestamp, ActionId)> {
    let read = || {
        let mut parts = key.splitn(3, '/');
        let priority = ActionPriority::parse(parts.next()?)?;
        let at = jiff::Timestamp::from_nanosecond(parts.next()?.parse().ok()?).ok()?;
        Some((priority, at, parts.next()?.parse().ok()?))
    };
    read().ok_or_else(|| invalid("cursor", "is not a `next_cursor` that this list gave out"))
}

/// An action item that the caller may see, and its incident.
async fn found(app: &App, caller: &Caller, text: &str) -> Answer<(action::ActionItem, Incident)> {
    let id: ActionId =
        text.parse().map_err(|why: action::ActionIdError| Refusal::not_found(why.to_string()))?;
    let (incident, _) = find(app, caller, id.incident)
        .await
        .map_err(|_| Refusal::not_found(format!("there is no action item {id}")))?;
    let known = app.engine.read(move |tenant, _| tenant.action(id).cloned()).await?;
    let known = match known {
        Some(known) => Some(known),
        None => app.engine.store().action(app.engine.tenant(), id).await?,
    };
    let known = known.ok_or_else(|| Refusal::not_found(format!("there is no action item {id}")))?;
    Ok((known, incident))
}

/// Show an action item
#[utoipa::path(
    get, path = "/api/v1/actions/{action}", operation_id = "get_action", tag = "postmortems",
    params(("action" = String, Path, description = "Its name, such as AI-142-1")),
    responses((status = 200, description = "The action item", body = ActionItem))
)]
pub(in super::super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let (it, _) = found(&app, &caller, &text).await?;
    let tag = etag(it.version);
    Ok(([(header::ETAG, tag)], Json(ActionItem::new(&it, app.engine.now()))).into_response())
}

/// Promise to change something after an incident
///
/// With `rule` it is what the postmortem recommends; asking for one rule twice makes one item.
#[utoipa::path(
    post, path = "/api/v1/incidents/{incident}/actions", operation_id = "create_action",
    tag = "postmortems",
    params(("incident" = String, Path, description = "The number or reference of the incident")),
    request_body = ActionDraft,
    responses(
        (status = 201, description = "The action item", body = ActionResult),
        (status = 200, description = "It was there already", body = ActionResult)
    )
)]
pub(in super::super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<ActionDraft>,
) -> Answer<Response> {
    let (incident, _) = find(&app, &caller, parse(&text)?).await?;
    caller.must(Permission::PostmortemWrite, &incident.labels)?;
    let recommended = match &body.rule {
        None => None,
        Some(rule) => Some(recommendation(&app, &caller, &text, rule).await?),
    };
    let owner = owner(body.owner)?.flatten();
    let suggested = recommended.as_ref();
    let draft = action::ActionDraft {
        title: body.title.or(suggested.map(|it| it.title.clone())).unwrap_or_default(),
        description: match suggested {
            Some(it) if body.description.is_empty() => it.why.text.clone(),
            _ => body.description,
        },
        priority: body.priority.or(suggested.map(|it| it.priority)),
        category: body
            .category
            .or(suggested.map(|it| it.category))
            .unwrap_or(ActionCategory::Process),
        owner: owner.or(suggested.and(incident.owner.clone())),
        due_at: body.due_at,
        link: body.link,
        rule: suggested.map_or_else(CompactString::default, |it| it.rule.clone()),
    };
    recall(&app, &caller, incident.number).await?;
    let change = LessonChange::AddAction { incident: incident.number, draft: Box::new(draft) };
    let reply = command(&app, &caller, change).await?;
    let LessonSubject::Action(id) = reply.subject else {
        return Err(Refusal::not_found("the action item is not there"));
    };
    let status = if reply.is_new { StatusCode::CREATED } else { StatusCode::OK };
    answer(&app, &caller, &id.to_string(), (reply.has_changed, status)).await
}

async fn recommendation(
    app: &App,
    caller: &Caller,
    incident: &str,
    rule: &str,
) -> Answer<Recommendation> {
    let found = postmortems::found(app, caller, incident, None).await?;
    let known = found.postmortem.recommendations.into_iter().find(|it| it.rule == rule);
    known.ok_or_else(|| Refusal::field("/rule", "is no rule that recommends anything here"))
}

async fn answer(
    app: &App,
    caller: &Caller,
    text: &str,
    (has_changed, status): (bool, StatusCode),
) -> Answer<Response> {
    let (it, _) = found(app, caller, text).await?;
    let tag = etag(it.version);
    let result = ActionResult { has_changed, action: ActionItem::new(&it, app.engine.now()) };
    Ok((status, [(header::ETAG, tag)], Json(result)).into_response())
}

/// Change an action item
///
/// What is absent stays. Putting it off takes a `reason` and a new `due_at`.
#[utoipa::path(
    patch, path = "/api/v1/actions/{action}", operation_id = "edit_action", tag = "postmortems",
    params(("action" = String, Path, description = "Its name, such as AI-142-1")),
    request_body = ActionPatch,
    responses((status = 200, description = "What that did", body = ActionResult))
)]
pub(in super::super) async fn edit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(body): Body<ActionPatch>,
) -> Answer<Response> {
    let expected = expected(&headers)?;
    let (it, incident) = found(&app, &caller, &text).await?;
    caller.must(Permission::PostmortemWrite, &incident.labels)?;
    let edit = ActionEdit {
        title: body.title,
        description: body.description,
        priority: body.priority,
        category: body.category,
        owner: owner(body.owner)?,
        due_at: body.due_at,
        status: body.status,
        reason: body.reason,
        link: body.link,
    };
    let id = it.id;
    let stored = app.engine.store().action(app.engine.tenant(), id).await?.map(Box::new);
    recall(&app, &caller, incident.number).await?;
    let change = LessonChange::EditAction { id, expected, stored, edit: Box::new(edit) };
    let reply = command(&app, &caller, change).await?;
    answer(&app, &caller, &text, (reply.has_changed, StatusCode::OK)).await
}
