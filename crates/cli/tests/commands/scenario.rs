//! `tocsin scenario run`.

use crate::stage::Stage;

const CONFIGURATION: &str = "\
route: {receiver: ops, group_wait: 30s, group_by: [alertname]}
receivers:
  - {name: ops, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}
";

const GOOD: &str = "\
# One alert, one message.
at 09:00:00  DiskFull{host=\"a\"} fires for 8h
at 09:01:00  nothing
  > 09:00:30 ops/webhook: FIRING 1 (first notification) {alertname=\"DiskFull\"}: {host=\"a\"}
";

const DIFFERENT: &str = "\
# Nobody is told.
at 09:00:00  DiskFull{host=\"a\"} fires for 8h
at 09:01:00  nothing
";

#[test]
fn scenarios_say_where_something_else_happened() {
    let mut stage = Stage::new(Vec::new());
    stage.file("tocsin.yaml", CONFIGURATION);
    std::fs::create_dir(stage.directory.path().join("stories")).unwrap();
    stage.file("stories/good.scenario", GOOD);
    stage.file("stories/different.scenario", DIFFERENT);
    let config = "--config=tocsin.yaml";
    assert_eq!(stage.run(&["scenario", "run", "stories/good.scenario", config]), 0);
    assert_eq!(stage.run(&["scenario", "run", "stories", config]), 1);
    assert_eq!(stage.run(&["scenario", "run", "stories/good.scenario"]), 2);
    assert_eq!(stage.run(&["scenario", "run", "missing.scenario", config]), 2);
    assert_eq!(stage.run(&["scenario", "run", "stories", "--config", "missing.yaml"]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn what_happened_can_be_written_into_the_file() {
    let stage = Stage::new(Vec::new());
    stage.file("tocsin.yaml", CONFIGURATION);
    stage.file("a.scenario", DIFFERENT);
    let arguments = ["scenario", "run", "a.scenario", "--config=tocsin.yaml"];
    let status = stage.command(&arguments).env("UPDATE_EXPECT", "1").status().unwrap();
    assert!(status.success());
    assert!(stage.command(&arguments).status().unwrap().success());
    let written = std::fs::read_to_string(stage.directory.path().join("a.scenario")).unwrap();
    assert!(written.contains("> 09:00:30 ops/webhook"), "{written}");
}
