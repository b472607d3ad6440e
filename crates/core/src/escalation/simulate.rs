//! What an escalation would do, told before it has to.

use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Handle;
use crate::paging::{Channel, MethodId};
use crate::severity::Severity;

/// What an escalation would do if nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulation {
    /// The service.
    pub service: String,
    /// How bad it would be.
    pub severity: Severity,
    /// When it would begin.
    pub at: Timestamp,
    /// The policy; `None` when there is none for it, so that nobody would be paged.
    pub policy: Option<Arc<str>>,
    /// Why that one, or why none.
    pub why: String,
    /// Its steps, in the order in which they would be reached.
    pub steps: Vec<SimulatedStep>,
}

/// A step that would be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedStep {
    /// The pass, counted from 1.
    pub round: u32,
    /// Which step, counted from 1.
    pub step: u32,
    /// Its level.
    pub level: CompactString,
    /// When.
    pub at: Timestamp,
    /// Who would be paged.
    pub people: Vec<SimulatedPerson>,
    /// The places that would be told.
    pub places: Vec<Arc<str>>,
    /// Why nobody would be; empty otherwise.
    pub skipped: String,
    /// Who would be left out, and why, one sentence each.
    pub left_out: Vec<String>,
}

/// Somebody who would be paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedPerson {
    /// Who.
    pub person: Handle,
    /// Why they.
    pub why: String,
    /// What would reach them, soonest first; empty when nothing can.
    pub messages: Vec<SimulatedMessage>,
}

/// A message that would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedMessage {
    /// When.
    pub at: Timestamp,
    /// By which method.
    pub method: MethodId,
    /// What that is.
    pub channel: Channel,
    /// Why later than the rule says; empty otherwise.
    pub held: String,
}
