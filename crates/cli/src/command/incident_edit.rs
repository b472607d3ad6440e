//! `tocsin incident edit`: what an incident is called and about, and when things happened.

use anyhow::{Result, bail};
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tocsin_wire::v1::IncidentDetail;

use super::incident::Which;
use crate::output::clean;

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

    /// Another service that it is about; may be repeated. Replaces those that were named.
    #[arg(long = "also", value_name = "NAME")]
    services: Option<Vec<String>>,

    /// A word by which it is found; may be repeated. Replaces those that it had.
    #[arg(long = "tag", value_name = "WORD")]
    tags: Option<Vec<String>>,

    /// The ticket in another system.
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,

    /// Where that can be seen.
    #[arg(long, value_name = "URL", requires = "ticket")]
    ticket_url: Option<String>,

    /// What caused it, in Markdown.
    #[arg(long, value_name = "TEXT")]
    root_cause: Option<String>,

    /// How many users are concerned, as you estimate.
    #[arg(long, value_name = "N")]
    users: Option<u64>,

    /// Where users are concerned; may be repeated. Replaces those that were named.
    #[arg(long = "region", value_name = "NAME")]
    regions: Option<Vec<String>>,

    /// How much revenue is lost, as you estimate.
    #[arg(long, value_name = "AMOUNT")]
    revenue: Option<f64>,

    /// In which currency, such as EUR.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,

    /// Whether what customers were promised is broken.
    #[arg(long, value_name = "BOOL")]
    sla_breach: Option<bool>,

    /// How many messages customers were sent; those sent from here are counted by themselves.
    #[arg(long, value_name = "N")]
    customer_notifications: Option<u64>,

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
    /// Returns whom it harms, as far as that was said.
    fn impact(&self) -> Option<Value> {
        let said = said(json!({
            "users": self.users,
            "regions": self.regions,
            "revenue": self.revenue,
            "currency": self.currency,
            "sla_breach": self.sla_breach,
            "customer_notifications": self.customer_notifications,
        }));
        (!said.is_empty()).then_some(Value::Object(said))
    }

    /// Returns what is to be changed; what was not said stays.
    pub(super) fn body(&self) -> Result<Value> {
        let said = said(json!({
            "title": self.title,
            "summary": self.summary,
            "category": self.category,
            "service": self.service,
            "services": self.services,
            "tags": self.tags,
            "ticket": self.ticket.as_ref().map(|id| {
                json!({ "id": id, "url": self.ticket_url.as_deref().unwrap_or_default() })
            }),
            "root_cause": self.root_cause,
            "impact": self.impact(),
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
        }));
        if said.is_empty() {
            bail!("say what is to be changed, as in --title \"Nobody can pay\"");
        }
        Ok(Value::Object(said))
    }
}

/// Returns what was said about an incident, a line each.
pub(super) fn lines(detail: &IncidentDetail) -> Vec<String> {
    let (it, impact) = (&detail.incident, &detail.impact);
    let list = |list: &[String]| list.iter().map(|it| clean(it)).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !it.services.is_empty() {
        lines.push(format!("also about {}", list(&it.services)));
    }
    if !it.tags.is_empty() {
        lines.push(format!("tags: {}", list(&it.tags)));
    }
    if let Some(ticket) = &it.ticket {
        lines.push(format!("ticket: {} {}", clean(&ticket.id), clean(&ticket.url)));
    }
    if !detail.root_cause.is_empty() {
        lines.push(format!("cause: {}", clean(&detail.root_cause)));
    }
    let mut harm = Vec::new();
    harm.extend(impact.users.map(|users| format!("about {users} users")));
    harm.extend(impact.regions.as_deref().map(|regions| format!("in {}", list(regions))));
    harm.extend(impact.revenue.map(|lost| {
        format!("about {lost:.0} {} lost", impact.currency.as_deref().unwrap_or_default())
    }));
    if impact.sla_breach == Some(true) {
        harm.push("what customers were promised is broken".to_owned());
    }
    harm.extend(impact.customer_notifications.map(|told| format!("{told} messages to customers")));
    if !harm.is_empty() {
        lines.push(format!("impact: {}", harm.join(", ")));
    }
    lines
}

/// Returns what is not `null`.
fn said(all: Value) -> Map<String, Value> {
    match all {
        Value::Object(all) => all.into_iter().filter(|(_, it)| !it.is_null()).collect(),
        _ => Map::new(),
    }
}
