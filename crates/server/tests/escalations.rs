//! Escalations, policies, contact methods, pages and heartbeats through the API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_core::escalation::{Delay, EscalationPolicy};
use tocsin_core::heartbeat::HeartbeatMonitor;
use tocsin_core::identity::{Handle, Permission, PersonOrigin, Scope, TokenOwner};
use tocsin_core::labels::Labels;
use tocsin_core::policy::{Integration, Policy};
use tocsin_core::tenant::ESCALATION;
use tocsin_server::Options;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

impl TestServer {
    /// Everything that goes to `db.hook` pages by the policy `db`: ada, grace after 5 minutes.
    async fn paging() -> Self {
        let server = Self::start_by(Options::default(), paging_policy()).await;
        for (handle, address) in [("ada", "ada@example.org"), ("grace", "")] {
            let person = json!({ "handle": handle, "email": address });
            assert_eq!(server.json("POST", "/api/v1/people", person).await.status, 201);
        }
        server
    }

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

    /// Lets the engine do what is due, and returns a path's answer once it says so.
    async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let mut feed = self.app.engine.subscribe();
        let waiting = async {
            loop {
                self.app.engine.read(|_, _| ()).await.unwrap();
                let value = self.get(path).await.json();
                if holds(&value) {
                    return value;
                }
                feed.recv().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap()
    }

    /// Fires an alert that pages, and returns its escalation once it is there.
    async fn page_for_pg_down(&self) -> Value {
        self.fire(&[&[
            ("alertname", "PgDown"),
            ("team", "db"),
            ("severity", "critical"),
            ("service", "orders"),
        ]])
        .await;
        self.clock.advance(31);
        let page = self.until("/api/v1/escalations", |it| it["items"][0]["number"] == 1).await;
        page["items"][0].clone()
    }
}

fn paging_policy() -> Policy {
    let mut policy = support::policy();
    let handle = |text| Handle::parse(text).unwrap();
    let mut paging = EscalationPolicy::of_people(&[handle("ada")]);
    paging.name = Arc::from("db");
    paging.team = Some(Arc::from("db"));
    let mut second = EscalationPolicy::of_people(&[handle("grace")]).steps.remove(0);
    second.after = Delay::Fixed { seconds: 300 };
    second.level = "L2".into();
    paging.steps.push(second);
    paging.repeat = 0;
    paging.origin = PersonOrigin::Provisioned;
    policy.escalation.policies = vec![Arc::new(paging)];
    for receiver in policy.receivers.iter_mut().filter(|it| &*it.name == "db.hook") {
        receiver.escalation_policy = Some(Arc::from("db"));
        receiver.integrations =
            vec![Integration { kind: ESCALATION, index: 0, send_resolved: true }];
    }
    policy.resolve_timeout = SignedDuration::from_hours(1);
    policy.heartbeats = vec![HeartbeatMonitor {
        name: Arc::from("backup"),
        timeout: SignedDuration::from_mins(5),
        labels: Labels::default(),
        annotations: Labels::default(),
    }];
    policy
}

#[tokio::test]
async fn a_problem_pages_is_acknowledged_given_back_and_resolved() {
    let server = TestServer::paging().await;
    let run = server.page_for_pg_down().await;
    assert_eq!((&run["state"], &run["people"]), (&json!("open"), &json!(["ada"])));
    server.until("/api/v1/pages/history", |it| it["items"][0]["state"] == "sent").await;
    let detail = server.get("/api/v1/escalations/1").await.json();
    insta::assert_json_snapshot!("escalation", detail);
    let history = server.get("/api/v1/pages/history?person=ada&run=1").await.json();
    insta::assert_json_snapshot!("past_pages", history);

    let ack = json!({ "comment": "on it", "by": "ada" });
    let answer = server.json("POST", "/api/v1/escalations/1/acknowledge", ack.clone()).await.json();
    insta::assert_json_snapshot!("answer", answer);
    let again = server.json("POST", "/api/v1/escalations/1/acknowledge", ack).await.json();
    assert_eq!(again["has_changed"], false);
    let alert = server.get("/api/v1/alerts").await.json()["items"][0].clone();
    assert_eq!(alert["acknowledgement"]["by"], "ada");

    let nothing = json!({});
    let back = server.json("POST", "/api/v1/escalations/1/unacknowledge", nothing.clone()).await;
    assert_eq!(back.json()["escalation"]["state"], "open");
    let next = server.json("POST", "/api/v1/escalations/1/escalate", nothing.clone()).await.json();
    assert!(next["text"].as_str().unwrap().starts_with("escalated to step 2"), "{next}");
    let snooze = json!({ "duration_seconds": 600 });
    let snoozed = server.json("POST", "/api/v1/escalations/1/snooze", snooze).await.json();
    assert_eq!(snoozed["escalation"]["until"], "2026-11-20T12:10:31Z");
    let short = json!({ "duration_seconds": 5 });
    assert_eq!(server.json("POST", "/api/v1/escalations/1/snooze", short).await.status, 422);
    let over = server.json("POST", "/api/v1/escalations/1/resolve", nothing.clone()).await.json();
    assert_eq!(over["escalation"]["state"], "resolved");
    let late = server.json("POST", "/api/v1/escalations/1/escalate", nothing.clone()).await;
    assert_eq!(late.status, 409);
    let missing = server.json("POST", "/api/v1/escalations/9/escalate", nothing).await;
    assert_eq!(missing.status, 404);

    let events = server.get("/api/v1/escalations/1/events").await.json();
    let told: Vec<_> = events["items"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    insta::assert_json_snapshot!("escalation_events", told);
    assert_eq!(server.get("/api/v1/escalations/1/events?limit=2").await.json()["is_cut"], true);
    let open = server.get("/api/v1/escalations?state=open&state=acknowledged").await.json();
    assert_eq!(open["items"], json!([]));
    for filter in ["state=resolved", "person=ada", "service=orders", "policy=db"] {
        let found = server.get(&format!("/api/v1/escalations?{filter}")).await.json();
        assert_eq!(found["items"][0]["number"], 1, "{filter}");
    }
    for filter in ["person=grace", "service=web", "policy=web"] {
        let found = server.get(&format!("/api/v1/escalations?{filter}")).await.json();
        assert_eq!(found["items"], json!([]), "{filter}");
    }
}

#[tokio::test]
async fn whoever_was_paged_or_not_is_told_why() {
    let server = TestServer::paging().await;
    server.page_for_pg_down().await;
    server.until("/api/v1/pages/history", |it| it["items"][0]["state"] == "sent").await;
    let ada = server.get("/api/v1/people/ada/why?run=1").await.json();
    insta::assert_json_snapshot!("why", ada);
    server.clock.advance(301);
    server.until("/api/v1/escalations/1", |it| it["reached"][1].is_object()).await;
    let grace = server.get("/api/v1/people/grace/why?run=1").await.json();
    insta::assert_json_snapshot!("why_not", grace);
    let linus = server.get("/api/v1/people/linus/why?run=1").await.json();
    assert_eq!(linus["was_paged"], false);
    assert_eq!(server.get("/api/v1/people/ada/why?run=7").await.status, 404);
    assert_eq!(server.get("/api/v1/people/ada/why").await.json()["escalation"], 1);
    let alerts = server.get("/api/v1/alerts").await.json();
    let is_it = |alert: &&Value| alert["labels"]["alertname"] == "PgDown";
    let alert = alerts["items"].as_array().unwrap().iter().find(is_it).unwrap();
    let path = format!("/api/v1/alerts/{}/explain", alert["fingerprint"].as_str().unwrap());
    let explained = server.get(&path).await.json();
    assert_eq!(explained["escalations"][0]["number"], 1);
    let kinds: Vec<_> =
        explained["history"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert!(kinds.contains(&json!("step_reached")), "{kinds:?}");
}

#[tokio::test]
async fn somebody_pages_by_hand_once() {
    let server = TestServer::paging().await;
    let draft = json!({
        "title": "the shop is on fire", "people": ["ada"], "severity": "critical",
        "idempotency_key": "6f1c1c9e-5b0f-4a43-9d7c-000000000001"
    });
    let answer = server.json("POST", "/api/v1/escalations", draft.clone()).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/api/v1/escalations/1"));
    assert_eq!(answer.json()["people"], json!(["ada"]));
    assert_eq!(server.json("POST", "/api/v1/escalations", draft).await.json()["number"], 1);
    let by_policy = json!({ "title": "disk full", "policy": "db", "service": "orders" });
    assert_eq!(server.json("POST", "/api/v1/escalations", by_policy).await.json()["number"], 2);
    for (bad, status) in [
        (json!({ "title": " " }), 422),
        (json!({ "title": "x" }), 404),
        (json!({ "title": "x", "policy": "nope" }), 404),
        (json!({ "title": "x", "people": ["nobody"] }), 404),
        (json!({ "title": "x", "people": ["ada"], "policy": "db" }), 422),
        (json!({ "title": "x", "people": ["ada"], "severity": "awful" }), 422),
    ] {
        let answer = server.json("POST", "/api/v1/escalations", bad.clone()).await;
        assert_eq!(answer.status, status, "{bad}: {answer:?}");
    }
}

#[tokio::test]
async fn policies_are_made_checked_simulated_and_removed() {
    let server = TestServer::paging().await;
    let draft = json!({
        "description": "the web shop", "team": "web", "services": ["web-*"],
        "severities": ["sev1", "sev2"],
        "steps": [
            { "page": ["ada", "webhook:https://hooks.example.org/secret"] },
            { "after_seconds": { "sev1": 120 }, "level": "L2", "page": ["schedule:web/next"] },
            { "after_seconds": 600, "page": ["grace"], "working_hours": "inside" }
        ],
        "repeat": 1, "ack_timeout_seconds": 1800
    });
    let answer = server.json("PUT", "/api/v1/escalation-policies/web", draft).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.contains("/secret"));
    insta::assert_json_snapshot!("escalation_policy", answer.json());
    // What is hidden stays as it is when it is sent back.
    let mut same = answer.json();
    for field in ["name", "origin", "used_by"] {
        same.as_object_mut().unwrap().remove(field);
    }
    let again = server.json("PUT", "/api/v1/escalation-policies/web", same).await;
    assert_eq!(again.json(), answer.json());
    let notices = server.get("/api/v1/escalation-policies/web/notices").await.json();
    insta::assert_json_snapshot!("policy_notices", notices);
    let asked = json!({ "service": "web-eu", "severity": "critical" });
    let simulated = server.json("POST", "/api/v1/escalation-policies/simulate", asked).await;
    insta::assert_json_snapshot!("simulation", simulated.json());

    let list = server.get("/api/v1/escalation-policies").await.json();
    let names: Vec<_> = list["items"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["db", "web"]);
    assert_eq!(list["items"][0]["used_by"], json!(["db.hook"]));
    let steps = json!({ "steps": [{ "page": ["ada"] }] });
    assert_eq!(server.json("PUT", "/api/v1/escalation-policies/db", steps).await.status, 409);
    assert_eq!(server.ask("DELETE", "/api/v1/escalation-policies/db").await.status, 409);
    assert_eq!(server.ask("DELETE", "/api/v1/escalation-policies/web").await.status, 204);
    assert_eq!(server.get("/api/v1/escalation-policies/web").await.status, 404);
    assert_eq!(server.get("/api/v1/escalation-policies/web/notices").await.status, 404);
    let bad = json!({
        "severities": ["sev9"], "acknowledgement": "some", "default_on_call": "Not One",
        "steps": [{ "page": ["shedule:x", "webhook:<elsewhere>"], "urgency": "medium" }]
    });
    let answer = server.json("PUT", "/api/v1/escalation-policies/bad", bad).await;
    assert_eq!(answer.status, 422);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    let places: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    let expected = [
        "/severities/0",
        "/acknowledgement",
        "/default_on_call",
        "/steps/0/page/0",
        "/steps/0/page/1",
        "/steps/0/urgency",
    ];
    assert_eq!(places, expected);
    assert_eq!(
        server.json("PUT", "/api/v1/escalation-policies/none", json!({ "steps": [] })).await.status,
        422
    );
}

#[tokio::test]
async fn a_contact_method_is_set_verified_tested_and_removed() {
    let server = TestServer::paging().await;
    let grace = server.token_of(
        TokenOwner::Person(Handle::parse("grace").unwrap()),
        &[Permission::ContactOwn, Permission::PeopleRead],
        Vec::new(),
    );
    let grace = grace.await;
    let roles = json!({ "roles": ["viewer"] });
    assert_eq!(server.json("PUT", "/api/v1/people/grace", roles).await.status, 200);
    let ask = |method: &'static str, path: &'static str, body: Value| {
        server.as_token(&grace, method, path, body)
    };
    let phone = json!({ "channel": "sms", "address": "+4915112345678" });
    let answer = ask("PUT", "/api/v1/people/grace/contacts/phone", phone.clone()).await;
    assert_eq!(answer.json()["methods"][0]["verification"], "unverified");
    let bad = json!({ "channel": "sms", "address": "12" });
    assert_eq!(ask("PUT", "/api/v1/people/grace/contacts/phone", bad).await.status, 422);
    let bad = json!({ "channel": "fax", "address": "12" });
    assert_eq!(ask("PUT", "/api/v1/people/grace/contacts/phone", bad).await.status, 422);
    let test = "/api/v1/people/grace/contacts/phone/test";
    assert_eq!(ask("POST", test, json!(null)).await.status, 409, "not verified");
    let verify = "/api/v1/people/grace/contacts/phone/verify";
    assert_eq!(
        ask("POST", verify, json!(null)).await.json()["methods"][0]["verification"],
        "pending"
    );
    assert_eq!(ask("POST", verify, json!(null)).await.status, 429);
    server.until("/api/v1/pages", |it| it["items"] == json!([])).await;
    let code = server.codes.lock().last().cloned().unwrap();
    assert!(code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()), "{code}");
    let confirm = "/api/v1/people/grace/contacts/phone/confirm";
    let wrong = json!({ "code": if code == "000000" { "000001" } else { "000000" } });
    assert_eq!(ask("POST", confirm, wrong).await.status, 422);
    let answer = ask("POST", confirm, json!({ "code": code })).await;
    assert_eq!(answer.json()["methods"][0]["is_usable"], true, "{answer:?}");
    assert_eq!(ask("POST", test, json!(null)).await.status, 204);
    let rules = json!({
        "high": [{ "after_seconds": 30, "method": "phone" }],
        "quiet_hours": { "from": "22:00", "to": "07:00" }
    });
    let answer = ask("PUT", "/api/v1/people/grace/notification-rules", rules).await;
    insta::assert_json_snapshot!("contacts", answer.json());

    // Nobody else may, and nobody else sees where it leads.
    assert_eq!(ask("PUT", "/api/v1/people/ada/contacts/phone", phone.clone()).await.status, 403);
    let seen = ask("GET", "/api/v1/people/ada/contacts", json!(null)).await.json();
    assert_eq!(seen["methods"][0]["address"], "a…@example.org");
    let stranger = server.token(&[Permission::AlertRead]).await;
    let path = "/api/v1/people/grace/contacts";
    assert_eq!(server.as_token(&stranger, "GET", path, json!(null)).await.status, 404);
    let narrow = server.token_of(
        TokenOwner::Person(Handle::parse("grace").unwrap()),
        &[Permission::PeopleRead],
        Vec::new(),
    );
    let narrow = narrow.await;
    let put = "/api/v1/people/grace/contacts/phone";
    assert_eq!(server.as_token(&narrow, "PUT", put, phone).await.status, 403);
    assert_eq!(ask("DELETE", put, json!(null)).await.status, 204);
    let provisioned = "/api/v1/people/ada/contacts/email";
    assert_eq!(server.ask("DELETE", provisioned).await.status, 409);
    let audit = server.get("/api/v1/audit").await;
    assert!(!audit.body.contains(&code) && !audit.body.contains("15112345678"));
    assert!(audit.body.contains("contact.verify"), "{audit:?}");
}

#[tokio::test]
async fn a_role_for_a_team_reaches_the_escalations_of_its_team_only() {
    let server = TestServer::paging().await;
    server.page_for_pg_down().await;
    let token = async |team: &'static str| {
        server
            .token_of(
                TokenOwner::Service("bot".to_owned()),
                &[
                    Permission::EscalationRead,
                    Permission::EscalationAnswer,
                    Permission::PolicyWrite,
                ],
                vec![Scope::Team(team.into())],
            )
            .await
    };
    let (web, db) = (token("web").await, token("db").await);
    let path = "/api/v1/escalations/1/acknowledge";
    assert_eq!(server.as_token(&web, "POST", path, json!({})).await.status, 404);
    let listed = server.as_token(&web, "GET", "/api/v1/escalations", json!(null)).await.json();
    assert_eq!(listed["items"], json!([]));
    let answer = server.as_token(&db, "POST", path, json!({})).await;
    assert_eq!(answer.json()["escalation"]["by"], "bot");
    let policy = json!({ "team": "db", "steps": [{ "page": ["ada"] }] });
    let put = "/api/v1/escalation-policies/own";
    assert_eq!(server.as_token(&web, "PUT", put, policy.clone()).await.status, 403);
    assert_eq!(server.as_token(&db, "PUT", put, policy).await.status, 200);
    assert_eq!(server.as_token(&web, "DELETE", put, json!(null)).await.status, 403);
}

