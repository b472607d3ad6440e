//! Nobody gets the server to talk to addresses that are none of theirs: names that lead elsewhere
//! a moment later, redirects, and what is listed.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use support::{CANARY, KEY, Reply, Server, assert_delivered, entry, receiver, refused};
use tocsin_config::{HttpConfig, OAuth2, OutboundRules, Place, SecretUrl, Settings, WebhookConfig};
use tocsin_connect::{Context, Guard, Lookup, LookupFuture, Outbound};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

/// A resolver that tells each time something else, as a name that is rebound does.
struct Rebinding {
    answers: Vec<&'static str>,
    asked: AtomicUsize,
    names: Mutex<Vec<String>>,
}

impl Rebinding {
    fn new(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            answers: answers.to_vec(),
            asked: AtomicUsize::new(0),
            names: Mutex::default(),
        })
    }
}

impl Lookup for Rebinding {
    fn lookup(&self, name: String) -> LookupFuture {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        self.names.lock().unwrap().push(name);
        let answer = self.answers[turn.min(self.answers.len() - 1)];
        let found = answer.split(' ').map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
        Box::pin(async move { Ok(found) })
    }
}

/// Makes one attempt with a webhook to `url`, which the guard has to let pass.
async fn attempt(guard: Guard, url: &str, http: Option<HttpConfig>) -> AttemptOutcome {
    let settings = Settings::Webhook(WebhookConfig {
        url: Some(SecretUrl::parse(url).unwrap()),
        http_config: http,
        ..WebhookConfig::default()
    });
    let context = Context::new("http://tocsin.example", "0.1.0").with_guard(guard);
    let outbound = Outbound::of_receivers([&receiver("webhook", settings)], &context).unwrap();
    outbound.attempt(&entry("webhook"), KEY).await
}

fn at(server: &Server, host: &str) -> String {
    format!("http://{host}:{}/hook/{CANARY}", server.port)
}

#[tokio::test]
async fn a_name_is_resolved_once_and_that_address_is_connected_to() {
    let server = Server::start(vec![Reply::ok("")]).await;
    // Whoever checked first and resolved again would go to the cloud's metadata.
    let lookup = Rebinding::new(&["127.0.0.1", "169.254.169.254"]);
    let guard = Guard::default().with_lookup(Arc::clone(&lookup) as _);
    assert_delivered(&attempt(guard, &at(&server, "hook.example"), None).await);
    assert_eq!(*lookup.names.lock().unwrap(), ["hook.example"]);
}

#[tokio::test]
async fn a_name_that_leads_where_nothing_may_go_is_not_connected_to() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let forms = [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "fe80::1",
        "fd00::1",
        "fd00:ec2::254",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "::",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "10.1.2.3 127.0.0.1",
    ];
    for form in forms {
        let guard = Guard::default().strict().with_lookup(Rebinding::new(&[form]));
        let outcome = attempt(guard, &at(&server, "hook.example"), None).await;
        let failure = refused(outcome, FailureClass::Other);
        assert!(failure.message.contains("`hook.example` is not connected to"), "{failure:?}");
        assert!(!failure.may_have_arrived, "{failure:?}");
    }
    for form in ["169.254.169.254", "fe80::1", "0.0.0.0", "::ffff:169.254.0.1"] {
        let guard = Guard::default().with_lookup(Rebinding::new(&[form]));
        refused(attempt(guard, &at(&server, "hook.example"), None).await, FailureClass::Other);
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn an_address_in_a_url_is_judged_in_whatever_notation() {
    let server = Server::start(vec![Reply::ok("")]).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "hook.example@127.0.0.1",
        "hook.example%20@127.0.0.1",
    ] {
        let outcome = attempt(Guard::default().strict(), &at(&server, host), None).await;
        let failure = refused(outcome, FailureClass::Other);
        assert!(failure.message.contains("this machine"), "{host}: {failure:?}");
    }
    assert_eq!(server.seen().len(), 0);
    // The same address is fine where the file names it.
    assert_delivered(&attempt(Guard::default(), &at(&server, "0x7f000001"), None).await);
}

#[tokio::test]
async fn a_redirect_leads_to_no_private_address_that_was_not_named() {
    let inner = Server::start(vec![Reply::ok("")]).await;
    for target in [
        at(&inner, "127.0.0.2"),
        at(&inner, "2130706434"),
        at(&inner, "[::1]"),
        at(&inner, "inner.example"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://hook.example@10.0.0.1/".to_owned(),
        "//127.0.0.2/".to_owned(),
        "/\\127.0.0.2/".to_owned(),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let location = format!("location: {target}\r\n");
            let outer = Server::start(vec![Reply::status(status, &location, "")]).await;
            let guard = Guard::default().with_lookup(Rebinding::new(&["127.0.0.1"]));
            let outcome = attempt(guard, &at(&outer, "127.0.0.1"), None).await;
            let failure = refused(outcome, FailureClass::Other);
            assert!(failure.message.contains("is not connected to"), "{target}: {failure:?}");
        }
    }
    assert_eq!(inner.seen().len(), 0);
}

