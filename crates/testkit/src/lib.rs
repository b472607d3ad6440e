//! Tools that test Tocsin without waiting: a store in memory, a simulation of the engine in
//! virtual time, and the runner of scenario files.

pub mod differential;
pub mod memory;
pub mod providers;
pub mod receivers;
pub mod scenario;
pub mod shop;
pub mod simulation;
