//! Identities. Each has its own type; numbers are counted per tenant by the engine, so the same
//! history always gives the same ones.

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A tenant. Every row, query and engine belongs to exactly one.
    TenantId
}
number! {
    /// One life of an alert: from first seen until it has been resolved and forgotten. The same
    /// fingerprint gets a new number when it returns later.
    AlertNumber
}
number! {
    /// One life of a group: from its first alert until it is empty.
    GroupNumber
}
number! {
    /// A silence, beside its public UUID.
    SilenceNumber
}
number! {
    /// A notification on its way out; never used twice, so it is the idempotency key.
    OutboxNumber
}
number! {
    /// One escalation: from the first page until it is over.
    RunNumber
}
number! {
    /// The place of an event in its tenant's history, counted from 1 without gaps.
    Sequence
}

impl TenantId {
    /// The tenant that exists without being configured.
    pub const DEFAULT: Self = Self(1);
}

/// A silence's public identity, a UUID as Alertmanager's API shows it.
pub type SilenceId = uuid::Uuid;
