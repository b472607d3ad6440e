//! Webhooks against servers that are right, wrong, slow, or gone; and everything that
//! `http_config` can ask for, because a webhook shows it best.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::time::Duration;

use support::{
    Authority, CANARY, KEY, Reply, Server, assert_delivered, authority, entry, failed, outbound,
    receiver, refused,
};
use tocsin_config::{
    Authorization, BasicAuth, HttpConfig, HttpHeader, OAuth2, Secret, SecretUrl, Settings,
    TlsConfig, Url, WebhookConfig,
};
use tocsin_connect::{Context, Outbound};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// A webhook whose address is a secret.
fn webhook(url: &str) -> WebhookConfig {
    let url = SecretUrl::parse(&format!("{url}/hooks/{CANARY}?token={CANARY}")).unwrap();
    WebhookConfig { url: Some(url), ..WebhookConfig::default() }
}

fn with_http(url: &str, http: HttpConfig) -> WebhookConfig {
    WebhookConfig { http_config: Some(http), ..webhook(url) }
}

async fn attempt(config: WebhookConfig) -> AttemptOutcome {
    outbound("webhook", Settings::Webhook(config)).attempt(&entry("webhook"), KEY).await
}

fn secret(text: &str) -> Option<Secret> {
    Some(Secret::new(format!("{text}-{CANARY}")))
}

#[tokio::test]
async fn the_body_goes_out_as_recorded_with_a_key_that_makes_twice_harmless() {
    let server = Server::start(vec![Reply::ok("")]).await;
    assert_delivered(&attempt(webhook(&server.url(""))).await);
    let seen = server.only();
    assert_eq!(seen.line, format!("POST /hooks/{CANARY}?token={CANARY} HTTP/1.1"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("user-agent"), Some("Tocsin/0.1.0"));
    assert_eq!(seen.header("idempotency-key"), Some(KEY));
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(
        seen.body,
        concat!(
            r#"{"receiver":"db\\.hook","status":"firing","alerts":[{"status":"firing","#,
            r#""labels":{"alertname":"PgDown","cluster":"eu1","severity":"critical"},"#,
            r#""annotations":{"summary":"pg \u0026 friends"},"#,
            r#""startsAt":"2026-11-20T15:10:21.633381649Z","endsAt":"0001-01-01T00:00:00Z","#,
            r#""generatorURL":"http://prom.example/graph?a=1\u0026b=2","#,
            r#""fingerprint":"ad41475d5712e71c"}],"notification_reason":"first notification","#,
            r#""groupLabels":{"alertname":"PgDown"},"#,
            r#""commonLabels":{"alertname":"PgDown","cluster":"eu1","severity":"critical"},"#,
            r#""commonAnnotations":{"summary":"pg \u0026 friends"},"routeLabels":{},"#,
            r#""externalURL":"http://tocsin.example","version":"4","#,
            r#""groupKey":"{}:{alertname=\"PgDown\"}","truncatedAlerts":0}"#,
            "\n",
        )
    );
}

#[tokio::test]
async fn a_server_error_is_worth_another_try_and_what_is_echoed_shows_no_secret() {
    let server = Server::start(vec![Reply::Echo(500)]).await;
    let http = HttpConfig {
        basic_auth: Some(BasicAuth {
            username: "tocsin".to_owned(),
            password: secret("pw"),
            ..BasicAuth::default()
        }),
        ..HttpConfig::default()
    };
    let outcome = attempt(with_http(&server.url(""), http)).await;
    let failure = failed(outcome, FailureClass::ServerError);
    assert!(failure.message.contains("answered 500"), "{failure:?}");
    assert!(failure.message.contains("<secret>"), "{failure:?}");
    let authorization = server.only().header("authorization").unwrap().to_owned();
    let encoded = authorization.strip_prefix("Basic ").unwrap();
    assert!(!failure.message.contains(encoded), "{failure:?}");
}

#[tokio::test]
async fn what_retry_after_asks_is_carried_along() {
    for (headers, expected) in [
        ("retry-after: 120\r\n", Some(120_000)),
        ("retry-after: Fri, 20 Nov 2026 15:11:01 GMT\r\n", Some(30_000)),
        ("retry-after: later\r\n", None),
        ("", None),
    ] {
        let server = Server::start(vec![Reply::status(429, headers, "slow down")]).await;
        let outcome = attempt(webhook(&server.url(""))).await;
        let failure = refused(outcome, FailureClass::RateLimited);
        assert_eq!(failure.retry_after_ms, expected, "{headers}");
        assert_eq!(failure.message, "webhook answered 429: slow down");
    }
}

#[tokio::test]
async fn refusals_have_their_class() {
    for (status, class) in [
        (400, FailureClass::ClientError),
        (401, FailureClass::AuthError),
        (403, FailureClass::AuthError),
        (404, FailureClass::ClientError),
    ] {
        let server = Server::start(vec![Reply::status(status, "", "")]).await;
        refused(attempt(webhook(&server.url(""))).await, class);
    }
}

#[tokio::test]
async fn a_hang_up_counts_by_what_was_said_before() {
    let half = |status| format!("HTTP/1.1 {status} X\r\ncontent-length: 100\r\n\r\nhalf");
    let raw = |text: String| Server::start(vec![Reply::Raw(text.into_bytes())]);

    let server = raw("HTTP/1.1 2".to_owned()).await;
    failed(attempt(webhook(&server.url(""))).await, FailureClass::Other);
    let server = raw(half(500)).await;
    failed(attempt(webhook(&server.url(""))).await, FailureClass::ServerError);
    // The status says that it was taken; sending it again would page twice.
    let server = raw(half(200)).await;
    assert_delivered(&attempt(webhook(&server.url(""))).await);
}

#[tokio::test]
async fn nobody_listening_is_worth_another_try() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = attempt(webhook(&format!("http://127.0.0.1:{port}"))).await;
    let failure = failed(outcome, FailureClass::Other);
    let expected = format!("webhook at http://127.0.0.1:{port}: ");
    assert!(failure.message.starts_with(&expected), "{failure:?}");
    assert!(failure.message.contains("refused"), "{failure:?}");
}

