//! Telegram, as a bot: a message with buttons, changed in place as things go on.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tocsin_config::TelegramChannelConfig;
use tocsin_core::paging::{Content, Urgency};

use super::press::buttons;
use super::{Errand, no_address, unset};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::cut;
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::telegram::judge;
use crate::vendor::below;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "telegram";

/// The most characters of a message, with room for what is said below it.
const MAX_CHARS: usize = 3_900;

/// The most escalations with buttons of their own in one message.
const MAX_BUTTON_ROWS: usize = 10;

/// Which message it was: what is kept to change it later.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Posted {
    chat: Value,
    message: i64,
}

#[derive(Deserialize)]
struct Taken {
    result: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    message_id: i64,
}

/// Sends a message, or changes the one that is there.
pub(super) async fn send(
    config: &TelegramChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let token = config.token().ok_or_else(|| unset(TARGET, "telegram.bot_token"))?;
    let token = secret::read(token, redactor).await?;
    let base = config.api_url.as_ref().ok_or_else(|| unset(TARGET, "telegram.api_url"))?;
    let base = parse_url(TARGET, "api_url", base.as_str())?;
    let bot = format!("bot{}", token.expose());
    let chat = chat(&errand.page.address)?;
    let mut message = message(errand, config.webhook_secret().is_some());
    let earlier = errand.page.receipt.as_deref();
    let earlier: Option<Posted> = earlier.and_then(|receipt| serde_json::from_str(receipt).ok());
    let mut call = async |method: &str, message: &Value| {
        let url = below(&base, &[bot.as_str(), method]);
        let request = Request::json(TARGET, url, message, errand);
        sender.send(request, errand.deadline, redactor).await
    };
    if let Some(earlier) = &earlier {
        if matches!(errand.page.content, Content::Update { .. }) {
            let mut change = message.clone();
            change["chat_id"] = earlier.chat.clone();
            change["message_id"] = json!(earlier.message);
            match judge(&call("editMessageText", &change).await?) {
                Ok(()) => return Ok(Sent { receipt: errand.page.receipt.clone() }),
                Err((said, undelivered)) => match said.description() {
                    // It says that already.
                    said if said.contains("message is not modified") => {
                        return Ok(Sent { receipt: errand.page.receipt.clone() });
                    }
                    said if said.contains("can't be edited") || said.contains("not found") => {}
                    _ => return Err(undelivered),
                },
            }
        } else {
            message["reply_parameters"] =
                json!({ "message_id": earlier.message, "allow_sending_without_reply": true });
        }
    }
    message["chat_id"] = chat.clone();
    message["disable_notification"] = json!(errand.page.urgency == Urgency::Low);
    let answer = call("sendMessage", &message).await?;
    judge(&answer).map_err(|(_, undelivered)| undelivered)?;
    Ok(Sent { receipt: receipt(&answer, chat) })
}

fn receipt(answer: &Answer, chat: Value) -> Option<String> {
    let taken: Taken = serde_json::from_slice(&answer.body).ok()?;
    let message = taken.result?.message_id;
    serde_json::to_string(&Posted { chat, message }).ok()
}

/// Returns the chat: a number, or the `@name` of a channel.
fn chat(address: &str) -> Result<Value, Undelivered> {
    let address = address.trim();
    match address.parse::<i64>() {
        Ok(chat) => Ok(json!(chat)),
        Err(_) if address.len() > 1 && address.starts_with('@') => Ok(json!(address)),
        Err(_) => Err(no_address(TARGET, "is neither a number nor an `@name`")),
    }
}

fn message(errand: &Errand<'_>, has_buttons: bool) -> Value {
    let mut text = format!("<b>{}</b>", escape(&errand.words.subject()));
    if let Some(lines) = errand.words.notice() {
        text.push_str(&format!("\n{}", escape(&lines.join("\n"))));
    }
    let is_bundle = errand.page.content.items().len() > 1;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for (item, words) in errand.words.items() {
        let mut part = String::new();
        if is_bundle {
            part.push_str(&format!("\n\n<b>[{}] {}</b>", words.level, escape(&words.title)));
        }
        for (name, value) in &words.facts {
            part.push_str(&format!("\n{name}: {}", escape(value)));
        }
        for line in &words.alerts {
            part.push_str(&format!("\n• {}", escape(line)));
        }
        if let Some(url) = &words.runbook {
            part.push_str(&format!("\n<a href=\"{}\">Runbook</a>", escape(url)));
        }
        // A part is left out as a whole: half of a tag would cost the message.
        if text.chars().count() + part.chars().count() > MAX_CHARS {
            text.push_str(&format!("\n\n[{}] {}", words.level, escape(&cut(&words.title, 80))));
            continue;
        }
        text.push_str(&part);
        let buttons = buttons(item, errand.page.decided_at);
        if !buttons.is_empty() && rows.len() < MAX_BUTTON_ROWS {
            let own = |button: &super::press::Button| {
                let label = if is_bundle {
                    format!("{} {}", button.label, item.run)
                } else {
                    button.label.to_owned()
                };
                json!({ "text": label, "callback_data": button.press.value() })
            };
            let most = if is_bundle { 2 } else { buttons.len() };
            rows.push(if has_buttons {
                buttons.iter().take(most).map(own).collect()
            } else {
                vec![json!({ "text": "Answer", "url": words.link })]
            });
        }
    }
    json!({
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
        "reply_markup": { "inline_keyboard": rows },
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
