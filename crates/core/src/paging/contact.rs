//! How one person can be reached.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::rules::Rules;
use crate::identity::SecretHash;

/// The most ways to reach one person.
pub const MAX_METHODS_PER_PERSON: usize = 10;

/// The most characters the name of a method has.
const MAX_ID_CHARS: usize = 32;

/// The name of a contact method, unique for its person: lower-case letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MethodId(Arc<str>);

/// Why a text does not name a contact method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no contact method: 1 to 32 of a-z, 0-9, `-` and `_`")]
pub struct MethodIdError {
    text: String,
}

impl MethodId {
    /// Reads a name.
    ///
    /// # Errors
    /// [`MethodIdError`] when it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, MethodIdError> {
        let is_plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if (1..=MAX_ID_CHARS).contains(&text.len()) && text.chars().all(is_plain) {
            return Ok(Self(text.into()));
        }
        Err(MethodIdError { text: text.chars().take(MAX_ID_CHARS + 1).collect() })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MethodId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MethodId {
    type Error = MethodIdError;

    fn try_from(text: String) -> Result<Self, MethodIdError> {
        Self::parse(&text)
    }
}

impl From<MethodId> for String {
    fn from(id: MethodId) -> Self {
        id.0.as_ref().to_owned()
    }
}

/// A way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Its name, for rules.
    pub id: MethodId,
    /// What it is.
    pub channel: Channel,
    /// Where it leads.
    pub address: String,
    /// Whether it is the person's, and whether it may be used.
    #[serde(default)]
    pub verification: Verification,
    /// Whether it comes from the configuration file, so that it is changed there only.
    #[serde(default)]
    pub is_provisioned: bool,
    /// Whether the person does not want to be reached there, as by answering STOP.
    #[serde(default)]
    pub is_stopped: bool,
}

impl Method {
    /// Returns whether pages may go there.
    pub fn is_usable(&self) -> bool {
        !self.is_stopped && matches!(self.verification, Verification::Verified { .. })
    }
}

/// Whether an address is known to be the person's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Verification {
    /// Nobody has shown that yet.
    #[default]
    Unverified,
    /// A code is on its way there.
    Pending(Pending),
    /// The address is the person's.
    Verified {
        /// Since when; the file's word counts from the start of time.
        at: Timestamp,
    },
}

/// A code that was sent to an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Of the code, with the person and the method in front of it.
    pub code_hash: SecretHash,
    /// When it was sent: another may be asked for a minute later.
    pub sent_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many wrong guesses are left.
    pub guesses_left: u8,
}

/// How a person can be reached, and how they want to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// Ways to reach them, the preferred first.
    #[serde(default)]
    pub methods: Vec<Method>,
    /// When which is used; the usual ones when they have none.
    #[serde(default)]
    pub rules: Rules,
}

impl Contacts {
    /// Returns the method of that name.
    pub fn method(&self, id: &MethodId) -> Option<&Method> {
        self.methods.iter().find(|method| method.id == *id)
    }

    /// Returns the methods that pages may go to, the preferred first.
    pub fn usable(&self) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(|method| method.is_usable())
    }
}
