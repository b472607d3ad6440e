//! What watches the engine itself, in virtual time: the audit of the history, and the watcher
//! outside.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use support::MemoryStore;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::Command;
use tocsin_core::event::Event;
use tocsin_core::labels::Labels;
use tocsin_core::notification::{AttemptOutcome, Failure, FailureClass, OutboxEntry};
use tocsin_core::paging::Page;
use tocsin_engine::{Clock, Deliver, EngineHandle, EngineOptions};
use tokio::time::{Instant, sleep};

const CONFIG: &str = r"
route:
  { receiver: none, group_by: [alertname], group_wait: 0s,
    routes: [{ matchers: [alertname=A], receiver: on-call }] }
receivers: [{ name: none }, { name: on-call, escalation_policy: p }]
people:
- { handle: ada, email: ada@example.org }
- { handle: grace, email: grace@example.org }
- { handle: linus, email: linus@example.org }
escalation_policies:
- name: p
  steps: [{ page: [ada] }, { after: 5m, page: [grace] }, { after: 10m, page: [linus] }]
paging:
  heartbeat: { url: 'http://127.0.0.1:1/alive', every: 30s }
";

/// The virtual clock of the runtime.
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.0.elapsed()).unwrap();
        "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap() + since
    }
}

/// Delivers everything, unless told otherwise, and hears when the watcher is asked.
#[derive(Default)]
struct Outside {
    knocks: Mutex<Vec<Instant>>,
    is_deaf: AtomicBool,
    is_down: AtomicBool,
}

#[async_trait]
impl Deliver for Outside {
    async fn attempt(&self, _: &OutboxEntry, _: &str) -> AttemptOutcome {
        AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
    }

    async fn page(&self, _: &Page, _: &str) -> AttemptOutcome {
        if self.is_down.load(Ordering::SeqCst) {
            return AttemptOutcome::Failed(Failure {
                class: FailureClass::ServerError,
                message: "down".to_owned(),
                retry_after_ms: None,
                may_have_arrived: false,
            });
        }
        AttemptOutcome::Delivered { receipt: None, fallbacks: Vec::new() }
    }

    async fn knock(&self, address: &str, _: Timestamp) -> Result<(), String> {
        assert_eq!(address, "http://127.0.0.1:1/alive");
        if self.is_deaf.load(Ordering::SeqCst) {
            return Err("nobody is there".to_owned());
        }
        self.knocks.lock().push(Instant::now());
        Ok(())
    }
}

struct House {
    engine: EngineHandle,
    store: Arc<MemoryStore>,
    outside: Arc<Outside>,
}

impl House {
    async fn new(store: MemoryStore) -> Self {
        let (store, outside) = (Arc::new(store), Arc::new(Outside::default()));
        let options = tocsin_config::LoadOptions::default();
        let policy = tocsin_config::load_str("test.yaml", CONFIG, &options).unwrap().policy;
        let clock = Arc::new(Virtual(Instant::now()));
        let (to, deliver) = (Arc::clone(&store), Arc::clone(&outside));
        let options = EngineOptions::default();
        let engine = tocsin_engine::start(options, to, policy, deliver, clock).await.unwrap();
        Self { engine, store, outside }
    }

    async fn fire(&self) {
        let labels = Labels::from([("alertname", "A"), ("severity", "critical")]);
        let mut alert = IncomingAlert::new(labels, Labels::default());
        alert.ends_at = Some(self.engine.now() + SignedDuration::from_hours(10));
        self.engine.command(Command::Ingest { alerts: vec![alert] }).await.unwrap();
    }

    /// Returns when the watcher was asked since the last time, in seconds from now backwards.
    fn knocks(&self) -> usize {
        std::mem::take(&mut *self.outside.knocks.lock()).len()
    }

    fn told(&self, kind: &str) -> usize {
        self.store.rows.lock().events().iter().filter(|it| it.event.kind() == kind).count()
    }

