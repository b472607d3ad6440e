//! `tocsin backup`, `tocsin restore` and `tocsin doctor` beside a running server.

use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

use crate::support::api::firing;
use crate::support::hook::{Delivery, Hook, Manner};
use crate::support::tocsin::{Setup, Tocsin};
use crate::support::{until, within};

/// Runs a command of the binary.
async fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
    command.args(arguments).env_remove("TOCSIN_URL").kill_on_drop(true);
    within("a command", command.output()).await.unwrap()
}

fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn a_backup_of_a_running_server_brings_its_alerts_and_silences_back() {
    let hook = Hook::start().await;
    let mut tocsin = Tocsin::start(&hook.config("group_wait: 1h")).await;
    tocsin.tell(&[firing(&[("alertname", "A")]), firing(&[("alertname", "B")])]).await;
    tocsin.silence("B").await;
    let before =
        (tocsin.get("/api/v2/alerts").await.body, tocsin.get("/api/v2/silences").await.body);
    let data = tocsin.data().to_str().unwrap().to_owned();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("copy.db");
    let file = file.to_str().unwrap();
    let taken = run(&["backup", file, "--storage.path", &data]).await;
    assert!(text(&taken).contains("2 open alerts, 1 silence"), "{}", text(&taken));
    assert!(text(&taken).contains("0 incidents, 0 postmortems"), "{}", text(&taken));
    let again = run(&["backup", file, "--storage.path", &data]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("--force"), "{}", text(&again));

    tocsin.tell(&[firing(&[("alertname", "Later")])]).await;
    let busy = run(&["restore", file, "--force", "--storage.path", &data]).await;
    assert_eq!(busy.status.code(), Some(1));
    assert!(text(&busy).contains("stop the server first"), "{}", text(&busy));
    tocsin.stop().await;
    let checked = run(&["restore", file, "--check", "--storage.path", &data]).await;
    assert!(text(&checked).contains("whole; "), "{}", text(&checked));
    let restored = run(&["restore", file, "--force", "--storage.path", &data]).await;
    assert!(restored.status.success(), "{}", text(&restored));
    assert!(text(&restored).contains("tocsin.db.replaced-"), "{}", text(&restored));
    tocsin.start_again().await;
    assert_eq!(tocsin.get("/api/v2/alerts").await.body, before.0);
    assert_eq!(tocsin.get("/api/v2/silences").await.body, before.1);
}

#[tokio::test]
async fn the_doctor_finds_a_healthy_house_and_a_receiver_that_refuses() {
    let hook = Hook::start().await;
    let config = hook.config("group_wait: 1h");
    let tocsin = Tocsin::start(&config).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    let data = tocsin.data().to_str().unwrap().to_owned();
    let url = tocsin.url("");
    let file = tempfile::Builder::new().suffix(".yml").tempfile().unwrap();
    std::fs::write(file.path(), &config).unwrap();
    let path = file.path().to_str().unwrap();
    let common = ["doctor", "--config.file", path, "--storage.path", &data, "--url", &url];

    let healthy = run(&[&common[..], &["--send"]].concat()).await;
    let said = text(&healthy);
    assert!(healthy.status.success(), "{said}");
    for part in ["1 open alert", "takes alerts", "agrees with that of the server"] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    let told = hook.told(&["TocsinTest firing"]).await;
    assert_eq!(told.body["alerts"][0]["labels"]["severity"], "info");

    hook.behave(Manner::Refuse(403));
    let refused = run(&[&common[..], &["--send", "-o", "json"]].concat()).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    let failed: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["verdict"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1, "{report:#}");
    assert!(failed[0]["text"].as_str().unwrap().contains("answered 403"), "{report:#}");
}

#[tokio::test]
async fn a_watcher_outside_hears_that_we_are_alive_and_its_address_is_in_no_log() {
    let hook = Hook::start().await;
    hook.behave(Manner::Refuse(503));
    let address = hook.url("/ping/6f1c-nobody-else-knows");
    let config = format!(
        "{}paging: {{ heartbeat: {{ url: \"{address}\", every: 10s }} }}\n",
        hook.config("group_wait: 1h")
    );
    let setup = Setup::default().flag("--log.level=debug");
    let tocsin = setup.start(&config).await;
    let knocks = |deliveries: &[Delivery], is_accepted: bool| {
        let is_knock = |it: &&Delivery| it.key.starts_with("alive-");
        deliveries.iter().filter(is_knock).filter(|it| it.is_accepted == is_accepted).count()
    };
    hook.wait("a knock", |sent| (knocks(sent, false) > 0).then_some(())).await;
    until("a line about it", async || tocsin.log().contains("1 in a row").then_some(())).await;
    hook.behave(Manner::Accept);
    hook.wait("another", |sent| (knocks(sent, true) > 0).then_some(())).await;
    let log = until("a line about that", async || {
        Some(tocsin.log()).filter(|log| log.contains("was told that we are alive"))
    });
    let log = log.await;
    assert!(!log.contains("nobody-else-knows"), "{log}");
}
