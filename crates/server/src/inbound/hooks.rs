//! `/api/v1/hooks`: one address for everything that can post to a URL.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::Value;
use tocsin_config::{InboundKind, MappingConfig};
use tocsin_connect::{TopicMessage, Topics, Trust};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::identity::Actor;
use tocsin_core::mapping::Input;
use tocsin_engine::EngineError;
use tocsin_wire::grafana::read_webhook;
use tocsin_wire::v1::{
    FieldError, HookPreview, HookPreviewRequest, HookReport, PreviewedAlert, Problem, ProblemCode,
};

use super::reading::{self, Entry, Read};
use super::{Gates, Inbound, KeyedAlert, actor, admit, ended, find, preset, submit};
use crate::App;
use crate::access::Caller;
use crate::fallback::unread_body;
use crate::v1::body::Json as JsonBody;
use crate::v1::problem::Refusal;

/// The header that may carry the key of an integration.
pub(super) const KEY_HEADER: &str = "x-tocsin-key";

/// The largest body that is tried out, in bytes: whoever asks may choose the expressions, too.
const MAX_PREVIEW_BYTES: usize = 64 << 10;

/// What all hooks share.
type Shared = (Extension<Arc<Gates>>, Extension<Arc<Topics>>);

/// Take what an integration posts
///
/// The key in the path names the integration, and its kind says how the body is read: JSON, a
/// form, or a form with parts. What is good is stored before the answer, which tells of the rest.
#[utoipa::path(
    post, path = "/api/v1/hooks/{key}", operation_id = "post_hook", tag = "integrations",
    params(("key" = String, Path, description = "The key of an integration")),
    request_body(content = serde_json::Value),
    responses((status = 200, description = "What became of it", body = HookReport))
)]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    shared: Shared,
    Path(key): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let (Extension(gates), Extension(topics)) = shared;
    let Ok(inbound) = admit(&app, &caller, None, &key) else {
        app.metrics.hook_refused("", "unknown_key");
        let why = match key.as_str() {
            "sns" => "SNS has to be configured: add an integration of type `sns` with its `topics`",
            _ => "no integration of the configuration has this key",
        };
        return Err(Refusal::not_found(why));
    };
    let source = Source { actor: actor(&caller, &inbound), inbound };
    take_for(&app, &gates, &topics, &source, query, &headers, body).await
}

/// Take what an integration posts, with its key in a header
///
/// Like the other, for clients whose addresses are logged: the key is in
/// `Authorization: Bearer KEY` or in `X-Tocsin-Key`.
#[utoipa::path(
    post, path = "/api/v1/hooks", operation_id = "post_hook_by_header", tag = "integrations",
    params(("X-Tocsin-Key" = Option<String>, Header, description = "The key of an integration")),
    request_body(content = serde_json::Value),
    responses((status = 200, description = "What became of it", body = HookReport))
)]
pub(super) async fn take_by_header(
    State(app): State<Arc<App>>,
    caller: Caller,
    shared: Shared,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let (Extension(gates), Extension(topics)) = shared;
    let known = key_of(&headers).and_then(|key| admit(&app, &caller, None, key).ok());
    let Some(inbound) = known else {
        app.metrics.hook_refused("", "unknown_key");
        let why = "send the key of an integration: `Authorization: Bearer KEY`, `X-Tocsin-Key: KEY` \
                   or `/api/v1/hooks/KEY`";
        let refusal = Refusal::new(ProblemCode::Unauthorized, why);
        return Err(([(header::WWW_AUTHENTICATE, "Bearer")], refusal).into_response());
    };
    let source = Source { actor: actor(&caller, &inbound), inbound };
    let told = take_for(&app, &gates, &topics, &source, query, &headers, body).await;
    told.map_err(IntoResponse::into_response)
}

/// Returns the key of an integration that headers carry.
pub(crate) fn key_of(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    });
    text(KEY_HEADER).or(bearer).map(str::trim)
}

