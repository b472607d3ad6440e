//! Whom to page and when, while nobody answers.
//!
//! An [`EscalationPolicy`] is an ordered list of steps. An [`EscalationRun`] is one pass through
//! it for one problem: it keeps a copy of the policy as it was at the start, while people and
//! schedules are asked anew at every step. [`select`] finds the policy of a problem.

mod notice;
mod policy;
mod prove;
mod run;
mod select;
mod settings;
mod simulate;
mod written;

pub use notice::{NoticeKind, PolicyNotice};
pub use policy::{
    AckMode, AtLeast, Conditions, Delay, EscalationPolicy, HoursCondition, MAX_POLICIES,
    MAX_REPEATS, MAX_STEPS, MAX_TARGETS_PER_STEP, PlaceTarget, PolicyProblem, SchedulePick, Step,
    Target, WorkingHours,
};
pub use prove::{MissedStep, StepAuditor};
pub use run::{
    End, EscalationRun, Next, PagedPerson, Place, Planned, Reached, RunKey, RunState, SentMessage,
    Waiting,
};
pub use select::{Selector, SelectorError, ServicePattern, select};
pub use settings::{EscalationSettings, OutwardHeartbeat, UserGroup};
pub use simulate::{SimulatedMessage, SimulatedPerson, SimulatedStep, Simulation};
pub use written::{SCHEDULE_PICKS, TARGET_KINDS, TargetError};
