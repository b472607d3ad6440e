//! Fair turns: whoever had the least time on call so far.
//!
//! This is the only rotation with a memory. Its ledger is settled as turns begin, so that what
//! happened cannot be changed by what is learned later, such as an absence told afterwards.

use serde::{Deserialize, Serialize};

/// Who was on call how long, up to some turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The turn that is given next.
    pub next: i64,
    /// Seconds on call, by member.
    pub seconds: Vec<i64>,
    /// The last turn of each member.
    pub last: Vec<Option<i64>>,
    /// Who has the turn before the next.
    pub holding: Vec<usize>,
}

/// What is known of a member when a turn is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    /// Away for a part of the turn.
    Away,
    /// Nobody, or somebody who has left.
    Out,
}

impl Ledger {
    /// Begins with nobody's time counted, at a turn.
    pub(super) fn begin(next: i64, members: usize) -> Self {
        Self { next, seconds: vec![0; members], last: vec![None; members], holding: Vec::new() }
    }

    /// Takes over what is known of members that stay; `origin` says which one each was.
    pub(super) fn carry(&self, next: i64, origin: &[Option<usize>]) -> Self {
        let least = self.seconds.iter().copied().min().unwrap_or(0);
        let seconds = origin.iter().map(|place| {
            place.and_then(|place| self.seconds.get(place)).copied().unwrap_or(least) - least
        });
        // A newcomer goes first among equals.
        let last = origin.iter().map(|place| {
            let last = place.and_then(|place| self.last.get(place).copied().flatten());
            last.map(|last| last - self.next + next)
        });
        Self { next, seconds: seconds.collect(), last: last.collect(), holding: Vec::new() }
    }

    /// Gives the next turn, of that many seconds, to `places` members.
    ///
    /// The least time wins, then who had the last turn longest ago, then the order. Whoever is
    /// away comes last of all, and is brought up to the least of the others: a turn that was
    /// missed is not owed.
    pub(super) fn give(&mut self, length: i64, places: usize, standing: &[Standing]) {
        let of = |place: usize| standing.get(place).copied().unwrap_or(Standing::Out);
        let members: Vec<usize> =
            (0..self.seconds.len()).filter(|place| of(*place) != Standing::Out).collect();
        let ready = members.iter().copied().filter(|place| of(*place) == Standing::Ready);
        if let Some(least) = ready.map(|place| self.seconds[place]).min() {
            for place in members.iter().copied().filter(|place| of(*place) == Standing::Away) {
                self.seconds[place] = self.seconds[place].max(least);
            }
        }
        let mut order = members;
        order.sort_by_key(|place| {
            (of(*place) == Standing::Away, self.seconds[*place], self.last[*place], *place)
        });
        order.truncate(places);
        for place in &order {
            self.seconds[*place] += length;
            self.last[*place] = Some(self.next);
        }
        self.holding = order;
        self.next += 1;
    }
}
