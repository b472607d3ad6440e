//! Teams and who belongs to them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use tocsin_core::identity::{Access, Grant, IdentityChange, Permission, Scope};
use tocsin_wire::v1::{ProblemCode, Team, TeamDraft, Teams};

use super::body::Json as Body;
use super::params::{Ask, Nothing};
use super::people::{change, may_grant};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// List teams
///
/// Ascending by name; those that the configuration file provisions are among them.
#[utoipa::path(
    get, path = "/api/v1/teams", operation_id = "list_teams", tag = "people",
    responses((status = 200, description = "All teams", body = Teams))
)]
pub(super) async fn list(State(app): State<Arc<App>>, Ask(Nothing): Ask<Nothing>) -> Json<Teams> {
    let directory = app.engine.directory();
    Json(Teams { items: directory.teams().map(|team| Team::from(&**team)).collect() })
}

/// Show a team
#[utoipa::path(
    get, path = "/api/v1/teams/{name}", operation_id = "get_team", tag = "people",
    params(("name" = String, Path, description = "The name")),
    responses((status = 200, description = "The team", body = Team))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Team>> {
    find(&app, &name).map(Json)
}

/// Make or change a team
///
/// A manager of the team may change it, too, and give its members no more than they have.
#[utoipa::path(
    put, path = "/api/v1/teams/{name}", operation_id = "replace_team", tag = "people",
    params(("name" = String, Path, description = "The name")),
    request_body = TeamDraft,
    responses((status = 200, description = "The team", body = Team))
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<TeamDraft>,
) -> Answer<Json<Team>> {
    may_write(&caller, &name)?;
    let team = draft.into_team(name.clone()).map_err(Refusal::fields)?;
    let scope = || Scope::Team(Arc::clone(&team.name));
    let grants = team.members.iter().map(|it| Grant { role: it.role, scope: scope() });
    may_grant(&caller, &grants.collect::<Access>())?;
    change(&app, &caller, IdentityChange::SetTeam(Box::new(team))).await?;
    find(&app, &name).map(Json)
}

/// Dissolve a team
///
/// Its members stay; what they might do through the team ends.
#[utoipa::path(
    delete, path = "/api/v1/teams/{name}", operation_id = "delete_team", tag = "people",
    params(("name" = String, Path, description = "The name")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    may_write(&caller, &name)?;
    change(&app, &caller, IdentityChange::DeleteTeam(name.into())).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn may_write(caller: &Caller, name: &str) -> Answer<()> {
    if caller.access.allows_within(Permission::TeamWrite, &Scope::Team(name.into())) {
        return Ok(());
    }
    let detail = format!("`{}` is needed for the team `{name}`", Permission::TeamWrite);
    Err(Refusal::new(ProblemCode::Forbidden, detail))
}

fn find(app: &App, name: &str) -> Answer<Team> {
    let directory = app.engine.directory();
    let found = directory.team(name);
    found
        .map(|team| Team::from(&**team))
        .ok_or_else(|| Refusal::not_found(format!("there is no team `{name}`")))
}
