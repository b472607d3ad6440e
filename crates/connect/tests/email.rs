//! Mail, to a server that keeps the whole dialogue.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use support::{
    Authority, CANARY, KEY, assert_delivered, authority, entry, failed, outbound, refused,
};
use tocsin_config::{EmailConfig, HostPort, Secret, Settings, Template, TlsConfig};
use tocsin_core::notification::{AttemptOutcome, FailureClass};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How the server behaves.
#[derive(Clone, Default)]
struct Manners {
    /// What it offers beside 8BITMIME, one per line.
    offers: Vec<&'static str>,
    /// What it says instead of "fine" to a line that begins so; each once, in order.
    answers: Vec<(&'static str, &'static str)>,
    /// Its certificate.
    tls: Option<Arc<rustls::ServerConfig>>,
    /// Whether TLS comes before the first word.
    is_implicit: bool,
    /// Whether it never says a word.
    is_silent: bool,
}

struct Smtp {
    port: u16,
    dialogue: Arc<Mutex<Vec<String>>>,
}

impl Smtp {
    async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let dialogue = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&dialogue);
        tokio::spawn(async move {
            let mut manners = manners;
            while let Ok((stream, _)) = listener.accept().await {
                // One connection at a time, so that an answer is used up before the next.
                let _ = talk(stream, &mut manners, &kept).await;
            }
        });
        Self { port, dialogue }
    }

    /// Returns what the client said, without the contents of mails.
    fn commands(&self) -> Vec<String> {
        let dialogue = self.dialogue.lock().unwrap();
        dialogue.iter().filter(|line| !line.starts_with("| ")).cloned().collect()
    }

    fn mail(&self) -> String {
        let dialogue = self.dialogue.lock().unwrap();
        dialogue.iter().filter_map(|line| line.strip_prefix("| ")).collect::<Vec<_>>().join("\n")
    }
}

async fn talk(
    stream: TcpStream,
    manners: &mut Manners,
    kept: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    if manners.is_silent {
        std::future::pending::<()>().await;
    }
    if let (Some(tls), true) = (manners.tls.clone(), manners.is_implicit) {
        let stream = TlsAcceptor::from(tls).accept(stream).await?;
        return converse(BufReader::new(stream), manners, kept, true).await.map(drop);
    }
    let Some(stream) = converse(BufReader::new(stream), manners, kept, true).await? else {
        return Ok(());
    };
    let tls = manners.tls.clone().unwrap();
    let stream = TlsAcceptor::from(tls).accept(stream.into_inner()).await?;
    kept.lock().unwrap().push("(TLS)".to_owned());
    converse(BufReader::new(stream), manners, kept, false).await.map(drop)
}

/// Speaks until the client leaves; returns the stream when it asked for TLS.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    manners: &mut Manners,
    kept: &Mutex<Vec<String>>,
    greet: bool,
) -> std::io::Result<Option<BufReader<S>>> {
    if greet {
        stream.write_all(b"220 mail.example ESMTP\r\n").await?;
    }
    let mut in_mail = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_owned();
        if in_mail && line != "." {
            kept.lock().unwrap().push(format!("| {line}"));
            continue;
        }
        kept.lock().unwrap().push(line.clone());
        let special = manners.answers.iter().position(|(begin, _)| line.starts_with(begin));
        let reply = if let Some(index) = special {
            manners.answers.remove(index).1.to_owned()
        } else if line.starts_with("EHLO") {
            let offers: String =
                manners.offers.iter().map(|offer| format!("250-{offer}\r\n")).collect();
            format!("250-mail.example\r\n{offers}250 8BITMIME")
        } else if line == "DATA" {
            in_mail = true;
            "354 go on".to_owned()
        } else if line == "." {
            in_mail = false;
            "250 taken".to_owned()
        } else if line.starts_with("AUTH") {
            "235 welcome".to_owned()
        } else {
            "250 fine".to_owned()
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        if line == "STARTTLS" {
            return Ok(Some(stream));
        }
    }
}

fn config(server: &Smtp) -> EmailConfig {
    EmailConfig {
        to: Template::new("ada@example.org, ops@example.org"),
        from: Some(Template::new("Tocsin <tocsin@example.org>")),
        hello: Some("alerts.example".to_owned()),
        smarthost: Some(HostPort { host: "localhost".to_owned(), port: server.port }),
        require_tls: Some(false),
        ..EmailConfig::default()
    }
}

fn signed_in(server: &Smtp) -> EmailConfig {
    EmailConfig {
        auth_username: Some("ada".to_owned()),
        auth_password: Some(Secret::new(CANARY)),
        ..config(server)
    }
}

async fn attempt(config: EmailConfig) -> AttemptOutcome {
    outbound("email", Settings::Email(config)).attempt(&entry("email"), KEY).await
}

