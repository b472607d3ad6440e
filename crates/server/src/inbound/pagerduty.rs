//! PagerDuty's Events API: clients that speak it can be pointed here.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_config::InboundKind;
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::Actor;
use tocsin_engine::EngineError;
use tocsin_wire::pagerduty::{Action, Invalid, PagerdutyEvent, Processed, read_change};

use super::{Gates, Inbound, KeyedAlert, ended, find, submit};
use crate::App;
use crate::access::Caller;
use crate::fallback::unread_body;

/// How long a client should wait when the engine takes nothing, in seconds.
const BUSY_SECONDS: &str = "5";

/// Why an event was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// It cannot be read.
    Invalid(Vec<String>),
    /// No integration has its key.
    UnknownKey,
    /// The body did not arrive.
    Unread(StatusCode, String),
    /// The engine takes nothing at the moment.
    Engine(EngineError),
}

impl From<EngineError> for Refused {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, errors) = match self {
            Self::Invalid(errors) => (StatusCode::BAD_REQUEST, errors),
            Self::UnknownKey => (
                StatusCode::BAD_REQUEST,
                vec!["'routing_key' is not the key of any integration".to_owned()],
            ),
            Self::Unread(status, text) => (status, vec![text]),
            Self::Engine(error) => (StatusCode::SERVICE_UNAVAILABLE, vec![error.to_string()]),
        };
        let mut response = (status, axum::Json(Invalid::new(errors))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let wait = header::HeaderValue::from_static(BUSY_SECONDS);
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

/// Takes an event of version 2.
pub(super) async fn enqueue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(gates): Extension<Arc<Gates>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let event = read(&app, body, PagerdutyEvent::read)?;
    let key = take(&app, &caller, &gates, event).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Processed::event(&key))).into_response())
}

/// Takes an event of version 1.
pub(super) async fn create_event(
    State(app): State<Arc<App>>,
    caller: Caller,
    Extension(gates): Extension<Arc<Gates>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let event = read(&app, body, PagerdutyEvent::read_v1)?;
    let incident_key = take(&app, &caller, &gates, event).await?;
    let answer = serde_json::json!({
        "status": "success", "message": "Event processed", "incident_key": incident_key
    });
    Ok(axum::Json(answer).into_response())
}

/// Takes a change event.
pub(super) async fn enqueue_change(
    State(app): State<Arc<App>>,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let now = app.engine.now();
    let (routing_key, mut change) = read(&app, body, |body| read_change(body, now))?;
    let inbound = integration(&app, &caller, &routing_key)?;
    change.integration = inbound.name.to_string();
    let command = Command::RecordChange { change }.by(super::actor(&caller, &inbound));
    app.engine.command(command).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Processed::change())).into_response())
}

fn read<T>(
    app: &App,
    body: Result<Bytes, BytesRejection>,
    parse: impl FnOnce(&[u8]) -> Result<T, Vec<String>>,
) -> Result<T, Refused> {
    let body = body.map_err(|rejection| {
        let text = unread_body(rejection.status(), &rejection.body_text());
        Refused::Unread(rejection.status(), text)
    })?;
    parse(&body).map_err(|errors| {
        app.metrics.alerts_received(0, 0, 1);
        app.metrics.hook_refused("", "unprocessable");
        Refused::Invalid(errors)
    })
}

fn integration(app: &App, caller: &Caller, key: &str) -> Result<Arc<Inbound>, Refused> {
    super::admit(app, caller, Some(InboundKind::Pagerduty), key).map_err(|_| {
        app.metrics.hook_refused("", "unknown_key");
        Refused::UnknownKey
    })
}

/// Does what an event says and returns the key of its incident.
async fn take(
    app: &App,
    caller: &Caller,
    gates: &Gates,
    event: PagerdutyEvent,
) -> Result<String, Refused> {
    let inbound = integration(app, caller, &event.routing_key)?;
    let actor = super::actor(caller, &inbound);
    let key = event.dedup_key.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let _gate = gates.enter(&inbound.name, &key).await;
    match event.action {
        Action::Trigger => trigger(app, actor, &inbound, &key, &event).await?,
        Action::Acknowledge => acknowledge(app, actor, &inbound, key.clone()).await?,
        Action::Resolve => resolve(app, actor, &inbound, key.clone()).await?,
    }
    Ok(key)
}

async fn trigger(
    app: &App,
    actor: Actor,
    inbound: &Inbound,
    key: &str,
    event: &PagerdutyEvent,
) -> Result<(), Refused> {
    let Some(mut alert) = event.alert() else { return Ok(()) };
    let now = app.engine.now();
    alert.labels = inbound.labelled(&alert.labels, Some(key));
    alert.fingerprint = alert.labels.fingerprint();
    // A clock of a client that is ahead must not make an alert of the future.
    alert.starts_at = Some(alert.starts_at.map_or(now, |at| at.min(now)));
    alert.ends_at = now.checked_add(inbound.event_life).ok();
    submit(app, actor, inbound, vec![KeyedAlert { key: Some(key.to_owned()), alert }]).await?;
    Ok(())
}

/// An acknowledgement of what nobody knows, or of what is over, does nothing, as at the service.
async fn acknowledge(
    app: &App,
    actor: Actor,
    inbound: &Inbound,
    key: String,
) -> Result<(), Refused> {
    let Some(known) = find(app, inbound, key).await? else { return Ok(()) };
    let command = Command::Acknowledge {
        alerts: vec![known.alert.identity.fingerprint],
        by: inbound.name.to_string(),
        comment: String::new(),
        expires_at: None,
    };
    if let Reply::Rejected(why) = app.engine.command(command.by(actor)).await? {
        tracing::debug!(%why, "an acknowledgement came too late");
    }
    Ok(())
}

async fn resolve(app: &App, actor: Actor, inbound: &Inbound, key: String) -> Result<(), Refused> {
    let Some(known) = find(app, inbound, key).await?.filter(|known| !known.is_resolved) else {
        return Ok(());
    };
    let alert = ended(&known, app.engine.now());
    submit(app, actor, inbound, vec![KeyedAlert { key: None, alert }]).await?;
    Ok(())
}
