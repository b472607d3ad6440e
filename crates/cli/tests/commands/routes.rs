//! `tocsin routes`.

use crate::fake::answer;
use crate::stage::Stage;

const CONFIGURATION: &str = r#"
route:
  receiver: ops
  group_by: [alertname, cluster]
  routes:
    - matchers: [team="db"]
      receiver: db
      continue: true
      routes:
        - matchers: [severity="critical"]
          receiver: db-pager
          group_wait: 0s
          mute_time_intervals: [night]
    - matchers: ['team=~"db|web"', severity="info"]
      receiver: quiet
      group_by: ['...']
time_intervals:
  - name: night
    time_intervals:
      - times: [{start_time: "00:00", end_time: "06:00"}]
receivers: [{name: ops}, {name: db}, {name: db-pager}, {name: quiet}]
"#;

const ROUTES: &str = r#"{"key":"{}","receiver":"ops","matchers":[],"continue":false,"group_by":["alertname"],"group_wait_seconds":30.0,"group_wait_seconds_by_severity":{"critical":0.0},"group_interval_seconds":300.0,"repeat_interval_seconds":5400.0,"routes":[{"key":"{}/{team=\"db\"}","receiver":"db","matchers":[{"name":"team","op":"=","value":"db"}],"continue":false,"group_by":[],"group_wait_seconds":0.5,"group_interval_seconds":300.0,"repeat_interval_seconds":14400.0}]}"#;

const TESTED: &str = r#"{"receivers":["db"],"routes":[{"receiver":"db","group_labels":{},"path":[{"key":"{}","matchers":[]},{"key":"{}/{team=\"db\"}","matchers":[{"name":"team","op":"=","value":"db"}]}]}]}"#;

#[test]
fn routes_of_a_file_are_drawn_and_tested() {
    let mut stage = Stage::new(Vec::new());
    stage.file("alertmanager.yml", CONFIGURATION);
    let file = "--config.file=alertmanager.yml";
    stage.run(&["routes", "show", file]);
    stage.run(&["routes", file, "show", "-o", "extended"]);
    let test = |rest: &[&'static str]| [&["routes", "test", file], rest].concat();
    stage.run(&test(&["team=db", "severity=critical"]));
    stage.run(&test(&["--tree", "team=db", "severity=info"]));
    assert_eq!(stage.run(&test(&["team=db", "severity=info", "--verify.receivers=db,quiet"])), 0);
    assert_eq!(stage.run(&test(&["team=db", "severity=info", "--verify.receivers=quiet"])), 1);
    stage.run(&test(&["-o", "json", "DiskFull"]));
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn routes_of_a_server_are_drawn_and_tested() {
    let mut stage = Stage::new(vec![
        answer("GET /api/v1/routes", 200, ROUTES),
        answer("POST /api/v1/routes/test", 200, TESTED),
    ]);
    stage.run(&["routes", "show"]);
    stage.run(&["routes", "show", "-o", "extended"]);
    stage.run(&["routes", "show", "-o", "json"]);
    stage.run(&["routes", "test", "team=db", "--tree", "--verify.receivers", "db"]);
    stage.run(&["routes", "test", "team=db", "-o", "json"]);
    insta::assert_snapshot!(stage.transcript());
}
