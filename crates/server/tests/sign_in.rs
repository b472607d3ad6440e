//! Signing in and out, and everything somebody may try against it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_server::Peer;
use tocsin_server::sign_in::MasterKey;
use totp_rs::{Algorithm, Secret, TOTP};

const PASSWORD: &str = "tiny boats sing";

struct Browser<'s> {
    server: &'s TestServer,
    address: SocketAddr,
    cookie: String,
}

impl<'s> Browser<'s> {
    fn new(server: &'s TestServer) -> Self {
        Self { server, address: "192.0.2.7:1".parse().unwrap(), cookie: String::new() }
    }

    async fn ask(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .extension(Peer(self.address))
            .header("content-type", "application/json")
            .header("host", "tocsin.example")
            .header("sec-fetch-site", "same-origin");
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        let answer = self.server.send(request.body(Body::from(body.to_string())).unwrap()).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            let set = set.to_str().unwrap();
            self.cookie = set.split(';').next().unwrap().to_owned();
        }
        answer
    }

    async fn sign_in(&mut self, name: &str, password: &str, code: Option<&str>) -> Answer {
        let body = json!({ "name": name, "password": password, "code": code });
        self.ask("POST", "/api/v1/session", body).await
    }
}

/// Makes a person with a password, by the link an administrator would send.
async fn with_person(server: &TestServer, handle: &str, role: &str) {
    let body =
        json!({ "handle": handle, "email": format!("{handle}@example.org"), "roles": [role] });
    // Once there is an account, whoever works on the machine is nobody special any more.
    let token = server.token(tocsin_core::identity::Permission::ALL).await;
    let ask = async |method: &str, path: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("x-tocsin-token", &token);
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    assert_eq!(ask("POST", "/api/v1/people", body).await.status, 201);
    let path = format!("/api/v1/people/{handle}/sign-in-link");
    let link = ask("POST", &path, json!(null)).await.json();
    let url = link["url"].as_str().unwrap();
    let (_, secret) = url.split_once("/sign-in/link?token=").unwrap();
    let body = json!({ "token": secret, "password": PASSWORD });
    let mut browser = Browser::new(server);
    assert_eq!(browser.ask("POST", "/api/v1/session/link", body.clone()).await.status, 201);
    let again = Browser::new(server).ask("POST", "/api/v1/session/link", body).await;
    assert_eq!(again.status, 401, "a link works once");
}

#[tokio::test]
async fn somebody_signs_in_is_known_and_signs_out() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "responder").await;
    let mut browser = Browser::new(&server);
    assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.status, 401);
    let answer = browser.sign_in(" ADA@example.org ", PASSWORD, None).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let cookie = answer.header("set-cookie");
    for part in ["__Host-tocsin=", "; Path=/;", "; Secure;", "; HttpOnly;", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.json()["name"], "ada");
    assert_eq!(browser.ask("GET", "/api/v1/alerts", json!(null)).await.status, 200);
    assert_eq!(browser.ask("GET", "/api/v1/audit", json!(null)).await.status, 403);
    let before = browser.cookie.clone();
    assert_eq!(browser.ask("DELETE", "/api/v1/session", json!(null)).await.status, 204);
    browser.cookie = before;
    let replayed = browser.ask("GET", "/api/v1/me", json!(null)).await;
    assert_eq!(replayed.status, 401, "what was signed out opens nothing");
}

#[tokio::test]
async fn whoever_guesses_learns_nothing_and_is_held_up_alone() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let mut guesser = Browser::new(&server);
    guesser.address = "198.51.100.1:1".parse().unwrap();
    let known = guesser.sign_in("ada", "wrong password", None).await;
    let unknown = guesser.sign_in("nobody", "wrong password", None).await;
    assert_eq!(known.pair(), unknown.pair());
    assert_eq!(known.status, 401);
    for _ in 0..4 {
        guesser.sign_in("ada", "wrong password", None).await;
    }
    let held = guesser.sign_in("ada", PASSWORD, None).await;
    assert_eq!(held.status, 429);
    assert!(held.header("retry-after").parse::<u64>().unwrap() > 60);
    let mut owner = Browser::new(&server);
    assert_eq!(owner.sign_in("ada", PASSWORD, None).await.status, 201, "from elsewhere");
    server.clock.advance(15 * 60);
    assert_eq!(guesser.sign_in("ada", PASSWORD, None).await.status, 201, "after a while");
}

