//! What a person proves who they are with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SecretHash;
use super::person::Handle;

/// The most recovery codes a person has.
pub const MAX_RECOVERY_CODES: usize = 16;

/// A second factor: codes that follow from a secret and the time (RFC 6238).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// The secret, sealed.
    pub sealed: String,
    /// Whether a code was given once, so that it is known to work.
    pub is_confirmed: bool,
    /// The last time step whose code was used: no code is taken twice.
    pub last_step: u64,
}

/// An account at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExternalAccount {
    /// The provider's address.
    pub issuer: String,
    /// What the provider calls the person; never used for anybody else.
    pub subject: String,
}

/// What one person can sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Whose.
    pub person: Handle,
    /// The password's hash as a PHC string.
    #[serde(default)]
    pub password: Option<String>,
    /// The second factor.
    #[serde(default)]
    pub totp: Option<Totp>,
    /// Hashes of recovery codes that were not used yet.
    #[serde(default)]
    pub recovery_codes: Vec<SecretHash>,
    /// The account at the identity provider.
    #[serde(default)]
    pub external: Option<ExternalAccount>,
}

impl Credentials {
    /// Returns those of somebody who has none yet.
    pub fn none(person: Handle) -> Self {
        Self { person, password: None, totp: None, recovery_codes: Vec::new(), external: None }
    }

    /// Returns whether a code is asked for beside the password.
    #[must_use]
    pub fn wants_code(&self) -> bool {
        self.totp.as_ref().is_some_and(|totp| totp.is_confirmed)
    }
}

/// A link that signs its owner in once, to set a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInLink {
    /// Of the secret in the link.
    pub hash: SecretHash,
    /// Whom it signs in.
    pub person: Handle,
    /// When it ends.
    pub expires_at: Timestamp,
}
