//! Why somebody was paged in an escalation, or was not: told from its events.

use tocsin_core::escalation::EscalationRun;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::identity::Handle;
use tocsin_core::paging::Recipient;
use tocsin_wire::v1::{PageMoment, WhyPaged, sentence, standing};

/// Tells why.
pub(super) fn why(person: &Handle, run: &EscalationRun, events: &[Recorded]) -> WhyPaged {
    let mut told = Told::default();
    let mut reasons = Vec::new();
    for recorded in events {
        if let Some(text) = about(person, &recorded.event, &mut told) {
            reasons.push(PageMoment { at: recorded.at, text });
        }
    }
    let text = match &told {
        Told { sent: Some(how), .. } => format!("{person} was paged: {how}"),
        Told { queued: true, .. } => {
            let last = told.last.as_deref().unwrap_or("nothing came back yet");
            format!("a page to {person} went out and did not arrive yet: {last}")
        }
        Told { is_meant: true, .. } => {
            let last = told.last.clone().unwrap_or_else(|| standing(run));
            format!("{person} was meant and nothing was sent: {last}")
        }
        Told { left_out: Some(why), .. } => format!("{person} was not paged: {why}"),
        _ => format!(
            "{person} was not paged: no step that was reached meant them; {}",
            standing(run)
        ),
    };
    WhyPaged {
        person: person.to_string(),
        escalation: run.number.0,
        was_paged: told.sent.is_some(),
        text,
        reasons,
    }
}

/// What is known so far.
#[derive(Default)]
struct Told {
    is_meant: bool,
    queued: bool,
    sent: Option<String>,
    left_out: Option<String>,
    /// What happened last to a message, or kept one back.
    last: Option<String>,
}

/// Returns what an event says about a person; `None` when it says nothing.
fn about(person: &Handle, event: &Event, told: &mut Told) -> Option<String> {
    let is_theirs = |recipient: &Recipient| recipient.person() == Some(person);
    let text = || sentence(event, &());
    match event {
        Event::StepReached { step, people, left_out, .. } => {
            let mine = people.iter().find(|(known, _)| known == person);
            if let Some((_, why)) = mine {
                told.is_meant = true;
                return Some(format!("step {step} pages {person}: {why}"));
            }
            // Sentences about who is left out begin with whom they are about.
            let begins = |sentence: &&String| {
                let rest = sentence.strip_prefix(person.as_str());
                rest.is_some_and(|rest| rest.starts_with([' ', ':']))
            };
            if let Some(why) = left_out.iter().find(begins) {
                told.left_out = Some(why.clone());
                return Some(format!("step {step} leaves {person} out: {why}"));
            }
            Some(text())
        }
        Event::PageHeld { recipient, .. } | Event::PageFellBack { recipient, .. }
            if is_theirs(recipient) =>
        {
            told.last = Some(text());
            Some(text())
        }
        Event::PageQueued { recipient, content, .. } if is_theirs(recipient) => {
            told.queued |= content == "page";
            Some(text())
        }
        Event::PageSent { recipient, channel, .. } if is_theirs(recipient) => {
            if told.queued && told.sent.is_none() {
                told.sent = Some(format!("{channel} took the message to {recipient}"));
            }
            Some(text())
        }
        Event::PageAttemptFailed { recipient, .. }
        | Event::PageDropped { recipient, .. }
        | Event::PageConfirmed { recipient, .. }
            if is_theirs(recipient) =>
        {
            told.last = Some(text());
            Some(text())
        }
        Event::EscalationStarted { .. }
        | Event::EscalationWorsened { .. }
        | Event::EscalationStandsStill { .. }
        | Event::EscalationWentOn { .. }
        | Event::EscalationAnswered { .. }
        | Event::EscalationReopened { .. }
        | Event::EscalationUnanswered { .. }
        | Event::StepMissed { .. }
        | Event::EscalationEnded { .. } => Some(text()),
        _ => None,
    }
}
