//! Sentences about escalations and pages.

use tocsin_core::escalation::End;
use tocsin_core::event::Event;
use tocsin_core::identity::Handle;
use tocsin_core::ids::RunNumber;

use super::{Names, list, message, named_alerts, said};

/// Returns what happened, and why, in one sentence without its subject; the empty text for events
/// that are about something else.
pub(super) fn sentence(event: &Event, names: &dyn Names) -> String {
    match event {
        Event::EscalationStarted { receiver, policy, severity, alerts, why, .. } => {
            let about = match alerts.as_slice() {
                [] => String::new(),
                alerts => format!(" for {}", named_alerts(alerts, names)),
            };
            let receiver = match &**receiver {
                "" => String::new(),
                receiver => format!(", told to {receiver}"),
            };
            format!("began at {severity} by policy {policy}{about}{receiver}: {why}")
        }
        Event::EscalationJoined { alerts, .. } => {
            format!("is now about {}, too", named_alerts(alerts, names))
        }
        Event::EscalationWorsened { from, to, .. } => format!("went from {from} to {to}"),
        Event::StepReached { .. } => step(event),
        Event::EscalationStandsStill { why, .. } => format!("stands still: {why}"),
        Event::EscalationWentOn { stood_since, .. } => {
            format!("goes on; it had stood still since {stood_since:.0}")
        }
        Event::EscalationAnswered { by, action, via, comment, .. } => {
            let verb = match action.as_str() {
                "acknowledge" => "acknowledged",
                "unacknowledge" => "given back",
                "escalate" => "escalated",
                "resolve" => "resolved",
                "snooze" => "snoozed",
                other => other,
            };
            said(format!("{verb} by {by} ({via})"), comment)
        }
        Event::EscalationReopened { step, why, .. } => {
            format!("goes on with step {step}: {why}")
        }
        Event::EscalationUnanswered { rounds, told, .. } => {
            let rounds = match rounds {
                1 => String::new(),
                count => format!(" {count} times"),
            };
            let told = match told {
                Some((person, why)) => format!("{person} is told ({why})"),
                None => "there is nobody else to tell".to_owned(),
            };
            format!("went through all steps{rounds} and nobody answered; {told}")
        }
        Event::StepMissed { round, step, due_at, .. } => {
            let round = if *round > 1 { format!(", pass {round}") } else { String::new() };
            format!("step {step}{round} was due at {due_at:.0}, and the history has no word of it")
        }
        Event::EscalationEnded { why, .. } => match why {
            End::AlertsResolved => "ended: nothing of it fires any more".to_owned(),
            End::Resolved { by } => format!("ended: {by} says that it is resolved"),
            End::Orphaned => "ended: the configuration no longer has its receiver".to_owned(),
        },
        Event::PageQueued { page, recipient, channel, content, urgency, .. } => {
            let urgency = urgency.as_str();
            format!("{} to {recipient} by {channel}: {content}, urgency {urgency}", message(*page))
        }
        Event::PageHeld { recipient, until, why, .. } => {
            format!("{recipient} is not reached before {until:.0}: {why}")
        }
        Event::PageSent { page, recipient, channel, attempts, .. } => {
            let attempts = match attempts {
                1 => String::new(),
                count => format!(" at attempt {count}"),
            };
            format!("{} to {recipient} was taken by {channel}{attempts}", message(*page))
        }
        Event::PageAttemptFailed { page, recipient, attempt, failure, retry_at, .. } => {
            let then = match retry_at {
                Some(at) => format!("tried again at {at:.0}"),
                None => "given up".to_owned(),
            };
            let message = message(*page);
            format!(
                "{message} to {recipient} failed at attempt {attempt}, {then}: {}",
                failure.message
            )
        }
        Event::PageDropped { page, recipient, why, .. } => {
            format!("{} to {recipient} was not sent: {why}", message(*page))
        }
        Event::PageFellBack { recipient, why, .. } => {
            format!("{recipient} is tried at once: {why}")
        }
        Event::PageConfirmed { page, recipient, state, detail, .. } => {
            said(format!("{} to {recipient}: {}", message(*page), state.as_str()), detail)
        }
        Event::ChannelDown { channel, until } => {
            format!("{channel} fails again and again and is left alone until {until:.0}")
        }
        Event::ContactStopped { person, channel, is_stopped } => {
            let what = if *is_stopped { "no more messages" } else { "messages again" };
            format!("{person} wants {what} by {channel}")
        }
        Event::HeartbeatMissed { name, heard_at } => match heard_at {
            Some(at) => format!("heartbeat {name} is missed; it was heard last at {at:.0}"),
            None => format!("heartbeat {name} is missed; it was never heard"),
        },
        Event::HeartbeatHeard { name, missed_since } => {
            format!("heartbeat {name} is heard again; it was missed since {missed_since:.0}")
        }
        Event::WatcherUnreachable { failures, why } => {
            format!("the watcher outside could not be asked {failures} times in a row: {why}")
        }
        Event::WatcherReached => "the watcher outside hears from us again".to_owned(),
        _ => String::new(),
    }
}

fn step(event: &Event) -> String {
    let Event::StepReached { round, step, level, people, places, left_out, skipped, .. } = event
    else {
        return String::new();
    };
    let level = if level.is_empty() { String::new() } else { format!(" ({level})") };
    let round = if *round > 1 { format!(", pass {round}") } else { String::new() };
    let mut text = format!("step {step}{level}{round}");
    if !skipped.is_empty() {
        text.push_str(&format!(" pages nobody: {skipped}"));
        return text;
    }
    let people = people.iter().map(|(person, why): &(Handle, String)| format!("{person} ({why})"));
    let places = places.iter().map(ToString::to_string);
    text.push_str(&format!(" pages {}", list(people.chain(places))));
    if !left_out.is_empty() {
        text.push_str(&format!("; left out: {}", left_out.join("; ")));
    }
    text
}

/// Returns what people call the subject of an event.
pub(super) fn subject(event: &Event) -> String {
    let of_run = |run: &RunNumber| format!("escalation {run}");
    match event {
        Event::EscalationStarted { run, title, .. } => format!("escalation {run} ({title})"),
        Event::EscalationJoined { run, .. }
        | Event::EscalationWorsened { run, .. }
        | Event::StepReached { run, .. }
        | Event::EscalationStandsStill { run, .. }
        | Event::EscalationWentOn { run, .. }
        | Event::EscalationAnswered { run, .. }
        | Event::EscalationReopened { run, .. }
        | Event::EscalationUnanswered { run, .. }
        | Event::StepMissed { run, .. }
        | Event::EscalationEnded { run, .. }
        | Event::PageHeld { run, .. }
        | Event::PageFellBack { run, .. } => of_run(run),
        Event::PageQueued { runs, .. }
        | Event::PageSent { runs, .. }
        | Event::PageAttemptFailed { runs, .. }
        | Event::PageDropped { runs, .. }
        | Event::PageConfirmed { runs, .. } => {
            runs.first().map_or_else(|| "tocsin".to_owned(), of_run)
        }
        _ => "tocsin".to_owned(),
    }
}
