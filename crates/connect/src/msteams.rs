//! Microsoft Teams, by the retired connector.

use serde_json::{Value, json};
use tocsin_config::MsteamsConfig;
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::chat::{fit, own_words, webhook_url};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;

/// How it is called in errors.
const TARGET: &str = "msteams";

/// The most bytes of a message; Teams refuses larger ones.
pub(crate) const MAX_BODY_BYTES: usize = 28 * 1024;

/// The bar while something fires.
const RED: &str = "8C1A1A";

/// The bar when all has ended.
const GREEN: &str = "2DC72D";

/// What stands before the status that Teams gave to the connector, which answers 200 itself.
const FAILED_WITHIN: &str = "returned HTTP error ";

/// Posts one card.
pub(crate) async fn send(
    config: &MsteamsConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let (url, file) = (config.webhook_url.as_ref(), config.webhook_url_file.as_deref());
    let url = webhook_url(TARGET, url, file, redactor).await?;
    let request = Request::json(TARGET, url, &card(config, job), job);
    judge(&sender.send(request, job.deadline, redactor).await?)?;
    Ok(Sent::default())
}

fn card(config: &MsteamsConfig, job: &Job<'_>) -> Value {
    let texts = job.texts;
    let title = texts.text("title", config.title.as_ref(), defaults::MSTEAMS_TITLE);
    let summary = texts.text("summary", config.summary.as_ref(), defaults::MSTEAMS_SUMMARY);
    let text = texts.text("text", config.text.as_ref(), defaults::MSTEAMS_TEXT);
    let is_empty = [&title, &summary, &text].iter().all(|text| text.trim().is_empty());
    let text = if is_empty { own_words(job) } else { text };
    let color = if job.notification.is_firing() { RED } else { GREEN };
    let build = |text: &str| {
        json!({
            "@context": "http://schema.org/extensions",
            "@type": "MessageCard",
            "title": title,
            "summary": summary,
            "text": text,
            "themeColor": color,
        })
    };
    let (card, is_cut) = fit(&text, MAX_BODY_BYTES, build);
    if is_cut {
        texts.note(format!("`text` was cut: a card has at most {MAX_BODY_BYTES} bytes"));
    }
    card
}

/// The connector answers 200 with `1`, and 200 with a sentence when Teams behind it refused.
fn judge(answer: &Answer) -> Result<(), Undelivered> {
    answer.taken(TARGET, &[])?;
    let text = String::from_utf8_lossy(&answer.body);
    let Some((_, rest)) = text.split_once(FAILED_WITHIN) else {
        if text.to_lowercase().contains("delivery failed") {
            let why = format!("{TARGET} took the message but said: {}", text.trim());
            return Err(Undelivered::refused(FailureClass::Other, why));
        }
        return Ok(());
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let status = digits.parse().unwrap_or(0);
    Err(Undelivered::status(TARGET, status, answer.retry_after_ms, &answer.body))
}
