//! Mattermost, by incoming webhook.

use serde_json::{Map, Value, json};
use tocsin_config::{
    MattermostAttachment, MattermostConfig, MattermostField, MattermostPriority, Template,
};
use tocsin_template::defaults;

use crate::chat::{own_words, put, webhook_url};
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::cut;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;

/// How it is called in errors.
const TARGET: &str = "mattermost";

/// The most characters of a text; Mattermost splits longer ones.
const MAX_TEXT_CHARS: usize = 16_383;

/// Posts one message.
pub(crate) async fn send(
    config: &MattermostConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let (url, file) = (config.webhook_url.as_ref(), config.webhook_url_file.as_deref());
    let url = webhook_url(TARGET, url, file, redactor).await?;
    let request = Request::json(TARGET, url, &message(config, job), job);
    sender.send(request, job.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}

fn message(config: &MattermostConfig, job: &Job<'_>) -> Value {
    let texts = job.texts;
    let text = texts.text("text", config.text.as_ref(), defaults::MATTERMOST_TEXT);
    let own = own_attachment(config);
    let attachments: Vec<Value> = own
        .iter()
        .chain(&config.attachments)
        .map(|config| attachment(config, job))
        .filter(|attachment| attachment.as_object().is_some_and(|fields| !fields.is_empty()))
        .collect();
    let is_empty = text.trim().is_empty() && attachments.is_empty();
    let text = if is_empty { own_words(job) } else { text };

    let mut message = Map::new();
    put(&mut message, "text", cut(&text, MAX_TEXT_CHARS));
    put(&mut message, "channel", texts.optional("channel", config.channel.as_ref()));
    put(
        &mut message,
        "username",
        texts.text("username", config.username.as_ref(), defaults::MATTERMOST_USERNAME),
    );
    put(&mut message, "icon_url", texts.optional("icon_url", config.icon_url.as_ref()));
    put(&mut message, "icon_emoji", texts.optional("icon_emoji", config.icon_emoji.as_ref()));
    if !attachments.is_empty() {
        message.insert("attachments".to_owned(), json!(attachments));
    }
    let card = config.props.as_ref().and_then(|props| props.card.as_ref());
    let card = texts.optional("props.card", card);
    if !card.is_empty() {
        message.insert("props".to_owned(), json!({ "card": cut(&card, MAX_TEXT_CHARS) }));
    }
    if let Some(priority) = config.priority.as_ref().and_then(|config| priority(config, job)) {
        message.insert("priority".to_owned(), priority);
    }
    Value::Object(message)
}

/// Returns the attachment that the keys of the receiver itself describe, if any of them is set.
/// What is not set of it says what the built-in templates say.
fn own_attachment(config: &MattermostConfig) -> Option<MattermostAttachment> {
    let named = |template: &Option<Template>, default: &str| {
        Some(template.clone().unwrap_or_else(|| Template::new(default)))
    };
    let attachment = MattermostAttachment {
        fallback: config.fallback.clone(),
        color: config.color.clone(),
        pretext: config.pretext.clone(),
        text: None,
        author_name: config.author_name.clone(),
        author_link: config.author_link.clone(),
        author_icon: config.author_icon.clone(),
        title: config.title.clone(),
        title_link: config.title_link.clone(),
        fields: config.fields.clone(),
        thumb_url: config.thumb_url.clone(),
        footer: config.footer.clone(),
        footer_icon: config.footer_icon.clone(),
        image_url: config.image_url.clone(),
    };
    (attachment != MattermostAttachment::default()).then(|| MattermostAttachment {
        fallback: named(&config.fallback, defaults::MATTERMOST_FALLBACK),
        color: named(&config.color, defaults::MATTERMOST_COLOR),
        title: named(&config.title, defaults::MATTERMOST_TITLE),
        title_link: named(&config.title_link, defaults::MATTERMOST_TITLELINK),
        ..attachment
    })
}

fn attachment(config: &MattermostAttachment, job: &Job<'_>) -> Value {
    let mut attachment = Map::new();
    for (name, template) in [
        ("fallback", &config.fallback),
        ("color", &config.color),
        ("pretext", &config.pretext),
        ("text", &config.text),
        ("author_name", &config.author_name),
        ("author_link", &config.author_link),
        ("author_icon", &config.author_icon),
        ("title", &config.title),
        ("title_link", &config.title_link),
        ("thumb_url", &config.thumb_url),
        ("footer", &config.footer),
        ("footer_icon", &config.footer_icon),
        ("image_url", &config.image_url),
    ] {
        let text = job.texts.optional(&format!("attachment {name}"), template.as_ref());
        put(&mut attachment, name, cut(&text, MAX_TEXT_CHARS));
    }
    if !config.fields.is_empty() {
        let fields: Vec<Value> = config.fields.iter().map(|field| fact(field, job)).collect();
        attachment.insert("fields".to_owned(), json!(fields));
    }
    Value::Object(attachment)
}

fn fact(field: &MattermostField, job: &Job<'_>) -> Value {
    json!({
        "title": job.texts.optional("fields.title", field.title.as_ref()),
        "value": job.texts.optional("fields.value", field.value.as_ref()),
        "short": field.short.unwrap_or(false),
    })
}

/// Returns how urgent the message is, as far as Mattermost takes it: acknowledgements are asked for
/// above `standard` only, and reminders are for what is `urgent`.
fn priority(config: &MattermostPriority, job: &Job<'_>) -> Option<Value> {
    let priority = job.texts.optional("priority", config.priority.as_ref());
    let priority = priority.trim().to_lowercase();
    if priority.is_empty() {
        return None;
    }
    let is_known = ["urgent", "important", "standard"].contains(&priority.as_str());
    if !is_known {
        job.texts.note("`priority` is none of urgent, important, standard; standard was sent");
    }
    let priority = if is_known { priority } else { "standard".to_owned() };
    let mut out = Map::new();
    if config.requested_ack && priority != "standard" {
        out.insert("requested_ack".to_owned(), json!(true));
    }
    if config.persistent_notifications && priority == "urgent" {
        out.insert("persistent_notifications".to_owned(), json!(true));
    }
    put(&mut out, "priority", priority);
    Some(Value::Object(out))
}
