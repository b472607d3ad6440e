//! Sessions: somebody signs in, out, or out everywhere.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use tocsin_core::command::{Command, Rejection, Reply};
use tocsin_core::identity::{
    Actor, Credential, Handle, IdentityChange, IdentityRejection, Proof, SecretHash,
    Session as Row, SignIn, SignedInBy, Who,
};
use tocsin_wire::v1::{Identity, LinkDraft, ProblemCode, Session, Sessions, SignInDraft};
use uuid::Uuid;

use super::{password, totp};
use crate::App;
use crate::access::{Caller, FreshSecret, SESSION_COOKIE};
use crate::v1::body::Json as Body;
use crate::v1::params::{Ask, Nothing};
use crate::v1::people::change;
use crate::v1::problem::{Answer, Refusal};

/// The most characters of a name that is looked at, and of a browser's own name that is kept.
const MAX_NAME_CHARS: usize = 200;

/// What is said whoever guesses: nobody learns whether a name has an account.
const WRONG: &str = "this name and this password do not go together";

/// Sign in
///
/// With the handle or the e-mail address, the password, and a code where a second factor is set
/// up. The answer sets a cookie that only browsers send and no script can read.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "sign_in", tag = "sessions",
    request_body = SignInDraft,
    responses((status = 201, description = "Signed in", body = Identity))
)]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<SignInDraft>,
) -> Answer<Response> {
    let begun = by_password(&app, &caller, &headers, draft).await?;
    Ok(begun.answer(&app))
}

/// Sign in with a link and choose a password
#[utoipa::path(
    post, path = "/api/v1/session/link", operation_id = "sign_in_by_link", tag = "sessions",
    request_body = LinkDraft,
    responses((status = 201, description = "Signed in", body = Identity))
)]
pub(super) async fn use_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Ask(Nothing): Ask<Nothing>,
    Body(draft): Body<LinkDraft>,
) -> Answer<Response> {
    let begun = by_link(&app, &caller, &headers, draft).await?;
    Ok(begun.answer(&app))
}

/// Sign out
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "sign_out", tag = "sessions",
    responses((status = 204, description = "Signed out"))
)]
pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    end(&app, &caller).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget_cookie(&app))]).into_response())
}

/// List one's own sessions
#[utoipa::path(
    get, path = "/api/v1/sessions", operation_id = "list_sessions", tag = "sessions",
    responses((status = 200, description = "Where the caller is signed in", body = Sessions))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Sessions>> {
    let person = person_of(&caller)?;
    let now = app.engine.now();
    let directory = app.engine.directory();
    let own = directory.sessions().filter(|it| it.person == *person && it.is_valid_at(now));
    let mut own: Vec<_> = own.collect();
    own.sort_by_key(|it| (std::cmp::Reverse(it.last_seen_at), it.id));
    let is_current = |id| caller.actor.credential == Credential::Session(id);
    let items = own.iter().map(|it| Session::new(it, is_current(it.id))).collect();
    Ok(Json(Sessions { items }))
}

/// Sign out everywhere
#[utoipa::path(
    delete, path = "/api/v1/sessions", operation_id = "sign_out_everywhere", tag = "sessions",
    responses((status = 204, description = "Signed out everywhere"))
)]
pub(super) async fn end_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Response> {
    let person = person_of(&caller)?.clone();
    change(&app, &caller, IdentityChange::EndSessions(person)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget_cookie(&app))]).into_response())
}

/// A session that has begun.
pub(super) struct Begun {
    secret: FreshSecret,
    person: Handle,
    life: SignedDuration,
}

impl Begun {
    /// Returns the cookie that carries it.
    pub(super) fn cookie(&self, app: &App) -> HeaderValue {
        let (secret, seconds) = (self.secret.expose(), self.life.as_secs());
        cookie_of(app, secret, seconds)
    }

    fn answer(&self, app: &App) -> Response {
        let access = app.engine.directory().access_of(self.person.as_str());
        let identity = Identity::new(&Who::Person(self.person.clone()), &access);
        (StatusCode::CREATED, [(header::SET_COOKIE, self.cookie(app))], Json(identity))
            .into_response()
    }
}

