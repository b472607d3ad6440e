//! How fast incidents are when there are very many: made, moved, shown, listed, found.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use clap::Parser as _;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tocsin_core::command::{Command, Reply};
use tocsin_core::identity::Actor;
use tocsin_core::ids::TenantId;
use tocsin_core::incident::{
    Author, Entry, Fact, Incident, IncidentChange, IncidentDraft, IncidentNumber, ResolutionCode,
    Status,
};
use tocsin_core::lesson::LessonWrites;
use tocsin_core::rows::WriteSet;
use tocsin_core::severity::Severity;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_server::tenants::Front;
use tocsin_server::{App, Peer};
use tocsin_store::{SqliteOptions, SqliteStore, Store as _};
use tower::Service as _;

use super::load;
use crate::serve::Server;
use crate::serve::flags::ServeFlags;

/// Incidents that are over.
pub(super) const PAST: u64 = 100_000;

/// Rows of the timeline of each of them.
pub(super) const ROWS: u64 = 10;

/// Incidents that are open.
pub(super) const OPEN: usize = 5_000;

/// Alerts of one incident, all of which fire.
pub(super) const ALERTS: usize = 10_000;

/// Incidents written in one transaction while the past is made.
const BATCH: u64 = 1_000;

/// Alerts of one request.
const ALERTS_PER_REQUEST: usize = 500;

/// How many incidents are declared at once.
const AT_ONCE: usize = 128;

/// How often everything is asked.
const RUNS: usize = 101;

/// How long the alerts may take until all belong to their incident.
const JOIN_WITHIN: Duration = Duration::from_secs(60);

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// What the words of the past are made of.
const WORDS: [&str; 12] = [
    "pool",
    "disk",
    "certificate",
    "queue",
    "replica",
    "release",
    "timeout",
    "memory",
    "network",
    "cache",
    "quota",
    "index",
];

const CONFIGURATION: &str = "\
route: { receiver: nobody, group_by: [alertname], group_wait: 0s, group_interval: 1s }
receivers: [{ name: nobody }]
incidents: { open_from: sev1, storm_limit: 10000, remind: false }
limits: { requests_per_second: 10000000 }
";

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    serve: ServeFlags,
}

/// What was measured; the 99th percentile of times.
pub(super) struct Times {
    /// Incidents that were declared in a second.
    pub(super) declared_per_second: f64,
    /// From asking for another status to the answer, on disk.
    pub(super) moved: Duration,
    /// The page of the incident with very many alerts.
    pub(super) page: Duration,
    /// The newest hundred.
    pub(super) list: Duration,
    /// A list by service and words of the title.
    pub(super) filtered: Duration,
    /// A search for a word that one in twelve documents has.
    pub(super) search: Duration,
    /// A search for two words.
    pub(super) narrow: Duration,
    /// Earlier incidents like one.
    pub(super) similar: Duration,
}

/// Makes the past, starts a server on it, and measures.
pub(super) async fn measure(directory: &Path) -> Result<Times> {
    let data = directory.join("data");
    make_past(&data).await.context("making the past")?;
    let server = Box::pin(Server::assemble(&flags(directory, &data)?)).await?;
    let apps = server.fleet.apps();
    let app = apps.first().context("no tenant is served")?;
    let declared_per_second = declare(app).await?;
    let mut asked = Asked { front: Front::new(Arc::clone(&server.fleet.tenants)) };
    let large = join(app, &mut asked).await?;
    let mut moved = Vec::with_capacity(RUNS);
    for number in 1..=RUNS as u64 {
        let path = format!("/api/v1/incidents/{}/acknowledge", PAST + number);
        moved.push(asked.once("POST", &path, Some(&json!({}))).await?.0);
    }
    let newest = format!("/api/v1/incidents/{PAST}/similar");
    let times = Times {
        declared_per_second,
        moved: p99(moved),
        page: asked.often(&format!("/api/v1/incidents/{large}")).await?,
        list: asked.often("/api/v1/incidents?limit=100").await?,
        filtered: asked
            .often("/api/v1/incidents?limit=100&service=service-7&q=disk&state=resolved")
            .await?,
        search: asked.often("/api/v1/kb/search?q=certificate&limit=20").await?,
        narrow: asked.often("/api/v1/kb/search?q=quota+replic&limit=20").await?,
        similar: asked.often(&newest).await?,
    };
    server.fleet.stop().await?;
    Ok(times)
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    load::quantile(&times, 99)
}

struct Asked {
    front: Front,
}

impl Asked {
    /// Asks once and returns how long the answer took, and what it was.
    async fn once(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Duration, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .extension(Peer(([127, 0, 0, 1], 40_000).into()))
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let began = Instant::now();
        let Ok(()) = poll_fn(|context| self.front.poll_ready(context)).await;
        let Ok(answer) = self.front.call(request).await;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), MAX_ANSWER_BYTES).await?;
        let took = began.elapsed();
        ensure!(status.is_success(), "{path} is answered with {status}");
        Ok((took, serde_json::from_slice(&body).unwrap_or_default()))
    }

    async fn often(&mut self, path: &str) -> Result<Duration> {
        let (_, first) = self.once("GET", path, None).await?;
        let is_empty = first["items"].as_array().is_some_and(Vec::is_empty);
        ensure!(!is_empty, "{path} finds nothing");
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            times.push(self.once("GET", path, None).await?.0);
        }
        Ok(p99(times))
    }
}

