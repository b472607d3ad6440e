//! `tocsin oncall now`.

use anyhow::Result;
use clap::Args;
use tocsin_wire::v1::{OnCallList, OnCallNow};

use super::when::{Clock, ZoneArgs};
use super::{MAX_PAGES, PAGE, schedule};
use crate::client::{Client, ClientArgs};
use crate::failure::Failure;
use crate::output::{self, Format, Rows, Tone, note};

/// Which schedules.
#[derive(Args, Clone, Debug)]
pub(super) struct Now {
    /// Only this schedule.
    #[arg(value_name = "SCHEDULE", conflicts_with_all = ["team", "person"])]
    schedule: Option<String>,

    /// Only schedules of this team.
    #[arg(long, value_name = "NAME")]
    team: Option<String>,

    /// Only where this person is on call now.
    #[arg(long, value_name = "HANDLE")]
    person: Option<String>,
}

/// Says who is on call; the exit code is 1 when nobody is in a schedule that was asked for.
pub(super) async fn run(args: &ClientArgs, zone: &ZoneArgs, now: Now) -> Result<()> {
    let client = Client::new(&args.server)?;
    if let Some(name) = &now.schedule {
        let answer = client.get(&schedule(name, "/now"), &[]).await?;
        let one: OnCallNow = answer.json()?;
        if args.output == Format::Json {
            output::print(answer.text()?)?;
        } else {
            let clock = Clock::of(&client, zone).await?;
            output::print(&table(&clock, args.output, std::slice::from_ref(&one)))?;
        }
        if one.people.is_empty() {
            return Err(Failure::no(format!("nobody is on call in {name}")).into());
        }
        return Ok(());
    }
    let mut query = vec![("limit", PAGE.to_string())];
    let given = [("team", now.team), ("person", now.person)];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let mut all = OnCallList { items: Vec::new(), next_cursor: None };
    for _ in 0..MAX_PAGES {
        let mut asked = query.clone();
        asked.extend(all.next_cursor.take().map(|cursor| ("cursor", cursor)));
        let page: OnCallList = client.get("/api/v1/oncall", &asked).await?.json()?;
        all.items.extend(page.items);
        all.next_cursor = page.next_cursor;
        if all.next_cursor.is_none() {
            break;
        }
    }
    if args.output == Format::Json {
        return output::print(&serde_json::to_string(&all)?);
    }
    let clock = Clock::of(&client, zone).await?;
    output::print(&table(&clock, args.output, &all.items))?;
    if all.next_cursor.is_some() {
        note("there are more; narrow with --team or --person");
    }
    Ok(())
}

fn table(clock: &Clock, format: Format, items: &[OnCallNow]) -> String {
    let is_extended = format == Format::Extended;
    let headings = ["SCHEDULE", "ON CALL", "UNTIL", "NEXT", if is_extended { "WHY" } else { "" }];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for it in items {
        let tone = if it.people.is_empty() { Tone::Alarm } else { Tone::Plain };
        let why: Vec<&str> = it.cause.iter().map(|cause| cause.sentence.as_str()).collect();
        rows.add([
            (it.schedule.clone(), Tone::Plain),
            (super::people(&it.people), tone),
            (clock.show_or(it.until, "open end"), Tone::Plain),
            (super::people(&it.next), Tone::Faint),
            (if is_extended { why.join("; ") } else { String::new() }, Tone::Faint),
        ]);
    }
    rows.text()
}
