//! incident.io, imitated as strictly as the real one reads its alerts.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::sync::Arc;

use serde_json::json;
use support::{
    CANARY, Reply, Seen, Server, address, assert_delivered, delivered_with_notes, ended_entry,
    entry, failed, outbound, refused, secret,
};
use tocsin_config::{Authorization, HttpConfig, IncidentioConfig, Secret, Settings};
use tocsin_core::labels::Labels;
use tocsin_core::notification::{AttemptOutcome, FailureClass, Notification, OutboxEntry};

/// Answers as an alert source of type Alertmanager does.
fn vendor(seen: &Seen) -> Reply {
    let error = |status, what: &str| {
        Reply::status(status, "", &json!({ "type": "error", "message": what }).to_string())
    };
    if seen.target() != "POST /v2/alert_events/alertmanager/S1" {
        return error(404, "not_found");
    }
    if seen.header("authorization") != Some(&format!("Bearer token-{CANARY}")) {
        return error(401, "invalid token");
    }
    if seen.body.len() > 512 * 1024 {
        return error(413, "payload too large");
    }
    let body = seen.json();
    let has_texts = ["receiver", "status", "externalURL", "version", "groupKey"]
        .into_iter()
        .all(|name| body[name].is_string());
    if !has_texts || body["version"] != "1" || body["alerts"].as_array().is_none_or(Vec::is_empty) {
        return error(422, "validation_error");
    }
    Reply::status(202, "", r#"{"status":"accepted"}"#)
}

fn config(server: &Server) -> IncidentioConfig {
    IncidentioConfig {
        url: address(server, "/v2/alert_events/alertmanager/S1"),
        alert_source_token: secret("token-"),
        ..IncidentioConfig::default()
    }
}

async fn tell(config: IncidentioConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("incidentio", Settings::Incidentio(config)).attempt(entry, "1-42").await
}

/// The same group with so many alerts, each with so long a summary.
fn storm(count: usize, length: usize) -> OutboxEntry {
    let entry = entry("incidentio");
    let mut notification = Notification::clone(&entry.notification);
    notification.alerts[0].annotations = Labels::from([("summary", "x".repeat(length).as_str())]);
    notification.alerts = vec![notification.alerts[0].clone(); count];
    OutboxEntry { notification: Arc::new(notification), ..entry }
}

#[tokio::test]
async fn the_group_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&tell(config(&server), &entry("incidentio")).await);
    assert_delivered(&tell(config(&server), &ended_entry("incidentio")).await);
    let [firing, ended] = [0, 1].map(|index| server.seen()[index].json());
    assert_eq!(firing["status"], "firing");
    assert_eq!(firing["groupKey"], r#"{}:{alertname="PgDown"}"#);
    assert_eq!(firing["alerts"][0]["labels"]["alertname"], "PgDown");
    assert_eq!(firing["truncatedAlerts"], 0);
    assert_eq!(ended["status"], "resolved");
}

#[tokio::test]
async fn a_storm_is_cut_by_number_and_by_size() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = config(&server);
    let few = IncidentioConfig { max_alerts: 3, ..config.clone() };
    assert_delivered(&tell(few, &storm(10, 10)).await);
    let notes = delivered_with_notes(tell(config.clone(), &storm(200, 4_000)).await);
    assert!(notes[0].contains("all alerts but the first left out"), "{notes:?}");
    let [few, one] = [0, 1].map(|index| server.seen()[index].json());
    assert_eq!((few["alerts"].as_array().unwrap().len(), &few["truncatedAlerts"]), (3, &json!(7)));
    assert_eq!(
        (one["alerts"].as_array().unwrap().len(), &one["truncatedAlerts"]),
        (1, &json!(199))
    );
    // Nothing more can be left out; it is tried all the same, and refused.
    refused(tell(config, &storm(1, 600_000)).await, FailureClass::ClientError);
}

#[tokio::test]
async fn address_and_token_may_be_in_files_or_in_the_settings_of_the_client() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let files = [(); 2].map(|()| tempfile::NamedTempFile::new().unwrap());
    std::fs::write(files[0].path(), server.url("/v2/alert_events/alertmanager/S1\n")).unwrap();
    std::fs::write(files[1].path(), format!("token-{CANARY}\n")).unwrap();
    let by_files = IncidentioConfig {
        url_file: Some(files[0].path().to_owned()),
        alert_source_token_file: Some(files[1].path().to_owned()),
        ..IncidentioConfig::default()
    };
    assert_delivered(&tell(by_files.clone(), &entry("incidentio")).await);
    let authorization = Authorization {
        r#type: "Bearer".to_owned(),
        credentials: Some(Secret::new(format!("token-{CANARY}"))),
        ..Authorization::default()
    };
    let http = HttpConfig { authorization: Some(authorization), ..HttpConfig::default() };
    let by_client =
        IncidentioConfig { alert_source_token: None, http_config: Some(http), ..config(&server) };
    assert_delivered(&tell(by_client, &entry("incidentio")).await);
    std::fs::write(files[1].path(), format!("other-{CANARY}\n")).unwrap();
    refused(tell(by_files, &entry("incidentio")).await, FailureClass::AuthError);
    let server = Server::start(vec![Reply::Echo(429)]).await;
    failed(tell(config(&server), &entry("incidentio")).await, FailureClass::RateLimited);
}
