//! Calendars elsewhere that schedules import: how they stand, read now, or sent in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use tocsin_core::command::Reply;
use tocsin_core::identity::Permission;
use tocsin_core::oncall::{ImportLocation, ImportOutcome, OnCallChange};
use tocsin_wire::ical::{self, MAX_CALENDAR_BYTES, Reading};
use tocsin_wire::v1::{FieldError, ImportState, ImportStates, ProblemCode};

use super::super::body::Raw;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use super::{change, may_with, of_schedule};
use crate::App;
use crate::access::Caller;

/// List the calendars that a schedule imports
///
/// With when each was read, what of it could not be understood, and whom nobody knows.
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/imports", operation_id = "list_imports",
    tag = "schedules",
    params(("name" = String, Path, description = "The schedule")),
    responses((status = 200, description = "The calendars", body = ImportStates))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<ImportStates>> {
    let items = of_schedule(&app, &name, |_, entry| ImportState::all(entry)).await?;
    Ok(Json(ImportStates { items }))
}

/// Show a calendar that a schedule imports
#[utoipa::path(
    get, path = "/api/v1/schedules/{name}/imports/{import}", operation_id = "get_import",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("import" = String, Path, description = "The calendar"),
    ),
    responses((status = 200, description = "How it stands", body = ImportState))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((name, import)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<ImportState>> {
    find(&app, &name, &import).await.map(Json)
}

/// Read a calendar now
///
/// The answer says how it stands afterwards. One that cannot be read is no error of this request:
/// `failure` says why, and what it said last holds on.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/imports/{import}/refresh",
    operation_id = "refresh_import", tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("import" = String, Path, description = "The calendar"),
    ),
    responses((status = 200, description = "How it stands", body = ImportState))
)]
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, import)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<ImportState>> {
    may_with(&app, &caller, Permission::ScheduleWrite, &name).await?;
    let state = find(&app, &name, &import).await?;
    if state.import.source == tocsin_wire::v1::ImportSource::Pushed {
        let detail = format!("calendar `{import}` is sent in, so there is nothing to read");
        return Err(Refusal::new(ProblemCode::Conflict, detail));
    }
    match tocsin_engine::refresh_calendar(&app.engine, &*app.deliver, &name, &import).await? {
        Reply::Done => find(&app, &name, &import).await.map(Json),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Send a calendar in
///
/// For calendars with the source `pushed`. The body takes the place of what was sent before; an
/// event that cannot be understood is left out and named in `trouble`.
#[utoipa::path(
    post, path = "/api/v1/schedules/{name}/imports/{import}", operation_id = "push_import",
    tag = "schedules",
    params(
        ("name" = String, Path, description = "The schedule"),
        ("import" = String, Path, description = "The calendar"),
    ),
    request_body(content = String, content_type = "text/calendar", description = "The calendar"),
    responses((status = 200, description = "How it stands", body = ImportState))
)]
pub(super) async fn push(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, import)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Answer<Json<ImportState>> {
    may_with(&app, &caller, Permission::ScheduleWrite, &name).await?;
    check_media_type(&headers)?;
    if body.len() > MAX_CALENDAR_BYTES {
        let detail = ical::NotACalendar::TooLong.to_string();
        return Err(Refusal::new(ProblemCode::BodyTooLarge, detail));
    }
    let wanted = import.clone();
    let found = of_schedule(&app, &name, move |_, entry| {
        let spec = entry.schedule.imports.iter().find(|it| *it.name == *wanted)?;
        Some((entry.schedule.zone.clone(), spec.kind, spec.location == ImportLocation::Pushed))
    });
    let Some((zone, kind, is_pushed)) = found.await? else { return Err(not_there(&name, &import)) };
    if !is_pushed {
        let detail = format!("calendar `{import}` is read from elsewhere; change it there");
        return Err(Refusal::new(ProblemCode::Conflict, detail));
    }
    let reading = Reading::at(app.engine.now(), zone, kind);
    // A long calendar takes a moment, in which others are served.
    let read = tokio::task::spawn_blocking(move || ical::read(&body, &reading)).await;
    let calendar = match read {
        Ok(Ok(calendar)) => calendar,
        Ok(Err(why)) => {
            let error = FieldError::at("", why.to_string());
            return Err(Refusal::about(ProblemCode::InvalidBody, error));
        }
        Err(error) => return Err(Refusal::new(ProblemCode::Internal, error.to_string())),
    };
    let outcome = ImportOutcome::Fetched { events: calendar.events, trouble: calendar.trouble };
    let (schedule, which) = (name.as_str().into(), import.as_str().into());
    let import_change = OnCallChange::Import { schedule, import: which, outcome, is_pushed: true };
    change(&app, &caller, import_change).await?;
    find(&app, &name, &import).await.map(Json)
}

fn check_media_type(headers: &HeaderMap) -> Answer<()> {
    let given = headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), |value| value.as_bytes());
    let given = String::from_utf8_lossy(given);
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(media_type.as_str(), "text/calendar" | "text/plain" | "application/octet-stream") {
        return Ok(());
    }
    let detail = format!("the body must have `Content-Type: text/calendar`, not `{given}`");
    Err(Refusal::new(ProblemCode::UnsupportedMediaType, detail))
}

async fn find(app: &App, name: &str, import: &str) -> Answer<ImportState> {
    let wanted = import.to_owned();
    let found = of_schedule(app, name, move |_, entry| ImportState::of(entry, &wanted)).await?;
    found.ok_or_else(|| not_there(name, import))
}

fn not_there(name: &str, import: &str) -> Refusal {
    Refusal::not_found(format!("schedule `{name}` imports no calendar `{import}`"))
}
