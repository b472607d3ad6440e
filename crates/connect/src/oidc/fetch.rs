//! Asking the provider: over https, without redirects, within bounds.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url, redirect};
use serde::de::DeserializeOwned;

use super::OidcError;
use crate::failure::chain;
use crate::guard::{Guard, Resolver, environment_proxies, refusal};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Asks as two guards say: the one for the provider's own host, which the settings name, the other
/// for hosts that the provider names.
pub(super) struct Fetch {
    host: Option<String>,
    own: (Guard, Client),
    named: (Guard, Client),
}

impl Fetch {
    pub(super) fn new(issuer: &Url, guard: &Guard) -> Result<Self, OidcError> {
        let client = |guard: Guard| {
            let resolver = Resolver::new(guard.clone(), environment_proxies());
            let built = Client::builder()
                .timeout(TIMEOUT)
                .redirect(redirect::Policy::none())
                .dns_resolver(resolver)
                .build();
            built
                .map(|client| (guard, client))
                .map_err(|error| OidcError::Misconfigured(chain(&error)))
        };
        Ok(Self {
            host: issuer.host_str().map(str::to_owned),
            own: client(guard.clone())?,
            named: client(guard.strict())?,
        })
    }

    /// Returns the client that may ask `url`.
    fn client(&self, url: &Url) -> Result<&Client, OidcError> {
        let is_own = url.host_str() == self.host.as_deref();
        let (guard, client) = if is_own { &self.own } else { &self.named };
        guard.check_url(url).map_err(|why| OidcError::Misconfigured(why.to_string()))?;
        Ok(client)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, OidcError> {
        let place = url.path().to_owned();
        ask(self.client(&url)?.get(url), &place, false).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: Url,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<T, OidcError> {
        let place = url.path().to_owned();
        let mut request = self.client(&url)?.post(url).form(form);
        if let Some((name, secret)) = basic {
            // Both are encoded as in a form first (RFC 6749, section 2.3.1).
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            request = request.basic_auth(encoded(name), Some(encoded(secret)));
        }
        // A refusal has a body of the same shape.
        ask(request, &place, true).await
    }
}

async fn ask<T: DeserializeOwned>(
    request: RequestBuilder,
    place: &str,
    reads_refusals: bool,
) -> Result<T, OidcError> {
    let unreachable = |error: &reqwest::Error| match refusal(error) {
        Some(why) => OidcError::Misconfigured(why.to_string()),
        None => OidcError::Unreachable(chain(error)),
    };
    let mut response = request.send().await.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let is_refusal = status.is_client_error() && reads_refusals;
    if status.is_server_error() {
        return Err(OidcError::Unreachable(format!("{place} answered {status}")));
    }
    if !status.is_success() && !is_refusal {
        return Err(OidcError::Misconfigured(format!("{place} answered {status}")));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            let why = format!("{place} answered with more than {MAX_ANSWER_BYTES} bytes");
            return Err(OidcError::Misconfigured(why));
        }
        body.extend_from_slice(&chunk);
    }
    // What the parser says may quote a token, so it is not repeated.
    serde_json::from_slice(&body)
        .map_err(|_| OidcError::Misconfigured(format!("{place} answered something unexpected")))
}

/// Reads an address that tokens may be sent to: https, or http on this machine.
///
/// # Errors
/// [`OidcError::Misconfigured`].
pub(super) fn trusted(text: &str) -> Result<Url, OidcError> {
    let wrong = |why: &str| OidcError::Misconfigured(format!("`{text}` {why}"));
    let url = Url::parse(text).map_err(|_| wrong("is no address"))?;
    let host = url.host_str().ok_or_else(|| wrong("has no host"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here => Ok(url),
        _ => Err(wrong("must be https; plain http is for loopback addresses only")),
    }
}
