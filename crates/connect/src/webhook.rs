//! Webhooks: the group as JSON, posted to an address of the user's own.

use reqwest::Url;
use tocsin_config::{SecretSource, WebhookConfig};
use tocsin_core::notification::FailureClass;
use tocsin_wire::webhook::WebhookBody;

use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::secret;

/// How a webhook is called in errors.
const TARGET: &str = "webhook";

/// Posts the built-in body; any status of 200 to 299 means that it has been taken.
pub(crate) async fn send(
    config: &WebhookConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = url(config, redactor).await?;
    let max_alerts = usize::try_from(config.max_alerts).unwrap_or(usize::MAX);
    let body = WebhookBody::new(job.notification, &job.context.external_url, max_alerts);
    // Alertmanager's body ends with a line feed, and signatures are computed over it.
    let body = body.to_json() + "\n";
    let request = Request::post(TARGET, url, "application/json", body.into_bytes(), job);
    let answer = sender.send(request, job.deadline, redactor).await?;
    answer.taken(TARGET, &[])?;
    Ok(Sent::default())
}

async fn url(config: &WebhookConfig, redactor: &mut Redactor) -> Result<Url, Undelivered> {
    match (&config.url, &config.url_file) {
        (Some(url), _) => parse_url(TARGET, "url", url.expose()),
        (None, Some(path)) => {
            let text = secret::read(SecretSource::File(path), redactor).await?;
            parse_url(TARGET, "url_file", text.expose())
        }
        (None, None) => {
            let why = format!("{TARGET}: neither `url` nor `url_file` is set");
            Err(Undelivered::refused(FailureClass::Other, why))
        }
    }
}

/// Parses an address that is a secret: the error does not repeat it.
pub(crate) fn parse_url(target: &str, key: &str, text: &str) -> Result<Url, Undelivered> {
    if text.contains("{{") {
        let why = format!("{target}: `{key}` is a template, which this release does not fill in");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => {
            let why = format!("{target}: `{key}` is not an http or https address");
            Err(Undelivered::refused(FailureClass::Other, why))
        }
    }
}
