//! `tocsin oncall import`.

use std::io::Read as _;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use tocsin_core::oncall::ImportKind;
use tocsin_wire::ical::{self, MAX_CALENDAR_BYTES, Reading};
use tocsin_wire::v1::{ImportSource, ImportState, ImportStates, SchedulePage};

use super::when::{Clock, ZoneArgs, lasts};
use super::{MAX_PAGES, PAGE, schedule};
use crate::client::{Client, ClientArgs, segment};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean, note};

#[derive(Subcommand, Clone, Debug)]
pub(super) enum Import {
    /// List calendars, when each was read, and what is wrong with it.
    #[command(after_help = EXIT_CODES)]
    List {
        /// Of which schedule; of all unless given.
        #[arg(value_name = "SCHEDULE")]
        schedule: Option<String>,
    },
    /// Read a calendar now, whenever it would be due.
    ///
    /// The exit code is 1 when it cannot be read.
    #[command(after_help = EXIT_CODES)]
    Refresh(Which),
    /// Send a calendar in, for one that is not read from elsewhere.
    #[command(after_help = EXIT_CODES)]
    Push {
        #[command(flatten)]
        which: Which,
        /// The file; - for standard input.
        #[arg(value_name = "FILE")]
        file: String,
    },
    /// Say what a calendar means, without a server.
    ///
    /// Times without a zone, and days, are by the clock of `--zone`. The exit code is 1 when
    /// something of it cannot be understood.
    #[command(after_help = EXIT_CODES)]
    Check(Check),
}

#[derive(Args, Clone, Debug)]
pub(super) struct Which {
    /// Of which schedule.
    #[arg(value_name = "SCHEDULE")]
    schedule: String,

    /// Which calendar.
    #[arg(value_name = "CALENDAR")]
    calendar: String,
}

#[derive(Args, Clone, Debug)]
pub(super) struct Check {
    /// The file; - for standard input.
    #[arg(value_name = "FILE")]
    file: String,

    /// What its events mean.
    #[arg(long, value_enum, default_value = "shifts", value_name = "KIND")]
    kind: Kind,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum Kind {
    /// Shifts, or overrides.
    Shifts,
    /// Days that are holidays.
    Holidays,
    /// Times in which people are away.
    OutOfOffice,
}

/// Runs the command.
pub(super) async fn run(args: &ClientArgs, zone: &ZoneArgs, import: Import) -> Result<()> {
    match import {
        Import::List { schedule } => list(args, zone, schedule).await,
        Import::Refresh(which) => {
            let client = Client::new(&args.server)?;
            let path = format!("{}/refresh", place(&which));
            let answer = client.post(&path, &serde_json::json!({})).await?.into_success()?;
            let state: ImportState = answer.json()?;
            show(args, zone, &client, &which, &state, answer.text()?).await?;
            match &state.failure {
                Some(why) => Err(Failure::no(format!("it cannot be read: {}", clean(why))).into()),
                None => Ok(()),
            }
        }
        Import::Push { which, file } => {
            let body = read(&file)?;
            let client = Client::new(&args.server)?;
            let answer = client.post_text(&place(&which), "text/calendar", body).await?;
            let answer = answer.into_success()?;
            let state: ImportState = answer.json()?;
            show(args, zone, &client, &which, &state, answer.text()?).await
        }
        Import::Check(check) => self::check(args, zone, &check),
    }
}

fn place(which: &Which) -> String {
    schedule(&which.schedule, &format!("/imports/{}", segment(&which.calendar)))
}

async fn list(args: &ClientArgs, zone: &ZoneArgs, only: Option<String>) -> Result<()> {
    let client = Client::new(&args.server)?;
    let names = match only {
        Some(name) => vec![name],
        None => importing(&client).await?,
    };
    let mut all: Vec<(String, ImportState)> = Vec::new();
    for name in names {
        let answer = client.get(&schedule(&name, "/imports"), &[]).await?;
        let states: ImportStates = answer.json()?;
        all.extend(states.items.into_iter().map(|state| (name.clone(), state)));
    }
    if args.output == Format::Json {
        let items: Vec<_> = all
            .iter()
            .map(|(schedule, state)| serde_json::json!({ "schedule": schedule, "import": state }))
            .collect();
        return output::print(&serde_json::to_string(&items)?);
    }
    let clock = Clock::of(&client, zone).await?;
    output::print(&table(&clock, &all))?;
    all.iter().for_each(|(schedule, state)| tell(schedule, state));
    Ok(())
}

/// Returns the names of all schedules that import anything.
async fn importing(client: &Client) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page: SchedulePage = client.get("/api/v1/schedules", &query).await?.json()?;
        let importing = page.items.into_iter().filter(|it| !it.draft.imports.is_empty());
        names.extend(importing.map(|it| it.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(names);
        }
    }
    note("there are more schedules; name one");
    Ok(names)
}

