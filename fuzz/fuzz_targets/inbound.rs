//! Any bytes as what integrations post. The first byte selects who reads the rest.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::mapping::{Input, Mapping};
use tocsin_wire::grafana::read_webhook;
use tocsin_wire::opsgenie::{Create, Query};
use tocsin_wire::pagerduty::{PagerdutyEvent, read_change};

/// Expressions that touch a body in every way there is.
static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    Mapping::new([
        ("items", "has(body.items) ? body.items : [body]"),
        ("status", "has(item.status) ? item.status : item.firing"),
        ("name", "has(item.name) ? item.name : item['title']"),
        ("severity", "item.severity"),
        ("dedup_key", "item.id"),
        ("labels", "item.labels"),
        ("annotations", "{'summary': item.summary, 'all': item}"),
        ("starts_at", "item.starts_at"),
        ("ends_at", "item.ends_at"),
        ("url", "item.url"),
    ])
    .expect("the expressions are right")
});

fuzz_target!(|bytes: &[u8]| {
    let Some((reader, body)) = bytes.split_first() else { return };
    let now = Timestamp::UNIX_EPOCH;
    match reader {
        b'1' => {
            let event = PagerdutyEvent::read_v1(body).ok();
            event.and_then(|event| event.alert()).iter().for_each(check);
        }
        b'2' => {
            let event = PagerdutyEvent::read(body).ok();
            event.and_then(|event| event.alert()).iter().for_each(check);
        }
        b'c' => drop(read_change(body, now)),
        b'g' => {
            if let Ok(told) = read_webhook(body, now) {
                told.alerts.iter().for_each(check);
            }
        }
        b'o' => {
            if let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(body)
                && let Ok(create) = Create::read(&fields)
            {
                check(&create.alert());
            }
        }
        b'q' => {
            if let Ok(text) = std::str::from_utf8(body) {
                drop(Query::read(text));
            }
        }
        b'm' => {
            if let Ok(body) = serde_json::from_slice::<Value>(body) {
                let input = Input { body, ..Input::default() };
                for told in MAPPING.apply(&input, now).alerts {
                    check(&told.alert);
                }
            }
        }
        // An expression in the first line, a body in the others.
        _ => {
            let Ok(text) = std::str::from_utf8(body) else { return };
            let (expression, body) = text.split_once('\n').unwrap_or((text, "{}"));
            if let Ok(mapping) = Mapping::new([("name", expression)])
                && let Ok(body) = serde_json::from_str(body)
            {
                drop(mapping.apply(&Input { body, ..Input::default() }, now));
            }
        }
    }
});

fn check(alert: &IncomingAlert) {
    assert!(!alert.labels.is_empty(), "an alert without labels");
    assert_eq!(alert.fingerprint, alert.labels.fingerprint());
}
