//! People: who they are, what they own, and who takes over.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::{Access, Handle, IdentityChange, SignInLink, Who};
use tocsin_wire::v1::{
    Identity, OwnedThings, PeoplePage, Person, PersonDraft, ProblemCode, SignInLinkMade,
};

use super::body::Json as Body;
use super::cursor::List;
use super::params::{Ask, FromQuery, Nothing, Params, invalid};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::{Caller, FreshSecret};

/// How long a link that signs in once works.
const LINK_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Which people to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PeopleQuery {
    /// Only people who are active, or only those who are not.
    active: Option<bool>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for PeopleQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            active: params.parsed("active", "`true` or `false`")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// Show who asks
///
/// What the caller is known as, and what they may do where.
#[utoipa::path(
    get, path = "/api/v1/me", operation_id = "get_me", tag = "people",
    responses((status = 200, description = "Who asks", body = Identity))
)]
pub(super) async fn me(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
) -> Json<Identity> {
    let mut identity = Identity::new(&caller.actor.who, &caller.access);
    if let Who::Person(handle) = &caller.actor.who {
        let directory = app.engine.directory();
        let person = directory.person(handle.as_str());
        identity.time_zone = person.map(|person| person.time_zone.to_string());
    }
    Json(identity)
}

/// List people
///
/// Ascending by handle; those that the configuration file provisions are among them.
#[utoipa::path(
    get, path = "/api/v1/people", operation_id = "list_people", tag = "people",
    params(PeopleQuery),
    responses((status = 200, description = "A page of people", body = PeoplePage))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(query): Ask<PeopleQuery>,
) -> Answer<Json<PeoplePage>> {
    let after: Option<String> = List::People.key(query.cursor.as_deref())?;
    let directory = app.engine.directory();
    let follows = |handle: &Handle| after.as_deref().is_none_or(|after| handle.as_str() > after);
    let mut found: Vec<_> = directory
        .people()
        .filter(|person| follows(&person.handle))
        .filter(|person| query.active.is_none_or(|active| active == person.is_active))
        .take(query.limit + 1)
        .collect();
    let next_cursor = List::People.page(&mut found, query.limit, |person| person.handle.clone());
    let items = found.iter().map(|person| Person::new(person, &directory)).collect();
    Ok(Json(PeoplePage { items, next_cursor }))
}

/// Show a person
#[utoipa::path(
    get, path = "/api/v1/people/{handle}", operation_id = "get_person", tag = "people",
    params(("handle" = String, Path, description = "The handle")),
    responses((status = 200, description = "The person", body = Person))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Person>> {
    find(&app, &parse_handle(&handle)?).map(Json)
}

/// Add a person
///
/// They can sign in once they have a link, or at the identity provider.
#[utoipa::path(
    post, path = "/api/v1/people", operation_id = "create_person", tag = "people",
    request_body = PersonDraft,
    responses((
        status = 201, description = "The person", body = Person,
        headers(("Location" = String, description = "Where it is found"))
    ))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<PersonDraft>,
) -> Answer<Response> {
    let handle = Handle::parse(draft.handle.as_deref().unwrap_or_default());
    let handle = handle.map_err(|error| Refusal::field("/handle", error.to_string()))?;
    let person = draft.into_person(handle.clone()).map_err(Refusal::fields)?;
    may_grant(&caller, &person.grants.iter().cloned().collect())?;
    change(&app, &caller, IdentityChange::AddPerson(Box::new(person))).await?;
    let location = format!("{}/api/v1/people/{handle}", app.options.prefix());
    let person = find(&app, &handle)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(person)).into_response())
}

/// Change a person
///
/// All fields are replaced; whether they are active and what they sign in with stay.
#[utoipa::path(
    put, path = "/api/v1/people/{handle}", operation_id = "replace_person", tag = "people",
    params(("handle" = String, Path, description = "The handle")),
    request_body = PersonDraft,
    responses((status = 200, description = "The person", body = Person))
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<PersonDraft>,
) -> Answer<Json<Person>> {
    let handle = parse_handle(&handle)?;
    if draft.handle.as_ref().is_some_and(|given| given != handle.as_str()) {
        return Err(Refusal::field("/handle", "is not that of the path, and never changes"));
    }
    let person = draft.into_person(handle.clone()).map_err(Refusal::fields)?;
    may_grant(&caller, &person.grants.iter().cloned().collect())?;
    may_grant(&caller, &app.engine.directory().access_of(handle.as_str()))?;
    change(&app, &caller, IdentityChange::ChangePerson(Box::new(person))).await?;
    find(&app, &handle).map(Json)
}

