//! Whose an incident is, who is told later, and who may ask to see it, through the API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_core::identity::{Handle, Permission, Scope, TokenOwner};

const EVERYTHING: [Permission; 6] = [
    Permission::IncidentRead,
    Permission::IncidentCreate,
    Permission::IncidentTransition,
    Permission::IncidentComment,
    Permission::IncidentRole,
    Permission::EscalationPage,
];

impl TestServer {
    async fn by(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Adds somebody who may do everything with incidents, and returns a token of theirs.
    async fn person(&self, handle: &str) -> String {
        let grant = json!(["responder"]);
        let person =
            json!({ "handle": handle, "email": format!("{handle}@example.org"), "roles": grant });
        let made = self.by("", "POST", "/api/v1/people", person).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let owner = TokenOwner::Person(Handle::parse(handle).unwrap());
        self.token_of(owner, &EVERYTHING, Vec::new()).await
    }
}

#[tokio::test]
async fn who_belongs_to_a_team_declares_for_it_and_moves_nothing_out_of_it() {
    let server = TestServer::start().await;
    let of = |scope| server.token_of(TokenOwner::Service("x".to_owned()), &EVERYTHING, vec![scope]);
    let (web, db) = (of(Scope::Team("web".into())).await, of(Scope::Team("db".into())).await);
    let declare = async |token: &str, draft: Value| {
        server.by(token, "POST", "/api/v1/incidents", draft).await
    };
    let refused = declare(&web, json!({ "title": "Slow", "severity": "sev3" })).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let draft = json!({ "title": "Slow", "severity": "sev3", "service": "pay", "team": "web" });
    let made = declare(&web, draft.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["labels"], json!({ "service": "pay", "team": "web" }));
    assert_eq!(declare(&db, draft).await.status, 403);
    let path = "/api/v1/incidents/1";
    assert_eq!(server.by(&db, "GET", path, json!(null)).await.status, 404);

    let edit = async |token: &str, body: Value| server.by(token, "PATCH", path, body).await;
    let moved = edit(&web, json!({ "service": "orders" })).await;
    assert_eq!(moved.status, 200, "{}", moved.body);
    assert_eq!(edit(&web, json!({ "team": "db" })).await.status, 403);
    let moved = edit("", json!({ "team": "db" })).await;
    assert_eq!(moved.json()["incident"]["labels"]["team"], "db", "{}", moved.body);
    assert_eq!(server.by(&db, "GET", path, json!(null)).await.status, 200);
    assert_eq!(server.by(&web, "GET", path, json!(null)).await.status, 404);
    let timeline = server.by("", "GET", &format!("{path}/timeline"), json!(null)).await;
    assert!(timeline.body.contains("team is now: db"), "{}", timeline.body);
}

#[tokio::test]
async fn a_policy_that_is_named_pages_and_one_that_is_not_there_is_refused() {
    let server = TestServer::start().await;
    server.person("ada").await;
    let policy = json!({ "steps": [{ "page": ["ada"] }] });
    let made = server.by("", "PUT", "/api/v1/escalation-policies/web", policy).await;
    assert!(made.status < 300, "{}", made.body);
    let declare = async |page: &str| {
        let draft = json!({ "title": "Down", "severity": "sev1", "page": page });
        server.by("", "POST", "/api/v1/incidents", draft).await
    };
    let refused = declare("wbe").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("wbe"), "{}", refused.body);
    assert_eq!(declare("web").await.status, 201);
    let shown = server.get("/api/v1/incidents/1").await.json();
    assert_eq!(shown["escalations"], json!([1]));
    let taken = server.by("", "POST", "/api/v1/escalations/1/acknowledge", json!({})).await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    assert_eq!(server.get("/api/v1/incidents/1").await.json()["status"], "acknowledged");
    // Whoever may declare but not page does not page by declaring.
    let only = server.token(&[Permission::IncidentCreate, Permission::IncidentRead]).await;
    let draft = json!({ "title": "Down", "severity": "sev1", "page": "web" });
    assert_eq!(server.by(&only, "POST", "/api/v1/incidents", draft).await.status, 403);
}

