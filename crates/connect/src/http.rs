//! The one way to speak HTTP to others: every provider's message goes through [`Sender::send`].

mod client;
mod exchange;
mod oauth2;
mod request;
pub(crate) mod tls;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use tocsin_config::{HttpConfig, HttpHeader, Secret, SecretSource};
use tocsin_core::notification::FailureClass;

pub use self::client::ClientError;
use self::client::RenewingClient;
pub(crate) use self::exchange::{Answer, Deadline, MAX_ANSWER_BYTES};
use self::exchange::{Question, exchange};
use self::oauth2::TokenSource;
pub(crate) use self::oauth2::form;
pub(crate) use self::request::{Request, Stamp};
use crate::failure::Undelivered;
use crate::guard::Guard;
use crate::redact::Redactor;
use crate::secret;

/// The header that makes sending twice harmless.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Sends as one `http_config` says.
pub(crate) struct Sender {
    config: HttpConfig,
    user_agent: HeaderValue,
    client: RenewingClient,
    tokens: Option<TokenSource>,
}

impl Sender {
    /// Reads certificates and sets the client up; nothing is connected yet.
    pub(crate) fn new(
        config: &HttpConfig,
        user_agent: &str,
        guard: &Guard,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            user_agent: HeaderValue::from_str(user_agent)
                .unwrap_or_else(|_| HeaderValue::from_static("Tocsin")),
            client: RenewingClient::of_http(config, guard)?,
            tokens: config.oauth2.as_ref().map(|it| TokenSource::new(it, guard)).transpose()?,
            config: config.clone(),
        })
    }

    /// Returns whether this sender does what `config` says.
    pub(crate) fn serves(&self, config: &HttpConfig) -> bool {
        self.config == *config
    }

    /// Sends one request and returns the answer, whatever its status.
    pub(crate) async fn send(
        &self,
        request: Request<'_>,
        deadline: Deadline,
        redactor: &mut Redactor,
    ) -> Result<Answer, Undelivered> {
        let Request { target, method, url, content_type, body, .. } = request;
        let Request { headers: extra, authorization, idempotency_key, now, answer_bytes, .. } =
            request;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, self.user_agent.clone());
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if !idempotency_key.is_empty()
            && let Ok(key) = HeaderValue::from_str(idempotency_key)
        {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        redactor.hide_url(&url);
        self.client.hide_secrets(redactor);

        let prepare = self.private_headers(authorization, deadline, redactor);
        let mut private_headers = deadline.bound(target, prepare).await??;
        for (name, value) in extra {
            redactor.hide(value.expose());
            let what = format!("the header `{name}`");
            private_headers.insert(name, sensitive(value.expose(), &what)?);
        }
        let follow_redirects = self.config.follow_redirects;
        let question = Question {
            target,
            method,
            url,
            headers,
            private_headers,
            body,
            follow_redirects,
            now,
            answer_bytes,
        };
        let answer = exchange(&self.client, question, deadline, redactor).await?;
        if answer.status == 401
            && let Some(tokens) = &self.tokens
        {
            tokens.forget().await;
        }
        Ok(answer)
    }

    /// Collects what only the configured host may see.
    async fn private_headers(
        &self,
        own: Option<Secret>,
        deadline: Deadline,
        redactor: &mut Redactor,
    ) -> Result<HeaderMap, Undelivered> {
        let mut headers = HeaderMap::new();
        for (name, header) in &self.config.http_headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| unfit(&format!("`{name}` is not a header name")))?;
            add(&mut headers, &name, header, redactor).await?;
        }
        let authorization = if let Some(own) = own {
            Some(own.expose().to_owned())
        } else {
            self.authorization(deadline, redactor).await?
        };
        if let Some(text) = authorization {
            headers.insert(AUTHORIZATION, sensitive(&text, "the authorization")?);
        }
        Ok(headers)
    }

    async fn authorization(
        &self,
        deadline: Deadline,
        redactor: &mut Redactor,
    ) -> Result<Option<String>, Undelivered> {
        if let Some(basic) = &self.config.basic_auth {
            let user = match &basic.username_file {
                Some(path) => secret::read(SecretSource::File(path), redactor).await?,
                None => Secret::new(basic.username.as_str()),
            };
            let password = read_or_empty(basic.password(), redactor).await?;
            return Ok(Some(basic_authorization(user.expose(), password.expose(), redactor)));
        }
        if let Some(authorization) = &self.config.authorization {
            let credentials = read_or_empty(authorization.credentials(), redactor).await?;
            return Ok((!credentials.is_empty())
                .then(|| format!("{} {}", authorization.r#type, credentials.expose())));
        }
        match &self.tokens {
            Some(tokens) => tokens.authorization(deadline, redactor).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the value of a `Basic` authorization; its encoded form is as secret as the password.
pub(crate) fn basic_authorization(user: &str, password: &str, redactor: &mut Redactor) -> String {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    redactor.hide(&encoded);
    format!("Basic {encoded}")
}

async fn read_or_empty(
    source: Option<SecretSource<'_>>,
    redactor: &mut Redactor,
) -> Result<Secret, Undelivered> {
    match source {
        Some(source) => secret::read(source, redactor).await,
        None => Ok(Secret::default()),
    }
}

async fn add(
    headers: &mut HeaderMap,
    name: &HeaderName,
    header: &HttpHeader,
    redactor: &mut Redactor,
) -> Result<(), Undelivered> {
    let what = format!("the header `{name}`");
    for value in &header.values {
        headers.append(name, sensitive(value, &what)?);
    }
    let inline = header.secrets.iter().map(SecretSource::Inline);
    for source in inline.chain(header.files.iter().map(|path| SecretSource::File(path))) {
        let value = secret::read(source, redactor).await?;
        headers.append(name, sensitive(value.expose(), &what)?);
    }
    Ok(())
}

fn sensitive(text: &str, what: &str) -> Result<HeaderValue, Undelivered> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| unfit(&format!("{what} holds a character that a header cannot")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unfit(why: &str) -> Undelivered {
    Undelivered::refused(FailureClass::Other, format!("http_config: {why}"))
}
