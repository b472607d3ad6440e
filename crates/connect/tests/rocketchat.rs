//! Rocket.Chat, imitated as strictly as the real one reads its messages.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, address, assert_delivered, entry, failed, outbound, refused,
    secret, text,
};
use tocsin_config::{RocketchatAction, RocketchatConfig, RocketchatField, Settings};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// Answers as `chat.postMessage` does: some refusals come with 200.
fn vendor(seen: &Seen) -> Reply {
    let is_known = seen.header("x-auth-token") == Some(format!("token-{CANARY}").as_str())
        && seen.header("x-user-id") == Some(format!("id-{CANARY}").as_str());
    if !is_known {
        let body = r#"{"status":"error","message":"You must be logged in to do this."}"#;
        return Reply::status(401, "", body);
    }
    if seen.target() != "POST /chat/api/v1/chat.postMessage" {
        return Reply::status(404, "", "not found");
    }
    let message = seen.json();
    if message["channel"] != "#ops" {
        return Reply::ok(r#"{"success":false,"error":"[invalid-channel]"}"#);
    }
    let attachments = message["attachments"].as_array().cloned().unwrap_or_default();
    let actions = attachments.iter().filter_map(|a| a["actions"].as_array()).flatten();
    if actions.into_iter().any(|action| action["type"] != "button") {
        return Reply::status(400, "", r#"{"success":false,"error":"Match error"}"#);
    }
    Reply::ok(r##"{"success":true,"channel":"#ops","ts":1}"##)
}

fn config(server: &Server) -> RocketchatConfig {
    RocketchatConfig {
        api_url: address(server, "/chat/"),
        token: secret("token-"),
        token_id: secret("id-"),
        channel: text("#ops"),
        ..RocketchatConfig::default()
    }
}

async fn tell(config: RocketchatConfig) -> AttemptOutcome {
    outbound("rocketchat", Settings::Rocketchat(config)).attempt(&entry("rocketchat"), KEY).await
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let fact = |short| RocketchatField { title: text("Team"), value: text("db"), short };
    let action = RocketchatAction {
        r#type: text("link"),
        text: text("Open"),
        url: text("https://board.example"),
        imageurl: text("https://board.example/i.png"),
        is_webview: true,
        webviewheightratio: text("tall"),
        msg: text("/ack"),
        msginchatwindow: true,
        msg_processing_type: text("sendMessage"),
        ..RocketchatAction::default()
    };
    let config = RocketchatConfig {
        title: text("{{ .Status }}"),
        title_link: text("https://t.example"),
        text: text("look"),
        color: text("#ff0000"),
        emoji: text(":bell:"),
        icon_url: text("https://t.example/a.png"),
        image_url: text("https://t.example/b.png"),
        thumb_url: text("https://t.example/c.png"),
        fields: vec![fact(None), fact(Some(false))],
        short_fields: true,
        link_names: true,
        actions: vec![action],
        ..config(&server)
    };
    assert_delivered(&tell(config).await);
    assert_eq!(
        server.only().json(),
        json!({
            "channel": "#ops",
            "emoji": ":bell:",
            "avatar": "https://t.example/a.png",
            "parseUrls": true,
            "attachments": [{
                "title": "firing",
                "title_link": "https://t.example",
                "text": "look",
                "color": "#ff0000",
                "image_url": "https://t.example/b.png",
                "thumb_url": "https://t.example/c.png",
                "fields": [
                    { "title": "Team", "value": "db", "short": true },
                    { "title": "Team", "value": "db", "short": false },
                ],
                "actions": [{
                    "type": "button",
                    "text": "Open",
                    "url": "https://board.example",
                    "image_url": "https://board.example/i.png",
                    "is_webview": true,
                    "webview_height_ratio": "tall",
                    "msg": "/ack",
                    "msg_in_chat_window": true,
                    "msg_processing_type": "sendMessage",
                }],
            }],
        })
    );
}

#[tokio::test]
async fn without_settings_the_default_templates_speak_and_titles_are_cut() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = RocketchatConfig { title: text(&"ä".repeat(2_000)), ..config(&server) };
    assert_delivered(&tell(config).await);
    let attachment = &server.only().json()["attachments"][0];
    assert_eq!(attachment["title"].as_str().unwrap().chars().count(), 1_024);
    assert!(attachment["text"].as_str().unwrap().contains("pg & friends"), "{attachment}");
    assert_eq!(attachment["color"], "red");
}

#[tokio::test]
async fn the_flag_counts_and_not_the_status() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let elsewhere = RocketchatConfig { channel: text("#none"), ..config(&server) };
    let failure = refused(tell(elsewhere).await, FailureClass::ClientError);
    assert_eq!(failure.message, "rocketchat refused the message: [invalid-channel]");
    let stranger = RocketchatConfig { token: secret("old-"), ..config(&server) };
    refused(tell(stranger).await, FailureClass::AuthError);
    let nowhere = RocketchatConfig { channel: None, ..config(&server) };
    refused(tell(nowhere).await, FailureClass::Other);

    let body = r#"{"success":false,"error":"Error, too many requests. [error-too-many-requests]"}"#;
    let server = Server::start(vec![Reply::status(400, "", body)]).await;
    refused(tell(config(&server)).await, FailureClass::RateLimited);
    let server = Server::start(vec![Reply::ok("<html>")]).await;
    failed(tell(config(&server)).await, FailureClass::Other);
}
