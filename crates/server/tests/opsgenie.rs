//! Opsgenie's Alert API, as its clients use it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};

async fn call(server: &TestServer, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", "GenieKey any-key-will-do");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    server.send(request.header("content-type", "application/json").body(body).unwrap()).await
}

async fn create(server: &TestServer, body: Value) {
    let answer = call(server, "POST", "/v2/alerts", &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.json()["result"], "Request will be processed");
}

async fn act(server: &TestServer, path: &str, body: Value) -> Value {
    let method = if body.is_null() { "DELETE" } else { "POST" };
    let answer = call(server, method, path, &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let request = answer.json()["requestId"].as_str().unwrap().to_owned();
    let status = call(server, "GET", &format!("/v2/alerts/requests/{request}"), &Value::Null).await;
    status.json()["data"].clone()
}

async fn show(server: &TestServer, alias: &str) -> Value {
    let path = format!("/v2/alerts/{alias}?identifierType=alias");
    call(server, "GET", &path, &Value::Null).await.json()["data"].clone()
}

async fn listed(server: &TestServer, query: &str) -> usize {
    let query: String = form(query);
    let path = format!("/v2/alerts?query={query}");
    let list = call(server, "GET", &path, &Value::Null).await.json();
    let count = call(server, "GET", &format!("/v2/alerts/count?query={query}"), &Value::Null).await;
    let found = list["data"].as_array().unwrap().len();
    assert_eq!(count.json()["data"]["count"], found);
    found
}

fn form(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

fn disk(alias: &str) -> Value {
    json!({
        "message": "disk full", "alias": alias, "priority": "P2", "tags": ["web", "disk"],
        "details": { "region": "eu" }, "entity": "node-1", "source": "probe", "description": "long"
    })
}

#[tokio::test]
async fn an_alert_is_created_counted_worked_and_closed() {
    let server = TestServer::start().await;
    create(&server, disk("d1")).await;
    create(&server, disk("d1")).await;
    let alert = show(&server, "d1").await;
    assert_eq!(alert["status"], "open");
    assert_eq!((&alert["count"], &alert["priority"]), (&json!(2), &json!("P2")));
    assert_eq!(alert["tags"], json!(["web", "disk"]));
    assert_eq!(alert["details"], json!({ "region": "eu" }));
    let by = |kind: &str, value: &Value| {
        format!("/v2/alerts/{}?identifierType={kind}", value.as_str().unwrap())
    };
    for path in [by("id", &alert["id"]), by("tiny", &alert["tinyId"])] {
        let found = call(&server, "GET", &path, &Value::Null).await;
        assert_eq!(found.json()["data"]["alias"], "d1", "{path}");
    }
    let ours = server.get("/api/v1/alerts").await.json();
    assert_eq!(ours["items"][0]["labels"]["severity"], "high");
    assert_eq!(ours["items"][0]["labels"]["integration"], "opsgenie");

    let path = |verb: &str| format!("/v2/alerts/d1/{verb}?identifierType=alias");
    let done = act(&server, &path("acknowledge"), json!({ "user": "ada" })).await;
    assert_eq!(done["isSuccess"], true, "{done}");
    assert_eq!(done["alertId"], alert["id"]);
    assert_eq!(show(&server, "d1").await["owner"], "ada");
    act(&server, &path("unacknowledge"), json!({})).await;
    assert_eq!(show(&server, "d1").await["acknowledged"], false);
    act(&server, &path("snooze"), json!({ "endTime": "2026-11-20T13:00:00Z" })).await;
    assert_eq!(show(&server, "d1").await["snoozedUntil"], "2026-11-20T13:00:00Z");

    act(&server, &path("notes"), json!({ "note": "looking", "user": "ada" })).await;
    let assigned = act(&server, &path("assign"), json!({ "owner": { "username": "bo" } })).await;
    assert_eq!(assigned["isSuccess"], true);
    let notes = call(&server, "GET", &path("notes"), &Value::Null).await.json();
    assert_eq!(notes["data"][0]["note"], "assign to bo");
    assert_eq!(notes["data"][1]["note"], "looking");
    assert_eq!(notes["data"][1]["owner"], "ada");

    let done = act(&server, &path("close"), json!({})).await;
    assert_eq!(done["isSuccess"], true, "{done}");
    assert_eq!(show(&server, "d1").await["status"], "closed");
    let late = act(&server, &path("acknowledge"), json!({})).await;
    assert_eq!(
        (&late["isSuccess"], &late["status"]),
        (&json!(false), &json!("the alert is closed"))
    );
    let never = act(&server, "/v2/alerts/none/close?identifierType=alias", json!({})).await;
    assert_eq!(never["status"], "the alert does not exist");
}

#[tokio::test]
async fn what_describes_an_alert_changes_and_its_id_stays() {
    let server = TestServer::start().await;
    create(&server, disk("d2")).await;
    let before = show(&server, "d2").await;
    let path = |verb: &str| format!("/v2/alerts/d2/{verb}?identifierType=alias");
    act(&server, &path("acknowledge"), json!({ "user": "ada" })).await;
    act(&server, &path("tags"), json!({ "tags": ["new"] })).await;
    act(&server, &format!("{}&tags=web,disk", path("tags")), Value::Null).await;
    act(&server, &path("details"), json!({ "details": { "host": "a" } })).await;
    act(&server, &format!("{}&keys=region", path("details")), Value::Null).await;
    act(&server, &path("message"), json!({ "message": "disk nearly full" })).await;
    act(&server, &path("description"), json!({ "description": "short" })).await;
    // There and back: the same labels as in the beginning, and still found by its alias.
    for priority in ["P1", "P2", "P1"] {
        server.clock.advance(1);
        let done = act(&server, &path("priority"), json!({ "priority": priority })).await;
        assert_eq!(done["isSuccess"], true, "{done}");
        assert_eq!(show(&server, "d2").await["priority"], priority);
        assert_eq!(listed(&server, "status: open").await, 1);
    }
    let after = show(&server, "d2").await;
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["tags"], json!(["new"]));
    assert_eq!(after["details"], json!({ "host": "a" }));
    assert_eq!(after["message"], "disk nearly full");
    assert_eq!(after["description"], "short");
    assert_eq!(after["owner"], "ada", "whoever works on it still does");
    assert_eq!(after["count"], 1);
}

#[tokio::test]
async fn alerts_are_listed_by_queries() {
    let server = TestServer::start().await;
    create(&server, disk("a")).await;
    create(&server, json!({ "message": "cpu hot", "alias": "b", "priority": "P4" })).await;
    act(&server, "/v2/alerts/b/close?identifierType=alias", json!({})).await;
    for (query, expected) in [
        ("", 2),
        ("status: open", 1),
        ("status:closed AND priority: P4", 1),
        ("tag: web OR message: \"cpu\"", 2),
        ("NOT tag: web", 1),
        ("(alias: a OR alias: b) disk", 1),
        ("createdAt > 0", 2),
        ("createdAt < 1000", 0),
        ("details.region: EU", 1),
    ] {
        assert_eq!(listed(&server, query).await, expected, "{query}");
    }
    let page = call(&server, "GET", "/v2/alerts?limit=1&sort=alias&order=asc", &Value::Null).await;
    let page = page.json();
    assert_eq!(page["data"][0]["alias"], "a");
    let next = page["paging"]["next"].as_str().unwrap();
    assert_eq!(call(&server, "GET", next, &Value::Null).await.json()["data"][0]["alias"], "b");
    let wrong = call(&server, "GET", "/v2/alerts?query=colour:red", &Value::Null).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.json()["errors"]["query"].as_str().unwrap().contains("no field `colour`"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_shape_clients_know() {
    let server = TestServer::start().await;
    let tags: Vec<String> = (0..21).map(|n| n.to_string()).collect();
    let body = json!({
        "message": "m".repeat(131), "alias": "a".repeat(513), "tags": tags, "priority": "P9"
    });
    let answer = call(&server, "POST", "/v2/alerts", &body).await;
    assert_eq!(answer.status, 422);
    let answer = answer.json();
    let fields: Vec<&String> = answer["errors"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["alias", "message", "priority", "tags"]);
    assert!(answer["took"].is_f64() && answer["requestId"].is_string(), "{answer}");
    assert_eq!(server.post("/v2/alerts", "{}").await.status, 401);
    let not_json = Request::post("/v2/alerts").header("authorization", "GenieKey k");
    assert_eq!(server.send(not_json.body(Body::from("{")).unwrap()).await.status, 400);
    for (path, status) in [
        ("/v2/alerts/none", 404),
        ("/v2/alerts/none?identifierType=odd", 422),
        ("/v2/alerts/requests/none", 404),
        ("/v2/heartbeats/h/ping", 404),
    ] {
        assert_eq!(call(&server, "GET", path, &Value::Null).await.status, status, "{path}");
    }
}
