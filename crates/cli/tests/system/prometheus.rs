//! A real Prometheus: a rule fires there, a message arrives here, and the other way round.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::support::api::answer;
use crate::support::hook::Hook;
use crate::support::log::Log;
use crate::support::tocsin::Tocsin;
use crate::support::{program, until};

/// The value of the one metric that Prometheus scrapes.
type Gauge = Arc<AtomicU64>;

/// Serves the metric on a free port and returns `host:port`.
async fn shop(queue: Gauge) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let metrics = async |State(queue): State<Gauge>| {
        format!("# TYPE queue_length gauge\nqueue_length {}\n", queue.load(Ordering::Relaxed))
    };
    let router = Router::new().route("/metrics", get(metrics)).with_state(queue);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

const RULES: &str = r#"
groups:
- name: shop
  rules:
  - alert: QueueTooLong
    expr: queue_length > 100
    labels: { severity: page }
    annotations: { summary: "{{ $value }} orders are waiting" }
"#;

/// A Prometheus that scrapes `targets` every second and reports to the server.
struct Prometheus {
    _child: Child,
    _directory: TempDir,
    log: Log,
}

impl Prometheus {
    /// Starts it; `None` when there is none.
    fn start(tocsin: &Tocsin, targets: &[&str]) -> Option<Self> {
        let program = program::find("prometheus")?;
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{ region: eu }} }}\n\
             rule_files: [rules.yml]\n\
             scrape_configs:\n- job_name: shop\n  static_configs: [{{ targets: {targets:?} }}]\n\
             alerting:\n  alertmanagers:\n  - static_configs: [{{ targets: ['{}'] }}]\n",
            tocsin.address()
        );
        std::fs::write(directory.path().join("prometheus.yml"), config).unwrap();
        std::fs::write(directory.path().join("rules.yml"), RULES).unwrap();
        let mut child = Command::new(program)
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--rules.alert.resend-delay=1s")
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let log = Log::follow(child.stderr.take().unwrap());
        Some(Self { _child: child, _directory: directory, log })
    }
}

#[tokio::test]
async fn a_rule_that_fires_in_prometheus_is_told_and_so_is_its_end() {
    let hook = Hook::start().await;
    let timers = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s";
    let tocsin = Tocsin::start(&hook.config(timers)).await;
    let queue = Gauge::default();
    let shop = shop(Arc::clone(&queue)).await;
    let Some(_prometheus) = Prometheus::start(&tocsin, &[&shop]) else { return };

    queue.store(250, Ordering::Relaxed);
    let fired = hook.told(&["QueueTooLong firing"]).await;
    let alert = &fired.body["alerts"][0];
    assert_eq!(alert["labels"]["region"], "eu");
    assert_eq!(alert["labels"]["severity"], "page");
    assert_eq!(alert["labels"]["instance"], shop);
    assert_eq!(alert["annotations"]["summary"], "250 orders are waiting");
    assert!(alert["generatorURL"].as_str().unwrap().contains("queue_length"), "{alert}");
    assert_eq!(tocsin.alert_values("alertname").await, ["QueueTooLong".to_owned()].into());

    queue.store(7, Ordering::Relaxed);
    let ended = hook.told(&["QueueTooLong resolved"]).await;
    assert_eq!(ended.status(), "resolved");
    assert_eq!(ended.body["alerts"][0]["startsAt"], alert["startsAt"]);
    assert!(tocsin.alerts().await.is_empty());
    // Prometheus went on sending both all the time: that is no news.
    assert_eq!(hook.deliveries().len(), 2, "{:#?}", hook.deliveries());
}

#[tokio::test]
async fn prometheus_reads_our_metrics_under_alertmanagers_names() {
    let hook = Hook::start().await;
    let tocsin = Tocsin::start(&hook.config("")).await;
    let Some(prometheus) = Prometheus::start(&tocsin, &[tocsin.address()]) else { return };
    let address = prometheus.log.address().await;
    // What the alerts and dashboards that come with Alertmanager ask for.
    for metric in [
        "up == 1",
        "alertmanager_config_last_reload_successful == 1",
        "alertmanager_config_hash",
        "alertmanager_cluster_members == 1",
        "alertmanager_cluster_failed_peers == 0",
        "alertmanager_notifications_total{integration=\"webhook\"}",
        "alertmanager_notifications_failed_total{integration=\"webhook\"}",
        "alertmanager_alerts{state=\"active\"}",
        "alertmanager_alerts_received_total{status=\"firing\"}",
        "alertmanager_silences{state=\"active\"}",
        "alertmanager_build_info",
    ] {
        until(&format!("Prometheus finds {metric}"), async || {
            let url = format!("http://{address}/api/v1/query");
            let request = tocsin.client().get(url).query(&[("query", metric)]);
            let answer = answer(request).await.ok()?;
            let found: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
            (!found["data"]["result"].as_array()?.is_empty()).then_some(())
        })
        .await;
    }
}
