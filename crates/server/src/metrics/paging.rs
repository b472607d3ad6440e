//! Metrics of escalation and paging: counted from the engine's feed, or set anew at every scrape.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::ids::{OutboxNumber, RunNumber};
use tocsin_core::paging::Channel;
use tocsin_core::policy::Policy;
use tocsin_core::severity::Severity;
use tocsin_core::tenant::PagingCounts;
use tocsin_engine::{AuditReport, Stats};

use super::{LabelSet, add};

type Real = Gauge<f64, AtomicU64>;

/// The upper bounds of how late steps are, and how long a page takes to its provider, in seconds.
const LATENESS_BUCKETS: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0];

/// The upper bounds of how long people take to acknowledge, in seconds.
pub(super) const ANSWER_BUCKETS: [f64; 9] =
    [30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 14_400.0];

/// How many escalations and pages are remembered to tell how long they took; of more, the oldest
/// are not measured.
const MAX_REMEMBERED: usize = 100_000;

/// How a page ended.
const OUTCOMES: [&str; 3] = ["sent", "failed", "dropped"];

/// Metrics of escalation and paging.
#[derive(Debug)]
pub(super) struct PagingMetrics {
    open: Family<LabelSet<2>, Gauge>,
    started: Family<LabelSet<1>, Counter>,
    steps: Family<LabelSet<1>, Counter>,
    lateness: Histogram,
    acknowledge: Family<LabelSet<1>, Histogram>,
    unanswered: Counter,
    missed: Counter,
    audited: Gauge,
    audited_at: Real,
    pages: Family<LabelSet<2>, Counter>,
    failed_attempts: Family<LabelSet<1>, Counter>,
    delivery: Family<LabelSet<1>, Histogram>,
    bundled: Counter,
    held: Family<LabelSet<1>, Counter>,
    outstanding: Gauge,
    channel_down: Family<LabelSet<1>, Gauge>,
    heartbeats: Family<LabelSet<1>, Gauge>,
    heartbeats_missed: Counter,
    watcher: Family<LabelSet<1>, Counter>,
    watcher_at: Real,
    calendars: Family<LabelSet<1>, Gauge>,
    calendar_reads: Family<LabelSet<1>, Counter>,
    /// When escalations began that nobody has acknowledged.
    begun: Mutex<BTreeMap<RunNumber, (Timestamp, Severity)>>,
    /// When pages on their way were decided.
    queued: Mutex<BTreeMap<OutboxNumber, Timestamp>>,
}

impl PagingMetrics {
    /// Registers all of them.
    pub(super) fn register(r: &mut Registry) -> Self {
        let lateness: fn() -> Histogram = || Histogram::new(LATENESS_BUCKETS);
        let answers: fn() -> Histogram = || Histogram::new(ANSWER_BUCKETS);
        Self {
            open: add(
                r,
                "tocsin_escalations_open",
                "Escalations that are not over, by how they stand and severity",
                Family::default(),
            ),
            started: add(
                r,
                "tocsin_escalations_started",
                "Escalations that began, by severity",
                Family::default(),
            ),
            steps: add(
                r,
                "tocsin_escalation_steps",
                "Steps that were reached, by whether they paged anybody",
                Family::default(),
            ),
            lateness: add(
                r,
                "tocsin_escalation_step_lateness_seconds",
                "How long after it was due a step ran",
                lateness(),
            ),
            acknowledge: add(
                r,
                "tocsin_escalation_acknowledge_seconds",
                "Time from the beginning of an escalation to its first acknowledgement",
                Family::new_with_constructor(answers),
            ),
            unanswered: add(
                r,
                "tocsin_escalations_unanswered",
                "Escalations that nobody answered to any step",
                Counter::default(),
            ),
            missed: add(
                r,
                "tocsin_escalation_steps_missed",
                "Steps that fell due and of which the history has no word",
                Counter::default(),
            ),
            audited: add(
                r,
                "tocsin_escalations_audited",
                "Escalations of which it is followed whether every due step ran",
                Gauge::default(),
            ),
            audited_at: add(
                r,
                "tocsin_escalation_audit_timestamp_seconds",
                "When it was last looked whether every due step ran",
                Real::default(),
            ),
            pages: add(
                r,
                "tocsin_pages",
                "Messages to people and places, by channel and how they ended",
                Family::default(),
            ),
            failed_attempts: add(
                r,
                "tocsin_page_attempts_failed",
                "Attempts to send a message to a person or place that failed, by channel",
                Family::default(),
            ),
            delivery: add(
                r,
                "tocsin_page_delivery_seconds",
                "Time from deciding on a message to a person or place until its provider took it",
                Family::new_with_constructor(lateness),
            ),
            bundled: add(
                r,
                "tocsin_pages_bundled",
                "Messages that told of more than one escalation",
                Counter::default(),
            ),
            held: add(
                r,
                "tocsin_pages_held",
                "Messages that had to wait, by reason",
                Family::default(),
            ),
            outstanding: add(
                r,
                "tocsin_pages_outstanding",
                "Messages to people and places on their way",
                Gauge::default(),
            ),
            channel_down: add(
                r,
                "tocsin_channel_down",
                "1 while a channel is left alone because it failed again and again",
                Family::default(),
            ),
            heartbeats: add(
                r,
                "tocsin_heartbeats",
                "Monitors of heartbeats, by whether they are heard",
                Family::default(),
            ),
            heartbeats_missed: add(
                r,
                "tocsin_heartbeats_missed",
                "Times that a heartbeat was not heard in time",
                Counter::default(),
            ),
            watcher: add(
                r,
                "tocsin_watcher_requests",
                "Times that the watcher outside was to be told that we are alive, by outcome",
                Family::default(),
            ),
            watcher_at: add(
                r,
                "tocsin_watcher_last_success_timestamp_seconds",
                "When the watcher outside was last told that we are alive; 0 for never",
                Real::default(),
            ),
            calendars: add(
                r,
                "tocsin_calendars",
                "Calendars that schedules import, by whether they can be read",
                Family::default(),
            ),
            calendar_reads: add(
                r,
                "tocsin_calendar_reads",
                "Times that a calendar was read, by outcome",
                Family::default(),
            ),
            begun: Mutex::default(),
            queued: Mutex::default(),
        }
    }

