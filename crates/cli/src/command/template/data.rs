//! The data that a text is tried out with: a file, or an example.

use std::path::Path;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tocsin_core::ids::AlertNumber;
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::notification::{Notification, NotifiedAlert, NotifyReason};

use crate::failure::Failure;

/// Where the example's links lead.
pub(super) const EXAMPLE_URL: &str = "http://tocsin.example:9093";

/// All reasons, to find one by its words.
const REASONS: [NotifyReason; 6] = [
    NotifyReason::First,
    NotifyReason::NewAlerts,
    NotifyReason::SomeResolved,
    NotifyReason::AllResolved,
    NotifyReason::Repeat,
    NotifyReason::Unmuted,
];

/// The body of a webhook, as far as templates see it. What all alerts share is computed from them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    receiver: String,
    alerts: Vec<Alert>,
    group_labels: Labels,
    route_labels: Labels,
    group_key: String,
    #[serde(rename = "notification_reason")]
    reason: String,
    #[serde(rename = "externalURL")]
    external_url: String,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            receiver: "receiver".to_owned(),
            alerts: Vec::new(),
            group_labels: Labels::default(),
            route_labels: Labels::default(),
            group_key: String::new(),
            reason: NotifyReason::First.as_str().to_owned(),
            external_url: EXAMPLE_URL.to_owned(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Alert {
    status: Option<String>,
    labels: Labels,
    annotations: Labels,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: Option<Fingerprint>,
}

/// Reads what a webhook would be sent; returns the notification and where links lead.
pub(super) fn read(path: &Path, text: &str, now: Timestamp) -> Result<(Notification, String)> {
    let unreadable = |why: String| {
        Failure::usage(format!(
            "{}: not the body of a webhook: {why}; what a webhook receiver gets can be saved and \
             given here",
            path.display()
        ))
    };
    let body: Body = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let mut alerts = Vec::with_capacity(body.alerts.len());
    for (index, alert) in body.alerts.into_iter().enumerate() {
        alerts.push(alert.into_notified(index, now).map_err(unreadable)?);
    }
    let reason = REASONS.into_iter().find(|reason| reason.as_str() == body.reason);
    let reason = reason.ok_or_else(|| unreadable(format!("unknown reason `{}`", body.reason)))?;
    let notification = Notification {
        receiver: unquoted(&body.receiver).into(),
        group_key: body.group_key.into(),
        group_labels: body.group_labels,
        route_labels: body.route_labels,
        reason,
        alerts,
        decided_at: now,
    };
    Ok((notification, body.external_url))
}

impl Alert {
    fn into_notified(self, index: usize, now: Timestamp) -> Result<NotifiedAlert, String> {
        // A firing alert is sent with an end in the year 1.
        let has_ended = self.ends_at.is_some_and(|at| at.as_second() > 0 && at <= now);
        let is_resolved = match self.status.as_deref() {
            None => has_ended,
            Some("firing") => false,
            Some("resolved") => true,
            Some(other) => {
                return Err(format!("alerts[{index}]: `{other}` is neither firing nor resolved"));
            }
        };
        Ok(NotifiedAlert {
            number: AlertNumber(u64::try_from(index + 1).unwrap_or(u64::MAX)),
            fingerprint: self.fingerprint.unwrap_or_else(|| self.labels.fingerprint()),
            labels: self.labels,
            annotations: self.annotations,
            generator_url: self.generator_url.into(),
            starts_at: self.starts_at.unwrap_or(now),
            ends_at: self.ends_at.unwrap_or(now),
            is_resolved,
        })
    }
}

/// Webhooks are sent the name as a regular expression; templates make that of it anew.
fn unquoted(receiver: &str) -> String {
    let mut name = String::with_capacity(receiver.len());
    let mut letters = receiver.chars();
    while let Some(letter) = letters.next() {
        name.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    name
}

/// Returns a group of two alerts, one of which is over.
pub(super) fn example(now: Timestamp) -> Notification {
    let alert = |number: u64, instance: &str, is_resolved: bool| {
        let labels = Labels::from([
            ("alertname", "HighLatency"),
            ("cluster", "eu1"),
            ("instance", instance),
            ("severity", "critical"),
        ]);
        NotifiedAlert {
            number: AlertNumber(number),
            fingerprint: labels.fingerprint(),
            labels,
            annotations: Labels::from([
                ("runbook_url", "https://runbooks.example/latency"),
                ("summary", "answers take longer than 2 s"),
            ]),
            generator_url: "http://prometheus.example/graph?g0.expr=latency".into(),
            starts_at: now.saturating_sub(SignedDuration::from_mins(5)).unwrap_or(now),
            ends_at: now,
            is_resolved,
        }
    };
    Notification {
        receiver: "on-call".into(),
        group_key: r#"{}:{alertname="HighLatency"}"#.into(),
        group_labels: Labels::from([("alertname", "HighLatency")]),
        route_labels: Labels::default(),
        reason: NotifyReason::First,
        alerts: vec![alert(1, "a:9100", false), alert(2, "b:9100", true)],
        decided_at: now,
    }
}
