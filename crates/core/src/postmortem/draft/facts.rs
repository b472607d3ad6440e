//! What a draft is made from.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::super::{Sentence, Source};
use crate::action::ActionItem;
use crate::event::{Event, Recorded};
use crate::ids::AlertNumber;
use crate::incident::{Cycle, Entry, Fact, Incident, Metric, MetricName, Status, Targets, measure};
use crate::knowledge::Similar;

/// What is recorded about an incident.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The incident.
    pub incident: Incident,
    /// Its timeline, in the order of recording.
    pub entries: Vec<Entry>,
    /// Its alerts, as far as they are known, the first that joined first.
    pub alerts: Vec<AlertFacts>,
    /// How many alerts it has.
    pub alerts_total: usize,
    /// What happened to its escalations, the oldest first.
    pub events: Vec<Recorded>,
    /// What was changed somewhere in the hours before, the oldest first.
    pub changes: Vec<Recorded>,
    /// Earlier incidents like it.
    pub similar: Vec<Similar>,
    /// What was promised after those and is still open.
    pub open_actions: Vec<ActionItem>,
    /// What its severity asks for.
    pub targets: Targets,
    /// Whether anything is recommended.
    pub recommends: bool,
}

/// What a draft needs to know of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertFacts {
    /// Its life.
    pub number: AlertNumber,
    /// What it is called.
    pub name: String,
    /// The service; may be empty.
    pub service: String,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// Where it is written what to do.
    pub runbook: Option<String>,
}

/// Sentences in the order in which they stand.
#[derive(Debug, Default)]
pub(super) struct Words(pub(super) Vec<Sentence>);

impl Words {
    /// Adds a sentence. One that follows from nothing is left out.
    pub(super) fn say(
        &mut self,
        text: impl Into<String>,
        sources: impl IntoIterator<Item = Source>,
    ) {
        let sources: Vec<Source> = sources.into_iter().collect();
        if !sources.is_empty() {
            self.0.push(Sentence { text: text.into(), sources });
        }
    }
}

impl Facts {
    /// Returns the first time it was open.
    pub(super) fn first(&self) -> &Cycle {
        &self.incident.record.cycles()[0]
    }

    /// Returns a measure of the whole incident when it is recorded, in seconds.
    pub(super) fn metric(&self, name: MetricName) -> Option<i64> {
        let all: Vec<Metric> = measure(&self.incident.record, &self.incident.measure);
        all.iter().find(|it| it.name == name && it.cycle.is_none())?.seconds
    }

    /// Returns the rows of the timeline that `wanted` wants.
    pub(super) fn rows<'a>(
        &'a self,
        wanted: impl Fn(&Fact) -> bool + 'a,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| wanted(&entry.fact))
    }

    /// Returns the last row by which it went to that status.
    pub(super) fn row_to(&self, status: Status) -> Option<&Entry> {
        self.rows(move |it| matches!(it, Fact::Moved { to, .. } if *to == status)).next_back()
    }

    /// Returns what was said when it went to that status last.
    pub(super) fn note_of(&self, status: Status) -> Option<(&Entry, &str)> {
        let row = self.row_to(status)?;
        match &row.fact {
            Fact::Moved { note, .. } if !note.trim().is_empty() => Some((row, note.trim())),
            _ => None,
        }
    }

    /// Returns the services that it concerned, its own first.
    pub(super) fn services(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let own = self.incident.all_services().into_iter();
        own.chain(self.alerts.iter().map(|alert| alert.service.as_str()))
            .filter(|service| !service.is_empty() && seen.insert(*service))
            .collect()
    }

    /// Returns the alert that fired first.
    pub(super) fn first_alert(&self) -> Option<&AlertFacts> {
        self.alerts.iter().min_by_key(|alert| (alert.starts_at, alert.number))
    }

    /// Returns when it began, as far as anything tells: harm, the first alert, or the detection.
    pub(super) fn onset(&self) -> Timestamp {
        let detected = self.incident.record.detected_at();
        let alert = self.first_alert().map(|alert| alert.starts_at);
        let harm = self.incident.measure.impact_started_at;
        [alert, harm].into_iter().flatten().min().map_or(detected, |at| at.min(detected))
    }

    /// Returns the steps of escalations that were reached, with their events.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&Recorded, u32, usize)> {
        self.events.iter().filter_map(|it| match &it.event {
            Event::StepReached { round, step, .. } => Some((it, *round, *step)),
            _ => None,
        })
    }
}

/// Returns a span in words, such as `6m 30s`.
pub(super) fn span(seconds: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(seconds))
}

/// Returns an instant as it is written in sentences.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// Returns a count with its noun: `1 alert`, `3 alerts`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// Returns a list as people say it: `a, b and c`.
pub(super) fn listed(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// Returns a text as the end of a sentence, in one line.
pub(super) fn said(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.ends_with(['.', '!', '?']) { line.to_owned() } else { format!("{line}.") }
}
