//! Signing in at an identity provider: a real one, on a loopback port.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use support::issuer::{CLIENT, Fault, Issuer, SECRET};
use support::{Answer, TestServer};
use tocsin_config::{LoadOptions, load_str};
use tocsin_server::Peer;
use tocsin_server::sign_in::SignInProvider;

/// A server, its provider, and a browser with what it keeps.
struct World {
    server: TestServer,
    issuer: Issuer,
    cookies: std::collections::BTreeMap<String, String>,
}

impl World {
    async fn new(more: &str) -> Self {
        tocsin_connect::install_crypto();
        let server = TestServer::start().await;
        let issuer = Issuer::start(server.app.engine.now().as_second()).await;
        let text = format!(
            "route: {{ receiver: a }}\nreceivers: [{{ name: a }}]\naccess:\n  oidc:\n    \
             issuer: {}\n    client_id: {CLIENT}\n    client_secret: '{SECRET}'\n    \
             roles: {{ sre: [responder], leads: ['manager@team:db'] }}\n{more}",
            issuer.base()
        );
        let loaded = load_str("test.yml", &text, &LoadOptions::default());
        let rules = loaded.unwrap().config.access.oidc.unwrap();
        let provider = SignInProvider::new(&rules, "http://localhost:9093").unwrap();
        let next = server.next_load.lock().clone().unwrap().with_provider(Some(provider));
        *server.next_load.lock() = Ok(next);
        let by = tocsin_core::identity::Actor::OPERATOR;
        server.app.reloader.reload(&server.app.engine, by).await.unwrap();
        issuer.user(&json!({
            "sub": "u1", "preferred_username": "Ada.L", "name": "Ada Lovelace",
            "email": "ada@example.org", "email_verified": true, "groups": ["sre", "other"]
        }));
        Self { server, issuer, cookies: Default::default() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = Request::get(path)
            .extension(Peer("192.0.2.7:1".parse().unwrap()))
            .header("host", "localhost:9093")
            .header("cookie", cookies.join("; "));
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Begins a sign-in and lets the user agree; returns where the browser is sent back to.
    async fn agree(&mut self) -> String {
        let answer = self.get("/sign-in/provider").await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let to = answer.header("location");
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let answer = client.build().unwrap().get(to).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        back.strip_prefix("http://localhost:9093").unwrap().to_owned()
    }

    async fn sign_in(&mut self) -> Answer {
        let back = self.agree().await;
        self.get(&back).await
    }

    async fn me(&mut self) -> serde_json::Value {
        self.get("/api/v1/me").await.json()
    }
}

#[tokio::test]
async fn somebody_new_becomes_a_person_with_the_roles_of_their_groups() {
    let mut world = World::new("").await;
    assert!(world.get("/sign-in").await.body.contains("Sign in with single sign-on"));
    let answer = world.sign_in().await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    assert_eq!(world.me().await["name"], "ada.l");
    let person = world.server.app.engine.directory().person("ada.l").unwrap().clone();
    assert_eq!((&*person.name, &*person.email), ("Ada Lovelace", "ada@example.org"));
    assert_eq!(world.get("/api/v1/alerts").await.status, 200);
    assert_eq!(world.get("/api/v1/audit").await.status, 403);
    // Another group there, another role here.
    world
        .issuer
        .user(&json!({ "sub": "u1", "preferred_username": "renamed", "groups": ["leads"] }));
    assert_eq!(world.sign_in().await.status, 303);
    let roles = world.server.app.engine.directory().person("ada.l").unwrap().grants.len();
    assert_eq!((world.me().await["name"].as_str(), roles), (Some("ada.l"), 1));
    assert_eq!(world.get("/api/v1/events").await.status, 403);
}

#[tokio::test]
async fn whoever_has_no_role_is_refused_and_made_nobody() {
    let mut world = World::new("").await;
    world.issuer.user(&json!({ "sub": "u2", "preferred_username": "eve", "groups": ["other"] }));
    let answer = world.sign_in().await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("no role here"), "{answer:?}");
    assert!(world.server.app.engine.directory().person("eve").is_none());
}

#[tokio::test]
async fn a_token_that_proves_nothing_signs_nobody_in() {
    let mut world = World::new("").await;
    for fault in [
        Fault::OtherIssuer,
        Fault::OtherAudience,
        Fault::SharedAudience,
        Fault::OtherNonce,
        Fault::Ended,
        Fault::Future,
        Fault::Unsigned,
        Fault::SharedSecret,
        Fault::OtherKey,
        Fault::NoSubject,
        Fault::NoToken,
    ] {
        world.issuer.fail(fault);
        let answer = world.sign_in().await;
        assert_eq!(answer.status, 403, "{fault:?}: {answer:?}");
        assert!(answer.body.contains("cannot be trusted"), "{fault:?}: {answer:?}");
        assert!(!world.cookies.contains_key("__Host-tocsin"), "{fault:?}");
    }
    world.issuer.fail(Fault::Broken);
    assert_eq!(world.sign_in().await.status, 503);
    world.issuer.fail(Fault::Huge);
    assert_eq!(world.sign_in().await.status, 502);
    world.issuer.fail(Fault::None);
    assert_eq!(world.sign_in().await.status, 303);
}

#[tokio::test]
async fn only_the_browser_that_began_ends_a_sign_in_and_only_once() {
    let mut world = World::new("").await;
    let back = world.agree().await;
    let begun = world.cookies.clone();
    // Somebody else's browser is handed the address: it did not begin this.
    world.cookies.clear();
    assert_eq!(world.get(&back).await.status, 400);
    // Another sign-in of the same browser.
    world.get("/sign-in/provider").await;
    assert_eq!(world.get(&back).await.status, 400);
    // An answer that names another provider.
    world.cookies = begun.clone();
    let mixed = back.replace("&iss=", "&iss=https%3A%2F%2Fevil.example");
    assert_eq!(world.get(&mixed).await.status, 403);
    world.cookies = begun.clone();
    assert_eq!(world.get(&back).await.status, 303);
    // The code was used.
    world.cookies = begun.clone();
    assert_eq!(world.get(&back).await.status, 403);
    // Too late.
    let back = world.agree().await;
    world.server.clock.advance(16 * 60);
    assert_eq!(world.get(&back).await.status, 400);
    let denied = world.agree().await;
    let state = denied.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let path = format!("/sign-in/provider/callback?error=access_denied&state={state}");
    let answer = world.get(&path).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("access_denied"));
}

