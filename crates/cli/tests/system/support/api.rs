//! What the tests ask of the server's API.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

use super::tocsin::Tocsin;
use super::{from_now, until};

/// How long alerts of tests fire unless they are told otherwise, in seconds.
const LONG: i64 = 3_600;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status and body, for comparing both at once.
    pub(crate) fn pair(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}

/// Builds an alert that fires until it is told otherwise.
pub(crate) fn firing(labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    json!({
        "labels": labels,
        "annotations": { "summary": "as a test wants it" },
        "startsAt": from_now(-1),
        "endsAt": from_now(LONG),
    })
}

/// Builds the end of an alert.
pub(crate) fn resolved(labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    json!({ "labels": labels, "startsAt": from_now(-1), "endsAt": from_now(0) })
}

/// Builds a silence of the alerts with this name.
pub(crate) fn silence_of(alertname: &str) -> Value {
    json!({
        "matchers": [{ "name": "alertname", "value": alertname, "isRegex": false }],
        "startsAt": from_now(0),
        "endsAt": from_now(LONG),
        "createdBy": "ada",
        "comment": "a test",
    })
}

impl Tocsin {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.client().get(self.url(path))).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.client().delete(self.url(path))).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_bytes(path, "", body.to_string().into_bytes()).await
    }

    /// Posts JSON that was packed this way; empty for not at all.
    pub(crate) async fn post_bytes(&self, path: &str, encoding: &str, body: Vec<u8>) -> Answer {
        let mut request =
            self.client().post(self.url(path)).header(CONTENT_TYPE, "application/json");
        if !encoding.is_empty() {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        answer(request.body(body)).await.unwrap()
    }

    /// Posts alerts, which must be accepted.
    pub(crate) async fn tell(&self, alerts: &[Value]) {
        let answer = self.post("/api/v2/alerts", &json!(alerts)).await;
        assert_eq!(answer.pair(), (200, ""));
    }

    /// Sets a silence of the alerts with this name and returns its id.
    pub(crate) async fn silence(&self, alertname: &str) -> String {
        let answer = self.post("/api/v2/silences", &silence_of(alertname)).await.json();
        answer["silenceID"].as_str().unwrap().to_owned()
    }

    /// Returns the alerts that fire.
    pub(crate) async fn alerts(&self) -> Vec<Value> {
        let alerts = self.get("/api/v2/alerts").await.json();
        alerts.as_array().unwrap().clone()
    }

    /// Returns the values of one label of the alerts that fire.
    pub(crate) async fn alert_values(&self, label: &str) -> BTreeSet<String> {
        let alerts = self.alerts().await;
        alerts.iter().map(|a| a["labels"][label].as_str().unwrap_or("").to_owned()).collect()
    }

    /// Waits until so many attempts to call webhooks have ended, since the start, and are written.
    pub(crate) async fn attempted(&self, count: u64) {
        let metric = r#"alertmanager_notification_requests_total{integration="webhook"} "#;
        until(&format!("{count} attempts are recorded"), async || {
            let metrics = self.get("/metrics").await.body;
            let value = metrics.lines().find_map(|line| line.strip_prefix(metric))?;
            (value.parse::<u64>().ok()? >= count).then_some(())
        })
        .await;
    }

    /// Waits until the server calls itself ready.
    pub(crate) async fn ready(&self) {
        until("the server is ready", async || {
            (self.get("/-/ready").await.status == 200).then_some(())
        })
        .await;
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok(Answer { status, body: response.text().await? })
}
