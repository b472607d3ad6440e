//! Postmortems, action items and the knowledge base through the API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_server::Options;

impl TestServer {
    async fn with_an_end() -> Self {
        let server = Self::start_by(Options::default(), support::policy()).await;
        let person = json!({ "handle": "ada" });
        assert_eq!(server.order("POST", "/api/v1/people", &[], person).await.status, 201);
        let change = json!({ "summary": "Deploy web v42", "source": "ci" });
        assert_eq!(server.order("POST", "/api/v1/changes", &[], change).await.status, 202);
        server.clock.advance(60);
        server.incident("Customers cannot pay", "sev2").await;
        server
    }

    /// Declares an incident, works on it for half an hour, and resolves it.
    async fn incident(&self, title: &str, severity: &str) -> u64 {
        let draft = json!({ "title": title, "severity": severity, "service": "web" });
        let made = self.order("POST", "/api/v1/incidents", &[], draft).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let number = made.json()["number"].as_u64().unwrap();
        let step = async |verb: &str, body: Value| {
            let path = format!("/api/v1/incidents/{number}/{verb}");
            let done = self.order("POST", &path, &[], body).await;
            assert_eq!(done.status, 200, "{verb}: {}", done.body);
        };
        self.clock.advance(120);
        step("acknowledge", json!({})).await;
        step("assign", json!({ "owner": "ada" })).await;
        self.clock.advance(1_680);
        step("transition", json!({ "to": "identified", "note": "the pool is too small" })).await;
        step("resolve", json!({ "note": "rolled back" })).await;
        number
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

    async fn to(&self, state: &str) -> Answer {
        let path = "/api/v1/postmortems/1/transition";
        self.order("POST", path, &[], json!({ "to": state, "reason": "so it is" })).await
    }

    async fn edit(&self, version: u64, body: Value) -> Answer {
        let tag = format!("\"{version}\"");
        self.order("PATCH", "/api/v1/postmortems/1", &[("if-match", &tag)], body).await
    }

    /// Drafts by hand what drafts itself a moment later, so that no test has to wait.
    async fn drafted(&self) -> Value {
        let done = self.order("POST", "/api/v1/postmortems/1/draft", &[], json!({})).await;
        assert_eq!(done.status, 200, "{}", done.body);
        done.json()
    }
}

fn section<'a>(postmortem: &'a Value, name: &str) -> &'a Value {
    let sections = postmortem["sections"].as_array().unwrap();
    sections.iter().find(|it| it["name"] == name).unwrap()
}

