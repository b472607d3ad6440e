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

/// Posts the body; any status of 200 to 299 means that it has been taken.
pub(crate) async fn send(
    config: &WebhookConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = url(config, job, redactor).await?;
    let body = body(config, job);
    let request = Request::post(TARGET, url, "application/json", body.into_bytes(), job);
    let answer = sender.send(request, job.deadline, redactor).await?;
    answer.taken(TARGET, &[])?;
    Ok(Sent::default())
}

/// Returns the configured body, or the usual one where none is configured or a template of it fails.
fn body(config: &WebhookConfig, job: &Job<'_>) -> String {
    let payload = config.payload.as_ref().and_then(|payload| {
        job.texts
            .structure("payload", payload)
            .map_err(|why| job.texts.note(format!("the usual body was sent: {why}")))
            .ok()
    });
    let body = payload.map_or_else(
        || {
            let max_alerts = usize::try_from(config.max_alerts).unwrap_or(usize::MAX);
            WebhookBody::new(job.notification, &job.context.external_url, max_alerts).to_json()
        },
        |payload| payload.to_string(),
    );
    // Alertmanager's body ends with a line feed, and signatures are computed over it.
    body + "\n"
}

async fn url(
    config: &WebhookConfig,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Url, Undelivered> {
    let (field, text) = match (&config.url, &config.url_file) {
        (Some(url), _) => {
            let text = secret::read(SecretSource::Inline(url.secret()), redactor).await?;
            ("url", text.expose().to_owned())
        }
        (None, Some(path)) => {
            let text = secret::read(SecretSource::File(path), redactor).await?;
            ("url_file", text.expose().to_owned())
        }
        (None, None) => {
            let why = format!("{TARGET}: neither `url` nor `url_file` is set");
            return Err(Undelivered::refused(FailureClass::Other, why));
        }
    };
    if !text.contains("{{") {
        return parse_url(TARGET, field, &text);
    }
    redactor.hide(&text);
    // What is wrong with the template is not repeated: it may quote a part of the secret.
    let filled = job.texts.address(TARGET, field, &text).map_err(|_| {
        let why = format!("{TARGET}: the template of `{field}` failed");
        Undelivered::refused(FailureClass::Other, why)
    })?;
    parse_url(TARGET, field, &filled)
}

/// Parses an address that is a secret: the error does not repeat it.
pub(crate) fn parse_url(target: &str, key: &str, text: &str) -> Result<Url, Undelivered> {
    if text.contains("{{") {
        let why = format!("{target}: `{key}` is a template, and has to be an address");
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
