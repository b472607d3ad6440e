//! Would a page arrive?

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_config::Loaded;
use tocsin_connect::{Context, Outbound};
use tocsin_core::notification::AttemptOutcome;
use tocsin_core::policy::Receiver;
use tocsin_engine::{Clock as _, Delivery, Drill, SystemClock, drill};

use super::report::Findings;
use crate::output::count;

const SUBJECT: &str = "receivers";

/// Sets every receiver up, and tells those in `send` a test message; an empty name means all.
/// `whose` begins each finding; it is empty for the default tenant.
pub(super) async fn examine(
    loaded: &Loaded,
    whose: &str,
    send: Option<&[String]>,
    findings: &mut Findings,
) {
    let context = Context::new("http://localhost:9093", env!("CARGO_PKG_VERSION"));
    let outbound = match Outbound::new(&loaded.config, &context) {
        Ok(outbound) => outbound,
        Err(error) => return findings.failed(SUBJECT, format!("{whose}{error}")),
    };
    warn_of_silent(loaded, whose, findings);
    let Some(names) = send else {
        let text = format!(
            "{whose}{} can be set up; whether messages arrive tells --send",
            count(loaded.policy.receivers.len(), "receiver", "receivers")
        );
        return findings.skipped(SUBJECT, text);
    };
    let is_all = names.iter().all(String::is_empty);
    for name in names.iter().filter(|name| !name.is_empty()) {
        if loaded.policy.receiver(name).is_none() {
            findings.failed(SUBJECT, format!("{whose}there is no receiver `{name}`"));
        }
    }
    let delivery = Arc::new(Delivery::new(outbound));
    for receiver in &loaded.policy.receivers {
        if is_all || names.iter().any(|name| **name == *receiver.name) {
            tell(&delivery, receiver, whose, findings).await;
        }
    }
}

/// Routes that lead to a receiver without integrations swallow what they match.
fn warn_of_silent(loaded: &Loaded, whose: &str, findings: &mut Findings) {
    let routes = &loaded.policy.routes.nodes;
    let used: BTreeSet<&str> = routes.iter().map(|route| &*route.receiver).collect();
    for receiver in &loaded.policy.receivers {
        if receiver.integrations.is_empty() && used.contains(&*receiver.name) {
            let text = format!("{whose}`{}` tells nobody: it has no integration", receiver.name);
            findings.warning(SUBJECT, text);
        }
    }
}

async fn tell(delivery: &Arc<Delivery>, receiver: &Receiver, whose: &str, findings: &mut Findings) {
    let deliver = Arc::clone(delivery) as _;
    let now = SystemClock.now();
    for told in drill(deliver, receiver, &Drill::default(), |_| true, now).await {
        let name = told.integration;
        match told.outcome {
            AttemptOutcome::Delivered { fallbacks, .. } => {
                for fallback in fallbacks {
                    findings.warning(SUBJECT, format!("{whose}{name}: {fallback}"));
                }
                let text =
                    format!("{whose}{name} took a test message in {} ms", told.elapsed.as_millis());
                findings.ok(SUBJECT, text);
            }
            AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => {
                findings.failed(SUBJECT, format!("{whose}{name}: {}", failure.message));
            }
        }
    }
}