#[tokio::test]
async fn a_mail_goes_to_everybody_with_both_bodies() {
    let server = Smtp::start(Manners::default()).await;
    assert_delivered(&attempt(config(&server)).await);
    assert_eq!(
        server.commands(),
        [
            "EHLO alerts.example",
            "MAIL FROM:<tocsin@example.org>",
            "RCPT TO:<ada@example.org>",
            "RCPT TO:<ops@example.org>",
            "DATA",
            ".",
            "QUIT",
        ]
    );
    let mail = server.mail();
    for part in [
        "Subject: [FIRING:1] PgDown",
        "X-Tocsin-Idempotency-Key: 1-42",
        "Content-Type: multipart/alternative;",
        "FIRING  PgDown  for 9s",
        "pg &amp; friends</p>",
    ] {
        assert!(mail.contains(part), "{part} is missing:\n{mail}");
    }
}

#[tokio::test]
async fn the_same_message_keeps_its_identifier_over_attempts() {
    let answers = vec![("DATA", "451 try again later")];
    let server = Smtp::start(Manners { answers, ..Manners::default() }).await;
    let outbound = outbound("email", Settings::Email(config(&server)));
    let outcome = outbound.attempt(&entry("email"), KEY).await;
    let failure = failed(outcome, FailureClass::ServerError);
    assert_eq!(
        failure.message,
        format!(
            "mail server localhost:{}, sending: transient error (451): try again later",
            server.port
        )
    );
    assert_delivered(&outbound.attempt(&entry("email"), KEY).await);
    let mail = server.mail();
    assert_eq!(mail.matches("Message-ID: <tocsin.").count(), 1, "{mail}");
    let first = mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
    assert_delivered(&outbound.attempt(&entry("email"), KEY).await);
    assert_eq!(server.mail().matches(&first).count(), 2);
}

#[tokio::test]
async fn sign_in_is_plain_or_login_as_the_server_offers() {
    let offers = vec!["AUTH PLAIN LOGIN"];
    let server = Smtp::start(Manners { offers, ..Manners::default() }).await;
    assert_delivered(&attempt(signed_in(&server)).await);
    let expected = BASE64_STANDARD.encode(format!("\0ada\0{CANARY}"));
    assert_eq!(server.commands()[2], format!("AUTH PLAIN {expected}"));

    let manners = Manners {
        offers: vec!["AUTH LOGIN"],
        answers: vec![
            ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
            ("YWRh", "334 UGFzc3dvcmQ6"),
            ("Y2FuYXJ5", "235 welcome"),
        ],
        ..Manners::default()
    };
    let server = Smtp::start(manners).await;
    assert_delivered(&attempt(signed_in(&server)).await);
    let expected = ["AUTH LOGIN", "YWRh", &BASE64_STANDARD.encode(CANARY)];
    assert_eq!(server.commands()[2..5], expected);
}

