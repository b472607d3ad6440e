//! Stories about what is deleted in the end.

use jiff::Timestamp;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::ids::GroupNumber;
use tocsin_core::rows::WriteSet;
use tocsin_store::{EventQuery, Purged, Retention, Store};

use crate::Fixture;
use crate::state::{TENANT, alert, event};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn closed(sequence: u64, second: i64) -> Recorded {
    event(sequence, second, Event::GroupClosed { group: GroupNumber(sequence) })
}

async fn sequences(store: &impl Store) -> Vec<u64> {
    let query = EventQuery { limit: 1_000, ..EventQuery::default() };
    store.events(TENANT, query).await.unwrap().iter().rev().map(|it| it.sequence.0).collect()
}

/// A life that ended at `second`, closed or not yet.
fn ended(number: u64, second: i64, is_closed: bool) -> WriteSet {
    let (identity, mut row) = alert(number, "Ended");
    row.activity.ends_at = at(second);
    row.is_resolved = true;
    row.is_closed = is_closed;
    WriteSet { identities: vec![identity], alerts: vec![row], ..WriteSet::default() }
}

pub(crate) async fn old_events_go_and_young_ones_stay(fixture: impl Fixture) {
    // The clock ran ahead for a moment at 3, and 5 took effect before it was recorded.
    let events = vec![closed(1, 10), closed(2, 20), closed(3, 9_000), closed(4, 30), closed(5, 15)];
    let store = fixture.store();
    store.commit(TENANT, WriteSet { events, ..WriteSet::default() }).await.unwrap();
    let retention = Retention { events_before: at(30), alerts_before: at(0) };
    assert_eq!(store.purge(TENANT, retention).await.unwrap(), Purged { events: 3, alerts: 0 });
    assert_eq!(sequences(store).await, [3, 4]);
    assert_eq!(store.purge(TENANT, retention).await.unwrap(), Purged::default());
    // What is left is still found by its time.
    let query =
        EventQuery { from: Some(at(30)), to: Some(at(31)), limit: 9, ..EventQuery::default() };
    assert_eq!(store.events(TENANT, query).await.unwrap(), [closed(4, 30)]);
}

pub(crate) async fn only_lives_that_ended_long_ago_go(fixture: impl Fixture) {
    let store = fixture.store();
    store.commit(TENANT, ended(1, 10, true)).await.unwrap();
    store.commit(TENANT, ended(2, 50, true)).await.unwrap();
    store.commit(TENANT, ended(3, 10, false)).await.unwrap();
    let retention = Retention { events_before: at(0), alerts_before: at(50) };
    assert_eq!(store.purge(TENANT, retention).await.unwrap(), Purged { events: 0, alerts: 1 });
    let fingerprint = alert(1, "Ended").1.fingerprint;
    let lives = store.alert_history(TENANT, fingerprint, 10).await.unwrap();
    assert_eq!(lives.iter().map(|it| it.row.number.0).collect::<Vec<_>>(), [3, 2]);
}

pub(crate) async fn a_long_history_is_purged_to_the_end(fixture: impl Fixture) {
    let store = fixture.store();
    let mut writes = WriteSet::default();
    for number in 1..=3_500 {
        writes.events.push(closed(number, 10));
        let mut one = ended(number, 10, true);
        writes.identities.append(&mut one.identities);
        writes.alerts.append(&mut one.alerts);
    }
    store.commit(TENANT, writes).await.unwrap();
    store
        .commit(TENANT, WriteSet { events: vec![closed(3_501, 20)], ..WriteSet::default() })
        .await
        .unwrap();
    let retention = Retention { events_before: at(11), alerts_before: at(11) };
    let expected = Purged { events: 3_500, alerts: 3_500 };
    assert_eq!(store.purge(TENANT, retention).await.unwrap(), expected);
    assert_eq!(sequences(store).await, [3_501]);
    // The place after the purged ones is taken as before.
    store
        .commit(TENANT, WriteSet { events: vec![closed(3_502, 5)], ..WriteSet::default() })
        .await
        .unwrap();
    assert_eq!(store.purge(TENANT, retention).await.unwrap(), Purged { events: 1, alerts: 0 });
}

pub(crate) async fn purging_keeps_what_is_open(fixture: impl Fixture) {
    use proptest::strategy::{Strategy, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut model = crate::model::Model::default();
    for turn in
        proptest::collection::vec(crate::model::turn(), 6).new_tree(&mut runner).unwrap().current()
    {
        fixture.store().commit(TENANT, model.apply(turn)).await.unwrap();
    }
    let retention = Retention { events_before: Timestamp::MAX, alerts_before: Timestamp::MAX };
    fixture.store().purge(TENANT, retention).await.unwrap();
    model.forget_what_is_over();
    model.check(&fixture.store().load(TENANT).await.unwrap());
}

pub(crate) async fn purging_one_tenant_leaves_the_others(fixture: impl Fixture) {
    let store = fixture.store();
    let others = store.tenant("acme".to_owned()).await.unwrap();
    assert_ne!(others, TENANT);
    for tenant in [TENANT, others] {
        let events = vec![closed(1, 10), closed(2, 20)];
        store.commit(tenant, WriteSet { events, ..ended(1, 10, true) }).await.unwrap();
    }
    let all = Retention { events_before: at(1_000), alerts_before: at(1_000) };
    assert_eq!(store.purge(TENANT, all).await.unwrap(), Purged { events: 2, alerts: 1 });
    assert!(sequences(store).await.is_empty());

    let fixture = fixture.reopen().await;
    let store = fixture.store();
    assert_eq!(store.tenant("acme".to_owned()).await.unwrap(), others);
    let query = EventQuery { limit: 9, ..EventQuery::default() };
    assert_eq!(store.events(others, query).await.unwrap(), [closed(2, 20), closed(1, 10)]);
    let fingerprint = alert(1, "Ended").1.fingerprint;
    assert_eq!(store.alert_history(others, fingerprint, 9).await.unwrap().len(), 1);
    assert_eq!(store.load(others).await.unwrap().highest.event.0, 2);
}
