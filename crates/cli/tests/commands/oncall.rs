//! `tocsin oncall`: who is on call, exceptions, swaps, gaps, hours.

use crate::fake::answer;
use crate::stage::Stage;

const ME: &str = r#"{"kind":"person","name":"ada","time_zone":"Europe/Berlin","access":[]}"#;
const SERVICE: &str = r#"{"kind":"service","name":"ci","access":[]}"#;
const WEB: &str = r#"{"schedule":"web","team":"shop","people":["ada"],"cause":[{"person":"ada","kind":"layer","sentence":"ada has the turn in layer main"}],"until":"2026-11-21T08:00:00Z","next":["grace"]}"#;
const EMPTY: &str = r#"{"schedule":"night shift","people":[],"cause":[{"kind":"gap","sentence":"nobody is on call: no layer covers the time"}],"next":[]}"#;
const VIEW: &str = r#"{"segments":[{"from":"2026-11-20T12:00:00Z","to":"2026-11-21T08:00:00Z","people":["ada"],"cause":[{"person":"ada","kind":"layer","sentence":"ada has the turn in layer main"}],"is_recorded":true},{"from":"2026-11-21T08:00:00Z","to":"2026-11-21T20:00:00Z","people":["grace","linus"],"cause":[{"person":"grace","kind":"layer","sentence":"grace has the turn in layer main"},{"person":"linus","kind":"override","id":"00000000-0000-0000-0000-000000000001","sentence":"ada put linus on call"}],"is_recorded":false},{"from":"2026-11-21T20:00:00Z","to":"2026-11-22T12:00:00Z","people":[],"cause":[{"kind":"gap","sentence":"nobody is on call: no layer covers the time"}],"is_recorded":false}],"gaps":[{"from":"2026-11-21T20:00:00Z","to":"2026-11-22T12:00:00Z","people":0,"wanted":1}],"warnings":[{"code":"away","from":"2026-11-21T09:00:00Z","to":"2026-11-21T10:00:00Z","message":"grace is on call and away"}]}"#;
const SHIFTS: &str = r#"{"person":"ada","items":[{"schedule":"web","from":"2027-03-27T08:00:00Z","to":"2027-03-28T07:00:00Z","cause":{"person":"ada","kind":"layer","sentence":"ada has the turn in layer main"},"is_recorded":false}]}"#;
const OVERRIDE: &str = r#"{"id":"6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a","user_out":"ada","user_in":"linus","from":"2026-11-20T13:00:00Z","to":"2026-11-20T15:00:00Z","reason":"dentist","author":"grace"}"#;
const SWAP: &str = r#"{"id":"6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a","owner":"ada","offered_to":"grace","state":"open","from":"2026-11-21T08:00:00Z","to":"2026-11-21T16:00:00Z","reason":""}"#;
const TAKEN: &str = r#"{"id":"6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a","owner":"grace","taker":"ada","state":"taken","from":"2026-11-21T08:00:00Z","to":"2026-11-21T11:00:00Z","reason":"wedding"}"#;
const DECLINED: &str = r#"{"id":"6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a","owner":"grace","offered_to":"ada","state":"declined","from":"2026-11-21T08:00:00Z","to":"2026-11-21T11:00:00Z","reason":""}"#;
const REPORT: &str = r#"{"items":[{"month":"2026-11","person":"ada","hours":{"total_seconds":86400,"weekday_seconds":50400,"night_seconds":32400,"weekend_seconds":3600,"holiday_seconds":0},"pages":3,"night_pages":1}]}"#;
const QUALITY: &str = r#"{"score":97,"band":"great","coverage_percent":99.5,"balance_percent":94.0,"weighted_balance_percent":91.2,"shares":[{"person":"ada","hours":{"total_seconds":86400,"weekday_seconds":50400,"night_seconds":32400,"weekend_seconds":3600,"holiday_seconds":0},"shifts":2,"above_average_percent":6,"shortest_rest_seconds":86400,"weeks_in_a_row":1}],"advice":["ada rests only 4.0 hours between two shifts: leave 11 hours between them"]}"#;
const OVERLAPS: &str = r#"{"type":"x","title":"Conflict","status":409,"detail":"`ada` is replaced at that time already, by override 6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a","code":"conflict"}"#;
const ID: &str = "6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a";
const SPAN: [&str; 4] = ["--from", "2026-11-20T13:00", "--to", "2026-11-22T13:00"];

fn kept(text: String) -> &'static str {
    text.leak()
}

