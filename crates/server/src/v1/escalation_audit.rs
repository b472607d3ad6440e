//! Whether every due step of every escalation ran.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_store::EventQuery;
use tocsin_wire::v1::{EscalationAudit, Event};

use super::names;
use super::params::{Ask, Nothing};
use super::problem::Answer;
use crate::App;

/// The most missed steps that are listed.
const MAX_LISTED: usize = 100;

/// Show whether every due step ran
///
/// The history is looked through twice a minute, without asking the engine that carries steps
/// out: what fell due and is not in it is listed here, and is an event and an alert.
#[utoipa::path(
    get, path = "/api/v1/escalations/audit", operation_id = "audit_escalations",
    tag = "escalations",
    responses((status = 200, description = "What the audit came to", body = EscalationAudit))
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<EscalationAudit>> {
    let query = EventQuery {
        kinds: vec!["step_missed".to_owned()],
        limit: MAX_LISTED,
        ..EventQuery::default()
    };
    let missed = app.engine.store().events(app.engine.tenant(), query).await?;
    let mut directory = names::directory(&app).await;
    names::learn(&app, &mut directory, &missed).await;
    let report = app.engine.audit();
    Ok(Json(EscalationAudit {
        at: report.at,
        through: report.through.0,
        followed: report.followed,
        trouble: report.trouble.clone(),
        missed: missed.iter().map(|recorded| Event::new(recorded, &directory)).collect(),
    }))
}