#[tokio::test]
async fn a_known_person_is_linked_by_a_verified_address_only_where_that_is_wanted() {
    for (wanted, verified, name) in
        [(true, true, "ada"), (true, false, "ada.l"), (false, true, "ada.l")]
    {
        let more = if wanted { "    link_by_email: true\n" } else { "" };
        let mut world = World::new(more).await;
        let body = json!({ "handle": "ada", "email": "ada@example.org", "roles": ["viewer"] });
        let request = Request::post("/api/v1/people").header("content-type", "application/json");
        let made = world.server.send(request.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(made.status, 201);
        world.issuer.user(&json!({
            "sub": "u1", "preferred_username": "ada.l", "groups": ["sre"],
            "email": "ada@example.org", "email_verified": verified
        }));
        assert_eq!(world.sign_in().await.status, 303);
        assert_eq!(world.me().await["name"], name, "{wanted} {verified}");
    }
}

#[tokio::test]
async fn a_provider_that_changes_its_keys_is_asked_for_the_new_ones() {
    let mut world = World::new("").await;
    assert_eq!(world.sign_in().await.status, 303);
    world.issuer.rotate("k2");
    assert_eq!(world.sign_in().await.status, 303);
    // Not at every turn: names of keys could be made up.
    world.issuer.rotate("k3");
    assert_eq!(world.sign_in().await.status, 403);
}

#[test]
fn a_provider_must_be_reached_by_https_unless_it_is_on_this_machine() {
    tocsin_connect::install_crypto();
    let provider = |issuer: &str| {
        let text = format!(
            "route: {{ receiver: a }}\nreceivers: [{{ name: a }}]\n\
             access: {{ oidc: {{ issuer: '{issuer}', client_id: x }} }}\n"
        );
        let loaded = load_str("test.yml", &text, &LoadOptions::default()).unwrap();
        SignInProvider::new(&loaded.config.access.oidc.unwrap(), "http://x").map(drop)
    };
    assert_eq!(provider("https://id.example.org"), Ok(()));
    assert_eq!(provider("http://127.0.0.1:1"), Ok(()));
    let why = provider("http://id.example.org").unwrap_err();
    assert!(why.contains("must be https"), "{why}");
    assert!(provider("file:///etc/passwd").is_err());
}
