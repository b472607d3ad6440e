//! Exceptions to a schedule: overrides, fixed blocks, swaps, absences; and the record of the past.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::schedule::{LayerName, ScheduleName};
use super::view::Cause;
use crate::identity::Handle;

/// Somebody is on call who would not be, or is not who would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Unique.
    pub id: Uuid,
    /// Of which schedule.
    pub schedule: ScheduleName,
    /// Its place in the order of creation.
    pub number: u64,
    /// Who goes; `None` when somebody is added.
    #[serde(default)]
    pub user_out: Option<Handle>,
    /// Who comes; `None` when somebody is taken away.
    #[serde(default)]
    pub user_in: Option<Handle>,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Only in this layer; `None` for the whole schedule.
    #[serde(default)]
    pub layer: Option<LayerName>,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// Who made it.
    pub author: String,
}

impl Override {
    /// Returns whether it holds at an instant.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// A time for which exactly these shifts hold, whatever the layers say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedBlock {
    /// Unique.
    pub id: Uuid,
    /// Of which schedule.
    pub schedule: ScheduleName,
    /// Its place in the order of creation.
    pub number: u64,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Who is on call when; holes are gaps.
    pub shifts: Vec<BlockShift>,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// Who made it.
    pub author: String,
}

/// One shift of a fixed block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockShift {
    /// Who.
    pub person: Handle,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
}

/// Somebody asks others to take a part of their time on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapRequest {
    /// Unique.
    pub id: Uuid,
    /// Of which schedule.
    pub schedule: ScheduleName,
    /// Its place in the order of creation.
    pub number: u64,
    /// Whose time it is.
    pub owner: Handle,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// How it stands.
    pub state: SwapState,
    /// Who may take it; `None` for anybody.
    #[serde(default)]
    pub offered_to: Option<Handle>,
    /// What the owner offers in return: a time that the taker has and the owner would take.
    #[serde(default)]
    pub in_return: Option<(Timestamp, Timestamp)>,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// How a swap stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SwapState {
    /// Nobody took it yet; the owner is on call.
    Open,
    /// Somebody took it.
    Taken {
        /// Who.
        by: Handle,
    },
    /// Its time came and nobody had taken it.
    PastDue,
    /// Whom it was offered to said no; the owner is on call.
    Declined {
        /// Who.
        by: Handle,
    },
    /// The owner took it back.
    Cancelled,
}

impl SwapRequest {
    /// Returns who took it.
    pub fn taker(&self) -> Option<&Handle> {
        match &self.state {
            SwapState::Taken { by } => Some(by),
            _ => None,
        }
    }
}

/// A time in which somebody is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailability {
    /// Unique.
    pub id: Uuid,
    /// Who.
    pub person: Handle,
    /// First instant.
    pub from: Timestamp,
    /// The instant after the last.
    pub to: Timestamp,
    /// Why.
    #[serde(default)]
    pub kind: AbsenceKind,
    /// Whether a calendar said so; such ones change with it.
    #[serde(default)]
    pub is_imported: bool,
    /// Further words; may be empty.
    #[serde(default)]
    pub note: String,
}

/// Why somebody is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceKind {
    /// On holiday.
    #[default]
    Vacation,
    /// Ill.
    Sick,
    /// Something else.
    Busy,
}

/// Days on which people are free where a schedule says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolidayCalendar {
    /// Unique in the tenant.
    pub name: Arc<str>,
    /// The days.
    pub days: Vec<Holiday>,
}

/// One holiday, or several days in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Whether it comes back every year on the same days of the calendar.
    #[serde(default)]
    pub is_yearly: bool,
    /// What it is called; may be empty.
    #[serde(default)]
    pub name: String,
}

impl Holiday {
    /// Returns whether a day belongs to it.
    pub fn covers(&self, day: Date) -> bool {
        if !self.is_yearly {
            return self.from <= day && day <= self.to;
        }
        let place = |date: Date| (date.month(), date.day());
        let (from, to, day) = (place(self.from), place(self.to), place(day));
        if from <= to { from <= day && day <= to } else { from <= day || day <= to }
    }
}

/// Somebody really was on call: written when it began, completed when it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftRecord {
    /// Counted for each tenant.
    pub number: u64,
    /// Where.
    pub schedule: ScheduleName,
    /// Who.
    pub person: Handle,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` while it goes on.
    #[serde(default)]
    pub to: Option<Timestamp>,
    /// Why.
    pub cause: Cause,
    /// What the schedule said, as a hash of it and of the time-zone database.
    pub config: Arc<str>,
    /// Who corrected it afterwards; `None` for as it happened.
    #[serde(default)]
    pub corrected_by: Option<String>,
}
