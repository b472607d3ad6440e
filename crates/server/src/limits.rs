//! Bounds and observation around every route.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::App;

/// Puts the bounds that `app` asks for around `routes`.
pub(crate) fn around(routes: Router, app: &Arc<App>) -> Router {
    routes.layer(DefaultBodyLimit::max(app.options.max_request_bytes))
}
