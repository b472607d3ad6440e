//! `--web.config.file`: TLS with certificates that are renewed, certificates of clients, users.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, Identity, StatusCode};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::tocsin::{Setup, Tocsin};
use crate::support::{until, within};

const CONFIG: &str = "route: { receiver: nobody }\nreceivers: [{ name: nobody }]";

/// What bcrypt makes of passwords in tests: fast, not safe.
const COST: u32 = 4;

/// An authority, and a directory with what it issued.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    directory: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        tocsin_connect::install_crypto();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.crt"), &pem).unwrap();
        Self { pem, issuer: Issuer::new(params, key), directory }
    }

    /// Returns the directory; `ca.crt` is the authority itself.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Issues a certificate and returns it and its key.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Puts a certificate for the server there, in place of the one before.
    fn renew(&self, name: &str) {
        let (certificate, key) = self.issue(name);
        for (file, text) in [("server.key", key), ("server.crt", certificate)] {
            let fresh = self.path().join(format!("{file}.new"));
            std::fs::write(&fresh, text).unwrap();
            std::fs::rename(fresh, self.path().join(file)).unwrap();
        }
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path().join("web.yml"), text).unwrap();
    }

    /// Starts a server with a certificate for `localhost` and this web configuration.
    pub(crate) async fn serve(&self, text: &str) -> Tocsin {
        self.renew("localhost");
        self.write(text);
        let path = self.path().join("web.yml");
        let flag = format!("--web.config.file={}", path.display());
        Setup::default().flag(flag).start(CONFIG).await
    }

    /// Returns a client that trusts the authority and shows the certificate.
    fn client(&self, identity: Option<&(String, String)>) -> Client {
        let root = Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let mut builder = Client::builder().no_proxy().tls_certs_only([root]);
        if let Some((certificate, key)) = identity {
            let pem = format!("{certificate}{key}");
            builder = builder.identity(Identity::from_pem(pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }
}

pub(crate) const TLS: &str = "tls_server_config: { cert_file: server.crt, key_file: server.key }\n";

fn https(tocsin: &Tocsin, host: &str) -> String {
    format!("https://{host}:{}/api/v2/status", port(tocsin))
}

/// Returns the port that it listens on.
pub(crate) fn port(tocsin: &Tocsin) -> &str {
    tocsin.address().rsplit(':').next().unwrap()
}

#[tokio::test]
async fn certificates_are_renewed_without_a_restart() {
    let authority = Authority::new();
    let headers = "http_server_config: { headers: { X-Frame-Options: deny } }\n";
    let tocsin = authority.serve(&format!("{TLS}{headers}")).await;
    let answer = authority.client(None).get(https(&tocsin, "localhost")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.headers()["x-frame-options"], "deny");

    // A half-written certificate changes nothing, a whole one does.
    std::fs::write(authority.path().join("server.crt"), "-----BEGIN").unwrap();
    tocsin.logged("what was in effect stays").await;
    let answer = authority.client(None).get(https(&tocsin, "localhost")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    authority.renew("127.0.0.1");
    until("the new certificate", || async {
        authority.client(None).get(https(&tocsin, "127.0.0.1")).send().await.ok()
    })
    .await;
}

#[tokio::test]
async fn plain_http_is_told_that_tls_is_spoken() {
    let authority = Authority::new();
    let tocsin = authority.serve(TLS).await;
    let mut stream = TcpStream::connect(tocsin.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.0 400 ") && answer.contains("HTTPS server"), "{answer}");
}

#[tokio::test]
async fn only_clients_with_an_allowed_certificate_are_let_in() {
    let authority = Authority::new();
    let text = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
                client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  \
                client_allowed_sans: [prometheus.example]\n";
    let tocsin = authority.serve(text).await;
    let ask = async |client: Client| client.get(https(&tocsin, "localhost")).send().await;
    let known = authority.issue("prometheus.example");
    let answer = ask(authority.client(Some(&known))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let other = authority.issue("grafana.example");
    let foreign = Authority::new().issue("prometheus.example");
    for identity in [None, Some(&other), Some(&foreign)] {
        let answer = ask(authority.client(identity)).await;
        assert!(answer.is_err(), "{answer:?}");
    }
}

#[tokio::test]
async fn any_certificate_is_enough_where_none_is_verified() {
    let authority = Authority::new();
    let text = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
                client_auth_type: RequireAnyClientCert\n  max_version: TLS12\n";
    let tocsin = authority.serve(text).await;
    let foreign = Authority::new().issue("anybody.example");
    let ask = async |client: Client| client.get(https(&tocsin, "localhost")).send().await;
    let answer = ask(authority.client(Some(&foreign))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(ask(authority.client(None)).await.is_err());
}

#[tokio::test]
async fn users_sign_in_and_nobody_else() {
    let authority = Authority::new();
    let users = |password: &str| {
        let hash = bcrypt::hash(password, COST).unwrap();
        format!("basic_auth_users:\n  ada: {hash}\n")
    };
    let tocsin = authority.serve(&users("engine")).await;
    let ask = async |path: &str, sign_in: Option<(&str, &str)>| {
        let mut request = tocsin.client().get(tocsin.url(path));
        if let Some((name, password)) = sign_in {
            request = request.basic_auth(name, Some(password));
        }
        request.send().await.unwrap()
    };
    assert_eq!(ask("/api/v2/alerts", Some(("ada", "engine"))).await.status(), StatusCode::OK);
    for path in ["/", "/api/v1/alerts", "/api/v2/alerts", "/metrics", "/-/healthy", "/nothing"] {
        for sign_in in [None, Some(("ada", "wrong")), Some(("grace", "engine"))] {
            let answer = ask(path, sign_in).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {sign_in:?}");
            assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
        }
    }
    let posted = tocsin.client().post(tocsin.url("/api/v2/alerts")).body("[]").send().await;
    assert_eq!(posted.unwrap().status(), StatusCode::UNAUTHORIZED);

    authority.write(&users("difference"));
    until("the new password", || async {
        let answer = ask("/", Some(("ada", "difference"))).await;
        (answer.status() == StatusCode::OK).then_some(())
    })
    .await;
    assert_eq!(ask("/", Some(("ada", "engine"))).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_wrong_keeps_it_from_starting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("web.yml");
    let refuse = async |text: &str| {
        std::fs::write(&path, text).unwrap();
        let flag = format!("--web.config.file={}", path.display());
        Setup::default().flag(flag).refuse(CONFIG).await
    };
    let (code, said) = refuse("tls_server_config: { cert_file: a.crt, key_file: a.key }\n").await;
    assert!(said.contains("`cert_file`") && said.contains("a.crt"), "{said}");
    assert_eq!(code, 2);
    let (_, said) = refuse("basic_auth_users: { ada: engine }\n").await;
    assert!(said.contains("no bcrypt hash") && said.contains("web.yml:1:"), "{said}");
}

#[tokio::test]
async fn the_command_line_signs_in_with_the_name_in_the_address() {
    let authority = Authority::new();
    let hash = bcrypt::hash("engine", COST).unwrap();
    let tocsin = authority.serve(&format!("{TLS}basic_auth_users: {{ ada: {hash} }}\n")).await;
    let query = async |user: &str| {
        let url = format!("https://{user}localhost:{}", port(&tocsin));
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tocsin"));
        command.args(["alert", "query", "-o", "json", "--url", &url]);
        command.env("SSL_CERT_FILE", authority.path().join("ca.crt"));
        within("the command", command.output()).await.unwrap()
    };
    let answer = query("ada:engine@").await;
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{said}");
    let answer = query("").await;
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(!answer.status.success());
    assert!(said.contains("a user of this server and the password are needed"), "{said}");
}
