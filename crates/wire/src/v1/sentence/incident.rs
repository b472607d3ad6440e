//! Sentences about incidents.

use tocsin_core::event::Event;
use tocsin_core::incident::{Fact, IncidentNumber};

use super::{Names, named_alerts};

/// Returns what happened, and why, in one sentence without its subject; the empty text for events
/// that are about something else.
pub(super) fn sentence(event: &Event, names: &dyn Names) -> String {
    match event {
        Event::IncidentOpened { severity, title, why, by, .. } => {
            format!("opened at {severity} by {by}: {title} ({why})")
        }
        Event::IncidentJoined { alerts, .. } => {
            format!("is about {}", named_alerts(alerts, names))
        }
        Event::IncidentMoved { from, to, code, note, by, .. } => {
            let (from, to, code, note) = (*from, *to, *code, note.clone());
            format!("{}, by {by}", Fact::Moved { from, to, note, code }.sentence())
        }
        Event::IncidentNoted { what, text, by, .. } if what == "commented" => {
            format!("{by} says: {text}")
        }
        Event::IncidentNoted { text, by, .. } => format!("{text}, by {by}"),
        _ => String::new(),
    }
}

/// Returns what people call the subject of an event.
pub(super) fn subject(event: &Event) -> String {
    let number = match event {
        Event::IncidentOpened { incident, .. }
        | Event::IncidentJoined { incident, .. }
        | Event::IncidentMoved { incident, .. }
        | Event::IncidentNoted { incident, .. } => *incident,
        _ => IncidentNumber::default(),
    };
    format!("incident {number}")
}
