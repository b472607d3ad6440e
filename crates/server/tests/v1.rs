//! The native API, as its clients see it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_core::command::Command;
use tocsin_core::maintenance::{MaintenanceWindow, Recurrence};
use tocsin_core::matcher::{Matcher, Matchers};
use tocsin_core::policy::Policy;
use tocsin_server::Options;
use tocsin_wire::v1::ProblemCode;

const CRITICAL: &[(&str, &str)] =
    &[("alertname", "PgDown"), ("cluster", "eu1"), ("severity", "critical"), ("team", "db")];
const WARNING: &[(&str, &str)] =
    &[("alertname", "PgSlow"), ("cluster", "eu1"), ("severity", "warning"), ("team", "db")];
const OTHER: &[(&str, &str)] =
    &[("alertname", "DiskFull"), ("cluster", "us1"), ("severity", "warning")];

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], answer.status, "{answer:?}");
    problem
}

/// Status, code and detail of a problem.
fn refusal(answer: &Answer) -> (u16, String, String) {
    let problem = problem(answer);
    let text = |name: &str| problem[name].as_str().unwrap().to_owned();
    (answer.status, text("code"), text("detail"))
}

fn items(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

fn names(answer: &Answer) -> BTreeSet<String> {
    let name = |item: &Value| item["labels"]["alertname"].as_str().unwrap().to_owned();
    items(answer).iter().map(name).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

impl TestServer {
    async fn put(&self, path: &str, body: &Value) -> Answer {
        let request = Request::put(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.post(path, body.to_string()).await
    }

    /// Moves the clock, lets the engine do what is due, and waits until `kind` has happened.
    async fn advance_until(&self, seconds: i64, kind: &str) {
        let mut feed = self.app.engine.subscribe();
        self.clock.advance(seconds);
        self.app.engine.read(|_, _| ()).await.unwrap();
        let happens =
            async { while !feed.recv().await.unwrap().iter().any(|it| it.event.kind() == kind) {} };
        tokio::time::timeout(PATIENCE, happens).await.unwrap();
    }

    async fn silence(&self, matchers: &[&str]) -> Value {
        let draft = json!({ "matchers": matchers, "duration_seconds": 3600, "created_by": "ada" });
        let answer = self.post_json("/api/v1/silences", &draft).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }
}

#[tokio::test]
async fn alerts_are_posted_listed_and_shown() {
    let server = TestServer::start().await;
    let body = json!({ "alerts": [
        { "labels": { "alertname": "PgDown", "team": "db" },
          "annotations": { "summary": "no connection" },
          "starts_at": "2026-11-20T11:58:00Z", "generator_url": "http://prom/graph" },
        { "labels": {} },
        { "labels": { "alertname": "Gone" }, "ends_at": "2026-11-20T11:00:00Z" },
        { "labels": { "alertname": "Odd" }, "severity": "high" },
        7
    ]});
    let answer = server.post_json("/api/v1/alerts", &body).await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!("ingest_report", answer.json());
    let again = server.post_json("/api/v1/alerts", &json!({ "alerts": [body["alerts"][0]] })).await;
    assert_eq!(again.json()["refreshed"], 1);

    let list = server.get("/api/v1/alerts").await;
    insta::assert_json_snapshot!("alerts", list.json());
    let fingerprint = items(&list)[0]["fingerprint"].as_str().unwrap().to_owned();
    let one = server.get(&format!("/api/v1/alerts/{fingerprint}")).await;
    assert_eq!(one.json(), items(&list)[0]);
    assert_eq!(one.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_posting_that_is_wrong_throughout_is_a_problem() {
    let server = TestServer::start().await;
    let all_wrong = json!({ "alerts": [{ "labels": {} }] });
    let answer = server.post_json("/api/v1/alerts", &all_wrong).await;
    assert_eq!((answer.status, problem(&answer)["code"].as_str()), (422, Some("unprocessable")));
    assert_eq!(problem(&answer)["errors"][0]["pointer"], "/alerts/0/labels");
    let empty = server.post_json("/api/v1/alerts", &json!({ "alerts": [] })).await;
    assert_eq!(empty.status, 200);
    let shapeless = server.post("/api/v1/alerts", "[]").await;
    assert_eq!((shapeless.status, refusal(&shapeless).1), (400, "invalid_body".to_owned()));
    let form = Request::post("/api/v1/alerts").body(Body::from("a=1")).unwrap();
    let form = server.send(form).await;
    assert_eq!((form.status, refusal(&form).1), (415, "unsupported_media_type".to_owned()));
}

#[tokio::test]
async fn alerts_are_filtered() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING, OTHER]).await;
    let list = async |query: &str| names(&server.get(&format!("/api/v1/alerts?{query}")).await);
    assert_eq!(list("").await, set(["PgDown", "PgSlow", "DiskFull"]));
    assert_eq!(list("filter=team%3Ddb&filter=alertname%3D~Pg.*").await, set(["PgDown", "PgSlow"]));
    assert_eq!(list("state=suppressed").await, set(["PgSlow"]));
    assert_eq!(list("state=active").await, set(["PgDown", "DiskFull"]));
    assert_eq!(list("receiver=hook").await, set(["DiskFull"]));
    assert_eq!(list("receiver=db.hook").await, set(["PgDown", "PgSlow"]));
    assert_eq!(list("severity=WARNING").await, set(["PgSlow", "DiskFull"]));
}

#[tokio::test]
async fn a_list_is_paged_through_while_it_changes() {
    let server = TestServer::start().await;
    let ids: Vec<String> = (0..25).map(|i| format!("i{i:02}")).collect();
    for id in &ids {
        server.fire(&[&[("alertname", "A"), ("instance", id)]]).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/alerts?limit=10".to_owned();
    for page in 0.. {
        let answer = server.get(&path).await;
        seen.extend(items(&answer).iter().map(|it| it["labels"]["instance"].clone()));
        assert!(page < 4);
        // One more that may or may not be seen must not disturb the others.
        server.fire(&[&[("alertname", "B"), ("instance", &format!("b{page}"))]]).await;
        match answer.json()["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/alerts?limit=10&cursor={cursor}"),
            None => break,
        }
    }
    let known: BTreeSet<_> = seen.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(known.len(), seen.len(), "nothing twice");
    assert!(ids.iter().all(|id| known.contains(id)), "nothing left out");
}

#[tokio::test]
async fn requests_that_make_no_sense_are_problems() {
    let server = TestServer::start().await;
    let mut shown = Vec::new();
    for path in [
        "/api/v1/alerts?filter=a%3D1&filter=oops",
        "/api/v1/alerts?stat=active",
        "/api/v1/alerts?state=pending",
        "/api/v1/alerts?limit=5000",
        "/api/v1/alerts?cursor=nonsense",
        "/api/v1/alerts/xyz",
        "/api/v1/alerts/0123456789abcdef",
        "/api/v1/alerts/0123456789abcdef/explain",
        "/api/v1/groups/99",
        "/api/v1/groups/first",
        "/api/v1/silences/xyz",
        "/api/v1/silences/6e0d7c4e-2b5e-4f0e-9d5c-0f3b8f7f4a11",
        "/api/v1/maintenance-windows/none",
        "/api/v1/events?kind=alert_fird",
        "/api/v1/events?subject=cow:1",
        "/api/v1/events?from=yesterday",
        "/api/v1/status?verbose=1",
        "/api/v1/nothing",
        "/api/v1",
    ] {
        let (status, code, detail) = refusal(&server.get(path).await);
        shown.push(format!("{path}\n  {status} {code}: {detail}"));
    }
    insta::assert_snapshot!(shown.join("\n"));
    let full = problem(&server.get("/api/v1/alerts?filter=oops").await);
    insta::assert_json_snapshot!("a_problem", full);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_a_problem() {
    let server = TestServer::start().await;
    let answer = server.ask("PATCH", "/api/v1/silences").await;
    assert_eq!((answer.status, refusal(&answer).1), (405, "method_not_allowed".to_owned()));
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    assert_eq!(server.ask("HEAD", "/api/v1/silences").await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_problem() {
    let options = Options { max_request_bytes: 1_000, ..Options::default() };
    let server = TestServer::start_with(options).await;
    let body = json!({ "alerts": [], "padding": "x".repeat(2_000) });
    let answer = server.post_json("/api/v1/alerts", &body).await;
    assert_eq!((answer.status, refusal(&answer).1), (413, "body_too_large".to_owned()));
}

#[tokio::test]
async fn a_client_that_asks_too_often_gets_a_problem() {
    let options = Options { requests_per_second: 1, ..Options::default() };
    let server = TestServer::start_with(options).await;
    let mut answer = server.get("/api/v1/status").await;
    for _ in 0..5 {
        answer = server.get("/api/v1/status").await;
    }
    assert_eq!((answer.status, refusal(&answer).1), (429, "rate_limited".to_owned()));
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn an_engine_that_has_stopped_is_a_problem() {
    let server = TestServer::start().await;
    server.app.engine.stop().await;
    for answer in [
        server.get("/api/v1/alerts").await,
        server
            .post_json("/api/v1/alerts", &json!({ "alerts": [{ "labels": { "a": "1" } }] }))
            .await,
    ] {
        assert_eq!((answer.status, refusal(&answer).1), (503, "stopping".to_owned()));
        assert_eq!(answer.header("retry-after"), "5");
    }
}

#[tokio::test]
async fn groups_are_listed_and_shown() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING, OTHER]).await;
    let list = server.get("/api/v1/groups").await;
    insta::assert_json_snapshot!("groups", list.json());
    let of = async |query: &str| names(&server.get(&format!("/api/v1/groups?{query}")).await);
    assert_eq!(of("receiver=hook").await, set(["DiskFull"]));
    assert_eq!(of("filter=severity%3Dcritical").await, set(["PgDown"]));
    let number = &items(&list)[0]["number"];
    let one = server.get(&format!("/api/v1/groups/{number}")).await;
    assert_eq!(one.json()["key"], items(&list)[0]["key"]);
    assert_eq!(one.json()["alerts"]["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_silence_is_made_changed_and_ended() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, OTHER]).await;
    let draft = json!({
        "matchers": ["team=db", { "name": "alertname", "op": "=~", "value": "Pg.*" }],
        "duration_seconds": 7200, "created_by": "ada", "comment": "deploy",
        "annotations": { "ticket": "OPS-7" },
    });
    let made = server.post_json("/api/v1/silences", &draft).await;
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/v1/silences/{id}"));
    let mut silence = made.json();
    silence["id"] = "(an id)".into();
    insta::assert_json_snapshot!("silence", silence);
    let suppressed = server.get("/api/v1/alerts?state=suppressed").await;
    assert_eq!(items(&suppressed)[0]["suppressed_by"], json!([{ "by": "silence", "id": id }]));

    server.clock.advance(600);
    let mut longer = draft.clone();
    longer["duration_seconds"] = 10_800.into();
    let longer = server.put(&format!("/api/v1/silences/{id}"), &longer).await;
    assert_eq!((longer.status, longer.json()["id"].as_str()), (200, Some(id.as_str())));
    assert_eq!(longer.json()["ends_at"], "2026-11-20T15:00:00Z", "it keeps its start");

    let ended = server.ask("DELETE", &format!("/api/v1/silences/{id}")).await;
    assert_eq!((ended.status, ended.json()["state"].as_str()), (200, Some("expired")));
    let again = server.ask("DELETE", &format!("/api/v1/silences/{id}")).await;
    assert_eq!((again.status, again.json()), (200, ended.json()));
    let anew = server.put(&format!("/api/v1/silences/{id}"), &draft).await;
    assert_ne!(anew.json()["id"], ended.json()["id"], "one that is over is not revived");
}

#[tokio::test]
async fn silences_are_filtered_newest_first() {
    let server = TestServer::start().await;
    let one = server.silence(&["a=1"]).await;
    let two = server.silence(&["a=1", "b=2"]).await;
    server.ask("DELETE", &format!("/api/v1/silences/{}", one["id"].as_str().unwrap())).await;
    let list = async |query: &str| {
        let answer = server.get(&format!("/api/v1/silences?{query}")).await;
        items(&answer).iter().map(|it| it["id"].clone()).collect::<Vec<_>>()
    };
    let (one, two) = (vec![one["id"].clone()], vec![two["id"].clone()]);
    let both = [two.clone(), one.clone()].concat();
    assert_eq!(list("").await, both);
    assert_eq!(list("state=expired").await, one);
    assert_eq!(list("state=expired&state=active").await, both);
    assert_eq!(list("filter=b%3D2").await, two);
    assert!(list("created_by=grace").await.is_empty());
    let first = server.get("/api/v1/silences?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(list(&format!("limit=1&cursor={cursor}")).await, one);
}

#[tokio::test]
async fn silences_that_make_no_sense_name_the_place() {
    let server = TestServer::start().await;
    let good = json!({ "matchers": ["a=1"], "duration_seconds": 60, "created_by": "ada" });
    let mut shown = Vec::new();
    for (field, value) in [
        ("matchers", json!([])),
        ("matchers", json!(["a=1", "b", "c=~("])),
        ("matchers", json!(["a=~.*"])),
        ("duration_seconds", json!(0)),
        ("duration_seconds", json!(null)),
        ("ends_at", json!("2026-11-20T13:00:00Z")),
        ("created_by", json!(" ")),
        ("comment", json!("x".repeat(20_000))),
        ("starts_at", json!("tomorrow")),
        ("end_at", json!("2026-11-20T13:00:00Z")),
    ] {
        let mut draft = good.clone();
        draft[field] = value;
        let answer = server.post_json("/api/v1/silences", &draft).await;
        let problem = problem(&answer);
        let errors = problem["errors"].as_array().unwrap().iter();
        let errors: Vec<String> = errors
            .map(|it| format!("\n  {} {}", it["pointer"], it["message"].as_str().unwrap()))
            .collect();
        shown.push(format!("{} {}{}", answer.status, problem["code"], errors.concat()));
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[tokio::test]
async fn a_preview_shows_what_a_silence_would_mute() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING, OTHER]).await;
    let asked = json!({ "matchers": ["team=db"] });
    let preview = server.post_json("/api/v1/silences/preview", &asked).await.json();
    assert_eq!(
        (&preview["matching"], &preview["firing"], &preview["already_suppressed"]),
        (&json!(2), &json!(3), &json!(1))
    );
    assert_eq!(preview["alerts"].as_array().unwrap().len(), 2);
    let all = server.post_json("/api/v1/silences/preview", &json!({ "matchers": ["x=~.*"] })).await;
    assert_eq!((&all.json()["matching"], &all.json()["is_acceptable"]), (&json!(3), &json!(false)));
    assert!(items(&server.get("/api/v1/silences").await).is_empty(), "nothing was made");
}

#[tokio::test]
async fn a_maintenance_window_is_planned_changed_and_removed() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL]).await;
    let draft = json!({
        "matchers": ["team=db"], "starts_at": "2026-11-20T11:30:00", "duration_seconds": 3600,
        "time_zone": "UTC", "recurrence": "FREQ=WEEKLY;BYDAY=FR", "comment": "backup",
        "created_by": "ada",
    });
    let mut new = draft.clone();
    new["name"] = "db backup".into();
    let made = server.post_json("/api/v1/maintenance-windows", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("location"), "/api/v1/maintenance-windows/db%20backup");
    insta::assert_json_snapshot!("maintenance_window", made.json());
    let path = made.header("location").to_owned();
    assert_eq!(server.get(&path).await.json(), made.json());
    let suppressed = server.get("/api/v1/alerts?state=suppressed").await;
    assert_eq!(
        items(&suppressed)[0]["suppressed_by"],
        json!([{ "by": "maintenance_window", "name": "db backup" }])
    );
    let again = server.post_json("/api/v1/maintenance-windows", &new).await;
    assert_eq!((again.status, refusal(&again).1), (409, "already_exists".to_owned()));

    let mut later = draft.clone();
    later["starts_at"] = "2026-11-27T11:30:00".into();
    let changed = server.put(&path, &later).await;
    assert_eq!((changed.status, &changed.json()["state"]), (200, &json!("pending")));
    assert_eq!(server.put("/api/v1/maintenance-windows/other", &draft).await.status, 201);
    let list = items(&server.get("/api/v1/maintenance-windows").await);
    assert_eq!(
        list.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["db backup", "other"]
    );
    assert_eq!(items(&server.get("/api/v1/maintenance-windows?state=active").await).len(), 1);

    assert_eq!(server.ask("DELETE", &path).await.status, 204);
    let gone = server.ask("DELETE", &path).await;
    assert_eq!((gone.status, refusal(&gone).1), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_window_of_the_configuration_is_read_only() {
    let server = TestServer::start().await;
    let window = MaintenanceWindow {
        name: Arc::from("nightly"),
        matchers: Matchers::new(vec![Matcher::equal("job", "backup")]),
        starts_at: "2026-11-20T02:00:00".parse().unwrap(),
        duration: SignedDuration::from_hours(1),
        zone: TimeZone::UTC,
        recurrence: Some(Recurrence::new("FREQ=DAILY").unwrap()),
        comment: String::new(),
        created_by: "configuration".to_owned(),
    };
    let policy = Policy { maintenance_windows: vec![window], ..support::policy() };
    let policy = Arc::new(policy);
    server.app.engine.command(Command::Reconfigure { policy }).await.unwrap();
    let path = "/api/v1/maintenance-windows/nightly";
    assert_eq!(server.get(path).await.json()["is_provisioned"], true);
    let draft = json!({
        "matchers": ["a=1"], "starts_at": "2026-11-22T02:00:00", "duration_seconds": 60,
        "created_by": "ada",
    });
    for answer in [server.put(path, &draft).await, server.ask("DELETE", path).await] {
        assert_eq!((answer.status, refusal(&answer).1), (409, "provisioned".to_owned()));
    }
}

#[tokio::test]
async fn windows_that_make_no_sense_name_the_place() {
    let server = TestServer::start().await;
    let good = json!({
        "name": "n", "matchers": ["a=1"], "starts_at": "2026-11-22T02:00:00",
        "duration_seconds": 60, "created_by": "ada",
    });
    for (field, value, status) in [
        ("name", json!(""), 422),
        ("name", json!("x".repeat(300)), 422),
        ("matchers", json!([]), 422),
        ("duration_seconds", json!(0), 422),
        ("duration_seconds", json!(u64::MAX), 422),
        ("time_zone", json!("Europe/Nowhere"), 422),
        ("recurrence", json!("FREQ=SOMETIMES"), 422),
        ("starts_at", json!("soon"), 400),
    ] {
        let mut new = good.clone();
        new[field] = value;
        let answer = server.post_json("/api/v1/maintenance-windows", &new).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(problem(&answer)["errors"][0]["pointer"], format!("/{field}"));
    }
}

#[tokio::test]
async fn receivers_and_routes_are_shown_and_tried() {
    let server = TestServer::start().await;
    insta::assert_json_snapshot!("receivers", server.get("/api/v1/receivers").await.json());
    insta::assert_json_snapshot!("routes", server.get("/api/v1/routes").await.json());
    let test = json!({ "labels": { "alertname": "PgDown", "team": "db" } });
    let taken = server.post_json("/api/v1/routes/test", &test).await;
    insta::assert_json_snapshot!("routes_test", taken.json());
    let webhooks = items(&server.get("/api/v1/receivers?kind=webhook").await);
    assert_eq!(webhooks.len(), 2);
}

#[tokio::test]
async fn somebody_works_on_an_alert_until_they_do_not() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING]).await;
    let alerts = items(&server.get("/api/v1/alerts").await);
    let critical = alerts.iter().find(|it| it["labels"]["severity"] == "critical").unwrap();
    let fingerprint = critical["fingerprint"].as_str().unwrap();
    let path = format!("/api/v1/alerts/{fingerprint}");

    let draft = json!({ "by": "ada", "comment": "on it", "duration_seconds": 3600 });
    let answer = server.post_json(&format!("{path}/acknowledge"), &draft).await;
    assert_eq!(answer.json(), json!({ "alerts": [fingerprint] }), "{answer:?}");
    assert_eq!(
        server.get(&path).await.json()["acknowledgement"],
        json!({
            "by": "ada", "comment": "on it",
            "at": "2026-11-20T12:00:00Z", "expires_at": "2026-11-20T13:00:00Z"
        })
    );
    let listed = async |wanted: &str| {
        items(&server.get(&format!("/api/v1/alerts?acknowledged={wanted}")).await).len()
    };
    assert_eq!((listed("true").await, listed("false").await), (1, alerts.len() - 1));

    let note = json!({ "by": "ben", "text": "the disk was replaced" });
    assert_eq!(server.post_json(&format!("{path}/notes"), &note).await.status, 200);
    let back = json!({ "by": "ben", "matchers": ["severity=critical"] });
    let answer = server.post_json("/api/v1/alerts/unacknowledge", &back).await;
    assert_eq!(answer.json(), json!({ "alerts": [fingerprint] }), "{answer:?}");
    let all = json!({ "by": "ada", "matchers": ["alertname=~\".+\""] });
    let answer = server.post_json("/api/v1/alerts/acknowledge", &all).await;
    assert_eq!(answer.json()["alerts"].as_array().unwrap().len(), alerts.len());

    let kinds = "kind=alert_acknowledged&kind=alert_unacknowledged&kind=alert_noted";
    let events =
        items(&server.get(&format!("/api/v1/events?subject=alert:{fingerprint}&{kinds}")).await);
    let texts: Vec<_> = events.iter().map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(
        texts,
        [
            "acknowledged by ada",
            "acknowledgement taken back by ben",
            "noted by ben: the disk was replaced",
            "acknowledged by ada until 2026-11-20T13:00:00Z: on it"
        ]
    );
}

#[tokio::test]
async fn an_acknowledgement_that_makes_no_sense_names_the_place() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL]).await;
    let path = "/api/v1/alerts/acknowledge";
    for (draft, status, pointer) in [
        (json!({ "by": "ada" }), 422, "/matchers"),
        (json!({ "by": " ", "matchers": ["alertname=~\".+\""] }), 422, "/by"),
        (
            json!({ "by": "a", "matchers": ["alertname=~\".+\""], "expires_at": "2026-11-20T11:00:00Z" }),
            422,
            "/expires_at",
        ),
        (
            json!({
                "by": "a", "matchers": ["a=b"], "duration_seconds": 1,
                "expires_at": "2026-11-20T13:00:00Z"
            }),
            422,
            "/duration_seconds",
        ),
    ] {
        let answer = server.post_json(path, &draft).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(problem(&answer)["errors"][0]["pointer"], pointer, "{answer:?}");
    }
    let nothing = json!({ "by": "ada", "matchers": ["alertname=Other"] });
    assert_eq!(server.post_json(path, &nothing).await.status, 404);
    let unknown = json!({ "by": "ada", "text": "hello" });
    let answer = server.post_json("/api/v1/alerts/0123456789abcdef/notes", &unknown).await;
    assert_eq!(answer.status, 404, "{answer:?}");
}

