//! One table that says what a failed attempt means: worth another try or refused for good.
//!
//! | what happened | outcome | class |
//! |---|---|---|
//! | no connection, hang-up, name unknown | failed | other |
//! | our time limit | failed | contextDeadlineExceeded |
//! | HTTP 5xx | failed | serverError |
//! | HTTP 429 | refused | rateLimited, with what `Retry-After` asks |
//! | HTTP 401, 403 | refused | authError |
//! | any other 4xx | refused | clientError |
//! | anything else | refused | other |
//!
//! Whether a refusal is tried again is not decided here; the core knows the integration's habits.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tocsin_core::notification::{AttemptOutcome, Failure, FailureClass};

use crate::message::{cut, one_line};
use crate::redact::Redactor;

/// The most characters of an error's text; it is stored with every attempt.
pub(crate) const MAX_ERROR_CHARS: usize = 512;

/// The longest wait that is believed when the other side asks for one: a day.
const MAX_RETRY_AFTER_MS: u64 = 24 * 60 * 60 * 1_000;

/// The outcome of an attempt that did not deliver; the early exit of everything in this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undelivered {
    is_refused: bool,
    class: FailureClass,
    message: String,
    retry_after_ms: Option<u64>,
    may_have_arrived: bool,
}

impl Undelivered {
    /// Worth trying again.
    pub(crate) fn failed(class: FailureClass, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { is_refused: false, class, message, retry_after_ms: None, may_have_arrived: false }
    }

    /// Refused for good, as far as the protocol tells.
    pub(crate) fn refused(class: FailureClass, message: impl Into<String>) -> Self {
        Self { is_refused: true, ..Self::failed(class, message) }
    }

    /// Our time limit ended the attempt.
    pub(crate) fn timed_out(target: &str, limit: std::time::Duration) -> Self {
        Self::failed(
            FailureClass::ContextDeadlineExceeded,
            format!("{target}: no answer within {} s", limit.as_secs_f64()),
        )
        .in_doubt()
    }

    /// The other side answered with an HTTP status that is not a success.
    pub(crate) fn status(
        target: &str,
        status: u16,
        retry_after_ms: Option<u64>,
        body: &[u8],
    ) -> Self {
        let (is_refused, class) = match status {
            500..=599 => (false, FailureClass::ServerError),
            429 => (true, FailureClass::RateLimited),
            401 | 403 => (true, FailureClass::AuthError),
            400..=499 => (true, FailureClass::ClientError),
            _ => (true, FailureClass::Other),
        };
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        let colon = if text.is_empty() { "" } else { ": " };
        Self {
            is_refused,
            class,
            message: format!("{target} answered {status}{colon}{text}"),
            retry_after_ms,
            may_have_arrived: false,
        }
    }

    /// Makes it worth trying again: the vendor's own protocol says so.
    pub(crate) fn retried(mut self) -> Self {
        self.is_refused = false;
        self
    }

    /// Says that the message was sent and may have arrived: nobody answered.
    pub(crate) fn in_doubt(mut self) -> Self {
        self.may_have_arrived = true;
        self
    }

    /// Sets how long the other side asks us to wait.
    pub(crate) fn retry_after_ms(mut self, retry_after_ms: Option<u64>) -> Self {
        self.retry_after_ms = retry_after_ms;
        self
    }

    /// Returns the short text without secrets, and how long the other side asks us to wait.
    pub(crate) fn into_parts(self, redactor: &Redactor) -> (String, Option<u64>) {
        let text = cut(&one_line(&redactor.redact(&self.message)), MAX_ERROR_CHARS);
        (text, self.retry_after_ms.map(|ms| ms.min(MAX_RETRY_AFTER_MS)))
    }

