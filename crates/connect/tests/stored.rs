//! Secrets that the configuration names and somebody else keeps: fetched when they are needed, so
//! that a changed one needs no reload and a missing one is said by name.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use support::{CANARY, KEY, Reply, Server, assert_delivered, entry};
use tocsin_config::{LoadOptions, NotStored, Secret, SecretStore, load_str};
use tocsin_connect::{Context, Outbound};
use tocsin_core::notification::AttemptOutcome;

#[derive(Default)]
struct Shelf(Mutex<BTreeMap<String, String>>);

impl Shelf {
    fn set(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}

impl SecretStore for Shelf {
    fn fetch(&self, name: &str) -> Result<Secret, NotStored> {
        let missing = || NotStored::Missing(name.to_owned());
        self.0.lock().unwrap().get(name).map(Secret::new).ok_or_else(missing)
    }
}

fn outbound(shelf: &Arc<Shelf>, receiver: &str) -> Outbound {
    let text = format!("route: {{ receiver: db.hook }}\nreceivers:\n  - name: db.hook\n{receiver}");
    let options = LoadOptions { secrets: Some(Arc::clone(shelf) as _), ..LoadOptions::default() };
    let loaded = load_str("tocsin.yaml", &text, &options).unwrap();
    assert_eq!(loaded.secrets.len(), 2, "{:?}", loaded.secrets);
    assert!(!loaded.show().contains("canary") && !loaded.original_yaml().contains("canary"));
    Outbound::new(&loaded.config, &Context::new("http://tocsin.example", "0.1.0")).unwrap()
}

fn not_sent(outcome: AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => failure.message,
        AttemptOutcome::Delivered { .. } => panic!("it was sent"),
    }
}

const WEBHOOK: &str = "    webhook_configs:
      - url: ${secret:hook-url}
        http_config: { authorization: { credentials: \"${secret:hook-token}\" } }
";

#[tokio::test]
async fn what_is_stored_is_fetched_each_time() {
    let server = Server::start(vec![Reply::ok("")]).await;
    let shelf = Arc::new(Shelf::default());
    let outbound = outbound(&shelf, WEBHOOK);
    let missing = not_sent(outbound.attempt(&entry("webhook"), KEY).await);
    assert!(missing.contains("`hook-url` is not stored"), "{missing}");

    shelf.set("hook-url", &server.url(&format!("/{CANARY}")));
    let missing = not_sent(outbound.attempt(&entry("webhook"), KEY).await);
    assert!(missing.contains("`hook-token` is not stored"), "{missing}");

    for token in ["one", "two"] {
        shelf.set("hook-token", &format!("{CANARY}-{token}"));
        assert_delivered(&outbound.attempt(&entry("webhook"), KEY).await);
        let seen = server.seen().pop().unwrap();
        let shown = format!("Bearer {CANARY}-{token}");
        assert_eq!(seen.header("authorization"), Some(shown.as_str()));
    }
}

#[tokio::test]
async fn what_was_fetched_is_hidden_from_what_the_other_side_echoes() {
    let server = Server::start(vec![Reply::Echo(400)]).await;
    let shelf = Arc::new(Shelf::default());
    shelf.set("hook-url", &server.url(&format!("/{CANARY}")));
    shelf.set("hook-token", CANARY);
    let said = not_sent(outbound(&shelf, WEBHOOK).attempt(&entry("webhook"), KEY).await);
    assert!(said.contains("answered 400") && !said.contains("canary"), "{said}");
}

#[tokio::test]
async fn a_missing_key_or_header_of_a_proxy_stops_the_attempt_and_not_the_start() {
    let shelf = Arc::new(Shelf::default());
    let receiver = "    webhook_configs:
      - url: http://127.0.0.1:9/
        http_config:
          proxy_url: http://127.0.0.1:9
          proxy_connect_header: { Proxy-Authorization: [\"${secret:proxy}\"] }
          tls_config: { cert: x, key: \"${secret:tls-key}\" }
";
    let outbound = outbound(&shelf, receiver);
    let said = not_sent(outbound.attempt(&entry("webhook"), KEY).await);
    assert!(said.contains("`proxy` is not stored"), "{said}");
    shelf.set("proxy", CANARY);
    let said = not_sent(outbound.attempt(&entry("webhook"), KEY).await);
    assert!(said.contains("`tls-key` is not stored"), "{said}");
}

#[test]
fn a_name_that_cannot_be_is_a_mistake_and_a_key_of_an_integration_is_made_elsewhere() {
    let check =
        |text: &str| load_str("t.yaml", text, &LoadOptions::default()).unwrap_err().to_string();
    let base = "route: { receiver: a }\nreceivers:\n  - name: a\n";
    let said = check(&format!("{base}    webhook_configs: [{{ url: \"${{secret:a/b}}\" }}]\n"));
    assert!(said.contains("no secret can have this name"), "{said}");
    let said = check(&format!(
        "{base}integrations: [{{ name: g, type: generic, key: \"${{secret:integration-key}}\" }}]\n"
    ));
    assert!(said.contains("tocsin token create NAME --integration g"), "{said}");
}
