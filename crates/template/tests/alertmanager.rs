//! Alertmanager's functions, data and default templates.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_core::ids::AlertNumber;
use tocsin_core::labels::Labels;
use tocsin_core::notification::{Notification, NotifiedAlert, NotifyReason};
use tocsin_template::{Conditions, Escaping, Limits, Templates, data, defaults};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn alert(host: &str, severity: &str, is_resolved: bool) -> NotifiedAlert {
    let labels = Labels::from([
        ("alertname", "DiskFull"),
        ("cluster", "eu1"),
        ("host", host),
        ("severity", severity),
    ]);
    let summary = format!("the disk of <{host}> is full");
    NotifiedAlert {
        number: AlertNumber(1),
        fingerprint: labels.fingerprint(),
        labels,
        annotations: Labels::from([
            ("runbook_url", "http://wiki.example/disk?a=1&b=2"),
            ("summary", summary.as_str()),
        ]),
        generator_url: "http://prom.example/graph?g0.expr=up".into(),
        starts_at: at("2026-11-20T15:10:21.633Z"),
        ends_at: at("2026-11-20T16:00:00Z"),
        is_resolved,
    }
}

fn notification(alerts: Vec<NotifiedAlert>) -> Arc<Notification> {
    Arc::new(Notification {
        receiver: "team.db".into(),
        group_key: r#"{}:{alertname="DiskFull"}"#.into(),
        group_labels: Labels::from([("alertname", "DiskFull")]),
        route_labels: Labels::from([("owner", "db")]),
        reason: NotifyReason::First,
        alerts,
        decided_at: at("2026-11-20T16:10:21Z"),
    })
}

fn mixed() -> Arc<Notification> {
    notification(vec![
        alert("a", "critical", false),
        alert("b", "critical", false),
        alert("c", "critical", true),
    ])
}

