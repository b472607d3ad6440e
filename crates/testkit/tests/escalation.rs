//! What must hold of escalations in every history: random ones, from a fixed seed, checked by a
//! straight-line reading of what is documented, not by the engine's own code.
//!
//! `TOCSIN_TEST_LONG=1` plays twenty times as many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "escalation/history.rs"]
mod history;
#[path = "escalation/reference.rs"]
mod reference;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

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
fn each_method_of_a_person_is_used_once_by_a_step() {
    check(120, |history| {
        let played = play(&history)?;
        reference::once_per_step(&played)
    });
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
