//! Slack, by incoming webhook or as an app.

mod attachment;

use reqwest::Url;
use serde::Deserialize;
use tocsin_config::{SecretSource, SlackConfig};
use tocsin_core::notification::FailureClass;

use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::message::Message;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::secret;
use crate::webhook::parse_url;

/// How Slack is called in errors.
const TARGET: &str = "slack";

/// The method that posts as an app.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";

/// Slack's words for "too fast".
const RATE_LIMITED: [&str; 2] = ["ratelimited", "rate_limited"];

/// Slack's words for its own trouble; the same request may work a moment later.
const OWN_TROUBLE: [&str; 4] =
    ["internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// Slack's words for a token that is not good, or not good enough.
const BAD_TOKEN: [&str; 9] = [
    "not_authed",
    "invalid_auth",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "no_permission",
    "missing_scope",
    "not_allowed_token_type",
    "ekm_access_denied",
];

/// What Slack's methods answer, whatever the HTTP status.
#[derive(Deserialize)]
struct MethodAnswer {
    ok: Option<bool>,
    #[serde(default)]
    error: String,
}

/// Posts one message.
pub(crate) async fn send(
    config: &SlackConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let token = match config.app_token() {
        Some(source) => Some(secret::read(source, redactor).await?),
        None => None,
    };
    let url = match &token {
        Some(_) => {
            let url = config.app_url.as_ref().map_or(POST_MESSAGE, |url| url.as_str());
            parse_url(TARGET, "app_url", url)?
        }
        None => webhook_url(config, redactor).await?,
    };
    let is_app = token.is_some();
    if is_app && config.channel.literal().is_none_or(str::is_empty) {
        let why = format!("{TARGET}: an app needs a `channel` that is not a template");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }
    let message = Message::new(job.notification);
    let body = attachment::request(config, &message, &job.context.external_url);
    let content_type = "application/json; charset=utf-8";
    let mut request = Request::post(TARGET, url, content_type, body.to_string().into_bytes(), job);
    if let Some(token) = &token {
        request = request.authorized("Bearer", token);
    }
    let answer = sender.send(request, job.deadline, redactor).await?;
    if is_app {
        judge_method(&answer)?
    } else {
        judge_webhook(&answer)?
    }
    Ok(Sent::default())
}

async fn webhook_url(config: &SlackConfig, redactor: &mut Redactor) -> Result<Url, Undelivered> {
    match (&config.api_url, &config.api_url_file) {
        (Some(url), _) => parse_url(TARGET, "api_url", url.expose()),
        (None, Some(path)) => {
            let text = secret::read(SecretSource::File(path), redactor).await?;
            parse_url(TARGET, "api_url_file", text.expose())
        }
        (None, None) => {
            let why = format!("{TARGET}: neither `api_url` nor `app_token` is set");
            Err(Undelivered::refused(FailureClass::Other, why))
        }
    }
}

/// An incoming webhook says `ok` as text; services that imitate Slack may answer JSON or nothing.
fn judge_webhook(answer: &Answer) -> Result<(), Undelivered> {
    if !answer.is_success() {
        return Err(status(answer));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("ok") {
        return Ok(());
    }
    match serde_json::from_str::<MethodAnswer>(text) {
        Ok(MethodAnswer { ok: Some(false), error }) => Err(refusal(answer, &error)),
        Ok(_) => Ok(()),
        Err(_) => Err(Undelivered::refused(
            FailureClass::ClientError,
            format!("{TARGET} took the message but said: {text}"),
        )),
    }
}

/// A method answers JSON, and 200 even when it refuses.
fn judge_method(answer: &Answer) -> Result<(), Undelivered> {
    let parsed = serde_json::from_slice::<MethodAnswer>(&answer.body).ok();
    match parsed {
        Some(MethodAnswer { ok: Some(true), .. }) if answer.is_success() => Ok(()),
        Some(MethodAnswer { ok: Some(false), error }) if answer.status < 500 => {
            Err(refusal(answer, &error))
        }
        _ if !answer.is_success() => Err(status(answer)),
        _ => {
            let why = answer.incomplete.as_deref().unwrap_or("it is not what Slack answers");
            Err(Undelivered::failed(
                FailureClass::Other,
                format!("{TARGET}: the answer cannot be read: {why}"),
            ))
        }
    }
}

fn refusal(answer: &Answer, error: &str) -> Undelivered {
    let message = format!("{TARGET} refused the message: {error}");
    let undelivered = if RATE_LIMITED.contains(&error) || answer.status == 429 {
        Undelivered::refused(FailureClass::RateLimited, message)
    } else if OWN_TROUBLE.contains(&error) {
        Undelivered::failed(FailureClass::ServerError, message)
    } else if BAD_TOKEN.contains(&error) {
        Undelivered::refused(FailureClass::AuthError, message)
    } else {
        Undelivered::refused(FailureClass::ClientError, message)
    };
    undelivered.retry_after_ms(answer.retry_after_ms)
}

fn status(answer: &Answer) -> Undelivered {
    Undelivered::status(TARGET, answer.status, answer.retry_after_ms, &answer.body)
}
