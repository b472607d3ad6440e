//! Slack, imitated as strictly as the real one reads its requests.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, assert_delivered, entry, failed, outbound, refused, text,
};
use tocsin_config::{
    Secret, SecretUrl, Settings, SlackAction, SlackConfig, SlackConfirm, SlackField, Template, Url,
};
use tocsin_core::notification::{AttemptOutcome, FailureClass, OutboxEntry};

fn by_webhook(server: &Server) -> SlackConfig {
    let url = SecretUrl::parse(&server.url(&format!("/services/T0/{CANARY}"))).unwrap();
    SlackConfig { api_url: Some(url), ..SlackConfig::default() }
}

fn as_app(server: &Server) -> SlackConfig {
    SlackConfig {
        app_token: Some(Secret::new(format!("xoxb-{CANARY}"))),
        app_url: Some(Url::parse(&server.url("/api/chat.postMessage")).unwrap()),
        channel: Template::new("#ops"),
        ..SlackConfig::default()
    }
}

async fn attempt(config: SlackConfig) -> AttemptOutcome {
    outbound("slack", Settings::Slack(config)).attempt(&entry("slack"), KEY).await
}

#[tokio::test]
async fn an_incoming_webhook_gets_one_attachment() {
    let server = Server::start(vec![Reply::ok("ok")]).await;
    assert_delivered(&attempt(by_webhook(&server)).await);
    let seen = server.only();
    assert_eq!(seen.line, format!("POST /services/T0/{CANARY} HTTP/1.1"));
    assert_eq!(seen.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(seen.header("idempotency-key"), Some(KEY));
    assert_eq!(
        seen.json(),
        serde_json::json!({
            "username": "Tocsin",
            "attachments": [{
                "title": "[FIRING:1] PgDown (eu1 critical)",
                "title_link": "http://tocsin.example/#/alerts?receiver=db%5C.hook",
                "text": ":red_circle: *PgDown* pg & friends\n`cluster=eu1, severity=critical`\n",
                "fallback": "[FIRING:1] PgDown (eu1 critical) | \
                    http://tocsin.example/#/alerts?receiver=db%5C.hook",
                "color": "danger",
                "mrkdwn_in": ["fallback", "pretext", "text"],
            }],
        })
    );
}

#[tokio::test]
async fn an_app_shows_its_token_and_names_the_channel() {
    let server = Server::start(vec![Reply::ok(r#"{"ok":true,"channel":"C1","ts":"1.2"}"#)]).await;
    assert_delivered(&attempt(as_app(&server)).await);
    let seen = server.only();
    assert_eq!(seen.line, "POST /api/chat.postMessage HTTP/1.1");
    let token = format!("Bearer xoxb-{CANARY}");
    assert_eq!(seen.header("authorization"), Some(token.as_str()));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen.form()["channel"], "#ops");
    let attachments: serde_json::Value = serde_json::from_str(&seen.form()["attachments"]).unwrap();
    assert_eq!(attachments[0]["color"], "danger");
}

#[tokio::test]
async fn a_token_may_be_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("xoxb-file-{CANARY}\n")).unwrap();
    let server = Server::start(vec![Reply::ok(r#"{"ok":true}"#)]).await;
    let app_token_file = Some(file.path().to_owned());
    assert_delivered(
        &attempt(SlackConfig { app_token: None, app_token_file, ..as_app(&server) }).await,
    );
    let token = format!("Bearer xoxb-file-{CANARY}");
    assert_eq!(server.only().header("authorization"), Some(token.as_str()));
}

#[tokio::test]
async fn what_slack_says_decides_what_it_means() {
    let error = |error: &str| Reply::ok(&format!(r#"{{"ok":false,"error":"{error}"}}"#));
    for (reply, class, message) in [
        (
            error("channel_not_found"),
            FailureClass::ClientError,
            "slack refused the message: channel_not_found",
        ),
        (error("invalid_auth"), FailureClass::AuthError, "slack refused the message: invalid_auth"),
        (error("ratelimited"), FailureClass::RateLimited, "slack refused the message: ratelimited"),
        (
            Reply::status(404, "", "no_team"),
            FailureClass::ClientError,
            "slack answered 404: no_team",
        ),
    ] {
        let server = Server::start(vec![reply]).await;
        assert_eq!(refused(attempt(as_app(&server)).await, class).message, message);
    }
    for (reply, class) in [
        (error("internal_error"), FailureClass::ServerError),
        (Reply::Echo(503), FailureClass::ServerError),
        (Reply::ok("<html>hello</html>"), FailureClass::Other),
        (
            Reply::Raw(b"HTTP/1.1 200 X\r\ncontent-length: 50\r\n\r\n{\"ok\"".to_vec()),
            FailureClass::Other,
        ),
    ] {
        let server = Server::start(vec![reply]).await;
        failed(attempt(as_app(&server)).await, class);
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long() {
    let body = r#"{"ok":false,"error":"ratelimited"}"#;
    let server = Server::start(vec![Reply::status(429, "retry-after: 30\r\n", body)]).await;
    for config in [as_app(&server), by_webhook(&server)] {
        let failure = refused(attempt(config).await, FailureClass::RateLimited);
        assert_eq!(failure.retry_after_ms, Some(30_000));
    }
}

#[tokio::test]
async fn a_webhook_that_says_something_else_did_not_take_it() {
    let server = Server::start(vec![Reply::ok(&format!("invalid_token {CANARY}"))]).await;
    let failure = refused(attempt(by_webhook(&server)).await, FailureClass::ClientError);
    assert_eq!(failure.message, "slack took the message but said: invalid_token <secret>");
    let server = Server::start(vec![Reply::ok(r#"{"success":true}"#)]).await;
    assert_delivered(&attempt(by_webhook(&server)).await);
}

#[tokio::test]
async fn an_app_without_a_channel_is_told_so() {
    let server = Server::start(vec![Reply::ok(r#"{"ok":true}"#)]).await;
    for channel in ["", "{{ .GroupLabels.channel }}", "{{ template \"nowhere\" . }}"] {
        let config = SlackConfig { channel: Template::new(channel), ..as_app(&server) };
        let failure = refused(attempt(config).await, FailureClass::Other);
        assert!(failure.message.contains("`channel`"), "{failure:?}");
    }
    assert_eq!(server.seen().len(), 0);
}

/// Answers as `chat.postMessage` and `chat.update` do.
fn vendor(seen: &Seen) -> Reply {
    let wrong = |error: &str| Reply::ok(&json!({ "ok": false, "error": error }).to_string());
    if seen.header("authorization") != Some(format!("Bearer xoxb-{CANARY}").as_str()) {
        return wrong("invalid_auth");
    }
    let form = seen.form();
    let attachments: Vec<serde_json::Value> = form
        .get("attachments")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    if attachments.is_empty() {
        return wrong("no_text");
    }
    if attachments[0]["title"].as_str().unwrap_or_default().chars().count() > 1_024 {
        return wrong("msg_too_long");
    }
    match seen.target() {
        "POST /api/chat.postMessage" if form["channel"] == "#ops" => {
            Reply::ok(r#"{"ok":true,"channel":"C1","ts":"10.1","message":{"ts":"10.1"}}"#)
        }
        "POST /api/chat.postMessage" => wrong("channel_not_found"),
        "POST /api/chat.update" if form["channel"] == "C1" && form["ts"] == "10.1" => {
            Reply::ok(r#"{"ok":true,"channel":"C1","ts":"11.9"}"#)
        }
        "POST /api/chat.update" => wrong("message_not_found"),
        _ => wrong("unknown_method"),
    }
}

fn receipt_of(outcome: AttemptOutcome) -> Option<String> {
    match outcome {
        AttemptOutcome::Delivered { receipt, fallbacks } => {
            assert!(fallbacks.is_empty(), "{fallbacks:?}");
            receipt
        }
        other => panic!("not delivered: {other:?}"),
    }
}

async fn follow_up(config: SlackConfig, receipt: &str) -> AttemptOutcome {
    let entry = OutboxEntry { receipt: Some(receipt.into()), ..entry("slack") };
    outbound("slack", Settings::Slack(config)).attempt(&entry, KEY).await
}

#[tokio::test]
async fn a_message_is_changed_and_keeps_its_first_name() {
    const RECEIPT: &str = r#"{"channel":"C1","ts":"10.1"}"#;
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = || SlackConfig { update_message: true, ..as_app(&server) };
    assert_eq!(receipt_of(attempt(config()).await).as_deref(), Some(RECEIPT));
    assert_eq!(receipt_of(follow_up(config(), RECEIPT).await).as_deref(), Some(RECEIPT));
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].target(), "POST /api/chat.update");
    assert!(!seen[1].form().contains_key("username"));
}

#[tokio::test]
async fn a_message_that_is_gone_is_posted_anew() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = SlackConfig { update_message: true, ..as_app(&server) };
    let receipt = receipt_of(follow_up(config, r#"{"channel":"C1","ts":"9.9"}"#).await);
    assert_eq!(receipt.as_deref(), Some(r#"{"channel":"C1","ts":"10.1"}"#));
    let targets: Vec<_> = server.seen().iter().map(|seen| seen.target().to_owned()).collect();
    assert_eq!(targets, ["POST /api/chat.update", "POST /api/chat.postMessage"]);
}

#[tokio::test]
async fn the_name_of_a_message_is_found_wherever_it_stands() {
    for body in [
        r#"{"ok":true,"channel":"D1","TS":"5.5"}"#,
        r#"{"ok":true,"channel":"D1","TS":"7.7","message":{"ts":"5.5"}}"#,
    ] {
        let server = Server::start(vec![Reply::ok(body)]).await;
        let config = SlackConfig { update_message: true, ..as_app(&server) };
        let receipt = receipt_of(attempt(config).await);
        assert_eq!(receipt.as_deref(), Some(r#"{"channel":"D1","ts":"5.5"}"#));
    }
    let server = Server::start(vec![Reply::ok(r#"{"ok":true,"channel":"","ts":"1.2"}"#)]).await;
    let failure = failed(attempt(as_app(&server)).await, FailureClass::Other);
    assert!(failure.message.contains("names no channel"), "{failure:?}");
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let fact = |short| SlackField {
        title: Template::new("Team"),
        value: Template::new("{{ .CommonLabels.cluster }}"),
        short,
    };
    let confirm = SlackConfirm {
        text: Template::new("Sure?"),
        title: text("Silence"),
        ok_text: text("Yes"),
        dismiss_text: text("No"),
    };
    let action = SlackAction {
        r#type: Template::new("button"),
        text: Template::new("Silence {{ .GroupLabels.alertname }}"),
        style: text("danger"),
        name: text("silence"),
        value: text("1h"),
        confirm: Some(confirm),
        ..SlackAction::default()
    };
    let config = SlackConfig {
        channel: Template::new("#{{ \"ops\" }}"),
        username: text("bell"),
        icon_emoji: text(":bell:"),
        icon_url: text("https://i.example"),
        message_text: text("<!here>"),
        title: text(&"ä".repeat(2_000)),
        title_link: text("https://t.example"),
        pretext: text("pre"),
        text: text("*{{ .Status }}*"),
        fallback: text("f"),
        callback_id: text("cb"),
        footer: text("foot"),
        color: text("#123456"),
        image_url: text("https://i.example/i"),
        thumb_url: text("https://i.example/t"),
        link_names: true,
        short_fields: true,
        mrkdwn_in: Some(vec!["text".to_owned()]),
        fields: vec![fact(None), fact(Some(false))],
        actions: vec![action],
        ..as_app(&server)
    };
    assert_delivered(&attempt(config).await);
    let form = server.only().form();
    let outer: Vec<&str> = ["channel", "username", "icon_emoji", "icon_url", "text", "link_names"]
        .map(|name| form[name].as_str())
        .to_vec();
    assert_eq!(outer, ["#ops", "bell", ":bell:", "https://i.example", "<!here>", "true"]);
    let mut attachments: serde_json::Value = serde_json::from_str(&form["attachments"]).unwrap();
    let title = attachments[0].as_object_mut().unwrap().remove("title").unwrap();
    assert_eq!(title.as_str().unwrap().chars().count(), 1_024);
    assert_eq!(
        attachments,
        json!([{
            "title_link": "https://t.example",
            "pretext": "pre",
            "text": "*firing*",
            "fallback": "f",
            "callback_id": "cb",
            "footer": "foot",
            "color": "#123456",
            "image_url": "https://i.example/i",
            "thumb_url": "https://i.example/t",
            "mrkdwn_in": ["text"],
            "fields": [
                { "title": "Team", "value": "eu1", "short": true },
                { "title": "Team", "value": "eu1", "short": false },
            ],
            "actions": [{
                "type": "button",
                "text": "Silence PgDown",
                "style": "danger",
                "name": "silence",
                "value": "1h",
                "confirm": {
                    "text": "Sure?", "title": "Silence", "ok_text": "Yes", "dismiss_text": "No",
                },
            }],
        }])
    );
}
