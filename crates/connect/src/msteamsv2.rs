//! Microsoft Teams, by a workflow that takes adaptive cards.

use serde_json::{Value, json};
use tocsin_config::Msteamsv2Config;
use tocsin_template::defaults;

use crate::chat::{fit, own_words, webhook_url};
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::msteams::MAX_BODY_BYTES;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;

/// How it is called in errors.
const TARGET: &str = "msteamsv2";

/// Posts one card.
pub(crate) async fn send(
    config: &Msteamsv2Config,
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

fn message(config: &Msteamsv2Config, job: &Job<'_>) -> Value {
    let texts = job.texts;
    let title = texts.text("title", config.title.as_ref(), defaults::MSTEAMSV2_TITLE);
    let text = texts.text("text", config.text.as_ref(), defaults::MSTEAMSV2_TEXT);
    let is_empty = title.trim().is_empty() && text.trim().is_empty();
    let text = if is_empty { own_words(job) } else { text };
    let color = if job.notification.is_firing() { "Attention" } else { "Good" };
    let (message, is_cut) = fit(&text, MAX_BODY_BYTES, |text| card(&title, text, color));
    if is_cut {
        texts.note(format!("`text` was cut: a card has at most {MAX_BODY_BYTES} bytes"));
    }
    message
}

fn card(title: &str, text: &str, color: &str) -> Value {
    let heading = json!({
        "type": "TextBlock",
        "text": title,
        "weight": "Bolder",
        "size": "Medium",
        "wrap": true,
        "style": "heading",
        "color": color,
    });
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [heading, { "type": "TextBlock", "text": text, "wrap": true }],
        "msteams": { "width": "full" },
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}