#[tokio::test]
async fn a_redirect_may_lead_back_to_the_host_that_was_named_or_to_one_that_is_listed() {
    let inner = Server::start(vec![Reply::ok("")]).await;
    let redirect = |host: &str| {
        let location = format!("location: {}\r\n", at(&inner, host));
        Server::start(vec![Reply::status(307, &location, "")])
    };
    let outer = redirect("127.0.0.1").await;
    assert_delivered(&attempt(Guard::default(), &at(&outer, "127.0.0.1"), None).await);

    let rules = OutboundRules {
        allow: vec![Place::Host("inner.example".to_owned())],
        ..OutboundRules::default()
    };
    let guard = Guard::of_file(&rules).with_lookup(Rebinding::new(&["127.0.0.1"]));
    let outer = redirect("inner.example").await;
    assert_delivered(&attempt(guard, &at(&outer, "127.0.0.1"), None).await);
    assert_eq!(inner.seen().len(), 2);
}

#[tokio::test]
async fn a_connection_that_was_made_under_wider_rules_is_not_used_under_narrower_ones() {
    // Both speak HTTP/1.1 and keep connections: the first request leaves one to `inner.example`.
    let inner = Server::start(vec![Reply::ok("")]).await;
    let location = format!("location: {}\r\n", at(&inner, "inner.example"));
    let outer = Server::start(vec![Reply::status(307, &location, "")]).await;
    let webhook = |url: String| {
        Settings::Webhook(WebhookConfig {
            url: Some(SecretUrl::parse(&url).unwrap()),
            ..WebhookConfig::default()
        })
    };
    let mut both = receiver("webhook", webhook(at(&inner, "inner.example")));
    let mut second = receiver("webhook", webhook(at(&outer, "127.0.0.1"))).integrations.remove(0);
    second.index = 1;
    both.integrations.push(second);
    let guard = Guard::default().with_lookup(Rebinding::new(&["127.0.0.1"]));
    let context = Context::new("http://tocsin.example", "0.1.0").with_guard(guard);
    let outbound = Outbound::of_receivers([&both], &context).unwrap();
    assert_delivered(&outbound.attempt(&entry("webhook"), KEY).await);
    let mut through = entry("webhook");
    through.key.index = 1;
    refused(outbound.attempt(&through, KEY).await, FailureClass::Other);
    assert_eq!(inner.seen().len(), 1);
}

#[tokio::test]
async fn a_token_server_is_guarded_like_every_other() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let http = HttpConfig {
        oauth2: Some(OAuth2 {
            client_id: "tocsin".to_owned(),
            token_url: Some(tocsin_config::Url::parse("http://169.254.169.254/token").unwrap()),
            ..OAuth2::default()
        }),
        ..HttpConfig::default()
    };
    let outcome = attempt(Guard::default(), &at(&server, "127.0.0.1"), Some(http)).await;
    let failure = refused(outcome, FailureClass::Other);
    assert!(failure.message.contains("link-local") || failure.message.contains("metadata"));
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn what_is_denied_is_denied_to_the_file_as_well() {
    let server = Server::start(vec![Reply::ok("")]).await;
    for deny in [Place::Network("127.0.0.0/8".parse().unwrap()), Place::Host("hook.example".into())]
    {
        let rules = OutboundRules { deny: vec![deny], ..OutboundRules::default() };
        let guard = Guard::of_file(&rules).with_lookup(Rebinding::new(&["127.0.0.1"]));
        let outcome = attempt(guard, &at(&server, "hook.example"), None).await;
        let failure = refused(outcome, FailureClass::Other);
        assert!(failure.message.contains("`outbound.deny`"), "{failure:?}");
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn behind_a_proxy_the_proxy_resolves_and_addresses_are_judged_all_the_same() {
    let proxy = Server::start(vec![Reply::ok("")]).await;
    let through = || {
        let url = tocsin_config::Url::parse(&format!("http://proxy.corp:{}", proxy.port)).unwrap();
        Some(HttpConfig { proxy_url: Some(url), ..HttpConfig::default() })
    };
    let lookup = Rebinding::new(&["127.0.0.1"]);
    let guard = Guard::default().strict().with_lookup(Arc::clone(&lookup) as _);
    let outcome = attempt(guard.clone(), "http://hook.example/x", through()).await;
    assert_delivered(&outcome);
    assert_eq!(*lookup.names.lock().unwrap(), ["proxy.corp"]);
    refused(attempt(guard, "http://10.0.0.1/x", through()).await, FailureClass::Other);
    assert_eq!(proxy.seen().len(), 1);
}
