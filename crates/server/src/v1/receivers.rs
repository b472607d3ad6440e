//! Test messages.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use tocsin_engine::{Drill, drill};
use tocsin_wire::v1::{ReceiverTest, ReceiverTestResult, TestedIntegration};

use super::body::Json as Body;
use super::params::{Ask, Nothing};
use super::problem::{Answer, Refusal};
use crate::App;

/// Send a test message
///
/// Tells a made-up alert to every integration of the receiver, once and at once, and answers how
/// each took it. Nothing is recorded or retried, and no group's incident is touched: the message
/// carries a group key of its own. The answer is 200 also when an integration fails; look at
/// `delivered`.
#[utoipa::path(
    post, path = "/api/v1/receivers/{name}/test", operation_id = "test_receiver", tag = "routing",
    params(("name" = String, Path, description = "The name of the receiver")),
    request_body = ReceiverTest,
    responses((status = 200, description = "How each integration took it", body = ReceiverTestResult))
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Ask(Nothing): Ask<Nothing>,
    Body(test): Body<ReceiverTest>,
) -> Answer<Json<ReceiverTestResult>> {
    let policy = app.engine.read(|tenant, _| Arc::clone(tenant.policy())).await?;
    let receiver = policy
        .receiver(&name)
        .ok_or_else(|| Refusal::not_found(format!("there is no receiver `{name}`")))?;
    let full_name = |it: &tocsin_core::policy::Integration| {
        format!("{}/{}[{}]", receiver.name, it.kind, it.index)
    };
    if let Some(wanted) = &test.integration
        && !receiver.integrations.iter().any(|it| full_name(it) == *wanted)
    {
        let why = format!("the receiver `{name}` has no integration `{wanted}`");
        return Err(Refusal::field("/integration", why));
    }
    let alert =
        Drill { labels: test.labels, annotations: test.annotations, is_resolved: test.resolved };
    let is_wanted = |it: &_| test.integration.as_ref().is_none_or(|name| full_name(it) == *name);
    let now = app.engine.now();
    let drilled = drill(Arc::clone(&app.deliver), receiver, &alert, is_wanted, now).await;
    let integrations: Vec<_> = drilled
        .into_iter()
        .map(|it| {
            let elapsed_ms = u64::try_from(it.elapsed.as_millis()).unwrap_or(u64::MAX);
            TestedIntegration::new(it.integration, it.outcome, elapsed_ms)
        })
        .collect();
    Ok(Json(ReceiverTestResult {
        receiver: name,
        delivered: integrations.iter().all(|it| it.delivered),
        integrations,
    }))
}
