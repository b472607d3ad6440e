//! `tocsin explain`.

use crate::fake::answer;
use crate::stage::Stage;

const EXPLANATION: &str = r#"{"alert":{"fingerprint":"638fcf6831e8a35c","number":7,"state":"suppressed","labels":{"alertname":"DiskFull","cluster":"eu1","severity":"warning"},"annotations":{"summary":"disk nearly full"},"starts_at":"2026-11-20T15:10:21.633Z","ends_at":"2026-11-20T15:15:21.633Z","is_timeout":true,"updated_at":"2026-11-20T15:10:41Z","receivers":["hook"],"suppressed_by":[{"by":"inhibition","source":"6c4d0d558f7061a9","rule":0}]},"received":3,"groups":[{"number":4,"key":"{}:{alertname=\"DiskFull\"}","receiver":"hook","text":"held back: inhibited by PgDown through rule 0 on cluster=eu1","is_muted":true,"has_flushed":true,"flush_at":"2026-11-20T15:15:51Z","integrations":[{"integration":"hook/webhook[0]","was_told":false,"told_at":"2026-11-20T15:10:51Z","repeat_at":"2026-11-20T19:10:51Z"},{"integration":"hook/slack[0]","was_told":true,"told_at":"2026-11-20T15:10:51Z","repeat_at":"2026-11-20T19:10:51Z","pending":{"notification":12,"attempts":2,"due_at":"2026-11-20T15:11:00Z"}}]}],"history":[{"sequence":40,"at":"2026-11-20T15:10:21.633Z","kind":"alert_fired","subject":{"kind":"alert","number":7,"fingerprint":"638fcf6831e8a35c","name":"DiskFull{cluster=\"eu1\"}"},"text":"fires since 2026-11-20T15:10:21.633Z","details":{}},{"sequence":41,"at":"2026-11-20T15:10:51Z","kind":"alert_muted","subject":{"kind":"alert","number":7,"name":"DiskFull{cluster=\"eu1\"}"},"text":"not sent: inhibited by PgDown through rule 0 on cluster=eu1","details":{}}],"is_history_cut":true}"#;

const OVER: &str = r#"{"alert":{"fingerprint":"6c4d0d558f7061a9","number":6,"state":"resolved","labels":{"alertname":"PgDown"},"annotations":{},"starts_at":"2026-11-20T15:00:00Z","ends_at":"2026-11-20T15:05:00Z","is_timeout":false,"updated_at":"2026-11-20T15:05:00Z","receivers":[],"suppressed_by":[]},"received":1,"groups":[],"history":[],"is_history_cut":false,"a_later_field":1}"#;

const ALERTS: &str = r#"[{"annotations":{},"endsAt":"2026-11-20T15:10:41.633Z","fingerprint":"638fcf6831e8a35c","receivers":[{"name":"hook"}],"startsAt":"2026-11-20T15:10:21.633Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-11-20T15:10:21.633Z","labels":{"alertname":"DiskFull"}},{"annotations":{},"endsAt":"2026-11-20T15:10:41.633Z","fingerprint":"6c4d0d558f7061a9","receivers":[{"name":"hook"}],"startsAt":"2026-11-20T15:10:21.633Z","status":{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-11-20T15:10:21.633Z","labels":{"alertname":"DiskFull","x":"y"}}]"#;

const UNKNOWN: &str = r#"{"type":"urn:tocsin:problem:not_found","title":"Not found","status":404,"detail":"no such alert","code":"not_found"}"#;

#[test]
fn an_alert_is_explained_in_sentences() {
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/alerts/638fcf6831e8a35c/explain", 200, EXPLANATION),
        answer("GET /api/v1/alerts/6c4d0d558f7061a9/explain", 200, OVER),
        answer("GET /api/v1/alerts/0000000000000000/explain", 404, UNKNOWN),
    ]);
    stage.run(&["explain", "638FCF6831E8A35C"]);
    stage.run(&["explain", "6c4d0d558f7061a9"]);
    stage.run(&["explain", "6c4d0d558f7061a9", "-o", "json"]);
    assert_eq!(stage.run(&["explain", "0000000000000000"]), 1);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn matching_alerts_are_explained_up_to_a_bound() {
    let mut stage = Stage::new(vec![
        answer("GET /api/v2/alerts", 200, ALERTS),
        answer("GET /api/v1/alerts/638fcf6831e8a35c/explain", 200, OVER),
        answer("GET /api/v1/alerts/6c4d0d558f7061a9/explain", 200, OVER),
    ]);
    stage.run(&["explain", "DiskFull", "x=~\".*\""]);
    stage.run(&["explain", "DiskFull", "--limit", "1"]);
    stage.run(&["explain", "DiskFull", "-o", "json"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn when_nothing_matches_the_answer_is_no() {
    let mut stage = Stage::new(vec![answer("GET /api/v2/alerts", 200, "[]")]);
    assert_eq!(stage.run(&["explain", "DiskFull"]), 1);
    insta::assert_snapshot!(stage.transcript());
}
