//! The HTTP side of Tocsin: Alertmanager's API v2, the native API, management endpoints and the
//! plain front page.
//!
//! Handlers decode, ask the engine and encode. No decision is taken here.

pub mod access;
mod answers;
pub mod app;
mod fallback;
mod front;
pub mod inbound;
mod limits;
mod management;
pub mod metrics;
mod push;
pub mod reloader;
pub mod secrets;
mod serve;
pub mod sign_in;
pub mod tenants;
pub mod v1;
pub mod v2;
pub mod web;

pub use app::{App, Options, router};
pub use limits::Peer;
pub use metrics::Metrics;
pub use reloader::Reloader;
pub use serve::serve;
pub use tenants::{Listed, Member, Tenants};
pub use web::Web;
