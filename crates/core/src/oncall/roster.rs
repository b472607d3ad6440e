//! All schedules of a tenant with everything that changes them, and the questions that others ask.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::change::CalendarFeed;
use super::exception::{
    FixedBlock, HolidayCalendar, Override, ShiftRecord, SwapRequest, Unavailability,
};
use super::imported::Imported;
use super::lane::{Lane, begin_of};
use super::names::Names;
use super::schedule::{LayerName, Schedule, ScheduleName, Slot};
use super::turns::Turns;
use super::view::{Cause, Duty, GapReason, OnCall};
use super::walk::{Moment, Walk};
use crate::identity::{Handle, SecretHash};

/// How many changes are looked at to find when other people are on call. When they are still the
/// same then, that is not within sight.
const MAX_STEPS_AHEAD: usize = 64;
/// How far ahead the next people are looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How many changes are looked at for that.
const MAX_STEPS_TO_NEXT: usize = 2_000;

/// All schedules of a tenant.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    pub(super) entries: BTreeMap<ScheduleName, Entry>,
    pub(super) calendars: BTreeMap<Arc<str>, HolidayCalendar>,
    /// Of each person, ascending by their beginning.
    pub(super) absences: BTreeMap<Handle, Vec<Unavailability>>,
    /// People who are named and have left or are not known.
    pub(super) departed: BTreeSet<Handle>,
    pub(super) feeds: BTreeMap<Uuid, CalendarFeed>,
    pub(super) feed_hashes: BTreeMap<SecretHash, Uuid>,
    pub(super) highest_record: u64,
    /// What people are called in calendars.
    pub(super) names: Arc<Names>,
}

/// One schedule with everything that changes it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The schedule.
    pub schedule: Schedule,
    /// In the order of their creation.
    pub overrides: Vec<Override>,
    /// In the order of their creation.
    pub blocks: Vec<FixedBlock>,
    /// In the order of their creation.
    pub swaps: Vec<SwapRequest>,
    /// By the name of the import.
    pub imports: BTreeMap<Arc<str>, Imported>,
    /// Who really was on call lately, ascending by their beginning.
    pub records: Vec<ShiftRecord>,
    /// What holds now, as far as it was worked out.
    pub present: Option<Present>,
    /// Up to when records are complete; `None` for not looked at since the start.
    pub(super) settled_at: Option<Timestamp>,
}

impl Entry {
    /// A schedule that nothing changes.
    pub fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            overrides: Vec::new(),
            blocks: Vec::new(),
            swaps: Vec::new(),
            imports: BTreeMap::new(),
            records: Vec::new(),
            present: None,
            settled_at: None,
        }
    }
}

impl Entry {
    /// Returns what was worked out for a time that holds an instant.
    fn present_at(&self, at: Timestamp) -> Option<&Present> {
        let present = self.present.as_ref();
        present.filter(|it| it.from <= at && it.to.is_none_or(|to| at < to))
    }
}

/// What was worked out for a time that holds the present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// From when on it holds.
    pub from: Timestamp,
    /// Until when it holds; `None` for as long as nothing is edited.
    pub to: Option<Timestamp>,
    /// Who is on call.
    pub duties: Vec<Duty>,
    /// Why nobody is by the schedule itself.
    pub gap: Option<GapReason>,
    /// When other people are on call, at the earliest.
    pub until: Option<Timestamp>,
}

/// Whom of a schedule somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Who is on call.
    Current,
    /// Who is on call next.
    Next,
    /// Who was on call before.
    Previous,
    /// Everybody who takes turns.
    All,
    /// Who is on call by one layer.
    Layer(LayerName),
    /// Who comes so many places after the present one in the order of turns; 0 for the present.
    Nth(u32),
    /// One of those who have the least to do; the seed decides among equals.
    Random {
        /// Any number.
        seed: u64,
        /// How much each has to do; nothing when not named.
        load: Arc<BTreeMap<Handle, u32>>,
    },
}

impl Roster {
    /// Adds a schedule, or replaces the one of that name.
    pub fn insert(&mut self, entry: Entry) {
        self.entries.insert(Arc::clone(&entry.schedule.name), entry);
    }

