//! How long things took: to notice, to acknowledge, to find the cause, to stop the harm, to end.
//!
//! A time that is not known yet, or cannot be, is said to be so and is never counted as none: a
//! mean that counts what is unknown as zero gets better with every incident that nobody looks at.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cycle, Record};

/// One measure, by the name that people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricName {
    /// Time to detect: from when harm began.
    Mttd,
    /// How long before the harm it was seen coming.
    LeadTime,
    /// Time to acknowledge.
    Mtta,
    /// Time to identify the cause.
    Mtti,
    /// Time to mitigate.
    Mttm,
    /// Time to resolve: from the first detection to the last end.
    Mttr,
    /// How long it was open in all cycles together.
    ActiveTime,
    /// From the first detection to the first end.
    TimeToFirstResolve,
    /// How long harm was done.
    ImpactDuration,
    /// From the end to the published postmortem.
    PostmortemTime,
}

impl MetricName {
    /// Returns the word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mttd => "mttd",
            Self::LeadTime => "lead_time",
            Self::Mtta => "mtta",
            Self::Mtti => "mtti",
            Self::Mttm => "mttm",
            Self::Mttr => "mttr",
            Self::ActiveTime => "active_time",
            Self::TimeToFirstResolve => "time_to_first_resolve",
            Self::ImpactDuration => "impact_duration",
            Self::PostmortemTime => "postmortem_time",
        }
    }
}

/// What a measure begins or ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Harm began, as a person said.
    ImpactStarted,
    /// Harm ended, as a person said.
    ImpactEnded,
    /// It was detected, or reopened.
    Detected,
    /// Somebody took it.
    Acknowledged,
    /// The cause was known.
    Identified,
    /// What was done held.
    Mitigated,
    /// It was over.
    Resolved,
    /// The postmortem was published.
    PostmortemPublished,
}

/// Whether a measure has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// It has.
    Recorded,
    /// It will, or may.
    Pending,
    /// It never will: that did not happen here.
    NotApplicable,
    /// The times contradict each other.
    Invalid,
}

/// A measure of one incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Which.
    pub name: MetricName,
    /// Of which cycle, counted from 1; `None` for the whole incident.
    pub cycle: Option<u32>,
    /// In seconds; only when it is recorded.
    pub seconds: Option<i64>,
    /// Whether it has a value.
    pub status: Validity,
    /// What it begins with.
    pub start: Anchor,
    /// What it ends with.
    pub end: Anchor,
}

/// Times that are not those of the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// When harm began, as a person said.
    pub impact_started_at: Option<Timestamp>,
    /// When harm ended, as a person said.
    pub impact_ended_at: Option<Timestamp>,
    /// Whether that is only when it was resolved, since nobody said anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_end_assumed: bool,
    /// Whether it was seen coming, so that it may have been detected before harm began.
    pub is_predicted: bool,
    /// When the postmortem was published.
    pub postmortem_at: Option<Timestamp>,
}

/// Returns all measures of an incident: those of the whole, then those of each cycle.
pub fn measure(record: &Record, facts: &Measure) -> Vec<Metric> {
    let first = &record.cycles()[0];
    let last = record.cycle();
    let is_over = !record.status().is_active();
    let detected = Some(record.detected_at());
    let resolved = last.resolved_at.filter(|_| is_over);
    let mut metrics = vec![
        time_to_detect(record, facts),
        lead_time(record, facts),
        of_cycle(MetricName::Mtta, None, first),
        of_cycle(MetricName::Mtti, None, first),
        of_cycle(MetricName::Mttm, None, first),
        between(
            MetricName::Mttr,
            (Anchor::Detected, detected),
            (Anchor::Resolved, resolved),
            Validity::Pending,
        ),
        active_time(record),
        between(
            MetricName::TimeToFirstResolve,
            (Anchor::Detected, detected),
            (Anchor::Resolved, first.resolved_at),
            Validity::Pending,
        ),
        between(
            MetricName::ImpactDuration,
            (Anchor::ImpactStarted, facts.impact_started_at),
            (Anchor::ImpactEnded, facts.impact_ended_at),
            Validity::Pending,
        ),
        between(
            MetricName::PostmortemTime,
            (Anchor::Resolved, resolved),
            (Anchor::PostmortemPublished, facts.postmortem_at),
            Validity::Pending,
        ),
    ];
    for cycle in record.cycles() {
        for name in [MetricName::Mtta, MetricName::Mtti, MetricName::Mttm, MetricName::Mttr] {
            metrics.push(of_cycle(name, Some(cycle.number), cycle));
        }
    }
    metrics
}

fn time_to_detect(record: &Record, facts: &Measure) -> Metric {
    let metric = between(
        MetricName::Mttd,
        (Anchor::ImpactStarted, facts.impact_started_at),
        (Anchor::Detected, Some(record.detected_at())),
        Validity::Pending,
    );
    match metric.status {
        // It was seen coming: there was nothing to notice yet.
        Validity::Invalid if facts.is_predicted => {
            Metric { status: Validity::NotApplicable, ..metric }
        }
        _ => metric,
    }
}

