//! Incidents through the API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

#[path = "incidents/fields.rs"]
mod fields;
mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_core::identity::Permission;
use tocsin_core::incident::MessageTarget;
use tocsin_core::severity::Severity;
use tocsin_server::Options;

impl TestServer {
    async fn with_incidents() -> Self {
        let mut policy = support::policy();
        policy.incidents.open_from = Some(Severity::Sev2);
        let parse = |text| MessageTarget::parse(text).unwrap();
        let customers = vec![parse("email:all@example.org"), parse("ada")];
        policy.incidents.lists.insert("customers".into(), customers);
        policy.incidents.variables.insert("company_name".into(), "Acme".into());
        let server = Self::start_by(Options::default(), policy).await;
        let person = json!({ "handle": "ada", "email": "ada@example.org" });
        assert_eq!(server.order("POST", "/api/v1/people", &[], person).await.status, 201);
        server
    }

    async fn order(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn step(&self, verb: &str, body: Value) -> Answer {
        self.order("POST", &format!("/api/v1/incidents/1/{verb}"), &[], body).await
    }
}

fn problem(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn an_incident_is_declared_worked_on_and_told() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Customers cannot pay", "severity": "high", "service": "web" });
    let key = [("idempotency-key", "k-1")];
    let made = server.order("POST", "/api/v1/incidents", &key, draft.clone()).await;
    assert_eq!(made.status, 201);
    let reference = made.json()["ref"].as_str().unwrap().to_owned();
    let again = server.order("POST", "/api/v1/incidents", &key, draft).await;
    assert_eq!((again.status, again.json()["number"].as_u64()), (200, Some(1)));

    let taken = server.step("acknowledge", json!({})).await.json();
    assert_eq!(taken["has_changed"], true);
    assert_eq!(taken["incident"]["status"], "acknowledged");
    let twice = server.step("acknowledge", json!({})).await;
    assert_eq!((twice.status, twice.json()["has_changed"].as_bool()), (200, Some(false)));

    let denied = server.step("close", json!({})).await;
    assert_eq!(denied.status, 409);
    insta::assert_json_snapshot!("denied", problem(&denied));
    let unexplained = server.step("resolve", json!({})).await;
    assert_eq!(unexplained.status, 422);

    let stale = server
        .order(
            "POST",
            "/api/v1/incidents/1/resolve",
            &[("if-match", "\"1\"")],
            json!({ "note": "x" }),
        )
        .await;
    assert_eq!(stale.status, 412);
    assert_eq!(problem(&stale)["code"], "stale");
    let elsewhere = json!({ "from": "detected", "note": "x" });
    assert_eq!(server.step("resolve", elsewhere).await.status, 412);

    let worse = json!({ "severity": "sev1", "reason": "all of them" });
    assert_eq!(server.step("severity", worse).await.status, 200);
    assert_eq!(server.step("assign", json!({ "owner": "ada" })).await.status, 200);
    assert_eq!(server.step("assign", json!({ "owner": "nobody" })).await.status, 422);
    let late = json!({ "text": "=1+1 | the <b>disk</b>", "occurred_at": "2026-11-20T11:00:00Z" });
    assert_eq!(server.step("comments", late).await.status, 200);
    let edit = json!({ "title": "Nobody can pay", "evidence": { "error_rate": 1.5 } });
    assert_eq!(server.order("PATCH", "/api/v1/incidents/1", &[], edit).await.status, 422);
    let edit = json!({ "title": "Nobody can pay", "impact_started_at": "2026-11-20T11:30:00Z" });
    let edited = server.order("PATCH", "/api/v1/incidents/1", &[], edit).await;
    assert_eq!(edited.json()["incident"]["title"], "Nobody can pay");
    server.clock.advance(600);
    let done = json!({ "note": "the provider is back", "code": "mitigated" });
    assert_eq!(server.step("resolve", done).await.json()["incident"]["mttr"], 600);

    let detail = server.get(&format!("/api/v1/incidents/{reference}")).await.json();
    insta::assert_json_snapshot!("incident", detail);
    let timeline = server.get("/api/v1/incidents/1/timeline?limit=3").await.json();
    assert_eq!(timeline["next_after"], 3);
    let rest = server.get("/api/v1/incidents/1/timeline?after=3").await.json();
    insta::assert_json_snapshot!("timeline", rest);
    let markdown = server.get("/api/v1/incidents/1/timeline/export").await;
    insta::assert_snapshot!("markdown", markdown.body);
    let csv = server.get("/api/v1/incidents/1/timeline/export?format=csv").await;
    assert!(csv.body.contains("'=1+1"), "{}", csv.body);
    assert_eq!(server.get("/api/v1/incidents/7").await.status, 404);
    assert_eq!(server.get("/api/v1/incidents/x").await.status, 404);
}

#[tokio::test]
async fn lists_have_what_was_asked_for() {
    let server = TestServer::with_incidents().await;
    for (title, severity) in [("One", "sev1"), ("Two", "sev2"), ("Three", "sev3")] {
        let draft = json!({ "title": title, "severity": severity, "service": title });
        assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    }
    assert_eq!(server.step("resolve", json!({ "note": "over" })).await.status, 200);
    let numbers = async |query: &str| {
        let page = server.get(&format!("/api/v1/incidents{query}")).await.json();
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|it| it["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers("").await, [3, 2, 1]);
    assert_eq!(numbers("?state=open").await, [3, 2]);
    assert_eq!(numbers("?status=resolved").await, [1]);
    assert_eq!(numbers("?severity=critical&severity=sev3").await, [3, 1]);
    assert_eq!(numbers("?service=Two").await, [2]);
    assert_eq!(numbers("?q=thr").await, [3]);
    let first = server.get("/api/v1/incidents?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(numbers(&format!("?limit=2&cursor={cursor}")).await, [1]);
    assert_eq!(server.get("/api/v1/incidents?severity=bad").await.status, 400);
}

#[tokio::test]
async fn however_many_alerts_arrive_at_once_there_is_one_incident() {
    let server = TestServer::with_incidents().await;
    let hosts: Vec<String> = (0..50).map(|host| format!("h{host}")).collect();
    let fires = hosts.iter().map(async |host| {
        let alert = [("alertname", "PgDown"), ("severity", "critical"), ("host", host.as_str())];
        server.fire(&[&alert]).await;
    });
    futures_util::future::join_all(fires).await;
    server.clock.advance(31);
    let mut feed = server.app.engine.subscribe();
    let waiting = async {
        loop {
            server.app.engine.read(|_, _| ()).await.unwrap();
            let page = server.get("/api/v1/incidents").await.json();
            if page["items"].as_array().is_some_and(|items| !items.is_empty()) {
                return page;
            }
            feed.recv().await.unwrap();
        }
    };
    let page = tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
    let detail = server.get("/api/v1/incidents/1").await.json();
    assert_eq!(detail["alerts_total"], 50);
    assert_eq!(detail["created_by"], "tocsin");
}

#[tokio::test]
async fn how_long_incidents_took_is_told_in_groups_and_what_is_unknown_beside_it() {
    let server = TestServer::with_incidents().await;
    let draft = |title: &str, service: &str, mode: &str| json!({ "title": title, "service": service, "severity": "sev2", "mode": mode });
    for (title, service, mode) in
        [("a", "pay", "real"), ("b", "pay", "real"), ("c", "web", "real"), ("d", "web", "drill")]
    {
        let made = server.order("POST", "/api/v1/incidents", &[], draft(title, service, mode));
        assert_eq!(made.await.status, 201);
    }
    assert_eq!(server.step("acknowledge", json!({})).await.status, 200);
    let done = server.step("resolve", json!({ "note": "rolled back", "code": "fixed" })).await;
    assert_eq!(done.status, 200);
    let path = "/api/v1/incidents/metrics?by=service&measure=detected..resolved";
    let report = server.get(path).await.json();
    assert_eq!(report["left_out"], 1);
    let groups = report["groups"].as_array().unwrap();
    let keys: Vec<&str> = groups.iter().map(|it| it["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["pay", "web"]);
    let pay = &groups[0];
    assert_eq!((pay["incidents"].as_u64(), pay["open"].as_u64()), (Some(2), Some(1)));
    for measure in ["mttr", "detected..resolved"] {
        let told = &pay["measures"][measure];
        assert_eq!((told["count"].as_u64(), told["pending"].as_u64()), (Some(1), Some(1)));
    }
    assert_eq!(groups[1]["measures"]["mtta"]["mean"], Value::Null);
    assert_eq!(groups[1]["measures"]["mtta"]["pending"], 1);
    let all = server.get("/api/v1/incidents/metrics?all=true&by=all").await.json();
    assert_eq!(
        (all["groups"][0]["incidents"].as_u64(), all["left_out"].as_u64()),
        (Some(4), Some(0))
    );
    for (query, names) in [
        ("measure=detected..done", "impact_started"),
        ("zone=Berlin", "Europe/Berlin"),
        ("by=colour", "severity"),
        ("from=2030-01-01T00:00:00Z", "earlier"),
    ] {
        let answer = server.get(&format!("/api/v1/incidents/metrics?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(names), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_update_moves_rates_and_tells_or_does_nothing() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Cannot pay", "service": "checkout", "severity": "sev3" });
    server.order("POST", "/api/v1/incidents", &[], draft).await;
    let update = |variables: Value, to: Value| {
        json!({
            "status": "monitoring", "severity": "sev2", "note": "all customers",
            "message": { "template": "customer_update", "variables": variables, "to": to }
        })
    };
    let version = server.get("/api/v1/incidents/1").await.json()["version"].clone();

    // Every hole is named, and nothing has happened.
    let refused = server.step("updates", update(json!({}), json!(["list:customers"]))).await;
    assert_eq!(refused.status, 422);
    for name in ["next_steps", "status_page_url", "update_message"] {
        assert!(refused.body.contains(name), "{}", refused.body);
    }
    let whole = json!({
        "update_message": "Paying works again. {title}", "next_steps": "We watch it.",
        "status_page_url": "https://status.example.org"
    });
    let nobody = server.step("updates", update(whole.clone(), json!(["list:friends"]))).await;
    assert_eq!(nobody.status, 422);
    assert!(nobody.body.contains("there are customers"), "{}", nobody.body);
    let misspelt = server.step("updates", update(whole.clone(), json!(["Ada Lovelace"]))).await;
    assert!(misspelt.body.contains("/message/to/0"), "{}", misspelt.body);
    assert_eq!(server.get("/api/v1/incidents/1").await.json()["version"], version);

    let good = update(whole, json!(["list:customers", "ada"]));
    let seen = server.step("updates/preview", good.clone()).await.json();
    assert_eq!(seen["to"], json!(["ada", "email/example.org"]));
    assert_eq!(seen["subject"], "Update on the problem with checkout");
    let body = seen["body"].as_str().unwrap();
    // As it will be, not as it is; and what somebody wrote is text.
    assert!(body.contains("stands: monitoring") && body.contains("again. {title}"), "{body}");
    assert!(body.ends_with("Acme"), "{body}");
    assert_eq!(server.get("/api/v1/incidents/1").await.json()["version"], version);

    let done = server.step("updates", good).await.json();
    assert_eq!(
        (&done["incident"]["status"], &done["incident"]["severity"]),
        (&json!("monitoring"), &json!("sev2"))
    );
    let timeline = server.get("/api/v1/incidents/1/timeline").await.json();
    let rows = timeline["items"].as_array().unwrap();
    let sent = rows.iter().find(|row| row["kind"] == "message_sent").unwrap();
    assert_eq!(sent["details"]["message"]["body"], seen["body"]);
    assert_eq!(sent["details"]["told"], json!(["ada", "email/example.org"]));
    let pages = server.get("/api/v1/pages/history?limit=100").await;
    let told = pages.json()["items"].as_array().unwrap().len();
    assert_eq!(told, 2, "ada is on the list and named, and told once: {}", pages.body);

    let free = json!({ "message": { "subject": "{severity}", "body": "x } y", "to": ["ada"] } });
    let refused = server.step("updates", free).await;
    assert!(refused.body.contains("write `}}`"), "{}", refused.body);
    assert_eq!(server.step("updates", json!({})).await.status, 422);
    let list = server.get("/api/v1/incidents/message-templates").await.json();
    assert_eq!(list["lists"], json!(["customers"]));
    let names: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    let built_in = [
        "customer_resolved",
        "customer_start",
        "customer_update",
        "executive_briefing",
        "internal_alert",
    ];
    assert_eq!(names, built_in);
}

#[tokio::test]
async fn rows_are_pinned_corrected_blacked_out_and_imported() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Customers cannot pay", "severity": "sev2", "service": "web" });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let words = "**look** <img src=x onerror=alert(1)> [x](javascript:alert(1)) @ada @nobody";
    assert_eq!(server.step("comments", json!({ "text": words })).await.status, 200);
    assert_eq!(server.step("comments", json!({ "text": "password is hunter2" })).await.status, 200);
    let chat = "11:30 Ada: it is the disk\n11:31 Bob: =cmd|' /C calc'!A0";
    let import = json!({ "text": chat, "date": "2026-11-20" });
    assert_eq!(server.step("timeline/import", import).await.status, 200);
    let wrong = server.step("timeline/import", json!({ "text": "nothing" })).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("HH:MM name: text"), "{}", wrong.body);

    let patch = async |row: u64, body: Value| {
        let path = format!("/api/v1/incidents/1/timeline/{row}");
        server.order("PATCH", &path, &[], body).await
    };
    let caption = json!({ "key_moment": true, "caption": "The disk was full", "position": 1 });
    assert_eq!(patch(4, caption).await.status, 200);
    assert_eq!(patch(2, json!({ "pinned": true, "key_moment": true })).await.status, 200);
    assert_eq!(patch(99, json!({ "pinned": true })).await.status, 404);
    let revised = server.step("timeline/2/revise", json!({ "text": "**looked**" })).await;
    assert_eq!(revised.json()["has_changed"], true);
    let opened = server.step("timeline/1/revise", json!({ "text": "no" })).await;
    assert_eq!(opened.status, 409);
    assert_eq!(server.step("timeline/3/redact", json!({ "reason": "" })).await.status, 422);
    let secret = json!({ "reason": "a password" });
    assert_eq!(server.step("timeline/3/redact", secret).await.status, 200);

    let timeline = server.get("/api/v1/incidents/1/timeline?render=html").await;
    assert!(!timeline.body.contains("hunter2"), "{}", timeline.body);
    let rows = timeline.json()["items"].as_array().unwrap().clone();
    assert_eq!(rows[1]["text"], "**looked**");
    assert_eq!(rows[1]["html"], "<p><strong>looked</strong></p>\n");
    assert_eq!((&rows[1]["is_edited"], &rows[1]["is_pinned"]), (&json!(true), &json!(true)));
    assert_eq!(rows[1]["details"]["mentions"], json!(["ada"]));
    assert_eq!(rows[1]["details"]["unknown"], json!(["nobody"]));
    assert_eq!(
        (&rows[2]["text"], &rows[2]["is_redacted"]),
        (&json!("(blacked out)"), &json!(true))
    );
    assert_eq!(rows[3]["occurred_at"], "2026-11-20T11:30:00Z");
    let story = server.get("/api/v1/incidents/1/timeline?only=key_moments").await.json();
    let told: Vec<&Value> =
        story["items"].as_array().unwrap().iter().map(|it| &it["seq"]).collect();
    assert_eq!(told, [4, 2]);
    assert_eq!(story["items"][0]["caption"], "The disk was full");
    let pinned = server.get("/api/v1/incidents/1/timeline?only=pinned").await.json();
    assert_eq!(pinned["items"].as_array().unwrap().len(), 1);
    for format in ["md", "csv", "json"] {
        let path = format!("/api/v1/incidents/1/timeline/export?format={format}");
        let export = server.get(&path).await;
        assert!(!export.body.contains("hunter2"), "{format}: {}", export.body);
    }
    let csv = server.get("/api/v1/incidents/1/timeline/export?format=csv").await;
    assert!(!csv.body.lines().any(|line| line.contains(",=cmd")), "{}", csv.body);
}

#[tokio::test]
async fn what_blocks_is_done_before_an_incident_is_closed() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Slow", "severity": "sev4" });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let task = json!({ "title": "Call them", "assignee": "ada", "is_blocking": true });
    assert_eq!(server.step("tasks", task).await.status, 200);
    assert_eq!(server.step("tasks", json!({ "title": " " })).await.status, 422);
    assert_eq!(server.step("resolve", json!({ "note": "over" })).await.status, 200);
    let unfinished = server.step("close", json!({})).await;
    assert_eq!((unfinished.status, problem(&unfinished)["code"].as_str()), (409, Some("conflict")));
    assert!(unfinished.body.contains("task 1 is open"), "{}", unfinished.body);
    let done = json!({ "status": "done" });
    let changed = server.order("PATCH", "/api/v1/incidents/1/tasks/1", &[], done).await;
    assert_eq!(changed.json()["has_changed"], true);
    let missing = json!({ "status": "done" });
    let missing = server.order("PATCH", "/api/v1/incidents/1/tasks/9", &[], missing).await;
    assert_eq!(missing.status, 404);
    assert_eq!(server.step("close", json!({})).await.status, 200);
    let detail = server.get("/api/v1/incidents/1").await.json();
    assert_eq!(detail["tasks"][0]["status"], "done");
}

#[tokio::test]
async fn incidents_are_merged_and_linked_and_the_refusal_says_why() {
    let server = TestServer::with_incidents().await;
    for title in ["One", "Two", "Three"] {
        let draft = json!({ "title": title, "severity": "sev3" });
        assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    }
    assert_eq!(server.step("merge", json!({ "sources": ["2", "3"] })).await.status, 200);
    let two = server.get("/api/v1/incidents/2").await.json();
    assert_eq!((&two["status"], &two["relations"]["merged_into"]), (&json!("resolved"), &json!(1)));
    for code in ["merged", "duplicate"] {
        let resolve = json!({ "note": "so it is", "code": code });
        let answer = server.step("resolve", resolve).await;
        assert_eq!(answer.status, 422, "{code}: {}", answer.body);
    }
    let again = server.step("merge", json!({ "sources": ["2"] })).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains("incident 2 is part of incident 1"), "{}", again.body);
    let back = server.order("POST", "/api/v1/incidents/2/unmerge", &[], json!({})).await;
    assert_eq!(back.json()["incident"]["status"], "detected");
    let link = json!({ "kind": "child", "other": "2" });
    assert_eq!(server.step("link", link).await.status, 200);
    assert_eq!(server.step("roles", json!({ "role": "ic", "person": "ada" })).await.status, 200);
    assert_eq!(server.step("join", json!({})).await.status, 422);
    let detail = server.get("/api/v1/incidents/1").await.json();
    assert_eq!(detail["people"]["roles"][0]["role"], "incident_commander");
    assert_eq!(detail["relations"]["children"], json!([2]));
    let all = server.step("resolve-all", json!({ "note": "over" })).await;
    assert_eq!(all.status, 200);
    let two = server.get("/api/v1/incidents/2").await.json();
    assert_eq!(two["status"], "resolved");
}

#[tokio::test]
async fn a_restricted_incident_is_none_to_others_and_whoever_looks_is_written_down() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Somebody reads mail", "severity": "sev2", "service": "mail" });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let reader = server.token(&[Permission::IncidentRead, Permission::IncidentComment]).await;
    let trusted = [Permission::IncidentRead, Permission::IncidentRestrictedRead];
    let trusted = server.token(&trusted).await;
    let ask = async |token: &str, method: &str, path: &str, body: Value| {
        let bearer = format!("Bearer {token}");
        server.order(method, path, &[("authorization", &bearer)], body).await
    };
    let path = "/api/v1/incidents/1";
    assert_eq!(ask(&reader, "GET", path, json!(null)).await.status, 200);
    assert_eq!(server.step("restrict", json!({ "people": ["ada"] })).await.status, 422);
    let few = json!({ "people": ["ada"], "reason": "personal data" });
    assert_eq!(server.step("restrict", few).await.status, 200);

    assert_eq!(ask(&trusted, "GET", path, json!(null)).await.status, 200);
    for (method, path, body) in [
        ("GET", "/api/v1/incidents/1", json!(null)),
        ("GET", "/api/v1/incidents/1/timeline", json!(null)),
        ("GET", "/api/v1/incidents/1/timeline/export", json!(null)),
        ("POST", "/api/v1/incidents/1/comments", json!({ "text": "hello" })),
        ("POST", "/api/v1/incidents/1/subscribe", json!({ "person": "ada" })),
    ] {
        let answer = ask(&reader, method, path, body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
        assert!(!answer.body.contains("mail"), "{}", answer.body);
    }
    let list = ask(&reader, "GET", "/api/v1/incidents", json!(null)).await;
    assert_eq!(list.json()["items"], json!([]));
    let list = ask(&trusted, "GET", "/api/v1/incidents", json!(null)).await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    // That there is one counts; what it is about is found by no question.
    let groups = async |query: &str| {
        let path = format!("/api/v1/incidents/metrics?{query}");
        let answer = ask(&reader, "GET", &path, json!(null)).await;
        assert!(!answer.body.contains("\"mail\""), "{query}: {}", answer.body);
        answer.json()["groups"].clone()
    };
    let nothing = groups("by=all&service=nothing").await;
    assert_eq!(groups("by=all&service=mail").await, nothing);
    assert_ne!(groups("by=all").await, nothing);
    assert_ne!(groups("by=service").await, nothing);
    let secret = json!({ "text": "it was mallory" });
    assert_eq!(server.step("comments", secret).await.status, 200);
    let events = server.get("/api/v1/events?subject=incident:1").await;
    assert!(!events.body.contains("mallory"), "{}", events.body);
    let audit = server.get("/api/v1/audit?limit=100").await;
    for action in ["incident.restrict", "incident.read\"", "incident.read_denied"] {
        assert!(audit.body.contains(action), "{action}: {}", audit.body);
    }
    assert_eq!(server.step("unrestrict", json!({ "reason": "it was not" })).await.status, 200);
    assert_eq!(ask(&reader, "GET", path, json!(null)).await.status, 200);
}

#[tokio::test]
async fn an_update_is_heard_by_those_who_follow_as_its_steps_would_be() {
    let server = TestServer::with_incidents().await;
    let grace = json!({ "handle": "grace", "email": "grace@example.org" });
    assert_eq!(server.order("POST", "/api/v1/people", &[], grace).await.status, 201);
    let draft = json!({ "title": "Cannot pay", "severity": "sev3" });
    server.order("POST", "/api/v1/incidents", &[], draft).await;
    assert_eq!(server.step("subscribe", json!({ "person": "grace" })).await.status, 200);
    let rated = json!({ "severity": "sev2", "note": "all customers" });
    assert_eq!(server.step("updates", rated).await.status, 200);
    let pages = server.get("/api/v1/pages/history?limit=100").await;
    assert!(pages.body.contains("\"person\":\"grace\""), "{}", pages.body);
}
