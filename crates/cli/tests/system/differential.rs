//! Tocsin in Alertmanager's place beside Alertmanager itself: the same random schedules, and
//! every message and answer compared.
//!
//! `TOCSIN_TEST_LONG=1` plays two hundred. `TOCSIN_DIFFERENTIAL=17`, `=1..200` or `=17:0,3,5`
//! plays those seeds, or those steps of one. What differs is played again, made smaller, and
//! written down as a scenario in the directory that the failure names.

mod play;
mod side;

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use tocsin_testkit::differential::case::{Case, Selection};
use tocsin_testkit::differential::compare::{Difference, differences};
use tocsin_testkit::differential::moment::TICK_MS;
use tocsin_testkit::differential::schedule::{Action, Schedule};
use tocsin_testkit::differential::shrink::Shrinker;

use crate::support::program;
use play::play;

/// How many schedules are played at once, each by a pair of processes of its own.
const PAIRS: usize = 10;

/// Seeds of a normal run and of a long one.
const SEEDS: [u64; 2] = [10, 200];

/// How often a schedule is played anew because the machine was too busy.
const DISTURBED_AT_MOST: usize = 6;

/// How often a difference has to come again before it counts.
const CONFIRMATIONS: usize = 2;

/// The most runs that one difference is shrunk by.
const SHRINK_RUNS: usize = 60;

/// How a schedule went.
#[derive(Debug)]
enum Ending {
    Same,
    /// Something differed once and not again: chance.
    Flickered(Vec<Difference>),
    /// The machine was too busy every time.
    Disturbed,
    Differs(Box<Case>),
}

fn alertmanager() -> Option<PathBuf> {
    program::find("prometheus-alertmanager")
}

fn selection() -> Selection {
    let is_long = std::env::var("TOCSIN_TEST_LONG").is_ok_and(|value| value == "1");
    match std::env::var("TOCSIN_DIFFERENTIAL") {
        Ok(written) => Selection::parse(&written).unwrap_or_else(|| {
            panic!("TOCSIN_DIFFERENTIAL is `{written}`, not like 17, 1..200 or 17:0,3,5")
        }),
        Err(_) => Selection::Seeds(1..=SEEDS[usize::from(is_long)]),
    }
}

/// Plays until the machine lets both be on time, a bounded number of times, and compares; `None`
/// when it never did.
async fn differ(program: &Path, schedule: &Schedule) -> Option<Vec<Difference>> {
    for _ in 0..DISTURBED_AT_MOST {
        let played = play(program, schedule, |_| true).await;
        match played.disturbed {
            None => return Some(differences(&played.ours, &played.theirs)),
            Some(why) => eprintln!("seed {} says nothing: {why}", schedule.seed),
        }
    }
    None
}

/// Returns whether a smaller schedule shows a difference, too. One without its beginning may
/// make groups flush where they should not: that says nothing.
async fn shows(program: &Path, schedule: &Schedule) -> bool {
    let played = play(program, schedule, |_| true).await;
    played.disturbed.is_none() && !differences(&played.ours, &played.theirs).is_empty()
}

async fn examine(program: &Path, schedule: Schedule) -> Ending {
    let Some(found) = differ(program, &schedule).await else { return Ending::Disturbed };
    if found.is_empty() {
        return Ending::Same;
    }
    for _ in 0..CONFIRMATIONS {
        match differ(program, &schedule).await {
            None => return Ending::Disturbed,
            Some(again) if again.is_empty() => return Ending::Flickered(found),
            Some(_) => {}
        }
    }
    let schedule = shorten(&schedule, &found[0]);
    let mut shrinker = Shrinker::new(schedule, SHRINK_RUNS);
    loop {
        let candidates = shrinker.candidates();
        if candidates.is_empty() {
            break;
        }
        let mut shown = futures_util::stream::iter(candidates)
            .map(async |candidate| shows(program, &candidate).await.then_some(candidate))
            .buffered(PAIRS);
        let mut smaller = None;
        while let Some(answer) = shown.next().await {
            smaller = answer;
            if smaller.is_some() {
                break;
            }
        }
        shrinker.answer(smaller);
    }
    let schedule = shrinker.smallest().clone();
    let last = differ(program, &schedule).await.unwrap_or_default();
    let differences = if last.is_empty() { found } else { last };
    Ending::Differs(Box::new(Case { schedule, differences }))
}