fn texts(postmortem: &Value, name: &str) -> Vec<String> {
    let drafted = section(postmortem, name)["drafted"].as_array().unwrap().clone();
    drafted.iter().map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_postmortem_begins_drafts_itself_is_written_and_published() {
    let server = TestServer::with_an_end().await;
    let drafted = server.drafted().await;
    assert_eq!(drafted["state"], "draft");
    assert_eq!(drafted["is_required"], true);
    assert_eq!(drafted["owner"], "ada");
    assert!(texts(&drafted, "summary")[0].contains("resolved after 30m"), "{drafted}");
    let factors = texts(&drafted, "contributing_factors");
    assert!(factors[0].contains("Deploy web v42"), "{factors:?}");
    assert_eq!(drafted["missing"], json!(["lessons_learned"]));
    for section in drafted["sections"].as_array().unwrap() {
        for sentence in section["drafted"].as_array().unwrap() {
            assert!(!sentence["sources"].as_array().unwrap().is_empty(), "{sentence}");
        }
    }
    // Nothing is published before it is complete, and nothing is complete that is empty.
    let early = server.to("published").await;
    assert_eq!(early.status, 409);
    let problem: Value = serde_json::from_str(&early.body).unwrap();
    assert_eq!(problem["allowed"], json!(["scheduled", "in_review", "completed", "waived"]));
    let incomplete = server.to("completed").await;
    assert_eq!(incomplete.status, 409);
    assert!(incomplete.body.contains("lessons_learned"), "{}", incomplete.body);

    let version = drafted["version"].as_u64().unwrap();
    let words = json!({
        "tags": ["Deploy"],
        "sections": {
            "lessons_learned": "Bob should have known. <script>alert(1)</script> **Pools** fill.",
            "root_cause": "[pool](javascript:alert(1)) too small"
        }
    });
    let edited = server.edit(version, words.clone()).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    let edited = edited.json();
    assert_eq!(edited["tags"], json!(["deploy"]));
    let hint = &section(&edited, "lessons_learned")["hints"][0];
    assert_eq!((hint["phrase"].as_str(), hint["at"].as_u64()), (Some("should have"), Some(4)));
    // Who saw less than that writes nothing over it.
    assert_eq!(server.edit(version, words).await.status, 412);
    // Drafting again leaves it alone.
    let again = server.drafted().await;
    assert_eq!(section(&again, "root_cause")["edited_by"], "local");
    assert!(texts(&again, "root_cause")[0].contains("the pool is too small"));

    let comment = json!({ "text": "how so?", "section": "summary" });
    let path = "/api/v1/postmortems/1/comments";
    assert_eq!(server.order("POST", path, &[], comment).await.status, 200);
    assert_eq!(server.get(path).await.json()["items"][0]["text"], "how so?");
    for state in ["in_review", "completed", "published"] {
        let moved = server.to(state).await;
        assert_eq!(moved.status, 200, "{state}: {}", moved.body);
    }
    // From now on the incident may go on; what was published stays.
    let late = json!({ "text": "one more thing" });
    let said = server.order("POST", "/api/v1/incidents/1/comments", &[], late).await;
    assert_eq!(said.status, 200);
    let shown = server.get("/api/v1/postmortems/1").await.json();
    assert_eq!(shown["live"]["is_frozen"], true);
    assert!(!shown["live"]["timeline"].to_string().contains("one more thing"));
    let settled = json!({ "sections": { "summary": "other" } });
    assert_eq!(server.edit(shown["version"].as_u64().unwrap(), settled).await.status, 409);
    let detail = server.get("/api/v1/incidents/1").await.json();
    let metrics = detail["metrics"].as_array().unwrap();
    let took = metrics.iter().find(|it| it["name"] == "postmortem_time").unwrap();
    assert_eq!(took["status"], "recorded");

    for (format, kind) in [("md", "text/markdown"), ("html", "text/html"), ("confluence", "xhtml")]
    {
        let path = format!("/api/v1/postmortems/{}/export?format={format}", "PIR-1");
        let export = server.get(&path).await;
        assert_eq!(export.status, 200, "{}", export.body);
        assert!(export.header("content-type").contains(kind), "{format}");
        for harm in ["<script", "href=\"javascript", "](javascript"] {
            let open = export.body.replace("\\[pool](javascript", "");
            assert!(!open.contains(harm), "{format}: {}", export.body);
        }
        assert!(export.body.contains("Customers cannot pay") || format == "confluence");
    }
    let export = server.get("/api/v1/postmortems/1/export?format=json").await;
    assert!(export.header("content-type").contains("application/json"));
    assert!(export.header("content-disposition").contains(".json\""));
    assert_eq!(export.json(), server.get("/api/v1/postmortems/1").await.json());
    assert_eq!(server.get("/api/v1/postmortems/1/export?format=pdf").await.status, 400);
    let versions = server.get("/api/v1/postmortems/1/versions").await.json();
    let first = versions["items"].as_array().unwrap().last().unwrap()["version"].clone();
    assert_eq!(first, 1);
    let old = server.get("/api/v1/postmortems/1/versions/1").await.json();
    assert_eq!(old["state"], "draft");
    // What is published goes back only with a reason.
    let reason = json!({ "to": "draft" });
    let path = "/api/v1/postmortems/1/transition";
    assert_eq!(server.order("POST", path, &[], reason).await.status, 422);
    assert_eq!(server.to("draft").await.status, 200);
    assert_eq!(server.get("/api/v1/postmortems/2").await.status, 404);
}

#[tokio::test]
async fn one_is_begun_by_hand_where_none_is_asked_for() {
    let server = TestServer::with_an_end().await;
    let number = server.incident("A slow page", "sev4").await;
    let path = format!("/api/v1/incidents/{number}/postmortem");
    assert_eq!(server.get(&path).await.status, 404);
    let begun = server.order("POST", &path, &[], json!({})).await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    assert_eq!(begun.json()["is_required"], false);
    assert_eq!(server.order("POST", &path, &[], json!({})).await.status, 200);
    let open = json!({ "title": "Still open" });
    let open = server.order("POST", "/api/v1/incidents", &[], open).await.json()["number"].clone();
    let path = format!("/api/v1/incidents/{open}/postmortem");
    assert_eq!(server.order("POST", &path, &[], json!({})).await.status, 409);
    let list = server.get("/api/v1/postmortems?limit=1").await.json();
    assert_eq!(list["items"][0]["incident"].as_u64(), Some(number));
    let next = list["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/postmortems?cursor={next}")).await.json();
    assert_eq!(rest["items"][0]["incident"], 1);
    let waived = server.to("waived").await.json();
    assert_eq!(waived["waived_because"], "so it is");
    let open = server.get("/api/v1/postmortems?state=draft").await.json();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/v1/postmortems?state=done").await.status, 400);
}

