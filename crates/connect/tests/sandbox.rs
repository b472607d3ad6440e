//! Every channel against providers that are as strict as the real ones.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod support;

#[path = "support/pages.rs"]
mod pages;

use pages::{EXTERNAL_URL, item, page, stories};
use tocsin_config::{LoadOptions, UserGroupConfig, load_str};
use tocsin_connect::links::LinkSigner;
use tocsin_connect::paging::{GroupChange, VapidKey};
use tocsin_connect::{Context, Outbound};
use tocsin_core::notification::{AttemptOutcome, FailureClass};
use tocsin_core::paging::{Channel, Content, PageItem, StateWord};
use tocsin_core::severity::Severity;
use tocsin_testkit::providers::{Fault, Sandbox, Setup};

/// The time at which the pages of the tests go out.
fn now() -> jiff::Timestamp {
    pages::at("2026-11-28T03:12:01Z")
}

async fn start(has_slack_quirks: bool) -> (Sandbox, Outbound) {
    tocsin_connect::install_crypto();
    let sandbox = Sandbox::start(Setup { has_slack_quirks, ..Setup::new(now) }).await.unwrap();
    let yaml =
        format!("route: {{receiver: a}}\nreceivers: [{{name: a}}]\n{}", sandbox.channels_yaml());
    let config = load_str("tocsin.yaml", &yaml, &LoadOptions::default()).unwrap().config;
    let context = Context::new(EXTERNAL_URL, "0.1.0")
        .with_links(LinkSigner::new(vec![[7; 32]]))
        .with_vapid(VapidKey::fresh().unwrap().into());
    let outbound = Outbound::new(&config, &context).unwrap();
    (sandbox, outbound)
}

async fn addresses(sandbox: &Sandbox) -> Vec<(Channel, String)> {
    let base = format!("http://{}", sandbox.address);
    let push = reqwest::get(format!("{base}/push/ada")).await.unwrap().text().await.unwrap();
    vec![
        (Channel::Email, "ada@example.org".to_owned()),
        (Channel::Sms, "+4915112345678".to_owned()),
        (Channel::Voice, "+4915112345678".to_owned()),
        (Channel::Slack, "U024BE7LH".to_owned()),
        (Channel::Telegram, "4711".to_owned()),
        (Channel::Mattermost, "@ada".to_owned()),
        (Channel::Msteams, format!("{base}/teams/ops")),
        (Channel::Discord, format!("{base}/discord/webhooks/1/token")),
        (Channel::Ntfy, "ada-pages".to_owned()),
        (Channel::WebPush, push),
        (Channel::Webhook, format!("{base}/hook/ops")),
        (Channel::Pagerduty, "R0123456789".to_owned()),
        (Channel::Opsgenie, "team:checkout".to_owned()),
    ]
}

#[tokio::test]
async fn every_channel_is_taken_by_its_provider_whatever_the_page() {
    let (sandbox, outbound) = start(false).await;
    for (channel, address) in addresses(&sandbox).await {
        for (story, content) in stories() {
            let takes_pages_only = matches!(channel, Channel::Pagerduty | Channel::Opsgenie)
                && matches!(
                    content,
                    Content::Verification { .. } | Content::Handoff { .. } | Content::Notice { .. }
                );
            let page = page(channel, &address, content);
            let outcome = outbound.page(&page, &format!("{channel}-{story}")).await;
            let is_taken = matches!(outcome, AttemptOutcome::Delivered { .. });
            assert_eq!(is_taken, !takes_pages_only, "{channel} {story}: {outcome:?}");
        }
    }
    let entries = sandbox.board.entries();
    for (channel, _) in addresses(&sandbox).await {
        let provider = match channel {
            Channel::Email => "mail",
            Channel::Sms | Channel::Voice => "twilio",
            Channel::Msteams => "teams",
            other => other.as_str(),
        };
        let told = entries.iter().filter(|entry| entry.provider == provider);
        let is_told = told.clone().any(|entry| {
            entry.title.contains("HighErrorRate on checkout")
                || entry.text.contains("HighErrorRate on checkout")
                || entry.raw.to_string().contains("/answers/twilio/voice?call=")
        });
        assert!(is_told, "{channel}: {:?}", told.collect::<Vec<_>>());
    }
    let mail = entries.iter().find(|it| it.provider == "mail").unwrap();
    assert!(mail.html.contains("&lt;orders&gt;") && !mail.html.contains("<orders>"));
    assert_eq!(mail.buttons[0].label, "Acknowledge");
}

