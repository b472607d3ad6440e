//! PagerDuty's Events API, as its clients use it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::TestServer;

fn trigger(key: &str, severity: &str) -> Value {
    json!({
        "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger",
        "dedup_key": key,
        "payload": { "summary": "disk full on a", "source": "a", "severity": severity, "class": "Disk" }
    })
}

fn event(action: &str, key: &str) -> Value {
    json!({ "routing_key": "any", "event_action": action, "dedup_key": key })
}

async fn firing(server: &TestServer) -> Vec<Value> {
    let page = server.get("/api/v1/alerts").await.json();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_incident_is_triggered_acknowledged_and_resolved() {
    let server = TestServer::start().await;
    let answer = server.post("/v2/enqueue", trigger("disk-a", "critical").to_string()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(
        answer.json(),
        json!({ "status": "success", "message": "Event processed", "dedup_key": "disk-a" })
    );
    let alerts = firing(&server).await;
    assert_eq!(
        alerts[0]["labels"],
        json!({
            "alertname": "Disk", "class": "Disk", "dedup_key": "disk-a",
            "integration": "pagerduty", "severity": "critical", "source": "a"
        })
    );
    assert_eq!(alerts[0]["starts_at"], "2026-11-20T12:00:00Z", "it begins when it is told");
    assert_eq!(alerts[0]["is_timeout"], false, "it does not end by the resolve timeout");

    assert_eq!(
        server.post("/v2/enqueue", event("acknowledge", "disk-a").to_string()).await.status,
        202
    );
    assert_eq!(firing(&server).await[0]["acknowledgement"]["by"], "pagerduty");
    assert_eq!(
        server.post("/v2/enqueue", event("resolve", "disk-a").to_string()).await.status,
        202
    );
    assert!(firing(&server).await.is_empty());
    // What nobody knows is taken and does nothing.
    for action in ["acknowledge", "resolve"] {
        let answer = server.post("/v2/enqueue", event(action, "never").to_string()).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn the_same_key_is_the_same_incident_whatever_else_changes() {
    let server = TestServer::start().await;
    for severity in ["warning", "warning", "critical"] {
        server.post("/v2/enqueue", trigger("disk-a", severity).to_string()).await;
    }
    let alerts = firing(&server).await;
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    assert_eq!(alerts[0]["labels"]["severity"], "critical");
    server.post("/v2/enqueue", event("resolve", "disk-a").to_string()).await;
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn without_a_key_each_event_is_an_incident_of_its_own() {
    let server = TestServer::start().await;
    let mut one = trigger("", "info");
    one.as_object_mut().unwrap().remove("dedup_key");
    let first = server.post("/v2/enqueue", one.to_string()).await.json();
    let second = server.post("/v2/enqueue", one.to_string()).await.json();
    assert_ne!(first["dedup_key"], second["dedup_key"]);
    assert_eq!(firing(&server).await.len(), 2);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_words_of_the_protocol() {
    let server = TestServer::start().await;
    let answer = server.post("/v2/enqueue", json!({ "event_action": "trigger" }).to_string()).await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(body["status"], "invalid event");
    assert_eq!(body["errors"][0], "'routing_key' is missing or blank");
    let change = json!({
        "routing_key": "any",
        "payload": { "summary": "build 42", "source": "ci", "custom_details": { "build": 42 } }
    });
    let answer = server.post("/v2/change/enqueue", change.to_string()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json()["message"], "Change event processed");
    let changes = server.get("/api/v1/changes").await.json();
    assert_eq!(changes["items"][0]["integration"], "pagerduty");
    assert_eq!(changes["items"][0]["details"]["build"], 42);
}

#[tokio::test]
async fn the_first_version_of_the_api_works_too() {
    let server = TestServer::start().await;
    let event = json!({
        "service_key": "any", "event_type": "trigger", "incident_key": "i",
        "description": "FAILURE for production/HTTP"
    });
    let path = "/generic/2010-04-15/create_event.json";
    let answer = server.post(path, event.to_string()).await;
    assert_eq!((answer.status, &answer.json()["incident_key"]), (200, &json!("i")));
    assert_eq!(firing(&server).await[0]["annotations"]["summary"], "FAILURE for production/HTTP");
    let end = json!({ "service_key": "any", "event_type": "resolve", "incident_key": "i" });
    server.post(path, end.to_string()).await;
    assert!(firing(&server).await.is_empty());
}
