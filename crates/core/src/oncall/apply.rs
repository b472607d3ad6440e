//! Changes of who is on call: checked as a whole before anything is touched.

mod exceptions;
mod imports;
mod swaps;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::change::{OnCallChange, OnCallRejection, OnCallWrites};
use super::exception::{FixedBlock, Override, Unavailability};
use super::roster::{Entry, Roster};
use super::schedule::{Fallback, Schedule, ScheduleName, ScheduleSpec, Slot};
use crate::audit::AuditNote;
use crate::identity::{Handle, PersonOrigin};

/// The most schedules a tenant has.
const MAX_SCHEDULES: usize = 20_000;
/// The most absences of a person.
const MAX_ABSENCES: usize = 500;
/// The most calendar addresses of a tenant.
const MAX_FEEDS: usize = 20_000;
/// The most characters of a reason or a note.
pub const MAX_REASON_CHARS: usize = 1_000;

/// Who asks for a change, and whom there is.
pub struct Asker<'a> {
    /// What the author is called.
    pub name: &'a str,
    /// Whether somebody is known and active.
    pub is_active: &'a dyn Fn(&Handle) -> bool,
}

type Result<T> = std::result::Result<T, OnCallRejection>;

impl Roster {
    /// Carries out a change, or changes nothing.
    ///
    /// # Errors
    /// [`OnCallRejection`] with the reason.
    pub fn apply(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        change: OnCallChange,
        writes: &mut OnCallWrites,
    ) -> Result<Option<AuditNote>> {
        let note = match change {
            OnCallChange::SetSchedule(spec) => self.set_schedule(now, asker, &spec, writes)?,
            OnCallChange::DeleteSchedule(name) => self.delete_schedule(now, &name, writes)?,
            OnCallChange::AddOverride(it) => self.add_exception(now, asker, *it, writes)?,
            OnCallChange::RemoveOverride { schedule, id } => {
                self.remove_exception::<Override>(now, &schedule, id, writes)?
            }
            OnCallChange::AddBlock(it) => self.add_exception(now, asker, *it, writes)?,
            OnCallChange::RemoveBlock { schedule, id } => {
                self.remove_exception::<FixedBlock>(now, &schedule, id, writes)?
            }
            OnCallChange::RequestSwap(it) => self.request_swap(now, asker, *it, writes)?,
            OnCallChange::TakeSwap { schedule, id, by, part, rest_ids } => {
                self.take_swap(now, asker, &schedule, id, &by, part, rest_ids, writes)?
            }
            OnCallChange::DeclineSwap { schedule, id, by } => {
                self.decline_swap(now, &schedule, id, &by, writes)?
            }
            OnCallChange::CancelSwap { schedule, id } => {
                self.cancel_swap(now, &schedule, id, writes)?
            }
            OnCallChange::AddAbsence(it) => self.add_absence(now, asker, *it, writes)?,
            OnCallChange::RemoveAbsence { id } => self.remove_absence(now, id, writes)?,
            OnCallChange::CorrectHistory { schedule, from, to, people, reason } => {
                self.correct(now, asker, &schedule, (from, to), &people, &reason, writes)?
            }
            OnCallChange::AddFeed(feed) => {
                if self.feeds.len() >= MAX_FEEDS {
                    return Err(too_many("calendar addresses", MAX_FEEDS));
                }
                let note = AuditNote::new("calendar.create", format!("calendar/{}", feed.id));
                let note = note.after(json!({ "of": feed.of }));
                self.feed_hashes.insert(feed.hash, feed.id);
                writes.feeds.insert(feed.id, Some(feed.clone()));
                self.feeds.insert(feed.id, feed);
                note
            }
            OnCallChange::RevokeFeed { id } => {
                let unknown = OnCallRejection::Unknown { what: "calendar address", id };
                let feed = self.feeds.remove(&id).ok_or(unknown)?;
                self.feed_hashes.remove(&feed.hash);
                writes.feeds.insert(id, None);
                let note = AuditNote::new("calendar.revoke", format!("calendar/{id}"));
                note.before(json!({ "of": feed.of }))
            }
            OnCallChange::Import { schedule, import, outcome, .. } => {
                self.take_import(now, &schedule, &import, outcome, writes)?;
                return Ok(None);
            }
        };
        self.forget_those_who_fall_back();
        Ok(Some(note))
    }

