//! One file for each family of commands.

pub(crate) mod alert;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod escalation;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod heartbeat;
pub(crate) mod incident;
mod incident_metrics;
mod incident_people;
mod incident_relations;
mod incident_rows;
mod incident_update;
pub(crate) mod man;
pub(crate) mod oncall;
pub(crate) mod policy;
pub(crate) mod routes;
pub(crate) mod sandbox;
pub(crate) mod scenario;
pub(crate) mod secret;
pub(crate) mod silence;
pub(crate) mod template;
pub(crate) mod token;
