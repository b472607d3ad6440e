//! The engine against a store that can be held up, fail, and recover, and a delivery that obeys.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use support::{Gate, MemoryStore};
use tocsin_core::Tenant;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::{Command, Ingested, Reply};
use tocsin_core::labels::Labels;
use tocsin_core::notification::{AttemptOutcome, OutboxEntry};
use tocsin_core::policy::Policy;
use tocsin_engine::{Clock, Deliver, EngineError, EngineHandle, EngineOptions};
use tokio::sync::{Semaphore, mpsc};

const CONFIG: &str = "
route: { receiver: out, group_by: [alertname], group_wait: 0s }
receivers: [{ name: out, webhook_configs: [{ url: http://127.0.0.1:1/ }] }]
";

/// Tells the test of each attempt; the first panics when it is told to.
struct Watched {
    attempts: mpsc::UnboundedSender<(OutboxEntry, String)>,
    panics_left: AtomicUsize,
    /// Each attempt needs a permit to end.
    answers: Arc<Semaphore>,
}

#[async_trait]
impl Deliver for Watched {
    async fn attempt(&self, entry: &OutboxEntry, idempotency_key: &str) -> AttemptOutcome {
        let _ = self.attempts.send((entry.clone(), idempotency_key.to_owned()));
        let left = self.panics_left.load(Ordering::SeqCst);
        if left > 0 {
            self.panics_left.store(left - 1, Ordering::SeqCst);
            panic!("a defect of an integration");
        }
        self.answers.acquire().await.unwrap().forget();
        AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
    }
}

struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        tocsin_engine::SystemClock.now()
    }
}

struct Bench {
    engine: EngineHandle,
    store: Arc<MemoryStore>,
    begun: mpsc::UnboundedReceiver<usize>,
    attempts: mpsc::UnboundedReceiver<(OutboxEntry, String)>,
    answers: Arc<Semaphore>,
}

impl Bench {
    async fn start(options: EngineOptions, panics: usize) -> Self {
        Self::start_with(options, panics, CONFIG).await
    }

    async fn start_with(options: EngineOptions, panics: usize, config: &str) -> Self {
        let (begun_sender, mut begun) = mpsc::unbounded_channel();
        let (attempts_sender, attempts) = mpsc::unbounded_channel();
        let store = Arc::new(MemoryStore {
            gate: Some(Gate { permits: Semaphore::new(1), begun: begun_sender }),
            ..MemoryStore::default()
        });
        let answers = Arc::new(Semaphore::new(1_000));
        let deliver = Arc::new(Watched {
            attempts: attempts_sender,
            panics_left: AtomicUsize::new(panics),
            answers: Arc::clone(&answers),
        });
        let engine = tocsin_engine::start(
            options,
            Arc::clone(&store) as _,
            policy(config),
            deliver,
            Arc::new(RealClock),
        )
        .await
        .unwrap();
        assert_eq!(begun.recv().await, Some(0), "the start is recorded");
        Self { engine, store, begun, attempts, answers }
    }

    /// Lets so many more commits through.
    fn allow(&self, commits: usize) {
        self.store.gate.as_ref().unwrap().permits.add_permits(commits);
    }

    /// Makes room in the store again and waits until the engine has noticed.
    async fn recover(&self) {
        self.store.is_full.store(false, Ordering::SeqCst);
        let patience = std::time::Duration::from_secs(30);
        tokio::time::timeout(patience, async {
            while self.engine.readiness().is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap();
    }

    /// Returns how many notifications are recorded as unsent.
    async fn unsent(&self) -> usize {
        self.engine.read(|tenant, _| tenant.outbox().len()).await.unwrap()
    }

    fn post(&self, name: &str) -> tokio::task::JoinHandle<Result<Reply, EngineError>> {
        let engine = self.engine.clone();
        let labels = Labels::from([("alertname", name)]);
        let alerts = vec![IncomingAlert::new(labels, Labels::default())];
        tokio::spawn(async move { engine.command(Command::Ingest { alerts }).await })
    }
}

fn policy(config: &str) -> Arc<Policy> {
    let options = tocsin_config::LoadOptions::default();
    tocsin_config::load_str("test.yaml", config, &options).unwrap().policy
}

fn names(tenant: &Tenant, now: Timestamp) -> Vec<String> {
    let alerts = tenant.alerts(now);
    alerts.iter().map(|a| a.identity.labels.value("alertname").to_owned()).collect()
}

fn fired(count: usize) -> Reply {
    Reply::Ingested(Ingested { fired: count, ..Ingested::default() })
}

#[tokio::test]
async fn nobody_is_answered_and_nothing_is_sent_before_the_commit() {
    let mut bench = Bench::start(EngineOptions::default(), 0).await;
    let answer = bench.post("A");
    assert_eq!(bench.begun.recv().await, Some(1));
    assert!(!answer.is_finished());
    assert!(bench.attempts.try_recv().is_err());
    bench.allow(1_000);
    assert_eq!(answer.await.unwrap().unwrap(), fired(1));
    let (entry, key) = bench.attempts.recv().await.unwrap();
    assert_eq!(key, entry.idempotency_key());
    assert_eq!(entry.notification.alerts.len(), 1);
}

#[tokio::test]
async fn what_arrives_during_a_commit_shares_the_next_one() {
    let mut bench = Bench::start(EngineOptions::default(), 0).await;
    let first = bench.post("A");
    assert_eq!(bench.begun.recv().await, Some(1));
    let others: Vec<_> = (0..50).map(|n| bench.post(&format!("B{n}"))).collect();
    while bench.engine.stats().commands < 51 {
        tokio::task::yield_now().await;
    }
    bench.allow(1_000);
    assert_eq!(first.await.unwrap().unwrap(), fired(1));
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), fired(1));
    }
    let mut sizes = Vec::new();
    while let Ok(size) = bench.begun.try_recv() {
        sizes.push(size);
    }
    assert!(sizes.contains(&50), "one commit for all fifty: {sizes:?}");
}

#[tokio::test]
async fn a_turn_that_cannot_be_written_did_not_happen() {
    let mut bench = Bench::start(EngineOptions::default(), 0).await;
    bench.allow(1_000);
    assert_eq!(bench.post("A").await.unwrap().unwrap(), fired(1));
    bench.store.is_full.store(true, Ordering::SeqCst);
    let refused = bench.post("B").await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("no space left"), "{refused}");
    let why = bench.engine.readiness().unwrap_err();
    assert!(why.contains("no space left"), "{why}");
    // Readers see what is written, and only that.
    assert_eq!(bench.engine.read(names).await.unwrap(), ["A"]);
    assert!(matches!(bench.post("C").await.unwrap(), Err(EngineError::NotWritten(_))));
    bench.recover().await;
    assert_eq!(bench.post("B").await.unwrap().unwrap(), fired(1));
    assert_eq!(bench.engine.read(names).await.unwrap(), ["B", "A"], "by fingerprint");
    assert_eq!(bench.engine.stats().failed_commits, 1);
    assert!(bench.attempts.recv().await.is_some());
}

