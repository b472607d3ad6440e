//! A store that is only maps: what the real ones must agree with.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use tocsin_core::acknowledgement::Acknowledgement;
use tocsin_core::alert::{Activity, Description, Identity};
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber, SilenceNumber};
use tocsin_core::labels::Labels;
use tocsin_core::notification::{LogEntry, LogKey, OutboxEntry};
use tocsin_core::rows::{AlertRow, GroupRow, Highest, MaintenanceRow, TenantRows, WriteSet};
use tocsin_core::silence::Silence;

use crate::{arbitrary, paging};

/// The open state of a tenant and whatever else is needed to build sensible turns.
#[derive(Default)]
pub(crate) struct Model {
    identities: BTreeMap<AlertNumber, Arc<Identity>>,
    descriptions: BTreeMap<AlertNumber, Arc<Description>>,
    alerts: BTreeMap<AlertNumber, AlertRow>,
    acknowledgements: BTreeMap<AlertNumber, Acknowledgement>,
    groups: BTreeMap<GroupNumber, GroupRow>,
    log: BTreeMap<LogKey, LogEntry>,
    outbox: BTreeMap<OutboxNumber, OutboxEntry>,
    silences: BTreeMap<SilenceNumber, Silence>,
    maintenance_windows: BTreeMap<String, MaintenanceRow>,
    paging: paging::Model,
    highest: Highest,
}

/// What happens in one turn, before it is known what exists. Keys come from small ranges, so that
/// rows are replaced, deleted and written again.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    alerts: BTreeMap<u64, AlertChange>,
    acknowledgements: BTreeMap<u64, Option<Acknowledgement>>,
    groups: BTreeMap<u64, Option<GroupRow>>,
    log: BTreeMap<LogKey, Option<LogEntry>>,
    outbox: BTreeMap<u64, Option<OutboxEntry>>,
    silences: BTreeMap<u64, (Silence, bool)>,
    maintenance_windows: BTreeMap<String, Option<MaintenanceRow>>,
    paging: paging::Turn,
}

#[derive(Clone, Debug)]
struct AlertChange {
    labels: Labels,
    description: Option<Description>,
    activity: Activity,
    is_resolved: bool,
    received: u64,
    is_closed: bool,
}

pub(crate) fn turn() -> impl Strategy<Value = Turn> {
    let alert = (
        arbitrary::labels(),
        option::of(arbitrary::description()),
        arbitrary::activity(),
        any::<bool>(),
        any::<u64>(),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(labels, description, activity, is_resolved, received, is_closed)| {
            AlertChange { labels, description, activity, is_resolved, received, is_closed }
        });
    (
        btree_map(numbers(), alert, 0..5),
        changes(numbers(), |_| arbitrary::acknowledgement()),
        changes(numbers(), arbitrary::group),
        btree_map(arbitrary::log_key(), option::of(arbitrary::log_entry()), 0..4),
        changes(numbers(), arbitrary::outbox_entry),
        btree_set(numbers(), 0..3).prop_flat_map(|numbers| {
            numbers
                .into_iter()
                .map(|number| {
                    (Just(number), (arbitrary::silence(number), prop::bool::weighted(0.3)))
                })
                .collect::<Vec<_>>()
                .prop_map(BTreeMap::from_iter)
        }),
        changes(
            prop::sample::select(vec!["", "nightly", "größer"]).prop_map(str::to_owned),
            arbitrary::maintenance_row,
        ),
        paging::turn(),
    )
        .prop_map(
            |(
                alerts,
                acknowledgements,
                groups,
                log,
                outbox,
                silences,
                maintenance_windows,
                paging,
            )| Turn {
                paging,
                alerts,
                acknowledgements,
                groups,
                log,
                outbox,
                silences,
                maintenance_windows,
            },
        )
}

fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![20 => 1..8_u64, 1 => Just(i64::MAX.unsigned_abs())]
}

/// Up to three keys, each with a new row or `None` for its end.
fn changes<K, R, S>(
    keys: impl Strategy<Value = K>,
    row: impl Fn(K) -> S + Clone,
) -> impl Strategy<Value = BTreeMap<K, Option<R>>>
where
    K: Clone + Ord + std::fmt::Debug,
    R: std::fmt::Debug,
    S: Strategy<Value = R>,
{
    btree_set(keys, 0..4).prop_flat_map(move |keys| {
        keys.into_iter()
            .map(|key| (Just(key.clone()), option::weighted(0.7, row(key))))
            .collect::<Vec<_>>()
            .prop_map(BTreeMap::from_iter)
    })
}

