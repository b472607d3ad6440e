//! `tocsin heartbeat`: what is expected to say that it is alive.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use tocsin_wire::v1::Heartbeats;

use crate::client::{Client, ClientArgs};
use crate::failure::EXIT_CODES;
use crate::output::{self, Format, Rows, Tone, instant};

/// See what says in time that it is alive, or say so.
#[derive(Args, Clone, Debug)]
pub(crate) struct HeartbeatArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: HeartbeatCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum HeartbeatCommand {
    /// List the monitors of the configuration.
    #[command(after_help = EXIT_CODES)]
    List,
    /// Say that something is alive, as at the end of a nightly job.
    #[command(after_help = EXIT_CODES)]
    Ping {
        /// The name of the monitor.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Runs the command.
pub(crate) async fn run(args: HeartbeatArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    match args.command {
        HeartbeatCommand::List => list(&client, args.client.output).await,
        HeartbeatCommand::Ping { name } => {
            let path = format!("/api/v1/heartbeats/{name}/ping");
            let answer = client.post(&path, &json!({})).await?.into_success()?;
            match args.client.output {
                Format::Json => output::print(answer.text()?),
                _ => output::print(&format!("{name} was heard")),
            }
        }
    }
}

async fn list(client: &Client, format: Format) -> Result<()> {
    let answer = client.get("/api/v1/heartbeats", &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let monitors: Heartbeats = answer.json()?;
    let headings = ["NAME", "STATE", "HEARD", "DUE", "TIMEOUT"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for monitor in &monitors.items {
        let (word, tone) =
            if monitor.is_missed { ("missed", Tone::Alarm) } else { ("well", Tone::Plain) };
        let timeout = jiff::SignedDuration::from_secs(monitor.timeout_seconds);
        let heard = monitor.heard_at.map_or_else(|| "never".to_owned(), instant);
        rows.add([
            (monitor.name.clone(), Tone::Plain),
            (word.to_owned(), tone),
            (heard, Tone::Plain),
            (monitor.due_at.map(instant).unwrap_or_default(), Tone::Plain),
            (format!("{timeout:#}"), Tone::Plain),
        ]);
    }
    output::print(&rows.text())
}
