//! What is posted to Slack: one attachment, and how the message around it looks.

use serde_json::{Map, Value, json};
use tocsin_config::{SlackAction, SlackConfig, SlackField, Template};
use tocsin_template::defaults;

use crate::chat::{own_words, put};
use crate::message::{MAX_TITLE_CHARS, cut};
use crate::outbound::Job;

/// The parts of an attachment in which `*bold*` and links are read.
const MARKED_UP: [&str; 3] = ["fallback", "pretext", "text"];

/// The most characters of the other texts; Slack refuses or cuts longer messages.
const MAX_TEXT_CHARS: usize = 38_000;

/// Returns the fields of the message; the channel is none of them.
pub(super) fn message(config: &SlackConfig, job: &Job<'_>) -> Map<String, Value> {
    let fill = |field: &str, template: &Option<Template>, default: &str| {
        cut(&job.texts.text(field, template.as_ref(), default), MAX_TEXT_CHARS)
    };
    let mut message = Map::new();
    put(&mut message, "username", fill("username", &config.username, defaults::SLACK_USERNAME));
    let icon = fill("icon_emoji", &config.icon_emoji, defaults::SLACK_ICONEMOJI);
    put(&mut message, "icon_emoji", icon);
    put(&mut message, "icon_url", fill("icon_url", &config.icon_url, defaults::SLACK_ICONURL));
    put(&mut message, "text", fill("message_text", &config.message_text, ""));
    if config.link_names {
        message.insert("link_names".to_owned(), json!(true));
    }

    let mut attachment = Map::new();
    let title = fill("title", &config.title, defaults::SLACK_TITLE);
    put(&mut attachment, "title", cut(&title, MAX_TITLE_CHARS));
    for (name, template, default) in [
        ("title_link", &config.title_link, defaults::SLACK_TITLELINK),
        ("pretext", &config.pretext, defaults::SLACK_PRETEXT),
        ("text", &config.text, defaults::SLACK_TEXT),
        ("fallback", &config.fallback, defaults::SLACK_FALLBACK),
        ("callback_id", &config.callback_id, defaults::SLACK_CALLBACKID),
        ("footer", &config.footer, defaults::SLACK_FOOTER),
        ("color", &config.color, defaults::SLACK_COLOR),
        ("image_url", &config.image_url, ""),
        ("thumb_url", &config.thumb_url, ""),
    ] {
        put(&mut attachment, name, fill(name, template, default));
    }
    if !config.fields.is_empty() {
        let fields: Vec<Value> =
            config.fields.iter().map(|field| fact(field, config.short_fields, job)).collect();
        attachment.insert("fields".to_owned(), json!(fields));
    }
    if !config.actions.is_empty() {
        let actions: Vec<Value> = config.actions.iter().map(|action| button(action, job)).collect();
        attachment.insert("actions".to_owned(), json!(actions));
    }
    let says = ["title", "pretext", "text", "fields", "image_url"];
    let is_empty = !says.iter().any(|name| attachment.contains_key(*name));
    if is_empty && !message.contains_key("text") {
        put(&mut attachment, "text", escape(&own_words(job)));
    }
    let marked_up = config.mrkdwn_in.as_ref().filter(|parts| !parts.is_empty());
    let marked_up = marked_up.map_or_else(|| json!(MARKED_UP), |parts| json!(parts));
    attachment.insert("mrkdwn_in".to_owned(), marked_up);
    message.insert("attachments".to_owned(), json!([attachment]));
    message
}

fn fact(field: &SlackField, short_fields: bool, job: &Job<'_>) -> Value {
    json!({
        "title": job.texts.optional("fields.title", Some(&field.title)),
        "value": job.texts.optional("fields.value", Some(&field.value)),
        "short": field.short.unwrap_or(short_fields),
    })
}

fn button(action: &SlackAction, job: &Job<'_>) -> Value {
    let mut out = Map::new();
    for (name, template) in [
        ("type", Some(&action.r#type)),
        ("text", Some(&action.text)),
        ("url", action.url.as_ref()),
        ("style", action.style.as_ref()),
        ("name", action.name.as_ref()),
        ("value", action.value.as_ref()),
    ] {
        put(&mut out, name, job.texts.optional(&format!("actions.{name}"), template));
    }
    if let Some(confirm) = &action.confirm {
        let mut question = Map::new();
        for (name, template) in [
            ("text", Some(&confirm.text)),
            ("title", confirm.title.as_ref()),
            ("ok_text", confirm.ok_text.as_ref()),
            ("dismiss_text", confirm.dismiss_text.as_ref()),
        ] {
            let text = job.texts.optional(&format!("actions.confirm.{name}"), template);
            put(&mut question, name, text);
        }
        out.insert("confirm".to_owned(), Value::Object(question));
    }
    Value::Object(out)
}

/// Escapes the three characters that mean something to Slack; above all, `<!channel>` in a label
/// must not call everybody.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
