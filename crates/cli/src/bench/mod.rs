//! `tocsin bench`: this binary measured beside an Alertmanager on the same machine, in one run.

mod access;
mod client;
mod figures;
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
use clap::ValueEnum as _;
use tocsin_engine::{Clock as _, SystemClock};

use load::Rate;
use process::{Program, Server};
use report::{Figure, Report};

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

    /// Measure only this; may be given several times. Without it everything is measured.
    #[arg(long = "part", value_name = "PART")]
    parts: Vec<Part>,
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

/// What can be measured by itself.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Taking alerts in, giving them out and notifying, beside the peer.
    Ingestion,
    /// Escalations and pages.
    Paging,
    /// Requests that show a token.
    Access,
    /// Schedules.
    OnCall,
    /// Incidents, and what is found of them.
    Incidents,
    /// Messages that are written.
    Messages,
}

/// Runs the measurements that were asked for.
pub(crate) async fn run(args: BenchArgs) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let directory = directory.path();
    let large = usize::try_from(args.alerts)?;
    let now = SystemClock.now();
    let parts = if args.parts.is_empty() { Part::value_variants() } else { &args.parts };
    let mut figures = Vec::new();
    for part in parts {
        figures.extend(match part {
            Part::Ingestion => beside(directory, args.peer.as_ref(), large).await?,
            Part::Paging => {
                eprintln!("tocsin: escalations and pages, {large} open at last");
                figures::paging(&paging::measure(&directory.join("paging"), large).await?)
            }
            Part::Access => {
                eprintln!("tocsin: requests that show a token");
                figures::access(access::measure(&directory.join("access")).await?)
            }
            Part::OnCall => figures::on_call(&oncall::measure(now)?),
            Part::Incidents => {
                eprintln!("tocsin: {} incidents", incidents::PAST);
                figures::incidents(&incidents::measure(&directory.join("incidents")).await?)
            }
            Part::Messages => figures::messages(render::measure(now)?),
        });
    }
    let report = Report {
        machine: report::machine(),
        peer: args.peer.as_deref().map(report::version_of),
        figures,
    };
    std::io::stdout().lock().write_all(report.to_text().as_bytes())?;
    if let Some(path) = &args.write {
        std::fs::write(path, report.to_markdown())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// Measures this binary and, if there is one, the peer in the same way.
async fn beside(directory: &Path, peer: Option<&String>, large: usize) -> Result<Vec<Figure>> {
    let small = large / 5;
    let ours = measure(&Program::Tocsin, &directory.join("tocsin"), small, large)
        .await
        .context("measuring this binary")?;
    let peer = match peer {
        None => Results::default(),
        Some(path) => {
            let program = Program::Alertmanager(path.clone());
            measure(&program, &directory.join("peer"), small, large)
                .await
                .with_context(|| format!("measuring {path}"))?
        }
    };
    Ok(figures::ingestion(&ours, &peer, small, large))
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
