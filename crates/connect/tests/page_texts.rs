//! What every channel sends for every kind of page, request by request.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

#[path = "support/pages.rs"]
mod pages;

use std::fmt::Write as _;

use pages::{channels, outbound_of, page, stories};
use support::{Reply, Seen, Server};
use tocsin_core::notification::AttemptOutcome;
use tocsin_core::paging::Channel;

/// Answers as any of the vendors would when all is well.
fn vendor(seen: &Seen) -> Reply {
    let target = seen.target();
    if target.starts_with("GET /api/v4/users/me") {
        return Reply::ok(r#"{"id":"bot0123456789012345678901"}"#);
    }
    if target.starts_with("GET /api/v4/users/username/") {
        return Reply::ok(r#"{"id":"ada0123456789012345678901"}"#);
    }
    Reply::ok(
        r#"{"ok":true,"channel":"D024BE91L","ts":"1503435956.000247","sid":"SM0001",
            "result":{"message_id":77},"id":"post012345678901234567890"}"#,
    )
}

/// Writes a request so that a person can judge it: structures indented, secrets left out.
fn shown(seen: &Seen) -> String {
    let mut out = format!("{}\n", seen.target().replace(support::CANARY, "CANARY"));
    for name in ["content-type", "webhook-id", "webhook-timestamp"] {
        if let Some(value) = seen.header(name) {
            let _ = writeln!(out, "{name}: {value}");
        }
    }
    if seen.header("content-type").is_some_and(|it| it.contains("form")) {
        for (name, value) in seen.pairs() {
            match serde_json::from_str::<serde_json::Value>(&value) {
                Ok(json) if json.is_array() || json.is_object() => {
                    let json = serde_json::to_string_pretty(&json).unwrap();
                    let _ = writeln!(out, "{name} = {json}");
                }
                _ => {
                    let _ = writeln!(out, "{name} = {value}");
                }
            }
        }
    } else if !seen.body.is_empty() {
        let json: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        let _ = writeln!(out, "{}", serde_json::to_string_pretty(&json).unwrap());
    }
    out
}

async fn told(channel: Channel, address: impl Fn(&Server) -> String) -> String {
    let mut out = String::new();
    for (story, content) in stories() {
        let server = Server::start(vec![Reply::Vendor(vendor)]).await;
        let outbound = outbound_of(&channels(&server));
        let page = page(channel, &address(&server), content);
        let outcome = outbound.page(&page, "0123456789abcdef0123456789abcdef").await;
        let _ = writeln!(out, "=== {story}");
        for seen in server.seen() {
            out.push_str(&shown(&seen));
        }
        match outcome {
            AttemptOutcome::Delivered { receipt, fallbacks } => {
                assert!(fallbacks.is_empty());
                let _ = writeln!(out, "delivered, receipt: {}\n", receipt.unwrap_or_default());
            }
            AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => {
                let _ = writeln!(out, "not delivered: {}\n", failure.message);
            }
        }
    }
    out
}

macro_rules! channel {
    ($name:ident, $channel:expr, $address:expr) => {
        #[tokio::test]
        async fn $name() {
            insta::assert_snapshot!(told($channel, $address).await);
        }
    };
}

channel!(sms, Channel::Sms, |_| "+49 151 2345678".to_owned());
channel!(slack, Channel::Slack, |_| "U024BE7LH".to_owned());
channel!(telegram, Channel::Telegram, |_| "4711".to_owned());
channel!(mattermost, Channel::Mattermost, |_| "@ada".to_owned());
channel!(pagerduty, Channel::Pagerduty, |_| "R0123456789".to_owned());
channel!(opsgenie, Channel::Opsgenie, |_| "team:checkout".to_owned());
channel!(ntfy, Channel::Ntfy, |_| "ada-pages-4711".to_owned());
channel!(discord, Channel::Discord, |server: &Server| server.url("/api/webhooks/1/token"));
channel!(msteams, Channel::Msteams, |server: &Server| server.url("/workflows/1"));
channel!(webhook, Channel::Webhook, |server: &Server| server.url("/hook"));
