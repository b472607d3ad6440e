//! Fire drills: a made-up alert is told to a receiver, to see whether it would arrive.
//!
//! Nothing of it is recorded or retried: a drill answers one question, now.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber};
use tocsin_core::labels::{ALERTNAME, Labels};
use tocsin_core::notification::{
    AttemptOutcome, FailureClass, LogKey, Notification, NotifiedAlert, NotifyReason, OutboxEntry,
};
use tocsin_core::policy::{Integration, Receiver};
use tocsin_core::tenant::ESCALATION;

use crate::delivery::{Deliver, failed, run};

/// How many integrations of a receiver are told at once.
const MAX_AT_ONCE: usize = 8;

/// No integration is waited for longer: somebody sits there and waits, too.
const MAX_DRILL: Duration = Duration::from_secs(45);

/// What the alert of a drill is called unless it says otherwise.
pub const DRILL_ALERTNAME: &str = "TocsinTest";

/// The alert that is told.
#[derive(Clone, Debug, Default)]
pub struct Drill {
    /// Labels beside or instead of the usual ones.
    pub labels: Labels,
    /// Annotations beside or instead of the usual ones.
    pub annotations: Labels,
    /// Whether it has ended. Those that open something on the other side close it with this.
    pub is_resolved: bool,
}

/// How one integration took it.
#[derive(Clone, Debug)]
pub struct Drilled {
    /// As events name it: `receiver/kind[index]`.
    pub integration: String,
    /// What came back.
    pub outcome: AttemptOutcome,
    /// How long it took.
    pub elapsed: Duration,
}

/// Tells every integration of `receiver` once that `accepts` lets through, and returns how each
/// took it, in their order. An integration that is not told of ends gets the alert as firing only.
pub async fn drill(
    deliver: Arc<dyn Deliver>,
    receiver: &Receiver,
    drill: &Drill,
    accepts: impl Fn(&Integration) -> bool,
    now: Timestamp,
) -> Vec<Drilled> {
    let notification = Arc::new(notification(receiver, drill, now));
    let attempts = receiver
        .integrations
        .iter()
        .filter(|integration| integration.kind != ESCALATION && accepts(integration))
        .map(|integration| attempt(Arc::clone(&deliver), entry(integration, &notification)))
        .collect::<Vec<_>>();
    stream::iter(attempts).buffered(MAX_AT_ONCE).collect().await
}

async fn attempt(deliver: Arc<dyn Deliver>, entry: OutboxEntry) -> Drilled {
    let integration = entry.key.integration();
    let began = Instant::now();
    let outcome = tokio::time::timeout(MAX_DRILL, run(deliver, entry)).await;
    let outcome = outcome.unwrap_or_else(|_| {
        let message = format!("no answer within {} s", MAX_DRILL.as_secs());
        failed(FailureClass::ContextDeadlineExceeded, message)
    });
    Drilled { integration, outcome, elapsed: began.elapsed() }
}

fn notification(receiver: &Receiver, drill: &Drill, now: Timestamp) -> Notification {
    let usual_labels =
        [(ALERTNAME, DRILL_ALERTNAME), ("severity", "info"), ("receiver", &*receiver.name)];
    let usual_annotations = [
        ("summary", "This is a test message; nothing is wrong"),
        ("description", "Somebody asked whether messages of this receiver arrive. They do."),
    ];
    let labels = with(&usual_labels, &drill.labels);
    let alert = NotifiedAlert {
        number: AlertNumber(0),
        fingerprint: labels.fingerprint(),
        annotations: with(&usual_annotations, &drill.annotations),
        generator_url: "".into(),
        starts_at: if drill.is_resolved { minute_before(now) } else { now },
        ends_at: now,
        is_resolved: drill.is_resolved,
        labels,
    };
    let name = alert.labels.get(ALERTNAME).unwrap_or(DRILL_ALERTNAME);
    let group_labels: Labels = [(ALERTNAME, name)].into_iter().collect();
    Notification {
        receiver: Arc::clone(&receiver.name),
        // A key of its own: a drill must not touch the incident of a real group.
        group_key: format!("{{}}/test/{}:{group_labels}", receiver.name).into(),
        group_labels,
        route_labels: Labels::default(),
        reason: if drill.is_resolved { NotifyReason::AllResolved } else { NotifyReason::First },
        alerts: vec![alert],
        decided_at: now,
    }
}

