//! Local clocks: which instant a clock on the wall means, through every change of clocks.
//!
//! A local time that is left out means the first instant after the gap. One that is repeated means
//! its first occurrence where something begins and its last where something ends, so a window
//! covers both copies. A schedule's rules differ in this from those of maintenance windows, which
//! move a start on by the length of the gap.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::time_interval::{BadTimeInterval, parse_minute, time_zone};

/// How many minutes a day has on the wall; also the end of a window that is written `24:00`.
pub const MINUTES_PER_DAY: u16 = 24 * 60;

/// How many changes of a zone are looked at to find the one that left a local time out.
const MAX_CHANGES: usize = 4;

/// A time zone under the name it was asked for by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: Arc<str>,
    zone: TimeZone,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: Arc::from("UTC"), zone: TimeZone::UTC }
    }

    /// Finds a zone by its IANA name.
    ///
    /// # Errors
    /// [`BadTimeInterval::TimeZone`] when there is none.
    pub fn named(name: &str) -> Result<Self, BadTimeInterval> {
        Ok(Self { zone: time_zone(name)?, name: Arc::from(name) })
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the rules.
    pub fn rules(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns the first instant that the local time means.
    pub fn first(&self, local: DateTime) -> Timestamp {
        self.resolve(local, true)
    }

    /// Returns the last instant that the local time means.
    pub fn last(&self, local: DateTime) -> Timestamp {
        self.resolve(local, false)
    }

    /// Returns what a clock on the wall shows.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    fn resolve(&self, local: DateTime, takes_first: bool) -> Timestamp {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => instant(offset, local),
            AmbiguousOffset::Fold { before, after } => {
                instant(if takes_first { before } else { after }, local)
            }
            AmbiguousOffset::Gap { after, .. } => self.end_of_gap(instant(after, local), after),
        }
    }

    /// Returns the first instant with the offset `after`, from one shortly before it.
    fn end_of_gap(&self, before: Timestamp, after: Offset) -> Timestamp {
        let mut changes = self.zone.following(before).take(MAX_CHANGES);
        changes.find(|change| change.offset() == after).map_or(before, |change| change.timestamp())
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl TryFrom<String> for Zone {
    type Error = BadTimeInterval;

    fn try_from(name: String) -> Result<Self, BadTimeInterval> {
        Self::named(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name.as_ref().to_owned()
    }
}

fn instant(offset: Offset, local: DateTime) -> Timestamp {
    let edge = if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    offset.to_timestamp(local).unwrap_or(edge)
}

/// A time of day in minutes; `24:00` is allowed as an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(u16);

impl ClockTime {
    /// The beginning of a day.
    pub const MIDNIGHT: Self = Self(0);

    /// Reads `09:00`.
    ///
    /// # Errors
    /// [`BadTimeInterval::Time`] for anything else.
    pub fn parse(text: &str) -> Result<Self, BadTimeInterval> {
        parse_minute(text).map(Self)
    }

    /// Returns the minute of the day.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// Returns that time on a day; `24:00` is the beginning of the next.
    pub fn on(self, day: Date) -> DateTime {
        let (day, minutes) = if self.0 >= MINUTES_PER_DAY {
            (day.tomorrow().unwrap_or(day), 0)
        } else {
            (day, self.0)
        };
        let hour = i8::try_from(minutes / 60).unwrap_or(0);
        let minute = i8::try_from(minutes % 60).unwrap_or(0);
        day.to_datetime(Time::new(hour, minute, 0, 0).unwrap_or(Time::midnight()))
    }
}

impl std::fmt::Display for ClockTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for ClockTime {
    type Error = BadTimeInterval;

    fn try_from(text: String) -> Result<Self, BadTimeInterval> {
        Self::parse(&text)
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        time.to_string()
    }
}