/// Signs in by name and password.
pub(super) async fn by_password(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    draft: SignInDraft,
) -> Answer<Begun> {
    let now = app.engine.now();
    let client = caller.actor.address;
    let name: String = draft.name.trim().to_lowercase().chars().take(MAX_NAME_CHARS).collect();
    if let Some(seconds) = app.sign_ins.throttle.wait(&name, client, now) {
        return Err(too_often(seconds));
    }
    let directory = app.engine.directory();
    let person = directory.person_signing_in(&name).map(|person| person.handle.clone());
    let credentials = person.as_ref().and_then(|it| directory.credentials(it)).cloned();
    let known = credentials.as_ref().and_then(|it| it.password.clone());
    let too_long = draft.password.len() > password::MAX_PASSWORD_BYTES;
    let given = if too_long { String::new() } else { draft.password };
    let is_right = app.sign_ins.passwords.is_right(known, given).await;
    let (Some(person), Some(credentials), true) = (person, credentials, is_right) else {
        return Err(wrong(app, caller, &name, "wrong name or password").await);
    };
    let code = draft.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
    let proof = match (credentials.totp.as_ref().filter(|it| it.is_confirmed), code) {
        (None, _) => Proof::Password,
        (Some(_), None) => {
            return Err(Rejection::Identity(IdentityRejection::CodeWanted).into());
        }
        (Some(factor), Some(code)) => {
            let secret = open_factor(app, &person, &factor.sealed)?;
            let seconds = u64::try_from(now.as_second()).unwrap_or_default();
            match totp::step_of(&secret, code, seconds) {
                Some(step) => Proof::Code { step },
                None => Proof::RecoveryCode { hash: recovery_hash(code) },
            }
        }
    };
    match begin(app, caller, headers, person, proof).await {
        Ok(begun) => {
            app.sign_ins.throttle.succeeded(&name, client);
            Ok(begun)
        }
        Err(refusal) => {
            if refusal.code() == ProblemCode::Unauthorized {
                app.sign_ins.throttle.failed(&name, client, now);
            }
            Err(refusal)
        }
    }
}

/// Signs in by a link, and sets the password its owner chose.
pub(super) async fn by_link(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    draft: LinkDraft,
) -> Answer<Begun> {
    let now = app.engine.now();
    let client = caller.actor.address;
    if let Some(seconds) = app.sign_ins.throttle.wait("", client, now) {
        return Err(too_often(seconds));
    }
    let hash = SecretHash::of(draft.token.as_bytes());
    let directory = app.engine.directory();
    let Some(link) = directory.link(&hash).filter(|link| now < link.expires_at) else {
        app.sign_ins.throttle.failed("", client, now);
        return Err(Rejection::Identity(IdentityRejection::LinkEnded).into());
    };
    let person = link.person.clone();
    // Before the link is used up: a password that is refused must leave another try.
    let hashed = hash_of(app, &person, draft.password, "/password").await?;
    let begun = begin(app, caller, headers, person.clone(), Proof::Link { hash }).await?;
    let own = app.engine.directory().session_by_hash(&begun.secret.hash()).map(|it| it.id);
    let set =
        IdentityChange::SetPassword { person: person.clone(), hash: hashed.into(), keep: own };
    let by = Actor { who: Who::Person(person), ..caller.actor.clone() };
    submit(app, set, by).await?;
    Ok(begun)
}

/// Checks and hashes a password somebody chose.
pub(super) async fn hash_of(
    app: &App,
    person: &Handle,
    password: String,
    pointer: &str,
) -> Answer<String> {
    let directory = app.engine.directory();
    let known = directory.person(person.as_str());
    let about = known.map(|it| (it.name.clone(), it.email.clone())).unwrap_or_default();
    let least = app.reloader.current().access.password_min_length;
    let about = [person.as_str(), &about.0, &about.1, "tocsin"];
    password::check_strength(&password, least, &about)
        .map_err(|why| Refusal::field(pointer, why))?;
    app.sign_ins.passwords.hash(password).await.map_err(|why| {
        tracing::error!("a password cannot be hashed: {why}");
        Refusal::new(ProblemCode::Internal, "the password cannot be hashed")
    })
}

