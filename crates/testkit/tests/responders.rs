//! Whom escalations page, and when: random policies, people, schedules, answers and restarts,
//! compared with a straight-line model that shares no code with the engine.
//!
//! `TOCSIN_TEST_LONG=1` plays twenty times as many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "responders/house.rs"]
mod house;
#[path = "responders/model.rs"]
mod model;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tocsin_core::event::Event;
use tocsin_core::paging::Content;
use tocsin_testkit::simulation::{Simulation, What};

use house::{Act, House, PERSON, moments};
use model::{Model, Paged, Reached};

const HISTORIES: u32 = 150;

#[test]
fn every_step_pages_exactly_whom_it_should_and_exactly_once() {
    let is_long = std::env::var_os("TOCSIN_TEST_LONG").is_some_and(|v| v == "1");
    let config = Config {
        cases: if is_long { HISTORIES * 20 } else { HISTORIES },
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result =
        runner.run(&(house::houses(), moments()), |(house, moments)| compare(&house, &moments));
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn compare(house: &House, moments: &[(i64, Act)]) -> Result<(), TestCaseError> {
    let mut simulation = Simulation::new(house.policy(), house::start());
    simulation.checks_restarts = false;
    simulation.submit(house.override_command());
    let mut model = Model::new(house.clone(), simulation.now());
    let mut steps = Vec::new();
    let mut pages = Vec::new();
    for (seconds, act) in moments.iter().chain([&(40_000, Act::Nothing)]) {
        let until = simulation.now() + jiff::SignedDuration::from_secs(*seconds);
        simulation.advance_to(until);
        model.advance(until);
        match act {
            Act::Restart { seconds } => {
                // Whose turn it is among what fell due meanwhile is nobody's promise.
                let is_in_turn = house.steps.iter().any(|step| step.is_round_robin);
                let seconds = if is_in_turn { 0 } else { *seconds };
                let span = jiff::SignedDuration::from_secs(seconds);
                simulation.kill();
                simulation.start_after(span, None);
                simulation.advance_to(until + span);
                model.restart(until + span);
            }
            act => {
                if let Some(command) = house::command(act, until) {
                    simulation.submit(command);
                }
                model.act(until, act);
            }
        }
        for happening in simulation.take_happenings() {
            let at = happening.at;
            match happening.what {
                What::Recorded(recorded) => {
                    if let Event::StepReached {
                        run, round, step, due_at, people, skipped, ..
                    } = recorded.event
                    {
                        let mut who: Vec<_> = people.iter().map(|(it, _)| it.to_string()).collect();
                        who.sort();
                        let is_skipped = !skipped.is_empty();
                        let run = run.0;
                        steps.push(Reached { run, round, step, due_at, at, who, is_skipped });
                    }
                }
                What::Paged { page, is_again: false } => {
                    let Content::Page { items } = &page.content else { continue };
                    let person = page.recipient.person().map(ToString::to_string);
                    pages.extend(items.iter().map(|item| Paged {
                        at,
                        run: item.run.0,
                        person: person.clone().unwrap_or_default(),
                    }));
                }
                _ => {}
            }
        }
    }
    let complaints = simulation.take_complaints();
    prop_assert!(complaints.is_empty(), "{complaints:#?}");
    steps.sort();
    pages.sort();
    let (mut wanted_steps, mut wanted_pages) = (model.steps, model.pages);
    wanted_steps.sort();
    wanted_pages.sort();
    prop_assert_eq!(steps, wanted_steps, "{}", house.yaml());
    prop_assert_eq!(pages, wanted_pages, "{}", house.yaml());
    prop_assert!(PERSON.len() == 4);
    Ok(())
}