/// Returns the schedule until a little after the first difference.
fn shorten(schedule: &Schedule, first: &Difference) -> Schedule {
    let until = (first.tick + 1) * TICK_MS;
    let mut shorter = schedule.only(|step| step.at < until);
    shorter.ticks = shorter.ticks.min(until / TICK_MS + 1);
    shorter
}

/// Writes a case down and returns where.
fn keep(case: &Case) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("differential");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(case.file_name());
    std::fs::write(&path, case.scenario()).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_say_the_same() {
    let Some(program) = alertmanager() else { return };
    let schedules = selection().schedules();
    let count = schedules.len();
    let endings: Vec<(u64, Ending)> = futures_util::stream::iter(schedules)
        .map(async |schedule| (schedule.seed, examine(&program, schedule).await))
        .buffer_unordered(PAIRS)
        .collect()
        .await;
    let (mut cases, mut flickered, mut disturbed) = (String::new(), 0, 0);
    for (seed, ending) in &endings {
        match ending {
            Ending::Same => {}
            Ending::Disturbed => disturbed += 1,
            Ending::Flickered(found) => {
                flickered += 1;
                eprintln!("seed {seed} differed once and not again:\n  {}", found[0]);
            }
            Ending::Differs(case) => {
                cases.push_str(&format!("\n{case}Kept in {}\n", keep(case).display()));
            }
        }
    }
    eprintln!(
        "{count} schedules; {flickered} differed once and not again, the machine was too busy for \
         {disturbed}"
    );
    assert!(cases.is_empty(), "{cases}");
    // A few are chance; more would mean that nothing is compared.
    assert!(flickered * 10 <= count, "{flickered} of {count} schedules differed by chance");
    assert!(disturbed * 2 <= count, "the machine is too busy: {disturbed} of {count} say nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_lost_is_found_and_shrunk() {
    let Some(program) = alertmanager() else { return };
    // The first seed that tells of several alerts at once, cut short.
    let mut schedule = (1..)
        .map(Schedule::new)
        .find(|schedule| matches!(&schedule.steps[0].action, Action::Tell(all) if all.len() > 1))
        .unwrap();
    schedule.steps.truncate(3);
    schedule.ticks = 3;
    // What Alertmanager sends is passed on, but for what tells of one alert.
    let Action::Tell(tellings) = &schedule.steps[0].action else { unreachable!() };
    let lost = serde_json::json!(tellings[0].labels);
    let loses = |schedule: Schedule| {
        let (program, lost) = (program.clone(), lost.clone());
        async move {
            let is_kept = move |body: &serde_json::Value| {
                let alerts = body["alerts"].as_array().unwrap();
                alerts.iter().all(|alert| alert["labels"] != lost)
            };
            let played = play(&program, &schedule, is_kept).await;
            (!differences(&played.ours, &played.theirs).is_empty()).then_some(schedule)
        }
    };
    let mut shrinker = Shrinker::new(schedule.clone(), SHRINK_RUNS);
    assert!(loses(schedule).await.is_some(), "the loss was not noticed");
    loop {
        let candidates = shrinker.candidates();
        if candidates.is_empty() {
            break;
        }
        let tried = futures_util::future::join_all(candidates.into_iter().map(loses)).await;
        shrinker.answer(tried.into_iter().flatten().next());
    }
    let smallest = shrinker.smallest();
    assert_eq!(smallest.steps.len(), 1, "{smallest:?}");
    let Action::Tell(tellings) = &smallest.steps[0].action else { panic!("{smallest:?}") };
    assert_eq!(serde_json::json!(tellings[0].labels), lost);
    assert_eq!(tellings.len(), 1, "{tellings:?}");
}
