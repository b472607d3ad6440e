//! What somebody may try against the HTTP side. Signing in and roles have files of their own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::{Answer, TestServer};
use tocsin_core::identity::Permission;
use tocsin_server::Peer;
use tocsin_server::access::ROUTES;

/// Sends something with every permission, so that it gets as far as it can.
async fn send(server: &TestServer, token: &str, method: &str, path: &str, body: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .extension(Peer("192.0.2.7:1".parse().unwrap()))
        .header("content-type", "application/json")
        .header("x-tocsin-token", token);
    server.send(request.body(Body::from(body)).unwrap()).await
}

/// What may stand in the place of a name in a path.
const NAMES: [&str; 14] = [
    "..",
    "%2e%2e",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "..%5c..%5cwindows",
    "%00",
    "x%00.json",
    "%0d%0ax-injected:%20yes",
    "%c0%ae%c0%ae",
    "%ff",
    "'%20OR%201=1--",
    "%3Cscript%3E",
    "-1",
    "99999999999999999999999999",
];

#[tokio::test]
async fn no_name_in_a_path_leads_out_of_it_or_into_a_header() {
    let server = TestServer::start().await;
    let token = server.token(Permission::ALL).await;
    let mut asked = 0;
    for (method, route, _) in ROUTES.iter().filter(|(_, route, _)| route.contains('{')) {
        for name in NAMES.iter().copied().chain([&*"x".repeat(8_000)]) {
            let mut path = (*route).to_owned();
            while let Some((start, end)) = path.find('{').zip(path.find('}')) {
                path.replace_range(start..=end, name);
            }
            // Without a name a hook's own key is asked for, not ours.
            let answer = send(&server, &token, method, &path, b"{}".to_vec()).await;
            asked += 1;
            assert!(answer.status < 500, "{method} {path}: {answer:?}");
            assert!(answer.headers.get("x-injected").is_none(), "{method} {path}: {answer:?}");
            assert!(!answer.body.contains("root:x:0"), "{method} {path}: {answer:?}");
            let is_html = answer.headers.get("content-type");
            let is_html = is_html.is_some_and(|it| it.to_str().unwrap().starts_with("text/html"));
            assert!(!is_html || !answer.body.contains("<script>"), "{method} {path}: {answer:?}");
        }
    }
    assert!(asked > 300, "{asked}");
}

