//! Slack, as an app: a message with a colour and buttons, changed in place as things go on; what
//! comes later about the same goes into its thread.
//!
//! Methods are called with forms, and the blocks ride in an attachment: services that imitate Slack
//! read nothing else, and Slack itself takes both.

use std::time::Duration;

use reqwest::Url;
use serde_json::{Value, json};
use tocsin_config::{Secret, SlackChannelConfig};
use tocsin_core::paging::{Content, PageItem, StateWord};

use super::press::buttons;
use super::words::{ItemWords, colour};
use super::{Errand, no_address, unset};
use crate::failure::Undelivered;
use crate::http::{Answer, Deadline, Request, Sender, Stamp};
use crate::message::cut;
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::slack::{GONE, Posted, judge_method};
use crate::vendor::below;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "slack";

/// How long a word in private may take.
const RESPOND_TIMEOUT: Duration = Duration::from_secs(10);

/// The most escalations of one message: a message has at most 50 blocks.
const MAX_ITEMS: usize = 12;

/// The most characters of the text in one block.
const MAX_BLOCK_CHARS: usize = 2_900;

/// Posts a message, or changes the one that is there.
pub(super) async fn send(
    config: &SlackChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let to = errand.page.address.trim();
    if to.is_empty() {
        return Err(no_address(TARGET, "is empty"));
    }
    let (deadline, stamp) = (errand.deadline, errand.into());
    let mut api = Api::new(config, sender, stamp, deadline, redactor).await?;
    let message = message(errand, config.has_buttons());
    let earlier = errand.page.receipt.as_deref();
    let earlier: Option<Posted> = earlier.and_then(|receipt| serde_json::from_str(receipt).ok());
    let mut fields = message.clone();
    if let Some(earlier) = &earlier {
        if matches!(errand.page.content, Content::Update { .. }) {
            fields.push(("channel", earlier.channel.clone()));
            fields.push(("ts", earlier.ts.clone()));
            match judge_method(&api.call("chat.update", &fields).await?) {
                // The message keeps its first name, whatever the answer calls it.
                Ok(_) => return Ok(Sent { receipt: errand.page.receipt.clone() }),
                Err((error, _)) if GONE.contains(&error.as_str()) => {}
                Err((_, undelivered)) => return Err(undelivered),
            }
            fields = message;
        } else {
            fields.push(("channel", earlier.channel.clone()));
            fields.push(("thread_ts", earlier.ts.clone()));
            if config.thread_broadcast {
                fields.push(("reply_broadcast", "true".to_owned()));
            }
            judge_method(&api.call("chat.postMessage", &fields).await?)
                .map_err(|(_, undelivered)| undelivered)?;
            return Ok(Sent { receipt: errand.page.receipt.clone() });
        }
    }
    fields.push(("channel", to.to_owned()));
    let answer = api.call("chat.postMessage", &fields).await?;
    let posted = judge_method(&answer).map_err(|(_, undelivered)| undelivered)?.posted();
    Ok(Sent { receipt: posted.and_then(|posted| serde_json::to_string(&posted).ok()) })
}

/// Says something in private to whoever pressed a button, at the address that came with it.
///
/// Only Slack itself is believed to have such addresses, or the service that takes its place.
pub(super) async fn respond(
    config: &SlackChannelConfig,
    sender: &Sender,
    (to, text): (&str, &str),
    now: jiff::Timestamp,
    redactor: &mut Redactor,
) -> Result<(), Undelivered> {
    let url = parse_url(TARGET, "response_url", to)?;
    let own = config.api_url.as_ref().and_then(|url| Url::parse(url.as_str()).ok());
    let is_slacks = url.scheme() == "https" && url.host_str() == Some("hooks.slack.com");
    if !is_slacks && own.is_none_or(|own| own.origin() != url.origin()) {
        return Err(no_address(TARGET, "to respond to is none of Slack's"));
    }
    let body = json!({
        "response_type": "ephemeral",
        "replace_original": false,
        "text": escape(text),
    });
    let stamp = Stamp { idempotency_key: "", now };
    let request = Request::json(TARGET, url, &body, stamp);
    let deadline = Deadline::after(RESPOND_TIMEOUT);
    sender.send(request, deadline, redactor).await?.taken(TARGET, &[])
}

/// Slack's methods, and who calls them.
pub(super) struct Api<'a> {
    base: Url,
    token: Secret,
    sender: &'a Sender,
    stamp: Stamp<'a>,
    deadline: Deadline,
    redactor: &'a mut Redactor,
}

