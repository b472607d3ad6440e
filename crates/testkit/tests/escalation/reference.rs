//! What is documented, read straight from the history: slow, and obvious.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tocsin_core::event::Event;
use tocsin_core::ids::RunNumber;
use tocsin_core::labels::ALERTNAME;
use tocsin_core::paging::{Channel, Content, Recipient};
use tocsin_testkit::simulation::What;

use super::history::{ALL, FIRST, Played, REPEAT};

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// What the reference knows of one escalation.
#[derive(Debug)]
struct Run {
    is_all: bool,
    alert: usize,
    /// Whether nobody has taken it and it is not over.
    is_open: bool,
    /// Since when it stands still.
    still: Option<Timestamp>,
    round: u32,
    last_step: usize,
    /// The step that is due, and when.
    due: Option<(usize, Timestamp)>,
    /// Who has acknowledged where everybody's answer counts.
    answered: BTreeSet<String>,
}

impl Run {
    fn delays(&self) -> &'static [i64] {
        if self.is_all { &ALL } else { &FIRST }
    }

    /// Returns what is due after a step that was due then.
    fn after(
        &mut self,
        step: usize,
        due_at: Timestamp,
        is_left: bool,
    ) -> Option<(usize, Timestamp)> {
        if let Some(delay) = self.delays().get(step + 1) {
            let delay = if is_left { 0 } else { *delay };
            return Some((step + 1, due_at + seconds(delay)));
        }
        let (after, repeats) = if self.is_all { (0, 0) } else { REPEAT };
        if self.round > repeats {
            return None;
        }
        self.round += 1;
        Some((0, due_at + seconds(after)))
    }
}

/// Walks through the history, keeping what the reference knows, and looks at each event.
fn walk(
    played: &Played,
    mut look: impl FnMut(Timestamp, &BTreeMap<RunNumber, Run>, &What) -> Result<(), TestCaseError>,
) -> Result<BTreeMap<RunNumber, Run>, TestCaseError> {
    let mut runs: BTreeMap<RunNumber, Run> = BTreeMap::new();
    for happening in &played.happenings {
        let at = happening.at;
        look(at, &runs, &happening.what)?;
        let What::Recorded(recorded) = &happening.what else { continue };
        match &recorded.event {
            Event::EscalationStarted { run, policy, alerts, .. } => {
                let identity = alerts.first().and_then(|it| played.simulation.rows().identity(*it));
                let name = identity.and_then(|it| it.labels.get(ALERTNAME).map(str::to_owned));
                let alert = name.unwrap_or_default().trim_start_matches('A').parse().unwrap();
                let is_all = &**policy == "all";
                let run_state = Run {
                    is_all,
                    alert,
                    is_open: true,
                    still: None,
                    round: 1,
                    last_step: 0,
                    due: Some((0, at)),
                    answered: BTreeSet::new(),
                };
                runs.insert(*run, run_state);
            }
            Event::StepReached { run, step, due_at, skipped, .. } => {
                let run = runs.get_mut(run).unwrap();
                if skipped.is_empty() {
                    run.last_step = step - 1;
                }
                run.due = run.after(step - 1, *due_at, !skipped.is_empty());
            }
            Event::EscalationStandsStill { run, .. } => {
                runs.get_mut(run).unwrap().still = Some(at);
            }
            Event::EscalationWentOn { run, stood_since } => {
                let run = runs.get_mut(run).unwrap();
                prop_assert_eq!(run.still.take(), Some(*stood_since));
                if let Some((_, due_at)) = &mut run.due {
                    *due_at += at.duration_since(*stood_since);
                }
            }
            Event::EscalationReopened { run, step, .. } => {
                let run = runs.get_mut(run).unwrap();
                run.is_open = true;
                run.still = None;
                run.answered.clear();
                run.due = Some((step - 1, at));
            }
            Event::EscalationAnswered { run, by, action, .. } => {
                let run = runs.get_mut(run).unwrap();
                match action.as_str() {
                    "acknowledge" | "snooze" => answered(run, by, action == "snooze"),
                    "escalate" => {
                        let count = run.delays().len();
                        let next = run.due.map_or((run.last_step + 1) % count, |due| due.0);
                        run.due = Some((next, at));
                        if !run.is_open {
                            run.answered.clear();
                        }
                        (run.is_open, run.still) = (true, None);
                    }
                    _ => {}
                }
            }
            Event::EscalationEnded { run, .. } => {
                let run = runs.get_mut(run).unwrap();
                (run.is_open, run.due) = (false, None);
            }
            _ => {}
        }
    }
    Ok(runs)
}

