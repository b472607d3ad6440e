//! One text message, in one part where that is possible.

use tocsin_config::TwilioChannelConfig;

use super::{create, number, says};
use crate::failure::Undelivered;
use crate::http::Sender;
use crate::outbound::Sent;
use crate::paging::{Errand, paths, unset};
use crate::redact::Redactor;

/// Sends one message.
pub(in crate::paging) async fn send(
    config: &TwilioChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let to = number(errand)?;
    let body = says::text(config, errand, to.as_str());
    let callback = errand.own_url(paths::TWILIO_STATUS);
    let mut fields = vec![("To", to.as_str()), ("Body", &body), ("StatusCallback", &callback)];
    let from = config.from_number_for(to.as_str());
    let is_override = from != config.from_number.as_ref();
    match (&config.messaging_service_sid, from) {
        (Some(service), _) if !is_override => fields.push(("MessagingServiceSid", service)),
        (_, Some(from)) => fields.push(("From", from.as_str())),
        (_, None) => return Err(unset("twilio", "twilio.from_number")),
    }
    create(config, sender, errand, redactor, "Messages.json", &fields).await
}