/// Declares incidents as fast as they are taken; returns how many a second.
async fn declare(app: &App) -> Result<f64> {
    let began = Instant::now();
    let declared = futures_util::stream::iter(0..OPEN).map(|number| {
        let draft = IncidentDraft {
            title: format!("Something is wrong with {}", WORDS[number % WORDS.len()]),
            service: format!("service-{}", number % 50).into(),
            ..IncidentDraft::default()
        };
        let change = IncidentChange::Declare(Box::new(draft));
        app.engine.command(Command::Incident(change).by(Actor::OPERATOR))
    });
    let mut declared = declared.buffer_unordered(AT_ONCE);
    while let Some(reply) = declared.next().await {
        ensure!(matches!(reply?, Reply::Incident(_)), "an incident was not declared");
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = OPEN as f64;
    Ok(count / began.elapsed().as_secs_f64())
}

/// Lets very many alerts of one group fire; returns the incident that they belong to.
async fn join(app: &App, asked: &mut Asked) -> Result<u64> {
    for first in (0..ALERTS).step_by(ALERTS_PER_REQUEST) {
        let alerts: Vec<Value> = (first..first + ALERTS_PER_REQUEST)
            .map(|number| {
                json!({ "labels": {
                    "alertname": "Down", "severity": "critical", "instance": format!("i-{number}")
                } })
            })
            .collect();
        asked.once("POST", "/api/v2/alerts", Some(&Value::Array(alerts))).await?;
    }
    let began = Instant::now();
    while began.elapsed() < JOIN_WITHIN {
        let newest = app.engine.read(|tenant, _| {
            let newest = tenant.incidents().next_back()?.number;
            Some((newest.0, tenant.incident_alerts(newest).len()))
        });
        match newest.await? {
            Some((number, ALERTS)) => return Ok(number),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    anyhow::bail!("the alerts do not belong to one incident")
}

/// Writes incidents that are over, with their timelines and what they have in common.
async fn make_past(directory: &Path) -> Result<()> {
    let store = SqliteStore::open(directory, SqliteOptions::default())?;
    // The last one was detected a day ago, so that none is young enough to be special.
    let span = SignedDuration::from_mins(i64::try_from(PAST)?) + SignedDuration::from_hours(24);
    let began = SystemClock.now() - span;
    for first in (1..=PAST).step_by(usize::try_from(BATCH)?) {
        let mut writes = WriteSet::default();
        let mut lessons = LessonWrites::default();
        for number in first..first + BATCH {
            let it = incident(number, began);
            lessons.traits.extend(it.traits.iter().map(|name| (it.number, name.clone())));
            writes.entries.extend((1..=ROWS).map(|seq| entry(&it, seq)));
            writes.incidents.push(it);
        }
        writes.lessons = lessons;
        store.commit(TenantId::DEFAULT, writes).await?;
    }
    store.close().await?;
    Ok(())
}

fn words(number: u64) -> (&'static str, &'static str) {
    let word = |number: u64| {
        let count = WORDS.len() as u64;
        WORDS[usize::try_from(number % count).unwrap_or_default()]
    };
    (word(number), word(number / 12 + number % 5))
}

fn incident(number: u64, began: Timestamp) -> Incident {
    let minutes = i64::try_from(number).unwrap_or_default();
    let at = began + SignedDuration::from_mins(minutes);
    let (one, other) = words(number);
    let title = format!("Something is wrong with {one} and {other}");
    let mut it = Incident::new(IncidentNumber(number), at, Author::system(), title, Severity::Sev3);
    let code = Some(ResolutionCode::Fixed);
    it.record.enter(at + SignedDuration::from_mins(1), Status::Resolved, "ada", true, code);
    it.record.enter(at + SignedDuration::from_mins(2), Status::Closed, "tocsin", false, None);
    it.entries = ROWS;
    it.service = format!("service-{}", number % 50).into();
    it.traits = BTreeSet::from([
        format!("service:service-{}", number % 50),
        format!("alert:Alert{}", number % 500),
        format!("label:cluster={}", number % 7),
    ]);
    it
}

fn entry(it: &Incident, seq: u64) -> Entry {
    let at = it.record.detected_at() + SignedDuration::from_secs(seq.cast_signed());
    let (one, other) = words(it.number.0 + seq);
    let fact = if seq == 1 {
        Fact::Commented {
            text: format!("It was the {one}, as with the {other} before"),
            mentions: Vec::new(),
            unknown: Vec::new(),
        }
    } else {
        Fact::Edited { field: "summary".into(), before: one.to_owned(), after: other.to_owned() }
    };
    let (incident, by) = (it.number, Author::system());
    Entry { incident, seq, occurred_at: at, recorded_at: at, cycle: 1, by, fact }
}

fn flags(directory: &Path, data: &Path) -> Result<ServeFlags> {
    std::fs::create_dir_all(directory)?;
    let file = directory.join("tocsin.yaml");
    std::fs::write(&file, CONFIGURATION)?;
    let flags = Flags::try_parse_from([
        "bench".as_ref(),
        "--config.file".as_ref(),
        file.as_os_str(),
        "--storage.path".as_ref(),
        data.as_os_str(),
    ])?;
    Ok(flags.serve)
}
