//! The web configuration: TLS, sign-in and headers of our own listener, in a file of its own that
//! every Prometheus component reads alike.
//!
//! Source: prometheus/exporter-toolkit, `docs/web-configuration.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tocsin_core::matcher::ParseMode;

use crate::diagnostic::{Report, Severity, SourceFile};
use crate::http::TlsVersion;
use crate::load::report;
use crate::reader::{Fields, Reader, Value as _};
use crate::section::{section, words};
use crate::source;
use crate::values::{Secret, SecretSource};

/// The most users of one file.
const MAX_USERS: usize = 1_000;

/// The headers that may be added to every answer.
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

section! {
    /// How our own listener speaks TLS and whom it lets in.
    WebConfig, check = check_web => {
        /// The certificate, and which certificates clients need.
        tls_server_config: Option<TlsServerConfig>;
        /// What HTTP is spoken, and further headers.
        http_server_config: HttpServerConfig;
        /// Users by name, each with the bcrypt hash of a password. When there are any, every
        /// request needs one.
        basic_auth_users: BTreeMap<String, Secret>;
    }
}

section! {
    /// The certificate of our listener, and which certificates clients need.
    TlsServerConfig, check = check_tls => {
        /// The certificate with its chain, in PEM.
        cert: String;
        /// A file with the certificate and its chain, in PEM; read anew when it changes.
        cert_file: Option<PathBuf>;
        /// The key of the certificate, in PEM.
        key: Option<Secret>;
        /// A file with the key of the certificate, in PEM; read anew when it changes.
        key_file: Option<PathBuf>;
        /// Whether clients show a certificate.
        client_auth_type: ClientAuth;
        /// Certificates of the authorities whose clients are let in, in PEM.
        client_ca: String;
        /// A file with the certificates of the authorities whose clients are let in, in PEM.
        client_ca_file: Option<PathBuf>;
        /// One of these names must stand in a client's certificate: DNS names, addresses of mail
        /// or of machines, URIs.
        client_allowed_sans: Vec<String>;
        /// The oldest version that is spoken.
        min_version: TlsVersion;
        /// The newest version that is spoken.
        max_version: TlsVersion = TlsVersion::Tls13;
        /// The suites of TLS 1.2 that are spoken, by Go's names; empty means all that are safe.
        cipher_suites: Vec<String>;
        /// Whether our order of suites counts rather than the client's. Ours always does.
        prefer_server_cipher_suites: bool = true;
        /// The curves that are spoken, by Go's names; empty means all that are safe.
        curve_preferences: Vec<String>;
    }
}

section! {
    /// What HTTP is spoken, and further headers.
    HttpServerConfig, check = check_http => {
        /// Whether HTTP/2 is offered, which needs TLS.
        http2: bool = true;
        /// Headers of every answer: those that tell browsers what to refuse.
        headers: BTreeMap<String, String>;
    }
}

words! {
    /// Whether clients show a certificate.
    ClientAuth {
        /// None is asked for.
        NoClientCert = "NoClientCert",
        /// One is asked for; it is not verified.
        RequestClientCert = "RequestClientCert",
        /// One is needed; it is not verified.
        RequireAnyClientCert = "RequireAnyClientCert",
        /// One is asked for; when there is one it must come from a trusted authority.
        VerifyClientCertIfGiven = "VerifyClientCertIfGiven",
        /// One from a trusted authority is needed.
        RequireAndVerifyClientCert = "RequireAndVerifyClientCert",
    }
    default = NoClientCert
}

/// Reads a web configuration. Relative paths in it begin where the file lies.
///
/// # Errors
/// [`Report`] with everything that is wrong.
pub fn load_web(path: &Path) -> Result<WebConfig, Report> {
    load_files(&source::read(path)?)
}

/// Reads a web configuration as if it stood in the file `name`.
///
/// # Errors
/// [`Report`] with everything that is wrong.
pub fn load_web_str(name: &str, text: &str) -> Result<WebConfig, Report> {
    load_files(&[source::from_text(name, text)])
}

fn load_files(files: &[SourceFile]) -> Result<WebConfig, Report> {
    let says_nothing =
        |line: &str| line.trim_start().is_empty() || line.trim_start().starts_with('#');
    if files.iter().all(|file| file.text.lines().all(says_nothing)) {
        return Ok(WebConfig::default());
    }
    let mut diagnostics = Vec::new();
    let node = source::merge(files, &mut diagnostics).filter(|_| diagnostics.is_empty());
    let mut reader = Reader::new(files, ParseMode::default());
    let config = node.and_then(|node| WebConfig::decode(&node, &mut reader));
    let Reader { diagnostics: more, hidden, .. } = reader;
    diagnostics.extend(more);
    let is_wrong = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    match config.filter(|_| !is_wrong) {
        Some(config) => Ok(config),
        None => Err(report(files, diagnostics, &hidden)),
    }
}

impl TlsServerConfig {
    /// Returns where the key comes from.
    pub fn key_source(&self) -> Option<SecretSource<'_>> {
        SecretSource::of(self.key.as_ref(), self.key_file.as_deref())
    }
}

