//! What people sign in with, changed by themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tocsin_core::identity::{Credential, Credentials, Handle, IdentityChange};
use tocsin_wire::v1::{CodeDraft, PasswordDraft, ProblemCode, RecoveryCodes, SecondFactor};

use super::session::{factor_place, hash_of, open_factor, person_of, recovery_hash};
use super::totp;
use crate::App;
use crate::access::{Caller, FreshSecret};
use crate::v1::body::Json as Body;
use crate::v1::params::{Ask, Nothing};
use crate::v1::people::{change, fresh};
use crate::v1::problem::{Answer, Refusal};

/// How many recovery codes somebody gets.
const RECOVERY_CODES: usize = 10;

/// Letters of a recovery code: 80 random bits are out of reach of guessing.
const RECOVERY_CHARS: usize = 16;

/// Change the password
///
/// Every other session of the person ends.
#[utoipa::path(
    post, path = "/api/v1/account/password", operation_id = "set_password", tag = "sessions",
    request_body = PasswordDraft,
    responses((status = 204, description = "It is changed"))
)]
pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<PasswordDraft>,
) -> Answer<StatusCode> {
    let person = signed_in(&caller)?.clone();
    let now = app.engine.now();
    let client = caller.actor.address;
    if let Some(seconds) = app.sign_ins.throttle.wait(person.as_str(), client, now) {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let detail = "too many wrong guesses; try again later";
        return Err(Refusal::new(ProblemCode::RateLimited, detail).retry_after(seconds));
    }
    let known = credentials(&app, &person)?.password;
    if !app.sign_ins.passwords.is_right(known, draft.current).await {
        app.sign_ins.throttle.failed(person.as_str(), client, now);
        return Err(Refusal::field("/current", "is not the password in use"));
    }
    let hash = hash_of(&app, &person, draft.new, "/new").await?;
    let keep = match caller.actor.credential {
        Credential::Session(id) => Some(id),
        _ => None,
    };
    let set = IdentityChange::SetPassword { person, hash: hash.into(), keep };
    change(&app, &caller, set).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begin to set up a second factor
///
/// It is asked for once a code of it was confirmed.
#[utoipa::path(
    post, path = "/api/v1/account/second-factor", operation_id = "begin_second_factor",
    tag = "sessions",
    responses((status = 201, description = "The secret for the app", body = SecondFactor))
)]
pub(super) async fn begin_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<(StatusCode, Json<SecondFactor>)> {
    let person = signed_in(&caller)?.clone();
    let random = fresh(FreshSecret::plain())?;
    // 32 random bytes; an app takes as many as SHA-1 has.
    let bytes = URL_SAFE_NO_PAD.decode(random.expose()).unwrap_or_default();
    let secret = bytes.get(..totp::SECRET_BYTES).unwrap_or_default().to_vec();
    let sealed =
        app.sign_ins.key.load().seal(&factor_place(&app, &person), &secret).map_err(|error| {
            tracing::error!("{error}");
            Refusal::new(ProblemCode::Internal, "the secret cannot be sealed")
        })?;
    let unusable = || Refusal::new(ProblemCode::Internal, "the secret cannot be used");
    let shown = SecondFactor {
        secret: totp::written(&secret).ok_or_else(unusable)?,
        url: totp::address(&secret, person.as_str()).ok_or_else(unusable)?,
    };
    change(&app, &caller, IdentityChange::BeginTotp { person, sealed }).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Confirm a second factor
///
/// With a code that the app shows. From then on signing in asks for one.
#[utoipa::path(
    post, path = "/api/v1/account/second-factor/confirm", operation_id = "confirm_second_factor",
    tag = "sessions",
    request_body = CodeDraft,
    responses((status = 200, description = "Codes for the day it is lost", body = RecoveryCodes))
)]
pub(super) async fn confirm_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<CodeDraft>,
) -> Answer<Json<RecoveryCodes>> {
    let person = signed_in(&caller)?.clone();
    let step = right_step(&app, &caller, &person, &draft.code)?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        codes.push(recovery_code()?);
    }
    let recovery_codes = codes.iter().map(|code| recovery_hash(code)).collect();
    change(&app, &caller, IdentityChange::ConfirmTotp { person, step, recovery_codes }).await?;
    Ok(Json(RecoveryCodes { recovery_codes: codes }))
}

/// Remove the second factor
///
/// With a code of it, so that a browser left open is not enough.
#[utoipa::path(
    delete, path = "/api/v1/account/second-factor", operation_id = "remove_second_factor",
    tag = "sessions",
    request_body = CodeDraft,
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn remove_second_factor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<CodeDraft>,
) -> Answer<StatusCode> {
    let person = signed_in(&caller)?.clone();
    right_step(&app, &caller, &person, &draft.code)?;
    change(&app, &caller, IdentityChange::RemoveTotp(person)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the person who asks with a browser: a token must not change what opens the account.
fn signed_in(caller: &Caller) -> Answer<&Handle> {
    if !matches!(caller.actor.credential, Credential::Session(_)) {
        return Err(Refusal::new(ProblemCode::Forbidden, "sign in for this; a token will not do"));
    }
    person_of(caller)
}

fn right_step(app: &App, caller: &Caller, person: &Handle, code: &str) -> Answer<u64> {
    let now = app.engine.now();
    let client = caller.actor.address;
    if let Some(seconds) = app.sign_ins.throttle.wait(person.as_str(), client, now) {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let detail = "too many wrong codes; try again later";
        return Err(Refusal::new(ProblemCode::RateLimited, detail).retry_after(seconds));
    }
    let none = || Refusal::new(ProblemCode::Conflict, "no second factor has been set up");
    let factor = credentials(app, person)?.totp.ok_or_else(none)?;
    let secret = open_factor(app, person, &factor.sealed)?;
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    totp::step_of(&secret, code, seconds).ok_or_else(|| {
        app.sign_ins.throttle.failed(person.as_str(), client, now);
        Refusal::field("/code", "is not the code of this moment; is the clock right?")
    })
}

fn credentials(app: &App, person: &Handle) -> Answer<Credentials> {
    let directory = app.engine.directory();
    let known = directory.credentials(person).map(|it| Credentials::clone(it));
    Ok(known.unwrap_or_else(|| Credentials::none(person.clone())))
}

/// Returns a code such as `k3vx-9qpm-t4rw-8hzd`.
fn recovery_code() -> Answer<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random = fresh(FreshSecret::plain())?;
    let bytes = URL_SAFE_NO_PAD.decode(random.expose()).unwrap_or_default();
    let letters = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let mut code = String::with_capacity(RECOVERY_CHARS + 3);
    for (place, letter) in letters.take(RECOVERY_CHARS).enumerate() {
        if place > 0 && place.is_multiple_of(4) {
            code.push('-');
        }
        code.push(letter);
    }
    Ok(code)
}
