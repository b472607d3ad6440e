//! What must hold in every history: random ones, from a fixed seed.
//!
//! `TOCSIN_TEST_LONG=1` plays twenty times as many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "properties/history.rs"]
mod history;
#[path = "properties/universe.rs"]
mod universe;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tocsin_core::event::Event;
use tocsin_core::ids::{AlertNumber, GroupNumber, OutboxNumber};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::notification::{LogKey, NotifyReason, OutboxEntry};
use tocsin_testkit::simulation::What;

use history::{Act, Ingredients, Moment, Played, histories, play};

const FIVE_MINUTES: SignedDuration = SignedDuration::from_mins(5);

/// So long that alerts end only when their source says so.
const NEVER: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Runs `property` on the same random histories every time.
fn check(
    cases: u32,
    with: Ingredients,
    property: impl Fn(Vec<Moment>) -> Result<(), TestCaseError>,
) {
    let is_long = std::env::var_os("TOCSIN_TEST_LONG").is_some_and(|v| v == "1");
    let config = Config {
        cases: if is_long { cases * 20 } else { cases },
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    if let Err(error) = runner.run(&histories(with), property) {
        panic!("{error}");
    }
}

fn arrivals(played: &Played) -> impl Iterator<Item = (Timestamp, &OutboxEntry, bool)> {
    played.happenings.iter().filter_map(|happening| match &happening.what {
        What::Arrived { entry, is_again } => Some((happening.at, &**entry, *is_again)),
        _ => None,
    })
}

fn doubted(played: &Played) -> impl Iterator<Item = &OutboxEntry> {
    played.happenings.iter().filter_map(|happening| match &happening.what {
        What::Doubted { entry } => Some(&**entry),
        _ => None,
    })
}

fn sends_resolved(key: &LogKey) -> bool {
    &*key.kind == "webhook"
}

#[test]
fn no_firing_alert_is_lost_without_a_recorded_reason() {
    check(150, Ingredients::ALL, |history| {
        play(&history, FIVE_MINUTES, told_or_held_back)?;
        Ok(())
    });
}

/// Once nothing has changed for longer than a group may wait, every firing alert was told
/// everywhere, or is on its way, or is held back for a reason that the history has.
fn told_or_held_back(played: &Played) -> Result<(), TestCaseError> {
    let Some(tenant) = played.simulation.tenant() else { return Ok(()) };
    let now = played.now();
    let events = played.simulation.rows().events();
    let changed_at = events
        .iter()
        .rev()
        .find(|recorded| changes_the_world(&recorded.event))
        .map_or(universe::start(), |recorded| recorded.at)
        .max(universe::last_quiet_change(now));
    if now.duration_since(changed_at) <= universe::GROUP_INTERVAL + universe::GROUP_WAIT {
        return Ok(());
    }
    for view in tenant.alerts(now) {
        let number = view.identity.number;
        let explanation = tenant.explain(view.identity.fingerprint, now).unwrap();
        prop_assert!(!explanation.groups.is_empty(), "{:?} is in no group", view.identity);
        for group in &explanation.groups {
            let labels = &view.identity.labels;
            if let Some(cause) = &group.muted {
                let held = last_mute(events.iter().map(|r| &r.event), number, group.number);
                prop_assert_eq!(held, Some(cause), "{} at {}", labels, now);
                continue;
            }
            for integration in &group.integrations {
                let is_given_up = events.iter().rev().any(|recorded| {
                    recorded.at > changed_at
                        && matches!(&recorded.event, Event::NotificationAbandoned { integration: i, .. } if *i == integration.integration)
                });
                prop_assert!(
                    integration.was_told || integration.pending.is_some() || is_given_up,
                    "{labels} was not told to {} at {now}",
                    integration.integration
                );
            }
        }
    }
    Ok(())
}

fn changes_the_world(event: &Event) -> bool {
    matches!(
        event,
        Event::AlertFired { .. }
            | Event::AlertResolved { .. }
            | Event::AlertUnacknowledged { .. }
            | Event::SilenceStarted { .. }
            | Event::SilenceEnded { .. }
            | Event::MaintenanceStarted { .. }
            | Event::MaintenanceEnded { .. }
            | Event::EngineStarted { .. }
            | Event::Reconfigured { .. }
    )
}

fn last_mute<'a>(
    events: impl DoubleEndedIterator<Item = &'a Event>,
    number: AlertNumber,
    place: GroupNumber,
) -> Option<&'a tocsin_core::event::MuteCause> {
    events.rev().find_map(|event| match event {
        Event::AlertMuted { alert, group, cause } if (*alert, *group) == (number, place) => {
            Some(Some(cause))
        }
        Event::AlertUnmuted { alert, group, .. } if (*alert, *group) == (number, place) => {
            Some(None)
        }
        _ => None,
    })?
}

