//! Every repetition of every event within a time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use tocsin_core::maintenance::Recurrence;
use tocsin_core::oncall::{ImportedEvent, MAX_IMPORTED_EVENTS, MIN_STEP_MINUTES};

use super::event::{Event, is_same_repetition};
use super::time::{Length, Moment, instant};
use super::trouble::{Trouble, quoted};

/// The most rules of one calendar that are followed.
const MAX_RULES: usize = 5_000;
/// The most repetitions of one calendar that are looked at, taken or not.
const MAX_STEPS: usize = 1_000_000;
/// How long before a time a repetition may have begun that reaches into it.
const MAX_REACH: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Finds repetitions, with what may still be spent on it.
pub(super) struct Expansion<'t> {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) trouble: &'t mut Trouble,
    rules_left: usize,
    steps_left: usize,
}

/// One repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Repetition {
    from: Timestamp,
    local: DateTime,
    to: Timestamp,
}

impl<'t> Expansion<'t> {
    pub(super) fn new(from: Timestamp, to: Timestamp, trouble: &'t mut Trouble) -> Self {
        Self { from, to, trouble, rules_left: MAX_RULES, steps_left: MAX_STEPS }
    }

    /// Returns the repetitions of all events, ascending.
    pub(super) fn of_all(&mut self, events: Vec<Event>) -> Vec<ImportedEvent> {
        let (singles, masters): (Vec<Event>, Vec<Event>) =
            newest(events).into_iter().partition(|event| event.replaces.is_some());
        let mut replaced: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for single in &singles {
            replaced.entry(&single.uid).or_default().push(single);
        }
        let mut found = Vec::new();
        for master in masters.iter().filter(|event| !event.is_cancelled) {
            let replaced = replaced.get(master.uid.as_str()).map_or(&[][..], Vec::as_slice);
            let repetitions = self.of(master);
            let stays = |it: &Repetition| !is_replaced(replaced, it);
            let kept = repetitions.iter().filter(|it| stays(it));
            found.extend(kept.map(|it| imported(master, it)));
            for later in replaced.iter().filter(|it| it.replaces_later && !it.is_cancelled) {
                found.extend(self.moved(later, replaced, &repetitions));
            }
        }
        for single in singles.iter().filter(|it| !it.is_cancelled && !it.replaces_later) {
            found.extend(self.one(single).map(|it| imported(single, &it)));
        }
        found.sort();
        found.dedup();
        if found.len() > MAX_IMPORTED_EVENTS {
            let end = found.get(MAX_IMPORTED_EVENTS).map(|event| event.from).unwrap_or_default();
            self.trouble.of_all(format!(
                "there are more than {MAX_IMPORTED_EVENTS} events; those from {end:.0} on are left \
                 out"
            ));
            found.truncate(MAX_IMPORTED_EVENTS);
        }
        found
    }

    /// Returns what becomes of repetitions that an event replaces together with all later ones.
    fn moved(
        &self,
        event: &Event,
        replaced: &[&Event],
        repetitions: &BTreeSet<Repetition>,
    ) -> Vec<ImportedEvent> {
        let Some(since) = event.replaces.as_ref() else { return Vec::new() };
        let Some(first) = since.instant() else { return Vec::new() };
        let shift = event.start.local.duration_since(since.local);
        let others: Vec<&Event> =
            replaced.iter().filter(|it| !std::ptr::eq(**it, event)).copied().collect();
        let later = repetitions.iter().filter(|it| it.from >= first && !is_replaced(&others, it));
        later
            .filter_map(|it| {
                let local = it.local.checked_add(shift).ok()?;
                let from = instant(&event.start.zone, local)?;
                let to = event.length.end(local, &event.start.zone)?;
                Some(imported(event, &Repetition { from, local, to }))
            })
            .collect()
    }

    /// Returns the only repetition of an event, if it is within the time.
    fn one(&self, event: &Event) -> Option<Repetition> {
        self.within(event, event.start.local, event.start.instant()?, event.length)
    }

    fn within(
        &self,
        event: &Event,
        local: DateTime,
        from: Timestamp,
        length: Length,
    ) -> Option<Repetition> {
        let to = length.end(local, &event.start.zone)?;
        (from < self.to && to > self.from && from < to).then_some(Repetition { from, local, to })
    }