fn lead_time(record: &Record, facts: &Measure) -> Metric {
    let metric = between(
        MetricName::LeadTime,
        (Anchor::Detected, Some(record.detected_at())),
        (Anchor::ImpactStarted, facts.impact_started_at),
        Validity::Pending,
    );
    if facts.is_predicted && metric.status != Validity::Invalid {
        return metric;
    }
    Metric { status: Validity::NotApplicable, seconds: None, ..metric }
}

/// What one cycle took. What was skipped in a cycle that is over will not come any more.
fn of_cycle(name: MetricName, number: Option<u32>, cycle: &Cycle) -> Metric {
    let (anchor, end) = match name {
        MetricName::Mtta => (Anchor::Acknowledged, cycle.acknowledged_at),
        MetricName::Mtti => (Anchor::Identified, cycle.identified_at),
        MetricName::Mttm => (Anchor::Mitigated, cycle.mitigated_at),
        _ => (Anchor::Resolved, cycle.resolved_at),
    };
    let otherwise = match cycle.resolved_at {
        Some(_) => Validity::NotApplicable,
        None => Validity::Pending,
    };
    let metric = between(name, (Anchor::Detected, Some(cycle.opened_at)), (anchor, end), otherwise);
    Metric { cycle: number, ..metric }
}

fn active_time(record: &Record) -> Metric {
    let cycles = record.cycles();
    let spans: Option<Vec<i64>> =
        cycles.iter().map(|it| Some(seconds(it.opened_at, it.resolved_at?))).collect();
    let total = spans.map(|spans| spans.into_iter().sum());
    Metric {
        name: MetricName::ActiveTime,
        cycle: None,
        seconds: total,
        status: if total.is_some() { Validity::Recorded } else { Validity::Pending },
        start: Anchor::Detected,
        end: Anchor::Resolved,
    }
}

fn between(
    name: MetricName,
    (start, from): (Anchor, Option<Timestamp>),
    (end, to): (Anchor, Option<Timestamp>),
    otherwise: Validity,
) -> Metric {
    let span = from.zip(to).map(|(from, to)| seconds(from, to));
    let (seconds, status) = match span {
        Some(span) if span < 0 => (None, Validity::Invalid),
        Some(span) => (Some(span), Validity::Recorded),
        None => (None, otherwise),
    };
    Metric { name, cycle: None, seconds, status, start, end }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs()
}

/// What many values of one measure say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many are recorded; the figures below are about these.
    pub count: usize,
    /// The mean, in seconds.
    pub mean: Option<f64>,
    /// The middle one, in seconds: half took no longer.
    pub median: Option<i64>,
    /// Nine of ten took no longer, in seconds.
    pub p90: Option<i64>,
    /// The shortest, in seconds.
    pub min: Option<i64>,
    /// The longest, in seconds.
    pub max: Option<i64>,
    /// How many are not known yet.
    pub pending: usize,
    /// How many contradict themselves.
    pub invalid: usize,
    /// How many will never be known.
    pub not_applicable: usize,
}

/// Summarizes values of one measure. Percentiles are values that occurred (nearest rank).
pub fn summarize<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> Summary {
    summarize_values(metrics.into_iter().map(|metric| (metric.seconds, metric.status)))
}

