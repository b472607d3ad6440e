//! Alertmanager's API v2, as its clients see it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{ORIGINAL, TestServer};
use tocsin_core::identity::Permission;
use tocsin_core::matcher::ParseMode;
use tocsin_server::Options;

const CRITICAL: &[(&str, &str)] = &[
    ("alertname", "DiskFull"),
    ("cluster", "eu1"),
    ("instance", "a:9100"),
    ("severity", "critical"),
];
const WARNING: &[(&str, &str)] = &[
    ("alertname", "DiskFull"),
    ("cluster", "eu1"),
    ("instance", "a:9100"),
    ("severity", "warning"),
];

fn names(list: &Value) -> Vec<&str> {
    let alerts = list.as_array().unwrap().iter();
    alerts.map(|alert| alert["labels"]["alertname"].as_str().unwrap()).collect()
}

fn silence(matchers: &Value, starts_at: &str, ends_at: &str) -> String {
    json!({
        "matchers": matchers, "startsAt": starts_at, "endsAt": ends_at,
        "createdBy": "ops", "comment": "maint",
    })
    .to_string()
}

fn equal(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value, "isRegex": false, "isEqual": true })
}

async fn add_silence(server: &TestServer, body: &str) -> String {
    let answer = server.post("/api/v2/silences", body.to_owned()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["silenceID"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn refused_alerts_are_answered_as_recorded() {
    let server = TestServer::start().await;
    let parsing = |why: &str| json!({ "code": 400, "message": format!("parsing alerts body from \"\" failed, because {why}") });
    let cases = [
        ("nonsense", 400, parsing("invalid character 'o' in literal null (expecting 'u')")),
        (
            r#"{"labels":{}}"#,
            400,
            parsing("json: cannot unmarshal object into Go value of type models.PostableAlerts"),
        ),
        ("[{}]", 422, json!({ "code": 602, "message": "0.labels in body is required" })),
        (r#"[{"labels":{}}]"#, 400, json!("at least one label pair required")),
        (
            r#"[{"labels":{"a":"1"},"startsAt":"2026-11-20T12:00:00Z","endsAt":"2026-11-20T11:00:00Z"}]"#,
            400,
            json!("start time must be before end time"),
        ),
        (
            r#"[{"labels":{"a":"1"},"generatorURL":"not a url"}]"#,
            422,
            json!({ "code": 601, "message": "0.generatorURL in body must be of type uri: \"not a url\"" }),
        ),
        ("", 422, json!({ "code": 602, "message": "alerts in body is required" })),
    ];
    for (body, status, expected) in cases {
        let answer = server.post("/api/v2/alerts", body).await;
        assert_eq!((answer.status, answer.json()), (status, expected), "{body}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(server.get("/api/v2/alerts").await.pair(), (200, "[]"));
}

#[tokio::test]
async fn accepted_alerts_are_answered_with_nothing() {
    let server = TestServer::start().await;
    assert_eq!(server.post("/api/v2/alerts", "[]").await.pair(), (200, ""));
    let utf8 = r#"[{"labels":{"a-b":"1","é":"2"}}]"#;
    assert_eq!(server.post("/api/v2/alerts", utf8).await.pair(), (200, ""));
    let found = server.get("/api/v2/alerts?filter=%22a-b%22%3D%221%22").await.json();
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn classic_mode_takes_classic_names_only() {
    let options = Options { parse_mode: ParseMode::Classic, ..Options::default() };
    let server = TestServer::start_with(options).await;
    let answer = server.post("/api/v2/alerts", r#"[{"labels":{"a-b":"1"}}]"#).await;
    assert_eq!(answer.pair(), (400, r#""invalid label set: invalid name \"a-b\"""#));
    let body = silence(&json!([equal("a-b", "1")]), support::NOON, "2026-11-21T00:00:00Z");
    let answer = server.post("/api/v2/silences", body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("invalid silence: invalid label matcher"), "{answer:?}");
}

#[tokio::test]
async fn media_types_other_than_json_are_refused() {
    let server = TestServer::start().await;
    for (given, shown) in [(Some("text/plain"), "text/plain"), (None, "application/octet-stream")] {
        for path in ["/api/v2/alerts", "/api/v2/silences"] {
            let mut request = Request::post(path);
            if let Some(given) = given {
                request = request.header("content-type", given);
            }
            let answer = server.send(request.body(Body::from("[]")).unwrap()).await;
            let message =
                format!("unsupported media type \"{shown}\", only [application/json] are allowed");
            let expected = json!({ "code": 415, "message": message });
            assert_eq!((answer.status, answer.json()), (415, expected));
        }
    }
    let request =
        Request::post("/api/v2/alerts").header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(server.send(request.body(Body::from("[]")).unwrap()).await.status, 200);
}

#[tokio::test]
async fn valid_alerts_are_stored_beside_invalid_ones() {
    let server = TestServer::start().await;
    let body = r#"[{"labels":{}},{"labels":{"alertname":"Kept"}},{"labels":{"a":""}}]"#;
    let answer = server.post("/api/v2/alerts", body).await;
    let twice = r#""at least one label pair required; at least one label pair required""#;
    assert_eq!(answer.pair(), (400, twice));
    assert_eq!(names(&server.get("/api/v2/alerts").await.json()), ["Kept"]);
}

#[tokio::test]
async fn bad_parameters_are_answered_as_recorded() {
    let server = TestServer::start().await;
    for path in ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"] {
        let answer = server.get(&format!("{path}?filter=foo")).await;
        assert_eq!(answer.pair(), (400, r#""bad matcher format: foo""#), "{path}");
    }
    for path in ["/api/v2/alerts", "/api/v2/alerts/groups"] {
        let answer = server.get(&format!("{path}?receiver=(")).await;
        assert_eq!(answer.status, 400);
        let expected = "\"failed to parse receiver param: error parsing regexp: ";
        assert!(answer.body.starts_with(expected), "{answer:?}");
        assert_eq!(server.get(&format!("{path}?active=maybe&nonsense=1")).await.status, 200);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_as_recorded() {
    let server = TestServer::start().await;
    let answer = server.get("/api/v2/nope").await;
    let expected = json!({ "code": 404, "message": "path /api/v2/nope was not found" });
    assert_eq!((answer.status, answer.json()), (404, expected));
    let answer = server.ask("PUT", "/api/v2/alerts").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST,GET"));
    let message = "method PUT is not allowed, but [POST,GET] are";
    assert_eq!(answer.json(), json!({ "code": 405, "message": message }));
    assert_eq!(server.ask("POST", "/api/v2/status").await.header("allow"), "GET");
    assert_eq!(server.get("/api/v2/alerts/").await.pair(), (200, "[]"));
}

#[tokio::test]
async fn browsers_of_other_origins_may_ask_with_a_token() {
    let server = TestServer::start().await;
    let request = Request::get("/api/v2/status").header("origin", "http://other.example");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 403, "whoever works here is no leave for pages of others");
    let request = Request::get("/api/v2/status").header("origin", "http://other.example").header(
        "authorization",
        format!("Bearer {}", server.token(&[Permission::StatusRead]).await),
    );
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let request = Request::builder()
        .method("OPTIONS")
        .uri("/api/v2/silences")
        .header("origin", "http://other.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("access-control-allow-methods").contains("POST"), "{answer:?}");
}

#[tokio::test]
async fn an_alert_is_shown_as_recorded() {
    let server = TestServer::start().await;
    let body = json!([{
        "labels": WARNING.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
        "annotations": { "summary": "disk nearly full" },
        "startsAt": "2026-11-20T12:59:00.123456789+01:00",
        "endsAt": "2026-11-20T12:00:20.5Z",
        "generatorURL": "http://prom.example/graph?g0.expr=up",
    }]);
    assert_eq!(server.post("/api/v2/alerts", body.to_string()).await.pair(), (200, ""));
    let answer = server.get("/api/v2/alerts").await;
    assert_eq!(
        answer.body,
        r#"[{"annotations":{"summary":"disk nearly full"},"endsAt":"2026-11-20T12:00:20.500Z","fingerprint":"638fcf6831e8a35c","receivers":[{"name":"hook"}],"startsAt":"2026-11-20T11:59:00.123Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-11-20T12:00:00.000Z","generatorURL":"http://prom.example/graph?g0.expr=up","labels":{"alertname":"DiskFull","cluster":"eu1","instance":"a:9100","severity":"warning"}}]"#
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn the_status_of_an_alert_is_current_at_every_read() {
    let server = TestServer::start().await;
    server.fire(&[WARNING]).await;
    let status = async || {
        let list = server.get("/api/v2/alerts?filter=severity%3Dwarning").await.json();
        list[0]["status"].clone()
    };
    let free = json!({ "inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active" });
    assert_eq!(status().await, free);

    let body =
        silence(&json!([equal("alertname", "DiskFull")]), support::NOON, "2026-11-21T00:00:00Z");
    let id = add_silence(&server, &body).await;
    assert_eq!(status().await["silencedBy"], json!([id]));
    assert_eq!(status().await["state"], "suppressed");

    server.fire(&[CRITICAL]).await;
    let both = json!({
        "inhibitedBy": ["6c4d0d558f7061a9"], "mutedBy": [], "silencedBy": [id], "state": "suppressed",
    });
    assert_eq!(status().await, both);

    assert_eq!(server.ask("DELETE", &format!("/api/v2/silence/{id}")).await.pair(), (200, ""));
    assert_eq!(status().await["silencedBy"], json!([]));
    assert_eq!(status().await["state"], "suppressed");

    // What ended is not listed, and what it inhibited is free again.
    let over = json!([{
        "labels": CRITICAL.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
        "endsAt": support::NOON,
    }]);
    server.clock.advance(1);
    assert_eq!(server.post("/api/v2/alerts", over.to_string()).await.status, 200);
    assert_eq!(server.get("/api/v2/alerts").await.json().as_array().unwrap().len(), 1);
    assert_eq!(status().await, free);
}

#[tokio::test]
async fn alerts_are_filtered_and_sorted_by_fingerprint() {
    let server = TestServer::start().await;
    server
        .fire(&[
            CRITICAL,
            WARNING,
            &[("alertname", "PgDown"), ("team", "db")],
            &[("alertname", "Noise"), ("severity", "info")],
        ])
        .await;
    let body =
        silence(&json!([equal("alertname", "PgDown")]), support::NOON, "2026-11-21T00:00:00Z");
    add_silence(&server, &body).await;

    let all = server.get("/api/v2/alerts").await.json();
    let prints: Vec<_> =
        all.as_array().unwrap().iter().map(|a| a["fingerprint"].as_str()).collect();
    assert_eq!(prints.len(), 4);
    assert!(prints.is_sorted());

    let shown = async |query: &str| {
        let list = server.get(&format!("/api/v2/alerts?{query}")).await.json();
        let mut names: Vec<_> = names(&list).iter().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(shown("silenced=false").await, ["DiskFull", "DiskFull", "Noise"]);
    assert_eq!(shown("inhibited=false&silenced=false").await, ["DiskFull", "Noise"]);
    assert_eq!(shown("active=false").await, ["DiskFull", "PgDown"]);
    assert_eq!(shown("active=false&silenced=false&inhibited=false").await, [""; 0]);
    assert_eq!(shown("unprocessed=false").await.len(), 4);
    assert_eq!(shown("receiver=db.*").await, ["PgDown"]);
    assert_eq!(shown("receiver=hook").await, ["DiskFull", "DiskFull"]);
    assert_eq!(shown("receiver_matchers=name%3D~%22.*hook%22").await.len(), 3);
    assert_eq!(shown("filter=alertname%3DDiskFull&filter=severity%3Dcritical").await, ["DiskFull"]);
    assert_eq!(shown("filter=team%21%3D%22%22").await, ["PgDown"]);
}

#[tokio::test]
async fn groups_are_shown_at_once_and_in_order() {
    let server = TestServer::start().await;
    server
        .fire(&[
            &[("alertname", "DiskFull"), ("cluster", "eu1"), ("instance", "b")],
            &[("alertname", "DiskFull"), ("cluster", "eu1"), ("instance", "a")],
            &[("alertname", "Noise"), ("severity", "info")],
            &[("alertname", "PgDown"), ("team", "db")],
        ])
        .await;
    let groups = server.get("/api/v2/alerts/groups").await.json();
    let shown: Vec<_> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["labels"].to_string(), group["receiver"]["name"].to_string()))
        .collect();
    let expected = [
        (r#"{"alertname":"Noise"}"#, "\"null\""),
        (r#"{"alertname":"PgDown"}"#, "\"db.hook\""),
        (r#"{"alertname":"DiskFull","cluster":"eu1"}"#, "\"hook\""),
    ];
    assert_eq!(shown, expected.map(|(l, r)| (l.to_owned(), r.to_owned())));
    assert_eq!(groups[0]["routeLabels"], json!({}));
    let muted = json!({
        "inhibitedBy": [], "mutedBy": ["never"], "silencedBy": [], "state": "suppressed",
    });
    assert_eq!(groups[0]["alerts"][0]["status"], muted);
    let instances = groups[2]["alerts"].as_array().unwrap();
    let instances: Vec<_> = instances.iter().map(|a| a["labels"]["instance"].as_str()).collect();
    assert_eq!(instances, [Some("a"), Some("b")]);

    // Beside its group, the same alert is not muted.
    let alone = server.get("/api/v2/alerts?filter=alertname%3DNoise").await.json();
    assert_eq!(alone[0]["status"]["mutedBy"], json!([]));
    assert_eq!(alone[0]["status"]["state"], "active");

    let count = async |query: &str| {
        let groups = server.get(&format!("/api/v2/alerts/groups?{query}")).await.json();
        groups.as_array().unwrap().len()
    };
    assert_eq!(count("muted=false").await, 2);
    assert_eq!(count("receiver=db.hook").await, 1);
    assert_eq!(count("receiver_matchers=name%21%3Dnull").await, 2);
    assert_eq!(count("filter=instance%3Da").await, 1);
    assert_eq!(count("filter=instance%3Dzzz").await, 0);
}

#[tokio::test]
async fn long_lists_are_whole() {
    let server = TestServer::start().await;
    let numbers: Vec<_> = (0..3_000).map(|i| format!("{i:04}")).collect();
    let alerts: Vec<[(&str, &str); 2]> =
        numbers.iter().map(|n| [("alertname", "Many"), ("instance", n.as_str())]).collect();
    let alerts: Vec<&[(&str, &str)]> = alerts.iter().map(<[_; 2]>::as_slice).collect();
    server.fire(&alerts).await;
    let list = server.get("/api/v2/alerts").await.json();
    assert_eq!(list.as_array().unwrap().len(), 3_000);
    let groups = server.get("/api/v2/alerts/groups").await.json();
    assert_eq!(groups.as_array().unwrap().len(), 1);
    let instances = groups[0]["alerts"].as_array().unwrap().iter();
    let instances: Vec<_> = instances.map(|a| a["labels"]["instance"].as_str().unwrap()).collect();
    assert_eq!(instances, numbers);
    let some = server.get("/api/v2/alerts?filter=instance%3D~%2200.*%22").await.json();
    assert_eq!(some.as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn refused_silences_are_answered_as_recorded() {
    let server = TestServer::start().await;
    let plain = json!([equal("a", "1")]);
    let end = "2026-11-21T00:00:00Z";
    let unknown = json!({
        "id": "e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64", "matchers": plain, "createdBy": "ops",
        "startsAt": support::NOON, "endsAt": end, "comment": "",
    });
    let schema = |code, message: &str| json!({ "code": code, "message": message });
    let cases = [
        ("{}".to_owned(), 422, schema(602, "comment in body is required")),
        (
            silence(&json!([]), support::NOON, end),
            422,
            schema(612, "matchers in body should have at least 1 items"),
        ),
        (
            silence(&json!([{ "name": "a", "value": "1" }]), support::NOON, end),
            422,
            schema(602, "matchers.0.isRegex in body is required"),
        ),
        (
            silence(&json!([equal("a", "")]), support::NOON, end),
            400,
            json!(
                "invalid silence: matcher set 0: at least one matcher must not match the empty string"
            ),
        ),
        (
            silence(&plain, end, support::NOON),
            400,
            json!("Failed to create silence: start time must be before end time"),
        ),
        (
            silence(&plain, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z"),
            400,
            json!("Failed to create silence: end time can't be in the past"),
        ),
        (unknown.to_string(), 404, json!("silence not found")),
    ];
    for (body, status, expected) in cases {
        let answer = server.post("/api/v2/silences", body.clone()).await;
        assert_eq!((answer.status, answer.json()), (status, expected), "{body}");
    }
    let bad_regex = json!([{ "name": "a", "value": "(", "isRegex": true }]);
    let answer = server.post("/api/v2/silences", silence(&bad_regex, support::NOON, end)).await;
    assert_eq!(answer.status, 400);
    let expected = "\"invalid silence: invalid label matcher 0 in set 0: ";
    assert!(answer.body.starts_with(expected), "{answer:?}");
}

#[tokio::test]
async fn ids_of_no_silence_are_answered_as_recorded() {
    let server = TestServer::start().await;
    let unknown = "/api/v2/silence/e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64";
    for method in ["GET", "DELETE"] {
        let answer = server.ask(method, "/api/v2/silence/xyz").await;
        let message = "silenceID in path must be of type uuid: \"xyz\"";
        assert_eq!(
            (answer.status, answer.json()),
            (422, json!({ "code": 601, "message": message }))
        );
        assert_eq!(server.ask(method, unknown).await.pair(), (404, ""));
    }
}

#[tokio::test]
async fn a_silence_lives_as_alertmanagers_do() {
    let server = TestServer::start().await;
    let matchers = json!([equal("alertname", "PgDown")]);
    let body = silence(&matchers, "2026-11-20T11:00:00Z", "2026-11-21T00:00:00Z");
    let id = add_silence(&server, &body).await;
    let path = format!("/api/v2/silence/{id}");
    assert_eq!(
        server.get(&path).await.body,
        format!(
            r#"{{"id":"{id}","status":{{"state":"active"}},"updatedAt":"2026-11-20T12:00:00.000Z","comment":"maint","createdBy":"ops","endsAt":"2026-11-21T00:00:00.000Z","matchers":[{{"isEqual":true,"isRegex":false,"name":"alertname","value":"PgDown"}}],"startsAt":"2026-11-20T12:00:00.000Z"}}"#
        )
    );

    // The same matchers and start change it in place; other matchers make a new one.
    let mut change: Value = serde_json::from_str(&server.get(&path).await.body).unwrap();
    change["endsAt"] = json!("2026-11-22T00:00:00.000Z");
    change["annotations"] = json!({ "ticket": "7" });
    assert_eq!(add_silence(&server, &change.to_string()).await, id);
    let shown = server.get(&path).await.json();
    assert_eq!(shown["endsAt"], "2026-11-22T00:00:00.000Z");
    assert_eq!(shown["annotations"], json!({ "ticket": "7" }));
    change["matchers"][0]["value"] = json!("Other");
    let other = add_silence(&server, &change.to_string()).await;
    assert_ne!(other, id);
    server.clock.advance(1);
    assert_eq!(server.get(&path).await.json()["status"]["state"], "expired");

    // Ending it is final, and doing it twice is no error.
    let path = format!("/api/v2/silence/{other}");
    for _ in 0..2 {
        assert_eq!(server.ask("DELETE", &path).await.pair(), (200, ""));
    }
    server.clock.advance(1);
    assert_eq!(server.get(&path).await.json()["status"]["state"], "expired");
}

#[tokio::test]
async fn silences_are_listed_in_order_and_filtered_by_identical_matchers() {
    let server = TestServer::start().await;
    let add = async |value: &str, starts_at: &str, ends_at: &str| {
        let matchers = json!([equal("a", value), equal("b", "1")]);
        add_silence(&server, &silence(&matchers, starts_at, ends_at)).await
    };
    let active_late = add("1", support::NOON, "2026-11-23T00:00:00Z").await;
    let active_soon = add("2", support::NOON, "2026-11-22T00:00:00Z").await;
    let pending_late = add("3", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z").await;
    let pending_soon = add("4", "2026-11-24T00:00:00Z", "2026-11-26T00:00:00Z").await;
    let mut expired = Vec::new();
    for value in ["5", "6"] {
        let id = add(value, support::NOON, "2026-11-22T00:00:00Z").await;
        server.clock.advance(1);
        assert_eq!(server.ask("DELETE", &format!("/api/v2/silence/{id}")).await.status, 200);
        expired.push(id);
    }
    server.clock.advance(1);
    let ids = async |query: &str| {
        let list = server.get(&format!("/api/v2/silences?{query}")).await.json();
        let ids = list.as_array().unwrap().iter();
        ids.map(|silence| silence["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let order =
        [&active_soon, &active_late, &pending_soon, &pending_late, &expired[1], &expired[0]];
    assert_eq!(ids("").await, order.map(String::clone));
    assert_eq!(ids("expired=false&pending=false").await, [active_soon, active_late.clone()]);
    assert_eq!(ids("active=false&expired=false").await, [pending_soon, pending_late]);
    assert_eq!(ids("filter=a%3D%221%22").await, std::slice::from_ref(&active_late));
    assert_eq!(ids("filter=a%3D%221%22&filter=b%3D%221%22").await, [active_late]);
    // `a=~"1"` would match the same alerts, but it is another matcher.
    assert_eq!(ids("filter=a%3D~%221%22").await, [""; 0]);
}

#[tokio::test]
async fn receivers_are_listed_in_the_order_of_the_file() {
    let server = TestServer::start().await;
    let hook = r#"{"labels":{"name":"hook"},"name":"hook"}"#;
    let db = r#"{"labels":{"name":"db.hook"},"name":"db.hook"}"#;
    let null = r#"{"labels":{"name":"null"},"name":"null"}"#;
    let answer = server.get("/api/v2/receivers").await;
    assert_eq!(answer.body, format!("[{hook},{db},{null}]"));
    let answer = server.get("/api/v2/receivers?receiver_matchers=name%3Dhook").await;
    assert_eq!(answer.body, format!("[{hook}]"));
}

#[tokio::test]
async fn the_status_names_the_version_and_the_configuration() {
    let options = Options {
        cluster_listen_address: "127.0.0.1:9094".to_owned(),
        reported_version: "0.33.1".to_owned(),
        ..Options::default()
    };
    let server = TestServer::start_with(options).await;
    let status = server.get("/api/v2/status").await.json();
    assert_eq!(status["config"]["original"], ORIGINAL);
    assert_eq!(status["uptime"], "2026-11-20T12:00:00.000Z");
    assert_eq!(status["versionInfo"]["version"], "0.33.1");
    let cluster = &status["cluster"];
    assert_eq!(cluster["status"], "ready");
    assert_eq!(cluster["peers"], json!([{ "name": cluster["name"], "address": "127.0.0.1:9094" }]));
    assert_eq!(cluster["name"].as_str().unwrap().len(), 26);
    assert_eq!(server.get("/api/v2/status").await.json()["cluster"], *cluster);

    let server = TestServer::start().await;
    let status = server.get("/api/v2/status").await.json();
    assert_eq!(status["cluster"], json!({ "peers": [], "status": "disabled" }));
}
