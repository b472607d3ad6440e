//! Our own listener as the web configuration wants it: TLS, who is let in, headers for browsers.

mod certificates;
mod tls;
mod users;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use tocsin_config::{ClientAuth, Report, WebConfig};
use tokio_rustls::TlsAcceptor;

use users::Users;

/// How often it is looked whether a file has changed.
const LOOK: Duration = Duration::from_secs(1);

/// What is shown is what it says it is, where somebody came from is nobody's business, and no other
/// site puts our pages into its own.
const CAREFUL: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// The listener's configuration in effect, and the way to read it anew.
#[derive(Debug)]
pub struct Web {
    path: Option<PathBuf>,
    state: ArcSwap<Live>,
    users: Users,
}

/// What is in effect.
#[derive(Default)]
struct Live {
    config: WebConfig,
    tls: Option<TlsAcceptor>,
    headers: HeaderMap,
    stamps: Vec<(PathBuf, Stamp)>,
}

/// What changes when a file does: its time, its size, and which file it is. `None` when it cannot
/// be looked at.
type Stamp = Option<(SystemTime, u64, u64)>;

/// Why a web configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The file is wrong.
    #[error("{0}")]
    File(Report),
    /// A certificate, a key or what is said about TLS is wrong.
    #[error("{path}: `tls_server_config`: {why}")]
    Tls {
        /// The web configuration.
        path: String,
        /// What is wrong.
        why: String,
    },
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Web {
    /// Returns plain HTTP without sign-in.
    pub fn plain() -> Self {
        Self { path: None, state: ArcSwap::default(), users: Users::default() }
    }

    /// Reads the web configuration at `path`.
    ///
    /// # Errors
    /// When the file, a certificate or a key cannot be used.
    pub fn open(path: &Path) -> Result<Self, WebError> {
        let state = ArcSwap::from_pointee(Live::read(path)?);
        Ok(Self { path: Some(path.to_owned()), state, users: Users::default() })
    }

    /// Returns whether connections speak TLS at present.
    pub fn speaks_tls(&self) -> bool {
        self.state.load().tls.is_some()
    }

    /// Returns whether everybody is let in: no user is asked for, nor a certificate that not
    /// everybody can make.
    pub fn is_open(&self) -> bool {
        let live = self.state.load();
        let tls = live.config.tls_server_config.as_ref();
        live.config.basic_auth_users.is_empty()
            && !tls
                .is_some_and(|tls| tls.client_auth_type == ClientAuth::RequireAndVerifyClientCert)
    }

    /// Returns whether everybody needs a name and a password of the file, or a token.
    pub(crate) fn wants_users(&self) -> bool {
        !self.state.load().config.basic_auth_users.is_empty()
    }

    /// Returns whether everybody who came this far has shown a certificate that was verified.
    pub(crate) fn wants_certificates(&self) -> bool {
        !self.is_open() && !self.wants_users()
    }

    /// Returns the user of the file whom a request names, when the password is right.
    pub(crate) async fn user(&self, headers: &HeaderMap) -> Option<String> {
        let live = self.state.load_full();
        let users = &live.config.basic_auth_users;
        if users.is_empty() { None } else { self.users.find(users, headers).await }
    }

    /// Adds what keeps browsers careful, and the headers of the file, to an answer.
    pub(crate) fn dress(&self, mut response: Response) -> Response {
        for (name, value) in CAREFUL {
            response.headers_mut().entry(name).or_insert(value);
        }
        for (name, value) in &self.state.load().headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }

    /// Returns what a new connection is received with; `None` for plain HTTP.
    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.state.load().tls.clone()
    }

    /// Reads everything anew. When something is wrong, what was in effect stays.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn reload(&self) -> Result<(), WebError> {
        if let Some(path) = &self.path {
            self.state.store(Arc::new(Live::read(path)?));
        }
        Ok(())
    }

    /// Reads everything anew whenever one of the files changes; never ends. Certificates that are
    /// renewed by others need no restart.
    pub async fn watch(self: Arc<Self>) {
        if self.path.is_none() {
            return std::future::pending().await;
        }
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // What was wrong is complained about once, not every second.
        let mut refused: Option<Vec<(PathBuf, Stamp)>> = None;
        loop {
            ticks.tick().await;
            let web = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || {
                let live = web.state.load();
                let stamps = live.stamps.iter().map(|(path, _)| (path.clone(), stamp(path)));
                let stamps: Vec<_> = stamps.collect();
                let is_news = stamps != live.stamps && Some(&stamps) != refused.as_ref();
                if !is_news {
                    return if stamps == live.stamps { None } else { refused };
                }
                match web.reload() {
                    Ok(()) => {
                        tracing::info!("the web configuration or a certificate was read anew");
                        None
                    }
                    Err(error) => {
                        tracing::error!("{error}; what was in effect stays");
                        Some(stamps)
                    }
                }
            });
            refused = looked.await.unwrap_or_default();
        }
    }
}

impl Live {
    fn read(path: &Path) -> Result<Self, WebError> {
        let config = tocsin_config::load_web(path).map_err(WebError::File)?;
        let mut files = vec![path.to_owned()];
        if let Some(tls) = &config.tls_server_config {
            files.extend(
                [&tls.cert_file, &tls.key_file, &tls.client_ca_file].into_iter().flatten().cloned(),
            );
        }
        // Before anything is read: what changes meanwhile is seen next time.
        let stamps = files.into_iter().map(|path| (path.clone(), stamp(&path))).collect();
        let wrong = |why| WebError::Tls { path: path.display().to_string(), why };
        let tls = config
            .tls_server_config
            .as_ref()
            .map(|tls| tls::server_config(tls, config.http_server_config.http2))
            .transpose()
            .map_err(wrong)?;
        let headers = config.http_server_config.headers.iter();
        let headers = headers.filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        let headers = headers.collect();
        Ok(Self { tls: tls.map(|tls| TlsAcceptor::from(Arc::new(tls))), headers, stamps, config })
    }
}

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Web {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.yml");
        std::fs::write(&path, text).unwrap();
        Web::open(&path).unwrap()
    }

    #[test]
    fn an_open_door_is_known_as_one() {
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap().pem();
        let tls = |client: &str| {
            let (cert, key) = (cert.replace('\n', "\n    "), key.serialize_pem());
            let key = key.replace('\n', "\n    ");
            let text =
                format!("tls_server_config:\n  cert: |\n    {cert}\n  key: |\n    {key}\n{client}");
            text.replace("    \n", "")
        };
        assert!(Web::plain().is_open() && !Web::plain().speaks_tls());
        assert!(open(&tls("")).is_open() && open(&tls("")).speaks_tls());
        assert!(open(&tls("  client_auth_type: RequireAnyClientCert\n")).is_open());
        let authority = cert.replace('\n', "\n    ");
        let verified = format!(
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca: |\n    {authority}\n"
        );
        assert!(!open(&tls(&verified)).is_open());
        let hash = "a".repeat(53);
        assert!(!open(&format!("basic_auth_users: {{ ada: $2y$10${hash} }}\n")).is_open());
    }
}