#[tokio::test]
async fn action_items_are_promised_done_put_off_and_remembered() {
    let server = TestServer::with_an_end().await;
    let drafted = server.drafted().await;
    let rule = drafted["recommendations"][0]["rule"].clone();
    let path = "/api/v1/incidents/1/actions";
    let made = server.order("POST", path, &[], json!({ "rule": rule })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["id"], "AI-1-1");
    assert_eq!(made.json()["owner"], "ada");
    assert_eq!(server.order("POST", path, &[], json!({ "rule": rule })).await.status, 200);
    assert_eq!(server.order("POST", path, &[], json!({ "rule": "x" })).await.status, 422);
    assert_eq!(server.order("POST", path, &[], json!({ "title": " " })).await.status, 422);
    let link = json!({ "title": "x", "link": "javascript:alert(1)" });
    assert_eq!(server.order("POST", path, &[], link).await.status, 422);
    let urgent = json!({ "title": "Enlarge the pool", "priority": "P0", "category": "tooling" });
    assert_eq!(server.order("POST", path, &[], urgent).await.json()["id"], "AI-1-2");
    let list = server.get("/api/v1/actions").await.json();
    let ids: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["AI-1-2", "AI-1-1"]);
    let first = server.get("/api/v1/actions?limit=1").await.json();
    let next = first["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/actions?limit=1&cursor={next}")).await.json();
    assert_eq!(rest["items"][0]["id"], "AI-1-1");

    let set = async |body: Value| server.order("PATCH", "/api/v1/actions/AI-1-2", &[], body).await;
    assert_eq!(set(json!({ "status": "deferred" })).await.status, 422);
    let later =
        json!({ "status": "deferred", "reason": "hiring", "due_at": "2027-06-01T00:00:00Z" });
    assert_eq!(set(later).await.json()["status"], "deferred");
    // Another one of the same kind while it is open.
    let number = server.incident("Customers cannot pay", "sev3").await;
    let similar = server.get(&format!("/api/v1/incidents/{number}/similar")).await.json();
    assert_eq!(similar["items"][0]["incident"], 1, "{similar}");
    assert!(similar["items"][0]["reasons"].to_string().contains("same service web"));
    assert_eq!(set(json!({ "status": "completed" })).await.json()["status"], "completed");
    let open = server.get("/api/v1/actions?status=open&status=deferred").await.json();
    assert_eq!(open["items"].as_array().unwrap().len(), 1);
    server.clock.advance(120 * 24 * 3600);
    let overdue = server.get("/api/v1/actions?overdue=true").await.json();
    assert_eq!(overdue["items"][0]["id"], "AI-1-1");
    let timeline = server.get("/api/v1/incidents/1/timeline?limit=1000").await.body;
    assert!(timeline.contains("AI-1-2 is completed: Enlarge the pool"), "{timeline}");
    for unknown in ["AI-1-9", "AI-7-1", "x"] {
        assert_eq!(server.get(&format!("/api/v1/actions/{unknown}")).await.status, 404);
    }
}

