//! `tocsin policy`: whom to page and when, and what is wrong with that.

use std::fmt::Write as _;

use anyhow::Result;
use clap::{Args, Subcommand};
use tocsin_wire::v1::{EscalationPolicies, EscalationPolicy, Origin, PolicyNotices, Wait};

use crate::client::{Client, ClientArgs, segment};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format, Rows, Tone, clean};

/// See whom to page and when, and what is wrong with that.
#[derive(Args, Clone, Debug)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum PolicyCommand {
    /// List escalation policies, in the order in which one is chosen.
    #[command(after_help = EXIT_CODES)]
    List,
    /// Show the steps of a policy.
    #[command(after_help = EXIT_CODES)]
    Show {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Say what would go wrong if policies had to page now; the exit code is 1 then.
    #[command(after_help = EXIT_CODES)]
    Check {
        /// Their names; all policies when none is given.
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

/// Runs the command.
pub(crate) async fn run(args: PolicyArgs) -> Result<()> {
    let client = Client::new(&args.client.server)?;
    let format = args.client.output;
    match args.command {
        PolicyCommand::List => list(&client, format).await,
        PolicyCommand::Show { name } => show(&client, format, &name).await,
        PolicyCommand::Check { names } => check(&client, format, names).await,
    }
}

async fn list(client: &Client, format: Format) -> Result<()> {
    let answer = client.get("/api/v1/escalation-policies", &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let policies: EscalationPolicies = answer.json()?;
    let headings = ["NAME", "STEPS", "REPEAT", "SERVES", "USED BY", "FROM"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for policy in &policies.items {
        rows.add([
            (policy.name.clone(), Tone::Plain),
            (policy.policy.steps.len().to_string(), Tone::Plain),
            (policy.policy.repeat.to_string(), Tone::Plain),
            (serves(policy), Tone::Plain),
            (policy.used_by.join(", "), Tone::Plain),
            (origin(policy.origin).to_owned(), Tone::Plain),
        ]);
    }
    output::print(&rows.text())
}

fn serves(policy: &EscalationPolicy) -> String {
    let said = &policy.policy;
    let all = [said.services.join(", "), said.severities.join(", "), said.categories.join(", ")];
    let mut parts: Vec<String> = all.into_iter().filter(|it| !it.is_empty()).collect();
    if said.is_default {
        parts.push("everything else".to_owned());
    }
    parts.join("; ")
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Provisioned => "file",
        Origin::Api => "api",
        Origin::Provider => "provider",
    }
}

async fn show(client: &Client, format: Format, name: &str) -> Result<()> {
    let answer = client.get(&path(name, ""), &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    output::print(&text(&answer.json()?))
}

/// Returns the path of a policy.
fn path(name: &str, rest: &str) -> String {
    format!("/api/v1/escalation-policies/{}{rest}", segment(name))
}

fn text(policy: &EscalationPolicy) -> String {
    let said = &policy.policy;
    let mut out = clean(&policy.name);
    if !said.description.is_empty() {
        let _ = write!(out, "  {}", clean(&said.description));
    }
    let serves = serves(policy);
    if !serves.is_empty() {
        let _ = write!(out, "\n  serves {}", clean(&serves));
    }
    for (index, step) in said.steps.iter().enumerate() {
        let number = index + 1;
        let level = if step.level.is_empty() { String::new() } else { format!(" {}", step.level) };
        let after = match (&step.after_seconds, index) {
            (None, 0) => "at once".to_owned(),
            (wait, _) => format!("after {}", wait_text(wait.as_ref())),
        };
        let whom = clean(&step.page.join(", "));
        let turn = if step.round_robin { " in turn" } else { "" };
        let _ = write!(out, "\n  step {number}{}, {after}: {whom}{turn}", clean(&level));
    }
    if said.repeat > 0 {
        let after = wait_text(said.repeat_after_seconds.as_ref());
        let _ = write!(out, "\n  again {} times, after {after}", said.repeat);
    }
    if let Some(wait) = &said.ack_timeout_seconds {
        let _ = write!(out, "\n  an acknowledgement lapses after {}", wait_text(Some(wait)));
    }
    out
}

fn wait_text(wait: Option<&Wait>) -> String {
    let span = |seconds: &u32| format!("{:#}", jiff::SignedDuration::from_secs((*seconds).into()));
    match wait {
        None => "as long as the severity allows".to_owned(),
        Some(Wait::Always(seconds)) => span(seconds),
        Some(Wait::BySeverity(table)) => {
            let each: Vec<_> = table.iter().map(|(it, s)| format!("{it} {}", span(s))).collect();
            each.join(", ")
        }
    }
}

async fn check(client: &Client, format: Format, names: Vec<String>) -> Result<()> {
    let names = if names.is_empty() {
        let all: EscalationPolicies =
            client.get("/api/v1/escalation-policies", &[]).await?.json()?;
        all.items.into_iter().map(|policy| policy.name).collect()
    } else {
        names
    };
    let mut found = 0;
    let mut shown = serde_json::Map::new();
    let mut lines = String::new();
    for name in &names {
        let answer = client.get(&path(name, "/notices"), &[]).await?;
        let notices: PolicyNotices = answer.json()?;
        found += notices.items.len();
        for notice in &notices.items {
            let _ = writeln!(lines, "{}: {}", clean(name), clean(&notice.text));
        }
        shown.insert(name.clone(), answer.json()?);
    }
    if format == Format::Json {
        output::print(&serde_json::Value::Object(shown).to_string())?;
    } else if found == 0 {
        output::print(&format!("{}: all would page somebody", names.len()))?;
    } else {
        output::print(&lines)?;
    }
    if found == 0 { Ok(()) } else { Err(Failure::no("somebody should look at this").into()) }
}
