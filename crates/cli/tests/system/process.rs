//! What the process promises to whoever runs it: flags, start, refusal, stop.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::api::{firing, silence_of};
use crate::support::hook::Hook;
use crate::support::tocsin::{Setup, Tocsin};

/// A configuration that tells nobody.
pub(crate) const QUIET: &str = "route:\n  receiver: 'null'\nreceivers:\n- name: 'null'\n";

/// The flags with which Alertmanager's own acceptance tests start it.
const ACCEPTANCE: [&str; 3] =
    ["--log.level=debug", "--cluster.listen-address=127.0.0.1:0", "--cluster.settle-timeout=0s"];

fn acceptance() -> Setup {
    ACCEPTANCE.iter().fold(Setup::default(), |setup, flag| setup.flag(*flag))
}

#[tokio::test]
async fn flags_may_be_one_word_or_two() {
    for setup in [acceptance(), acceptance().two_tokens()] {
        let mut tocsin = setup.start(QUIET).await;
        let status = tocsin.get("/api/v2/status").await.json();
        let peers = status["cluster"]["peers"].as_array().unwrap();
        assert_eq!(peers.len(), 1, "{status}");
        assert!(peers[0]["address"].is_string(), "{status}");
        assert_eq!(peers[0]["name"], status["cluster"]["name"]);
        assert_eq!(status["cluster"]["status"], "ready");
        assert!(tocsin.log().contains("--cluster.settle-timeout"), "{}", tocsin.log());
        assert_eq!(tocsin.stop().await.code(), Some(0));
    }
}

#[tokio::test]
async fn without_a_cluster_address_there_is_no_cluster() {
    let tocsin = Setup::default().flag("--cluster.listen-address=").start(QUIET).await;
    let status = tocsin.get("/api/v2/status").await.json();
    assert_eq!(status["cluster"], json!({ "peers": [], "status": "disabled" }));
}

#[tokio::test]
async fn a_cluster_of_several_is_accepted_and_does_nothing() {
    let tocsin = acceptance()
        .flag("--cluster.peer=127.0.0.1:9")
        .flag("--cluster.peer=127.0.0.1:10")
        .flag("--cluster.gossip-interval=200ms")
        .flag("--cluster.allow-insecure-public-advertise-address-discovery")
        .start(QUIET)
        .await;
    tocsin.logged("--cluster.peer").await;
    let status = tocsin.get("/api/v2/status").await.json();
    assert_eq!(status["cluster"]["peers"].as_array().unwrap().len(), 1, "{status}");
}

#[tokio::test]
async fn the_status_shows_version_configuration_and_start() {
    let config = QUIET.to_owned() + "  webhook_configs:\n  - url: http://u:secret@example.org/x\n";
    let tocsin = Setup::default().flag("--compat.version=0.31.7").start(&config).await;
    let status = tocsin.get("/api/v2/status").await.json();
    assert_eq!(status["versionInfo"]["version"], "0.31.7");
    let original = status["config"]["original"].as_str().unwrap();
    assert!(
        original.contains("webhook_configs") && !original.contains("example.org"),
        "{original}"
    );
    assert!(status["uptime"].as_str().unwrap().ends_with('Z'), "{status}");
}

#[tokio::test]
async fn everything_lives_under_the_route_prefix() {
    let tocsin = Setup::default().under("/foo").two_tokens().start(QUIET).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    assert_eq!(tocsin.alerts().await.len(), 1);
    assert_eq!(tocsin.get("/-/ready").await.pair(), (200, "OK"));
    assert_eq!(tocsin.get("/metrics").await.status, 200);
    let outside = format!("http://{}/api/v2/alerts", tocsin.address());
    let outside = tocsin.client().get(outside).send().await.unwrap();
    assert_eq!(outside.status().as_u16(), 404);
}

#[tokio::test]
async fn an_external_url_with_a_path_is_the_route_prefix_and_appears_in_messages() {
    let hook = Hook::start().await;
    let tocsin = Setup::default()
        .flag("--web.external-url=https://alerts.example.org/tocsin/")
        .start(&hook.config("group_wait: 0s"))
        .await;
    let url = format!("http://{}/tocsin/-/healthy", tocsin.address());
    assert_eq!(tocsin.client().get(url).send().await.unwrap().status().as_u16(), 200);
    let url = format!("http://{}/tocsin/api/v2/alerts", tocsin.address());
    let body = json!([firing(&[("alertname", "A")])]);
    assert_eq!(tocsin.client().post(url).json(&body).send().await.unwrap().status().as_u16(), 200);
    let delivery = hook.told(&["A firing"]).await;
    assert_eq!(delivery.body["externalURL"], "https://alerts.example.org/tocsin");
}

