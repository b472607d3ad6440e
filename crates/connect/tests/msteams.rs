//! Microsoft Teams, both ways in, imitated as strictly as the real ones read their cards.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, assert_delivered, delivered_with_notes, ended_entry, entry,
    failed, outbound, refused, text,
};
use tocsin_config::{MsteamsConfig, Msteamsv2Config, SecretUrl, Settings};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

/// Answers as the connector does.
fn connector(seen: &Seen) -> Reply {
    let card = seen.json();
    if seen.body.len() > 28 * 1024 {
        let body = "Webhook message delivery failed with error: Microsoft Teams endpoint \
            returned HTTP error 413 with ContextId x";
        return Reply::ok(body);
    }
    let is_card = card["@type"] == "MessageCard" && card["@context"].is_string();
    if !is_card || card["summary"].as_str().unwrap_or_default().is_empty() {
        return Reply::status(400, "", "Summary or Text is required.");
    }
    Reply::ok("1")
}

/// Answers as the workflow does.
fn workflow(seen: &Seen) -> Reply {
    let message = seen.json();
    let attachment = &message["attachments"][0];
    let is_card = message["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && attachment["content"]["type"] == "AdaptiveCard";
    if !is_card || seen.body.len() > 28 * 1024 {
        return Reply::status(400, "", r#"{"error":{"code":"TriggerInputSchemaMismatch"}}"#);
    }
    Reply::status(202, "", "")
}

fn url(server: &Server) -> Option<SecretUrl> {
    Some(SecretUrl::parse(&server.url(&format!("/webhookb2/{CANARY}"))).unwrap())
}

fn old(server: &Server) -> MsteamsConfig {
    MsteamsConfig { webhook_url: url(server), ..MsteamsConfig::default() }
}

fn new(server: &Server) -> Msteamsv2Config {
    Msteamsv2Config { webhook_url: url(server), ..Msteamsv2Config::default() }
}

async fn tell_old(config: MsteamsConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("msteams", Settings::Msteams(config)).attempt(entry, KEY).await
}

async fn tell_new(config: Msteamsv2Config, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("msteamsv2", Settings::Msteamsv2(config)).attempt(entry, KEY).await
}

#[tokio::test]
async fn the_connector_gets_every_field() {
    let server = Server::start(vec![Reply::Vendor(connector)]).await;
    let config = MsteamsConfig {
        title: text("{{ .Status }}"),
        summary: text("pg"),
        text: text("look"),
        ..old(&server)
    };
    assert_delivered(&tell_old(config, &ended_entry("msteams")).await);
    assert_eq!(
        server.only().json(),
        json!({
            "@context": "http://schema.org/extensions",
            "@type": "MessageCard",
            "title": "resolved",
            "summary": "pg",
            "text": "look",
            "themeColor": "2DC72D",
        })
    );
}

#[tokio::test]
async fn the_connector_hides_what_teams_said_behind_a_200() {
    let said = |status: u16| {
        let body = format!(
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP \
             error {status} with ContextId x"
        );
        vec![Reply::ok(&body)]
    };
    let server = Server::start(said(429)).await;
    refused(tell_old(old(&server), &entry("msteams")).await, FailureClass::RateLimited);
    let server = Server::start(said(413)).await;
    refused(tell_old(old(&server), &entry("msteams")).await, FailureClass::ClientError);
    let server = Server::start(said(503)).await;
    failed(tell_old(old(&server), &entry("msteams")).await, FailureClass::ServerError);
    let server = Server::start(vec![Reply::ok("Webhook message delivery failed: x")]).await;
    refused(tell_old(old(&server), &entry("msteams")).await, FailureClass::Other);
}

#[tokio::test]
async fn the_workflow_gets_a_card() {
    let server = Server::start(vec![Reply::Vendor(workflow)]).await;
    let config = Msteamsv2Config { title: text("pg"), text: text("{{ .Status }}"), ..new(&server) };
    assert_delivered(&tell_new(config, &entry("msteamsv2")).await);
    let content = &server.only().json()["attachments"][0]["content"];
    assert_eq!(content["body"][0]["text"], "pg");
    assert_eq!(content["body"][0]["color"], "Attention");
    assert_eq!(content["body"][1], json!({ "type": "TextBlock", "text": "firing", "wrap": true }));
    assert_eq!(content["msteams"]["width"], "full");
}

#[tokio::test]
async fn without_settings_the_default_templates_speak() {
    let server = Server::start(vec![Reply::Vendor(connector)]).await;
    assert_delivered(&tell_old(old(&server), &entry("msteams")).await);
    assert!(server.only().body.contains("pg & friends"), "{:?}", server.only());
    let server = Server::start(vec![Reply::Vendor(workflow)]).await;
    assert_delivered(&tell_new(new(&server), &entry("msteamsv2")).await);
    assert!(server.only().body.contains("pg & friends"), "{:?}", server.only());
}

#[tokio::test]
async fn a_card_that_is_too_large_is_cut_until_it_fits() {
    let long = text(&"\"ä\n".repeat(20_000));
    let server = Server::start(vec![Reply::Vendor(connector)]).await;
    let config = MsteamsConfig { text: long.clone(), ..old(&server) };
    let notes = delivered_with_notes(tell_old(config, &entry("msteams")).await);
    assert_eq!(notes, ["`text` was cut: a card has at most 28672 bytes"]);
    let server = Server::start(vec![Reply::Vendor(workflow)]).await;
    let config = Msteamsv2Config { text: long, ..new(&server) };
    assert_eq!(delivered_with_notes(tell_new(config, &entry("msteamsv2")).await).len(), 1);
}

#[tokio::test]
async fn the_address_may_be_in_a_file_and_shows_in_no_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let server = Server::start(vec![Reply::Echo(400)]).await;
    std::fs::write(file.path(), server.url(&format!("/{CANARY}\n"))).unwrap();
    let webhook_url_file = Some(file.path().to_owned());
    let config = Msteamsv2Config { webhook_url: None, webhook_url_file, ..new(&server) };
    refused(tell_new(config, &entry("msteamsv2")).await, FailureClass::ClientError);
}