    async fn own_alerts(&self) -> Vec<String> {
        let names = self.engine.read(|tenant, now| {
            let alerts = tenant.alerts(now);
            let names = alerts.iter().map(|it| it.identity.labels.value("alertname").to_owned());
            names.filter(|name| name.starts_with("Tocsin")).collect::<Vec<_>>()
        });
        names.await.unwrap()
    }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[tokio::test(start_paused = true)]
async fn a_history_in_which_every_step_ran_is_without_fault() {
    let house = House::new(MemoryStore::default()).await;
    house.fire().await;
    sleep(minutes(40)).await;
    assert_eq!((house.told("step_reached"), house.told("step_missed")), (3, 0));
    let audit = house.engine.audit();
    assert_eq!((audit.followed, audit.reported, &audit.trouble), (1, 0, &None));
    assert!(audit.through.0 > 3);
    assert_eq!(house.told("escalation_unanswered"), 1);
    assert_eq!(house.own_alerts().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_step_that_the_history_does_not_have_is_an_event_and_an_alert_once() {
    let house = House::new(MemoryStore { lost_step: Some(2), ..MemoryStore::default() }).await;
    house.fire().await;
    sleep(Duration::from_secs(5 * 60 + 50)).await;
    assert_eq!(house.told("step_missed"), 0, "it may be late by a minute");
    sleep(minutes(2)).await;
    assert_eq!(house.told("step_missed"), 1);
    assert_eq!(house.own_alerts().await, ["TocsinStepMissed"]);
    let audit = house.engine.audit();
    assert_eq!(audit.reported, 1);
    house.knocks();
    sleep(minutes(5)).await;
    assert_eq!(house.knocks(), 0, "whoever misses a step does not work");
    sleep(minutes(30)).await;
    let told = house.store.rows.lock().events().to_vec();
    let missed: Vec<_> = told
        .iter()
        .filter_map(|it| match it.event {
            Event::StepMissed { round, step, due_at, .. } => Some((round, step, due_at)),
            _ => None,
        })
        .collect();
    let due_at = "2026-03-02T09:05:00Z".parse().unwrap();
    assert_eq!(missed, [(1, 2, due_at)], "and only once");
    assert!(house.knocks() > 0, "some time later it is over");
}

#[tokio::test(start_paused = true)]
async fn the_watcher_is_asked_while_we_work_and_hears_nothing_while_we_do_not() {
    let house = House::new(MemoryStore::default()).await;
    sleep(minutes(10)).await;
    let count = house.knocks();
    assert!((20..=21).contains(&count), "every half minute: {count}");
    // The disk is full.
    house.store.is_full.store(true, Ordering::SeqCst);
    sleep(minutes(5)).await;
    assert_eq!(house.knocks(), 0);
    assert!(house.engine.stats().knocks_withheld >= 9);
    house.store.is_full.store(false, Ordering::SeqCst);
    sleep(minutes(5)).await;
    assert!(house.knocks() >= 9);
}

#[tokio::test(start_paused = true)]
async fn the_watcher_hears_nothing_while_no_page_goes_out() {
    let house = House::new(MemoryStore::default()).await;
    house.outside.is_down.store(true, Ordering::SeqCst);
    for _ in 0..6 {
        house.fire().await;
        sleep(minutes(1)).await;
    }
    let withheld = house.engine.stats().knocks_withheld;
    assert!(withheld > 0, "every channel fails: {withheld}");
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_cannot_be_asked_is_an_alert_until_it_can() {
    let house = House::new(MemoryStore::default()).await;
    sleep(Duration::from_secs(10)).await;
    house.outside.is_deaf.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(house.told("watcher_unreachable"), 0, "twice is not enough");
    sleep(minutes(10)).await;
    assert_eq!(house.told("watcher_unreachable"), 1);
    assert_eq!(house.own_alerts().await, ["TocsinWatcherUnreachable"]);
    house.outside.is_deaf.store(false, Ordering::SeqCst);
    sleep(minutes(1)).await;
    assert_eq!(house.told("watcher_reached"), 1);
    let standing = house.engine.read(|tenant, now| {
        let alerts = tenant.alerts(now);
        alerts.iter().filter(|it| it.identity.labels.value("source") == "tocsin").count()
    });
    assert_eq!(standing.await.unwrap(), 0, "it is over");
}
