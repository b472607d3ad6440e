//! What was and will be: final views, gaps, quality, hours, corrections.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tocsin_core::event::Event;
use tocsin_core::identity::{Handle, Permission};
use tocsin_core::oncall::OnCallChange;
use tocsin_store::{EventQuery, MAX_EVENTS_PER_QUERY};
use tocsin_wire::v1::{
    Correction, FinalView, ScheduleQuality, ShiftGap, ShiftHours, ShiftMonth, ShiftReport,
};

use super::super::body::Json as Body;
use super::super::params::{Ask, FromQuery, Nothing, Params, invalid};
use super::super::problem::Answer;
use super::{Span, change, handle, may_with, of_schedule, view_of, zone_of};
use crate::App;
use crate::access::Caller;

/// How many times the history is asked for pages; beyond it the report says that it is cut.
const MAX_QUERIES: usize = 100;

/// Show who was and will be on call
///
/// Until now as it was recorded, afterwards as it is planned.
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/final", operation_id = "get_final_view",
    tag = "schedules",
    params(("name" = String, Path, description = "The name"), Span),
    responses((status = 200, description = "The final view", body = FinalView))
)]
pub(super) async fn final_view(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(span): Ask<Span>,
) -> Answer<Json<FinalView>> {
    let (from, to) = span.ends(app.engine.now())?;
    let view = view_of(&app, &name, from, to).await?;
    Ok(Json(FinalView::from(&view)))
}

/// List gaps
///
/// Times in which fewer are on call than the schedule wants.
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/gaps", operation_id = "list_gaps", tag = "schedules",
    params(("name" = String, Path, description = "The name"), Span),
    responses((status = 200, description = "The gaps, ascending", body = [ShiftGap]))
)]
pub(super) async fn gaps(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(span): Ask<Span>,
) -> Answer<Json<Vec<ShiftGap>>> {
    let (from, to) = span.ends(app.engine.now())?;
    let view = view_of(&app, &name, from, to).await?;
    Ok(Json(view.gaps.iter().map(ShiftGap::from).collect()))
}

/// Say how good a schedule is
///
/// Coverage and balance, who carries how much, and what would make it better. Look at a year to
/// see whole rotations.
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/quality", operation_id = "get_quality",
    tag = "schedules",
    params(("name" = String, Path, description = "The name"), Span),
    responses((status = 200, description = "How good it is", body = ScheduleQuality))
)]
pub(super) async fn quality(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(span): Ask<Span>,
) -> Answer<Json<ScheduleQuality>> {
    let (from, to) = span.ends(app.engine.now())?;
    let view = view_of(&app, &name, from, to).await?;
    let zones = zone_of(&app);
    let quality = of_schedule(&app, &name, move |roster, entry| {
        roster.quality(entry, &view, from, to, &zones)
    });
    Ok(Json(quality.await?.into()))
}

/// Which hours to report, and how.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// First instant; unset means now.
    from: Option<Timestamp>,
    /// The instant after the last, at most two years later; unset means 30 days later.
    to: Option<Timestamp>,
    /// `json` or `csv`.
    #[param(required = false, default = "json")]
    format: Option<String>,
}

impl FromQuery for ReportQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            from: params.instant("from")?,
            to: params.instant("to")?,
            format: params.text("format")?,
        })
    }
}

/// Report hours
///
/// By month and person, split into working days, nights, weekends and holidays by the person's own
/// clock, with the messages that paged the person meanwhile.
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/report", operation_id = "get_report",
    tag = "schedules",
    params(("name" = String, Path, description = "The name"), ReportQuery),
    responses((status = 200, description = "Hours by month and person", body = ShiftReport))
)]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(query): Ask<ReportQuery>,
) -> Answer<Response> {
    let span = Span { from: query.from, to: query.to };
    let (from, to) = span.ends(app.engine.now())?;
    let is_csv = match query.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(invalid("format", "must be json or csv")),
    };
    let view = view_of(&app, &name, from, to).await?;
    let (pages, are_pages_cut) = pages(&app, from, to).await?;
    let zones = zone_of(&app);
    let rows = of_schedule(&app, &name, move |roster, entry| {
        roster.monthly_hours(entry, &view, &pages, &zones)
    });
    let items: Vec<ShiftMonth> = rows
        .await?
        .into_iter()
        .map(|it| ShiftMonth {
            month: it.month,
            person: it.person.to_string(),
            hours: ShiftHours::from(it.hours),
            pages: it.pages,
            night_pages: it.night_pages,
        })
        .collect();
    if is_csv {
        let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
        return Ok((kind, csv(&items)).into_response());
    }
    Ok(Json(ShiftReport { items, are_pages_cut }).into_response())
}

/// Returns who was paged when, and whether there was more than is looked at.
async fn pages(
    app: &App,
    from: Timestamp,
    to: Timestamp,
) -> Answer<(Vec<(Timestamp, Handle)>, bool)> {
    let (store, tenant) = (app.engine.store(), app.engine.tenant());
    let mut query = EventQuery {
        kinds: vec!["page_queued".to_owned()],
        from: Some(from),
        to: Some(to),
        limit: MAX_EVENTS_PER_QUERY,
        ..EventQuery::default()
    };
    let mut found = Vec::new();
    for _ in 0..MAX_QUERIES {
        let events = store.events(tenant, query.clone()).await?;
        let is_end = events.len() < MAX_EVENTS_PER_QUERY;
        query.before = events.last().map(|last| last.sequence);
        for recorded in events {
            if let Event::PageQueued { recipient, content, .. } = &recorded.event
                && content == "page"
                && let Some(person) = recipient.person()
            {
                found.push((recorded.at, person.clone()));
            }
        }
        if is_end {
            return Ok((found, false));
        }
    }
    Ok((found, true))
}

/// Writes the report as a table; handles and months need no quotes.
fn csv(items: &[ShiftMonth]) -> String {
    let mut text =
        "month,person,total_hours,weekday_hours,night_hours,weekend_hours,holiday_hours,\
         pages,night_pages\r\n"
            .to_owned();
    for ShiftMonth { month, person, hours, pages, night_pages } in items {
        let parts = [
            hours.total_seconds,
            hours.weekday_seconds,
            hours.night_seconds,
            hours.weekend_seconds,
            hours.holiday_seconds,
        ];
        let _ = write!(text, "{month},{person}");
        for seconds in parts {
            // Hundredths of hours, without the detour of floating point.
            let hundredths = seconds / 36;
            let _ = write!(text, ",{}.{:02}", hundredths / 100, hundredths % 100);
        }
        let _ = write!(text, ",{pages},{night_pages}\r\n");
    }
    text
}

/// Correct the record
///
/// For an administrator, within the last 35 days. The audit log keeps how it was.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/corrections", operation_id = "correct_history",
    tag = "schedules",
    params(("name" = String, Path, description = "The name")),
    request_body = Correction,
    responses((status = 204, description = "It is recorded so"))
)]
pub(super) async fn correct(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(it): Body<Correction>,
) -> Answer<StatusCode> {
    may_with(&app, &caller, Permission::ScheduleCorrect, &name).await?;
    let people: Vec<Handle> =
        it.people.iter().map(|person| handle("/people", person)).collect::<Answer<_>>()?;
    let correction = OnCallChange::CorrectHistory {
        schedule: name.into(),
        from: it.from,
        to: it.to,
        people,
        reason: it.reason,
    };
    change(&app, &caller, correction).await?;
    Ok(StatusCode::NO_CONTENT)
}
