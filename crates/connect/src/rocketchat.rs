//! Rocket.Chat, as a person or a bot.

use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tocsin_config::{RocketchatAction, RocketchatConfig, RocketchatField, SecretSource, Template};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::chat::{own_words, put};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::cut;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::{below, key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "rocketchat";

/// The server when none is set.
const API: &str = "https://open.rocket.chat/";

/// Who posts is proved by these two.
const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const TOKEN_ID: HeaderName = HeaderName::from_static("x-user-id");

/// The most characters of the title.
const MAX_TITLE_CHARS: usize = 1_024;

/// Rocket.Chat's word for "too fast".
const RATE_LIMITED: &str = "error-too-many-requests";

/// What Rocket.Chat answers.
#[derive(Default, Deserialize)]
struct MethodAnswer {
    success: Option<bool>,
    #[serde(default)]
    error: String,
    #[serde(default, rename = "errorType")]
    error_type: String,
}

/// Posts one message.
pub(crate) async fn send(
    config: &RocketchatConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let source = SecretSource::of(config.token.as_ref(), config.token_file.as_deref());
    let token = key(TARGET, "token", source, job, redactor).await?;
    let source = SecretSource::of(config.token_id.as_ref(), config.token_id_file.as_deref());
    let token_id = key(TARGET, "token_id", source, job, redactor).await?;
    let base =
        parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))?;
    let url = below(&base, &["api", "v1", "chat.postMessage"]);
    let channel = config.channel.as_ref().map_or("", Template::text);
    let channel = job.texts.address(TARGET, "channel", channel)?;
    if channel.trim().is_empty() {
        let why = format!("{TARGET}: `channel` is empty");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }

    let request = Request::json(TARGET, url, &message(config, channel.trim(), job), job)
        .with_header(TOKEN, token)
        .with_header(TOKEN_ID, token_id);
    judge(&sender.send(request, job.deadline, redactor).await?)?;
    Ok(Sent::default())
}

fn message(config: &RocketchatConfig, channel: &str, job: &Job<'_>) -> Value {
    let fill = |field: &str, template: &Option<Template>, default: &str| {
        job.texts.text(field, template.as_ref(), default)
    };
    let title = fill("title", &config.title, defaults::ROCKETCHAT_TITLE);
    let text = fill("text", &config.text, defaults::ROCKETCHAT_TEXT);
    let is_empty = title.trim().is_empty() && text.trim().is_empty() && config.fields.is_empty();
    let text = if is_empty { own_words(job) } else { text };

    let mut attachment = Map::new();
    put(&mut attachment, "title", cut(&title, MAX_TITLE_CHARS));
    put(
        &mut attachment,
        "title_link",
        fill("title_link", &config.title_link, defaults::ROCKETCHAT_TITLELINK),
    );
    put(&mut attachment, "text", text);
    put(&mut attachment, "image_url", fill("image_url", &config.image_url, ""));
    put(&mut attachment, "thumb_url", fill("thumb_url", &config.thumb_url, ""));
    put(&mut attachment, "color", fill("color", &config.color, defaults::ROCKETCHAT_COLOR));
    if !config.fields.is_empty() {
        let fields: Vec<Value> =
            config.fields.iter().map(|field| fact(field, config.short_fields, job)).collect();
        attachment.insert("fields".to_owned(), json!(fields));
    }
    if !config.actions.is_empty() {
        let actions: Vec<Value> = config.actions.iter().map(|action| button(action, job)).collect();
        attachment.insert("actions".to_owned(), json!(actions));
    }

    let mut message = Map::new();
    put(&mut message, "channel", channel.to_owned());
    put(&mut message, "emoji", fill("emoji", &config.emoji, defaults::ROCKETCHAT_EMOJI));
    put(&mut message, "avatar", fill("icon_url", &config.icon_url, defaults::ROCKETCHAT_ICONURL));
    if config.link_names {
        message.insert("parseUrls".to_owned(), json!(true));
    }
    message.insert("attachments".to_owned(), json!([attachment]));
    Value::Object(message)
}

fn fact(field: &RocketchatField, short_fields: bool, job: &Job<'_>) -> Value {
    json!({
        "title": job.texts.optional("fields.title", field.title.as_ref()),
        "value": job.texts.optional("fields.value", field.value.as_ref()),
        "short": field.short.unwrap_or(short_fields),
    })
}

/// Returns a button: Rocket.Chat knows no other kind.
fn button(action: &RocketchatAction, job: &Job<'_>) -> Value {
    let mut button = Map::new();
    put(&mut button, "type", "button".to_owned());
    for (name, template) in [
        ("text", &action.text),
        ("url", &action.url),
        ("msg", &action.msg),
        ("image_url", either(&action.image_url, &action.imageurl)),
        ("webview_height_ratio", either(&action.webview_height_ratio, &action.webviewheightratio)),
        ("msg_processing_type", either(&action.msg_processing_type, &action.msgprocessingtype)),
    ] {
        let text = job.texts.optional(&format!("actions.{name}"), template.as_ref());
        put(&mut button, name, text);
    }
    for (name, is_set) in [
        ("is_webview", action.is_webview || action.iswebview),
        ("msg_in_chat_window", action.msg_in_chat_window || action.msginchatwindow),
    ] {
        if is_set {
            button.insert(name.to_owned(), json!(true));
        }
    }
    Value::Object(button)
}

fn either<'a>(one: &'a Option<Template>, other: &'a Option<Template>) -> &'a Option<Template> {
    if one.is_some() { one } else { other }
}

/// The flag counts, not the status: a refusal may come with 200.
fn judge(answer: &Answer) -> Result<(), Undelivered> {
    let said: MethodAnswer = serde_json::from_slice(&answer.body).unwrap_or_default();
    if said.error_type == RATE_LIMITED || said.error.contains(RATE_LIMITED) {
        let why = format!("{TARGET} refused the message: {}", said.error);
        return Err(Undelivered::refused(FailureClass::RateLimited, why)
            .retry_after_ms(answer.retry_after_ms));
    }
    answer.taken(TARGET, &[])?;
    match said.success {
        Some(true) => Ok(()),
        Some(false) => {
            let why = format!("{TARGET} refused the message: {}", said.error);
            Err(Undelivered::refused(FailureClass::ClientError, why))
        }
        None => {
            let why = answer.incomplete.as_deref().unwrap_or("it is not what Rocket.Chat answers");
            let message = format!("{TARGET}: the answer cannot be read: {why}");
            Err(Undelivered::failed(FailureClass::Other, message))
        }
    }
}
