//! `tocsin incident edit`: what an incident is called and about, and when things happened.

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::incident::Which;

#[derive(Args, Clone, Debug)]
pub(super) struct Edit {
    #[command(flatten)]
    pub(super) which: Which,

    /// What it is about, in one line.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// More about it, in Markdown.
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,

    /// availability, performance, data_integrity, security, capacity, dependency, configuration or
    /// model.
    #[arg(long, value_name = "CATEGORY")]
    category: Option<String>,

    /// The service that it is about.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// When harm began, as in 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    impact_started_at: Option<Timestamp>,

    /// When harm ended.
    #[arg(long, value_name = "TIME")]
    impact_ended_at: Option<Timestamp>,

    /// Whether it was seen coming before harm began.
    #[arg(long, value_name = "BOOL")]
    predicted: Option<bool>,

    /// When it was detected first.
    #[arg(long, value_name = "TIME")]
    detected_at: Option<Timestamp>,

    /// When somebody took it.
    #[arg(long, value_name = "TIME")]
    acknowledged_at: Option<Timestamp>,

    /// When the search for the cause began.
    #[arg(long, value_name = "TIME")]
    investigating_at: Option<Timestamp>,

    /// When the cause was known.
    #[arg(long, value_name = "TIME")]
    identified_at: Option<Timestamp>,

    /// When something began to be done against it.
    #[arg(long, value_name = "TIME")]
    mitigating_at: Option<Timestamp>,

    /// When what was done held.
    #[arg(long, value_name = "TIME")]
    mitigated_at: Option<Timestamp>,

    /// When it was over.
    #[arg(long, value_name = "TIME")]
    resolved_at: Option<Timestamp>,

    /// When nothing was left to do.
    #[arg(long, value_name = "TIME")]
    closed_at: Option<Timestamp>,
}

impl Edit {
    /// Returns what is to be changed; what was not said stays.
    pub(super) fn body(&self) -> Result<Value> {
        let said = json!({
            "title": self.title,
            "summary": self.summary,
            "category": self.category,
            "service": self.service,
            "impact_started_at": self.impact_started_at,
            "impact_ended_at": self.impact_ended_at,
            "is_predicted": self.predicted,
            "detected_at": self.detected_at,
            "acknowledged_at": self.acknowledged_at,
            "investigating_at": self.investigating_at,
            "identified_at": self.identified_at,
            "mitigating_at": self.mitigating_at,
            "mitigated_at": self.mitigated_at,
            "resolved_at": self.resolved_at,
            "closed_at": self.closed_at,
        });
        let said: Map<String, Value> = match said {
            Value::Object(said) => said.into_iter().filter(|(_, it)| !it.is_null()).collect(),
            _ => Map::new(),
        };
        if said.is_empty() {
            bail!("say what is to be changed, as in --title \"Nobody can pay\"");
        }
        Ok(Value::Object(said))
    }
}
