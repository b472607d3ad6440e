//! Receivers that are wrong, slow or gone.

use std::time::{Duration, Instant};

use crate::support::api::firing;
use crate::support::hook::{Hook, Manner};
use crate::support::tocsin::Tocsin;

const NOW: &str = "group_by: [alertname]\ngroup_wait: 0s";

#[tokio::test]
async fn a_message_is_tried_again_under_the_same_key_until_it_is_taken() {
    let hook = Hook::start().await;
    hook.behave(Manner::Refuse(503));
    let tocsin = Tocsin::start(&hook.config(NOW)).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    hook.wait("three attempts", |all| (all.len() >= 3).then_some(())).await;
    hook.behave(Manner::Accept);
    let taken = hook
        .wait("an attempt that is taken", |all| all.iter().find(|it| it.is_accepted).cloned())
        .await;
    let deliveries = hook.deliveries();
    assert!(deliveries.iter().all(|it| it.key == taken.key && it.body == taken.body));
    assert!(deliveries.last().unwrap().is_accepted, "nothing comes after it was taken");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let (stuck, well) = (Hook::start().await, Hook::start().await);
    stuck.behave(Manner::Hang);
    let config =
        stuck.config(&format!(
            "{NOW}\nroutes: [{{ receiver: hook, continue: true }}, {{ receiver: well }}]"
        )) + &format!("- name: well\n  webhook_configs:\n  - url: {}\n", well.url("/well"));
    let tocsin = Tocsin::start(&config).await;
    for name in ["A", "B", "C"] {
        tocsin.tell(&[firing(&[("alertname", name)])]).await;
        let told = [format!("{name} firing")];
        well.told(&told.each_ref().map(String::as_str)).await;
        stuck.told(&told.each_ref().map(String::as_str)).await;
    }
    assert!(stuck.deliveries().iter().all(|it| !it.is_accepted));
}

#[tokio::test]
async fn it_stops_while_a_message_is_on_its_way_and_sends_it_later() {
    let hook = Hook::start().await;
    hook.behave(Manner::Hang);
    let mut tocsin = Tocsin::start(&hook.config(NOW)).await;
    tocsin.tell(&[firing(&[("alertname", "A")])]).await;
    let hung = hook.told(&["A firing"]).await;
    let begun = Instant::now();
    assert_eq!(tocsin.stop().await.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    hook.behave(Manner::Accept);
    tocsin.start_again().await;
    let sent = hook
        .wait("the message goes out", |all| all.iter().find(|it| it.is_accepted).cloned())
        .await;
    assert_eq!((sent.key, sent.body), (hung.key, hung.body));
}
