//! What the tests of several providers share: notifications, receivers, and a small HTTP server
//! that says what it is told to say and keeps what it was sent.

#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::sync::{Arc, Mutex};

use tocsin_config::{IntegrationConfig, ReceiverConfig, Settings};
use tocsin_connect::{Context, Outbound};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber};
use tocsin_core::labels::Labels;
use tocsin_core::notification::{
    AttemptOutcome, Failure, FailureClass, LogKey, Notification, NotifiedAlert, NotifyReason,
    OutboxEntry,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// Appears in every secret of the tests and must appear in no outcome.
pub(crate) const CANARY: &str = "canary-7f3a9c";

pub(crate) const KEY: &str = "1-42";

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

pub(crate) fn notification() -> Notification {
    let labels = labels(&[("alertname", "PgDown"), ("cluster", "eu1"), ("severity", "critical")]);
    Notification {
        receiver: "db.hook".into(),
        group_key: r#"{}:{alertname="PgDown"}"#.into(),
        group_labels: Labels::from([("alertname", "PgDown")]),
        route_labels: Labels::default(),
        reason: NotifyReason::First,
        alerts: vec![NotifiedAlert {
            number: AlertNumber(7),
            fingerprint: labels.fingerprint(),
            labels,
            annotations: Labels::from([("summary", "pg & friends")]),
            generator_url: "http://prom.example/graph?a=1&b=2".into(),
            starts_at: "2026-11-20T15:10:21.633381649Z".parse().unwrap(),
            ends_at: "2026-11-20T15:20:21Z".parse().unwrap(),
            is_resolved: false,
        }],
        decided_at: "2026-11-20T15:10:31Z".parse().unwrap(),
    }
}

pub(crate) fn entry(kind: &str) -> OutboxEntry {
    let notification = notification();
    OutboxEntry {
        number: OutboxNumber(42),
        group: GroupNumber(3),
        key: LogKey {
            group: "g".into(),
            receiver: Arc::clone(&notification.receiver),
            kind: kind.into(),
            index: 0,
        },
        due_at: notification.decided_at,
        deadline: notification.decided_at,
        log_expires_at: notification.decided_at,
        notification: Arc::new(notification),
        firing: Vec::new(),
        resolved: Vec::new(),
        attempts: 0,
        receipt: None,
    }
}

/// The same about alerts that have ended.
pub(crate) fn ended_entry(kind: &str) -> OutboxEntry {
    let mut notification = notification();
    notification.reason = NotifyReason::AllResolved;
    for alert in &mut notification.alerts {
        alert.is_resolved = true;
    }
    OutboxEntry { notification: Arc::new(notification), ..entry(kind) }
}

/// How the group of [`entry`] is called at vendors.
pub(crate) const GROUP_ID: &str =
    "f008ceeb0bec4681cf47a196e42fdeb159ba25c202e3eca7378a1fe9a3f98cff";

/// Returns the sentences about what had to be replaced in a message that was delivered.
#[track_caller]
pub(crate) fn delivered_with_notes(outcome: AttemptOutcome) -> Vec<String> {
    match outcome {
        AttemptOutcome::Delivered { fallbacks, .. } => {
            assert!(!fallbacks.iter().any(|note| note.contains("canary")), "{fallbacks:?}");
            fallbacks
        }
        other => panic!("not delivered: {other:?}"),
    }
}

pub(crate) fn secret(prefix: &str) -> Option<tocsin_config::Secret> {
    Some(tocsin_config::Secret::new(format!("{prefix}{CANARY}")))
}

pub(crate) fn text(text: &str) -> Option<tocsin_config::Template> {
    Some(tocsin_config::Template::new(text))
}

/// An address of the server as a configuration holds it.
pub(crate) fn address(server: &Server, path: &str) -> Option<tocsin_config::Url> {
    Some(tocsin_config::Url::parse(&server.url(path)).unwrap())
}

pub(crate) fn outbound(kind: &'static str, settings: Settings) -> Outbound {
    let context = Context::new("http://tocsin.example", "0.1.0");
    Outbound::of_receivers([&receiver(kind, settings)], &context).unwrap()
}

pub(crate) fn receiver(kind: &'static str, settings: Settings) -> ReceiverConfig {
    ReceiverConfig {
        name: "db.hook".into(),
        labels: Labels::default(),
        escalation_policy: None,
        integrations: vec![IntegrationConfig { kind, index: 0, send_resolved: true, settings }],
    }
}

pub(crate) fn assert_delivered(outcome: &AttemptOutcome) {
    assert_eq!(*outcome, AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() });
}

