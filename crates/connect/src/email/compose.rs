//! From a notification to a mail: who, what about, and the two bodies.

use std::time::SystemTime;

use lettre::Message as Mail;
use lettre::address::Envelope;
use lettre::message::header::{From, HeaderName, HeaderValue, To};
use lettre::message::{Mailbox, Mailboxes, MultiPart, SinglePart};
use tocsin_config::{DateThreading, EmailConfig, Template};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use super::{layout, unfit};
use crate::failure::{Undelivered, chain};
use crate::message::{Message, cut, one_line};
use crate::outbound::Job;
use crate::vendor::group_id;

/// The header that lets a mailbox rule see that a mail has been sent before.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::new_from_ascii_str("X-Tocsin-Idempotency-Key");

/// Headers that describe the body; changing them would make it unreadable.
const OF_THE_BODY: [&str; 3] = ["content-type", "content-transfer-encoding", "mime-version"];

/// The most recipients of one mail; servers rarely take more (RFC 5321, section 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;

/// The most characters of one header.
const MAX_HEADER_CHARS: usize = 1_000;

/// Composes the mail.
pub(super) fn mail(config: &EmailConfig, job: &Job<'_>) -> Result<Mail, Undelivered> {
    let message = Message::new(job.notification);
    let from = config.from.as_ref().ok_or_else(|| unfit("no `from` is set"))?;
    let from: Mailbox = address("from", from, job)?;
    let to: Mailboxes = address("to", &config.to, job)?;
    let recipients: Vec<_> = to.iter().map(|mailbox| mailbox.email.clone()).collect();
    if recipients.len() > MAX_RECIPIENTS {
        return Err(unfit(&format!("`to` has more than {MAX_RECIPIENTS} recipients")));
    }
    let envelope = Envelope::new(Some(from.email.clone()), recipients)
        .map_err(|error| unfit(&format!("`to`: {error}")))?;
    let subject = job.texts.text("subject", None, defaults::EMAIL_SUBJECT);
    let subject = if subject.trim().is_empty() { message.title.clone() } else { subject };
    let mut builder = Mail::builder()
        .envelope(envelope)
        .subject(header_text(&subject))
        .date(SystemTime::from(job.notification.decided_at))
        .message_id(Some(message_id(job, from.email.domain())))
        .raw_header(HeaderValue::new(IDEMPOTENCY_KEY, one_line(job.idempotency_key)));
    if let Some(thread) = thread_id(config, job, from.email.domain()) {
        builder = builder.references(thread.clone()).in_reply_to(thread);
    }
    let builder = builder.mailbox(From::from(Mailboxes::from(from))).mailbox(To::from(to));

    let mail = match (text(config, &message, job), html(config, &message, job)) {
        (Some(text), Some(html)) => {
            builder.multipart(MultiPart::alternative_plain_html(text, html))
        }
        (None, Some(html)) => builder.singlepart(SinglePart::html(html)),
        (Some(text), None) => builder.singlepart(SinglePart::plain(text)),
        (None, None) => {
            let text = layout::text(&message, &job.context.external_url);
            builder.singlepart(SinglePart::plain(text))
        }
    };
    let mut mail = mail.map_err(|error| unfit(&chain(&error)))?;
    for (name, value) in &config.headers {
        if OF_THE_BODY.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let is_subject = name.eq_ignore_ascii_case("subject");
        let default = if is_subject { defaults::EMAIL_SUBJECT } else { "" };
        let value = job.texts.text(&format!("headers.{name}"), Some(value), default);
        // A header that says nothing is left out; the built-in subject is better than none.
        if !value.trim().is_empty() {
            let value = HeaderValue::new(header_name(name)?, header_text(&value));
            mail.headers_mut().insert_raw(value);
        }
    }
    Ok(mail)
}

/// Returns a text as one header can hold it: a line feed would begin another header.
fn header_text(text: &str) -> String {
    cut(&one_line(text.trim()), MAX_HEADER_CHARS)
}

/// Returns the plain text: what is configured, none where that is empty, else the built-in layout.
fn text(config: &EmailConfig, message: &Message, job: &Job<'_>) -> Option<String> {
    let built_in = || layout::text(message, &job.context.external_url);
    let Some(template) = &config.text else { return Some(built_in()) };
    if template.text().is_empty() {
        return None;
    }
    Some(job.texts.text("text", Some(template), defaults::EMAIL_TEXT))
        .filter(|text| !text.trim().is_empty())
}

