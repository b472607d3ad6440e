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
    Asker, Duty, HandoffNotice, Handover, NoticedShift, OnCall, OnCallChange, OpenWork,
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
    fn note_departed(&mut self) {
        let directory = &self.directory;
        let is_active = |person: &Handle| {
            directory.person(person.as_str()).is_some_and(|person| person.is_active)
        };
        let departed: BTreeSet<Handle> =
            self.roster.named().into_iter().filter(|person| !is_active(person)).collect();
        self.roster.set_departed(departed);
    }

    /// Looks at every schedule of which it is not known any more what holds.
    fn look_at_schedules(&mut self, now: Timestamp) {
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
        for Handover { at, before, duties, gap, until } in handovers {
            let after: Vec<Handle> = duties.iter().map(|duty| duty.person.clone()).collect();
            if tells {
                let is_late = now.duration_since(at) > LATE;
                let shift = NoticedShift { schedule: Arc::clone(name), at, until };
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
            let why = why(duties, gap, until);
            let schedule = Arc::clone(name);
            self.record(
                now,
                Event::HandedOver { schedule, handoff_at: at, before, after, why, until },
            );
        }
    }

    /// Tells those who come next that their time is near.
    pub(super) fn shift_ahead(&mut self, at: Timestamp, name: &ScheduleName, minutes: u32) {
        let Some(entry) = self.roster.entry(name) else { return };
        let Some(present) = &entry.present else { return };
        let ahead = SignedDuration::from_mins(i64::from(minutes));
        // An edit may have moved the handoff; then the timer it set is the one that counts.
        let Some(until) = present.until.filter(|until| until.checked_sub(ahead).ok() == Some(at))
        else {
            return;
        };
        let pick = crate::oncall::Pick::Current;
        let Some(next) = self.roster.on_call(name, &pick, until) else { return };
        let now_on_call: Vec<Handle> =
            present.duties.iter().map(|duty| duty.person.clone()).collect();
        for person in next.people.iter().filter(|person| !now_on_call.contains(person)) {
            let shift = NoticedShift { schedule: Arc::clone(name), at: until, until: next.until };
            let mut notice = empty_notice(person);
            notice.is_ahead = true;
            notice.begins.push(shift);
            notice.open = self.open_work(&notice);
            self.record(at.max(self.latest), Event::HandoffNoticed { notice });
        }
    }

    /// Tells everybody of the handoffs of this turn, each once.
    pub(super) fn tell_handoffs(&mut self, now: Timestamp) {
        let handoffs = std::mem::take(&mut self.handoffs);
        for (_, mut notice) in handoffs.notices {
            if notice.begins.is_empty() && notice.ends.is_empty() {
                continue;
            }
            notice.open = self.open_work(&notice);
            self.record(now, Event::HandoffNoticed { notice });
        }
    }

    /// Counts what is open for the teams of the schedules in which somebody's time begins.
    fn open_work(&self, notice: &HandoffNotice) -> OpenWork {
        let teams: Vec<Option<Arc<str>>> = notice
            .begins
            .iter()
            .filter_map(|shift| self.roster.entry(&shift.schedule))
            .map(|entry| entry.schedule.team.clone())
            .collect();
        let mut open = OpenWork::default();
        for alert in self.alerts.values().filter(|alert| !alert.is_resolved) {
            let team = alert.identity.labels.get("team");
            let is_theirs = teams.iter().any(|it| it.as_deref().is_none_or(|it| team == Some(it)));
            if !is_theirs {
                continue;
            }
            if alert.acknowledgement.is_some() {
                open.alerts_acknowledged += 1;
            } else {
                open.alerts_waiting += 1;
            }
        }
        open
    }
}

impl Handoffs {
    fn add(&mut self, person: &Handle, is_late: bool, change: impl FnOnce(&mut HandoffNotice)) {
        let key = (person.clone(), is_late);
        let notice = self
            .notices
            .entry(key)
            .or_insert_with(|| HandoffNotice { is_late, ..empty_notice(person) });
        change(notice);
    }
}

fn empty_notice(person: &Handle) -> HandoffNotice {
    HandoffNotice {
        person: person.clone(),
        begins: Vec::new(),
        ends: Vec::new(),
        is_ahead: false,
        is_late: false,
        open: OpenWork::default(),
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
