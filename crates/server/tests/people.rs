//! People, teams, tokens and the audit log through the API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_core::audit::{AuditHash, AuditRow};
use tocsin_core::identity::{Permission, Role};
use tocsin_core::rows::WriteSet;
use tocsin_store::Store as _;

impl TestServer {
    async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        self.as_token("", method, path, body).await
    }

    async fn as_token(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

#[tokio::test]
async fn a_person_is_made_changed_deactivated_and_brought_back() {
    let server = TestServer::start().await;
    let boss = json!({ "handle": "boss", "roles": ["admin"] });
    assert_eq!(server.json("POST", "/api/v1/people", boss).await.status, 201);
    let ada = json!({
        "handle": "ada", "name": "Ada", "email": "ada@example.org", "manager": "boss",
        "time_zone": "Europe/Vienna", "expertise": ["postgres"], "roles": ["responder@team:db"]
    });
    let answer = server.json("POST", "/api/v1/people", ada.clone()).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/api/v1/people/ada"));
    insta::assert_json_snapshot!("person", answer.json());
    assert_eq!(server.json("POST", "/api/v1/people", ada).await.status, 409);
    let changed = json!({ "name": "Ada L.", "manager": "boss" });
    let answer = server.json("PUT", "/api/v1/people/ada", changed).await;
    assert_eq!((answer.status, &answer.json()["roles"]), (200, &json!([])));
    let cycle = json!({ "manager": "ada" });
    assert_eq!(server.json("PUT", "/api/v1/people/boss", cycle).await.status, 422);

    server.fire(&[&[("alertname", "A")]]).await;
    let acknowledge =
        json!({ "by": "ada", "matchers": [{ "name": "alertname", "op": "=", "value": "A" }] });
    server.json("POST", "/api/v1/alerts/acknowledge", acknowledge).await.json();
    let owned = server.get("/api/v1/people/ada/owned").await.json();
    assert_eq!(owned["items"][0]["kind"], "acknowledgement");
    assert_eq!(owned["items"][0]["passes_to"], "boss");
    let passed = server.json("POST", "/api/v1/people/ada/deactivate", json!(null)).await;
    assert_eq!((passed.status, passed.json()), (200, owned));
    let alert = server.get("/api/v1/alerts").await.json()["items"][0].clone();
    assert_eq!(alert["acknowledgement"]["by"], "boss");
    assert_eq!(server.get("/api/v1/people/ada").await.json()["active"], false);
    assert_eq!(
        server.get("/api/v1/people?active=true").await.json()["items"].as_array().unwrap().len(),
        1
    );
    let back = server.json("POST", "/api/v1/people/ada/reactivate", json!(null)).await;
    assert_eq!(back.json()["active"], true);
    assert_eq!(server.get("/api/v1/people/nobody").await.status, 404);
}

#[tokio::test]
async fn what_makes_no_sense_is_named_field_by_field() {
    let server = TestServer::start().await;
    let bad = json!({
        "handle": "ada", "email": "no address", "time_zone": "Mars/Olympus",
        "manager": "Not A Handle", "roles": ["king", "admin@everywhere"]
    });
    let answer = server.json("POST", "/api/v1/people", bad).await;
    assert_eq!(answer.status, 422);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    let places: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    assert_eq!(places, ["/email", "/time_zone", "/manager", "/roles/0", "/roles/1"]);
    let unknown = json!({ "handle": "ada", "nmae": "Ada" });
    assert_eq!(server.json("POST", "/api/v1/people", unknown).await.status, 400);
    let bad = json!({ "members": [{ "person": "x", "role": "king" }], "default_on_call": "" });
    let answer = server.json("PUT", "/api/v1/teams/db", bad).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let nobody = json!({ "members": [{ "person": "nobody" }] });
    assert_eq!(server.json("PUT", "/api/v1/teams/db", nobody).await.status, 404);
}

#[tokio::test]
async fn a_team_gives_its_members_a_role_for_what_is_its_own() {
    let server = TestServer::start().await;
    for handle in ["ada", "grace"] {
        server.json("POST", "/api/v1/people", json!({ "handle": handle })).await;
    }
    let team = json!({
        "description": "Databases",
        "members": [{ "person": "ada", "role": "manager" }, { "person": "grace" }],
        "default_on_call": "grace"
    });
    let answer = server.json("PUT", "/api/v1/teams/db", team).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    insta::assert_json_snapshot!("team", answer.json());
    assert_eq!(server.get("/api/v1/people/ada").await.json()["teams"], json!(["db"]));
    assert_eq!(server.get("/api/v1/teams").await.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.ask("DELETE", "/api/v1/teams/db").await.status, 204);
    assert_eq!(server.get("/api/v1/teams/db").await.status, 404);
}

#[tokio::test]
async fn a_token_is_shown_once_listed_without_its_secret_and_revoked() {
    let server = TestServer::start().await;
    let draft = json!({ "name": "pipeline", "service": "ci", "role": "responder" });
    let answer = server.json("POST", "/api/v1/tokens", draft).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.json();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("tocsin_") && secret.len() > 40, "{secret}");
    let me = server.as_token(secret, "GET", "/api/v1/me", json!(null)).await.json();
    assert_eq!((&me["kind"], &me["name"]), (&json!("service"), &json!("ci")));
    let listed = server.get("/api/v1/tokens").await;
    assert!(!listed.body.contains(secret) && !listed.body.contains("hash"));
    let id = made["token"]["id"].as_str().unwrap();
    // Without `token.write` nobody learns that the token is there.
    let denied =
        server.as_token(secret, "DELETE", &format!("/api/v1/tokens/{id}"), json!(null)).await;
    assert_eq!(denied.status, 404);
    assert_eq!(server.ask("DELETE", &format!("/api/v1/tokens/{id}")).await.status, 204);
    assert_eq!(server.as_token(secret, "GET", "/api/v1/me", json!(null)).await.status, 401);
    let audit = server.get("/api/v1/audit").await;
    assert!(!audit.body.contains(secret) && audit.body.contains("token.revoke"), "{audit:?}");
}

