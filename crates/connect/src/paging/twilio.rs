//! Text messages and calls by Twilio's API, or that of a service that speaks like it.
//!
//! Source: Twilio, "Messages resource", "Calls resource" and "Error and warning dictionary".

mod says;
pub(super) mod sms;
pub(super) mod voice;

use serde::Deserialize;
use tocsin_config::{PhoneNumber, Secret, TwilioChannelConfig};
use tocsin_core::notification::FailureClass;

use super::{Errand, no_address, unset};
use crate::failure::Undelivered;
use crate::http::{Answer, Request, Sender, basic_authorization};
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::vendor::below;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "twilio";

/// The version of the API, the first part of every path.
const VERSION: &str = "2010-04-01";

/// Twilio's codes for "too fast" and "too many at once".
const TOO_FAST: [u32; 3] = [20429, 14107, 21611];

/// Twilio's codes for a token or an account that is not good.
const BAD_ACCOUNT: [u32; 4] = [20003, 20005, 20006, 10001];

/// What Twilio answers, on success and otherwise.
#[derive(Default, Deserialize)]
struct Reply {
    sid: Option<String>,
    code: Option<u32>,
    message: Option<String>,
}

/// Creates a message or a call and returns its identifier, by which what becomes of it is told.
async fn create(
    config: &TwilioChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
    resource: &str,
    fields: &[(&str, &str)],
) -> Result<Sent, Undelivered> {
    let account =
        config.account_sid.as_deref().ok_or_else(|| unset(TARGET, "twilio.account_sid"))?;
    let token = config.token().ok_or_else(|| unset(TARGET, "twilio.auth_token"))?;
    let token = secret::read(token, redactor).await?;
    // Errors repeat the number, and numbers are nobody's business.
    redactor.hide(&errand.page.address);
    let url = config.api_url.as_ref().ok_or_else(|| unset(TARGET, "twilio.api_url"))?;
    let url = parse_url(TARGET, "api_url", url.as_str())?;
    let url = below(&url, &[VERSION, "Accounts", account, resource]);
    let mut request = Request::form(TARGET, url, fields, errand);
    let authorization = basic_authorization(account, token.expose(), redactor);
    request.authorization = Some(Secret::new(authorization));
    let answer = sender.send(request, errand.deadline, redactor).await?;
    judge(&answer)
}

fn judge(answer: &Answer) -> Result<Sent, Undelivered> {
    let said: Reply = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() {
        // Without an identifier nobody knows whether there is a message.
        let sid = said.sid.filter(|sid| !sid.is_empty());
        return match sid {
            Some(sid) => Ok(Sent { receipt: Some(sid) }),
            None => {
                let why = answer.incomplete.as_deref().unwrap_or("it names no message");
                let message = format!("{TARGET}: the answer cannot be read: {why}");
                Err(Undelivered::failed(FailureClass::Other, message).in_doubt())
            }
        };
    }
    let undelivered = match (said.code, &said.message) {
        (Some(code), message) if answer.status < 500 => {
            let message = message.as_deref().unwrap_or("no reason is given");
            let message = format!("{TARGET} refused it: {code} {message}");
            if TOO_FAST.contains(&code) || answer.status == 429 {
                Undelivered::refused(FailureClass::RateLimited, message).retried()
            } else if BAD_ACCOUNT.contains(&code) || answer.status == 401 {
                Undelivered::refused(FailureClass::AuthError, message)
            } else {
                Undelivered::refused(FailureClass::ClientError, message)
            }
        }
        _ => Undelivered::status(TARGET, answer.status, answer.retry_after_ms, &answer.body),
    };
    Err(undelivered.retry_after_ms(answer.retry_after_ms))
}

/// Returns the number that is called.
fn number(errand: &Errand<'_>) -> Result<PhoneNumber, Undelivered> {
    PhoneNumber::parse(&errand.page.address)
        .map_err(|why| no_address(TARGET, &format!("is not a phone number: {why}")))
}
