//! What each severity means and asks for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_core::incident::Evidence;
use tocsin_wire::v1::{IncidentClassification, IncidentEvidence, Severities};

use super::super::body::Json as Body;
use super::super::params::{Ask, Nothing};
use super::super::problem::{Answer, Refusal};
use crate::App;

/// List severities
///
/// What each of them means, what it asks for as it is configured, and who is needed.
#[utoipa::path(
    get, path = "/api/v1/severities", operation_id = "list_severities", tag = "incidents",
    responses((status = 200, description = "The severities, the worst first", body = Severities))
)]
pub(in super::super) async fn list(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Severities>> {
    let policy = app.engine.read(|tenant, _| Arc::clone(tenant.policy())).await?;
    let settings = &policy.incidents;
    let is_required = |severity| settings.requires_postmortem(severity);
    Ok(Json(Severities::new(&settings.severities, is_required)))
}

/// Say how bad something is
///
/// By what is known of its effects; nothing is declared or changed. What is absent is unknown, and
/// named.
#[utoipa::path(
    post, path = "/api/v1/severities/classify", operation_id = "classify", tag = "incidents",
    request_body = IncidentEvidence,
    responses((status = 200, description = "How bad, and why", body = IncidentClassification))
)]
pub(in super::super) async fn classify(
    Ask(Nothing): Ask<Nothing>,
    Body(evidence): Body<IncidentEvidence>,
) -> Answer<Json<IncidentClassification>> {
    let evidence = Evidence::from(evidence);
    match evidence.problem() {
        Some((field, message)) => {
            Err(Refusal::field(&format!("/{field}"), format!("must be {message}")))
        }
        None => Ok(Json(IncidentClassification::of(&evidence))),
    }
}