/// Returns the failure of a `Failed` outcome of this class; secrets must not show.
#[track_caller]
pub(crate) fn failed(outcome: AttemptOutcome, class: FailureClass) -> Failure {
    match outcome {
        AttemptOutcome::Failed(failure) => checked(failure, class),
        other => panic!("not failed: {other:?}"),
    }
}

/// Returns the failure of a `Refused` outcome of this class; secrets must not show.
#[track_caller]
pub(crate) fn refused(outcome: AttemptOutcome, class: FailureClass) -> Failure {
    match outcome {
        AttemptOutcome::Refused(failure) => checked(failure, class),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn checked(failure: Failure, class: FailureClass) -> Failure {
    assert_eq!(failure.class, class, "{failure:?}");
    assert!(!failure.message.contains(CANARY), "a secret shows: {failure:?}");
    assert!(!failure.message.contains("canary"), "a part of a secret shows: {failure:?}");
    assert!(failure.message.chars().count() <= 512, "{failure:?}");
    failure
}

/// One HTTP request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// The method and the path with the query.
    pub(crate) fn target(&self) -> &str {
        self.line.trim_end_matches(" HTTP/1.1")
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> std::collections::BTreeMap<String, String> {
        let url = reqwest::Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// The fields of a form in their order.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let url = reqwest::Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        url.query_pairs().into_owned().collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Writes these bytes and closes.
    Raw(Vec<u8>),
    /// Says what it was sent: request line, headers and body, with this status.
    Echo(u16),
    /// Never answers.
    Silence,
    /// Answers as the vendor would.
    Vendor(fn(&Seen) -> Self),
}

impl Reply {
    pub(crate) fn status(status: u16, headers: &str, body: &str) -> Self {
        Self::Raw(
            format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
                body.len()
            )
            .into_bytes(),
        )
    }

    pub(crate) fn ok(body: &str) -> Self {
        Self::status(200, "", body)
    }
}

/// A server on a free port; the last reply is repeated for ever.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        Self::start_tls(replies, None).await
    }

    pub(crate) async fn start_tls(
        replies: Vec<Reply>,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, replies) = (Arc::clone(&kept), replies.clone());
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &kept, &replies).await,
                        Some(tls) => {
                            let acceptor = tokio_rustls::TlsAcceptor::from(tls);
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &kept, &replies).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    kept: &Mutex<Vec<Seen>>,
    replies: &[Reply],
) {
    let Some(seen) = read_request(&mut stream).await else { return };
    let index = {
        let mut kept = kept.lock().unwrap();
        kept.push(seen.clone());
        kept.len() - 1
    };
    let mut reply = replies.get(index).or(replies.last()).cloned().unwrap();
    while let Reply::Vendor(answer) = reply {
        reply = answer(&seen);
    }
    let bytes = match reply {
        Reply::Raw(bytes) => bytes,
        Reply::Echo(status) => match Reply::status(status, "", &format!("{seen:?}")) {
            Reply::Raw(bytes) => bytes,
            _ => unreachable!("a status is raw"),
        },
        Reply::Silence => std::future::pending().await,
        Reply::Vendor(_) => unreachable!("a vendor answers itself"),
    };
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let byte = stream.read_u8().await.ok()?;
        bytes.push(byte);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n").map(str::to_owned);
    let line = lines.next().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { line, headers, body: String::from_utf8(body).unwrap() })
}

/// An authority, and what it signed.
pub(crate) struct Authority {
    pub(crate) ca_pem: String,
    /// A server certificate for `localhost`.
    pub(crate) server: Arc<rustls::ServerConfig>,
    /// The same, for clients that show a certificate of this authority only.
    pub(crate) strict_server: Arc<rustls::ServerConfig>,
    /// A client's certificate and its key.
    pub(crate) client_pem: (String, String),
}

pub(crate) fn authority() -> Authority {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::server::WebPkiClientVerifier;

    tocsin_connect::install_crypto();
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_certificate = ca.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let sign = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &issuer).unwrap(), key)
    };

    let (certificate, key) = sign("localhost");
    let identity = || {
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        (vec![certificate.der().clone()], key)
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca_certificate.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder(roots.into()).build().unwrap();
    let (chain, der) = identity();
    let server = rustls::ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(chain, der).unwrap();
    let (chain, der) = identity();
    let strict = rustls::ServerConfig::builder().with_client_cert_verifier(clients);
    let strict_server = strict.with_single_cert(chain, der).unwrap();
    let (client, client_key) = sign("tocsin");
    Authority {
        ca_pem: ca_certificate.pem(),
        server: Arc::new(server),
        strict_server: Arc::new(strict_server),
        client_pem: (client.pem(), client_key.serialize_pem()),
    }
}
