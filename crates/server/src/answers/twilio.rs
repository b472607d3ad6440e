//! Twilio: text messages that people sent, and what became of ours.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_connect::paging::paths;
use tocsin_core::command::Command;
use tocsin_core::identity::{Actor, Who};
use tocsin_core::paging::{Channel, PageState, Receipt, Spoken};

use super::proof::{is_twilios, secret};
use super::{Counts, Untold, not_set_up, tell, unproved};
use crate::App;
use crate::access::Caller;
use crate::front::escape;

/// The most characters of a text that is looked at.
const MAX_TEXT_CHARS: usize = 200;

/// The most characters of a provider's words that are kept.
const MAX_DETAIL_CHARS: usize = 200;

/// Words to which Twilio and carriers reply themselves; they drop anything else that is sent then.
const STOP_WORDS: [&str; 6] = ["stop", "stopall", "unsubscribe", "cancel", "end", "quit"];

/// A form that Twilio posted, proved to be from there.
pub(super) struct Posted(Vec<(String, String)>);

impl Posted {
    /// Reads and proves a form that was posted to one of our paths.
    pub(super) async fn read(
        app: &App,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<Self, Response> {
        let channels = Arc::clone(&app.reloader.current().channels);
        let config = &channels.twilio;
        let Some(token) = secret(config.token()).await else {
            return Err(not_set_up("`channels.twilio.auth_token`"));
        };
        let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let base = app.options.external_url.trim_end_matches('/');
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{base}/{path}{query}");
        let signature = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok());
        let signature = signature.unwrap_or_default();
        let is_good = is_twilios(&token, &url, &form, signature);
        let alternate = if is_good { None } else { secret(config.alternate_token()).await };
        if is_good || alternate.is_some_and(|token| is_twilios(&token, &url, &form, signature)) {
            return Ok(Self(form));
        }
        Err(unproved(
            "X-Twilio-Signature does not fit; is --web.external-url the address that Twilio calls?",
        ))
    }

    pub(super) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value.as_str())
    }
}

/// Returns who is behind what Twilio tells.
pub(super) fn from_twilio(caller: &Caller) -> Actor {
    Actor { who: Who::Service("twilio".to_owned()), ..caller.actor.clone() }
}

/// Takes a text message that somebody sent, and replies.
pub(super) async fn text_message(
    State(app): State<Arc<App>>,
    Extension(counts): Extension<Arc<Counts>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let posted = match Posted::read(&app, paths::TWILIO_SMS, None, &headers, &body).await {
        Ok(posted) => posted,
        Err(refusal) => return refusal,
    };
    let from = posted.value("From").to_owned();
    let text: String = posted.value("Body").chars().take(MAX_TEXT_CHARS).collect();
    let is_stop = STOP_WORDS.contains(&text.trim().to_ascii_lowercase().as_str());
    let spoken = Spoken { channel: Channel::Sms, address: from.clone(), text };
    let reply = match tell(&app, from_twilio(&caller), Command::Spoken(spoken)).await {
        Ok(answered) if answered.has_changed || answered.text.is_empty() => answered.text,
        Ok(answered) => {
            if counts.may_explain(&from) {
                answered.text
            } else {
                String::new()
            }
        }
        Err(Untold::Rejected(why)) => why,
        // Twilio does not ask again by itself; whoever wrote should know.
        Err(Untold::Trouble(why)) => why,
    };
    if reply.is_empty() || is_stop {
        return twiml("");
    }
    twiml(&format!("<Message>{}</Message>", escape(&reply)))
}

/// Takes what became of a message or a call.
pub(super) async fn status(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let posted = match Posted::read(&app, paths::TWILIO_STATUS, None, &headers, &body).await {
        Ok(posted) => posted,
        Err(refusal) => return refusal,
    };
    let Some(receipt) = receipt(&posted) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    match tell(&app, from_twilio(&caller), Command::Receipt(receipt)).await {
        Err(Untold::Trouble(why)) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        Ok(_) | Err(Untold::Rejected(_)) => StatusCode::NO_CONTENT.into_response(),
    }
}

fn receipt(posted: &Posted) -> Option<Receipt> {
    let (channel, sid, state) = match posted.value("CallSid") {
        "" => {
            let state = match posted.value("MessageStatus") {
                "sent" => PageState::Sent,
                "delivered" => PageState::Delivered,
                "read" => PageState::Seen,
                "failed" | "undelivered" | "canceled" => PageState::Failed,
                _ => return None,
            };
            (Channel::Sms, posted.value("MessageSid"), state)
        }
        sid => {
            let state = match posted.value("CallStatus") {
                "ringing" => PageState::Sent,
                "in-progress" | "answered" => PageState::Seen,
                "completed" => PageState::Delivered,
                "busy" | "no-answer" | "failed" | "canceled" => PageState::Failed,
                _ => return None,
            };
            (Channel::Voice, sid, state)
        }
    };
    if sid.is_empty() {
        return None;
    }
    let word = [posted.value("MessageStatus"), posted.value("CallStatus")].concat();
    let detail = match (posted.value("ErrorCode"), posted.value("ErrorMessage")) {
        ("", _) => word,
        (code, "") => format!("{word}, error {code}"),
        (code, message) => format!("{word}, error {code}: {message}"),
    };
    let detail = detail.chars().filter(|c| !c.is_control()).take(MAX_DETAIL_CHARS).collect();
    Some(Receipt { channel, receipt: sid.to_owned(), state, detail })
}

/// Returns what Twilio is to do; it takes no empty body with 200.
pub(super) fn twiml(inside: &str) -> Response {
    let xml =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>{inside}</Response>\n");
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response()
}
