//! One layer or import along time: whom it puts on call, and when that may change.

use jiff::Timestamp;

use super::fair::{Ledger, Standing};
use super::imported::Imported;
use super::roster::Roster;
use super::schedule::{
    Combine, HolidayMode, ImportSpec, Layer, LayerName, LayerVersion, Mode, Schedule, Slot,
};
use super::turns::{Turn, Turns};
use super::view::{Cause, Duty};
use super::windows::{holiday_at, open_at};
use crate::identity::Handle;

/// The most turns given at once to find out whose it is in a fair rotation.
const MAX_FAIR_TURNS: usize = 100_000;

/// A layer or an import, at the instant that was looked at last.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    source: Source<'a>,
    pub(super) rank: u32,
    pub(super) combine: Combine,
    /// Who is on call by it.
    pub(super) duties: Vec<Duty>,
    /// When that may change.
    pub(super) next: Option<Timestamp>,
    is_known: bool,
    version: Option<usize>,
    turns: Option<Turns<'a>>,
    ledger: Option<Ledger>,
    /// The layer that stands in on holidays.
    other: Option<Box<Lane<'a>>>,
}

#[derive(Debug)]
enum Source<'a> {
    Layer(&'a Layer),
    Import(&'a ImportSpec, &'a Imported),
}

impl<'a> Lane<'a> {
    pub(super) fn of_layer(layer: &'a Layer) -> Self {
        Self::new(Source::Layer(layer))
    }

    pub(super) fn of_import(spec: &'a ImportSpec, imported: &'a Imported) -> Self {
        let lane = Self::new(Source::Import(spec, imported));
        Self { rank: spec.rank, combine: spec.combine, ..lane }
    }

    fn new(source: Source<'a>) -> Self {
        Self {
            source,
            rank: 0,
            combine: Combine::Replace,
            duties: Vec::new(),
            next: None,
            is_known: false,
            version: None,
            turns: None,
            ledger: None,
            other: None,
        }
    }