    /// Returns a schedule.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Returns all schedules, by name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Returns a person's absences, ascending by their beginning.
    pub fn absences_of(&self, person: &Handle) -> &[Unavailability] {
        self.absences.get(person).map_or(&[], Vec::as_slice)
    }

    /// Returns everybody's absences, by person.
    pub fn absences(&self) -> impl Iterator<Item = &Unavailability> {
        self.absences.values().flatten()
    }

    /// Adds an absence.
    pub fn insert_absence(&mut self, absence: Unavailability) {
        let of_person = self.absences.entry(absence.person.clone()).or_default();
        let place = of_person.partition_point(|known| known.from <= absence.from);
        of_person.insert(place, absence);
    }

    /// Sets the calendars whose days are holidays.
    pub fn set_calendars(&mut self, calendars: impl IntoIterator<Item = HolidayCalendar>) {
        let by_name = |it: HolidayCalendar| (Arc::clone(&it.name), it);
        self.calendars = calendars.into_iter().map(by_name).collect();
    }

    /// Returns the calendars, by name.
    pub fn calendars(&self) -> impl Iterator<Item = &HolidayCalendar> {
        self.calendars.values()
    }

    /// Sets who has left or is not known, and is not put on call any more.
    pub fn set_departed(&mut self, departed: BTreeSet<Handle>) {
        if self.departed != departed {
            self.departed = departed;
            self.forget_present();
        }
    }

    /// Returns whether a person has left or is not known.
    pub fn has_left(&self, person: &Handle) -> bool {
        self.departed.contains(person)
    }

    /// Returns whether a person is away at an instant.
    pub fn is_away(&self, person: &Handle, at: Timestamp) -> bool {
        self.absences_of(person).iter().any(|it| it.from <= at && at < it.to)
    }

    /// Returns whether a person is away for any part of a time.
    pub fn is_away_within(&self, person: &Handle, from: Timestamp, to: Timestamp) -> bool {
        self.absences_of(person).iter().any(|it| it.from < to && from < it.to)
    }

    pub(super) fn next_absence_edge(&self, person: &Handle, at: Timestamp) -> Option<Timestamp> {
        let edges = self.absences_of(person).iter().flat_map(|it| [it.from, it.to]);
        edges.filter(|edge| *edge > at).min()
    }

    pub(super) fn calendars_of(&self, schedule: &Schedule) -> Vec<&HolidayCalendar> {
        let named = schedule.holidays.iter().filter_map(|name| self.calendars.get(name));
        let imported = self.entries.get(&schedule.name).into_iter().flat_map(|entry| {
            let holidays = entry.imports.values().map(Imported::holidays);
            holidays.filter(|calendar| !calendar.days.is_empty())
        });
        named.chain(imported).collect()
    }

    /// Forgets what was worked out for the present.
    pub(super) fn forget_present(&mut self) {
        for entry in self.entries.values_mut() {
            entry.present = None;
        }
    }

    /// Returns whom of a schedule somebody asks for gets at an instant; `None` when there is no
    /// such schedule. At a handoff it is the incoming person. Nobody is on call in a gap without a
    /// fallback: then the people are empty and the cause says why.
    pub fn on_call(&self, schedule: &str, pick: &Pick, at: Timestamp) -> Option<OnCall> {
        Some(self.on_call_in(self.entry(schedule)?, pick, at))
    }

    /// The same of a schedule that was found already; it has to be one of this roster.
    pub fn on_call_in(&self, entry: &Entry, pick: &Pick, at: Timestamp) -> OnCall {
        match pick {
            Pick::Current => self.current(entry, at),
            Pick::Next => self.next(entry, at),
            Pick::Previous => self.previous(entry, at),
            Pick::All => self.members(entry, at, &entry.schedule.members_at(at)),
            Pick::Layer(name) => self.of_layer(entry, name, at),
            Pick::Nth(places) => self.nth(entry, *places, at),
            Pick::Random { seed, load } => self.random(entry, at, *seed, load),
        }
    }

