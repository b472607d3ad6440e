//! From a notification to a mail: who, what about, and the two bodies.

use std::time::SystemTime;

use lettre::Message as Mail;
use lettre::address::Envelope;
use lettre::message::header::{From, HeaderName, HeaderValue, To};
use lettre::message::{Mailbox, Mailboxes, MultiPart, SinglePart};
use tocsin_config::{EmailConfig, Template};
use tocsin_core::notification::FailureClass;

use super::{layout, unfit};
use crate::failure::{Undelivered, chain};
use crate::message::{Message, one_line};
use crate::outbound::Job;

/// The header that lets a mailbox rule see that a mail has been sent before.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::new_from_ascii_str("X-Tocsin-Idempotency-Key");

/// Headers that describe the body; changing them would make it unreadable.
const OF_THE_BODY: [&str; 3] = ["content-type", "content-transfer-encoding", "mime-version"];

/// The most recipients of one mail; servers rarely take more (RFC 5321, section 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;

/// Composes the mail.
pub(super) fn mail(config: &EmailConfig, job: &Job<'_>) -> Result<Mail, Undelivered> {
    let message = Message::new(job.notification);
    let from = config.from.as_ref().ok_or_else(|| unfit("no `from` is set"))?;
    let from: Mailbox = address("from", from)?;
    let to: Mailboxes = address("to", &config.to)?;
    let recipients: Vec<_> = to.iter().map(|mailbox| mailbox.email.clone()).collect();
    if recipients.len() > MAX_RECIPIENTS {
        return Err(unfit(&format!("`to` has more than {MAX_RECIPIENTS} recipients")));
    }
    let envelope = Envelope::new(Some(from.email.clone()), recipients)
        .map_err(|error| unfit(&format!("`to`: {error}")))?;
    let id = message_id(job, from.email.domain());
    let builder = Mail::builder()
        .mailbox(From::from(Mailboxes::from(from)))
        .mailbox(To::from(to))
        .envelope(envelope)
        .subject(&message.title)
        .date(SystemTime::from(job.notification.decided_at))
        .message_id(Some(id))
        .raw_header(HeaderValue::new(IDEMPOTENCY_KEY, one_line(job.idempotency_key)));

    let external_url = job.context.external_url.as_str();
    let text = body(config.text.as_ref(), || layout::text(&message, external_url));
    let html = body(config.html.as_ref(), || layout::html(&message, external_url));
    let mail = match (text, html) {
        (Some(text), Some(html)) => {
            builder.multipart(MultiPart::alternative_plain_html(text, html))
        }
        (None, Some(html)) => builder.singlepart(SinglePart::html(html)),
        (Some(text), None) => builder.singlepart(SinglePart::plain(text)),
        (None, None) => builder.singlepart(SinglePart::plain(layout::text(&message, external_url))),
    };
    let mut mail = mail.map_err(|error| unfit(&chain(&error)))?;
    for (name, value) in &config.headers {
        // What a template would say there is unknown; the built-in subject is a good one.
        if let Some(value) = value.literal()
            && !OF_THE_BODY.contains(&name.to_ascii_lowercase().as_str())
        {
            mail.headers_mut().insert_raw(HeaderValue::new(header_name(name)?, one_line(value)));
        }
    }
    Ok(mail)
}

/// Returns a body: the setting when it is plain text, none when it is empty, else the built-in.
fn body(setting: Option<&Template>, built_in: impl FnOnce() -> String) -> Option<String> {
    match setting.and_then(Template::literal) {
        Some("") => None,
        Some(text) => Some(text.to_owned()),
        None => Some(built_in()),
    }
}

fn address<T>(key: &str, setting: &Template) -> Result<T, Undelivered>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let Some(text) = setting.literal() else {
        return Err(unfit(&format!("`{key}` is a template, which this release does not fill in")));
    };
    text.parse().map_err(|error| {
        let message = format!("email: `{key}` is not a list of addresses: {error}");
        Undelivered::refused(FailureClass::ClientError, message)
    })
}

fn header_name(name: &str) -> Result<HeaderName, Undelivered> {
    let is_printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    HeaderName::new_from_ascii(name.to_owned())
        .ok()
        .filter(|_| is_printable)
        .ok_or_else(|| unfit(&format!("`{name}` is not a header name")))
}

