//! When one person is on call, in all schedules.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use tocsin_core::identity::{Handle, Who};
use tocsin_wire::v1::PersonShifts;

use super::super::params::Ask;
use super::super::problem::{Answer, Refusal};
use super::{Span, handle, view_of};
use crate::App;
use crate::access::Caller;

/// The most times that one answer lists; `is_cut` says that there are more.
const MAX_SHIFTS: usize = 5_000;

/// List one's own shifts
///
/// When whoever asks is on call, in all schedules: until now as it was recorded, afterwards as it
/// is planned.
#[utoipa::path(
    get, path = "/api/v1/me/shifts", operation_id = "list_my_shifts", tag = "schedules",
    params(Span),
    responses((status = 200, description = "One's shifts", body = PersonShifts))
)]
pub(super) async fn mine(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(span): Ask<Span>,
) -> Answer<Json<PersonShifts>> {
    let Who::Person(person) = &caller.actor.who else {
        let name = caller.actor.who.name();
        let detail = format!("`{name}` is no person and has no shifts; ask for somebody's by name");
        return Err(Refusal::not_found(detail));
    };
    shifts(&app, person, &span).await.map(Json)
}

/// List somebody's shifts
///
/// When the person is on call, in all schedules.
#[utoipa::path(
    get, path = "/api/v1/people/{handle}/shifts", operation_id = "list_shifts_of_person",
    tag = "schedules",
    params(("handle" = String, Path, description = "The person"), Span),
    responses((status = 200, description = "The person's shifts", body = PersonShifts))
)]
pub(super) async fn of_person(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(span): Ask<Span>,
) -> Answer<Json<PersonShifts>> {
    let person = handle("/handle", &name)?;
    if app.engine.directory().person(person.as_str()).is_none() {
        return Err(Refusal::not_found(format!("there is no person `{person}`")));
    }
    shifts(&app, &person, &span).await.map(Json)
}

async fn shifts(app: &App, person: &Handle, span: &Span) -> Answer<PersonShifts> {
    let (from, to) = span.ends(app.engine.now())?;
    let wanted = person.clone();
    let names = app.engine.read(move |tenant, _| tenant.roster().schedules_of(&wanted, from));
    let mut views = Vec::new();
    for name in names.await? {
        views.push((name.to_string(), view_of(app, &name, from, to).await?));
    }
    Ok(PersonShifts::new(person, &views, MAX_SHIFTS))
}
