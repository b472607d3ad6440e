//! Metrics counted from the engine's feed of events.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tocsin_core::event::{Event, MuteCause, Recorded};
use tocsin_core::ids::OutboxNumber;
use tocsin_core::notification::FailureClass;
use tocsin_core::policy::Policy;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{LabelSet, add};

/// What the engine tells of each committed turn.
pub(super) type Feed = Receiver<Arc<[Recorded]>>;

/// How many notifications under way are remembered with their last failure; of more, the oldest
/// are forgotten and counted as failed for another reason.
const MAX_REMEMBERED_FAILURES: usize = 10_000;

/// Every class a failed notification is counted under.
const CLASSES: [FailureClass; 7] = [
    FailureClass::Other,
    FailureClass::ClientError,
    FailureClass::ServerError,
    FailureClass::ContextCanceled,
    FailureClass::ContextDeadlineExceeded,
    FailureClass::AuthError,
    FailureClass::RateLimited,
];

/// Every reason an alert is held back for.
const REASONS: [&str; 5] =
    ["inhibition", "active_time_interval", "mute_time_interval", "silence", "maintenance"];

/// Counters of what the engine did.
#[derive(Debug)]
pub(super) struct FeedMetrics {
    events: Family<LabelSet<1>, Counter>,
    missed_turns: Counter,
    notifications: Family<LabelSet<1>, Counter>,
    failed: Family<LabelSet<2>, Counter>,
    requests: Family<LabelSet<1>, Counter>,
    failed_requests: Family<LabelSet<1>, Counter>,
    suppressed: Family<LabelSet<1>, Counter>,
    template_failures: Family<LabelSet<1>, Counter>,
    last_failures: Mutex<BTreeMap<OutboxNumber, FailureClass>>,
}

impl FeedMetrics {
    /// Registers all of them.
    pub(super) fn register(r: &mut Registry) -> Self {
        Self {
            events: add(
                r,
                "tocsin_events",
                "Events recorded, by kind, as far as the feed was followed",
                Family::default(),
            ),
            missed_turns: add(
                r,
                "tocsin_metrics_feed_missed_turns",
                "Turns of the engine that these counters missed",
                Counter::default(),
            ),
            notifications: add(
                r,
                "alertmanager_notifications",
                "Notifications that were sent or given up, by integration",
                Family::default(),
            ),
            failed: add(
                r,
                "alertmanager_notifications_failed",
                "Notifications that were given up, by integration and last failure",
                Family::default(),
            ),
            requests: add(
                r,
                "alertmanager_notification_requests",
                "Attempts to send a notification, by integration",
                Family::default(),
            ),
            failed_requests: add(
                r,
                "alertmanager_notification_requests_failed",
                "Attempts to send a notification that failed, by integration",
                Family::default(),
            ),
            suppressed: add(
                r,
                "alertmanager_notifications_suppressed",
                "Alerts that began to be held back, by reason",
                Family::default(),
            ),
            template_failures: add(
                r,
                "tocsin_template_failures",
                "Messages that went out with built-in text where a template failed, by integration",
                Family::default(),
            ),
            last_failures: Mutex::default(),
        }
    }

    /// Makes the series of every configured integration and of every reason to hold an alert
    /// back appear with zero, so that a rate over them is defined before the first event.
    pub(super) fn expect_series(&self, policy: &Policy) {
        for reason in REASONS {
            drop(self.suppressed.get_or_create(&suppressed_labels(reason)));
        }
        for integration in policy.receivers.iter().flat_map(|receiver| &receiver.integrations) {
            let kind = [("integration", Cow::Borrowed(integration.kind))];
            let families = [
                &self.notifications,
                &self.requests,
                &self.failed_requests,
                &self.template_failures,
            ];
            for family in families {
                drop(family.get_or_create(&kind));
            }
            for class in CLASSES {
                drop(self.failed.get_or_create(&failed_labels(integration.kind.into(), class)));
            }
        }
    }

