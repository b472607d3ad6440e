//! The page where people have pages pushed to their browser, and what the browser runs for that.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tocsin_connect::paging::{VapidError, VapidKey};
use tocsin_core::identity::Who;

use crate::App;
use crate::access::Caller;
use crate::front::escape;

const SCRIPT: &str = include_str!("push.js");
const WORKER: &str = include_str!("worker.js");
const ICON: &str = include_str!("icon.svg");

/// What the page may do: run its own script, ask this server, and be put on a home screen.
static CONTENT_SECURITY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src \
         'self'; manifest-src 'self'; style-src 'sha256-{hash}'; base-uri 'none'; form-action \
         'none'; frame-ancestors 'none'"
    )
});

/// What the worker may do: ask this server.
const WORKER_SECURITY: &str = "default-src 'none'; connect-src 'self'; img-src 'self'";

const STYLE: &str = "\
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 18%,Canvas);\
--soft:color-mix(in srgb,CanvasText 6%,Canvas);--dim:color-mix(in srgb,CanvasText 68%,Canvas)}\
*{box-sizing:border-box}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1rem 1rem 3rem}\
header{color:var(--dim);margin-bottom:1.5rem}header a{color:LinkText}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}p{margin:0 0 1rem}\
#state{border-radius:.5rem;padding:.875rem 1rem;background:var(--soft);\
border-left:.375rem solid #667085}#state.bad{border-left-color:#b3261e}\
button{display:block;width:100%;margin:0 0 .625rem;padding:.875rem;font:inherit;font-weight:600;\
border:1px solid var(--line);border-radius:.5rem;background:var(--soft);color:CanvasText;\
cursor:pointer}button[hidden]{display:none}button:disabled{opacity:.6}\
#begin{background:#1f7a33;border-color:#1f7a33;color:#fff}\
button:focus-visible,a:focus-visible{outline:3px solid #4c8bf5;outline-offset:2px}\
.dim{color:var(--dim);font-size:.875rem}";

/// Returns the routes of the page and of what it loads.
pub(crate) fn router() -> Router<Arc<App>> {
    let file = |kind: &'static str, policy: &'static str, text: &'static str| {
        get(async move || {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CONTENT_SECURITY_POLICY, policy),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, text).into_response()
        })
    };
    let script = "text/javascript; charset=utf-8";
    Router::new()
        .route("/push", get(page))
        .route("/push/push.js", file(script, "default-src 'none'", SCRIPT))
        .route("/push/worker.js", file(script, WORKER_SECURITY, WORKER))
        .route("/push/icon.svg", file("image/svg+xml", "default-src 'none'", ICON))
        .route("/push/manifest.webmanifest", get(manifest))
}

/// Answers with the page.
async fn page(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let Who::Person(person) = &caller.actor.who else {
        return shown(&app, StatusCode::FORBIDDEN, "<p>Only a person has a browser.</p>", "");
    };
    let key = match public_key(&app).await {
        Ok(key) => key,
        Err(error) => {
            tracing::error!("{error}");
            let text = "<p>The server cannot use its key for Web Push; its log says why.</p>";
            return shown(&app, StatusCode::SERVICE_UNAVAILABLE, text, "");
        }
    };
    let person = escape(person.as_str());
    let body = format!(
        "<p>Pages for <b>{person}</b> appear as notifications of this browser, also while Tocsin is \
         not open, and are answered there.</p>\n\
         <p id=\"state\" role=\"status\">This page needs its script to go on.</p>\n\
         <button id=\"begin\" type=\"button\" hidden>Notify this browser</button>\n\
         <button id=\"test\" type=\"button\" hidden>Send a test</button>\n\
         <button id=\"end\" type=\"button\" hidden>Stop notifying this browser</button>\n\
         <p class=\"dim\">It becomes one of your contact methods. When it is used, and after which \
         other, is what your notification rules say; without rules every method is used in turn.\
         </p>\n"
    );
    let data = format!(
        " data-key=\"{key}\" data-person=\"{person}\" data-prefix=\"{}\"",
        escape(&app.options.prefix())
    );
    shown(&app, StatusCode::OK, &body, &data)
}

/// Says how the page is put on a home screen: some phones notify nothing else.
async fn manifest(State(app): State<Arc<App>>) -> Response {
    let prefix = app.options.prefix();
    let said = json!({
        "name": "Tocsin",
        "short_name": "Tocsin",
        "start_url": format!("{prefix}/push"),
        "scope": format!("{prefix}/"),
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#b3261e",
        "icons": [{ "src": "icon.svg", "sizes": "any", "type": "image/svg+xml" }],
    });
    ([(header::CONTENT_TYPE, "application/manifest+json")], said.to_string()).into_response()
}

/// Returns the public half of the key that pages are signed with.
async fn public_key(app: &App) -> Result<String, VapidError> {
    let channels = Arc::clone(&app.reloader.current().channels);
    match &channels.web_push.private_key_file {
        Some(path) => Ok(read(path).await?.public()),
        None => Ok(app.push_key.public()),
    }
}

async fn read(path: &Path) -> Result<VapidKey, VapidError> {
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|why| VapidError::File { path: path.to_owned(), why })?;
    VapidKey::parse(&text, &path.display().to_string())
}

fn shown(app: &App, status: StatusCode, body: &str, data: &str) -> Response {
    let prefix = escape(&app.options.prefix());
    let script = if data.is_empty() {
        String::new()
    } else {
        format!("<script src=\"{prefix}/push/push.js\" defer></script>\n")
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Notifications in this browser · Tocsin</title>\n<style>{STYLE}</style>\n\
         <link rel=\"icon\" href=\"{prefix}/push/icon.svg\">\n\
         <link rel=\"manifest\" href=\"{prefix}/push/manifest.webmanifest\">\n{script}</head>\n\
         <body>\n<header><a href=\"{prefix}/\">Tocsin</a></header>\n<main{data}>\n\
         <h1>Notifications in this browser</h1>\n{body}</main>\n</body>\n</html>\n"
    );
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_SECURITY_POLICY, &CONTENT_SECURITY), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Html(html)).into_response()
}
