//! The HTTP client of one configuration, made anew when the certificates it uses have changed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, NoProxy, Proxy};
use tocsin_config::{
    HttpConfig, NotStored, OAuth2, Secret, SecretSource, TlsConfig, TlsVersion as Version, Url,
};
use tocsin_core::notification::FailureClass;
use tokio::sync::Mutex;

use super::tls::{TlsError, TlsMaterial, TlsVersion};
use crate::failure::{Undelivered, chain};
use crate::guard::{Blocked, Guard, Resolver, environment_proxies, proxy_host};
use crate::redact::Redactor;
use crate::secret::{missing, offload};

/// The longest file of certificates that is read; the bundles of operating systems are a quarter.
const MAX_PEM_FILE_BYTES: u64 = 1024 * 1024;

/// Why a client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of the TLS settings cannot be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The TLS settings do not work.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The proxy's address or headers do not work.
    #[error("the proxy cannot be used: {0}")]
    Proxy(String),
    /// The client refuses its settings.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// A client and the certificates it was made with.
pub(super) struct RenewingClient {
    tls: TlsConfig,
    settings: Settings,
    current: Mutex<Current>,
}

struct Current {
    material: TlsMaterial,
    proxy_headers: ProxyHeaders,
    client: Client,
    /// For redirects to other hosts, with connections of its own: one that was made under the
    /// wider rules must not be used under the narrower ones. Made when it is needed.
    elsewhere: Option<Client>,
}

/// What a proxy is told with CONNECT.
type ProxyHeaders = BTreeMap<String, Vec<Secret>>;

/// What a client is made of beside TLS.
struct Settings {
    http2: bool,
    proxy: Option<Url>,
    no_proxy: String,
    proxy_from_environment: bool,
    proxy_connect_header: ProxyHeaders,
    guard: Guard,
}

impl RenewingClient {
    /// Makes the client of an `http_config`.
    pub(super) fn of_http(config: &HttpConfig, guard: &Guard) -> Result<Self, ClientError> {
        Self::new(
            &config.tls_config,
            Settings {
                guard: guard.clone(),
                http2: config.enable_http2,
                proxy: config.proxy_url.clone(),
                no_proxy: config.no_proxy.clone(),
                proxy_from_environment: config.proxy_from_environment,
                proxy_connect_header: config.proxy_connect_header.clone(),
            },
        )
    }

    /// Makes the client that fetches tokens.
    pub(super) fn of_oauth2(config: &OAuth2, guard: &Guard) -> Result<Self, ClientError> {
        Self::new(
            &config.tls_config,
            Settings {
                guard: guard.clone(),
                http2: true,
                proxy: config.proxy_url.clone(),
                no_proxy: config.no_proxy.clone(),
                proxy_from_environment: config.proxy_from_environment,
                proxy_connect_header: config.proxy_connect_header.clone(),
            },
        )
    }

    fn new(tls: &TlsConfig, settings: Settings) -> Result<Self, ClientError> {
        let mut readable = tls.clone();
        if readable.key.as_ref().is_some_and(|key| key.fetch().is_err()) {
            // It may be stored later; until then every attempt says that it is not.
            readable.key = None;
        }
        let material = TlsMaterial::read(&readable)?;
        let proxy_headers = settings.proxy_headers().unwrap_or_default();
        let client = settings.build(&material, &proxy_headers, &settings.guard)?;
        let current = Mutex::new(Current { material, proxy_headers, client, elsewhere: None });
        Ok(Self { tls: tls.clone(), settings, current })
    }

    /// Returns the client, a new one if a certificate file changed: short-lived certificates are
    /// replaced while we run.
    async fn get(&self) -> Result<Client, Undelivered> {
        let mut current = self.current.lock().await;
        let proxy_headers = self.settings.proxy_headers().map_err(|why| missing(&why))?;
        let material = if can_change(&self.tls) {
            let tls = self.tls.clone();
            Some(offload(move || TlsMaterial::read(&tls)).await?)
        } else {
            None
        };
        let is_new = material.as_ref().is_some_and(|material| *material != current.material);
        if is_new || proxy_headers != current.proxy_headers {
            let material = material.unwrap_or_else(|| current.material.clone());
            let client = self
                .settings
                .build(&material, &proxy_headers, &self.settings.guard)
                .map_err(|error| unusable(&error))?;
            *current = Current { material, proxy_headers, client, elsewhere: None };
        }
        Ok(current.client.clone())
    }

    /// Returns the client for `url` after the guard has judged it. `is_named` says whether the
    /// configuration names the host, or another server did by a redirect.
    pub(super) async fn get_for(
        &self,
        name: &str,
        url: &reqwest::Url,
        is_named: bool,
    ) -> Result<Client, Undelivered> {
        let guard = &self.settings.guard;
        let strict = (!is_named).then(|| guard.strict());
        strict.as_ref().unwrap_or(guard).check_url(url).map_err(|why| blocked(name, &why))?;
        let Some(strict) = strict else { return self.get().await };
        let mut current = self.current.lock().await;
        if let Some(client) = &current.elsewhere {
            return Ok(client.clone());
        }
        let client = self
            .settings
            .build(&current.material, &current.proxy_headers, &strict)
            .map_err(|error| unusable(&error))?;
        current.elsewhere = Some(client.clone());
        Ok(client)
    }

