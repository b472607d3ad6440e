//! What an incident carries, and its times.

use serde_json::{Value, json};
use tocsin_core::identity::Permission;
use tocsin_core::incident::{MessageTarget, Role, Rule, Status, allowed_from, rule};
use tocsin_core::severity::Severity;
use tocsin_server::Options;

use super::support::{Answer, TestServer};

const INCIDENT: &str = "/api/v1/incidents/1";

async fn patch(server: &TestServer, body: Value) -> Answer {
    server.order("PATCH", INCIDENT, &[], body).await
}

/// The clock of the test server stands at noon of 2026-11-20.
async fn of_january() -> TestServer {
    let server = TestServer::with_incidents().await;
    let draft = json!({
        "title": "Payments were lost", "severity": "sev2", "service": "pay",
        "mode": "backfilled", "detected_at": "2026-01-10T08:00:00Z",
    });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    assert_eq!(server.step("resolve", json!({ "note": "over" })).await.status, 200);
    server
}

fn pointers(answer: &Answer) -> Vec<String> {
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    let errors = problem["errors"].as_array().unwrap().clone();
    errors.iter().map(|it| it["pointer"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_written_down_afterwards_counts_by_the_times_that_it_gets() {
    let server = of_january().await;
    let report = async || {
        let path = "/api/v1/incidents/metrics?from=2026-01-01T00:00:00Z";
        server.get(path).await.json()
    };
    // As if it had taken ten months.
    assert_eq!(report().await["left_out"], 1);
    let times = json!({
        "acknowledged_at": "2026-01-10T08:05:00Z", "mitigated_at": "2026-01-10T08:50:00Z",
        "resolved_at": "2026-01-10T09:00:00Z", "impact_started_at": "2026-01-10T07:50:00Z",
        "impact_ended_at": "2026-01-10T08:50:00Z",
    });
    let told = patch(&server, times).await;
    assert_eq!(told.json()["incident"]["mttr"], 3_600, "{}", told.body);
    let report = report().await;
    let measures = &report["groups"][0]["measures"];
    assert_eq!((&report["left_out"], &measures["mttr"]["mean"]), (&json!(0), &json!(3600.0)));
    assert_eq!(measures["mtta"]["mean"], 300.0);
    assert_eq!(measures["mttd"]["mean"], 600.0);
    assert_eq!(measures["impact_duration"]["mean"], 3600.0);
    let detail = server.get(INCIDENT).await.json();
    let given = ["detected_at", "acknowledged_at", "mitigated_at", "resolved_at"];
    assert_eq!(detail["cycles"][0]["given"], json!(given));
    let timeline = server.get("/api/v1/incidents/1/timeline").await;
    for field in &given[1..] {
        assert!(timeline.body.contains(&format!("\"field\":\"{field}\"")), "{}", timeline.body);
    }
}

#[tokio::test]
async fn times_that_contradict_each_other_are_refused_by_both_names() {
    let server = of_january().await;
    for (body, fields) in [
        (json!({ "resolved_at": "2026-01-10T07:59:59Z" }), ["/detected_at", "/resolved_at"]),
        (
            json!({ "impact_started_at": "2026-01-10T08:00:01Z" }),
            ["/impact_started_at", "/detected_at"],
        ),
        (
            json!({
                "impact_started_at": "2026-01-10T07:00:00Z",
                "impact_ended_at": "2026-01-10T06:00:00Z",
            }),
            ["/impact_started_at", "/impact_ended_at"],
        ),
    ] {
        let refused = patch(&server, body).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert_eq!(pointers(&refused), fields);
    }
    let late = patch(&server, json!({ "resolved_at": "2027-01-01T00:00:00Z" })).await;
    assert_eq!((late.status, pointers(&late)), (422, vec!["/resolved_at".to_owned()]));
    let early = patch(&server, json!({ "closed_at": "2026-02-01T00:00:00Z" })).await;
    assert!(early.body.contains("once it is closed"), "{}", early.body);
    let writer = [Permission::IncidentRead, Permission::IncidentTransition];
    let bearer = format!("Bearer {}", server.token(&writer).await);
    let body = json!({ "resolved_at": "2026-01-10T09:00:00Z" });
    let may_not =
        server.order("PATCH", INCIDENT, &[("authorization", &bearer)], body.clone()).await;
    assert_eq!(may_not.status, 403, "{}", may_not.body);
    assert_eq!(patch(&server, body).await.status, 200);
}

#[tokio::test]
async fn what_was_seen_coming_has_a_lead_time() {
    let server = of_january().await;
    let harm = json!({ "impact_started_at": "2026-01-10T08:20:00Z", "is_predicted": true });
    assert_eq!(patch(&server, harm).await.status, 200);
    let detail = server.get(INCIDENT).await.json();
    let metrics = detail["metrics"].as_array().unwrap();
    let of = |name: &str| metrics.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(of("lead_time")["seconds"], 1_200);
    assert_eq!(of("mttd")["status"], "not_applicable");
    let surprised = patch(&server, json!({ "is_predicted": false })).await;
    assert_eq!(pointers(&surprised), ["/impact_started_at", "/detected_at"]);
}

#[tokio::test]
async fn an_end_of_harm_that_is_assumed_goes_when_it_was_not_the_end() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Slow", "severity": "sev3" });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let began = json!({ "impact_started_at": "2026-11-20T11:30:00Z" });
    assert_eq!(patch(&server, began).await.status, 200);
    assert_eq!(server.step("resolve", json!({ "note": "over" })).await.status, 200);
    let detail = server.get(INCIDENT).await.json();
    assert_eq!(detail["is_impact_end_assumed"], true);
    assert_eq!(detail["impact_ended_at"], detail["resolved_at"]);
    assert_eq!(server.step("reopen", json!({ "note": "not over" })).await.status, 200);
    let detail = server.get(INCIDENT).await.json();
    assert_eq!((detail.get("impact_ended_at"), detail.get("is_impact_end_assumed")), (None, None));
    // What somebody said stays.
    let said = json!({ "impact_ended_at": "2026-11-20T11:45:00Z" });
    assert_eq!(patch(&server, said).await.status, 200);
    assert_eq!(server.step("resolve", json!({ "note": "over" })).await.status, 200);
    assert_eq!(server.step("reopen", json!({ "note": "again" })).await.status, 200);
    let detail = server.get(INCIDENT).await.json();
    assert_eq!(detail["impact_ended_at"], "2026-11-20T11:45:00Z");
}

/// Lets time pass until alerts have opened an incident.
async fn first_incident(server: &TestServer) {
    server.clock.advance(31);
    let mut feed = server.app.engine.subscribe();
    let waiting = async {
        loop {
            server.app.engine.read(|_, _| ()).await.unwrap();
            if server.get(INCIDENT).await.status == 200 {
                return;
            }
            feed.recv().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.unwrap();
}

#[tokio::test]
async fn every_alert_of_an_incident_can_be_read_and_found() {
    let server = TestServer::with_incidents().await;
    let hosts: Vec<String> = (0..130).map(|host| format!("h{host}")).collect();
    let alerts: Vec<Vec<(&str, &str)>> = hosts
        .iter()
        .map(|host| vec![("alertname", "Full"), ("severity", "critical"), ("host", host)])
        .collect();
    let alerts: Vec<&[(&str, &str)]> = alerts.iter().map(Vec::as_slice).collect();
    server.fire(&alerts).await;
    first_incident(&server).await;
    let detail = server.get(INCIDENT).await.json();
    assert_eq!(detail["alerts_total"], 130, "{detail}");
    assert_eq!(detail["alerts"].as_array().unwrap().len(), 100);
    let mut cursor = String::new();
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = server.get(&format!("{INCIDENT}/alerts?limit=50{cursor}")).await.json();
        for it in page["items"].as_array().unwrap() {
            assert!(seen.insert(it["fingerprint"].as_str().unwrap().to_owned()));
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 130);
    let found = server.get(&format!("{INCIDENT}/alerts?q=H117&firing=true")).await.json();
    assert_eq!(found["items"][0]["labels"]["host"], "h117");
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let over = server.get(&format!("{INCIDENT}/alerts?firing=false")).await.json();
    assert_eq!(over["items"], json!([]));
    let other = server.get("/api/v1/incidents?limit=1").await;
    assert_eq!(other.status, 200);
    assert_eq!(server.get(&format!("{INCIDENT}/alerts?cursor=x")).await.status, 400);
}

#[tokio::test]
async fn lists_are_narrowed_by_people_teams_categories_and_words() {
    let server = TestServer::with_incidents().await;
    for (title, summary, category) in [
        ("Full disk", "of the shard that holds carts", "capacity"),
        ("Slow search", "since the release", "performance"),
        ("Another full disk", "", "capacity"),
    ] {
        let draft = json!({ "title": title, "summary": summary, "category": category });
        assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    }
    let role = json!({ "role": "scribe", "person": "ada" });
    assert_eq!(server.step("roles", role).await.status, 200);
    let given = server.order("POST", "/api/v1/incidents/2/assign", &[], json!({ "owner": "ada" }));
    assert_eq!(given.await.status, 200);
    let numbers = async |query: &str| {
        let page = server.get(&format!("/api/v1/incidents?{query}")).await.json();
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|it| it["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers("category=capacity").await, [3, 1]);
    assert_eq!(numbers("category=capacity&q=shard").await, [1]);
    assert_eq!(numbers("q=DISK%20full").await, [3, 1]);
    assert_eq!(numbers("role=ada").await, [1]);
    assert_eq!(numbers("participant=ada").await, [2, 1]);
    assert_eq!(numbers("owner=ada").await, [2]);
    assert_eq!(numbers("team=core").await, [] as [u64; 0]);
    let nobody = server.get("/api/v1/incidents?role=me").await;
    assert!(nobody.status == 400 && nobody.body.contains("`me` is nobody"), "{}", nobody.body);
    let report = server.get("/api/v1/incidents/metrics?category=capacity&by=category").await.json();
    assert_eq!(report["groups"][0]["incidents"], 2);
    let csv = server.get("/api/v1/incidents/metrics?by=category&format=csv").await;
    assert!(csv.body.starts_with("group,incidents,open,"), "{}", csv.body);
    assert!(csv.body.contains("\r\ncapacity,2,2,0,0,mtta,0,,,,,,2,0,0\r\n"), "{}", csv.body);
}

#[tokio::test]
async fn whom_it_harms_tags_a_ticket_and_the_cause_are_kept_and_told() {
    let server = TestServer::with_incidents().await;
    let draft = json!({
        "title": "Carts are empty", "severity": "sev2", "service": "cart", "services": ["web"],
        "tags": ["redis", "carts"], "ticket": { "id": "OPS-7", "url": "https://t.example/OPS-7" },
        "impact": { "users": 1200, "regions": ["eu", "us"] },
    });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let more = json!({
        "impact": { "revenue": 12500.0, "currency": "eur", "sla_breach": true },
        "root_cause": "the eviction policy of redis",
    });
    assert_eq!(patch(&server, more).await.status, 200);
    for (body, field) in [
        (json!({ "ticket": { "id": "x", "url": "javascript:x" } }), "/ticket/url"),
        (json!({ "tags": [""] }), "/tags"),
        (json!({ "impact": { "revenue": -1.0 } }), "/impact/revenue"),
    ] {
        let refused = patch(&server, body).await;
        assert_eq!((refused.status, pointers(&refused)), (422, vec![field.to_owned()]));
    }
    let message = json!({
        "template": "executive_briefing", "to": ["ada"],
        "variables": { "incident_channel": "#inc-1" },
    });
    let seen = server.step("updates/preview", json!({ "message": message })).await;
    for text in ["about 1200 users", "about 12,500 EUR", "what customers were promised is broken"] {
        assert!(seen.body.contains(text), "{text}: {}", seen.body);
    }
    let told = json!({ "audience": "customer", "subject": "s", "body": "b", "to": ["ada"] });
    assert_eq!(server.step("updates", json!({ "message": told })).await.status, 200);
    let detail = server.get(INCIDENT).await.json();
    assert_eq!(detail["impact"]["customer_notifications"], 1);
    assert_eq!(detail["tags"], json!(["carts", "redis"]));
    let numbers = async |query: &str| {
        let page = server.get(&format!("/api/v1/incidents?{query}")).await.json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(numbers("tag=redis&tag=carts").await, 1);
    assert_eq!(numbers("tag=redis&tag=other").await, 0);
    assert_eq!(numbers("service=web").await, 1);
    let timeline = server.get("/api/v1/incidents/1/timeline").await;
    assert!(timeline.body.contains("impact.revenue is now: 12,500 EUR"), "{}", timeline.body);
    assert_eq!(server.step("resolve", json!({ "note": "a larger cache" })).await.status, 200);
    let drafted = server.order("POST", "/api/v1/postmortems/1/draft", &[], json!({})).await;
    assert_eq!(drafted.status, 200);
    let postmortem = server.get("/api/v1/incidents/1/postmortem").await;
    for text in ["About 1200 users", "about 12,500 EUR", "Regions concerned: eu, us", "eviction"] {
        assert!(postmortem.body.contains(text), "{text}: {}", postmortem.body);
    }
}

#[tokio::test]
async fn an_alert_is_the_root_a_symptom_or_the_same_as_another() {
    let server = TestServer::with_incidents().await;
    let of = |host| [("alertname", "Full"), ("severity", "critical"), ("host", host)];
    server.fire(&[&of("a"), &of("b"), &of("c")]).await;
    first_incident(&server).await;
    let alerts = async || {
        let page = server.get(&format!("{INCIDENT}/alerts")).await.json();
        page["items"].as_array().unwrap().clone()
    };
    let roles = |alerts: &[Value]| {
        alerts.iter().map(|it| it["role"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = alerts().await;
    assert_eq!(roles(&before), ["root", "symptom", "symptom"]);
    let say = async |place: usize, role: &str| {
        let fingerprint = before[place]["fingerprint"].as_str().unwrap();
        let path = format!("{INCIDENT}/alerts/{fingerprint}");
        server.order("PATCH", &path, &[], json!({ "role": role })).await
    };
    assert_eq!(say(1, "root").await.json()["has_changed"], true);
    assert_eq!(say(1, "root").await.json()["has_changed"], false);
    assert_eq!(say(0, "duplicate").await.status, 200);
    assert_eq!(roles(&alerts().await), ["duplicate", "root", "symptom"]);
    assert_eq!(say(2, "root").await.status, 200);
    assert_eq!(roles(&alerts().await), ["duplicate", "symptom", "root"]);
    let path = format!("{INCIDENT}/alerts/00000000000000aa");
    let none = server.order("PATCH", &path, &[], json!({ "role": "root" })).await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn severities_are_data_and_executives_hear_of_bad_ones_once() {
    let mut policy = super::support::policy();
    let targets = policy.incidents.severities.of_mut(Severity::Sev3);
    targets.acknowledge_minutes = 7;
    targets.roles = vec![Role::Scribe];
    let board = vec![MessageTarget::parse("ada").unwrap()];
    policy.incidents.lists.insert("executives".into(), board);
    let server = TestServer::start_by(Options::default(), policy).await;
    let person = json!({ "handle": "ada", "email": "ada@example.org" });
    assert_eq!(server.order("POST", "/api/v1/people", &[], person).await.status, 201);
    let all = server.get("/api/v1/severities").await.json();
    let sev3 = &all["items"][2];
    assert_eq!(sev3["targets"]["acknowledge_minutes"], 7);
    assert_eq!(sev3["roles"][0]["role"], "scribe");
    assert_eq!(all["items"][0]["roles"].as_array().unwrap().len(), 6);
    assert_eq!(all["items"][0]["name"], "Critical");

    let draft = json!({ "title": "Cannot pay", "severity": "sev3" });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let detail = server.get(INCIDENT).await.json();
    assert_eq!(detail["targets"]["acknowledge_minutes"], 7);
    assert_eq!(detail["people"]["vacant_roles"], json!(["scribe"]));
    let told = async || {
        let timeline = server.get("/api/v1/incidents/1/timeline").await.json();
        let rows = timeline["items"].as_array().unwrap().clone();
        let sent = rows.iter().filter(|row| row["kind"] == "message_sent");
        sent.map(|row| row["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [] as [String; 0]);
    for (severity, reason) in [("sev1", "everybody"), ("sev3", "no"), ("sev2", "many")] {
        let rating = json!({ "severity": severity, "reason": reason });
        assert_eq!(server.step("severity", rating).await.status, 200);
    }
    assert_eq!(told().await, ["told ada: [sev1] Cannot pay"]);
}

#[tokio::test]
async fn why_it_is_so_bad_and_what_nobody_knows_is_shown() {
    let server = TestServer::with_incidents().await;
    let evidence = json!({ "error_rate": 0.3, "is_core": true });
    let dry = server.order("POST", "/api/v1/severities/classify", &[], evidence.clone()).await;
    let missing = json!(["users_percent", "latency_factor", "is_security"]);
    assert_eq!(
        (&dry.json()["severity"], &dry.json()["clause"], &dry.json()["missing"]),
        (&json!("sev2"), &json!("major_impact"), &missing)
    );
    let wrong = json!({ "error_rate": 3 });
    let wrong = server.order("POST", "/api/v1/severities/classify", &[], wrong).await;
    assert_eq!((wrong.status, pointers(&wrong)), (422, vec!["/error_rate".to_owned()]));

    let draft = json!({ "title": "Errors", "evidence": evidence });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let of = async || server.get(INCIDENT).await.json()["classification"].clone();
    let first = of().await;
    assert_eq!((&first["severity"], first.get("suggestion")), (&json!("sev2"), None));
    // It is less bad by now: that is only suggested.
    let less = json!({ "evidence": { "error_rate": 0.02, "is_core": true } });
    assert_eq!(patch(&server, less).await.json()["incident"]["severity"], "sev2");
    let less = of().await;
    assert_eq!((&less["severity"], &less["suggestion"]), (&json!("sev4"), &json!("sev4")));
    let rating = json!({ "severity": "sev3", "reason": "I know better" });
    assert_eq!(server.step("severity", rating).await.status, 200);
    let worse = json!({ "evidence": { "error_rate": 0.99 } });
    assert_eq!(patch(&server, worse).await.json()["incident"]["severity"], "sev3");
    let pinned = of().await;
    assert_eq!(
        (&pinned["clause"], &pinned["pinned_by"], &pinned["suggestion"]),
        (&json!("outage"), &json!("local"), &json!("sev1"))
    );
}

#[tokio::test]
async fn the_five_messages_read_like_this() {
    let server = TestServer::with_incidents().await;
    let draft = json!({
        "title": "Customers cannot pay", "severity": "sev1", "service": "checkout",
        "services": ["web"], "summary": "The provider answers with errors.",
        "impact": { "users": 1200, "revenue": 12500.0, "currency": "EUR", "sla_breach": true },
    });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    server.clock.advance(900);
    let values = json!({
        "impact_description": "Payments fail.", "update_message": "The provider is back.",
        "next_steps": "We watch it.", "resolution_summary": "The provider restarted.",
        "preventive_measures": "A second provider.", "status_page_url": "https://s.example",
        "incident_channel": "#inc-1", "runbook_url": "https://r.example/pay",
    });
    let mut texts = String::new();
    for (template, kind, audience) in [
        ("internal_alert", "alert", "internal"),
        ("customer_notification_start", "start", "customer"),
        ("customer_notification_update", "update", "customer"),
        ("customer_notification_resolved", "resolved", "customer"),
        ("executive_briefing", "briefing", "executive"),
    ] {
        let update = |message: Value| match kind {
            "resolved" => json!({ "status": "resolved", "note": "over", "message": message }),
            _ => json!({ "message": message }),
        };
        let message = json!({ "template": template, "to": ["ada"], "variables": values });
        let seen = server.step("updates/preview", update(message)).await;
        assert_eq!(seen.status, 200, "{template}: {}", seen.body);
        let by_kind = json!({
            "audience": audience, "kind": kind, "to": ["ada"], "variables": values,
        });
        let same = server.step("updates/preview", update(by_kind)).await;
        assert_eq!(same.body, seen.body);
        let seen = seen.json();
        let text = |name: &str| seen[name].as_str().unwrap().to_owned();
        texts.push_str(&format!("== {template}\n{}\n\n{}\n\n", text("subject"), text("body")));
    }
    insta::assert_snapshot!("messages", texts);
    let none = json!({ "message": { "audience": "customer", "kind": "briefing", "to": ["ada"] } });
    let none = server.step("updates/preview", none).await;
    assert!(none.status == 422 && none.body.contains("customer"), "{}", none.body);
    // Where people talk, and what to follow, may not be known; that stops nobody.
    let bare = json!({ "message": { "template": "internal_alert", "to": ["ada"] } });
    let bare = server.step("updates/preview", bare).await;
    assert!(bare.body.contains("Runbook: none is known"), "{}", bare.body);
}

#[tokio::test]
async fn restricted_incidents_count_without_a_word_about_them() {
    let server = TestServer::with_incidents().await;
    let draft = json!({ "title": "Somebody reads mail", "severity": "sev2", "service": "mail" });
    assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    let few = json!({ "people": ["ada"], "reason": "personal data" });
    assert_eq!(server.step("restrict", few).await.status, 200);
    let bearer = format!("Bearer {}", server.token(&[Permission::IncidentRead]).await);
    let header = [("authorization", bearer.as_str())];
    let report = server.order("GET", "/api/v1/incidents/metrics", &header, json!(null)).await;
    assert_eq!(report.json()["groups"][0]["incidents"], 1);
    assert!(!report.body.contains("reads mail"), "{}", report.body);
    let list = server.order("GET", "/api/v1/incidents", &header, json!(null)).await;
    assert_eq!(list.json()["items"], json!([]));
}

#[tokio::test]
async fn a_note_for_a_whole_family_is_bounded() {
    let server = TestServer::with_incidents().await;
    for title in ["One", "Two"] {
        let draft = json!({ "title": title, "severity": "sev3" });
        assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
    }
    let link = json!({ "kind": "child", "other": "2" });
    assert_eq!(server.step("link", link).await.status, 200);
    let long = json!({ "note": "x".repeat(10_001) });
    let refused = server.step("resolve-all", long).await;
    assert_eq!((refused.status, pointers(&refused)), (422, vec!["/note".to_owned()]));
    assert_eq!(server.get(INCIDENT).await.json()["status"], "detected");
}

#[tokio::test]
async fn what_the_table_of_moves_does_not_have_is_refused_with_what_it_has() {
    let server = TestServer::with_incidents().await;
    let mut refused_cells = 0;
    for (place, from) in Status::ALL.into_iter().enumerate() {
        let path = format!("/api/v1/incidents/{}", place + 1);
        let draft = json!({ "title": "Slow", "severity": "sev4" });
        assert_eq!(server.order("POST", "/api/v1/incidents", &[], draft).await.status, 201);
        let go = async |to: Status| {
            let body = json!({ "to": to.as_str(), "note": "so it is" });
            server.order("POST", &format!("{path}/transition"), &[], body).await
        };
        let way: &[Status] = match from {
            Status::Detected => &[],
            Status::Closed => &[Status::Resolved, Status::Closed],
            _ => &[from],
        };
        for to in way {
            assert_eq!(go(*to).await.status, 200, "{from}");
        }
        let allowed: Vec<String> = allowed_from(from).map(|(to, _)| to.to_string()).collect();
        for to in Status::ALL {
            if !matches!(rule(from, to), Rule::Never | Rule::Refire) {
                continue;
            }
            refused_cells += 1;
            let refused = go(to).await;
            let problem: Value = serde_json::from_str(&refused.body).unwrap();
            assert_eq!(refused.status, 409, "{from} -> {to}: {}", refused.body);
            assert_eq!(problem["code"], "transition_denied", "{from} -> {to}");
            assert_eq!(problem["allowed"], json!(allowed), "{from} -> {to}");
        }
        assert_eq!(server.get(&path).await.json()["status"], from.as_str());
    }
    assert_eq!(refused_cells, 25);
}
