//! Opsgenie, imitated as strictly as the real one reads its requests.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::{Value, json};
use support::{
    CANARY, GROUP_ID, Reply, Seen, Server, address, assert_delivered, delivered_with_notes,
    ended_entry, entry, failed, outbound, refused, secret, text,
};
use tocsin_config::{OpsgenieConfig, OpsgenieResponder, Settings, Template};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

/// Answers as the Alert API does.
fn vendor(seen: &Seen) -> Reply {
    let error = |status, what: &str| {
        Reply::status(status, "", &json!({ "message": what, "took": 0.1 }).to_string())
    };
    if seen.header("authorization") != Some(&format!("GenieKey key-{CANARY}")) {
        return error(403, "You are not authorized to access [createAlert].");
    }
    let by_alias = |what: &str| format!("/v2/alerts/{GROUP_ID}/{what}?identifierType=alias");
    let body = seen.json();
    let is_text = |name: &str, max: usize| match &body[name] {
        Value::Null => true,
        Value::String(text) => text.chars().count() <= max,
        _ => false,
    };
    let is_list = |name: &str, max: usize| match &body[name] {
        Value::Null => true,
        Value::Array(words) => {
            let is_short = |word: &Value| word.as_str().unwrap().chars().count() <= 50;
            words.len() <= max && words.iter().all(is_short)
        }
        _ => false,
    };
    let is_taken = if seen.target() == "POST /v2/alerts" {
        let has_type = |responder: &Value| {
            let kind = responder["type"].as_str().unwrap_or_default();
            let is_named = ["id", "name", "username"].iter().any(|key| responder[key].is_string());
            is_named && ["team", "user", "escalation", "schedule"].contains(&kind)
        };
        let priority = body["priority"].as_str().unwrap_or("P3");
        body["message"].as_str().is_some_and(|text| !text.is_empty())
            && is_text("message", 130)
            && is_text("alias", 512)
            && is_text("description", 15_000)
            && is_text("source", 100)
            && is_text("entity", 512)
            && is_text("note", 25_000)
            && body["details"].as_object().unwrap().values().all(Value::is_string)
            && body["responders"].as_array().is_none_or(|all| all.iter().all(has_type))
            && is_list("tags", 20)
            && is_list("actions", 10)
            && ["P1", "P2", "P3", "P4", "P5"].contains(&priority)
    } else if seen.target() == format!("POST {}", by_alias("close")) {
        is_text("source", 100)
    } else if seen.target() == format!("PUT {}", by_alias("message")) {
        body["message"].is_string() && is_text("message", 130)
    } else if seen.target() == format!("PUT {}", by_alias("description")) {
        body["description"].is_string() && is_text("description", 15_000)
    } else {
        return error(404, "Resource not found.");
    };
    if !is_taken {
        return error(422, "Request body is not processable. Please check the errors.");
    }
    Reply::status(202, "", r#"{"result":"Request will be processed","requestId":"r-1"}"#)
}

fn config(server: &Server) -> OpsgenieConfig {
    OpsgenieConfig {
        api_key: secret("key-"),
        api_url: address(server, "/"),
        message: text("PgDown on eu1"),
        description: text("pg is down"),
        source: text("http://tocsin.example"),
        ..OpsgenieConfig::default()
    }
}

async fn tell(config: OpsgenieConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("opsgenie", Settings::Opsgenie(config)).attempt(entry, "1-42").await
}

fn responder(name: &str, kind: &str) -> OpsgenieResponder {
    OpsgenieResponder {
        name: text(name),
        r#type: Template::new(kind),
        ..OpsgenieResponder::default()
    }
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = OpsgenieConfig {
        details: [
            ("runbook".to_owned(), Template::new("r")),
            ("severity".to_owned(), Template::new("s")),
        ]
        .into(),
        entity: text("db"),
        responders: vec![
            responder("db, web,", "teams"),
            responder("", "user"),
            OpsgenieResponder { username: text("ada@x.example"), ..responder("", "User") },
        ],
        actions: text("restart, look"),
        tags: text("db,,eu1 "),
        note: text("hello"),
        priority: text("p1"),
        ..config(&server)
    };
    assert_delivered(&tell(config, &entry("opsgenie")).await);
    assert_eq!(
        server.only().json(),
        json!({
            "alias": GROUP_ID,
            "message": "PgDown on eu1",
            "description": "pg is down",
            "details": {
                "alertname": "PgDown", "cluster": "eu1", "severity": "s", "runbook": "r",
            },
            "source": "http://tocsin.example",
            "responders": [
                { "name": "db", "type": "team" },
                { "name": "web", "type": "team" },
                { "username": "ada@x.example", "type": "user" },
            ],
            "tags": ["db", "eu1"],
            "note": "hello",
            "priority": "P1",
            "entity": "db",
            "actions": ["restart", "look"],
        })
    );
}

#[tokio::test]
async fn the_end_closes_by_alias() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&tell(config(&server), &ended_entry("opsgenie")).await);
    assert!(server.only().target().contains("/close?"), "{:?}", server.only());
    assert_eq!(server.only().json(), json!({ "source": "http://tocsin.example" }));
}

