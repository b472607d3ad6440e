//! Discord, by incoming webhook.

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tocsin_config::DiscordConfig;
use tocsin_template::defaults;

use crate::chat::{own_words, put, wait_ms, webhook_url};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::cut;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;

/// How it is called in errors.
const TARGET: &str = "discord";

/// The most characters of the title.
const MAX_TITLE_CHARS: usize = 256;

/// The most characters of the text in the embed.
const MAX_MESSAGE_CHARS: usize = 4_096;

/// The most characters of the text above it.
const MAX_CONTENT_CHARS: usize = 2_000;

/// The most characters of a name.
const MAX_NAME_CHARS: usize = 80;

/// The bar while something fires.
const RED: u32 = 0x99_2D22;

/// The bar when all has ended.
const GREEN: u32 = 0x2E_CC71;

/// What Discord says beside a status that is not a success.
#[derive(Deserialize)]
struct Refusal {
    retry_after: Option<f64>,
}

/// Posts one message.
pub(crate) async fn send(
    config: &DiscordConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let (url, file) = (config.webhook_url.as_ref(), config.webhook_url_file.as_deref());
    let url = webhook_url(TARGET, url, file, redactor).await?;
    let request = Request::json(TARGET, url, &message(config, job), job);
    judge(&sender.send(request, job.deadline, redactor).await?)?;
    Ok(Sent::default())
}

fn message(config: &DiscordConfig, job: &Job<'_>) -> Value {
    let texts = job.texts;
    let title = texts.text("title", config.title.as_ref(), defaults::DISCORD_TITLE);
    let text = texts.text("message", config.message.as_ref(), defaults::DISCORD_MESSAGE);
    let content = texts.optional("content", config.content.as_ref());
    let is_empty = [&title, &text, &content].iter().all(|text| text.trim().is_empty());
    let text = if is_empty { own_words(job) } else { text };

    let mut embed = Map::new();
    put(&mut embed, "title", cut(&title, MAX_TITLE_CHARS));
    put(&mut embed, "description", cut(&text, MAX_MESSAGE_CHARS));
    let mut message = Map::new();
    put(&mut message, "content", cut(&content, MAX_CONTENT_CHARS));
    let name = texts.optional("username", config.username.as_ref());
    put(&mut message, "username", cut(name.trim(), MAX_NAME_CHARS));
    put(&mut message, "avatar_url", avatar(config, job));
    // Discord refuses an embed of which nothing can be seen.
    if !embed.is_empty() {
        let color = if job.notification.is_firing() { RED } else { GREEN };
        embed.insert("color".to_owned(), json!(color));
        message.insert("embeds".to_owned(), json!([embed]));
    }
    Value::Object(message)
}

/// Returns the picture to post as; what is not an address would cost the whole message.
fn avatar(config: &DiscordConfig, job: &Job<'_>) -> String {
    let avatar = job.texts.optional("avatar_url", config.avatar_url.as_ref());
    let is_web =
        Url::parse(avatar.trim()).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web && !avatar.trim().is_empty() {
        job.texts.note("`avatar_url` is not an http or https address and was left out");
    }
    if is_web { avatar.trim().to_owned() } else { String::new() }
}

fn judge(answer: &Answer) -> Result<(), Undelivered> {
    let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let wait = wait_ms(answer, refusal.and_then(|refusal| refusal.retry_after));
    answer.taken(TARGET, &[]).map_err(|undelivered| undelivered.retry_after_ms(wait))
}