    /// What was worked out for schedules that fall back to others may hold no longer.
    fn forget_those_who_fall_back(&mut self) {
        for entry in self.entries.values_mut() {
            if matches!(entry.schedule.fallback, Fallback::Schedule(_)) {
                entry.present = None;
            }
        }
    }

    fn known(&self, name: &str) -> Result<&Entry> {
        self.entry(name).ok_or_else(|| OnCallRejection::UnknownSchedule(name.to_owned()))
    }

    fn known_mut(&mut self, name: &str) -> Result<&mut Entry> {
        let entry = self.entries.get_mut(name);
        let entry = entry.ok_or_else(|| OnCallRejection::UnknownSchedule(name.to_owned()))?;
        // Whatever changes, what was worked out for now may no longer hold.
        entry.present = None;
        Ok(entry)
    }

    fn set_schedule(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        spec: &ScheduleSpec,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        self.check(asker, spec)?;
        let subject = format!("schedule/{}", spec.name);
        let note = AuditNote::new("schedule.set", subject).after(json!(spec.shown()));
        let note = match self.entry(&spec.name) {
            Some(known) if known.schedule.origin == PersonOrigin::Provisioned => {
                return Err(OnCallRejection::Provisioned(Arc::clone(&spec.name)));
            }
            Some(known) => note.before(json!(known.schedule.spec().shown())),
            None if self.entries.len() >= MAX_SCHEDULES => {
                return Err(too_many("schedules", MAX_SCHEDULES));
            }
            None => note,
        };
        self.put_schedule(now, asker.name, spec, PersonOrigin::Api, writes);
        Ok(note)
    }

    /// Checks that a schedule makes sense and names only what there is.
    fn check(&self, asker: &Asker<'_>, spec: &ScheduleSpec) -> Result<()> {
        spec.check()?;
        let known = self.entry(&spec.name).map(|entry| entry.schedule.spec());
        let stays = |person: &Handle| {
            let mut layers = known.iter().flat_map(|spec| &spec.layers);
            layers.any(|layer| layer.members.iter().any(|slot| slot.people().contains(person)))
        };
        let people = spec.layers.iter().flat_map(|it| &it.members).flat_map(Slot::people);
        for person in people {
            // Somebody who has left may stay named: others stand in, and the order is kept.
            if !(asker.is_active)(person) && !stays(person) {
                return Err(OnCallRejection::UnknownPerson(person.clone()));
            }
        }
        match &spec.fallback {
            Fallback::Skip => {}
            Fallback::Person(person) => active(asker, person)?,
            Fallback::Schedule(name) => {
                self.known(name)?;
                if self.fallback_circle(&spec.name, name) {
                    let what = format!("the fallback `{name}` leads back or too far");
                    return Err(OnCallRejection::Invalid { what });
                }
            }
        }
        for name in &spec.holidays {
            if !self.calendars.contains_key(name) {
                let what = format!("there is no holiday calendar `{name}`");
                return Err(OnCallRejection::Invalid { what });
            }
        }
        Ok(())
    }

    /// Makes or edits a schedule without asking whether that may be.
    pub(super) fn put_schedule(
        &mut self,
        now: Timestamp,
        author: &str,
        spec: &ScheduleSpec,
        origin: PersonOrigin,
        writes: &mut OnCallWrites,
    ) {
        let name = Arc::clone(&spec.name);
        let schedule = match self.entry(&name) {
            Some(known) => known.schedule.edited(spec, author, now, self),
            None => Schedule::create(spec, origin, author, now),
        };
        let schedule = Schedule { origin, ..schedule };
        writes.schedules.insert(Arc::clone(&name), Some(schedule.clone()));
        match self.entries.get_mut(&name) {
            Some(entry) => {
                entry.schedule = schedule;
                entry.present = None;
                self.keep_named_imports(&name, writes);
            }
            None => self.insert(Entry::new(schedule)),
        }
    }

