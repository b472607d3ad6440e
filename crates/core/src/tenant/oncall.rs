//! Who is on call: edits take effect, shifts are recorded as they pass, and people are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Tenant, Timer};
use crate::audit::AuditNote;
use crate::command::Rejection;
use crate::event::Event;
use crate::identity::{Actor, Handle};
use crate::oncall::{
    Asker, Duty, HandoffNotice, Handover, NoticedShift, OnCall, OnCallChange, OnCallRejection,
    ScheduleName,
};

/// Handoffs that were missed by more than this are told as one message, "now on call".
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// Who has to be told of what, collected until a turn is over so that handoffs at one instant in
/// several schedules are one message.
#[derive(Debug, Default)]
pub(super) struct Handoffs {
    notices: BTreeMap<(Handle, bool), HandoffNotice>,
}

/// Other people are on call than before.
#[derive(Clone, Debug)]
struct Change {
    at: Timestamp,
    before: Vec<Handle>,
    after: Vec<Handle>,
    until: Option<Timestamp>,
}

impl Change {
    fn of(handover: &Handover) -> Self {
        let after = handover.duties.iter().map(|duty| duty.person.clone()).collect();
        let Handover { at, before, until, .. } = handover;
        Self { at: *at, before: before.clone(), after, until: *until }
    }
}

impl Tenant {
    /// Carries out a change of who is on call.
    pub(super) fn change_roster(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        change: OnCallChange,
    ) -> Result<Option<AuditNote>, Rejection> {
        let directory = Arc::clone(&self.directory);
        let is_active = |person: &Handle| {
            directory.person(person.as_str()).is_some_and(|person| person.is_active)
        };
        let asker = Asker { name: actor.who.name(), is_active: &is_active };
        let schedule = schedule_of(&change);
        let change = match change {
            OnCallChange::Import { schedule, import, outcome, is_pushed } => {
                return self.take_calendar(now, &schedule, &import, outcome, is_pushed);
            }
            change => change,
        };
        if let OnCallChange::DeleteSchedule(name) = &change {
            let users = self.users_of_schedule(name);
            // What is not there, or is the file's, is refused for that reason first.
            let is_ours = self.roster.entry(name).is_some_and(|entry| {
                entry.schedule.origin != crate::identity::PersonOrigin::Provisioned
            });
            if is_ours && !users.is_empty() {
                return Err(OnCallRejection::InUse { schedule: Arc::clone(name), users }.into());
            }
        }
        self.roster.mark_settled(now);
        let note = self.roster.apply(now, &asker, change, &mut self.recorder.on_call)?;
        if let Some(note) = &note {
            let by = actor.who.name().to_owned();
            let what = note.action.to_owned();
            self.record(now, Event::OnCallChanged { schedule: schedule.clone(), what, by });
        }
        self.note_departed();
        match schedule {
            Some(name) => {
                self.shift_due(now, &name);
                // Others may fall back to it.
                self.look_at_schedules(now);
            }
            None => self.look_at_schedules(now),
        }
        Ok(note)
    }

    /// Takes up the roster at a start: first what passed by what held until now, then what the
    /// configuration wants.
    pub(super) fn take_up_roster(&mut self, now: Timestamp) {
        self.note_departed();
        let names: Vec<ScheduleName> =
            self.roster.entries().map(|entry| Arc::clone(&entry.schedule.name)).collect();
        for name in names {
            self.shift_due(now, &name);
        }
        self.provision_roster(now);
        self.tell_handoffs(now);
    }

    /// Takes over the schedules of the configuration.
    pub(super) fn provision_roster(&mut self, now: Timestamp) {
        let policy = Arc::clone(&self.policy);
        self.roster.mark_settled(now);
        let writes = &mut self.recorder.on_call;
        self.roster.provision(now, &policy.schedules, &policy.holidays, writes);
        self.note_departed();
        self.look_at_schedules(now);
    }

    /// Somebody may have come or left.
    pub(super) fn look_after_people(&mut self, now: Timestamp) {
        self.roster.mark_settled(now);
        self.note_departed();
        self.look_at_schedules(now);
    }

    /// Tells the roster who is named and not active.
    pub(super) fn note_departed(&mut self) {
        self.note_names();
        let directory = &self.directory;
        let is_active = |person: &Handle| {
            directory.person(person.as_str()).is_some_and(|person| person.is_active)
        };
        let departed: BTreeSet<Handle> =
            self.roster.named().into_iter().filter(|person| !is_active(person)).collect();
        self.roster.set_departed(departed);
    }

    /// Looks at every schedule of which it is not known any more what holds.
    pub(super) fn look_at_schedules(&mut self, now: Timestamp) {
        let stale: Vec<ScheduleName> = self
            .roster
            .entries()
            .filter(|entry| entry.present.is_none())
            .map(|entry| Arc::clone(&entry.schedule.name))
            .collect();
        for name in stale {
            self.shift_due(now, &name);
        }
    }

