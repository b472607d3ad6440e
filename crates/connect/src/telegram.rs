//! Telegram, as a bot.

use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_config::{SecretSource, TelegramConfig, TelegramParseMode};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::chat::{own_words, wait_ms};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::cut;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::secret;
use crate::vendor::{below, key, step_key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "telegram";

/// Where bots are spoken for.
const API: &str = "https://api.telegram.org";

/// The most characters of a text.
const MAX_MESSAGE_CHARS: usize = 4_096;

/// What Telegram says about mark-up that it cannot read.
const BAD_MARK_UP: &str = "can't parse entities";

/// What Telegram answers, whatever the HTTP status.
#[derive(Default, Deserialize)]
pub(crate) struct MethodAnswer {
    ok: Option<bool>,
    error_code: Option<u16>,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

impl MethodAnswer {
    /// Returns what Telegram says is wrong.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<f64>,
    migrate_to_chat_id: Option<i64>,
}

/// Sends one message. Mark-up that Telegram cannot read, such as a tag that was cut in half, does
/// not cost the page: the same is sent as plain text.
pub(crate) async fn send(
    config: &TelegramConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let source = SecretSource::of(config.bot_token.as_ref(), config.bot_token_file.as_deref());
    let token = key(TARGET, "bot_token", source, job, redactor).await?;
    let base =
        parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))?;
    let url = below(&base, &[&format!("bot{}", token.expose()), "sendMessage"]);

    let mode = parse_mode(config.parse_mode);
    let text = text(config, job);
    let mut message = json!({
        "chat_id": chat(config, redactor).await?,
        "text": text,
        "disable_web_page_preview": true,
        "disable_notification": config.disable_notifications,
    });
    if let Some(thread) = config.message_thread_id.filter(|thread| *thread != 0) {
        message["message_thread_id"] = json!(thread);
    }
    if let Some(mode) = mode {
        message["parse_mode"] = json!(mode);
    }

    let mut step = String::new();
    let [mut may_move, mut may_be_plain] = [true, mode.is_some()];
    loop {
        let mut request = Request::json(TARGET, url.clone(), &message, job);
        let own_key = step_key(job, &step);
        if !step.is_empty() {
            request.idempotency_key = &own_key;
        }
        let answer = sender.send(request, job.deadline, redactor).await?;
        let Err((said, undelivered)) = judge(&answer) else { return Ok(Sent::default()) };
        let new_chat = said.parameters.and_then(|parameters| parameters.migrate_to_chat_id);
        if let Some(chat) = new_chat.filter(|_| may_move) {
            may_move = false;
            job.texts.note(format!("the chat moved; set `chat_id: {chat}`"));
            message["chat_id"] = json!(chat);
            step.push_str("moved");
        } else if may_be_plain && said.description.contains(BAD_MARK_UP) {
            may_be_plain = false;
            job.texts.note(format!("sent as plain text: {}", said.description));
            message["text"] = json!(plain(&text, config.parse_mode));
            message.as_object_mut().map(|message| message.remove("parse_mode"));
            step.push_str("plain");
        } else {
            return Err(undelivered);
        }
    }
}

fn parse_mode(mode: TelegramParseMode) -> Option<&'static str> {
    match mode {
        TelegramParseMode::Html => Some("HTML"),
        TelegramParseMode::Markdown => Some("Markdown"),
        TelegramParseMode::MarkdownV2 => Some("MarkdownV2"),
        TelegramParseMode::Plain => None,
    }
}

fn text(config: &TelegramConfig, job: &Job<'_>) -> String {
    let default = defaults::TELEGRAM_MESSAGE;
    let is_html = config.parse_mode == TelegramParseMode::Html;
    let text = if is_html {
        job.texts.html("message", config.message.as_ref(), default)
    } else {
        job.texts.text("message", config.message.as_ref(), default)
    };
    let text = match (text.trim().is_empty(), is_html) {
        (false, _) => text,
        (true, false) => own_words(job),
        (true, true) => {
            own_words(job).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        }
    };
    cut(&text, MAX_MESSAGE_CHARS)
}

/// Returns the text without what was meant as HTML; other mark-up reads well as it is.
fn plain(text: &str, mode: TelegramParseMode) -> String {
    if mode != TelegramParseMode::Html {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let is_tag = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        if !is_tag {
            out.push('<');
            rest = after;
            continue;
        }
        // A tag without an end is what was cut off.
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    for (entity, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'")]
    {
        out = out.replace(entity, character);
    }
    let out = out.replace("&amp;", "&");
    if out.trim().is_empty() { text.to_owned() } else { out }
}

/// Returns the chat: a number, or the `@name` of a channel in a file.
async fn chat(config: &TelegramConfig, redactor: &mut Redactor) -> Result<Value, Undelivered> {
    if let Some(chat) = config.chat_id {
        return Ok(json!(chat));
    }
    let refused = |why: &str| Err(Undelivered::refused(FailureClass::Other, why));
    let Some(path) = &config.chat_id_file else { return refused("telegram: `chat_id` is not set") };
    let text = secret::read(SecretSource::File(path), redactor).await?;
    let text = text.expose().trim();
    match text.parse::<i64>() {
        Ok(chat) => Ok(json!(chat)),
        Err(_) if text.len() > 1 && text.starts_with('@') => Ok(json!(text)),
        Err(_) => refused("telegram: `chat_id_file` holds neither a number nor an `@name`"),
    }
}

pub(crate) fn judge(answer: &Answer) -> Result<(), (MethodAnswer, Undelivered)> {
    let said: MethodAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() && said.ok == Some(true) {
        return Ok(());
    }
    let undelivered = if answer.is_success() && said.ok.is_none() {
        let why = answer.incomplete.as_deref().unwrap_or("it is not what Telegram answers");
        let message = format!("{TARGET}: the answer cannot be read: {why}");
        Undelivered::failed(FailureClass::Other, message)
    } else {
        let status = said.error_code.unwrap_or(answer.status);
        let seconds = said.parameters.as_ref().and_then(|parameters| parameters.retry_after);
        let text = if said.description.is_empty() {
            answer.body.as_slice()
        } else {
            said.description.as_bytes()
        };
        Undelivered::status(TARGET, status, wait_ms(answer, seconds), text)
    };
    Err((said, undelivered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_reads_well_without_its_tags() {
        let html = TelegramParseMode::Html;
        assert_eq!(plain("<b>A &lt; B</b> &amp;lt; <a hre…", html), "A < B &lt; ");
        assert_eq!(plain("1 < 2", html), "1 < 2");
        assert_eq!(plain("*b* &lt;", TelegramParseMode::MarkdownV2), "*b* &lt;");
    }
}