    /// Hides what the proxy is told to prove who we are.
    pub(super) fn hide_secrets(&self, redactor: &mut Redactor) {
        let url = self.settings.proxy.as_ref().map(|url| reqwest::Url::parse(url.as_str()));
        if let Some(Ok(url)) = url {
            redactor.hide_url(&url);
        }
        let headers = self.settings.proxy_headers().unwrap_or_default();
        headers.values().flatten().for_each(|value| redactor.hide(value.expose()));
    }
}

impl Settings {
    fn build(
        &self,
        material: &TlsMaterial,
        headers: &ProxyHeaders,
        guard: &Guard,
    ) -> Result<Client, ClientError> {
        let proxies = match &self.proxy {
            Some(proxy) => proxy_host(proxy.as_str()).into_iter().collect(),
            None if self.proxy_from_environment => environment_proxies(),
            None => Vec::new(),
        };
        let mut builder = Client::builder()
            .dns_resolver(Resolver::new(guard.clone(), proxies))
            .tls_backend_preconfigured(material.client_config(self.http2)?)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if !self.http2 {
            builder = builder.http1_only();
        }
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(self.proxy(proxy, headers)?);
        } else if !self.proxy_from_environment {
            // Alertmanager reads the environment only when it is told to.
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| ClientError::Client(error.without_url()))
    }

    /// Returns what the proxy is told, with what is stored.
    fn proxy_headers(&self) -> Result<ProxyHeaders, NotStored> {
        let mut fetched = ProxyHeaders::new();
        for (name, values) in &self.proxy_connect_header {
            let values = values.iter().map(Secret::fetch).collect::<Result<_, _>>()?;
            fetched.insert(name.clone(), values);
        }
        Ok(fetched)
    }

    fn proxy(&self, url: &Url, told: &ProxyHeaders) -> Result<Proxy, ClientError> {
        let mut headers = HeaderMap::new();
        for (name, values) in told {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| ClientError::Proxy(format!("`{name}` is not a header name")))?;
            for value in values {
                let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
                    let why = format!("the value of `{name}` holds a forbidden character");
                    ClientError::Proxy(why)
                })?;
                value.set_sensitive(true);
                headers.append(&name, value);
            }
        }
        let proxy = Proxy::all(url.as_str())
            .map_err(|error| ClientError::Proxy(chain(&error.without_url())))?
            .no_proxy(NoProxy::from_string(&self.no_proxy));
        Ok(if headers.is_empty() { proxy } else { proxy.headers(headers) })
    }
}

fn unusable(error: &ClientError) -> Undelivered {
    Undelivered::failed(FailureClass::Other, chain(error))
}

/// The guard's refusal; nothing was sent.
pub(super) fn blocked(name: &str, why: &Blocked) -> Undelivered {
    Undelivered::refused(FailureClass::Other, format!("{name}: {why}"))
}

impl TlsMaterial {
    /// Reads everything that TLS settings point to.
    pub(crate) fn read(config: &TlsConfig) -> std::io::Result<Self> {
        let ca = pem(&config.ca, config.ca_file.as_deref())?;
        let cert = pem(&config.cert, config.cert_file.as_deref())?;
        let key = match SecretSource::of(config.key.as_ref(), config.key_file.as_deref()) {
            Some(source) => Some(source.read()?.expose().as_bytes().to_vec()),
            None => None,
        };
        Ok(Self {
            ca,
            identity: cert.zip(key),
            server_name: (!config.server_name.is_empty()).then(|| config.server_name.clone()),
            insecure_skip_verify: config.insecure_skip_verify,
            min_version: config.min_version.map(version),
            max_version: config.max_version.map(version),
        })
    }
}

fn version(version: Version) -> TlsVersion {
    match version {
        Version::Tls10 | Version::Tls11 => TlsVersion::Older,
        Version::Tls12 => TlsVersion::V12,
        Version::Tls13 => TlsVersion::V13,
    }
}

/// Returns whether what the settings point to can change while we run.
fn can_change(tls: &TlsConfig) -> bool {
    let is_stored = tls.key.as_ref().is_some_and(|key| key.stored().is_some());
    is_stored || tls.ca_file.is_some() || tls.cert_file.is_some() || tls.key_file.is_some()
}

/// Returns the PEM of a pair `key` / `key_file`.
fn pem(inline: &str, file: Option<&Path>) -> std::io::Result<Option<Vec<u8>>> {
    if !inline.is_empty() {
        return Ok(Some(inline.as_bytes().to_vec()));
    }
    let Some(path) = file else { return Ok(None) };
    let read = || {
        let mut pem = Vec::new();
        std::fs::File::open(path)?.take(MAX_PEM_FILE_BYTES + 1).read_to_end(&mut pem)?;
        if pem.len() as u64 > MAX_PEM_FILE_BYTES {
            let why = format!("longer than {MAX_PEM_FILE_BYTES} bytes");
            return Err(std::io::Error::other(why));
        }
        Ok(pem)
    };
    read()
        .map(Some)
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
