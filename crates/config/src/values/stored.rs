//! Secrets that the configuration names and somebody else keeps: `${secret:NAME}`.

use std::fmt;
use std::sync::Arc;

use super::secret::Secret;

/// The longest name of a stored secret.
pub const MAX_SECRET_NAME_BYTES: usize = 64;

/// Keeps secrets by name.
pub trait SecretStore: Send + Sync {
    /// Returns the secret of that name as it is now.
    ///
    /// # Errors
    /// [`NotStored`] that names it.
    fn fetch(&self, name: &str) -> Result<Secret, NotStored>;
}

/// Why a secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// There is none of that name.
    #[error("the secret `{0}` is not stored; store it with `tocsin secret set {0}`")]
    Missing(String),
    /// It was sealed with another key.
    #[error("the secret `{0}` does not open; was the key file replaced? Store it anew")]
    Sealed(String),
}

/// The name of a secret, and who keeps it.
#[derive(Clone)]
pub struct StoredSecret {
    name: Arc<str>,
    store: Option<Arc<dyn SecretStore>>,
}

impl StoredSecret {
    pub(crate) fn new(name: &str, store: Option<Arc<dyn SecretStore>>) -> Self {
        Self { name: name.into(), store }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the secret as it is now.
    ///
    /// # Errors
    /// [`NotStored`].
    pub fn fetch(&self) -> Result<Secret, NotStored> {
        match &self.store {
            Some(store) => store.fetch(&self.name),
            None => Err(NotStored::Missing(self.name.to_string())),
        }
    }
}

impl PartialEq for StoredSecret {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for StoredSecret {}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{secret:{}}}", self.name)
    }
}

/// Returns the name in `${secret:NAME}`; `None` for every other text.
pub(crate) fn reference(text: &str) -> Option<&str> {
    text.trim().strip_prefix("${secret:")?.strip_suffix('}')
}

/// Returns whether a secret may have this name: letters, digits, `.`, `-` and `_`, beginning with
/// a letter or digit.
pub fn is_secret_name(name: &str) -> bool {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.len() <= MAX_SECRET_NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_the_whole_text() {
        assert_eq!(reference("${secret:slack}"), Some("slack"));
        for text in ["secret:slack", "${secret:slack", "x${secret:slack}", "${slack}", ""] {
            assert_eq!(reference(text), None, "{text}");
        }
        assert!(is_secret_name("db.mail-password_2"));
        for name in ["", "-x", "a/b", "a b", &"x".repeat(65)] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
