//! `tocsin bench`: this binary measured beside an Alertmanager on the same machine, in one run.

mod access;
mod client;
mod incidents;
mod load;
mod oncall;
mod paging;
mod process;
mod render;
mod report;
mod sink;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tocsin_engine::{Clock as _, SystemClock};

use load::Rate;
use process::{Program, Server};
use report::{Figure, Report, Unit};

/// Alerts posted in the steady load: as many per second, for as many seconds.
const STEADY_RATE: usize = 1_000;
const STEADY_SECONDS: usize = 10;

/// Alerts posted by each of the other protocols.
const EVENTS: usize = 10_000;

/// How long known alerts are sent again and again.
const RESEND_SPAN: Duration = Duration::from_secs(8);

/// Measures ingestion, queries, memory, start and notification latency.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct BenchArgs {
    /// The Alertmanager to measure beside; without one only this binary is measured.
    #[arg(long, value_name = "PROGRAM")]
    peer: Option<String>,

    /// Write the results as Markdown to this file, too.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Alerts held in the largest measurement.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    alerts: u32,
}

/// What one program achieved.
#[derive(Default)]
struct Results {
    small: Option<Held>,
    large: Option<Held>,
    fresh: Option<Rate>,
    again: Option<Rate>,
    /// The same where every request has to show the key of an integration.
    fresh_with_key: Option<Rate>,
    again_with_key: Option<Rate>,
    resident_bytes: Option<u64>,
    restart: Option<Duration>,
    steady: Option<Steady>,
    /// Escalation and paging.
    paged: Option<paging::Paged>,
    /// Incidents by PagerDuty's protocol, and alerts by Grafana's webhook.
    pagerduty: Option<Rate>,
    grafana: Option<Rate>,
}

/// How a steady load went: alerts per second that were reached, and the time to the webhook.
#[derive(Clone, Copy)]
struct Steady {
    reached: f64,
    p50: Duration,
    p99: Duration,
}

/// How long lists take with so many alerts held.
struct Held {
    alerts: Duration,
    groups: Duration,
}

