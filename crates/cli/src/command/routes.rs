//! `tocsin routes`: who would be told.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use compact_str::CompactString;
use jiff::SignedDuration;
use tocsin_core::labels::Labels;
use tocsin_core::matcher::ParseMode;
use tocsin_core::quote;
use tocsin_wire::v1::{Matcher, Route, RouteTestResult};

use crate::args;
use crate::client::{Client, ClientArgs};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{self, Format};
use crate::tree::Tree;

/// Show who would be told: of a configuration file, or of a running server.
#[derive(Args, Clone, Debug)]
pub(crate) struct RoutesArgs {
    /// Read this configuration and ask no server: a file or a directory.
    #[arg(long = "config.file", global = true, value_name = "PATH")]
    config_file: Option<PathBuf>,

    #[command(flatten)]
    client: ClientArgs,

    #[command(subcommand)]
    command: RoutesCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum RoutesCommand {
    /// Draw the tree of routes; with `-o extended`, with grouping and times.
    #[command(after_help = EXIT_CODES)]
    Show,
    /// Print the receivers that an alert with these labels would reach.
    ///
    /// A first label without an operator is the alertname.
    #[command(after_help = EXIT_CODES)]
    Test(Test),
}

#[derive(Args, Clone, Debug)]
struct Test {
    /// Labels as NAME=VALUE.
    #[arg(value_name = "LABEL")]
    labels: Vec<String>,

    /// Fail unless exactly these receivers are reached, in this order; separated by commas.
    #[arg(long = "verify.receivers", value_name = "NAMES")]
    verify_receivers: Option<String>,

    /// Also draw the routes that the alert takes.
    #[arg(long)]
    tree: bool,
}

/// Runs the command.
pub(crate) async fn run(args: RoutesArgs) -> Result<()> {
    match &args.command {
        RoutesCommand::Show => show(&args).await,
        RoutesCommand::Test(test_args) => test(&args, test_args).await,
    }
}

async fn show(args: &RoutesArgs) -> Result<()> {
    let (root, json) = match &args.config_file {
        Some(path) => {
            let loaded = super::config::load(path, ParseMode::Fallback)?;
            let root = Route::tree(&loaded.policy.routes);
            let json = serde_json::to_string(&root).context("routes are no JSON")?;
            (root, json)
        }
        None => {
            let answer = Client::new(&args.client.server)?.get("/api/v1/routes", &[]).await?;
            (answer.json()?, answer.text()?.to_owned())
        }
    };
    match args.client.output {
        Format::Json => output::print(&json),
        format => output::print(&tree_of(&root, format == Format::Extended).draw()),
    }
}

async fn test(args: &RoutesArgs, test: &Test) -> Result<()> {
    let labels = args::labels(&test.labels)?;
    let (result, json) = match &args.config_file {
        Some(path) => {
            let loaded = super::config::load(path, ParseMode::Fallback)?;
            let pairs =
                labels.iter().map(|(n, v)| (CompactString::from(n), CompactString::from(v)));
            let result = RouteTestResult::of(&loaded.policy.routes, &Labels::new(pairs.collect()));
            let json = serde_json::to_string(&result).context("routes are no JSON")?;
            (result, json)
        }
        None => {
            let client = Client::new(&args.client.server)?;
            let body = serde_json::json!({ "labels": labels });
            let answer = client.post("/api/v1/routes/test", &body).await?.into_success()?;
            (answer.json()?, answer.text()?.to_owned())
        }
    };
    // A receiver is told once, but the routes reach it in this order, as amtool prints it.
    let receivers: Vec<&str> = result.routes.iter().map(|route| route.receiver.as_str()).collect();
    let reached = receivers.join(",");
    if args.client.output == Format::Json {
        output::print(&json)?;
    } else {
        if test.tree {
            output::print(&taken(&result).draw())?;
        }
        output::print(&reached)?;
    }
    match &test.verify_receivers {
        Some(expected) if !is_same(expected, &receivers) => Err(Failure::no(format!(
            "expected the receivers {expected}, but the alert reaches {reached}"
        ))
        .into()),
        _ => Ok(()),
    }
}

fn is_same(expected: &str, reached: &[&str]) -> bool {
    expected.split(',').map(str::trim).eq(reached.iter().copied())
}

fn tree_of(route: &Route, is_extended: bool) -> Tree {
    let mut text = format!("{}  receiver: {}", matchers(&route.matchers), route.receiver);
    if route.is_continue {
        text.push_str("  continue");
    }
    if is_extended {
        text.push_str(&times(route));
    }
    let branches = route.routes.iter().map(|child| tree_of(child, is_extended)).collect();
    Tree { text, branches }
}

fn times(route: &Route) -> String {
    let mut text = format!(
        "  group_by: [{}]  wait: {}  interval: {}  repeat: {}",
        route.group_by.join(", "),
        seconds(route.group_wait_seconds),
        seconds(route.group_interval_seconds),
        seconds(route.repeat_interval_seconds),
    );
    let by_severity: Vec<String> = route
        .group_wait_seconds_by_severity
        .iter()
        .map(|(severity, wait)| format!("{severity}: {}", seconds(*wait)))
        .collect();
    for (name, values) in [
        ("wait by severity", &by_severity),
        ("muted in", &route.mute_time_intervals),
        ("active in", &route.active_time_intervals),
    ] {
        if !values.is_empty() {
            text.push_str(&format!("  {name}: {}", values.join(", ")));
        }
    }
    text
}

fn seconds(seconds: f64) -> String {
    match SignedDuration::try_from_secs_f64(seconds) {
        Ok(duration) => format!("{duration:#}").replace(' ', ""),
        Err(_) => format!("{seconds}s"),
    }
}

fn matchers(matchers: &[Matcher]) -> String {
    if matchers.is_empty() {
        return "everything".to_owned();
    }
    let texts: Vec<String> = matchers
        .iter()
        .map(|m| format!("{}{}{}", quote::name(&m.name), m.op.as_str(), quote::go(&m.value)))
        .collect();
    format!("{{{}}}", texts.join(", "))
}

/// Returns the routes that an alert takes, with what they have in common drawn once.
fn taken(result: &RouteTestResult) -> Tree {
    let mut root = Tree { text: "matching routes".to_owned(), branches: Vec::new() };
    for route in &result.routes {
        let mut at = &mut root;
        for (depth, step) in route.path.iter().enumerate() {
            let mut text = matchers(&step.matchers);
            if depth + 1 == route.path.len() {
                text.push_str(&format!("  receiver: {}", route.receiver));
            }
            // Routes come in the order of the tree, so a common way is always the latest one.
            if at.branches.last().is_none_or(|branch| branch.text != text) {
                at.branches.push(Tree { text, branches: Vec::new() });
            }
            let last = at.branches.len() - 1;
            at = &mut at.branches[last];
        }
    }
    root
}
