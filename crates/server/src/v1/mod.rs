//! The native API under `/api/v1`. Routes carry their full path, without the route prefix.
//!
//! One file for each family of operations. Handlers read what they need from the engine as owned
//! values, and format outside of it. Every refusal is a problem with a stable code.

mod acknowledge;
mod alerts;
mod answers;
mod audit;
pub(crate) mod body;
mod changes;
mod contacts;
mod cursor;
mod document;
mod escalation_audit;
mod escalations;
mod events;
mod explain;
mod groups;
mod heartbeats;
mod hub;
mod incidents;
mod ingest;
mod lessons;
mod maintenance;
mod matchers;
mod names;
mod notifications;
mod objects;
mod oncall;
mod pages;
pub(crate) mod params;
pub(crate) mod people;
mod policies;
pub mod problem;
mod receivers;
mod routing;
mod secrets;
mod silences;
mod status;
mod stream;
mod teams;
mod tokens;
mod why;

use std::sync::Arc;

use axum::{Extension, Router};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::v2::NO_STORE;

pub use document::openapi;
pub(crate) use heartbeats::beat;
pub(crate) use incidents::chat as incidents_in_chats;
pub(crate) use silences::{may_change, may_silence};
pub(crate) use stream::Stopping;

/// What the handlers of this API share beside [`App`].
#[derive(Default)]
struct Shared {
    followers: stream::Followers,
    hub: hub::Hub,
    /// Held while a maintenance window is made, so that two requests cannot both find its name
    /// free.
    naming: tokio::sync::Mutex<()>,
}

/// Returns the routes of the native API.
pub fn router() -> Router<Arc<App>> {
    let (router, _) = documented().merge(crate::sign_in::documented()).split_for_parts();
    router
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(Extension(Arc::new(Shared::default())))
        .layer(SetResponseHeaderLayer::if_not_present(NO_STORE.0, NO_STORE.1))
}

/// Returns all routes with what the document says of them.
fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(document::frame())
        .routes(routes!(alerts::list, ingest::post))
        .routes(routes!(alerts::show))
        .routes(routes!(acknowledge::acknowledge_matching))
        .routes(routes!(acknowledge::acknowledge_one))
        .routes(routes!(acknowledge::unacknowledge_matching))
        .routes(routes!(acknowledge::unacknowledge_one))
        .routes(routes!(acknowledge::note))
        .routes(routes!(changes::list, changes::post))
        .routes(routes!(explain::explain))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show))
        .routes(routes!(silences::list, silences::create))
        .routes(routes!(silences::preview))
        .routes(routes!(silences::show, silences::replace, silences::expire))
        .routes(routes!(maintenance::list, maintenance::create))
        .routes(routes!(maintenance::show, maintenance::replace, maintenance::delete))
        .routes(routes!(routing::receivers))
        .routes(routes!(receivers::test))
        .routes(routes!(routing::routes))
        .routes(routes!(routing::test))
        .routes(routes!(notifications::list))
        .routes(routes!(events::list))
        .routes(routes!(stream::follow))
        .routes(routes!(status::show))
        .routes(routes!(people::me))
        .routes(routes!(people::list, people::create))
        .routes(routes!(people::show, people::replace))
        .routes(routes!(people::owned))
        .routes(routes!(people::deactivate))
        .routes(routes!(people::reactivate))
        .routes(routes!(people::sign_in_link))
        .routes(routes!(teams::list))
        .routes(routes!(teams::show, teams::replace, teams::delete))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::remove))
        .routes(routes!(escalations::list, escalations::create))
        .routes(routes!(escalation_audit::show))
        .routes(routes!(escalations::show))
        .routes(routes!(escalations::events))
        .routes(routes!(answers::acknowledge))
        .routes(routes!(answers::unacknowledge))
        .routes(routes!(answers::escalate))
        .routes(routes!(answers::resolve))
        .routes(routes!(answers::snooze))
        .routes(routes!(pages::list))
        .routes(routes!(pages::past))
        .routes(routes!(escalations::why))
        .routes(routes!(policies::list))
        .routes(routes!(policies::simulate))
        .routes(routes!(policies::show, policies::replace, policies::delete))
        .routes(routes!(policies::notices))
        .routes(routes!(contacts::show))
        .routes(routes!(contacts::replace, contacts::delete))
        .routes(routes!(contacts::verify))
        .routes(routes!(contacts::confirm))
        .routes(routes!(contacts::test))
        .routes(routes!(contacts::set_rules))
        .routes(routes!(heartbeats::list))
        .routes(routes!(heartbeats::ping, heartbeats::ping_by_get))
        .routes(routes!(audit::list))
        .routes(routes!(audit::check))
        .routes(routes!(audit::export))
        .routes(routes!(document::show))
        .merge(incidents::routes())
        .merge(lessons::routes())
        .merge(oncall::routes())
}
