//! Overrides and fixed blocks are made and ended the same way; what differs is what they demand.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::super::change::{Changed, OnCallRejection, OnCallWrites};
use super::super::exception::{FixedBlock, Override};
use super::super::roster::{Entry, Roster};
use super::super::schedule::ScheduleName;
use super::{Asker, Result, active, cut, invalid, span, too_many};
use crate::audit::AuditNote;

/// The most shifts of a fixed block.
const MAX_BLOCK_SHIFTS: usize = 150;

/// Something that holds in the place of what a schedule says, for a time.
pub(super) trait Exception: Clone + Serialize + Sized {
    /// What one is called.
    const WHAT: &'static str;
    /// What several are called.
    const SEVERAL: &'static str;
    /// What the audit log calls making one.
    const ADDED: &'static str;
    /// What the audit log calls ending one.
    const REMOVED: &'static str;
    /// The most of a schedule that are not over.
    const LIMIT: usize;

    /// Returns its identity and the schedule it belongs to.
    fn key(&self) -> (Uuid, &ScheduleName);
    /// Returns its first instant and the one after its last.
    fn time(&self) -> (Timestamp, Timestamp);
    /// Lets it end.
    fn end(&mut self, at: Timestamp);
    /// Returns its place in the order of creation.
    fn number(&self) -> u64;
    /// Writes down its place and its author, and shortens its reason.
    fn sign(&mut self, number: u64, author: &str);
    /// Returns why it was made.
    fn reason(&self) -> &str;
    /// Refuses what makes no sense in that schedule.
    fn check(&self, asker: &Asker<'_>, entry: &Entry) -> Result<()>;
    /// Returns those of a schedule, in the order of their creation.
    fn all(entry: &Entry) -> &[Self];
    /// Returns those of a schedule to change them.
    fn all_mut(entry: &mut Entry) -> &mut Vec<Self>;
    /// Returns where a change of one is written down.
    fn changed(writes: &mut OnCallWrites) -> &mut Changed<Uuid, Self>;
}

impl Exception for Override {
    const WHAT: &'static str = "override";
    const SEVERAL: &'static str = "overrides";
    const ADDED: &'static str = "override.add";
    const REMOVED: &'static str = "override.remove";
    const LIMIT: usize = 500;

    fn key(&self) -> (Uuid, &ScheduleName) {
        (self.id, &self.schedule)
    }

    fn time(&self) -> (Timestamp, Timestamp) {
        (self.from, self.to)
    }

    fn end(&mut self, at: Timestamp) {
        self.to = at;
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn sign(&mut self, number: u64, author: &str) {
        self.number = number;
        author.clone_into(&mut self.author);
        self.reason = cut(&self.reason);
    }

    fn reason(&self) -> &str {
        &self.reason
    }

    fn check(&self, asker: &Asker<'_>, entry: &Entry) -> Result<()> {
        match (&self.user_out, &self.user_in) {
            (None, None) => return Err(invalid("an override names who comes, who goes, or both")),
            (Some(out), Some(into)) if out == into => {
                return Err(invalid("an override replaces somebody by somebody else"));
            }
            _ => {}
        }
        if let Some(into) = &self.user_in {
            active(asker, into)?;
        }
        if let Some(layer) = &self.layer
            && entry.schedule.layer(layer).is_none()
        {
            let (schedule, layer) = (self.schedule.clone(), layer.clone());
            return Err(OnCallRejection::UnknownLayer { schedule, layer });
        }
        let Some(out) = &self.user_out else { return Ok(()) };
        let in_the_way = entry.overrides.iter().find(|known| {
            known.user_out.as_ref() == Some(out)
                && known.layer == self.layer
                && known.from < self.to
                && self.from < known.to
        });
        match in_the_way {
            Some(known) => Err(OnCallRejection::Overlaps { person: out.clone(), id: known.id }),
            None => Ok(()),
        }
    }

    fn all(entry: &Entry) -> &[Self] {
        &entry.overrides
    }

    fn all_mut(entry: &mut Entry) -> &mut Vec<Self> {
        &mut entry.overrides
    }

    fn changed(writes: &mut OnCallWrites) -> &mut Changed<Uuid, Self> {
        &mut writes.overrides
    }
}

impl Exception for FixedBlock {
    const WHAT: &'static str = "fixed block";
    const SEVERAL: &'static str = "fixed blocks";
    const ADDED: &'static str = "block.add";
    const REMOVED: &'static str = "block.remove";
    const LIMIT: usize = 50;

