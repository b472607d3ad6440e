//! What made it possible, as far as the data tell: what people noted, and what was changed before.

use jiff::SignedDuration;

use super::super::Source;
use super::facts::{Facts, Words, said, span, time};
use crate::event::{Event, Recorded};
use crate::incident::Status;

/// The most changes that are named.
const MAX_CHANGES: usize = 5;

pub(super) fn root_cause(facts: &Facts) -> Words {
    let mut words = Words::default();
    if !facts.incident.root_cause.is_empty() {
        words.say(said(&facts.incident.root_cause), [Source::field("root_cause")]);
    }
    if let Some((row, note)) = facts.note_of(Status::Identified) {
        words.say(format!("As {} noted: {}", row.by.name, said(note)), [Source::entry(row.seq)]);
    }
    if let Some((row, note)) = facts.note_of(Status::Resolved)
        && row.by.is_person()
    {
        words.say(format!("What ended it: {}", said(note)), [Source::entry(row.seq)]);
    }
    words
}

pub(super) fn factors(facts: &Facts) -> Words {
    let mut words = Words::default();
    for (recorded, change) in changes(facts) {
        let before = facts.onset().duration_since(change.occurred_at).as_secs().max(0);
        let place = match change.source.as_str() {
            "" => String::new(),
            source => format!(" at {source}"),
        };
        let text = format!(
            "{} before it began something was changed{place} ({}): {}",
            span(before),
            time(change.occurred_at),
            said(&change.summary)
        );
        words.say(text, [Source::event(recorded.sequence)]);
    }
    if let Some(of) = facts.incident.recurrence_of {
        let text = format!("Incident {of} was about the same, and what caused it was still there.");
        words.say(text, [Source::incident(of), Source::field("recurrence_of")]);
    }
    for item in facts.open_actions.iter().take(MAX_CHANGES) {
        let text = format!(
            "{} was still {} when it happened: {}",
            item.id,
            item.status.as_str().replace('_', " "),
            said(&item.title)
        );
        words.say(text, [Source::action(item.id), Source::incident(item.id.incident)]);
    }
    words
}

/// Returns the changes of the hours before, those of what it concerned first, then the latest.
pub(super) fn changes(facts: &Facts) -> Vec<(&Recorded, &crate::change::Change)> {
    let onset = facts.onset();
    let services = facts.services();
    let concerns =
        |change: &crate::change::Change| services.iter().any(|service| change.concerns(service));
    let mut found: Vec<_> = facts
        .changes
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::ChangeRecorded { change, .. } => Some((recorded, change)),
            _ => None,
        })
        .filter(|(_, change)| {
            let before = onset.duration_since(change.occurred_at);
            before >= SignedDuration::ZERO && before <= crate::change::WINDOW
        })
        .collect();
    found.sort_by_key(|(recorded, change)| {
        (!concerns(change), std::cmp::Reverse(change.occurred_at), recorded.sequence)
    });
    found.truncate(MAX_CHANGES);
    found
}
