//! Values of every kind that is stored, as wild as they may come from outside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use tocsin_core::acknowledgement::Acknowledgement;
use tocsin_core::alert::{Activity, Description, Inhibitor};
use tocsin_core::event::MuteCause;
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber, SilenceNumber};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::matcher::{MatchOp, Matcher, Matchers};
use tocsin_core::notification::{
    LogEntry, LogKey, Notification, NotifiedAlert, NotifyReason, OutboxEntry,
};
use tocsin_core::rows::{GroupRow, MaintenanceRow};
use tocsin_core::silence::Silence;

pub(crate) fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..8).prop_map(|chars| chars.into_iter().collect())
}

/// Instants of our centuries to the nanosecond, and far ones to the millisecond.
pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    let near = (-8_000_000_000_i64..9_000_000_000, 0..1_000_000_000_i32);
    let far = prop_oneof![
        -377_000_000_000_000..-9_300_000_000_000_i64,
        9_300_000_000_000..253_000_000_000_000_i64
    ];
    prop_oneof![
        9 => near.prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap()),
        1 => far.prop_map(|millisecond| Timestamp::from_millisecond(millisecond).unwrap()),
    ]
}

pub(crate) fn labels() -> impl Strategy<Value = Labels> {
    vec((text(), text()), 0..5).prop_map(Labels::from_iter)
}

pub(crate) fn description() -> impl Strategy<Value = Description> {
    (labels(), text())
        .prop_map(|(annotations, url)| Description { annotations, generator_url: url.into() })
}

pub(crate) fn activity() -> impl Strategy<Value = Activity> {
    (instant(), instant(), any::<bool>(), instant()).prop_map(
        |(starts_at, ends_at, is_timeout, updated_at)| Activity {
            starts_at,
            ends_at,
            is_timeout,
            updated_at,
        },
    )
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    any::<u64>().prop_map(Fingerprint)
}

fn mute_cause() -> impl Strategy<Value = MuteCause> {
    prop_oneof![
        (fingerprint(), 0..9_usize)
            .prop_map(|(source, rule)| MuteCause::Inhibition(Inhibitor { source, rule })),
        text().prop_map(|names| MuteCause::ActiveInterval { names: names.into() }),
        text().prop_map(|name| MuteCause::MuteInterval { name: name.into() }),
        any::<u128>().prop_map(|id| MuteCause::Silence { id: uuid::Uuid::from_u128(id) }),
        text().prop_map(|name| MuteCause::Maintenance { name: name.into() }),
    ]
}

pub(crate) fn group(number: u64) -> impl Strategy<Value = GroupRow> {
    (
        text(),
        labels(),
        (instant(), instant(), option::of(instant())),
        any::<bool>(),
        btree_map(fingerprint(), option::of(mute_cause()), 0..6),
    )
        .prop_map(
            move |(route, labels, (opened_at, flush_at, early_flush_at), has_flushed, alerts)| {
                GroupRow {
                    number: GroupNumber(number),
                    route: route.into(),
                    labels,
                    opened_at,
                    flush_at,
                    early_flush_at,
                    has_flushed,
                    alerts: alerts.into_iter().collect(),
                }
            },
        )
}

/// One of few keys, so that entries are replaced and forgotten.
pub(crate) fn log_key() -> impl Strategy<Value = LogKey> {
    (0..3_u8, 0..2_u8, 0..2_u32).prop_map(|(group, receiver, index)| LogKey {
        group: format!("{{}}:{{g=\"{group}\"}}").into(),
        receiver: format!("r{receiver}").into(),
        kind: "webhook".into(),
        index,
    })
}

pub(crate) fn log_entry() -> impl Strategy<Value = LogEntry> {
    let list = || vec(fingerprint(), 0..4);
    let lists = (list(), list(), list());
    (instant(), lists, instant(), option::of(text()), option::of(text())).prop_map(
        |(told_at, (firing, resolved, doubted), expires_at, receipt, page_key)| LogEntry {
            told_at,
            firing,
            resolved,
            doubted,
            expires_at,
            receipt,
            page_key: page_key.map(Into::into),
        },
    )
}