#[tokio::test]
async fn an_open_alert_is_brought_up_to_date_when_asked_to() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = OpsgenieConfig { update_alerts: true, ..config(&server) };
    assert_delivered(&tell(config, &entry("opsgenie")).await);
    let seen = server.seen();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen[1].json(), json!({ "message": "PgDown on eu1" }));
    assert_eq!(seen[2].json(), json!({ "description": "pg is down" }));
    // One that is the same for all would make the later ones look like repetitions.
    assert_ne!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
}

#[tokio::test]
async fn what_would_be_refused_is_put_right() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let long = "ä".repeat(30_000);
    let config = OpsgenieConfig {
        message: text(&long),
        description: text(&long),
        note: text(&long),
        entity: text(&long),
        source: text(&long),
        tags: text(&format!("{long},{}", "a,".repeat(100))),
        actions: text(&"a,".repeat(100)),
        priority: text("urgent"),
        ..config(&server)
    };
    let notes = delivered_with_notes(tell(config, &entry("opsgenie")).await);
    assert!(
        matches!(&notes[..], [note] if note.contains("`URGENT` is not one of P1")),
        "{notes:?}"
    );
    let body = server.only().json();
    assert_eq!(body["message"].as_str().unwrap(), format!("{}…", "ä".repeat(129)));
    assert_eq!(body["priority"], Value::Null);
}

#[tokio::test]
async fn a_key_from_a_file_is_used_and_a_wrong_one_is_refused() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("key-{CANARY}\n")).unwrap();
    let api_key_file = Some(file.path().to_owned());
    let config = |server| OpsgenieConfig {
        api_key: None,
        api_key_file: api_key_file.clone(),
        ..config(server)
    };
    assert_delivered(&tell(config(&server), &entry("opsgenie")).await);
    std::fs::write(file.path(), format!("other-{CANARY}\n")).unwrap();
    let failure = refused(tell(config(&server), &entry("opsgenie")).await, FailureClass::AuthError);
    assert!(failure.message.contains("not authorized"), "{failure:?}");
    let server = Server::start(vec![Reply::Echo(429)]).await;
    failed(tell(config(&server), &entry("opsgenie")).await, FailureClass::RateLimited);
}

#[tokio::test]
async fn a_line_end_in_a_key_from_a_template_begins_no_header() {
    let mut entry = entry("opsgenie");
    let mut about = tocsin_core::notification::Notification::clone(&entry.notification);
    for alert in &mut about.alerts {
        let evil = "key\r\nX-Evil: yes\r\n\r\nPOST / HTTP/1.1";
        alert.annotations = tocsin_core::labels::Labels::from([("summary", evil)]);
    }
    entry.notification = std::sync::Arc::new(about);
    let server = Server::start(vec![Reply::ok("")]).await;
    let key = tocsin_config::Secret::new("{{ .CommonAnnotations.summary }}");
    let config = OpsgenieConfig { api_key: Some(key), ..config(&server) };
    let outbound = outbound("opsgenie", Settings::Opsgenie(config));
    let failure = refused(outbound.attempt(&entry, support::KEY).await, FailureClass::Other);
    assert!(!failure.message.contains("X-Evil"), "{failure:?}");
    assert!(server.seen().is_empty());
}
