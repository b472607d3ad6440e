//! Formats spoken with the world: public shapes, so that the domain can change without them.

pub mod alertmanager;
pub mod grafana;
pub mod ical;
pub mod markdown;
pub mod opsgenie;
pub mod page;
pub mod pagerduty;
pub mod postmortem;
pub mod v1;
pub mod webhook;
