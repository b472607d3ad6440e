//! What messages to several chats have in common: addresses, texts that fit, and a way out when
//! nothing is left of a message.

use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use serde::Serialize;
use serde_json::{Map, Value};
use tocsin_config::{SecretSource, SecretUrl};
use tocsin_core::notification::FailureClass;

use crate::failure::Undelivered;
use crate::http::Answer;
use crate::message::Message;
use crate::outbound::Job;
use crate::redact::Redactor;
use crate::secret;
use crate::webhook::parse_url;

/// What stands where a text was cut.
const MORE: char = '…';

/// Returns the address of an incoming webhook, which is a secret.
///
/// # Errors
/// When it is not set, cannot be read, or is not an address.
pub(crate) async fn webhook_url(
    target: &str,
    url: Option<&SecretUrl>,
    file: Option<&Path>,
    redactor: &mut Redactor,
) -> Result<Url, Undelivered> {
    match (url, file) {
        (Some(url), _) => {
            let text = secret::read(SecretSource::Inline(url.secret()), redactor).await?;
            parse_url(target, "webhook_url", text.expose())
        }
        (None, Some(path)) => {
            let text = secret::read(SecretSource::File(path), redactor).await?;
            parse_url(target, "webhook_url_file", text.expose())
        }
        (None, None) => {
            let why = format!("{target}: `webhook_url` is not set");
            Err(Undelivered::refused(FailureClass::Other, why))
        }
    }
}

/// Returns the notification in our own words, for messages that would be empty otherwise: a page
/// that says nothing wakes people for nothing.
pub(crate) fn own_words(job: &Job<'_>) -> String {
    let message = Message::new(job.notification);
    let mut text = message.title.clone();
    for line in &message.lines {
        text.push_str(&format!("\n{} {} {}", line.state(), line.name, line.duration));
        for detail in [&line.detail, &line.labels] {
            if !detail.is_empty() {
                text.push_str(&format!(" · {detail}"));
            }
        }
    }
    if let Some(more) = message.more() {
        text.push_str(&format!("\n{more}"));
    }
    text
}

/// Sets a text unless it is empty.
pub(crate) fn put(object: &mut Map<String, Value>, key: &str, text: String) {
    if !text.is_empty() {
        object.insert(key.to_owned(), Value::String(text));
    }
}

/// Returns at most `max_bytes` bytes of `text`, the last character being `…` when some are missing.
pub(crate) fn cut_bytes(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let mut kept = text[..text.floor_char_boundary(max_bytes - MORE.len_utf8())].to_owned();
    kept.push(MORE);
    kept
}

/// Shortens `text` until what `build` makes of it has at most `max_bytes` bytes in JSON.
pub(crate) fn fit<T: Serialize>(
    text: &str,
    max_bytes: usize,
    build: impl Fn(&str) -> T,
) -> (T, bool) {
    let size = |value: &T| serde_json::to_vec(value).map_or(0, |json| json.len());
    let whole = build(text);
    if size(&whole) <= max_bytes {
        return (whole, false);
    }
    // The most bytes of the text that still fit: escapes make their size in JSON uneven.
    let (mut fits, mut is_too_long) = (0, text.len());
    while fits + 1 < is_too_long {
        let middle = fits + (is_too_long - fits) / 2;
        if size(&build(&cut_bytes(text, middle.max(MORE.len_utf8())))) <= max_bytes {
            fits = middle;
        } else {
            is_too_long = middle;
        }
    }
    (build(&cut_bytes(text, fits.max(MORE.len_utf8()))), true)
}

/// Returns the wait that an answer asks for: that of its header, else the seconds in its body.
pub(crate) fn wait_ms(answer: &Answer, seconds: Option<f64>) -> Option<u64> {
    let in_body = || {
        let wait = Duration::try_from_secs_f64(seconds?).ok()?;
        u64::try_from(wait.as_millis()).ok()
    };
    answer.retry_after_ms.or_else(in_body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_between_characters() {
        assert_eq!(cut_bytes("äöü", 6), "äöü");
        assert_eq!(cut_bytes("äöüä", 7), "äö…");
        assert_eq!(cut_bytes("äöüä", 6), "ä…");
    }

    #[test]
    fn what_is_built_fits_whatever_escaping_adds() {
        for text in ["x".repeat(5_000), "\"".repeat(5_000), "ä\n".repeat(5_000)] {
            let (built, is_cut) = fit(&text, 1_000, |text| vec![text.to_owned()]);
            let size = serde_json::to_vec(&built).unwrap().len();
            assert!(is_cut && size <= 1_000 && size > 980, "{size}");
            assert!(built[0].ends_with('…'));
        }
        assert_eq!(fit("short", 100, str::to_owned), ("short".to_owned(), false));
    }
}