#[tokio::test]
async fn a_server_that_asks_for_no_sign_in_gets_none() {
    let server = Smtp::start(Manners::default()).await;
    assert_delivered(&attempt(signed_in(&server)).await);
    assert!(!server.commands().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn a_sign_in_that_fails_shows_no_password() {
    let manners = Manners {
        offers: vec!["AUTH PLAIN"],
        answers: vec![("AUTH", "535 no, canary-7f3a9c is wrong")],
        ..Manners::default()
    };
    let server = Smtp::start(manners).await;
    let failure = refused(attempt(signed_in(&server)).await, FailureClass::AuthError);
    assert!(failure.message.ends_with("sign-in refused: 535"), "{failure:?}");

    let offers = vec!["AUTH CRAM-MD5 GSSAPI"];
    let server = Smtp::start(Manners { offers, ..Manners::default() }).await;
    let failure = refused(attempt(signed_in(&server)).await, FailureClass::AuthError);
    assert!(failure.message.contains("offers CRAM-MD5 GSSAPI"), "{failure:?}");
}

#[tokio::test]
async fn a_recipient_that_is_refused_is_a_refusal() {
    let answers = vec![("RCPT TO:<ops", "550 5.1.1 no such user")];
    let server = Smtp::start(Manners { answers, ..Manners::default() }).await;
    let failure = refused(attempt(config(&server)).await, FailureClass::ClientError);
    assert!(failure.message.contains("550") && failure.message.contains("no such user"));
}

#[tokio::test]
async fn without_starttls_nothing_is_said_in_clear() {
    let server = Smtp::start(Manners::default()).await;
    let outcome = attempt(EmailConfig { require_tls: None, ..signed_in(&server) }).await;
    let failure = refused(outcome, FailureClass::Other);
    assert!(failure.message.contains("does not offer STARTTLS"), "{failure:?}");
    assert_eq!(server.commands(), ["EHLO alerts.example", "QUIT"]);
}

#[tokio::test]
async fn starttls_comes_before_the_sign_in() {
    let Authority { ca_pem, server: tls, .. } = authority();
    let manners =
        Manners { offers: vec!["STARTTLS", "AUTH PLAIN"], tls: Some(tls), ..Manners::default() };
    let server = Smtp::start(manners).await;
    let trusting = EmailConfig {
        require_tls: None,
        tls_config: Some(TlsConfig { ca: ca_pem, ..TlsConfig::default() }),
        ..signed_in(&server)
    };
    assert_delivered(&attempt(trusting.clone()).await);
    let commands = server.commands();
    assert_eq!(commands[..4], ["EHLO alerts.example", "STARTTLS", "(TLS)", "EHLO alerts.example"]);
    assert!(commands[5].starts_with("AUTH PLAIN"), "{commands:?}");

    let stranger = TlsConfig { ca: authority().ca_pem, ..TlsConfig::default() };
    let outcome = attempt(EmailConfig { tls_config: Some(stranger), ..trusting }).await;
    let failure = failed(outcome, FailureClass::Other);
    assert!(failure.message.contains("STARTTLS"), "{failure:?}");
}

#[tokio::test]
async fn implicit_tls_comes_before_the_first_word() {
    let Authority { ca_pem, server: tls, .. } = authority();
    let manners = Manners { tls: Some(tls), is_implicit: true, ..Manners::default() };
    let server = Smtp::start(manners).await;
    let config = EmailConfig {
        force_implicit_tls: Some(true),
        tls_config: Some(TlsConfig { ca: ca_pem, ..TlsConfig::default() }),
        ..config(&server)
    };
    assert_delivered(&attempt(config).await);
    assert_eq!(server.commands()[0], "EHLO alerts.example");
}

#[tokio::test]
async fn nobody_listening_is_worth_another_try() {
    let server = Smtp::start(Manners::default()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let smarthost = Some(HostPort { host: "127.0.0.1".to_owned(), port });
    let outcome = attempt(EmailConfig { smarthost, ..config(&server) }).await;
    let failure = failed(outcome, FailureClass::Other);
    assert!(failure.message.starts_with(&format!("mail server 127.0.0.1:{port}, connecting")));
}

// Time is paused: it jumps to the time limit as soon as everybody waits.
#[tokio::test(start_paused = true)]
async fn a_silent_server_meets_the_time_limit() {
    let server = Smtp::start(Manners { is_silent: true, ..Manners::default() }).await;
    let failure = failed(attempt(config(&server)).await, FailureClass::ContextDeadlineExceeded);
    assert!(failure.message.ends_with("no answer within 30 s"), "{failure:?}");
}

#[tokio::test]
async fn a_secret_answers_the_challenge_and_is_never_said() {
    let challenge = BASE64_STANDARD.encode("<1896@mail.example>");
    let challenge: &'static str = Box::leak(format!("334 {challenge}").into_boxed_str());
    let manners = Manners {
        offers: vec!["AUTH CRAM-MD5 PLAIN"],
        answers: vec![("AUTH CRAM-MD5", challenge), ("YWRh", "235 welcome")],
        ..Manners::default()
    };
    let server = Smtp::start(manners).await;
    let cram = EmailConfig {
        auth_username: Some("ada".to_owned()),
        auth_secret: Some(Secret::new(CANARY)),
        ..config(&server)
    };
    assert_delivered(&attempt(cram).await);
    let commands = server.commands();
    let begin = commands.iter().position(|line| line == "AUTH CRAM-MD5").unwrap();
    let answer = BASE64_STANDARD.decode(&commands[begin + 1]).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("ada ") && answer.len() == 4 + 32, "{answer}");
}

#[tokio::test]
async fn an_identity_is_said_with_plain() {
    let offers = vec!["AUTH PLAIN"];
    let server = Smtp::start(Manners { offers, ..Manners::default() }).await;
    let auth_identity = Some("ops".to_owned());
    assert_delivered(&attempt(EmailConfig { auth_identity, ..signed_in(&server) }).await);
    let expected = BASE64_STANDARD.encode(format!("ops\0ada\0{CANARY}"));
    assert!(server.commands().contains(&format!("AUTH PLAIN {expected}")));
}

#[tokio::test]
async fn what_is_missing_is_said_before_anything_is_sent() {
    let server = Smtp::start(Manners::default()).await;
    let said = async |config| refused(attempt(config).await, FailureClass::Other).message;
    let bare = EmailConfig { auth_username: Some("ada".to_owned()), ..config(&server) };
    assert!(said(bare).await.contains("`auth_secret`"));
    let to = Template::new("{{ nothing }}");
    assert!(said(EmailConfig { to, ..config(&server) }).await.contains("template of `to` failed"));
    assert_eq!(server.commands().len(), 0);
}
