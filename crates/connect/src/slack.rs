//! Slack, by incoming webhook or as an app.

mod attachment;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tocsin_config::{Secret, SecretSource, SlackConfig};
use tocsin_core::notification::FailureClass;

use crate::chat::put;
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::secret;
use crate::vendor::step_key;
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

/// Slack's words for a message that cannot be changed any more: it is posted anew.
pub(crate) const GONE: [&str; 6] = [
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "channel_not_found",
    "is_inactive",
    "update_failed",
];

/// What Slack's methods answer, whatever the HTTP status.
#[derive(Default, Deserialize)]
pub(crate) struct MethodAnswer {
    ok: Option<bool>,
    #[serde(default)]
    error: String,
    channel: Option<String>,
    ts: Option<String>,
    /// Where services that imitate Slack say it.
    #[serde(rename = "TS")]
    other_ts: Option<String>,
    message: Option<PostedMessage>,
}

#[derive(Deserialize)]
struct PostedMessage {
    ts: Option<String>,
}

/// Which message of which channel the group has: what is kept to change it later.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

impl MethodAnswer {
    pub(crate) fn posted(self) -> Option<Posted> {
        let ts = self.ts.or(self.message.and_then(|message| message.ts)).or(self.other_ts)?;
        Some(Posted { channel: self.channel?, ts }).filter(|posted| !posted.ts.is_empty())
    }
}

/// Posts one message, or changes the one that the group has.
pub(crate) async fn send(
    config: &SlackConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let message = attachment::message(config, job);
    let channel = job.texts.address(TARGET, "channel", config.channel.text())?;
    let channel = channel.trim();
    let Some(source) = config.app_token() else {
        return by_webhook(config, sender, job, redactor, message, channel).await;
    };
    let token = secret::read(source, redactor).await?;
    if channel.is_empty() {
        let why = format!("{TARGET}: `channel` is empty, and an app needs one");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }
    let url = config.app_url.as_ref().map_or(POST_MESSAGE, |url| url.as_str());
    let url = parse_url(TARGET, "app_url", url)?;
    let mut app = App { url, token, sender, job, redactor };
    let earlier = job.receipt.filter(|_| config.update_message);
    let earlier: Option<Posted> = earlier.and_then(|receipt| serde_json::from_str(receipt).ok());
    let mut is_second = false;
    if let Some(earlier) = earlier {
        let answer = app.update(&message, &earlier).await?;
        match judge_method(&answer) {
            // The message keeps its first name, whatever the answer calls it.
            Ok(_) => return Ok(Sent { receipt: job.receipt.map(str::to_owned) }),
            Err((error, _)) if GONE.contains(&error.as_str()) => is_second = true,
            Err((_, undelivered)) => return Err(undelivered),
        }
    }
    let answer = app.post(message, channel, is_second).await?;
    let posted = judge_method(&answer).map_err(|(_, undelivered)| undelivered)?.posted();
    let receipt = posted.filter(|_| config.update_message);
    Ok(Sent { receipt: receipt.and_then(|posted| serde_json::to_string(&posted).ok()) })
}

async fn by_webhook(
    config: &SlackConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
    mut message: Map<String, Value>,
    channel: &str,
) -> Result<Sent, Undelivered> {
    let url = webhook_url(config, redactor).await?;
    put(&mut message, "channel", channel.to_owned());
    let body = Value::Object(message).to_string().into_bytes();
    let content_type = "application/json; charset=utf-8";
    let request = Request::post(TARGET, url, content_type, body, job);
    judge_webhook(&sender.send(request, job.deadline, redactor).await?)?;
    Ok(Sent::default())
}

/// Slack's methods, and who calls them.
struct App<'a, 'j> {
    url: Url,
    token: Secret,
    sender: &'a Sender,
    job: &'a Job<'j>,
    redactor: &'a mut Redactor,
}

impl App<'_, '_> {
    async fn post(
        &mut self,
        mut message: Map<String, Value>,
        channel: &str,
        is_second: bool,
    ) -> Result<Answer, Undelivered> {
        put(&mut message, "channel", channel.to_owned());
        let step = if is_second {
            step_key(self.job, "anew")
        } else {
            self.job.idempotency_key.to_owned()
        };
        self.call(self.url.clone(), &message, &step).await
    }

    async fn update(
        &mut self,
        message: &Map<String, Value>,
        earlier: &Posted,
    ) -> Result<Answer, Undelivered> {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().pop().push("chat.update");
        }
        let mut message = message.clone();
        // The name and the picture of a message never change.
        for fixed in ["username", "icon_emoji", "icon_url"] {
            message.remove(fixed);
        }
        put(&mut message, "channel", earlier.channel.clone());
        put(&mut message, "ts", earlier.ts.clone());
        let step = self.job.idempotency_key.to_owned();
        self.call(url, &message, &step).await
    }

    /// Methods take a form, with structures in it as JSON; services that imitate Slack often read
    /// nothing else.
    async fn call(
        &mut self,
        url: Url,
        message: &Map<String, Value>,
        own_key: &str,
    ) -> Result<Answer, Undelivered> {
        let fields: Vec<(&str, String)> = message
            .iter()
            .map(|(name, value)| {
                (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect();
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request =
            Request::form(TARGET, url, &fields, self.job).authorized("Bearer", &self.token);
        let request = Request { idempotency_key: own_key, ..request };
        self.sender.send(request, self.job.deadline, self.redactor).await
    }
}

async fn webhook_url(config: &SlackConfig, redactor: &mut Redactor) -> Result<Url, Undelivered> {
    match (&config.api_url, &config.api_url_file) {
        (Some(url), _) => {
            let text = secret::read(SecretSource::Inline(url.secret()), redactor).await?;
            parse_url(TARGET, "api_url", text.expose())
        }
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
        Ok(MethodAnswer { ok: Some(false), error, .. }) => Err(refusal(answer, &error)),
        Ok(_) => Ok(()),
        Err(_) => Err(Undelivered::refused(
            FailureClass::ClientError,
            format!("{TARGET} took the message but said: {text}"),
        )),
    }
}

/// A method answers JSON, and 200 even when it refuses. Errors carry Slack's word for them.
pub(crate) fn judge_method(answer: &Answer) -> Result<MethodAnswer, (String, Undelivered)> {
    let said = serde_json::from_slice::<MethodAnswer>(&answer.body).ok();
    let unreadable = |why: &str| {
        let message = format!("{TARGET}: the answer cannot be read: {why}");
        Err((String::new(), Undelivered::failed(FailureClass::Other, message)))
    };
    match said {
        Some(said) if said.ok == Some(true) && answer.is_success() => {
            // Nobody sees a message that is in no channel.
            if said.channel.as_deref() == Some("") {
                return unreadable("it names no channel");
            }
            Ok(said)
        }
        Some(said) if said.ok == Some(false) && answer.status < 500 => {
            let undelivered = refusal(answer, &said.error);
            Err((said.error, undelivered))
        }
        _ if !answer.is_success() => Err((String::new(), status(answer))),
        _ => unreadable(answer.incomplete.as_deref().unwrap_or("it is not what Slack answers")),
    }
}

pub(crate) fn refusal(answer: &Answer, error: &str) -> Undelivered {
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
