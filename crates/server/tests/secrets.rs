//! Stored secrets: set, listed, used and removed, and never shown.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_config::{NotStored, SecretStore as _};
use tocsin_core::identity::Permission;
use tocsin_server::sign_in::MasterKey;

const CANARY: &str = "canary-5b1e77";

async fn put(server: &TestServer, name: &str, body: impl Into<Body>) -> Answer {
    let request = Request::put(format!("/api/v1/secrets/{name}"));
    server.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
}

fn opened(server: &TestServer, name: &str) -> Result<String, NotStored> {
    server.app.vault.fetch(name).map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn a_secret_is_set_used_replaced_and_removed_and_never_shown() {
    let server = TestServer::start().await;
    assert_eq!(opened(&server, "slack"), Err(NotStored::Missing("slack".to_owned())));
    let set = put(&server, "slack", json!({ "value": format!(" {CANARY}\n") }).to_string()).await;
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(opened(&server, "slack").unwrap(), CANARY);
    let again = json!({ "value": format!("{CANARY}-2") }).to_string();
    let replaced = put(&server, "slack", again).await;
    assert_eq!(opened(&server, "slack").unwrap(), format!("{CANARY}-2"));

    let unused = server.get("/api/v1/secrets").await.json();
    assert!(unused["items"][0].get("last_used_at").is_none(), "{unused}");
    server.app.known.flush(&server.app.engine).await;
    opened(&server, "slack").unwrap();
    server.app.known.flush(&server.app.engine).await;
    let listed = server.get("/api/v1/secrets").await;
    assert!(listed.json()["items"][0]["last_used_at"].is_string(), "{listed:?}");

    assert_eq!(server.ask("DELETE", "/api/v1/secrets/slack").await.status, 204);
    assert_eq!(server.ask("DELETE", "/api/v1/secrets/slack").await.status, 404);
    assert!(opened(&server, "slack").is_err());

    let audit = server.get("/api/v1/audit?limit=100").await;
    let actions: Vec<String> = audit.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["subject"] == "secret/slack")
        .map(|row| row["action"].as_str().unwrap().to_owned())
        .collect();
    // However often it is used, that is one row a day.
    assert_eq!(actions, ["secret.delete", "secret.open", "secret.set", "secret.set"], "{audit:?}");
    for answer in [set, replaced, listed, audit, server.get("/api/v1/events").await] {
        assert!(!answer.body.contains("canary"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_secret_is_refused_without_repeating_it() {
    let server = TestServer::start().await;
    let value = json!({ "value": CANARY });
    for name in ["-x", "a%2Fb", "a%00b", "..%2f..", &"x".repeat(65)] {
        assert_eq!(put(&server, name, value.to_string()).await.status, 400, "{name}");
    }
    let bodies = [
        json!({ "value": "" }),
        json!({ "value": "  \n" }),
        json!({ "value": [CANARY] }),
        json!({ "value": { "x": CANARY } }),
        json!({ "value": CANARY, "other": CANARY }),
        json!({ CANARY: "x" }),
        json!(CANARY),
        json!([CANARY]),
        Value::Null,
        json!({ "value": CANARY.repeat(10_000) }),
    ];
    for body in bodies {
        let answer = put(&server, "x", body.to_string()).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(!answer.body.contains("canary"), "{answer:?}");
    }
    let answer = put(&server, "x", format!("{{\"value\": \"{CANARY}")).await;
    assert!(answer.status == 400 && !answer.body.contains("canary"), "{answer:?}");
}

#[tokio::test]
async fn a_new_master_key_seals_stored_secrets_anew() {
    let key = |letters: &[&str]| {
        let lines = letters.iter().map(|it| it.repeat(43) + "=").collect::<Vec<_>>().join("\n");
        MasterKey::parse(&lines, "test").unwrap()
    };
    let server = TestServer::start().await;
    server.app.sign_ins.replace_key(key(&["A"]));
    put(&server, "slack", json!({ "value": CANARY }).to_string()).await;
    server.app.sign_ins.replace_key(key(&["E", "A"]));
    assert_eq!(tocsin_server::sign_in::reseal(&server.app).await, Ok(1));
    server.app.sign_ins.replace_key(key(&["E"]));
    assert_eq!(opened(&server, "slack").unwrap(), CANARY);
    server.app.sign_ins.replace_key(key(&["I"]));
    assert_eq!(opened(&server, "slack"), Err(NotStored::Sealed("slack".to_owned())));
}

#[tokio::test]
async fn secrets_need_their_permission() {
    let server = TestServer::start().await;
    let others: Vec<_> =
        Permission::ALL.iter().copied().filter(|it| *it != Permission::SecretWrite).collect();
    let token = server.token(&others).await;
    for (method, path) in
        [("GET", "/api/v1/secrets"), ("PUT", "/api/v1/secrets/x"), ("DELETE", "/api/v1/secrets/x")]
    {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        assert_eq!(server.send(request.body(Body::empty()).unwrap()).await.status, 403, "{method}");
    }
}
