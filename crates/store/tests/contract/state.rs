//! Stories about the open state: what is written is what the next start finds.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tocsin_core::alert::{Activity, Description, Identity};
use tocsin_core::event::{Event, Recorded};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber, Sequence, TenantId};
use tocsin_core::labels::Labels;
use tocsin_core::rows::{AlertRow, Highest, WriteSet};
use tocsin_store::{EventQuery, Store, StoreError};

use crate::Fixture;
use crate::model::{self, Model};

pub(crate) const TENANT: TenantId = TenantId::DEFAULT;
const OTHER: TenantId = TenantId(2);

/// How many random histories the properties try; each writes several turns to a real disk.
const HISTORIES: usize = 24;

/// An alert as a turn writes it.
pub(crate) fn alert(number: u64, name: &str) -> (Arc<Identity>, AlertRow) {
    let labels = Labels::from([("alertname", name)]);
    let fingerprint = labels.fingerprint();
    let number = AlertNumber(number);
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let activity =
        Activity { starts_at: at(10), ends_at: at(310), is_timeout: true, updated_at: at(10) };
    let row = AlertRow {
        number,
        fingerprint,
        activity,
        is_resolved: false,
        received: 1,
        is_closed: false,
    };
    (Arc::new(Identity { number, fingerprint, labels }), row)
}

pub(crate) fn event(sequence: u64, second: i64, event: Event) -> Recorded {
    let at = jiff::Timestamp::from_second(second).unwrap();
    Recorded { sequence: Sequence(sequence), at, event }
}

pub(crate) fn firing(number: u64, name: &str) -> WriteSet {
    let (identity, row) = alert(number, name);
    WriteSet {
        descriptions: vec![(row.number, Arc::new(Description::default()))],
        events: vec![event(number, 10, Event::GroupClosed { group: GroupNumber(number) })],
        identities: vec![identity],
        alerts: vec![row],
        ..WriteSet::default()
    }
}

pub(crate) async fn a_tenant_that_never_wrote_is_empty(fixture: impl Fixture) {
    let rows = fixture.store().load(TENANT).await.unwrap();
    Model::default().check(&rows);
    assert!(fixture.store().events(TENANT, EventQuery::default()).await.unwrap().is_empty());
}

pub(crate) async fn what_was_written_is_what_is_loaded(fixture: impl Fixture) {
    let mut runner = TestRunner::deterministic();
    let histories = vec(model::turn(), 1..6);
    for tenant in 1..=HISTORIES {
        let tenant = TenantId(tenant as u64);
        let mut model = Model::default();
        for turn in histories.new_tree(&mut runner).unwrap().current() {
            let writes = model.apply(turn);
            fixture.store().commit(tenant, writes).await.unwrap();
            model.check(&fixture.store().load(tenant).await.unwrap());
        }
    }
}

pub(crate) async fn every_turn_survives_a_crash(mut fixture: impl Fixture) {
    let mut runner = TestRunner::deterministic();
    let mut model = Model::default();
    for turn in vec(model::turn(), 8).new_tree(&mut runner).unwrap().current() {
        fixture.store().commit(TENANT, model.apply(turn)).await.unwrap();
        fixture = fixture.reopen().await;
        model.check(&fixture.store().load(TENANT).await.unwrap());
    }
}

pub(crate) async fn a_failing_turn_leaves_nothing(fixture: impl Fixture) {
    let store = fixture.store();
    store.commit(TENANT, firing(1, "Kept")).await.unwrap();
    // The event is already there, everything else would be fine.
    let mut bad = firing(1, "Kept");
    bad.identities.push(alert(2, "Lost").0);
    bad.alerts.push(alert(2, "Lost").1);
    bad.alerts[0].received = 99;
    bad.closed_groups.push(GroupNumber(7));
    assert!(matches!(store.commit(TENANT, bad).await, Err(StoreError::Database(_))));

    let rows = store.load(TENANT).await.unwrap();
    assert_eq!(rows.alerts.iter().map(|it| it.2).collect::<Vec<_>>(), [alert(1, "Kept").1]);
    assert_eq!(rows.highest.group, GroupNumber(0));
    // And the store goes on.
    store.commit(TENANT, firing(2, "Next")).await.unwrap();
    assert_eq!(store.load(TENANT).await.unwrap().alerts.len(), 2);
}

