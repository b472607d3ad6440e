//! `tocsin oncall gaps` and `tocsin oncall report`.

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tocsin_wire::v1::{OnCallList, ScheduleQuality, ShiftGap, ShiftReport};

use super::when::{Clock, SpanArgs, ZoneArgs, lasts};
use super::{MAX_PAGES, PAGE, schedule};
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, Format, Rows, Tone, clean, count, note};

#[derive(Args, Clone, Debug)]
pub(super) struct Gaps {
    /// Of this schedule; of all unless given.
    #[arg(value_name = "SCHEDULE")]
    schedule: Option<String>,

    #[command(flatten)]
    span: SpanArgs,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Report {
    /// Of which schedule.
    #[arg(value_name = "SCHEDULE")]
    schedule: String,

    #[command(flatten)]
    span: SpanArgs,
}

/// Lists gaps; the exit code is 1 when there are any.
pub(super) async fn gaps(args: &ClientArgs, zone: &ZoneArgs, gaps: Gaps) -> Result<()> {
    let client = Client::new(&args.server)?;
    let clock = Clock::of(&client, zone).await?;
    let query = gaps.span.query(&clock)?;
    let names = match gaps.schedule {
        Some(name) => vec![name],
        None => names(&client).await?,
    };
    let mut found: Vec<(String, ShiftGap)> = Vec::new();
    for name in &names {
        let of_one: Vec<ShiftGap> = client.get(&schedule(name, "/gaps"), &query).await?.json()?;
        found.extend(of_one.into_iter().map(|gap| (name.clone(), gap)));
    }
    if args.output == Format::Json {
        let items: Vec<_> = found
            .iter()
            .map(|(name, gap)| {
                json!({
                    "schedule": name, "from": gap.from, "to": gap.to,
                    "people": gap.people, "wanted": gap.wanted,
                })
            })
            .collect();
        output::print(&json!({ "items": items }).to_string())?;
    } else if found.is_empty() {
        let schedules = count(names.len(), "schedule", "schedules");
        output::print(&format!("{schedules}: enough people are on call at all times"))?;
    } else {
        let headings = ["SCHEDULE", "FROM", "TO", "LASTS", "ON CALL", "WANTED"];
        let mut rows = Rows::new(&headings, output::is_coloured());
        for (name, gap) in &found {
            rows.add([
                (name.clone(), Tone::Plain),
                (clock.show(gap.from), Tone::Plain),
                (clock.show(gap.to), Tone::Plain),
                (lasts(gap.from, gap.to), Tone::Plain),
                (gap.people.to_string(), Tone::Alarm),
                (gap.wanted.to_string(), Tone::Plain),
            ]);
        }
        output::print(&rows.text())?;
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure::no(count(found.len(), "gap", "gaps")).into())
}

async fn names(client: &Client) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: OnCallList = client.get("/api/v1/oncall", &query).await?.json()?;
        names.extend(page.items.into_iter().map(|it| it.schedule));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(names)
}

/// Reports hours, pages and how fair they are spread.
pub(super) async fn report(args: &ClientArgs, zone: &ZoneArgs, report: Report) -> Result<()> {
    let client = Client::new(&args.server)?;
    let clock = Clock::of(&client, zone).await?;
    let query = report.span.query(&clock)?;
    let hours = client.get(&schedule(&report.schedule, "/report"), &query).await?;
    let quality = client.get(&schedule(&report.schedule, "/quality"), &query).await?;
    if args.output == Format::Json {
        let (hours, quality) =
            (hours.json::<serde_json::Value>()?, quality.json::<serde_json::Value>()?);
        return output::print(&json!({ "report": hours, "quality": quality }).to_string());
    }
    let hours: ShiftReport = hours.json()?;
    let mut text = table(&hours);
    text.push_str("\n\n");
    text.push_str(&fairness(&quality.json()?));
    output::print(&text)?;
    if hours.are_pages_cut {
        note("there were more pages than are counted; ask for a shorter time");
    }
    Ok(())
}

fn table(report: &ShiftReport) -> String {
    let headings =
        ["MONTH", "PERSON", "HOURS", "WEEKDAY", "NIGHT", "WEEKEND", "HOLIDAY", "PAGES", "AT NIGHT"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for it in &report.items {
        rows.add([
            (it.month.clone(), Tone::Plain),
            (it.person.clone(), Tone::Plain),
            (hours(it.hours.total_seconds), Tone::Plain),
            (hours(it.hours.weekday_seconds), Tone::Plain),
            (hours(it.hours.night_seconds), Tone::Plain),
            (hours(it.hours.weekend_seconds), Tone::Plain),
            (hours(it.hours.holiday_seconds), Tone::Plain),
            (it.pages.to_string(), Tone::Plain),
            (it.night_pages.to_string(), Tone::Plain),
        ]);
    }
    rows.text()
}

fn fairness(quality: &ScheduleQuality) -> String {
    let mut text = format!(
        "{} of 100 ({}): {:.1}% covered, {:.0}% balanced, {:.0}% with nights, weekends and \
         holidays counted for more\n",
        quality.score,
        clean(&quality.band),
        quality.coverage_percent,
        quality.balance_percent,
        quality.weighted_balance_percent
    );
    let headings =
        ["PERSON", "SHIFTS", "HOURS", "AGAINST AVERAGE", "SHORTEST REST", "WEEKS IN A ROW"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for share in &quality.shares {
        let rest = share.shortest_rest_seconds.map_or_else(String::new, hours);
        rows.add([
            (share.person.clone(), Tone::Plain),
            (share.shifts.to_string(), Tone::Plain),
            (hours(share.hours.total_seconds), Tone::Plain),
            (format!("{:+}%", share.above_average_percent), Tone::Plain),
            (rest, Tone::Plain),
            (share.weeks_in_a_row.to_string(), Tone::Plain),
        ]);
    }
    text.push_str(&rows.text());
    for advice in &quality.advice {
        text.push_str("\n- ");
        text.push_str(&clean(advice));
    }
    text
}

/// Returns tenths of hours, such as `12.5`.
fn hours(seconds: i64) -> String {
    let tenths = seconds / 360;
    format!("{}.{}", tenths / 10, tenths % 10)
}