#[tokio::test]
async fn a_line_end_in_a_query_ends_no_header() {
    let server = TestServer::start().await;
    let token = server.token(Permission::ALL).await;
    let evil = "%0d%0aset-cookie:%20x=y%0d%0alocation:%20https://evil.example";
    for path in [
        format!("/sign-in/provider/callback?error={evil}&state={evil}&code={evil}"),
        format!("/sign-in/link?token={evil}"),
        format!("/sign-in?next={evil}"),
        format!("/sign-in?next=https://evil.example/{evil}"),
        format!("/api/v1/alerts?cursor={evil}"),
        format!("/api/v1/silences?{evil}"),
        format!("/api/v2/alerts?filter={evil}"),
        format!("/{evil}"),
    ] {
        let answer = send(&server, &token, "GET", &path, Vec::new()).await;
        assert!(answer.status < 500, "{path}: {answer:?}");
        let is_cookie_of_ours = answer
            .headers
            .get("set-cookie")
            .is_none_or(|cookie| cookie.to_str().unwrap().starts_with("__Host-"));
        assert!(is_cookie_of_ours, "{path}: {answer:?}");
        let location = answer.headers.get("location").map(|it| it.to_str().unwrap());
        assert!(location.is_none_or(|to| !to.contains("evil.example")), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_foreign_host_name_gets_into_no_link_and_no_redirect() {
    let server = TestServer::start().await;
    let token = server.token(Permission::ALL).await;
    let ask = async |method: &str, path: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .extension(Peer("192.0.2.7:1".parse().unwrap()))
            .header("content-type", "application/json")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-for", "127.0.0.1")
            .header("forwarded", "for=127.0.0.1;host=evil.example")
            .header("x-original-url", "/api/v1/audit")
            .header("x-rewrite-url", "/api/v1/audit")
            .header("x-tocsin-token", &token);
        server.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let person = json!({ "handle": "ada", "email": "ada@example.org" });
    let made = ask("POST", "/api/v1/people", person).await;
    assert_eq!(made.status, 201, "{made:?}");
    let link = ask("POST", "/api/v1/people/ada/sign-in-link", Value::Null).await;
    assert_eq!(link.status, 201, "{link:?}");
    let alert = json!([{ "labels": { "alertname": "A" } }]);
    for answer in [
        made,
        link,
        ask("GET", "/", Value::Null).await,
        ask("GET", "/sign-in", Value::Null).await,
        ask("POST", "/sign-out", Value::Null).await,
        ask("POST", "/api/v1/alerts", alert).await,
        ask("GET", "/api/v1/alerts", Value::Null).await,
    ] {
        let said = format!("{:?} {}", answer.headers, answer.body);
        assert!(!said.contains("evil.example"), "{said}");
    }
}

#[tokio::test]
async fn every_page_runs_nothing_loads_nothing_and_cannot_be_framed() {
    let server = TestServer::start().await;
    server.fire(&[&[("alertname", "<script>alert(1)</script>"), ("x", "\" onload=\"x")]]).await;
    for path in ["/", "/sign-in", "/sign-in/link?token=\"><script>"] {
        let path = path.replace('"', "%22").replace('<', "%3C").replace('>', "%3E");
        let answer = server.get(&path).await;
        let kind = answer.header("content-type");
        assert!(kind.starts_with("text/html"), "{path}: {answer:?}");
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        // The one style there is is the one that the policy names.
        let (_, style) = answer.body.split_once("<style>").unwrap();
        let (style, rest) = style.split_once("</style>").unwrap();
        let hash = BASE64_STANDARD.encode(Sha256::digest(style));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{path}: {policy}");
        for wrong in ["<style", "<script", " style=", "javascript:", " onload=\"", " onclick="] {
            assert!(!rest.contains(wrong), "{path}: {wrong} in {rest}");
        }
    }
}

#[tokio::test]
async fn whatever_is_too_large_or_too_deep_is_refused() {
    let server = TestServer::start().await;
    let token = server.token(Permission::ALL).await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let many = format!("[{}]", vec!["{}"; 200_000].join(","));
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(4 << 20));
    let number = format!("{{\"name\": {}}}", "9".repeat(1 << 20));
    let posts: Vec<_> =
        ROUTES.iter().filter(|(method, ..)| matches!(*method, "POST" | "PUT")).collect();
    for (method, route, _) in posts {
        let path = route.replace(['{', '}'], "");
        for body in [&deep, &deep_object, &many, &long, &number] {
            let answer = send(&server, &token, method, &path, body.clone().into_bytes()).await;
            let may_read_nothing = answer.status < 400;
            assert!(answer.status < 500, "{method} {path}: {}", answer.status);
            // Some take no body, and one takes a list of alerts of which none is one.
            assert!(!may_read_nothing || answer.body.len() < 1 << 20, "{method} {path}");
        }
    }
    let query = "x".repeat(60_000);
    for path in [format!("/api/v1/alerts?filter={query}"), format!("/api/v2/alerts?filter={query}")]
    {
        assert!((400..500).contains(&send(&server, &token, "GET", &path, Vec::new()).await.status));
    }
    let mut request = Request::get("/api/v1/me").extension(Peer("192.0.2.7:1".parse().unwrap()));
    for number in 0..500 {
        request = request.header("cookie", format!("__Host-tocsin={number}"));
    }
    assert_eq!(server.send(request.body(Body::empty()).unwrap()).await.status, 401);
}

#[tokio::test]
async fn a_guess_costs_the_same_work_whoever_it_is_at() {
    let server = TestServer::start().await;
    let token = server.token(Permission::ALL).await;
    let ask = async |method: &str, path: &str, body: Value| {
        send(&server, &token, method, path, body.to_string().into_bytes()).await
    };
    for handle in ["ada", "bob", "new"] {
        let person = json!({ "handle": handle, "email": format!("{handle}@example.org") });
        assert_eq!(ask("POST", "/api/v1/people", person).await.status, 201);
    }
    for handle in ["ada", "bob"] {
        let link = format!("/api/v1/people/{handle}/sign-in-link");
        let link = ask("POST", &link, Value::Null).await.json();
        let secret = link["url"].as_str().unwrap().split("token=").nth(1).unwrap();
        let body = json!({ "token": secret, "password": "tiny boats sing" });
        assert_eq!(ask("POST", "/api/v1/session/link", body).await.status, 201);
    }
    assert_eq!(ask("POST", "/api/v1/people/bob/deactivate", Value::Null).await.status, 200);
    // Somebody with a password, by handle and by address, somebody who left, somebody who never
    // had one, nobody, and no name at all: each guess is one hash, and the hashes cost the same.
    let mut answers = std::collections::BTreeSet::new();
    for (host, name) in ["ada", "ada@example.org", "bob", "new", "nobody", ""].iter().enumerate() {
        let from = format!("198.51.100.{host}:1").parse().unwrap();
        for password in ["wrong password", "", &"x".repeat(100_000)] {
            let body = json!({ "name": name, "password": password });
            let request = Request::post("/api/v1/session")
                .extension(Peer(from))
                .header("content-type", "application/json");
            let before = server.app.sign_ins.passwords_checked();
            let answer = server.send(request.body(Body::from(body.to_string())).unwrap()).await;
            let checked = server.app.sign_ins.passwords_checked() - before;
            assert_eq!(checked, 1, "`{name}`: {answer:?}");
            answers.insert((answer.status, answer.body));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 401);
}

#[tokio::test]
async fn a_host_that_only_looks_like_ours_is_not_ours() {
    let server = TestServer::start().await;
    let ask = async |host: &[u8]| {
        let request = Request::get("/api/v1/alerts")
            .extension(Peer("127.0.0.1:9".parse().unwrap()))
            .header("host", HeaderValue::from_bytes(host).unwrap());
        server.send(request.body(Body::empty()).unwrap()).await.status
    };
    for ours in ["localhost", "LOCALHOST:9093", "a.localhost", "127.0.0.1:1", "[::1]", "[::1]:1"] {
        assert_eq!(ask(ours.as_bytes()).await, 200, "{ours}");
    }
    for evil in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "localhost:80@evil.example",
        "localhost:x",
        "evil.example:localhost",
        "[::1].evil.example",
        "[::1]evil.example",
        "[::1",
        "localhost/evil.example",
        "evil.example#localhost",
        "localhost localhost",
        "",
    ] {
        assert_eq!(ask(evil.as_bytes()).await, 401, "{evil}");
    }
    assert_eq!(ask(b"\xff\xfe").await, 401);
    assert_eq!(ask("lócalhost".as_bytes()).await, 401);
}

#[tokio::test]
async fn a_list_of_parameters_without_end_is_refused() {
    let server = TestServer::start().await;
    let token = server.token(Permission::ALL).await;
    let same = |pair: &str| vec![pair; 60_000 / (pair.len() + 1)].join("&");
    let different: Vec<_> = (0..5_000).map(|number| format!("p{number}=1")).collect();
    let deep = format!("filter{}=1", "[a]".repeat(15_000));
    let lists =
        [same("filter=a%3D1"), same("limit=1"), same("x"), same(""), different.join("&"), deep];
    // The stream never ends where it is let be.
    let is_asked = |route: &str| !route.ends_with("/stream");
    for (method, route, _) in ROUTES.iter().filter(|it| it.0 == "GET" && is_asked(it.1)) {
        let path = route.replace(['{', '}'], "");
        for list in &lists {
            let answer = send(&server, &token, method, &format!("{path}?{list}"), Vec::new()).await;
            assert!(answer.status < 500, "{method} {path}: {answer:?}");
            assert!(answer.body.len() < 1 << 20, "{method} {path}");
            let is_ours = path.starts_with("/api/v1/") && !list.starts_with('&');
            let is_taken = matches!(path.as_str(), "/api/v1/openapi.json");
            assert!(!is_ours || is_taken || answer.status >= 400, "{method} {path}: {list:.40}");
        }
    }
}

/// Secrets are compared by their hashes, found in a map, or in constant time; never letter by
/// letter.
#[test]
fn no_secret_is_compared_letter_by_letter() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders =
        vec![root.join("server/src"), root.join("connect/src"), root.join("core/src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for line in text.lines() {
                let is_compared =
                    ["expose() ==", "expose() !=", "== secret.", "== password", "== token.secret"]
                        .iter()
                        .any(|part| line.contains(part));
                assert!(!is_compared, "{}: {line}", path.display());
            }
        }
    }
    assert!(files > 100, "{files}");
}
