//! What a restart keeps, after a kill as after an orderly stop.

use std::time::Duration;

use crate::support::api::firing;
use crate::support::hook::{Hook, Manner};
use crate::support::tocsin::Tocsin;

/// The group interval of the tests that measure it.
const INTERVAL: Duration = Duration::from_secs(3);

/// How far from the grid a message may arrive on a busy machine.
const TOLERANCE: Duration = Duration::from_millis(900);

const GRID: &str = "group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 3s\nrepeat_interval: 1h";

#[tokio::test]
async fn alerts_and_silences_survive() {
    let hook = Hook::start().await;
    let mut tocsin = Tocsin::start(&hook.config("group_wait: 1h")).await;
    tocsin.tell(&[firing(&[("alertname", "A")]), firing(&[("alertname", "B")])]).await;
    let kept = tocsin.silence("B").await;
    let ended = tocsin.silence("C").await;
    assert_eq!(tocsin.delete(&format!("/api/v2/silence/{ended}")).await.status, 200);
    let before = (
        tocsin.get("/api/v2/alerts").await.body,
        tocsin.get("/api/v2/silences").await.body,
        tocsin.get("/api/v2/alerts/groups").await.body,
    );
    assert!(before.0.contains(&kept), "{}", before.0);
    for is_orderly in [false, true] {
        if is_orderly {
            assert_eq!(tocsin.stop().await.code(), Some(0));
        } else {
            tocsin.kill().await;
        }
        tocsin.start_again().await;
        assert_eq!(tocsin.get("/api/v2/alerts").await.body, before.0);
        assert_eq!(tocsin.get("/api/v2/silences").await.body, before.1);
        assert_eq!(tocsin.get("/api/v2/alerts/groups").await.body, before.2);
    }
    assert!(hook.deliveries().is_empty(), "group_wait goes on: {:#?}", hook.deliveries());
}

#[tokio::test]
async fn what_was_told_is_not_told_again_and_the_grid_of_the_group_goes_on() {
    let hook = Hook::start().await;
    let mut tocsin = Tocsin::start(&hook.config(GRID)).await;
    let one = [("alertname", "A"), ("instance", "1")];
    let two = [("alertname", "A"), ("instance", "2")];
    tocsin.tell(&[firing(&one)]).await;
    let first = hook.told(&["A firing"]).await;
    tocsin.attempted(1).await;
    tocsin.crash().await;
    // Joins the group of the first: it has to wait for the next point of the grid.
    tocsin.tell(&[firing(&two)]).await;
    let second = hook
        .wait("a message with both", |deliveries| {
            let found =
                deliveries.iter().find(|it| it.body["alerts"].as_array().unwrap().len() == 2);
            found.cloned()
        })
        .await;
    assert_eq!(second.body["notification_reason"], "new alerts added");
    let passed = second.at.duration_since(first.at) + TOLERANCE;
    let beside = Duration::from_millis(
        u64::try_from(passed.as_millis() % INTERVAL.as_millis()).expect("below the interval"),
    );
    assert!(passed >= INTERVAL && beside <= 2 * TOLERANCE, "{passed:?} is not on the grid");
    assert_eq!(hook.deliveries().len(), 2, "{:#?}", hook.deliveries());
}

#[tokio::test]
async fn a_message_that_could_not_be_sent_goes_out_after_the_restart_with_the_same_key() {
    for manner in [Manner::Refuse(500), Manner::Refuse(400), Manner::Hang] {
        let hook = Hook::start().await;
        hook.behave(manner);
        let mut tocsin = Tocsin::start(&hook.config("group_wait: 0s")).await;
        tocsin.tell(&[firing(&[("alertname", "A")])]).await;
        let tried = hook.told(&["A firing"]).await;
        assert_eq!(tried.key.len(), 32, "{tried:?}");
        tocsin.kill().await;
        hook.behave(Manner::Accept);
        tocsin.start_again().await;
        let sent = hook
            .wait("the message goes out", |all| all.iter().find(|it| it.is_accepted).cloned())
            .await;
        assert_eq!(sent.key, tried.key, "{manner:?}");
        assert_eq!(sent.body, tried.body, "{manner:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_asked_for_rest_gets_it_over_a_restart() {
    let hook = Hook::start().await;
    hook.behave(Manner::Busy(5));
    let mut tocsin = Tocsin::start(&hook.config("group_wait: 0s")).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    let refused = hook.told(&["A firing"]).await;
    tocsin.attempted(1).await;
    tocsin.kill().await;
    hook.behave(Manner::Accept);
    tocsin.start_again().await;
    let sent = hook
        .wait("the message goes out", |all| all.iter().find(|it| it.is_accepted).cloned())
        .await;
    let rest = sent.at.duration_since(refused.at);
    assert!(rest >= Duration::from_secs(5), "it came back after {rest:?}");
    assert_eq!(sent.key, refused.key);
    assert_eq!(hook.deliveries().len(), 2, "{:#?}", hook.deliveries());
}

#[tokio::test]
async fn a_target_whose_inhibitor_is_not_sent_again_stays_held_back() {
    let hook = Hook::start().await;
    let config = hook
        .config("group_by: [alertname]\ngroup_wait: 0s\ngroup_interval: 1s\nrepeat_interval: 1h")
        + "inhibit_rules:\n- source_matchers: [severity=critical]\n  \
         target_matchers: [severity=warning]\n  equal: [cluster]\n";
    let mut tocsin = Tocsin::start(&config).await;
    let down = [("alertname", "Down"), ("cluster", "eu"), ("severity", "critical")];
    let slow = [("alertname", "Slow"), ("cluster", "eu"), ("severity", "warning")];
    tocsin.tell(&[firing(&down)]).await;
    hook.told(&["Down firing"]).await;
    tocsin.attempted(1).await;
    tocsin.crash().await;
    tocsin.tell(&[firing(&slow)]).await;
    let other = [("alertname", "Other"), ("cluster", "us"), ("severity", "warning")];
    tocsin.tell(&[firing(&other)]).await;
    hook.told(&["Other firing"]).await;
    let slow = tocsin.get("/api/v2/alerts?filter=alertname%3DSlow").await.json();
    assert_eq!(slow[0]["status"]["state"], "suppressed", "{slow}");
    assert_eq!(hook.deliveries().len(), 2, "{:#?}", hook.deliveries());
}

#[tokio::test]
async fn as_alertmanager_it_forgets_alerts_and_keeps_silences() {
    let hook = Hook::start().await;
    let config = hook.config("group_wait: 1h") + "compat: alertmanager\n";
    let mut tocsin = Tocsin::start(&config).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    let id = tocsin.silence("B").await;
    tocsin.crash().await;
    assert!(tocsin.alerts().await.is_empty());
    assert_eq!(tocsin.get(&format!("/api/v2/silence/{id}")).await.status, 200);
}
