//! The pages to sign in with: plain HTML that works without script.

use std::sync::{Arc, LazyLock};

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use tocsin_core::identity::SecretHash;
use tocsin_wire::v1::{LinkDraft, ProblemCode, SignInDraft};

use super::session::{by_link, by_password, end, forget_cookie};
use crate::App;
use crate::access::Caller;
use crate::front::{content_security, escape};

/// What these pages may do.
static CONTENT_SECURITY: LazyLock<String> = LazyLock::new(|| content_security(STYLE));

const STYLE: &str = "\
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 25%,Canvas);\
--dim:color-mix(in srgb,CanvasText 68%,Canvas)}*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:10vh auto 0;padding:1rem}\
h1{font-size:1.5rem;margin:0 0 .25rem}p{margin:0 0 1rem;color:var(--dim)}\
label{display:block;margin:0 0 1rem;font-weight:600}\
input{display:block;width:100%;margin-top:.25rem;padding:.625rem;font:inherit;font-weight:400;\
border:1px solid var(--line);border-radius:.375rem;background:Canvas;color:CanvasText}\
input:focus-visible,button:focus-visible{outline:3px solid #4c8bf5;outline-offset:1px}\
button{width:100%;padding:.625rem;font:inherit;font-weight:600;border:0;border-radius:.375rem;\
background:#b3261e;color:#fff;cursor:pointer}\
[role=alert]{border-left:4px solid #b3261e;padding:.5rem .75rem;color:CanvasText}\
.or{margin:1rem 0 0;text-align:center}.or a{display:block;padding:.625rem;\
border:1px solid var(--line);border-radius:.375rem;color:CanvasText;font-weight:600;\
text-decoration:none}small{display:block;font-weight:400;color:var(--dim)}";

#[derive(Deserialize)]
pub(super) struct LinkQuery {
    #[serde(default)]
    token: String,
}

/// Answers with the form to sign in with.
pub(super) async fn form(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let form = sign_in_form(&app, "", false, unkept(&app, &headers));
    page(&app, StatusCode::OK, "Sign in", &form)
}

/// Takes the form.
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Form(draft): Form<SignInDraft>,
) -> Response {
    let name = draft.name.clone();
    match by_password(&app, &caller, &headers, draft).await {
        Ok(begun) => {
            let home = format!("{}/", app.options.prefix());
            ([(header::SET_COOKIE, begun.cookie(&app))], Redirect::to(&home)).into_response()
        }
        Err(refusal) => {
            let wants_code = refusal.code() == ProblemCode::SecondFactorRequired;
            let detail = refusal.detail().to_owned();
            let form = sign_in_form(&app, &name, wants_code, Some(&detail));
            page(&app, refusal.status(), "Sign in", &form)
        }
    }
}

/// Answers with the form to choose a password with.
pub(super) async fn link_form(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<LinkQuery>,
) -> Response {
    let directory = app.engine.directory();
    let link = directory.link(&SecretHash::of(query.token.as_bytes()));
    let Some(link) = link.filter(|link| app.engine.now() < link.expires_at) else {
        let ended = alert(Some("This link has ended or was used already; ask for another one."));
        return page(&app, StatusCode::NOT_FOUND, "Choose a password", &ended);
    };
    let form = password_form(&app, &query.token, unkept(&app, &headers));
    let form = format!("<p>You will sign in as <b>{}</b>.</p>{form}", link.person);
    page(&app, StatusCode::OK, "Choose a password", &form)
}

/// Takes the form.
pub(super) async fn link_submit(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Form(draft): Form<LinkDraft>,
) -> Response {
    let token = draft.token.clone();
    match by_link(&app, &caller, &headers, draft).await {
        Ok(begun) => {
            let home = format!("{}/", app.options.prefix());
            ([(header::SET_COOKIE, begun.cookie(&app))], Redirect::to(&home)).into_response()
        }
        Err(refusal) => {
            let form = password_form(&app, &token, Some(refusal.detail()));
            page(&app, refusal.status(), "Choose a password", &form)
        }
    }
}

/// Signs out and leads to the form to sign in with.
pub(super) async fn sign_out(State(app): State<Arc<App>>, caller: Caller) -> Response {
    if let Err(refusal) = end(&app, &caller).await {
        return refusal.into_response();
    }
    let to = format!("{}/sign-in", app.options.prefix());
    ([(header::SET_COOKIE, forget_cookie(&app))], Redirect::to(&to)).into_response()
}

/// Returns why a browser would not stay signed in: the cookie is for trusted connections only.
fn unkept(app: &App, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or("localhost");
    let is_local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host.starts_with(name));
    let is_tls = app.web.speaks_tls() || text("x-forwarded-proto") == Some("https");
    (!is_local && !is_tls).then_some(
        "This page was reached without TLS, and browsers keep nobody signed in like that. Use \
         https, or localhost on the machine itself.",
    )
}

fn sign_in_form(app: &App, name: &str, wants_code: bool, complaint: Option<&str>) -> String {
    let complaint = alert(complaint);
    let name = escape(name);
    let code = if wants_code {
        "<label>Code<small>six digits of your app, or a recovery code</small>\
         <input name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required>\
         </label>"
    } else {
        ""
    };
    let action = format!("{}/sign-in", app.options.prefix());
    let provider = app.reloader.current().provider.as_ref().map_or_else(String::new, |provider| {
        let name = escape(provider.name());
        format!("<p class=\"or\"><a href=\"{action}/provider\">Sign in with {name}</a></p>")
    });
    format!(
        "{complaint}<form method=\"post\" action=\"{action}\">\
         <label>Name<input name=\"name\" value=\"{name}\" autocomplete=\"username\" \
         autocapitalize=\"none\" required autofocus></label>\
         <label>Password<input name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required></label>{code}\
         <button>Sign in</button></form>{provider}"
    )
}

fn password_form(app: &App, token: &str, complaint: Option<&str>) -> String {
    let complaint = alert(complaint);
    let token = escape(token);
    let least = app.reloader.current().access.password_min_length;
    format!(
        "{complaint}<form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
         <label>New password<small>at least {least} characters; a sentence is fine</small>\
         <input name=\"password\" type=\"password\" autocomplete=\"new-password\" \
         minlength=\"{least}\" required autofocus></label>\
         <button>Sign in</button></form>"
    )
}

pub(super) fn alert(complaint: Option<&str>) -> String {
    complaint.map_or_else(String::new, |text| format!("<p role=\"alert\">{}</p>", escape(text)))
}

/// Answers that somebody is not signed in, and why.
pub(super) fn failed(app: &App, status: StatusCode, why: &str) -> Response {
    let form = sign_in_form(app, "", false, Some(why));
    page(app, status, "Sign in", &form)
}

pub(super) fn page(app: &App, status: StatusCode, title: &str, body: &str) -> Response {
    let host = escape(&app.options.external_url);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · Tocsin</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n<p>Tocsin at {host}</p>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_SECURITY_POLICY, &CONTENT_SECURITY), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(html)).into_response()
}