/// Returns the page: what is configured or the built-in template, none where that is empty; our own
/// layout where the template leaves nothing.
fn html(config: &EmailConfig, message: &Message, job: &Job<'_>) -> Option<String> {
    if config.html.as_ref().is_some_and(|template| template.text().is_empty()) {
        return None;
    }
    let page = job.texts.html("html", config.html.as_ref(), defaults::EMAIL_HTML);
    if page.trim().is_empty() {
        return config.html.is_none().then(|| layout::html(message, &job.context.external_url));
    }
    Some(page)
}

fn address<T>(key: &str, setting: &Template, job: &Job<'_>) -> Result<T, Undelivered>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = job.texts.address("email", key, setting.text())?;
    one_line(text.trim().trim_end_matches(',')).parse().map_err(|error| {
        let message = format!("email: `{key}` is not a list of addresses: {error}");
        Undelivered::refused(FailureClass::ClientError, message)
    })
}

/// Returns the identifier that the mails of a group refer to; it belongs to no mail, so that any of
/// them may be missing. `None` when mails are not gathered.
fn thread_id(config: &EmailConfig, job: &Job<'_>, domain: &str) -> Option<String> {
    if !config.threading.enabled {
        return None;
    }
    let group = group_id(job.notification);
    Some(match config.threading.thread_by_date {
        DateThreading::Daily => {
            let day = job.notification.decided_at.strftime("%Y-%m-%d");
            format!("<tocsin.{group}.{day}@{domain}>")
        }
        DateThreading::None => format!("<tocsin.{group}@{domain}>"),
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

    use tocsin_config::EmailThreading;

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
            "Subject: [FIRING:1] =?utf-8?b?R3LDtsOf",
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
            ("X-Team".to_owned(), Template::new("{{ .CommonLabels.team }}")),
            ("X-Status".to_owned(), Template::new("{{ .Status }}")),
            ("content-type".to_owned(), Template::new("text/plain")),
        ]);
        let mail = formatted(&EmailConfig { headers, ..config() });
        assert!(mail.contains("SUBJECT: Alarm  Bcc: evil@example.org\r\n"), "{mail}");
        assert!(!mail.contains("Subject: [FIRING"), "{mail}");
        assert!(!mail.contains("\r\nBcc:") && !mail.contains("X-Team"), "{mail}");
        assert!(mail.contains("X-Status: firing\r\n"), "{mail}");
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
        assert!(to("{{ nothing }}").contains("the template of `to` failed"));
        assert!(refusal(&EmailConfig { from: None, ..config() }).contains("no `from`"));
        let headers = BTreeMap::from([("a b".to_owned(), Template::new("x"))]);
        assert!(refusal(&EmailConfig { headers, ..config() }).contains("not a header name"));
    }

    #[test]
    fn a_recipient_from_a_template_cannot_bring_another_header() {
        let to = Template::new("{{ .CommonAnnotations.summary }}@example.org,\r\nops@example.org");
        let mail = formatted(&EmailConfig { to, ..config() });
        assert!(mail.contains("To: voll@example.org, ops@example.org\r\n"), "{mail}");
        let to = Template::new("ada@example.org\r\nBcc: evil@example.org");
        assert!(refusal(&EmailConfig { to, ..config() }).contains("not a list of addresses"));
        let many = vec!["a@example.org"; MAX_RECIPIENTS + 1].join(",");
        let to = Template::new(many);
        assert!(refusal(&EmailConfig { to, ..config() }).contains("more than 100 recipients"));
    }

    #[test]
    fn mails_of_a_group_refer_to_the_same_identifier() {
        let threading = |thread_by_date| EmailThreading { enabled: true, thread_by_date };
        let daily = EmailConfig { threading: threading(DateThreading::Daily), ..config() };
        let mail = formatted(&daily).replace("\r\n ", " ");
        let start = mail.find("References: <tocsin.").unwrap();
        let thread = mail[start..].lines().next().unwrap().trim_start_matches("References: ");
        assert!(thread.ends_with(".2026-11-20@example.org>"), "{thread}");
        assert!(mail.contains(&format!("In-Reply-To: {thread}\r\n")), "{mail}");
        let ever = EmailConfig { threading: threading(DateThreading::None), ..config() };
        assert!(!formatted(&ever).contains(".2026-11-20@"), "one thread for all days");
        assert!(!formatted(&config()).contains("References"));
    }
}
