//! Incidents: a coordinated response to harm, from the first alert to what was learned.
//!
//! What stands here only computes: which status may follow which, how bad something is, how long
//! things took. Who is told and what is written is decided in [`crate::tenant`].

mod classify;
mod cycle;
mod key;
mod metrics;
mod number;
mod resolution;
mod status;
mod targets;
mod transition;

pub use classify::{Classified, Clause, Evidence, Missing, classify};
pub use cycle::{Cycle, Interval, MAX_CYCLES, MAX_INTERVALS, Mode, Record};
pub use key::IncidentKey;
pub use metrics::{Anchor, Measure, Metric, MetricName, Summary, Validity, measure, summarize};
pub use number::{IncidentNumber, IncidentRef, RefError};
pub use resolution::ResolutionCode;
pub use status::{PublicStatus, State, Status};
pub use targets::{Category, PostmortemDuty, Role, Targets};
pub use transition::{Need, Refusal, Rule, allowed_from, rule};
