//! `tocsin template`.

use crate::stage::Stage;

const BODY: &str = r#"{
  "receiver": "team\\.db", "status": "firing", "version": "4",
  "alerts": [
    {"status": "firing", "labels": {"alertname": "PgDown", "host": "<a>"}, "annotations": {},
     "startsAt": "2026-11-20T15:10:21.633Z", "endsAt": "0001-01-01T00:00:00Z"},
    {"labels": {"alertname": "PgDown", "host": "b"}, "endsAt": "2026-11-20T15:12:21.633Z"}
  ],
  "groupLabels": {"alertname": "PgDown"}, "externalURL": "http://am.example"
}"#;

#[test]
fn a_text_is_tried_out_with_files_and_data() {
    let mut stage = Stage::new(Vec::new());
    stage.file("body.json", BODY);
    stage.file("own.tmpl", "{{ define \"own\" }}{{ range .Alerts }}{{ .Status }} {{ .Labels.host }};{{ end }}{{ end }}");
    stage.file("bad.tmpl", "{{ define \"bad\" }}\n  {{ if }}{{ end }}\n{{ end }}");
    stage.file("none.json", r#"{"alerts": [{"status": "on fire"}]}"#);
    let title = r#"{{ template "slack.default.title" . }}"#;
    let own = r#"{{ .Receiver }} {{ template "own" . }} {{ .ExternalURL }}"#;
    let own = ["template", "render", "--template.glob", "own*.tmpl", "--template.text", own];
    let with_data = [&own[..], &["--template.data", "body.json"]].concat();
    let as_page = [&with_data[..], &["--template.type", "html"]].concat();
    assert_eq!(stage.run(&["template", "render", "--template.text", title]), 0);
    assert_eq!(stage.run(&with_data), 0);
    assert_eq!(stage.run(&as_page), 0);
    for wrong in [
        &["--template.text", "{{ .Labels | toUper }}"][..],
        &["--template.text", r#"{{ template "mine" . }}"#],
        &["--template.text", "x", "--template.glob", "bad.tmpl"],
        &["--template.text", "x", "--template.data", "none.json"],
        &["--template.text", "x", "--template.data", "missing.json"],
    ] {
        assert_eq!(stage.run(&[&["template", "render"], wrong].concat()), 2);
    }
    assert_eq!(stage.run(&["template", "render", "--template.text", "{{ .Nope }}"]), 1);
    insta::assert_snapshot!(stage.transcript());
}