#[tokio::test]
async fn a_session_is_never_one_that_somebody_else_chose() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let mut browser = Browser::new(&server);
    browser.cookie = "__Host-tocsin=chosen-by-an-attacker".to_owned();
    browser.sign_in("ada", PASSWORD, None).await;
    assert!(!browser.cookie.contains("chosen"));
    let first = browser.cookie.clone();
    browser.sign_in("ada", PASSWORD, None).await;
    assert_ne!(browser.cookie, first);
    browser.cookie = first;
    let old = browser.ask("GET", "/api/v1/me", json!(null)).await;
    assert_eq!(old.status, 401, "signing in anew ends the session before");
}

#[tokio::test]
async fn sessions_end_after_idle_hours_after_a_month_and_everywhere_at_once() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let mut browser = Browser::new(&server);
    browser.sign_in("ada", PASSWORD, None).await;
    let mut hours = 0;
    // Used twice a day, it lasts until its absolute end.
    while hours < 29 * 24 {
        server.clock.advance(12 * 3600);
        hours += 12;
        assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.status, 200, "{hours}");
        server.app.known.flush(&server.app.engine).await;
    }
    server.clock.advance(25 * 3600);
    assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.status, 401);
    browser.sign_in("ada", PASSWORD, None).await;
    server.clock.advance(25 * 3600);
    assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.status, 401, "left alone");

    let mut other = Browser::new(&server);
    other.sign_in("ada", PASSWORD, None).await;
    browser.sign_in("ada", PASSWORD, None).await;
    let sessions = browser.ask("GET", "/api/v1/sessions", json!(null)).await.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2);
    assert_eq!(browser.ask("DELETE", "/api/v1/sessions", json!(null)).await.status, 204);
    assert_eq!(other.ask("GET", "/api/v1/me", json!(null)).await.status, 401);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_cookie_or_sign_anybody_in() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "admin").await;
    let mut browser = Browser::new(&server);
    browser.sign_in("ada", PASSWORD, None).await;
    let send = async |path: &str, kind: &str, body: String, headers: &[(&str, &str)]| {
        let mut request = Request::post(path)
            .extension(Peer("192.0.2.7:1".parse().unwrap()))
            .header("host", "tocsin.example")
            .header("cookie", &browser.cookie)
            .header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        server.send(request.body(Body::from(body)).unwrap()).await.status
    };
    let evil = [("origin", "https://evil.example")];
    let json = "application/json";
    assert_eq!(send("/-/reload", json, String::new(), &evil).await, 403);
    assert_eq!(
        send("/-/reload", json, String::new(), &[("sec-fetch-site", "same-site")]).await,
        403
    );
    let own = [("origin", "https://tocsin.example")];
    assert_eq!(send("/-/reload", json, String::new(), &own).await, 200);
    let form = format!("name=ada&password={}", PASSWORD.replace(' ', "+"));
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(send("/sign-in", kind, form.clone(), &evil).await, 403);
    assert_eq!(send("/sign-in", kind, form, &own).await, 303);
}

#[tokio::test]
async fn a_second_factor_is_set_up_asked_for_and_removed() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let mut browser = Browser::new(&server);
    browser.sign_in("ada", PASSWORD, None).await;
    let begun = browser.ask("POST", "/api/v1/account/second-factor", json!(null)).await.json();
    let secret = Secret::Encoded(begun["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
    let app = TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, "ada".to_owned()).unwrap();
    let code = |server: &TestServer| {
        app.generate(u64::try_from(server.app.engine.now().as_second()).unwrap())
    };
    let confirm = "/api/v1/account/second-factor/confirm";
    assert_eq!(browser.ask("POST", confirm, json!({ "code": "000000" })).await.status, 422);
    let body = json!({ "code": code(&server) });
    let confirmed = browser.ask("POST", confirm, body).await.json();
    let recovery = confirmed["recovery_codes"][0].as_str().unwrap().to_owned();
    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);

    let mut other = Browser::new(&server);
    let wanted = other.sign_in("ada", PASSWORD, None).await;
    assert_eq!(wanted.status, 401);
    assert!(wanted.body.contains("second_factor_required"));
    let used = code(&server);
    assert_eq!(other.sign_in("ada", PASSWORD, Some(&used)).await.status, 401, "used already");
    server.clock.advance(30);
    let next = code(&server);
    assert_eq!(other.sign_in("ada", PASSWORD, Some(&next)).await.status, 201);
    assert_eq!(other.sign_in("ada", PASSWORD, Some(&recovery)).await.status, 201);
    assert_eq!(other.sign_in("ada", PASSWORD, Some(&recovery)).await.status, 401, "used already");
    server.clock.advance(30);
    let body = json!({ "code": code(&server) });
    let removed = browser.ask("DELETE", "/api/v1/account/second-factor", body).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    assert_eq!(other.sign_in("ada", PASSWORD, None).await.status, 201);
    // Neither secret nor codes are anywhere they could be read again.
    let token = server.token(tocsin_core::identity::Permission::ALL).await;
    let request = Request::get("/api/v1/audit/export").header("x-tocsin-token", token);
    let log = server.send(request.body(Body::empty()).unwrap()).await.body;
    for secret in [begun["secret"].as_str().unwrap(), &recovery, PASSWORD] {
        assert!(!log.contains(secret), "{secret} is in the audit log");
    }
}

