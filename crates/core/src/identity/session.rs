//! Sessions: somebody signed in with a browser.

use core::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SecretHash;
use super::person::Handle;

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedInBy {
    /// With a password.
    Password,
    /// With a password and a code.
    PasswordAndCode,
    /// With a password and a recovery code.
    PasswordAndRecoveryCode,
    /// With a link that works once.
    Link,
    /// At the identity provider.
    Provider,
}

/// One browser that somebody is signed in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Names it in lists and in the audit log; no secret.
    pub id: Uuid,
    /// Of the secret in the cookie.
    pub hash: SecretHash,
    /// Who is signed in.
    pub person: Handle,
    /// How.
    pub by: SignedInBy,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
    /// Seconds without use after which it ends.
    pub idle_seconds: i64,
    /// From where.
    pub address: Option<IpAddr>,
    /// What the browser calls itself, cut short.
    pub user_agent: String,
}

impl Session {
    /// Returns whether it has neither ended nor been left alone for too long.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        now < self.ends_at && now.duration_since(self.last_seen_at).as_secs() < self.idle_seconds
    }
}