#[tokio::test]
async fn classic_mode_says_what_its_clients_expect() {
    let tocsin = Setup::default().flag("--enable-feature").flag("classic-mode").start(QUIET).await;
    // UTF-8 in values was always allowed.
    tocsin.tell(&[firing(&[("alertname", "Überlast")])]).await;
    let answer = tocsin.post("/api/v2/alerts", &json!([firing(&[("Überlast", "x")])])).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("invalid label set"), "{}", answer.body);
    let mut silence = silence_of("A");
    silence["matchers"][0]["name"] = json!("Überlast");
    let answer = tocsin.post("/api/v2/silences", &silence).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("invalid silence: invalid label matcher"), "{}", answer.body);
}

#[tokio::test]
async fn utf8_names_are_taken_by_default() {
    let tocsin = Tocsin::start(QUIET).await;
    tocsin.tell(&[firing(&[("Überlast 🔥", "x")])]).await;
    let alerts =
        tocsin.get("/api/v2/alerts?filter=%22%C3%9Cberlast%20%5CxF0%5Cx9F%5Cx94%5CxA5%22%3Dx");
    assert_eq!(alerts.await.json().as_array().unwrap().len(), 1);
    let groups = tocsin.get("/api/v2/alerts/groups").await.json();
    assert_eq!(groups.as_array().unwrap().len(), 1, "{groups}");
}

#[tokio::test]
async fn nobody_is_told_before_the_start_delay() {
    const DELAY: Duration = Duration::from_secs(2);
    let hook = Hook::start().await;
    let begun = Instant::now();
    let tocsin = Setup::default()
        .flag(format!("--dispatch.start-delay={}s", DELAY.as_secs()))
        .start(&hook.config("group_wait: 0s"))
        .await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    let passed = hook.told(&["A firing"]).await.at.duration_since(begun);
    assert!(passed >= DELAY, "after {passed:?}");
}

#[tokio::test]
async fn log_lines_may_be_json() {
    let mut tocsin = Setup::default().flag("--log.format=json").launch(QUIET);
    let line = tocsin.logged("Listening on").await;
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = line["address"].as_str().unwrap();
    let url = format!("http://{address}/-/healthy");
    assert_eq!(tocsin.client().get(url).send().await.unwrap().status().as_u16(), 200);
    assert_eq!(tocsin.stop().await.code(), Some(0));
}

#[tokio::test]
async fn it_stops_with_0_while_somebody_is_connected() {
    let hook = Hook::start().await;
    let mut tocsin = Tocsin::start(&hook.config("group_wait: 1h")).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    let status = tocsin.stop().await;
    assert_eq!(status.code(), Some(0), "{}", tocsin.log());
    assert!(!tocsin.log().contains("level=ERROR"), "{}", tocsin.log());
}

#[tokio::test]
async fn a_broken_configuration_is_told_with_its_place_and_a_suggestion() {
    let config = "route:\n  reciever: ops\n  group_wait: soon\nreceivers:\n- name: ops\n";
    let (code, text) = Setup::default().refuse(config).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("tocsin.yaml:2:3"), "{text}");
    assert!(text.contains("`reciever`") && text.contains("`receiver`"), "{text}");
    assert!(text.contains("tocsin.yaml:3:15"), "both are told at once: {text}");
    assert!(text.contains("soon"), "{text}");
}

#[tokio::test]
async fn a_missing_configuration_is_told_by_its_name() {
    let nowhere = tempfile::tempdir().unwrap().path().join("nowhere.yaml");
    let (code, text) = Setup::default().config(&nowhere).refuse(QUIET).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains(nowhere.to_str().unwrap()), "{text}");
}

#[tokio::test]
async fn a_wrong_flag_is_told() {
    let (code, text) = Setup::default().flag("--web.no-such-flag=1").refuse(QUIET).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--web.no-such-flag"), "{text}");
    let (code, text) = Setup::default().flag("--data.retention=forever").refuse(QUIET).await;
    assert_ne!(code, 0, "{text}");
    assert!(text.contains("--data.retention") && text.contains("forever"), "{text}");
}

#[tokio::test]
async fn a_taken_address_is_told_with_what_to_do() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let flag = format!("--web.listen-address={address}");
    let (code, text) = Setup::default().flag(flag).refuse(QUIET).await;
    assert_ne!(code, 0, "{text}");
    assert!(text.contains(&address) && text.contains("--web.listen-address"), "{text}");
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let first = Tocsin::start(QUIET).await;
    let (code, text) = Setup::default().data(first.data()).refuse(QUIET).await;
    assert_ne!(code, 0, "{text}");
    assert!(text.contains(&format!("process {}", first.pid())), "{text}");
    assert!(text.contains(first.data().to_str().unwrap()), "{text}");
    first.tell(&[firing(&[("alertname", "A")])]).await;
}
