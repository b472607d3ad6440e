//! Stored secrets: set, listed by name, removed; their values never come back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};
use tocsin_config::{MAX_SECRET_FILE_BYTES, is_secret_name};
use tocsin_core::identity::{IdentityChange, SealedSecret};
use tocsin_wire::v1::{ProblemCode, SecretDraft, StoredSecret, StoredSecrets};

use super::body::RawJson;
use super::params::{Ask, Nothing, invalid};
use super::people::change;
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;
use crate::secrets::place;

/// List stored secrets
///
/// Their names, who set them and when, and when they were used last; never their values.
#[utoipa::path(
    get, path = "/api/v1/secrets", operation_id = "list_secrets", tag = "secrets",
    responses((status = 200, description = "All stored secrets", body = StoredSecrets))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Json<StoredSecrets> {
    let directory = app.engine.directory();
    Json(StoredSecrets { items: directory.secrets().map(|it| StoredSecret::from(&**it)).collect() })
}

/// Set a secret
///
/// The configuration uses it as `${secret:NAME}`. It is sealed before it is written, and what is
/// sent from now on uses it.
#[utoipa::path(
    put, path = "/api/v1/secrets/{name}", operation_id = "set_secret", tag = "secrets",
    params(("name" = String, Path, description = "The name")),
    request_body = SecretDraft,
    responses((status = 200, description = "The secret without its value", body = StoredSecret))
)]
pub(super) async fn set(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    RawJson(body): RawJson,
) -> Answer<Json<StoredSecret>> {
    if !is_secret_name(&name) {
        let why = "must be at most 64 letters, digits, `.`, `-` and `_`, beginning with a letter \
                   or digit";
        return Err(invalid("name", why));
    }
    // What the parser says may quote the value, so it is not repeated.
    let object = serde_json::from_slice::<Map<String, Value>>(&body).map(Value::Object);
    let Ok(SecretDraft { value }) = object.and_then(serde_json::from_value) else {
        let why = "the body must be an object with `value`, a text, and nothing else";
        return Err(Refusal::new(ProblemCode::InvalidBody, why));
    };
    let value = value.trim();
    if value.is_empty() || value.len() as u64 > MAX_SECRET_FILE_BYTES {
        let why = format!("must have 1 to {MAX_SECRET_FILE_BYTES} bytes");
        return Err(Refusal::field("/value", &why));
    }
    let sealed = app.sign_ins.key().seal(&place(&app, &name), value.as_bytes());
    let sealed = sealed.map_err(|why| {
        tracing::error!("{why}");
        Refusal::new(ProblemCode::Internal, "the secret cannot be sealed; the log says why")
    })?;
    let secret = SealedSecret {
        name,
        sealed,
        set_at: app.engine.now(),
        set_by: caller.actor.who.name().to_owned(),
        last_used_at: None,
    };
    let shown = StoredSecret::from(&secret);
    change(&app, &caller, IdentityChange::SetSecret(Box::new(secret))).await?;
    Ok(Json(shown))
}

/// Remove a secret
///
/// What refers to it cannot be sent any more.
#[utoipa::path(
    delete, path = "/api/v1/secrets/{name}", operation_id = "delete_secret", tag = "secrets",
    params(("name" = String, Path, description = "The name")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<StatusCode> {
    change(&app, &caller, IdentityChange::DeleteSecret(name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
