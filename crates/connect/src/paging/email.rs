//! Mail: the page as text and as HTML, with buttons that are signed links.

mod html;

use std::time::SystemTime;

use lettre::Message as Mail;
use lettre::address::Envelope;
use lettre::message::header::{From, HeaderName, HeaderValue, To};
use lettre::message::{Mailbox, Mailboxes, MultiPart};
use tocsin_config::EmailChannelConfig;
use tocsin_core::paging::{Content, Urgency};

use super::{Errand, no_address, unset};
use crate::email::{hand_over, unfit};
use crate::failure::{Undelivered, chain};
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::vendor::run_key;

/// How it is called in errors.
const TARGET: &str = "email";

const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::new_from_ascii_str("X-Tocsin-Idempotency-Key");
const PRIORITY: HeaderName = HeaderName::new_from_ascii_str("X-Priority");
const IMPORTANCE: HeaderName = HeaderName::new_from_ascii_str("Importance");

/// Sends one mail.
pub(super) async fn send(
    config: &EmailChannelConfig,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let mail = compose(config, errand)?;
    hand_over(&config.server(), &mail, errand.deadline, redactor).await?;
    Ok(Sent::default())
}

fn compose(config: &EmailChannelConfig, errand: &Errand<'_>) -> Result<Mail, Undelivered> {
    let from = config.from.as_ref().ok_or_else(|| unset(TARGET, "email.from"))?;
    let from: Mailbox = from
        .text()
        .trim()
        .parse()
        .map_err(|error| unfit(&format!("`channels.email.from` is not an address: {error}")))?;
    let to: Mailbox = errand
        .page
        .address
        .trim()
        .parse()
        .map_err(|error| no_address(TARGET, &format!("is none of mail: {error}")))?;
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()])
        .map_err(|error| no_address(TARGET, &error.to_string()))?;
    let domain = from.email.domain().to_owned();
    let key = errand.idempotency_key;
    let mut builder = Mail::builder()
        .envelope(envelope)
        .subject(errand.words.subject())
        .date(SystemTime::from(errand.page.decided_at))
        .message_id(Some(format!("<tocsin.page.{key}@{domain}>")))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
        .raw_header(HeaderValue::new(IDEMPOTENCY_KEY, key.to_owned()));
    if let [only] = errand.page.content.items() {
        // Mails about one escalation refer to an identifier that belongs to none of them, so that
        // they stand together even when one is missing.
        let id = format!("<{}@{domain}>", run_key(&errand.context.external_url, only.run));
        builder = builder.references(id.clone()).in_reply_to(id);
    }
    let is_page = matches!(errand.page.content, Content::Page { .. });
    if is_page && errand.page.urgency == Urgency::High {
        builder = builder
            .raw_header(HeaderValue::new(PRIORITY, "1".to_owned()))
            .raw_header(HeaderValue::new(IMPORTANCE, "high".to_owned()));
    }
    let mut text = errand.words.plain(|_| None);
    text.push_str(&format!("\n\n-- \nTocsin, {}\n", errand.context.external_url));
    builder
        .mailbox(From::from(Mailboxes::from(from)))
        .mailbox(To::from(Mailboxes::from(to)))
        .multipart(MultiPart::alternative_plain_html(text, html::page(errand)))
        .map_err(|error| unfit(&chain(&error)))
}
