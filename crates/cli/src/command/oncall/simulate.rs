//! `tocsin oncall simulate`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::Timestamp;
use tocsin_core::Tenant;
use tocsin_core::matcher::ParseMode;
use tocsin_core::rows::TenantRows;
use tocsin_core::severity::Severity;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_wire::v1::{SimulatedStep, Simulation, SimulationRequest};

use crate::args;
use crate::client::{Client, ClientArgs};
use crate::command::config;
use crate::failure::Failure;
use crate::output::{self, Format, Rows, Tone, clean, instant};

/// The problem.
#[derive(Args, Clone, Debug)]
pub(crate) struct SimulateArgs {
    /// The service.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    service: String,

    /// How bad it would be: sev1 to sev5, or a word such as critical.
    #[arg(long, default_value = "sev2", value_name = "SEVERITY")]
    severity: String,

    /// The category.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    category: String,

    /// A policy by name; otherwise it is chosen by service, severity and category.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// When it would begin; now when it is not given.
    #[arg(long, value_parser = args::instant, value_name = "INSTANT")]
    at: Option<Timestamp>,

    /// Read this configuration and ask no server: a file or a directory.
    #[arg(long = "config.file", value_name = "PATH")]
    config_file: Option<PathBuf>,
}

/// Runs the command; the exit code is 1 when nobody would be paged.
pub(super) async fn run(client: &ClientArgs, args: SimulateArgs) -> Result<()> {
    let (simulation, json) = match &args.config_file {
        Some(path) => {
            let simulation = offline(path, &args)?;
            let json = serde_json::to_string(&simulation).context("a simulation is no JSON")?;
            (simulation, json)
        }
        None => {
            let request = SimulationRequest {
                service: args.service,
                severity: Some(args.severity),
                category: args.category,
                policy: args.policy,
                at: args.at,
            };
            let path = "/api/v1/escalation-policies/simulate";
            let server = Client::new(&client.server)?;
            let answer = server.post(path, &request).await?.into_success()?;
            (answer.json::<Simulation>()?, answer.text()?.to_owned())
        }
    };
    match client.output {
        Format::Json => output::print(&json)?,
        Format::Simple | Format::Extended => output::print(&text(&simulation))?,
    }
    let is_anybody =
        simulation.steps.iter().any(|step| !step.people.is_empty() || !step.places.is_empty());
    if is_anybody { Ok(()) } else { Err(Failure::no("nobody would be paged").into()) }
}

fn offline(path: &std::path::Path, args: &SimulateArgs) -> Result<Simulation> {
    let severity = Severity::from_word(&args.severity).ok_or_else(|| {
        Failure::usage(format!("--severity: `{}` is none of sev1 to sev5", args.severity))
    })?;
    let loaded = config::load(path, ParseMode::Fallback)?;
    let now = SystemClock.now();
    let tenant = Tenant::restore(loaded.policy, TenantRows::default(), now);
    if let Some(name) = &args.policy
        && tenant.escalation_policy(name).is_none()
    {
        return Err(Failure::no(format!("there is no escalation policy `{name}`")).into());
    }
    let at = args.at.unwrap_or(now);
    let policy = args.policy.as_deref();
    Ok(Simulation::from(&tenant.simulate(&args.service, severity, &args.category, policy, at)))
}

fn text(simulation: &Simulation) -> String {
    let service = match simulation.service.as_str() {
        "" => "a problem".to_owned(),
        service => format!("a problem of {}", clean(service)),
    };
    let (severity, at) = (&simulation.severity, instant(simulation.at));
    let mut out = format!("{service} at {severity}, {at}: {}\n", clean(&simulation.why));
    if simulation.steps.is_empty() {
        return out;
    }
    let headings = ["AT", "STEP", "WHOM", "BY", "WHY"];
    let mut rows = Rows::new(&headings, output::is_coloured());
    for step in &simulation.steps {
        add(step, &mut rows);
    }
    out.push_str(&rows.text());
    out
}

fn add(step: &SimulatedStep, rows: &mut Rows) {
    let mut name = step.step.to_string();
    if step.round > 1 {
        name = format!("{name} (pass {})", step.round);
    }
    if !step.level.is_empty() {
        name = format!("{name} {}", step.level);
    }
    let mut row = |at: Timestamp, whom: &str, by: &str, why: &str, tone: Tone| {
        rows.add([
            (instant(at), tone),
            (name.clone(), tone),
            (whom.to_owned(), tone),
            (by.to_owned(), tone),
            (why.to_owned(), tone),
        ]);
    };
    for person in &step.people {
        for message in &person.messages {
            let why = match &message.held {
                Some(held) => format!("{}; {held}", person.why),
                None => person.why.clone(),
            };
            let by = if message.method == message.channel {
                message.channel.clone()
            } else {
                format!("{} ({})", message.method, message.channel)
            };
            row(message.at, &person.person, &by, &why, Tone::Plain);
        }
    }
    for place in &step.places {
        row(step.at, place, "", "the policy names it", Tone::Plain);
    }
    match &step.skipped {
        Some(why) => row(step.at, "nobody", "", why, Tone::Alarm),
        None => {
            for why in &step.left_out {
                row(step.at, "", "", &format!("left out: {why}"), Tone::Faint);
            }
        }
    }
}