#[tokio::test]
async fn a_new_master_key_seals_everything_anew_and_codes_go_on() {
    let keys = |letters: &[&str]| {
        let lines: Vec<_> = letters.iter().map(|it| format!("{}=", it.repeat(43))).collect();
        MasterKey::parse(&lines.join("\n"), "test").unwrap()
    };
    let server = TestServer::start().await;
    server.app.sign_ins.replace_key(keys(&["A"]));
    with_person(&server, "ada", "viewer").await;
    let mut browser = Browser::new(&server);
    browser.sign_in("ada", PASSWORD, None).await;
    let begun = browser.ask("POST", "/api/v1/account/second-factor", json!(null)).await.json();
    let sealed = |server: &TestServer| {
        let directory = server.app.engine.directory();
        let known = directory.all_credentials().next().unwrap();
        known.totp.as_ref().unwrap().sealed.clone()
    };
    let before = sealed(&server);
    assert!(!before.contains(begun["secret"].as_str().unwrap()));
    server.app.sign_ins.replace_key(keys(&["E", "A"]));
    assert_eq!(tocsin_server::sign_in::reseal(&server.app).await, Ok(1));
    assert_eq!(tocsin_server::sign_in::reseal(&server.app).await, Ok(0));
    assert_ne!(sealed(&server), before);
    // The old key is gone, and what it sealed opens all the same.
    server.app.sign_ins.replace_key(keys(&["E"]));
    assert_eq!(tocsin_server::sign_in::reseal(&server.app).await, Ok(0));
    let secret = Secret::Encoded(begun["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
    let app = TOTP::new(Algorithm::SHA1, 6, 1, 30, secret, None, "ada".to_owned()).unwrap();
    let code = app.generate(u64::try_from(server.app.engine.now().as_second()).unwrap());
    let cookie = browser.cookie.clone();
    let mut browser = Browser { cookie, ..Browser::new(&server) };
    let confirm = "/api/v1/account/second-factor/confirm";
    let confirmed = browser.ask("POST", confirm, json!({ "code": code })).await;
    assert_eq!(confirmed.status, 200, "{confirmed:?}");
    // Without any key that fits, nothing is thrown away.
    server.app.sign_ins.replace_key(keys(&["I"]));
    assert!(tocsin_server::sign_in::reseal(&server.app).await.is_err());
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_every_other_session_ends() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let (mut browser, mut other) = (Browser::new(&server), Browser::new(&server));
    browser.sign_in("ada", PASSWORD, None).await;
    other.sign_in("ada", PASSWORD, None).await;
    let mut change = async |current: &str, new: &str| {
        let body = json!({ "current": current, "new": new });
        browser.ask("POST", "/api/v1/account/password", body).await.status
    };
    assert_eq!(change("wrong", "larger boats hum").await, 422);
    assert_eq!(change(PASSWORD, "short").await, 422);
    assert_eq!(change(PASSWORD, "password1234").await, 422);
    assert_eq!(change(PASSWORD, "larger boats hum").await, 204);
    assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.status, 200);
    assert_eq!(other.ask("GET", "/api/v1/me", json!(null)).await.status, 401);
    assert_eq!(other.sign_in("ada", PASSWORD, None).await.status, 401);
    assert_eq!(other.sign_in("ada", "larger boats hum", None).await.status, 201);
}

#[tokio::test]
async fn the_pages_work_without_script_and_say_what_is_wrong() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let page = server.get("/sign-in").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let send = async |path: &str, form: &str| {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        server.send(request.body(Body::from(form.to_owned())).unwrap()).await
    };
    let wrong = send("/sign-in", "name=%22%3E%3Cscript%3E&password=x").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("do not go together") && !wrong.body.contains("<script>"));
    let right = send("/sign-in", "name=ada&password=tiny+boats+sing").await;
    assert_eq!((right.status, right.header("location")), (303, "/"));
    let link = send("/sign-in/link", "token=none&password=tiny+boats+sing").await;
    assert_eq!(link.status, 401);
    assert!(link.body.contains("ask for another one"), "{link:?}");
}

