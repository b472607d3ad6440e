//! `tocsin incident severities` and `classify`: what each severity means and asks for, and which one
//! it is.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use jiff::SignedDuration;
use tocsin_wire::v1::{IncidentClassification, IncidentEvidence, Severities, SeverityRow};

use crate::client::Client;
use crate::output::{self, Format, clean};

#[derive(Args, Clone, Debug)]
pub(super) struct Classify {
    /// Which part of the users is concerned, in percent.
    #[arg(long, value_name = "PERCENT")]
    users_percent: Option<f64>,

    /// Which part of the requests fails, from 0 to 1.
    #[arg(long, value_name = "SHARE")]
    error_rate: Option<f64>,

    /// How many times slower than usual it is.
    #[arg(long, value_name = "FACTOR")]
    latency_factor: Option<f64>,

    /// Whether something that everybody needs is concerned.
    #[arg(long, value_name = "BOOL")]
    core: Option<bool>,

    /// Whether somebody may do or see what they must not.
    #[arg(long, value_name = "BOOL")]
    security: Option<bool>,
}

/// Says how bad something is; nothing is declared or changed.
pub(super) async fn classify(client: &Client, format: Format, asked: Classify) -> Result<()> {
    let evidence = IncidentEvidence {
        users_percent: asked.users_percent,
        error_rate: asked.error_rate,
        latency_factor: asked.latency_factor,
        is_core: asked.core,
        is_security: asked.security,
    };
    let answer = client.post("/api/v1/severities/classify", &evidence).await?.into_success()?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    output::print(&sentence(&answer.json()?))
}

/// Returns how bad something is and why, in one line.
pub(super) fn sentence(it: &IncidentClassification) -> String {
    let mut out = format!("{}: {}", clean(&it.severity), clean(&it.reason));
    if !it.missing.is_empty() {
        let missing = it.missing.join(", ").replace('_', " ");
        let _ = write!(out, " (nobody has said: {})", clean(&missing));
    }
    if let Some(suggestion) = &it.suggestion {
        let why = match &it.pinned_by {
            Some(by) => format!("{} said otherwise", clean(by)),
            None => "it is held to be worse".to_owned(),
        };
        let _ = write!(out, "; {why}, {} is suggested", clean(suggestion));
    }
    out
}

/// Prints all of them.
pub(super) async fn run(client: &Client, format: Format) -> Result<()> {
    let answer = client.get("/api/v1/severities", &[]).await?;
    if format == Format::Json {
        return output::print(answer.text()?);
    }
    let all: Severities = answer.json()?;
    let texts: Vec<String> = all.items.iter().map(text).collect();
    output::print(&texts.join("\n\n"))
}

fn text(it: &SeverityRow) -> String {
    let span = |minutes: u32| format!("{:#}", SignedDuration::from_mins(i64::from(minutes)));
    let targets = &it.targets;
    let mut out =
        format!("{} {}: {}", clean(&it.severity), clean(&it.name), clean(&it.description));
    let _ = write!(out, "\n  users: {}", clean(&it.user_impact));
    let _ = write!(out, "\n  such as: {}", clean(&it.examples.join("; ")));
    let _ = write!(
        out,
        "\n  taken within {}, an update every {}, the next level after {}",
        span(targets.acknowledge_minutes),
        span(targets.update_minutes),
        span(targets.escalate_minutes)
    );
    if let Some(minutes) = targets.resolve_minutes {
        let _ = write!(out, ", over within {}", span(minutes));
    }
    if it.requires_postmortem {
        let kind = if it.postmortem_days_are_working_days { "working days" } else { "days" };
        let _ = write!(out, "\n  a postmortem within {} {kind}", it.postmortem_days);
    }
    if it.tells_executives {
        out.push_str("\n  executives hear of it");
    }
    for role in &it.roles {
        let name = tocsin_core::incident::Role::from(role.role).title();
        let _ = write!(out, "\n  {name}: {}", clean(&role.responsibility));
    }
    out
}
