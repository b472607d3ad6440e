//! Schedules over HTTP: making, asking, overriding, reporting, subscribing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use support::{Answer, TestServer};
use tocsin_core::identity::{Handle, Permission, Scope, TokenOwner};

impl TestServer {
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
}

fn web() -> Value {
    json!({
        "name": "web",
        "time_zone": "Europe/Berlin",
        "layers": [{
            "name": "main",
            "members": [["ada"], ["grace"]],
            "turns": [{ "count": 1, "unit": "days" }],
            "start": "2026-11-20T09:00:00"
        }]
    })
}

/// A server with ada, grace and linus, and the schedule `web`: ada since 08:00Z, noon now.
async fn stage() -> TestServer {
    let server = TestServer::start().await;
    for name in ["ada", "grace", "linus"] {
        let person = json!({ "handle": name, "time_zone": "Europe/Berlin" });
        assert_eq!(server.json("POST", "/api/v1/people", person).await.status, 201);
    }
    let made = server.json("POST", "/api/v1/schedules", web()).await;
    assert_eq!((made.status, made.header("location")), (201, "/api/v1/schedules/web"), "{made:?}");
    server
}

#[tokio::test]
async fn a_schedule_is_made_shown_edited_and_removed() {
    let server = stage().await;
    let shown = server.get("/api/v1/schedules/web").await.json();
    assert_eq!(shown["layers"][0]["members"], json!([["ada"], ["grace"]]));
    assert_eq!(shown["is_provisioned"], false);
    assert_eq!(server.json("POST", "/api/v1/schedules", web()).await.status, 409);
    let now = server.get("/api/v1/schedules/web/now").await.json();
    assert_eq!(now["people"], json!(["ada"]));
    assert_eq!(now["until"], "2026-11-21T08:00:00Z");
    assert_eq!(now["next"], json!(["grace"]));
    assert_eq!(now["cause"][0]["sentence"], "ada has the turn in layer main");
    let everything = server.get("/api/v1/oncall?person=ada").await.json();
    assert_eq!(everything["items"][0]["schedule"], "web");

    let mut edit = web();
    edit.as_object_mut().unwrap().remove("name");
    edit["layers"][0]["members"] = json!([["ada"], ["linus"], ["grace"]]);
    let span = "from=2026-11-20T12:00:00Z&to=2026-11-23T00:00:00Z";
    let path = format!("/api/v1/schedules/web/preview?{span}");
    let preview = server.json("POST", &path, edit.clone()).await.json();
    let people = |view: &Value| -> Vec<String> {
        let segments = view["segments"].as_array().unwrap();
        segments.iter().map(|it| it["people"][0].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(people(&preview), ["ada", "linus", "grace"]);
    let before = server.get(&format!("/api/v1/schedules/web/final?{span}")).await.json();
    assert_eq!(people(&before), ["ada", "grace", "ada"]);
    assert_eq!(server.json("PUT", "/api/v1/schedules/web", edit).await.status, 200);
    let after = server.get(&format!("/api/v1/schedules/web/final?{span}")).await.json();
    assert_eq!(after, preview);

    let mut bad = web();
    bad.as_object_mut().unwrap().remove("name");
    bad["time_zone"] = json!("Europe/Berln");
    let answer = server.json("PUT", "/api/v1/schedules/web", bad).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("/time_zone"), "{answer:?}");
    let mut unknown = web();
    unknown.as_object_mut().unwrap().remove("name");
    unknown["layers"][0]["members"] = json!([["zoe"]]);
    assert_eq!(server.json("PUT", "/api/v1/schedules/web", unknown).await.status, 422);

    assert_eq!(server.ask("DELETE", "/api/v1/schedules/web").await.status, 204);
    assert_eq!(server.get("/api/v1/schedules/web").await.status, 404);
}

#[tokio::test]
async fn what_is_used_is_not_removed() {
    let server = stage().await;
    let team = json!({ "description": "the shop", "members": [] });
    assert_eq!(server.json("PUT", "/api/v1/teams/shop", team).await.status, 200);
    let policy = json!({ "steps": [{ "page": ["schedule:web/next"] }, { "after_seconds": 60, "page": ["team:shop"] }] });
    let made = server.json("PUT", "/api/v1/escalation-policies/late", policy).await;
    assert_eq!(made.status, 200, "{made:?}");
    let refused = server.ask("DELETE", "/api/v1/schedules/web").await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.body.contains("is used by escalation policy late"), "{refused:?}");
    let refused = server.ask("DELETE", "/api/v1/teams/shop").await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.body.contains("team `shop` is used by escalation policy late"), "{refused:?}");
    assert_eq!(server.ask("DELETE", "/api/v1/escalation-policies/late").await.status, 204);
    assert_eq!(server.ask("DELETE", "/api/v1/schedules/web").await.status, 204);
    assert_eq!(server.ask("DELETE", "/api/v1/teams/shop").await.status, 204);
}

