//! What an integration gave back, and the key that a page carried, come back with the group's next
//! messages.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_config::{LoadOptions, load_str};
use tocsin_core::Tenant;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::command::Command;
use tocsin_core::event::Event;
use tocsin_core::labels::Labels;
use tocsin_core::notification::{AttemptOutcome, OutboxEntry};
use tocsin_core::policy::Policy;
use tocsin_core::rows::TenantRows;

fn policy(matcher: &str) -> Arc<Policy> {
    let text = format!(
        "route:\n  receiver: none\n  group_by: [alertname]\n  group_wait: 0s\n  group_interval: 1m\n  \
         routes: [{{ matchers: ['{matcher}'], receiver: out }}]\n\
         receivers:\n- name: none\n- name: out\n  \
         webhook_configs: [{{ url: http://127.0.0.1:1/ }}]\n"
    );
    load_str("test.yml", &text, &LoadOptions::default()).unwrap().policy
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

struct House {
    tenant: Tenant,
    events: Vec<Event>,
}

impl House {
    fn new() -> Self {
        let tenant = Tenant::restore(policy("team=db"), TenantRows::default(), at(0));
        Self { tenant, events: Vec::new() }
    }

    /// Runs one turn and returns what is to be sent.
    fn turn(&mut self, second: i64, commands: Vec<Command>) -> Vec<OutboxEntry> {
        let orders = commands.into_iter().map(Into::into).collect();
        let turn = self.tenant.turn(at(second), orders);
        self.events.extend(turn.writes.events.into_iter().map(|recorded| recorded.event));
        turn.attempts
    }

    fn tell(&mut self, second: i64, ends_at: Option<Timestamp>) -> Vec<OutboxEntry> {
        let labels = Labels::from([("alertname", "PgDown"), ("team", "db")]);
        let mut alert = IncomingAlert::new(labels, Labels::default());
        alert.ends_at = ends_at.or(Some(at(100_000)));
        self.turn(second, vec![Command::Ingest { alerts: vec![alert] }])
    }

    fn delivered(&mut self, second: i64, entry: &OutboxEntry, receipt: Option<&str>) {
        let outcome = AttemptOutcome::Delivered {
            receipt: receipt.map(str::to_owned),
            fallbacks: vec!["`title`: it failed".to_owned()],
        };
        let ended = Command::AttemptEnded { number: entry.number, outcome, jitter: 0.5 };
        self.turn(second, vec![ended]);
    }
}

#[test]
fn a_receipt_comes_back_until_a_new_page_begins_anew() {
    let mut house = House::new();
    let first = house.tell(0, None).remove(0);
    assert_eq!(first.receipt, None);
    house.delivered(1, &first, Some("ts=1"));
    assert!(house.events.iter().any(|event| matches!(
        event,
        Event::MessageDegraded { why, .. } if *why == ["`title`: it failed"]
    )));

    house.tell(10, Some(at(10)));
    let end = house.turn(60, Vec::new()).remove(0);
    assert_eq!(end.receipt.as_deref(), Some("ts=1"));
    // An answer without a receipt leaves the one that is known.
    house.delivered(61, &end, None);
    let again = house.tell(70, None).remove(0);
    assert_eq!(again.receipt, None, "a new page is a new message");
}

#[test]
fn the_end_of_a_page_carries_the_key_of_the_page() {
    let mut house = House::new();
    let page = house.tell(0, None).remove(0);
    house.delivered(1, &page, None);
    assert_eq!(&*page.notification.group_key, r#"{}/{team="db"}:{alertname="PgDown"}"#);
    house.turn(5, vec![Command::Reconfigure { policy: policy("team=~db|web") }]);
    house.tell(10, Some(at(10)));
    let end = (20..200).find_map(|second| house.turn(second, Vec::new()).pop()).unwrap();
    assert!(end.notification.alerts[0].is_resolved);
    assert_eq!(end.notification.group_key, page.notification.group_key);
    house.delivered(200, &end, None);

    let fresh = house.tell(300, None).remove(0);
    assert_eq!(&*fresh.notification.group_key, r#"{}/{team=~"db|web"}:{alertname="PgDown"}"#);
}
