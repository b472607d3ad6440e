//! Webex, imitated as strictly as the real one reads its messages.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, address, assert_delivered, entry, outbound, refused, secret,
    text,
};
use tocsin_config::{Authorization, HttpConfig, Settings, Template, WebexConfig};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// Answers as `POST /v1/messages` does.
fn vendor(seen: &Seen) -> Reply {
    if seen.header("authorization") != Some(format!("Bearer bot-{CANARY}").as_str()) {
        let body = r#"{"message":"The request requires a valid access token"}"#;
        return Reply::status(401, "", body);
    }
    let message = seen.json();
    let text = message["markdown"].as_str().unwrap_or_default();
    if message["roomId"] != "room-1" || text.is_empty() || text.len() > 7_439 {
        return Reply::status(400, "", r#"{"message":"One or more of the parameters is wrong"}"#);
    }
    Reply::ok(r#"{"id":"1"}"#)
}

fn config(server: &Server) -> WebexConfig {
    let authorization = Authorization { credentials: secret("bot-"), ..Authorization::default() };
    WebexConfig {
        api_url: address(server, "/v1/messages"),
        room_id: Template::new("room-{{ len .Alerts }}"),
        http_config: Some(HttpConfig {
            authorization: Some(authorization),
            ..HttpConfig::default()
        }),
        ..WebexConfig::default()
    }
}

async fn tell(config: WebexConfig) -> AttemptOutcome {
    outbound("webex", Settings::Webex(config)).attempt(&entry("webex"), KEY).await
}

#[tokio::test]
async fn a_message_arrives_in_its_room() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = WebexConfig { message: text("**{{ .Status }}**"), ..config(&server) };
    assert_delivered(&tell(config).await);
    assert_eq!(server.only().json(), json!({ "markdown": "**firing**", "roomId": "room-1" }));
}

#[tokio::test]
async fn bytes_are_counted_and_characters_stay_whole() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&tell(config(&server)).await);
    assert!(server.only().json()["markdown"].as_str().unwrap().contains("PgDown"));

    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let long = WebexConfig { message: text(&"ä".repeat(5_000)), ..config(&server) };
    assert_delivered(&tell(long).await);
    let said = server.only().json()["markdown"].as_str().unwrap().to_owned();
    assert_eq!((said.len(), said.ends_with("ä…")), (7_439, true));
}

#[tokio::test]
async fn a_refusal_shows_no_token() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let http_config = Some(HttpConfig {
        authorization: Some(Authorization {
            credentials: secret("old-"),
            ..Authorization::default()
        }),
        ..HttpConfig::default()
    });
    let failure = refused(
        tell(WebexConfig { http_config, ..config(&server) }).await,
        FailureClass::AuthError,
    );
    assert!(failure.message.starts_with("webex answered 401"), "{failure:?}");
    let nowhere = WebexConfig { room_id: Template::new("{{ .x }}"), ..config(&server) };
    let outcome = tell(nowhere).await;
    assert!(!matches!(outcome, AttemptOutcome::Delivered { .. }), "{outcome:?}");

    let body = r#"{"message":"slow down"}"#;
    let server = Server::start(vec![Reply::status(429, "retry-after: 9\r\n", body)]).await;
    let failure = refused(tell(config(&server)).await, FailureClass::RateLimited);
    assert_eq!(failure.retry_after_ms, Some(9_000));
}