/// Begins a session. One that the browser came with ends: nobody can have chosen the new one.
pub(super) async fn begin(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    person: Handle,
    proof: Proof,
) -> Answer<Begun> {
    let secret = crate::v1::people::fresh(FreshSecret::plain())?;
    let now = app.engine.now();
    let rules = Arc::clone(&app.reloader.current().access);
    let life = SignedDuration::try_from(rules.session_max).unwrap_or(SignedDuration::MAX);
    let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let session = Row {
        id: Uuid::new_v4(),
        hash: secret.hash(),
        person: person.clone(),
        by: SignedInBy::Password,
        created_at: now,
        last_seen_at: now,
        ends_at: now.checked_add(life).unwrap_or(Timestamp::MAX),
        idle_seconds: i64::try_from(rules.session_idle.as_secs()).unwrap_or(i64::MAX),
        address: caller.actor.address,
        user_agent: agent.chars().take(MAX_NAME_CHARS).collect(),
    };
    let by = Actor { who: Who::Person(person.clone()), ..caller.actor.clone() };
    let sign_in = IdentityChange::SignIn(Box::new(SignIn { session, proof }));
    submit(app, sign_in, by).await?;
    if let Credential::Session(old) = caller.actor.credential {
        // It may have ended meanwhile.
        let _ = change(app, caller, IdentityChange::EndSession(old)).await;
    }
    let directory = app.engine.directory();
    let begun = directory.session_by_hash(&secret.hash()).map(|it| it.person.clone());
    Ok(Begun { person: begun.unwrap_or(person), secret, life })
}

pub(super) async fn end(app: &App, caller: &Caller) -> Answer<()> {
    match caller.actor.credential {
        Credential::Session(id) => change(app, caller, IdentityChange::EndSession(id)).await,
        _ => Ok(()),
    }
}

/// Returns the person who asks.
pub(super) fn person_of(caller: &Caller) -> Answer<&Handle> {
    match &caller.actor.who {
        Who::Person(handle) => Ok(handle),
        _ => Err(Refusal::new(ProblemCode::Forbidden, "only a person has this")),
    }
}

/// Opens the secret of a second factor.
pub(super) fn open_factor(app: &App, person: &Handle, sealed: &str) -> Answer<Vec<u8>> {
    app.sign_ins.key.load().open_sealed(&factor_place(app, person), sealed).map_err(|error| {
        tracing::error!("the second factor of {person}: {error}");
        Refusal::new(ProblemCode::Internal, "the second factor cannot be read")
    })
}

/// Returns what the secret of a second factor is bound to.
pub(super) fn factor_place(app: &App, person: &Handle) -> String {
    app.options.sealed_place(&format!("totp/{person}"))
}

/// Returns what is kept of a recovery code; how it is written does not matter.
pub(super) fn recovery_hash(code: &str) -> SecretHash {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    SecretHash::of(plain.to_ascii_lowercase().as_bytes())
}

async fn wrong(app: &App, caller: &Caller, name: &str, why: &'static str) -> Refusal {
    app.sign_ins.throttle.failed(name, caller.actor.address, app.engine.now());
    let name = name.to_owned();
    let change = IdentityChange::RecordFailedSignIn { name, why };
    if let Err(refusal) = submit(app, change, caller.actor.clone()).await {
        return refusal;
    }
    Refusal::new(ProblemCode::Unauthorized, WRONG)
}

async fn submit(app: &App, change: IdentityChange, by: Actor) -> Answer<()> {
    match app.engine.command(Command::Identity(change).by(by)).await? {
        Reply::Done => Ok(()),
        Reply::Rejected(rejection) => Err(rejection.into()),
        other => Err(Refusal::unexpected(&other)),
    }
}

fn too_often(seconds: i64) -> Refusal {
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let detail = format!("too many wrong guesses; try again in {} minutes", seconds.div_ceil(60));
    Refusal::new(ProblemCode::RateLimited, detail).retry_after(seconds)
}

/// Returns the cookie that makes a browser forget its session.
pub(super) fn forget_cookie(app: &App) -> HeaderValue {
    cookie_of(app, "", 0)
}

fn cookie_of(app: &App, secret: &str, seconds: i64) -> HeaderValue {
    let name = app.options.cookie(SESSION_COOKIE);
    let text =
        format!("{name}={secret}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    // Base64url, digits and the names of tenants are always fine in a header.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
