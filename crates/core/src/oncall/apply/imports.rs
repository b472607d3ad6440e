//! What calendars elsewhere say takes effect, and what they said last holds for a while when they
//! cannot be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Result;
use crate::oncall::change::{ImportNews, ImportOutcome, ImportRow, OnCallRejection, OnCallWrites};
use crate::oncall::exception::{AbsenceKind, Unavailability};
use crate::oncall::imported::{ImportFailure, Imported};
use crate::oncall::names::Names;
use crate::oncall::roster::Roster;
use crate::oncall::schedule::{ImportKind, ScheduleName};

impl Roster {
    /// Takes over how reading a calendar ended, and returns what is worth telling of it.
    ///
    /// # Errors
    /// [`OnCallRejection`] when there is no such calendar any more.
    pub fn take_import(
        &mut self,
        now: Timestamp,
        schedule: &ScheduleName,
        import: &Arc<str>,
        outcome: ImportOutcome,
        writes: &mut OnCallWrites,
    ) -> Result<Option<ImportNews>> {
        let names = Arc::clone(&self.names);
        self.known(schedule)?;
        let Some(entry) = self.entries.get_mut(schedule) else { return Ok(None) };
        let Some(spec) = entry.schedule.imports.iter().find(|it| it.name == *import) else {
            let (schedule, import) = (Arc::clone(schedule), Arc::clone(import));
            return Err(OnCallRejection::UnknownImport { schedule, import });
        };
        let key = (Arc::clone(schedule), Arc::clone(import));
        let imported = entry.imports.entry(Arc::clone(import)).or_default();
        let was_failing = imported.failing.is_some();
        let read = |imported: &Imported| {
            let (unknown, beyond) = imported.unknown();
            let (events, unknown) = (imported.events().len(), unknown.len() + beyond);
            Some(ImportNews::Read { events, unknown })
        };
        let (news, is_stale) = match outcome {
            ImportOutcome::Fetched { events, trouble } => {
                let mut new = Imported::new(events, Some(now));
                let is_same = imported.fetched_at.is_some()
                    && !imported.is_lost
                    && new.events() == imported.events()
                    && trouble == imported.trouble;
                if is_same {
                    if imported.confirm(now) {
                        writes.imports.insert(key, Some(row(schedule, import, imported, now)));
                    }
                    (was_failing.then(|| read(imported)).flatten(), false)
                } else {
                    new.trouble = trouble;
                    new.match_up(spec, &entry.schedule.zone, &names);
                    *imported = new;
                    writes.imports.insert(key, Some(row(schedule, import, imported, now)));
                    (read(imported), true)
                }
            }
            ImportOutcome::Unchanged => {
                if imported.confirm(now) {
                    writes.imports.insert(key, Some(row(schedule, import, imported, now)));
                }
                (was_failing.then(|| read(imported)).flatten(), false)
            }
            ImportOutcome::Failed { why } => {
                let since = imported.failing.as_ref().map_or(now, |failure| failure.since);
                imported.failing = Some(ImportFailure { since, why: why.clone() });
                let read_at = imported.fetched_at;
                if imported.expire(now) {
                    // When it was read last is kept, so that a restart knows.
                    let emptied = row(schedule, import, imported, read_at.unwrap_or(now));
                    writes.imports.insert(key, Some(emptied));
                    (Some(ImportNews::Dropped { why, read_at }), true)
                } else if imported.is_lost {
                    (Some(ImportNews::StillLost { why, read_at }), false)
                } else {
                    ((!was_failing).then_some(ImportNews::Failed { why }), false)
                }
            }
        };
        if is_stale {
            entry.present = None;
            self.share_out_of_office(schedule);
            self.forget_those_who_fall_back();
        }
        Ok(news)
    }

