//! The whole system: the real binary with real HTTP, and the programs people use with it.
//!
//! Every test starts its own server on a free port of 127.0.0.1 with a data directory of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod amtool;
mod bodies;
mod calendars;
mod canary;
mod clients;
mod contrib;
mod crash;
mod delivery;
mod demo;
mod differential;
mod email;
mod full_disk;
mod openapi;
mod process;
mod prometheus;
mod reload;
mod restart;
mod rotate;
mod slack;
mod stream;
mod support;
mod tenants;
mod upkeep;
mod user_groups;
mod web;
mod wrapper;
