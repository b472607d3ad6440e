//! Speaking with a running server.

pub(crate) mod shapes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tocsin_core::identity::Handle;

use crate::args;
use crate::failure::Failure;
use crate::output::Format;

/// The largest answer that is read; a list of a million alerts is smaller.
const MAX_ANSWER_BYTES: usize = 1024 * 1024 * 1024;

/// The variable that may hold the token.
const TOKEN_VARIABLE: &str = "TOCSIN_TOKEN";

/// How much of an answer that is no JSON is shown.
const MAX_SHOWN_CHARS: usize = 300;

/// Options of every command that asks a server.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Where the server answers, with its path prefix if it has one.
    #[arg(
        long,
        global = true,
        alias = "alertmanager.url",
        env = "TOCSIN_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:9093",
        value_name = "URL"
    )]
    pub(crate) url: String,

    /// The tenant that is meant, where the server has several; the default one otherwise.
    #[arg(long, global = true, env = "TOCSIN_TENANT", value_name = "NAME")]
    pub(crate) tenant: Option<String>,

    /// A file with the token that says who asks; `TOCSIN_TOKEN` may hold the token itself.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// How long to wait for an answer.
    #[arg(
        long,
        global = true,
        default_value = "30s",
        value_parser = args::duration,
        value_name = "DURATION"
    )]
    pub(crate) timeout: SignedDuration,
}

impl ServerArgs {
    /// Returns where the tenant that is meant answers.
    pub(crate) fn base(&self) -> Result<String> {
        let base = self.url.trim_end_matches('/');
        let Some(name) = self.tenant.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(base.to_owned());
        };
        let name = Handle::parse(name)
            .map_err(|error| Failure::usage(format!("--tenant: {error}, as in `acme`")))?;
        Ok(format!("{base}/t/{name}"))
    }
}

/// Options of every command that prints what a server answered.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ClientArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// How results are printed.
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// Returns a name as one segment of a path; it may have any character.
pub(crate) fn segment(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => {
                encoded.push('%');
                encoded.extend([byte >> 4, byte & 15].map(|digit| {
                    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
                }));
            }
        }
    }
    encoded
}

/// A connection to one server.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    timeout: SignedDuration,
}

/// What the server answered.
pub(crate) struct Answer {
    status: StatusCode,
    retry_after: Option<String>,
    date: Option<String>,
    body: Vec<u8>,
    /// Method and path, for messages.
    asked: String,
    base: String,
}

impl Client {
    /// Prepares a connection; nothing is sent yet.
    pub(crate) fn new(args: &ServerArgs) -> Result<Self> {
        let url = Url::parse(&args.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        let Some(url) = url else {
            let text = format!("`{}` is not a server's address; ", args.url);
            return Err(Failure::usage(text + "write it like http://127.0.0.1:9093").into());
        };
        let timeout = Duration::try_from(args.timeout).unwrap_or_default();
        if timeout.is_zero() {
            return Err(Failure::usage("--timeout must be longer than zero, like 30s").into());
        }
        tocsin_connect::install_crypto();
        let mut builder = reqwest::Client::builder()
            .timeout(timeout)
            .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")));
        if is_local(&url) {
            // A proxy of the environment cannot reach this machine's own addresses.
            builder = builder.no_proxy();
        }
        if let Some(value) = authorization(args.token_file.as_deref())? {
            builder = builder.default_headers([(AUTHORIZATION, value)].into_iter().collect());
        }
        let http = builder.build().context("the HTTP client cannot be set up")?;
        Ok(Self { http, base: args.base()?, timeout: args.timeout })
    }

    /// Asks for something that must be there.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Answer> {
        let request = self.http.get(format!("{}{path}", self.base)).query(query);
        self.send(&Method::GET, path, request).await?.into_success()
    }

    /// Posts JSON and returns whatever the answer is.
    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        self.send(&Method::POST, path, request).await
    }

    /// Puts JSON and returns whatever the answer is.
    pub(crate) async fn put(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        let request = self.http.put(format!("{}{path}", self.base)).json(body);
        self.send(&Method::PUT, path, request).await
    }

    /// Puts JSON with a header of one's own and returns whatever the answer is.
    pub(crate) async fn put_with(
        &self,
        path: &str,
        (name, value): (&'static str, &str),
        body: &impl Serialize,
    ) -> Result<Answer> {
        let request = self.http.put(format!("{}{path}", self.base)).header(name, value).json(body);
        self.send(&Method::PUT, path, request).await
    }

    /// Patches with JSON and returns whatever the answer is.
    pub(crate) async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Answer> {
        let request = self.http.patch(format!("{}{path}", self.base)).json(body);
        self.send(&Method::PATCH, path, request).await
    }

    /// Posts JSON with a header of one's own and returns whatever the answer is.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        (name, value): (&'static str, &str),
        body: &impl Serialize,
    ) -> Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base)).header(name, value).json(body);
        self.send(&Method::POST, path, request).await
    }

    /// Posts a text of some kind and returns whatever the answer is.
    pub(crate) async fn post_text(
        &self,
        path: &str,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        let request = self.http.post(url).header(CONTENT_TYPE, kind).body(body);
        self.send(&Method::POST, path, request).await
    }

    /// Deletes and returns whatever the answer is.
    pub(crate) async fn delete(&self, path: &str) -> Result<Answer> {
        let request = self.http.delete(format!("{}{path}", self.base));
        self.send(&Method::DELETE, path, request).await
    }

    /// Asks for something that may be missing.
    pub(crate) async fn find(&self, path: &str) -> Result<Answer> {
        let request = self.http.get(format!("{}{path}", self.base));
        self.send(&Method::GET, path, request).await
    }

    async fn send(&self, method: &Method, path: &str, request: RequestBuilder) -> Result<Answer> {
        let mut response = request.send().await.map_err(|error| self.unanswered(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unanswered(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let text = format!("the answer is larger than {MAX_ANSWER_BYTES} bytes; ");
                return Err(Failure::refused(text + "ask for less, for example by a filter").into());
            }
            body.extend_from_slice(&chunk);
        }
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Ok(Answer {
            status: response.status(),
            retry_after: header("retry-after"),
            date: header("date"),
            body,
            asked: format!("{method} {path}"),
            base: self.shown_base(),
        })
    }

    fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let base = self.shown_base();
        if error.is_timeout() {
            return Failure::unreachable(format!(
                "{base} did not answer within {:#}; wait longer with --timeout, or look at its log",
                self.timeout
            ));
        }
        let why = innermost(error);
        if error.is_connect() {
            return Failure::unreachable(format!(
                "no Tocsin answers at {base} ({why}): is it running? Start it with `tocsin serve`, \
                 or name another with --url"
            ));
        }
        Failure::unreachable(format!(
            "the connection to {base} broke ({why}); try again, and look at the server's log if it \
             breaks again"
        ))
    }

    /// Returns the address without a password that may be in it.
    fn shown_base(&self) -> String {
        let Some(mut url) = Url::parse(&self.base).ok().filter(|url| url.password().is_some())
        else {
            return self.base.clone();
        };
        // The URL has a host, so it can have a password, too.
        let _ = url.set_password(Some("***"));
        url.as_str().trim_end_matches('/').to_owned()
    }
}

fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// Returns the header that says who asks.
fn authorization(file: Option<&Path>) -> Result<Option<HeaderValue>> {
    let token = match file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("--token-file {} cannot be read: {error}", path.display()))
        })?,
        None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
    };
    if token.trim().is_empty() {
        return Ok(None);
    }
    let value = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
    let mut value =
        value.map_err(|_| Failure::usage("the token has characters that no token has"))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Returns what lies at the bottom of an error, which is what a person can act on.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Answer {
    /// Returns what the server's clock said.
    pub(crate) fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Returns the HTTP status.
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns the answer when it is a success.
    ///
    /// # Errors
    /// What the server said against the request, with what to do next.
    pub(crate) fn into_success(self) -> Result<Self> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal().into()) }
    }

    /// Returns what the server said against the request, with what to do next.
    pub(crate) fn refusal(&self) -> Failure {
        let said = said(&self.body);
        let status = self.status.as_u16();
        let said = if said.is_empty() {
            self.status.canonical_reason().unwrap_or("no reason given").to_owned()
        } else {
            said
        };
        let hint = match status {
            401 | 403 => "; say who asks with --token-file or TOCSIN_TOKEN".to_owned(),
            404 if self.is_foreign() => {
                format!("; is {} a Tocsin, and is its path prefix part of --url?", self.base)
            }
            413 => "; send less at once".to_owned(),
            429 | 503 => match &self.retry_after {
                Some(wait) => format!("; try again in {wait} s"),
                None => "; try again in a moment".to_owned(),
            },
            500.. => "; its log says more".to_owned(),
            _ => String::new(),
        };
        Failure::refused(format!("the server refused {} ({status}): {said}{hint}", self.asked))
    }

    /// Returns whether the answer looks like that of some other server: it is no JSON.
    fn is_foreign(&self) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_err()
    }

    /// Returns the body as text.
    pub(crate) fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).map_err(|_| self.unexpected("it is no text").into())
    }

    /// Reads the body.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.unexpected(&error.to_string()).into())
    }

    fn unexpected(&self, why: &str) -> Failure {
        Failure::refused(format!(
            "{} answered {} with something unexpected ({why}); is it a Tocsin?",
            self.base, self.asked
        ))
    }
}

/// Returns the complaint in a body: problem details, Alertmanager's two shapes, or the text.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else {
        return crate::output::clean(
            &text.trim().chars().take(MAX_SHOWN_CHARS).collect::<String>(),
        );
    };
    let field = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
    let said = value
        .as_str()
        .or_else(|| field("detail"))
        .or_else(|| field("message"))
        .or_else(|| field("title"))
        .or_else(|| field("error"));
    crate::output::clean(said.unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_complaint_is_understood() {
        assert_eq!(said(br#""bad matcher format: foo""#), "bad matcher format: foo");
        assert_eq!(said(br#"{"code":601,"message":"no uuid"}"#), "no uuid");
        assert_eq!(said(br#"{"title":"Not found","detail":"no such alert"}"#), "no such alert");
        assert_eq!(said(b"plain\n"), "plain");
        assert_eq!(said(b""), "");
    }

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        let args = ServerArgs {
            url: "http://ada:secret@127.0.0.1:1/".to_owned(),
            timeout: SignedDuration::from_secs(1),
            tenant: None,
            token_file: None,
        };
        assert_eq!(Client::new(&args).unwrap().shown_base(), "http://ada:***@127.0.0.1:1");
    }

    #[test]
    fn a_tenant_is_a_path() {
        let base = |tenant: &str| {
            let args = ServerArgs {
                url: "http://127.0.0.1:1/am/".to_owned(),
                timeout: SignedDuration::from_secs(1),
                tenant: Some(tenant.to_owned()),
                token_file: None,
            };
            args.base().map_err(|error| error.to_string())
        };
        assert_eq!(base("acme").unwrap(), "http://127.0.0.1:1/am/t/acme");
        assert_eq!(base("").unwrap(), "http://127.0.0.1:1/am");
        assert!(base("../x").unwrap_err().contains("`../x` is no handle"));
    }
}
