//! Metrics of incidents: counted from the engine's feed, or set anew at every scrape.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::incident::{IncidentNumber, Status};
use tocsin_core::severity::Severity;
use tocsin_core::tenant::IncidentCounts;

use super::paging::{ANSWER_BUCKETS, gauge, remember, seconds, severity_label};
use super::{LabelSet, add};

/// The upper bounds of how long incidents take to be over, in seconds: a minute to a week.
const END_BUCKETS: [f64; 11] = [
    60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0, 259_200.0,
    604_800.0,
];

/// When an incident was detected, or opened again, and how bad it was then.
type Begun = BTreeMap<IncidentNumber, (Timestamp, Severity)>;

/// Metrics of incidents.
#[derive(Debug)]
pub(super) struct IncidentMetrics {
    open: Family<LabelSet<2>, Gauge>,
    opened: Family<LabelSet<1>, Counter>,
    moved: Family<LabelSet<1>, Counter>,
    acknowledge: Family<LabelSet<1>, Histogram>,
    resolve: Family<LabelSet<1>, Histogram>,
    /// Those that nobody has taken.
    untaken: Mutex<Begun>,
    /// Those that are not over.
    active: Mutex<Begun>,
    /// How bad each was when it began, for when it is opened again.
    severities: Mutex<BTreeMap<IncidentNumber, Severity>>,
}

impl IncidentMetrics {
    /// Registers all of them.
    pub(super) fn register(r: &mut Registry) -> Self {
        let answers: fn() -> Histogram = || Histogram::new(ANSWER_BUCKETS);
        let ends: fn() -> Histogram = || Histogram::new(END_BUCKETS);
        Self {
            open: add(
                r,
                "tocsin_incidents_open",
                "Incidents that are not over, by where they stand and severity",
                Family::default(),
            ),
            opened: add(
                r,
                "tocsin_incidents_opened",
                "Incidents that began, by severity",
                Family::default(),
            ),
            moved: add(
                r,
                "tocsin_incident_moves",
                "Times that incidents went on, by where they stand then",
                Family::default(),
            ),
            acknowledge: add(
                r,
                "tocsin_incident_acknowledge_seconds",
                "Time until somebody took an incident, from when it began or was opened again, \
                 by the severity that it began with",
                Family::new_with_constructor(answers),
            ),
            resolve: add(
                r,
                "tocsin_incident_resolve_seconds",
                "Time until an incident was over, from when it began or was opened again, by the \
                 severity that it began with",
                Family::new_with_constructor(ends),
            ),
            untaken: Mutex::default(),
            active: Mutex::default(),
            severities: Mutex::default(),
        }
    }

    /// Makes the series that will be needed appear with zero.
    pub(super) fn expect_series(&self) {
        for severity in Severity::ALL {
            let label = severity_label(severity);
            drop(self.opened.get_or_create(&label));
            drop(self.acknowledge.get_or_create(&label));
            drop(self.resolve.get_or_create(&label));
        }
        for status in Status::ALL {
            drop(self.moved.get_or_create(&[("status", status.as_str().into())]));
        }
    }

    /// Counts an event.
    pub(super) fn count(&self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::IncidentOpened { incident, severity, .. } => {
                self.opened.get_or_create(&severity_label(*severity)).inc();
                remember(&self.untaken, *incident, (at, *severity));
                remember(&self.active, *incident, (at, *severity));
                remember(&self.severities, *incident, *severity);
            }
            Event::IncidentMoved { incident, from, to, .. } => {
                self.moved.get_or_create(&[("status", to.as_str().into())]).inc();
                self.measure(at, *incident, *from, *to);
            }
            _ => {}
        }
    }

    fn measure(&self, at: Timestamp, incident: IncidentNumber, from: Status, to: Status) {
        let ended = |begun: &Mutex<Begun>, times: &Family<LabelSet<1>, Histogram>| {
            if let Some((begun_at, severity)) = begun.lock().remove(&incident) {
                let took = seconds(begun_at, at);
                times.get_or_create(&severity_label(severity)).observe(took);
            }
        };
        if from == Status::Detected && to.is_active() {
            ended(&self.untaken, &self.acknowledge);
        }
        let severity = self.severities.lock().get(&incident).copied();
        if let Some(severity) = severity.filter(|_| !from.is_active() && to.is_active()) {
            remember(&self.active, incident, (at, severity));
            if to == Status::Detected {
                remember(&self.untaken, incident, (at, severity));
            }
        }
        if from.is_active() && !to.is_active() {
            self.untaken.lock().remove(&incident);
            ended(&self.active, &self.resolve);
        }
    }

    /// Shows how incidents stand.
    pub(super) fn set_counts(&self, counts: &IncidentCounts) {
        for ((status, severity), count) in &counts.open {
            let severity = Cow::Owned(severity.to_string());
            let labels = [("status", Cow::Borrowed(status.as_str())), ("severity", severity)];
            self.open.get_or_create(&labels).set(gauge(*count));
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text;
    use tocsin_core::ids::Sequence;

    use super::*;

    #[test]
    fn how_long_it_takes_until_somebody_has_it_and_until_it_is_over_is_measured() {
        let mut registry = Registry::default();
        let metrics = IncidentMetrics::register(&mut registry);
        let incident = IncidentNumber(7);
        let count = |second: i64, event| {
            let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
            metrics.count(&Recorded { sequence: Sequence(1), at, event });
        };
        let (note, by, code) = (String::new(), "ada".to_owned(), None);
        let moved = |from, to| Event::IncidentMoved {
            incident,
            from,
            to,
            code,
            note: note.clone(),
            by: by.clone(),
        };
        count(
            0,
            Event::IncidentOpened {
                incident,
                severity: Severity::Sev2,
                title: String::new(),
                alerts: Vec::new(),
                why: String::new(),
                by: by.clone(),
            },
        );
        count(40, moved(Status::Detected, Status::Acknowledged));
        count(50, moved(Status::Acknowledged, Status::Identified));
        count(400, moved(Status::Identified, Status::Resolved));
        count(500, moved(Status::Resolved, Status::Detected));
        count(510, moved(Status::Detected, Status::Investigating));
        count(800, moved(Status::Investigating, Status::Resolved));
        count(900, moved(Status::Resolved, Status::Closed));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        for line in [
            r#"tocsin_incidents_opened_total{severity="sev2"} 1"#,
            r#"tocsin_incident_moves_total{status="identified"} 1"#,
            r#"tocsin_incident_acknowledge_seconds_sum{severity="sev2"} 50.0"#,
            r#"tocsin_incident_acknowledge_seconds_count{severity="sev2"} 2"#,
            r#"tocsin_incident_resolve_seconds_sum{severity="sev2"} 700.0"#,
            r#"tocsin_incident_resolve_seconds_count{severity="sev2"} 2"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
