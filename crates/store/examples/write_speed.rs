//! Measures the store on this machine: new alerts, re-tellings, endings, and a start.
//!
//! `cargo run --release -p tocsin-store --example write_speed -- [ALERTS] [DIRECTORY]`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tocsin_core::alert::{Activity, Description, Identity};
use tocsin_core::event::{Event, Recorded, Subject};
use tocsin_core::ids::{AlertNumber, GroupNumber, Sequence, TenantId};
use tocsin_core::labels::Labels;
use tocsin_core::rows::{AlertRow, GroupRow, WriteSet};
use tocsin_store::{EventQuery, Retention, SqliteOptions, SqliteStore, Store};

/// How many alerts stay open when a start is measured.
const OPEN_ALERTS: u64 = 50_000;

/// How many alerts share a group.
const ALERTS_PER_GROUP: u32 = 20;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(300_000, |text| text.parse().expect("a number of alerts"));
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    println!("{count} alerts of {} bytes each below {}", bytes_per_alert(), parent.display());

    for turn in [64, 128, 256, 1_024] {
        let directory = tempfile::tempdir_in(&parent).expect("a directory");
        let mut bench = Bench::open(directory.path());
        let fired = bench.run("new", count, turn, Bench::fire).await;
        println!("turns of {turn:>5}: {fired}");
        if turn == 256 {
            bench.measure_everything_else(count, turn).await;
        }
        println!(
            "               log {} MB, file {} MB",
            bench.megabytes("-wal"),
            bench.megabytes("")
        );
    }
}

fn bytes_per_alert() -> usize {
    let (identity, description) = alert(1);
    let json = |labels: &Labels| serde_json::to_string(labels).expect("labels are JSON").len();
    json(&identity.labels) + json(&description.annotations) + description.generator_url.len()
}

