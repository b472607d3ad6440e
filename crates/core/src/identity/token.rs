//! API tokens and integration keys.

use core::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SecretHash;
use super::permission::Permissions;
use super::person::Handle;
use super::role::Scope;

/// Whom a token stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum TokenOwner {
    /// A person: it allows at most what the person may do, now.
    Person(Handle),
    /// A program, known by that name.
    Service(String),
    /// A source of alerts, known by that name: its integration key.
    Integration(String),
}

impl TokenOwner {
    /// Returns the name, whatever it is of.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(handle) => handle.as_str(),
            Self::Service(name) | Self::Integration(name) => name,
        }
    }
}

/// A token: shown once when it was made, known by its hash from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Names it in lists and in the audit log; no secret.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Of the secret.
    pub hash: SecretHash,
    /// Whom it stands for.
    pub owner: TokenOwner,
    /// What it may be used for. A person's token never allows more than the person may do.
    pub permissions: Permissions,
    /// Where; empty for everywhere.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// From where it may be used; empty for anywhere.
    #[serde(default)]
    pub allowed_from: Vec<IpNet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it ends; `None` for never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute; `None` for not yet.
    #[serde(default)]
    pub last_used_at: Option<Timestamp>,
}

impl ApiToken {
    /// Returns whether it has not ended.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Returns whether it may be used from there.
    #[must_use]
    pub fn is_allowed_from(&self, address: Option<IpAddr>) -> bool {
        let covers = |address: IpAddr| self.allowed_from.iter().any(|net| net.contains(&address));
        self.allowed_from.is_empty() || address.map(|it| it.to_canonical()).is_some_and(covers)
    }
}
