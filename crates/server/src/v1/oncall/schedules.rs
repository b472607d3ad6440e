//! Schedules themselves, and who is on call now.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tocsin_core::identity::Permission;
use tocsin_core::oncall::{Entry, OnCall, OnCallChange, Pick, Roster};
use tocsin_wire::v1::{
    FinalView, NewSchedule, OnCallList, OnCallNow, ProblemCode, Schedule, ScheduleDraft,
    SchedulePage,
};

use super::super::body::Json as Body;
use super::super::cursor::List;
use super::super::params::{Ask, FromQuery, Nothing, Params};
use super::super::problem::{Answer, Refusal};
use super::{Span, change, may, may_with, of_schedule};
use crate::App;
use crate::access::Caller;

/// Which part of the list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for Page {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { cursor: params.text("cursor")?, limit: params.limit()? })
    }
}

/// Whom to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoQuery {
    /// Only schedules that this person is on call in now.
    person: Option<String>,
    /// Only schedules of this team.
    team: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for WhoQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            person: params.text("person")?,
            team: params.text("team")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// Say who is on call
///
/// For everything, ascending by the name of the schedule.
#[utoipa::path(
    get, path = "/api/v1/oncall", operation_id = "list_on_call", tag = "schedules",
    params(WhoQuery),
    responses((status = 200, description = "Who is on call now", body = OnCallList))
)]
pub(super) async fn on_call(
    State(app): State<Arc<App>>,
    Ask(query): Ask<WhoQuery>,
) -> Answer<Json<OnCallList>> {
    let after: Option<String> = List::Schedules.key(query.cursor.as_deref())?;
    let now = app.engine.now();
    let (limit, team, person) = (query.limit, query.team, query.person);
    let mut items = app
        .engine
        .read(move |tenant, _| {
            let roster = tenant.roster();
            let entries = roster.entries().filter(|entry| {
                let schedule = &entry.schedule;
                after.as_ref().is_none_or(|after| *schedule.name > **after)
                    && team.as_ref().is_none_or(|team| schedule.team.as_deref() == Some(&**team))
            });
            let is_theirs = |it: &OnCall| {
                let is = |person: &String| it.people.iter().any(|other| other.as_str() == person);
                person.as_ref().is_none_or(is)
            };
            let found = entries.filter_map(|entry| {
                let present = roster.on_call_in(entry, &Pick::Current, now);
                // Finding who is next costs most, so it is done for those that are told only.
                is_theirs(&present).then(|| with_next(roster, entry, &present, now))
            });
            found.take(limit + 1).collect::<Vec<_>>()
        })
        .await?;
    let next_cursor = List::Schedules.page(&mut items, limit, |it| it.schedule.clone());
    Ok(Json(OnCallList { items, next_cursor }))
}

fn with_next(roster: &Roster, entry: &Entry, present: &OnCall, now: Timestamp) -> OnCallNow {
    let next = roster.on_call_in(entry, &Pick::Next, now);
    OnCallNow::new(&entry.schedule, present, &next)
}

/// List schedules
#[utoipa::path(
    get, path = "/api/v1/schedules", operation_id = "list_schedules", tag = "schedules",
    params(Page),
    responses((status = 200, description = "A page of schedules", body = SchedulePage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<Page>,
) -> Answer<Json<SchedulePage>> {
    let after: Option<String> = List::Schedules.key(query.cursor.as_deref())?;
    let limit = query.limit;
    let mut items =
        app.engine
            .read(move |tenant, _| {
                let entries = tenant.roster().entries().filter(|entry| {
                    after.as_ref().is_none_or(|after| *entry.schedule.name > **after)
                });
                entries.take(limit + 1).map(|it| Schedule::from(&it.schedule)).collect::<Vec<_>>()
            })
            .await?;
    let next_cursor = List::Schedules.page(&mut items, limit, |it| it.name.clone());
    Ok(Json(SchedulePage { items, next_cursor }))
}

/// Make a schedule
#[utoipa::path(
    post, path = "/api/v1/schedules", operation_id = "create_schedule", tag = "schedules",
    request_body = NewSchedule,
    responses((status = 201, description = "The schedule", body = Schedule))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(new): Body<NewSchedule>,
) -> Answer<Response> {
    let (name, draft) = new.into_draft();
    may(&caller, Permission::ScheduleWrite, draft.team.as_deref())?;
    let exists = of_schedule(&app, &name, |_, _| ()).await.is_ok();
    if exists {
        let detail = format!("there is a schedule `{name}` already; PUT changes it");
        return Err(Refusal::new(ProblemCode::AlreadyExists, detail));
    }
    set(&app, &caller, &name, draft).await?;
    let made = find(&app, &name).await?;
    let escaped: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let place = format!("{}/api/v1/schedules/{escaped}", app.options.external_url);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(made)).into_response())
}