/// Which integration tells, and who that is for the audit log.
struct Source {
    inbound: Arc<Inbound>,
    actor: Actor,
}

async fn take_for(
    app: &App,
    gates: &Gates,
    topics: &Topics,
    source: &Source,
    query: BTreeMap<String, String>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let answer = try_take(app, gates, topics, source, query, headers, body).await;
    if let Err(refusal) = &answer {
        app.metrics.hook_refused(&source.inbound.name, refusal.code().as_str());
    }
    answer
}

async fn try_take(
    app: &App,
    gates: &Gates,
    topics: &Topics,
    source: &Source,
    query: BTreeMap<String, String>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let inbound = &*source.inbound;
    let body = body.map_err(|rejection| {
        let code = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::BodyTooLarge,
            _ => ProblemCode::InvalidBody,
        };
        Refusal::new(code, unread_body(rejection.status(), &rejection.body_text()))
    })?;
    let now = app.engine.now();
    let body = match inbound.kind {
        InboundKind::Sns => match published(topics, inbound, &body, now).await? {
            Some(body) => body,
            // A subscription was confirmed, or taken back.
            None => return Ok(StatusCode::OK.into_response()),
        },
        _ => body,
    };
    let read = reading::read(inbound, headers, query, body, now).await?;
    let invalid = read.errors.len();
    app.metrics.alerts_received(0, 0, invalid);
    if read.entries.is_empty() && invalid > 0 {
        let problem = Problem::new(ProblemCode::Unprocessable, "nothing of it can be taken");
        return Err(problem.with_errors(read.errors).into());
    }
    if invalid > 0 {
        app.metrics.hook_refused(&inbound.name, "partly_invalid");
    }
    Ok(Json(tell(app, gates, source, read, now).await?).into_response())
}

/// Returns what was published on a topic, once it is known that Amazon says so: the text of the
/// message when that is an alarm, else the message itself. `None` when nothing was published.
async fn published(
    topics: &Topics,
    inbound: &Inbound,
    body: &[u8],
    now: Timestamp,
) -> Result<Option<Bytes>, Refusal> {
    let refuse = |why: String| Refusal::new(ProblemCode::Unprocessable, format!("SNS: {why}"));
    let message: TopicMessage = serde_json::from_slice(body).map_err(|error| {
        Refusal::new(ProblemCode::InvalidBody, format!("this is no message of SNS: {error}"))
    })?;
    let trust = Trust { topics: &inbound.topics, allowed_hosts: &inbound.allowed_hosts, now };
    topics.verify(&message, trust).await.map_err(refuse)?;
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
    source: &Source,
    read: Read,
    now: Timestamp,
) -> Result<HookReport, EngineError> {
    let inbound = &*source.inbound;
    let _gates = gates.enter_all(&inbound.name, read.keys()).await;
    // What the same body said before, which the engine does not know yet.
    let mut before: BTreeMap<String, IncomingAlert> = BTreeMap::new();
    let mut alerts = Vec::with_capacity(read.entries.len());
    for entry in read.entries {
        match entry {
            Entry::Alert(told) => {
                let key = told.key.clone();
                let replaced = key.and_then(|key| before.insert(key, told.alert.clone()));
                if let Some(replaced) = replaced
                    && replaced.fingerprint != told.alert.fingerprint
                {
                    alerts.push(KeyedAlert { key: None, alert: over(replaced, now) });
                }
                alerts.push(told);
            }
            Entry::End(key) => {
                let alert = match before.remove(&key) {
                    Some(told) => Some(over(told, now)),
                    None => find(app, inbound, key)
                        .await?
                        .filter(|known| !known.is_resolved)
                        .map(|known| ended(&known, now)),
                };
                alerts.extend(alert.map(|alert| KeyedAlert { key: None, alert }));
            }
        }
    }
    let told = submit(app, source.actor.clone(), inbound, alerts).await?;
    Ok(HookReport {
        integration: inbound.name.to_string(),
        firing: told.firing,
        resolved: told.resolved,
        limited: told.ingested.limited,
        rejected: read.errors.len(),
        errors: read.errors,
    })
}