#[tokio::test]
async fn a_view_is_bounded_and_says_what_is_wrong() {
    let server = stage().await;
    let ask = async |query: &str| {
        server.get(&format!("/api/v1/schedules/web/final?{query}")).await.status
    };
    assert_eq!(ask("from=2026-01-01T00:00:00Z&to=2028-01-01T00:00:00Z").await, 200);
    assert_eq!(ask("from=2026-01-01T00:00:00Z&to=2029-01-01T00:00:00Z").await, 400);
    assert_eq!(ask("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").await, 400);
    let path = "/api/v1/schedules/web/final?from=2026-11-01T00:00:00Z&to=2026-11-21T00:00:00Z";
    let view = server.get(path).await.json();
    assert_eq!(view["warnings"][0]["code"], "before_records");
    assert_eq!(view["segments"][0]["from"], "2026-11-20T12:00:00Z");
}

#[tokio::test]
async fn overrides_swaps_and_blocks_go_through_the_api() {
    let server = stage().await;
    let path = "/api/v1/schedules/web/overrides";
    let it = json!({
        "user_out": "ada", "user_in": "linus",
        "from": "2026-11-20T13:00:00Z", "to": "2026-11-20T15:00:00Z", "reason": "dentist"
    });
    let made = server.json("POST", path, it.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let again = server.json("POST", path, it).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains(&id), "{again:?}");
    server.clock.advance(2 * 3_600);
    let now = server.get("/api/v1/schedules/web/now").await.json();
    assert_eq!(now["people"], json!(["linus"]));
    assert_eq!(server.ask("DELETE", &format!("{path}/{id}")).await.status, 204);
    let now = server.get("/api/v1/schedules/web/now").await.json();
    assert_eq!(now["people"], json!(["ada"]));

    let swap = json!({
        "owner": "ada", "from": "2026-11-20T18:00:00Z", "to": "2026-11-20T22:00:00Z"
    });
    let made = server.json("POST", "/api/v1/schedules/web/swaps", swap).await;
    assert_eq!((made.status, &made.json()["state"]), (201, &json!("open")));
    let take = format!("/api/v1/schedules/web/swaps/{}/take", made.json()["id"].as_str().unwrap());
    let part = json!({ "by": "grace", "to": "2026-11-20T20:00:00Z" });
    let taken = server.json("POST", &take, part).await;
    assert_eq!((taken.status, &taken.json()["taker"]), (200, &json!("grace")), "{taken:?}");
    let swaps = server.get("/api/v1/schedules/web/swaps").await.json();
    assert_eq!(swaps["items"].as_array().unwrap().len(), 2);

    let block = json!({
        "from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z",
        "shifts": [{
            "person": "linus", "from": "2026-11-22T00:00:00Z", "to": "2026-11-22T12:00:00Z"
        }]
    });
    let made = server.json("POST", "/api/v1/schedules/web/blocks", block.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(server.json("POST", "/api/v1/schedules/web/blocks", block).await.status, 409);
    let gaps = server.get("/api/v1/schedules/web/gaps").await.json();
    assert_eq!(gaps[0]["from"], "2026-11-22T12:00:00Z");

    let away = json!({
        "person": "grace", "from": "2026-11-21T08:00:00Z", "to": "2026-11-21T20:00:00Z"
    });
    assert_eq!(server.json("POST", "/api/v1/unavailability", away).await.status, 201);
    let view = server.get("/api/v1/schedules/web/final").await.json();
    assert!(view["warnings"].to_string().contains("grace is on call and away"), "{view}");
    let audit = server.get("/api/v1/audit?limit=100").await.body;
    for action in ["schedule.set", "override.add", "override.remove", "swap.take", "block.add"] {
        assert!(audit.contains(action), "{action}");
    }
}

#[tokio::test]
async fn time_is_offered_to_somebody_who_declines() {
    let server = stage().await;
    let swap = |to: &str| {
        json!({
            "owner": "ada", "from": "2026-11-20T18:00:00Z", "to": "2026-11-20T22:00:00Z",
            "offered_to": to,
        })
    };
    let path = "/api/v1/schedules/web/swaps";
    assert_eq!(server.json("POST", path, swap("ada")).await.status, 422);
    assert_eq!(server.json("POST", path, swap("zoe")).await.status, 422);
    let made = server.json("POST", path, swap("grace")).await.json();
    assert_eq!(made["offered_to"], "grace");
    let id = made["id"].as_str().unwrap();
    let answer = async |verb: &str, by: &str| {
        server.json("POST", &format!("{path}/{id}/{verb}"), json!({ "by": by })).await
    };
    let refused = answer("take", "linus").await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.body.contains("offered to grace only"), "{refused:?}");
    assert_eq!(answer("decline", "linus").await.status, 422);
    let declined = answer("decline", "grace").await;
    assert_eq!((declined.status, &declined.json()["state"]), (200, &json!("declined")));
    assert_eq!(answer("take", "grace").await.status, 409);
    // Whoever offered it may offer it to another.
    assert_eq!(server.json("POST", path, swap("linus")).await.status, 201);
    let audit = server.get("/api/v1/audit?limit=100").await.body;
    assert!(audit.contains("swap.decline"), "{audit}");
}

