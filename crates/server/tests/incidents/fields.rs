//! What an incident carries, and its times.

use serde_json::{Value, json};
use tocsin_core::identity::Permission;

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