#[tokio::test]
async fn what_was_written_is_found() {
    let server = TestServer::with_an_end().await;
    let draft = json!({
        "kind": "best_practice", "title": "Pools", "body": "Watch how full *pools* are.",
        "tags": ["capacity"]
    });
    let made = server.order("POST", "/api/v1/kb/articles", &[], draft.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let find = async |query: &str| {
        let found = server.get(&format!("/api/v1/kb/search?q={query}")).await;
        assert_eq!(found.status, 200, "{query}: {}", found.body);
        let found = found.json();
        let items = found["items"].as_array().unwrap().clone();
        items.iter().map(|it| format!("{} {}", it["kind"], it["key"])).collect::<Vec<_>>()
    };
    assert_eq!(find("watch+how+full").await, [r#""best_practice" "1""#]);
    assert_eq!(find("capacity").await, [r#""best_practice" "1""#]);
    assert!(find("customers").await.contains(&r#""incident" "1""#.to_owned()));
    // What was said on the way is found, too.
    let said = find("pool+too+small").await;
    assert!(said.iter().any(|it| it.starts_with(r#""comment" "1/"#)), "{said:?}");
    for odd in ["%22", "*", "NEAR(", "a%22b%22", "-x", "%00"] {
        find(odd).await;
    }
    let tagged = server.get("/api/v1/kb/search?tag=capacity").await.json();
    assert_eq!(tagged["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/api/v1/kb/search?kind=x").await.status, 400);
    let mut other = draft;
    other["body"] = json!("Watch them by a dashboard.");
    let tag = [("if-match", "\"1\"")];
    let path = "/api/v1/kb/articles/1";
    let changed = server.order("PUT", path, &tag, other.clone()).await;
    assert_eq!(changed.json()["version"], 2, "{}", changed.body);
    other["body"] = json!("again");
    assert_eq!(server.order("PUT", path, &tag, other).await.status, 412);
    assert_eq!(find("dashboard").await, [r#""best_practice" "1""#]);
    // Others may have some of the words.
    let before = find("how+full").await;
    assert!(!before.contains(&r#""best_practice" "1""#.to_owned()), "{before:?}");
    assert_eq!(server.get("/api/v1/kb/articles/9").await.status, 404);
}

#[tokio::test]
async fn a_draft_comes_by_itself_and_promises_hear_that_it_came_back() {
    let server = TestServer::with_an_end().await;
    let wait = async |path: &str, is_there: fn(&Value) -> bool| {
        let looking = async {
            loop {
                let found = server.get(path).await.json();
                if is_there(&found) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), looking).await.unwrap()
    };
    let drafted = wait("/api/v1/postmortems/1", |it| it["drafted_at"].is_string()).await;
    assert_eq!(drafted["changed_by"], "tocsin");
    assert_eq!(drafted["is_draft_outdated"], false);
    let promise = json!({ "title": "Enlarge the pool" });
    let path = "/api/v1/incidents/1/actions";
    assert_eq!(server.order("POST", path, &[], promise).await.status, 201);
    let second = server.incident("Customers cannot pay", "sev2").await;
    let has_recurred = |it: &Value| it["recurred"] != json!([]);
    let item = wait("/api/v1/actions/AI-1-1", has_recurred).await;
    assert_eq!(item["recurred"], json!([second]));
    let path = format!("/api/v1/postmortems/{second}");
    let drafted = wait(&path, |it| it["drafted_at"].is_string()).await;
    let factors = texts(&drafted, "contributing_factors").join("\n");
    assert!(factors.contains("AI-1-1 was still open when it happened"), "{factors}");
    assert!(texts(&drafted, "summary").join("\n").contains("Seen before: incident 1"));
}

/// What must not be read any more; each stands somewhere else.
const SECRETS: [&str; 4] = ["hunter2-was-it", "typo-before", "it-is-hunter3", "caption-of-it"];

#[tokio::test]
async fn what_is_blacked_out_is_read_nowhere_any_more() {
    let server = TestServer::with_an_end().await;
    let post = async |path: String, body: Value| {
        let done = server.order("POST", &path, &[], body).await;
        assert!(done.status < 300, "{path}: {} {}", done.status, done.body);
        done.json()
    };
    let say = async |text: &str| {
        post("/api/v1/incidents/1/comments".to_owned(), json!({ "text": text })).await;
        let timeline = server.get("/api/v1/incidents/1/timeline?limit=1000").await.json();
        timeline["items"].as_array().unwrap().last().unwrap()["seq"].as_u64().unwrap()
    };
    let row = |seq: u64, verb: &str| format!("/api/v1/incidents/1/timeline/{seq}{verb}");
    let timeline = server.get("/api/v1/incidents/1/timeline?limit=1000").await.json();
    let end = timeline["items"].as_array().unwrap().clone();
    let end = end.iter().find(|it| it["text"] == "resolved as fixed: rolled back").unwrap();
    let end = end["seq"].as_u64().unwrap();
    let secret = say("the password hunter2-was-it").await;
    let corrected = say("a typo-before").await;
    post(row(corrected, "/revise"), json!({ "text": "no typo any more" })).await;
    let twice = say("the next try").await;
    post(row(twice, "/revise"), json!({ "text": "now it-is-hunter3" })).await;
    let mark = json!({ "key_moment": true, "caption": "caption-of-it", "position": 1 });
    assert_eq!(server.order("PATCH", &row(secret, ""), &[], mark).await.status, 200);
    let mark = json!({ "key_moment": true });
    assert_eq!(server.order("PATCH", &row(corrected, ""), &[], mark).await.status, 200);
    server.drafted().await;
    // The story is told as people chose to tell it.
    let shown = server.get("/api/v1/postmortems/1").await.json();
    let moments = shown["live"]["key_moments"].as_array().unwrap();
    let words: Vec<_> = moments.iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(words, ["caption-of-it", "no typo any more"]);
    assert!(!shown.to_string().contains("typo-before"), "the original of what was corrected");
    // Somebody copies what was said into the text, and it is published.
    let copied = json!({ "sections": {
        "lessons_learned": "As said: the password hunter2-was-it",
        "impact": "Nobody could pay."
    }});
    let version = shown["version"].as_u64().unwrap();
    assert_eq!(server.edit(version, copied).await.status, 200);
    let comment = json!({ "text": "what does `the password hunter2-was-it` do here?" });
    post("/api/v1/postmortems/1/comments".to_owned(), comment).await;
    for state in ["completed", "published"] {
        assert_eq!(server.to(state).await.status, 200);
    }
    let other = server.incident("Customers cannot pay", "sev3").await;
    let everywhere = async || {
        let mut all = String::new();
        let mut paths = vec![
            "/api/v1/postmortems/1".to_owned(),
            "/api/v1/postmortems/1/comments".to_owned(),
            "/api/v1/incidents/1/timeline?limit=1000".to_owned(),
            format!("/api/v1/incidents/{other}/similar"),
        ];
        for format in ["md", "html", "confluence", "json"] {
            paths.push(format!("/api/v1/postmortems/1/export?format={format}"));
        }
        for word in ["hunter2", "hunter3", "rolled", "password", "typo"] {
            paths.push(format!("/api/v1/kb/search?q={word}&kind=comment&kind=postmortem"));
        }
        let versions = server.get("/api/v1/postmortems/1/versions").await.json();
        for it in versions["items"].as_array().unwrap() {
            paths.push(format!("/api/v1/postmortems/1/versions/{}", it["version"]));
        }
        for path in paths {
            let found = server.get(&path).await;
            assert_eq!(found.status, 200, "{path}: {}", found.body);
            all.push_str(&found.body);
        }
        all
    };
    let before = everywhere().await;
    for word in SECRETS.iter().chain(&["rolled back"]) {
        assert!(before.contains(word), "{word}");
    }
    let why = json!({ "reason": "not for everybody" });
    for seq in [secret, twice, corrected, end] {
        post(row(seq, "/redact"), why.clone()).await;
    }
    let after = everywhere().await;
    for word in SECRETS {
        let place = after.find(word).map(|at| &after[at.saturating_sub(200)..at + 30]);
        assert!(place.is_none(), "{word}: {place:?}");
    }
    // The other incident says the same of its own end; that stays, and nothing else does.
    let said = server.get("/api/v1/kb/search?q=rolled").await.json();
    let said = said["items"].as_array().unwrap().iter().map(|it| it["incident"].clone());
    assert!(said.clone().all(|it| it == other), "{:?}", said.collect::<Vec<_>>());
    let similar = server.get(&format!("/api/v1/incidents/{other}/similar")).await.json();
    assert!(!similar.to_string().contains("rolled back"), "{similar}");
    let shown = server.get("/api/v1/postmortems/1").await.json();
    assert!(!shown.to_string().contains("rolled back"), "{shown}");
    assert!(shown["live"]["is_frozen"].as_bool().unwrap());
    assert!(texts(&shown, "summary").iter().any(|it| it == "It ended as fixed: (blacked out)."));
}

#[tokio::test]
async fn a_draft_is_drafted_again_when_what_it_quotes_is_blacked_out() {
    let server = TestServer::with_an_end().await;
    let drafted = server.drafted().await;
    assert!(texts(&drafted, "root_cause").join(" ").contains("the pool is too small"));
    let timeline = server.get("/api/v1/incidents/1/timeline?limit=1000").await.json();
    let rows = timeline["items"].as_array().unwrap();
    let noted = rows.iter().find(|it| it["text"].to_string().contains("the pool is too small"));
    let seq = noted.unwrap()["seq"].clone();
    let path = format!("/api/v1/incidents/1/timeline/{seq}/redact");
    let done = server.order("POST", &path, &[], json!({ "reason": "a name" })).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let looking = async {
        loop {
            let found = server.get("/api/v1/postmortems/1").await.json();
            let is_new = found["drafted_at"].is_string() && found["version"] != drafted["version"];
            if is_new && found["is_draft_outdated"] == false {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(std::time::Duration::from_secs(30), looking).await.unwrap();
    assert_eq!(texts(&found, "root_cause"), ["What ended it: rolled back."]);
}
