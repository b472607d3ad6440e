//! `/api/v2/alerts`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::Permission;
use tocsin_core::matcher::ParseMode;
use tocsin_wire::alertmanager::{AlertContext, ApiError, decode_alerts, encode_alerts};

use super::filter::{AlertFilter, off_thread};
use super::query::Params;
use super::reply::{self, Failure};
use crate::App;
use crate::access::Caller;

/// Bodies larger than this are decoded beside the async workers.
const MAX_INLINE_BYTES: usize = 256 << 10;

/// Lists firing alerts, ascending by fingerprint.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    params: Params,
) -> Result<Response, Failure> {
    let policy = Arc::clone(&app.reloader.current().policy);
    let filter = AlertFilter::read(&params, &policy, app.options.parse_mode)?;
    let mut alerts = app.engine.read(Tenant::alerts).await?;
    let alerts = off_thread(alerts.len(), move || {
        alerts.retain(|alert| {
            caller.may(Permission::AlertRead, &alert.identity.labels)
                && filter.takes_any_receiver(alert)
                && filter.takes(alert)
        });
        alerts
    });
    let alerts = alerts.await;
    Ok(reply::list(alerts.len(), encode_alerts(alerts)))
}

/// Takes alerts. The valid ones are stored before the answer; the answer tells of the others.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let body = json_body(&headers, body)?;
    let context = AlertContext {
        now: app.engine.now(),
        resolve_timeout: app.reloader.current().policy.resolve_timeout,
        is_classic: app.options.parse_mode == ParseMode::Classic,
    };
    // Counting alerts would need decoding them, so the size decides where that happens.
    let weight = if body.len() > MAX_INLINE_BYTES { usize::MAX } else { 0 };
    let mut posted = off_thread(weight, move || decode_alerts(&body, context)).await?;
    app.metrics.alerts_received(posted.firing, posted.resolved, posted.invalid);
    if !posted.valid.is_empty() {
        let alerts = std::mem::take(&mut posted.valid);
        match app.engine.command(Command::Ingest { alerts }.by(caller.actor)).await? {
            Reply::Ingested(ingested) => app.metrics.alerts_limited(ingested.limited),
            other => return Err(Failure::Unexpected(other)),
        }
    }
    match posted.complaint() {
        Some(complaint) => Err(complaint.into()),
        None => Ok(StatusCode::OK.into_response()),
    }
}

/// Returns the body of a request that must be JSON.
///
/// # Errors
/// It is too large, cannot be read, or calls itself something else.
pub(super) fn json_body(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Bytes, ApiError> {
    let body = body.map_err(|rejection| {
        let status = rejection.status();
        let message = crate::fallback::unread_body(status, &rejection.body_text());
        ApiError::Schema { code: status.as_u16(), message }
    })?;
    let given = headers.get(header::CONTENT_TYPE).map_or(b"".as_slice(), |value| value.as_bytes());
    let given = String::from_utf8_lossy(given);
    let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        // Without a body there is nothing that could be of the wrong type.
        _ if body.is_empty() => Ok(body),
        "application/json" => Ok(body),
        "" => Err(ApiError::media_type("application/octet-stream")),
        other => Err(ApiError::media_type(other)),
    }
}
