//! What many incidents say together: how many there were, how long they took, how far they are
//! apart, and whether the promises of their severity were kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    Cycle, Incident, Metric, MetricName, Mode, ResolutionCode, SeverityTable, Status, Summary,
    TimeField, Validity, measure, summarize,
};

/// The most measures of their own that one report takes.
pub const MAX_CUSTOM_MEASURES: usize = 10;

/// The measures of every report, each of the whole incident.
const MEASURES: [MetricName; 10] = [
    MetricName::Mttd,
    MetricName::LeadTime,
    MetricName::Mtta,
    MetricName::Mtti,
    MetricName::Mttm,
    MetricName::Mttr,
    MetricName::ActiveTime,
    MetricName::TimeToFirstResolve,
    MetricName::ImpactDuration,
    MetricName::PostmortemTime,
];

/// By what incidents are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// All together.
    #[default]
    All,
    /// How bad they were.
    Severity,
    /// What kind of harm they were.
    Category,
    /// Their service.
    Service,
    /// The label `team`.
    Team,
    /// Who had them.
    Owner,
    /// The day on which they were detected.
    Day,
    /// The ISO week in which they were detected.
    Week,
    /// The month in which they were detected.
    Month,
}

/// A moment of an incident that a measure of one's own begins or ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Harm began, as a person said.
    ImpactStarted,
    /// Harm ended, as a person said.
    ImpactEnded,
    /// It was detected first.
    Detected,
    /// It was written down.
    Created,
    /// Somebody took it first.
    Acknowledged,
    /// Somebody began to look for the cause.
    Investigating,
    /// The cause was known.
    Identified,
    /// Something was begun against it.
    Mitigating,
    /// What was done held.
    Mitigated,
    /// It was over last.
    Resolved,
    /// Nothing was left to do.
    Closed,
    /// The postmortem was published.
    PostmortemPublished,
}

impl Moment {
    /// All, in the order of the manual.
    pub const ALL: [Self; 12] = [
        Self::ImpactStarted,
        Self::ImpactEnded,
        Self::Detected,
        Self::Created,
        Self::Acknowledged,
        Self::Investigating,
        Self::Identified,
        Self::Mitigating,
        Self::Mitigated,
        Self::Resolved,
        Self::Closed,
        Self::PostmortemPublished,
    ];

    /// Returns the word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImpactStarted => "impact_started",
            Self::ImpactEnded => "impact_ended",
            Self::Detected => "detected",
            Self::Created => "created",
            Self::Acknowledged => "acknowledged",
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Mitigating => "mitigating",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::PostmortemPublished => "postmortem_published",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.as_str() == word)
    }

    fn of(self, it: &Incident) -> Option<Timestamp> {
        let record = &it.record;
        // What was first counts on the way in, what was last on the way out.
        let first = |of: fn(&Cycle) -> Option<Timestamp>| record.cycles().iter().find_map(of);
        let is_over = !record.status().is_active();
        match self {
            Self::ImpactStarted => it.measure.impact_started_at,
            Self::ImpactEnded => it.measure.impact_ended_at,
            Self::Detected => Some(record.detected_at()),
            Self::Created => Some(it.created_at),
            Self::Acknowledged => first(|cycle| cycle.acknowledged_at),
            Self::Investigating => first(|cycle| cycle.investigating_at),
            Self::Identified => first(|cycle| cycle.identified_at),
            Self::Mitigating => first(|cycle| cycle.mitigating_at),
            Self::Mitigated => first(|cycle| cycle.mitigated_at),
            Self::Resolved => record.cycle().resolved_at.filter(|_| is_over),
            Self::Closed => record.cycle().closed_at.filter(|_| is_over),
            Self::PostmortemPublished => it.measure.postmortem_at,
        }
    }
}

/// A measure of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomMeasure {
    /// What it begins with.
    pub from: Moment,
    /// What it ends with.
    pub to: Moment,
}

