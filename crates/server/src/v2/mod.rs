//! Alertmanager's API v2 under `/api/v2`.

use std::sync::Arc;

use axum::Router;

use crate::App;

/// Returns the routes of Alertmanager's API.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
