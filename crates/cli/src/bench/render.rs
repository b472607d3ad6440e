//! How long the texts of a message take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::ids::AlertNumber;
use tocsin_core::labels::Labels;
use tocsin_core::notification::{Notification, NotifiedAlert, NotifyReason};
use tocsin_template::{Conditions, Escaping, Limits, Templates, defaults};

use super::load;

/// Alerts of the group.
pub(super) const ALERTS: usize = 100;

/// How often it is rendered.
const RUNS: usize = 500;

/// What a Slack message has by default.
const TEXTS: [&str; 5] = [
    defaults::SLACK_TITLE,
    defaults::SLACK_TITLELINK,
    defaults::SLACK_TEXT,
    defaults::SLACK_FALLBACK,
    defaults::SLACK_COLOR,
];

/// Returns the median and the 99th percentile of rendering the default Slack message of a group.
pub(super) fn measure(now: Timestamp) -> Result<(Duration, Duration)> {
    let notification = Arc::new(notification(now));
    let templates = Templates::builtin();
    let conditions = Conditions { now, limits: Limits::default() };
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let began = Instant::now();
        let data = tocsin_template::data(&notification, "http://tocsin.example");
        for text in TEXTS {
            templates.render("bench", text, Escaping::None, &data, conditions)?;
        }
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok((load::quantile(&times, 50), load::quantile(&times, 99)))
}

fn notification(now: Timestamp) -> Notification {
    let alert = |number: usize| {
        let posted = load::alert(number, now);
        let pairs = |name: &str| -> Labels {
            let map = posted[name].as_object().into_iter().flatten();
            map.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned()))
                .collect()
        };
        let labels = pairs("labels");
        NotifiedAlert {
            number: AlertNumber(number as u64),
            fingerprint: labels.fingerprint(),
            labels,
            annotations: pairs("annotations"),
            generator_url: posted["generatorURL"].as_str().unwrap_or("").into(),
            starts_at: now - SignedDuration::from_mins(5),
            ends_at: now,
            is_resolved: number.is_multiple_of(7),
        }
    };
    Notification {
        receiver: "team".into(),
        group_key: "{}:{}".into(),
        group_labels: Labels::from([("cluster", "eu-central-0")]),
        route_labels: Labels::default(),
        reason: NotifyReason::First,
        alerts: (0..ALERTS).map(alert).collect(),
        decided_at: now,
    }
}
