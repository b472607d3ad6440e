//! Who is let in, and to what.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use serde_json::json;
use support::TestServer;
use tocsin_config::{Access, Allow, Loopback};
use tocsin_core::identity::{
    Grant, Handle, IdentityChange, Permission, Permissions, Person, PersonOrigin, Role, Scope,
    TokenOwner,
};
use tocsin_server::Peer;
use tocsin_server::access::{Need, ROUTES};
use tower::ServiceExt as _;

/// An address from which nobody is let in without credentials.
const ELSEWHERE: &str = "192.0.2.7:4000";

fn from(address: &str, method: &str, path: &str) -> Builder {
    let peer: SocketAddr = address.parse().unwrap();
    Request::builder().method(method).uri(path).extension(Peer(peer))
}

impl TestServer {
    /// Returns the status of an answer without waiting for its end.
    async fn status(&self, request: Builder) -> u16 {
        let request = request.header("content-type", "application/json").body(Body::from("{}"));
        self.router.clone().oneshot(request.unwrap()).await.unwrap().status().as_u16()
    }

    async fn reload_access(&self, access: Access) {
        let loaded = self.next_load.lock().clone().unwrap().with_access(access);
        *self.next_load.lock() = Ok(loaded);
        let by = tocsin_core::identity::Actor::OPERATOR;
        self.app.reloader.reload(&self.app.engine, by).await.unwrap();
    }

    async fn audited(&self) -> Vec<serde_json::Value> {
        let (store, tenant) = (self.app.engine.store(), self.app.engine.tenant());
        let rows =
            store.audit(tenant, tocsin_store::AuditQuery { limit: 100, ..Default::default() });
        let rows = rows.await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row.text).unwrap()).collect()
    }
}

fn filled(path: &str) -> String {
    path.replace("{fingerprint}", "0123456789abcdef")
        .replace("{number}", "1")
        .replace("{id}", "6f1c1c9e-5b0f-4a43-9d7c-000000000000")
        .replace("{name}", "hook")
        .replace("{handle}", "ada")
        .replace("{key}", "some-key")
        .replace("{identifier}", "x")
        .replace("{verb}", "notes")
        .replace("{request}", "6f1c1c9e-5b0f-4a43-9d7c-000000000000")
}

#[tokio::test]
async fn every_route_lets_in_exactly_the_roles_that_have_its_permission() {
    let server = TestServer::start().await;
    let mut tokens = Vec::new();
    for role in Role::ALL {
        let permissions: Vec<_> = role.permissions().iter().collect();
        tokens.push((role, server.token(&permissions).await));
    }
    for (method, path, need) in ROUTES {
        let at = filled(path);
        let stranger = server.status(from(ELSEWHERE, method, &at)).await;
        let is_public = matches!(need, Need::Public | Need::OwnKey);
        if !is_public {
            assert_eq!(stranger, 401, "{method} {path} for a stranger");
        }
        for (role, token) in &tokens {
            let request = from(ELSEWHERE, method, &at).header("x-tocsin-token", token);
            let status = server.status(request).await;
            let may = match need {
                Need::Public | Need::OwnKey | Need::Signed => true,
                Need::MayAsPerson => false,
                Need::May(permission) | Need::MaySomewhere(permission) => {
                    role.permissions().contains(*permission)
                }
            };
            let what = format!("{method} {path} for {} gave {status}", role.as_str());
            assert_eq!(status == 403, !may, "{what}");
            assert!(status < 500 || status == 501, "{what}");
            assert!(status != 401 || is_public, "{what}");
        }
    }
}

