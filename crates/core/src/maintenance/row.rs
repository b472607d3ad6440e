//! Maintenance windows as a store keeps them.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{BadRecurrence, MaintenanceWindow, Recurrence};
use crate::rows::MaintenanceRow;
use crate::time_interval::{BadTimeInterval, time_zone, time_zone_name};

/// Why something is not a maintenance window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// It has no name.
    #[error("a maintenance window needs a name")]
    NoName,
    /// It would hold back everything.
    #[error("maintenance window `{name}` has no matchers, so it would hold back every alert")]
    NoMatchers {
        /// Its name.
        name: String,
    },
    /// It ends before it begins.
    #[error("maintenance window `{name}` must last longer than no time at all")]
    NoDuration {
        /// Its name.
        name: String,
    },
    /// Its zone is none.
    #[error("maintenance window `{name}` has no usable time zone")]
    TimeZone {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: BadTimeInterval,
    },
    /// Its rule is none.
    #[error("maintenance window `{name}` has no usable recurrence rule")]
    Recurrence {
        /// Its name.
        name: String,
        /// What is wrong with it.
        source: BadRecurrence,
    },
}

impl MaintenanceWindow {
    /// Checks what the types do not: that the window has a name, matchers and a length.
    ///
    /// # Errors
    /// The first of [`BadWindow::NoName`], [`BadWindow::NoMatchers`] and
    /// [`BadWindow::NoDuration`] that is the case.
    pub fn check(&self) -> Result<(), BadWindow> {
        let name = || self.name.to_string();
        if self.name.trim().is_empty() {
            return Err(BadWindow::NoName);
        }
        if self.matchers.is_empty() {
            return Err(BadWindow::NoMatchers { name: name() });
        }
        if !self.duration.is_positive() {
            return Err(BadWindow::NoDuration { name: name() });
        }
        Ok(())
    }

    /// Returns the row that a store keeps; the length is cut to whole seconds.
    pub fn to_row(&self) -> MaintenanceRow {
        MaintenanceRow {
            name: self.name.to_string(),
            matchers: self.matchers.clone(),
            starts_at: self.starts_at,
            duration_seconds: self.duration.as_secs(),
            time_zone: time_zone_name(&self.zone),
            recurrence: self.recurrence.as_ref().map(|rule| rule.as_str().to_owned()),
            comment: self.comment.clone(),
            created_by: self.created_by.clone(),
        }
    }

    /// Returns the window that a row describes.
    ///
    /// # Errors
    /// [`BadWindow`] when the row describes none.
    pub fn from_row(row: MaintenanceRow) -> Result<Self, BadWindow> {
        let zone = time_zone(&row.time_zone)
            .map_err(|source| BadWindow::TimeZone { name: row.name.clone(), source })?;
        let recurrence = row
            .recurrence
            .as_deref()
            .map(Recurrence::new)
            .transpose()
            .map_err(|source| BadWindow::Recurrence { name: row.name.clone(), source })?;
        let window = Self {
            name: Arc::from(row.name),
            matchers: row.matchers,
            starts_at: row.starts_at,
            duration: SignedDuration::from_secs(row.duration_seconds),
            zone,
            recurrence,
            comment: row.comment,
            created_by: row.created_by,
        };
        window.check()?;
        Ok(window)
    }
}
