//! incident.io, by an alert source of type Alertmanager.

use reqwest::Url;
use serde_json::{Value as Json, json};
use tocsin_config::{IncidentioConfig, SecretSource};
use tocsin_core::notification::FailureClass;
use tocsin_wire::webhook::WebhookBody;

use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::secret;
use crate::vendor::key;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "incidentio";

/// The version of the body.
const VERSION: &str = "1";

/// The most bytes of a body.
const MAX_BODY_BYTES: usize = 512 * 1024;

/// Posts the group.
pub(crate) async fn send(
    config: &IncidentioConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = url(config, redactor).await?;
    let mut request = Request::post(TARGET, url, "application/json", body(config, job), job);
    let token = SecretSource::of(
        config.alert_source_token.as_ref(),
        config.alert_source_token_file.as_deref(),
    );
    if token.is_some() {
        let token = key(TARGET, "alert_source_token", token, job, redactor).await?;
        request = request.authorized("Bearer", &token);
    }
    sender.send(request, job.deadline, redactor).await?.taken(TARGET, &[429])?;
    Ok(Sent::default())
}

async fn url(config: &IncidentioConfig, redactor: &mut Redactor) -> Result<Url, Undelivered> {
    match (&config.url, &config.url_file) {
        (Some(url), _) => parse_url(TARGET, "url", url.as_str()),
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

/// Returns the body. One that is too long keeps the first alert alone: incident.io makes one alert
/// of the group, so the others are worth less than being told at all.
fn body(config: &IncidentioConfig, job: &Job<'_>) -> Vec<u8> {
    let max_alerts = usize::try_from(config.max_alerts).unwrap_or(usize::MAX);
    let body = encoded(job, max_alerts);
    if body.len() <= MAX_BODY_BYTES {
        return body;
    }
    job.texts.note(format!(
        "all alerts but the first left out: the message has {} bytes, and {MAX_BODY_BYTES} are taken",
        body.len()
    ));
    encoded(job, 1)
}

fn encoded(job: &Job<'_>, max_alerts: usize) -> Vec<u8> {
    let body = WebhookBody::new(job.notification, &job.context.external_url, max_alerts);
    let mut body = serde_json::to_value(&body).unwrap_or_default();
    if let Json::Object(fields) = &mut body {
        fields.insert("version".to_owned(), json!(VERSION));
        // A group that is cut short is as alive as a whole one.
        let status = if job.notification.is_firing() { "firing" } else { "resolved" };
        fields.insert("status".to_owned(), json!(status));
    }
    serde_json::to_vec(&body).unwrap_or_default()
}
