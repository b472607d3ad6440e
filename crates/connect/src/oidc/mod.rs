//! OpenID Connect as a relying party: authorization code with PKCE.
//!
//! Discovery 1.0 finds the provider's addresses and keys; Core 1.0, section 3.1 is the flow; RFC
//! 7636 binds the code to whoever began, and RFC 9207 the answer to the provider.

mod fetch;
mod verify;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use rand::TryRng as _;
use rand::rngs::SysRng;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tocsin_config::Secret;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::guard::Guard;
use fetch::Fetch;
pub use verify::Claims;

/// How long what the provider says of itself is believed.
const METADATA_LIFE: Duration = Duration::from_secs(3600);

/// How often keys are asked for at most, when a token names one that is not known.
const KEYS_PAUSE: Duration = Duration::from_secs(60);

/// Whom to ask, and as whom.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The provider's address; what it calls itself must be exactly this.
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// Our secret there; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// What to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// Where the provider sends the browser back to.
    pub redirect_uri: String,
    /// Where requests may go.
    pub guard: Guard,
}

/// Why somebody cannot sign in at the provider.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It does not answer; worth trying again.
    #[error("the identity provider cannot be reached: {0}")]
    Unreachable(String),
    /// What it says of itself cannot be used, or the settings do not fit it.
    #[error("the identity provider is not set up right: {0}")]
    Misconfigured(String),
    /// It refused.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// What it sent proves nothing.
    #[error("what the identity provider sent cannot be trusted: {0}")]
    Untrusted(&'static str),
}

/// A sign-in that was begun; to be kept by the browser alone, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Proves to the provider that who ends it began it.
    pub verifier: String,
}

/// What the provider says of itself.
#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// An identity provider.
pub struct Provider {
    settings: OidcSettings,
    fetch: Fetch,
    metadata: Mutex<Option<(Instant, Metadata)>>,
    keys: Mutex<Keys>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

/// The provider's keys.
#[derive(Default)]
struct Keys {
    known: Option<JwkSet>,
    /// When they were last asked for because a token named another.
    renewed: Option<Instant>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Provider {
    /// Prepares to ask a provider; nothing is sent yet.
    ///
    /// # Errors
    /// [`OidcError::Misconfigured`] when the issuer is no address of https (or of http on a
    /// loopback address).
    pub fn new(settings: OidcSettings) -> Result<Self, OidcError> {
        let issuer = fetch::trusted(&settings.issuer)?;
        Ok(Self {
            fetch: Fetch::new(&issuer, &settings.guard)?,
            settings,
            metadata: Mutex::default(),
            keys: Mutex::default(),
        })
    }

    /// Begins a sign-in: returns where to send the browser, and what to keep meanwhile.
    ///
    /// # Errors
    /// [`OidcError`] when the provider cannot be asked where.
    pub async fn begin(&self) -> Result<(String, Attempt), OidcError> {
        let metadata = self.metadata().await?;
        let attempt = Attempt { state: random()?, nonce: random()?, verifier: random()? };
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, attempt.verifier.as_bytes()));
        let mut url = fetch::trusted(&metadata.authorization_endpoint)?;
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid");
        let scope = scopes.fold("openid".to_owned(), |all, scope| format!("{all} {scope}"));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &scope)
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok((url.into(), attempt))
    }

    /// Ends a sign-in with the code the browser brought, and returns who it is.
    ///
    /// `iss` is the parameter of that name, where the browser brought one.
    ///
    /// # Errors
    /// [`OidcError`]; nobody is signed in.
    pub async fn finish(
        &self,
        code: &str,
        iss: Option<&str>,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Claims, OidcError> {
        let metadata = self.metadata().await?;
        match iss {
            Some(iss) if iss != metadata.issuer => {
                return Err(OidcError::Untrusted("the answer is of another provider"));
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(OidcError::Untrusted(
                    "the answer does not say which provider it is of",
                ));
            }
            _ => {}
        }
        let token = self.exchange(&metadata, code, attempt).await?;
        let header = jsonwebtoken::decode_header(&token)
            .map_err(|_| OidcError::Untrusted("the token cannot be read"))?;
        let keys = self.keys(&metadata, header.kid.as_deref()).await?;
        verify::verify(&token, &header, &keys, &self.settings, &attempt.nonce, now)
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        attempt: &Attempt,
    ) -> Result<String, OidcError> {
        let url = fetch::trusted(&metadata.token_endpoint)?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.redirect_uri),
            ("code_verifier", &attempt.verifier),
        ];
        let methods = &metadata.token_endpoint_auth_methods_supported;
        // Without a list, basic authentication is what every provider knows (Discovery, section 3).
        let takes_basic =
            methods.is_empty() || methods.iter().any(|it| it == "client_secret_basic");
        let secret = self.settings.client_secret.as_ref().map(Secret::fetch).transpose();
        let secret = secret.map_err(|why| OidcError::Misconfigured(why.to_string()))?;
        let secret = secret.as_ref();
        let basic = secret.filter(|_| takes_basic);
        if basic.is_none() {
            form.push(("client_id", &self.settings.client_id));
            form.extend(secret.map(|secret| ("client_secret", secret.expose())));
        }
        let basic = basic.map(|secret| (self.settings.client_id.as_str(), secret.expose()));
        let answer: TokenAnswer = self.fetch.post(url, &form, basic).await?;
        if let Some(error) = answer.error {
            let more = answer.error_description.map(|text| format!(": {text}")).unwrap_or_default();
            let text: String = format!("{error}{more}").chars().take(200).collect();
            return Err(OidcError::Refused(text));
        }
        answer.id_token.ok_or(OidcError::Untrusted("there is no ID token"))
    }

    async fn metadata(&self) -> Result<Metadata, OidcError> {
        let mut kept = self.metadata.lock().await;
        if let Some((at, metadata)) = &*kept
            && at.elapsed() < METADATA_LIFE
        {
            return Ok(metadata.clone());
        }
        let issuer = self.settings.issuer.trim_end_matches('/');
        let url = fetch::trusted(&format!("{issuer}/.well-known/openid-configuration"))?;
        let metadata: Metadata = self.fetch.get(url).await?;
        if metadata.issuer != self.settings.issuer {
            let (found, wanted) = (&metadata.issuer, &self.settings.issuer);
            let why = format!("it calls itself `{found}`, the settings `{wanted}`");
            return Err(OidcError::Misconfigured(why));
        }
        *kept = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    /// Returns the provider's keys, anew when the one that is named is not among them.
    async fn keys(&self, metadata: &Metadata, kid: Option<&str>) -> Result<JwkSet, OidcError> {
        let mut kept = self.keys.lock().await;
        if let Some(keys) = &kept.known {
            let is_known = kid.is_none_or(|kid| keys.find(kid).is_some());
            // Whoever makes up names of keys must not make us ask all the time.
            if is_known || kept.renewed.is_some_and(|at| at.elapsed() < KEYS_PAUSE) {
                return Ok(keys.clone());
            }
            kept.renewed = Some(Instant::now());
        }
        let url: Url = fetch::trusted(&metadata.jwks_uri)?;
        let keys: JwkSet = self.fetch.get(url).await?;
        kept.known = Some(keys.clone());
        Ok(keys)
    }
}

/// Returns 256 random bits as text.
fn random() -> Result<String, OidcError> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| OidcError::Misconfigured(format!("no random numbers: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
