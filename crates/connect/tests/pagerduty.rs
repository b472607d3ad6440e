//! PagerDuty, imitated as strictly as the real one reads its events.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{
    GROUP_ID, Reply, Seen, Server, address, assert_delivered, delivered_with_notes, ended_entry,
    entry, failed, outbound, refused, secret, text,
};
use tocsin_config::{Any, PagerdutyConfig, PagerdutyImage, PagerdutyLink, Settings};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

/// Answers an event of version 2 as PagerDuty does.
fn version_2(seen: &Seen) -> Reply {
    let wrong = |what: &str| {
        let body = json!({
            "status": "invalid event", "message": "Event object is invalid", "errors": [what],
        });
        Reply::status(400, "content-type: application/json\r\n", &body.to_string())
    };
    if seen.target() != "POST /v2/enqueue" {
        return Reply::status(404, "", "Not Found");
    }
    if seen.header("content-type") != Some("application/json") {
        return wrong("JSON content expected");
    }
    if seen.body.len() > 512_000 {
        return Reply::status(413, "", "Request Entity Too Large");
    }
    let event = seen.json();
    let is_text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let action = is_text("/event_action").unwrap_or_default();
    if !["trigger", "acknowledge", "resolve"].contains(&action) {
        return wrong("'event_action' is invalid");
    }
    let key = is_text("/routing_key").unwrap_or_default();
    if key.len() != 32 {
        return wrong("'routing_key' is invalid");
    }
    if is_text("/dedup_key").is_none_or(|key| key.len() > 255) {
        return wrong("'dedup_key' is invalid");
    }
    for field in ["summary", "source", "severity"] {
        if is_text(&format!("/payload/{field}")).is_none_or(str::is_empty) {
            return wrong(&format!("'payload.{field}' is missing or blank"));
        }
    }
    if is_text("/payload/summary").unwrap().chars().count() > 1024 {
        return wrong("'payload.summary' is too long");
    }
    if !["critical", "error", "warning", "info"].contains(&is_text("/payload/severity").unwrap()) {
        return wrong("'payload.severity' is invalid");
    }
    let list = |name: &str| event[name].as_array().cloned().unwrap_or_default();
    if list("links").iter().any(|link| link["href"].as_str().is_none_or(str::is_empty)) {
        return wrong("'links.href' is missing");
    }
    if list("images").iter().any(|image| image["src"].as_str().is_none_or(str::is_empty)) {
        return wrong("'images.src' is missing");
    }
    let body = json!({
        "status": "success", "message": "Event processed", "dedup_key": event["dedup_key"],
    });
    Reply::status(202, "", &body.to_string())
}

