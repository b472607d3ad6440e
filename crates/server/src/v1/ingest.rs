//! Alerts arrive.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Reply};
use tocsin_core::matcher::ParseMode;
use tocsin_wire::v1::{AlertPosting, FieldError, IngestReport, MAX_REPORTED_ERRORS, PostedAlert};

use super::body::{self, RawJson};
use super::params::{Ask, Nothing};
use super::problem::{Answer, Refusal};
use crate::App;
use crate::access::Caller;

/// Bodies larger than this are read beside the async workers.
const MAX_INLINE_BYTES: usize = 256 << 10;

/// Post alerts
///
/// Each alert is read by itself: the valid ones are stored before the answer, which tells of the
/// others. When every one is wrong, the answer is a problem. Sending an alert again refreshes it;
/// one that is not sent again ends by itself.
#[utoipa::path(
    post, path = "/api/v1/alerts", operation_id = "post_alerts", tag = "alerts",
    request_body(content = AlertPosting<'static>),
    responses((status = 200, description = "What became of them", body = IngestReport))
)]
pub(super) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    Ask(Nothing): Ask<Nothing>,
    RawJson(bytes): RawJson,
) -> Answer<Json<IngestReport>> {
    let now = app.engine.now();
    let is_classic = app.options.parse_mode == ParseMode::Classic;
    let mut decoded = if bytes.len() <= MAX_INLINE_BYTES {
        decode(&bytes, now, is_classic)?
    } else {
        let decoding = tokio::task::spawn_blocking(move || decode(&bytes, now, is_classic));
        match decoding.await {
            Ok(decoded) => decoded?,
            // Nobody cancels the task, so it panicked; the panic is answered like any other.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    };
    app.metrics.alerts_received(decoded.firing, decoded.resolved, decoded.report.rejected);
    if decoded.valid.is_empty() && decoded.report.rejected > 0 {
        return Err(Refusal::fields(decoded.report.errors));
    }
    if !decoded.valid.is_empty() {
        match app.engine.command(Command::Ingest { alerts: decoded.valid }.by(caller.actor)).await?
        {
            Reply::Ingested(ingested) => {
                app.metrics.alerts_limited(ingested.limited);
                decoded.report.fired = ingested.fired;
                decoded.report.refreshed = ingested.refreshed;
                decoded.report.resolved = ingested.resolved;
                decoded.report.limited = ingested.limited;
            }
            other => return Err(Refusal::unexpected(&other)),
        }
    }
    Ok(Json(decoded.report))
}

#[derive(Default)]
struct Decoded {
    valid: Vec<IncomingAlert>,
    firing: usize,
    resolved: usize,
    report: IngestReport,
}

fn decode(bytes: &[u8], now: jiff::Timestamp, is_classic: bool) -> Answer<Decoded> {
    let posting: AlertPosting<'_> = body::parse(bytes)?;
    let mut decoded = Decoded::default();
    for (index, raw) in posting.alerts.iter().enumerate() {
        match read(raw.get(), index, now, is_classic) {
            Ok(alert) => {
                if alert.ends_at.is_some_and(|end| end <= now) {
                    decoded.resolved += 1;
                } else {
                    decoded.firing += 1;
                }
                decoded.valid.push(alert);
            }
            Err(error) => {
                decoded.report.rejected += 1;
                if decoded.report.errors.len() < MAX_REPORTED_ERRORS {
                    decoded.report.errors.push(error);
                }
            }
        }
    }
    Ok(decoded)
}

fn read(
    json: &str,
    index: usize,
    now: jiff::Timestamp,
    is_classic: bool,
) -> Result<IncomingAlert, FieldError> {
    let posted: PostedAlert = body::locate(json.as_bytes(), &format!("/alerts/{index}"))?;
    posted
        .into_incoming(now, is_classic)
        .map_err(|(field, message)| FieldError::at(format!("/alerts/{index}/{field}"), message))
}