    /// Returns the name of the layer; an import has none.
    pub(super) fn layer_name(&self) -> Option<&'a LayerName> {
        match self.source {
            Source::Layer(layer) => Some(&layer.name),
            Source::Import(..) => None,
        }
    }

    /// Moves to an instant, not before the last one.
    pub(super) fn seek(&mut self, roster: &Roster, schedule: &'a Schedule, at: Timestamp) {
        if self.is_known && self.next.is_none_or(|next| at < next) {
            return;
        }
        self.is_known = true;
        match self.source {
            Source::Layer(layer) => self.seek_layer(roster, schedule, layer, at),
            Source::Import(spec, imported) => {
                let (people, next) = imported.at(at);
                let cause = Cause::Import { import: std::sync::Arc::clone(&spec.name) };
                let here = people.iter().filter(|person| !roster.has_left(person));
                let duty = |person: &Handle| Duty { person: person.clone(), cause: cause.clone() };
                self.duties = here.map(duty).collect();
                self.next = next;
            }
        }
    }

    fn seek_layer(
        &mut self,
        roster: &Roster,
        schedule: &'a Schedule,
        layer: &'a Layer,
        at: Timestamp,
    ) {
        self.duties.clear();
        let Some((place, version)) = layer.version_at(at) else {
            self.next = layer.versions.first().map(|version| version.effective_from);
            return;
        };
        if self.version != Some(place) {
            let spec = &version.spec;
            (self.rank, self.combine) = (spec.rank, spec.combine);
            self.version = Some(place);
            self.turns = Some(Turns::new(&spec.cadence, spec.handoff, &version.zone));
            self.ledger = None;
        }
        self.next = layer.versions.get(place + 1).map(|version| version.effective_from);
        let spec = &version.spec;
        if spec.members.is_empty() {
            return;
        }
        if !spec.windows.is_empty() {
            let open = open_at(&spec.windows, at, &version.zone);
            self.sooner(open.next);
            if !open.now {
                return;
            }
        }
        if self.is_off_for_holiday(roster, schedule, layer, version, at) {
            return;
        }
        let Some(turns) = &mut self.turns else { return };
        let place = turns.at(at);
        self.sooner(place.next);
        if let Some(turn) = place.turn {
            self.take_turn(roster, layer, version, turn, at);
        }
    }

    fn sooner(&mut self, next: Option<Timestamp>) {
        self.next = self.next.into_iter().chain(next).min();
    }

    /// On a holiday the layer is off, or another one's people stand in.
    fn is_off_for_holiday(
        &mut self,
        roster: &Roster,
        schedule: &'a Schedule,
        layer: &'a Layer,
        version: &'a LayerVersion,
        at: Timestamp,
    ) -> bool {
        let members_of = match &version.spec.holiday_mode {
            HolidayMode::Ignore => return false,
            HolidayMode::Off => None,
            HolidayMode::MembersOf(name) => Some(name),
        };
        let calendars = roster.calendars_of(schedule);
        if calendars.is_empty() {
            return false;
        }
        let holiday = holiday_at(&calendars, at, &version.zone);
        self.sooner(holiday.next);
        if !holiday.now {
            return false;
        }
        let Some(other) = members_of.and_then(|name| schedule.layer(name)) else { return true };
        if other.name == layer.name {
            return true;
        }
        let mut lane = self.other.take().unwrap_or_else(|| Box::new(Self::of_layer(other)));
        // What the other layer does on holidays is left aside: two could name each other.
        lane.seek_turn_only(roster, other, at);
        self.sooner(lane.next);
        let cause = Cause::Holiday {
            layer: LayerName::clone(&layer.name),
            members_of: LayerName::clone(&other.name),
        };
        let duty = |duty: &Duty| Duty { person: duty.person.clone(), cause: cause.clone() };
        self.duties = lane.duties.iter().map(duty).collect();
        self.other = Some(lane);
        true
    }

    /// Finds whose turn it is whatever the windows and holidays say.
    fn seek_turn_only(&mut self, roster: &Roster, layer: &'a Layer, at: Timestamp) {
        self.duties.clear();
        let Some((place, version)) = layer.version_at(at) else {
            self.next = layer.versions.first().map(|version| version.effective_from);
            return;
        };
        if self.version != Some(place) {
            let spec = &version.spec;
            self.version = Some(place);
            self.turns = Some(Turns::new(&spec.cadence, spec.handoff, &version.zone));
            self.ledger = None;
        }
        self.next = layer.versions.get(place + 1).map(|version| version.effective_from);
        let Some(turns) = &mut self.turns else { return };
        let place = turns.at(at);
        self.sooner(place.next);
        if let Some(turn) = place.turn.filter(|_| !version.spec.members.is_empty()) {
            self.take_turn(roster, layer, version, turn, at);
        }
    }

    fn take_turn(
        &mut self,
        roster: &Roster,
        layer: &Layer,
        version: &LayerVersion,
        turn: Turn,
        at: Timestamp,
    ) {
        let spec = &version.spec;
        let members = &spec.members;
        let places = (spec.per_shift.max(1) as usize).min(members.len());
        if spec.mode == Mode::Fair
            && let Some(holding) = self.fair_holding(roster, version, turn, places)
        {
            for place in holding {
                self.put_on_call(roster, layer, &members[place], &[], false, None);
            }
            return;
        }
        let skips = spec.mode == Mode::SkipUnavailable;
        if skips {
            let edges = members.iter().flat_map(Slot::people);
            let next = edges.filter_map(|person| roster.next_absence_edge(person, at)).min();
            self.sooner(next);
        }
        let away_at = skips.then_some(at);
        let is_usable = |slot: &Slot| {
            slot.people().iter().any(|person| {
                !roster.has_left(person) && !away_at.is_some_and(|at| roster.is_away(person, at))
            })
        };
        let begin = begin_of(version, turn.index, places);
        let mut taken: Vec<usize> = (0..places).map(|n| (begin + n) % members.len()).collect();
        for nth in 0..places {
            let slot = &members[taken[nth]];
            if slot.people().is_empty() || is_usable(slot) {
                self.put_on_call(roster, layer, slot, &[], false, away_at);
                continue;
            }
            let stand_in = (0..members.len())
                .map(|n| (begin + places + n) % members.len())
                .find(|place| !taken.contains(place) && is_usable(&members[*place]));
            match stand_in {
                Some(place) => {
                    taken.push(place);
                    self.put_on_call(roster, layer, &members[place], slot.people(), false, away_at);
                }
                None => self.put_on_call(roster, layer, slot, &[], true, None),
            }
        }
    }

    /// Adds those of a slot who are here.
    fn put_on_call(
        &mut self,
        roster: &Roster,
        layer: &Layer,
        slot: &Slot,
        instead_of: &[Handle],
        is_away: bool,
        away_at: Option<Timestamp>,
    ) {
        for person in slot.people() {
            let is_here = !away_at.is_some_and(|at| roster.is_away(person, at));
            let is_new = self.duties.iter().all(|duty| duty.person != *person);
            if roster.has_left(person) || !is_here || !is_new {
                continue;
            }
            let layer = LayerName::clone(&layer.name);
            let cause = if instead_of.is_empty() {
                Cause::Layer { layer, is_away }
            } else {
                Cause::StandIn { layer, instead_of: instead_of.to_vec() }
            };
            self.duties.push(Duty { person: person.clone(), cause });
        }
    }

    /// Returns who has the turn in a fair rotation; `None` for one before the ledger begins.
    fn fair_holding(
        &mut self,
        roster: &Roster,
        version: &LayerVersion,
        turn: Turn,
        places: usize,
    ) -> Option<Vec<usize>> {
        let turns = self.turns.as_mut()?;
        let ledger = self.ledger.get_or_insert_with(|| opening_ledger(version, turns));
        let run = turn.index.div_euclid(i64::from(version.spec.shifts_per_member.max(1)));
        settle_ledger(ledger, run, roster, version, turns, places);
        (run + 1 == ledger.next).then(|| ledger.holding.clone())
    }
}

