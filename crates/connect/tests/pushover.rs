//! Pushover, imitated as strictly as the real one reads its forms.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::time::Duration;

use support::{
    CANARY, Reply, Seen, Server, address, assert_delivered, entry, outbound, refused, secret, text,
};
use tocsin_config::{PushoverConfig, Settings};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// Answers as the message API does.
fn vendor(seen: &Seen) -> Reply {
    let wrong = |field: &str, what: &str| {
        let body =
            format!(r#"{{"{field}":"invalid","errors":["{what}"],"status":0,"request":"r"}}"#);
        Reply::status(400, "", &body)
    };
    if seen.target() != "POST /1/messages.json" {
        return Reply::status(404, "", "{}");
    }
    let form = seen.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let is_longer = |name: &str, max: usize| field(name).chars().count() > max;
    if field("token") != format!("app-{CANARY}") {
        return wrong("token", "application token is invalid");
    }
    if field("user") != format!("user-{CANARY}") {
        return wrong("user", "user identifier is invalid");
    }
    if field("message").trim().is_empty() {
        return wrong("message", "message cannot be blank");
    }
    let limits = [("title", 250), ("message", 1_024), ("url", 512), ("url_title", 100)];
    if limits.into_iter().any(|(name, max)| is_longer(name, max)) {
        return wrong("message", "something is too long");
    }
    let number = |name: &str| field(name).parse::<i64>().ok();
    if !number("priority").is_none_or(|priority| (-2..=2).contains(&priority)) {
        return wrong("priority", "priority is invalid");
    }
    if field("priority") == "2"
        && !(number("retry").is_some_and(|s| s >= 30)
            && number("expire").is_some_and(|s| s <= 10_800))
    {
        return wrong("retry", "retry and expire must be supplied with priority=2");
    }
    if field("html") == "1" && field("monospace") == "1" {
        return wrong("html", "html and monospace are mutually exclusive");
    }
    Reply::ok(r#"{"status":1,"request":"r"}"#)
}

fn config(server: &Server) -> PushoverConfig {
    PushoverConfig {
        api_url: address(server, "/1/messages.json"),
        token: secret("app-"),
        user_key: secret("user-"),
        title: text("PgDown"),
        message: text("pg is down"),
        url: text("http://tocsin.example"),
        priority: text("0"),
        ..PushoverConfig::default()
    }
}

async fn attempt(config: PushoverConfig) -> AttemptOutcome {
    outbound("pushover", Settings::Pushover(config)).attempt(&entry("pushover"), "1-42").await
}

#[tokio::test]
async fn every_field_arrives() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let config = PushoverConfig {
        url_title: text("Tocsin"),
        device: text("phone"),
        sound: text("siren"),
        priority: text("2"),
        retry: Duration::from_secs(5),
        expire: Duration::from_secs(100_000),
        ttl: Some(Duration::from_secs(600)),
        html: true,
        message: text("<b>pg</b> is down"),
        ..config(&server)
    };
    assert_delivered(&attempt(config).await);
    let form = server.only().form();
    let expected = [
        ("device", "phone"),
        ("expire", "10800"),
        ("html", "1"),
        ("message", "<b>pg</b> is down"),
        ("priority", "2"),
        ("retry", "30"),
        ("sound", "siren"),
        ("title", "PgDown"),
        ("token", &format!("app-{CANARY}")),
        ("ttl", "600"),
        ("url", "http://tocsin.example"),
        ("url_title", "Tocsin"),
        ("user", &format!("user-{CANARY}")),
    ];
    let pairs = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(pairs.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn only_an_emergency_is_repeated() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    assert_delivered(&attempt(PushoverConfig { monospace: true, ..config(&server) }).await);
    let form = server.only().form();
    assert_eq!((form.get("retry"), form.get("expire"), form.get("html")), (None, None, None));
    assert_eq!(form["monospace"], "1");
}

#[tokio::test]
async fn long_texts_are_cut_and_an_empty_one_is_replaced() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let long = "ä".repeat(2_000);
    let config_of = |message: &str| PushoverConfig {
        title: text(&long),
        url: text(&long),
        url_title: text(&long),
        message: text(message),
        ..config(&server)
    };
    assert_delivered(&attempt(config_of(&long)).await);
    assert_delivered(&attempt(config_of(" \n")).await);
    let [cut, empty] = [0, 1].map(|index| server.seen()[index].form());
    assert_eq!(cut["message"], format!("{}…", "ä".repeat(1_023)));
    assert_eq!(cut["title"], format!("{}…", "ä".repeat(249)));
    assert_eq!(empty["message"], "(no details)");
}

#[tokio::test]
async fn keys_may_be_in_files_and_wrong_ones_are_refused() {
    let server = Server::start(vec![Reply::Vendor(vendor)]).await;
    let files = [(); 2].map(|()| tempfile::NamedTempFile::new().unwrap());
    std::fs::write(files[0].path(), format!("user-{CANARY}\n")).unwrap();
    std::fs::write(files[1].path(), format!("app-{CANARY}\n")).unwrap();
    let config = PushoverConfig {
        user_key: None,
        user_key_file: Some(files[0].path().to_owned()),
        token: None,
        token_file: Some(files[1].path().to_owned()),
        ..config(&server)
    };
    assert_delivered(&attempt(config.clone()).await);
    std::fs::write(files[0].path(), format!("nobody-{CANARY}\n")).unwrap();
    let failure = refused(attempt(config.clone()).await, FailureClass::ClientError);
    assert!(failure.message.contains("user identifier is invalid"), "{failure:?}");
    std::fs::write(files[0].path(), "\n").unwrap();
    let failure = refused(attempt(config).await, FailureClass::Other);
    assert_eq!(failure.message, "pushover: `user_key` is empty");
}
