//! What comes out: who is on call from when to when, and why.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::schedule::{LayerName, ScheduleName};
use crate::identity::Handle;

/// Why somebody is on call, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Cause {
    /// It is their turn.
    Layer {
        /// In this layer.
        layer: LayerName,
        /// Whether they are away and nobody could stand in.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_away: bool,
    },
    /// It is the turn of somebody who is away or has left.
    StandIn {
        /// In this layer.
        layer: LayerName,
        /// Whose turn it is.
        instead_of: Vec<Handle>,
    },
    /// It is a holiday and they have the turn in another layer.
    Holiday {
        /// The layer that is off.
        layer: LayerName,
        /// The layer they come from.
        members_of: LayerName,
    },
    /// A calendar says so.
    Import {
        /// The name of the import.
        import: Arc<str>,
    },
    /// An override put them there.
    Override {
        /// Which one.
        id: Uuid,
        /// For whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<Handle>,
        /// Who made it.
        by: String,
    },
    /// They took somebody's time.
    Swap {
        /// Which swap.
        id: Uuid,
        /// Whose.
        instead_of: Handle,
    },
    /// A fixed block says so.
    Block {
        /// Which one.
        id: Uuid,
    },
    /// Nobody was on call, and they are asked then.
    Fallback {
        /// The schedule they are on call in; `None` when they are named themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        schedule: Option<ScheduleName>,
    },
    /// Nobody is on call.
    Gap {
        /// Why, as far as it is known.
        why: GapReason,
    },
    /// The history was corrected.
    Corrected {
        /// Who did it.
        by: String,
        /// Why.
        reason: String,
    },
}

/// Why nobody is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// No layer covers the time.
    NoLayer,
    /// A fixed block has a hole.
    HoleInBlock,
    /// An override took the last one away.
    Override,
}

impl Cause {
    /// Returns why as a sentence about `person`; `None` for nobody.
    pub fn sentence(&self, person: Option<&Handle>) -> String {
        let who = person.map_or("nobody", Handle::as_str);
        match self {
            Self::Layer { layer, is_away: false } => {
                format!("{who} has the turn in layer {layer}")
            }
            Self::Layer { layer, is_away: true } => {
                format!("{who} has the turn in layer {layer}, is away, and nobody can stand in")
            }
            Self::StandIn { layer, instead_of } => {
                let names: Vec<_> = instead_of.iter().map(Handle::as_str).collect();
                format!("{who} stands in for {} in layer {layer}", names.join(", "))
            }
            Self::Holiday { layer, members_of } => {
                format!("{who} of layer {members_of} stands in for layer {layer} on a holiday")
            }
            Self::Import { import } => format!("calendar {import} names {who}"),
            Self::Override { instead_of: Some(out), by, .. } => {
                format!("{who} is on call instead of {out} by an override of {by}")
            }
            Self::Override { instead_of: None, by, .. } => {
                format!("{who} was added by an override of {by}")
            }
            Self::Swap { instead_of, .. } => format!("{who} took this time from {instead_of}"),
            Self::Block { .. } => format!("a fixed block names {who}"),
            Self::Fallback { schedule: None } => {
                format!("nobody is on call; {who} is the fallback")
            }
            Self::Fallback { schedule: Some(schedule) } => {
                format!("nobody is on call; {who} is on call in the fallback {schedule}")
            }
            Self::Gap { why: GapReason::NoLayer } => "no layer covers this time".to_owned(),
            Self::Gap { why: GapReason::HoleInBlock } => {
                "a fixed block names nobody for this time".to_owned()
            }
            Self::Gap { why: GapReason::Override } => {
                "an override took the last person away".to_owned()
            }
            Self::Corrected { by, reason } if reason.is_empty() => {
                format!("{by} corrected the history: it was {who}")
            }
            Self::Corrected { by, reason } => {
                format!("{by} corrected the history: it was {who} ({reason})")
            }
        }
    }
}

/// One person on call, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Who.
    pub person: Handle,
    /// Why.
    pub cause: Cause,
}

/// A time in which the same people are on call for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who; empty for nobody.
    pub duties: Vec<Duty>,
    /// Why nobody is on call by the schedule itself, whoever the fallback is.
    #[serde(default)]
    pub gap: Option<GapReason>,
    /// Whether it is the record of what happened rather than a plan.
    #[serde(default)]
    pub is_recorded: bool,
}

impl Segment {
    /// Returns who.
    pub fn people(&self) -> Vec<Handle> {
        self.duties.iter().map(|duty| duty.person.clone()).collect()
    }
}

/// A time in which too few are on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// How many are on call by the schedule itself.
    pub people: u32,
    /// How many there have to be.
    pub wanted: u32,
    /// Why nobody is.
    #[serde(default)]
    pub why: Option<GapReason>,
}

/// Something about a schedule that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// What kind, for programs.
    pub code: WarningCode,
    /// From when on; `None` for at all times.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default)]
    pub to: Option<Timestamp>,
    /// What, for people.
    pub message: String,
}

/// The kinds of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The schedule has no layer with anybody in it.
    Empty,
    /// Too few are on call.
    Gap,
    /// An override changes nothing for all of its time.
    IneffectiveOverride,
    /// A swap changes nothing for all of its time.
    IneffectiveSwap,
    /// Somebody who took a swap is on call already.
    DoubleDuty,
    /// Somebody is on call and away.
    Away,
    /// Somebody is named who has left or is not known.
    UnknownPerson,
    /// A fallback or a layer names something that does not exist, or leads in a circle.
    BrokenReference,
    /// A calendar could not be fetched or read.
    Import,
    /// A swap nobody took yet begins soon or began.
    OpenSwap,
    /// What is asked for lies before the first record.
    BeforeRecords,
}

/// Everything about a time of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinalView {
    /// Ascending, without holes from the first record on.
    pub segments: Vec<Segment>,
    /// Ascending.
    pub gaps: Vec<Gap>,
    /// In the order of their kinds.
    pub warnings: Vec<Warning>,
}

/// Who is on call, why, and how long at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// Who; empty when nobody is.
    pub people: Vec<Handle>,
    /// Why, one for each of the people; one that says why nobody is otherwise.
    pub cause: Vec<Cause>,
    /// When other people are on call, or nobody; `None` for not within sight.
    pub until: Option<Timestamp>,
}

impl OnCall {
    /// Says who is on call; of nobody, why.
    pub fn new(duties: Vec<Duty>, gap: Option<GapReason>, until: Option<Timestamp>) -> Self {
        if duties.is_empty() {
            let why = gap.unwrap_or(GapReason::NoLayer);
            return Self { people: Vec::new(), cause: vec![Cause::Gap { why }], until };
        }
        let (people, cause) = duties.into_iter().map(|duty| (duty.person, duty.cause)).unzip();
        Self { people, cause, until }
    }

    /// Returns why as a sentence.
    pub fn sentence(&self) -> String {
        if self.people.is_empty() {
            return self.cause.first().map_or_else(
                || "nobody is on call".to_owned(),
                |cause| format!("nobody is on call: {}", cause.sentence(None)),
            );
        }
        let each = self.people.iter().zip(&self.cause);
        let each: Vec<_> = each.map(|(person, cause)| cause.sentence(Some(person))).collect();
        each.join("; ")
    }
}
