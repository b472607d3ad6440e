//! What holds at an instant, and when that may change: the one decision behind everything else.
//!
//! Highest first: a fixed block alone; swaps that were taken; overrides in the order of their
//! creation; layers and imports by rank; the fallback.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::exception::{FixedBlock, Override, SwapRequest};
use super::lane::Lane;
use super::roster::{Entry, Roster};
use super::schedule::{Combine, Fallback, ImportKind};
use super::view::{Cause, Duty, GapReason, Segment};
use crate::identity::Handle;

/// How many schedules a fallback may lead through.
pub(super) const MAX_FALLBACK_DEPTH: u8 = 5;

/// The rank of a calendar of overrides: above every layer.
const OVERRIDE_RANK: u32 = u32::MAX;

/// What holds at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Who is on call, fallback included.
    pub(super) duties: Vec<Duty>,
    /// Why nobody is by the schedule itself.
    pub(super) gap: Option<GapReason>,
    /// How many are by the schedule itself.
    pub(super) covered: u32,
    /// When anything of this may change.
    pub(super) next: Option<Timestamp>,
}

/// A way through time along one schedule. It leads forwards only.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    roster: &'a Roster,
    entry: &'a Entry,
    lanes: Vec<Lane<'a>>,
    overrides: Vec<&'a Override>,
    swaps: Vec<&'a SwapRequest>,
    blocks: Vec<&'a FixedBlock>,
    fallback: Option<Box<Walk<'a>>>,
    depth: u8,
    /// Exceptions that changed something.
    pub(super) effective: BTreeSet<Uuid>,
    /// Swaps whose taker was on call already.
    pub(super) double: BTreeSet<Uuid>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(roster: &'a Roster, entry: &'a Entry, from: Timestamp) -> Self {
        Self::at_depth(roster, entry, from, 0)
    }

    fn at_depth(roster: &'a Roster, entry: &'a Entry, from: Timestamp, depth: u8) -> Self {
        let mut lanes: Vec<Lane<'a>> = entry.schedule.layers.iter().map(Lane::of_layer).collect();
        for spec in &entry.schedule.imports {
            let Some(imported) = entry.imports.get(&spec.name) else { continue };
            match spec.kind {
                ImportKind::Shifts => lanes.push(Lane::of_import(spec, imported)),
                ImportKind::Overrides => {
                    let mut lane = Lane::of_import(spec, imported);
                    lane.rank = OVERRIDE_RANK;
                    lanes.push(lane);
                }
                ImportKind::Holidays | ImportKind::OutOfOffice => {}
            }
        }
        Self {
            roster,
            entry,
            lanes,
            overrides: entry.overrides.iter().filter(|it| it.to > from).collect(),
            swaps: entry.swaps.iter().filter(|it| it.to > from && it.taker().is_some()).collect(),
            blocks: entry.blocks.iter().filter(|it| it.to > from).collect(),
            fallback: None,
            depth,
            effective: BTreeSet::new(),
            double: BTreeSet::new(),
        }
    }

    /// Returns what holds at an instant, not before the last one asked for.
    pub(super) fn at(&mut self, at: Timestamp) -> Moment {
        let mut next = self.next_edge(at);
        let block = self.blocks.iter().rev().find(|it| it.from <= at && at < it.to).copied();
        let (mut duties, mut gap) = match block {
            Some(block) => {
                let duties = self.of_block(block, at);
                let gap = duties.is_empty().then_some(GapReason::HoleInBlock);
                (duties, gap)
            }
            None => {
                for lane in &mut self.lanes {
                    lane.seek(self.roster, &self.entry.schedule, at);
                    next = next.into_iter().chain(lane.next).min();
                }
                self.compose(at)
            }
        };
        let covered = u32::try_from(duties.len()).unwrap_or(u32::MAX);
        if duties.is_empty() {
            gap = gap.or(Some(GapReason::NoLayer));
            let (stand_ins, changes) = self.fall_back(at);
            duties = stand_ins;
            next = next.into_iter().chain(changes).min();
        }
        Moment { duties, gap, covered, next }
    }

    /// Returns the next instant at which an exception begins or ends.
    fn next_edge(&self, at: Timestamp) -> Option<Timestamp> {
        let overrides = self.overrides.iter().flat_map(|it| [it.from, it.to]);
        let swaps = self.swaps.iter().flat_map(|it| [it.from, it.to]);
        let blocks = self.blocks.iter().flat_map(|block| {
            let shifts = block.shifts.iter().flat_map(|shift| [shift.from, shift.to]);
            shifts.chain([block.from, block.to])
        });
        overrides.chain(swaps).chain(blocks).filter(|edge| *edge > at).min()
    }

    fn of_block(&self, block: &FixedBlock, at: Timestamp) -> Vec<Duty> {
        let mut duties: Vec<Duty> = Vec::new();
        for shift in block.shifts.iter().filter(|shift| shift.from <= at && at < shift.to) {
            if !self.roster.has_left(&shift.person) {
                put(&mut duties, &shift.person, Cause::Block { id: block.id });
            }
        }
        duties
    }

    /// Puts layers together by rank, then swaps and overrides.
    fn compose(&mut self, at: Timestamp) -> (Vec<Duty>, Option<GapReason>) {
        let here = |person: &Handle| !self.roster.has_left(person);
        let swaps: Vec<&SwapRequest> =
            self.swaps.iter().copied().filter(|it| it.from <= at && at < it.to).collect();
        let overrides: Vec<&Override> =
            self.overrides.iter().copied().filter(|it| it.covers(at)).collect();
        let mut done: BTreeSet<Uuid> = BTreeSet::new();
        let mut ranked: Vec<(u32, Combine, Vec<Duty>)> = Vec::with_capacity(self.lanes.len());
        let mut was_covered = false;
        for lane in &self.lanes {
            let mut duties = lane.duties.clone();
            was_covered |= !duties.is_empty();
            // A swap goes before overrides, so it takes effect where its owner has the turn.
            for swap in &swaps {
                let Some(taker) = swap.taker().filter(|taker| here(taker)) else { continue };
                let cause = Cause::Swap { id: swap.id, instead_of: swap.owner.clone() };
                if replace(&mut duties, &swap.owner, taker, cause) {
                    done.insert(swap.id);
                }
            }
            for it in overrides.iter().filter(|it| it.layer.as_ref() == lane.layer_name()) {
                if it.layer.is_some() && apply(&mut duties, it, &here) {
                    self.effective.insert(it.id);
                }
            }
            ranked.push((lane.rank, lane.combine, duties));
        }
        for swap in swaps.iter().filter(|swap| done.contains(&swap.id)) {
            let taker = swap.taker();
            let is_double = self.lanes.iter().flat_map(|lane| &lane.duties);
            if is_double.into_iter().any(|duty| Some(&duty.person) == taker) {
                self.double.insert(swap.id);
            }
        }
        let mut duties = combine(ranked);
        for it in overrides.iter().filter(|it| it.layer.is_none()) {
            if apply(&mut duties, it, &here) {
                self.effective.insert(it.id);
            }
        }
        for swap in swaps.iter().filter(|swap| !done.contains(&swap.id)) {
            let Some(taker) = swap.taker().filter(|taker| here(taker)) else { continue };
            let cause = Cause::Swap { id: swap.id, instead_of: swap.owner.clone() };
            if replace(&mut duties, &swap.owner, taker, cause) {
                self.effective.insert(swap.id);
            }
        }
        self.effective.extend(done);
        let why = if was_covered { GapReason::Override } else { GapReason::NoLayer };
        let gap = duties.is_empty().then_some(why);
        (duties, gap)
    }

    /// Returns whom the fallback names, and when that may change.
    fn fall_back(&mut self, at: Timestamp) -> (Vec<Duty>, Option<Timestamp>) {
        match &self.entry.schedule.fallback {
            Fallback::Skip => (Vec::new(), None),
            Fallback::Person(person) if self.roster.has_left(person) => (Vec::new(), None),
            Fallback::Person(person) => {
                let cause = Cause::Fallback { schedule: None };
                (vec![Duty { person: person.clone(), cause }], None)
            }
            Fallback::Schedule(name) => {
                if self.depth >= MAX_FALLBACK_DEPTH {
                    return (Vec::new(), None);
                }
                let Some(entry) = self.roster.entry(name) else { return (Vec::new(), None) };
                let (roster, depth) = (self.roster, self.depth + 1);
                let walk = self
                    .fallback
                    .get_or_insert_with(|| Box::new(Walk::at_depth(roster, entry, at, depth)));
                let moment = walk.at(at);
                let cause = Cause::Fallback { schedule: Some(name.clone()) };
                let duty = |duty: Duty| Duty { person: duty.person, cause: cause.clone() };
                (moment.duties.into_iter().map(duty).collect(), moment.next)
            }
        }
    }

    /// Returns the segments from `from` to `to`, at most about `limit` of them.
    pub(super) fn segments(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
        mut visit: impl FnMut(&Segment, u32),
    ) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut at = from;
        while at < to {
            let moment = self.at(at);
            let end = moment.next.filter(|next| *next > at).map_or(to, |next| next.min(to));
            let segment = Segment {
                from: at,
                to: end,
                duties: moment.duties,
                gap: moment.gap,
                is_recorded: false,
            };
            visit(&segment, moment.covered);
            push_segment(&mut segments, segment);
            at = end;
            if segments.len() > limit {
                break;
            }
        }
        segments
    }
}

