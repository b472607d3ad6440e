//! One request as a receiver words it; everything else comes from its `http_config`.

use jiff::Timestamp;
use reqwest::header::HeaderName;
use reqwest::{Method, Url};
use serde::Serialize;
use tocsin_config::Secret;

use super::{MAX_ANSWER_BYTES, form};
use crate::outbound::Job;

/// What every request of one attempt carries.
#[derive(Clone, Copy)]
pub(crate) struct Stamp<'a> {
    /// Lets the other side see that it has been sent before.
    pub(crate) idempotency_key: &'a str,
    /// The present time.
    pub(crate) now: Timestamp,
}

impl<'a> From<&Job<'a>> for Stamp<'a> {
    fn from(job: &Job<'a>) -> Self {
        Self { idempotency_key: job.idempotency_key, now: job.now }
    }
}

/// One request.
pub(crate) struct Request<'a> {
    /// How the other side is called in errors.
    pub(crate) target: &'static str,
    /// `POST` unless changed.
    pub(crate) method: Method,
    /// Where it goes.
    pub(crate) url: Url,
    /// What the body is.
    pub(crate) content_type: &'static str,
    /// The body; empty for none.
    pub(crate) body: Vec<u8>,
    /// Headers that only the configured host may see.
    pub(crate) headers: Vec<(HeaderName, Secret)>,
    /// The whole value of `Authorization`; stands in for that of the settings.
    pub(crate) authorization: Option<Secret>,
    /// Lets the other side see that it has been sent before.
    pub(crate) idempotency_key: &'a str,
    /// The present time.
    pub(crate) now: Timestamp,
    /// The most bytes of the answer that are read.
    pub(crate) answer_bytes: usize,
}

impl<'a> Request<'a> {
    /// Posts `body` as it is.
    pub(crate) fn post(
        target: &'static str,
        url: Url,
        content_type: &'static str,
        body: Vec<u8>,
        stamp: impl Into<Stamp<'a>>,
    ) -> Self {
        let Stamp { idempotency_key, now } = stamp.into();
        Self {
            target,
            method: Method::POST,
            url,
            content_type,
            body,
            headers: Vec::new(),
            authorization: None,
            idempotency_key,
            now,
            answer_bytes: MAX_ANSWER_BYTES,
        }
    }

    /// Posts `body` as JSON.
    pub(crate) fn json(
        target: &'static str,
        url: Url,
        body: &impl Serialize,
        stamp: impl Into<Stamp<'a>>,
    ) -> Self {
        // Values of ours always have a form in JSON: no map has keys that are not texts.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::post(target, url, "application/json", body, stamp)
    }

    /// Posts `fields` as a form.
    pub(crate) fn form(
        target: &'static str,
        url: Url,
        fields: &[(&str, &str)],
        stamp: impl Into<Stamp<'a>>,
    ) -> Self {
        let body = form(fields).into_bytes();
        Self::post(target, url, "application/x-www-form-urlencoded", body, stamp)
    }

    /// Asks for `url` with no body.
    pub(crate) fn get(target: &'static str, url: Url, stamp: impl Into<Stamp<'a>>) -> Self {
        Self { method: Method::GET, ..Self::post(target, url, "", Vec::new(), stamp) }
    }

    /// Replaces the method.
    pub(crate) fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Reads longer answers than others are, for as long as the whole attempt may take.
    pub(crate) fn reading(mut self, answer_bytes: usize) -> Self {
        self.answer_bytes = answer_bytes;
        self
    }

    /// Proves who we are by `scheme token`, such as `Bearer …` or `GenieKey …`.
    pub(crate) fn authorized(mut self, scheme: &str, token: &Secret) -> Self {
        self.authorization = Some(Secret::new(format!("{scheme} {}", token.expose())));
        self
    }

    /// Adds a header that only the configured host may see.
    pub(crate) fn with_header(mut self, name: HeaderName, value: Secret) -> Self {
        self.headers.push((name, value));
        self
    }
}