    /// Brings the record of a schedule up to now, and sets the timer of its next change.
    pub(super) fn shift_due(&mut self, now: Timestamp, name: &ScheduleName) {
        let expired = self.roster.expire_swaps(now, name, &mut self.recorder.on_call);
        for swap in expired {
            let (schedule, owner) = (swap.schedule, swap.owner);
            self.record(now, Event::SwapPastDue { schedule, owner });
        }
        let handovers = self.roster.settle(name, now, &mut self.recorder.on_call);
        self.note_handovers(now, name, handovers);
        self.groups_are_stale = true;
        if let Some(at) = self.roster.next_look(name, now) {
            self.schedule(at, Timer::Shift(Arc::clone(name)));
        }
        let Some(entry) = self.roster.entry(name) else { return };
        let until = entry.present.as_ref().and_then(|present| present.until);
        for minutes in entry.schedule.notices.minutes_before.clone() {
            let ahead = SignedDuration::from_mins(i64::from(minutes));
            let at = until.and_then(|until| until.checked_sub(ahead).ok());
            if let Some(at) = at.filter(|at| *at > now) {
                self.schedule(at, Timer::ShiftAhead(Arc::clone(name), minutes));
            }
        }
    }

    fn note_handovers(&mut self, now: Timestamp, name: &ScheduleName, handovers: Vec<Handover>) {
        let Some(entry) = self.roster.entry(name) else { return };
        let tells = entry.schedule.notices.at_handoff;
        let changes: Vec<Change> = handovers.iter().map(Change::of).collect();
        if tells {
            self.note_changes(now, name, &changes);
        }
        for (Handover { duties, gap, until, .. }, Change { at, before, after, .. }) in
            handovers.into_iter().zip(changes)
        {
            let why = why(duties, gap, until);
            let schedule = Arc::clone(name);
            self.record(
                now,
                Event::HandedOver { schedule, handoff_at: at, before, after, why, until },
            );
        }
    }

    /// Notes who has to be told. What passed unwatched for long is told as one: who is on call now
    /// and was not all the time, and who was and is not any more.
    fn note_changes(&mut self, now: Timestamp, name: &ScheduleName, changes: &[Change]) {
        let is_late = changes.iter().any(|it| now.duration_since(it.at) > LATE);
        let merged: Vec<Change> = match (changes.first(), changes.last()) {
            (Some(first), Some(last)) if is_late => {
                let stayed = |person: &&Handle| {
                    first.before.contains(person)
                        && changes.iter().all(|it| it.after.contains(person))
                };
                // Whoever was off in between begins anew, so only those who stayed were there.
                let stayed: Vec<Handle> = first.before.iter().filter(stayed).cloned().collect();
                let gone = first.before.iter().filter(|it| !last.after.contains(it));
                let before = stayed.into_iter().chain(gone.cloned()).collect();
                vec![Change { before, ..last.clone() }]
            }
            _ => changes.to_vec(),
        };
        for Change { at, before, after, until } in &merged {
            let shift = NoticedShift { schedule: Arc::clone(name), at: *at, until: *until };
            for person in after.iter().filter(|person| !before.contains(person)) {
                self.handoffs.add(person, is_late, |notice| {
                    notice.ends.retain(|it| it.schedule != *name);
                    notice.begins.retain(|it| it.schedule != *name);
                    notice.begins.push(shift.clone());
                });
            }
            for person in before.iter().filter(|person| !after.contains(person)) {
                self.handoffs.add(person, is_late, |notice| {
                    // Who came and went unwatched is told nothing.
                    let began = notice.begins.iter().any(|it| it.schedule == *name);
                    notice.begins.retain(|it| it.schedule != *name);
                    if !began {
                        notice.ends.push(shift.clone());
                    }
                });
            }
        }
    }
}

impl Handoffs {
    /// Returns the notices that say anything.
    pub(super) fn take(&mut self) -> Vec<HandoffNotice> {
        let mut notices: Vec<_> = std::mem::take(&mut self.notices).into_values().collect();
        notices.retain(|notice| !notice.begins.is_empty() || !notice.ends.is_empty());
        notices
    }

    fn add(&mut self, person: &Handle, is_late: bool, change: impl FnOnce(&mut HandoffNotice)) {
        let key = (person.clone(), is_late);
        let notice = self
            .notices
            .entry(key)
            .or_insert_with(|| HandoffNotice { is_late, ..HandoffNotice::to(person) });
        change(notice);
    }
}

fn why(
    duties: Vec<Duty>,
    gap: Option<crate::oncall::GapReason>,
    until: Option<Timestamp>,
) -> String {
    OnCall::new(duties, gap, until).sentence()
}

fn schedule_of(change: &OnCallChange) -> Option<ScheduleName> {
    match change {
        OnCallChange::SetSchedule(spec) => Some(Arc::clone(&spec.name)),
        OnCallChange::AddOverride(it) => Some(Arc::clone(&it.schedule)),
        OnCallChange::AddBlock(it) => Some(Arc::clone(&it.schedule)),
        OnCallChange::RequestSwap(it) => Some(Arc::clone(&it.schedule)),
        OnCallChange::DeleteSchedule(schedule)
        | OnCallChange::RemoveOverride { schedule, .. }
        | OnCallChange::RemoveBlock { schedule, .. }
        | OnCallChange::TakeSwap { schedule, .. }
        | OnCallChange::DeclineSwap { schedule, .. }
        | OnCallChange::CancelSwap { schedule, .. }
        | OnCallChange::CorrectHistory { schedule, .. }
        | OnCallChange::Import { schedule, .. } => Some(Arc::clone(schedule)),
        OnCallChange::AddAbsence(_)
        | OnCallChange::RemoveAbsence { .. }
        | OnCallChange::AddFeed(_)
        | OnCallChange::RevokeFeed { .. } => None,
    }
}
