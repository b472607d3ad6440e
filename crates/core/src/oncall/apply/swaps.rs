//! Swaps: time that somebody offers, and what others answer.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::super::change::{OnCallRejection, OnCallWrites};
use super::super::exception::{SwapRequest, SwapState};
use super::super::roster::Roster;
use super::{Asker, Result, active, cut, invalid, span, too_many};
use crate::audit::AuditNote;
use crate::identity::Handle;

/// The most swaps of a schedule that are not over.
const MAX_SWAPS: usize = 200;

impl Roster {
    pub(super) fn request_swap(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        mut it: SwapRequest,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        span(it.from, it.to)?;
        if it.to <= now {
            return Err(OnCallRejection::InThePast);
        }
        active(asker, &it.owner)?;
        if let Some(person) = &it.offered_to {
            active(asker, person)?;
            if *person == it.owner {
                return Err(invalid("time is offered to somebody else than its owner"));
            }
        }
        if let Some((from, to)) = it.in_return {
            span(from, to)?;
        }
        let entry = self.known(&it.schedule)?;
        let is_live = |known: &&SwapRequest| {
            known.to > now && matches!(known.state, SwapState::Open | SwapState::Taken { .. })
        };
        let mut live = entry.swaps.iter().filter(is_live);
        let same =
            live.find(|known| known.owner == it.owner && known.from < it.to && it.from < known.to);
        if let Some(known) = same {
            return Err(OnCallRejection::Overlaps { person: it.owner.clone(), id: known.id });
        }
        if entry.swaps.iter().filter(is_live).count() >= MAX_SWAPS {
            return Err(too_many("swaps", MAX_SWAPS));
        }
        it.number = entry.swaps.last().map_or(0, |last| last.number) + 1;
        it.state = SwapState::Open;
        it.reason = cut(&it.reason);
        let note = AuditNote::new("swap.request", format!("schedule/{}", it.schedule));
        let note = note.after(json!(it)).because(&it.reason);
        writes.swaps.insert(it.id, Some(it.clone()));
        self.known_mut(&it.schedule.clone())?.swaps.push(it);
        Ok(note)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one command")]
    pub(super) fn take_swap(
        &mut self,
        now: Timestamp,
        asker: &Asker<'_>,
        schedule: &str,
        id: Uuid,
        by: &Handle,
        part: Option<(Timestamp, Timestamp)>,
        rest_ids: [Uuid; 2],
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        active(asker, by)?;
        let unknown = OnCallRejection::Unknown { what: "swap", id };
        let entry = self.known(schedule)?;
        let place = entry.swaps.iter().position(|it| it.id == id).ok_or(unknown)?;
        let before = entry.swaps[place].clone();
        // Once it began, its owner is on call.
        if before.state != SwapState::Open || before.from <= now {
            return Err(OnCallRejection::SwapNotOpen { id });
        }
        if before.owner == *by {
            return Err(invalid("nobody takes their own swap; cancel it instead"));
        }
        if let Some(person) = before.offered_to.as_ref().filter(|person| *person != by) {
            return Err(invalid(&format!("swap {id} is offered to {person} only")));
        }
        let (from, to) = part.unwrap_or((before.from, before.to));
        span(from, to)?;
        if from < before.from || before.to < to {
            return Err(invalid("the part lies within the time that is offered"));
        }
        let returned = before.in_return;
        let swaps = &mut self.known_mut(schedule)?.swaps;
        let last = swaps.last().map_or(0, |last| last.number);
        let mut new = Vec::new();
        let mut rest = |rest_id: Uuid, from: Timestamp, to: Timestamp| {
            if from < to {
                let number = last + 1 + new.len() as u64;
                let in_return = None;
                new.push(SwapRequest {
                    id: rest_id,
                    number,
                    from,
                    to,
                    in_return,
                    ..before.clone()
                });
            }
        };
        let [before_id, after_id] = rest_ids;
        rest(before_id, before.from, from);
        rest(after_id, to, before.to);
        if let Some((from, to)) = returned {
            // What is given in return is a swap of its own, taken already.
            let number = last + 1 + new.len() as u64;
            let state = SwapState::Taken { by: before.owner.clone() };
            let id = derived(id);
            let owner = by.clone();
            new.push(SwapRequest { id, number, owner, from, to, state, ..before.clone() });
        }
        let taken = SwapState::Taken { by: by.clone() };
        swaps[place] = SwapRequest { from, to, state: taken, ..before.clone() };
        writes.swaps.insert(id, Some(swaps[place].clone()));
        for it in new {
            writes.swaps.insert(it.id, Some(it.clone()));
            swaps.push(it);
        }
        let note = AuditNote::new("swap.take", format!("schedule/{schedule}"));
        Ok(note.before(json!(before)).after(json!({ "by": by, "from": from, "to": to })))
    }

    /// Whom a time is offered to says no; its owner stays on call.
    pub(super) fn decline_swap(
        &mut self,
        now: Timestamp,
        schedule: &str,
        id: Uuid,
        by: &Handle,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        let unknown = OnCallRejection::Unknown { what: "swap", id };
        let entry = self.known(schedule)?;
        let place = entry.swaps.iter().position(|it| it.id == id).ok_or(unknown)?;
        let before = entry.swaps[place].clone();
        if before.state != SwapState::Open || before.from <= now {
            return Err(OnCallRejection::SwapNotOpen { id });
        }
        match &before.offered_to {
            Some(person) if person == by => {}
            Some(person) => {
                return Err(invalid(&format!("swap {id} is offered to {person} only")));
            }
            None => {
                let what = "this time is offered to everybody; whoever does not want it ignores it";
                return Err(invalid(what));
            }
        }
        let swaps = &mut self.known_mut(schedule)?.swaps;
        swaps[place].state = SwapState::Declined { by: by.clone() };
        writes.swaps.insert(id, Some(swaps[place].clone()));
        let note = AuditNote::new("swap.decline", format!("schedule/{schedule}"));
        Ok(note.before(json!(before)).after(json!({ "by": by })))
    }

    pub(super) fn cancel_swap(
        &mut self,
        now: Timestamp,
        schedule: &str,
        id: Uuid,
        writes: &mut OnCallWrites,
    ) -> Result<AuditNote> {
        let unknown = OnCallRejection::Unknown { what: "swap", id };
        let entry = self.known(schedule)?;
        let place = entry.swaps.iter().position(|it| it.id == id).ok_or(unknown)?;
        let before = entry.swaps[place].clone();
        let is_live = matches!(before.state, SwapState::Open | SwapState::Taken { .. });
        if !is_live || before.from <= now {
            return Err(OnCallRejection::SwapNotOpen { id });
        }
        let swaps = &mut self.known_mut(schedule)?.swaps;
        swaps[place].state = SwapState::Cancelled;
        writes.swaps.insert(id, Some(swaps[place].clone()));
        let note = AuditNote::new("swap.cancel", format!("schedule/{schedule}"));
        Ok(note.before(json!(before)))
    }

    /// Swaps that nobody took until they began are past due; their owners stay on call. Returns
    /// them.
    pub fn expire_swaps(
        &mut self,
        now: Timestamp,
        schedule: &str,
        writes: &mut OnCallWrites,
    ) -> Vec<SwapRequest> {
        let Some(entry) = self.entries.get_mut(schedule) else { return Vec::new() };
        let mut expired = Vec::new();
        for swap in &mut entry.swaps {
            if swap.state == SwapState::Open && swap.from <= now {
                swap.state = SwapState::PastDue;
                writes.swaps.insert(swap.id, Some(swap.clone()));
                expired.push(swap.clone());
            }
        }
        expired
    }
}

/// Returns the id of what is given in return for a swap: another, and always the same.
fn derived(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ (1 << 64))
}