    /// Makes the series that will be needed appear with zero, so that a rate over them is defined
    /// before the first event.
    pub(super) fn expect_series(&self, policy: &Policy) {
        for severity in Severity::ALL {
            drop(self.started.get_or_create(&severity_label(severity)));
            drop(self.acknowledge.get_or_create(&severity_label(severity)));
        }
        for result in ["paged", "skipped"] {
            drop(self.steps.get_or_create(&[("result", result.into())]));
        }
        for reason in ["throttled", "quiet_hours"] {
            drop(self.held.get_or_create(&[("reason", reason.into())]));
        }
        let contacts = policy.escalation.contacts.values();
        let used = contacts.flat_map(|contacts| &contacts.methods).map(|method| method.channel);
        for channel in used.chain([Channel::Email]).collect::<BTreeSet<_>>() {
            for outcome in OUTCOMES {
                drop(self.pages.get_or_create(&page_labels(channel, outcome)));
            }
            drop(self.failed_attempts.get_or_create(&channel_label(channel)));
            drop(self.delivery.get_or_create(&channel_label(channel)));
            drop(self.channel_down.get_or_create(&channel_label(channel)));
        }
    }

    /// Counts an event.
    pub(super) fn count(&self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::EscalationStarted { run, severity, .. } => {
                self.started.get_or_create(&severity_label(*severity)).inc();
                remember(&self.begun, *run, (at, *severity));
            }
            Event::EscalationAnswered { run, action, .. } if action == "acknowledge" => {
                if let Some((begun_at, severity)) = self.begun.lock().remove(run) {
                    let label = severity_label(severity);
                    self.acknowledge.get_or_create(&label).observe(seconds(begun_at, at));
                }
            }
            Event::EscalationEnded { run, .. } => {
                self.begun.lock().remove(run);
            }
            Event::StepReached { due_at, skipped, .. } => {
                let result = if skipped.is_empty() { "paged" } else { "skipped" };
                self.steps.get_or_create(&[("result", result.into())]).inc();
                self.lateness.observe(seconds(*due_at, at));
            }
            Event::EscalationUnanswered { .. } => {
                self.unanswered.inc();
            }
            Event::StepMissed { .. } => {
                self.missed.inc();
            }
            Event::HeartbeatMissed { .. } => {
                self.heartbeats_missed.inc();
            }
            Event::PageHeld { why, .. } => {
                let is_quiet = why.contains("quiet hours");
                let reason = if is_quiet { "quiet_hours" } else { "throttled" };
                self.held.get_or_create(&[("reason", reason.into())]).inc();
            }
            event => self.count_page(at, event),
        }
    }

    fn count_page(&self, at: Timestamp, event: &Event) {
        let ended = |page: &OutboxNumber| self.queued.lock().remove(page);
        match event {
            Event::PageQueued { page, .. } => remember(&self.queued, *page, at),
            Event::PageSent { page, runs, channel, .. } => {
                self.pages.get_or_create(&page_labels(*channel, "sent")).inc();
                if runs.len() > 1 {
                    self.bundled.inc();
                }
                if let Some(queued_at) = ended(page) {
                    let label = channel_label(*channel);
                    self.delivery.get_or_create(&label).observe(seconds(queued_at, at));
                }
            }
            Event::PageAttemptFailed { page, channel, retry_at, .. } => {
                self.failed_attempts.get_or_create(&channel_label(*channel)).inc();
                if retry_at.is_none() {
                    self.pages.get_or_create(&page_labels(*channel, "failed")).inc();
                    ended(page);
                }
            }
            Event::PageDropped { page, channel, .. } => {
                self.pages.get_or_create(&page_labels(*channel, "dropped")).inc();
                ended(page);
            }
            _ => {}
        }
    }

    /// Shows how escalations, channels and monitors stand.
    pub(super) fn set_counts(&self, counts: &PagingCounts) {
        for ((state, severity), count) in &counts.open {
            let severity = Cow::Owned(severity.to_string());
            let labels = [("state", Cow::Borrowed(*state)), ("severity", severity)];
            self.open.get_or_create(&labels).set(gauge(*count));
        }
        self.outstanding.set(gauge(counts.pages));
        for (state, count) in [("heard", counts.heard), ("missed", counts.missed)] {
            self.heartbeats.get_or_create(&[("state", state.into())]).set(gauge(count));
        }
        let failing = counts.calendars_failing;
        for (state, count) in [("fine", counts.calendars), ("failing", failing)] {
            self.calendars.get_or_create(&[("state", state.into())]).set(gauge(count));
        }
        for channel in Channel::ALL {
            let is_down = counts.down.contains(&channel);
            let label = channel_label(channel);
            // Channels that are not used have no series.
            if is_down || self.channel_down.get(&label).is_some() {
                self.channel_down.get_or_create(&label).set(i64::from(is_down));
            }
        }
    }

    /// Shows what those who watch the engine came to.
    pub(super) fn set_watch(&self, stats: &Stats, audit: &AuditReport) {
        self.audited.set(gauge(audit.followed));
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
        let real = |seconds: i64| seconds as f64;
        self.audited_at.set(audit.at.map_or(0.0, |at| real(at.as_second())));
        self.watcher_at.set(real(stats.knocked_at));
        for (outcome, count) in [
            ("heard", stats.knocks_heard),
            ("failed", stats.knocks_failed),
            ("withheld", stats.knocks_withheld),
        ] {
            let counter = self.watcher.get_or_create(&[("outcome", outcome.into())]);
            counter.inner().store(count, Ordering::Relaxed);
        }
        for (outcome, count) in [
            ("read", stats.calendars_read),
            ("unchanged", stats.calendars_unchanged),
            ("failed", stats.calendars_failed),
        ] {
            let counter = self.calendar_reads.get_or_create(&[("outcome", outcome.into())]);
            counter.inner().store(count, Ordering::Relaxed);
        }
    }
}