pub(crate) fn acknowledgement() -> impl Strategy<Value = Acknowledgement> {
    (text(), instant(), option::of(instant()), text())
        .prop_map(|(by, at, expires_at, comment)| Acknowledgement { by, at, expires_at, comment })
}

fn notified_alert() -> impl Strategy<Value = NotifiedAlert> {
    (any::<u32>(), labels(), description(), activity(), any::<bool>()).prop_map(
        |(number, labels, description, activity, is_resolved)| NotifiedAlert {
            number: AlertNumber(number.into()),
            fingerprint: labels.fingerprint(),
            labels,
            annotations: description.annotations,
            generator_url: description.generator_url,
            starts_at: activity.starts_at,
            ends_at: activity.ends_at,
            is_resolved,
        },
    )
}

fn notification() -> impl Strategy<Value = Notification> {
    (text(), text(), labels(), labels(), vec(notified_alert(), 0..3), instant()).prop_map(
        |(receiver, group_key, group_labels, route_labels, alerts, decided_at)| Notification {
            receiver: receiver.into(),
            group_key: group_key.into(),
            group_labels,
            route_labels,
            reason: NotifyReason::NewAlerts,
            alerts,
            decided_at,
        },
    )
}

pub(crate) fn outbox_entry(number: u64) -> impl Strategy<Value = OutboxEntry> {
    (
        any::<u32>(),
        log_key(),
        notification(),
        (vec(fingerprint(), 0..3), vec(fingerprint(), 0..3)),
        (any::<u32>(), option::of(text())),
        (instant(), instant(), instant()),
    )
        .prop_map(
            move |(
                group,
                key,
                notification,
                (firing, resolved),
                (attempts, receipt),
                (log_expires_at, due_at, deadline),
            )| OutboxEntry {
                number: OutboxNumber(number),
                group: GroupNumber(group.into()),
                key,
                notification: notification.into(),
                firing,
                resolved,
                log_expires_at,
                attempts,
                due_at,
                deadline,
                receipt,
            },
        )
}

fn matchers() -> impl Strategy<Value = Matchers> {
    let matcher = prop_oneof![
        (text(), text()).prop_map(|(name, value)| Matcher::equal(name, value)),
        (text(), text())
            .prop_map(|(name, value)| { Matcher::new(name, MatchOp::NotEqual, value).unwrap() }),
        (text(), prop::sample::select(vec!["a.*", "(x|y)+", "[^\"\\\\]?", ""]))
            .prop_map(|(name, pattern)| Matcher::new(name, MatchOp::Regex, pattern).unwrap()),
    ];
    vec(matcher, 0..4).prop_map(Matchers::new)
}

pub(crate) fn silence(number: u64) -> impl Strategy<Value = Silence> {
    (
        any::<u128>(),
        matchers(),
        (instant(), instant(), instant()),
        text(),
        text(),
        btree_map(text(), text(), 0..3),
    )
        .prop_map(
            move |(
                id,
                matchers,
                (starts_at, ends_at, updated_at),
                created_by,
                comment,
                annotations,
            ): (_, _, _, _, _, BTreeMap<String, String>)| Silence {
                id: uuid::Uuid::from_u128(id),
                number: SilenceNumber(number),
                matchers,
                starts_at,
                ends_at,
                updated_at,
                created_by,
                comment,
                annotations,
            },
        )
}

pub(crate) fn maintenance_row(name: String) -> impl Strategy<Value = MaintenanceRow> {
    (matchers(), 0..9_999_999_i64, option::of(text()), text(), text()).prop_map(
        move |(matchers, duration_seconds, recurrence, comment, created_by)| MaintenanceRow {
            name: name.clone(),
            matchers,
            starts_at: jiff::civil::date(2026, 11, 21).at(2, 30, 0, 0),
            duration_seconds,
            time_zone: "Europe/Berlin".to_owned(),
            recurrence,
            comment,
            created_by,
        },
    )
}