    /// Returns the names of all schedules that a person takes turns in or is named by.
    pub fn schedules_of(&self, person: &Handle, at: Timestamp) -> Vec<ScheduleName> {
        let names = self.entries.values().filter(|entry| {
            let is_named = |other: &Option<Handle>| other.as_ref() == Some(person);
            entry.schedule.members_at(at).contains(person)
                || entry.overrides.iter().any(|it| it.to > at && is_named(&it.user_in))
                || entry.swaps.iter().any(|it| it.to > at && it.taker() == Some(person))
                || entry.blocks.iter().any(|block| {
                    block.to > at && block.shifts.iter().any(|shift| shift.person == *person)
                })
                || entry.imports.values().any(|imported| {
                    let mut coming = imported.shifts().iter().filter(|shift| shift.to > at);
                    coming.any(|shift| shift.person.as_ref() == Some(person))
                })
        });
        names.map(|entry| Arc::clone(&entry.schedule.name)).collect()
    }

    /// Returns the next instant at which anybody's time on call may begin or end in any schedule.
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let next = |entry: &Entry| match &entry.present {
            Some(present) if present.from <= at && present.to.is_none_or(|to| at < to) => {
                present.to
            }
            _ => Walk::new(self, entry, at).at(at).next,
        };
        self.entries.values().filter_map(next).min()
    }

    fn current(&self, entry: &Entry, at: Timestamp) -> OnCall {
        if let Some(present) = entry.present_at(at) {
            return answer(present.duties.clone(), present.gap, present.until);
        }
        let (moment, until) = self.moment(entry, at);
        answer(moment.duties, moment.gap, until)
    }

    /// Returns who is on call at an instant and why, without until when: where that was worked out
    /// already, it is only looked at. The schedule has to be one of this roster.
    pub fn duties_in<'e>(&self, entry: &'e Entry, at: Timestamp) -> Cow<'e, [Duty]> {
        match entry.present_at(at) {
            Some(present) => Cow::Borrowed(&present.duties),
            None => Cow::Owned(Walk::new(self, entry, at).at(at).duties),
        }
    }

    /// Returns what holds, and when other people are on call; `None` for not within sight.
    pub(super) fn moment(&self, entry: &Entry, at: Timestamp) -> (Moment, Option<Timestamp>) {
        let mut walk = Walk::new(self, entry, at);
        let moment = walk.at(at);
        let mut next = moment.next;
        for _ in 0..MAX_STEPS_AHEAD {
            let Some(at) = next else { break };
            let later = walk.at(at);
            if !same_people(&later.duties, &moment.duties) {
                return (moment, Some(at));
            }
            next = later.next;
        }
        (moment, None)
    }

    /// Returns who is on call after those who are now, skipping gaps.
    fn next(&self, entry: &Entry, at: Timestamp) -> OnCall {
        let mut walk = Walk::new(self, entry, at);
        let now = walk.at(at);
        let mut next = now.next;
        let end = at.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        for _ in 0..MAX_STEPS_TO_NEXT {
            let Some(begin) = next.filter(|begin| *begin < end) else { break };
            let moment = walk.at(begin);
            if moment.covered > 0 && !same_people(&moment.duties, &now.duties) {
                let until = self.moment(entry, begin).1;
                return answer(moment.duties, None, until);
            }
            next = moment.next;
        }
        answer(Vec::new(), Some(GapReason::NoLayer), None)
    }

    /// Returns who was on call before those who are now: as recorded, or else as it would be
    /// worked out today.
    fn previous(&self, entry: &Entry, at: Timestamp) -> OnCall {
        let now = self.current(entry, at).people;
        let before = entry.records.iter().rev().filter(|it| it.to.is_some_and(|to| to <= at));
        if let Some(last) = before.clone().find(|record| !now.contains(&record.person)) {
            let together = before.filter(|it| it.from < last.to.unwrap_or(at) && it.to == last.to);
            let duty =
                |it: &ShiftRecord| Duty { person: it.person.clone(), cause: it.cause.clone() };
            return answer(together.map(duty).collect(), None, last.to);
        }
        for days in [8_i64, 40, 400] {
            let span = SignedDuration::from_hours(days * 24);
            let from = at.checked_sub(span).unwrap_or(Timestamp::MIN);
            let segments =
                Walk::new(self, entry, from).segments(from, at, MAX_STEPS_TO_NEXT, |_, _| {});
            let mut earlier = segments.into_iter().rev();
            let found = earlier.find(|it| it.gap.is_none() && it.people() != now);
            if let Some(segment) = found {
                return answer(segment.duties, None, Some(segment.to));
            }
        }
        answer(Vec::new(), Some(GapReason::NoLayer), None)
    }

    fn of_layer(&self, entry: &Entry, name: &str, at: Timestamp) -> OnCall {
        let Some(layer) = entry.schedule.layer(name) else {
            return answer(Vec::new(), Some(GapReason::NoLayer), None);
        };
        let mut lane = Lane::of_layer(layer);
        lane.seek(self, &entry.schedule, at);
        let gap = lane.duties.is_empty().then_some(GapReason::NoLayer);
        answer(lane.duties, gap, lane.next)
    }

    /// Counts from the one whose turn it is in the highest layer that covers the instant, or else
    /// in the first layer.
    fn nth(&self, entry: &Entry, places: u32, at: Timestamp) -> OnCall {
        let covering = entry.schedule.layers.iter().filter_map(|layer| {
            let mut lane = Lane::of_layer(layer);
            lane.seek(self, &entry.schedule, at);
            let is_on = !lane.duties.is_empty();
            is_on.then_some((lane.rank, layer))
        });
        let highest = covering.max_by_key(|(rank, _)| *rank).map(|(_, layer)| layer);
        let layer = highest.or_else(|| entry.schedule.layers.first());
        let version = layer.and_then(|layer| layer.version_at(at).map(|(_, version)| version));
        let Some(version) = version.filter(|version| !version.spec.members.is_empty()) else {
            return answer(Vec::new(), Some(GapReason::NoLayer), None);
        };
        let spec = &version.spec;
        let mut turns = Turns::new(&spec.cadence, spec.handoff, &version.zone);
        let index = turns.at(at).turn.map_or(0, |turn| turn.index);
        let begin = begin_of(version, index, spec.per_shift.max(1) as usize);
        let place = (begin + places as usize) % spec.members.len();
        self.members(entry, at, spec.members[place].people())
    }

    fn random(
        &self,
        entry: &Entry,
        at: Timestamp,
        seed: u64,
        load: &BTreeMap<Handle, u32>,
    ) -> OnCall {
        let members = entry.schedule.members_at(at);
        let here: Vec<Handle> =
            members.into_iter().filter(|it| !self.has_left(it) && !self.is_away(it, at)).collect();
        let of = |person: &Handle| load.get(person).copied().unwrap_or(0);
        let least = here.iter().map(of).min().unwrap_or(0);
        let idle: Vec<Handle> = here.into_iter().filter(|person| of(person) == least).collect();
        let place = usize::try_from(seed).unwrap_or(0).checked_rem(idle.len()).unwrap_or(0);
        self.members(entry, at, idle.get(place).map_or(&[], std::slice::from_ref))
    }

    fn members(&self, entry: &Entry, at: Timestamp, people: &[Handle]) -> OnCall {
        let layer_of = |person: &Handle| {
            let layers = entry.schedule.layers.iter();
            layers
                .filter(|layer| {
                    let versions = layer.versions_from(at).iter();
                    let mut slots = versions.flat_map(|version| &version.spec.members);
                    slots.any(|slot: &Slot| slot.people().contains(person))
                })
                .map(|layer| Arc::clone(&layer.name))
                .next()
                .unwrap_or_else(|| Arc::from(""))
        };
        let here = people.iter().filter(|person| !self.has_left(person));
        let duty = |person: &Handle| Duty {
            person: person.clone(),
            cause: Cause::Layer { layer: layer_of(person), is_away: false },
        };
        let duties: Vec<Duty> = here.map(duty).collect();
        let gap = duties.is_empty().then_some(GapReason::NoLayer);
        answer(duties, gap, None)
    }
}

fn answer(duties: Vec<Duty>, gap: Option<GapReason>, until: Option<Timestamp>) -> OnCall {
    OnCall::new(duties, gap, until)
}

/// Returns whether the same people are on call, in whatever order.
pub(super) fn same_people(one: &[Duty], other: &[Duty]) -> bool {
    one.len() == other.len()
        && one.iter().all(|duty| other.iter().any(|it| it.person == duty.person))
}