impl CustomMeasure {
    /// Reads two moments, as in `detected..identified`.
    ///
    /// # Errors
    /// One sentence that names what would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = || Moment::ALL.map(Moment::as_str).join(", ");
        let moment = |word: &str| {
            Moment::parse(word).ok_or_else(|| format!("`{word}` is none of {}", known()))
        };
        let Some((from, to)) = text.split_once("..") else {
            return Err(format!("`{text}` is not two moments as in `detected..identified`"));
        };
        Ok(Self { from: moment(from)?, to: moment(to)? })
    }

    /// Returns the name by which a report tells it.
    pub fn name(self) -> String {
        format!("{}..{}", self.from.as_str(), self.to.as_str())
    }

    fn of(self, it: &Incident) -> (Option<i64>, Validity) {
        match (self.from.of(it), self.to.of(it)) {
            (Some(from), Some(to)) if to < from => (None, Validity::Invalid),
            (Some(from), Some(to)) => (Some(to.duration_since(from).as_secs()), Validity::Recorded),
            _ if it.status() == Status::Closed => (None, Validity::NotApplicable),
            _ => (None, Validity::Pending),
        }
    }
}

/// What a report is about.
#[derive(Clone, Debug, Default)]
pub struct ReportSpec {
    /// By what incidents are put together.
    pub by: GroupBy,
    /// Whose days, weeks and months; `None` for UTC.
    pub zone: Option<TimeZone>,
    /// Measures beside the usual ones, at most [`MAX_CUSTOM_MEASURES`].
    pub measures: Vec<CustomMeasure>,
    /// What every severity promises.
    pub severities: SeverityTable,
    /// Whether what was none, or was counted elsewhere, counts, too.
    pub counts_all: bool,
}

/// Incidents that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportGroup {
    /// What that is; empty where they have nothing of the kind.
    pub key: String,
    /// How many there are.
    pub incidents: usize,
    /// How many are not over.
    pub open: usize,
    /// How many were reopened.
    pub reopened: usize,
    /// How many came back after an earlier one had ended.
    pub recurred: usize,
    /// By the name of the measure, the usual ones first.
    pub measures: Vec<(String, Summary)>,
    /// The mean time from one to the next, in seconds; `None` for fewer than two.
    pub between: Option<f64>,
    /// How long they stood where, all together, in seconds; closed ones stand no longer.
    pub in_status: BTreeMap<Status, i64>,
    /// How many were taken, and how many of them in the time that their severity promises.
    pub acknowledged_in_time: Kept,
    /// How many ended, and how many of them in the time that their severity promises.
    pub resolved_in_time: Kept,
}

/// How often a promise was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// In time.
    pub kept: usize,
    /// How often it could be told: done, or late already.
    pub of: usize,
}

impl Kept {
    fn add(&mut self, began: Timestamp, ended: Option<Timestamp>, minutes: u32, now: Timestamp) {
        let taken = ended.unwrap_or(now).duration_since(began).as_secs();
        let is_kept = taken <= i64::from(minutes) * 60;
        // What is not done and not late yet may be either.
        if ended.is_some() || !is_kept {
            self.of += 1;
            self.kept += usize::from(is_kept);
        }
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What counted, in groups, ascending by their key.
    pub groups: Vec<ReportGroup>,
    /// How many did not count: drills and tests, false positives, duplicates, merged ones and
    /// cancelled ones, and those written down afterwards of which nobody said when they ended.
    pub left_out: usize,
}

/// Puts incidents together.
pub fn report<'a>(
    incidents: impl IntoIterator<Item = &'a Incident>,
    spec: &ReportSpec,
    now: Timestamp,
) -> Report {
    let mut by_key: BTreeMap<String, Vec<&Incident>> = BTreeMap::new();
    let mut left_out = 0;
    for it in incidents {
        if !spec.counts_all && !counts(it) {
            left_out += 1;
            continue;
        }
        by_key.entry(key_of(it, spec)).or_default().push(it);
    }
    let groups = by_key.into_iter().map(|(key, list)| group(key, &list, spec, now)).collect();
    Report { groups, left_out }
}

