//! How long a message takes: a group of 100 alerts with the default Slack texts, and as a mail.
//!
//! `cargo run --release -p tocsin-template --example render_speed` prints the median and the 99th of
//! 1000 renderings of each text, in microseconds.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tocsin_template::{Conditions, Escaping, Limits, Templates, Value};

const ALERTS: usize = 100;
const RUNS: usize = 1000;

/// What a receiver renders for one message.
const TEXTS: &[(&str, Escaping, &str)] = &[
    ("title", Escaping::None, r#"{{ template "bench.title" . }}"#),
    ("text", Escaping::None, r#"{{ template "bench.text" . }}"#),
    ("mail", Escaping::Html, r#"{{ template "bench.mail" . }}"#),
];

const FILE: &str = r#"
{{ define "bench.title" }}[{{ .Status }}{{ if eq .Status "firing" }}:{{ .Alerts | len }}{{ end }}] {{ range $name, $value := .CommonLabels }}{{ $value }} {{ end }}{{ end }}
{{ define "bench.alerts" }}{{ range . }}Labels:
{{ range $name, $value := .Labels }} - {{ $name }} = {{ $value }}
{{ end }}Annotations:
{{ range $name, $value := .Annotations }} - {{ $name }} = {{ $value }}
{{ end }}Source: {{ .GeneratorURL }}
{{ end }}{{ end }}
{{ define "bench.text" }}{{ if gt (len .Alerts) 0 }}Alerts firing:
{{ template "bench.alerts" .Alerts }}{{ end }}{{ end }}
{{ define "bench.mail" }}<html><body>{{ range .Alerts }}<p style="color: {{ if eq .Status "firing" }}red{{ else }}green{{ end }}">{{ range $name, $value := .Labels }}{{ $name }} = {{ $value }}<br>{{ end }}{{ range $name, $value := .Annotations }}{{ $name }} = {{ $value }}<br>{{ end }}<a href="{{ .GeneratorURL }}">Source</a></p>{{ end }}</body></html>{{ end }}
"#;

fn map(entries: Vec<(String, Value)>) -> Value {
    Value::Map(Arc::new(entries.into_iter().collect::<BTreeMap<_, _>>()))
}

fn alert(index: usize) -> Value {
    let texts = |name: &str, count: usize| {
        let entry = |part| {
            (format!("{name}_{part}"), Value::from(format!("value <{part}> of alert {index}")))
        };
        map((0..count).map(entry).collect())
    };
    map(vec![
        ("Status".into(), "firing".into()),
        ("Labels".into(), texts("label", 12)),
        ("Annotations".into(), texts("annotation", 4)),
        ("GeneratorURL".into(), format!("http://prometheus/graph?g0.expr=up&alert={index}").into()),
    ])
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut set = Templates::builtin();
    set.add_file("bench.tmpl", FILE)?;
    let alerts: Vec<Value> = (0..ALERTS).map(alert).collect();
    let data = map(vec![
        ("Status".into(), "firing".into()),
        ("CommonLabels".into(), map(vec![("alertname".into(), "HighLoad".into())])),
        ("Alerts".into(), Value::List(alerts.into())),
    ]);
    let conditions = Conditions { now: Timestamp::UNIX_EPOCH, limits: Limits::default() };
    for (name, escaping, text) in TEXTS {
        let mut micros = Vec::with_capacity(RUNS);
        let mut bytes = 0;
        for _ in 0..RUNS {
            let start = Instant::now();
            bytes = set.render(name, text, *escaping, &data, conditions)?.len();
            micros.push(start.elapsed().as_micros());
        }
        micros.sort_unstable();
        let (median, slow) = (micros[RUNS / 2], micros[RUNS * 99 / 100]);
        writeln!(std::io::stdout(), "{name}: {bytes} bytes, median {median} µs, 99th {slow} µs")?;
    }
    Ok(())
}
