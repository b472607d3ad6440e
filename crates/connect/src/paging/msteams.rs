//! Microsoft Teams, by the address of a workflow: an adaptive card whose buttons are signed links.
//! A workflow tells us no message to change, so what goes on is a card of its own.

use serde_json::{Value, json};
use tocsin_core::paging::{PageItem, StateWord};

use super::Errand;
use super::words::ItemWords;
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "msteams";

/// The most bytes of a message: the limit of Teams, with a margin.
const MAX_BYTES: usize = 26_000;

/// Posts one card.
pub(super) async fn send(
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = parse_url(TARGET, "address", &errand.page.address)?;
    let request = Request::json(TARGET, url, &message(errand), errand);
    sender.send(request, errand.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}

fn message(errand: &Errand<'_>) -> Value {
    let mut body = vec![text(&errand.words.subject(), true)];
    if let Some(lines) = errand.words.notice() {
        body.extend(lines.iter().map(|line| text(line, false)));
    }
    let is_bundle = errand.page.content.items().len() > 1;
    let mut spent = 1_000;
    let mut left_out = 0;
    for (item, words) in errand.words.items() {
        let container = container(item, &words, is_bundle);
        let bytes = container.to_string().len();
        if spent + bytes > MAX_BYTES {
            left_out += 1;
            continue;
        }
        spent += bytes;
        body.push(container);
    }
    if left_out > 0 {
        body.push(text(&format!("and {left_out} more"), false));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "msteams": { "width": "full" },
            },
        }],
    })
}

fn container(item: &PageItem, words: &ItemWords, is_bundle: bool) -> Value {
    let mut items = Vec::new();
    if is_bundle {
        items.push(text(&format!("[{}] {}", words.level, words.title), true));
    }
    if !words.state.is_empty() {
        items.push(text(&words.state, true));
    }
    let facts: Vec<Value> =
        words.facts.iter().map(|(name, value)| json!({ "title": name, "value": value })).collect();
    items.push(json!({ "type": "FactSet", "facts": facts }));
    items.extend(words.alerts.iter().map(|line| text(&format!("• {line}"), false)));
    let mut actions = Vec::new();
    if item.state != StateWord::Resolved {
        for (title, action) in
            [("Acknowledge", "acknowledge"), ("Escalate", "escalate"), ("Resolve", "resolve")]
        {
            if item.state == StateWord::Acknowledged && action != "resolve" {
                continue;
            }
            let url = format!("{}?action={action}", words.link);
            actions.push(json!({ "type": "Action.OpenUrl", "title": title, "url": url }));
        }
    }
    if let Some(url) = &words.runbook {
        actions.push(json!({ "type": "Action.OpenUrl", "title": "Runbook", "url": url }));
    }
    if !actions.is_empty() {
        items.push(json!({ "type": "ActionSet", "actions": actions }));
    }
    json!({ "type": "Container", "style": style(item), "bleed": true, "items": items })
}

fn style(item: &PageItem) -> &'static str {
    match item.state {
        StateWord::Open if item.severity.is_urgent() => "attention",
        StateWord::Open | StateWord::Acknowledged => "warning",
        StateWord::Snoozed => "emphasis",
        StateWord::Resolved => "good",
    }
}

fn text(text: &str, is_heading: bool) -> Value {
    let weight = if is_heading { "Bolder" } else { "Default" };
    json!({ "type": "TextBlock", "text": escape(text), "wrap": true, "weight": weight })
}

/// Takes away what a card would read as Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
