//! PagerDuty as the one who rings: an incident there for each escalation here, kept in step.

use serde_json::{Value, json};
use tocsin_config::PagerdutyChannelConfig;
use tocsin_core::notification::FailureClass;
use tocsin_core::paging::{Content, PageItem, StateWord};
use tocsin_core::severity::Severity;

use super::words::{ItemWords, title};
use super::{Errand, no_address, unset};
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::cut;
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::vendor::run_key;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "pagerduty";

/// The most characters of what happened.
const MAX_SUMMARY_CHARS: usize = 1_024;

/// Sends one event for each escalation. An event that was sent before changes nothing there, so
/// an attempt that broke off in the middle is repeated as a whole.
pub(super) async fn send(
    config: &PagerdutyChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let key = errand.page.address.trim();
    if key.is_empty() {
        return Err(no_address(TARGET, "is empty; it is the key of an integration"));
    }
    redactor.hide(key);
    let url = config.url.as_ref().ok_or_else(|| unset(TARGET, "pagerduty.url"))?;
    let url = parse_url(TARGET, "url", url.as_str())?;
    for event in events(key, errand)? {
        let request = Request::json(TARGET, url.clone(), &event, errand);
        sender.send(request, errand.deadline, redactor).await?.taken(TARGET, &[429])?;
    }
    Ok(Sent::default())
}

fn events(key: &str, errand: &Errand<'_>) -> Result<Vec<Value>, Undelivered> {
    match &errand.page.content {
        Content::Page { .. } | Content::Update { .. } => {
            Ok(errand.words.items().map(|(item, words)| event(key, item, &words, errand)).collect())
        }
        Content::Test => {
            let id = format!("tocsin-test-{}", errand.idempotency_key);
            let trigger = json!({
                "routing_key": key,
                "event_action": "trigger",
                "dedup_key": id,
                "payload": {
                    "summary": "A test of Tocsin; it ends by itself",
                    "source": errand.context.external_url,
                    "severity": "info",
                },
            });
            let resolve = json!({ "routing_key": key, "event_action": "resolve", "dedup_key": id });
            Ok(vec![trigger, resolve])
        }
        Content::Verification { .. } | Content::Handoff { .. } | Content::Notice { .. } => {
            let kind = errand.page.content.kind();
            let why =
                format!("{TARGET} takes pages and what becomes of them, and this is a {kind}");
            Err(Undelivered::refused(FailureClass::Other, why))
        }
    }
}

fn event(key: &str, item: &PageItem, words: &ItemWords, errand: &Errand<'_>) -> Value {
    let action = match item.state {
        StateWord::Open => "trigger",
        StateWord::Acknowledged | StateWord::Snoozed => "acknowledge",
        StateWord::Resolved => "resolve",
    };
    let mut event = json!({
        "routing_key": key,
        "event_action": action,
        "dedup_key": run_key(&errand.context.external_url, item.run),
    });
    if action != "trigger" {
        return event;
    }
    let mut details = serde_json::Map::new();
    for (name, value) in &words.facts {
        details.insert((*name).to_owned(), json!(value));
    }
    for (name, value) in item.group_labels.iter() {
        details.insert(name.to_owned(), json!(value));
    }
    details.insert("alerts".to_owned(), json!(words.alerts));
    let mut links = vec![json!({ "href": words.link, "text": "Answer in Tocsin" })];
    if let Some(url) = &words.runbook {
        links.push(json!({ "href": url, "text": "Runbook" }));
    }
    event["client"] = json!("Tocsin");
    event["client_url"] = json!(words.link);
    event["links"] = json!(links);
    event["payload"] = json!({
        "summary": cut(&title(item), MAX_SUMMARY_CHARS),
        "source": if item.service.is_empty() { "Tocsin" } else { item.service.as_str() },
        "severity": severity(item.severity),
        "timestamp": item.started_at,
        "component": item.service,
        "group": item.policy,
        "custom_details": details,
    });
    event
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "critical",
        Severity::Sev2 => "error",
        Severity::Sev3 | Severity::Sev4 => "warning",
        Severity::Sev5 => "info",
    }
}
