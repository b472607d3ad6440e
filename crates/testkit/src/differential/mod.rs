//! Tocsin beside Alertmanager: random schedules for both, and what they answered compared.
//!
//! Everything here is a plain function. Whoever has the two processes plays a [`Schedule`] to
//! both, hands what came back to [`observe::Observed`], and asks [`compare::differences`]. A
//! schedule on which they disagree is made smaller by [`shrink::Shrinker`] and written down by
//! [`case::Case`].
//!
//! Both run in real time, so the heart is to be robust about time: what is done, what ends and
//! what is looked at never happens near the instant of a flush. [`moment`] says how.

pub mod case;
pub mod compare;
mod generate;
pub mod known;
pub mod moment;
pub mod observe;
mod random;
pub mod schedule;
pub mod setup;
pub mod shrink;

pub use schedule::Schedule;
