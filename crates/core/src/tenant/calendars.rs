//! Calendars elsewhere that say who is on call: what they say is taken over, and people hear when
//! one of them cannot be read for so long that it says nothing any more.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Tenant;
use crate::audit::AuditNote;
use crate::command::Rejection;
use crate::event::Event;
use crate::oncall::{ImportNews, ImportOutcome, ImportSpec, Names, ScheduleName, Zone};

/// The alert that says that a calendar was given up.
const LOST: &str = "TocsinCalendarLost";

/// How long the alert lasts unless it is told again: longer than any two attempts are apart.
const LOST_LASTS: SignedDuration = SignedDuration::from_hours(26);

/// A calendar that has to be read from time to time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarToRead {
    /// Of which schedule.
    pub schedule: ScheduleName,
    /// The zone of what names none.
    pub zone: Zone,
    /// Which one, and how.
    pub spec: ImportSpec,
    /// Whether the configuration file names it.
    pub is_provisioned: bool,
    /// When it was read last.
    pub read_at: Option<Timestamp>,
}

impl CalendarToRead {
    /// Returns whether the other one is read in the same way, so that what is known of this one
    /// holds for it.
    pub fn reads_like(&self, other: &Self) -> bool {
        self.zone == other.zone
            && self.is_provisioned == other.is_provisioned
            && self.spec.location == other.spec.location
            && self.spec.kind == other.spec.kind
            && self.spec.refresh_minutes == other.spec.refresh_minutes
    }
}

impl Tenant {
    /// Returns every calendar that is read from elsewhere; those that are sent in are not.
    pub fn calendars_to_read(&self) -> Vec<CalendarToRead> {
        let mut found = Vec::new();
        for entry in self.roster.entries() {
            let specs = entry.schedule.imports.iter();
            let read = specs.filter(|it| it.location != crate::oncall::ImportLocation::Pushed);
            found.extend(read.map(|spec| CalendarToRead {
                schedule: Arc::clone(&entry.schedule.name),
                zone: entry.schedule.zone.clone(),
                is_provisioned: entry.schedule.origin == crate::identity::PersonOrigin::Provisioned,
                read_at: entry.imports.get(&spec.name).and_then(|it| it.fetched_at),
                spec: spec.clone(),
            }));
        }
        found
    }

    /// Takes over how reading a calendar ended.
    pub(super) fn take_calendar(
        &mut self,
        now: Timestamp,
        schedule: &ScheduleName,
        import: &Arc<str>,
        outcome: ImportOutcome,
        is_pushed: bool,
    ) -> Result<Option<AuditNote>, Rejection> {
        self.roster.mark_settled(now);
        let writes = &mut self.recorder.on_call;
        let news = self.roster.take_import(now, schedule, import, outcome, writes)?;
        let mut read = None;
        if let Some(news) = news {
            let labels = [("schedule", &**schedule), ("calendar", &**import)];
            let (schedule, import) = (Arc::clone(schedule), Arc::clone(import));
            match news {
                ImportNews::Read { events, unknown } => {
                    read = Some(json!({ "import": import, "events": events, "unknown": unknown }));
                    self.record(now, Event::CalendarRead { schedule, import, events, unknown });
                    self.end_own_alert(now, LOST, &labels);
                }
                ImportNews::Failed { why } => {
                    self.record(now, Event::CalendarFailed { schedule, import, why });
                }
                ImportNews::Dropped { why, read_at } => {
                    let dropped = Event::CalendarDropped { schedule, import, why: why.clone() };
                    self.record(now, dropped);
                    self.tell_lost(now, &labels, read_at, &why);
                }
                ImportNews::StillLost { why, read_at } => {
                    self.tell_lost(now, &labels, read_at, &why);
                }
            }
        }
        self.note_departed();
        self.look_at_schedules(now);
        Ok(is_pushed.then(|| {
            let note = AuditNote::new("schedule.import", format!("schedule/{schedule}"));
            note.after(read.unwrap_or_else(|| json!({ "import": import, "is_unchanged": true })))
        }))
    }

    /// Somebody hears that a calendar says nothing any more; it is told again at each attempt.
    fn tell_lost(
        &mut self,
        now: Timestamp,
        labels: &[(&str, &str); 2],
        read_at: Option<Timestamp>,
        why: &str,
    ) {
        let [(_, schedule), (_, import)] = labels;
        let since = read_at.map_or_else(String::new, |at| format!(" since {at:.0}"));
        let text = format!(
            "calendar `{import}` of schedule `{schedule}` could not be read{since}, so nothing of \
             it holds any more: {why}"
        );
        // Attempts are further apart than alerts last by themselves.
        let ends_at = now.checked_add(LOST_LASTS).ok();
        self.own_alert_until(now, LOST, labels, &text, ends_at);
    }

    /// Tells the roster what people are called, where that may have changed.
    pub(super) fn note_names(&mut self) {
        let is_known = self.names_of.as_ref().is_some_and(|it| Arc::ptr_eq(it, &self.directory));
        if is_known {
            return;
        }
        self.names_of = Some(Arc::clone(&self.directory));
        self.roster.set_names(Names::of_directory(&self.directory));
    }
}
