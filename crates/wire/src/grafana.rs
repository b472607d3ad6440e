//! Webhooks of Grafana's alerting, and of another Alertmanager, which Grafana's resembles.
//!
//! Only what becomes part of an alert is read; whatever else a newer release adds is passed over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::labels::Labels;

/// The most alerts of one body.
pub const MAX_ALERTS: usize = 10_000;

/// The most problems that are told.
const MAX_COMPLAINTS: usize = 100;

#[derive(Debug, Deserialize)]
struct Body {
    #[serde(default)]
    alerts: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    #[serde(default)]
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: Option<Timestamp>,
    #[serde(default)]
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    /// Which values the rule saw, as Grafana words it.
    #[serde(default)]
    value_string: Option<String>,
    #[serde(default, rename = "dashboardURL")]
    dashboard_url: Option<String>,
    #[serde(default, rename = "panelURL")]
    panel_url: Option<String>,
    #[serde(default, rename = "imageURL")]
    image_url: Option<String>,
    #[serde(default, rename = "silenceURL")]
    silence_url: Option<String>,
}

/// What a body told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookAlerts {
    /// Those that can be taken.
    pub alerts: Vec<IncomingAlert>,
    /// What is wrong with the others: their place and why.
    pub complaints: Vec<(String, String)>,
}

/// Reads a body.
///
/// # Errors
/// It is no JSON, or no object with `alerts`.
pub fn read_webhook(body: &[u8], now: Timestamp) -> Result<WebhookAlerts, String> {
    let body: Body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut result = WebhookAlerts::default();
    let count = body.alerts.len();
    if count > MAX_ALERTS {
        let why = format!("{count} alerts; at most {MAX_ALERTS} are taken");
        result.complaints.push(("/alerts".to_owned(), why));
    }
    for (index, alert) in body.alerts.into_iter().take(MAX_ALERTS).enumerate() {
        let read = serde_json::from_value::<Alert>(alert).map_err(|error| error.to_string());
        match read.and_then(|alert| alert.into_incoming(now)) {
            Ok(alert) => result.alerts.push(alert),
            Err(why) if result.complaints.len() < MAX_COMPLAINTS => {
                result.complaints.push((format!("/alerts/{index}"), why));
            }
            Err(_) => {}
        }
    }
    Ok(result)
}

impl Alert {
    fn into_incoming(self, now: Timestamp) -> Result<IncomingAlert, String> {
        let labels: Labels = self.labels.into_iter().collect();
        if labels.is_empty() {
            return Err("an alert needs at least one label".to_owned());
        }
        let mut annotations = self.annotations;
        let extra = [
            ("value_string", self.value_string),
            ("dashboard_url", self.dashboard_url),
            ("panel_url", self.panel_url),
            ("image_url", self.image_url),
            ("silence_url", self.silence_url),
        ];
        for (name, text) in extra {
            if let Some(text) = text {
                annotations.entry(name.to_owned()).or_insert(text);
            }
        }
        let mut alert = IncomingAlert::new(labels, annotations.into_iter().collect());
        alert.generator_url = self.generator_url.into();
        alert.starts_at = self.starts_at.filter(|at| is_real(*at)).map(|at| at.min(now));
        let is_resolved = self.status.eq_ignore_ascii_case("resolved");
        if is_resolved {
            let ended = self.ends_at.filter(|at| is_real(*at)).map_or(now, |at| at.min(now));
            alert.ends_at = Some(ended);
            // A start after the end would be refused; clocks differ.
            alert.starts_at = alert.starts_at.map(|at| at.min(ended));
        }
        Ok(alert)
    }
}

/// The first instant of the year 1 stands for none.
fn is_real(at: Timestamp) -> bool {
    at > Timestamp::UNIX_EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firing_and_resolved_alerts_are_read_and_a_wrong_one_spoils_none() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let body = r#"{"receiver": "tocsin", "status": "firing", "orgId": 1, "title": "x", "alerts": [
            {"status": "firing", "labels": {"alertname": "A", "grafana_folder": "web"},
             "annotations": {"summary": "s"}, "startsAt": "2026-11-24T11:00:00+00:00",
             "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://g/alerting/1",
             "fingerprint": "f", "valueString": "[ var='B' value=7 ]", "values": {"B": 7},
             "panelURL": "http://g/d/1?viewPanel=2", "imageURL": null},
            {"status": "firing", "labels": {}},
            {"status": "resolved", "labels": {"alertname": "B"},
             "startsAt": "2026-11-24T10:00:00Z", "endsAt": "2026-11-24T11:30:00Z"}
        ]}"#;
        let read = read_webhook(body.as_bytes(), now).unwrap();
        assert_eq!(read.alerts.len(), 2);
        assert_eq!(read.complaints[0].0, "/alerts/1");
        assert_eq!(
            read.alerts[0].annotations.to_string(),
            r#"{panel_url="http://g/d/1?viewPanel=2", summary="s", value_string="[ var='B' value=7 ]"}"#
        );
        assert_eq!(read.alerts[0].ends_at, None);
        assert_eq!(read.alerts[1].ends_at.unwrap().to_string(), "2026-11-24T11:30:00Z");
        assert!(read_webhook(b"7", now).is_err());
        assert_eq!(read_webhook(b"{}", now).unwrap(), WebhookAlerts::default());
    }
}
