//! `tocsin alert`: look at alerts, work on them, and send one by hand.

mod acknowledge;

use std::collections::BTreeMap;

use anyhow::Result;
use clap::{Args, Subcommand};
use compact_str::CompactString;
use jiff::Timestamp;
use tocsin_core::labels::Labels;

use crate::args;
use crate::client::shapes::{Alert, PostableAlert};
use crate::client::{Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean, instant, note};

/// Who works on an alert, by its fingerprint.
type Workers = BTreeMap<String, String>;

/// Look at alerts, say that you work on them, or send one by hand.
#[derive(Args, Clone, Debug)]
pub(crate) struct AlertArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: AlertCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum AlertCommand {
    /// Send an alert and print its fingerprint.
    ///
    /// A first label without an operator is the alertname: `tocsin alert add DiskFull host=a`.
    /// Without --end the alert fires until the server's resolve timeout has passed; sent again with
    /// an end in the past it is resolved.
    #[command(after_help = EXIT_CODES)]
    Add(Add),
    /// List alerts that fire.
    ///
    /// Without one of --active, --silenced, --inhibited and --unprocessed, those that nothing holds
    /// back are listed. A first matcher without an operator is the alertname:
    /// `tocsin alert query DiskFull 'host=~"db.*"'`.
    #[command(after_help = EXIT_CODES)]
    Query(Query),
    /// Say that somebody works on alerts: their groups are not repeated meanwhile.
    ///
    /// `tocsin alert ack DiskFull host=a --for 2h --comment 'on it'`. A new alert in the group is
    /// told all the same, and so is the end.
    #[command(after_help = EXIT_CODES)]
    Ack(acknowledge::Acknowledge),
    /// Take that back; a repetition that is overdue goes out at once.
    #[command(after_help = EXIT_CODES)]
    Unack(acknowledge::Who),
}

#[derive(Args, Clone, Debug)]
struct Add {
    /// Labels as NAME=VALUE; values may be quoted.
    #[arg(required = true, value_name = "LABEL")]
    labels: Vec<String>,

    /// An annotation; may be given several times.
    #[arg(long = "annotation", value_name = "NAME=VALUE")]
    annotations: Vec<String>,

    /// When it began; now unless given.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    start: Option<Timestamp>,

    /// When it ends or ended.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    end: Option<Timestamp>,

    /// Where its source shows it.
    #[arg(long, value_name = "URL")]
    generator_url: Option<String>,
}

#[derive(Args, Clone, Debug)]
struct Query {
    /// Conditions that must all hold, such as severity=critical or 'job=~"db.*"'.
    #[arg(value_name = "MATCHER")]
    matchers: Vec<String>,

    /// List alerts that nothing holds back.
    #[arg(short, long)]
    active: bool,

    /// List silenced alerts.
    #[arg(short, long)]
    silenced: bool,

    /// List inhibited alerts.
    #[arg(short, long)]
    inhibited: bool,

    /// Accepted for amtool's sake; alerts are never seen unprocessed.
    #[arg(short, long)]
    unprocessed: bool,

    /// Only alerts that are routed to a receiver with this name; a regular expression.
    #[arg(short, long, value_name = "REGEX")]
    receiver: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(args: AlertArgs) -> Result<()> {
    match args.command {
        AlertCommand::Add(add) => send(&args.client, add).await,
        AlertCommand::Query(query) => list(&args.client, &query).await,
        AlertCommand::Ack(ack) => acknowledge::acknowledge(&args.client, &ack).await,
        AlertCommand::Unack(who) => acknowledge::unacknowledge(&args.client, &who).await,
    }
}

async fn send(client_args: &ClientArgs, add: Add) -> Result<()> {
    let labels = args::labels(&add.labels)?;
    let annotations = args::pairs(&add.annotations, "an annotation", "summary='disk is full'")?;
    if let (Some(start), Some(end)) = (add.start, add.end)
        && start > end
    {
        return Err(Failure::usage("--start is later than --end; swap them").into());
    }
    let fingerprint = fingerprint(&labels);
    let alert = PostableAlert {
        labels,
        annotations,
        starts_at: add.start,
        ends_at: add.end,
        generator_url: add.generator_url,
    };
    Client::new(&client_args.server)?.post("/api/v2/alerts", &[alert]).await?.into_success()?;
    match client_args.output {
        Format::Json => {
            output::print(&serde_json::json!({ "fingerprint": fingerprint }).to_string())
        }
        Format::Simple | Format::Extended => output::print(&fingerprint),
    }
}

fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let pairs = labels.iter().map(|(n, v)| (CompactString::from(n), CompactString::from(v)));
    Labels::new(pairs.collect()).fingerprint().to_string()
}