#[tokio::test]
async fn oversized_and_broken_things_are_refused_and_break_nothing() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "viewer").await;
    let mut browser = Browser::new(&server);
    let huge = "x".repeat(1 << 20);
    assert_eq!(browser.sign_in("ada", &huge, None).await.status, 401);
    assert_eq!(browser.sign_in(&huge, PASSWORD, None).await.status, 401);
    browser.cookie = format!("__Host-tocsin={}", "x".repeat(10_000));
    assert_eq!(browser.ask("GET", "/api/v1/me", json!(null)).await.status, 401);
    for path in [
        "/api/v1/people/..%2f..%2fetc%2fpasswd",
        "/api/v1/people/%00",
        "/api/v1/people/ada%0d%0aset-cookie:%20x=y",
        "/api/v1/people/../../etc/passwd",
    ] {
        let token = server.token(tocsin_core::identity::Permission::ALL).await;
        let request = Request::get(path).header("x-tocsin-token", token);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    for authorization in ["Basic !!!", "Bearer", "Bearer tocsin_", "Basic", "Nonsense a b c"] {
        let request = Request::get("/api/v1/me")
            .extension(Peer("192.0.2.7:1".parse().unwrap()))
            .header("authorization", authorization);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{authorization}");
    }
}

#[tokio::test]
async fn a_browser_is_subscribed_by_a_page_that_runs_only_its_own_script() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "responder").await;
    let mut browser = Browser::new(&server);
    assert_eq!(browser.ask("GET", "/push", json!(null)).await.status, 401);
    assert_eq!(browser.sign_in("ada", PASSWORD, None).await.status, 201);
    let page = browser.ask("GET", "/push", json!(null)).await;
    let key = server.app.push_key.public();
    assert!(page.body.contains(&format!("data-key=\"{key}\" data-person=\"ada\"")), "{page:?}");
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self';", "connect-src 'self'"] {
        assert!(policy.contains(part) && !policy.contains("unsafe"), "{policy}");
    }
    assert!(page.body.contains("src=\"/push/push.js\""), "{page:?}");
    for path in ["/push/push.js", "/push/worker.js"] {
        let script = browser.ask("GET", path, json!(null)).await;
        assert_eq!(
            (script.status, script.header("content-type")),
            (200, "text/javascript; charset=utf-8")
        );
    }
    // What the script sends.
    let address = json!({
        "endpoint": "https://push.example/x",
        "keys": { "p256dh": "BAAA", "auth": "AAAA" },
    });
    let draft = json!({ "channel": "web_push", "address": address.to_string() });
    let path = "/api/v1/people/ada/contacts/browser-0a1b2c3d";
    let set = browser.ask("PUT", path, draft).await;
    assert_eq!((set.status, &set.json()["methods"][0]["id"]), (200, &json!("browser-0a1b2c3d")));
    let test = browser.ask("POST", &format!("{path}/test"), json!(null)).await;
    assert_eq!(test.status, 204, "it needs no code: {test:?}");
    assert_eq!(browser.ask("DELETE", path, json!(null)).await.status, 204);
}

#[tokio::test]
async fn a_browser_that_is_not_signed_in_is_led_to_the_form() {
    let server = TestServer::start().await;
    with_person(&server, "ada", "responder").await;
    for path in ["/", "/push"] {
        let request = Request::get(path)
            .header("accept", "text/html")
            .extension(Peer("192.0.2.7:1".parse().unwrap()));
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{path}");
    }
}
