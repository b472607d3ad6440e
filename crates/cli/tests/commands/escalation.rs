//! `tocsin escalation`, `page`, `policy`, `heartbeat` and `oncall simulate`.

use crate::fake::answer;
use crate::stage::Stage;

const RUN: &str = r#"{"number":7,"title":"PgDown on orders","state":"open","standing":"nobody has answered; step 2 is due at 2026-11-20T12:05:31Z","severity":"sev1","severity_word":"critical","service":"orders","category":"","policy":"db","why":"receiver `db` names it","receiver":"db","group_labels":{"alertname":"PgDown"},"alerts":["fdde42ac980107c8"],"alerts_total":1,"started_at":"2026-11-20T12:00:31Z","round":1,"step":1,"steps":2,"next":{"step":2,"due_at":"2026-11-20T12:05:31Z"},"people":["ada"]}"#;

const MORE: &str = r#","reached":[{"round":1,"step":1,"level":"","due_at":"2026-11-20T12:00:31Z","at":"2026-11-20T12:00:31Z","people":["ada"]}],"paged":[{"person":"ada","code":1,"since":"2026-11-20T12:00:31Z","step":1,"why":"on call in primary","methods":["email"]}],"places":[],"planned":[{"at":"2026-11-20T12:01:31Z","person":"ada","method":"phone","urgency":"high"}],"waiting":[],"has_policy_changed":true,"events":"/api/v1/escalations/7/events"}"#;

const EVENTS: &str = r#"{"items":[{"sequence":4,"at":"2026-11-20T12:00:31Z","kind":"step_reached","subject":{"kind":"escalation","number":7,"name":"escalation 7"},"text":"step 1 pages ada (on call in primary)","details":{}}],"is_cut":false}"#;

const POLICY: &str = r#"{"name":"db","origin":"provisioned","used_by":["db"],"description":"databases","services":["*-db"],"severities":["sev1","sev2"],"categories":[],"is_default":true,"steps":[{"page":["schedule:primary"]},{"after_seconds":{"sev1":120},"level":"L2","page":["grace","slack:ops"]}],"repeat":2,"repeat_after_seconds":600,"acknowledgement":"first","ack_timeout_seconds":1800}"#;

const CONFIG: &str = "
route:
  receiver: db
receivers:
  - name: db
    escalation_policy: db
people:
  - handle: ada
    email: ada@example.org
    time_zone: Europe/Berlin
    contact_methods:
      - { channel: email, address: ada@example.org }
    notify:
      quiet_hours: { from: '22:00', to: '07:00' }
  - handle: grace
    email: grace@example.org
escalation_policies:
  - name: db
    services: ['*-db']
    steps:
      - page: [ada]
      - after: 10m
        level: L2
        page: [grace]
";

/// The fake server answers with what lives as long as the tests.
fn kept(text: String) -> &'static str {
    text.leak()
}

#[test]
fn escalations_are_listed_shown_and_answered() {
    let detail = kept(RUN.strip_suffix('}').unwrap().to_owned() + MORE);
    let page = format!(r#"{{"items":[{RUN}],"next_cursor":"x"}}"#);
    let result = kept(format!(
        r#"{{"text":"acknowledged: PgDown on orders","has_changed":true,"escalation":{RUN}}}"#
    ));
    let over = r#"{"type":"x","title":"Conflict","status":409,"detail":"PgDown is over since 2026-11-20T12:09:00Z; nothing was changed","code":"conflict"}"#;
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/escalations", 200, kept(page)),
        answer("GET /api/v1/escalations/7", 200, detail),
        answer("GET /api/v1/escalations/7/events", 200, EVENTS),
        answer("POST /api/v1/escalations/7/acknowledge", 200, result),
        answer("POST /api/v1/escalations/7/snooze", 200, result),
        answer("POST /api/v1/escalations/7/resolve", 409, over),
        answer("POST /api/v1/escalations", 201, RUN),
    ]);
    stage.run(&["escalation", "list", "--person", "ada"]);
    stage.run(&["escalation", "show", "7"]);
    stage.run(&["escalation", "ack", "7", "--by", "ada", "--comment", "on it"]);
    stage.run(&["escalation", "snooze", "7", "--for", "1h"]);
    stage.run(&["escalation", "resolve", "7"]);
    stage.run(&["page", "the shop is on fire", "--person", "ada", "--severity", "critical"]);
    stage.run(&["escalation", "list", "--all", "-o", "json"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn policies_are_listed_shown_and_checked() {
    let list = format!(r#"{{"items":[{POLICY}]}}"#);
    let notices = r#"{"items":[{"kind":"empty_step","step":1,"text":"step 1 would page nobody now: there is no schedule primary"}]}"#;
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/escalation-policies", 200, kept(list)),
        answer("GET /api/v1/escalation-policies/db", 200, POLICY),
        answer("GET /api/v1/escalation-policies/db/notices", 200, notices),
    ]);
    stage.run(&["policy", "list"]);
    stage.run(&["policy", "show", "db"]);
    assert_eq!(stage.run(&["policy", "check"]), 1);
    stage.run(&["policy", "check", "db", "-o", "json"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn heartbeats_are_listed_and_told() {
    let all = r#"{"items":[{"name":"backup","timeout_seconds":86400,"is_missed":true,"heard_at":"2026-11-19T02:00:00Z","missed_since":"2026-11-20T02:00:00Z"},{"name":"cron","timeout_seconds":300,"is_missed":false,"due_at":"2026-11-20T12:05:00Z"}]}"#;
    let one = r#"{"name":"cron","timeout_seconds":300,"is_missed":false}"#;
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/heartbeats", 200, all),
        answer("POST /api/v1/heartbeats/cron/ping", 200, one),
    ]);
    stage.run(&["heartbeat", "list"]);
    stage.run(&["heartbeat", "ping", "cron"]);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn whom_a_problem_would_page_is_told_from_a_file_alone() {
    let mut stage = Stage::new(Vec::new());
    std::fs::write(stage.directory.path().join("tocsin.yaml"), CONFIG).unwrap();
    let simulate = |severity: &'static str, service: &'static str| {
        [
            "oncall",
            "simulate",
            "--config.file",
            "tocsin.yaml",
            "--service",
            service,
            "--severity",
            severity,
            "--at",
            "2026-11-20T23:30:00Z",
        ]
    };
    stage.run(&simulate("sev1", "orders-db"));
    stage.run(&simulate("low", "orders-db"));
    assert_eq!(stage.run(&simulate("sev1", "web")), 1);
    let mut json = simulate("sev1", "orders-db").to_vec();
    json.extend(["-o", "json"]);
    stage.run(&json);
    insta::assert_snapshot!(stage.transcript());
}