#[tokio::test]
async fn a_silent_server_meets_the_time_limit() {
    let server = Server::start(vec![Reply::Silence]).await;
    let config = WebhookConfig { timeout: Duration::from_millis(50), ..webhook(&server.url("")) };
    let failure = failed(attempt(config).await, FailureClass::ContextDeadlineExceeded);
    assert!(failure.message.ends_with("no answer within 0.05 s"), "{failure:?}");
}

#[tokio::test]
async fn an_oversized_answer_is_neither_kept_nor_waited_for() {
    let huge = "x".repeat(1024 * 1024);
    let server = Server::start(vec![Reply::status(400, "", &huge)]).await;
    let failure = refused(attempt(webhook(&server.url(""))).await, FailureClass::ClientError);
    assert_eq!(failure.message.chars().count(), 512);
    let server = Server::start(vec![Reply::ok(&huge)]).await;
    assert_delivered(&attempt(webhook(&server.url(""))).await);
}

fn with_credentials() -> HttpConfig {
    HttpConfig {
        authorization: Some(Authorization {
            credentials: secret("bearer"),
            ..Authorization::default()
        }),
        http_headers: [(
            "X-Api-Key".to_owned(),
            HttpHeader { secrets: secret("api").into_iter().collect(), ..HttpHeader::default() },
        )]
        .into(),
        ..HttpConfig::default()
    }
}

