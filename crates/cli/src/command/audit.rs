//! `tocsin audit`: who changed what, and whether the record of it is whole.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use tocsin_wire::v1::{AuditPage, AuditVerdict};

use crate::client::{Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean, instant};

/// See who changed what, and whether the record of it is whole.
#[derive(Args, Clone, Debug)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum AuditCommand {
    /// List changes, the newest first.
    #[command(after_help = EXIT_CODES)]
    List(List),
    /// Follow the hashes from the first row to the last.
    ///
    /// Names the first row that was altered, removed or inserted; the exit code is 1 then. Keep the
    /// printed hash elsewhere: it proves later that nothing before it was changed or cut off.
    #[command(after_help = EXIT_CODES)]
    Verify,
    /// Print every row as one JSON object a line.
    #[command(after_help = EXIT_CODES)]
    Export,
}

#[derive(Args, Clone, Debug)]
struct List {
    /// Only of this action, such as `silence.set`.
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,

    /// Only about this, such as `person/ada`.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,

    /// Only by whoever has this name.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,

    /// How many at most.
    #[arg(
        long,
        default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=1000),
        value_name = "N"
    )]
    limit: u16,
}

/// Runs the command.
pub(crate) async fn run(args: AuditArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    match args.command {
        AuditCommand::List(list) => show(&client, args.client.output, list).await,
        AuditCommand::Verify => verify(&client, args.client.output).await,
        AuditCommand::Export => {
            output::print(client.get("/api/v1/audit/export", &[]).await?.text()?)
        }
    }
}

async fn show(client: &Client, format: Format, list: List) -> Result<()> {
    let mut query = vec![("limit", list.limit.to_string())];
    let given = [("action", list.action), ("subject", list.subject), ("who", list.who)];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let answer = client.get("/api/v1/audit", &query).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let page: AuditPage = answer.json()?;
    let headings = ["ROW", "AT", "WHO", "FROM", "ACTION", "SUBJECT"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for entry in &page.items {
        let text = |value: &Value| clean(value.as_str().unwrap_or_default());
        let at = entry["at"].as_str().and_then(|it| it.parse().ok());
        rows.add([
            (entry["number"].to_string(), Tone::Plain),
            (at.map(instant).unwrap_or_default(), Tone::Plain),
            (text(entry["who"].get("name").unwrap_or(&entry["who"]["kind"])), Tone::Plain),
            (text(&entry["address"]), Tone::Plain),
            (text(&entry["action"]), Tone::Plain),
            (text(&entry["subject"]), Tone::Plain),
        ]);
    }
    output::print(&rows.text())
}

async fn verify(client: &Client, format: Format) -> Result<()> {
    let answer = client.get("/api/v1/audit/verify", &[]).await?;
    let verdict: AuditVerdict = answer.json()?;
    if format == Format::Json {
        output::print(answer.text()?)?;
    }
    if let (Some(row), Some(why)) = (verdict.broken_row, &verdict.why) {
        return Err(Failure::no(format!(
            "the audit log is broken at row {row}: {why}; {} rows before it are whole",
            verdict.rows
        ))
        .into());
    }
    if format == Format::Json {
        return Ok(());
    }
    output::print(&format!(
        "{} rows, all whole; the last has the hash {}\n",
        verdict.rows, verdict.hash
    ))
}
