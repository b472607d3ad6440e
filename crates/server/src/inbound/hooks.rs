//! `/api/v1/hooks`: one address for everything that can post to a URL.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_config::{InboundKind, MappingConfig};
use tocsin_connect::{TopicMessage, Topics};
use tocsin_core::mapping::{Input, Mapped};
use tocsin_wire::grafana::read_webhook;
use tocsin_wire::v1::{
    FieldError, HookPreview, HookPreviewRequest, HookReport, PreviewedAlert, Problem, ProblemCode,
};

use super::{Gates, Inbound, KeyedAlert, ended, find, mail, preset, submit};
use crate::App;
use crate::fallback::unread_body;

/// What a hook refuses.
pub(super) struct Refused(Box<Problem>);

impl Refused {
    fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(code, detail)))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST);
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, kind, axum::Json(*self.0)).into_response()
    }
}

/// What was read of a body, whatever its form.
#[derive(Default)]
struct Read {
    alerts: Vec<KeyedAlert>,
    /// Keys of alerts that are over, whose labels the source need not repeat.
    ended_keys: Vec<String>,
    errors: Vec<FieldError>,
}

/// Takes what an integration posts.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Extension(gates): Extension<Arc<Gates>>,
    Extension(topics): Extension<Arc<Topics>>,
    Path(key): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let current = app.reloader.current();
    let inbound = current.inbounds.by_key(&key).map_err(|_| {
        Refused::new(ProblemCode::NotFound, "no integration of the configuration has this key")
    })?;
    let body = body.map_err(|rejection| {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::BodyTooLarge,
            _ => ProblemCode::InvalidBody,
        };
        Refused::new(code, unread_body(rejection.status(), &rejection.body_text()))
    })?;
    let now = app.engine.now();
    let body = match inbound.kind {
        InboundKind::Sns => match published(&topics, &inbound, &body).await? {
            Some(body) => body,
            // A subscription was confirmed, or taken back.
            None => return Ok(StatusCode::OK.into_response()),
        },
        _ => body,
    };
    let read = read(&inbound, &headers, query, &body, now)?;
    let invalid = read.errors.len();
    app.metrics.alerts_received(0, 0, invalid);
    if read.alerts.is_empty() && read.ended_keys.is_empty() && invalid > 0 {
        let problem = Problem::new(ProblemCode::Unprocessable, "nothing of it can be taken");
        return Err(Refused(Box::new(problem.with_errors(read.errors))));
    }
    let report = tell(&app, &gates, &inbound, read, now)
        .await
        .map_err(|error| Refused::new(ProblemCode::NotWritten, error.to_string()))?;
    Ok(axum::Json(report).into_response())
}

/// Returns what was published on a topic, once it is known that Amazon says so: the text of the
/// message when that is an alarm, else the message itself. `None` when nothing was published.
async fn published(
    topics: &Topics,
    inbound: &Inbound,
    body: &[u8],
) -> Result<Option<Bytes>, Refused> {
    let refuse = |why: String| Refused::new(ProblemCode::Unprocessable, format!("SNS: {why}"));
    let message: TopicMessage = serde_json::from_slice(body).map_err(|error| {
        Refused::new(ProblemCode::InvalidBody, format!("this is no message of SNS: {error}"))
    })?;
    topics.verify(&message, &inbound.allowed_hosts).await.map_err(refuse)?;
    match message.r#type.as_str() {
        "SubscriptionConfirmation" => {
            topics.confirm(&message, &inbound.allowed_hosts).await.map_err(refuse)?;
            tracing::info!(topic = %message.topic_arn, "subscription confirmed");
            Ok(None)
        }
        "Notification" => {
            let inner = serde_json::from_str::<Value>(&message.message);
            let is_alarm = inner.as_ref().is_ok_and(|it| it.get("AlarmName").is_some());
            Ok(Some(if is_alarm { message.message.into() } else { Bytes::copy_from_slice(body) }))
        }
        _ => Ok(None),
    }
}

async fn tell(
    app: &App,
    gates: &Gates,
    inbound: &Inbound,
    read: Read,
    now: Timestamp,
) -> Result<HookReport, tocsin_engine::EngineError> {
    // One body may tell of many keys; the first names the gate, which is all that is needed to
    // keep the order of one source's requests.
    let first = read.alerts.iter().find_map(|it| it.key.clone());
    let first = first.or_else(|| read.ended_keys.first().cloned()).unwrap_or_default();
    let _gate = gates.enter(&inbound.name, &first).await;
    let mut alerts = read.alerts;
    for key in read.ended_keys {
        if let Some(known) = find(app, inbound, key).await?.filter(|known| !known.is_resolved) {
            alerts.push(KeyedAlert { key: None, alert: ended(&known, now) });
        }
    }
    let told = submit(app, inbound, alerts).await?;
    Ok(HookReport {
        integration: inbound.name.to_string(),
        firing: told.firing,
        resolved: told.resolved,
        limited: told.ingested.limited,
        rejected: read.errors.len(),
        errors: read.errors,
    })
}

/// Reads a body as the integration's kind says.
fn read(
    inbound: &Inbound,
    headers: &HeaderMap,
    query: BTreeMap<String, String>,
    body: &[u8],
    now: Timestamp,
) -> Result<Read, Refused> {
    match inbound.kind {
        InboundKind::Grafana | InboundKind::Alertmanager => webhook(inbound, body, now),
        InboundKind::Pagerduty => Err(Refused::new(
            ProblemCode::NotFound,
            "PagerDuty clients post to /v2/enqueue with the key as `routing_key`",
        )),
        InboundKind::Opsgenie => Err(Refused::new(
            ProblemCode::NotFound,
            "Opsgenie clients post to /v2/alerts with the header `Authorization: GenieKey KEY`",
        )),
        InboundKind::Generic | InboundKind::Email | InboundKind::Sns => {
            let input = input(inbound.kind, headers, query, body)?;
            let mapped = map(inbound.kind, &inbound.mapping, &input, now)?;
            Ok(of_mapped(inbound, mapped, now))
        }
    }
}