    fn key(&self) -> (Uuid, &ScheduleName) {
        (self.id, &self.schedule)
    }

    fn time(&self) -> (Timestamp, Timestamp) {
        (self.from, self.to)
    }

    fn end(&mut self, at: Timestamp) {
        self.to = at;
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn sign(&mut self, number: u64, author: &str) {
        self.number = number;
        author.clone_into(&mut self.author);
        self.reason = cut(&self.reason);
    }

    fn reason(&self) -> &str {
        &self.reason
    }

    fn check(&self, asker: &Asker<'_>, entry: &Entry) -> Result<()> {
        if self.shifts.len() > MAX_BLOCK_SHIFTS {
            return Err(too_many("shifts of a fixed block", MAX_BLOCK_SHIFTS));
        }
        for shift in &self.shifts {
            span(shift.from, shift.to)?;
            active(asker, &shift.person)?;
            if shift.from < self.from || self.to < shift.to {
                return Err(invalid("a shift of a fixed block lies within the block"));
            }
        }
        let mut known = entry.blocks.iter();
        match known.find(|known| known.from < self.to && self.from < known.to) {
            Some(known) => Err(OnCallRejection::BlockOverlaps { id: known.id }),
            None => Ok(()),
        }
    }

    fn all(entry: &Entry) -> &[Self] {
        &entry.blocks
    }

    fn all_mut(entry: &mut Entry) -> &mut Vec<Self> {
        &mut entry.blocks
    }

    fn changed(writes: &mut OnCallWrites) -> &mut Changed<Uuid, Self> {
        &mut writes.blocks
    }
}

impl Roster {
    pub(super) fn add_exception<E: Exception>(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        mut it: E,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        let (from, to) = it.time();
        span(from, to)?;
        if to <= now {
            return Err(OnCallRejection::InThePast);
        }
        let (id, schedule) = it.key();
        let schedule = schedule.clone();
        let entry = self.known(&schedule)?;
        it.check(asker, entry)?;
        if E::all(entry).iter().filter(|known| known.time().1 > now).count() >= E::LIMIT {
            return Err(too_many(E::SEVERAL, E::LIMIT));
        }
        it.sign(E::all(entry).last().map_or(0, E::number) + 1, asker.name);
        let note = AuditNote::new(E::ADDED, format!("schedule/{schedule}"));
        let note = note.after(json!(it)).because(it.reason());
        E::changed(writes).insert(id, Some(it.clone()));
        E::all_mut(self.known_mut(&schedule)?).push(it);
        Ok(note)
    }

    /// Ends an exception now when it has begun; one that has not is gone altogether.
    pub(super) fn remove_exception<E: Exception>(
        &mut self,
        now: Timestamp,
        schedule: &str,
        id: Uuid,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        let all = E::all(self.known(schedule)?);
        let unknown = OnCallRejection::Unknown { what: E::WHAT, id };
        let place = all.iter().position(|it| it.key().0 == id).ok_or(unknown)?;
        let before = all[place].clone();
        let (from, to) = before.time();
        if to <= now {
            return Err(OnCallRejection::InThePast);
        }
        let all = E::all_mut(self.known_mut(schedule)?);
        let left = if from < now {
            all[place].end(now);
            Some(all[place].clone())
        } else {
            all.remove(place);
            None
        };
        E::changed(writes).insert(id, left);
        let note = AuditNote::new(E::REMOVED, format!("schedule/{schedule}"));
        Ok(note.before(json!(before)))
    }
}