    /// Counts until the feed ends, and lets others count.
    pub(super) async fn follow(&self, feed: &mut Feed, others: impl Fn(&Recorded)) {
        loop {
            match feed.recv().await {
                Ok(turn) => turn.iter().for_each(|recorded| {
                    self.count(&recorded.event);
                    others(recorded);
                }),
                Err(RecvError::Lagged(turns)) => {
                    self.missed_turns.inc_by(turns);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn count(&self, event: &Event) {
        self.events.get_or_create(&[("kind", Cow::Borrowed(event.kind()))]).inc();
        match event {
            Event::NotificationSent { notification, integration, .. } => {
                self.last_failures.lock().remove(notification);
                let kind = [("integration", kind_of(integration))];
                self.requests.get_or_create(&kind).inc();
                self.notifications.get_or_create(&kind).inc();
            }
            Event::MessageDegraded { integration, .. } => {
                let kind = [("integration", kind_of(integration))];
                self.template_failures.get_or_create(&kind).inc();
            }
            Event::AttemptFailed { notification, integration, failure, .. } => {
                let kind = [("integration", kind_of(integration))];
                self.requests.get_or_create(&kind).inc();
                self.failed_requests.get_or_create(&kind).inc();
                let mut last = self.last_failures.lock();
                last.insert(*notification, failure.class);
                if last.len() > MAX_REMEMBERED_FAILURES {
                    last.pop_first();
                }
            }
            Event::NotificationAbandoned { notification, integration, .. } => {
                let class = self.last_failures.lock().remove(notification);
                let kind = kind_of(integration);
                self.notifications.get_or_create(&[("integration", kind.clone())]).inc();
                let class = class.unwrap_or(FailureClass::Other);
                self.failed.get_or_create(&failed_labels(kind, class)).inc();
            }
            Event::AlertMuted { cause, .. } => {
                self.suppressed.get_or_create(&suppressed_labels(reason_of(cause))).inc();
            }
            _ => {}
        }
    }
}

fn reason_of(cause: &MuteCause) -> &'static str {
    match cause {
        MuteCause::Inhibition(_) => "inhibition",
        MuteCause::ActiveInterval { .. } => "active_time_interval",
        MuteCause::MuteInterval { .. } => "mute_time_interval",
        MuteCause::Silence { .. } => "silence",
        MuteCause::Maintenance { .. } => "maintenance",
    }
}

fn suppressed_labels(reason: &'static str) -> LabelSet<1> {
    [("reason", Cow::Borrowed(reason))]
}

fn failed_labels(kind: Cow<'static, str>, class: FailureClass) -> LabelSet<2> {
    let reason = match class {
        FailureClass::Other => "other",
        FailureClass::ClientError => "clientError",
        FailureClass::ServerError => "serverError",
        FailureClass::ContextCanceled => "contextCanceled",
        FailureClass::ContextDeadlineExceeded => "contextDeadlineExceeded",
        FailureClass::AuthError => "authError",
        FailureClass::RateLimited => "rateLimited",
    };
    [("integration", kind), ("reason", Cow::Borrowed(reason))]
}

/// Returns the kind in `receiver/kind[index]`; receivers may have slashes and brackets in their
/// names.
fn kind_of(integration: &str) -> Cow<'static, str> {
    let last = integration.rsplit_once('/').map_or(integration, |(_, last)| last);
    Cow::Owned(last.split_once('[').map_or(last, |(kind, _)| kind).to_owned())
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;
    use tocsin_core::ids::GroupNumber;
    use tocsin_core::notification::Failure;

    use super::*;

    fn abandoned(number: u64) -> Event {
        Event::NotificationAbandoned {
            notification: OutboxNumber(number),
            group: GroupNumber(1),
            integration: "team/db[1]/webhook[0]".to_owned(),
            why: "deadline".to_owned(),
        }
    }

    #[test]
    fn a_notification_given_up_counts_under_its_last_failure() {
        let mut registry = Registry::default();
        let metrics = FeedMetrics::register(&mut registry);
        metrics.count(&Event::AttemptFailed {
            notification: OutboxNumber(7),
            group: GroupNumber(1),
            integration: "team/db[1]/webhook[0]".to_owned(),
            attempt: 1,
            failure: Failure {
                class: FailureClass::RateLimited,
                message: "429".to_owned(),
                retry_after_ms: None,
                may_have_arrived: false,
            },
            retry_at: jiff::Timestamp::UNIX_EPOCH,
        });
        metrics.count(&abandoned(7));
        metrics.count(&abandoned(8));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        for line in [
            r#"alertmanager_notifications_total{integration="webhook"} 2"#,
            r#"alertmanager_notifications_failed_total{integration="webhook",reason="rateLimited"} 1"#,
            r#"alertmanager_notifications_failed_total{integration="webhook",reason="other"} 1"#,
            r#"alertmanager_notification_requests_failed_total{integration="webhook"} 1"#,
            r#"tocsin_events_total{kind="notification_abandoned"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(metrics.last_failures.lock().is_empty());
    }
}