/// Show a schedule
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}", operation_id = "get_schedule", tag = "schedules",
    params(("name" = String, Path, description = "The name")),
    responses((status = 200, description = "The schedule", body = Schedule))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Schedule>> {
    find(&app, &name).await.map(Json)
}

/// Make or change a schedule
///
/// Layers that stay as they are go on. Others change when their `rollout` says, and the order of
/// turns goes on in them; what was is not touched.
#[utoipa::path(
    put, path = "/api/v1/schedules/{name}", operation_id = "replace_schedule", tag = "schedules",
    params(("name" = String, Path, description = "The name")),
    request_body = ScheduleDraft,
    responses((status = 200, description = "The schedule", body = Schedule))
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<ScheduleDraft>,
) -> Answer<Json<Schedule>> {
    may(&caller, Permission::ScheduleWrite, draft.team.as_deref())?;
    if let Ok(team) = of_schedule(&app, &name, |_, entry| entry.schedule.team.clone()).await {
        may(&caller, Permission::ScheduleWrite, team.as_deref())?;
    }
    set(&app, &caller, &name, draft).await?;
    find(&app, &name).await.map(Json)
}

/// Remove a schedule
///
/// Refused while a policy, another schedule or a user group names it. The record of who was on call stays.
#[utoipa::path(
    delete, path = "/api/v1/schedules/{name}", operation_id = "delete_schedule",
    tag = "schedules",
    params(("name" = String, Path, description = "The name")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    may_with(&app, &caller, Permission::ScheduleWrite, &name).await?;
    change(&app, &caller, OnCallChange::DeleteSchedule(name.into())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say who is on call in a schedule
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/now", operation_id = "get_on_call",
    tag = "schedules",
    params(("name" = String, Path, description = "The name")),
    responses((status = 200, description = "Who is on call now", body = OnCallNow))
)]
pub(super) async fn now(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<OnCallNow>> {
    let now = app.engine.now();
    let found = of_schedule(&app, &name, move |roster, entry| {
        let present = roster.on_call_in(entry, &Pick::Current, now);
        with_next(roster, entry, &present, now)
    });
    Ok(Json(found.await?))
}

/// Show what an edit would do
///
/// Nothing is stored. The answer is the final view as it would be.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/preview", operation_id = "preview_schedule",
    tag = "schedules",
    params(("name" = String, Path, description = "The name"), Span),
    request_body = ScheduleDraft,
    responses((status = 200, description = "The final view after the edit", body = FinalView))
)]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(span): Ask<Span>,
    Body(draft): Body<ScheduleDraft>,
) -> Answer<Json<FinalView>> {
    let now = app.engine.now();
    let (from, to) = span.ends(now)?;
    let mut spec = draft.into_spec(&name).map_err(Refusal::fields)?;
    if let Ok(known) = of_schedule(&app, &name, |_, entry| entry.schedule.spec()).await {
        spec.keep_addresses(&known);
    }
    spec.check().map_err(|why| Refusal::from(tocsin_core::command::Rejection::from(why)))?;
    let author = caller.actor.who.name().to_owned();
    let view = app
        .engine
        .read(move |tenant, _| tenant.roster().preview(&spec, &author, from, to, now))
        .await?;
    Ok(Json(FinalView::from(&view)))
}

async fn set(app: &App, caller: &Caller, name: &str, draft: ScheduleDraft) -> Answer<()> {
    let mut spec = draft.into_spec(name).map_err(Refusal::fields)?;
    // Whoever edits a schedule sends back what was shown, in which addresses are masked.
    if let Ok(known) = of_schedule(app, name, |_, entry| entry.schedule.spec()).await {
        spec.keep_addresses(&known);
    }
    if let Some(team) = &spec.team
        && app.engine.directory().team(team).is_none()
    {
        let error = tocsin_wire::v1::FieldError::at("/team", format!("there is no team `{team}`"));
        return Err(Refusal::about(ProblemCode::Unprocessable, error));
    }
    change(app, caller, OnCallChange::SetSchedule(Box::new(spec))).await
}

async fn find(app: &App, name: &str) -> Answer<Schedule> {
    of_schedule(app, name, |_, entry| Schedule::from(&entry.schedule)).await
}