/// Runs all measurements.
pub(crate) async fn run(args: BenchArgs) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let large = usize::try_from(args.alerts)?;
    let small = large / 5;
    eprintln!("tocsin: requests that show a token");
    let asked = access::measure(&directory.path().join("access")).await?;
    eprintln!("tocsin: a hundred thousand incidents");
    let incidents = incidents::measure(&directory.path().join("incidents")).await?;
    let ours = measure(&Program::Tocsin, &directory.path().join("tocsin"), small, large)
        .await
        .context("measuring this binary")?;
    let peer = match &args.peer {
        None => Results::default(),
        Some(path) => {
            let program = Program::Alertmanager(path.clone());
            measure(&program, &directory.path().join("peer"), small, large)
                .await
                .with_context(|| format!("measuring {path}"))?
        }
    };
    let rendered = render::measure(SystemClock.now())?;
    let on_call = oncall::measure(SystemClock.now())?;
    let report = Report {
        machine: report::machine(),
        peer: args.peer.as_deref().map(report::version_of),
        figures: figures(&ours, &peer, small, large, rendered, asked, (&on_call, &incidents)),
    };
    std::io::stdout().lock().write_all(report.to_text().as_bytes())?;
    if let Some(path) = &args.write {
        std::fs::write(path, report.to_markdown())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

async fn measure(
    program: &Program,
    directory: &Path,
    small: usize,
    large: usize,
) -> Result<Results> {
    let mut results = Results::default();
    let now = SystemClock.now();
    let server = Server::start(program, directory, QUIET).await?;
    let step = |text: &str| progress(program, text);
    step(&format!("{small} new alerts"));
    let first = load::batches(0, small, now);
    let rest = load::batches(small, large - small, now);
    load::drive(server.address, &first, None).await?;
    step("lists");
    results.small = Some(time_lists(&server).await?);
    step(&format!("{} more new alerts", large - small));
    results.fresh = Some(load::drive(server.address, &rest, None).await?);
    step("lists");
    results.large = Some(time_lists(&server).await?);
    step("the same alerts again");
    let mut all = first.to_vec();
    all.extend(rest.to_vec());
    let all: Arc<[Vec<u8>]> = all.into();
    results.again = Some(load::drive(server.address, &all, Some(RESEND_SPAN)).await?);
    results.resident_bytes = Some(server.resident_bytes()?);
    server.kill().await?;
    if matches!(program, Program::Tocsin) {
        step("start with what is stored");
        let restarted = Server::start(program, directory, QUIET).await?;
        results.restart = Some(restarted.started_in);
        restarted.kill().await?;
    }
    if matches!(program, Program::Tocsin) {
        step("new alerts and the same again, each request with a key");
        let directory = directory.join("keys");
        measure_with_key(&directory, &first, &rest, &mut results).await?;
        step("other protocols");
        let server = Server::start(program, &directory.join("protocols"), QUIET).await?;
        let events = load::pagerduty(EVENTS);
        results.pagerduty = Some(load::drive(server.address, &events, None).await?.of(1));
        let webhooks = load::grafana(EVENTS, now);
        results.grafana = Some(load::drive(server.address, &webhooks, None).await?);
        server.kill().await?;
    }
    if matches!(program, Program::Tocsin) {
        step(&format!("escalations and pages, {large} open at last"));
        results.paged = Some(paging::measure(&directory.join("paging"), large).await?);
    }
    step("alerts at a steady rate, each with a webhook");
    results.steady = Some(steady(program, &directory.join("steady")).await?);
    Ok(results)
}

/// Measures new and re-sent alerts where nobody is let in who shows no key.
async fn measure_with_key(
    directory: &Path,
    first: &Arc<[Vec<u8>]>,
    rest: &Arc<[Vec<u8>]>,
    results: &mut Results,
) -> Result<()> {
    let server = Server::start(&Program::Tocsin, directory, QUIET).await?;
    let key = key(server.address).await?;
    server.kill().await?;
    let closed = format!("{QUIET}access: {{ loopback: closed }}\n");
    let server = Server::start(&Program::Tocsin, directory, &closed).await?;
    let without = load::drive(server.address, first, None).await;
    anyhow::ensure!(without.is_err(), "alerts were taken without a key");
    let [first, rest] = [first, rest].map(|requests| load::with_token(requests, &key));
    load::drive(server.address, &first, None).await?;
    results.fresh_with_key = Some(load::drive(server.address, &rest, None).await?);
    let all: Arc<[Vec<u8>]> = [first, rest].iter().flat_map(|it| it.to_vec()).collect();
    results.again_with_key = Some(load::drive(server.address, &all, Some(RESEND_SPAN)).await?);
    server.kill().await
}

/// Makes the key of an integration.
async fn key(address: SocketAddr) -> Result<String> {
    tocsin_connect::install_crypto();
    let body = serde_json::json!({
        "name": "bench", "integration": "bench", "permissions": ["alert.ingest"]
    });
    let url = format!("http://{address}/api/v1/tokens");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let made = client.post(url).json(&body).send().await?.error_for_status()?;
    let made: tocsin_wire::v1::NewToken = made.json().await?;
    Ok(made.secret)
}

/// Says what is measured right now; the whole takes minutes.
fn progress(program: &Program, step: &str) {
    let name = match program {
        Program::Tocsin => "tocsin",
        Program::Alertmanager(path) => path,
    };
    eprintln!("{name}: {step}");
}

async fn time_lists(server: &Server) -> Result<Held> {
    let (alerts, _) = load::time_get(server.address, "/api/v2/alerts", 5).await?;
    let (groups, _) = load::time_get(server.address, "/api/v2/alerts/groups", 5).await?;
    Ok(Held { alerts, groups })
}

/// Posts alerts at a steady rate, each a group of its own that does not wait, and returns the
/// median and the 99th percentile of the time until its webhook arrived.
async fn steady(program: &Program, directory: &Path) -> Result<Steady> {
    let (sink, arrivals) = sink::start().await?;
    let config = PROMPT.replace("SINK", &sink.to_string());
    let server = Server::start(program, directory, &config).await?;
    let total = STEADY_RATE * STEADY_SECONDS;
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for first in 0..load::CONNECTIONS {
        workers.spawn(send_steadily(server.address, started, first, total));
    }
    let mut sent = BTreeMap::new();
    while let Some(worker) = workers.join_next().await {
        sent.extend(worker??);
    }
    let took = started.elapsed();
    let deadline = Instant::now() + Duration::from_secs(30);
    while arrivals.lock().len() < total && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let arrivals = arrivals.lock().clone();
    anyhow::ensure!(arrivals.len() == total, "only {} of {total} webhooks arrived", arrivals.len());
    let mut latencies: Vec<Duration> =
        sent.iter().map(|(pod, at)| arrivals[pod].duration_since(*at)).collect();
    latencies.sort_unstable();
    server.kill().await?;
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let reached = total as f64 / took.as_secs_f64();
    Ok(Steady { reached, p50: load::quantile(&latencies, 50), p99: load::quantile(&latencies, 99) })
}

/// Sends every n-th alert when it is due, and returns when each was sent, by its label `pod`.
async fn send_steadily(
    address: SocketAddr,
    started: Instant,
    first: usize,
    total: usize,
) -> Result<Vec<(String, Instant)>> {
    let mut client = client::Client::connect(address).await?;
    let mut sent = Vec::with_capacity(total / load::CONNECTIONS + 1);
    for number in (first..total).step_by(load::CONNECTIONS) {
        let due = Duration::from_secs(1) * u32::try_from(number)? / u32::try_from(STEADY_RATE)?;
        tokio::time::sleep_until((started + due).into()).await;
        let alert = load::alert(number, SystemClock.now());
        let pod = alert["labels"]["pod"].as_str().unwrap_or_default().to_owned();
        let body = serde_json::json!([alert]).to_string();
        sent.push((pod, Instant::now()));
        client.send(&client::post("/api/v2/alerts", body.as_bytes())).await?;
    }
    Ok(sent)
}

/// Nothing is sent: what is measured is taking alerts in and giving them out.
const QUIET: &str = r#"
route:
  receiver: "null"
  group_by: [alertname, cluster, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: "null"
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [cluster, service, instance]
"#;

/// Everything is sent at once.
const PROMPT: &str = r#"
route:
  receiver: sink
  group_by: ["..."]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: sink
    webhook_configs:
      - url: http://SINK/
"#;

fn figures(
    ours: &Results,
    peer: &Results,
    small: usize,
    large: usize,
    (rendered, rendered_p99): (Duration, Duration),
    (asked, asked_p99): (Duration, Duration),
    (on_call, incidents): (&oncall::Times, &incidents::Times),
) -> Vec<Figure> {
    let per_second = |rate: &Option<Rate>| rate.map(|rate| rate.alerts_per_second);
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    let micros = |time: Duration| time.as_secs_f64() * 1_000_000.0;
    let p99 = |rate: &Option<Rate>| rate.map(|rate| millis(rate.p99));
    let p50 = |rate: &Option<Rate>| rate.map(|rate| millis(rate.p50));
    let alerts = |held: &Option<Held>| held.as_ref().map(|held| millis(held.alerts));
    let groups = |held: &Option<Held>| held.as_ref().map(|held| millis(held.groups));
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
    let memory = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / 1_048_576.0);
    let figure = |name: String, unit, ours, peer, target| Figure { name, unit, ours, peer, target };
    vec![
        figure(
            "re-sent alerts".into(),
            Unit::PerSecond,
            per_second(&ours.again),
            per_second(&peer.again),
            Some(5.0),
        ),
        figure(
            "re-sent alerts, p50 of a batch".into(),
            Unit::Milliseconds,
            p50(&ours.again),
            p50(&peer.again),
            None,
        ),
        figure(
            "re-sent alerts, p99 of a batch".into(),
            Unit::Milliseconds,
            p99(&ours.again),
            p99(&peer.again),
            Some(1.0),
        ),
        figure(
            "re-sent alerts, a key required in every request".into(),
            Unit::PerSecond,
            per_second(&ours.again_with_key),
            per_second(&peer.again),
            Some(5.0),
        ),
        figure(
            "new alerts (ours on disk before the answer)".into(),
            Unit::PerSecond,
            per_second(&ours.fresh),
            per_second(&peer.fresh),
            Some(2.0),
        ),
        figure(
            "new alerts, a key required in every request".into(),
            Unit::PerSecond,
            per_second(&ours.fresh_with_key),
            per_second(&peer.fresh),
            Some(2.0),
        ),
        figure(
            "new alerts, p50 of a batch".into(),
            Unit::Milliseconds,
            p50(&ours.fresh),
            p50(&peer.fresh),
            None,
        ),
        figure(
            "new alerts, p99 of a batch".into(),
            Unit::Milliseconds,
            p99(&ours.fresh),
            p99(&peer.fresh),
            Some(1.0),
        ),
        figure(
            format!("GET /api/v2/alerts with {small} alerts"),
            Unit::Milliseconds,
            alerts(&ours.small),
            alerts(&peer.small),
            Some(0.1),
        ),
        figure(
            format!("GET /api/v2/alerts with {large} alerts"),
            Unit::Milliseconds,
            alerts(&ours.large),
            alerts(&peer.large),
            Some(0.1),
        ),
        figure(
            format!("GET /api/v2/alerts/groups with {small} alerts"),
            Unit::Milliseconds,
            groups(&ours.small),
            groups(&peer.small),
            Some(0.1),
        ),
        figure(
            format!("GET /api/v2/alerts/groups with {large} alerts"),
            Unit::Milliseconds,
            groups(&ours.large),
            groups(&peer.large),
            Some(0.1),
        ),
        figure(
            format!("resident memory with {large} alerts"),
            Unit::Mebibytes,
            memory(ours.resident_bytes),
            memory(peer.resident_bytes),
            Some(0.5),
        ),
        figure(
            format!("start with {large} stored alerts"),
            Unit::AtMost(1_000.0),
            ours.restart.map(millis),
            None,
            None,
        ),
        figure(
            format!("steady load of {STEADY_RATE} alerts/s, rate that was kept"),
            Unit::PerSecond,
            ours.steady.map(|steady| steady.reached),
            peer.steady.map(|steady| steady.reached),
            None,
        ),
        figure(
            format!("accepted → webhook received, {STEADY_RATE} alerts/s, p50"),
            Unit::Milliseconds,
            ours.steady.map(|steady| millis(steady.p50)),
            peer.steady.map(|steady| millis(steady.p50)),
            None,
        ),
        figure(
            format!("accepted → webhook received, {STEADY_RATE} alerts/s, p99"),
            Unit::AtMost(50.0),
            ours.steady.map(|steady| millis(steady.p99)),
            peer.steady.map(|steady| millis(steady.p99)),
            None,
        ),
        figure(
            format!("alert accepted → page at its provider, {} alerts/s, p50", paging::STEADY_RATE),
            Unit::Milliseconds,
            ours.paged.map(|paged| millis(paged.p50)),
            None,
            None,
        ),
        figure(
            format!("alert accepted → page at its provider, {} alerts/s, p99", paging::STEADY_RATE),
            Unit::AtMost(100.0),
            ours.paged.map(|paged| millis(paged.p99)),
            None,
            None,
        ),
        figure(
            format!("pages in a burst of {} escalations", paging::BURST),
            Unit::AtLeast(2_000.0),
            ours.paged.map(|paged| paged.per_second),
            None,
            None,
        ),
        figure(
            format!(
                "lateness of steps with {} open escalations, {} steps/s, p99",
                ours.paged.map_or(large, |paged| paged.open),
                paging::OPENING_RATE
            ),
            Unit::AtMost(100.0),
            ours.paged.map(|paged| paged.lateness_p99_ms),
            None,
            None,
        ),
        figure(
            "PagerDuty events, one a request, each a new incident".into(),
            Unit::PerSecond,
            per_second(&ours.pagerduty),
            None,
            None,
        ),
        figure(
            "PagerDuty events, p99 of a request".into(),
            Unit::Milliseconds,
            p99(&ours.pagerduty),
            None,
            None,
        ),
        figure(
            "Grafana's webhook, 64 new alerts a request".into(),
            Unit::PerSecond,
            per_second(&ours.grafana),
            None,
            None,
        ),
        figure(
            format!("a request that shows a token, {} tenants, p50", access::TENANTS),
            Unit::AtMostMicroseconds(20.0),
            Some(micros(asked)),
            None,
            None,
        ),
        figure(
            format!("a request that shows a token, {} tenants, p99", access::TENANTS),
            Unit::Microseconds,
            Some(micros(asked_p99)),
            None,
            None,
        ),
        figure(
            format!("who is on call in {} schedules, for the first time", oncall::SCHEDULES),
            Unit::AtMost(200.0),
            Some(millis(on_call.cold)),
            None,
            None,
        ),
        figure(
            format!("who is on call in {} schedules, asked again", oncall::SCHEDULES),
            Unit::AtMost(5.0),
            Some(millis(on_call.cached)),
            None,
            None,
        ),
        figure(
            format!("final view of a schedule over {} days", oncall::DAYS),
            Unit::AtMost(10.0),
            Some(millis(on_call.view)),
            None,
            None,
        ),
        figure(
            "incidents declared".into(),
            Unit::AtLeast(1_000.0),
            Some(incidents.declared_per_second),
            None,
            None,
        ),
        figure(
            format!(
                "status of an incident, {} incidents open and {} alerts firing, p99",
                incidents::OPEN,
                incidents::ALERTS
            ),
            Unit::AtMost(50.0),
            Some(millis(incidents.moved)),
            None,
            None,
        ),
        figure(
            format!("page of an incident with {} alerts, p99", incidents::ALERTS),
            Unit::AtMost(200.0),
            Some(millis(incidents.page)),
            None,
            None,
        ),
        figure(
            format!("list of incidents, {} of them, p99", incidents::PAST),
            Unit::AtMost(100.0),
            Some(millis(incidents.list)),
            None,
            None,
        ),
        figure(
            "the same by service, status and title, p99".into(),
            Unit::AtMost(100.0),
            Some(millis(incidents.filtered)),
            None,
            None,
        ),
        figure(
            format!(
                "search of the knowledge base, {} rows of timelines, p99",
                incidents::PAST * incidents::ROWS
            ),
            Unit::AtMost(100.0),
            Some(millis(incidents.search)),
            None,
            None,
        ),
        figure(
            "the same for two words, p99".into(),
            Unit::AtMost(100.0),
            Some(millis(incidents.narrow)),
            None,
            None,
        ),
        figure(
            "similar incidents, p99".into(),
            Unit::AtMost(100.0),
            Some(millis(incidents.similar)),
            None,
            None,
        ),
        figure(
            format!("default Slack message of {} alerts, p50", render::ALERTS),
            Unit::AtMost(2.0),
            Some(millis(rendered)),
            None,
            None,
        ),
        figure(
            format!("default Slack message of {} alerts, p99", render::ALERTS),
            Unit::Milliseconds,
            Some(millis(rendered_p99)),
            None,
            None,
        ),
    ]
}