pub(super) fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

pub(super) fn severity_label(severity: Severity) -> LabelSet<1> {
    [("severity", Cow::Owned(severity.to_string()))]
}

fn channel_label(channel: Channel) -> LabelSet<1> {
    [("channel", Cow::Borrowed(channel.as_str()))]
}

fn page_labels(channel: Channel, outcome: &'static str) -> LabelSet<2> {
    [("channel", Cow::Borrowed(channel.as_str())), ("outcome", Cow::Borrowed(outcome))]
}

/// Remembers a value; of too many the oldest is forgotten.
pub(super) fn remember<K: Ord, V>(known: &Mutex<BTreeMap<K, V>>, key: K, value: V) {
    let mut known = known.lock();
    known.insert(key, value);
    if known.len() > MAX_REMEMBERED {
        known.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;
    use tocsin_core::ids::Sequence;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn how_late_steps_are_and_how_long_people_take_is_measured() {
        let mut registry = Registry::default();
        let metrics = PagingMetrics::register(&mut registry);
        let run = RunNumber(1);
        let count = |second, event| {
            metrics.count(&Recorded { sequence: Sequence(1), at: at(second), event });
        };
        count(
            0,
            Event::EscalationStarted {
                run,
                group: "g".into(),
                receiver: "r".into(),
                policy: "p".into(),
                severity: Severity::Sev1,
                title: String::new(),
                alerts: Vec::new(),
                why: String::new(),
            },
        );
        count(
            4,
            Event::StepReached {
                run,
                round: 1,
                step: 1,
                level: "".into(),
                due_at: at(0),
                people: Vec::new(),
                places: Vec::new(),
                left_out: Vec::new(),
                skipped: String::new(),
            },
        );
        for second in [100, 200] {
            count(
                second,
                Event::EscalationAnswered {
                    run,
                    by: "ada".to_owned(),
                    action: "acknowledge".into(),
                    via: String::new(),
                    comment: String::new(),
                    until: None,
                    still_asked: Vec::new(),
                },
            );
        }
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        for line in [
            r#"tocsin_escalations_started_total{severity="sev1"} 1"#,
            r#"tocsin_escalation_steps_total{result="paged"} 1"#,
            r"tocsin_escalation_step_lateness_seconds_sum 4.0",
            r#"tocsin_escalation_acknowledge_seconds_sum{severity="sev1"} 100.0"#,
            r#"tocsin_escalation_acknowledge_seconds_count{severity="sev1"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        assert!(metrics.begun.lock().is_empty());
    }
}