/// Answers an event of version 1 as PagerDuty does.
fn version_1(seen: &Seen) -> Reply {
    if seen.target() != "POST /generic/2010-04-15/create_event.json" {
        return Reply::status(404, "", "Not Found");
    }
    let event = seen.json();
    let is_there = |name: &str| event[name].as_str().is_some_and(|text| !text.is_empty());
    let is_known =
        ["trigger", "acknowledge", "resolve"].map(Value::from).contains(&event["event_type"]);
    if !is_known || !["service_key", "description", "incident_key"].into_iter().all(is_there) {
        let body = json!({ "status": "invalid event", "message": "Event object is invalid" });
        return Reply::status(400, "", &body.to_string());
    }
    Reply::ok(r#"{"status":"success","message":"Event processed"}"#)
}

fn details(pairs: &[(&str, Value)]) -> BTreeMap<String, Any> {
    let quiet = ["firing", "resolved", "num_firing", "num_resolved"];
    let quiet = quiet.map(|name| (name.to_owned(), Any(json!("-"))));
    let own = pairs.iter().map(|(name, value)| ((*name).to_owned(), Any(value.clone())));
    quiet.into_iter().chain(own).collect()
}

/// Every text is given; what stands there otherwise is tested with the templates.
fn config(server: &Server) -> PagerdutyConfig {
    PagerdutyConfig {
        // 32 characters, as every key has.
        routing_key: secret("0123456789abcdef-x-"),
        url: address(server, "/v2/enqueue"),
        client: text("Tocsin"),
        client_url: text("http://tocsin.example"),
        description: text("PgDown on eu1"),
        details: details(&[]),
        ..PagerdutyConfig::default()
    }
}

async fn tell(config: PagerdutyConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("pagerduty", Settings::Pagerduty(config)).attempt(entry, "1-42").await
}

async fn attempt(config: PagerdutyConfig) -> AttemptOutcome {
    tell(config, &entry("pagerduty")).await
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    let link = |href: &str| PagerdutyLink { href: text(href), text: text("runbook") };
    let image =
        |src: &str| PagerdutyImage { src: text(src), alt: text("a"), href: text("http://b") };
    let config = PagerdutyConfig {
        severity: text("critical"),
        source: text("eu1"),
        component: text("db"),
        group: text("dbs"),
        class: text("outage"),
        details: details(&[("owner", json!({ "team": "db", "people": ["ada", 2] }))]),
        links: vec![link("http://runbooks.example"), link("")],
        images: vec![image("http://pictures.example/a.png"), image("")],
        ..config(&server)
    };
    let key = config.routing_key.clone().unwrap();
    assert_delivered(&attempt(config).await);
    assert_eq!(
        server.only().json(),
        json!({
            "routing_key": key.expose(),
            "event_action": "trigger",
            "dedup_key": GROUP_ID,
            "payload": {
                "summary": "PgDown on eu1", "source": "eu1", "severity": "critical",
                "component": "db", "group": "dbs", "class": "outage",
                "custom_details": {
                    "firing": "-", "resolved": "-", "num_firing": "-", "num_resolved": "-",
                    "owner": { "team": "db", "people": ["ada", 2] },
                },
            },
            "client": "Tocsin",
            "client_url": "http://tocsin.example",
            "images": [{ "src": "http://pictures.example/a.png", "alt": "a", "href": "http://b" }],
            "links": [{ "href": "http://runbooks.example", "text": "runbook" }],
        })
    );
}

#[tokio::test]
async fn what_is_not_said_comes_from_templates() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    let config = PagerdutyConfig {
        description: None,
        client: None,
        client_url: None,
        severity: text("{{ .CommonLabels.severity }}"),
        details: [("clusters".to_owned(), Any(json!({ "all": ["{{ .CommonLabels.cluster }}"] })))]
            .into(),
        ..config(&server)
    };
    assert_delivered(&attempt(config).await);
    let event = server.only().json();
    let payload = &event["payload"];
    assert_eq!(payload["severity"], "critical");
    assert!(payload["summary"].as_str().unwrap().contains("[FIRING:1] PgDown"), "{payload}");
    let details = &payload["custom_details"];
    assert_eq!(details["clusters"]["all"], json!(["eu1"]));
    assert_eq!((&details["num_firing"], &details["num_resolved"]), (&json!(1), &json!(0)));
    assert!(details["firing"].as_str().unwrap().contains("alertname = PgDown"), "{details}");
    assert!(event["client_url"].as_str().unwrap().starts_with("http://tocsin.example"), "{event}");
}

#[tokio::test]
async fn a_template_that_fails_loses_no_page() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    let broken = r#"{{ template "gone" . }}"#;
    let config = PagerdutyConfig {
        description: text(broken),
        details: details(&[("a", json!(broken))]),
        ..config(&server)
    };
    let notes = delivered_with_notes(attempt(config).await);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("`description`") || notes[1].contains("`description`"), "{notes:?}");
    let payload = server.only().json()["payload"].clone();
    assert!(payload["summary"].as_str().unwrap().contains("PgDown"), "{payload}");
}

#[tokio::test]
async fn a_key_that_is_a_template_is_filled_in_and_refused_when_it_fails() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    let key = |text: &str| Some(tocsin_config::Secret::new(text));
    let good =
        r#"{{ if eq .CommonLabels.cluster "eu1" }}0123456789abcdef-x-canary-7f3a9c{{ end }}"#;
    assert_delivered(&attempt(PagerdutyConfig { routing_key: key(good), ..config(&server) }).await);
    for bad in [r#"{{ template "canary-7f3a9c" . }}"#, r#"{{ if false }}canary-7f3a9c{{ end }}"#] {
        let config = PagerdutyConfig { routing_key: key(bad), ..config(&server) };
        refused(attempt(config).await, FailureClass::Other);
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_end_is_a_resolve_under_the_same_key() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    assert_delivered(&tell(config(&server), &ended_entry("pagerduty")).await);
    let event = server.only().json();
    assert_eq!(
        (&event["event_action"], &event["dedup_key"]),
        (&json!("resolve"), &json!(GROUP_ID))
    );
    assert_eq!(event["payload"]["severity"], "error");
    assert_eq!(event["payload"]["source"], "Tocsin");
}