    /// Returns the repetitions of an event within the time.
    fn of(&mut self, event: &Event) -> BTreeSet<Repetition> {
        let mut found = BTreeSet::new();
        // A first repetition that the rule does not name is one all the same (section 3.8.5.3).
        found.extend(self.one(event));
        for (line, rule) in &event.rules {
            for (local, from) in self.starts(event, *line, rule) {
                found.extend(self.within(event, local, from, event.length));
            }
        }
        for (at, length) in &event.also {
            let Some(from) = at.instant() else { continue };
            let local = event.start.zone.to_datetime(from);
            found.extend(self.within(event, local, from, length.unwrap_or(event.length)));
        }
        if found.is_empty() {
            return found;
        }
        let mut except: BTreeSet<Timestamp> = BTreeSet::new();
        for (line, rule) in &event.except_rules {
            except.extend(self.starts(event, *line, rule).into_iter().map(|(_, from)| from));
        }
        let days: BTreeSet<_> =
            event.except.iter().filter(|it| it.is_day).map(|it| it.local.date()).collect();
        except.extend(event.except.iter().filter(|it| !it.is_day).filter_map(Moment::instant));
        found.retain(|it| !except.contains(&it.from) && !days.contains(&it.local.date()));
        found
    }

    /// Returns the starts by a rule that may reach into the time.
    fn starts(&mut self, event: &Event, line: usize, text: &str) -> Vec<(DateTime, Timestamp)> {
        let zone = &event.start.zone;
        let Some(left) = self.rules_left.checked_sub(1).filter(|_| self.steps_left > 0) else {
            self.trouble.of_all(format!(
                "the calendar repeats more than can be followed; from line {line} on only the \
                 first event of each row counts"
            ));
            return Vec::new();
        };
        self.rules_left = left;
        let rule = match Recurrence::new(text) {
            Ok(rule) if !rule.is_denser_than(event.start.local, MIN_STEP_MINUTES) => rule,
            Ok(_) => {
                let why = "repeats more often than every 15 minutes, so only the first counts";
                self.trouble.at(line, format!("event {} {why}", quoted(&event.text)));
                return Vec::new();
            }
            Err(error) => {
                let (name, why) = (quoted(&event.text), error.message);
                let what = format!("event {name} repeats by a rule that cannot be read: {why}");
                self.trouble.at(line, format!("{what}; only the first counts"));
                return Vec::new();
            }
        };
        // A change of clocks or an end far away: somewhat earlier than what is asked for.
        let earliest = self.from.checked_sub(MAX_REACH).unwrap_or(self.from);
        let earliest = zone.to_datetime(earliest);
        let mut found = Vec::new();
        let (to, steps_left) = (self.to, &mut self.steps_left);
        rule.walk_from(
            event.start.local,
            earliest,
            |local| instant(zone, local).unwrap_or(Timestamp::MAX),
            |local, from| {
                *steps_left = steps_left.saturating_sub(1);
                if from >= to || *steps_left == 0 {
                    return ControlFlow::Break(());
                }
                found.push((local, from));
                ControlFlow::Continue(())
            },
        );
        found
    }
}

fn imported(event: &Event, at: &Repetition) -> ImportedEvent {
    ImportedEvent {
        from: at.from,
        to: at.to,
        text: event.text.clone(),
        level: event.level,
        attendees: event.attendees.clone(),
        organizer: event.organizer.clone(),
    }
}

/// Returns whether other events stand in the place of a repetition.
fn is_replaced(replaced: &[&Event], it: &Repetition) -> bool {
    replaced.iter().any(|event| {
        let Some(named) = &event.replaces else { return false };
        is_same_repetition(named, it.local, it.from)
            || event.replaces_later && named.instant().is_some_and(|since| it.from >= since)
    })
}

/// Leaves out what a later edition of the same event replaces: the same identity, and the same
/// beginning or the same repetition. Events of one identity that begin otherwise all count.
fn newest(events: Vec<Event>) -> Vec<Event> {
    let mut kept: Vec<Option<Event>> = Vec::with_capacity(events.len());
    let mut known: BTreeMap<(String, Option<Timestamp>, bool), usize> = BTreeMap::new();
    for event in events {
        if event.uid.is_empty() {
            kept.push(Some(event));
            continue;
        }
        let is_single = event.replaces.is_some();
        let at = event.replaces.as_ref().unwrap_or(&event.start).instant();
        let key = (event.uid.clone(), at, is_single);
        match known.get(&key).and_then(|place| kept.get_mut(*place)) {
            Some(place) => {
                let is_older = place.as_ref().is_some_and(|it| it.sequence > event.sequence);
                if !is_older {
                    *place = Some(event);
                }
            }
            None => {
                known.insert(key, kept.len());
                kept.push(Some(event));
            }
        }
    }
    kept.into_iter().flatten().collect()
}
