//! `/api/v2/receivers`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use tocsin_wire::alertmanager::encode_receivers;

use super::query::Params;
use super::reply::{self, Failure};
use crate::App;

/// Lists receivers in the order of the configuration file.
pub(super) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Response, Failure> {
    let matchers = params.matchers("receiver_matchers", app.options.parse_mode)?;
    let current = app.reloader.current();
    let receivers = current.policy.receivers.iter();
    let shown = receivers.filter(|r| matchers.iter().all(|matcher| matcher.matches(&r.labels)));
    Ok(reply::json(encode_receivers(shown)))
}