#[tokio::test]
async fn changes_are_told_and_listed_newest_first() {
    let server = TestServer::start().await;
    for build in 41..=42 {
        let change = json!({
            "summary": format!("checkout {build} is live"), "source": "pipeline",
            "occurred_at": "2026-11-20T11:58:00Z", "details": { "build": build },
            "links": [{ "href": "http://ci.example/", "text": "the build" }]
        });
        assert_eq!(server.post_json("/api/v1/changes", &change).await.status, 202);
    }
    let changes = items(&server.get("/api/v1/changes").await);
    assert_eq!(changes.len(), 2);
    assert_eq!(changes[0]["summary"], "checkout 42 is live");
    assert_eq!(changes[0]["details"], json!({ "build": 42 }));
    assert_eq!(changes[0]["occurred_at"], "2026-11-20T11:58:00Z");
    let long = json!({ "summary": "x".repeat(1_025) });
    let refused = server.post_json("/api/v1/changes", &long).await;
    assert_eq!(problem(&refused)["errors"][0]["pointer"], "/summary");
}

#[tokio::test]
async fn a_receiver_is_tried_with_a_test_message() {
    let server = TestServer::start().await;
    let path = "/api/v1/receivers/hook/test";
    let mut told = server.post_json(path, &json!({})).await.json();
    told["integrations"][0]["elapsed_ms"] = json!(0);
    assert_eq!(
        told,
        json!({
            "receiver": "hook",
            "delivered": true,
            "integrations": [
                { "integration": "hook/webhook[0]", "delivered": true, "elapsed_ms": 0 }
            ]
        })
    );
    let one = json!({ "integration": "hook/webhook[0]", "labels": { "alertname": "PgDown" } });
    assert_eq!(server.post_json(path, &one).await.json()["delivered"], true);
    let other = server.post_json(path, &json!({ "integration": "hook/slack[0]" })).await;
    assert_eq!(problem(&other)["errors"][0]["pointer"], "/integration");
    let unknown = server.post_json("/api/v1/receivers/nobody/test", &json!({})).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
}

