//! A real Prometheus: a rule fires there, a message arrives here, and the other way round.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::hook::Hook;
use crate::support::program;
use crate::support::tocsin::Tocsin;

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

#[tokio::test]
async fn a_rule_that_fires_in_prometheus_is_told_and_so_is_its_end() {
    let Some(prometheus) = program::find("prometheus") else { return };
    let hook = Hook::start().await;
    let timers = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s";
    let tocsin = Tocsin::start(&hook.config(timers)).await;
    let queue = Gauge::default();
    let shop = shop(Arc::clone(&queue)).await;

    let directory = tempfile::tempdir().unwrap();
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{ region: eu }} }}\n\
         rule_files: [rules.yml]\n\
         scrape_configs:\n- job_name: shop\n  static_configs: [{{ targets: ['{shop}'] }}]\n\
         alerting:\n  alertmanagers:\n  - static_configs: [{{ targets: ['{}'] }}]\n",
        tocsin.address()
    );
    std::fs::write(directory.path().join("prometheus.yml"), config).unwrap();
    std::fs::write(directory.path().join("rules.yml"), RULES).unwrap();
    let _prometheus = Command::new(prometheus)
        .arg("--config.file=prometheus.yml")
        .arg("--storage.tsdb.path=data")
        .arg("--web.listen-address=127.0.0.1:0")
        .arg("--rules.alert.resend-delay=1s")
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();

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
