//! Who tells us alerts beside Prometheus: integrations by their keys, the protocols they speak, and
//! the one way their alerts take into the engine.

mod admit;
mod hooks;
mod known;
mod mail;
mod opsgenie;
mod pagerduty;
mod preset;
mod reading;
mod submit;

use std::sync::Arc;

use axum::routing::post;
use axum::{Extension, Router};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::v1::problem;
use crate::v2::NO_STORE;

pub(crate) use admit::{actor, admit};
pub(crate) use hooks::key_of;
pub use known::{Inbound, Inbounds, UnknownKey};
pub(crate) use submit::{Gates, KeyedAlert, ended, find, submit};

/// Returns the routes of all protocols.
pub(crate) fn router() -> Router<Arc<App>> {
    let (hooks, _) = documented().split_for_parts();
    let hooks = hooks
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(SetResponseHeaderLayer::if_not_present(NO_STORE.0, NO_STORE.1));
    Router::new()
        .route("/v2/enqueue", post(pagerduty::enqueue))
        .route("/v2/change/enqueue", post(pagerduty::enqueue_change))
        .route("/generic/2010-04-15/create_event.json", post(pagerduty::create_event))
        .merge(hooks)
        .merge(opsgenie::router())
        .layer(Extension(Arc::new(opsgenie::Requests::default())))
        .layer(Extension(Arc::new(Gates::default())))
        .layer(Extension(Arc::new(tocsin_connect::Topics::default())))
}

/// Returns the hooks with what the document of our API says of them.
pub(crate) fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(hooks::take_by_header))
        .routes(routes!(hooks::preview))
        .routes(routes!(hooks::take))
}
