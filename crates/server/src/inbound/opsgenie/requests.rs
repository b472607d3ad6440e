//! What became of requests: clients are answered 202 and ask later.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::extract::{Extension, Path};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tocsin_wire::opsgenie::OpsgenieAlert;
use uuid::Uuid;

use super::caller::{Caller, Refused};

/// The most requests that are remembered; the oldest are forgotten first.
const MAX_REQUESTS: usize = 10_000;

/// What became of the latest requests.
#[derive(Debug, Default)]
pub(in crate::inbound) struct Requests(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    order: VecDeque<Uuid>,
    results: BTreeMap<Uuid, (Arc<str>, Value)>,
}

impl Requests {
    /// Remembers how the caller's request ended.
    pub(super) fn remember(
        &self,
        caller: &Caller,
        now: Timestamp,
        action: &str,
        result: Result<&OpsgenieAlert, &str>,
    ) {
        let status = result.err().unwrap_or("Processed");
        let value = json!({
            "success": result.is_ok(), "isSuccess": result.is_ok(), "action": action,
            "processedAt": now, "status": status, "integrationId": &*caller.inbound.name,
            "alertId": result.map(|alert| alert.id.to_string()).unwrap_or_default(),
            "alias": result.map(|alert| alert.alias.clone()).unwrap_or_default(),
        });
        let mut memory = self.0.lock();
        memory.order.push_back(caller.request);
        memory.results.insert(caller.request, (Arc::clone(&caller.inbound.name), value));
        if memory.order.len() > MAX_REQUESTS
            && let Some(oldest) = memory.order.pop_front()
        {
            memory.results.remove(&oldest);
        }
    }
}

/// Tells what became of a request.
pub(super) async fn show(
    caller: Caller,
    Extension(requests): Extension<Arc<Requests>>,
    Path(request): Path<String>,
) -> Result<Response, Refused> {
    let known = request.parse().ok().and_then(|id: Uuid| {
        let memory = requests.0.lock();
        let (integration, value) = memory.results.get(&id)?;
        (*integration == caller.inbound.name).then(|| value.clone())
    });
    match known {
        Some(data) => Ok(caller.answer(StatusCode::OK, json!({ "data": data }))),
        None => Err(caller.refuse(StatusCode::NOT_FOUND, "this request is not known any more")),
    }
}