impl<'a> Api<'a> {
    pub(super) async fn new(
        config: &SlackChannelConfig,
        sender: &'a Sender,
        stamp: Stamp<'a>,
        deadline: Deadline,
        redactor: &'a mut Redactor,
    ) -> Result<Self, Undelivered> {
        let token = config.token().ok_or_else(|| unset(TARGET, "slack.bot_token"))?;
        let token = secret::read(token, redactor).await?;
        let base = config.api_url.as_ref().ok_or_else(|| unset(TARGET, "slack.api_url"))?;
        let base = parse_url(TARGET, "api_url", base.as_str())?;
        Ok(Self { base, token, sender, stamp, deadline, redactor })
    }

    /// Calls a method with a form, structures in it being JSON.
    pub(super) async fn call(
        &mut self,
        method: &str,
        fields: &[(&str, String)],
    ) -> Result<Answer, Undelivered> {
        let url = below(&self.base, &[method]);
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request =
            Request::form(TARGET, url, &fields, self.stamp).authorized("Bearer", &self.token);
        self.sender.send(request, self.deadline, self.redactor).await
    }
}

fn message(errand: &Errand<'_>, has_buttons: bool) -> Vec<(&'static str, String)> {
    let subject = errand.words.subject();
    let mut fields = vec![
        ("text", escape(&subject)),
        ("unfurl_links", "false".to_owned()),
        ("unfurl_media", "false".to_owned()),
    ];
    let mut blocks = Vec::new();
    let mut color = "#667085";
    if let Some(lines) = errand.words.notice() {
        blocks.push(section(&escape(&lines.join("\n"))));
    }
    let count = errand.page.content.items().len();
    for (place, (item, words)) in errand.words.items().take(MAX_ITEMS).enumerate() {
        if place == 0 {
            color = colour(item);
        } else {
            blocks.push(json!({ "type": "divider" }));
        }
        put_item(&mut blocks, item, &words, errand, has_buttons);
    }
    if count > MAX_ITEMS {
        blocks.push(section(&format!("and {} more", count - MAX_ITEMS)));
    }
    let attachment = json!([{ "color": color, "fallback": subject, "blocks": blocks }]);
    fields.push(("attachments", attachment.to_string()));
    fields
}

fn put_item(
    blocks: &mut Vec<Value>,
    item: &PageItem,
    words: &ItemWords,
    errand: &Errand<'_>,
    has_buttons: bool,
) {
    let title = format!("*<{}|[{}] {}>*", words.link, words.level, escape(&words.title));
    let state = if words.state.is_empty() { String::new() } else { format!("\n{}", words.state) };
    blocks.push(section(&format!("{title}{}", escape(&state))));
    let facts: Vec<String> =
        words.facts.iter().map(|(name, value)| format!("*{name}* {}", escape(value))).collect();
    blocks.push(json!({
        "type": "context",
        "elements": [{ "type": "mrkdwn", "text": cut(&facts.join("   "), MAX_BLOCK_CHARS) }],
    }));
    let mut lines: Vec<String> =
        words.alerts.iter().map(|line| format!("• {}", escape(line))).collect();
    if let Some(url) = &words.runbook {
        lines.push(format!("<{}|Runbook>", escape(url)));
    }
    if !lines.is_empty() {
        blocks.push(section(&lines.join("\n")));
    }
    if item.state == StateWord::Resolved {
        return;
    }
    let elements: Vec<Value> = if has_buttons {
        let buttons = buttons(item, errand.page.decided_at);
        buttons.iter().enumerate().map(|(place, button)| pressable(place, button)).collect()
    } else {
        vec![json!({
            "type": "button",
            "action_id": "tocsin_link",
            "url": words.link,
            "text": { "type": "plain_text", "text": "Answer" },
        })]
    };
    blocks.push(json!({ "type": "actions", "elements": elements }));
}

fn pressable(place: usize, button: &super::press::Button) -> Value {
    let mut element = json!({
        "type": "button",
        "action_id": format!("tocsin_{place}"),
        "value": button.press.value(),
        "text": { "type": "plain_text", "text": button.label },
    });
    if button.is_first {
        element["style"] = json!("primary");
    }
    element
}

fn section(text: &str) -> Value {
    let text = cut(text, MAX_BLOCK_CHARS);
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// Takes away what Slack would read as its mark-up for mentions and links.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
