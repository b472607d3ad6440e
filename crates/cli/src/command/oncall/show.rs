//! `tocsin oncall show`.

use anyhow::Result;
use clap::Args;
use tocsin_wire::v1::{FinalView, PersonShifts};

use super::when::{Clock, SpanArgs, ZoneArgs, lasts};
use super::{people, schedule};
use crate::client::{Client, ClientArgs, segment};
use crate::output::{self, Format, Rows, Tone, clean, note};

/// Of what.
#[derive(Args, Clone, Debug)]
pub(super) struct Show {
    /// Of this schedule.
    #[arg(value_name = "SCHEDULE", required_unless_present_any = ["me", "person"])]
    schedule: Option<String>,

    /// Your own shifts, in all schedules.
    #[arg(long, conflicts_with_all = ["schedule", "person"])]
    me: bool,

    /// The shifts of this person, in all schedules.
    #[arg(long, value_name = "HANDLE", conflicts_with = "schedule")]
    person: Option<String>,

    #[command(flatten)]
    span: SpanArgs,
}

/// Shows who was and will be on call.
pub(super) async fn run(args: &ClientArgs, zone: &ZoneArgs, show: Show) -> Result<()> {
    let client = Client::new(&args.server)?;
    let clock = Clock::of(&client, zone).await?;
    let query = show.span.query(&clock)?;
    let Some(name) = &show.schedule else {
        let path = match &show.person {
            Some(person) => format!("/api/v1/people/{}/shifts", segment(person)),
            None => "/api/v1/me/shifts".to_owned(),
        };
        let answer = client.get(&path, &query).await?;
        if args.output == Format::Json {
            return output::print(answer.text()?);
        }
        return output::print(&shifts(&clock, &answer.json()?));
    };
    let answer = client.get(&schedule(name, "/final"), &query).await?;
    if args.output == Format::Json {
        return output::print(answer.text()?);
    }
    let view: FinalView = answer.json()?;
    output::print(&table(&clock, &view))?;
    let span = |from, to| match (from, to) {
        (Some(from), Some(to)) => format!(" ({} to {})", clock.show(from), clock.show(to)),
        _ => String::new(),
    };
    for gap in &view.gaps {
        let (from, to) = (clock.show(gap.from), clock.show(gap.to));
        note(&format!("gap: {from} to {to}: {} of {} on call", gap.people, gap.wanted));
    }
    for warning in &view.warnings {
        let span = span(warning.from, warning.to);
        note(&format!("warning: {}{span}", clean(&warning.message)));
    }
    Ok(())
}

fn table(clock: &Clock, view: &FinalView) -> String {
    let mut rows = Rows::new(&["FROM", "TO", "LASTS", "ON CALL", "WHY"], output::is_coloured());
    for segment in &view.segments {
        let why: Vec<&str> = segment.cause.iter().map(|cause| cause.sentence.as_str()).collect();
        let tone = match (segment.people.is_empty(), segment.is_recorded) {
            (true, _) => Tone::Alarm,
            (false, true) => Tone::Faint,
            (false, false) => Tone::Plain,
        };
        rows.add([
            (clock.show(segment.from), tone),
            (clock.show(segment.to), tone),
            (lasts(segment.from, segment.to), tone),
            (people(&segment.people), tone),
            (why.join("; "), Tone::Faint),
        ]);
    }
    rows.text()
}

fn shifts(clock: &Clock, shifts: &PersonShifts) -> String {
    if shifts.items.is_empty() {
        return format!("{} is not on call then", clean(&shifts.person));
    }
    let mut rows = Rows::new(&["FROM", "TO", "LASTS", "SCHEDULE", "WHY"], output::is_coloured());
    for shift in &shifts.items {
        let tone = if shift.is_recorded { Tone::Faint } else { Tone::Plain };
        rows.add([
            (clock.show(shift.from), tone),
            (clock.show(shift.to), tone),
            (lasts(shift.from, shift.to), tone),
            (shift.schedule.clone(), tone),
            (shift.cause.sentence.clone(), Tone::Faint),
        ]);
    }
    let mut text = rows.text();
    if shifts.is_cut {
        text.push_str("\nthere are more; ask for a shorter time");
    }
    text
}
