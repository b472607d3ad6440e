//! Killed at random moments, again and again, the server keeps what it answered for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::api::{answer, firing, resolved, silence_of};
use crate::support::hook::{Delivery, Hook, Manner};
use crate::support::tocsin::Tocsin;

/// Kills in the short form and, with `TOCSIN_TEST_LONG=1`, in the long one.
const KILLS: u32 = 20;
const KILLS_LONG: u32 = 200;

/// Connections that post alerts.
const POSTERS: usize = 3;
/// Alerts of one request.
const BATCH: usize = 3;
/// Batches whose alerts share a group, so that groups also grow and shrink.
const BATCHES_PER_GROUP: usize = 4;
/// Alerts of one poster that fire at once; before more are posted, the oldest end.
const MAX_OPEN: usize = 90;

/// The longest the server lives, from the moment it listens or, sometimes, from its start.
const LONGEST_LIFE_MS: u64 = 350;
/// One start in so many is cut short before the server listens.
const CUT_SHORT: u32 = 5;

/// What was asked of the server and what it answered for, by id.
#[derive(Default)]
struct Ledger {
    /// Alerts it accepted.
    fired: BTreeSet<String>,
    /// Alerts whose end was sent, answered or not.
    may_be_over: BTreeSet<String>,
    /// Alerts whose end it accepted.
    over: BTreeSet<String>,
    /// Silences it accepted, and whether their end was sent and accepted.
    silences: BTreeMap<String, SilenceEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SilenceEnd {
    NotAsked,
    Asked,
    Accepted,
}

/// Where the server listens; `None` while it does not.
type Address = watch::Receiver<Option<String>>;

/// A client that goes on until it is told to stop, whatever happens to the server.
struct Client {
    http: reqwest::Client,
    address: Address,
    ledger: Arc<Mutex<Ledger>>,
}

impl Client {
    /// Sends a request until it is answered; the answer must be 200. `None` when there is no
    /// server any more.
    async fn insist(&mut self, method: &str, path: &str, body: &Value) -> Option<String> {
        loop {
            // An error means that the test is over.
            let address = self.address.wait_for(Option::is_some).await.ok()?.clone()?;
            let method = method.parse().unwrap();
            let request = self.http.request(method, format!("http://{address}{path}"));
            // Whoever hears nothing cannot know whether it was taken, and says it again.
            let Ok(answer) = answer(request.json(body)).await else { continue };
            assert_eq!(answer.status, 200, "{answer:?}");
            return Some(answer.body);
        }
    }

    /// Posts batches of new alerts and ends old ones.
    async fn post_alerts(mut self, poster: usize) {
        let mut open: Vec<String> = Vec::new();
        for number in 0.. {
            let group = format!("{poster}-{}", number / BATCHES_PER_GROUP);
            let ids: Vec<String> =
                (0..BATCH).map(|index| format!("{group}/{number}-{index}")).collect();
            let alerts: Vec<Value> = ids.iter().map(|id| firing(&labels(id))).collect();
            if self.insist("POST", "/api/v2/alerts", &json!(alerts)).await.is_none() {
                return;
            }
            self.ledger.lock().unwrap().fired.extend(ids.iter().cloned());
            open.extend(ids);
            if open.len() <= MAX_OPEN {
                continue;
            }
            let ended: Vec<String> = open.drain(..BATCH * 2).collect();
            let alerts: Vec<Value> = ended.iter().map(|id| resolved(&labels(id))).collect();
            self.ledger.lock().unwrap().may_be_over.extend(ended.iter().cloned());
            if self.insist("POST", "/api/v2/alerts", &json!(alerts)).await.is_none() {
                return;
            }
            self.ledger.lock().unwrap().over.extend(ended);
        }
    }

    /// Sets silences and ends every other one.
    async fn set_silences(mut self) {
        for number in 0_u32.. {
            let silence = silence_of(&format!("Nobody{number}"));
            let Some(body) = self.insist("POST", "/api/v2/silences", &silence).await else {
                return;
            };
            let body: Value = serde_json::from_str(&body).unwrap();
            let id = body["silenceID"].as_str().unwrap().to_owned();
            let note = |end| self.ledger.lock().unwrap().silences.insert(id.clone(), end);
            note(SilenceEnd::NotAsked);
            if number % 2 == 0 {
                note(SilenceEnd::Asked);
                let path = format!("/api/v2/silence/{id}");
                if self.insist("DELETE", &path, &json!({})).await.is_none() {
                    return;
                }
                self.ledger.lock().unwrap().silences.insert(id, SilenceEnd::Accepted);
            }
        }
    }
}

/// The labels of the alert with this id, `group/alert`.
fn labels(id: &str) -> [(&str, &str); 3] {
    let (group, _) = id.split_once('/').unwrap();
    [("alertname", "Crash"), ("group", group), ("id", id)]
}

/// Compares what the server lists with what it answered for.
async fn check(tocsin: &Tocsin, ledger: &Mutex<Ledger>, kill: u32) {
    let listed = tocsin.alert_values("id").await;
    let silences = tocsin.get("/api/v2/silences").await.json();
    let silences: BTreeMap<&str, &str> = silences
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["id"].as_str().unwrap(), it["status"]["state"].as_str().unwrap()))
        .collect();
    let ledger = ledger.lock().unwrap();
    let lost: Vec<_> =
        ledger.fired.difference(&ledger.may_be_over).filter(|id| !listed.contains(*id)).collect();
    assert!(lost.is_empty(), "accepted, but gone after kill {kill}: {lost:?}");
    let undead: Vec<_> = ledger.over.intersection(&listed).collect();
    assert!(undead.is_empty(), "ended, but firing after kill {kill}: {undead:?}");
    for (id, end) in &ledger.silences {
        let state = silences.get(id.as_str()).copied().unwrap_or("gone");
        let is_right = match end {
            SilenceEnd::NotAsked => state == "active",
            SilenceEnd::Asked => matches!(state, "active" | "expired"),
            SilenceEnd::Accepted => state == "expired",
        };
        assert!(is_right, "silence {id} ({end:?}) is {state} after kill {kill}");
    }
}

