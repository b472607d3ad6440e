//! What may be asked about schedules, what has to be written then, and why it may be refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::exception::{FixedBlock, Override, ShiftRecord, SwapRequest, Unavailability};
use super::imported::ImportedEvent;
use super::schedule::{LayerName, Schedule, ScheduleName, ScheduleSpec};
use crate::identity::{Handle, SecretHash};

/// One change of who is on call. Anything random, such as an id, is in it already.
#[derive(Clone, Debug)]
pub enum OnCallChange {
    /// A schedule is new or edited.
    SetSchedule(Box<ScheduleSpec>),
    /// A schedule is removed.
    DeleteSchedule(ScheduleName),
    /// Somebody comes, goes, or both. The number and the author are filled in.
    AddOverride(Box<Override>),
    /// An override ends: now when it has begun, altogether before.
    RemoveOverride {
        /// Of which schedule.
        schedule: ScheduleName,
        /// Which one.
        id: Uuid,
    },
    /// A time is fixed.
    AddBlock(Box<FixedBlock>),
    /// A fixed time ends like an override does.
    RemoveBlock {
        /// Of which schedule.
        schedule: ScheduleName,
        /// Which one.
        id: Uuid,
    },
    /// Somebody offers a part of their time.
    RequestSwap(Box<SwapRequest>),
    /// Somebody takes it, or a part.
    TakeSwap {
        /// Of which schedule.
        schedule: ScheduleName,
        /// Which one.
        id: Uuid,
        /// Who.
        by: Handle,
        /// Which part; `None` for all that is left.
        part: Option<(Timestamp, Timestamp)>,
        /// Ids for what is left before and after the part.
        rest_ids: [Uuid; 2],
    },
    /// Whom an offer was made to says no.
    DeclineSwap {
        /// Of which schedule.
        schedule: ScheduleName,
        /// Which one.
        id: Uuid,
        /// Who.
        by: Handle,
    },
    /// Somebody takes an offer back.
    CancelSwap {
        /// Of which schedule.
        schedule: ScheduleName,
        /// Which one.
        id: Uuid,
    },
    /// Somebody is away.
    AddAbsence(Box<Unavailability>),
    /// Somebody is not away after all.
    RemoveAbsence {
        /// Which one.
        id: Uuid,
    },
    /// The record of the past is wrong, and this is how it was.
    CorrectHistory {
        /// Of which schedule.
        schedule: ScheduleName,
        /// First instant.
        from: Timestamp,
        /// The instant after the last; not in the future.
        to: Timestamp,
        /// Who was on call; empty for nobody.
        people: Vec<Handle>,
        /// Why.
        reason: String,
    },
    /// A calendar of somebody's or of a schedule can be read with a secret.
    AddFeed(CalendarFeed),
    /// It cannot any more.
    RevokeFeed {
        /// Which one.
        id: Uuid,
    },
    /// A calendar elsewhere was read, or could not be.
    Import {
        /// Of which schedule.
        schedule: ScheduleName,
        /// Which one.
        import: Arc<str>,
        /// What it says.
        outcome: ImportOutcome,
        /// Whether somebody sent it in.
        is_pushed: bool,
    },
}

/// How reading a calendar ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It says this; with what could not be understood.
    Fetched {
        /// The events, each repetition one.
        events: Vec<ImportedEvent>,
        /// One sentence each.
        trouble: Vec<String>,
    },
    /// It says what it said before.
    Unchanged,
    /// It could not be fetched or read; what it said last holds for a while.
    Failed {
        /// Why, without addresses or secrets.
        why: String,
    },
}

/// What is worth telling of a calendar that was read, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportNews {
    /// It says something else than before, or can be read again.
    Read {
        /// How many events it has.
        events: usize,
        /// How many names in it nobody goes by.
        unknown: usize,
    },
    /// It cannot be read any more.
    Failed {
        /// Why.
        why: String,
    },
    /// It could not be read for so long that what it said last does not hold any more.
    Dropped {
        /// Why.
        why: String,
        /// When it was read last.
        read_at: Option<Timestamp>,
    },
    /// It still cannot be read after that.
    StillLost {
        /// Why.
        why: String,
        /// When it was read last.
        read_at: Option<Timestamp>,
    },
}

/// A secret address under which a calendar can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarFeed {
    /// Unique.
    pub id: Uuid,
    /// Of the secret.
    pub hash: SecretHash,
    /// What it shows.
    pub of: FeedOf,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// What a feed shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum FeedOf {
    /// Everybody of a schedule.
    Schedule(ScheduleName),
    /// One person's shifts in all schedules.
    Person(Handle),
}

/// A calendar as it was read last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Of which schedule.
    pub schedule: ScheduleName,
    /// Which one.
    pub import: Arc<str>,
    /// Its events.
    pub events: Vec<ImportedEvent>,
    /// What could not be understood of it.
    #[serde(default)]
    pub trouble: Vec<String>,
    /// When that was.
    pub fetched_at: Timestamp,
}

/// Entries that changed, by key; `None` for those that are gone.
pub type Changed<K, V> = BTreeMap<K, Option<V>>;