#[tokio::test]
async fn nobody_hands_out_more_than_they_have() {
    let server = TestServer::start().await;
    let permissions = [Permission::TokenWrite, Permission::PeopleWrite, Permission::AlertRead];
    let token = server.token(&permissions).await;
    let draft = |role: &str| json!({ "name": "x", "service": "x", "role": role });
    let status = async |body| server.as_token(&token, "POST", "/api/v1/tokens", body).await.status;
    assert_eq!(status(draft("viewer")).await, 403);
    let own = json!({ "name": "x", "service": "x", "permissions": ["alert.read"] });
    assert_eq!(status(own).await, 201);
    let admin = json!({ "handle": "eve", "roles": ["admin"] });
    let answer = server.as_token(&token, "POST", "/api/v1/people", admin).await;
    assert_eq!(answer.status, 403);
    // Nor does anybody become somebody greater by a link.
    server.json("POST", "/api/v1/people", json!({ "handle": "root", "roles": ["admin"] })).await;
    let link =
        server.as_token(&token, "POST", "/api/v1/people/root/sign-in-link", json!(null)).await;
    assert_eq!(link.status, 403);
    let manager: Vec<_> = Role::Manager.permissions().iter().collect();
    let manager = server.token(&manager).await;
    let team = json!({ "members": [{ "person": "root", "role": "admin" }] });
    let answer = server.as_token(&manager, "PUT", "/api/v1/teams/db", team).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn an_integration_has_two_keys_while_they_are_changed() {
    let server = TestServer::start().await;
    let draft = json!({ "name": "key", "integration": "grafana" });
    let make = async || server.json("POST", "/api/v1/tokens", draft.clone()).await;
    let first = make().await.json();
    assert_eq!(first["token"]["permissions"], json!(["alert.ingest", "change.record"]));
    assert_eq!(make().await.status, 201);
    assert_eq!(make().await.status, 409);
    let id = first["token"]["id"].as_str().unwrap();
    server.ask("DELETE", &format!("/api/v1/tokens/{id}")).await;
    assert_eq!(make().await.status, 201);
}

#[tokio::test]
async fn the_audit_log_is_paged_verified_and_exported_and_names_the_row_that_was_altered() {
    let server = TestServer::start().await;
    for number in 0..5 {
        server.json("POST", "/api/v1/people", json!({ "handle": format!("p{number}") })).await;
    }
    let page = server.get("/api/v1/audit?limit=2&action=person.create").await.json();
    assert_eq!(page["items"][0]["subject"], "person/p4");
    assert_eq!(page["items"][0]["who"]["kind"], "local");
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = server.get(&format!("/api/v1/audit?limit=2&cursor={cursor}")).await.json();
    assert_eq!(next["items"][0]["subject"], "person/p2");
    let verdict = server.get("/api/v1/audit/verify").await.json();
    assert_eq!((&verdict["intact"], &verdict["rows"]), (&json!(true), &json!(5)));
    let export = server.get("/api/v1/audit/export").await;
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    assert_eq!(export.body.lines().count(), 5);
    let last: Value = serde_json::from_str(export.body.lines().last().unwrap()).unwrap();
    assert_eq!(last["hash"], verdict["hash"]);

    let text = r#"{"number":6,"action":"x","subject":"y"}"#.into();
    let forged = AuditRow { number: 6, text, hash: AuditHash([7; 32]) };
    let forged = WriteSet { audit: vec![forged], ..WriteSet::default() };
    server.store.commit(server.app.engine.tenant(), forged).await.unwrap();
    let verdict = server.get("/api/v1/audit/verify").await.json();
    assert_eq!((&verdict["intact"], &verdict["broken_row"]), (&json!(false), &json!(6)));
    assert_eq!(verdict["rows"], 5);
}
