//! What makes alerts belong to the same incident.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name under which at most one incident is open at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentKey(Arc<str>);

impl IncidentKey {
    /// The most characters of a key that a program chooses.
    pub const MAX_CHARS: usize = 200;

    /// The incident of a group: what its route puts together is one problem.
    pub fn of_group(group: &str) -> Self {
        Self(format!("group/{group}").into())
    }

    /// The one incident that takes what begins while there are too many new ones.
    pub fn of_storm() -> Self {
        Self("storm".into())
    }

    /// The key that somebody chose; `None` when it is empty or too long.
    pub fn chosen(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
        fits.then(|| Self(format!("key/{text}").into()))
    }

    /// Returns the text that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for IncidentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_kinds_never_meet() {
        let chosen = IncidentKey::chosen("storm").unwrap();
        assert_ne!(chosen, IncidentKey::of_storm());
        assert_ne!(IncidentKey::chosen("a"), Some(IncidentKey::of_group("a")));
        assert_eq!(IncidentKey::chosen("  "), None);
        assert_eq!(IncidentKey::chosen(&"x".repeat(IncidentKey::MAX_CHARS + 1)), None);
    }
}
