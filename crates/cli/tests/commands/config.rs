//! `tocsin config`.

use crate::stage::Stage;

const GOOD: &str = "
route:
  receiver: ops
inhibit_rules:
  - source_matchers: [severity=critical]
    target_matchers: [severity=warning]
    equal: [cluster]
receivers:
  - name: ops
    webhook_configs:
      - url: http://127.0.0.1:9/secret
maintenance_windows:
  - name: patching
    matchers: [cluster=eu1]
    starts_at: 2026-11-01T02:00
    duration: 2h
    recurrence: FREQ=WEEKLY;BYDAY=SU
";

const BAD: &str = "
route:
  reciever: ops
  group_wait: soon
receivers:
  - name: ops
";

#[test]
fn check_says_everything_that_is_wrong() {
    let mut stage = Stage::new(Vec::new());
    stage.file("alertmanager.yml", GOOD);
    stage.file("bad.yml", BAD);
    assert_eq!(stage.run(&["config", "check"]), 0);
    assert_eq!(stage.run(&["config", "check", "bad.yml"]), 1);
    assert_eq!(stage.run(&["config", "check", "alertmanager.yml", "missing.yml"]), 1);
    assert_eq!(stage.run(&["config", "show", "bad.yml"]), 2);
    let both = "--enable-feature=classic-mode,utf8-strict-mode";
    assert_eq!(stage.run(&["config", "check", both]), 2);
    insta::assert_snapshot!(stage.transcript());
}

#[test]
fn what_sending_needs_must_be_there() {
    let mut stage = Stage::new(Vec::new());
    let tls = "        http_config:\n          tls_config:\n            ca_file: missing.pem\n";
    let text = GOOD.replace("/secret\n", &format!("/secret\n{tls}"));
    stage.file("tls.yml", &text);
    assert_eq!(stage.run(&["config", "check", "tls.yml"]), 1);
    assert!(stage.transcript().contains("missing.pem"), "{}", stage.transcript());
}

#[test]
fn show_masks_secrets_and_names_origins() {
    let stage = Stage::new(Vec::new());
    stage.file("alertmanager.yml", GOOD);
    let show = |arguments: &[&str]| {
        let output = stage.command(arguments).env("SMTP_FROM", "a@b.example").output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let text = show(&["config", "show"]);
    assert!(text.contains("receiver: ops  # alertmanager.yml:3"), "{text}");
    assert!(text.contains("smtp_from: a@b.example  # environment: SMTP_FROM"), "{text}");
    assert!(!text.contains("/secret"), "{text}");
    let original = show(&["config", "show", "--original"]);
    assert!(!original.contains("maintenance_windows") && !original.contains("/secret"));
}

#[test]
fn the_schema_is_json() {
    let stage = Stage::new(Vec::new());
    let output = stage.command(&["config", "schema"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["properties"]["route"].is_object(), "{schema}");
}