#[tokio::test]
async fn every_operation_of_the_document_says_what_it_needs() {
    let document = serde_json::to_value(tocsin_server::v1::openapi()).unwrap();
    let listed: BTreeSet<_> = ROUTES.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(listed.len(), ROUTES.len(), "no route is listed twice");
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            assert!(listed.contains(&(&*method, path)), "{method} {path} is not in the table");
            documented.insert((method, path.clone()));
        }
    }
    for (method, path) in listed.iter().filter(|(_, path)| path.starts_with("/api/v1/")) {
        let operation = ((*method).to_owned(), (*path).to_owned());
        assert!(documented.contains(&operation), "{method} {path} is in the table only");
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_is_an_administrators() {
    let server = TestServer::start().await;
    let manager: Vec<_> = Role::Manager.permissions().iter().collect();
    let token = server.token(&manager).await;
    let request = from(ELSEWHERE, "PATCH", "/api/v1/alerts").header("x-tocsin-token", token);
    assert_eq!(server.status(request).await, 403);
    assert_eq!(server.status(from(ELSEWHERE, "GET", "/nowhere")).await, 404);
}

#[tokio::test]
async fn a_token_is_taken_in_each_way_clients_send_one_and_not_after_it_was_revoked() {
    use base64::Engine as _;
    let server = TestServer::start().await;
    let token = server.token(&[Permission::AlertRead]).await;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("any:{token}"));
    let ways = [
        ("authorization", format!("Bearer {token}")),
        ("authorization", format!("Basic {basic}")),
        ("x-tocsin-token", token.clone()),
    ];
    let ask = async |way: &(&str, String)| {
        server.status(from(ELSEWHERE, "GET", "/api/v2/alerts").header(way.0, &way.1)).await
    };
    for way in &ways {
        assert_eq!(ask(way).await, 200, "{way:?}");
    }
    let directory = server.app.engine.directory();
    let id = directory.tokens().next().unwrap().id;
    server.identity(IdentityChange::RevokeToken(id)).await;
    for way in &ways {
        assert_eq!(ask(way).await, 401, "{way:?}");
    }
    // Wrong ones are refused even where nothing is needed.
    let local = from("127.0.0.1:1", "GET", "/api/v2/alerts").header("x-tocsin-token", "tocsin_x");
    assert_eq!(server.status(local).await, 401);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let server = TestServer::start().await;
    let token = server.token(&[Permission::EventRead]).await;
    let request = from(ELSEWHERE, "GET", "/api/v1/stream").header("x-tocsin-token", token);
    let request = request.body(Body::empty()).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let id = server.app.engine.directory().tokens().next().unwrap().id;
    server.identity(IdentityChange::RevokeToken(id)).await;
    server.fire(&[&[("alertname", "Secret")]]).await;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(!body.contains("alert_fired"), "{body}");
}

#[tokio::test]
async fn a_token_ends_and_may_be_bound_to_addresses() {
    let server = TestServer::start().await;
    let token = server.token(&[Permission::AlertRead]).await;
    let ask = async |address: &str| {
        let request = from(address, "GET", "/api/v1/alerts").header("x-tocsin-token", &token);
        server.status(request).await
    };
    let directory = server.app.engine.directory();
    let mut known = directory.tokens().next().unwrap().as_ref().clone();
    server.identity(IdentityChange::RevokeToken(known.id)).await;
    known.allowed_from = vec!["192.0.2.0/24".parse().unwrap()];
    known.expires_at = Some("2026-11-20T12:01:00Z".parse().unwrap());
    server.identity(IdentityChange::AddToken(Box::new(known))).await;
    assert_eq!(ask(ELSEWHERE).await, 200);
    assert_eq!(ask("[::ffff:192.0.2.9]:1").await, 200);
    assert_eq!(ask("198.51.100.1:1").await, 401);
    server.clock.advance(60);
    assert_eq!(ask(ELSEWHERE).await, 401);
}

#[tokio::test]
async fn whoever_works_on_the_machine_needs_nothing_until_there_are_accounts() {
    let server = TestServer::start().await;
    let ask = async |method: &str, path: &str| {
        server.status(from("127.0.0.1:9", method, path).header("host", "localhost:9093")).await
    };
    assert_eq!(ask("GET", "/api/v1/alerts").await, 200);
    assert_eq!(ask("POST", "/-/reload").await, 200);
    server.identity(IdentityChange::AddPerson(Box::new(person("ada")))).await;
    let (person, hash) = (Handle::parse("ada").unwrap(), "phc".into());
    server.identity(IdentityChange::SetPassword { person, hash, keep: None }).await;
    assert_eq!(ask("GET", "/api/v1/alerts").await, 403);
    assert_eq!(ask("POST", "/-/reload").await, 403);
    assert_eq!(ask("GET", "/metrics").await, 200);
    assert_eq!(ask("GET", "/-/ready").await, 200);
    assert_ne!(ask("POST", "/api/v2/alerts").await, 403);
    let closed = Access { loopback: Loopback::Closed, ..Access::default() };
    server.reload_access(closed).await;
    assert_eq!(ask("POST", "/api/v2/alerts").await, 401);
    assert_eq!(ask("GET", "/-/ready").await, 200);
}

