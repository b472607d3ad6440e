//! Telegram, imitated as strictly as the real one reads its bots.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, address, assert_delivered, delivered_with_notes, entry,
    failed, outbound, refused, secret, text,
};
use tocsin_config::{Settings, TelegramConfig, TelegramParseMode};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

fn wrong(code: u16, what: &str, parameters: &serde_json::Value) -> Reply {
    let body = json!({
        "ok": false, "error_code": code, "description": what, "parameters": parameters,
    });
    Reply::status(code, "", &body.to_string())
}

/// Answers as `sendMessage` does.
fn vendor(seen: &Seen) -> Reply {
    let none = json!({});
    if seen.target() != format!("POST /bot1:{CANARY}/sendMessage") {
        return wrong(401, "Unauthorized", &none);
    }
    let message = seen.json();
    if message["chat_id"] == -5 {
        let moved = json!({ "migrate_to_chat_id": -1005 });
        return wrong(400, "Bad Request: group chat was upgraded to a supergroup chat", &moved);
    }
    if !message["chat_id"].is_i64() && message["chat_id"] != "@ops" {
        return wrong(400, "Bad Request: chat not found", &none);
    }
    let text = message["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        return wrong(400, "Bad Request: message text is empty", &none);
    }
    if text.chars().count() > 4_096 {
        return wrong(400, "Bad Request: message is too long", &none);
    }
    let is_open = text.matches("<b>").count() != text.matches("</b>").count();
    if message["parse_mode"] == "HTML" && (is_open || text.contains("< ")) {
        let what = "Bad Request: can't parse entities: Can't find end tag corresponding to \
            start tag \"b\"";
        return wrong(400, what, &none);
    }
    Reply::ok(r#"{"ok":true,"result":{"message_id":7}}"#)
}

fn config(server: &Server) -> TelegramConfig {
    TelegramConfig {
        api_url: address(server, "/"),
        bot_token: secret("1:"),
        chat_id: Some(-100),
        ..TelegramConfig::default()
    }
}

async fn tell(config: TelegramConfig) -> AttemptOutcome {
    outbound("telegram", Settings::Telegram(config)).attempt(&entry("telegram"), KEY).await
}

#[tokio::test]
async fn every_field_arrives_and_html_is_escaped() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = TelegramConfig {
        message: text("<b>{{ .CommonAnnotations.summary }}</b>"),
        message_thread_id: Some(3),
        disable_notifications: true,
        ..config(&server)
    };
    assert_delivered(&tell(config).await);
    assert_eq!(
        server.only().json(),
        json!({
            "chat_id": -100,
            "message_thread_id": 3,
            "text": "<b>pg &amp; friends</b>",
            "parse_mode": "HTML",
            "disable_notification": true,
            "disable_web_page_preview": true,
        })
    );
}

#[tokio::test]
async fn other_kinds_of_mark_up_are_left_as_written() {
    for (mode, name) in [
        (TelegramParseMode::Markdown, json!("Markdown")),
        (TelegramParseMode::MarkdownV2, json!("MarkdownV2")),
        (TelegramParseMode::Plain, json!(null)),
    ] {
        let server = Server::start(vec![Reply::Vendor(vendor)]).await;
        let message = text("*{{ .CommonAnnotations.summary }}*");
        let config = TelegramConfig { parse_mode: mode, message, ..config(&server) };
        assert_delivered(&tell(config).await);
        let seen = server.only().json();
        assert_eq!((&seen["text"], &seen["parse_mode"]), (&json!("*pg & friends*"), &name));
    }
}

#[tokio::test]
async fn a_tag_that_was_cut_in_half_does_not_cost_the_page() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let message = text(&format!("<b>{}</b>", "ä".repeat(5_000)));
    let notes = delivered_with_notes(tell(TelegramConfig { message, ..config(&server) }).await);
    assert!(notes[0].starts_with("sent as plain text: Bad Request: can't parse"), "{notes:?}");
    let seen = server.seen();
    assert_eq!(seen[0].json()["text"].as_str().unwrap().chars().count(), 4_096);
    let second = seen[1].json();
    assert_eq!(second.get("parse_mode"), None);
    assert!(second["text"].as_str().unwrap().starts_with("ää"), "{second}");
    assert_ne!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
}

#[tokio::test]
async fn the_token_and_the_chat_may_be_in_files() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), format!("1:{CANARY}\n")).unwrap();
    let chat = tempfile::NamedTempFile::new().unwrap();
    for (written, read) in [("-42\n", json!(-42)), ("@ops\n", json!("@ops"))] {
        std::fs::write(chat.path(), written).unwrap();
        let server = Server::start(vec![Reply::Vendor(vendor)]).await;
        let config = TelegramConfig {
            bot_token: None,
            bot_token_file: Some(token.path().to_owned()),
            chat_id: None,
            chat_id_file: Some(chat.path().to_owned()),
            ..config(&server)
        };
        assert_delivered(&tell(config).await);
        let seen = server.only().json();
        assert_eq!(seen["chat_id"], read);
        assert!(seen["text"].as_str().unwrap().contains("PgDown"), "{seen}");
    }
}

#[tokio::test]
async fn a_chat_that_moved_is_followed_once() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = TelegramConfig { chat_id: Some(-5), ..config(&server) };
    let notes = delivered_with_notes(tell(config).await);
    assert_eq!(notes, ["the chat moved; set `chat_id: -1005`"]);
    assert_eq!(server.seen()[1].json()["chat_id"], -1005);
}

#[tokio::test]
async fn what_telegram_says_decides_what_it_means() {
    let limited = json!({ "retry_after": 7 });
    let server = Server::start(vec![wrong(429, "Too Many Requests", &limited)]).await;
    let failure = refused(tell(config(&server)).await, FailureClass::RateLimited);
    assert_eq!(failure.retry_after_ms, Some(7_000));

    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let unknown = TelegramConfig { bot_token: secret("2:"), ..config(&server) };
    let failure = refused(tell(unknown).await, FailureClass::AuthError);
    assert_eq!(failure.message, "telegram answered 401: Unauthorized");

    let server = Server::start(vec![wrong(502, "Bad Gateway", &json!({}))]).await;
    failed(tell(config(&server)).await, FailureClass::ServerError);
    let server = Server::start(vec![Reply::ok("<html>")]).await;
    failed(tell(config(&server)).await, FailureClass::Other);
}