impl Model {
    /// Applies a turn and returns what a store has to write for it.
    pub(crate) fn apply(&mut self, turn: Turn) -> WriteSet {
        let mut writes = WriteSet::default();
        for (number, change) in turn.alerts {
            self.change_alert(&mut writes, AlertNumber(number), change);
        }
        for (number, row) in turn.acknowledgements {
            let number = AlertNumber(number);
            match row {
                Some(row) => {
                    self.acknowledgements.insert(number, row.clone());
                    writes.acknowledgements.push((number, row));
                }
                None => {
                    self.acknowledgements.remove(&number);
                    writes.ended_acknowledgements.push(number);
                }
            }
        }
        for (number, row) in turn.groups {
            let number = GroupNumber(number);
            self.highest.group = self.highest.group.max(number);
            match row {
                Some(row) => {
                    self.groups.insert(number, row.clone());
                    writes.groups.push(row);
                }
                None => {
                    self.groups.remove(&number);
                    writes.closed_groups.push(number);
                }
            }
        }
        for (key, entry) in turn.log {
            match entry {
                Some(entry) => {
                    self.log.insert(key.clone(), entry.clone());
                    writes.log.push((key, entry));
                }
                None => {
                    self.log.remove(&key);
                    writes.forgotten_log.push(key);
                }
            }
        }
        for (number, entry) in turn.outbox {
            let number = OutboxNumber(number);
            self.highest.outbox = self.highest.outbox.max(number);
            match entry {
                Some(entry) => {
                    self.outbox.insert(number, entry.clone());
                    writes.outbox.push(entry);
                }
                None => {
                    self.outbox.remove(&number);
                    writes.finished_outbox.push(number);
                }
            }
        }
        for (silence, is_forgotten) in turn.silences.into_values() {
            self.highest.silence = self.highest.silence.max(silence.number);
            if is_forgotten {
                self.silences.remove(&silence.number);
                writes.forgotten_silences.push(silence);
            } else {
                self.silences.insert(silence.number, silence.clone());
                writes.silences.push(silence);
            }
        }
        for (name, window) in turn.maintenance_windows {
            match window {
                Some(window) => {
                    self.maintenance_windows.insert(name, window.clone());
                    writes.maintenance_windows.push(window);
                }
                None => {
                    self.maintenance_windows.remove(&name);
                    writes.deleted_maintenance_windows.push(name);
                }
            }
        }
        self.paging.apply(turn.paging, &mut writes, &mut self.highest);
        writes
    }

    fn change_alert(&mut self, writes: &mut WriteSet, number: AlertNumber, change: AlertChange) {
        self.highest.alert = self.highest.alert.max(number);
        let identity = self.identities.entry(number).or_insert_with(|| {
            let identity = Arc::new(Identity {
                number,
                fingerprint: change.labels.fingerprint(),
                labels: change.labels,
            });
            writes.identities.push(identity.clone());
            identity
        });
        if let Some(description) = change.description.map(Arc::new) {
            self.descriptions.insert(number, description.clone());
            writes.descriptions.push((number, description));
        }
        let row = AlertRow {
            number,
            fingerprint: identity.fingerprint,
            activity: change.activity,
            is_resolved: change.is_resolved,
            received: change.received,
            is_closed: change.is_closed,
        };
        self.alerts.insert(number, row);
        writes.alerts.push(row);
    }

    /// Forgets escalations that are over, which a start reads as long as they are kept.
    pub(crate) fn forget_what_is_over(&mut self) {
        self.paging.forget_what_is_over();
    }

    /// Checks that a store returned exactly what the model holds.
    pub(crate) fn check(&self, rows: &TenantRows) {
        let open = self.alerts.values().filter(|row| !row.is_closed).map(|row| {
            let description = self.descriptions.get(&row.number).cloned().unwrap_or_default();
            (self.identities[&row.number].clone(), description, *row)
        });
        assert_eq!(rows.alerts, open.collect::<Vec<_>>());
        assert_eq!(
            rows.acknowledgements,
            self.acknowledgements.clone().into_iter().collect::<Vec<_>>()
        );
        assert_eq!(rows.groups, self.groups.values().cloned().collect::<Vec<_>>());
        assert_eq!(rows.outbox, self.outbox.values().cloned().collect::<Vec<_>>());
        assert_eq!(rows.silences, self.silences.values().cloned().collect::<Vec<_>>());
        assert_eq!(
            rows.maintenance_windows,
            self.maintenance_windows.values().cloned().collect::<Vec<_>>()
        );
        let mut log = rows.log.clone();
        log.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(log, self.log.clone().into_iter().collect::<Vec<_>>());
        self.paging.check(rows);
        assert_eq!(rows.highest, self.highest);
    }
}
