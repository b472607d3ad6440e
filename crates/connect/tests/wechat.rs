//! WeChat for companies, imitated as strictly as the real one reads its messages.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use serde_json::json;
use support::{
    CANARY, KEY, Reply, Seen, Server, address, assert_delivered, delivered_with_notes, entry,
    failed, outbound, refused, secret, text,
};
use tocsin_config::{Settings, WechatConfig, WechatMessageType};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

fn says(code: i64, what: &str) -> Reply {
    Reply::ok(&json!({ "errcode": code, "errmsg": what }).to_string())
}

fn token() -> Reply {
    let body = json!({
        "errcode": 0, "errmsg": "ok", "access_token": format!("at-{CANARY}"), "expires_in": 7200,
    });
    Reply::ok(&body.to_string())
}

/// Answers as `gettoken` and `message/send` do: 200 whatever happened.
fn vendor(seen: &Seen) -> Reply {
    let target = seen.target();
    if target.starts_with("GET /cgi-bin/gettoken?") {
        let is_known = target.contains("corpid=corp") && target.contains(CANARY);
        return if is_known { token() } else { says(40_001, "invalid credential") };
    }
    if target != format!("POST /cgi-bin/message/send?access_token=at-{CANARY}") {
        return says(40_014, "invalid access_token");
    }
    let message = seen.json();
    let kind = message["msgtype"].as_str().unwrap_or_default();
    let content = message[kind]["content"].as_str().unwrap_or_default();
    if !["text", "markdown"].contains(&kind) || content.is_empty() {
        return says(44_004, "empty content");
    }
    if content.len() > 2_048 {
        return says(45_002, "content size out of limit");
    }
    if !message["agentid"].is_u64() {
        return says(40_056, "invalid agentid");
    }
    let told = ["touser", "toparty", "totag"].iter().filter(|to| message.get(**to).is_some());
    if told.count() == 0 {
        return says(40_032, "invalid user list size");
    }
    if message["touser"] == "ada|nobody" {
        return Reply::ok(r#"{"errcode":0,"errmsg":"ok","invaliduser":"nobody"}"#);
    }
    says(0, "ok")
}

fn config(server: &Server, name: &str) -> WechatConfig {
    WechatConfig {
        api_url: address(server, "/cgi-bin/"),
        api_secret: secret(name),
        corp_id: Some("corp".to_owned()),
        agent_id: text("1000002"),
        to_user: text("ada"),
        ..WechatConfig::default()
    }
}

async fn tell(config: WechatConfig) -> AttemptOutcome {
    outbound("wechat", Settings::Wechat(config)).attempt(&entry("wechat"), KEY).await
}

#[tokio::test]
async fn every_field_arrives_and_the_token_is_kept() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let full = || WechatConfig {
        message: text("**{{ .Status }}**"),
        message_type: WechatMessageType::Markdown,
        to_party: text("2"),
        to_tag: text("3"),
        ..config(&server, "kept-")
    };
    assert_delivered(&tell(full()).await);
    assert_delivered(&tell(full()).await);
    let seen = server.seen();
    assert_eq!(seen.len(), 3, "one sign-in for two messages: {seen:?}");
    assert_eq!(
        seen[2].json(),
        json!({
            "touser": "ada", "toparty": "2", "totag": "3", "agentid": 1_000_002,
            "msgtype": "markdown", "markdown": { "content": "**firing**" }, "safe": 0,
        })
    );
}

#[tokio::test]
async fn a_token_that_is_not_good_any_more_is_replaced_once() {
    let stale = || says(42_001, "access_token expired");
    let server = Server::start(vec![token(), stale(), token(), says(0, "ok")]).await;
    assert_delivered(&tell(config(&server, "stale-")).await);
    assert_eq!(server.seen().len(), 4);

    let server = Server::start(vec![token(), stale(), token(), stale()]).await;
    failed(tell(config(&server, "stale2-")).await, FailureClass::AuthError);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_long_text_is_cut_and_whoever_was_not_told_is_named() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = WechatConfig {
        message: text(&"ä".repeat(2_000)),
        to_user: text("ada|nobody"),
        ..config(&server, "long-")
    };
    let notes = delivered_with_notes(tell(config).await);
    assert_eq!(notes, ["WeChat does not know, and did not tell: nobody"]);
    let content = server.seen()[1].json()["text"]["content"].as_str().unwrap().to_owned();
    assert!(content.len() <= 2_048 && content.ends_with("ä…"), "{}", content.len());
}

#[tokio::test]
async fn the_code_decides_what_it_means() {
    for (code, class) in [
        (45_009, FailureClass::RateLimited),
        (60_020, FailureClass::AuthError),
        (81_013, FailureClass::ClientError),
    ] {
        let server = Server::start(vec![token(), says(code, "no")]).await;
        let failure = refused(tell(config(&server, &format!("{code}-"))).await, class);
        assert_eq!(failure.message, format!("wechat refused the message: {code} no"));
    }
    let server = Server::start(vec![token(), says(-1, "system busy")]).await;
    failed(tell(config(&server, "busy-")).await, FailureClass::ServerError);

    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let stranger = WechatConfig { corp_id: Some("other".to_owned()), ..config(&server, "x-") };
    let failure = refused(tell(stranger).await, FailureClass::AuthError);
    assert_eq!(failure.message, "wechat refused the sign-in: 40001 invalid credential");
    let server = Server::start(vec![Reply::Echo(500)]).await;
    failed(tell(config(&server, "down-")).await, FailureClass::ServerError);
}