/// Returns the same identifier for every attempt of one message, and another one for any other
/// message: mail servers drop what they have seen before, and keys start anew with the data.
fn message_id(job: &Job<'_>, domain: &str) -> String {
    let key: String = job
        .idempotency_key
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '.' })
        .collect();
    let decided_at = job.notification.decided_at.as_nanosecond();
    format!("<tocsin.{decided_at:x}.{key}@{domain}>")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::message::tests::{alert, notification};
    use crate::outbound::tests::with_job;

    fn config() -> EmailConfig {
        EmailConfig {
            to: Template::new("Ada <ada@example.org>, ops@example.org"),
            from: Some(Template::new("tocsin@example.org")),
            ..EmailConfig::default()
        }
    }

    fn formatted(config: &EmailConfig) -> String {
        let alert = alert(&[("alertname", "Größe")], &[("summary", "voll")]);
        with_job(&notification(&[("alertname", "Größe")], vec![alert]), |job| {
            let mail = mail(config, job).unwrap_or_else(|error| panic!("{error:?}"));
            String::from_utf8(mail.formatted()).unwrap()
        })
    }

    fn refusal(config: &EmailConfig) -> String {
        with_job(&notification(&[], vec![alert(&[], &[])]), |job| {
            format!("{:?}", mail(config, job).unwrap_err())
        })
    }

    #[test]
    fn a_mail_has_both_bodies_and_a_stable_identifier() {
        let mail = formatted(&config());
        for part in [
            "From: tocsin@example.org\r\n",
            "To: Ada <ada@example.org>, ops@example.org\r\n",
            "Subject: [FIRING:1] =?utf-8?b?R3LDtsOfZQ==?=\r\n",
            "Date: Fri, 20 Nov 2026 15:05:00 +0000\r\n",
            "Message-ID: <tocsin.18e9c927f8dd1800.1-42@example.org>\r\n",
            "X-Tocsin-Idempotency-Key: 1-42\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(mail.contains(part), "{part} is missing:\n{mail}");
        }
        assert!(mail.is_ascii());
    }

    #[test]
    fn the_users_headers_win_whatever_their_spelling() {
        let headers = BTreeMap::from([
            ("SUBJECT".to_owned(), Template::new("Alarm\r\nBcc: evil@example.org")),
            ("reply-to".to_owned(), Template::new("ops@example.org")),
            ("X-Team".to_owned(), Template::new("{{ .team }}")),
            ("content-type".to_owned(), Template::new("text/plain")),
        ]);
        let mail = formatted(&EmailConfig { headers, ..config() });
        assert!(mail.contains("SUBJECT: Alarm  Bcc: evil@example.org\r\n"), "{mail}");
        assert!(!mail.contains("Subject: [FIRING"), "{mail}");
        assert!(!mail.contains("\r\nBcc:") && !mail.contains("X-Team"), "{mail}");
        assert!(mail.contains("reply-to: ops@example.org\r\n"), "{mail}");
        assert!(mail.contains("multipart/alternative"), "{mail}");
    }

    #[test]
    fn an_empty_html_leaves_only_the_text() {
        let html = Some(Template::new(""));
        let text = Some(Template::new("look at the board"));
        let mail = formatted(&EmailConfig { html, text, ..config() });
        assert!(!mail.contains("multipart"), "{mail}");
        assert!(mail.trim_end().ends_with("\r\n\r\nlook at the board"), "{mail}");
    }

    #[test]
    fn what_cannot_be_sent_says_which_key_is_wrong() {
        let to = |to: &str| refusal(&EmailConfig { to: Template::new(to), ..config() });
        assert!(to("nobody").contains("`to` is not a list of addresses"));
        assert!(to("{{ .x }}").contains("`to` is a template"));
        assert!(refusal(&EmailConfig { from: None, ..config() }).contains("no `from`"));
        let headers = BTreeMap::from([("a b".to_owned(), Template::new("x"))]);
        assert!(refusal(&EmailConfig { headers, ..config() }).contains("not a header name"));
    }
}
