//! The native API under `/api/v1`. Routes carry their full path, without the route prefix.

use std::sync::Arc;

use axum::Router;

use crate::App;

/// Returns the routes of the native API.
pub fn router() -> Router<Arc<App>> {
    Router::new()
}
