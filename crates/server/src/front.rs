//! The front page.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;

use crate::App;

/// Returns the routes of the front page.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(page))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
}

/// Answers with the front page.
pub(crate) async fn page(State(_app): State<Arc<App>>) -> Html<&'static str> {
    Html("<!doctype html><html lang=\"en\"><title>Tocsin</title><h1>Tocsin</h1></html>")
}