async fn list(client_args: &ClientArgs, query: &Query) -> Result<()> {
    let mut parameters = query.parameters();
    parameters.extend(
        args::with_alertname(&query.matchers).into_iter().map(|matcher| ("filter", matcher)),
    );
    let answer = Client::new(&client_args.server)?.get("/api/v2/alerts", &parameters).await?;
    let mut alerts: Vec<Alert> = answer.json()?;
    if client_args.output == Format::Json {
        return output::print(answer.text()?);
    }
    if alerts.is_empty() {
        note("no alert matches");
        return Ok(());
    }
    let workers = acknowledge::workers(client_args).await?;
    alerts.sort_by(|a, b| (a.starts_at, &a.fingerprint).cmp(&(b.starts_at, &b.fingerprint)));
    let is_coloured = output::is_coloured();
    let rows = match client_args.output {
        Format::Extended => extended(&alerts, &workers, is_coloured),
        Format::Simple | Format::Json => simple(&alerts, &workers, is_coloured),
    };
    output::print(&rows.text())
}

impl Query {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let is_asked = self.active || self.silenced || self.inhibited || self.unprocessed;
        let mut parameters = vec![
            ("active", (self.active || !is_asked).to_string()),
            ("silenced", self.silenced.to_string()),
            ("inhibited", self.inhibited.to_string()),
            ("unprocessed", self.unprocessed.to_string()),
        ];
        parameters.extend(self.receiver.clone().map(|receiver| ("receiver", receiver)));
        parameters
    }
}

fn simple(alerts: &[Alert], workers: &Workers, is_coloured: bool) -> Rows {
    let headings = ["Alertname", "Starts At", "Summary", "State", "Fingerprint"];
    let mut rows = Rows::new(&headings, is_coloured);
    for alert in alerts {
        let text =
            |pairs: &BTreeMap<String, String>, name| pairs.get(name).cloned().unwrap_or_default();
        let (state, tone) = state(alert);
        rows.add([
            (text(&alert.labels, "alertname"), Tone::Plain),
            (instant(alert.starts_at), Tone::Plain),
            (text(&alert.annotations, "summary"), Tone::Plain),
            (with_worker(state, alert, workers), tone),
            (alert.fingerprint.clone(), Tone::Faint),
        ]);
    }
    rows
}

fn extended(alerts: &[Alert], workers: &Workers, is_coloured: bool) -> Rows {
    let headings = [
        "Labels",
        "Annotations",
        "Starts At",
        "Ends At",
        "Generator URL",
        "Receivers",
        "State",
        "Held By",
        "Fingerprint",
    ];
    let mut rows = Rows::new(&headings, is_coloured);
    for alert in alerts {
        let (state, tone) = state(alert);
        let receivers: Vec<&str> = alert.receivers.iter().map(|r| r.name.as_str()).collect();
        let status = &alert.status;
        let held_by =
            [status.silenced_by.clone(), status.inhibited_by.clone(), status.muted_by.clone()];
        rows.add([
            (pairs(&alert.labels), Tone::Plain),
            (pairs(&alert.annotations), Tone::Plain),
            (instant(alert.starts_at), Tone::Plain),
            (instant(alert.ends_at), Tone::Plain),
            (alert.generator_url.clone(), Tone::Faint),
            (receivers.join(","), Tone::Plain),
            (with_worker(state, alert, workers), tone),
            (held_by.concat().join(","), Tone::Plain),
            (alert.fingerprint.clone(), Tone::Faint),
        ]);
    }
    rows
}

/// Adds who works on the alert.
fn with_worker(state: &str, alert: &Alert, workers: &Workers) -> String {
    match workers.get(&alert.fingerprint) {
        Some(by) => format!("{state}, {} works on it", clean(by)),
        None => state.to_owned(),
    }
}

/// Returns the state in the word that says most.
pub(crate) fn state(alert: &Alert) -> (&str, Tone) {
    let status = &alert.status;
    match status.state.as_str() {
        "active" => ("active", Tone::Alarm),
        "suppressed" if !status.silenced_by.is_empty() => ("silenced", Tone::Held),
        "suppressed" if !status.inhibited_by.is_empty() => ("inhibited", Tone::Held),
        "suppressed" if !status.muted_by.is_empty() => ("muted", Tone::Held),
        other => (other, Tone::Held),
    }
}

/// Returns `name="value"` pairs, separated by spaces.
pub(crate) fn pairs(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{}=\"{}\"", tocsin_core::quote::name(name), clean(value)))
        .collect();
    pairs.join(" ")
}
