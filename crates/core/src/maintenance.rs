//! Maintenance windows: planned, possibly recurring times in which matching alerts stay quiet.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::matcher::Matchers;

/// A planned quiet time for the alerts that match.
#[derive(Clone, Debug)]
pub struct MaintenanceWindow {
    /// Unique among the tenant's windows; shown wherever an alert is held back by it.
    pub name: Arc<str>,
    /// Which alerts it holds back; never empty.
    pub matchers: Matchers,
    /// Local start of the first occurrence.
    pub starts_at: DateTime,
    /// How long each occurrence lasts.
    pub duration: SignedDuration,
    /// The zone of `starts_at`; a window at 02:00 stays at 02:00 through clock changes.
    pub zone: TimeZone,
    /// When it recurs (RFC 5545); `None` for once.
    pub recurrence: Option<Recurrence>,
    /// Why.
    pub comment: String,
    /// Who planned it; "configuration" for provisioned ones.
    pub created_by: String,
}

/// A recurrence rule that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence(String);

/// A recurrence rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid recurrence rule `{rule}`: {message}")]
pub struct BadRecurrence {
    /// The rule as written.
    pub rule: String,
    /// What is wrong with it.
    pub message: String,
}

impl Recurrence {
    /// Checks an RFC 5545 rule such as `FREQ=WEEKLY;BYDAY=SU`.
    ///
    /// # Errors
    /// [`BadRecurrence`] when the rule cannot be read.
    pub fn new(_rule: &str) -> Result<Self, BadRecurrence> {
        todo!()
    }

    /// Returns the rule as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One occurrence of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// First instant.
    pub starts_at: Timestamp,
    /// The instant after the last.
    pub ends_at: Timestamp,
}

impl MaintenanceWindow {
    /// Returns the occurrence that covers `at`; of several the one that ends last.
    pub fn occurrence_at(&self, _at: Timestamp) -> Option<Occurrence> {
        todo!()
    }

    /// Returns the first occurrence that starts after `at`.
    pub fn next_occurrence(&self, _at: Timestamp) -> Option<Occurrence> {
        todo!()
    }
}