    /// Finds anew whom calendars name, when people are called otherwise than before.
    pub fn set_names(&mut self, names: Names) {
        if *self.names == names {
            return;
        }
        self.names = Arc::new(names);
        let schedules: Vec<ScheduleName> = self
            .entries()
            .filter(|entry| !entry.imports.is_empty())
            .map(|entry| Arc::clone(&entry.schedule.name))
            .collect();
        for schedule in schedules {
            self.match_imports(&schedule);
        }
    }

    /// Finds anew whom the calendars of a schedule name.
    pub(in crate::oncall) fn match_imports(&mut self, schedule: &str) {
        let names = Arc::clone(&self.names);
        let Some(entry) = self.entries.get_mut(schedule) else { return };
        for spec in &entry.schedule.imports {
            if let Some(imported) = entry.imports.get_mut(&spec.name) {
                imported.match_up(spec, &entry.schedule.zone, &names);
            }
        }
        entry.present = None;
        self.share_out_of_office(schedule);
    }

    /// Forgets calendars that a schedule does not import any more, and reads those that it does as
    /// it says now.
    pub(super) fn keep_named_imports(
        &mut self,
        schedule: &ScheduleName,
        writes: &mut OnCallWrites,
    ) {
        let Some(entry) = self.entries.get_mut(schedule) else { return };
        if entry.imports.is_empty() {
            return;
        }
        let named: BTreeSet<Arc<str>> =
            entry.schedule.imports.iter().map(|it| Arc::clone(&it.name)).collect();
        let gone = entry.imports.keys().filter(|import| !named.contains(*import));
        let key = |import: &Arc<str>| (Arc::clone(schedule), Arc::clone(import));
        writes.imports.extend(gone.map(|import| (key(import), None)));
        entry.imports.retain(|import, _| named.contains(import));
        self.match_imports(schedule);
    }

    /// Lets absences that calendars of a schedule name take effect in the place of those before.
    pub(in crate::oncall) fn share_out_of_office(&mut self, schedule: &str) {
        let Some(entry) = self.entries.get(schedule) else { return };
        let mut found: Vec<Unavailability> = Vec::new();
        for spec in entry.schedule.imports.iter().filter(|it| it.kind == ImportKind::OutOfOffice) {
            let shifts = entry.imports.get(&spec.name).map_or(&[][..], Imported::shifts);
            for (nth, shift) in shifts.iter().enumerate() {
                let Some(person) = &shift.person else { continue };
                found.push(Unavailability {
                    id: imported_id(schedule, &spec.name, nth),
                    person: person.clone(),
                    from: shift.from,
                    to: shift.to,
                    kind: AbsenceKind::Vacation,
                    is_imported: true,
                    note: source_of(schedule, &spec.name),
                });
            }
        }
        if self.forget_out_of_office(schedule) || !found.is_empty() {
            for it in found {
                self.insert_absence(it);
            }
            self.forget_present();
        }
    }

    /// Takes away the absences that calendars of a schedule named; returns whether there were any.
    pub(super) fn forget_out_of_office(&mut self, schedule: &str) -> bool {
        let prefix = source_of(schedule, "");
        let mut has_changed = false;
        for of_person in self.absences.values_mut() {
            let before = of_person.len();
            of_person.retain(|it| !(it.is_imported && it.note.starts_with(&prefix)));
            has_changed |= of_person.len() < before;
        }
        has_changed
    }
}

fn row(
    schedule: &ScheduleName,
    import: &Arc<str>,
    imported: &Imported,
    fetched_at: Timestamp,
) -> ImportRow {
    ImportRow {
        schedule: Arc::clone(schedule),
        import: Arc::clone(import),
        events: imported.events().to_vec(),
        trouble: imported.trouble.clone(),
        fetched_at,
    }
}

/// Names of schedules hold no slash.
fn source_of(schedule: &str, import: &str) -> String {
    format!("calendar {schedule}/{import}")
}

fn imported_id(schedule: &str, import: &str, nth: usize) -> uuid::Uuid {
    let hash = Sha256::digest(format!("{schedule}/{import}/{nth}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Uuid::from_bytes(bytes)
}
