//! VictorOps, imitated as strictly as the real one reads its alerts.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::{Value, json};
use support::{
    CANARY, GROUP_ID, Reply, Seen, Server, address, assert_delivered, ended_entry, entry, outbound,
    refused, secret, text,
};
use tocsin_config::{Settings, Template, VictoropsConfig};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

/// Answers as the REST integration does.
fn vendor(seen: &Seen) -> Reply {
    let wrong = |what: &str| {
        let body = json!({ "result": "failure", "message": what });
        Reply::status(400, "", &body.to_string())
    };
    let path = format!("POST /integrations/generic/20131114/alert/key-{CANARY}/db%20team");
    if seen.target() != path {
        return wrong("unknown API key");
    }
    let alert = seen.json();
    let Some(fields) = alert.as_object() else { return wrong("not an object") };
    if !fields.values().all(Value::is_string) {
        return wrong("a field is not a text");
    }
    let kind = alert["message_type"].as_str().unwrap_or_default();
    if !["INFO", "WARNING", "ACKNOWLEDGEMENT", "CRITICAL", "RECOVERY"].contains(&kind) {
        return wrong("message_type is required");
    }
    if alert["state_message"].as_str().unwrap_or_default().chars().count() > 20_480 {
        return wrong("state_message is too long");
    }
    Reply::ok(&json!({ "result": "success", "entity_id": alert["entity_id"] }).to_string())
}

fn config(server: &Server) -> VictoropsConfig {
    VictoropsConfig {
        api_key: secret("key-"),
        api_url: address(server, "/integrations/generic/20131114/alert/"),
        routing_key: Template::new("db team"),
        state_message: text("pg is down"),
        entity_display_name: text("PgDown"),
        monitoring_tool: text("tocsin"),
        ..VictoropsConfig::default()
    }
}

async fn tell(config: VictoropsConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("victorops", Settings::Victorops(config)).attempt(entry, "1-42").await
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let custom_fields = [("runbook".to_owned(), Template::new("http://r.example"))].into();
    let config = VictoropsConfig {
        message_type: Template::new("WARNING"),
        custom_fields,
        ..config(&server)
    };
    assert_delivered(&tell(config, &entry("victorops")).await);
    assert_eq!(
        server.only().json(),
        json!({
            "message_type": "WARNING",
            "entity_id": GROUP_ID,
            "entity_display_name": "PgDown",
            "state_message": "pg is down",
            "monitoring_tool": "tocsin",
            "runbook": "http://r.example",
        })
    );
}

#[tokio::test]
async fn the_end_is_a_recovery_and_an_unknown_kind_pages() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&tell(config(&server), &ended_entry("victorops")).await);
    let odd = VictoropsConfig { message_type: Template::new("RECOVERY"), ..config(&server) };
    assert_delivered(&tell(odd, &entry("victorops")).await);
    let kinds: Vec<_> =
        server.seen().iter().map(|seen| seen.json()["message_type"].clone()).collect();
    assert_eq!(kinds, ["RECOVERY", "CRITICAL"]);
}

#[tokio::test]
async fn a_long_text_is_cut() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = VictoropsConfig { state_message: text(&"ä".repeat(30_000)), ..config(&server) };
    assert_delivered(&tell(config, &entry("victorops")).await);
    let seen = server.only().json();
    let message = seen["state_message"].as_str().unwrap();
    assert_eq!((message.chars().count(), message.ends_with("ä…")), (20_480, true));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_does_not_show() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = VictoropsConfig { api_key: secret("wrong-"), ..config(&server) };
    let failure = refused(tell(config, &entry("victorops")).await, FailureClass::ClientError);
    assert!(failure.message.contains("unknown API key"), "{failure:?}");
    let config = VictoropsConfig { routing_key: Template::new(" "), ..self::config(&server) };
    let failure = refused(tell(config, &entry("victorops")).await, FailureClass::Other);
    assert!(failure.message.contains("`routing_key` is empty"), "{failure:?}");
}