#[tokio::test]
async fn a_persons_shifts_are_listed_for_all_schedules() {
    let server = stage().await;
    let mut shop = web();
    shop["name"] = json!("shop");
    shop["layers"][0]["members"] = json!([["linus"], ["ada"]]);
    assert_eq!(server.json("POST", "/api/v1/schedules", shop).await.status, 201);
    let extra = json!({
        "user_in": "grace",
        "from": "2026-11-20T13:00:00Z", "to": "2026-11-20T15:00:00Z"
    });
    let made = server.json("POST", "/api/v1/schedules/web/overrides", extra).await;
    assert_eq!(made.status, 201, "{made:?}");
    let span = "from=2026-11-20T12:00:00Z&to=2026-11-22T12:00:00Z";
    let shifts = server.get(&format!("/api/v1/people/ada/shifts?{span}")).await.json();
    let shown: Vec<String> = shifts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {}", it["schedule"], it["from"], it["to"]).replace('"', ""))
        .collect();
    // Whoever joins in the middle cuts nothing.
    let wanted = [
        "web 2026-11-20T12:00:00Z 2026-11-21T08:00:00Z",
        "shop 2026-11-21T08:00:00Z 2026-11-22T08:00:00Z",
        "web 2026-11-22T08:00:00Z 2026-11-22T12:00:00Z",
    ];
    assert_eq!(shown, wanted);
    assert_eq!(server.get("/api/v1/people/zoe/shifts").await.status, 404);
    let mine = server.get("/api/v1/me/shifts").await;
    assert_eq!(mine.status, 404);
    assert!(mine.body.contains("is no person"), "{mine:?}");
    let marie = json!({ "handle": "marie", "time_zone": "Europe/Paris", "roles": ["viewer"] });
    assert_eq!(server.json("POST", "/api/v1/people", marie).await.status, 201);
    let owner = TokenOwner::Person(Handle::parse("marie").unwrap());
    let token = server.token_of(owner, &[Permission::ScheduleRead], Vec::new()).await;
    let mine =
        server.as_token(&token, "GET", &format!("/api/v1/me/shifts?{span}"), json!({})).await;
    assert_eq!((mine.status, &mine.json()["person"]), (200, &json!("marie")), "{mine:?}");
    let me = server.as_token(&token, "GET", "/api/v1/me", json!({})).await.json();
    assert_eq!(me["time_zone"], "Europe/Paris");
}