#[tokio::test]
async fn a_redirect_elsewhere_carries_the_message_but_no_credentials() {
    for status in [301, 302, 307, 308] {
        let other = Server::start(vec![Reply::ok("")]).await;
        let location = format!("location: {}\r\n", other.url(&format!("/moved/{CANARY}")));
        let first = Server::start(vec![Reply::status(status, &location, "")]).await;
        assert_delivered(&attempt(with_http(&first.url(""), with_credentials())).await);
        let authorization = format!("Bearer bearer-{CANARY}");
        assert_eq!(first.only().header("authorization"), Some(authorization.as_str()));
        assert!(first.only().header("x-api-key").is_some());
        let moved = other.only();
        assert_eq!(moved.line, format!("POST /moved/{CANARY} HTTP/1.1"));
        assert_eq!(moved.body, first.only().body);
        assert_eq!(moved.header("authorization"), None);
        assert_eq!(moved.header("x-api-key"), None);
        assert_eq!(moved.header("idempotency-key"), Some(KEY));
    }
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_the_credentials() {
    let moved = Reply::status(308, "location: /v2\r\n", "");
    let server = Server::start(vec![moved, Reply::ok("")]).await;
    assert_delivered(&attempt(with_http(&server.url(""), with_credentials())).await);
    let second = &server.seen()[1];
    assert_eq!(second.line, "POST /v2 HTTP/1.1");
    assert!(second.header("authorization").is_some() && second.header("x-api-key").is_some());
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(vec![Reply::status(302, "location: /again\r\n", "")]).await;
    let failure = refused(attempt(webhook(&server.url(""))).await, FailureClass::Other);
    assert!(failure.message.contains("more than 10 redirects"), "{failure:?}");
    assert_eq!(server.seen().len(), 11);

    let server = Server::start(vec![Reply::status(302, "location: /again\r\n", "")]).await;
    let http = HttpConfig { follow_redirects: false, ..HttpConfig::default() };
    refused(attempt(with_http(&server.url(""), http)).await, FailureClass::Other);
    assert_eq!(server.seen().len(), 1);

    let server = Server::start(vec![Reply::status(302, "location: file:///etc\r\n", "")]).await;
    let failure = refused(attempt(webhook(&server.url(""))).await, FailureClass::Other);
    assert!(failure.message.contains("not HTTP"), "{failure:?}");
}

#[tokio::test]
async fn secrets_in_files_are_read_at_every_attempt() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let server = Server::start(vec![Reply::Echo(400)]).await;
    std::fs::write(path("url"), format!("{}\n", server.url(&format!("/{CANARY}")))).unwrap();
    std::fs::write(path("password"), format!("one-{CANARY}\n")).unwrap();
    std::fs::write(path("header"), format!("file-{CANARY}")).unwrap();
    let config = WebhookConfig {
        url_file: Some(path("url")),
        http_config: Some(HttpConfig {
            basic_auth: Some(BasicAuth {
                username: "ada".to_owned(),
                password_file: Some(path("password")),
                ..BasicAuth::default()
            }),
            http_headers: [(
                "X-Key".to_owned(),
                HttpHeader {
                    values: vec!["plain".to_owned()],
                    files: vec![path("header")],
                    ..HttpHeader::default()
                },
            )]
            .into(),
            ..HttpConfig::default()
        }),
        ..WebhookConfig::default()
    };
    let outbound = outbound("webhook", Settings::Webhook(config));
    refused(outbound.attempt(&entry("webhook"), KEY).await, FailureClass::ClientError);
    std::fs::write(path("password"), format!("two-{CANARY}\n")).unwrap();
    refused(outbound.attempt(&entry("webhook"), KEY).await, FailureClass::ClientError);
    let seen = server.seen();
    // base64 of `ada:one-canary-7f3a9c` and of `ada:two-canary-7f3a9c`.
    assert_eq!(seen[0].header("authorization"), Some("Basic YWRhOm9uZS1jYW5hcnktN2YzYTlj"));
    assert_eq!(seen[1].header("authorization"), Some("Basic YWRhOnR3by1jYW5hcnktN2YzYTlj"));
    let values: Vec<_> =
        seen[0].headers.iter().filter(|(name, _)| name == "x-key").map(|(_, v)| v).collect();
    assert_eq!(values, ["plain", &format!("file-{CANARY}")]);

    std::fs::remove_file(path("password")).unwrap();
    let outcome = outbound.attempt(&entry("webhook"), KEY).await;
    let failure = failed(outcome, FailureClass::Other);
    assert!(failure.message.contains("password"), "the path helps: {failure:?}");
}