/// The same of values in seconds and whether they are any.
pub(super) fn summarize_values(
    metrics: impl IntoIterator<Item = (Option<i64>, Validity)>,
) -> Summary {
    let mut values = Vec::new();
    let mut summary = Summary::default();
    for (seconds, status) in metrics {
        match (status, seconds) {
            (Validity::Recorded, Some(seconds)) => values.push(seconds),
            (Validity::Pending, _) => summary.pending += 1,
            (Validity::Invalid, _) => summary.invalid += 1,
            (Validity::NotApplicable, _) => summary.not_applicable += 1,
            (Validity::Recorded, None) => {}
        }
    }
    values.sort_unstable();
    let rank = |percent: usize| {
        let place = (values.len() * percent).div_ceil(100).max(1);
        values.get(place - 1).copied()
    };
    #[expect(clippy::cast_precision_loss, reason = "a mean of seconds need not be exact")]
    let mean = (!values.is_empty())
        .then(|| values.iter().map(|it| *it as f64).sum::<f64>() / values.len() as f64);
    Summary {
        count: values.len(),
        mean,
        median: rank(50),
        p90: rank(90),
        min: values.first().copied(),
        max: values.last().copied(),
        ..summary
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{ResolutionCode, Status};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn of(metrics: &[Metric], name: MetricName, cycle: Option<u32>) -> (Option<i64>, Validity) {
        let found = metrics.iter().find(|it| it.name == name && it.cycle == cycle).unwrap();
        (found.seconds, found.status)
    }

    fn twice() -> Record {
        let mut record = Record::new(at(100), "tocsin");
        record.enter(at(160), Status::Acknowledged, "ada", true, None);
        record.enter(at(400), Status::Identified, "ada", true, None);
        record.enter(at(700), Status::Monitoring, "ada", true, None);
        record.enter(at(1_000), Status::Resolved, "ada", true, Some(ResolutionCode::Fixed));
        record.enter(at(2_000), Status::Detected, "tocsin", false, None);
        record
    }

    #[test]
    fn values_after_two_cycles_are_those_computed_by_hand() {
        let mut record = twice();
        let metrics = measure(&record, &Measure::default());
        assert_eq!(of(&metrics, MetricName::Mtta, None), (Some(60), Validity::Recorded));
        assert_eq!(of(&metrics, MetricName::Mtti, None), (Some(300), Validity::Recorded));
        assert_eq!(of(&metrics, MetricName::Mttm, None), (Some(600), Validity::Recorded));
        // It is open again, so it did not end.
        assert_eq!(of(&metrics, MetricName::Mttr, None), (None, Validity::Pending));
        assert_eq!(of(&metrics, MetricName::Mttr, Some(1)), (Some(900), Validity::Recorded));
        assert_eq!(of(&metrics, MetricName::Mtta, Some(2)), (None, Validity::Pending));
        let code = Some(ResolutionCode::SelfRecovered);
        record.enter(at(2_300), Status::Resolved, "tocsin", false, code);
        let metrics = measure(&record, &Measure::default());
        assert_eq!(of(&metrics, MetricName::Mttr, None), (Some(2_200), Validity::Recorded));
        assert_eq!(of(&metrics, MetricName::ActiveTime, None), (Some(1_200), Validity::Recorded));
        let first = of(&metrics, MetricName::TimeToFirstResolve, None);
        assert_eq!(first, (Some(900), Validity::Recorded));
        // Nobody took it in the second cycle, and nobody will.
        assert_eq!(of(&metrics, MetricName::Mtta, Some(2)), (None, Validity::NotApplicable));
        assert_eq!(of(&metrics, MetricName::Mttm, Some(2)), (Some(300), Validity::Recorded));
    }

    #[test]
    fn harm_after_detection_is_lead_time_only_when_it_was_predicted() {
        let record = twice();
        let surprised = Measure { impact_started_at: Some(at(40)), ..Measure::default() };
        let metrics = measure(&record, &surprised);
        assert_eq!(of(&metrics, MetricName::Mttd, None), (Some(60), Validity::Recorded));
        assert_eq!(of(&metrics, MetricName::LeadTime, None).1, Validity::NotApplicable);
        let wrong = Measure { impact_started_at: Some(at(130)), ..Measure::default() };
        assert_eq!(of(&measure(&record, &wrong), MetricName::Mttd, None).1, Validity::Invalid);
        let foreseen = Measure { is_predicted: true, ..wrong };
        let metrics = measure(&record, &foreseen);
        assert_eq!(of(&metrics, MetricName::Mttd, None), (None, Validity::NotApplicable));
        assert_eq!(of(&metrics, MetricName::LeadTime, None), (Some(30), Validity::Recorded));
        let unknown = measure(&record, &Measure::default());
        assert_eq!(of(&unknown, MetricName::Mttd, None), (None, Validity::Pending));
    }

    #[test]
    fn what_is_unknown_stays_out_of_the_figures() {
        let metric = |seconds: Option<i64>, status| Metric {
            name: MetricName::Mtta,
            cycle: None,
            seconds,
            status,
            start: Anchor::Detected,
            end: Anchor::Acknowledged,
        };
        let mut values: Vec<Metric> =
            (1..=10).map(|it| metric(Some(it * 10), Validity::Recorded)).collect();
        values.push(metric(None, Validity::Pending));
        values.push(metric(None, Validity::Invalid));
        values.push(metric(None, Validity::NotApplicable));
        let summary = summarize(&values);
        assert_eq!((summary.count, summary.pending, summary.invalid), (10, 1, 1));
        assert_eq!(summary.mean, Some(55.0));
        assert_eq!((summary.median, summary.p90), (Some(50), Some(90)));
        assert_eq!((summary.min, summary.max), (Some(10), Some(100)));
        assert_eq!(summarize(&[]).mean, None);
    }

    proptest! {
        #[test]
        fn a_value_is_there_exactly_when_it_is_recorded(
            moves in proptest::collection::vec((0_usize..8, 0_i64..100), 0..30),
            started in proptest::option::of(-100_i64..1_000),
            is_predicted: bool,
        ) {
            let mut record = Record::new(at(0), "tocsin");
            let mut now = 0;
            for (to, pause) in moves {
                now += pause;
                record.enter(at(now), Status::ALL[to], "ada", true, None);
            }
            let impact_started_at = started.map(at);
            let facts = Measure { impact_started_at, is_predicted, ..Measure::default() };
            for metric in measure(&record, &facts) {
                prop_assert_eq!(metric.seconds.is_some(), metric.status == Validity::Recorded);
                prop_assert!(metric.seconds.is_none_or(|it| it >= 0));
            }
        }
    }
}
