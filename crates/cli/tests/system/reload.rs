//! A new configuration while it runs.

use crate::support::api::firing;
use crate::support::hook::Hook;
use crate::support::tocsin::Tocsin;

const NOW: &str = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s";
const BROKEN: &str = "route:\n  receiver: nobody\nreceivers:\n- name: hook\n";

#[tokio::test]
async fn sighup_takes_a_good_file_and_keeps_the_old_one_before_a_bad_one() {
    let (old, new) = (Hook::start().await, Hook::start().await);
    let tocsin = Tocsin::start(&old.config(NOW)).await;
    tocsin.configure(BROKEN);
    tocsin.signal("HUP").await;
    let line = tocsin.logged("configuration not reloaded").await;
    assert!(line.contains("nobody"), "{line}");
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    old.told(&["A firing"]).await;

    tocsin.configure(&new.config(NOW));
    tocsin.signal("HUP").await;
    tocsin.logged("configuration reloaded").await;
    tocsin.tell(&[firing(&[("alertname", "B")])]).await;
    new.told(&["B firing"]).await;
    assert!(old.deliveries().iter().all(|delivery| delivery.tells(&["A firing"])));
}

#[tokio::test]
async fn a_reload_by_http_answers_with_the_complaint() {
    let hook = Hook::start().await;
    let tocsin = Tocsin::start(&hook.config(NOW)).await;
    let reload = async || tocsin.post_bytes("/-/reload", "", Vec::new()).await;
    assert_eq!(reload().await.status, 200);
    let original = tocsin.get("/api/v2/status").await.json()["config"].clone();

    tocsin.configure(BROKEN);
    let answer = reload().await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.starts_with("failed to reload config: "), "{}", answer.body);
    assert!(answer.body.contains("nobody"), "{}", answer.body);
    assert_eq!(tocsin.get("/api/v2/status").await.json()["config"], original);
    let metrics = tocsin.get("/metrics").await.body;
    assert!(metrics.contains("alertmanager_config_last_reload_successful 0"), "{metrics}");

    tocsin.configure(&hook.config(NOW));
    assert_eq!(reload().await.status, 200);
    let metrics = tocsin.get("/metrics").await.body;
    assert!(metrics.contains("alertmanager_config_last_reload_successful 1"), "{metrics}");
    assert_eq!(tocsin.get("/-/reload").await.status, 405);
}

#[tokio::test]
async fn a_reload_tells_nobody_what_they_know() {
    let hook = Hook::start().await;
    let tocsin = Tocsin::start(&hook.config(NOW)).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    hook.told(&["A firing"]).await;
    tocsin.signal("HUP").await;
    tocsin.logged("configuration reloaded").await;
    tocsin.tell(&[firing(&[("alertname", "A"), ("instance", "b")])]).await;
    hook.wait("the message with the second alert", |deliveries| {
        (deliveries.last()?.body["alerts"].as_array()?.len() == 2).then_some(())
    })
    .await;
    assert_eq!(hook.deliveries().len(), 2, "{:#?}", hook.deliveries());
}
