//! The final view: who was and will be on call, gaps, and what somebody should look at.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::change::OnCallWrites;
use super::exception::{ShiftRecord, SwapState};
use super::roster::{Entry, Roster};
use super::schedule::{Fallback, HolidayMode, ScheduleSpec};
use super::view::{Duty, FinalView, Gap, GapReason, Segment, Warning, WarningCode};
use super::walk::{MAX_FALLBACK_DEPTH, Walk, push_segment};
use crate::identity::{Handle, PersonOrigin};

/// The most segments of one view: hourly handoffs for two years, several times over.
const MAX_SEGMENTS: usize = 100_000;

/// The most warnings of one view.
const MAX_WARNINGS: usize = 200;

impl Roster {
    /// Returns who is on call from `from` to `to`: until `now` as it was recorded, afterwards as it
    /// is planned. `None` when there is no such schedule.
    pub fn final_view(
        &self,
        schedule: &str,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> Option<FinalView> {
        let entry = self.entry(schedule)?;
        Some(self.view_of(entry, &entry.records, from, to, now))
    }

    /// Returns the final view with these records of the past, ascending by their beginning.
    pub fn view_of(
        &self,
        entry: &Entry,
        records: &[ShiftRecord],
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> FinalView {
        let mut view = FinalView::default();
        let wanted = entry.schedule.min_coverage.max(1);
        let since = entry.schedule.recorded_since;
        if from < since.min(now) {
            view.warnings.push(Warning {
                code: WarningCode::BeforeRecords,
                from: Some(from),
                to: Some(since.min(to)),
                message: format!("who was on call before {since} was not recorded"),
            });
        }
        for segment in recorded(records, from.max(since), to.min(now)) {
            let people = u32::try_from(segment.duties.len()).unwrap_or(u32::MAX);
            let people = if segment.gap.is_some() { 0 } else { people };
            push_gap(&mut view.gaps, &segment, people, wanted);
            push_segment(&mut view.segments, segment);
        }
        let start = from.max(now);
        let mut walk = Walk::new(self, entry, start);
        let gaps = &mut view.gaps;
        let planned = walk.segments(start, to, MAX_SEGMENTS, |segment, covered| {
            push_gap(gaps, segment, covered, wanted);
        });
        self.warn_of_exceptions(entry, &walk, start, to, &mut view.warnings);
        self.warn_of_absences(&planned, &mut view.warnings);
        for segment in planned {
            push_segment(&mut view.segments, segment);
        }
        view.warnings.extend(self.standing_warnings(entry, start));
        view.warnings.sort();
        view.warnings.truncate(MAX_WARNINGS);
        view
    }

    /// Returns the final view as it would be after an edit at `now`; nothing is kept.
    pub fn preview(
        &self,
        spec: &ScheduleSpec,
        author: &str,
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
    ) -> FinalView {
        let mut after = self.clone();
        let mut writes = OnCallWrites::default();
        after.put_schedule(now, author, spec, PersonOrigin::Api, &mut writes);
        after.final_view(&spec.name, from, to, now).unwrap_or_default()
    }

    /// Returns the gaps from `from` on until `to`.
    pub fn gaps(&self, schedule: &str, from: Timestamp, to: Timestamp) -> Option<Vec<Gap>> {
        let entry = self.entry(schedule)?;
        let mut gaps = Vec::new();
        let wanted = entry.schedule.min_coverage.max(1);
        Walk::new(self, entry, from).segments(from, to, MAX_SEGMENTS, |segment, covered| {
            push_gap(&mut gaps, segment, covered, wanted);
        });
        Some(gaps)
    }

    fn warn_of_exceptions(
        &self,
        entry: &Entry,
        walk: &Walk<'_>,
        from: Timestamp,
        to: Timestamp,
        warnings: &mut Vec<Warning>,
    ) {
        let is_near = |begin: Timestamp, end: Timestamp| begin < to && end > from;
        for it in entry.overrides.iter().filter(|it| is_near(it.from, it.to)) {
            if !walk.effective.contains(&it.id) {
                let what = match (&it.user_out, &it.user_in) {
                    (Some(out), _) => format!("{out} is not on call then"),
                    (None, Some(into)) => format!("{into} is on call then anyway"),
                    (None, None) => "it names nobody".to_owned(),
                };
                warnings.push(Warning {
                    code: WarningCode::IneffectiveOverride,
                    from: Some(it.from),
                    to: Some(it.to),
                    message: format!("override {} changes nothing: {what}", it.id),
                });
            }
        }
        for it in entry.swaps.iter().filter(|it| is_near(it.from, it.to)) {
            let (code, message) = match &it.state {
                SwapState::Open => {
                    let who = it.offered_to.as_ref().map_or("nobody", Handle::as_str);
                    let verb = if it.offered_to.is_some() { "has not taken" } else { "took" };
                    let message = format!("{who} {verb} the time of {} yet", it.owner);
                    (WarningCode::OpenSwap, message)
                }
                SwapState::Taken { .. } if !walk.effective.contains(&it.id) => (
                    WarningCode::IneffectiveSwap,
                    format!("swap {} changes nothing: {} is not on call then", it.id, it.owner),
                ),
                SwapState::Taken { by } if walk.double.contains(&it.id) => (
                    WarningCode::DoubleDuty,
                    format!("{by} took time of {} and is on call then anyway", it.owner),
                ),
                _ => continue,
            };
            warnings.push(Warning { code, from: Some(it.from), to: Some(it.to), message });
        }
    }

    fn warn_of_absences(&self, planned: &[Segment], warnings: &mut Vec<Warning>) {
        let mut told: BTreeSet<uuid::Uuid> = BTreeSet::new();
        for segment in planned {
            for duty in &segment.duties {
                let away = self
                    .absences_of(&duty.person)
                    .iter()
                    .filter(|it| it.from < segment.to && segment.from < it.to);
                for absence in away {
                    if warnings.len() < MAX_WARNINGS && told.insert(absence.id) {
                        warnings.push(Warning {
                            code: WarningCode::Away,
                            from: Some(absence.from.max(segment.from)),
                            to: Some(absence.to.min(segment.to)),
                            message: format!("{} is on call and away", duty.person),
                        });
                    }
                }
            }
        }
    }

    /// Returns what is wrong with a schedule at all times.
    pub fn standing_warnings(&self, entry: &Entry, at: Timestamp) -> Vec<Warning> {
        let schedule = &entry.schedule;
        let always = |code, message| Warning { code, from: None, to: None, message };
        let mut warnings = Vec::new();
        let members = schedule.members_at(at);
        if members.is_empty() && schedule.imports.is_empty() {
            let message = format!("schedule `{}` has nobody in any layer", schedule.name);
            warnings.push(always(WarningCode::Empty, message));
        }
        for person in members.iter().filter(|person| self.has_left(person)) {
            let message = format!("{person} has left or is not known; the next member stands in");
            warnings.push(always(WarningCode::UnknownPerson, message));
        }
        if let Fallback::Person(person) = &schedule.fallback
            && self.has_left(person)
        {
            let message = format!("the fallback {person} has left or is not known");
            warnings.push(always(WarningCode::UnknownPerson, message));
        }
        for name in schedule.holidays.iter().filter(|name| !self.calendars.contains_key(*name)) {
            let message = format!("there is no holiday calendar `{name}`");
            warnings.push(always(WarningCode::BrokenReference, message));
        }
        for version in schedule.layers.iter().flat_map(|layer| layer.versions_from(at)) {
            if let HolidayMode::MembersOf(other) = &version.spec.holiday_mode
                && schedule.layer(other).is_none()
            {
                let message = format!("there is no layer `{other}` to stand in on holidays");
                warnings.push(always(WarningCode::BrokenReference, message));
            }
        }
        if let Fallback::Schedule(name) = &schedule.fallback {
            if self.entry(name).is_none() {
                let message = format!("the fallback `{name}` is no schedule");
                warnings.push(always(WarningCode::BrokenReference, message));
            } else if self.fallback_circle(&schedule.name, name) {
                let message = format!("the fallback `{name}` leads back to `{}`", schedule.name);
                warnings.push(always(WarningCode::BrokenReference, message));
            }
        }
        for (name, imported) in &entry.imports {
            if let Some(failure) = &imported.failing {
                let (since, why) = (failure.since, &failure.why);
                let last = match imported.fetched_at {
                    Some(_) if imported.is_lost => "nothing of it holds any more",
                    Some(_) => "what it said last still holds",
                    None => "it was never read",
                };
                let message =
                    format!("calendar `{name}` cannot be read since {since:.0}, {last}: {why}");
                warnings.push(always(WarningCode::Import, message));
            }
            for trouble in &imported.trouble {
                let message = format!("calendar `{name}`: {trouble}");
                warnings.push(always(WarningCode::Import, message));
            }
            let (unknown, beyond) = imported.unknown();
            for text in unknown {
                let message = format!("calendar `{name}` names nobody who is known: {text}");
                warnings.push(always(WarningCode::UnknownPerson, message));
            }
            if beyond > 0 {
                let message = format!("calendar `{name}` names {beyond} more whom nobody knows");
                warnings.push(always(WarningCode::UnknownPerson, message));
            }
        }
        warnings
    }

    /// Returns whether falling back from `name` to `to` would lead back, or too far.
    pub fn fallback_circle(&self, name: &str, to: &str) -> bool {
        let mut next = Arc::from(to);
        for _ in 0..MAX_FALLBACK_DEPTH {
            if *next == *name {
                return true;
            }
            match self.entry(&next).map(|entry| &entry.schedule.fallback) {
                Some(Fallback::Schedule(further)) => next = Arc::clone(further),
                _ => return false,
            }
        }
        true
    }
}

fn push_gap(gaps: &mut Vec<Gap>, segment: &Segment, people: u32, wanted: u32) {
    if people >= wanted {
        return;
    }
    if let Some(last) = gaps.last_mut()
        && last.to == segment.from
        && (last.people, last.why) == (people, segment.gap)
    {
        last.to = segment.to;
        return;
    }
    let (from, to, why) = (segment.from, segment.to, segment.gap);
    gaps.push(Gap { from, to, people, wanted, why });
}

/// Puts records together to segments without holes.
pub(super) fn recorded(records: &[ShiftRecord], from: Timestamp, to: Timestamp) -> Vec<Segment> {
    if from >= to {
        return Vec::new();
    }
    let end_of = |record: &ShiftRecord| record.to.unwrap_or(to).min(to);
    let near: Vec<&ShiftRecord> =
        records.iter().filter(|it| it.from < to && end_of(it) > from).collect();
    let edges = near.iter().flat_map(|it| [it.from, end_of(it)]).chain([from, to]);
    let edges: BTreeSet<Timestamp> = edges.filter(|at| (from..=to).contains(at)).collect();
    let mut segments = Vec::new();
    let mut last: Option<Timestamp> = None;
    for edge in edges {
        if let Some(begin) = last {
            let here = near.iter().filter(|it| it.from <= begin && end_of(it) > begin);
            let duty =
                |it: &&&ShiftRecord| Duty { person: it.person.clone(), cause: it.cause.clone() };
            let duties: Vec<Duty> = here.clone().map(|it| duty(&it)).collect();
            let by_fallback = |duty: &Duty| matches!(duty.cause, super::Cause::Fallback { .. });
            let is_gap = duties.iter().all(by_fallback);
            let segment = Segment {
                from: begin,
                to: edge,
                gap: is_gap.then_some(GapReason::NoLayer),
                duties,
                is_recorded: true,
            };
            push_segment(&mut segments, segment);
        }
        last = Some(edge);
    }
    segments
}