#[tokio::test]
async fn a_message_whose_end_could_not_be_written_is_not_sent_again() {
    let mut bench = Bench::start(EngineOptions::default(), 0).await;
    bench.allow(1);
    assert_eq!(bench.post("A").await.unwrap().unwrap(), fired(1));
    assert!(bench.attempts.recv().await.is_some());
    assert_eq!(bench.begun.recv().await, Some(1), "the alert");
    assert_eq!(bench.begun.recv().await, Some(0), "the end of the attempt");
    bench.store.is_full.store(true, Ordering::SeqCst);
    bench.allow(1_000);
    while bench.engine.readiness().is_ok() {
        tokio::task::yield_now().await;
    }
    bench.recover().await;
    while bench.unsent().await > 0 {
        tokio::task::yield_now().await;
    }
    assert!(bench.attempts.try_recv().is_err(), "it was sent once");
}

#[tokio::test]
async fn a_failed_write_forgets_no_alert_even_where_a_restart_does() {
    let config = format!("{CONFIG}\ncompat: alertmanager\n");
    let bench = Bench::start_with(EngineOptions::default(), 0, &config).await;
    bench.allow(1_000);
    assert_eq!(bench.post("A").await.unwrap().unwrap(), fired(1));
    bench.store.is_full.store(true, Ordering::SeqCst);
    assert!(bench.post("B").await.unwrap().is_err());
    bench.recover().await;
    assert_eq!(bench.engine.read(names).await.unwrap(), ["A"]);
}

