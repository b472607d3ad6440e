//! API tokens and integration keys: shown once, revocable, bounded by what their maker may do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tocsin_core::identity::{
    Access, ApiToken, IdentityChange, Permission, Permissions, TokenOwner, Who,
};
use tocsin_wire::v1::{NewToken, ProblemCode, Token, TokenDraft, Tokens};
use uuid::Uuid;

use super::body::Json as Body;
use super::params::{Ask, Nothing, invalid};
use super::people::{change, fresh, may_grant};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::{Caller, FreshSecret};

/// List tokens
///
/// The caller's own, or all with `token.write`. Secrets are never shown again.
#[utoipa::path(
    get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "tokens",
    responses((status = 200, description = "Tokens and integration keys", body = Tokens))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
) -> Json<Tokens> {
    let directory = app.engine.directory();
    let mut found: Vec<_> = directory.tokens().filter(|it| is_visible(&caller, it)).collect();
    found.sort_by_key(|token| (std::cmp::Reverse(token.created_at), token.id));
    Json(Tokens { items: found.into_iter().map(|token| Token::from(&**token)).collect() })
}

/// Make a token
///
/// For oneself, for a service, or as the key of an integration. The answer shows the secret; only
/// its hash is kept. Nobody can make a token that may do more than they may.
#[utoipa::path(
    post, path = "/api/v1/tokens", operation_id = "create_token", tag = "tokens",
    request_body = TokenDraft,
    responses((status = 201, description = "The token with its secret", body = NewToken))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<TokenDraft>,
) -> Answer<Response> {
    let now = app.engine.now();
    let wish = draft.read(now).map_err(Refusal::fields)?;
    let (owner, default) = owner(&caller, &draft)?;
    let permissions = if wish.permissions.is_empty() { default } else { wish.permissions };
    if permissions.is_empty() {
        return Err(Refusal::field("/permissions", "say what it may do, or name a role"));
    }
    if !matches!(owner, TokenOwner::Person(_)) {
        may_grant(&caller, &Access::full().narrowed(permissions, &wish.scopes))?;
    }
    let secret = fresh(FreshSecret::token())?;
    let token = ApiToken {
        id: Uuid::new_v4(),
        name: draft.name,
        hash: secret.hash(),
        owner,
        permissions,
        scopes: wish.scopes,
        allowed_from: wish.allowed_from,
        created_at: now,
        created_by: caller.actor.who.name().to_owned(),
        expires_at: draft.expires_at,
        last_used_at: None,
    };
    let shown = Token::from(&token);
    change(&app, &caller, IdentityChange::AddToken(Box::new(token))).await?;
    let made = NewToken { secret: secret.expose().to_owned(), token: shown };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// Revoke a token
///
/// From the moment of the answer it opens nothing.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", operation_id = "revoke_token", tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The id of the token")),
    responses((status = 204, description = "It is revoked"))
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    let id = Uuid::parse_str(&id).map_err(|_| invalid("id", "must be a UUID"))?;
    let directory = app.engine.directory();
    if !directory.token(id).is_some_and(|token| is_visible(&caller, token)) {
        return Err(Refusal::not_found(format!("there is no token {id}")));
    }
    change(&app, &caller, IdentityChange::RevokeToken(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns whom a token will stand for, and what it may do when nothing was said.
fn owner(caller: &Caller, draft: &TokenDraft) -> Answer<(TokenOwner, Permissions)> {
    let needs = |permission: Permission| {
        if caller.access.allows(permission) {
            return Ok(());
        }
        let detail = format!("`{permission}` is needed for this");
        Err(Refusal::new(ProblemCode::Forbidden, detail))
    };
    if let Some(name) = &draft.integration {
        needs(Permission::TokenWrite)?;
        let told = [Permission::AlertIngest, Permission::ChangeRecord];
        return Ok((TokenOwner::Integration(name.clone()), told.into_iter().collect()));
    }
    if let Some(name) = &draft.service {
        needs(Permission::TokenWrite)?;
        return Ok((TokenOwner::Service(name.clone()), Permissions::NONE));
    }
    let Who::Person(handle) = &caller.actor.who else {
        let why = "say which `service` or `integration` it is for; only a person who is signed in \
                   can have a token of their own";
        return Err(Refusal::field("/service", why));
    };
    needs(Permission::TokenOwn)?;
    Ok((TokenOwner::Person(handle.clone()), Permissions::all()))
}

fn is_visible(caller: &Caller, token: &ApiToken) -> bool {
    let is_own = match (&token.owner, &caller.actor.who) {
        (TokenOwner::Person(owner), Who::Person(handle)) => owner == handle,
        _ => false,
    };
    is_own || caller.access.allows(Permission::TokenWrite)
}
