//! Who tells us alerts beside Prometheus: integrations by their keys, and the one way their alerts
//! take into the engine.

mod known;
mod submit;

pub use known::{Inbound, Inbounds, UnknownKey};
pub(crate) use submit::{Gates, KeyedAlert, Told, ended, find, submit};
