//! The domain of Tocsin and its decisions, as state machines.
//!
//! Input: the time and a [`command::Command`]. Output: [`event::Event`]s with reasons, the rows
//! to write ([`rows::WriteSet`]), and what to send once they are written. Nothing else goes in,
//! nothing else comes out: no I/O, no async, no clock, no randomness.

pub mod acknowledgement;
pub mod action;
pub mod alert;
pub mod audit;
pub mod change;
pub mod command;
pub mod compat;
pub mod escalation;
pub mod event;
pub mod heartbeat;
pub mod identity;
pub mod ids;
pub mod incident;
pub mod knowledge;
pub mod labels;
pub mod lesson;
pub mod maintenance;
pub mod mapping;
pub mod matcher;
pub mod notification;
pub mod oncall;
pub mod paging;
pub mod policy;
pub mod postmortem;
pub mod quote;
pub mod reminder;
pub mod rows;
pub mod severity;
pub mod silence;
pub mod tenant;
mod text;
pub mod time_interval;
pub mod views;

pub use tenant::{Tenant, Turn};
