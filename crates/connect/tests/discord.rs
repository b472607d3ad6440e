//! Discord, imitated as strictly as the real one reads its webhooks.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::{Value, json};
use support::{
    CANARY, KEY, Reply, Seen, Server, assert_delivered, delivered_with_notes, ended_entry, entry,
    outbound, refused, text,
};
use tocsin_config::{DiscordConfig, SecretUrl, Settings};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

/// Answers as the webhook does: 204 for what it takes.
fn vendor(seen: &Seen) -> Reply {
    let wrong = |what: &str| Reply::status(400, "", &json!({ "message": what }).to_string());
    if seen.target() != format!("POST /api/webhooks/1/{CANARY}") {
        return Reply::status(404, "", r#"{"message":"Unknown Webhook","code":10015}"#);
    }
    let message = seen.json();
    let chars = |value: &Value| value.as_str().unwrap_or_default().chars().count();
    let embeds = message["embeds"].as_array().cloned().unwrap_or_default();
    if chars(&message["content"]) == 0 && embeds.is_empty() {
        return wrong("Cannot send an empty message");
    }
    for embed in &embeds {
        if chars(&embed["title"]) > 256 || chars(&embed["description"]) > 4_096 {
            return wrong("Must be shorter");
        }
        if chars(&embed["title"]) + chars(&embed["description"]) == 0 {
            return wrong("This field is required");
        }
        if !embed["color"].is_u64() {
            return wrong("color is not an integer");
        }
    }
    if chars(&message["content"]) > 2_000 {
        return wrong("Must be 2000 or fewer in length");
    }
    if message.get("avatar_url").is_some_and(|url| !url.as_str().unwrap().starts_with("http")) {
        return wrong("Not a well formed URL");
    }
    Reply::status(204, "", "")
}

fn config(server: &Server) -> DiscordConfig {
    let url = SecretUrl::parse(&server.url(&format!("/api/webhooks/1/{CANARY}"))).unwrap();
    DiscordConfig { webhook_url: Some(url), ..DiscordConfig::default() }
}

async fn tell(config: DiscordConfig, entry: &OutboxEntry) -> AttemptOutcome {
    outbound("discord", Settings::Discord(config)).attempt(entry, KEY).await
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = DiscordConfig {
        title: text("{{ .CommonLabels.alertname }} is down"),
        message: text("look at pg"),
        content: text("<@1>"),
        username: text("tocsin"),
        avatar_url: text("https://pictures.example/bell.png"),
        ..config(&server)
    };
    assert_delivered(&tell(config, &ended_entry("discord")).await);
    assert_eq!(
        server.only().json(),
        json!({
            "content": "<@1>",
            "username": "tocsin",
            "avatar_url": "https://pictures.example/bell.png",
            "embeds": [{ "title": "PgDown is down", "description": "look at pg", "color": 0x2ECC71 }],
        })
    );
}

#[tokio::test]
async fn without_settings_the_default_templates_speak() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&tell(config(&server), &entry("discord")).await);
    let embed = &server.only().json()["embeds"][0];
    assert!(embed["title"].as_str().unwrap().contains("PgDown"), "{embed}");
    assert!(embed["description"].as_str().unwrap().contains("pg & friends"), "{embed}");
    assert_eq!(embed["color"], 0x99_2D22);
}

#[tokio::test]
async fn long_texts_are_cut_and_nothing_is_replaced_by_our_own_words() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let long = text(&"ä".repeat(5_000));
    let long = DiscordConfig {
        title: long.clone(),
        message: long.clone(),
        content: long,
        avatar_url: text("bell.png"),
        ..config(&server)
    };
    let notes = delivered_with_notes(tell(long, &entry("discord")).await);
    assert_eq!(notes, ["`avatar_url` is not an http or https address and was left out"]);
    let embed = &server.only().json()["embeds"][0];
    assert_eq!(embed["title"].as_str().unwrap().chars().count(), 256);
    assert!(embed["description"].as_str().unwrap().ends_with('…'));

    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let empty = DiscordConfig { title: text(""), message: text(""), ..config(&server) };
    assert_delivered(&tell(empty, &entry("discord")).await);
    let said = server.only().json()["embeds"][0]["description"].to_string();
    assert!(said.contains("[FIRING:1] PgDown"), "{said}");
}

#[tokio::test]
async fn a_rate_limit_in_the_body_says_how_long() {
    let body = r#"{"message":"You are being rate limited.","retry_after":1.5,"global":false}"#;
    let server = Server::start(vec![Reply::status(429, "", body)]).await;
    let failure =
        refused(tell(config(&server), &entry("discord")).await, FailureClass::RateLimited);
    assert_eq!(failure.retry_after_ms, Some(1_500));
}
