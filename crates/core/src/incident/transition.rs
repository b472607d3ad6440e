//! Which status may follow which: all 64 cells, as a table.

use serde::{Deserialize, Serialize};

use super::{IncidentNumber, Status};

/// What stands in one cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It stands there already: nothing changes, and nobody is refused. Two people often do the
    /// same at once.
    Same,
    /// Allowed.
    Free,
    /// Allowed; a person says how it ended.
    Note,
    /// Allowed; a person says why it goes back.
    Reason,
    /// Only by giving it back, or when an acknowledgement lapses; paging begins again.
    GiveBack,
    /// Only by the engine: it fires again soon after it was resolved.
    Refire,
    /// Closing, which asks for everything to be done.
    Close,
    /// Reopening what was closed, which takes a permission of its own and a reason.
    Reopen,
    /// Refused.
    Never,
}

/// What a move takes beside the permission to make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A note on how it ended.
    Note,
    /// A reason.
    Reason,
    /// That nothing is left to do.
    Preconditions,
    /// A reason, and the permission `incident.reopen_closed`.
    ReopenClosed,
}

/// Why a move is refused, and what would be possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table does not have the move.
    #[error("an incident does not go from {from} to {to}{}", hint(*.from, *.to))]
    Never {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// What it is about is a younger incident meanwhile.
    #[error(
        "what it is about is incident {by} meanwhile, so it is not opened again: merge it with \
         that one, or go on there"
    )]
    Superseded {
        /// Which.
        by: IncidentNumber,
    },
    /// A person has to say how it ended, or why it goes back.
    #[error("going from {from} to {to} takes a {}", if *.is_note { "note on how it ended" } else { "reason" })]
    Unexplained {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
        /// Whether a note is wanted rather than a reason.
        is_note: bool,
    },
}

use Rule::{Close, Free, GiveBack, Never, Note, Reason, Refire, Reopen, Same};

/// Rows: from. Columns: to. Both in the order of [`Status::ALL`].
#[rustfmt::skip]
const TABLE: [[Rule; 8]; 8] = [
    // detected  acknowl.  investig. identif.  mitigat.  monitor.  resolved  closed
    [  Same,     Free,     Free,     Free,     Free,     Free,     Note,     Never ], // detected
    [  GiveBack, Same,     Free,     Free,     Free,     Free,     Note,     Never ], // acknowledged
    [  Never,    Never,    Same,     Free,     Free,     Free,     Note,     Never ], // investigating
    [  Never,    Never,    Reason,   Same,     Free,     Free,     Note,     Never ], // identified
    [  Never,    Never,    Reason,   Reason,   Same,     Free,     Note,     Never ], // mitigating
    [  Never,    Never,    Reason,   Reason,   Reason,   Same,     Note,     Never ], // monitoring
    [  Refire,   Never,    Reason,   Never,    Never,    Never,    Same,     Close ], // resolved
    [  Never,    Never,    Reopen,   Never,    Never,    Never,    Never,    Same  ], // closed
];

/// Returns what stands in the table for going from one status to another.
pub fn rule(from: Status, to: Status) -> Rule {
    TABLE[from as usize][to as usize]
}

impl Rule {
    /// Returns whether a person may ask for the move at all, by whatever action.
    pub fn is_for_people(self) -> bool {
        !matches!(self, Self::Same | Self::Refire | Self::Never)
    }

    /// Returns what a person has to bring.
    pub fn need(self) -> Need {
        match self {
            Self::Note => Need::Note,
            Self::Reason => Need::Reason,
            Self::Close => Need::Preconditions,
            Self::Reopen => Need::ReopenClosed,
            _ => Need::Nothing,
        }
    }
}

/// Returns where a person may move an incident, and what each move takes.
pub fn allowed_from(from: Status) -> impl Iterator<Item = (Status, Need)> {
    Status::ALL
        .into_iter()
        .map(move |to| (to, rule(from, to)))
        .filter(|(_, rule)| rule.is_for_people())
        .map(|(to, rule)| (to, rule.need()))
}

fn hint(from: Status, to: Status) -> &'static str {
    match (from, to) {
        (Status::Closed, _) => "; reopen it first",
        (_, Status::Closed) => "; resolve it first",
        (Status::Resolved, _) => "; reopen it as investigating",
        (_, Status::Detected | Status::Acknowledged) => "; somebody works on it already",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the design, letter by letter; `=` same, `Y` free, `N` note, `R` reason,
    /// `U` give back, `S` refire, `C` close, `P` reopen, `-` never.
    const DESIGN: [&str; 8] = [
        "=YYYYYN-", "U=YYYYN-", "--=YYYN-", "--R=YYN-", "--RR=YN-", "--RRR=N-", "S-R---=C",
        "--P----=",
    ];

    fn letter(rule: Rule) -> char {
        match rule {
            Same => '=',
            Free => 'Y',
            Note => 'N',
            Reason => 'R',
            GiveBack => 'U',
            Refire => 'S',
            Close => 'C',
            Reopen => 'P',
            Never => '-',
        }
    }

    #[test]
    fn all_64_cells_are_those_of_the_design() {
        for (from, row) in Status::ALL.into_iter().zip(DESIGN) {
            let ours: String = Status::ALL.into_iter().map(|to| letter(rule(from, to))).collect();
            assert_eq!(ours, row, "from {from}");
        }
    }

    #[test]
    fn the_cells_add_up() {
        let cells =
            || Status::ALL.into_iter().flat_map(|from| Status::ALL.map(|to| rule(from, to)));
        let count = |wanted: &[Rule]| cells().filter(|it| wanted.contains(it)).count();
        assert_eq!(count(&[Same]), 8);
        assert_eq!(count(&[Free]), 15);
        assert_eq!(count(&[Note]), 6);
        assert_eq!(count(&[Reason]), 7);
        assert_eq!(count(&[GiveBack, Refire, Close, Reopen]), 4);
        assert_eq!(count(&[Never]), 24);
    }

    #[test]
    fn every_refusal_says_what_is_possible() {
        for from in Status::ALL {
            assert!(allowed_from(from).next().is_some(), "{from} is a dead end");
        }
        let from_detected: Vec<&str> =
            allowed_from(Status::Detected).map(|(to, _)| to.as_str()).collect();
        assert_eq!(
            from_detected,
            ["acknowledged", "investigating", "identified", "mitigating", "monitoring", "resolved"]
        );
        let refusal = Refusal::Never { from: Status::Detected, to: Status::Closed };
        assert_eq!(
            refusal.to_string(),
            "an incident does not go from detected to closed; resolve it first"
        );
        let closed: Vec<_> = allowed_from(Status::Closed).collect();
        assert_eq!(closed, [(Status::Investigating, Need::ReopenClosed)]);
    }
}