#[tokio::test]
async fn hours_and_quality_are_reported() {
    let server = stage().await;
    let span = "from=2026-11-20T12:00:00Z&to=2026-12-20T12:00:00Z";
    let quality = server.get(&format!("/api/v1/schedules/web/quality?{span}")).await.json();
    assert_eq!((&quality["score"], &quality["band"]), (&json!(100), &json!("great")));
    assert_eq!(quality["shares"].as_array().unwrap().len(), 2);
    let report = server.get(&format!("/api/v1/schedules/web/report?{span}&format=csv")).await;
    assert_eq!(report.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = report.body.lines().collect();
    assert_eq!(lines.len(), 5, "{report:?}");
    assert!(lines[0].ends_with(",pages,night_pages"), "{report:?}");
    assert!(lines[1].starts_with("2026-11,ada,"), "{report:?}");
    assert!(lines[1].ends_with(",0,0"), "{report:?}");
}

#[tokio::test]
async fn a_calendar_is_read_with_its_secret_until_that_is_revoked() {
    let server = stage().await;
    for path in ["/api/v1/schedules/web", "/api/v1/people/ada"] {
        let made = server.ask("POST", &format!("{path}/calendar-token")).await.json();
        let url = made["url"].as_str().unwrap().to_owned();
        let calendar = server.get(&url).await;
        assert_eq!(calendar.status, 200, "{calendar:?}");
        assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
        assert!(calendar.body.contains("SUMMARY:ada on call: web"), "{calendar:?}");
        assert_eq!(calendar.body.contains("SUMMARY:grace"), path.ends_with("web"));
        assert_eq!(server.get(&format!("{path}/calendar.ics?token=wrong")).await.status, 404);
        assert_eq!(server.get(&format!("{path}/calendar.ics")).await.status, 404);
        let revoke = format!("/api/v1/calendar-tokens/{}", made["id"].as_str().unwrap());
        assert_eq!(server.ask("DELETE", &revoke).await.status, 204);
        assert_eq!(server.get(&url).await.status, 404);
    }
}

#[tokio::test]
async fn who_may_do_what_depends_on_the_team_and_on_who_they_are() {
    let server = stage().await;
    let reader = server.token(&[Permission::ScheduleRead]).await;
    let it = json!({
        "user_in": "linus", "from": "2026-11-20T13:00:00Z", "to": "2026-11-20T15:00:00Z"
    });
    let path = "/api/v1/schedules/web/overrides";
    assert_eq!(server.as_token(&reader, "POST", path, it.clone()).await.status, 403);
    let own = [Permission::ScheduleOwn, Permission::ScheduleOverride];
    let elsewhere = vec![Scope::Team("db".into())];
    let service = TokenOwner::Service("bot".to_owned());
    let of_db = server.token_of(service, &own, elsewhere).await;
    assert_eq!(server.as_token(&of_db, "POST", path, it.clone()).await.status, 403);
    let all = server.token(&own).await;
    assert_eq!(server.as_token(&all, "POST", path, it).await.status, 201);
    let correct = json!({
        "from": "2026-11-20T12:00:00Z", "to": "2026-11-20T12:00:01Z",
        "people": ["grace"], "reason": "was there"
    });
    let path = "/api/v1/schedules/web/corrections";
    assert_eq!(server.as_token(&all, "POST", path, correct).await.status, 403);
}

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:linus\r\n\
    DTSTART:20261120T120000\r\nDTEND:20261120T180000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n\
    SUMMARY:zoe\r\nDTSTART:20261121T120000Z\r\nDTEND:20261121T180000Z\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nSUMMARY:ada\r\nDTSTART:soon\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

impl TestServer {
    async fn push(&self, path: &str, kind: &str, body: &str) -> Answer {
        let request = Request::builder().method("POST").uri(path).header("content-type", kind);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

#[tokio::test]
async fn a_calendar_is_sent_in_and_says_who_is_on_call() {
    let server = stage().await;
    let mut edit = web();
    edit.as_object_mut().unwrap().remove("name");
    edit["imports"] = json!([
        { "name": "plan", "source": "pushed", "rank": 1 },
        { "name": "google", "url": "webcal://127.0.0.1:1/private-canary/basic.ics" },
    ]);
    let made = server.json("PUT", "/api/v1/schedules/web", edit.clone()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let shown = &made.json()["imports"][1]["url"];
    assert_eq!(*shown, "webcal://127.0.0.1:1/<secret>", "the address is a secret");
    let path = "/api/v1/schedules/web/imports/plan";
    let state = server.push(path, "text/calendar; charset=utf-8", CALENDAR).await;
    assert_eq!(state.status, 200, "{state:?}");
    let state = state.json();
    assert_eq!(state["events"], 2);
    assert_eq!(state["unknown"], json!(["zoe"]));
    assert_eq!(state["trouble"], json!(["line 14: `soon` is no date or time"]));
    assert_eq!(state["read_at"], "2026-11-20T12:00:00Z");
    assert_eq!(server.get(path).await.json(), state);
    // Noon in UTC is one o'clock in the schedule's zone.
    let now = server.get("/api/v1/schedules/web/now").await.json();
    assert_eq!(now["people"], json!(["linus"]));
    assert_eq!(now["cause"][0]["kind"], "import");
    assert_eq!(now["cause"][0]["sentence"], "calendar plan names linus");
    assert_eq!(now["until"], "2026-11-20T17:00:00Z");
    let view = server.get("/api/v1/schedules/web/final").await.json();
    let told = view["warnings"].to_string();
    assert!(told.contains("calendar `plan` names nobody who is known: zoe"), "{told}");
    assert!(told.contains("line 14"), "{told}");

    for (kind, body, status) in [
        ("application/json", "{}", 415),
        ("text/calendar", "<html>", 400),
        ("text/calendar", "BEGIN:VCALENDAR\nBEGIN:VEVENT", 400),
    ] {
        let refused = server.push(path, kind, body).await;
        assert_eq!(refused.status, status, "{refused:?}");
    }
    let now = server.get("/api/v1/schedules/web/now").await.json();
    assert_eq!(now["people"], json!(["linus"]), "what is refused changes nothing");
    let fetched = "/api/v1/schedules/web/imports/google";
    assert_eq!(server.push(fetched, "text/calendar", CALENDAR).await.status, 409);
    let nobodys = "/api/v1/schedules/web/imports/other";
    assert_eq!(server.push(nobodys, "text/calendar", CALENDAR).await.status, 404);
    assert_eq!(server.get(nobodys).await.status, 404);
    assert_eq!(server.ask("POST", &format!("{nobodys}/refresh")).await.status, 404);
    assert_eq!(server.ask("POST", &format!("{path}/refresh")).await.status, 409);
    let refreshed = server.ask("POST", &format!("{fetched}/refresh")).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert!(refreshed.json()["failure"].is_string(), "{refreshed:?}");

    // What is shown is sent back by whoever edits it, and the address stays.
    let mut again = server.get("/api/v1/schedules/web").await.json();
    let keys = ["name", "is_provisioned", "recorded_since", "time_zone_database", "config_hash"];
    let fields = again.as_object_mut().unwrap();
    fields.retain(|key, _| !keys.contains(&key.as_str()));
    let hash = server.get("/api/v1/schedules/web").await.json()["config_hash"].clone();
    let kept = server.json("PUT", "/api/v1/schedules/web", again.clone()).await;
    assert_eq!((kept.status, &kept.json()["config_hash"]), (200, &hash));
    again["imports"][1]["name"] = json!("renamed");
    let refused = server.json("PUT", "/api/v1/schedules/web", again).await;
    assert_eq!(refused.status, 422, "an address that nobody knows: {refused:?}");
    assert!(refused.body.contains("write it out"), "{refused:?}");
    let audit = server.get("/api/v1/audit").await;
    assert!(audit.body.contains("schedule.import") && !audit.body.contains("canary"), "{audit:?}");

    edit["imports"] = json!([{ "name": "plan" }, { "name": "x", "source": "settings" }]);
    let refused = server.json("PUT", "/api/v1/schedules/web", edit).await;
    assert_eq!(refused.status, 422);
    for place in ["/imports/0/url", "/imports/1/source"] {
        assert!(refused.body.contains(place), "{refused:?}");
    }
}

#[tokio::test]
async fn a_calendar_of_ours_can_be_imported_again() {
    let server = stage().await;
    let made = server.json("POST", "/api/v1/schedules/web/calendar-token", json!({})).await.json();
    let url = made["url"].as_str().unwrap();
    let ours = server.get(&url[url.find("/api").unwrap()..]).await.body;
    let copy = json!({ "name": "copy", "imports": [{ "name": "web", "source": "pushed" }] });
    assert_eq!(server.json("POST", "/api/v1/schedules", copy).await.status, 201);
    let pushed = server.push("/api/v1/schedules/copy/imports/web", "text/calendar", &ours).await;
    let state = pushed.json();
    assert_eq!((&state["trouble"], &state["unknown"]), (&json!([]), &json!([])), "{state}");
    let span = "from=2026-11-21T12:00:00Z&to=2027-11-01T00:00:00Z";
    let people = async |schedule: &str| {
        let view = server.get(&format!("/api/v1/schedules/{schedule}/final?{span}")).await.json();
        let segments = view["segments"].as_array().unwrap().clone();
        let shown = segments.iter().map(|it| (it["from"].clone(), it["people"].clone()));
        shown.collect::<Vec<_>>()
    };
    assert_eq!(people("copy").await, people("web").await);
}
