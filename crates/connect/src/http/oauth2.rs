//! Tokens by the client-credentials grant of OAuth 2.0 (RFC 6749, section 4.4), kept until they
//! expire.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use tocsin_config::{OAuth2, Secret};
use tocsin_core::notification::FailureClass;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::client::{ClientError, RenewingClient};
use super::exchange::{Answer, Deadline, MAX_ANSWER_BYTES, Question, exchange};
use super::{basic_authorization, read_or_empty, sensitive};
use crate::failure::Undelivered;
use crate::guard::Guard;
use crate::redact::Redactor;

/// How the token server is called in errors.
const TARGET: &str = "OAuth 2.0 token server";

/// How long before its end a token is no longer used, so that it does not expire on the way.
const EXPIRY_MARGIN: Duration = Duration::from_secs(10);

/// The longest life that is believed, so that no arithmetic on instants can overflow.
const MAX_LIFE_SECONDS: u64 = 365 * 24 * 60 * 60;

/// Fetches and keeps the token of one client.
pub(super) struct TokenSource {
    config: OAuth2,
    client: RenewingClient,
    // Held while a token is fetched: ten messages at once ask for one token, not for ten.
    kept: Mutex<Option<Token>>,
}

struct Token {
    authorization: Secret,
    expires_at: Option<Instant>,
}

/// Where the client's name and secret are put; servers accept the one, the other, or both.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Header,
    Parameters,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl TokenSource {
    pub(super) fn new(config: &OAuth2, guard: &Guard) -> Result<Self, ClientError> {
        Ok(Self {
            client: RenewingClient::of_oauth2(config, guard)?,
            config: config.clone(),
            kept: Mutex::new(None),
        })
    }

    /// Returns the value of the `Authorization` header.
    pub(super) async fn authorization(
        &self,
        deadline: Deadline,
        redactor: &mut Redactor,
    ) -> Result<String, Undelivered> {
        let mut kept = self.kept.lock().await;
        let is_valid = |token: &Token| token.expires_at.is_none_or(|at| Instant::now() < at);
        let token = match kept.take().filter(is_valid) {
            Some(token) => token,
            None => self.fetch(deadline, redactor).await?,
        };
        redactor.hide(token.authorization.expose());
        if let Some((_, bare)) = token.authorization.expose().split_once(' ') {
            redactor.hide(bare);
        }
        let authorization = token.authorization.expose().to_owned();
        *kept = Some(token);
        Ok(authorization)
    }

    /// Drops the token because it was not accepted.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn fetch(
        &self,
        deadline: Deadline,
        redactor: &mut Redactor,
    ) -> Result<Token, Undelivered> {
        let secret = read_or_empty(self.config.client_secret(), redactor).await?;
        let mut answer = self.ask(Style::Header, &secret, deadline, redactor).await?;
        if matches!(answer.status, 400 | 401) {
            answer = self.ask(Style::Parameters, &secret, deadline, redactor).await?;
        }
        if !answer.is_success() {
            let why =
                Undelivered::status(TARGET, answer.status, answer.retry_after_ms, &answer.body);
            return Err(why.retry_after_ms(answer.retry_after_ms));
        }
        let unreadable = |why: String| Undelivered::failed(FailureClass::AuthError, why);
        if let Some(why) = answer.incomplete {
            return Err(unreadable(format!("{TARGET}: the answer broke off: {why}")));
        }
        // The error of the parser may quote the token, so it is not repeated.
        let token: TokenAnswer = serde_json::from_slice(&answer.body)
            .map_err(|_| unreadable(format!("{TARGET}: the answer is not a token in JSON")))?;
        let kind = if token.token_type.eq_ignore_ascii_case("bearer") || token.token_type.is_empty()
        {
            "Bearer"
        } else {
            &token.token_type
        };
        let life = token.expires_in.as_ref().and_then(seconds).map(|seconds| {
            Duration::from_secs(seconds.min(MAX_LIFE_SECONDS)).saturating_sub(EXPIRY_MARGIN)
        });
        Ok(Token {
            authorization: Secret::new(format!("{kind} {}", token.access_token)),
            expires_at: life.map(|life| Instant::now() + life),
        })
    }

    async fn ask(
        &self,
        style: Style,
        secret: &Secret,
        deadline: Deadline,
        redactor: &mut Redactor,
    ) -> Result<Answer, Undelivered> {
        let url = self.config.token_url.as_ref().map(|url| Url::parse(url.as_str()));
        let Some(Ok(url)) = url else {
            let why = format!("{TARGET}: `token_url` is missing or not an address");
            return Err(Undelivered::refused(FailureClass::Other, why));
        };
        let mut fields = vec![("grant_type", "client_credentials")];
        let scope = self.config.scopes.join(" ");
        if !scope.is_empty() {
            fields.push(("scope", &scope));
        }
        let mut private_headers = HeaderMap::new();
        let id = self.config.client_id.as_str();
        match style {
            Style::Header => {
                let (id, secret) = (form(&[("", id)]), form(&[("", secret.expose())]));
                let user = id.trim_start_matches('=');
                let password = secret.strip_prefix('=').unwrap_or("");
                redactor.hide(password);
                let value = basic_authorization(user, password, redactor);
                private_headers.insert(AUTHORIZATION, sensitive(&value, "the client's secret")?);
            }
            Style::Parameters => {
                fields.push(("client_id", id));
                if !secret.is_empty() {
                    fields.push(("client_secret", secret.expose()));
                }
            }
        }
        let params = self.config.endpoint_params.iter();
        fields.extend(params.map(|(name, value)| (name.as_str(), value.as_str())));

        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let question = Question {
            target: TARGET,
            method: reqwest::Method::POST,
            url,
            headers,
            private_headers,
            body: form(&fields).into_bytes(),
            // The body may hold the secret.
            follow_redirects: false,
            now: Timestamp::UNIX_EPOCH,
            answer_bytes: MAX_ANSWER_BYTES,
        };
        self.client.hide_secrets(redactor);
        exchange(&self.client, question, deadline, redactor).await
    }
}

/// Encodes fields as forms do.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    // A URL knows the encoding; the host never matters.
    let Ok(mut url) = Url::parse("http://form") else { return String::new() };
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or("").to_owned()
}

/// Reads a number of seconds, which some servers write as a text.
fn seconds(value: &serde_json::Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_forms_do() {
        assert_eq!(form(&[("scope", "a b"), ("x", "ü&=")]), "scope=a+b&x=%C3%BC%26%3D");
        assert_eq!(form(&[("", "a b")]), "=a+b");
    }

    #[test]
    fn a_life_may_be_a_number_or_a_text() {
        assert_eq!(seconds(&serde_json::json!(3600)), Some(3600));
        assert_eq!(seconds(&serde_json::json!("60")), Some(60));
        assert_eq!(seconds(&serde_json::json!(0)), None);
        assert_eq!(seconds(&serde_json::json!(-1)), None);
    }
}
