//! Maintenance windows: planned, possibly recurring quiet times.

use std::error::Error;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Reply};
use tocsin_core::maintenance::{BadWindow, MaintenanceWindow as Window};
use tocsin_core::matcher::ParseMode;
use tocsin_core::rows::MaintenanceRow;
use tocsin_wire::v1::{
    MaintenanceWindow, MaintenanceWindowDraft, MaintenanceWindowPage, NewMaintenanceWindow,
    ProblemCode, SilenceState,
};

use super::body::Json as Body;
use super::cursor::List;
use super::params::{Ask, FromQuery, Nothing, Params};
use super::problem::{Answer, Refusal};
use super::{Shared, matchers};
use crate::App;
use crate::access::Caller;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// The longest occurrence: a year. What is quiet for longer is not planned work.
const MAX_DURATION_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Which maintenance windows to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WindowsQuery {
    /// Only windows that stand like this; may be repeated, and then any will do.
    #[param(required = false)]
    state: Vec<SilenceState>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for WindowsQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            state: params.choices("state")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List maintenance windows
///
/// Ascending by name; those that the configuration file provisions are among them.
#[utoipa::path(
    get, path = "/api/v1/maintenance-windows", operation_id = "list_maintenance_windows",
    tag = "maintenance windows",
    params(WindowsQuery),
    responses((status = 200, description = "A page of windows", body = MaintenanceWindowPage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<WindowsQuery>,
) -> Answer<Json<MaintenanceWindowPage>> {
    let after: Option<String> = List::MaintenanceWindows.key(query.cursor.as_deref())?;
    let mut found = app.engine.read(Tenant::maintenance_windows).await?;
    found.retain(|view| {
        after.as_ref().is_none_or(|after| *view.window.name > **after)
            && (query.state.is_empty() || query.state.contains(&view.state.into()))
    });
    let next_cursor = List::MaintenanceWindows
        .page(&mut found, query.limit, |view| Arc::clone(&view.window.name));
    let items = found.iter().map(MaintenanceWindow::from).collect();
    Ok(Json(MaintenanceWindowPage { items, next_cursor }))
}

/// Plan a maintenance window
#[utoipa::path(
    post, path = "/api/v1/maintenance-windows", operation_id = "create_maintenance_window",
    tag = "maintenance windows",
    request_body = NewMaintenanceWindow,
    responses((
        status = 201, description = "The window", body = MaintenanceWindow,
        headers(("Location" = String, description = "Where it is found"))
    ))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(shared): Extension<Arc<Shared>>,
    Ask(Nothing): Ask<Nothing>,
    Body(new): Body<NewMaintenanceWindow>,
) -> Answer<Response> {
    let (name, draft) = new.into_draft();
    let window = read(name, draft, app.options.parse_mode)?;
    let name = window.name.to_string();
    let _naming = shared.naming.lock().await;
    if look_up(&app, &name).await?.is_some() {
        let detail = format!("there is a maintenance window `{name}` already; PUT changes it");
        return Err(Refusal::new(ProblemCode::AlreadyExists, detail));
    }
    created(&app, set(&app, caller, window).await?)
}

/// Show a maintenance window
#[utoipa::path(
    get, path = "/api/v1/maintenance-windows/{name}", operation_id = "get_maintenance_window",
    tag = "maintenance windows",
    params(("name" = String, Path, description = "The name of the window")),
    responses((status = 200, description = "The window", body = MaintenanceWindow))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<MaintenanceWindow>> {
    let found = look_up(&app, &name).await?;
    found
        .map(Json)
        .ok_or_else(|| Refusal::not_found(format!("there is no maintenance window `{name}`")))
}

/// Plan or change a maintenance window
#[utoipa::path(
    put, path = "/api/v1/maintenance-windows/{name}", operation_id = "replace_maintenance_window",
    tag = "maintenance windows",
    params(("name" = String, Path, description = "The name of the window")),
    request_body = MaintenanceWindowDraft,
    responses(
        (status = 200, description = "The changed window", body = MaintenanceWindow),
        (status = 201, description = "The new window", body = MaintenanceWindow)
    )
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(shared): Extension<Arc<Shared>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<MaintenanceWindowDraft>,
) -> Answer<Response> {
    let window = read(name, draft, app.options.parse_mode)?;
    let _naming = shared.naming.lock().await;
    let is_known = look_up(&app, &window.name).await?.is_some();
    let window = set(&app, caller, window).await?;
    if is_known { Ok(Json(window).into_response()) } else { created(&app, window) }
}

/// Remove a maintenance window
#[utoipa::path(
    delete, path = "/api/v1/maintenance-windows/{name}", operation_id = "delete_maintenance_window",
    tag = "maintenance windows",
    params(("name" = String, Path, description = "The name of the window")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    match app.engine.command(Command::DeleteMaintenanceWindow { name }.by(caller.actor)).await? {
        Reply::Done => Ok(StatusCode::NO_CONTENT),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

fn created(app: &App, window: MaintenanceWindow) -> Answer<Response> {
    let name: String = form_urlencoded::byte_serialize(window.name.as_bytes()).collect();
    // In a path a plus is a plus.
    let name = name.replace('+', "%20");
    let location = format!("{}/api/v1/maintenance-windows/{name}", app.options.prefix());
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(window)).into_response())
}

fn read(name: String, draft: MaintenanceWindowDraft, mode: ParseMode) -> Answer<Window> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Refusal::field("/name", format!("is longer than {MAX_NAME_BYTES} bytes")));
    }
    let matchers = matchers::from_body(&draft.matchers, mode)?;
    super::silences::check_text("/comment", &draft.comment)?;
    super::silences::check_text("/created_by", &draft.created_by)?;
    if draft.created_by.trim().is_empty() {
        return Err(Refusal::field("/created_by", "must not be empty"));
    }
    let duration_seconds = i64::try_from(draft.duration_seconds.min(MAX_DURATION_SECONDS + 1))
        .ok()
        .filter(|_| draft.duration_seconds <= MAX_DURATION_SECONDS)
        .ok_or_else(|| {
            let message = format!("is longer than {MAX_DURATION_SECONDS} seconds");
            Refusal::field("/duration_seconds", message)
        })?;
    Window::from_row(MaintenanceRow {
        name,
        matchers,
        starts_at: draft.starts_at,
        duration_seconds,
        time_zone: draft.time_zone,
        recurrence: draft.recurrence,
        comment: draft.comment,
        created_by: draft.created_by,
    })
    .map_err(|bad| {
        let field = match &bad {
            BadWindow::NoName => "/name",
            BadWindow::NoMatchers { .. } => "/matchers",
            BadWindow::NoDuration { .. } => "/duration_seconds",
            BadWindow::TimeZone { .. } => "/time_zone",
            BadWindow::Recurrence { .. } => "/recurrence",
        };
        let cause = bad.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Refusal::field(field, format!("{bad}{cause}"))
    })
}

async fn set(app: &App, caller: Caller, window: Window) -> Answer<MaintenanceWindow> {
    let name = window.name.to_string();
    match app.engine.command(Command::SetMaintenanceWindow { window }.by(caller.actor)).await? {
        Reply::Done => look_up(app, &name).await?.ok_or_else(|| {
            // Somebody removed it in between.
            Refusal::not_found(format!("there is no maintenance window `{name}` any more"))
        }),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

async fn look_up(app: &App, name: &str) -> Answer<Option<MaintenanceWindow>> {
    let windows = app.engine.read(Tenant::maintenance_windows).await?;
    let found = windows.iter().find(|view| *view.window.name == *name);
    Ok(found.map(MaintenanceWindow::from))
}