async fn show(
    args: &ClientArgs,
    zone: &ZoneArgs,
    client: &Client,
    which: &Which,
    state: &ImportState,
    text: &str,
) -> Result<()> {
    if args.output == Format::Json {
        return output::print(text);
    }
    let clock = Clock::of(client, zone).await?;
    output::print(&table(&clock, &[(which.schedule.clone(), state.clone())]))?;
    tell(&which.schedule, state);
    Ok(())
}

fn table(clock: &Clock, all: &[(String, ImportState)]) -> String {
    let headings = ["SCHEDULE", "CALENDAR", "KIND", "FROM", "READ", "EVENTS", "STATE"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for (schedule, state) in all {
        let import = &state.import;
        let kind = match import.kind {
            ImportKind::Shifts => "shifts",
            ImportKind::Overrides => "overrides",
            ImportKind::Holidays => "holidays",
            ImportKind::OutOfOffice => "out_of_office",
        };
        let from = match import.source {
            ImportSource::Url => import.url.clone().unwrap_or_default(),
            ImportSource::Pushed => "sent in".to_owned(),
            ImportSource::Settings => "configuration".to_owned(),
        };
        let is_odd = !state.trouble.is_empty() || !state.unknown.is_empty();
        let (standing, tone) = match (state.failing_since, state.read_at, is_odd) {
            (Some(since), _, _) => {
                (format!("cannot be read since {}", clock.show(since)), Tone::Alarm)
            }
            (None, None, _) => ("not read yet".to_owned(), Tone::Faint),
            (None, Some(_), true) => ("read, with trouble".to_owned(), Tone::Plain),
            (None, Some(_), false) => ("fine".to_owned(), Tone::Plain),
        };
        rows.add([
            (schedule.clone(), Tone::Plain),
            (import.name.clone(), Tone::Plain),
            (kind.to_owned(), Tone::Plain),
            (from, Tone::Faint),
            (clock.show_or(state.read_at, "never"), Tone::Plain),
            (state.events.to_string(), Tone::Plain),
            (standing, tone),
        ]);
    }
    rows.text()
}

/// Tells what is wrong with a calendar.
fn tell(schedule: &str, state: &ImportState) {
    let name = format!("{schedule}/{}", state.import.name);
    if let Some(why) = &state.failure {
        note(&format!("{name}: {}", clean(why)));
    }
    for sentence in &state.trouble {
        note(&format!("{name}: {}", clean(sentence)));
    }
    for text in &state.unknown {
        note(&format!("{name}: nobody is known by: {}", clean(text)));
    }
    if state.more_unknown > 0 {
        note(&format!("{name}: and by {} more", state.more_unknown));
    }
}

/// Says what a calendar means.
fn check(args: &ClientArgs, zone: &ZoneArgs, check: &Check) -> Result<()> {
    let body = read(&check.file)?;
    let clock = Clock::named(zone)?;
    let kind = match check.kind {
        Kind::Shifts => ImportKind::Shifts,
        Kind::Holidays => ImportKind::Holidays,
        Kind::OutOfOffice => ImportKind::OutOfOffice,
    };
    let reading = Reading::at(clock.now, clock.zone().clone(), kind);
    let calendar = ical::read(&body, &reading).map_err(|why| Failure::usage(why.to_string()))?;
    if args.output == Format::Json {
        let shown = serde_json::json!({ "events": calendar.events, "trouble": calendar.trouble });
        output::print(&shown.to_string())?;
    } else {
        let headings = ["FROM", "TO", "LASTS", "TITLE", "INVITED"];
        let mut rows = Rows::new(&headings, output::is_coloured());
        for event in &calendar.events {
            let level =
                if event.level > 0 { format!("[L{}] ", event.level) } else { String::new() };
            rows.add([
                (clock.show(event.from), Tone::Plain),
                (clock.show(event.to), Tone::Plain),
                (lasts(event.from, event.to), Tone::Plain),
                (format!("{level}{}", event.text), Tone::Plain),
                (event.attendees.join(", "), Tone::Faint),
            ]);
        }
        output::print(&rows.text())?;
    }
    calendar.trouble.iter().for_each(|sentence| note(&clean(sentence)));
    if calendar.trouble.is_empty() {
        return Ok(());
    }
    Err(Failure::no("not everything could be understood; the reasons are above".to_owned()).into())
}

fn read(file: &str) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    // One byte more, so that a longer one is noticed.
    let most = MAX_CALENDAR_BYTES as u64 + 1;
    if file == "-" {
        let stdin = std::io::stdin().lock();
        stdin.take(most).read_to_end(&mut body).context("cannot read standard input")?;
    } else {
        let opened = std::fs::File::open(file)
            .map_err(|error| Failure::usage(format!("cannot open {file}: {error}")))?;
        opened.take(most).read_to_end(&mut body).with_context(|| format!("cannot read {file}"))?;
    }
    Ok(body)
}
