//! Realistic alerts, and the load made of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::client::{Client, get, post};

/// Alerts in one request, as Prometheus sends them.
pub(super) const BATCH: usize = 64;

/// Connections that send at once.
pub(super) const CONNECTIONS: usize = 4;

/// How fast something went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) alerts_per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Rate {
    /// Returns the rate when a request holds so many alerts instead of a whole batch.
    pub(super) fn of(self, alerts: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        let share = alerts as f64 / BATCH as f64;
        Self { alerts_per_second: self.alerts_per_second * share, ..self }
    }
}

/// Returns an alert of about 700 bytes; every tenth is critical and inhibits its neighbours.
pub(super) fn alert(number: usize, now: Timestamp) -> serde_json::Value {
    let instance = number / 10;
    let severity = if number.is_multiple_of(10) { "critical" } else { "warning" };
    json!({
        "labels": {
            "alertname": format!("KubePodNotReady{}", number % 10),
            "cluster": format!("eu-central-{}", instance % 5),
            "namespace": format!("team-{:02}", instance % 40),
            "service": format!("service-{:04}", instance % 2_000),
            "instance": format!("10.{}.{}.{}:9100", instance >> 16 & 255, instance >> 8 & 255, instance & 255),
            "pod": format!("service-{:04}-7d4b9c6f5d-{number:06}", instance % 2_000),
            "job": "kube-state-metrics",
            "prometheus": "monitoring/k8s",
            "severity": severity,
            "team": format!("team-{:02}", instance % 40),
            "environment": "production",
        },
        "annotations": {
            "summary": "Pod has been in a non-ready state for longer than 15 minutes.",
            "description": format!("Pod team-{:02}/service-{:04} is not ready.", instance % 40, instance % 2_000),
            "runbook_url": "https://runbooks.example.com/kubernetes/kubepodnotready",
        },
        "startsAt": now,
        "endsAt": now + SignedDuration::from_hours(2),
        "generatorURL": "http://prometheus.example.com:9090/graph?g0.expr=kube_pod_status_ready&g0.tab=1",
    })
}

/// Returns ready-made requests that post `count` alerts from `first` on.
pub(super) fn batches(first: usize, count: usize, now: Timestamp) -> Arc<[Vec<u8>]> {
    let numbers: Vec<usize> = (first..first + count).collect();
    numbers
        .chunks(BATCH)
        .map(|chunk| {
            let alerts: Vec<_> = chunk.iter().map(|number| alert(*number, now)).collect();
            post("/api/v2/alerts", serde_json::json!(alerts).to_string().as_bytes())
        })
        .collect()
}

/// Returns requests that each begin an incident by PagerDuty's protocol.
pub(super) fn pagerduty(count: usize) -> Arc<[Vec<u8>]> {
    let event = |number: usize| {
        let body = json!({
            "routing_key": "0123456789abcdef0123456789abcdef",
            "event_action": "trigger",
            "dedup_key": format!("disk-{number}"),
            "payload": {
                "summary": format!("disk full on host {number}"),
                "source": format!("host-{number}"),
                "severity": "critical",
                "class": "disk",
                "custom_details": { "free": "3 %", "mount": "/var/lib" }
            }
        });
        post("/v2/enqueue", body.to_string().as_bytes())
    };
    (0..count).map(event).collect()
}

/// Returns Grafana's webhooks with `count` alerts altogether.
pub(super) fn grafana(count: usize, now: Timestamp) -> Arc<[Vec<u8>]> {
    let numbers: Vec<usize> = (0..count).collect();
    numbers
        .chunks(BATCH)
        .map(|chunk| {
            let alerts: Vec<_> = chunk
                .iter()
                .map(|number| {
                    let mut alert = alert(*number, now);
                    alert["status"] = json!("firing");
                    alert["endsAt"] = json!("0001-01-01T00:00:00Z");
                    alert
                })
                .collect();
            let body = json!({ "receiver": "tocsin", "status": "firing", "alerts": alerts });
            post("/api/v1/hooks/grafana", body.to_string().as_bytes())
        })
        .collect()
}

/// Returns the requests with a token in each.
pub(super) fn with_token(requests: &Arc<[Vec<u8>]>, token: &str) -> Arc<[Vec<u8>]> {
    let header = format!("\r\nAuthorization: Bearer {token}");
    let add = |request: &Vec<u8>| {
        // After the first line.
        let end = request.windows(2).position(|pair| pair == b"\r\n").unwrap_or_default();
        [&request[..end], header.as_bytes(), &request[end..]].concat()
    };
    requests.iter().map(add).collect()
}

/// Posts every request once, or round and round until `at_least` has passed.
pub(super) async fn drive(
    address: SocketAddr,
    requests: &Arc<[Vec<u8>]>,
    at_least: Option<Duration>,
) -> Result<Rate> {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (next, requests) = (Arc::clone(&next), Arc::clone(requests));
        workers.spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut latencies = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let is_over = match at_least {
                    None => index >= requests.len(),
                    Some(span) => started.elapsed() >= span,
                };
                if is_over {
                    return anyhow::Ok(latencies);
                }
                let sent = Instant::now();
                client.send(&requests[index % requests.len()]).await?;
                latencies.push(sent.elapsed());
            }
        });
    }
    let mut latencies = Vec::new();
    while let Some(worker) = workers.join_next().await {
        latencies.extend(worker??);
    }
    let took = started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let alerts_per_second = (latencies.len() * BATCH) as f64 / took;
    Ok(Rate { alerts_per_second, p50: quantile(&latencies, 50), p99: quantile(&latencies, 99) })
}

/// A GET that takes longer than this is not repeated.
const LONG_GET: Duration = Duration::from_secs(3);

/// Returns the median time of a GET after one that warms up, and how many bytes it answers.
pub(super) async fn time_get(
    address: SocketAddr,
    path: &str,
    runs: usize,
) -> Result<(Duration, usize)> {
    let mut client = Client::connect(address).await?;
    let request = get(path);
    let started = Instant::now();
    let mut bytes = client.send(&request).await?;
    let first = started.elapsed();
    let mut times = if first > LONG_GET { vec![first] } else { Vec::new() };
    while times.len() < runs && first <= LONG_GET {
        let started = Instant::now();
        bytes = client.send(&request).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok((quantile(&times, 50), bytes))
}

/// Returns the value below which `percent` of the sorted values lie.
pub(super) fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_size_they_are_said_to_have() {
        let now = Timestamp::UNIX_EPOCH;
        let total: usize = (0..100).map(|number| alert(number, now).to_string().len()).sum();
        assert!((600..1_000).contains(&(total / 100)), "{} bytes on average", total / 100);
    }

    #[test]
    fn quantiles_of_few_values_exist() {
        let times: Vec<Duration> = (1..=3).map(Duration::from_millis).collect();
        assert_eq!(quantile(&times, 50), Duration::from_millis(2));
        assert_eq!(quantile(&times, 99), Duration::from_millis(3));
        assert_eq!(quantile(&[], 99), Duration::ZERO);
    }
}
