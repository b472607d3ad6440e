//! Mattermost, as a bot: a post with buttons, changed in place; what comes later goes into its
//! thread.

use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tocsin_config::{MattermostChannelConfig, Secret};
use tocsin_core::notification::FailureClass;
use tocsin_core::paging::{Content, StateWord};

use super::press::buttons;
use super::words::colour;
use super::{Errand, no_address, paths, unset};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::cut;
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::vendor::below;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "mattermost";

/// The most characters of a text.
const MAX_TEXT_CHARS: usize = 16_000;

/// How many characters an identifier has.
const ID_CHARS: usize = 26;

/// The most escalations of one post.
const MAX_ITEMS: usize = 20;

/// What the signature that rides along in a button is for.
pub const PURPOSE: &str = "mattermost";

#[derive(Deserialize)]
struct Created {
    id: String,
}

/// Which post it was: what is kept to change it later.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Posted {
    channel: String,
    post: String,
}

/// Posts, or changes the post that is there.
pub(super) async fn send(
    config: &MattermostChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let base = config.url.as_ref().ok_or_else(|| unset(TARGET, "mattermost.url"))?;
    let base = parse_url(TARGET, "url", base.as_str())?;
    let token = config.token().ok_or_else(|| unset(TARGET, "mattermost.token"))?;
    let token = secret::read(token, redactor).await?;
    let mut api = Api { base, token, sender, errand, redactor };
    let (text, attachments) = message(errand);
    let earlier = errand.page.receipt.as_deref();
    let earlier: Option<Posted> = earlier.and_then(|receipt| serde_json::from_str(receipt).ok());
    let props = json!({ "attachments": attachments });
    let mut post = json!({ "message": text, "props": props });
    if let Some(earlier) = &earlier {
        if matches!(errand.page.content, Content::Update { .. }) {
            let path = ["posts", earlier.post.as_str(), "patch"];
            let answer = api.call(Method::PUT, &path, Some(&post)).await?;
            // A post that is gone is posted anew.
            if !matches!(answer.status, 403 | 404) {
                answer.taken(TARGET, &[])?;
                return Ok(Sent { receipt: errand.page.receipt.clone() });
            }
        } else {
            post["root_id"] = json!(earlier.post);
        }
    }
    let channel = match earlier.as_ref().filter(|_| post.get("root_id").is_some()) {
        Some(earlier) => earlier.channel.clone(),
        None => channel(&mut api).await?,
    };
    post["channel_id"] = json!(channel);
    let created = api.created(&["posts"], &post).await?;
    if earlier.is_some() && post.get("root_id").is_some() {
        return Ok(Sent { receipt: errand.page.receipt.clone() });
    }
    let posted = Posted { channel, post: created };
    Ok(Sent { receipt: serde_json::to_string(&posted).ok() })
}

/// Returns the channel: that of an identifier, or the talk with a person.
async fn channel(api: &mut Api<'_, '_>) -> Result<String, Undelivered> {
    let address = api.errand.page.address.trim();
    if address.len() == ID_CHARS && address.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(address.to_owned());
    }
    let name = address.trim_start_matches('@');
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(no_address(TARGET, "is neither the id of a channel nor a user name"));
    }
    let other = api.found(&["users", "username", name]).await?;
    let own = api.found(&["users", "me"]).await?;
    api.created(&["channels", "direct"], &json!([own, other])).await
}

/// The server, and who asks it.
struct Api<'a, 'e> {
    base: Url,
    token: Secret,
    sender: &'a Sender,
    errand: &'a Errand<'e>,
    redactor: &'a mut Redactor,
}

impl Api<'_, '_> {
    async fn call(
        &mut self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Answer, Undelivered> {
        let url = below(&below(&self.base, &["api", "v4"]), path);
        let request = match body {
            Some(body) => Request::json(TARGET, url, body, self.errand),
            None => Request::get(TARGET, url, self.errand),
        };
        let request = request.with_method(method).authorized("Bearer", &self.token);
        self.sender.send(request, self.errand.deadline, self.redactor).await
    }

    async fn found(&mut self, path: &[&str]) -> Result<String, Undelivered> {
        identifier(&self.call(Method::GET, path, None).await?)
    }

    async fn created(&mut self, path: &[&str], body: &Value) -> Result<String, Undelivered> {
        identifier(&self.call(Method::POST, path, Some(body)).await?)
    }
}

fn identifier(answer: &Answer) -> Result<String, Undelivered> {
    answer.taken(TARGET, &[])?;
    match serde_json::from_slice::<Created>(&answer.body) {
        Ok(created) if !created.id.is_empty() => Ok(created.id),
        _ => {
            let why = answer.incomplete.as_deref().unwrap_or("it has no `id`");
            let message = format!("{TARGET}: the answer cannot be read: {why}");
            Err(Undelivered::failed(FailureClass::Other, message))
        }
    }
}

fn message(errand: &Errand<'_>) -> (String, Vec<Value>) {
    let mut text = format!("**{}**", escape(&errand.words.subject()));
    if let Some(lines) = errand.words.notice() {
        text.push_str(&format!("\n{}", escape(&lines.join("\n"))));
    }
    let url = errand.own_url(paths::MATTERMOST);
    let mut attachments = Vec::new();
    for (item, words) in errand.words.items().take(MAX_ITEMS) {
        let mut lines: Vec<String> =
            words.alerts.iter().map(|line| format!("* {}", escape(line))).collect();
        if let Some(runbook) = &words.runbook {
            lines.push(format!("[Runbook]({runbook})"));
        }
        if !words.state.is_empty() {
            lines.insert(0, format!("**{}**", escape(&words.state)));
        }
        let facts: Vec<Value> = words
            .facts
            .iter()
            .map(|(name, value)| json!({ "title": name, "value": escape(value), "short": true }))
            .collect();
        let actions: Vec<Value> = buttons(item, errand.page.decided_at)
            .iter()
            .enumerate()
            .map(|(place, button)| {
                let press = button.press.value();
                // Only the server keeps what rides along; the signature says that it is ours.
                let token = errand.context.links.seal(PURPOSE, press.as_bytes());
                let style = if button.is_first { "primary" } else { "default" };
                json!({
                    "id": format!("tocsin{place}"),
                    "type": "button",
                    "name": button.label,
                    "style": style,
                    "integration": { "url": url, "context": { "press": token } },
                })
            })
            .collect();
        let mut attachment = json!({
            "fallback": errand.words.subject(),
            "color": colour(item),
            "title": format!("[{}] {}", words.level, words.title),
            "title_link": words.link,
            "text": cut(&lines.join("\n"), MAX_TEXT_CHARS),
            "fields": facts,
        });
        if item.state != StateWord::Resolved {
            attachment["actions"] = json!(actions);
        }
        attachments.push(attachment);
    }
    (cut(&text, MAX_TEXT_CHARS), attachments)
}

/// Takes away what would be read as Markdown or as a mention.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~') {
            out.push('\\');
        }
        out.push(c);
        // A mention would ring for people who are not meant.
        if c == '@' {
            out.push('\u{200b}');
        }
    }
    out
}
