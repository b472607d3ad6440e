//! Who may do what: people, teams, roles, tokens, sessions, and the actor behind a command.
//!
//! Everything here is plain values. Passwords, tokens, recovery codes and links are only ever held
//! as hashes; second factors and other secrets are sealed before they come in. Making and checking
//! them is the server's work; deciding what they allow is done here.

mod actor;
mod change;
mod credentials;
mod directory;
mod permission;
mod person;
mod role;
mod session;
mod team;
mod token;

pub use actor::{Actor, Credential, Who};
pub use change::{IdentityChange, IdentityRejection, Owned, Proof, SignIn};
pub use credentials::{Credentials, ExternalAccount, MAX_RECOVERY_CODES, SignInLink, Totp};
pub use directory::{Changed, Directory, IdentityRows, IdentityWrites, SealedSecret};
pub use permission::{Permission, Permissions};
pub use person::{ContactMethod, Handle, HandleError, Person, PersonOrigin};
pub use role::{Access, Grant, Role, Scope};
pub use session::{Session, SignedInBy};
pub use team::{Member, Team, TeamName};
pub use token::{ApiToken, TokenOwner};

/// The SHA-256 of a secret that was made from at least 128 random bits, so that no salt is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// Returns the hash of a secret.
    pub fn of(secret: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(secret).into())
    }

    /// Returns whether both are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(other.0).fold(0_u8, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash")
    }
}

impl serde::Serialize for SecretHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for SecretHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.as_ref(), &mut bytes).map_err(D::Error::custom)?;
        Ok(Self(bytes))
    }
}