/// An alert as Prometheus sends it, about 700 bytes on the wire.
fn alert(number: u64) -> (Identity, Description) {
    let (service, pod) = (number % 40, number % 5_000);
    let labels: Labels = [
        ("alertname", format!("HighErrorRate{}", number % 200)),
        ("cluster", "eu-central-1-production".to_owned()),
        ("container", format!("service-{service}")),
        ("endpoint", "http-metrics".to_owned()),
        ("instance", format!("10.{}.{}.{}:9100", number % 7, number / 250 % 250, number % 250)),
        ("job", format!("service-{service}")),
        ("namespace", format!("team-{}", number % 12)),
        ("pod", format!("service-{service}-7c9d8b6f5d-{pod:05}")),
        ("request", number.to_string()),
        ("severity", ["critical", "warning", "info"][(number % 3) as usize].to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let annotations = Labels::from([
        (
            "description",
            "More than 5% of the requests to this pod failed during the last five minutes.",
        ),
        ("runbook_url", "https://runbooks.example.org/services/high-error-rate"),
        ("summary", "High error rate on the checkout service"),
    ]);
    let identity =
        Identity { number: AlertNumber(number), fingerprint: labels.fingerprint(), labels };
    let generator_url =
        "http://prometheus.example.org:9090/graph?g0.expr=rate%28errors_total%5B5m%5D%29&g0.tab=1";
    (identity, Description { annotations, generator_url: generator_url.into() })
}

fn at(millisecond: u64) -> Timestamp {
    let now: Timestamp = "2026-11-21T03:00:00.123456789Z".parse().expect("an instant");
    now + Duration::from_millis(millisecond)
}

struct Bench {
    store: SqliteStore,
    directory: PathBuf,
    sequence: u64,
}

impl Bench {
    fn open(directory: &std::path::Path) -> Self {
        let store = SqliteStore::open(directory, SqliteOptions::default()).expect("a store");
        Self { store, directory: directory.to_owned(), sequence: 0 }
    }

    fn megabytes(&self, suffix: &str) -> u64 {
        let path = self.directory.join(format!("tocsin.db{suffix}"));
        std::fs::metadata(path).map_or(0, |meta| meta.len() / 1_000_000)
    }

    async fn run(
        &mut self,
        what: &str,
        count: u64,
        turn: u64,
        add: fn(&mut Self, &mut WriteSet, u64),
    ) -> String {
        let mut sets = Vec::new();
        let mut first = 1;
        while first <= count {
            let mut writes = WriteSet::default();
            let end = (first + turn).min(count + 1);
            (first..end).for_each(|number| add(self, &mut writes, number));
            sets.push(writes);
            first = end;
        }
        let mut latencies = Vec::with_capacity(sets.len());
        let begin = Instant::now();
        for writes in sets {
            let sent = Instant::now();
            self.store.commit(TenantId::DEFAULT, writes).await.expect("a commit");
            latencies.push(sent.elapsed());
        }
        let rate = count as f64 / begin.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let percentile = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
        let (p50, p99, max) = (percentile(50), percentile(99), percentile(100));
        format!("{what:<9} {rate:>8.0} alerts/s, p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}")
    }

    fn fire(&mut self, writes: &mut WriteSet, number: u64) {
        let (identity, description) = alert(number);
        let row = state(&identity, 0, false);
        let group = GroupNumber(number / u64::from(ALERTS_PER_GROUP) + 1);
        self.event(
            writes,
            Event::AlertFired {
                alert: row.number,
                fingerprint: row.fingerprint,
                starts_at: row.activity.starts_at,
                ends_at: row.activity.ends_at,
                is_timeout: true,
                is_refire: false,
                groups: vec![group],
            },
        );
        if number.is_multiple_of(ALERTS_PER_GROUP.into()) {
            writes.groups.push(GroupRow {
                number: group,
                route: "{}/{severity=\"critical\"}".into(),
                labels: Labels::from([("alertname", "HighErrorRate"), ("cluster", "eu-central-1")]),
                opened_at: at(number),
                flush_at: at(number + 30_000),
                early_flush_at: None,
                has_flushed: false,
                alerts: (0..ALERTS_PER_GROUP).map(|_| (row.fingerprint, None)).collect(),
            });
        }
        writes.identities.push(Arc::new(identity));
        writes.descriptions.push((row.number, Arc::new(description)));
        writes.alerts.push(row);
    }

    fn refresh(&mut self, writes: &mut WriteSet, number: u64) {
        writes.alerts.push(state(&alert(number).0, 60_000, false));
    }

    fn end(&mut self, writes: &mut WriteSet, number: u64) {
        let row = state(&alert(number).0, 90_000, true);
        self.event(
            writes,
            Event::AlertResolved {
                alert: row.number,
                fingerprint: row.fingerprint,
                ends_at: row.activity.ends_at,
                is_timeout: false,
            },
        );
        writes.alerts.push(row);
    }

    fn event(&mut self, writes: &mut WriteSet, event: Event) {
        self.sequence += 1;
        writes.events.push(Recorded {
            sequence: Sequence(self.sequence),
            at: at(self.sequence),
            event,
        });
    }

    async fn measure_everything_else(&mut self, count: u64, turn: u64) {
        println!("                  {}", self.run("refreshed", count, turn, Self::refresh).await);
        let ending = count.saturating_sub(OPEN_ALERTS);
        if ending > 0 {
            println!("                  {}", self.run("closed", ending, turn, Self::end).await);
        }
        for _ in 0..3 {
            let begin = Instant::now();
            let rows = self.store.load(TenantId::DEFAULT).await.expect("a start");
            println!(
                "                  load of {} open alerts and {} groups: {:.1?}",
                rows.alerts.len(),
                rows.groups.len(),
                begin.elapsed()
            );
        }
        let fingerprint = alert(count).0.fingerprint;
        let begin = Instant::now();
        let lives = self.store.alert_history(TenantId::DEFAULT, fingerprint, 10).await;
        assert_eq!(lives.expect("lives").len(), 1);
        println!("                  lives of an open alert: {:.1?}", begin.elapsed());
        let query = EventQuery {
            subjects: vec![Subject::Alert(AlertNumber(count / 2))],
            limit: 100,
            ..EventQuery::default()
        };
        let begin = Instant::now();
        self.store.events(TenantId::DEFAULT, query).await.expect("events");
        println!("                  events of an alert: {:.1?}", begin.elapsed());
        let begin = Instant::now();
        let retention = Retention { events_before: at(count / 2), alerts_before: at(0) };
        let purged = self.store.purge(TenantId::DEFAULT, retention).await.expect("a purge");
        println!("                  purge of {} events: {:.1?}", purged.events, begin.elapsed());
    }
}

fn state(identity: &Identity, later: u64, is_closed: bool) -> AlertRow {
    let begin = identity.number.0;
    AlertRow {
        number: identity.number,
        fingerprint: identity.fingerprint,
        activity: Activity {
            starts_at: at(begin),
            ends_at: at(begin + later + 300_000),
            is_timeout: !is_closed,
            updated_at: at(begin + later),
        },
        is_resolved: is_closed,
        received: 1 + later / 60_000,
        is_closed,
    }
}