    fn delete_schedule(
        &mut self,
        now: Timestamp,
        name: &ScheduleName,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        let known = self.known(name)?;
        if known.schedule.origin == PersonOrigin::Provisioned {
            return Err(OnCallRejection::Provisioned(Arc::clone(name)));
        }
        let users = self.users_of(name);
        if !users.is_empty() {
            return Err(OnCallRejection::InUse { schedule: Arc::clone(name), users });
        }
        let note = AuditNote::new("schedule.delete", format!("schedule/{name}"));
        let note = note.before(json!(known.schedule.spec().shown()));
        self.drop_schedule(now, name, writes);
        Ok(note)
    }

    /// Returns what falls back to a schedule.
    pub fn users_of(&self, name: &str) -> Vec<String> {
        let uses = |entry: &&Entry| match &entry.schedule.fallback {
            Fallback::Schedule(other) => **other == *name,
            _ => false,
        };
        let users = self.entries().filter(uses);
        users.map(|entry| format!("schedule/{}", entry.schedule.name)).collect()
    }

    /// Removes a schedule with everything that changes it; its records stay in the store.
    pub(super) fn drop_schedule(&mut self, now: Timestamp, name: &str, writes: &mut OnCallWrites) {
        self.close_records(now, name, writes);
        let Some(entry) = self.entries.remove(name) else { return };
        writes.schedules.insert(Arc::clone(&entry.schedule.name), None);
        writes.overrides.extend(entry.overrides.iter().map(|it| (it.id, None)));
        writes.blocks.extend(entry.blocks.iter().map(|it| (it.id, None)));
        writes.swaps.extend(entry.swaps.iter().map(|it| (it.id, None)));
        let key = |import: &Arc<str>| (Arc::clone(&entry.schedule.name), Arc::clone(import));
        writes.imports.extend(entry.imports.keys().map(|import| (key(import), None)));
        if self.forget_out_of_office(name) {
            self.forget_present();
        }
    }

    fn add_absence(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        mut it: Unavailability,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        span(it.from, it.to)?;
        if it.to <= now {
            return Err(OnCallRejection::InThePast);
        }
        active(asker, &it.person)?;
        if self.absences_of(&it.person).len() >= MAX_ABSENCES {
            return Err(too_many("absences", MAX_ABSENCES));
        }
        it.note = cut(&it.note);
        let note = AuditNote::new("absence.add", format!("person/{}", it.person));
        let note = note.after(json!(it));
        writes.absences.insert(it.id, Some(it.clone()));
        self.insert_absence(it);
        self.forget_present();
        Ok(note)
    }

    fn remove_absence(
        &mut self,
        now: Timestamp,
        id: Uuid,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        let unknown = OnCallRejection::Unknown { what: "absence", id };
        let before = self.absences().find(|it| it.id == id).cloned().ok_or(unknown)?;
        if before.is_imported {
            return Err(invalid("this absence comes from a calendar; change it there"));
        }
        let of_person = self.absences.entry(before.person.clone()).or_default();
        of_person.retain(|it| it.id != id);
        // What was stays, so that the past keeps its reasons.
        if before.from < now && now < before.to {
            let ended = Unavailability { to: now, ..before.clone() };
            writes.absences.insert(id, Some(ended.clone()));
            self.insert_absence(ended);
        } else {
            writes.absences.insert(id, None);
        }
        self.forget_present();
        let note = AuditNote::new("absence.remove", format!("person/{}", before.person));
        Ok(note.before(json!(before)))
    }
}

fn active(asker: &Asker<'_>, person: &Handle) -> Result<()> {
    if (asker.is_active)(person) {
        return Ok(());
    }
    Err(OnCallRejection::UnknownPerson(person.clone()))
}

fn span(from: Timestamp, to: Timestamp) -> Result<()> {
    if from < to {
        return Ok(());
    }
    Err(invalid("the end must come after the beginning"))
}

fn invalid(what: &str) -> OnCallRejection {
    OnCallRejection::Invalid { what: what.to_owned() }
}

fn too_many(what: &'static str, limit: usize) -> OnCallRejection {
    OnCallRejection::TooMany { what, limit }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_REASON_CHARS).collect()
}