/// An acknowledgement takes it, unless everybody's counts and somebody who was asked has not.
fn answered(run: &mut Run, by: &str, is_snooze: bool) {
    run.answered.insert(by.to_owned());
    // Where everybody's answer counts it is enough here that whoever answered is asked no more.
    if is_snooze || !run.is_all {
        (run.is_open, run.still) = (false, None);
    }
}

pub(crate) fn steps(played: &Played) -> Result<(), TestCaseError> {
    let now = played.now();
    let runs = walk(played, |at, runs, what| {
        let What::Recorded(recorded) = what else { return Ok(()) };
        let Event::StepReached { run, round, step, due_at, .. } = &recorded.event else {
            return Ok(());
        };
        let known = runs.get(run).unwrap();
        prop_assert!(known.is_open, "step {step} of escalation {run} at {at} though it is taken");
        prop_assert!(known.still.is_none(), "step {step} of {run} at {at} though it stands still");
        prop_assert_eq!(known.due, Some((step - 1, *due_at)), "escalation {} at {}", run, at);
        prop_assert!(*round >= 1 && *due_at <= at);
        let was_down = played.downtimes.iter().any(|(from, to)| *from <= *due_at && at <= *to);
        prop_assert!(
            at == *due_at || was_down,
            "step {step} of escalation {run} was due {due_at} and came {at}"
        );
        Ok(())
    })?;
    for (number, run) in runs {
        // Where everybody's answer counts, the last answer takes it; the engine says so.
        let is_open = played.simulation.tenant().is_some_and(|tenant| {
            let state = tenant.escalation_state(now);
            state.runs.iter().any(|it| it.number == number && it.is_paging())
        });
        if let Some((step, due_at)) = run.due.filter(|_| run.is_open && is_open) {
            prop_assert!(due_at > now, "step {step} of {number} was due {due_at} and never came");
        }
    }
    Ok(())
}

fn is_silenced(played: &Played, alert: usize, at: Timestamp) -> bool {
    played.silences.iter().any(|(it, from, to)| *it == alert && *from < at && at < *to)
}

fn fires(played: &Played, alert: usize, at: Timestamp) -> bool {
    // At the instant of an end somebody may have been paged just before.
    let counts = |when: Timestamp, fires: bool| if fires { when <= at } else { when < at };
    let told = played.tellings.iter();
    let mut told = told.filter(|(when, it, fires)| *it == alert && counts(*when, *fires));
    told.next_back().is_some_and(|(_, _, fires)| *fires)
}

pub(crate) fn disturbances(played: &Played) -> Result<(), TestCaseError> {
    let mut stopped: BTreeSet<String> = BTreeSet::new();
    walk(played, |at, runs, what| {
        if let What::Recorded(recorded) = what
            && let Event::ContactStopped { person, is_stopped, .. } = &recorded.event
        {
            if *is_stopped {
                stopped.insert(person.to_string());
            } else {
                stopped.remove(person.as_str());
            }
        }
        let What::Paged { page, .. } = what else { return Ok(()) };
        let Content::Page { items } = &page.content else { return Ok(()) };
        for item in items {
            let run = runs.get(&item.run).unwrap();
            let number = item.run;
            prop_assert!(run.is_open, "escalation {number} is taken or over and pages at {at}");
            let alert = run.alert;
            prop_assert!(fires(played, alert, at), "escalation {number} fires no more at {at}");
            prop_assert!(!is_silenced(played, alert, at), "{number} is silenced at {at}");
            if let Some(person) = page.recipient.person() {
                prop_assert!(
                    !run.answered.contains(person.as_str()),
                    "{person} has answered to {number} and is paged at {at}"
                );
            }
        }
        if let Recipient::Person { person, .. } = &page.recipient
            && matches!(page.channel, Channel::Sms | Channel::Voice)
        {
            prop_assert!(!stopped.contains(person.as_str()), "{person} stopped, paged at {at}");
        }
        Ok(())
    })?;
    Ok(())
}

