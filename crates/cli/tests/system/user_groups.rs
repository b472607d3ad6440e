//! A user group of Slack holds whoever is on call, played by a server with the quirks of an
//! imitation: what works is answered with `ok: false` and no error.

use serde_json::json;
use tocsin_testkit::providers::{Sandbox, Setup};

use crate::support::from_now;
use crate::support::tocsin::Tocsin;
use crate::support::within;

const PEOPLE: &str = "
route: {receiver: nobody}
receivers: [{name: nobody}]
people:
- {handle: ada, contact_methods: [{channel: slack, address: U024BE7LH}]}
- {handle: grace, contact_methods: [{channel: slack, address: W012A3CDE}]}
schedules:
- name: web
  notify_at_handoff: false
  layers:
  - {name: main, members: [ada], turn: [1d], start: 2026-01-01T00:00}
";

#[tokio::test]
async fn a_group_of_slack_follows_the_schedule_and_its_overrides() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let setup = Setup { has_slack_quirks: true, ..Setup::new(|| from_now(0)) };
    let sandbox = Sandbox::start(setup).await.unwrap();
    let group = "  slack:\n    user_groups: [{schedule: web, user_group: oncall}]\n";
    let channels = sandbox.channels_yaml().replace("  slack:\n", group);
    let tocsin = Tocsin::start(&format!("{PEOPLE}{channels}")).await;
    let holds = |members: &'static str| {
        sandbox.board.wait(move |entry| entry.title.contains("@oncall") && entry.text == members)
    };
    within("the group holds ada", holds("U024BE7LH")).await;
    let it = json!({
        "user_in": "grace", "from": from_now(-1), "to": from_now(3_600), "reason": "two are better"
    });
    let made = tocsin.post("/api/v1/schedules/web/overrides", &it).await;
    assert_eq!(made.status, 201, "{made:?}");
    within("the group holds both", holds("U024BE7LH,W012A3CDE")).await;
}