#[tokio::test]
async fn a_heartbeat_is_heard_from_a_token_a_key_and_opsgenies_client() {
    let server = TestServer::paging().await;
    let known = server.get("/api/v1/heartbeats").await.json();
    insta::assert_json_snapshot!("heartbeats", known);
    server.clock.advance(301);
    server.until("/api/v1/heartbeats", |it| it["items"][0]["is_missed"] == true).await;
    let alerts = server.get("/api/v1/alerts").await.json();
    assert_eq!(alerts["items"][0]["labels"]["alertname"], "HeartbeatMissed");
    let token = server.token(&[Permission::HeartbeatPing]).await;
    let path = "/api/v1/heartbeats/backup/ping";
    let heard = server.as_token(&token, "POST", path, json!(null)).await.json();
    assert_eq!((&heard["name"], &heard["is_missed"]), (&json!("backup"), &json!(false)));
    assert_eq!(server.get(path).await.status, 200);
    let weak = server.token(&[Permission::AlertRead]).await;
    assert_eq!(server.as_token(&weak, "POST", path, json!(null)).await.status, 401);
    let key = server.token_of(
        TokenOwner::Integration("cron".to_owned()),
        &[Permission::AlertIngest],
        Vec::new(),
    );
    let key = key.await;
    assert_eq!(server.as_token(&key, "POST", path, json!(null)).await.status, 200);
    let unknown = "/api/v1/heartbeats/nope/ping";
    assert_eq!(server.as_token(&token, "POST", unknown, json!(null)).await.status, 404);
    let request = Request::get("/v2/heartbeats/backup/ping").header("authorization", "GenieKey x");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status, &answer.json()["result"]),
        (202, &json!("PONG - Heartbeat received"))
    );
}
