//! People.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::role::Grant;

/// The most characters a handle has.
const MAX_HANDLE_CHARS: usize = 64;

/// A person's short name, unique in the tenant and never changed: lower-case letters, digits and
/// `.`, `-`, `_`, beginning with a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(Arc<str>);

/// Why a text is no handle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no handle: 1 to 64 of a-z, 0-9, `.`, `-` and `_`, beginning with a letter or digit"
)]
pub struct HandleError {
    text: String,
}

impl Handle {
    /// Reads a handle.
    ///
    /// # Errors
    /// [`HandleError`] when it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_allowed = |c: char| is_plain(c) || matches!(c, '.' | '-' | '_');
        let begins_well = text.starts_with(is_plain);
        if begins_well && text.len() <= MAX_HANDLE_CHARS && text.chars().all(is_allowed) {
            return Ok(Self(text.into()));
        }
        Err(HandleError { text: text.chars().take(MAX_HANDLE_CHARS + 1).collect() })
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Handle {
    type Error = HandleError;

    fn try_from(text: String) -> Result<Self, HandleError> {
        Self::parse(&text)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0.as_ref().to_owned()
    }
}

impl std::borrow::Borrow<str> for Handle {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Where a person or a team comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonOrigin {
    /// The configuration file; changed there only.
    Provisioned,
    /// The API or the console.
    #[default]
    Api,
    /// The identity provider, at the first sign-in.
    Provider,
}

/// A way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactMethod {
    /// What it is, such as `email` or `sms`.
    pub kind: String,
    /// Where it leads, such as an address or a number.
    pub address: String,
}

/// Somebody who works with the tenant's alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The short name.
    pub handle: Handle,
    /// The full name.
    pub name: String,
    /// The address; empty for none.
    #[serde(default)]
    pub email: String,
    /// The IANA name of the zone the person lives in.
    pub time_zone: String,
    /// The BCP 47 tag of the language and region.
    pub locale: String,
    /// Ways to reach the person, the preferred first.
    #[serde(default)]
    pub contact_methods: Vec<ContactMethod>,
    /// What the person knows well.
    #[serde(default)]
    pub expertise: Vec<String>,
    /// Whom the person reports to.
    #[serde(default)]
    pub manager: Option<Handle>,
    /// Roles beside those that membership in teams brings.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Whether the person may sign in and be given work.
    pub is_active: bool,
    /// Where the person comes from.
    #[serde(default)]
    pub origin: PersonOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_short_lower_case_and_plain() {
        for good in ["ada", "0x", "a.b-c_d", &"a".repeat(64)] {
            assert_eq!(Handle::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "Ada", "-a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(Handle::parse(bad).is_err(), "{bad}");
        }
    }
}
