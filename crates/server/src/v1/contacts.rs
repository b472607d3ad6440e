//! How people are reached: everybody changes that for themselves, and whoever may change people
//! for others, too.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use tocsin_core::command::PagingChange;
use tocsin_core::identity::{Credential, Handle, Permission, Who};
use tocsin_core::paging::MethodId;
use tocsin_wire::v1::{
    ContactCode, ContactMethodDraft, NotificationRules, PersonContacts, ProblemCode,
};

use super::body::Json as Body;
use super::params::{Ask, Nothing, invalid};
use super::people::{fresh, parse_handle};
use super::policies::change;
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::{Caller, random_digits};

/// Show how a person is reached
///
/// Where the methods lead is shown to the person and to those who may change people; others see
/// only as much as tells one from another.
#[utoipa::path(
    get, path = "/api/v1/people/{handle}/contacts", operation_id = "get_contacts",
    tag = "contacts",
    params(("handle" = String, Path, description = "The handle")),
    responses((status = 200, description = "How they are reached", body = PersonContacts))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<PersonContacts>> {
    let person = known(&app, &caller, &handle)?;
    shown(&app, &caller, person).await
}

/// Set a contact method
///
/// Methods that need it are verified before anything is sent there.
#[utoipa::path(
    put, path = "/api/v1/people/{handle}/contacts/{id}", operation_id = "replace_contact",
    tag = "contacts",
    params(
        ("handle" = String, Path, description = "The handle"),
        ("id" = String, Path, description = "The name of the method")
    ),
    request_body = ContactMethodDraft,
    responses((status = 200, description = "How they are reached now", body = PersonContacts))
)]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((handle, id)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<ContactMethodDraft>,
) -> Answer<Json<PersonContacts>> {
    let person = changeable(&app, &caller, &handle)?;
    let id = parse_id(&id)?;
    let channel = draft.channel().map_err(|error| Refusal::fields(vec![error]))?;
    let address = draft.address;
    let set = PagingChange::SetMethod { person: person.clone(), id, channel, address };
    change(&app, &caller, set).await?;
    shown(&app, &caller, person).await
}

/// Remove a contact method
#[utoipa::path(
    delete, path = "/api/v1/people/{handle}/contacts/{id}", operation_id = "delete_contact",
    tag = "contacts",
    params(
        ("handle" = String, Path, description = "The handle"),
        ("id" = String, Path, description = "The name of the method")
    ),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((handle, id)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let person = changeable(&app, &caller, &handle)?;
    change(&app, &caller, PagingChange::RemoveMethod { person, id: parse_id(&id)? }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a code to a contact method
///
/// Whoever tells it within 15 minutes has shown that the address is theirs. Another can be asked
/// for a minute later.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/contacts/{id}/verify", operation_id = "verify_contact",
    tag = "contacts",
    params(
        ("handle" = String, Path, description = "The handle"),
        ("id" = String, Path, description = "The name of the method")
    ),
    responses((status = 200, description = "A code is on its way", body = PersonContacts))
)]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((handle, id)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<PersonContacts>> {
    let person = changeable(&app, &caller, &handle)?;
    let (id, code) = (parse_id(&id)?, fresh(random_digits())?);
    let begin = PagingChange::BeginVerification { person: person.clone(), id, code };
    change(&app, &caller, begin).await?;
    shown(&app, &caller, person).await
}

/// Tell the code that was sent
///
/// After five wrong ones another has to be asked for.
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/contacts/{id}/confirm", operation_id = "confirm_contact",
    tag = "contacts",
    params(
        ("handle" = String, Path, description = "The handle"),
        ("id" = String, Path, description = "The name of the method")
    ),
    request_body = ContactCode,
    responses((status = 200, description = "The address is theirs", body = PersonContacts))
)]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((handle, id)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<ContactCode>,
) -> Answer<Json<PersonContacts>> {
    let person = changeable(&app, &caller, &handle)?;
    let (id, code) = (parse_id(&id)?, draft.code);
    change(&app, &caller, PagingChange::Verify { person: person.clone(), id, code }).await?;
    shown(&app, &caller, person).await
}

/// Send a test message to a contact method
#[utoipa::path(
    post, path = "/api/v1/people/{handle}/contacts/{id}/test", operation_id = "test_contact",
    tag = "contacts",
    params(
        ("handle" = String, Path, description = "The handle"),
        ("id" = String, Path, description = "The name of the method")
    ),
    responses((status = 204, description = "It is on its way"))
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((handle, id)): Path<(String, String)>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let person = changeable(&app, &caller, &handle)?;
    change(&app, &caller, PagingChange::TestMethod { person, id: parse_id(&id)? }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set when a person is reached by which method
///
/// What is left empty is as the configuration file says, or as usual.
#[utoipa::path(
    put, path = "/api/v1/people/{handle}/notification-rules",
    operation_id = "replace_notification_rules", tag = "contacts",
    params(("handle" = String, Path, description = "The handle")),
    request_body = NotificationRules,
    responses((status = 200, description = "How they are reached now", body = PersonContacts))
)]
pub(super) async fn set_rules(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(handle): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<NotificationRules>,
) -> Answer<Json<PersonContacts>> {
    let person = changeable(&app, &caller, &handle)?;
    let rules = draft.into_rules().map_err(Refusal::fields)?;
    change(&app, &caller, PagingChange::SetRules { person: person.clone(), rules }).await?;
    shown(&app, &caller, person).await
}

async fn shown(app: &App, caller: &Caller, person: Handle) -> Answer<Json<PersonContacts>> {
    let is_masked = !is_self(caller, &person) && !caller.access.allows(Permission::PeopleWrite);
    let contacts = app.engine.read(move |tenant, _| tenant.contacts_of(&person)).await?;
    Ok(Json(PersonContacts::new(&contacts, is_masked)))
}

/// Returns whether the caller is that person, signed in or by a token that may speak for them in
/// this.
pub(super) fn is_self(caller: &Caller, person: &Handle) -> bool {
    let may = match caller.actor.credential {
        Credential::Token(_) => caller.access.allows_somewhere(Permission::ContactOwn),
        _ => true,
    };
    may && matches!(&caller.actor.who, Who::Person(who) if who == person)
}

/// Returns a person of whom the caller may know.
fn known(app: &App, caller: &Caller, handle: &str) -> Answer<Handle> {
    let person = parse_handle(handle)?;
    let is_known = app.engine.directory().person(person.as_str()).is_some();
    let may_know = is_self(caller, &person) || caller.access.allows(Permission::PeopleRead);
    if is_known && may_know {
        return Ok(person);
    }
    Err(Refusal::not_found(format!("there is no person `{person}`")))
}

/// Returns a person whose contact methods the caller may change.
fn changeable(app: &App, caller: &Caller, handle: &str) -> Answer<Handle> {
    let person = known(app, caller, handle)?;
    if is_self(caller, &person) || caller.access.allows(Permission::PeopleWrite) {
        return Ok(person);
    }
    let detail = "how somebody else is reached is changed by those who may change people";
    Err(Refusal::new(ProblemCode::Forbidden, detail))
}

fn parse_id(text: &str) -> Answer<MethodId> {
    MethodId::parse(text).map_err(|error| invalid("id", error.to_string()))
}