#[test]
fn replaying_a_history_gives_the_same_bytes() {
    check(80, Ingredients::ALL, |history| {
        let bytes = |played: &Played| serde_json::to_string(played.simulation.rows().events());
        let first = play(&history, FIVE_MINUTES, |_| Ok(()))?;
        let second = play(&history, FIVE_MINUTES, |_| Ok(()))?;
        prop_assert_eq!(bytes(&first).unwrap(), bytes(&second).unwrap());
        Ok(())
    });
}

#[test]
fn a_restart_finds_the_state_that_was() {
    check(60, Ingredients::ALL, |history| {
        let mut played = Played::new(FIVE_MINUTES);
        played.simulation.checks_restarts = true;
        for (wait, act) in &history {
            played.advance(*wait);
            played.act(act);
        }
        let complaints = played.simulation.take_complaints();
        prop_assert!(complaints.is_empty(), "{complaints:#?}");
        Ok(())
    });
}

#[test]
fn no_group_notifies_twice_within_repeat_interval_without_a_change() {
    check(150, Ingredients::ALL, |history| {
        let played = play(&history, FIVE_MINUTES, |_| Ok(()))?;
        let mut last: BTreeMap<LogKey, OutboxEntry> = BTreeMap::new();
        // What arrived and was never confirmed is told once more when it is given up.
        let doubted: BTreeSet<OutboxNumber> = doubted(&played).map(|entry| entry.number).collect();
        for (at, entry, is_again) in arrivals(&played) {
            if is_again {
                continue;
            }
            let before = last.insert(entry.key.clone(), entry.clone());
            if let Some(before) = before.filter(|before| !doubted.contains(&before.number)) {
                let (from, to) = (before.notification.decided_at, entry.notification.decided_at);
                let (pause, reason) = (to.duration_since(from), entry.notification.reason);
                let is_same = before.firing == entry.firing && before.resolved == entry.resolved;
                // One that is told of no resolves hears of an alert again when it fires again.
                let has_changed = !is_same
                    || reason == NotifyReason::Unmuted
                    || ended_between(&played, &entry.firing, from, to);
                prop_assert!(
                    has_changed || pause >= universe::REPEAT_INTERVAL,
                    "{} at {at} after {pause:#} ({reason:?})",
                    entry.key.integration()
                );
                if reason == NotifyReason::Repeat {
                    prop_assert!(pause >= universe::REPEAT_INTERVAL, "{pause:#}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn what_somebody_works_on_is_not_repeated() {
    let with = Ingredients { people: true, restarts: true, ..Ingredients::default() };
    check(300, with, |mut history| {
        // Long enough for repeats to come due.
        history.push((40_000, Act::Change));
        let played = play(&history, NEVER, |_| Ok(()))?;
        let mut acknowledged: BTreeSet<AlertNumber> = BTreeSet::new();
        for recorded in played.simulation.rows().events() {
            match &recorded.event {
                Event::AlertAcknowledged { alert, .. } => {
                    acknowledged.insert(*alert);
                }
                Event::AlertUnacknowledged { alert, .. } => {
                    acknowledged.remove(alert);
                }
                Event::NotificationQueued { reason: NotifyReason::Repeat, firing, .. } => {
                    prop_assert!(
                        firing.iter().any(|alert| !acknowledged.contains(alert)),
                        "{firing:?} are repeated at {} although all are acknowledged",
                        recorded.at
                    );
                }
                _ => {}
            }
        }
        Ok(())
    });
}

fn ended_between(played: &Played, alerts: &[Fingerprint], from: Timestamp, to: Timestamp) -> bool {
    played.simulation.rows().events().iter().any(|recorded| {
        recorded.at >= from
            && recorded.at <= to
            && matches!(&recorded.event, Event::AlertResolved { fingerprint, .. } if alerts.contains(fingerprint))
    })
}

#[test]
fn silences_windows_and_inhibition_agree_with_brute_force() {
    check(150, Ingredients { faults: false, ..Ingredients::ALL }, |history| {
        // Alerts that last let more of them meet.
        play(&history, SignedDuration::from_hours(2), brute_force)?;
        Ok(())
    });
}

fn has(labels: &Labels, pairs: &[(&str, &str)]) -> bool {
    pairs.iter().all(|(name, value)| labels.iter().any(|(n, v)| n == *name && v == *value))
}

fn brute_force(played: &Played) -> Result<(), TestCaseError> {
    let Some(tenant) = played.simulation.tenant() else { return Ok(()) };
    let now = played.now();
    let alerts = tenant.alerts(now);
    for view in &alerts {
        let labels = &view.identity.labels;
        let mut silenced: Vec<_> = played
            .silences
            .iter()
            .filter(|s| s.from <= now && now < s.to)
            .filter(|s| has(labels, &universe::selection(s.selection)))
            .map(|s| s.id)
            .collect();
        silenced.sort();
        prop_assert_eq!(&view.status.silenced_by, &silenced, "silences of {} at {}", labels, now);
        let maintained: Vec<String> = played
            .windows
            .iter()
            .filter(|(_, (_, from, to))| *from <= now && now < *to)
            .filter(|(_, (selection, _, _))| has(labels, &universe::selection(*selection)))
            .map(|(name, _)| format!("window {name}"))
            .collect();
        let found: Vec<String> =
            view.status.maintained_by.iter().map(ToString::to_string).collect();
        prop_assert_eq!(found, maintained, "windows of {} at {}", labels, now);
        let inhibitors: BTreeSet<(Fingerprint, usize)> = universe::rules(played.variant)
            .iter()
            .enumerate()
            .filter(|(_, (_, target, _))| has(labels, target))
            .flat_map(|(rule, (source, target, equal))| {
                let is_two_sided = has(labels, source);
                alerts
                    .iter()
                    .map(|other| &other.identity)
                    .filter(move |other| has(&other.labels, source))
                    .filter(move |other| !(is_two_sided && has(&other.labels, target)))
                    .filter(move |other| {
                        equal.iter().all(|name| other.labels.value(name) == labels.value(name))
                    })
                    .map(move |other| (other.fingerprint, rule))
            })
            .collect();
        match &view.status.inhibited_by {
            None => prop_assert!(inhibitors.is_empty(), "{} at {}: {:?}", labels, now, inhibitors),
            Some(by) => prop_assert!(
                inhibitors.contains(&(by.source, by.rule)),
                "{} at {} is not inhibited by {:?}",
                labels,
                now,
                by
            ),
        }
    }
    Ok(())
}

#[test]
fn a_resolve_follows_every_page_and_only_a_page() {
    check(150, Ingredients::ALL, |history| {
        let mut played = play(&history, FIVE_MINUTES, |_| Ok(()))?;
        end_everything(&mut played);
        let complaints = played.simulation.take_complaints();
        prop_assert!(complaints.is_empty(), "{complaints:#?}");
        let told = told_state(&played)?;
        let open: Vec<_> = told.iter().filter(|(_, fires)| **fires).map(|(k, _)| k).collect();
        prop_assert!(open.is_empty(), "told as firing and never as resolved: {open:#?}");
        Ok(())
    });
}

/// Ends all alerts with all receivers well, and lets hours pass.
fn end_everything(played: &mut Played) {
    played.heal();
    for alert in 0..universe::ALERTS {
        played.act(&Act::Resolve { alert });
    }
    played.advance(20_000);
}

/// Returns what each integration that is told of resolves believes in the end: whether each alert
/// it was told of fires. Fails when a resolve was told of an alert that was never told as firing,
/// not even in a message that may have arrived.
fn told_state(played: &Played) -> Result<BTreeMap<(String, Fingerprint), bool>, TestCaseError> {
    let mut told: BTreeMap<(String, Fingerprint), bool> = BTreeMap::new();
    let mut doubted: BTreeSet<(String, Fingerprint)> = BTreeSet::new();
    for happening in &played.happenings {
        let at = happening.at;
        let (entry, arrived) = match &happening.what {
            What::Arrived { entry, .. } => (entry, true),
            What::Doubted { entry } => (entry, false),
            _ => continue,
        };
        if !sends_resolved(&entry.key) {
            continue;
        }
        // Each group is an incident of its own at the receiver.
        let place = format!("{} {}", entry.key.integration(), entry.key.group);
        let alerts = &entry.notification.alerts;
        if !arrived {
            let firing = alerts.iter().filter(|alert| !alert.is_resolved);
            doubted.extend(firing.map(|alert| (place.clone(), alert.fingerprint)));
            continue;
        }
        for alert in alerts {
            let key = (place.clone(), alert.fingerprint);
            if alert.is_resolved {
                prop_assert!(
                    told.contains_key(&key) || doubted.contains(&key),
                    "{} is told as resolved to {place} at {at} but never was as firing",
                    alert.labels
                );
            }
            told.insert(key, !alert.is_resolved);
        }
    }
    Ok(told)
}

#[test]
fn a_restart_changes_nothing_of_what_is_told() {
    let with = Ingredients { mutes: true, reloads: true, people: true, ..Ingredients::default() };
    check(80, with, |history| {
        let without = play(&history, NEVER, |_| Ok(()))?;
        // After each moment the process dies and comes back at once.
        let mut died = Played::new(NEVER);
        for (wait, act) in &history {
            died.advance(*wait);
            died.act(act);
            died.act(&Act::Restart { seconds: 0 });
        }
        prop_assert_eq!(tellings(&without), tellings(&died));
        Ok(())
    });
}

fn tellings(played: &Played) -> Vec<String> {
    arrivals(played)
        .filter(|(_, _, is_again)| !is_again)
        .map(|(at, entry, _)| {
            let alerts: Vec<String> = entry
                .notification
                .alerts
                .iter()
                .map(|a| format!("{}{}", if a.is_resolved { "-" } else { "+" }, a.labels))
                .collect();
            let reason = entry.notification.reason;
            format!("{at} {} {reason:?} {}", entry.key.integration(), alerts.join(" "))
        })
        .collect()
}

#[test]
fn restarts_and_faults_lose_no_page_and_no_resolve() {
    let with = Ingredients { faults: true, mutes: true, people: true, ..Ingredients::default() };
    check(80, with, |history| {
        let mut without = play(&history, NEVER, |_| Ok(()))?;
        let mut died = Played::new(NEVER);
        for (wait, act) in &history {
            died.advance(*wait);
            died.act(act);
            died.act(&Act::Restart { seconds: 0 });
        }
        // Everything that fires and may be told is told in both.
        for played in [&mut without, &mut died] {
            played.heal();
            played.advance(8_000);
        }
        let (told, told_after_deaths) = (told_state(&without)?, told_state(&died)?);
        prop_assert_eq!(firing(&told), firing(&told_after_deaths));
        for played in [&mut without, &mut died] {
            end_everything(played);
            let told = told_state(played)?;
            prop_assert!(firing(&told).is_empty(), "still open: {:?}", firing(&told));
        }
        Ok(())
    });
}

fn firing(told: &BTreeMap<(String, Fingerprint), bool>) -> Vec<&(String, Fingerprint)> {
    told.iter().filter(|(_, fires)| **fires).map(|(key, _)| key).collect()
}