/// Show what a person owns
///
/// And who will have it when they are deactivated.
#[utoipa::path(
    get, path = "/api/v1/people/{handle}/owned", operation_id = "list_owned", tag = "people",
    params(("handle" = String, Path, description = "The handle")),
    responses((status = 200, description = "What they own", body = OwnedThings))
)]
pub(super) async fn owned(
    State(app): State<Arc<App>>,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<OwnedThings>> {
    let handle = parse_handle(&handle)?;
    find(&app, &handle)?;
    let owned = app.engine.read(move |tenant, _| tenant.owned_by(&handle)).await?;
    Ok(Json(owned.into()))
}

/// Deactivate a person
///
/// Sessions and tokens end. What they own passes to their manager, else to whom a team of theirs
/// has on call by default; the answer shows it.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/deactivate", operation_id = "deactivate_person",
    tag = "people",
    params(("handle" = String, Path, description = "The handle")),
    responses((status = 200, description = "What they owned and who has it", body = OwnedThings))
)]
pub(super) async fn deactivate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<OwnedThings>> {
    let handle = parse_handle(&handle)?;
    find(&app, &handle)?;
    may_grant(&caller, &app.engine.directory().access_of(handle.as_str()))?;
    let of = handle.clone();
    let owned = app.engine.read(move |tenant, _| tenant.owned_by(&of)).await?;
    change(&app, &caller, IdentityChange::Deactivate(handle)).await?;
    Ok(Json(owned.into()))
}

/// Reactivate a person
///
/// They sign in anew; tokens and what passed to others stay where they are.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/reactivate", operation_id = "reactivate_person",
    tag = "people",
    params(("handle" = String, Path, description = "The handle")),
    responses((status = 200, description = "The person", body = Person))
)]
pub(super) async fn reactivate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Person>> {
    let handle = parse_handle(&handle)?;
    change(&app, &caller, IdentityChange::Reactivate(handle.clone())).await?;
    find(&app, &handle).map(Json)
}

/// Make a link that signs a person in once
///
/// For somebody new, or somebody who has forgotten the password: they open it and choose one. A
/// link that was made before ends.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/sign-in-link", operation_id = "create_sign_in_link",
    tag = "people",
    params(("handle" = String, Path, description = "The handle")),
    responses((status = 201, description = "The link", body = SignInLinkMade))
)]
pub(super) async fn sign_in_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let handle = parse_handle(&handle)?;
    find(&app, &handle)?;
    // Whoever could sign in as somebody who may do more would be able to do more.
    may_grant(&caller, &app.engine.directory().access_of(handle.as_str()))?;
    let made = make_link(&app, &caller.actor, handle, LINK_LIFE).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Makes a link that signs somebody in once.
pub(crate) async fn make_link(
    app: &App,
    by: &tocsin_core::identity::Actor,
    person: Handle,
    life: SignedDuration,
) -> Answer<SignInLinkMade> {
    let secret = fresh(FreshSecret::plain())?;
    let expires_at = app.engine.now().checked_add(life).unwrap_or(Timestamp::MAX);
    let link = SignInLink { hash: secret.hash(), person, expires_at };
    let order = Command::Identity(IdentityChange::AddLink(link)).by(by.clone());
    match app.engine.command(order).await? {
        Reply::Rejected(rejection) => return Err(rejection.into()),
        Reply::Done => {}
        other => return Err(Refusal::unexpected(&other)),
    }
    let url = format!("{}/sign-in/link?token={}", app.options.external_url, secret.expose());
    Ok(SignInLinkMade { url, expires_at })
}

/// Makes a change in the name of the caller.
pub(crate) async fn change(app: &App, caller: &Caller, change: IdentityChange) -> Answer<()> {
    match app.engine.command(Command::Identity(change).by(caller.actor.clone())).await? {
        Reply::Done => Ok(()),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

/// Refuses to hand out, or to rule over, more than the caller has.
pub(super) fn may_grant(caller: &Caller, access: &Access) -> Answer<()> {
    if caller.access.includes(access) {
        return Ok(());
    }
    let detail = "this would take more than you may do yourself";
    Err(Refusal::new(ProblemCode::Forbidden, detail))
}

/// Returns a fresh secret, or says that there is none.
pub(crate) fn fresh<T>(made: Result<T, String>) -> Answer<T> {
    made.map_err(|why| {
        tracing::error!("{why}");
        Refusal::new(ProblemCode::Internal, "the system has no random numbers")
    })
}

fn find(app: &App, handle: &Handle) -> Answer<Person> {
    let directory = app.engine.directory();
    let found = directory.person(handle.as_str());
    let found = found.ok_or_else(|| Refusal::not_found(format!("there is no person `{handle}`")));
    found.map(|person| Person::new(person, &directory))
}

pub(super) fn parse_handle(text: &str) -> Answer<Handle> {
    Handle::parse(text).map_err(|_| invalid("handle", "is no handle"))
}
