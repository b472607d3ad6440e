//! Telling others: one small module per outside service.
//!
//! [`Outbound`] holds everything a configuration names; [`Outbound::attempt`] tries once to
//! deliver one outbox entry and says how that ended. When to try again, and whether at all, is
//! decided elsewhere: nothing here keeps state about messages.
//!
//! An attempt always ends (a time limit), never reads or writes without a bound, and never lets a
//! secret into what it returns: addresses are shown as scheme and host, and whatever the other
//! side echoes is searched for the secrets that were used.

mod calendar;
mod chat;
mod discord;
mod email;
mod failure;
mod guard;
mod http;
mod incidentio;
mod jira;
mod knock;
pub mod links;
mod mattermost;
mod message;
mod msteams;
mod msteamsv2;
pub mod oidc;
mod opsgenie;
mod outbound;
mod pagerduty;
pub mod paging;
mod pushover;
mod redact;
mod rocketchat;
mod secret;
mod slack;
mod sns;
mod stdout;
mod telegram;
mod texts;
mod topic;
mod vendor;
mod victorops;
mod webex;
mod webhook;
mod wechat;

pub use calendar::{CalendarRead, Edition};
pub use guard::{Blocked, Guard, Lookup, LookupFuture};
pub use http::ClientError;
pub use http::tls::TlsError;
pub use outbound::{ConnectError, Context, DEFAULT_TIMEOUT, Outbound};
pub use topic::{TopicMessage, Topics, Trust};

/// Installs the process's cryptography for TLS; calling it again does nothing.
pub fn install_crypto() {
    // The error says that there is one already, which is what was wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
