//! ntfy: a message on a phone without any vendor's account, with buttons that answer by themselves.

use reqwest::Url;
use serde_json::{Value, json};
use tocsin_config::NtfyChannelConfig;
use tocsin_core::paging::{Page, StateWord, Urgency};
use tocsin_core::severity::Severity;

use super::{Errand, no_address, unset};
use crate::chat::cut_bytes;
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "ntfy";

/// The most bytes of a message; ntfy makes an attachment of longer ones.
const MAX_MESSAGE_BYTES: usize = 3_900;

/// Publishes one message.
pub(super) async fn send(
    config: &NtfyChannelConfig,
    (of_file, strict): (&Sender, &Sender),
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let (url, topic, is_ours) = place(config, errand.page)?;
    let sender = if is_ours { of_file } else { strict };
    // Whoever knows a topic can read and write it.
    redactor.hide(&topic);
    let mut request = Request::json(TARGET, url, &message(errand, &topic), errand);
    if let Some(token) = config.token().filter(|_| is_ours) {
        request = request.authorized("Bearer", &secret::read(token, redactor).await?);
    }
    sender.send(request, errand.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}

/// Returns the server, the topic, and whether the server is the one that the token is for.
fn place(config: &NtfyChannelConfig, page: &Page) -> Result<(Url, String, bool), Undelivered> {
    let address = page.address.trim();
    let own = config.url.as_ref().map(|url| parse_url(TARGET, "url", url.as_str())).transpose()?;
    if !address.contains("://") {
        let is_topic = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if address.is_empty() || address.len() > 64 || !address.bytes().all(is_topic) {
            return Err(no_address(
                TARGET,
                "is not a topic: 1 to 64 of A-Z, a-z, 0-9, `-` and `_`",
            ));
        }
        let own = own.ok_or_else(|| unset(TARGET, "ntfy.url"))?;
        return Ok((own, address.to_owned(), true));
    }
    let mut url = parse_url(TARGET, "address", address)?;
    let topic = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let topic = topic.to_owned();
    if topic.is_empty() {
        return Err(no_address(TARGET, "names a server and no topic"));
    }
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop();
    }
    url.set_query(None);
    let is_ours = own.is_some_and(|own| own.origin() == url.origin());
    Ok((url, topic, is_ours))
}

fn message(errand: &Errand<'_>, topic: &str) -> Value {
    let mut words = errand.words.items();
    let (item, link) = match words.next() {
        Some((item, words)) => (Some(item), words.link),
        None => (None, errand.context.external_url.clone()),
    };
    let text = errand.words.plain(|_| None);
    let mut message = json!({
        "topic": topic,
        "title": errand.words.subject(),
        "message": cut_bytes(&text, MAX_MESSAGE_BYTES),
        "priority": priority(errand.page),
        "click": link,
        "tags": [tag(item.map(|item| item.state))],
    });
    let is_single = errand.page.content.items().len() == 1;
    if let Some(item) = item.filter(|item| is_single && item.state != StateWord::Resolved) {
        // ntfy shows at most three.
        let wanted: &[(&str, &str)] = match item.state {
            StateWord::Open => {
                &[("Acknowledge", "acknowledge"), ("Escalate", "escalate"), ("Resolve", "resolve")]
            }
            _ => &[("Resolve", "resolve")],
        };
        let actions: Vec<Value> = wanted
            .iter()
            .map(|(label, action)| {
                json!({
                    "action": "http",
                    "label": label,
                    "url": link,
                    "method": "POST",
                    "headers": { "Content-Type": "application/x-www-form-urlencoded" },
                    "body": format!("action={action}"),
                    "clear": true,
                })
            })
            .collect();
        message["actions"] = json!(actions);
    }
    message
}

fn priority(page: &Page) -> u8 {
    let worst = page.content.items().iter().map(|item| item.severity).min();
    let is_open = page.content.items().iter().any(|item| item.state == StateWord::Open);
    match (worst, page.urgency) {
        (Some(_), _) if !is_open => 2,
        (Some(Severity::Sev1), Urgency::High) => 5,
        (_, Urgency::High) => 4,
        (_, Urgency::Low) => 3,
    }
}

fn tag(state: Option<StateWord>) -> &'static str {
    match state {
        Some(StateWord::Open) => "rotating_light",
        Some(StateWord::Acknowledged) => "raising_hand",
        Some(StateWord::Snoozed) => "zzz",
        Some(StateWord::Resolved) => "white_check_mark",
        None => "bell",
    }
}
