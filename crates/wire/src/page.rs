//! The body of a page to a program: what the `webhook` channel posts.

use jiff::Timestamp;
use serde::Serialize;
use tocsin_core::labels::Labels;
use tocsin_core::paging::{Content, Page, PageAlert, PageItem};

/// The version of the body; it changes only when something is taken away.
const VERSION: &str = "1";

/// A page as it is posted.
#[derive(Clone, Debug, Serialize)]
pub struct PageBody<'a> {
    version: &'static str,
    /// `page`, `update`, `verification`, `test` or `handoff`.
    kind: &'static str,
    /// `person/method`, or the place.
    recipient: String,
    urgency: &'static str,
    decided_at: Timestamp,
    /// One line that says it all.
    subject: &'a str,
    /// All of it as text.
    text: &'a str,
    /// The escalations, the worst first.
    items: Vec<ItemBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open: Vec<&'a str>,
}

/// One escalation.
#[derive(Clone, Debug, Serialize)]
struct ItemBody<'a> {
    run: u64,
    /// `open`, `acknowledged`, `snoozed` or `resolved`.
    state: &'static str,
    /// Who made it so.
    #[serde(skip_serializing_if = "str::is_empty")]
    by: &'a str,
    severity: &'static str,
    severity_word: &'static str,
    title: &'a str,
    service: &'a str,
    policy: &'a str,
    step: u32,
    steps: u32,
    level: &'a str,
    why: &'a str,
    started_at: Timestamp,
    firing: usize,
    resolved: usize,
    group_labels: &'a Labels,
    alerts: Vec<AlertBody<'a>>,
    links: LinksBody,
}

/// Where an escalation can be answered: a page for people, and addresses that take a POST.
#[derive(Clone, Debug, Serialize)]
struct LinksBody {
    open: String,
    acknowledge: String,
    escalate: String,
    resolve: String,
}

#[derive(Clone, Debug, Serialize)]
struct AlertBody<'a> {
    status: &'static str,
    labels: &'a Labels,
    annotations: &'a Labels,
    starts_at: Timestamp,
    generator_url: &'a str,
}

impl<'a> PageBody<'a> {
    /// Describes a page; `links` has the one of each escalation, in order.
    pub fn new(page: &'a Page, subject: &'a str, text: &'a str, links: &[String]) -> Self {
        let (mut code, mut schedule, mut open) = (None, None, Vec::new());
        match &page.content {
            Content::Verification { code: it } => code = Some(it.as_str()),
            Content::Handoff { schedule: it, open: lines, .. } => {
                schedule = Some(&**it);
                open = lines.iter().map(String::as_str).collect();
            }
            Content::Page { .. }
            | Content::Update { .. }
            | Content::Test
            | Content::Notice { .. } => {}
        }
        let items = page.content.items().iter().zip(links);
        Self {
            version: VERSION,
            kind: page.content.kind(),
            recipient: page.recipient.to_string(),
            urgency: page.urgency.as_str(),
            decided_at: page.decided_at,
            subject,
            text,
            items: items.map(|(item, link)| ItemBody::new(item, link)).collect(),
            code,
            schedule,
            open,
        }
    }
}

impl<'a> ItemBody<'a> {
    fn new(item: &'a PageItem, link: &str) -> Self {
        Self {
            run: item.run.0,
            state: item.state.as_str(),
            by: &item.by,
            severity: item.severity.as_str(),
            severity_word: item.severity.word(),
            title: &item.title,
            service: &item.service,
            policy: &item.policy,
            step: item.step.0,
            steps: item.step.1,
            level: &item.level,
            why: &item.why,
            started_at: item.started_at,
            firing: item.firing,
            resolved: item.resolved,
            group_labels: &item.group_labels,
            alerts: item.alerts.iter().map(AlertBody::new).collect(),
            links: LinksBody {
                open: link.to_owned(),
                acknowledge: format!("{link}?action=acknowledge"),
                escalate: format!("{link}?action=escalate"),
                resolve: format!("{link}?action=resolve"),
            },
        }
    }
}

impl<'a> AlertBody<'a> {
    fn new(alert: &'a PageAlert) -> Self {
        Self {
            status: if alert.is_resolved { "resolved" } else { "firing" },
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: alert.starts_at,
            generator_url: &alert.generator_url,
        }
    }
}
