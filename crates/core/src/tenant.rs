//! One tenant's engine: all of its state, and the only place that changes it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alert::AlertView;
use crate::command::{Command, Reply};
use crate::ids::{OutboxNumber, SilenceId};
use crate::labels::{Fingerprint, Labels};
use crate::notification::OutboxEntry;
use crate::policy::Policy;
use crate::rows::{TenantRows, WriteSet};
use crate::silence::{Silence, SilenceState};
use crate::views::{Counts, Explanation, GroupView, MaintenanceView};

/// What one turn decided.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be written in one transaction before anything else happens.
    pub writes: WriteSet,
    /// One for each command, in order; to be given once the writes are committed.
    pub replies: Vec<Reply>,
    /// To be attempted once the writes are committed, in order.
    pub attempts: Vec<OutboxEntry>,
}

/// The state of one tenant.
#[derive(Debug)]
pub struct Tenant {}

impl Tenant {
    /// Takes up work at `now` with what the store holds.
    pub fn restore(_policy: Arc<Policy>, _rows: TenantRows, _now: Timestamp) -> Self {
        todo!()
    }

    /// Does everything that is due at `now`, then `commands` in order, and returns what to write,
    /// answer and send. With no commands this is the wake-up call.
    pub fn turn(&mut self, _now: Timestamp, _commands: Vec<Command>) -> Turn {
        todo!()
    }

    /// Returns the earliest instant at which [`Self::turn`] without commands would do anything.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        todo!()
    }

    /// Returns the configuration in effect.
    pub fn policy(&self) -> &Arc<Policy> {
        todo!()
    }

    /// Returns all firing alerts, ascending by fingerprint.
    pub fn alerts(&self, _now: Timestamp) -> Vec<AlertView> {
        todo!()
    }

    /// Returns all groups with at least one firing alert, in Alertmanager's order: by labels
    /// (fewer first), then by receiver.
    pub fn groups(&self, _now: Timestamp) -> Vec<GroupView> {
        todo!()
    }

    /// Returns all silences in Alertmanager's order: active (ending first first), pending
    /// (starting first first), expired (latest first).
    pub fn silences(&self, _now: Timestamp) -> Vec<(Silence, SilenceState)> {
        todo!()
    }

    /// Returns the silence with that id.
    pub fn silence(&self, _id: SilenceId, _now: Timestamp) -> Option<(Silence, SilenceState)> {
        todo!()
    }

    /// Returns all maintenance windows by name.
    pub fn maintenance_windows(&self, _now: Timestamp) -> Vec<MaintenanceView> {
        todo!()
    }

    /// Returns where the alert with that fingerprint stands, firing or lately resolved.
    pub fn explain(&self, _fingerprint: Fingerprint, _now: Timestamp) -> Option<Explanation> {
        todo!()
    }

    /// Returns the unsent notifications, ascending by number.
    pub fn outbox(&self) -> Vec<OutboxEntry> {
        todo!()
    }

    /// Returns the unsent notification with that number.
    pub fn outbox_entry(&self, _number: OutboxNumber) -> Option<&OutboxEntry> {
        todo!()
    }

    /// Returns the names of the receivers an alert with these labels would be told to, with the
    /// key of each route, in order.
    pub fn route(&self, _labels: &Labels) -> Vec<(Arc<str>, Arc<str>)> {
        todo!()
    }

    /// Returns how much there is of everything.
    pub fn counts(&self, _now: Timestamp) -> Counts {
        todo!()
    }
}