fn with<'a>(head: &[&'a str], tail: &[&'a str]) -> Vec<&'a str> {
    head.iter().chain(tail).copied().collect()
}

#[test]
fn who_is_on_call_is_said_for_all_or_one_schedule() {
    let first = kept(format!(r#"{{"items":[{WEB},{EMPTY}]}}"#));
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/me", 200, ME),
        answer("GET /api/v1/oncall", 200, first),
        answer("GET /api/v1/schedules/web/now", 200, WEB),
        answer("GET /api/v1/schedules/night%20shift/now", 200, EMPTY),
    ]);
    stage.run(&["oncall", "now"]);
    stage.run(&["oncall", "now", "--team", "shop", "--zone", "Asia/Tokyo", "-o", "extended"]);
    stage.run(&["oncall", "now", "web", "-o", "json"]);
    assert_eq!(stage.run(&["oncall", "now", "night shift"]), 1);
    assert_eq!(stage.run(&["oncall", "now", "--zone", "Europe/Berln"]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn the_view_of_a_span_has_reasons_gaps_and_warnings() {
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/me/shifts", 200, SHIFTS),
        answer("GET /api/v1/people/ada/shifts", 200, r#"{"person":"ada","items":[]}"#),
        answer("GET /api/v1/me", 200, ME),
        answer("GET /api/v1/schedules/web/final", 200, VIEW),
    ]);
    stage.run(&with(&["oncall", "show", "web"], &SPAN));
    stage.run(&with(&["oncall", "show", "web", "-o", "json"], &SPAN));
    let spring = ["--from", "2027-03-27", "--to", "2027-03-29"];
    stage.run(&with(&["oncall", "show", "--me"], &spring));
    stage.run(&with(&["oncall", "show", "--person", "ada"], &spring));
    assert_eq!(
        stage.run(&["oncall", "show", "web", "--from", "2027-03-29", "--to", "2027-03-27"]),
        2
    );
    assert_eq!(stage.run(&["oncall", "show"]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn overrides_are_made_listed_and_ended() {
    let list = kept(format!(r#"{{"items":[{OVERRIDE}]}}"#));
    let path = kept(format!("DELETE /api/v1/schedules/web/overrides/{ID}"));
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/me", 200, ME),
        answer("GET /api/v1/schedules/web/overrides", 200, list),
        answer("POST /api/v1/schedules/web/overrides \"again\"", 409, OVERLAPS),
        answer("POST /api/v1/schedules/web/overrides", 201, OVERRIDE),
        answer(path, 204, ""),
    ]);
    let time = ["--from", "2026-11-20T14:00", "--for", "2h", "--reason", "dentist"];
    stage.run(&with(&["oncall", "override", "replace", "web", "ada", "linus"], &time));
    stage.run(&with(&["oncall", "override", "add", "web", "grace", "--layer", "main"], &time));
    let time = ["--from", "2026-11-20T14:00", "--to", "16:00", "--reason", "again"];
    assert_eq!(stage.run(&with(&["oncall", "override", "remove", "web", "ada"], &time)), 4);
    stage.run(&["oncall", "override", "list", "web"]);
    stage.run(&["oncall", "override", "end", "web", ID]);
    assert_eq!(stage.run(&["oncall", "override", "add", "web", "grace"]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn swaps_are_requested_accepted_declined_and_listed() {
    let list = kept(format!(r#"{{"items":[{SWAP},{TAKEN}]}}"#));
    let path = |verb: &str| kept(format!("POST /api/v1/schedules/web/swaps/{ID}/{verb}"));
    let cancel = kept(format!("DELETE /api/v1/schedules/web/swaps/{ID}"));
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/me", 200, ME),
        answer("GET /api/v1/schedules/web/swaps", 200, list),
        answer("POST /api/v1/schedules/web/swaps", 201, SWAP),
        answer(path("take"), 200, TAKEN),
        answer(path("decline"), 200, DECLINED),
        answer(cancel, 204, ""),
    ]);
    let time = ["--from", "2026-11-21T09:00", "--to", "2026-11-21T17:00", "--offer", "grace"];
    stage.run(&with(&["oncall", "swap", "request", "web"], &time));
    stage.run(&["oncall", "swap", "accept", "web", ID, "--to", "2026-11-21T12:00"]);
    stage.run(&["oncall", "swap", "decline", "web", ID]);
    stage.run(&["oncall", "swap", "cancel", "web", ID]);
    stage.run(&["oncall", "swap", "list", "web"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn a_program_says_whose_swap_it_is_about() {
    let mut stage = Stage::new(vec![answer("GET /api/v1/me", 200, SERVICE)]);
    assert_eq!(stage.run(&["oncall", "swap", "decline", "web", ID]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn gaps_and_hours_are_reported() {
    let all = kept(format!(r#"{{"items":[{WEB},{EMPTY}]}}"#));
    let gap =
        r#"[{"from":"2026-11-21T20:00:00Z","to":"2026-11-22T12:00:00Z","people":0,"wanted":1}]"#;
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/me", 200, ME),
        answer("GET /api/v1/oncall", 200, all),
        answer("GET /api/v1/schedules/web/gaps", 200, "[]"),
        answer("GET /api/v1/schedules/night%20shift/gaps", 200, gap),
        answer("GET /api/v1/schedules/web/report", 200, REPORT),
        answer("GET /api/v1/schedules/web/quality", 200, QUALITY),
    ]);
    assert_eq!(stage.run(&with(&["oncall", "gaps"], &SPAN)), 1);
    assert_eq!(stage.run(&with(&["oncall", "gaps", "-o", "json"], &SPAN)), 1);
    assert_eq!(stage.run(&with(&["oncall", "gaps", "web"], &SPAN)), 0);
    stage.run(&with(&["oncall", "report", "web"], &SPAN));
    stage.run(&with(&["oncall", "report", "web", "-o", "json"], &SPAN));
    insta::assert_snapshot!(stage.transcript());
}
