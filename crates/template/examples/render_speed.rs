//! How long a message takes: a group of 100 alerts with the default texts of Slack, and as a mail.
//!
//! `cargo run --release -p tocsin-template --example render_speed` prints the median and the 99th
//! hundredth of 1000 renderings of each message, in microseconds.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tocsin_core::ids::AlertNumber;
use tocsin_core::labels::Labels;
use tocsin_core::notification::{Notification, NotifiedAlert, NotifyReason};
use tocsin_template::{Conditions, Escaping, Limits, Templates, data};

const ALERTS: u64 = 100;
const LABELS: usize = 12;
const ANNOTATIONS: usize = 4;
const RUNS: usize = 1000;

/// The texts of one message to Slack.
const SLACK: &[&str] = &[
    r#"{{ template "slack.default.title" . }}"#,
    r#"{{ template "slack.default.titlelink" . }}"#,
    r#"{{ template "slack.default.fallback" . }}"#,
    r#"{{ template "slack.default.username" . }}"#,
    r#"{{ template "slack.default.color" . }}"#,
    r#"{{ template "slack.default.text" . }}"#,
];

/// A text with every label and annotation, as many write their own.
const EVERYTHING: &[&str] = &[r#"{{ range .Alerts }}*{{ .Labels.alertname | toUpper }}*
{{ range .Labels.SortedPairs }}- {{ .Name }} = {{ .Value }}
{{ end }}{{ range $name, $value := .Annotations }}{{ $name }}: {{ $value }}
{{ end }}{{ .StartsAt.Format "2006-01-02 15:04:05" }} {{ .GeneratorURL }}
{{ end }}"#];

const MAIL: &[&str] = &[r#"{{ template "email.default.html" . }}"#];

fn labels(kind: &str, count: usize, alert: u64) -> Labels {
    let mut pairs = vec![("alertname".to_owned(), "HighLoad".to_owned())];
    pairs.extend(
        (1..count).map(|part| (format!("{kind}_{part}"), format!("value {part} of <{alert}>"))),
    );
    pairs.into_iter().collect()
}

fn alert(number: u64) -> NotifiedAlert {
    let labels_of_alert = labels("label", LABELS, number);
    NotifiedAlert {
        number: AlertNumber(number),
        fingerprint: labels_of_alert.fingerprint(),
        labels: labels_of_alert,
        annotations: labels("annotation", ANNOTATIONS, number),
        generator_url: format!("http://prometheus/graph?g0.expr=up&alert={number}").into(),
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: Timestamp::UNIX_EPOCH,
        is_resolved: false,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let set = Templates::builtin();
    let told = Arc::new(Notification {
        receiver: "team".into(),
        group_key: r#"{}:{alertname="HighLoad"}"#.into(),
        group_labels: Labels::from([("alertname", "HighLoad")]),
        route_labels: Labels::default(),
        reason: NotifyReason::First,
        alerts: (1..=ALERTS).map(alert).collect(),
        decided_at: Timestamp::UNIX_EPOCH,
    });
    let conditions = Conditions { now: told.decided_at, limits: Limits::default() };
    for (name, escaping, texts) in [
        ("slack", Escaping::None, SLACK),
        ("everything", Escaping::None, EVERYTHING),
        ("mail", Escaping::Html, MAIL),
    ] {
        let mut micros = Vec::with_capacity(RUNS);
        let mut bytes = 0;
        for _ in 0..RUNS {
            let start = Instant::now();
            let data = data(&told, "http://tocsin.example");
            bytes = 0;
            for text in texts {
                bytes += set.render(name, text, escaping, &data, conditions)?.len();
            }
            micros.push(start.elapsed().as_micros());
        }
        micros.sort_unstable();
        let (median, slow) = (micros[RUNS / 2], micros[RUNS * 99 / 100]);
        writeln!(std::io::stdout(), "{name}: {bytes} bytes, median {median} µs, 99th {slow} µs")?;
    }
    Ok(())
}
