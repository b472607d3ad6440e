//! Finds out who asks by what they show.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tocsin_config::Loopback;
use tocsin_core::identity::{
    Access, Actor, Credential, Permission, Permissions, SecretHash, TokenOwner, Who,
};

use super::caller::Caller;
use super::origin::{authority, is_forwarded, is_our_name};
use super::secret::{MAX_SECRET_BYTES, SESSION_COOKIE, TOKEN_PREFIX};
use crate::App;

/// A header of our own for clients that need `Authorization` for something else.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-tocsin-token");

/// Why it is not known who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Nothing was shown.
    Nothing,
    /// The listener's own file wants a name and a password.
    BasicWanted,
    /// What was shown is wrong, or over.
    Wrong(&'static str),
}

/// Finds out who asks. `is_vouched` says that a trusted proxy told the address.
pub(super) async fn identify(
    app: &App,
    headers: &HeaderMap,
    uri: &Uri,
    address: Option<IpAddr>,
    is_vouched: bool,
) -> Result<Caller, Unknown> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let request_id = text(&crate::limits::REQUEST_ID).map(str::to_owned);
    let caller = |who, credential, access, is_ambient| Caller {
        actor: Actor { who, credential, address, request_id: request_id.clone() },
        access,
        is_ambient,
    };
    if let Some(token) = token(headers) {
        let (who, credential, access) = by_token(app, &token, address)?;
        return Ok(caller(who, credential, access, false));
    }
    // The listener's own file is that of whoever runs the process: for other tenants it only opens
    // the door.
    let is_ours = app.options.is_default_tenant();
    let user = app.web.user(headers).await;
    if let Some(name) = user.clone().filter(|_| is_ours) {
        let access = Arc::new(Access::full());
        return Ok(caller(Who::ListenerUser(name), Credential::Listener, access, true));
    }
    if let Some(cookie) = cookie(headers, &app.options.cookie(SESSION_COOKIE)) {
        let hash = SecretHash::of(cookie.as_bytes());
        let now = app.engine.now();
        let found = app.known.session(&app.engine.directory(), &hash);
        if let Some((session, access)) = found.filter(|(session, _)| session.is_valid_at(now)) {
            app.known.session_used(&session, now);
            let who = Who::Person(session.person.clone());
            return Ok(caller(who, Credential::Session(session.id), access, true));
        }
        // A session that is over is no reason to refuse what needs none.
    }
    if app.web.wants_users() && user.is_none() {
        return Err(Unknown::BasicWanted);
    }
    if app.web.wants_certificates() && is_ours {
        let who = Who::ListenerUser("certificate".to_owned());
        return Ok(caller(who, Credential::Listener, Arc::new(Access::full()), true));
    }
    let current = app.reloader.current();
    let rules = &current.access;
    if let Some(address) = address.map(|it| it.to_canonical()) {
        let covers = |rule: &&tocsin_config::Allow| {
            rule.from.iter().any(|net| net.contains(&address))
                && (is_vouched || !is_forwarded(headers))
        };
        if let Some(rule) = rules.allow.iter().find(covers) {
            let access = Arc::new(Access::tenant(rule.permissions));
            return Ok(caller(Who::Network(rule.name.clone()), Credential::None, access, true));
        }
    }
    // Without an address the request was made within the process.
    let is_local = address.is_none_or(|address| address.to_canonical().is_loopback());
    let name = authority(headers, uri);
    let names_us = name
        .as_deref()
        .is_none_or(|name| is_our_name(name, &app.options.external_url, &rules.hosts));
    if !is_local || is_forwarded(headers) || !names_us {
        return Err(Unknown::Nothing);
    }
    let access = match rules.loopback {
        Loopback::Open if !app.engine.directory().has_accounts() => Access::full(),
        Loopback::Open | Loopback::Ingest => Access::tenant(ingest_only()),
        Loopback::Closed => return Err(Unknown::Nothing),
    };
    Ok(caller(Who::Local, Credential::None, Arc::new(access), true))
}

/// Returns what sources of alerts and those who watch the server need.
fn ingest_only() -> Permissions {
    let needed = [Permission::AlertIngest, Permission::ChangeRecord, Permission::MetricsRead];
    needed.into_iter().collect()
}

fn by_token(
    app: &App,
    token: &str,
    address: Option<IpAddr>,
) -> Result<(Who, Credential, Arc<Access>), Unknown> {
    let now = app.engine.now();
    let hash = SecretHash::of(token.as_bytes());
    let found = app.known.token(&app.engine.directory(), &hash);
    let (token, access) =
        found.ok_or(Unknown::Wrong("this token does not exist; it may have been revoked"))?;
    if !token.is_valid_at(now) {
        return Err(Unknown::Wrong("this token has ended"));
    }
    if !token.is_allowed_from(address) {
        return Err(Unknown::Wrong("this token may not be used from this address"));
    }
    app.known.token_used(&token, now);
    let who = match &token.owner {
        TokenOwner::Person(handle) => Who::Person(handle.clone()),
        TokenOwner::Service(name) => Who::Service(name.clone()),
        TokenOwner::Integration(name) => Who::Integration(name.clone()),
    };
    Ok((who, Credential::Token(token.id), access))
}

/// Returns the token of a request: in a header of our own, as a bearer, or as the password of
/// basic authentication, for clients that know nothing else.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = |it: &&str| it.starts_with(TOKEN_PREFIX) && it.len() <= MAX_SECRET_BYTES;
    if let Some(token) = text(&TOKEN_HEADER).map(str::trim).filter(is_ours) {
        return Some(token.to_owned());
    }
    let (scheme, rest) = text(&header::AUTHORIZATION)?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("geniekey") {
        return Some(rest).filter(is_ours).map(str::to_owned);
    }
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > 4 * MAX_SECRET_BYTES {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (_, password) = decoded.split_once(':')?;
    Some(password).filter(is_ours).map(str::to_owned)
}

/// Returns the secret of the session's cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    cookie_named(headers, name).filter(|value| value.len() <= MAX_SECRET_BYTES)
}

/// Returns the value of a cookie.
pub(crate) fn cookie_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}