/// Returns the ledger that a version begins with.
pub(super) fn opening_ledger(version: &LayerVersion, turns: &mut Turns<'_>) -> Ledger {
    if let Some(ledger) = &version.ledger {
        return ledger.clone();
    }
    let place = turns.at(version.effective_from);
    let first = place.turn.or_else(|| place.next.and_then(|next| turns.at(next).turn));
    let index = first.map_or(0, |turn| turn.index);
    let run = index.div_euclid(i64::from(version.spec.shifts_per_member.max(1)));
    Ledger::begin(run, version.spec.members.len())
}

/// Gives all turns up to `run`.
pub(super) fn settle_ledger(
    ledger: &mut Ledger,
    run: i64,
    roster: &Roster,
    version: &LayerVersion,
    turns: &Turns<'_>,
    places: usize,
) {
    let each = i64::from(version.spec.shifts_per_member.max(1));
    for _ in 0..MAX_FAIR_TURNS {
        if ledger.next > run {
            return;
        }
        let Some((from, _)) = turns.bounds(ledger.next * each) else { return };
        let last = (1..=each).rev().find_map(|n| turns.bounds(ledger.next * each + n - 1));
        let to = last.map_or(from, |(_, to)| to);
        let standing: Vec<Standing> =
            version.spec.members.iter().map(|slot| standing_of(slot, roster, from, to)).collect();
        ledger.give(to.duration_since(from).as_secs(), places, &standing);
    }
}

fn standing_of(slot: &Slot, roster: &Roster, from: Timestamp, to: Timestamp) -> Standing {
    let mut here = slot.people().iter().filter(|person| !roster.has_left(person)).peekable();
    if here.peek().is_none() {
        return Standing::Out;
    }
    if here.all(|person| roster.is_away_within(person, from, to)) {
        return Standing::Away;
    }
    Standing::Ready
}

/// Returns the place in the order at which the members of a turn begin.
pub(super) fn begin_of(version: &LayerVersion, index: i64, places: usize) -> usize {
    let members = i64::try_from(version.spec.members.len()).unwrap_or(1).max(1);
    let run = index.div_euclid(i64::from(version.spec.shifts_per_member.max(1)));
    let step = i64::try_from(places).unwrap_or(1);
    let begin = (i64::from(version.first) + (run % members) * step).rem_euclid(members);
    usize::try_from(begin).unwrap_or(0)
}
