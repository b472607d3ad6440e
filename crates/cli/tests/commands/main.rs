//! The commands of the binary as people and programs meet them: what they print, what they ask
//! of a server, how they end. The server is a fake that answers what was recorded.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod alert;
mod config;
mod errors;
mod escalation;
mod explain;
mod fake;
mod help;
mod lesson;
mod oncall;
mod routes;
mod scenario;
mod silence;
mod stage;
mod template;
