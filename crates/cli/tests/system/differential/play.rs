//! A schedule is played to both sides at once, in real time.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tocsin_engine::{Clock as _, SystemClock};
use tocsin_testkit::differential::moment::{
    OFFSET_IN_SECOND_MS, TICK_MS, guard, is_punctual, text,
};
use tocsin_testkit::differential::observe::Observed;
use tocsin_testkit::differential::schedule::{Action, Schedule, Step};

use super::side::{Hooks, Side};

/// What is asked at every look.
const ALWAYS: [&str; 3] = ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"];

/// What is asked besides, one after the other.
const IN_TURN: [&str; 8] = [
    "/api/v2/alerts?silenced=false&inhibited=false",
    "/api/v2/alerts?active=false",
    "/api/v2/alerts/groups?receiver=r1",
    "/api/v2/alerts?filter=severity%3D%22critical%22&filter=instance!%3Dh2",
    "/api/v2/silences?filter=alertname%3DA",
    "/api/v2/alerts/groups?silenced=false&filter=alertname%3D~%22A%7CB%22",
    "/api/v2/alerts?receiver=r(0%7C2)",
    "/api/v2/receivers",
];

/// What both said.
pub(super) struct Played {
    pub(super) ours: Observed,
    pub(super) theirs: Observed,
    /// Why this run says nothing, if the machine was too busy.
    pub(super) disturbed: Option<String>,
}

/// What happens at one instant.
enum Event<'a> {
    Step(&'a Step),
    Look(usize),
}

/// Plays a schedule; of Alertmanager's messages only those count for which `is_kept` says so.
pub(super) async fn play(
    program: &Path,
    schedule: &Schedule,
    is_kept: impl Fn(&Value) -> bool,
) -> Played {
    let hooks = Hooks::start().await;
    let [our_config, their_config] = [0, 1].map(|side| schedule.setup.yaml(&hooks.url(side)));
    let (mut ours, mut theirs) = tokio::join!(
        Side::start(None, hooks.url(0), &our_config),
        Side::start(Some(program), hooks.url(1), &their_config),
    );
    let (begun, origin) = origin();
    ours.begin(origin);
    theirs.begin(origin);

    let mut events: Vec<(i64, Event<'_>)> =
        schedule.steps.iter().map(|step| (step.at, Event::Step(step))).collect();
    events.extend(schedule.looks().enumerate().map(|(turn, at)| (at, Event::Look(turn))));
    events.sort_by_key(|(at, _)| *at);
    let mut disturbed = None;
    let due_at = |at: i64| begun + Duration::from_millis(u64::try_from(at).unwrap_or_default());
    let mut events = events.into_iter().peekable();
    while let Some((at, event)) = events.next() {
        let due = due_at(at);
        tokio::time::sleep_until(due.into()).await;
        match event {
            Event::Step(step) => {
                if let Action::Hook { hook, accepts } = step.action {
                    hooks.behave(hook, accepts);
                }
                tokio::join!(ours.act(step), theirs.act(step));
            }
            Event::Look(turn) => {
                let paths = [ALWAYS.as_slice(), &[IN_TURN[turn % IN_TURN.len()]]].concat();
                tokio::join!(ours.look(at, &paths), theirs.look(at, &paths));
            }
        }
        let late = i64::try_from(due.elapsed().as_millis()).unwrap_or(i64::MAX);
        if late > guard(at, events.peek().map(|(next, _)| *next)) {
            disturbed = Some(format!("what was due at {} took {late} ms", text(at)));
        }
    }
    // The last tick counts to its end: the two may flush at different places in it.
    tokio::time::sleep_until(due_at((schedule.ticks + 1) * TICK_MS).into()).await;
    for (side, hook, at, is_accepted, body) in hooks.arrivals() {
        let at = i64::try_from(at.saturating_duration_since(begun).as_millis()).unwrap_or(i64::MAX);
        if !is_punctual(at) {
            let who = ["Tocsin", "Alertmanager"][side];
            disturbed = Some(format!("a message of {who} came at {}", text(at)));
        }
        if side == 0 {
            ours.observed.message(at, hook, is_accepted, &body);
        } else if is_kept(&body) {
            theirs.observed.message(at, hook, is_accepted, &body);
        }
    }
    Played { ours: ours.observed, theirs: theirs.observed, disturbed }
}

/// Returns an instant a little ahead that lies well within a second, on both clocks.
fn origin() -> (Instant, i64) {
    let (here, now) = (Instant::now(), SystemClock.now().as_millisecond());
    let wait = 1_000 - (now - OFFSET_IN_SECOND_MS).rem_euclid(1_000);
    (here + Duration::from_millis(u64::try_from(wait).unwrap_or_default()), now + wait)
}
