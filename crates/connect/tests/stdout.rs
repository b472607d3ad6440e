//! Messages written to a stream that the caller gives.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use support::{KEY, assert_delivered, entry, failed, receiver};
use tocsin_config::{Settings, StdoutConfig, StdoutFormat};
use tocsin_connect::{Context, Outbound};
use tocsin_core::notification::{AttemptOutcome, FailureClass};

async fn attempt(format: StdoutFormat, output: Arc<Mutex<dyn Write + Send>>) -> AttemptOutcome {
    let config = StdoutConfig { format, ..StdoutConfig::default() };
    let context = Context::new("http://tocsin.example", "0.1.0").with_output(output);
    let receiver = receiver("stdout", Settings::Stdout(config));
    let outbound = Outbound::of_receivers([&receiver], &context).unwrap();
    outbound.attempt(&entry("stdout"), KEY).await
}

async fn written(format: StdoutFormat) -> String {
    let output = Arc::new(Mutex::new(Vec::new()));
    assert_delivered(&attempt(format, Arc::<Mutex<Vec<u8>>>::clone(&output)).await);
    String::from_utf8(output.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn people_get_a_block() {
    assert_eq!(
        written(StdoutFormat::Text).await,
        "[FIRING:1] PgDown  → db.hook, first notification\n  \
           severity critical  cluster=eu1\n  \
           FIRING   PgDown for 9s: pg & friends\n\
         \n"
    );
}

#[tokio::test]
async fn programs_get_one_line() {
    let line = written(StdoutFormat::Json).await;
    assert!(line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
    let body: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(body["alerts"][0]["labels"]["alertname"], "PgDown");
}

#[tokio::test]
async fn a_closed_stream_is_a_failure_not_a_crash() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let outcome = attempt(StdoutFormat::Text, Arc::new(Mutex::new(Closed))).await;
    let failure = failed(outcome, FailureClass::Other);
    assert!(failure.message.contains("broken pipe"), "{failure:?}");
}
