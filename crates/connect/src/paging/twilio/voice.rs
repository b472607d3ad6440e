//! One call. What is said is fetched from us when somebody picks up.

use jiff::{SignedDuration, Timestamp};
use tocsin_config::TwilioChannelConfig;
use tocsin_core::paging::Recipient;

use super::{create, number, says};
use crate::failure::Undelivered;
use crate::http::{Sender, form};
use crate::outbound::Sent;
use crate::paging::{Call, Errand, paths, unset};
use crate::redact::Redactor;

/// How long keys of a call mean something after it was decided.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The most escalations that one call is about, so that its address stays short enough.
const MAX_RUNS: usize = 50;

/// Starts one call.
pub(in crate::paging) async fn send(
    config: &TwilioChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let to = number(errand)?;
    let from = config.from_number_for(to.as_str());
    let from = from.ok_or_else(|| unset("twilio", "twilio.from_number"))?;
    let url = address(errand);
    let callback = errand.own_url(paths::TWILIO_STATUS);
    let fields = [
        ("To", to.as_str()),
        ("From", from.as_str()),
        ("Url", &url),
        ("Method", "POST"),
        ("StatusCallback", &callback),
        ("StatusCallbackMethod", "POST"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    create(config, sender, errand, redactor, "Calls.json", &fields).await
}

/// Returns from where what is said is fetched.
fn address(errand: &Errand<'_>) -> String {
    let person = match &errand.page.recipient {
        Recipient::Person { person, .. } => Some(person.clone()),
        Recipient::Place { .. } => None,
    };
    let asked_at = errand.page.decided_at;
    let call = Call {
        text: says::speech(errand),
        person,
        runs: errand.page.runs().take(MAX_RUNS).collect(),
        asked_at,
        expires_at: asked_at.checked_add(LIFE).unwrap_or(Timestamp::MAX),
    };
    let token = call.seal(&errand.context.links);
    format!("{}?{}", errand.own_url(paths::TWILIO_VOICE), form(&[("call", &token)]))
}
