//! Escalation and paging: how soon a page is at its provider, how many pages begin in a second,
//! and how late steps are while very many escalations are open.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use parking_lot::Mutex;
use tocsin_engine::{Clock as _, SystemClock};

use super::client::{self, Client};
use super::load;
use super::process::{Program, Server};

/// Alerts posted each second, and for how many seconds, when the time to the provider is measured.
pub(super) const STEADY_RATE: usize = 200;
const STEADY_SECONDS: usize = 10;

/// Problems of the burst: each is an escalation that pages at once.
pub(super) const BURST: usize = 20_000;

/// Escalations that begin each second until very many are open; as many steps fall due a second
/// later on.
pub(super) const OPENING_RATE: usize = 1_000;

/// After the last one began, before the first step is due.
const PAUSE: Duration = Duration::from_secs(10);

/// How long what is under way may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paged {
    /// From posting an alert to the request at the provider.
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// Pages begun in a second.
    pub(super) per_second: f64,
    /// How late a step is with so many open; of a hundred, 99 are less late.
    pub(super) lateness_p99_ms: f64,
    pub(super) open: usize,
}

/// Each alert is an escalation of its own; its step pages a program on this machine.
fn config(sink: SocketAddr, after: Duration) -> String {
    format!(
        r#"
route: {{ receiver: on-call, group_by: ["..."], group_wait: 0s, group_interval: 5m, repeat_interval: 4h }}
receivers: [{{ name: on-call, escalation_policy: bench }}]
escalation_policies:
- name: bench
  steps: [{{ after: {}s, page: ["webhook:http://{sink}/"] }}]
  repeat: 1
  repeat_after: 1h
outbound: {{ allow: ["127.0.0.1"] }}
"#,
        after.as_secs()
    )
}

/// Runs all three measurements, each with a server of its own.
pub(super) async fn measure(directory: &Path, open: usize) -> Result<Paged> {
    let (p50, p99) = steady(&directory.join("steady")).await.context("time to the provider")?;
    let per_second = burst(&directory.join("burst")).await.context("pages in a second")?;
    let many = many_open(&directory.join("open"), open).await;
    let lateness_p99_ms = many.context("lateness of steps")?;
    Ok(Paged { p50, p99, per_second, lateness_p99_ms, open })
}

async fn steady(directory: &Path) -> Result<(Duration, Duration)> {
    let (sink, arrivals) = provider().await?;
    let server = Server::start(&Program::Tocsin, directory, &config(sink, Duration::ZERO)).await?;
    let total = STEADY_RATE * STEADY_SECONDS;
    let sent = post_steadily(server.address, total, STEADY_RATE).await?;
    wait_for(&arrivals, total).await?;
    let arrivals = arrivals.lock().clone();
    let mut times: Vec<Duration> = sent
        .iter()
        .filter_map(|(pod, at)| Some(arrivals.get(pod)?.saturating_duration_since(*at)))
        .collect();
    times.sort_unstable();
    server.kill().await?;
    Ok((load::quantile(&times, 50), load::quantile(&times, 99)))
}

async fn burst(directory: &Path) -> Result<f64> {
    let (sink, arrivals) = provider().await?;
    let server = Server::start(&Program::Tocsin, directory, &config(sink, Duration::ZERO)).await?;
    let requests = load::batches(0, BURST, SystemClock.now());
    let began = Instant::now();
    load::drive(server.address, &requests, None).await?;
    wait_for(&arrivals, BURST).await?;
    let last = arrivals.lock().values().max().copied().unwrap_or(began);
    server.kill().await?;
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    Ok(BURST as f64 / last.duration_since(began).as_secs_f64())
}

async fn many_open(directory: &Path, open: usize) -> Result<f64> {
    let (sink, arrivals) = provider().await?;
    let opening = Duration::from_secs((open / OPENING_RATE) as u64);
    let server = Server::start(&Program::Tocsin, directory, &config(sink, opening + PAUSE)).await?;
    post_steadily(server.address, open, OPENING_RATE).await?;
    tokio::time::sleep(PAUSE + opening).await;
    wait_for(&arrivals, open).await?;
    let metrics = metrics(server.address).await?;
    server.kill().await?;
    lateness(&metrics, open)
}

