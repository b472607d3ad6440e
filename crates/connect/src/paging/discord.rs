//! Discord, by the address of a webhook: an embed with links, changed in place as things go on.

use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tocsin_core::paging::{Content, StateWord};

use super::Errand;
use super::words::colour_number;
use crate::chat::{cut_bytes, wait_ms};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::cut;
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "discord";

/// The most characters of a title.
const MAX_TITLE_CHARS: usize = 256;

/// The most bytes of one text, so that ten of them stay below the 6000 characters of a message.
const MAX_TEXT_BYTES: usize = 550;

/// The same where there is only one.
const MAX_ONLY_TEXT_BYTES: usize = 3_500;

/// The most escalations of one message.
const MAX_ITEMS: usize = 10;

#[derive(Deserialize)]
struct Refusal {
    retry_after: Option<f64>,
}

/// Which message it was: what is kept to change it later.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Posted {
    id: String,
}

/// Posts, or changes the message that is there.
pub(super) async fn send(
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = parse_url(TARGET, "address", &errand.page.address)?;
    let body = message(errand);
    let earlier = errand.page.receipt.as_deref();
    let earlier: Option<Posted> = earlier.and_then(|receipt| serde_json::from_str(receipt).ok());
    if let (Some(earlier), Content::Update { .. }) = (&earlier, &errand.page.content) {
        let request = Request::json(TARGET, of_message(&url, &earlier.id), &body, errand);
        let request = request.with_method(Method::PATCH);
        let answer = sender.send(request, errand.deadline, redactor).await?;
        if answer.status != 404 {
            judge(&answer)?;
            return Ok(Sent { receipt: errand.page.receipt.clone() });
        }
    }
    let mut url = url;
    // Only then does the answer name the message.
    url.query_pairs_mut().append_pair("wait", "true");
    let request = Request::json(TARGET, url, &body, errand);
    let answer = sender.send(request, errand.deadline, redactor).await?;
    judge(&answer)?;
    let posted: Option<Posted> = serde_json::from_slice(&answer.body).ok();
    Ok(Sent { receipt: posted.and_then(|posted| serde_json::to_string(&posted).ok()) })
}

fn of_message(url: &Url, id: &str) -> Url {
    crate::vendor::below(url, &["messages", id])
}

fn judge(answer: &Answer) -> Result<(), Undelivered> {
    let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let wait = wait_ms(answer, refusal.and_then(|refusal| refusal.retry_after));
    answer.taken(TARGET, &[]).map_err(|undelivered| undelivered.retry_after_ms(wait))
}

fn message(errand: &Errand<'_>) -> Value {
    let mut embeds = Vec::new();
    if let Some(lines) = errand.words.notice() {
        embeds.push(json!({ "description": escape(&cut(&lines.join("\n"), 2_000)) }));
    }
    let count = errand.page.content.items().len();
    let most = if count > 1 { MAX_TEXT_BYTES } else { MAX_ONLY_TEXT_BYTES };
    for (item, words) in errand.words.items().take(MAX_ITEMS) {
        let mut lines = Vec::new();
        if !words.state.is_empty() {
            lines.push(format!("**{}**", escape(&words.state)));
        }
        lines.extend(
            words.facts.iter().map(|(name, value)| format!("**{name}:** {}", escape(value))),
        );
        lines.extend(words.alerts.iter().map(|line| format!("• {}", escape(line))));
        let mut links = Vec::new();
        if let Some(url) = &words.runbook {
            links.push(format!("[Runbook]({url})"));
        }
        if item.state != StateWord::Resolved {
            links.insert(0, format!("[Answer]({})", words.link));
        }
        let links = links.join(" · ");
        let room = most.saturating_sub(links.len().min(most / 2));
        let text = cut_bytes(&lines.join("\n"), room.max(40));
        embeds.push(json!({
            "title": cut(&format!("[{}] {}", words.level, words.title), MAX_TITLE_CHARS),
            "url": words.link,
            "description": format!("{text}\n{links}"),
            "color": colour_number(item),
        }));
    }
    let more = if count > MAX_ITEMS {
        format!(", {} not shown", count - MAX_ITEMS)
    } else {
        String::new()
    };
    json!({
        "content": cut(&format!("{}{more}", errand.words.subject()), 2_000),
        "embeds": embeds,
        // What an alert says rings for nobody by itself.
        "allowed_mentions": { "parse": [] },
    })
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