fn check_web(config: &mut WebConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    if config.basic_auth_users.len() > MAX_USERS {
        let message = format!("there are more than {MAX_USERS} users");
        reader.error_at(fields, "basic_auth_users", message);
    }
    for (name, hash) in &config.basic_auth_users {
        if name.contains(':') {
            let message =
                format!("the user `{name}` has a colon in its name, which no client can send");
            reader.error_at(fields, "basic_auth_users", message);
        }
        let hash = hash.expose();
        let is_bcrypt =
            hash.len() == 60 && ["$2a$", "$2b$", "$2y$"].iter().any(|p| hash.starts_with(p));
        if !is_bcrypt {
            let message = format!(
                "the password of `{name}` is no bcrypt hash; make one with `htpasswd -nBC 10 \"\"`"
            );
            reader.error_at(fields, "basic_auth_users", message);
        }
    }
}

fn check_tls(config: &mut TlsServerConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    reader.exactly_one(fields, &["cert", "cert_file"]);
    reader.exactly_one(fields, &["key", "key_file"]);
    reader.exclusive(fields, &["client_ca", "client_ca_file"]);
    let has_authority = !config.client_ca.is_empty() || config.client_ca_file.is_some();
    let verifies = matches!(
        config.client_auth_type,
        ClientAuth::VerifyClientCertIfGiven | ClientAuth::RequireAndVerifyClientCert
    );
    if verifies && !has_authority {
        let message = "certificates of clients cannot be verified without `client_ca_file`";
        reader.error_at(fields, "client_auth_type", message);
    }
    if has_authority && !verifies {
        let message = "`client_auth_type` must be `RequireAndVerifyClientCert` or \
                       `VerifyClientCertIfGiven` where there is an authority for clients";
        reader.error_here(fields, message);
    }
    if !config.client_allowed_sans.is_empty()
        && config.client_auth_type != ClientAuth::RequireAndVerifyClientCert
    {
        let message = "names are only compared with `client_auth_type: RequireAndVerifyClientCert`";
        reader.error_at(fields, "client_allowed_sans", message);
    }
    for (key, version) in [("min_version", config.min_version), ("max_version", config.max_version)]
    {
        if matches!(version, TlsVersion::Tls10 | TlsVersion::Tls11) {
            let message = "this version is broken and not spoken; use `TLS12` or `TLS13`";
            reader.error_at(fields, key, message);
        }
    }
    if (config.min_version, config.max_version) == (TlsVersion::Tls13, TlsVersion::Tls12) {
        reader.error_at(fields, "max_version", "`max_version` is older than `min_version`");
    }
}

fn check_http(config: &mut HttpServerConfig, fields: &Fields<'_>, reader: &mut Reader<'_>) {
    for name in config.headers.keys() {
        if !HEADERS.contains(&name.as_str()) {
            let message = format!("`{name}` cannot be set; known are {}", HEADERS.join(", "));
            reader.error_at(fields, "headers", message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let report = load_web_str("web.yml", text).unwrap_err();
        report.diagnostics.iter().map(|d| format!("{}:{}", d.line, d.message)).collect()
    }

    #[test]
    fn the_file_of_other_components_is_understood() {
        let text = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
                    client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  \
                    client_allowed_sans: [prom.example]\n  min_version: TLS13\n  \
                    curve_preferences: [X25519]\nhttp_server_config:\n  http2: false\n  \
                    headers:\n    X-Frame-Options: deny\nbasic_auth_users:\n  \
                    ada: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n";
        let config = load_web_str("/etc/web.yml", text).unwrap();
        let tls = config.tls_server_config.unwrap();
        assert_eq!(tls.cert_file, Some(PathBuf::from("/etc/server.crt")));
        assert_eq!(tls.min_version, TlsVersion::Tls13);
        assert!(!config.http_server_config.http2);
        assert_eq!(config.basic_auth_users.len(), 1);
        assert_eq!(load_web_str("web.yml", "# nothing\n").unwrap(), WebConfig::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let found = complaints("basic_auth_users:\n  ada: secret\n  'a:b': $2y$10$x\n");
        assert!(found.iter().all(|complaint| !complaint.contains("secret")), "{found:?}");
        assert!(found.iter().any(|complaint| complaint.contains("no bcrypt hash")), "{found:?}");
        assert!(found.iter().any(|complaint| complaint.contains("colon")), "{found:?}");
        let found = complaints("tls_server_config:\n  cert_file: a\n  min_version: TLS10\n");
        assert!(found.iter().any(|complaint| complaint.contains("key_file")), "{found:?}");
        assert!(found.iter().any(|complaint| complaint.starts_with("3:this version")), "{found:?}");
        let found = complaints("http_server_config: {headers: {Server: x}}\n");
        assert!(found[0].contains("`Server` cannot be set"), "{found:?}");
        let found = complaints("tls_server_confg: {}\n");
        assert!(found[0].contains("tls_server_config"), "{found:?}");
        let found = complaints(
            "tls_server_config: {cert: x, key: y, client_auth_type: RequireAndVerifyClientCert}\n",
        );
        assert!(found[0].contains("cannot be verified"), "{found:?}");
    }
}
