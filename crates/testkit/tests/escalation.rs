//! What must hold of escalations in every history: random ones, from a fixed seed, checked by a
//! straight-line reading of what is documented, not by the engine's own code.
//!
//! `TOCSIN_TEST_LONG=1` plays twenty times as many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "escalation/history.rs"]
mod history;
#[path = "escalation/reference.rs"]
mod reference;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use tocsin_core::escalation::{EscalationPolicy, StepAuditor};
use tocsin_core::event::{Event, Subject};
use tocsin_core::ids::{RunNumber, Sequence};

use history::{Moment, histories, play};

fn check(cases: u32, property: impl Fn(Vec<Moment>) -> Result<(), TestCaseError>) {
    let is_long = std::env::var_os("TOCSIN_TEST_LONG").is_some_and(|v| v == "1");
    let config = Config {
        cases: if is_long { cases * 20 } else { cases },
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    if let Err(error) = runner.run(&histories(), property) {
        panic!("{error}");
    }
}

#[test]
fn every_due_step_runs_exactly_once_and_at_its_time() {
    check(120, |history| {
        let played = play(&history)?;
        reference::steps(&played)
    });
}

#[test]
fn nobody_is_disturbed_for_what_is_taken_or_held_back_or_over() {
    check(120, |history| {
        let played = play(&history)?;
        reference::disturbances(&played)
    });
}

#[test]
fn no_method_is_used_more_often_than_its_windows_allow() {
    check(120, |history| {
        let played = play(&history)?;
        reference::throttles(&played)
    });
}

#[test]
fn what_waits_for_one_number_is_sent_together() {
    check(120, |history| {
        let played = play(&history)?;
        reference::bundles(&played)
    });
}

#[test]
fn each_method_of_a_person_is_used_once_by_a_step() {
    check(120, |history| {
        let played = play(&history)?;
        reference::once_per_step(&played)
    });
}

/// Returns the auditor that has followed what was written, but for one event.
fn audited(played: &history::Played, dropped: Option<Sequence>) -> StepAuditor {
    let rows = played.simulation.rows();
    let policies: BTreeMap<RunNumber, Arc<EscalationPolicy>> =
        rows.rows().runs.iter().map(|run| (run.number, Arc::clone(&run.policy))).collect();
    let mut auditor = StepAuditor::new(SignedDuration::ZERO);
    for recorded in rows.events().iter().filter(|it| Some(it.sequence) != dropped) {
        auditor.take(recorded, |run| policies.get(&run).map(Arc::clone));
    }
    auditor
}

#[test]
fn the_auditor_finds_no_fault_in_what_the_engine_did() {
    check(120, |history| {
        let played = play(&history)?;
        let found = audited(&played, None).look(played.now());
        prop_assert!(found.is_empty(), "{found:#?}");
        Ok(())
    });
}

#[test]
fn the_auditor_finds_each_step_that_is_not_in_the_history() {
    check(60, |history| {
        let played = play(&history)?;
        let events = played.simulation.rows().events().to_vec();
        for recorded in &events {
            let Event::StepReached { run, .. } = &recorded.event else { continue };
            // Somebody may answer, or it may end, at the very instant at which a step is due.
            let is_alone = events.iter().all(|other| {
                let is_other_step = matches!(other.event, Event::StepReached { .. });
                let is_of_it = other.event.subject() == Subject::Run(*run);
                other.at != recorded.at || !is_of_it || is_other_step || is_page(&other.event)
            });
            if !is_alone || recorded.at >= played.now() {
                continue;
            }
            let found = audited(&played, Some(recorded.sequence)).look(played.now());
            let is_found = found.iter().any(|(number, _)| number == run);
            prop_assert!(is_found, "{recorded:?} is not missed: {found:?}");
        }
        Ok(())
    });
}

fn is_page(event: &Event) -> bool {
    event.kind().starts_with("page_")
}

#[test]
fn what_was_written_is_found_again_at_every_moment() {
    check(25, |history| {
        let mut history = history;
        history.truncate(15);
        let mut played = history::Played::new();
        played.simulation.checks_restarts = true;
        for (wait, act) in &history {
            played.advance(*wait);
            played.act(act);
        }
        let complaints = played.simulation.take_complaints();
        prop_assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        Ok(())
    });
}

#[test]
fn replaying_a_history_gives_the_same_bytes() {
    check(40, |history| {
        let bytes = |played: &history::Played| {
            serde_json::to_string(played.simulation.rows().events()).unwrap()
        };
        let (first, second) = (play(&history)?, play(&history)?);
        prop_assert_eq!(bytes(&first), bytes(&second));
        Ok(())
    });
}
