//! What calendars elsewhere say: their events, and whom those put on call.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::clock::Zone;
use super::exception::{Holiday, HolidayCalendar};
use super::names::{Named, Names};
use super::schedule::{ImportKind, ImportSpec};
use crate::identity::Handle;

/// The most events of one calendar, each repetition counted; later ones are left out with a
/// warning.
pub const MAX_IMPORTED_EVENTS: usize = 10_000;

/// How long the last good copy of a calendar holds when it cannot be fetched.
pub const LAST_GOOD_COPY_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far back the events of a calendar are taken over, as far as records are kept in memory.
pub const IMPORTED_BACK: SignedDuration = SignedDuration::from_hours(35 * 24);

/// How far ahead they are: as long as the longest view of a schedule.
pub const IMPORTED_AHEAD: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// The most names that nobody goes by that are told of; further ones are counted.
const MAX_UNKNOWN: usize = 20;

/// The most characters of a name that is told of.
const MAX_UNKNOWN_CHARS: usize = 100;

/// How old the written time of the last good copy may get while the calendar stays as it is.
const REWRITE_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// One event of a calendar, or one repetition of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImportedEvent {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// What it is called, without its level.
    pub text: String,
    /// The higher one wins among the events of a calendar; equal ones are on call together.
    #[serde(default)]
    pub level: u8,
    /// The addresses, or else the names, of those invited who did not decline.
    #[serde(default)]
    pub attendees: Vec<String>,
    /// The address of whoever made it.
    #[serde(default)]
    pub organizer: Option<String>,
}

/// One event of a calendar together with one person it names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportedShift {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// The higher one wins.
    pub level: u8,
    /// Who; `None` when nobody is known by what the event says.
    pub person: Option<Handle>,
    /// What the event says.
    pub text: String,
}

/// Since when a calendar cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFailure {
    /// Since when.
    pub since: Timestamp,
    /// Why the last attempt failed.
    pub why: String,
}

/// What is known of a calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// As they were read, ascending.
    events: Vec<ImportedEvent>,
    /// Those with the people they name, ascending.
    shifts: Vec<ImportedShift>,
    /// Disjoint and ascending times with the people of each.
    spans: Vec<(Timestamp, Timestamp, Vec<Handle>)>,
    /// The days that are holidays by it.
    holidays: HolidayCalendar,
    /// What nobody goes by.
    unknown: Vec<String>,
    /// How many more there are.
    unknown_beyond: usize,
    /// When it was read last; `None` for never.
    pub fetched_at: Option<Timestamp>,
    /// What the store has as the time of the last good copy.
    pub(super) written_at: Option<Timestamp>,
    /// What could not be understood of it, one sentence each.
    pub trouble: Vec<String>,
    /// Why it cannot be read; `None` while it can.
    pub failing: Option<ImportFailure>,
    /// Whether nothing of it holds any more, because it could not be read for too long.
    pub is_lost: bool,
}

impl Imported {
    /// Takes over what a calendar says. Whom it names is found by [`Self::match_up`].
    pub fn new(mut events: Vec<ImportedEvent>, fetched_at: Option<Timestamp>) -> Self {
        events.retain(|event| event.from < event.to);
        events.sort();
        events.dedup();
        events.truncate(MAX_IMPORTED_EVENTS);
        Self { events, fetched_at, written_at: fetched_at, ..Self::default() }
    }

    /// Returns the events as they were read, ascending.
    pub fn events(&self) -> &[ImportedEvent] {
        &self.events
    }

    /// Returns the events with the people they name, ascending; one for each person.
    pub fn shifts(&self) -> &[ImportedShift] {
        &self.shifts
    }

    /// Returns what events say that nobody goes by, each once; and how many more there are.
    pub fn unknown(&self) -> (&[String], usize) {
        (&self.unknown, self.unknown_beyond)
    }

    /// Returns the days that are holidays by it.
    pub(super) fn holidays(&self) -> &HolidayCalendar {
        &self.holidays
    }

    /// Finds out whom the events name.
    pub(super) fn match_up(&mut self, spec: &ImportSpec, zone: &Zone, names: &Names) {
        (self.shifts, self.spans) = (Vec::new(), Vec::new());
        (self.unknown, self.unknown_beyond) = (Vec::new(), 0);
        self.holidays = HolidayCalendar { name: Arc::clone(&spec.name), days: Vec::new() };
        if spec.kind == ImportKind::Holidays {
            self.holidays.days = self.events.iter().map(|event| holiday(event, zone)).collect();
            return;
        }
        for event in &self.events {
            let Named { people, unknown } = names.of(event, spec);
            for text in unknown {
                let text: String = text.chars().take(MAX_UNKNOWN_CHARS).collect();
                if self.unknown.contains(&text) {
                    continue;
                }
                if self.unknown.len() < MAX_UNKNOWN {
                    self.unknown.push(text);
                } else {
                    self.unknown_beyond += 1;
                }
            }
            let shift = |person: Option<Handle>| ImportedShift {
                from: event.from,
                to: event.to,
                level: event.level,
                person,
                text: event.text.clone(),
            };
            if people.is_empty() {
                self.shifts.push(shift(None));
            }
            self.shifts.extend(people.into_iter().map(|person| shift(Some(person))));
        }
        self.spans = spans_of(&self.shifts);
    }