pub(crate) fn throttles(played: &Played) -> Result<(), TestCaseError> {
    let mut used: BTreeMap<(Recipient, Channel), Vec<Timestamp>> = BTreeMap::new();
    for happening in &played.happenings {
        let What::Recorded(recorded) = &happening.what else { continue };
        if let Event::PageQueued { recipient, channel, content, .. } = &recorded.event
            && content == "page"
        {
            used.entry((recipient.clone(), *channel)).or_default().push(happening.at);
        }
    }
    for ((recipient, channel), times) in used {
        let (most, span) = match channel {
            Channel::Sms | Channel::Voice => (1, 60),
            _ => (5, 15),
        };
        for (index, from) in times.iter().enumerate() {
            let inside = times[index..].iter().filter(|at| **at < *from + seconds(span)).count();
            prop_assert!(inside <= most, "{recipient}: {inside} in {span}s from {from}");
        }
    }
    Ok(())
}

pub(crate) fn once_per_step(played: &Played) -> Result<(), TestCaseError> {
    let mut used: BTreeMap<(RunNumber, Recipient), u32> = BTreeMap::new();
    let mut reached: BTreeMap<RunNumber, u32> = BTreeMap::new();
    for happening in &played.happenings {
        let What::Recorded(recorded) = &happening.what else { continue };
        match &recorded.event {
            Event::StepReached { run, .. } => *reached.entry(*run).or_default() += 1,
            Event::PageQueued { runs, recipient, content, .. } if content == "page" => {
                for run in runs {
                    *used.entry((*run, recipient.clone())).or_default() += 1;
                }
            }
            Event::PageDropped { runs, recipient, .. } => {
                for run in runs {
                    if let Some(count) = used.get_mut(&(*run, recipient.clone())) {
                        *count = count.saturating_sub(1);
                    }
                }
            }
            _ => {}
        }
    }
    for ((run, recipient), count) in used {
        let steps = reached.get(&run).copied().unwrap_or(0);
        prop_assert!(count <= steps, "{recipient}: {count} pages of {run} in {steps} steps");
    }
    Ok(())
}

/// Whatever waits for one number is sent together as soon as the number is free again.
pub(crate) fn bundles(played: &Played) -> Result<(), TestCaseError> {
    let mut waiting: BTreeMap<Recipient, BTreeSet<RunNumber>> = BTreeMap::new();
    walk(played, |at, runs, what| {
        let What::Recorded(recorded) = what else { return Ok(()) };
        match &recorded.event {
            Event::PageHeld { run, recipient, why, .. } if why.contains("at most so often") => {
                waiting.entry(recipient.clone()).or_default().insert(*run);
            }
            // What was to be sent is forgotten by all of these.
            Event::EscalationAnswered { run, .. }
            | Event::EscalationReopened { run, .. }
            | Event::EscalationEnded { run, .. }
            | Event::EscalationStandsStill { run, .. } => {
                for waiting in waiting.values_mut() {
                    waiting.remove(run);
                }
            }
            Event::PageQueued { runs: told, recipient, content, .. } if content == "page" => {
                let Some(waiting) = waiting.get_mut(recipient) else { return Ok(()) };
                for number in waiting.iter().filter(|number| !told.contains(number)) {
                    let run = &runs[number];
                    let is_wanted = run.is_open
                        && run.still.is_none()
                        && fires(played, run.alert, at)
                        && !is_silenced(played, run.alert, at);
                    prop_assert!(
                        !is_wanted,
                        "{number} waits for {recipient} and is left out at {at}"
                    );
                }
                waiting.clear();
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(())
}
