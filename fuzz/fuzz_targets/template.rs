//! Any text as a template, as text and as HTML: it ends within its bounds, with a result or a reason.
#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use tocsin_template::{Conditions, Escaping, Limits, Templates, Value};

const LIMITS: Limits = Limits { output_bytes: 16 << 10, steps: 10_000, depth: 20 };

fuzz_target!(|text: &str| {
    let data = data();
    let conditions = Conditions { now: Timestamp::UNIX_EPOCH, limits: LIMITS };
    let mut templates = Templates::builtin();
    let _ = templates.add_file("fuzz.tmpl", text);
    let _ = templates.check("fuzz", text);
    for escaping in [Escaping::None, Escaping::Html] {
        if let Ok(out) = templates.render("fuzz", text, escaping, &data, conditions) {
            assert!(out.len() <= LIMITS.output_bytes, "{} bytes", out.len());
        }
    }
});

/// What templates are given: a map with texts that try to break out.
fn data() -> Value {
    let labels = [("alertname", "<b>&'\""), ("severity", "critical")];
    let labels: BTreeMap<String, Value> =
        labels.map(|(name, value)| (name.to_owned(), value.into())).into();
    let labels = Value::Map(Arc::new(labels));
    let alert = |status: &str| {
        let fields = [
            ("Status", status.into()),
            ("Labels", labels.clone()),
            ("GeneratorURL", "javascript:alert(1)".into()),
            ("Count", Value::Int(7)),
            ("Ratio", Value::Float(0.5)),
        ];
        let fields: BTreeMap<String, Value> =
            fields.map(|(name, value)| (name.to_owned(), value)).into();
        Value::Map(Arc::new(fields))
    };
    let fields = [
        ("Receiver", "team.db".into()),
        ("Status", "firing".into()),
        ("ExternalURL", "http://tocsin.example/?a=1&b=2".into()),
        ("GroupLabels", labels.clone()),
        ("Alerts", Value::List([alert("firing"), alert("resolved")].into())),
    ];
    let fields: BTreeMap<String, Value> =
        fields.map(|(name, value)| (name.to_owned(), value)).into();
    Value::Map(Arc::new(fields))
}