    /// Forgets what the calendar said when that is too long ago; returns whether it did just now.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let is_old = |at: Timestamp| now.duration_since(at) > LAST_GOOD_COPY_KEPT;
        if self.is_lost || !self.fetched_at.is_some_and(is_old) {
            return false;
        }
        let (failing, fetched_at) = (self.failing.take(), self.fetched_at);
        *self = Self { failing, fetched_at, is_lost: true, ..Self::default() };
        true
    }

    /// Notes that the calendar says what it said before; returns whether that has to be written,
    /// so that a restart knows how old the last good copy is.
    pub(super) fn confirm(&mut self, now: Timestamp) -> bool {
        self.fetched_at = Some(now);
        self.failing = None;
        self.is_lost = false;
        let is_old = |at: Timestamp| now.duration_since(at) > REWRITE_AFTER;
        let is_stale = self.written_at.is_none_or(is_old);
        if is_stale {
            self.written_at = Some(now);
        }
        is_stale
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

/// Returns the local days that an event touches.
fn holiday(event: &ImportedEvent, zone: &Zone) -> Holiday {
    let last = event.to.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(event.to);
    Holiday {
        from: zone.local(event.from).date(),
        to: zone.local(last).date(),
        is_yearly: false,
        name: event.text.clone(),
    }
}

/// Cuts overlapping shifts into times with the same people: those of the highest level.
fn spans_of(shifts: &[ImportedShift]) -> Vec<(Timestamp, Timestamp, Vec<Handle>)> {
    let known = || shifts.iter().filter(|shift| shift.person.is_some());
    let mut edges: Vec<Timestamp> = known().flat_map(|shift| [shift.from, shift.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut spans: Vec<(Timestamp, Timestamp, Vec<Handle>)> = Vec::new();
    let mut open: Vec<&ImportedShift> = Vec::new();
    let mut coming = known().peekable();
    for pair in edges.windows(2) {
        let [from, to] = *pair else { continue };
        open.retain(|shift| shift.to > from);
        while let Some(shift) = coming.next_if(|shift| shift.from <= from) {
            open.push(shift);
        }
        let Some(highest) = open.iter().map(|shift| shift.level).max() else { continue };
        let mut people: Vec<Handle> = Vec::new();
        for shift in open.iter().filter(|shift| shift.level == highest) {
            if let Some(person) = shift.person.as_ref().filter(|person| !people.contains(person)) {
                people.push(person.clone());
            }
        }
        match spans.last_mut() {
            Some((_, end, before)) if *end == from && *before == people => *end = to,
            _ => spans.push((from, to, people)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    fn shift(person: Option<&str>, from: i64, to: i64, level: u8) -> ImportedShift {
        let person = person.map(|person| Handle::parse(person).unwrap());
        ImportedShift { from: at(from), to: at(to), level, person, text: String::new() }
    }

    /// Returns who is on call when, in hours.
    fn spans(mut shifts: Vec<ImportedShift>) -> Vec<(i64, i64, String)> {
        shifts.sort();
        let hour = |at: Timestamp| at.as_second() / 3_600;
        let span = |(from, to, people): (Timestamp, Timestamp, Vec<Handle>)| {
            let names: Vec<&str> = people.iter().map(Handle::as_str).collect();
            (hour(from), hour(to), names.join("+"))
        };
        spans_of(&shifts).into_iter().map(span).collect()
    }

    #[test]
    fn a_higher_level_cuts_out_a_lower_one() {
        let (a, b, c) = (Some("a"), Some("b"), Some("c"));
        // The vectors of Grafana OnCall's own tests.
        let first = spans(vec![shift(a, 10, 20, 1), shift(b, 12, 16, 1), shift(c, 15, 18, 2)]);
        let text = |from, to, who: &str| (from, to, who.to_owned());
        assert_eq!(
            first,
            [text(10, 12, "a"), text(12, 15, "a+b"), text(15, 18, "c"), text(18, 20, "a"),]
        );
        let second = spans(vec![shift(a, 10, 20, 1), shift(b, 10, 20, 1), shift(c, 10, 13, 2)]);
        assert_eq!(second, [text(10, 13, "c"), text(13, 20, "a+b")]);
    }

    #[test]
    fn an_event_that_names_nobody_cuts_nothing_out() {
        let shifts = vec![shift(Some("a"), 10, 20, 0), shift(None, 12, 14, 3)];
        assert_eq!(spans(shifts), [(10, 20, "a".to_owned())]);
    }

    #[test]
    fn shifts_of_the_same_people_that_meet_are_one() {
        let shifts = vec![shift(Some("a"), 10, 12, 0), shift(Some("a"), 12, 14, 0)];
        assert_eq!(spans(shifts), [(10, 14, "a".to_owned())]);
    }
}
