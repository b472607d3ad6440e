//! One question and its answer: redirects followed with care, the answer read with a bound.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AsHeaderName, DATE, ETAG, HeaderMap, LAST_MODIFIED, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, Url};
use tocsin_core::notification::FailureClass;
use tokio::time::{Instant, timeout_at};

use super::client::{RenewingClient, blocked};
use crate::failure::{Undelivered, chain, http_date, retry_after_ms};
use crate::guard::refusal;
use crate::redact::{Redactor, origin};

/// The most redirects that are followed for one message.
const MAX_REDIRECTS: usize = 10;

/// The most bytes of an answer that are read; what comes after them is not waited for.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How long the rest of an answer may take once its status is known.
const MAX_BODY_WAIT: Duration = Duration::from_secs(5);

/// When an attempt has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    /// Ends `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// Awaits `future` no longer than to the deadline.
    pub(crate) async fn bound<F: Future>(
        &self,
        target: &str,
        future: F,
    ) -> Result<F::Output, Undelivered> {
        timeout_at(self.at, future).await.map_err(|_| Undelivered::timed_out(target, self.limit))
    }
}

/// What is sent.
pub(crate) struct Question {
    /// How the other side is called in errors, its address not included.
    pub(crate) target: &'static str,
    /// How.
    pub(crate) method: Method,
    /// Where to.
    pub(crate) url: Url,
    /// Headers that anybody may see.
    pub(crate) headers: HeaderMap,
    /// Headers that only the configured host may see.
    pub(crate) private_headers: HeaderMap,
    /// The body; nothing is sent when it is empty.
    pub(crate) body: Vec<u8>,
    /// Whether a redirect is followed or an error.
    pub(crate) follow_redirects: bool,
    /// The present time, for a `Retry-After` that is a date.
    pub(crate) now: Timestamp,
    /// The most bytes of the answer that are read.
    pub(crate) answer_bytes: usize,
}

/// What came back.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// How long the other side asks us to wait.
    pub(crate) retry_after_ms: Option<u64>,
    /// The time of day on the other side.
    pub(crate) date: Option<Timestamp>,
    /// What names this edition of what was asked for.
    pub(crate) etag: Option<String>,
    /// When what was asked for changed last, as the other side writes it.
    pub(crate) last_modified: Option<String>,
    /// The beginning of the body, at most as long as was asked for.
    pub(crate) body: Vec<u8>,
    /// Why the body is not all there, if it is not.
    pub(crate) incomplete: Option<String>,
}

impl Answer {
    /// Returns whether the status is a success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Makes an error of every status but 200 to 299; those in `retried` are worth trying again
    /// beside 5xx.
    pub(crate) fn taken(&self, target: &str, retried: &[u16]) -> Result<(), Undelivered> {
        if self.is_success() {
            return Ok(());
        }
        let undelivered = Undelivered::status(target, self.status, self.retry_after_ms, &self.body);
        let is_retried = retried.contains(&self.status);
        Err(if is_retried { undelivered.retried() } else { undelivered })
    }
}

/// Sends `question` and reads the answer, whatever its status.
pub(crate) async fn exchange(
    clients: &RenewingClient,
    question: Question,
    deadline: Deadline,
    redactor: &mut Redactor,
) -> Result<Answer, Undelivered> {
    let Question { target, mut method, mut url, headers, mut private_headers, mut body, .. } =
        question;
    let named = url.host_str().map(str::to_owned);
    for _ in 0..=MAX_REDIRECTS {
        redactor.hide_url(&url);
        let name = format!("{target} at {}", origin(&url));
        // A redirect may lead back to the host that was named, and to any other on the internet.
        let is_named = url.host_str() == named.as_deref();
        let client = deadline.bound(&name, clients.get_for(&name, &url, is_named)).await??;
        let mut request = client
            .request(method.clone(), url.clone())
            .headers(headers.clone())
            .headers(private_headers.clone());
        if !body.is_empty() {
            request = request.body(body.clone());
        }
        let response = deadline
            .bound(&name, request.send())
            .await?
            .map_err(|error| broken_off(&name, error))?;

        let Some(next) = question.follow_redirects.then(|| redirect(&url, &response)).flatten()
        else {
            return Ok(read(response, deadline, question.now, question.answer_bytes).await);
        };
        let next =
            next.map_err(|why| Undelivered::refused(FailureClass::Other, format!("{name} {why}")))?;
        // Whoever else is named there must not learn how we prove who we are.
        if !is_same_party(&url, &next) {
            private_headers.clear();
        }
        // A redirected message is sent again as it was: turned into a GET, as browsers do, it would be
        // lost while the answer looks like a success. Only 303 says that it has been taken.
        if response.status().as_u16() == 303 {
            method = Method::GET;
            body.clear();
        }
        url = next;
    }
    Err(Undelivered::refused(
        FailureClass::Other,
        format!("{target} at {}: more than {MAX_REDIRECTS} redirects", origin(&url)),
    ))
}