#[tokio::test]
async fn a_proxy_a_foreign_name_or_a_foreign_page_is_not_whoever_works_on_the_machine() {
    let server = TestServer::start().await;
    let ask = async |method: &str, headers: &[(&str, &str)]| {
        let mut request = from("127.0.0.1:9", method, "/api/v2/silences");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        server.status(request).await
    };
    assert_eq!(ask("GET", &[("host", "127.0.0.1:9093")]).await, 200);
    assert_eq!(ask("GET", &[("host", "[::1]:9093")]).await, 200);
    assert_eq!(ask("GET", &[("host", "evil.example")]).await, 401);
    assert_eq!(ask("GET", &[("host", "localhost"), ("x-forwarded-for", "1.2.3.4")]).await, 401);
    let evil = [("host", "localhost"), ("origin", "https://evil.example")];
    assert_eq!(ask("POST", &evil).await, 403);
    let site = [("host", "localhost"), ("sec-fetch-site", "cross-site")];
    assert_eq!(ask("POST", &site).await, 403);
    let own = [("host", "localhost:9093"), ("origin", "http://localhost:9093")];
    assert_ne!(ask("POST", &own).await, 403);
}

#[tokio::test]
async fn addresses_of_the_configuration_need_no_credentials_for_what_it_says() {
    let server = TestServer::start().await;
    let permissions: Permissions = [Permission::AlertIngest].into_iter().collect();
    let rule = Allow {
        name: "prometheus".to_owned(),
        from: vec!["192.0.2.0/24".parse().unwrap()],
        permissions,
    };
    server.reload_access(Access { allow: vec![rule], ..Access::default() }).await;
    assert_ne!(server.status(from(ELSEWHERE, "POST", "/api/v2/alerts")).await, 401);
    assert_eq!(server.status(from(ELSEWHERE, "GET", "/api/v2/alerts")).await, 403);
    let outside = from("198.51.100.1:1", "POST", "/api/v2/alerts");
    assert_eq!(server.status(outside).await, 401);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_audit_log_and_networks_see_the_client() {
    let server = TestServer::start().await;
    let permissions: Permissions = [Permission::AlertRead].into_iter().collect();
    let from_net = vec!["203.0.113.0/24".parse().unwrap()];
    let rule = Allow { name: "office".to_owned(), from: from_net, permissions };
    let ask = async |forwarded: &str| {
        let request = from(ELSEWHERE, "GET", "/api/v1/alerts");
        server.status(request.header("x-forwarded-for", forwarded)).await
    };
    server.reload_access(Access { allow: vec![rule.clone()], ..Access::default() }).await;
    assert_eq!(ask("203.0.113.9").await, 401, "anybody can claim that");
    let proxies = vec!["192.0.2.7/32".parse().unwrap()];
    server.reload_access(Access { allow: vec![rule], proxies, ..Access::default() }).await;
    assert_eq!(ask("203.0.113.9").await, 200);
    assert_eq!(ask("127.0.0.1").await, 401, "nobody behind a proxy is on the machine");
    assert_eq!(ask("203.0.113.9, 198.51.100.1").await, 401);
}

#[tokio::test]
async fn a_role_for_a_team_shows_and_changes_only_what_is_the_teams() {
    let server = TestServer::start().await;
    server
        .fire(&[&[("alertname", "A"), ("team", "db")], &[("alertname", "B"), ("team", "web")]])
        .await;
    let responder: Vec<_> = Role::Responder.permissions().iter().collect();
    let owner = TokenOwner::Service("bot".to_owned());
    let token = server.token_of(owner, &responder, vec![Scope::Team("db".into())]).await;
    let ask = async |method: &str, path: &str, body: serde_json::Value| {
        let request = from(ELSEWHERE, method, path)
            .header("x-tocsin-token", &token)
            .header("content-type", "application/json");
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let all = server.get("/api/v1/alerts").await.json();
    let of = |name: &str| {
        let items = all["items"].as_array().unwrap();
        let found = items.iter().find(|it| it["labels"]["alertname"] == name).unwrap();
        found["fingerprint"].as_str().unwrap().to_owned()
    };
    let listed = ask("GET", "/api/v1/alerts", json!(null)).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let listed = ask("GET", "/api/v2/alerts", json!(null)).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let seen = async |name: &str| {
        ask("GET", &format!("/api/v1/alerts/{}", of(name)), json!(null)).await.status
    };
    assert_eq!((seen("A").await, seen("B").await), (200, 404));
    let acknowledge = async |name: &str| {
        let path = format!("/api/v1/alerts/{}/acknowledge", of(name));
        ask("POST", &path, json!({ "by": "bot" })).await.status
    };
    assert_eq!((acknowledge("A").await, acknowledge("B").await), (200, 404));
    let matchers = json!({ "by": "bot", "matchers": [] });
    let answer = ask("POST", "/api/v1/alerts/acknowledge", matchers).await;
    assert!(!answer.body.contains(&of("B")), "{answer:?}");
    let silence = |matcher: serde_json::Value| {
        json!({
            "matchers": [matcher], "duration_seconds": 3600,
            "created_by": "bot", "comment": "test"
        })
    };
    let team = |name: &str| json!({ "name": "team", "value": name, "op": "=" });
    let status = async |matcher| ask("POST", "/api/v1/silences", silence(matcher)).await.status;
    assert_eq!(status(team("web")).await, 403);
    assert_eq!(status(json!({ "name": "alertname", "value": "A", "op": "=" })).await, 403);
    assert_eq!(status(team("db")).await, 201);
    let whole = ask("GET", "/api/v1/events", json!(null)).await;
    assert_eq!(whole.status, 403);
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_with_who_made_it() {
    let server = TestServer::start().await;
    let token = server.token(&[Permission::SilenceWrite, Permission::SilenceRead]).await;
    let body = json!({
        "matchers": [{ "name": "a", "value": "b", "op": "=" }], "duration_seconds": 60,
        "created_by": "somebody else", "comment": "quiet"
    });
    let request = from(ELSEWHERE, "POST", "/api/v1/silences")
        .header("x-tocsin-token", &token)
        .header("content-type", "application/json");
    let answer = server.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let rows = server.audited().await;
    let [silence, made] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(silence["who"], json!({ "kind": "service", "name": "test" }));
    assert_eq!(silence["credential"]["kind"], "token");
    assert_eq!(silence["address"], "192.0.2.7");
    assert_eq!(silence["action"], "silence.set");
    assert_eq!(silence["after"]["comment"], "quiet");
    assert_eq!(made["action"], "token.create");
    assert!(!rows.iter().any(|row| row.to_string().contains(&token)));
    // What changes nothing leaves no trace of a change.
    server.ask("DELETE", "/api/v1/silences/6f1c1c9e-5b0f-4a43-9d7c-000000000000").await;
    assert_eq!(server.audited().await.len(), 2);
}

#[tokio::test]
async fn a_key_that_was_made_through_the_api_opens_every_protocol_for_its_integration() {
    let server = TestServer::start().await;
    let owner = TokenOwner::Integration("grafana-eu".to_owned());
    let key = server.token_of(owner, &[Permission::AlertIngest], Vec::new()).await;
    let send = async |path: &str, header: (&str, String), body: serde_json::Value| {
        let request = from(ELSEWHERE, "POST", path)
            .header(header.0, header.1)
            .header("content-type", "application/json");
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let none = || ("x-none", String::new());
    let event = |key: &str| {
        json!({
            "routing_key": key, "event_action": "trigger", "dedup_key": "k",
            "payload": { "summary": "s", "source": "h", "severity": "error" }
        })
    };
    assert_eq!(send("/v2/enqueue", none(), event(&key)).await.status, 202);
    assert_eq!(send("/v2/enqueue", none(), event("anything")).await.status, 400);
    let opsgenie = ("authorization", format!("GenieKey {key}"));
    assert_eq!(send("/v2/alerts", opsgenie, json!({ "message": "m" })).await.status, 202);
    let wrong = ("authorization", "GenieKey 123".to_owned());
    assert_eq!(send("/v2/alerts", wrong, json!({ "message": "m" })).await.status, 401);
    let hook = send(&format!("/api/v1/hooks/{key}"), none(), json!({ "summary": "s" })).await;
    assert_eq!(hook.status, 200, "{hook:?}");
    assert_eq!(hook.json()["integration"], "grafana-eu");
    let alerts = server.get("/api/v1/alerts").await.json();
    for alert in alerts["items"].as_array().unwrap() {
        assert_eq!(alert["labels"]["integration"], "grafana-eu");
    }
    assert_eq!(alerts["items"].as_array().unwrap().len(), 3);
}

fn person(handle: &str) -> Person {
    Person {
        handle: Handle::parse(handle).unwrap(),
        name: handle.to_owned(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        locale: "en".to_owned(),
        contact_methods: Vec::new(),
        expertise: Vec::new(),
        manager: None,
        grants: vec![Grant { role: Role::Admin, scope: Scope::Tenant }],
        is_active: true,
        origin: PersonOrigin::Api,
    }
}