fn webhook(inbound: &Inbound, body: &[u8], now: Timestamp) -> Result<Read, Refused> {
    let webhook = read_webhook(body, now)
        .map_err(|why| Refused::new(ProblemCode::InvalidBody, format!("the body: {why}")))?;
    let errors = webhook.complaints.into_iter().map(|(at, why)| FieldError::at(at, why));
    let complete = |mut alert: tocsin_core::alert::IncomingAlert| {
        // Its source repeats it only every few hours and says when it is over, so the resolve
        // timeout would end it too early.
        alert.labels = inbound.labelled(&alert.labels, None);
        alert.fingerprint = alert.labels.fingerprint();
        if alert.ends_at.is_none() {
            alert.ends_at = now.checked_add(inbound.event_life).ok();
        }
        KeyedAlert { key: None, alert }
    };
    let alerts = webhook.alerts.into_iter().map(complete).collect();
    Ok(Read { alerts, ended_keys: Vec::new(), errors: errors.collect() })
}

/// Returns what expressions see of a request.
fn input(
    kind: InboundKind,
    headers: &HeaderMap,
    query: BTreeMap<String, String>,
    body: &[u8],
) -> Result<Input, Refused> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = media.is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"));
    let mut body = if is_form {
        mail::form(body)
    } else if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(body).map_err(|error| {
            let why = format!("the body is neither a form nor JSON: {error}");
            Refused::new(ProblemCode::InvalidBody, why)
        })?
    };
    if kind == InboundKind::Email {
        body = mail::normalised(body);
    }
    // Whoever posts nothing may say it in the address.
    if let (Value::Object(fields), true) = (&mut body, !query.is_empty()) {
        for (name, value) in &query {
            fields.entry(name.clone()).or_insert_with(|| json!(value));
        }
    }
    let shown = headers
        .iter()
        .filter(|(name, _)| !matches!(**name, header::AUTHORIZATION | header::COOKIE))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok(Input { body, headers: shown.collect(), query })
}

fn map(
    kind: InboundKind,
    own: &MappingConfig,
    input: &Input,
    now: Timestamp,
) -> Result<Mapped, Refused> {
    let mapping = preset::mapping(kind, own).map_err(|error| {
        let at = FieldError::at(format!("/mapping/{}", error.field), error.message);
        Refused(Box::new(Problem::about(ProblemCode::Unprocessable, at)))
    })?;
    Ok(mapping.apply(input, now))
}

fn of_mapped(inbound: &Inbound, mapped: Mapped, now: Timestamp) -> Read {
    let mut read = Read::default();
    for error in mapped.errors {
        let place = match error.item {
            Some(item) => format!("/items/{item}/{}", error.field),
            None => format!("/{}", error.field),
        };
        read.errors.push(FieldError::at(place, error.message));
    }
    for it in mapped.alerts {
        // An end by key needs no labels: those of the alert that is known are used.
        if let (true, Some(key)) = (it.is_resolved, &it.dedup_key) {
            read.ended_keys.push(key.clone());
            continue;
        }
        let mut alert = it.alert;
        alert.labels = inbound.labelled(&alert.labels, it.dedup_key.as_deref());
        alert.fingerprint = alert.labels.fingerprint();
        if alert.ends_at.is_none() {
            alert.ends_at = now.checked_add(inbound.event_life).ok();
        }
        if let (Some(start), Some(end)) = (alert.starts_at, alert.ends_at) {
            alert.starts_at = Some(start.min(end));
        }
        read.alerts.push(KeyedAlert { key: it.dedup_key, alert });
    }
    read
}

/// Shows what a body would become; nothing is stored.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    axum::Json(request): axum::Json<HookPreviewRequest>,
) -> Result<axum::Json<HookPreview>, Refused> {
    let now = app.engine.now();
    let kind = match request.kind.as_str() {
        "generic" => InboundKind::Generic,
        "email" => InboundKind::Email,
        "sns" => InboundKind::Sns,
        other => {
            let why = format!("`{other}` is not read by expressions; generic, email and sns are");
            let at = FieldError::at("/type", why);
            return Err(Refused(Box::new(Problem::about(ProblemCode::Unprocessable, at))));
        }
    };
    let own = MappingConfig::of_expressions(&request.mapping).map_err(|field| {
        let at = FieldError::at(format!("/mapping/{field}"), "there is no such field");
        Refused(Box::new(Problem::about(ProblemCode::Unprocessable, at)))
    })?;
    let body =
        if kind == InboundKind::Email { mail::normalised(request.body) } else { request.body };
    let input = Input { body, headers: request.headers, query: request.query };
    let mapped = map(kind, &own, &input, now)?;
    let errors = mapped.errors.iter().map(|error| {
        let item = error.item.map_or_else(String::new, |item| format!("/items/{item}"));
        FieldError::at(format!("{item}/{}", error.field), error.message.clone())
    });
    let alerts = mapped.alerts.iter().map(|it| PreviewedAlert {
        status: if it.is_resolved { "resolved" } else { "firing" }.to_owned(),
        dedup_key: it.dedup_key.clone(),
        labels: it.alert.labels.clone(),
        annotations: it.alert.annotations.clone(),
        starts_at: it.alert.starts_at,
        ends_at: it.alert.ends_at,
        url: it.alert.generator_url.to_string(),
    });
    Ok(axum::Json(HookPreview { alerts: alerts.collect(), errors: errors.collect() }))
}
