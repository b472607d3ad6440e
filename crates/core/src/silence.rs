//! Silences: a person mutes matching alerts for a time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{SilenceId, SilenceNumber};
use crate::matcher::Matchers;

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Public identity.
    pub id: SilenceId,
    /// The engine's number for it.
    pub number: SilenceNumber,
    /// What it mutes; at least one of them does not match the empty string.
    pub matchers: Matchers,
    /// First instant.
    pub starts_at: Timestamp,
    /// The instant at which it no longer mutes.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Free text by name.
    pub annotations: BTreeMap<String, String>,
}

/// Where a silence stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// Begins later.
    Pending,
    /// Mutes.
    Active,
    /// Over; kept for a while to be looked up.
    Expired,
}

/// What a person asks for when making or changing a silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceRequest {
    /// The silence to change; `None` makes a new one.
    pub id: Option<SilenceId>,
    /// What to mute.
    pub matchers: Matchers,
    /// First instant; for a new silence an instant in the past becomes now.
    pub starts_at: Timestamp,
    /// Last instant.
    pub ends_at: Timestamp,
    /// Who asks.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Free text by name.
    pub annotations: BTreeMap<String, String>,
}

/// Why a silence was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceRejection {
    /// There is no silence with that id.
    #[error("silence not found")]
    NotFound,
    /// The end is not after the start.
    #[error("start time must be before end time")]
    EndsBeforeStart,
    /// The end has passed.
    #[error("end time can't be in the past")]
    EndsInPast,
    /// Every matcher also matches an absent label, so the silence would mute everything.
    #[error("at least one matcher must not match the empty string")]
    MatchesEverything,
    /// The tenant holds as many as it may.
    #[error("exceeded maximum number of silences: {limit} (configured)")]
    TooMany {
        /// The bound.
        limit: usize,
    },
    /// The silence is larger than one may be.
    #[error("silence exceeded maximum size: {bytes} bytes (limit: {limit} bytes)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
}

impl Silence {
    /// Returns where the silence stands at `now`.
    pub fn state_at(&self, now: Timestamp) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now >= self.ends_at {
            SilenceState::Expired
        } else {
            SilenceState::Active
        }
    }
}
