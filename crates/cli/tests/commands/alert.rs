//! `tocsin alert`.

use crate::fake::answer;
use crate::stage::Stage;

const ALERTS: &str = r#"[
{"annotations":{"summary":"disk nearly full"},"endsAt":"2026-11-20T15:10:41.633Z","fingerprint":"638fcf6831e8a35c","receivers":[{"name":"hook"}],"startsAt":"2026-11-20T15:10:21.633Z","status":{"inhibitedBy":["6c4d0d558f7061a9"],"mutedBy":[],"silencedBy":[],"state":"suppressed"},"updatedAt":"2026-11-20T15:10:21.633Z","generatorURL":"http://prom.example/graph?g0.expr=up","labels":{"alertname":"DiskFull","cluster":"eu1","severity":"warning"}},
{"annotations":{"summary":"first line\nsecond \u001b[31mline"},"endsAt":"2026-11-20T15:11:00Z","fingerprint":"6c4d0d558f7061a9","receivers":[{"name":"hook"},{"name":"db"}],"startsAt":"2026-11-20T15:10:20Z","status":{"inhibitedBy":[],"silencedBy":[],"state":"active"},"updatedAt":"2026-11-20T15:10:20Z","labels":{"alertname":"PgDown","cluster":"eu1","severity":"critical"}}]"#;

#[test]
fn alerts_are_listed() {
    let mut stage = Stage::new(vec![answer("GET /api/v2/alerts", 200, ALERTS)]);
    stage.run(&["alert", "query"]);
    stage.run(&["alert", "query", "-o", "extended"]);
    stage.run(&["alert", "query", "-o", "json"]);
    stage.run(&["alert", "query", "Disk Full", "job=~\"db.*\"", "-s", "-i", "-r", "db"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn an_empty_list_says_so_to_people_and_is_a_list_for_programs() {
    let mut stage = Stage::new(vec![answer("GET /api/v2/alerts", 200, "[]")]);
    stage.run(&["alert", "query", "DiskFull"]);
    stage.run(&["alert", "query", "-o", "json"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn an_alert_is_sent_by_hand() {
    let mut stage = Stage::new(vec![answer("POST /api/v2/alerts", 200, "")]);
    stage.run(&["alert", "add", "DiskFull", "cluster=eu1", "instance=a:9100", "severity=critical"]);
    stage.run(&[
        "alert",
        "add",
        "alertname=DiskFull",
        "--annotation",
        "summary=disk is full, really = full",
        "--start",
        "2026-11-20T15:00:00Z",
        "--end",
        "2026-11-20T16:00:00+01:00",
        "--generator-url",
        "http://prom.example/",
        "-o",
        "json",
    ]);
    stage.run(&["alert", "add", "a=b", "severity=~critical"]);
    stage.run(&["alert", "add", "a=b", "--start", "yesterday"]);
    stage.run(&[
        "alert",
        "add",
        "a=b",
        "--start",
        "2026-11-21T00:00:00Z",
        "--end",
        "2026-11-20T00:00:00Z",
    ]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn somebody_works_on_alerts() {
    let changed = r#"{"alerts":["6c4d0d558f7061a9","8d4653b8b9db0024"]}"#;
    let mut stage = Stage::new(vec![
        answer("POST /api/v1/alerts/acknowledge", 200, changed),
        answer("POST /api/v1/alerts/unacknowledge", 200, changed),
    ]);
    let ack = ["alert", "ack", "DiskFull", "host=~\"a.*\"", "--by", "ada"];
    stage.run(&[&ack[..], &["--for", "2h", "-c", "on it"]].concat());
    stage.run(&[&ack[..], &["-o", "json"]].concat());
    stage.run(&["alert", "unack", "DiskFull", "--by", "ben"]);
    stage.run(&["alert", "ack", "DiskFull", "--by", ""]);
    insta::assert_snapshot!(stage.transcript());
}
