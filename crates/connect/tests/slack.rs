//! Slack, imitated as strictly as the real one reads its requests.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use support::{CANARY, KEY, Reply, Server, assert_delivered, entry, failed, outbound, refused};
use tocsin_config::{Secret, SecretUrl, Settings, SlackConfig, Template, Url};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

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
        serde_json::json!({"attachments": [{
            "title": "[FIRING:1] PgDown",
            "title_link": "http://tocsin.example",
            "text": "severity critical · cluster=eu1\n*FIRING* PgDown for 9s: pg &amp; friends \
                <http://prom.example/graph?a=1&amp;b=2|source>",
            "fallback": "[FIRING:1] PgDown",
            "color": "danger",
            "mrkdwn_in": ["fallback", "pretext", "text"],
        }]})
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
    assert_eq!(seen.json()["channel"], "#ops");
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
    for channel in ["", "{{ .GroupLabels.channel }}"] {
        let config = SlackConfig { channel: Template::new(channel), ..as_app(&server) };
        let failure = refused(attempt(config).await, FailureClass::Other);
        assert!(failure.message.contains("`channel`"), "{failure:?}");
    }
    assert_eq!(server.seen().len(), 0);
}