/// What changed of who is on call and has to be written.
#[derive(Clone, Debug, Default)]
pub struct OnCallWrites {
    /// Schedules.
    pub schedules: Changed<ScheduleName, Schedule>,
    /// Overrides.
    pub overrides: Changed<Uuid, Override>,
    /// Fixed blocks.
    pub blocks: Changed<Uuid, FixedBlock>,
    /// Swaps.
    pub swaps: Changed<Uuid, SwapRequest>,
    /// Absences.
    pub absences: Changed<Uuid, Unavailability>,
    /// Addresses of calendars.
    pub feeds: Changed<Uuid, CalendarFeed>,
    /// Calendars elsewhere, by schedule and name.
    pub imports: Changed<(ScheduleName, Arc<str>), ImportRow>,
    /// Records that are new or were completed or corrected, by number; `None` for those that a
    /// correction took away.
    pub records: Changed<u64, ShiftRecord>,
}

impl OnCallWrites {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.schedules.is_empty()
            && self.overrides.is_empty()
            && self.blocks.is_empty()
            && self.swaps.is_empty()
            && self.absences.is_empty()
            && self.feeds.is_empty()
            && self.imports.is_empty()
            && self.records.is_empty()
    }
}

impl OnCallWrites {
    /// Lets what changed later take the place of what changed before, as a store does.
    pub fn absorb(&mut self, later: Self) {
        self.schedules.extend(later.schedules);
        self.overrides.extend(later.overrides);
        self.blocks.extend(later.blocks);
        self.swaps.extend(later.swaps);
        self.absences.extend(later.absences);
        self.feeds.extend(later.feeds);
        self.imports.extend(later.imports);
        self.records.extend(later.records);
    }

    /// Returns what a store holds after these changes.
    pub fn rows(&self) -> OnCallRows {
        fn kept<K, V: Clone>(changed: &Changed<K, V>) -> Vec<V> {
            changed.values().flatten().cloned().collect()
        }
        OnCallRows {
            schedules: kept(&self.schedules),
            overrides: kept(&self.overrides),
            blocks: kept(&self.blocks),
            swaps: kept(&self.swaps),
            absences: kept(&self.absences),
            feeds: kept(&self.feeds),
            imports: kept(&self.imports),
            records: kept(&self.records),
            highest_record: self.records.keys().next_back().copied().unwrap_or_default(),
        }
    }
}

/// What the store holds of who is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCallRows {
    /// Schedules, by name.
    pub schedules: Vec<Schedule>,
    /// Overrides, in the order of their creation.
    pub overrides: Vec<Override>,
    /// Fixed blocks, in the order of their creation.
    pub blocks: Vec<FixedBlock>,
    /// Swaps, in the order of their creation.
    pub swaps: Vec<SwapRequest>,
    /// Absences.
    pub absences: Vec<Unavailability>,
    /// Addresses of calendars.
    pub feeds: Vec<CalendarFeed>,
    /// Calendars elsewhere.
    pub imports: Vec<ImportRow>,
    /// Open records and those of the last weeks, ascending by their number.
    pub records: Vec<ShiftRecord>,
    /// The highest number of a record ever given.
    pub highest_record: u64,
}

/// Why a change of a schedule was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnCallRejection {
    /// What is asked for makes no sense by itself.
    #[error("{what}")]
    Invalid {
        /// What is wrong.
        what: String,
    },
    /// No such schedule.
    #[error("there is no schedule `{0}`")]
    UnknownSchedule(String),
    /// No such layer.
    #[error("schedule `{schedule}` has no layer `{layer}`")]
    UnknownLayer {
        /// Of which schedule.
        schedule: ScheduleName,
        /// What was asked for.
        layer: LayerName,
    },
    /// Nobody active by that handle.
    #[error("there is no active person `{0}`")]
    UnknownPerson(Handle),
    /// Nothing by that id.
    #[error("there is no {what} {id}")]
    Unknown {
        /// What.
        what: &'static str,
        /// Which one.
        id: Uuid,
    },
    /// The file says so.
    #[error("schedule `{0}` is provisioned by the configuration file; change it there")]
    Provisioned(ScheduleName),
    /// No such calendar.
    #[error("schedule `{schedule}` imports no calendar `{import}`")]
    UnknownImport {
        /// Of which schedule.
        schedule: ScheduleName,
        /// What was asked for.
        import: Arc<str>,
    },
    /// Another override is in the way.
    #[error("`{person}` is replaced at that time already, by override {id}")]
    Overlaps {
        /// Who would go twice.
        person: Handle,
        /// The one in the way.
        id: Uuid,
    },
    /// Another fixed block is in the way.
    #[error("that time is fixed already, by block {id}")]
    BlockOverlaps {
        /// The one in the way.
        id: Uuid,
    },
    /// It lies in the past.
    #[error("that time is over; what was can only be corrected by an administrator")]
    InThePast,
    /// A correction reaches into the future.
    #[error("only what is over can be corrected")]
    InTheFuture,
    /// Somebody else took it, or it is over.
    #[error("swap {id} is not open any more")]
    SwapNotOpen {
        /// Which one.
        id: Uuid,
    },
    /// Others depend on it.
    #[error("schedule `{schedule}` is used by {}", users.join(", "))]
    InUse {
        /// Which one.
        schedule: ScheduleName,
        /// By what.
        users: Vec<String>,
    },
    /// As many as there may be.
    #[error("there are {limit} {what} already, which is the bound")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
}
