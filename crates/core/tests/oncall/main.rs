//! Who is on call: golden vectors, committed outcomes, and a slow model that must agree.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop right there")]

mod engine;
mod golden;
mod imports;
mod outcomes;
mod quality;
mod reference;
mod support;
mod views;
