//! Mattermost, imitated as strictly as the real one reads its webhooks.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, assert_delivered, delivered_with_notes, entry, outbound,
    refused, text,
};
use tocsin_config::{
    MattermostAttachment, MattermostConfig, MattermostField, MattermostPriority, MattermostProps,
    SecretUrl, Settings,
};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// Answers as an incoming webhook does.
fn vendor(seen: &Seen) -> Reply {
    let wrong = |what: &str| Reply::status(400, "", &json!({ "message": what }).to_string());
    if seen.target() != format!("POST /hooks/{CANARY}") {
        return wrong("Invalid webhook.");
    }
    let message = seen.json();
    let text = message["text"].as_str().unwrap_or_default();
    if text.is_empty() && message["attachments"].as_array().is_none_or(Vec::is_empty) {
        return wrong("No text specified.");
    }
    if text.chars().count() > 16_383 {
        return wrong("The text is too long.");
    }
    if let Some(priority) = message.get("priority") {
        let word = priority["priority"].as_str().unwrap_or_default();
        let is_urgent = word == "urgent";
        if !["", "important", "urgent", "standard"].contains(&word)
            || (priority.get("persistent_notifications").is_some() && !is_urgent)
        {
            return wrong("Invalid priority.");
        }
    }
    Reply::ok("ok")
}

fn config(server: &Server) -> MattermostConfig {
    let url = SecretUrl::parse(&server.url(&format!("/hooks/{CANARY}"))).unwrap();
    MattermostConfig { webhook_url: Some(url), ..MattermostConfig::default() }
}

async fn tell(config: MattermostConfig) -> AttemptOutcome {
    outbound("mattermost", Settings::Mattermost(config)).attempt(&entry("mattermost"), KEY).await
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let fact = MattermostField { title: text("Team"), value: text("db"), short: Some(true) };
    let attachment = MattermostAttachment {
        fallback: text("f"),
        color: text("#123456"),
        pretext: text("p"),
        text: text("{{ .CommonLabels.cluster }}"),
        author_name: text("n"),
        author_link: text("https://a.example"),
        author_icon: text("https://a.example/i"),
        title: text("t"),
        title_link: text("https://t.example"),
        fields: vec![fact.clone()],
        thumb_url: text("https://t.example/t"),
        footer: text("foot"),
        footer_icon: text("https://t.example/f"),
        image_url: text("https://t.example/i"),
    };
    let config = MattermostConfig {
        text: text("{{ .Status }}"),
        channel: text("ops"),
        username: text("tocsin"),
        icon_url: text("https://i.example"),
        icon_emoji: text("bell"),
        pretext: text("own"),
        title: text("own title"),
        attachments: vec![attachment],
        props: Some(MattermostProps { card: text("card {{ .Status }}") }),
        priority: Some(MattermostPriority {
            priority: text("Urgent"),
            requested_ack: true,
            persistent_notifications: true,
        }),
        ..config(&server)
    };
    assert_delivered(&tell(config).await);
    let mut seen = server.only().json();
    let own = seen["attachments"].as_array_mut().unwrap().remove(0);
    assert_eq!((&own["pretext"], &own["title"]), (&json!("own"), &json!("own title")));
    assert!(own["color"].as_str().unwrap().starts_with('#'), "{own}");
    assert_eq!(
        seen,
        json!({
            "text": "firing",
            "channel": "ops",
            "username": "tocsin",
            "icon_url": "https://i.example",
            "icon_emoji": "bell",
            "attachments": [{
                "fallback": "f", "color": "#123456", "pretext": "p", "text": "eu1",
                "author_name": "n", "author_link": "https://a.example",
                "author_icon": "https://a.example/i", "title": "t",
                "title_link": "https://t.example",
                "fields": [{ "title": "Team", "value": "db", "short": true }],
                "thumb_url": "https://t.example/t", "footer": "foot",
                "footer_icon": "https://t.example/f", "image_url": "https://t.example/i",
            }],
            "props": { "card": "card firing" },
            "priority": {
                "priority": "urgent", "requested_ack": true, "persistent_notifications": true,
            },
        })
    );
}

#[tokio::test]
async fn without_settings_there_is_a_text_and_no_attachment() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&tell(config(&server)).await);
    let seen = server.only().json();
    assert!(seen["text"].as_str().unwrap().contains("pg & friends"), "{seen}");
    assert_eq!(seen.get("attachments"), None);
}

#[tokio::test]
async fn long_texts_are_cut_and_an_impossible_priority_is_made_possible() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let priority = |word: &str| {
        Some(MattermostPriority {
            priority: text(word),
            requested_ack: true,
            persistent_notifications: true,
        })
    };
    let long = text(&"ä".repeat(20_000));
    let config_of =
        |word| MattermostConfig { text: long.clone(), priority: priority(word), ..config(&server) };
    assert_delivered(&tell(config_of("important")).await);
    assert_eq!(delivered_with_notes(tell(config_of("now!")).await).len(), 1);
    let seen = server.seen();
    assert_eq!(seen[0].json()["text"].as_str().unwrap().chars().count(), 16_383);
    assert_eq!(
        seen[0].json()["priority"],
        json!({ "priority": "important", "requested_ack": true })
    );
    assert_eq!(seen[1].json()["priority"], json!({ "priority": "standard" }));
}

#[tokio::test]
async fn a_refusal_shows_no_address() {
    let server = Server::start(vec![Reply::Echo(403)]).await;
    refused(tell(config(&server)).await, FailureClass::AuthError);
}