#[tokio::test]
async fn an_orderly_end_waits_for_what_is_being_sent() {
    let mut bench = Bench::start(EngineOptions::default(), 0).await;
    bench.allow(1_000);
    bench.answers.forget_permits(1_000);
    assert_eq!(bench.post("A").await.unwrap().unwrap(), fired(1));
    assert!(bench.attempts.recv().await.is_some());
    let engine = bench.engine.clone();
    let stopped = tokio::spawn(async move { engine.stop().await });
    // The stop is in the inbox before the next command.
    tokio::task::yield_now().await;
    let refused = bench.post("B").await.unwrap().unwrap_err();
    assert!(matches!(refused, EngineError::Stopping), "{refused}");
    assert!(!stopped.is_finished());
    bench.answers.add_permits(1);
    stopped.await.unwrap();
    assert!(bench.store.rows.lock().rows().outbox.is_empty(), "nothing is left to send again");
}

#[tokio::test]
async fn a_full_inbox_says_so_instead_of_growing() {
    let options =
        EngineOptions { inbox_requests: 4, max_requests_per_turn: 2, ..EngineOptions::default() };
    let mut bench = Bench::start(options, 0).await;
    let first = bench.post("A");
    assert_eq!(bench.begun.recv().await, Some(1));
    // Two are decided while the store is busy, four wait.
    let mut waiting: Vec<_> = (0..2).map(|n| bench.post(&format!("B{n}"))).collect();
    while bench.engine.stats().commands < 3 {
        tokio::task::yield_now().await;
    }
    waiting.extend((2..6).map(|n| bench.post(&format!("B{n}"))));
    while bench.engine.stats().waiting < 4 {
        tokio::task::yield_now().await;
    }
    let refused = bench.post("C").await.unwrap().unwrap_err();
    assert!(matches!(refused, EngineError::Overloaded { waiting: 4 }), "{refused}");
    bench.allow(1_000);
    assert!(first.await.unwrap().is_ok());
    for answer in waiting {
        assert!(answer.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_panicking_integration_costs_an_attempt_and_not_the_page() {
    let mut bench = Bench::start(EngineOptions::default(), 1).await;
    bench.allow(1_000);
    assert_eq!(bench.post("A").await.unwrap().unwrap(), fired(1));
    let (first, first_key) = bench.attempts.recv().await.unwrap();
    let (second, second_key) = bench.attempts.recv().await.unwrap();
    assert_eq!((first.attempts, second.attempts), (1, 2));
    assert_eq!(first_key, second_key);
}

#[tokio::test]
async fn re_sent_alerts_cost_no_write() {
    let mut bench = Bench::start(EngineOptions::default(), 0).await;
    bench.allow(1_000);
    assert_eq!(bench.post("A").await.unwrap().unwrap(), fired(1));
    assert!(bench.attempts.recv().await.is_some());
    // The outcome of the attempt is the last thing to be written.
    while bench.engine.read(|tenant, _| tenant.outbox().len()).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    let before = bench.store.commits.load(Ordering::SeqCst);
    for _ in 0..20 {
        let refreshed = Ingested { refreshed: 1, ..Ingested::default() };
        assert_eq!(bench.post("A").await.unwrap().unwrap(), Reply::Ingested(refreshed));
    }
    assert_eq!(bench.store.commits.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn a_stopped_engine_says_that_it_is_stopping() {
    let bench = Bench::start(EngineOptions::default(), 0).await;
    bench.allow(1_000);
    bench.engine.stop().await;
    let refused = bench.post("A").await.unwrap().unwrap_err();
    assert!(matches!(refused, EngineError::Stopping), "{refused}");
    assert!(bench.engine.readiness().is_err());
}