/// Appends a segment, or lengthens the last one when nothing but the time differs.
pub(super) fn push_segment(segments: &mut Vec<Segment>, segment: Segment) {
    if let Some(last) = segments.last_mut()
        && last.to == segment.from
        && last.duties == segment.duties
        && last.gap == segment.gap
    {
        last.to = segment.to;
        last.is_recorded &= segment.is_recorded;
        return;
    }
    segments.push(segment);
}

/// Puts the lanes together: within a rank all are on call, and a rank with somebody in a layer
/// that replaces cuts off everything below.
fn combine(mut ranked: Vec<(u32, Combine, Vec<Duty>)>) -> Vec<Duty> {
    ranked.retain(|(_, _, duties)| !duties.is_empty());
    ranked.sort_by_key(|(rank, _, _)| *rank);
    let cut = ranked
        .iter()
        .filter(|(_, combine, _)| *combine == Combine::Replace)
        .map(|(rank, _, _)| *rank)
        .max();
    let mut together: Vec<Duty> = Vec::new();
    for (rank, _, duties) in ranked {
        if cut.is_some_and(|cut| rank < cut) {
            continue;
        }
        for duty in duties {
            put(&mut together, &duty.person, duty.cause);
        }
    }
    together
}

fn put(duties: &mut Vec<Duty>, person: &Handle, cause: Cause) {
    if duties.iter().all(|duty| duty.person != *person) {
        duties.push(Duty { person: person.clone(), cause });
    }
}