#[tokio::test]
async fn what_would_be_refused_is_put_right_and_noted() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    let config = PagerdutyConfig {
        description: text(&"ä".repeat(2_000)),
        severity: text("page"),
        client: text(" "),
        details: details(&[("big", json!("x".repeat(600_000)))]),
        ..config(&server)
    };
    let notes = delivered_with_notes(attempt(config).await);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("`page` is not one of critical, error, warning, info"), "{notes:?}");
    assert!(notes[1].contains("`details` left out"), "{notes:?}");
    let payload = server.only().json()["payload"].clone();
    let summary = payload["summary"].as_str().unwrap();
    assert_eq!((summary.chars().count(), summary.ends_with("ä…")), (1_024, true));
    assert_eq!(payload["severity"], "error");
    assert_eq!(payload["source"], "Tocsin");
    assert!(payload["custom_details"]["error"].is_string(), "{payload}");
}

#[tokio::test]
async fn an_empty_description_is_worded_anew() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    assert_delivered(&attempt(PagerdutyConfig { description: text(""), ..config(&server) }).await);
    assert_eq!(server.only().json()["payload"]["summary"], "[FIRING:1] PgDown");
}

#[tokio::test]
async fn version_1_is_spoken_with_a_service_key() {
    let server = Server::start(vec![Reply::Vendor(version_1)]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "service-canary-7f3a9c\n").unwrap();
    let old = || PagerdutyConfig {
        routing_key: None,
        service_key_file: Some(file.path().to_owned()),
        ..config(&server)
    };
    assert_delivered(&attempt(old()).await);
    assert_delivered(&tell(old(), &ended_entry("pagerduty")).await);
    let [trigger, resolve] = [0, 1].map(|index| server.seen()[index].json());
    assert_eq!(trigger["service_key"], "service-canary-7f3a9c");
    assert_eq!(trigger["event_type"], "trigger");
    assert_eq!(trigger["incident_key"], GROUP_ID);
    assert_eq!(trigger["description"], "PgDown on eu1");
    assert_eq!(trigger["client"], "Tocsin");
    assert_eq!(trigger["details"]["firing"], "-");
    assert_eq!((&resolve["event_type"], &resolve["client"]), (&json!("resolve"), &Value::Null));
}

#[tokio::test]
async fn a_refusal_says_why_and_shows_no_key() {
    let server = Server::start(vec![Reply::Vendor(version_2)]).await;
    let config = PagerdutyConfig { routing_key: secret("short"), ..config(&server) };
    let failure = refused(attempt(config).await, FailureClass::ClientError);
    assert!(failure.message.contains("'routing_key' is invalid"), "{failure:?}");
}

#[tokio::test]
async fn each_version_has_its_own_word_for_too_fast() {
    for (status, is_old, is_retried, class) in [
        (429, false, true, FailureClass::RateLimited),
        (403, false, false, FailureClass::AuthError),
        (403, true, true, FailureClass::AuthError),
        (429, true, false, FailureClass::RateLimited),
    ] {
        let server = Server::start(vec![Reply::Echo(status)]).await;
        let mut config = config(&server);
        if is_old {
            config.service_key = config.routing_key.take();
        }
        let outcome = attempt(config).await;
        if is_retried {
            failed(outcome, class)
        } else {
            refused(outcome, class)
        };
    }
}

#[tokio::test]
async fn a_time_limit_of_its_own_is_kept() {
    let server = Server::start(vec![Reply::Silence]).await;
    let timeout = std::time::Duration::from_millis(50);
    let outcome = attempt(PagerdutyConfig { timeout, ..config(&server) }).await;
    let failure = failed(outcome, FailureClass::ContextDeadlineExceeded);
    assert!(failure.message.contains("no answer within 0.05 s"), "{failure:?}");
}
