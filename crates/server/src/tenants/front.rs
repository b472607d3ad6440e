//! The service in front of all routers.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::http::{Request, Uri};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower::Service;
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

use super::Tenants;
use crate::v1::Stopping;

/// Hands each request to the router of its tenant. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    tenants: Arc<Tenants>,
}

impl Front {
    /// Returns one in front of these.
    pub fn new(tenants: Arc<Tenants>) -> Self {
        Self { tenants }
    }
}

impl Service<Request<Body>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Instrumented<RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routers are always ready; what they bound they answer.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let choice = self.tenants.choose(&request);
        if let Some(path) = choice.path.filter(|path| path != request.uri().path()) {
            match with_path(request.uri(), &path) {
                Some(uri) => *request.uri_mut() = uri,
                // Never as another tenant than the one that was chosen.
                None => tracing::debug!(path, "a path cannot be written anew"),
            }
        }
        let member = choice.member.inner;
        if !Arc::ptr_eq(&member, &self.tenants.main.inner) {
            request.extensions_mut().insert(Stopping(member.gone.clone()));
        }
        let span = member.span.clone();
        span.in_scope(|| member.router.clone().call(request)).instrument(span)
    }
}

/// Returns an address with another path and the same query.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}