#[tokio::test]
async fn a_proxy_is_used_unless_the_host_is_exempt() {
    let proxy = Server::start(vec![Reply::ok("")]).await;
    let direct = Server::start(vec![Reply::ok("")]).await;
    let http = |no_proxy: &str| HttpConfig {
        proxy_url: Some(
            Url::parse(&format!("http://me:{CANARY}@127.0.0.1:{}", proxy.port)).unwrap(),
        ),
        no_proxy: no_proxy.to_owned(),
        ..HttpConfig::default()
    };
    assert_delivered(&attempt(with_http(&direct.url(""), http("example.org"))).await);
    let seen = proxy.only();
    assert!(seen.line.starts_with(&format!("POST {}/hooks/", direct.url(""))), "{seen:?}");
    // base64 of `me:canary-7f3a9c`.
    assert_eq!(seen.header("proxy-authorization"), Some("Basic bWU6Y2FuYXJ5LTdmM2E5Yw=="));
    assert_eq!(direct.seen().len(), 0);

    assert_delivered(&attempt(with_http(&direct.url(""), http("127.0.0.0/8"))).await);
    assert_eq!((proxy.seen().len(), direct.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_proxy_that_refuses_a_tunnel_is_told_what_the_settings_say() {
    let proxy = Server::start(vec![Reply::status(407, "", CANARY)]).await;
    let http = HttpConfig {
        proxy_url: Some(Url::parse(&proxy.url("")).unwrap()),
        proxy_connect_header: [("X-Tunnel".to_owned(), secret("t").into_iter().collect())].into(),
        ..HttpConfig::default()
    };
    let outcome = attempt(with_http("https://hooks.example.org", http)).await;
    failed(outcome, FailureClass::Other);
    let seen = proxy.only();
    assert_eq!(seen.line, "CONNECT hooks.example.org:443 HTTP/1.1");
    assert_eq!(seen.header("x-tunnel"), Some(format!("t-{CANARY}").as_str()));
}

#[tokio::test]
async fn tls_trusts_whom_the_settings_name_and_notices_a_new_authority() {
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    let Authority { ca_pem, server, .. } = authority();
    let server = Server::start_tls(vec![Reply::ok("")], Some(server)).await;
    let url = format!("https://localhost:{}", server.port);
    let tls = |tls_config| HttpConfig { tls_config, ..HttpConfig::default() };

    let insecure = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
    assert_delivered(&attempt(with_http(&url, tls(insecure))).await);
    failed(attempt(webhook(&url)).await, FailureClass::Other);

    // Another authority first: the same receiver works once the file has been replaced.
    std::fs::write(&ca_file, authority().ca_pem).unwrap();
    let by_file = TlsConfig { ca_file: Some(ca_file.clone()), ..TlsConfig::default() };
    let outbound = outbound("webhook", Settings::Webhook(with_http(&url, tls(by_file))));
    let failure = failed(outbound.attempt(&entry("webhook"), KEY).await, FailureClass::Other);
    assert!(failure.message.contains("certificate"), "{failure:?}");
    std::fs::write(&ca_file, &ca_pem).unwrap();
    assert_delivered(&outbound.attempt(&entry("webhook"), KEY).await);

    // The certificate is for `localhost`, whatever address leads there.
    let by_address = format!("https://127.0.0.1:{}", server.port);
    let inline = TlsConfig { ca: ca_pem.clone(), ..TlsConfig::default() };
    failed(attempt(with_http(&by_address, tls(inline))).await, FailureClass::Other);
    let named =
        TlsConfig { ca: ca_pem, server_name: "localhost".to_owned(), ..TlsConfig::default() };
    assert_delivered(&attempt(with_http(&by_address, tls(named))).await);
}

#[tokio::test]
async fn a_server_that_asks_who_we_are_is_shown_our_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let Authority { ca_pem, strict_server, client_pem: (certificate, key), .. } = authority();
    let server = Server::start_tls(vec![Reply::ok("")], Some(strict_server)).await;
    let url = format!("https://localhost:{}", server.port);
    let anonymous = TlsConfig { ca: ca_pem, ..TlsConfig::default() };
    let http = |tls_config| HttpConfig { tls_config, ..HttpConfig::default() };
    failed(attempt(with_http(&url, http(anonymous.clone()))).await, FailureClass::Other);

    let (cert_file, key_file) = (directory.path().join("cert"), directory.path().join("key"));
    std::fs::write(&cert_file, certificate).unwrap();
    std::fs::write(&key_file, key).unwrap();
    let known = TlsConfig { cert_file: Some(cert_file), key_file: Some(key_file), ..anonymous };
    assert_delivered(&attempt(with_http(&url, http(known))).await);
}

#[tokio::test]
async fn attempts_may_run_side_by_side() {
    fn assert_shareable<T: Send + Sync>(_: &T) {}
    fn assert_spawnable<T: Send>(future: T) -> T {
        future
    }
    let server = Server::start(vec![Reply::ok("")]).await;
    let outbound = outbound("webhook", Settings::Webhook(webhook(&server.url(""))));
    assert_shareable(&outbound);
    let entry = entry("webhook");
    let both = tokio::join!(
        assert_spawnable(outbound.attempt(&entry, "1-1")),
        assert_spawnable(outbound.attempt(&entry, "1-2"))
    );
    assert_delivered(&both.0);
    assert_delivered(&both.1);
}

#[tokio::test]
async fn a_certificate_that_is_none_is_an_error_at_once() {
    let tls_config = TlsConfig { ca: "nonsense".to_owned(), ..TlsConfig::default() };
    let http = HttpConfig { tls_config, ..HttpConfig::default() };
    let receiver = receiver("webhook", Settings::Webhook(with_http("http://127.0.0.1", http)));
    let error = Outbound::of_receivers([&receiver], &Context::new("", "0")).err().unwrap();
    assert_eq!(
        error.to_string(),
        "receiver `db.hook`, webhook 0: the CA certificates are not PEM certificates"
    );
}

fn oauth2(token_url: &str) -> HttpConfig {
    HttpConfig {
        oauth2: Some(OAuth2 {
            client_id: "tocsin".to_owned(),
            client_secret: secret("cs"),
            scopes: vec!["a".to_owned(), "b".to_owned()],
            token_url: Some(Url::parse(token_url).unwrap()),
            endpoint_params: [("audience".to_owned(), "hooks".to_owned())].into(),
            ..OAuth2::default()
        }),
        ..HttpConfig::default()
    }
}

fn token(number: u32) -> Reply {
    Reply::ok(&format!(
        r#"{{"access_token":"tok{number}-{CANARY}","token_type":"bearer","expires_in":3600}}"#
    ))
}

#[tokio::test]
async fn a_token_is_fetched_once_and_anew_when_it_is_not_accepted() {
    let tokens = Server::start(vec![token(1), token(2)]).await;
    let answers = vec![Reply::ok(""), Reply::Echo(401), Reply::ok("")];
    let server = Server::start(answers).await;
    let config = with_http(&server.url(""), oauth2(&tokens.url("/token")));
    let outbound = outbound("webhook", Settings::Webhook(config));
    let entry = entry("webhook");
    assert_delivered(&outbound.attempt(&entry, KEY).await);
    refused(outbound.attempt(&entry, KEY).await, FailureClass::AuthError);
    assert_delivered(&outbound.attempt(&entry, KEY).await);

    let used: Vec<_> =
        server.seen().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    let expected = [1, 1, 2].map(|number| format!("Bearer tok{number}-{CANARY}"));
    assert_eq!(used, expected);
    let asked = &tokens.seen()[0];
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.body, "grant_type=client_credentials&scope=a+b&audience=hooks");
    // base64 of `tocsin:cs-canary-7f3a9c`.
    assert_eq!(asked.header("authorization"), Some("Basic dG9jc2luOmNzLWNhbmFyeS03ZjNhOWM="));
}

#[tokio::test]
async fn a_token_server_that_wants_parameters_gets_them() {
    let tokens = Server::start(vec![Reply::Echo(401), token(1)]).await;
    let server = Server::start(vec![Reply::ok("")]).await;
    assert_delivered(&attempt(with_http(&server.url(""), oauth2(&tokens.url("/token")))).await);
    let asked = &tokens.seen()[1];
    assert_eq!(asked.header("authorization"), None);
    assert!(
        asked.body.contains(&format!("client_id=tocsin&client_secret=cs-{CANARY}")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_token_server_in_trouble_is_told_apart_from_one_that_refuses() {
    for (reply, class) in [
        (Reply::Echo(401), Err(FailureClass::AuthError)),
        (Reply::Echo(503), Ok(FailureClass::ServerError)),
        (Reply::ok(&format!("{{\"access_token\": {CANARY}")), Ok(FailureClass::AuthError)),
    ] {
        let tokens = Server::start(vec![reply]).await;
        let server = Server::start(vec![Reply::ok("")]).await;
        let outcome = attempt(with_http(&server.url(""), oauth2(&tokens.url("/token")))).await;
        match class {
            Ok(class) => failed(outcome, class),
            Err(class) => refused(outcome, class),
        };
        assert_eq!(server.seen().len(), 0);
    }
}

#[tokio::test]
async fn an_integration_that_is_gone_is_refused_by_name() {
    let outbound = outbound("webhook", Settings::Webhook(webhook("http://127.0.0.1:1")));
    let failure = refused(outbound.attempt(&entry("slack"), KEY).await, FailureClass::Other);
    assert_eq!(
        failure.message,
        "receiver `db.hook` has no slack number 0 in the running configuration"
    );
}

#[tokio::test]
async fn an_address_may_be_a_template_and_a_failing_one_shows_nothing() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let url = format!("{}/{CANARY}/{{{{ .CommonLabels.cluster }}}}", server.url(""));
    let config = WebhookConfig { url: SecretUrl::parse(&url).ok(), ..WebhookConfig::default() };
    assert_delivered(&attempt(config).await);
    assert_eq!(server.only().line, format!("POST /{CANARY}/eu1 HTTP/1.1"));

    for url in ["http://h/{{ canary }}", "{{ .CommonLabels.cluster }}"] {
        let url = SecretUrl::parse(url).ok();
        assert!(url.is_some());
        let config = WebhookConfig { url, ..WebhookConfig::default() };
        let failure = refused(attempt(config).await, FailureClass::Other);
        assert!(failure.message.contains("`url`"), "{failure:?}");
    }
}

fn payload(json: serde_json::Value) -> Option<tocsin_config::Any> {
    Some(tocsin_config::Any(json))
}

#[tokio::test]
async fn a_body_of_ones_own_is_filled_in() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let payload = payload(serde_json::json!({
        "text": "{{ .CommonLabels.alertname }} in {{ .CommonLabels.cluster }}",
        "count": "{{ len .Alerts }}",
        "nested": [{ "is_down": true, "{{ .Status }}": "{{ .CommonAnnotations | toJson }}" }],
    }));
    assert_delivered(&attempt(WebhookConfig { payload, ..webhook(&server.url("")) }).await);
    assert_eq!(
        server.only().json(),
        serde_json::json!({
            "text": "PgDown in eu1",
            "count": 1,
            "nested": [{ "is_down": true, "firing": { "summary": "pg & friends" } }],
        })
    );
}

#[tokio::test]
async fn a_body_that_fails_is_replaced_by_the_usual_one() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let payload = payload(serde_json::json!({ "text": "{{ template \"nowhere\" . }}" }));
    let config = WebhookConfig { payload, ..webhook(&server.url("")) };
    let notes = support::delivered_with_notes(attempt(config).await);
    assert!(notes[0].starts_with("the usual body was sent: `payload.text`"), "{notes:?}");
    assert_eq!(server.only().json()["version"], "4");
}

#[tokio::test]
async fn a_line_end_in_a_header_is_refused_and_sends_nothing() {
    for evil in ["x\r\nX-Evil: yes", "x\nX-Evil: yes", "x\rX-Evil: yes", "x\0"] {
        let header = |values, secrets| {
            let header = HttpHeader { values, secrets, ..HttpHeader::default() };
            HttpConfig {
                http_headers: [("X-Key".to_owned(), header)].into(),
                ..HttpConfig::default()
            }
        };
        for http in [
            header(vec![evil.to_owned()], Vec::new()),
            header(Vec::new(), vec![Secret::new(evil)]),
            HttpConfig {
                authorization: Some(Authorization {
                    credentials: Some(Secret::new(evil)),
                    ..Authorization::default()
                }),
                ..HttpConfig::default()
            },
        ] {
            let server = Server::start(vec![Reply::ok("")]).await;
            let outcome = attempt(with_http(&server.url(""), http)).await;
            let failure = refused(outcome, FailureClass::Other);
            assert!(!failure.message.contains("X-Evil"), "{failure:?}");
            assert!(server.seen().is_empty(), "{evil:?}");
        }
    }
}