pub(crate) async fn highest_numbers_outlive_their_rows(fixture: impl Fixture) {
    let mut writes = firing(41, "Brief");
    writes.alerts[0].is_closed = true;
    writes.closed_groups.push(GroupNumber(42));
    writes.finished_outbox.push(OutboxNumber(43));
    fixture.store().commit(TENANT, writes).await.unwrap();
    let expected = Highest {
        alert: AlertNumber(41),
        group: GroupNumber(42),
        outbox: OutboxNumber(43),
        event: Sequence(41),
        ..Highest::default()
    };
    let all = jiff::Timestamp::from_second(1_000_000).unwrap();
    let retention = tocsin_store::Retention { events_before: all, alerts_before: all };
    let purged = fixture.store().purge(TENANT, retention).await.unwrap();
    assert_eq!((purged.alerts, purged.events), (1, 1));
    // A turn with smaller numbers lowers nothing.
    fixture.store().commit(TENANT, firing(3, "Late")).await.unwrap();
    assert_eq!(fixture.store().load(TENANT).await.unwrap().highest, expected);
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store().load(TENANT).await.unwrap().highest, expected);
}

pub(crate) async fn tenants_do_not_see_each_other(fixture: impl Fixture) {
    let store = fixture.store();
    let (mut mine, mut theirs) = (Model::default(), Model::default());
    let mut runner = TestRunner::deterministic();
    for pair in vec((model::turn(), model::turn()), 6).new_tree(&mut runner).unwrap().current() {
        store.commit(TENANT, mine.apply(pair.0)).await.unwrap();
        store.commit(OTHER, theirs.apply(pair.1)).await.unwrap();
    }
    mine.check(&store.load(TENANT).await.unwrap());
    theirs.check(&store.load(OTHER).await.unwrap());

    // The same numbers, fingerprints, and events at both.
    store.commit(TENANT, firing(50, "Same")).await.unwrap();
    store.commit(OTHER, firing(50, "Same")).await.unwrap();
    store.commit(OTHER, firing(51, "Same")).await.unwrap();
    let fingerprint = alert(50, "Same").0.fingerprint;
    assert_eq!(store.alert_history(TENANT, fingerprint, 10).await.unwrap().len(), 1);
    assert_eq!(store.alert_history(OTHER, fingerprint, 10).await.unwrap().len(), 2);
    let all = EventQuery { limit: 10, ..EventQuery::default() };
    assert_eq!(store.events(TENANT, all.clone()).await.unwrap().len(), 1);
    assert_eq!(store.events(OTHER, all).await.unwrap().len(), 2);
}

pub(crate) async fn a_probe_changes_nothing(fixture: impl Fixture) {
    let mut model = Model::default();
    let turn = model::turn().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    fixture.store().commit(TENANT, model.apply(turn)).await.unwrap();
    for _ in 0..3 {
        fixture.store().probe().await.unwrap();
    }
    model.check(&fixture.store().load(TENANT).await.unwrap());
}

pub(crate) async fn turns_and_readers_at_the_same_time_see_whole_turns(fixture: impl Fixture) {
    /// Both alerts of a turn carry the same count.
    fn pair(count: u64) -> WriteSet {
        let mut writes = WriteSet::default();
        for number in [1, 2] {
            let (identity, mut row) = alert(number, "Twin");
            row.received = count;
            writes.identities.push(identity);
            writes.alerts.push(row);
        }
        writes
    }
    let store = fixture.store();
    store.commit(TENANT, pair(0)).await.unwrap();
    let write = async {
        for count in 1..=100 {
            store.commit(TENANT, pair(count)).await.unwrap();
        }
    };
    let read = async {
        let mut last = 0;
        while last < 100 {
            let rows = store.load(TENANT).await.unwrap();
            let counts: Vec<_> = rows.alerts.iter().map(|it| it.2.received).collect();
            assert_eq!(counts[0], counts[1]);
            assert!(counts[0] >= last, "a later reader saw an older turn");
            last = counts[0];
        }
    };
    tokio::join!(write, read);
}

pub(crate) async fn a_closed_store_refuses(fixture: impl Fixture) {
    let store = fixture.store();
    store.commit(TENANT, firing(1, "Kept")).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.load(TENANT).await, Err(StoreError::Closed)));
    assert!(matches!(store.commit(TENANT, firing(2, "Lost")).await, Err(StoreError::Closed)));
    assert!(matches!(store.probe().await, Err(StoreError::Closed)));
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store().load(TENANT).await.unwrap().alerts.len(), 1);
}
