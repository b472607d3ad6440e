//! Schedules and who is on call.

mod calendar;
mod exceptions;
mod imports;
mod report;
mod schedules;
mod shifts;
mod swaps;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Handle, Permission, Scope};
use tocsin_core::oncall::{Entry, FinalView, OnCallChange, RECORDS_IN_MEMORY, Zone};
use tocsin_store::ShiftQuery;
use tocsin_wire::v1::{FieldError, ProblemCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::params::{FromQuery, Params, invalid};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// The longest time of one view.
const MAX_SPAN: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);
/// The time of a view unless asked otherwise.
const DEFAULT_SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Returns the routes.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(schedules::on_call))
        .routes(routes!(schedules::list, schedules::create))
        .routes(routes!(schedules::show, schedules::replace, schedules::delete))
        .routes(routes!(schedules::now))
        .routes(routes!(schedules::preview))
        .routes(routes!(report::final_view))
        .routes(routes!(report::gaps))
        .routes(routes!(report::quality))
        .routes(routes!(report::report))
        .routes(routes!(report::correct))
        .routes(routes!(shifts::mine))
        .routes(routes!(shifts::of_person))
        .routes(routes!(exceptions::overrides, exceptions::add_override))
        .routes(routes!(exceptions::remove_override))
        .routes(routes!(exceptions::blocks, exceptions::add_block))
        .routes(routes!(exceptions::remove_block))
        .routes(routes!(swaps::list, swaps::request))
        .routes(routes!(swaps::take))
        .routes(routes!(swaps::decline))
        .routes(routes!(swaps::cancel))
        .routes(routes!(swaps::absences, swaps::add_absence))
        .routes(routes!(swaps::remove_absence))
        .routes(routes!(imports::list))
        .routes(routes!(imports::show, imports::push))
        .routes(routes!(imports::refresh))
        .routes(routes!(calendar::make_for_schedule))
        .routes(routes!(calendar::make_for_person))
        .routes(routes!(calendar::revoke))
        .routes(routes!(calendar::of_schedule))
        .routes(routes!(calendar::of_person))
}

/// From when to when.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// First instant; unset means now.
    from: Option<Timestamp>,
    /// The instant after the last, at most two years later; unset means 30 days later.
    to: Option<Timestamp>,
}

impl FromQuery for Span {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self { from: params.instant("from")?, to: params.instant("to")? })
    }
}

impl Span {
    /// Returns both ends.
    ///
    /// # Errors
    /// The end does not come after the beginning, or more than two years after it.
    fn ends(&self, now: Timestamp) -> Answer<(Timestamp, Timestamp)> {
        let from = self.from.unwrap_or(now);
        let to = self.to.or_else(|| from.checked_add(DEFAULT_SPAN).ok()).unwrap_or(Timestamp::MAX);
        if to <= from {
            return Err(invalid("to", "must come after `from`"));
        }
        if to.duration_since(from) > MAX_SPAN {
            return Err(invalid("to", "must be at most two years after `from`"));
        }
        Ok((from, to))
    }
}

/// Makes a change in the name of the caller.
async fn change(app: &App, caller: &Caller, change: OnCallChange) -> Answer<()> {
    match app.engine.command(Command::OnCall(change).by(caller.actor.clone())).await? {
        Reply::Done => Ok(()),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Returns something of a schedule.
async fn of_schedule<R: Send + 'static>(
    app: &App,
    name: &str,
    read: impl FnOnce(&tocsin_core::oncall::Roster, &Entry) -> R + Send + 'static,
) -> Answer<R> {
    let wanted = name.to_owned();
    let found = app
        .engine
        .read(move |tenant, _| {
            let roster = tenant.roster();
            roster.entry(&wanted).map(|entry| read(roster, entry))
        })
        .await?;
    found.ok_or_else(|| Refusal::not_found(format!("there is no schedule `{name}`")))
}

/// Returns the final view of a schedule, old records included.
async fn view_of(app: &App, name: &str, from: Timestamp, to: Timestamp) -> Answer<FinalView> {
    let now = app.engine.now();
    let in_memory = now.checked_sub(RECORDS_IN_MEMORY).unwrap_or(now);
    if from >= in_memory {
        return of_schedule(app, name, move |roster, entry| {
            roster.view_of(entry, &entry.records, from, to, now)
        })
        .await;
    }
    let query = ShiftQuery { schedule: name.to_owned(), from, to };
    let records = app.engine.store().shift_records(app.engine.tenant(), query).await?;
    of_schedule(app, name, move |roster, entry| roster.view_of(entry, &records, from, to, now))
        .await
}

/// Returns the zone each person lives in.
fn zone_of(app: &App) -> impl Fn(&Handle) -> Option<Zone> + Send + 'static {
    let directory = app.engine.directory();
    move |person| Zone::named(&directory.person(person.as_str())?.time_zone).ok()
}

/// Refuses what the caller may not do with what is a team's.
fn may(caller: &Caller, permission: Permission, team: Option<&str>) -> Answer<()> {
    let scope = team.map_or(Scope::Tenant, |team| Scope::Team(team.into()));
    if caller.access.allows_within(permission, &scope) {
        return Ok(());
    }
    let what = team.map_or_else(String::new, |team| format!(" for the team `{team}`"));
    let detail = format!("`{permission}` is needed{what}");
    Err(Refusal::new(ProblemCode::Forbidden, detail))
}

/// Refuses what the caller may not do with a schedule.
async fn may_with(app: &App, caller: &Caller, permission: Permission, name: &str) -> Answer<()> {
    let team = of_schedule(app, name, |_, entry| entry.schedule.team.clone()).await?;
    may(caller, permission, team.as_deref())
}

/// Returns whether the caller is that person.
fn is_own(caller: &Caller, person: &Handle) -> bool {
    caller.actor.who == tocsin_core::identity::Who::Person(person.clone())
}

/// Refuses what is neither about the caller, who may then do it for themselves, nor allowed for
/// others.
async fn may_for(app: &App, caller: &Caller, person: &Handle, name: &str) -> Answer<()> {
    if is_own(caller, person) {
        return may_with(app, caller, Permission::ScheduleOwn, name).await;
    }
    may_with(app, caller, Permission::ScheduleOverride, name).await
}

fn handle(pointer: &str, text: &str) -> Answer<Handle> {
    let error = |error: tocsin_core::identity::HandleError| {
        Refusal::about(ProblemCode::Unprocessable, FieldError::at(pointer, error.to_string()))
    };
    Handle::parse(text).map_err(error)
}

fn id(text: &str) -> Answer<Uuid> {
    text.parse().map_err(|_| invalid("id", "is no UUID"))
}