/// Carries out an override; returns whether that changed anything.
fn apply(duties: &mut Vec<Duty>, it: &Override, here: &impl Fn(&Handle) -> bool) -> bool {
    let by = it.author.clone();
    match (&it.user_out, &it.user_in) {
        (Some(out), Some(into)) if here(into) => {
            let cause = Cause::Override { id: it.id, instead_of: Some(out.clone()), by };
            replace(duties, out, into, cause)
        }
        (Some(_), Some(_)) | (None, None) => false,
        (Some(out), None) => {
            let before = duties.len();
            duties.retain(|duty| duty.person != *out);
            duties.len() < before
        }
        (None, Some(into)) => {
            let before = duties.len();
            if here(into) {
                put(duties, into, Cause::Override { id: it.id, instead_of: None, by });
            }
            duties.len() > before
        }
    }
}

/// Replaces `out` by `into` where `out` is on call. Who is on call already stays once.
fn replace(duties: &mut Vec<Duty>, out: &Handle, into: &Handle, cause: Cause) -> bool {
    let Some(place) = duties.iter().position(|duty| duty.person == *out) else { return false };
    if out == into {
        return false;
    }
    if duties.iter().any(|duty| duty.person == *into) {
        duties.remove(place);
    } else if let Some(duty) = duties.get_mut(place) {
        *duty = Duty { person: into.clone(), cause };
    }
    true
}