fn render_as(text: &str, told: &Arc<Notification>, escaping: Escaping) -> String {
    let data = data(told, "http://tocsin.example");
    let conditions = Conditions { now: told.decided_at, limits: Limits::default() };
    let rendered = Templates::builtin().render("test", text, escaping, &data, conditions);
    rendered.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn render(text: &str) -> String {
    render_as(text, &mixed(), Escaping::None)
}

#[test]
fn the_data_is_alertmanagers() {
    for (text, expected) in [
        ("{{ .Receiver }} {{ .Status }}", r"team\.db firing"),
        ("{{ len .Alerts }} {{ .Alerts.Firing | len }} {{ len .Alerts.Resolved }}", "3 2 1"),
        (
            "{{ .GroupLabels.alertname }}|{{ .CommonLabels.cluster }}|{{ .CommonLabels.nope }}",
            "DiskFull|eu1|",
        ),
        ("{{ .CommonLabels }}", "map[alertname:DiskFull cluster:eu1 severity:critical]"),
        ("{{ .CommonLabels.SortedPairs.Names }}", "[alertname cluster severity]"),
        ("{{ .CommonLabels.Remove .GroupLabels.Names }}", "map[cluster:eu1 severity:critical]"),
        (
            "{{ (.CommonLabels.Remove (stringSlice \"cluster\")).Values | join \",\" }}",
            "DiskFull,critical",
        ),
        (
            "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
            "alertname=DiskFull;cluster=eu1;severity=critical;",
        ),
        ("{{ range $k, $v := .GroupLabels }}{{ $k }}:{{ $v }}{{ end }}", "alertname:DiskFull"),
        ("{{ index .CommonLabels \"cluster\" }}{{ index .CommonLabels \"none\" }}", "eu1"),
        ("{{ (index .Alerts 0).Labels.host }}{{ (index .Alerts 2).Status }}", "aresolved"),
        ("{{ (index .Alerts 0).StartsAt.Format \"15:04:05.000\" }}", "15:10:21.633"),
        (
            "{{ (index .Alerts 0).EndsAt.IsZero }} {{ (index .Alerts 2).EndsAt }}",
            "true 2026-11-20 16:00:00 +0000 UTC",
        ),
        ("{{ (index .Alerts 0).Fingerprint | len }}", "16"),
        (
            "{{ .NotificationReason }} {{ .ExternalURL }}",
            "first notification http://tocsin.example",
        ),
        ("{{ .RouteLabels.owner }} {{ (routeLabels .).owner }}", "db db"),
        (
            "{{ if .CommonLabels.nope }}y{{ else }}n{{ end }}{{ with .Alerts.Firing }}{{ len . }}{{ end }}",
            "n2",
        ),
        ("{{ (index .Alerts 0).StartsAt | since | humanizeDuration }}", "59m 59s"),
        (
            r#"{{ ((index .Alerts 0).StartsAt.Add 28800e9).Format "2006-01-02 15:04:05" }}"#,
            "2026-11-20 23:10:21",
        ),
        (r#"{{ (index .Alerts 0).StartsAt.Local.Format "15:04 MST" }}"#, "15:10 UTC"),
        (r#"{{ ((index .Alerts 0).StartsAt.AddDate 0 3 11).Format "2006-01-02" }}"#, "2027-03-03"),
        (r#"{{ ((index .Alerts 0).StartsAt.Truncate 3600e9).Format "15:04:05" }}"#, "15:00:00"),
        (r#"{{ ((index .Alerts 0).StartsAt.Round 60e9).Format "15:04:05" }}"#, "15:10:00"),
        ("{{ (index .Alerts 0).EndsAt | since }}", "2562047h47m16.854775807s"),
        ("{{ .GroupLabels | toJson }}", r#"{"alertname":"DiskFull"}"#),
        ("{{ .CommonLabels.SortedPairs }}", "alertname=DiskFull, cluster=eu1, severity=critical"),
    ] {
        assert_eq!(render(text), expected, "{text}");
    }
}

#[test]
fn the_functions_are_alertmanagers() {
    for (text, expected) in [
        (r#"{{ "a b" | toUpper | toLower | title }}"#, "A B"),
        (r#"{{ " x " | trimSpace }}{{ join "," (list "a" "b") }}"#, "xa,b"),
        (r#"{{ match "^D.*" .GroupLabels.alertname }}"#, "true"),
        (r#"{{ reReplaceAll "(.)isk" "${1}esk" .GroupLabels.alertname }}"#, "DeskFull"),
        (r#"{{ (dict "a" 1 "b" "x").b }}{{ append (list 1) 2 3 }}"#, "x[1 2 3]"),
        (r#"{{ base64encode "hi" | base64decode }}{{ urlUnescape "a%2Fb" }}"#, "hia/b"),
        (
            r#"{{ (index .Alerts 0).StartsAt | tz "Europe/Berlin" | date "02.01.2006 15:04 MST" }}"#,
            "20.11.2026 16:10 CET",
        ),
        (r#"{{ toDate "2006-01-02" "2026-11-24" | date "Monday" }}"#, "Tuesday"),
        (r#"{{ now | date "2006" }}"#, "2026"),
        (r#"{{ list "<" | toJson }}"#, r#"["\u003c"]"#),
    ] {
        assert_eq!(render(text), expected, "{text}");
    }
}

#[test]
fn a_subject_says_how_many_what_and_where() {
    let subject = |told: &Arc<Notification>| {
        render_as(r#"{{ template "__subject" . }}"#, told, Escaping::None)
    };
    assert_eq!(subject(&mixed()), "[FIRING:2] DiskFull (eu1 critical)");
    let over = notification(vec![alert("a", "critical", true)]);
    assert_eq!(subject(&over), "[RESOLVED] DiskFull (eu1 a critical)");
    let ungrouped = Notification { group_labels: Labels::default(), ..(*mixed()).clone() };
    assert_eq!(subject(&Arc::new(ungrouped)), "[FIRING:2] (DiskFull eu1 critical)");
}

/// Calls a default template with what receivers give it: lists of instances are of alerts.
fn call(name: &str) -> String {
    let data = if name.ends_with(".instances") { ".Alerts.Firing" } else { "." };
    format!("{{{{ template {name:?} {data} }}}}")
}

#[test]
fn every_default_template_renders_for_firing_resolved_and_many() {
    let many: Vec<_> =
        (0..100).map(|number| alert(&format!("h{number}"), "warning", number % 3 == 0)).collect();
    let groups = [mixed(), notification(vec![alert("a", "critical", true)]), notification(many)];
    let instances = "pagerduty.default.instances";
    for name in defaults::NAMES.iter().chain([&instances]) {
        let call = call(name);
        Templates::builtin().check("test", &call).unwrap();
        for told in &groups {
            let text = render_as(&call, told, Escaping::None);
            assert!(!text.contains("<no value>") && !text.contains("%!"), "{name}: {text}");
        }
    }
    let mut story = String::new();
    for name in defaults::NAMES {
        let call = call(name);
        let is_page = name.ends_with(".html");
        let escaping = if is_page { Escaping::Html } else { Escaping::None };
        let text = render_as(&call, &groups[0], escaping);
        story.push_str(&format!("=== {name}\n{text}\n"));
    }
    insta::assert_snapshot!(story);
}

#[test]
fn a_mail_cannot_be_broken_out_of() {
    let page = render_as(defaults::EMAIL_HTML, &mixed(), Escaping::Html);
    assert!(page.contains("the disk of &lt;a&gt; is full"), "{page}");
    assert!(page.contains(r#"href="http://wiki.example/disk?a=1&amp;b=2""#), "{page}");
    assert!(!page.contains("<a> is full"));
}

#[test]
fn a_storm_is_cut_where_people_stop_reading() {
    let storm: Vec<_> = (0..100).map(|n| alert(&format!("h{n}"), "critical", n >= 70)).collect();
    let told = notification(storm);
    let text = render_as(defaults::SLACK_TEXT, &told, Escaping::None);
    assert!(text.contains("host=h19,") && !text.contains("host=h20,"), "{text}");
    assert!(text.ends_with("… and 80 more\n"), "{text}");
    let page = render_as(defaults::EMAIL_HTML, &told, Escaping::Html);
    assert!(page.contains("… and 50 more") && page.contains("… and 10 more"), "{page}");
    assert!(page.len() < 100_000, "{}", page.len());
}
