//! The shell around the core: inboxes, turns, timers, outbox delivery and the real clock.

pub mod clock;
mod handle;

pub use handle::{EngineError, EngineHandle};
