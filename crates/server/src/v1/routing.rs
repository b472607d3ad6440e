//! Receivers and routes: who is told what.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use tocsin_core::policy::Policy;
use tocsin_wire::v1::{Receiver, ReceiverPage, Route, RouteTest, RouteTestResult};

use super::body::Json as Body;
use super::cursor::List;
use super::params::{Ask, FromQuery, Nothing, Params};
use super::problem::Answer;
use crate::App;

/// Which receivers to list.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReceiversQuery {
    /// Only receivers with an integration of this kind, such as `slack`.
    kind: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of the page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: usize,
}

impl FromQuery for ReceiversQuery {
    fn read(params: &Params) -> Answer<Self> {
        Ok(Self {
            kind: params.text("kind")?,
            cursor: params.text("cursor")?,
            limit: params.limit()?,
        })
    }
}

/// List receivers
///
/// Ascending by name.
#[utoipa::path(
    get, path = "/api/v1/receivers", operation_id = "list_receivers", tag = "routing",
    params(ReceiversQuery),
    responses((status = 200, description = "A page of receivers", body = ReceiverPage))
)]
pub(super) async fn receivers(
    State(app): State<Arc<App>>,
    Ask(query): Ask<ReceiversQuery>,
) -> Answer<Json<ReceiverPage>> {
    let after: Option<String> = List::Receivers.key(query.cursor.as_deref())?;
    let policy = policy(&app).await?;
    let mut found: Vec<_> = policy.receivers.iter().collect();
    found.retain(|receiver| {
        after.as_ref().is_none_or(|after| *receiver.name > **after)
            && query
                .kind
                .as_ref()
                .is_none_or(|kind| receiver.integrations.iter().any(|it| it.kind == kind))
    });
    found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let next_cursor =
        List::Receivers.page(&mut found, query.limit, |receiver| Arc::clone(&receiver.name));
    Ok(Json(ReceiverPage { items: found.into_iter().map(Receiver::from).collect(), next_cursor }))
}

/// Show the tree of routes
///
/// From the root, with everything that routes inherit filled in.
#[utoipa::path(
    get, path = "/api/v1/routes", operation_id = "get_routes", tag = "routing",
    responses((status = 200, description = "The root", body = Route))
)]
pub(super) async fn routes(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
) -> Answer<Json<Route>> {
    Ok(Json(Route::tree(&policy(&app).await?.routes)))
}

/// Show where an alert would go
#[utoipa::path(
    post, path = "/api/v1/routes/test", operation_id = "test_routes", tag = "routing",
    request_body = RouteTest,
    responses((status = 200, description = "Where it would go", body = RouteTestResult))
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Ask(Nothing): Ask<Nothing>,
    Body(test): Body<RouteTest>,
) -> Answer<Json<RouteTestResult>> {
    Ok(Json(RouteTestResult::of(&policy(&app).await?.routes, &test.labels)))
}

async fn policy(app: &App) -> Answer<Arc<Policy>> {
    Ok(app.engine.read(|tenant, _| Arc::clone(tenant.policy())).await?)
}
