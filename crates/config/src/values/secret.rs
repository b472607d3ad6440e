//! Secrets: usable by the code that needs them, invisible everywhere else.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use super::stored::{NotStored, StoredSecret};
use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// What is printed in the place of a secret.
pub(crate) const MASK: &str = "<secret>";

/// The longest file that is read as a secret.
pub const MAX_SECRET_FILE_BYTES: u64 = 64 * 1024;

/// A password, token or key. Prints as `<secret>` in every form.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// Boxed, because settings have many secrets and few of them are stored.
    stored: Option<Box<StoredSecret>>,
}

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), stored: None }
    }

    /// Returns the secret itself, for the one place that hands it to its service. One that is
    /// stored has to be fetched first.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns where it is stored, when the configuration only names it.
    pub fn stored(&self) -> Option<&StoredSecret> {
        self.stored.as_deref()
    }

    pub(crate) fn into_stored(self) -> Option<Self> {
        self.stored.is_some().then_some(self)
    }

    /// Returns the secret itself, fetched now if it is stored.
    ///
    /// # Errors
    /// [`NotStored`] that names it.
    pub fn fetch(&self) -> Result<Self, NotStored> {
        match &self.stored {
            Some(stored) => stored.fetch(),
            None => Ok(self.clone()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Value for Secret {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.secret_text(node, "a secret")?;
        let stored = reader.stored_secret(node, &text)?;
        Some(Self { text, stored: stored.map(Box::new) })
    }

    fn encode(&self) -> Out {
        if self.is_empty() { Out::Null } else { Out::Secret }
    }

    fn shape() -> Shape {
        Shape::Text(Text::Secret)
    }
}

/// Where a secret comes from; a file is read each time the secret is used, so it can be rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretSource<'a> {
    /// Written in the configuration.
    Inline(&'a Secret),
    /// The path of the file that holds it.
    File(&'a Path),
}

impl<'a> SecretSource<'a> {
    /// Returns the source of a pair `key` / `key_file`; `None` when neither is set.
    pub fn of(inline: Option<&'a Secret>, file: Option<&'a Path>) -> Option<Self> {
        match (inline.filter(|secret| !secret.is_empty()), file) {
            (Some(secret), _) => Some(Self::Inline(secret)),
            (None, Some(path)) => Some(Self::File(path)),
            (None, None) => None,
        }
    }

    /// Returns the secret; white space around the contents of a file is dropped.
    ///
    /// # Errors
    /// When the file cannot be read, is not text or is longer than [`MAX_SECRET_FILE_BYTES`]. The
    /// error names the path and never the contents.
    pub fn read(self) -> std::io::Result<Secret> {
        let path = match self {
            Self::Inline(secret) => {
                let missing = |error| std::io::Error::new(std::io::ErrorKind::NotFound, error);
                return secret.fetch().map_err(missing);
            }
            Self::File(path) => path,
        };
        let with_path = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("secret file {}: {error}", path.display()))
        };
        let file = std::fs::File::open(path).map_err(with_path)?;
        let mut text = String::new();
        file.take(MAX_SECRET_FILE_BYTES + 1).read_to_string(&mut text).map_err(with_path)?;
        if text.len() as u64 > MAX_SECRET_FILE_BYTES {
            return Err(with_path(std::io::Error::other(format!(
                "longer than {MAX_SECRET_FILE_BYTES} bytes"
            ))));
        }
        Ok(Secret::new(text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_only_when_asked() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "<secret> <secret>");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_file_is_read_when_the_secret_is_used_and_trimmed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let source = SecretSource::of(None, Some(&path)).unwrap();
        assert_eq!(source.read().unwrap().expose(), "one");
        std::fs::write(&path, "  two ").unwrap();
        assert_eq!(source.read().unwrap().expose(), "two");
        std::fs::remove_file(&path).unwrap();
        let error = source.read().unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
    }

    #[test]
    fn a_huge_file_is_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("huge");
        std::fs::write(&path, vec![b'x'; usize::try_from(MAX_SECRET_FILE_BYTES).unwrap() + 1])
            .unwrap();
        assert!(SecretSource::File(&path).read().is_err());
    }
}
