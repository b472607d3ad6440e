//! The scenario language: what is wrong is said with its place, differences are shown, and
//! expectations are rewritten in place.

use tocsin_testkit::scenario::{Mode, Report, ScenarioError, run_file, run_str};

const HEAD: &str = "\
config:
  route: {receiver: team, group_wait: 10s}
  receivers: [{name: team, stdout_configs: [{}]}]
";

fn run(steps: &str) -> Result<Report, ScenarioError> {
    run_str("story.scenario", &format!("{HEAD}{steps}"), None)
}

fn complaint(steps: &str) -> String {
    run(steps).expect_err("the scenario is wrong").to_string()
}

#[test]
fn a_complaint_has_its_place_and_a_suggestion() {
    assert_eq!(
        complaint("at 09:00  DiskFull{host=\"a\"} fyres\n"),
        "story.scenario:4:30: expected what happens, found `fyres`, did you mean `fires`?\n \
         4 | at 09:00  DiskFull{host=\"a\"} fyres\n   |                              ^"
    );
}

#[test]
fn each_mistake_is_named() {
    let cases = [
        ("at 9am nothing\n", "4:4: `9am` is no time; write it as `09:00`"),
        (
            "at 09:00 A{b=~\"c\"} fires\n",
            "4:11: an alert has labels, not matchers: write `b=\"c\"`",
        ),
        ("at 09:00 A{b=\"c\" fires\n", "4:11: the brace is never closed"),
        ("at 09:00 A fires for ever\n", "4:22: `ever` is no duration; write it as `90s`"),
        ("at 09:00 A fires with summary=hot\n", "4:31: expected the annotation in double quotes"),
        ("at 09:00 A fires B fires\n", "4:18: expected `and` or the end of the line, found `B`"),
        ("at 09:10 nothing\nat 09:05 nothing\n", "5:4: time goes back: it is 09:10:00 already"),
        ("at 09:00 ada silences A for 1h\n", "4:31: expected `as`, found the end of the line"),
        ("at 09:00 ada expires S1\n", "4:1: no silence was made as `S1`"),
        (
            "at 09:00 ada silenced A for 1h\n",
            "4:14: expected what happens, found `silenced`, did you mean `silences`?",
        ),
        ("at 09:00 receiver teem is down\n", "there is no receiver `teem`, did you mean `team`?"),
        ("at 09:00 receiver team is gone\n", "4:24: expected how the receiver behaves, found `is`"),
        ("at 09:00 receiver team answers 42\n", "4:32: an HTTP status is a number from 100 to 599"),
        ("at 09:00 reload with other\n", "4:22: there is no configuration `other`"),
        ("at 09:00 show alert\n", "4:15: cannot show `alert`, did you mean `alerts`?"),
        ("option trance\n", "4:8: unknown option `trance`, did you mean `trace`?"),
        ("ad 09:00 nothing\n", "4:1: unknown line `ad …`, did you mean `at`?"),
        ("  > nothing\n", "4:3: an indented line belongs to a step or to `config:`"),
        (
            "at 09:00 ada plans maintenance \"x\" A for 1h every \"FREQ=NEVER\"\n",
            "4:1: invalid recurrence rule `FREQ=NEVER`",
        ),
        (
            "at 09:00 ada plans maintenance \"x\" A for 1h in Europe/Nowhere\n",
            "there is no time zone `Europe/Nowhere`",
        ),
    ];
    for (steps, expected) in cases {
        let found = complaint(steps);
        assert!(found.contains(expected), "{steps}\nsays: {found}\nand not: {expected}");
    }
}

#[test]
fn a_mistake_in_the_configuration_has_its_place_in_the_scenario() {
    let text = "# A story.\nconfig:\n  route: {receiver: team, group_waits: 10s}\n  receivers: [{name: team}]\n";
    let found = run_str("story.scenario", text, None).expect_err("unknown key").to_string();
    assert!(found.starts_with("story.scenario:3:27: "), "{found}");
    assert!(found.contains("group_wait"), "{found}");
}

#[test]
fn a_scenario_needs_a_configuration_of_its_own_or_another() {
    let text = "at 09:00 A fires\nat 09:01 nothing\n";
    let error = run_str("story.scenario", text, None).expect_err("no configuration");
    assert!(matches!(error, ScenarioError::NoConfig { .. }), "{error}");
    let head = tocsin_config::load_str(
        "tocsin.yaml",
        "route: {receiver: team, group_wait: 10s}\nreceivers: [{name: team, stdout_configs: [{}]}]\n",
        &tocsin_config::LoadOptions::default(),
    );
    let report = run_str("story.scenario", text, Some(head.unwrap().policy)).unwrap();
    assert_eq!(report.notifications, 1);
}

#[test]
fn differences_are_shown_with_their_step() {
    let report = run("\
at 09:00  DiskFull fires
at 09:01  nothing
  > 09:00:10 team/stdout: FIRING 2 (first notification) {}: DiskFull
at 09:10  nothing
  > 09:05:00 DiskFull ended: nobody told that it goes on
  > 09:05:10 team/stdout: RESOLVED 1 (all alerts resolved) {}: DiskFull
")
    .unwrap();
    assert!(!report.is_ok());
    assert_eq!(
        report.to_string(),
        "story.scenario:5: at 09:01  nothing\n    \
         - 09:00:10 team/stdout: FIRING 2 (first notification) {}: DiskFull\n    \
         + 09:00:10 team/stdout: FIRING 1 (first notification) {}: DiskFull\n"
    );
}

#[test]
fn expectations_are_rewritten_in_place_and_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("story.scenario");
    let text = format!(
        "# A story.\n\n{HEAD}\nat 09:00  DiskFull fires\n          and CertExpires fires\n\n\
         # What follows is wrong.\nat 09:00:10  show alerts\n  > something else\n\
         at 09:00:20  restart with:\n    route: {{receiver: team}}\n    receivers: [{{name: team}}]\n  > wrong, too\n"
    );
    std::fs::write(&path, &text).unwrap();
    assert!(!run_file(&path, None, Mode::Check).unwrap().is_ok());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "checking changes nothing");
    assert!(run_file(&path, None, Mode::Update).unwrap().is_ok());
    let rewritten = std::fs::read_to_string(&path).unwrap();
    let kept = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("  > ")).map(str::to_owned).collect()
    };
    assert_eq!(kept(&rewritten), kept(&text));
    assert!(rewritten.contains("  > team/stdout: FIRING 2 (first notification) {}"), "{rewritten}");
    assert!(rewritten.contains("  > started with alerts 2, groups 1, unsent 0\n"), "{rewritten}");
    assert!(run_file(&path, None, Mode::Check).unwrap().is_ok());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = run_file("nowhere.scenario".as_ref(), None, Mode::Check).expect_err("no file");
    assert!(error.to_string().starts_with("cannot read nowhere.scenario: "), "{error}");
}

#[test]
fn the_example_in_the_manual_happens_as_it_says() {
    let manual = include_str!("../../../docs/scenarios.md");
    let example = manual.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let report = run_str("docs/scenarios.md", example.unwrap(), None).unwrap();
    assert!(report.is_ok(), "{report}");
    assert_eq!(report.notifications, 1);
}