#[tokio::test]
async fn a_message_goes_on_in_place_and_repeats_go_into_its_thread() {
    for has_quirks in [false, true] {
        let (sandbox, outbound) = start(has_quirks).await;
        for (channel, address) in addresses(&sandbox).await {
            let has_place = matches!(
                channel,
                Channel::Slack | Channel::Telegram | Channel::Mattermost | Channel::Discord
            );
            if !has_place {
                continue;
            }
            let one = || item(7, "HighErrorRate on checkout", Severity::Sev1);
            let first = page(channel, &address, Content::Page { items: vec![one()] });
            let outcome = outbound.page(&first, "1").await;
            let AttemptOutcome::Delivered { receipt, .. } = outcome else { panic!("{outcome:?}") };
            assert!(receipt.is_some(), "{channel}");
            let before = sandbox.board.entries().len();
            let state = StateWord::Acknowledged;
            let taken = PageItem { state, by: "grace".to_owned(), ..one() };
            let mut update = page(channel, &address, Content::Update { item: Box::new(taken) });
            update.receipt.clone_from(&receipt);
            let outcome = outbound.page(&update, "2").await;
            let expected =
                AttemptOutcome::Delivered { receipt: receipt.clone(), fallbacks: Vec::new() };
            assert_eq!(outcome, expected, "{channel}: the identity stays");
            assert_eq!(sandbox.board.entries().len(), before, "{channel}: changed in place");
            let entry = sandbox.board.entries().pop().unwrap();
            assert!(entry.title.starts_with("Acknowledged by grace"), "{channel}: {entry:?}");
            let mut again = first.clone();
            again.receipt.clone_from(&receipt);
            outbound.page(&again, "3").await;
            let entry = sandbox.board.entries().pop().unwrap();
            let is_threaded = matches!(channel, Channel::Slack | Channel::Mattermost);
            assert_eq!(!entry.thread.is_empty(), is_threaded, "{channel}");
        }
    }
}

#[tokio::test]
async fn faults_of_providers_are_told_apart() {
    let (sandbox, outbound) = start(false).await;
    let fault = |provider: &str| Fault {
        provider: provider.to_owned(),
        times: 1,
        status: None,
        retry_after: None,
        delay_ms: 0,
        is_dropped: false,
        is_garbage: false,
    };
    let send = async |channel, address: &str| {
        let content = Content::Test;
        outbound.page(&page(channel, address, content), "k").await
    };
    let number = "+4915112345678";
    let limited = Fault { status: Some(429), retry_after: Some("7".to_owned()), ..fault("twilio") };
    sandbox.board.order(limited);
    let AttemptOutcome::Refused(failure) = send(Channel::Sms, number).await else { panic!() };
    assert_eq!((failure.class, failure.retry_after_ms), (FailureClass::RateLimited, Some(7_000)));
    sandbox.board.order(Fault { status: Some(503), ..fault("slack") });
    let AttemptOutcome::Failed(failure) = send(Channel::Slack, "general").await else { panic!() };
    assert_eq!(failure.class, FailureClass::ServerError);
    sandbox.board.order(Fault { is_dropped: true, ..fault("twilio") });
    assert!(matches!(send(Channel::Sms, number).await, AttemptOutcome::Failed(_)));
    sandbox.board.order(Fault { is_garbage: true, ..fault("slack") });
    assert!(matches!(send(Channel::Slack, "general").await, AttemptOutcome::Failed(_)));
    let AttemptOutcome::Refused(failure) = send(Channel::Slack, "nowhere").await else { panic!() };
    assert!(failure.message.contains("channel_not_found"), "{failure:?}");
    let AttemptOutcome::Refused(failure) = send(Channel::Sms, "030 12").await else { panic!() };
    assert!(failure.message.contains("is not a phone number"), "{failure:?}");
}

#[tokio::test]
async fn a_user_group_holds_who_is_on_call_and_is_never_emptied() {
    for has_quirks in [false, true] {
        let (sandbox, outbound) = start(has_quirks).await;
        let group = |name: &str| UserGroupConfig {
            schedule: "checkout".to_owned(),
            user_group: name.to_owned(),
            error_channel: Some("ops".to_owned()),
        };
        let ada = ["U024BE7LH".to_owned()];
        let set = outbound.sync_user_group(&group("oncall"), &ada, now()).await;
        assert_eq!(set, Ok(GroupChange::Set { people: 1 }));
        let left = outbound.sync_user_group(&group("oncall"), &[], now()).await;
        assert_eq!(left, Ok(GroupChange::LeftAlone));
        let entries = sandbox.board.entries();
        assert!(entries[1].title.starts_with("Nobody who is on call for checkout"), "{entries:?}");
        let unknown = outbound.sync_user_group(&group("nobody"), &ada, now()).await.unwrap_err();
        assert!(unknown.to_string().contains("there is no such user group"), "{unknown}");
        let strange = ["x".to_owned()];
        let wrong = outbound.sync_user_group(&group("oncall"), &strange, now()).await.unwrap_err();
        assert!(wrong.to_string().contains("invalid_users"), "{wrong}");
    }
}
