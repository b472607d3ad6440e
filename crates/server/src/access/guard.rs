//! Lets a request through to its handler, or says why not.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tocsin_core::identity::{Permission, Who};
use tocsin_wire::v1::ProblemCode;

use super::caller::Caller;
use super::identify::{Unknown, identify};
use super::origin::{authority, client_address, is_foreign};
use super::table::{Need, need};
use crate::limits::Peer;
use crate::{App, fallback};

/// What a client that knows basic authentication is asked for.
const CHALLENGE_BASIC: &str = "Basic realm=\"tocsin\", charset=\"UTF-8\"";

/// What every other client is asked for.
const CHALLENGE: &str = "Bearer realm=\"tocsin\"";

/// What is said to somebody who shows nothing.
const WHO_ASKS: &str = "it is not known who asks: send a token as `Authorization: Bearer …` or as \
                        the password of basic authentication, or sign in; docs/access.md says how \
                        an address can be let in without";

/// Finds out who asks and whether they may, and tells the handler.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let response = match admit(&app, &parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(_) if is_home(&app, &parts) => {
            Redirect::to(&format!("{}/sign-in", app.options.prefix())).into_response()
        }
        Err(denial) => denial.into_response(parts.uri.path()),
    };
    app.web.dress(response)
}

/// Returns whether a browser of somebody who is not signed in opens a page.
fn is_home(app: &App, request: &Parts) -> bool {
    let path = request.uri.path().strip_prefix(&app.options.prefix());
    let accepts = request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    request.method.is_safe()
        && path.is_some_and(|path| matches!(path.trim_matches('/'), "" | "push"))
        && accepts.is_some_and(|accepts| accepts.contains("text/html"))
        && !app.web.wants_users()
}

/// Why a request does not reach its handler.
struct Denial {
    code: ProblemCode,
    detail: String,
    challenge: Option<&'static str>,
}

impl Denial {
    fn forbidden(detail: impl Into<String>) -> Self {
        Self { code: ProblemCode::Forbidden, detail: detail.into(), challenge: None }
    }

    fn unknown(why: &Unknown) -> Self {
        let (detail, challenge) = match why {
            Unknown::Nothing => (WHO_ASKS, CHALLENGE),
            Unknown::BasicWanted => (
                "a user of this server and the password are needed (HTTP basic authentication), \
                 or a token",
                CHALLENGE_BASIC,
            ),
            Unknown::Wrong(detail) => (*detail, CHALLENGE),
        };
        let detail = detail.to_owned();
        Self { code: ProblemCode::Unauthorized, detail, challenge: Some(challenge) }
    }

    fn into_response(self, path: &str) -> Response {
        let answer = fallback::refuse(path, self.code, &self.detail);
        match self.challenge {
            Some(challenge) => ([(header::WWW_AUTHENTICATE, challenge)], answer).into_response(),
            None => answer,
        }
    }
}

async fn admit(app: &App, request: &Parts) -> Result<Caller, Denial> {
    let headers = &request.headers;
    let peer = request.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let current = app.reloader.current();
    let address = client_address(peer, headers, &current.access.proxies);
    let proxies = &current.access.proxies;
    let is_vouched =
        peer.is_some_and(|it| proxies.iter().any(|net| net.contains(&it.to_canonical())));
    let matched = request.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let prefix = app.options.prefix();
    let path = matched.map(|path| path.strip_prefix(&prefix).unwrap_or(path));
    let needed = need(&request.method, path);
    let found = identify(app, headers, &request.uri, address, is_vouched).await;
    let caller = match (found, needed) {
        (Ok(caller), _) => caller,
        // The listener's own file guards everything.
        (Err(why @ Unknown::BasicWanted), _) => return Err(Denial::unknown(&why)),
        (Err(_), Need::Public | Need::OwnKey) => Caller::stranger(address),
        (Err(why), _) => return Err(Denial::unknown(&why)),
    };
    // Also to sign in: nobody is to be signed in as somebody else without knowing.
    let changes = needed == Need::Public && !request.method.is_safe();
    if caller.is_ambient && (changes || !caller.is_stranger()) {
        let name = authority(headers, &request.uri);
        let hosts = &current.access.hosts;
        if is_foreign(&request.method, headers, name.as_deref(), hosts) {
            return Err(Denial::forbidden(
                "a page of another site asked for this; list its host in `access.hosts` if it is \
                 yours, or let it send a token",
            ));
        }
    }
    match needed {
        Need::Public | Need::OwnKey => Ok(caller),
        Need::Signed if !caller.is_stranger() => Ok(caller),
        Need::MayAsPerson if matches!(caller.actor.who, Who::Person(_)) => Ok(caller),
        Need::MayAsPerson => Err(Denial::forbidden("only a person who is signed in has this")),
        Need::Signed => Err(Denial::unknown(&Unknown::Nothing)),
        Need::May(permission) if caller.access.allows(permission) => Ok(caller),
        Need::MaySomewhere(permission) if caller.access.allows_somewhere(permission) => Ok(caller),
        Need::May(permission) | Need::MaySomewhere(permission) => Err(denied(&caller, permission)),
    }
}

fn denied(caller: &Caller, permission: Permission) -> Denial {
    let who = caller.actor.who.name();
    let part = if caller.access.allows_somewhere(permission) { " for all of it" } else { "" };
    Denial::forbidden(format!("`{permission}` is needed{part}, and `{who}` does not have it"))
}
