//! Whoever is reminded may put that off, for themselves alone.

use jiff::Timestamp;

use super::incident_change::{impossible, invalid};
use super::{Tenant, later};
use crate::identity::Handle;
use crate::incident::{IncidentNumber, IncidentRejection, MAX_SNOOZE, MAX_SNOOZES, Snooze};
use crate::reminder::{ReminderKey, ReminderKind, ReminderPlan, ReminderSubject};

impl Tenant {
    /// Somebody wants to hear of something later; that is no work on the incident.
    pub(super) fn snooze(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        person: Handle,
        (kind, task): (ReminderKind, Option<u32>),
        until: Timestamp,
    ) -> Result<bool, IncidentRejection> {
        self.check_person(&person)?;
        if until <= now || until > later(now, MAX_SNOOZE) {
            let days = MAX_SNOOZE.as_hours() / 24;
            return Err(invalid(
                "minutes",
                format!("must be more than none and within {days} days"),
            ));
        }
        if (kind == ReminderKind::TaskDue) != task.is_some() {
            return Err(invalid("task", "must name a task, and only for `task_due`"));
        }
        let subject = match task {
            Some(task) => ReminderSubject::Task(number, task),
            None => ReminderSubject::Incident(number),
        };
        let waiting = self.reminders.get(&ReminderKey::new(kind, subject));
        let Some(anchor) = waiting.map(|it| it.anchor) else {
            let word = kind.as_str();
            return Err(impossible(format!("nobody is reminded of `{word}` as things stand")));
        };
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let snoozes = &mut held.incident.snoozes;
        let is_same = |it: &Snooze| it.person == person && it.kind == kind && it.task == task;
        if snoozes.iter().any(|it| is_same(it) && it.anchor == anchor && it.until == until) {
            return Ok(false);
        }
        snoozes.retain(|it| it.until > now && !is_same(it));
        if snoozes.len() >= MAX_SNOOZES {
            return Err(impossible(format!("{MAX_SNOOZES} reminders of it are put off already")));
        }
        let next = snoozes.iter().map(|it| it.number).max().map_or(1, |it| it + 1);
        snoozes.push(Snooze { number: next, person, kind, task, anchor, since: now, until });
        self.recorder.incidents.insert(number);
        Ok(true)
    }

    /// Returns whether somebody wants to hear of something later.
    pub(super) fn is_put_off(&self, key: ReminderKey, person: &Handle, now: Timestamp) -> bool {
        let number = key.subject.incident();
        let snoozes = self.incident(number).into_iter().flat_map(|it| &it.snoozes);
        let mut theirs = snoozes.filter(|it| it.person == *person && it.what(number) == key);
        let anchor = self.reminders.get(&key).map(|it| it.anchor);
        theirs.any(|it| it.until > now && Some(it.anchor) == anchor)
    }

    /// Returns when what somebody put off is said to them, as long as it waits.
    pub(super) fn wanted_snooze(
        &self,
        number: IncidentNumber,
        snooze: u32,
    ) -> Option<ReminderPlan> {
        let snooze = self.incident(number)?.snoozes.iter().find(|it| it.number == snooze)?;
        let plan = self.wanted_reminder(snooze.what(number))?;
        let after = snooze.until.duration_since(snooze.since);
        (plan.anchor == snooze.anchor).then(|| ReminderPlan::after(snooze.since, after))
    }

    /// What somebody put off is said to them alone.
    pub(super) fn say_again(&mut self, now: Timestamp, number: IncidentNumber, snooze: u32) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let snoozes = &mut held.incident.snoozes;
        let Some(at) = snoozes.iter().position(|it| it.number == snooze) else { return };
        let snooze = snoozes.remove(at);
        self.recorder.incidents.insert(number);
        let Some(text) = self.reminder_text(now, snooze.what(number)) else { return };
        self.say_to(now, number, &[snooze.person].into(), snooze.kind, &text);
    }
}
