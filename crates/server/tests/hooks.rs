//! Integrations that post to a hook.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::http::Request;
use serde_json::{Value, json};
use support::TestServer;

/// Reads a problem.
fn problem(answer: &support::Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

async fn firing(server: &TestServer) -> Vec<Value> {
    let page = server.get("/api/v1/alerts").await.json();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn grafana_tells_alerts_and_their_end() {
    let server = TestServer::start().await;
    let told = |status: &str| {
        json!({
            "receiver": "tocsin", "status": status, "orgId": 1, "version": "1",
            "alerts": [{
                "status": status, "labels": { "alertname": "Slow", "grafana_folder": "web" },
                "annotations": { "summary": "p99 is 2 s" }, "values": { "B": 2 },
                "startsAt": "2026-11-20T11:59:00Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://grafana.example/alerting/1",
                "dashboardURL": "http://grafana.example/d/1"
            }]
        })
    };
    let answer = server.post("/api/v1/hooks/grafana", told("firing").to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((&answer.json()["firing"], &answer.json()["resolved"]), (&json!(1), &json!(0)));
    let alert = firing(&server).await.remove(0);
    assert_eq!(alert["labels"]["integration"], "grafana");
    assert_eq!(alert["annotations"]["dashboard_url"], "http://grafana.example/d/1");
    assert_eq!(alert["is_timeout"], false);
    server.post("/api/v1/hooks/grafana", told("resolved").to_string()).await;
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn a_body_of_anybodys_is_read_by_what_its_fields_are_called() {
    let server = TestServer::start().await;
    let body = json!({ "title": "backup failed", "priority": "High", "id": 7, "details": "disk" });
    let answer = server.post("/api/v1/hooks/generic", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let alert = firing(&server).await.remove(0);
    assert_eq!(
        alert["labels"],
        json!({
            "alertname": "backup failed", "dedup_key": "7", "integration": "generic",
            "severity": "high"
        })
    );
    assert_eq!(alert["annotations"]["description"], "disk");
    // The end needs the key alone, and a form will do.
    let form = Request::post("/api/v1/hooks/generic")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("title=whatever&id=7&status=ok".into())
        .unwrap();
    assert_eq!(server.send(form).await.json()["resolved"], 1);
    assert!(firing(&server).await.is_empty());
}

#[tokio::test]
async fn mails_about_the_same_thing_are_one_alert() {
    let server = TestServer::start().await;
    for (subject, left) in [
        ("PROBLEM: Disk full on db-1 (93%)", 1),
        ("PROBLEM: Disk full on db-1 (95%)", 1),
        ("RECOVERY: Disk full on db-1", 0),
    ] {
        let mail = json!({ "subject": subject, "sender": "checks@example.org", "text": "…" });
        let answer = server.post("/api/v1/hooks/email", mail.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(firing(&server).await.len(), left, "{subject}");
    }
}

#[tokio::test]
async fn a_mapping_is_tried_before_it_counts() {
    let server = TestServer::start().await;
    let request = json!({
        "type": "generic",
        "mapping": {
            "items": "body.checks", "name": "item.check", "status": "item.bad",
            "labels": "{'host': item.host}", "dedup_key": "item.host + '/' + item.check"
        },
        "body": { "checks": [
            { "check": "disk", "host": "a", "bad": true }, { "check": "cpu", "bad": false }
        ] }
    });
    let answer = server.post("/api/v1/hooks/preview", request.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let preview = answer.json();
    assert_eq!(preview["alerts"][0]["labels"], json!({ "alertname": "disk", "host": "a" }));
    assert_eq!(preview["alerts"][0]["dedup_key"], "a/disk");
    assert_eq!(preview["alerts"].as_array().unwrap().len(), 2, "{preview:#}");
    assert!(firing(&server).await.is_empty(), "nothing is stored");

    let wrong = json!({ "type": "generic", "mapping": { "name": "body." }, "body": {} });
    let answer = server.post("/api/v1/hooks/preview", wrong.to_string()).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert_eq!(problem(&answer)["errors"][0]["pointer"], "/mapping/name");
}

#[tokio::test]
async fn what_cannot_be_taken_is_told() {
    let server = TestServer::start().await;
    let unknown = server.post("/api/v1/hooks/nobodys-key-12345", "{}").await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    let nothing = server.post("/api/v1/hooks/generic", "{}").await;
    assert_eq!(nothing.status, 422, "{nothing:?}");
    assert_eq!(problem(&nothing)["errors"][0]["pointer"], "/name");
    let unreadable = server.post("/api/v1/hooks/grafana", "{").await;
    assert_eq!(unreadable.status, 400, "{unreadable:?}");
    let elsewhere = server.post("/api/v1/hooks/pagerduty", "{}").await;
    assert!(problem(&elsewhere)["detail"].as_str().unwrap().contains("/v2/enqueue"));
}