#[tokio::test]
async fn somebody_puts_a_reminder_off_for_themselves() {
    let server = TestServer::start().await;
    let ada = server.person("ada").await;
    let draft = json!({ "title": "Down", "severity": "sev1" });
    server.by("", "POST", "/api/v1/incidents", draft).await;
    let snooze =
        async |body: Value| server.by(&ada, "POST", "/api/v1/incidents/1/snooze", body).await;
    let done = snooze(json!({ "reminder": "ack_sla", "minutes": 60 })).await;
    assert_eq!((done.status, &done.json()["has_changed"]), (200, &json!(true)), "{}", done.body);
    let unknown = snooze(json!({ "reminder": "lunch", "minutes": 60 })).await;
    assert_eq!(unknown.status, 422);
    assert!(unknown.body.contains("update_due"), "{}", unknown.body);
    let idle = snooze(json!({ "reminder": "postmortem_due", "minutes": 60 })).await;
    assert_eq!(idle.status, 409, "{}", idle.body);
    let long = snooze(json!({ "reminder": "ack_sla", "minutes": 100_000 })).await;
    assert_eq!(long.status, 422, "{}", long.body);
    let audit = server.get("/api/v1/audit").await;
    assert!(audit.body.contains("incident.snooze"), "{}", audit.body);
    // What is put off is no work on it.
    let timeline = server.get("/api/v1/incidents/1/timeline").await.json();
    assert_eq!(timeline["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_was_told_of_a_restricted_incident_asks_to_see_it_and_learns_nothing_by_asking() {
    let server = TestServer::start().await;
    let (ada, grace) = (server.person("ada").await, server.person("grace").await);
    let draft = json!({ "title": "Somebody reads mail", "severity": "sev3", "owner": "ada" });
    server.by("", "POST", "/api/v1/incidents", draft).await;
    let few = json!({ "reason": "personal data" });
    assert_eq!(server.by(&ada, "POST", "/api/v1/incidents/1/restrict", few).await.status, 200);
    let ask = async |token: &str, number: u64| {
        let path = format!("/api/v1/incidents/{number}/access-requests");
        server.by(token, "POST", &path, json!({ "reason": "I run the server" })).await
    };
    let there = ask(&grace, 1).await;
    let nowhere = ask(&grace, 77).await;
    assert_eq!((there.status, there.body.as_str()), (204, ""));
    assert_eq!((nowhere.status, nowhere.body.as_str()), (204, ""));
    assert_eq!(there.header("etag"), nowhere.header("etag"));
    let program = server.token(&EVERYTHING).await;
    assert_eq!(ask(&program, 1).await.status, 403);
    assert_eq!(server.by(&grace, "GET", "/api/v1/incidents/1", json!(null)).await.status, 404);

    let answer = async |token: &str, grant: bool| {
        let path = "/api/v1/incidents/1/access-requests/1/answer";
        server.by(token, "POST", path, json!({ "grant": grant })).await
    };
    assert_eq!(answer(&grace, true).await.status, 404);
    let shown = server.by(&ada, "GET", "/api/v1/incidents/1", json!(null)).await.json();
    assert_eq!(shown["restricted"]["requests"][0]["person"], "grace");
    let done = answer(&ada, true).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(server.by(&grace, "GET", "/api/v1/incidents/1", json!(null)).await.status, 200);
    assert_eq!(answer(&grace, true).await.status, 403);
    let audit = server.get("/api/v1/audit?limit=100").await;
    for action in ["incident.access_ask", "incident.access_grant"] {
        assert!(audit.body.contains(action), "{action}: {}", audit.body);
    }
}

#[tokio::test]
async fn whoever_is_named_in_comments_finds_where_as_far_as_they_may_see_them() {
    let server = TestServer::start().await;
    let (ada, grace) = (server.person("ada").await, server.person("grace").await);
    for title in ["Down", "Slow"] {
        let draft = json!({ "title": title, "severity": "sev3" });
        server.by(&grace, "POST", "/api/v1/incidents", draft).await;
    }
    for (number, text) in
        [(1, "@ada look"), (2, "@ada here, too"), (1, "@grace done"), (1, "@ada?")]
    {
        let path = format!("/api/v1/incidents/{number}/comments");
        let said = server.by(&grace, "POST", &path, json!({ "text": text })).await;
        assert_eq!(said.status, 200, "{}", said.body);
    }
    let list = async |query: &str| {
        let path = format!("/api/v1/me/mentions{query}");
        let answer = server.by(&ada, "GET", &path, json!(null)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let texts = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|it| it["entry"]["text"].as_str().unwrap().to_owned()).collect()
    };
    let first = list("?limit=2").await;
    assert_eq!(texts(&first), ["@ada?", "@ada here, too"]);
    assert_eq!(
        (&first["items"][1]["incident"], &first["items"][1]["title"]),
        (&json!(2), &json!("Slow"))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = list(&format!("?limit=2&cursor={cursor}")).await;
    assert_eq!((texts(&rest), &rest["next_cursor"]), (vec!["@ada look".to_owned()], &Value::Null));
    // What few may see, and what is blacked out, is not read here either.
    let few = json!({ "reason": "personal data" });
    assert_eq!(server.by(&grace, "POST", "/api/v1/incidents/2/restrict", few).await.status, 200);
    assert_eq!(texts(&list("").await), ["@ada?", "@ada look"]);
    let rows = server.get("/api/v1/incidents/1/timeline").await.json();
    let items = rows["items"].as_array().unwrap();
    let row = items.iter().find(|it| it["text"] == "@ada look").unwrap()["seq"].as_u64().unwrap();
    let path = format!("/api/v1/incidents/1/timeline/{row}/redact");
    let done = server.by("", "POST", &path, json!({ "reason": "a name" })).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let shown = texts(&list("").await);
    assert_eq!((shown.len(), shown[1].contains("look")), (2, false), "{shown:?}");
    let program = server.token(&EVERYTHING).await;
    assert_eq!(server.by(&program, "GET", "/api/v1/me/mentions", json!(null)).await.status, 404);
}
