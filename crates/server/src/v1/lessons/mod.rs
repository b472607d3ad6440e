//! What is learned from incidents: postmortems, action items and the knowledge base.

mod actions;
mod export;
mod knowledge;
mod postmortems;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use compact_str::CompactString;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Handle, Permission, Scope, Team, Who};
use tocsin_core::lesson::{LessonChange, LessonReply};
use tocsin_store::{Viewer, Visible};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::incidents::{header_text, version_of};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// Returns the routes of what is learned.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(postmortems::list))
        .routes(routes!(postmortems::show, postmortems::edit))
        .routes(routes!(postmortems::of_incident, postmortems::begin))
        .routes(routes!(postmortems::redraft))
        .routes(routes!(postmortems::transition))
        .routes(routes!(postmortems::comments, postmortems::comment))
        .routes(routes!(postmortems::versions))
        .routes(routes!(postmortems::version))
        .routes(routes!(export::export))
        .routes(routes!(actions::list))
        .routes(routes!(actions::show, actions::edit))
        .routes(routes!(actions::create))
        .routes(routes!(knowledge::search))
        .routes(routes!(knowledge::similar))
        .routes(routes!(knowledge::write))
        .routes(routes!(knowledge::show, knowledge::rewrite))
}

async fn command(app: &App, caller: &Caller, change: LessonChange) -> Answer<LessonReply> {
    match app.engine.command(Command::Lesson(change).by(caller.actor.clone())).await? {
        Reply::Lesson(reply) => Ok(reply),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Returns what a caller may see of incidents and what belongs to them; the store filters by it.
fn visible(app: &App, caller: &Caller) -> Visible {
    let within = |permission| -> Vec<Scope> {
        let scopes = caller.access.iter().filter(|(_, set)| set.contains(permission));
        scopes.map(|(scope, _)| scope.clone()).collect()
    };
    let scopes = within(Permission::IncidentRead);
    let restricted = within(Permission::IncidentRestrictedRead);
    if scopes.contains(&Scope::Tenant) && restricted.contains(&Scope::Tenant) {
        return None;
    }
    let person = match &caller.actor.who {
        Who::Person(person) => Some(person.clone()),
        _ => None,
    };
    let directory = app.engine.directory();
    let is_theirs = |team: &Team| person.as_ref().is_some_and(|it| team.member(it).is_some());
    let teams = directory.teams().filter(|team| is_theirs(team));
    let teams = teams.map(|team| CompactString::from(&*team.name)).collect();
    Some(Viewer { scopes, restricted, person, teams })
}

/// Reads the version in `If-Match`.
fn expected(headers: &HeaderMap) -> Answer<Option<u64>> {
    version_of(header_text(headers, &header::IF_MATCH)?)
}

/// Reads a handle; nobody when it is empty.
fn owner(text: Option<String>) -> Answer<Option<Option<Handle>>> {
    match text {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(Some(None)),
        Some(text) => match Handle::parse(&text) {
            Ok(handle) => Ok(Some(Some(handle))),
            Err(error) => Err(Refusal::field("/owner", error.to_string())),
        },
    }
}

fn tags(list: Vec<String>) -> BTreeSet<CompactString> {
    list.into_iter().map(CompactString::from).collect()
}
