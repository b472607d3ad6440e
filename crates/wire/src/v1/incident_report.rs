//! What many incidents say together, as the API shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::incident::{self, Kept, ReportGroup, Summary};
use utoipa::ToSchema;

use super::timeline::cell;

/// By what incidents are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentGroupBy {
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

impl From<IncidentGroupBy> for incident::GroupBy {
    fn from(by: IncidentGroupBy) -> Self {
        match by {
            IncidentGroupBy::All => Self::All,
            IncidentGroupBy::Severity => Self::Severity,
            IncidentGroupBy::Category => Self::Category,
            IncidentGroupBy::Service => Self::Service,
            IncidentGroupBy::Team => Self::Team,
            IncidentGroupBy::Owner => Self::Owner,
            IncidentGroupBy::Day => Self::Day,
            IncidentGroupBy::Week => Self::Week,
            IncidentGroupBy::Month => Self::Month,
        }
    }
}

/// How long incidents took, and how many there were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentReport {
    /// Detected not earlier than this.
    pub from: Timestamp,
    /// Detected earlier than this.
    pub to: Timestamp,
    /// By what they are put together.
    pub by: IncidentGroupBy,
    /// What counted, ascending by the key.
    pub groups: Vec<IncidentReportGroup>,
    /// How many did not count: tests and drills, false positives, duplicates, merged and cancelled
    /// ones, and those written down afterwards of which nobody said when they ended.
    pub left_out: usize,
    /// Whether there were too many, so that the oldest are missing.
    pub is_cut: bool,
}

/// Incidents that have something in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentReportGroup {
    /// What that is; empty where they have nothing of the kind.
    #[schema(example = "sev2")]
    pub key: String,
    /// How many there are.
    pub incidents: usize,
    /// How many are not over.
    pub open: usize,
    /// How many were reopened.
    pub reopened: usize,
    /// How many came back after an earlier one had ended.
    pub recurred: usize,
    /// By the name of the measure.
    pub measures: BTreeMap<String, IncidentSummary>,
    /// The mean time from one to the next, in seconds; `null` for fewer than two.
    pub mean_seconds_between: Option<f64>,
    /// How long they stood where, all together, in seconds, by status.
    pub seconds_in_status: BTreeMap<String, i64>,
    /// How many were taken in the time that their severity promises.
    pub acknowledged_in_time: KeptPromises,
    /// How many ended in the time that their severity promises.
    pub resolved_in_time: KeptPromises,
}

/// What many values of one measure say together, in seconds. What is not known is beside the
/// figures and never part of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentSummary {
    /// How many values there are.
    pub count: usize,
    /// The mean.
    pub mean: Option<f64>,
    /// Half took no longer.
    pub median: Option<i64>,
    /// Nine of ten took no longer.
    pub p90: Option<i64>,
    /// The shortest.
    pub min: Option<i64>,
    /// The longest.
    pub max: Option<i64>,
    /// How many are not known yet.
    pub pending: usize,
    /// How many contradict themselves.
    pub invalid: usize,
    /// How many will never be known.
    pub not_applicable: usize,
}

/// How often a promise was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptPromises {
    /// In time.
    pub kept: usize,
    /// How often it could be told: done, or late already.
    pub of: usize,
}

impl IncidentReportGroup {
    /// Returns a group as the API shows it.
    pub fn new(it: &ReportGroup) -> Self {
        let measures = it.measures.iter();
        let stood = it.in_status.iter();
        Self {
            key: it.key.clone(),
            incidents: it.incidents,
            open: it.open,
            reopened: it.reopened,
            recurred: it.recurred,
            measures: measures.map(|(name, it)| (name.clone(), IncidentSummary::new(it))).collect(),
            mean_seconds_between: it.between,
            seconds_in_status: stood.map(|(it, spent)| (it.as_str().to_owned(), *spent)).collect(),
            acknowledged_in_time: KeptPromises::new(it.acknowledged_in_time),
            resolved_in_time: KeptPromises::new(it.resolved_in_time),
        }
    }
}

impl IncidentSummary {
    fn new(it: &Summary) -> Self {
        Self {
            count: it.count,
            mean: it.mean,
            median: it.median,
            p90: it.p90,
            min: it.min,
            max: it.max,
            pending: it.pending,
            invalid: it.invalid,
            not_applicable: it.not_applicable,
        }
    }
}

impl KeptPromises {
    fn new(it: Kept) -> Self {
        Self { kept: it.kept, of: it.of }
    }
}

/// Returns a report as CSV: one line for each group and measure, times in seconds. What people wrote
/// is never a formula.
pub fn incident_report_csv(report: &IncidentReport) -> String {
    let mut out = String::from(
        "group,incidents,open,reopened,recurred,measure,count,mean,median,p90,min,max,pending,\
         invalid,not_applicable\r\n",
    );
    let float = |it: Option<f64>| it.map(|it| format!("{it:.1}")).unwrap_or_default();
    let whole = |it: Option<i64>| it.map(|it| it.to_string()).unwrap_or_default();
    for group in &report.groups {
        let counts = [group.incidents, group.open, group.reopened, group.recurred];
        for (name, it) in &group.measures {
            let mut fields = vec![cell(&group.key)];
            fields.extend(counts.map(|it| it.to_string()));
            fields.extend([cell(name), it.count.to_string(), float(it.mean)]);
            fields.extend([it.median, it.p90, it.min, it.max].map(whole));
            fields.extend([it.pending, it.invalid, it.not_applicable].map(|it| it.to_string()));
            out.push_str(&fields.join(","));
            out.push_str("\r\n");
        }
    }
    out
}
