//! From the body of a hook to what it tells, as the kind of the integration says.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use tocsin_config::InboundKind;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::mapping::{Input, Mapped, MappingError};
use tocsin_wire::grafana::read_webhook;
use tocsin_wire::v1::{FieldError, ProblemCode};

use super::hooks::KEY_HEADER;
use super::{Inbound, KeyedAlert, mail};
use crate::v1::problem::Refusal;

/// One thing that a body tells.
pub(super) enum Entry {
    /// An alert fires, or is over and says all of its labels.
    Alert(KeyedAlert),
    /// The alert of this key is over; its source need not repeat the labels.
    End(String),
}

/// What was read of a body, in its order.
#[derive(Default)]
pub(super) struct Read {
    pub(super) entries: Vec<Entry>,
    pub(super) errors: Vec<FieldError>,
}

impl Read {
    /// Returns the key of every entry that has one.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Alert(told) => told.key.as_deref(),
            Entry::End(key) => Some(key),
        })
    }
}

/// Reads a body as the integration's kind says.
///
/// # Errors
/// It cannot be read at all.
pub(super) async fn read(
    inbound: &Inbound,
    headers: &HeaderMap,
    query: BTreeMap<String, String>,
    body: Bytes,
    now: Timestamp,
) -> Result<Read, Refusal> {
    match inbound.kind {
        InboundKind::Grafana | InboundKind::Alertmanager => webhook(inbound, &body, now),
        InboundKind::Pagerduty => Err(Refusal::not_found(
            "PagerDuty clients post to /v2/enqueue with the key as `routing_key`",
        )),
        InboundKind::Opsgenie => Err(Refusal::not_found(
            "Opsgenie clients post to /v2/alerts with the header `Authorization: GenieKey KEY`",
        )),
        InboundKind::Generic | InboundKind::Email | InboundKind::Sns => {
            let input = input(inbound.kind, headers, query, body).await?;
            Ok(of_mapped(inbound, inbound.mapping.apply(&input, now), now))
        }
    }
}

fn webhook(inbound: &Inbound, body: &[u8], now: Timestamp) -> Result<Read, Refusal> {
    let webhook = read_webhook(body, now)
        .map_err(|why| Refusal::new(ProblemCode::InvalidBody, format!("the body: {why}")))?;
    let errors = webhook.complaints.into_iter().map(|(at, why)| FieldError::at(at, why));
    let complete = |mut alert: IncomingAlert| {
        // Its source repeats it only every few hours and says when it is over, so the resolve
        // timeout would end it too early.
        alert.labels = inbound.labelled(&alert.labels, None);
        lives(&mut alert, inbound, now);
        Entry::Alert(KeyedAlert { key: None, alert })
    };
    let entries = webhook.alerts.into_iter().map(complete).collect();
    Ok(Read { entries, errors: errors.collect() })
}

/// Returns what expressions see of a request.
async fn input(
    kind: InboundKind,
    headers: &HeaderMap,
    query: BTreeMap<String, String>,
    body: Bytes,
) -> Result<Input, Refusal> {
    let invalid = |why: String| Refusal::new(ProblemCode::InvalidBody, why);
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = match essence.as_str() {
        "application/x-www-form-urlencoded" => mail::form(&body),
        "multipart/form-data" => mail::parts(media, body).await.map_err(invalid)?,
        _ if body.is_empty() => json!({}),
        _ => serde_json::from_slice(&body)
            .map_err(|error| invalid(format!("the body is neither a form nor JSON: {error}")))?,
    };
    let mut body = normalised(kind, body);
    // Whoever posts nothing may say it in the address.
    if let Value::Object(fields) = &mut body {
        for (name, value) in &query {
            fields.entry(name.clone()).or_insert_with(|| json!(value));
        }
    }
    let is_secret = |name: &str| matches!(name, "authorization" | "cookie" | KEY_HEADER);
    let shown = headers
        .iter()
        .filter(|(name, _)| !is_secret(name.as_str()))
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok(Input { body, headers: shown.collect(), query })
}

/// Returns a body with the fields that the kind adds.
pub(super) fn normalised(kind: InboundKind, body: Value) -> Value {
    if kind == InboundKind::Email { mail::normalised(body) } else { body }
}

/// Returns a complaint of a mapping with its place.
pub(super) fn placed(error: MappingError) -> FieldError {
    let item = error.item.map(|item| format!("/items/{item}")).unwrap_or_default();
    FieldError::at(format!("{item}/{}", error.field), error.message)
}

fn of_mapped(inbound: &Inbound, mapped: Mapped, now: Timestamp) -> Read {
    let entries = mapped.alerts.into_iter().map(|it| {
        // An end by key needs no labels: those of the alert that is known are used.
        if let (true, Some(key)) = (it.is_resolved, &it.dedup_key) {
            return Entry::End(key.clone());
        }
        let mut alert = it.alert;
        alert.labels = inbound.labelled(&alert.labels, it.dedup_key.as_deref());
        lives(&mut alert, inbound, now);
        Entry::Alert(KeyedAlert { key: it.dedup_key, alert })
    });
    Read { entries: entries.collect(), errors: mapped.errors.into_iter().map(placed).collect() }
}

/// Completes an alert whose labels are complete: its hash, its beginning and its end.
fn lives(alert: &mut IncomingAlert, inbound: &Inbound, now: Timestamp) {
    alert.fingerprint = alert.labels.fingerprint();
    if alert.ends_at.is_none() {
        alert.ends_at = now.checked_add(inbound.event_life).ok();
    }
    // An alert without a beginning would begin when it ends.
    let begins = alert.starts_at.unwrap_or(now);
    alert.starts_at = Some(alert.ends_at.map_or(begins, |end| begins.min(end)));
}
