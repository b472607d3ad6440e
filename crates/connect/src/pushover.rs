//! Pushover: pushes to phones.

use reqwest::Url;
use tocsin_config::{PushoverConfig, SecretSource, Template};
use tocsin_template::defaults;

use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::cut;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::key;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "pushover";

/// Where messages go.
const API: &str = "https://api.pushover.net/1/messages.json";

/// The most characters of the title.
const MAX_TITLE_CHARS: usize = 250;

/// The most characters of the text.
const MAX_MESSAGE_CHARS: usize = 1_024;

/// The most characters of the link.
const MAX_URL_CHARS: usize = 512;

/// The most characters of what the link says.
const MAX_URL_TITLE_CHARS: usize = 100;

/// Stands where nothing is left of the text: an empty message is refused.
const NO_TEXT: &str = "(no details)";

/// The priority that is repeated until somebody acknowledges it.
const EMERGENCY: &str = "2";

/// The shortest time between two repetitions that Pushover takes, in seconds.
const MIN_RETRY_SECONDS: u64 = 30;

/// The longest time of repetition that Pushover takes, in seconds.
const MAX_EXPIRE_SECONDS: u64 = 10_800;

/// Pushes one message.
pub(crate) async fn send(
    config: &PushoverConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let token = SecretSource::of(config.token.as_ref(), config.token_file.as_deref());
    let token = key(TARGET, "token", token, job, redactor).await?;
    let user = SecretSource::of(config.user_key.as_ref(), config.user_key_file.as_deref());
    let user = key(TARGET, "user_key", user, job, redactor).await?;
    let url = url(config)?;
    let mut fields = vec![("token", token.expose()), ("user", user.expose())];
    let texts = texts(config, job);
    fields.extend(texts.iter().map(|(name, text)| (*name, text.as_str())));
    let request = Request::form(TARGET, url, &fields, job);
    sender.send(request, job.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}

fn url(config: &PushoverConfig) -> Result<Url, Undelivered> {
    parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))
}

/// Returns the fields of the form that are not keys; what is empty is left out.
fn texts(config: &PushoverConfig, job: &Job<'_>) -> Vec<(&'static str, String)> {
    let fill = |field: &str, template: &Option<Template>, default: &str| {
        job.texts.text(field, template.as_ref(), default)
    };
    let title = fill("title", &config.title, defaults::PUSHOVER_TITLE);
    let link = fill("url", &config.url, defaults::PUSHOVER_URL);
    let default = "{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}";
    let priority = fill("priority", &config.priority, default).trim().to_owned();
    let mut fields = vec![
        ("title", cut(&title, MAX_TITLE_CHARS)),
        ("message", message(config, job)),
        ("url", cut(&link, MAX_URL_CHARS)),
        ("url_title", cut(&fill("url_title", &config.url_title, ""), MAX_URL_TITLE_CHARS)),
        ("device", fill("device", &config.device, "")),
        ("sound", fill("sound", &config.sound, "")),
    ];
    if priority == EMERGENCY {
        let retry = config.retry.as_secs().max(MIN_RETRY_SECONDS);
        fields.push(("retry", retry.to_string()));
        fields.push(("expire", config.expire.as_secs().min(MAX_EXPIRE_SECONDS).to_string()));
    }
    fields.push(("priority", priority));
    for (name, is_set) in [("html", config.html), ("monospace", config.monospace)] {
        if is_set {
            fields.push((name, "1".to_owned()));
        }
    }
    if let Some(ttl) = config.ttl.map(|ttl| ttl.as_secs()).filter(|seconds| *seconds > 0) {
        fields.push(("ttl", ttl.to_string()));
    }
    fields.retain(|(_, text)| !text.is_empty());
    fields
}

fn message(config: &PushoverConfig, job: &Job<'_>) -> String {
    let text = if config.html {
        job.texts.html("message", config.message.as_ref(), defaults::PUSHOVER_MESSAGE)
    } else {
        job.texts.text("message", config.message.as_ref(), defaults::PUSHOVER_MESSAGE)
    };
    let text = cut(&text, MAX_MESSAGE_CHARS);
    let text = text.trim();
    if text.is_empty() { NO_TEXT.to_owned() } else { text.to_owned() }
}