/// Returns what is still to be told: alerts never told as firing, ends never told of alerts that
/// were.
fn untold(ledger: &Ledger, deliveries: &[Delivery]) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for delivery in deliveries {
        told.extend(delivery.told("id"));
    }
    let firing = |id: &String| format!("{id} firing");
    let resolved = |id: &String| format!("{id} resolved");
    let never = ledger.fired.difference(&ledger.may_be_over).map(firing);
    let ends = ledger.over.iter().filter(|id| told.contains(&firing(id))).map(resolved);
    never.chain(ends).filter(|it| !told.contains(it)).collect()
}

/// Returns how many messages came twice. That is only explained by a crash between sending and
/// writing, and then both carry the same key.
fn repeated(deliveries: &[Delivery]) -> usize {
    let mut by_key: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut by_content: BTreeMap<(&str, BTreeSet<String>), &str> = BTreeMap::new();
    let mut repeated = 0;
    for delivery in deliveries {
        let group = delivery.body["groupKey"].as_str().unwrap();
        let key = *by_content.entry((group, delivery.told("id"))).or_insert(&delivery.key);
        assert_eq!(key, delivery.key, "the same message under another key: {delivery:#?}");
        if let Some(first) = by_key.insert(key, &delivery.body) {
            assert_eq!(first, &delivery.body, "two messages with the key {key}");
            repeated += 1;
        }
    }
    repeated
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_accepted_is_lost_and_everything_due_is_told() {
    let is_long = std::env::var("TOCSIN_TEST_LONG").is_ok_and(|value| value == "1");
    let kills = if is_long { KILLS_LONG } else { KILLS };
    let seed = std::env::var("TOCSIN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(u64::from(kills));
    eprintln!("TOCSIN_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);

    let hook = Hook::start().await;
    // Long enough for a kill to fall between the message and its answer.
    hook.behave(Manner::AcceptAfter(Duration::from_millis(10)));
    let config = "group_by: [group]\ngroup_wait: 50ms\ngroup_interval: 500ms\nrepeat_interval: 24h";
    let mut tocsin = Tocsin::start(&hook.config(config)).await;

    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let (announce, address) = watch::channel(Some(tocsin.address().to_owned()));
    let client = || Client {
        http: tocsin.client().clone(),
        address: address.clone(),
        ledger: Arc::clone(&ledger),
    };
    let mut clients = JoinSet::new();
    for poster in 0..POSTERS {
        clients.spawn(client().post_alerts(poster));
    }
    clients.spawn(client().set_silences());

    for kill in 1..=kills {
        let life = Duration::from_millis(random.random_range(0..LONGEST_LIFE_MS));
        // The random moment is what is tested here; nothing is waited for.
        tokio::time::sleep(life).await;
        announce.send_replace(None);
        tocsin.kill().await;
        if random.random_ratio(1, CUT_SHORT) {
            tocsin.launch();
            tokio::time::sleep(life / 4).await;
            tocsin.kill().await;
        }
        tocsin.start_again().await;
        check(&tocsin, &ledger, kill).await;
        announce.send_replace(Some(tocsin.address().to_owned()));
        if let Some(ended) = clients.try_join_next() {
            panic!("a client gave up: {ended:?}");
        }
    }
    // No address and nobody to announce one: the clients finish what they are saying and end.
    announce.send_replace(None);
    drop(announce);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    check(&tocsin, &ledger, kills).await;
    hook.wait("everything due is told", |deliveries| {
        untold(&ledger.lock().unwrap(), deliveries).is_empty().then_some(())
    })
    .await;
    let deliveries = hook.deliveries();
    let repeated = repeated(&deliveries);
    let ledger = ledger.lock().unwrap();
    eprintln!(
        "{kills} kills, {} alerts, {} ends, {} silences, {} messages, {repeated} of them repeated",
        ledger.fired.len(),
        ledger.over.len(),
        ledger.silences.len(),
        deliveries.len(),
    );
    assert!(ledger.fired.len() > kills as usize && !deliveries.is_empty());
}
