//! Webex, as a bot; `http_config.authorization` carries its token.

use serde_json::json;
use tocsin_config::WebexConfig;
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::chat::{cut_bytes, own_words};
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "webex";

/// Where messages go.
const API: &str = "https://webexapis.com/v1/messages";

/// The most bytes of a text.
const MAX_MESSAGE_BYTES: usize = 7_439;

/// Posts one message.
pub(crate) async fn send(
    config: &WebexConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url =
        parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))?;
    let room = job.texts.address(TARGET, "room_id", config.room_id.text())?;
    if room.trim().is_empty() {
        let why = format!("{TARGET}: `room_id` is empty");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }
    let text = job.texts.text("message", config.message.as_ref(), defaults::WEBEX_MESSAGE);
    let text = if text.trim().is_empty() { own_words(job) } else { text };
    let body = json!({ "markdown": cut_bytes(&text, MAX_MESSAGE_BYTES), "roomId": room.trim() });
    let request = Request::json(TARGET, url, &body, job);
    sender.send(request, job.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}
