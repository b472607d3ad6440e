//! Shifts that a calendar elsewhere names.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::identity::Handle;

/// The most shifts of one calendar; later ones are left out with a warning.
pub const MAX_IMPORTED_SHIFTS: usize = 10_000;

/// How long the last good copy of a calendar holds when it cannot be fetched.
pub const LAST_GOOD_COPY_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One event of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImportedShift {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who; `None` when nobody is known by what the event says.
    pub person: Option<Handle>,
    /// What the event says.
    pub text: String,
}

/// What is known of a calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Ascending.
    shifts: Vec<ImportedShift>,
    /// Disjoint and ascending times with the people of each.
    spans: Vec<(Timestamp, Timestamp, Vec<Handle>)>,
    /// When it was fetched last; `None` for never.
    pub fetched_at: Option<Timestamp>,
    /// What went wrong since.
    pub trouble: Vec<String>,
}

impl Imported {
    /// Takes over what a calendar says.
    pub fn new(mut shifts: Vec<ImportedShift>, fetched_at: Option<Timestamp>) -> Self {
        shifts.retain(|shift| shift.from < shift.to);
        shifts.sort();
        shifts.truncate(MAX_IMPORTED_SHIFTS);
        let spans = spans_of(&shifts);
        Self { shifts, spans, fetched_at, trouble: Vec::new() }
    }

    /// Returns the events, ascending.
    pub fn shifts(&self) -> &[ImportedShift] {
        &self.shifts
    }

    /// Forgets what the calendar said when that is too long ago; returns whether it did.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let is_old = |at: Timestamp| now.duration_since(at) > LAST_GOOD_COPY_KEPT;
        if self.shifts.is_empty() || !self.fetched_at.is_some_and(is_old) {
            return false;
        }
        (self.shifts, self.spans) = (Vec::new(), Vec::new());
        true
    }

    /// Returns who is on call, and when that changes.
    pub(super) fn at(&self, at: Timestamp) -> (&[Handle], Option<Timestamp>) {
        let later = self.spans.partition_point(|(from, _, _)| *from <= at);
        let following = self.spans.get(later).map(|(from, _, _)| *from);
        match later.checked_sub(1).and_then(|place| self.spans.get(place)) {
            Some((_, to, people)) if at < *to => (people, Some(*to)),
            _ => (&[], following),
        }
    }
}

/// Cuts overlapping shifts into times with the same people.
fn spans_of(shifts: &[ImportedShift]) -> Vec<(Timestamp, Timestamp, Vec<Handle>)> {
    let known = || shifts.iter().filter(|shift| shift.person.is_some());
    let mut edges: Vec<Timestamp> = known().flat_map(|shift| [shift.from, shift.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut spans = Vec::new();
    let mut open: Vec<&ImportedShift> = Vec::new();
    let mut coming = known().peekable();
    for pair in edges.windows(2) {
        let [from, to] = *pair else { continue };
        open.retain(|shift| shift.to > from);
        while let Some(shift) = coming.next_if(|shift| shift.from <= from) {
            open.push(shift);
        }
        let mut people: Vec<Handle> = Vec::new();
        for person in open.iter().filter_map(|shift| shift.person.as_ref()) {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
        if !people.is_empty() {
            spans.push((from, to, people));
        }
    }
    spans
}
