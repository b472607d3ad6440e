//! The blocks of a postmortem that follow the incident until it is published.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identity::Handle;
use crate::incident::{Author, Entry, Fact, Incident, Mark, Marks, Metric, Told, measure, told};
use crate::reminder::ReminderKind;
use crate::severity::Severity;

/// The most rows of the timeline that a postmortem shows; those in the middle are left out and
/// counted. The incident has all of them.
pub const MAX_LIVE_ROWS: usize = 500;

/// What is of one kind and happens within so long is one row.
const MERGE_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// How many alerts a row of several names.
const MAX_NAMED_ALERTS: usize = 5;

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
    /// The story as people chose to tell it, in their order; empty when nobody did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_moments: Vec<LiveRow>,
    /// What happened, in the order in which it did.
    pub timeline: Vec<LiveRow>,
    /// Rows in the middle that there was no room for.
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
    /// When the last one of several happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
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
    let told = told(entries, &incident.marks);
    let (timeline, rows_left_out) = shortened(&incident.marks, merged(&told));
    LiveBlocks {
        incident_version: incident.version,
        severity: incident.severity,
        detected_at: incident.record.detected_at(),
        resolved_at: incident.record.cycle().resolved_at,
        key_moments: key_moments(&incident.marks, &told),
        timeline,
        rows_left_out,
        metrics: measure(&incident.record, &incident.measure),
        people: people(incident, entries),
    }
}

/// Returns the story as people chose to tell it: in their order and their words, else by time.
fn key_moments(marks: &Marks, told: &[Told]) -> Vec<LiveRow> {
    let chosen = |it: &Told| marks.get(&it.entry.seq).filter(|mark| mark.is_key_moment);
    let mut chosen: Vec<(&Told, &Mark)> =
        told.iter().filter_map(|it| Some((it, chosen(it)?))).collect();
    chosen.sort_by_key(|(it, mark)| {
        (mark.position.unwrap_or(u32::MAX), it.entry.occurred_at, it.entry.seq)
    });
    let rows = chosen.into_iter().map(|(it, mark)| {
        let caption = Some(&mark.caption).filter(|it| !it.is_empty()).cloned();
        LiveRow { text: caption.unwrap_or_else(|| it.text()), ..row(it) }
    });
    rows.take(MAX_LIVE_ROWS).collect()
}

fn row(it: &Told) -> LiveRow {
    LiveRow {
        rows: vec![it.entry.seq],
        at: it.entry.occurred_at,
        until: None,
        by: it.entry.by.name.clone(),
        kind: it.entry.fact.kind().to_owned(),
        text: it.text(),
    }
}

/// Rows that are one in the postmortem.
struct Run<'t> {
    first: &'t Told,
    others: Vec<&'t Told>,
}

/// Returns what happened by time, where what is of one kind and came within two minutes is one row.
fn merged(told: &[Told]) -> Vec<LiveRow> {
    let mut order: Vec<&Told> = told.iter().filter(|it| tells(&it.entry.fact)).collect();
    order.sort_by_key(|it| (it.entry.occurred_at, it.entry.seq));
    let mut runs: Vec<Run<'_>> = Vec::new();
    // The latest run of each kind and author, for something else may come in between.
    let mut latest: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for it in order {
        let key = (it.entry.fact.kind(), it.entry.by.name.as_str());
        let place = latest.get(&key).copied().filter(|_| is_noise(it));
        let within = |run: &&mut Run<'_>| {
            it.entry.occurred_at.duration_since(run.first.entry.occurred_at) <= MERGE_WITHIN
        };
        match place.and_then(|place| runs.get_mut(place)).filter(within) {
            Some(run) => run.others.push(it),
            None => {
                latest.insert(key, runs.len());
                runs.push(Run { first: it, others: Vec::new() });
            }
        }
    }
    runs.iter().map(Run::row).collect()
}

/// Returns whether a row says little beside others of its kind. What people said, and how it went
/// on, is always told by itself.
fn is_noise(it: &Told) -> bool {
    !it.is_redacted
        && matches!(
            it.entry.fact,
            Fact::AlertsJoined { .. }
                | Fact::Recovered { .. }
                | Fact::Subscribed { .. }
                | Fact::Reminded { .. }
                | Fact::Linked { .. }
                | Fact::Absorbed { .. }
                | Fact::Released { .. }
                | Fact::Duplicated { .. }
                | Fact::MessageSent { .. }
                | Fact::TaskAdded { .. }
                | Fact::TaskChanged { .. }
                | Fact::Edited { .. }
        )
}

impl Run<'_> {
    fn row(&self) -> LiveRow {
        let mut row = row(self.first);
        let Some(last) = self.others.last() else { return row };
        row.rows.extend(self.others.iter().map(|it| it.entry.seq));
        row.until = Some(last.entry.occurred_at);
        let joined = |it: &Told| match &it.entry.fact {
            Fact::AlertsJoined { count, .. } => Some(*count),
            _ => None,
        };
        let counts = std::iter::once(&self.first).chain(&self.others).filter_map(|it| joined(it));
        let (total, most) = counts.fold((0, 0), |(sum, most), it| (sum + it, most.max(it)));
        let others = self.others.len();
        row.text = if total > 0 {
            let mut names = BTreeSet::new();
            for it in std::iter::once(&self.first).chain(&self.others) {
                if let Fact::AlertsJoined { alerts, .. } = &it.entry.fact {
                    names.extend(alerts.iter().map(String::as_str));
                }
            }
            let named: Vec<&str> = names.iter().copied().take(MAX_NAMED_ALERTS).collect();
            let more = if names.len() > named.len() { ", …" } else { "" };
            format!("{total} alerts fire, {most} of them at once: {}{more}", named.join(", "))
        } else if others == 1 {
            format!("{}; {}", row.text, last.text())
        } else {
            format!("{}; {} more like it; {}", row.text, others - 1, last.text())
        };
        row
    }
}

/// Returns the rows that there is room for, and how many there are beside. How it began and ended
/// is never left out, nor is what people chose; of the others those in the middle are.
fn shortened(marks: &Marks, rows: Vec<LiveRow>) -> (Vec<LiveRow>, usize) {
    let left_out = rows.len().saturating_sub(MAX_LIVE_ROWS);
    if left_out == 0 {
        return (rows, 0);
    }
    let is_chosen = |seq: &u64| marks.get(seq).is_some_and(|it| it.is_key_moment || it.is_pinned);
    let is_phase = |it: &LiveRow| {
        matches!(it.kind.as_str(), "opened" | "moved" | "severity_changed")
            || it.rows.iter().any(is_chosen)
    };
    let places = |wanted: bool| {
        let places = rows.iter().enumerate().filter(move |(_, it)| is_phase(it) == wanted);
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    for places in [places(true), places(false)] {
        let room = MAX_LIVE_ROWS - kept.len();
        let head = room.div_ceil(2).min(places.len());
        let tail = (room - head).min(places.len() - head);
        kept.extend(&places[..head]);
        kept.extend(&places[places.len() - tail..]);
    }
    let left_out = rows.len() - kept.len();
    let rows = rows.into_iter().enumerate().filter(|(place, _)| kept.contains(place));
    (rows.map(|(_, row)| row).collect(), left_out)
}

/// Returns whether a row tells of the incident rather than of what is written about it.
fn tells(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::Postmortem { .. }
            | Fact::Action { .. }
            | Fact::Marked { .. }
            | Fact::Revised { .. }
            | Fact::Redacted { .. }
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
        for role in held.map(|it| it.role).collect::<BTreeSet<_>>() {
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

#[cfg(test)]
mod tests;
