//! Programs of the user's own: the page as JSON, signed as Standard Webhooks describes it.
//!
//! Source: <https://www.standardwebhooks.com>, "Standard Webhooks" 1.0.0.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use reqwest::header::HeaderName;
use sha2::Sha256;
use tocsin_config::{Secret, WebhookChannelConfig};
use tocsin_wire::page::PageBody;

use super::Errand;
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "webhook";

/// How secrets begin that are written in base64.
const ENCODED: &str = "whsec_";

/// Posts one page.
pub(super) async fn send(
    config: &WebhookChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = parse_url(TARGET, "address", &errand.page.address)?;
    let links: Vec<String> = errand.words.items().map(|(_, words)| words.link).collect();
    let text = errand.words.plain(|_| None);
    let subject = errand.words.subject();
    let body = PageBody::new(errand.page, &subject, &text, &links);
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let seconds = errand.now.as_second().to_string();
    let header =
        |name: &'static str, value: String| (HeaderName::from_static(name), Secret::new(value));
    let mut headers = vec![
        header("webhook-id", errand.idempotency_key.to_owned()),
        header("webhook-timestamp", seconds.clone()),
    ];
    if let Some(secret) = config.secret() {
        let secret = secret::read(secret, redactor).await?;
        let signature = signature(secret.expose(), errand.idempotency_key, &seconds, &body);
        headers.push(header("webhook-signature", signature));
    }
    let mut request = Request::post(TARGET, url, "application/json", body, errand);
    request.headers = headers;
    sender.send(request, errand.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}

fn signature(secret: &str, id: &str, seconds: &str, body: &[u8]) -> String {
    let decoded = secret.strip_prefix(ENCODED).and_then(|text| BASE64_STANDARD.decode(text).ok());
    let key = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    // A key of this kind may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the libraries of Standard Webhooks.
    #[test]
    fn the_signature_is_the_standards() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signature(secret, id, "1614265330", body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
