//! `tocsin oncall`: who is on call, exceptions, and whom a problem would reach.

mod exceptions;
mod import;
mod now;
mod report;
mod show;
mod simulate;
mod swap;
mod when;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use self::when::{Clock, When, ZoneArgs};
use crate::client::{ClientArgs, segment};
use crate::failure::{EXIT_CODES, Failure};

/// How many schedules are asked for at once.
const PAGE: u16 = 500;
/// How many times; what is beyond is told of.
const MAX_PAGES: usize = 50;

/// See who is on call when, change it, and see whom a problem would reach.
#[derive(Args, Clone, Debug)]
pub(crate) struct OncallArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(flatten)]
    zone: ZoneArgs,

    #[command(subcommand)]
    command: OncallCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum OncallCommand {
    /// Say who is on call now, until when, and who comes next.
    ///
    /// With a schedule the exit code is 1 when nobody is on call in it.
    #[command(after_help = with_examples(&[
        ("Everything", "tocsin oncall now"),
        ("One schedule, and why", "tocsin oncall now web -o extended"),
        ("Where ada is on call, by Tokyo's clock", "tocsin oncall now --person ada --zone Asia/Tokyo"),
    ]))]
    Now(now::Now),
    /// Show who was and will be on call, with the reason for each time.
    ///
    /// Until now as it was recorded, afterwards as it is planned.
    #[command(after_help = with_examples(&[
        ("The next two weeks", "tocsin oncall show web"),
        ("Your own shifts of the next quarter", "tocsin oncall show --me --days 90"),
        ("A weekend", "tocsin oncall show web --from 2026-11-21 --to 2026-11-23"),
    ]))]
    Show(show::Show),
    /// Put somebody on call, or take somebody off, for a time.
    #[command(subcommand, after_help = with_examples(&[
        ("Linus for ada until 18:00", "tocsin oncall override replace web ada linus --to 18:00 --reason dentist"),
        ("Grace too, for two hours", "tocsin oncall override add web grace --for 2h"),
        ("End it early", "tocsin oncall override end web 6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a"),
    ]))]
    Override(exceptions::Change),
    /// Offer your time to others, and answer what they offer.
    #[command(subcommand, after_help = with_examples(&[
        ("Offer Saturday to anybody", "tocsin oncall swap request web --from 2026-11-21 --to 2026-11-22"),
        ("To grace only", "tocsin oncall swap request web --from 09:00 --to 17:00 --offer grace"),
        ("Take the morning of it", "tocsin oncall swap accept web 6f9b1c9e-3c1e-4c8e-9a58-1f2f6e0f5f0a --to 2026-11-21T12:00"),
    ]))]
    Swap(swap::Swap),
    /// List times in which fewer are on call than a schedule wants.
    ///
    /// The exit code is 1 when there are any, so that a job can watch for them.
    #[command(after_help = with_examples(&[
        ("Of all schedules, the next 30 days", "tocsin oncall gaps --days 30"),
    ]))]
    Gaps(report::Gaps),
    /// Report hours by month and person, pages, and how fair they are spread.
    #[command(after_help = with_examples(&[
        ("November", "tocsin oncall report web --from 2026-11-01 --to 2026-12-01"),
        ("A year ahead", "tocsin oncall report web --days 365"),
    ]))]
    Report(report::Report),
    /// See calendars that schedules import, read them now, and send them in.
    #[command(subcommand, after_help = with_examples(&[
        ("How all of them stand", "tocsin oncall import list"),
        ("Read one now", "tocsin oncall import refresh web google"),
        ("Send one in", "tocsin oncall import push web plan plan.ics"),
        ("What a file means", "tocsin oncall import check plan.ics --zone Europe/Berlin"),
    ]))]
    Import(import::Import),
    /// Say whom a problem would page, when, by what and why, if nobody answered.
    ///
    /// Nothing is sent. With `--config.file` no server is asked: people, policies and rules are
    /// those of the file.
    #[command(after_help = EXIT_CODES)]
    Simulate(simulate::SimulateArgs),
}

/// Runs the command.
pub(crate) async fn run(args: OncallArgs) -> Result<()> {
    let (client, zone) = (&args.client, &args.zone);
    match args.command {
        OncallCommand::Now(now) => now::run(client, zone, now).await,
        OncallCommand::Show(show) => show::run(client, zone, show).await,
        OncallCommand::Override(change) => exceptions::run(client, zone, change).await,
        OncallCommand::Swap(swap) => swap::run(client, zone, swap).await,
        OncallCommand::Gaps(gaps) => report::gaps(client, zone, gaps).await,
        OncallCommand::Report(report) => report::report(client, zone, report).await,
        OncallCommand::Import(import) => import::run(client, zone, import).await,
        OncallCommand::Simulate(simulate) => simulate::run(client, simulate).await,
    }
}

/// Returns what is printed beneath the help: examples and exit codes.
fn with_examples(examples: &[(&str, &str)]) -> String {
    let mut text = "Examples:\n".to_owned();
    for (what, command) in examples {
        text.push_str("  # ");
        text.push_str(what);
        text.push_str("\n  ");
        text.push_str(command);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(EXIT_CODES);
    text
}

/// Returns the path of something of a schedule.
fn schedule(name: &str, rest: &str) -> String {
    format!("/api/v1/schedules/{}{rest}", segment(name))
}

/// Returns who is on call in a cell.
fn people(people: &[String]) -> String {
    if people.is_empty() { "nobody".to_owned() } else { people.join(", ") }
}

/// Returns both ends of a time that is given by its end or its length.
fn time_of(
    clock: &Clock,
    from: When,
    to: Option<When>,
    span: Option<SignedDuration>,
) -> Result<(Timestamp, Timestamp)> {
    let from = clock.begin(from, clock.now);
    let to = match (to, span) {
        (Some(to), _) => clock.end(to, from),
        (None, Some(span)) => from
            .checked_add(span)
            .map_err(|_| Failure::usage("--for reaches beyond the year 9999"))?,
        (None, None) => return Err(Failure::usage("say when it ends: --to or --for").into()),
    };
    if to <= from {
        return Err(Failure::usage("it would end before it begins; change --to").into());
    }
    Ok((from, to))
}
