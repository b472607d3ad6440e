//! Answers: JSON bodies, complaints, and what to say when the engine gives no answer.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::command::Reply;
use tocsin_engine::EngineError;
use tocsin_wire::alertmanager::ApiError;

const JSON: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));

/// How long a client should wait when the engine takes nothing at the moment, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// Lists of up to this many alerts are sent as a whole, with their length.
const MAX_WHOLE_ITEMS: usize = 200;

/// Answers 200 with a JSON document.
pub(super) fn json(body: impl Into<Body>) -> Response {
    ([JSON], body.into()).into_response()
}

/// Answers 200 with a list of `items` alerts. A long one is written while it is sent, so that the
/// answer never lies in memory as a whole.
pub(super) fn list(
    items: usize,
    chunks: impl Iterator<Item = Vec<u8>> + Send + 'static,
) -> Response {
    if items <= MAX_WHOLE_ITEMS {
        return json(chunks.collect::<Vec<_>>().concat());
    }
    let chunks = chunks.map(Ok::<_, Infallible>);
    json(Body::from_stream(futures_util::stream::iter(chunks)))
}

/// Answers with a complaint.
pub(super) fn error(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = error.body();
    if body.is_empty() { status.into_response() } else { (status, [JSON], body).into_response() }
}

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The request is at fault.
    Request(ApiError),
    /// The engine gave no answer.
    Engine(EngineError),
    /// The engine's answer does not fit the command.
    Unexpected(Reply),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Request(error)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Request(complaint) => error(&complaint),
            Self::Engine(cause) => {
                let complaint = ApiError::Handler { status: 503, message: cause.to_string() };
                ([(header::RETRY_AFTER, RETRY_AFTER_SECONDS)], error(&complaint)).into_response()
            }
            Self::Unexpected(reply) => {
                tracing::error!(?reply, "the engine's answer does not fit the command");
                let message = "the engine's answer does not fit the command".to_owned();
                error(&ApiError::Handler { status: 500, message })
            }
        }
    }
}
