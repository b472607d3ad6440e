//! `tocsin incident metrics`: how long incidents took, and how many there were.

use anyhow::Result;
use clap::Args;
use jiff::SignedDuration;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_wire::v1::{IncidentReport, IncidentReportGroup, KeptPromises};

use crate::args;
use crate::client::Client;
use crate::output::{self, Format, Rows, Tone, note};

/// The measures that have a column each, by name and heading.
const COLUMNS: [(&str, &str); 5] =
    [("mttd", "MTTD"), ("mtta", "MTTA"), ("mtti", "MTTI"), ("mttm", "MTTM"), ("mttr", "MTTR")];

#[derive(Args, Clone, Debug)]
pub(super) struct Metrics {
    /// By what they are put together: all, severity, category, service, team, owner, day, week or
    /// month.
    #[arg(long, default_value = "severity", value_name = "WHAT")]
    by: String,

    /// How far back.
    #[arg(
        long,
        value_parser = args::duration,
        default_value = "30d",
        value_name = "DURATION",
        allow_hyphen_values = true
    )]
    since: SignedDuration,

    /// Whose days, weeks and months, as in Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,

    /// A measure of your own between two moments, as in detected..identified; may be repeated.
    #[arg(long, value_name = "FROM..TO")]
    measure: Vec<String>,

    /// Only those of this severity; may be repeated.
    #[arg(long, value_name = "SEVERITY")]
    severity: Vec<String>,

    /// Only those of this service.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those of this kind of harm.
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,

    /// Only those with this label `team`.
    #[arg(long, value_name = "NAME")]
    team: Option<String>,

    /// Print CSV: one line for each group and measure.
    #[arg(long)]
    csv: bool,

    /// Count tests, drills, false positives, duplicates, merged and cancelled ones, too, and those
    /// written down afterwards of which nobody said when they ended.
    #[arg(long)]
    all: bool,
}

/// Prints the report; times are medians.
pub(super) async fn run(client: &Client, format: Format, asked: Metrics) -> Result<()> {
    let from = SystemClock.now().checked_sub(asked.since)?;
    let mut query = vec![("by", asked.by), ("from", from.to_string())];
    query.extend(asked.zone.map(|zone| ("zone", zone)));
    query.extend(asked.service.map(|service| ("service", service)));
    query.extend(asked.category.map(|category| ("category", category)));
    query.extend(asked.team.map(|team| ("team", team)));
    query.extend(asked.severity.into_iter().map(|severity| ("severity", severity)));
    query.extend(asked.measure.iter().map(|measure| ("measure", measure.clone())));
    if asked.all {
        query.push(("all", "true".to_owned()));
    }
    if asked.csv {
        query.push(("format", "csv".to_owned()));
    }
    let answer = client.get("/api/v1/incidents/metrics", &query).await?;
    if asked.csv || format == Format::Json {
        return output::print(answer.text()?);
    }
    let report: IncidentReport = answer.json()?;
    let mut headings = vec!["GROUP", "COUNT", "OPEN", "REOPENED"];
    headings.extend(COLUMNS.map(|(_, heading)| heading));
    headings.extend(asked.measure.iter().map(String::as_str));
    headings.extend(["TAKEN IN TIME", "OVER IN TIME"]);
    let mut rows = Rows::new(&headings, output::is_coloured());
    for group in &report.groups {
        rows.add(row(group, &asked.measure).into_iter().map(|text| (text, Tone::Plain)));
    }
    output::print(&rows.text())?;
    note("times are medians of what is recorded; --output json has means, percentiles and counts");
    if report.left_out > 0 {
        note(&format!("{} did not count; --all counts them, too", report.left_out));
    }
    if report.is_cut {
        note("there were more than are counted; ask for a shorter time");
    }
    Ok(())
}

fn row(group: &IncidentReportGroup, own: &[String]) -> Vec<String> {
    let median = |name: &str| {
        let median = group.measures.get(name).and_then(|summary| summary.median);
        median.map_or("–".to_owned(), |it| format!("{:#}", SignedDuration::from_secs(it)))
    };
    let kept = |it: KeptPromises| match it.of {
        0 => "–".to_owned(),
        of => format!("{} of {of}", it.kept),
    };
    let key = if group.key.is_empty() { "–" } else { &group.key };
    let mut cells = vec![key.to_owned(), group.incidents.to_string()];
    cells.extend([group.open.to_string(), group.reopened.to_string()]);
    cells.extend(COLUMNS.map(|(name, _)| median(name)));
    cells.extend(own.iter().map(|name| median(name)));
    cells.extend([kept(group.acknowledged_in_time), kept(group.resolved_in_time)]);
    cells
}
