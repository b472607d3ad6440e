//! Events of incidents.

use tocsin_core::incident::{IncidentNumber, ResolutionCode, Status};
use tocsin_core::severity::Severity;

use super::*;

/// Every kind, in the order of the enum.
pub(super) fn events() -> Vec<Event> {
    let incident = IncidentNumber(142);
    let by = || "ada".to_owned();
    let moved = |from, to, code, note: &str| Event::IncidentMoved {
        incident,
        from,
        to,
        code,
        note: note.to_owned(),
        by: by(),
    };
    let noted = |what: &str, text: &str| Event::IncidentNoted {
        incident,
        entry: 4,
        what: what.into(),
        text: text.to_owned(),
        by: by(),
    };
    vec![
        Event::IncidentOpened {
            incident,
            severity: Severity::Sev2,
            title: "Slow on web".to_owned(),
            alerts: vec![AlertNumber(1)],
            why: "receiver `db` pages".to_owned(),
            by: "tocsin".to_owned(),
        },
        Event::IncidentJoined { incident, alerts: vec![AlertNumber(1)] },
        moved(Status::Detected, Status::Acknowledged, None, ""),
        moved(Status::Acknowledged, Status::Detected, None, "gone home"),
        moved(Status::Detected, Status::Identified, None, "a full disk"),
        moved(Status::Identified, Status::Resolved, Some(ResolutionCode::Fixed), "a larger one"),
        moved(Status::Resolved, Status::Detected, None, "it fires again"),
        noted("commented", "the provider has trouble"),
        noted("assigned", "assigned to grace"),
    ]
}