/// Ends an alert that was told in the same body.
fn over(alert: IncomingAlert, now: Timestamp) -> IncomingAlert {
    IncomingAlert { starts_at: alert.starts_at.map(|at| at.min(now)), ends_at: Some(now), ..alert }
}

/// Show what a body would become
///
/// Nothing is stored. The body is that of the `type`; for `sns` it is the text of a message.
#[utoipa::path(
    post, path = "/api/v1/hooks/preview", operation_id = "preview_hook", tag = "integrations",
    request_body(content = HookPreviewRequest),
    responses((status = 200, description = "The alerts", body = HookPreview))
)]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    JsonBody(request): JsonBody<HookPreviewRequest>,
) -> Result<Json<HookPreview>, Refusal> {
    let now = app.engine.now();
    let body = request.body.to_string();
    if body.len() > MAX_PREVIEW_BYTES {
        let why = format!("the body has more than {MAX_PREVIEW_BYTES} bytes; try a part of it");
        return Err(Refusal::about(ProblemCode::BodyTooLarge, FieldError::at("/body", why)));
    }
    let unprocessable =
        |at: &str, why: String| Refusal::about(ProblemCode::Unprocessable, FieldError::at(at, why));
    let kind = match request.kind.as_str() {
        "generic" => InboundKind::Generic,
        "email" => InboundKind::Email,
        "sns" => InboundKind::Sns,
        "grafana" | "alertmanager" if !request.mapping.is_empty() => {
            let why = format!("`{}` is not read by expressions; leave them out", request.kind);
            return Err(unprocessable("/mapping", why));
        }
        "grafana" | "alertmanager" => return previewed_webhook(&body, now),
        other => {
            let known = "there are generic, email, sns, grafana and alertmanager";
            return Err(unprocessable("/type", format!("`{other}` cannot be tried; {known}")));
        }
    };
    let own = MappingConfig::of_expressions(&request.mapping)
        .map_err(|field| unprocessable(&format!("/mapping/{field}"), no_field(&field)))?;
    let mapping = preset::mapping(kind, &own)
        .map_err(|error| unprocessable(&format!("/mapping/{}", error.field), error.message))?;
    let body = reading::normalised(kind, request.body);
    let input = Input { body, headers: request.headers, query: request.query };
    let mapped = mapping.apply(&input, now);
    let alerts = mapped.alerts.iter().map(|it| {
        let status = if it.is_resolved { "resolved" } else { "firing" };
        previewed(&it.alert, status, it.dedup_key.clone())
    });
    let alerts = alerts.collect();
    let errors = mapped.errors.into_iter().map(reading::placed).collect();
    Ok(Json(HookPreview { alerts, errors }))
}

fn no_field(field: &str) -> String {
    let known = tocsin_core::mapping::FIELDS.join(", ");
    format!("there is no field `{field}`; there are {known}")
}

fn previewed_webhook(body: &str, now: Timestamp) -> Result<Json<HookPreview>, Refusal> {
    let webhook = read_webhook(body.as_bytes(), now)
        .map_err(|why| Refusal::about(ProblemCode::Unprocessable, FieldError::at("/body", why)))?;
    let alerts = webhook.alerts.iter().map(|alert| {
        let is_over = alert.ends_at.is_some_and(|end| end <= now);
        previewed(alert, if is_over { "resolved" } else { "firing" }, None)
    });
    let alerts = alerts.collect();
    let errors = webhook.complaints.into_iter().map(|(at, why)| FieldError::at(at, why)).collect();
    Ok(Json(HookPreview { alerts, errors }))
}

fn previewed(alert: &IncomingAlert, status: &str, dedup_key: Option<String>) -> PreviewedAlert {
    PreviewedAlert {
        status: status.to_owned(),
        dedup_key,
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        url: alert.generator_url.to_string(),
    }
}
