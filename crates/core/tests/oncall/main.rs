//! Who is on call: golden vectors, committed outcomes, and a slow model that must agree.

mod engine;
mod golden;
mod outcomes;
mod quality;
mod reference;
mod support;
mod views;