fn minute_before(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_mins(1)).unwrap_or(now)
}

/// Returns the usual pairs, where `own` has not its own value.
fn with(usual: &[(&str, &str)], own: &Labels) -> Labels {
    let usual = usual.iter().filter(|(name, _)| own.get(name).is_none()).copied();
    own.iter().chain(usual).collect()
}

fn entry(integration: &Integration, notification: &Arc<Notification>) -> OutboxEntry {
    let now = notification.decided_at;
    OutboxEntry {
        number: OutboxNumber(0),
        group: GroupNumber(0),
        key: LogKey {
            group: Arc::clone(&notification.group_key),
            receiver: Arc::clone(&notification.receiver),
            kind: integration.kind.into(),
            index: integration.index,
        },
        notification: Arc::clone(notification),
        firing: Vec::new(),
        resolved: Vec::new(),
        log_expires_at: now,
        attempts: 1,
        due_at: now,
        deadline: now,
        receipt: None,
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use parking_lot::Mutex;

    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<OutboxEntry>>);

    #[async_trait]
    impl Deliver for Seen {
        async fn attempt(&self, entry: &OutboxEntry, _: &str) -> AttemptOutcome {
            self.0.lock().push(entry.clone());
            AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
        }
    }

    fn receiver() -> Receiver {
        let integration = |kind, index| Integration { kind, index, send_resolved: true };
        Receiver {
            name: "db".into(),
            labels: Labels::default(),
            integrations: vec![
                integration("slack", 0),
                integration("slack", 1),
                integration("webhook", 0),
            ],
            escalation_policy: None,
        }
    }

    #[tokio::test]
    async fn every_integration_asked_for_is_told_once_in_order() {
        let seen = Arc::new(Seen::default());
        let now = Timestamp::from_second(1_000).unwrap();
        let drilled = drill(
            Arc::clone(&seen) as _,
            &receiver(),
            &Drill::default(),
            |integration| integration.kind == "slack",
            now,
        )
        .await;
        let names: Vec<_> = drilled.iter().map(|it| it.integration.as_str()).collect();
        assert_eq!(names, ["db/slack[0]", "db/slack[1]"]);
        let entries = seen.0.lock();
        assert_ne!(entries[0].idempotency_key(), entries[1].idempotency_key());
        let alert = &entries[0].notification.alerts[0];
        assert_eq!(alert.labels.get(ALERTNAME), Some(DRILL_ALERTNAME));
        assert!(!alert.is_resolved);
    }

    #[tokio::test]
    async fn own_labels_win_and_an_end_is_told_as_one() {
        let seen = Arc::new(Seen::default());
        let now = Timestamp::from_second(1_000).unwrap();
        let own = Drill {
            labels: [(ALERTNAME, "PgDown"), ("team", "db")].into_iter().collect(),
            is_resolved: true,
            ..Drill::default()
        };
        drill(Arc::clone(&seen) as _, &receiver(), &own, |_| true, now).await;
        let entries = seen.0.lock();
        let notification = &entries[0].notification;
        assert_eq!(notification.reason, NotifyReason::AllResolved);
        assert_eq!(notification.alerts[0].labels.get(ALERTNAME), Some("PgDown"));
        assert_eq!(notification.alerts[0].labels.get("severity"), Some("info"));
        assert!(notification.alerts[0].starts_at < notification.alerts[0].ends_at);
    }
}
