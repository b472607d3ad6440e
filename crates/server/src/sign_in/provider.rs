//! Signing in at an identity provider.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_config::{OidcRules, SecretSource};
use tocsin_connect::Guard;
use tocsin_connect::oidc::{Attempt, Claims, OidcError, OidcSettings, Provider};
use tocsin_core::identity::{ExternalAccount, Grant, Handle, Person, PersonOrigin, Proof};

use super::pages::{failed, page};
use super::session::begin;
use crate::App;
use crate::access::{Caller, cookie_named};

/// What keeps a sign-in that was begun, in the browser alone.
const COOKIE: &str = "__Host-tocsin-provider";

/// How long somebody may take at the provider.
const LIFE: SignedDuration = SignedDuration::from_mins(15);

/// What the sealed cookie is bound to.
const PLACE: &str = "sign-in/provider";

/// The most characters of a name that the provider gives.
const MAX_NAME_CHARS: usize = 200;

/// An identity provider, and what its claims mean here.
#[derive(Debug)]
pub struct SignInProvider {
    provider: Provider,
    rules: OidcRules,
}

#[derive(Serialize, Deserialize)]
struct Begun {
    attempt: Attempt,
    until: Timestamp,
}

/// What the provider sends the browser back with.
#[derive(Deserialize)]
pub(super) struct Callback {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    iss: Option<String>,
    error: Option<String>,
}

impl SignInProvider {
    /// Prepares a provider of the configuration; `base` is where browsers find us.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(rules: &OidcRules, base: &str) -> Result<Self, String> {
        // One that is stored may be set later, and is fetched each time.
        let secret = match rules.client_secret() {
            Some(SecretSource::Inline(secret)) => Ok(Some(secret.clone())),
            source => source.map(SecretSource::read).transpose(),
        };
        let secret = secret.map_err(|why| format!("access.oidc.client_secret_file: {why}"))?;
        let settings = OidcSettings {
            issuer: rules.issuer.clone(),
            client_id: rules.client_id.clone(),
            client_secret: secret,
            scopes: rules.scopes.clone(),
            redirect_uri: format!("{base}/sign-in/provider/callback"),
            guard: Guard::of_file(&rules.outbound),
        };
        let provider = Provider::new(settings).map_err(|error| format!("access.oidc: {error}"))?;
        Ok(Self { provider, rules: rules.clone() })
    }

    /// Returns what the button says.
    pub(super) fn name(&self) -> &str {
        &self.rules.name
    }

    /// Returns the roles that the provider's groups bring.
    fn grants(&self, claims: &Claims) -> Vec<Grant> {
        let groups = claims.list(&self.rules.groups_claim);
        let of_groups = groups.iter().filter_map(|group| self.rules.roles.get(group)).flatten();
        let mut grants: Vec<_> = of_groups.chain(&self.rules.default_roles).cloned().collect();
        grants.sort();
        grants.dedup();
        grants
    }

    fn profile(&self, claims: &Claims) -> Option<Person> {
        let short = |text: &str| -> String {
            text.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect()
        };
        let email =
            if claims.has_verified_email() { short(claims.text("email")) } else { String::new() };
        let wished = claims.text(&self.rules.handle_claim);
        let handle = handle_of(wished)
            .or_else(|| handle_of(claims.text("email").split('@').next().unwrap_or_default()))
            .or_else(|| handle_of(&claims.subject))?;
        let name = short(claims.text("name"));
        Some(Person {
            name: if name.is_empty() { handle.to_string() } else { name },
            handle,
            email,
            time_zone: "UTC".to_owned(),
            locale: "en".to_owned(),
            contact_methods: Vec::new(),
            expertise: Vec::new(),
            manager: None,
            grants: self.grants(claims),
            is_active: true,
            origin: PersonOrigin::Provider,
        })
    }
}

/// Makes a handle of what a provider calls somebody.
fn handle_of(text: &str) -> Option<Handle> {
    let plain = text.trim().to_lowercase();
    let plain = plain.chars().map(|c| match c {
        'a'..='z' | '0'..='9' | '.' | '-' | '_' => c,
        _ => '-',
    });
    let plain: String = plain.skip_while(|c| !c.is_ascii_alphanumeric()).take(58).collect();
    Handle::parse(&plain).ok()
}