/// Returns whether an incident was one, and is not counted as part of another.
fn counts(it: &Incident) -> bool {
    let is_real = match it.mode {
        Mode::Real => true,
        // Its times are those of the writing down until somebody says when it really was over.
        Mode::Backfilled => {
            !it.is_active() && it.record.cycle().given.contains(&TimeField::Resolved)
        }
        Mode::Test | Mode::Drill => false,
    };
    let code = it.record.cycle().resolution;
    let is_none = matches!(
        code,
        Some(
            ResolutionCode::FalsePositive
                | ResolutionCode::Duplicate
                | ResolutionCode::Merged
                | ResolutionCode::Cancelled
        )
    );
    is_real && (it.is_active() || !is_none)
}

fn key_of(it: &Incident, spec: &ReportSpec) -> String {
    let zone = spec.zone.clone().unwrap_or(TimeZone::UTC);
    let date = || it.record.detected_at().to_zoned(zone.clone()).date();
    match spec.by {
        GroupBy::All => String::new(),
        GroupBy::Severity => it.severity.as_str().to_owned(),
        GroupBy::Category => it.category.map_or(String::new(), |it| it.as_str().to_owned()),
        GroupBy::Service => it.service.to_string(),
        GroupBy::Team => it.labels.get("team").unwrap_or_default().to_owned(),
        GroupBy::Owner => it.owner.as_ref().map_or(String::new(), ToString::to_string),
        GroupBy::Day => date().to_string(),
        GroupBy::Week => {
            let week = date().iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        GroupBy::Month => format!("{:04}-{:02}", date().year(), date().month()),
    }
}

fn group(key: String, list: &[&Incident], spec: &ReportSpec, now: Timestamp) -> ReportGroup {
    let all: Vec<Vec<Metric>> = list.iter().map(|it| measure(&it.record, &it.measure)).collect();
    let usual = MEASURES.iter().map(|name| {
        let whole = |metric: &&Metric| metric.name == *name && metric.cycle.is_none();
        (name.as_str().to_owned(), summarize(all.iter().flatten().filter(whole)))
    });
    let own = spec.measures.iter().map(|it| {
        let values = list.iter().map(|incident| it.of(incident));
        (it.name(), super::metrics::summarize_values(values))
    });
    let mut acknowledged_in_time = Kept::default();
    let mut resolved_in_time = Kept::default();
    let mut in_status = BTreeMap::new();
    for it in list {
        let targets = spec.severities.of(it.severity);
        let first = &it.record.cycles()[0];
        let began = first.opened_at;
        let acknowledged = first.acknowledged_at.or(first.resolved_at);
        acknowledged_in_time.add(began, acknowledged, targets.acknowledge_minutes, now);
        if let Some(minutes) = targets.resolve_minutes {
            resolved_in_time.add(began, Moment::Resolved.of(it), minutes, now);
        }
        let stood = it.record.intervals().iter().filter(|it| it.status != Status::Closed);
        for interval in stood {
            let spent = interval.left_at.unwrap_or(now).duration_since(interval.entered_at);
            *in_status.entry(interval.status).or_insert(0) += spent.as_secs().max(0);
        }
    }
    ReportGroup {
        key,
        incidents: list.len(),
        open: list.iter().filter(|it| it.is_active()).count(),
        reopened: list.iter().filter(|it| it.record.reopened() > 0).count(),
        recurred: list.iter().filter(|it| it.recurrence_of.is_some()).count(),
        measures: usual.chain(own).collect(),
        between: mean_gap(list),
        in_status,
        acknowledged_in_time,
        resolved_in_time,
    }
}

/// Returns the mean time between beginnings, in seconds: the whole span by the number of gaps.
fn mean_gap(list: &[&Incident]) -> Option<f64> {
    let gaps = list.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
    let began = || list.iter().map(|it| it.record.detected_at());
    let span = began().max()?.duration_since(began().min()?).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    Some(span / gaps as f64)
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