/// Returns where the answer sends us, if it does; the error says what is wrong with that place.
fn redirect(from: &Url, response: &Response) -> Option<Result<Url, &'static str>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = header(response, LOCATION)?;
    Some(match from.join(location) {
        Ok(next) if matches!(next.scheme(), "http" | "https") && next.has_host() => Ok(next),
        Ok(_) => Err("redirects to something that is not HTTP"),
        Err(_) => Err("redirects to something that is not an address"),
    })
}

/// Returns whether a redirect stays with whom the credentials are for: the same origin, or the same
/// host by TLS where it was not before.
fn is_same_party(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https";
    from.origin() == to.origin() || (is_upgrade && from.host() == to.host())
}

async fn read(mut response: Response, deadline: Deadline, now: Timestamp, most: usize) -> Answer {
    let status = response.status().as_u16();
    let retry_after_ms = header(&response, RETRY_AFTER)
        .and_then(|value| retry_after_ms(value, header(&response, DATE), now));
    let date = header(&response, DATE).and_then(http_date);
    let text = |name| header(&response, name).map(str::to_owned);
    let (etag, last_modified) = (text(ETAG), text(LAST_MODIFIED));
    let wait = if most > MAX_ANSWER_BYTES { deadline.limit } else { MAX_BODY_WAIT };
    let until = deadline.at.min(Instant::now() + wait);
    let mut body = Vec::new();
    let incomplete = loop {
        match timeout_at(until, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = most - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    break Some(format!("longer than {most} bytes"));
                }
            }
            Ok(Ok(None)) => break None,
            Ok(Err(error)) => break Some(chain(&error.without_url())),
            Err(_) => break Some("the end did not come in time".to_owned()),
        }
    };
    Answer { status, retry_after_ms, date, etag, last_modified, body, incomplete }
}

fn header(response: &Response, name: impl AsHeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}

/// A connection that breaks once it stood may have brought the message.
fn broken_off(name: &str, error: reqwest::Error) -> Undelivered {
    if let Some(why) = refusal(&error) {
        return blocked(name, why);
    }
    let is_in_doubt = !error.is_connect() && !error.is_builder();
    let undelivered = Undelivered::failed(FailureClass::Other, network(name, error));
    if is_in_doubt { undelivered.in_doubt() } else { undelivered }
}

/// Words an error of the network without the address that it carries.
fn network(name: &str, error: reqwest::Error) -> String {
    format!("{name}: {}", chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_their_host_and_are_never_said_in_clear() {
        let is_same = |from: &str, to: &str| {
            is_same_party(&Url::parse(from).unwrap(), &Url::parse(to).unwrap())
        };
        assert!(is_same("https://a.example/x", "https://a.example:443/y"));
        assert!(is_same("http://a.example/x", "https://a.example/x"));
        assert!(!is_same("https://a.example/x", "http://a.example/x"));
        assert!(!is_same("https://a.example/x", "https://b.example/x"));
        assert!(!is_same("https://a.example/x", "https://a.example:8443/x"));
        assert!(!is_same("http://a.example/x", "https://evil.a.example/x"));
    }
}