#[tokio::test]
async fn an_alert_is_explained_while_it_fires_and_when_it_is_over() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING]).await;
    server.advance_until(31, "notification_sent").await;
    let fingerprints = items(&server.get("/api/v1/alerts").await);
    let of = |name: &str| {
        let it = fingerprints.iter().find(|it| it["labels"]["alertname"] == name).unwrap();
        it["fingerprint"].as_str().unwrap().to_owned()
    };
    let explain = async |name: &str| {
        let answer = server.get(&format!("/api/v1/alerts/{}/explain", of(name))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    insta::assert_json_snapshot!("explanation_of_an_inhibited_alert", explain("PgSlow").await);
    let told = explain("PgDown").await;
    let history = |explanation: &Value| {
        let history = explanation["history"].as_array().unwrap().iter();
        let lines: Vec<String> = history
            .map(|it| format!("{} {} {}", it["at"], it["subject"]["name"], it["text"]))
            .collect();
        lines.join("\n")
    };
    insta::assert_snapshot!("history_of_a_told_alert", history(&told));
    assert_eq!(told["groups"][0]["integrations"][0]["was_told"], true);

    // Its end, and long enough after it that its life is over.
    server.advance_until(300, "group_closed").await;
    server.clock.advance(3_600);
    server.app.engine.read(|_, _| ()).await.unwrap();
    let over = explain("PgDown").await;
    assert_eq!((&over["alert"]["state"], &over["groups"]), (&json!("resolved"), &json!([])));
    insta::assert_snapshot!("history_of_an_alert_that_is_over", history(&over));
    let cut = format!("/api/v1/alerts/{}/explain?limit=2", of("PgDown"));
    let cut = server.get(&cut).await.json();
    assert_eq!(
        (cut["history"].as_array().unwrap().len(), &cut["is_history_cut"]),
        (2, &json!(true))
    );
}

#[tokio::test]
async fn events_are_listed_newest_first_and_filtered() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING]).await;
    server.advance_until(60, "notification_sent").await;
    let silence = server.silence(&["a=1"]).await;
    let all = items(&server.get("/api/v1/events").await);
    let sequences: Vec<u64> = all.iter().map(|it| it["sequence"].as_u64().unwrap()).collect();
    assert!(sequences.is_sorted_by(|a, b| a > b) && sequences.last() == Some(&1));
    let of = async |query: &str| items(&server.get(&format!("/api/v1/events?{query}")).await);
    assert_eq!(of("kind=alert_fired&kind=silence_set").await.len(), 3);
    assert_eq!(of("subject=alert:1").await[0]["subject"]["number"], 1);
    assert_eq!(of(&format!("subject=silence:{}", silence["id"].as_str().unwrap())).await.len(), 2);
    assert_eq!(of("subject=silence:1&kind=silence_started").await.len(), 1);
    let fingerprint = all.iter().find(|it| it["kind"] == "alert_fired").unwrap();
    let fingerprint = fingerprint["subject"]["fingerprint"].as_str().unwrap();
    assert_eq!(of(&format!("subject=alert:{fingerprint}&kind=alert_fired")).await.len(), 1);
    assert!(of("subject=alert:0123456789abcdef").await.is_empty());
    let (late, early): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|it| it["at"] == "2026-11-20T12:01:00Z");
    assert_eq!(of("from=2026-11-20T12:01:00Z").await, late);
    assert_eq!(of("to=2026-11-20T12:01:00Z").await, early);

    let mut paged = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = server.get(&format!("/api/v1/events?{query}")).await;
        paged.extend(items(&page));
        match page.json()["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn unsent_notifications_are_listed() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, OTHER]).await;
    assert!(items(&server.get("/api/v1/notifications").await).is_empty());
    // In the turn of the read itself nothing has been attempted yet.
    server.clock.advance(31);
    let answer = server.get("/api/v1/notifications").await;
    insta::assert_json_snapshot!("notifications", answer.json());
}