/// Returns the 99th percentile of the lateness in milliseconds: the upper bound of the bucket that
/// holds it, so that it is never told better than it is.
fn lateness(metrics: &str, steps: usize) -> Result<f64> {
    const NAME: &str = "tocsin_escalation_step_lateness_seconds_bucket{le=\"";
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix(NAME)) {
        let (bound, rest) = line.split_once('"').context("a bucket without a bound")?;
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse()? };
        let count = rest.trim_start_matches('}').split_whitespace().next();
        buckets.push((bound, count.context("a bucket without a count")?.parse()?));
    }
    let total = buckets.last().map_or(0.0, |(_, count)| *count);
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let is_whole = total >= steps as f64;
    ensure!(is_whole, "only {total} of {steps} steps were counted");
    let found = buckets.iter().find(|(_, count)| *count >= total * 0.99);
    Ok(found.map_or(f64::INFINITY, |(bound, _)| bound * 1_000.0))
}

async fn metrics(address: SocketAddr) -> Result<String> {
    tocsin_connect::install_crypto();
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(client.get(format!("http://{address}/metrics")).send().await?.text().await?)
}

/// Posts alerts one by one at a steady rate, and returns when each was posted, by its label `pod`.
async fn post_steadily(
    address: SocketAddr,
    total: usize,
    rate: usize,
) -> Result<BTreeMap<String, Instant>> {
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for first in 0..load::CONNECTIONS {
        workers.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut sent = Vec::with_capacity(total / load::CONNECTIONS + 1);
            for number in (first..total).step_by(load::CONNECTIONS) {
                let due = Duration::from_secs(1) * u32::try_from(number)? / u32::try_from(rate)?;
                tokio::time::sleep_until((started + due).into()).await;
                let alert = load::alert(number, SystemClock.now());
                let pod = alert["labels"]["pod"].as_str().unwrap_or_default().to_owned();
                let body = serde_json::json!([alert]).to_string();
                sent.push((pod, Instant::now()));
                client.send(&client::post("/api/v2/alerts", body.as_bytes())).await?;
            }
            anyhow::Ok(sent)
        });
    }
    let mut all = BTreeMap::new();
    while let Some(worker) = workers.join_next().await {
        all.extend(worker??);
    }
    Ok(all)
}

/// When each problem was paged first, by the label `pod` of its alert.
type Arrivals = Arc<Mutex<BTreeMap<String, Instant>>>;

async fn wait_for(arrivals: &Arrivals, total: usize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while arrivals.lock().len() < total && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let count = arrivals.lock().len();
    ensure!(count >= total, "only {count} of {total} pages arrived");
    Ok(())
}

/// Starts a provider that takes every page at once.
async fn provider() -> Result<(SocketAddr, Arrivals)> {
    let arrivals = Arrivals::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route("/", post(take)).with_state(Arc::clone(&arrivals));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok((address, arrivals))
}

async fn take(State(arrivals): State<Arrivals>, body: Bytes) {
    let now = Instant::now();
    // Reading all of the body would cost more than what is measured.
    let text = String::from_utf8_lossy(&body);
    let pod = text.split_once("\"pod\":\"").and_then(|(_, rest)| rest.split_once('"'));
    if let Some((pod, _)) = pod {
        arrivals.lock().entry(pod.to_owned()).or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lateness_is_the_bound_of_the_bucket_that_holds_it() {
        let line = |bound: &str, count: u32| {
            format!("tocsin_escalation_step_lateness_seconds_bucket{{le=\"{bound}\"}} {count}\n")
        };
        let text = [line("0.005", 900), line("0.1", 990), line("+Inf", 1_000)].concat();
        assert!((lateness(&text, 1_000).unwrap() - 100.0).abs() < 1e-9);
        assert!(lateness(&text, 1_001).is_err(), "a step is missing");
        let text = [line("0.1", 989), line("+Inf", 1_000)].concat();
        assert!(lateness(&text, 1_000).unwrap().is_infinite());
    }
}
