//! The blocks of a postmortem that follow the incident until it is published.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identity::Handle;
use crate::incident::{Author, Entry, Fact, Incident, Metric, measure};
use crate::reminder::ReminderKind;
use crate::severity::Severity;

/// The most rows of the timeline that a postmortem shows; the others are counted. The incident
/// has all of them.
pub const MAX_LIVE_ROWS: usize = 500;

/// Alerts that join within so long of each other are one row.
const MERGE_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// The timeline, the measures and the people of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveBlocks {
    /// The version of the incident that they show.
    pub incident_version: u64,
    /// How bad it was.
    pub severity: Severity,
    /// When it was detected.
    pub detected_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// What happened, in the order in which it did.
    pub timeline: Vec<LiveRow>,
    /// Rows that there was no room for.
    pub rows_left_out: usize,
    /// How long things took.
    pub metrics: Vec<Metric>,
    /// Who took part.
    pub people: Vec<LivePerson>,
}

/// One row of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRow {
    /// The rows of the incident's timeline that it tells of.
    pub rows: Vec<u64>,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// The kind of the row.
    pub kind: String,
    /// What happened.
    pub text: String,
}

/// Somebody who took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LivePerson {
    /// Who.
    pub person: Handle,
    /// What they did, such as `had it`.
    pub parts: Vec<String>,
}

/// Returns the blocks of an incident with this timeline.
pub fn live(incident: &Incident, entries: &[Entry]) -> LiveBlocks {
    let mut order: Vec<&Entry> = entries.iter().filter(|it| tells(&it.fact)).collect();
    order.sort_by_key(|entry| (entry.occurred_at, entry.seq));
    let mut timeline: Vec<LiveRow> = Vec::new();
    let mut joined = 0;
    let mut rows_left_out = 0;
    for entry in order {
        let count = match &entry.fact {
            Fact::AlertsJoined { count, .. } => Some(*count),
            _ => None,
        };
        if let (Some(count), Some(last)) = (count, timeline.last_mut())
            && last.kind == "alerts_joined"
            && entry.occurred_at.duration_since(last.at) <= MERGE_WITHIN
        {
            joined += count;
            last.rows.push(entry.seq);
            last.text = format!("{joined} alerts fire");
            continue;
        }
        joined = count.unwrap_or(0);
        if timeline.len() >= MAX_LIVE_ROWS {
            rows_left_out += 1;
            continue;
        }
        timeline.push(LiveRow {
            rows: vec![entry.seq],
            at: entry.occurred_at,
            by: entry.by.name.clone(),
            kind: entry.fact.kind().to_owned(),
            text: entry.fact.sentence(),
        });
    }
    LiveBlocks {
        incident_version: incident.version,
        severity: incident.severity,
        detected_at: incident.record.detected_at(),
        resolved_at: incident.record.cycle().resolved_at,
        timeline,
        rows_left_out,
        metrics: measure(&incident.record, &incident.measure),
        people: people(incident, entries),
    }
}

/// Returns whether a row tells of the incident rather than of what is written about it.
fn tells(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::Postmortem { .. }
            | Fact::Action { .. }
            | Fact::Reminded { reminder: ReminderKind::PostmortemMissing, .. }
    )
}

fn people(incident: &Incident, entries: &[Entry]) -> Vec<LivePerson> {
    let is_by = |by: &Author, person: &Handle| by.is_person() && by.name == person.as_str();
    let count = |person: &Handle, wanted: fn(&Fact) -> bool| {
        entries.iter().filter(|it| is_by(&it.by, person) && wanted(&it.fact)).count()
    };
    let mut people = Vec::new();
    for person in &incident.participants {
        let mut parts = Vec::new();
        if incident.owner.as_ref() == Some(person) {
            parts.push("had it".to_owned());
        }
        let held = incident.crew.holdings.iter().filter(|it| it.person == *person);
        for role in held.map(|it| it.role).collect::<std::collections::BTreeSet<_>>() {
            parts.push(role.as_str().replace('_', " "));
        }
        let first = entries.iter().find(|it| {
            matches!(&it.fact, Fact::Moved { from, to, .. }
                if *from == crate::incident::Status::Detected && to.is_active())
        });
        if first.is_some_and(|it| is_by(&it.by, person)) {
            parts.push("took it first".to_owned());
        }
        if count(person, |it| matches!(it, Fact::Moved { to, .. } if !to.is_active())) > 0 {
            parts.push("resolved it".to_owned());
        }
        match count(person, |it| matches!(it, Fact::Commented { .. })) {
            0 => {}
            1 => parts.push("1 comment".to_owned()),
            comments => parts.push(format!("{comments} comments")),
        }
        if parts.is_empty() {
            parts.push("took part".to_owned());
        }
        people.push(LivePerson { person: person.clone(), parts });
    }
    people
}