#[tokio::test]
async fn the_status_says_how_the_server_is_doing() {
    let server = TestServer::start().await;
    server.fire(&[CRITICAL, WARNING]).await;
    server.clock.advance(90);
    let mut status = server.get("/api/v1/status").await.json();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    status["version"] = "(the version)".into();
    insta::assert_json_snapshot!("status", status);
}

#[tokio::test]
async fn the_document_lists_every_route_and_is_openapi_3_1() {
    let server = TestServer::start().await;
    let document = server.get("/api/v1/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    assert_eq!(document["info"]["title"], "Tocsin");
    assert_eq!(document["info"]["license"]["name"], "MIT OR Apache-2.0");
    let mut shown = Vec::new();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["summary"].is_string(), "{id}");
            assert_eq!(operation["responses"]["default"]["$ref"], "#/components/responses/Problem");
            shown.push(format!("{method} {path} {id}"));
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                // Only what is part of the path must be there.
                assert_eq!(parameter["required"], parameter["in"] == "path", "{id} {parameter}");
            }
            // What the document lists is there: a missing route is 404 without an `Allow`.
            let path = path.replace("{fingerprint}", "0123456789abcdef").replace("{number}", "1");
            let path = path.replace("{id}", "x").replace("{name}", "x");
            let answer = server.ask("PROPFIND", &path).await;
            assert_eq!(answer.status, 405, "{path}");
            assert!(answer.header("allow").contains(&method.to_uppercase()), "{path}");
        }
    }
    insta::assert_snapshot!("operations", shown.join("\n"));
    let codes = &document["components"]["schemas"]["ProblemCode"]["enum"];
    assert_eq!(*codes, serde_json::to_value(ProblemCode::ALL).unwrap());
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    assert_eq!(document, serde_json::to_value(tocsin_server::v1::openapi()).unwrap());
}

#[tokio::test]
async fn everything_lives_under_the_route_prefix() {
    let options = Options { route_prefix: "/tocsin".to_owned(), ..Options::default() };
    let server = TestServer::start_with(options).await;
    let draft = json!({ "matchers": ["a=1"], "duration_seconds": 60, "created_by": "ada" });
    let made = server.post_json("/tocsin/api/v1/silences", &draft).await;
    assert_eq!(server.get(made.header("location")).await.json(), made.json());
    let document = server.get("/tocsin/api/v1/openapi.json").await.json();
    assert_eq!(document["servers"], json!([{ "url": "/tocsin" }]));
    let answer = server.get("/tocsin/api/v1/nothing").await;
    assert_eq!((answer.status, refusal(&answer).1), (404, "not_found".to_owned()));
    assert_eq!(server.ask("PUT", "/tocsin/api/v1/status").await.status, 405);
}