/// Sends the browser to the provider.
pub(super) async fn start(State(app): State<Arc<App>>) -> Response {
    let current = app.reloader.current();
    let Some(provider) = &current.provider else { return StatusCode::NOT_FOUND.into_response() };
    let (url, attempt) = match provider.provider.begin().await {
        Ok(begun) => begun,
        Err(error) => return refused(&app, &error),
    };
    let until = app.engine.now().checked_add(LIFE).unwrap_or(Timestamp::MAX);
    let begun = serde_json::to_vec(&Begun { attempt, until }).unwrap_or_default();
    let Ok(sealed) = app.sign_ins.key.load().seal(&app.options.sealed_place(PLACE), &begun) else {
        return failed(&app, StatusCode::INTERNAL_SERVER_ERROR, "the sign-in cannot begin");
    };
    // Lax: the provider's redirect back is a navigation that brings it along.
    let (name, seconds) = (app.options.cookie(COOKIE), LIFE.as_secs());
    let cookie =
        format!("{name}={sealed}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    match HeaderValue::from_str(&cookie) {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response(),
        Err(_) => failed(&app, StatusCode::INTERNAL_SERVER_ERROR, "the sign-in cannot begin"),
    }
}

/// Takes the browser that comes back.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Query(callback): Query<Callback>,
) -> Response {
    let current = app.reloader.current();
    let Some(provider) = &current.provider else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = match finish(&app, provider, &caller, &headers, callback).await {
        Ok(response) => response,
        Err(response) => *response,
    };
    // Whatever came of it, this sign-in is over.
    let name = app.options.cookie(COOKIE);
    let gone = format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

async fn finish(
    app: &App,
    provider: &SignInProvider,
    caller: &Caller,
    headers: &HeaderMap,
    callback: Callback,
) -> Result<Response, Box<Response>> {
    let refuse = |status, why: &str| Box::new(failed(app, status, why));
    let begun = cookie_named(headers, &app.options.cookie(COOKIE))
        .and_then(|sealed| {
            app.sign_ins.key.load().open_sealed(&app.options.sealed_place(PLACE), sealed).ok()
        })
        .and_then(|plain| serde_json::from_slice::<Begun>(&plain).ok())
        .filter(|begun| app.engine.now() < begun.until);
    let over = "this sign-in was not begun in this browser, or too long ago; try again";
    let begun = begun.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, over))?;
    // The cookie is sealed and this browser's own, so what it says cannot have been chosen.
    if begun.attempt.state != callback.state {
        return Err(refuse(StatusCode::BAD_REQUEST, over));
    }
    if let Some(error) = callback.error {
        let error: String = error.chars().take(MAX_NAME_CHARS).collect();
        let why = format!("the identity provider says: {error}");
        return Err(refuse(StatusCode::FORBIDDEN, &why));
    }
    let now = app.engine.now();
    let iss = callback.iss.as_deref();
    let claims = provider.provider.finish(&callback.code, iss, &begun.attempt, now).await;
    let claims = claims.map_err(|error| Box::new(refused(app, &error)))?;
    let none = "the identity provider says too little about you";
    let profile = provider.profile(&claims).ok_or_else(|| refuse(StatusCode::FORBIDDEN, none))?;
    let account =
        ExternalAccount { issuer: provider.rules.issuer.clone(), subject: claims.subject.clone() };
    let directory = app.engine.directory();
    let known = directory.all_credentials().any(|it| it.external.as_ref() == Some(&account));
    let by_email = || directory.person_signing_in(&profile.email).map(|it| it.handle.clone());
    let may_link = provider.rules.link_by_email && profile.email.contains('@');
    let link_to = if may_link && !known { by_email() } else { None };
    if !known && link_to.is_none() && profile.grants.is_empty() {
        let why = "you have no role here; ask an administrator to map a group of yours to one";
        return Err(refuse(StatusCode::FORBIDDEN, why));
    }
    let wished = profile.handle.clone();
    let proof = Proof::External { account, profile: Box::new(profile), link_to };
    let begun = begin(app, caller, headers, wished, proof).await;
    let begun = begun.map_err(|refusal| refuse(refusal.status(), refusal.detail()))?;
    let home = format!("{}/", app.options.prefix());
    Ok(([(header::SET_COOKIE, begun.cookie(app))], Redirect::to(&home)).into_response())
}

fn refused(app: &App, error: &OidcError) -> Response {
    tracing::warn!(%error, "nobody was signed in at the identity provider");
    let status = match error {
        OidcError::Unreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
        OidcError::Misconfigured(_) => StatusCode::BAD_GATEWAY,
        OidcError::Refused(_) | OidcError::Untrusted(_) => StatusCode::FORBIDDEN,
    };
    page(app, status, "Sign in", &super::pages::alert(Some(&error.to_string())))
}
