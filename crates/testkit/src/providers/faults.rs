//! Providers that are slow, wrong or down, for as many requests as are ordered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::World;

/// The longest delay.
const MAX_DELAY: Duration = Duration::from_secs(300);

/// How a provider answers for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which: the first part of its path, such as `slack`.
    pub provider: String,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// The status instead of the usual answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// What `Retry-After` says beside it.
    #[serde(default)]
    pub retry_after: Option<String>,
    /// How long it takes, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Whether the connection breaks in the middle of the answer.
    #[serde(default)]
    pub is_dropped: bool,
    /// Whether what is answered makes no sense.
    #[serde(default)]
    pub is_garbage: bool,
}

fn once() -> u32 {
    1
}

/// Returns the route by which faults are ordered.
pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/control/faults", post(order)).route("/control/clear", post(clear))
}

async fn order(State(world): State<Arc<World>>, Json(fault): Json<Fault>) -> StatusCode {
    world.board.order(fault);
    StatusCode::NO_CONTENT
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.board.clear();
    StatusCode::NO_CONTENT
}

/// Lets an ordered fault take the place of the usual answer.
pub(super) async fn apply(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    let provider = request.uri().path().split('/').nth(1).unwrap_or_default();
    let Some(fault) = world.board.fault(provider) else { return next.run(request).await };
    tokio::time::sleep(Duration::from_millis(fault.delay_ms).min(MAX_DELAY)).await;
    let mut response = if fault.is_dropped {
        let broken = std::io::Error::other("the connection breaks");
        let stream = futures_util::stream::iter([Ok(Bytes::from_static(b"{")), Err(broken)]);
        Response::new(Body::from_stream(stream))
    } else if fault.is_garbage {
        "<html>this is not what you asked for".into_response()
    } else if fault.status.is_some() {
        "ordered to fail".into_response()
    } else {
        return next.run(request).await;
    };
    if let Some(status) = fault.status.and_then(|status| StatusCode::from_u16(status).ok()) {
        *response.status_mut() = status;
    }
    if let Some(wait) = fault.retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}
