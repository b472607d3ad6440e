//! Alertmanager's API v2 under `/api/v2`: the same paths, parameters, order, bodies and complaints.

mod alerts;
mod filter;
mod groups;
mod query;
mod receivers;
mod reply;
mod silences;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tocsin_wire::alertmanager::ApiError;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::App;

/// Answers are never stored by caches: the next one may differ.
pub(crate) const NO_STORE: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// Returns the routes of Alertmanager's API.
pub fn router() -> Router<Arc<App>> {
    let cors = CorsLayer::new().allow_origin(Any).allow_headers(Any).allow_methods([
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::DELETE,
    ]);
    let routes = [
        ("/api/v2/status", only("GET", get(status::show))),
        ("/api/v2/receivers", only("GET", get(receivers::list))),
        ("/api/v2/alerts", only("POST,GET", get(alerts::list).post(alerts::post))),
        ("/api/v2/alerts/groups", only("GET", get(groups::list))),
        ("/api/v2/silences", only("POST,GET", get(silences::list).post(silences::post))),
        ("/api/v2/silence/{id}", only("DELETE,GET", get(silences::show).delete(silences::expire))),
    ];
    let add = |router: Router<Arc<App>>, (path, methods): (&str, MethodRouter<Arc<App>>)| {
        // go-swagger's router does not mind a slash at the end.
        router.route(path, methods.clone()).route(&format!("{path}/"), methods)
    };
    routes
        .into_iter()
        .fold(Router::new(), add)
        .layer(SetResponseHeaderLayer::overriding(NO_STORE.0, NO_STORE.1))
        .layer(cors)
}

/// Answers every other method with 405 and `allowed`.
fn only(allowed: &'static str, methods: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    methods.fallback(move |method: Method, _: Uri| async move { refuse(&method, allowed) })
}

fn refuse(method: &Method, allowed: &'static str) -> Response {
    let code = StatusCode::METHOD_NOT_ALLOWED.as_u16();
    let message = format!("method {method} is not allowed, but [{allowed}] are");
    let body = reply::error(&ApiError::Schema { code, message });
    ([(header::ALLOW, allowed)], body).into_response()
}