    /// Makes the outcome that is stored: secrets taken out first, then cut to one short line.
    pub(crate) fn into_outcome(self, redactor: &Redactor) -> AttemptOutcome {
        let failure = Failure {
            class: self.class,
            message: cut(&one_line(&redactor.redact(&self.message)), MAX_ERROR_CHARS),
            retry_after_ms: self.retry_after_ms.map(|ms| ms.min(MAX_RETRY_AFTER_MS)),
            may_have_arrived: self.may_have_arrived,
        };
        if self.is_refused {
            AttemptOutcome::Refused(failure)
        } else {
            AttemptOutcome::Failed(failure)
        }
    }
}

/// Parses `Retry-After`, seconds or an HTTP date, into milliseconds from `now`.
///
/// The answer's own `Date`, when there is one, stands in for `now`: then a wrong clock on either
/// side does not matter.
pub(crate) fn retry_after_ms(value: &str, date: Option<&str>, now: Timestamp) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let until = http_date(value)?;
    let from = date.and_then(http_date).unwrap_or(now);
    Some(u64::try_from(until.duration_since(from).as_millis()).unwrap_or(0))
}

/// Parses the date of an HTTP header.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    // The preferred form of RFC 9110 is RFC 2822 with the zone written as GMT.
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()
}

/// Returns an error with all its causes, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16) -> AttemptOutcome {
        Undelivered::status("webhook", status, None, b" no\nway ").into_outcome(&Redactor::new())
    }

    #[test]
    fn the_table_of_statuses_holds() {
        for (status, refused, class) in [
            (500, false, FailureClass::ServerError),
            (503, false, FailureClass::ServerError),
            (429, true, FailureClass::RateLimited),
            (401, true, FailureClass::AuthError),
            (403, true, FailureClass::AuthError),
            (404, true, FailureClass::ClientError),
            (302, true, FailureClass::Other),
        ] {
            let failure = match outcome(status) {
                AttemptOutcome::Refused(failure) if refused => failure,
                AttemptOutcome::Failed(failure) if !refused => failure,
                other => panic!("{status}: {other:?}"),
            };
            assert_eq!(failure.class, class, "{status}");
            assert_eq!(failure.message, format!("webhook answered {status}: no way"));
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        let now: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let ms = |value| retry_after_ms(value, None, now);
        assert_eq!(ms("120"), Some(120_000));
        assert_eq!(ms(" 0 "), Some(0));
        assert_eq!(ms("Fri, 20 Nov 2026 15:00:30 GMT"), Some(30_000));
        assert_eq!(ms("Fri, 20 Nov 2026 14:00:30 GMT"), Some(0));
        assert_eq!(ms("soon"), None);
        assert_eq!(ms("-5"), None);
        assert_eq!(
            retry_after_ms(
                "Fri, 20 Nov 2026 18:00:30 GMT",
                Some("Fri, 20 Nov 2026 18:00:00 GMT"),
                now
            ),
            Some(30_000)
        );
    }

    #[test]
    fn an_absurd_wait_is_bounded() {
        let AttemptOutcome::Refused(failure) = Undelivered::status(
            "x",
            429,
            retry_after_ms("99999999999999999999", None, Timestamp::UNIX_EPOCH),
            b"",
        )
        .retry_after_ms(Some(u64::MAX))
        .into_outcome(&Redactor::new()) else {
            panic!("429 is a refusal");
        };
        assert_eq!(failure.retry_after_ms, Some(MAX_RETRY_AFTER_MS));
    }

    #[test]
    fn secrets_are_taken_out_before_the_text_is_cut() {
        let mut redactor = Redactor::new();
        redactor.hide("tok-canary-1234567890");
        let body = format!("{}tok-canary-1234567890", "x".repeat(MAX_ERROR_CHARS - 30));
        let AttemptOutcome::Refused(failure) =
            Undelivered::status("w", 400, None, body.as_bytes()).into_outcome(&redactor)
        else {
            panic!("400 is a refusal");
        };
        assert!(!failure.message.contains("tok"), "{}", failure.message);
        assert!(failure.message.chars().count() <= MAX_ERROR_CHARS);
    }
}
