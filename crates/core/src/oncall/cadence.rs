//! How turns pass: every so many hours, days, weeks or months, by a list of lengths, or by a rule.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::OnCallRejection;
use crate::maintenance::{BadRecurrence, Recurrence};

/// The most units of one turn: far beyond any rotation that people work in.
pub const MAX_UNITS: u32 = 10_000;
/// The most lengths in a list.
pub const MAX_ALTERNATING: usize = 100;
/// The most dates that a rule leaves out or adds.
pub const MAX_EXTRA_DATES: usize = 1_000;
/// The shortest distance of two handoffs by a rule, in minutes.
pub const MIN_STEP_MINUTES: i64 = 15;

/// What a length is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Hours.
    Hours,
    /// Days on the calendar.
    Days,
    /// Seven days on the calendar.
    Weeks,
    /// Months on the calendar; the 31st becomes the last day of a shorter one.
    Months,
}

impl Unit {
    /// Returns the unit's length on the wall in seconds; a month has none.
    pub(super) fn seconds(self) -> Option<i64> {
        match self {
            Self::Hours => Some(3_600),
            Self::Days => Some(86_400),
            Self::Weeks => Some(7 * 86_400),
            Self::Months => None,
        }
    }
}

/// A length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            Unit::Hours => "hour",
            Unit::Days => "day",
            Unit::Weeks => "week",
            Unit::Months => "month",
        };
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.count)
    }
}

/// When a turn passes to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Cadence {
    /// Every so often.
    ///
    /// Days, weeks and months keep the local time of the handoff. Hours do, too, when they divide
    /// a day; other numbers of hours are elapsed time.
    Every(Length),
    /// By a list of lengths that begins anew when it is through, such as five days and two.
    Alternating {
        /// The lengths, without months.
        lengths: Vec<Length>,
    },
    /// By a rule of RFC 5545. Each occurrence is a turn of the given length, or shorter when the
    /// next one begins before.
    Rule {
        /// The rule.
        #[serde(with = "rule_as_text")]
        rule: Recurrence,
        /// How long each turn lasts on the wall.
        length: Length,
        /// Occurrences that are left out.
        #[serde(default)]
        except: Vec<Timestamp>,
        /// Occurrences beside those of the rule.
        #[serde(default)]
        also: Vec<Timestamp>,
    },
}

impl Cadence {
    /// Every week.
    pub const WEEKLY: Self = Self::Every(Length { count: 1, unit: Unit::Weeks });

    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`OnCallRejection::Invalid`] with what is wrong.
    pub fn check(&self, anchor: DateTime) -> Result<(), OnCallRejection> {
        let bad = |what: &str| Err(OnCallRejection::Invalid { what: what.to_owned() });
        let fits = |length: &Length| (1..=MAX_UNITS).contains(&length.count);
        match self {
            Self::Every(length) if fits(length) => Ok(()),
            Self::Every(_) => bad("a turn lasts 1 to 10000 units"),
            Self::Alternating { lengths } => match lengths.len() {
                0 => bad("the list of lengths is empty"),
                len if len > MAX_ALTERNATING => bad("the list has more than 100 lengths"),
                _ if !lengths.iter().all(fits) => bad("a turn lasts 1 to 10000 units"),
                _ if lengths.iter().any(|it| it.unit == Unit::Months) => {
                    bad("lengths that alternate are hours, days or weeks, not months")
                }
                _ => Ok(()),
            },
            Self::Rule { rule, length, except, also } => {
                if !fits(length) || length.unit == Unit::Months {
                    return bad("a turn by a rule lasts 1 to 10000 hours, days or weeks");
                }
                if except.len() > MAX_EXTRA_DATES || also.len() > MAX_EXTRA_DATES {
                    return bad("more than 1000 dates are left out or added");
                }
                if rule.is_denser_than(anchor, MIN_STEP_MINUTES) {
                    return bad("the rule hands over more often than every 15 minutes");
                }
                Ok(())
            }
        }
    }

    /// Reads a rule of RFC 5545.
    ///
    /// # Errors
    /// [`BadRecurrence`] when it is none.
    pub fn rule(text: &str, length: Length) -> Result<Self, BadRecurrence> {
        let rule = Recurrence::new(text)?;
        Ok(Self::Rule { rule, length, except: Vec::new(), also: Vec::new() })
    }
}

impl std::fmt::Display for Cadence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Every(length) => write!(f, "every {length}"),
            Self::Alternating { lengths } => {
                f.write_str("alternating ")?;
                for (place, length) in lengths.iter().enumerate() {
                    if place > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{length}")?;
                }
                Ok(())
            }
            Self::Rule { rule, length, .. } => write!(f, "{length} by {}", rule.as_str()),
        }
    }
}

mod rule_as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::maintenance::Recurrence;

    pub(super) fn serialize<S: Serializer>(rule: &Recurrence, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(rule.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Recurrence, D::Error> {
        let text = String::deserialize(from)?;
        Recurrence::new(&text).map_err(serde::de::Error::custom)
    }
}
