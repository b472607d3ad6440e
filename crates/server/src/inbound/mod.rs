//! Who tells us alerts beside Prometheus: integrations by their keys, the protocols they speak, and
//! the one way their alerts take into the engine.

mod hooks;
mod known;
mod mail;
mod opsgenie;
mod pagerduty;
mod preset;
mod submit;

use std::sync::Arc;

use axum::routing::post;
use axum::{Extension, Router};

use crate::App;

pub use known::{Inbound, Inbounds, UnknownKey};
pub(crate) use submit::{Gates, KeyedAlert, ended, find, submit};

/// Returns the routes of all protocols.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v2/enqueue", post(pagerduty::enqueue))
        .route("/v2/change/enqueue", post(pagerduty::enqueue_change))
        .route("/generic/2010-04-15/create_event.json", post(pagerduty::create_event))
        .route("/api/v1/hooks/preview", post(hooks::preview))
        .route("/api/v1/hooks/{key}", post(hooks::take))
        .merge(opsgenie::router())
        .layer(Extension(Arc::new(opsgenie::Requests::default())))
        .layer(Extension(Arc::new(Gates::default())))
        .layer(Extension(Arc::new(tocsin_connect::Topics::default())))
}
