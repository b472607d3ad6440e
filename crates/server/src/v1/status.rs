//! How the server is doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_wire::v1::{ConfigurationStatus, Readiness, Status};

use super::params::{Ask, Nothing};
use super::problem::Answer;
use crate::App;

/// Show how the server is doing
#[utoipa::path(
    get, path = "/api/v1/status", operation_id = "get_status", tag = "server",
    responses((status = 200, description = "How it is doing", body = Status))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Status>> {
    let (counts, now) = app.engine.read(|tenant, now| (tenant.counts(now), now)).await?;
    let reload = app.reloader.state();
    let reason = app.engine.readiness().err();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: app.started_at,
        uptime_seconds: now.duration_since(app.started_at).as_secs(),
        readiness: Readiness { is_ready: reason.is_none(), reason },
        counts: counts.into(),
        configuration: ConfigurationStatus {
            hash: format!("{:016x}", app.reloader.current().hash()),
            is_last_reload_successful: reload.is_successful,
            loaded_at: reload.succeeded_at,
        },
    }))
}
