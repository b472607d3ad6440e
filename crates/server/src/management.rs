//! Health, readiness, reload and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tracing::Instrument as _;

use crate::App;
use crate::access::Caller;

/// Returns the management routes.
pub(crate) fn router() -> Router<Arc<App>> {
    let reload = post(reload).put(reload).fallback(async || {
        let text = "This endpoint requires a POST or PUT request.\n";
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST,PUT")], text)
    });
    Router::new()
        .route("/-/healthy", get(async || "OK"))
        .route("/-/ready", get(ready))
        .route("/-/reload", reload)
        .route("/metrics", get(metrics))
}

/// Answers 200 when the engine takes commands, otherwise 503 with the reason.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.engine.readiness() {
        Ok(()) => "OK".into_response(),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response()
        }
    }
}

/// Reads the configuration anew; 500 with the complaint when that fails.
async fn reload(State(app): State<Arc<App>>, caller: Caller) -> Response {
    // In a task of its own: a caller that hangs up must not leave it half done.
    let reload = async move { app.reloader.reload(&app.engine, caller.actor).await };
    let task = tokio::spawn(reload.in_current_span());
    let Ok(outcome) = task.await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    match outcome {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            let text = format!("failed to reload config: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

/// Answers with all metrics.
async fn metrics(State(app): State<Arc<App>>) -> Response {
    match app.metrics.render(&app).await {
        Ok(text) => ([(header::CONTENT_TYPE, crate::metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            let text = format!("metrics cannot be written: {error}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}
