//! What an alert is in its incident: the root of it, a symptom, or the same as another one.

use serde::{Deserialize, Serialize};

use super::IncidentAlert;

/// What an alert is in its incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertRole {
    /// It tells of the cause.
    Root,
    /// It tells of what follows from that.
    Symptom,
    /// It tells the same as another one.
    Duplicate,
}

impl AlertRole {
    /// All, in the order of the manual.
    pub const ALL: [Self; 3] = [Self::Root, Self::Symptom, Self::Duplicate];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Symptom => "symptom",
            Self::Duplicate => "duplicate",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Returns what each alert of an incident is: as somebody said, or else the first that joined is the
/// root, unless another one is said to be, and all others are symptoms.
pub fn alert_roles(alerts: &[IncidentAlert]) -> Vec<AlertRole> {
    let is_said = alerts.iter().any(|it| it.role == Some(AlertRole::Root));
    let unsaid = alerts.iter().filter(|it| it.role.is_none() && !is_said);
    let first = unsaid.min_by_key(|it| (it.joined_at, it.fingerprint)).map(|it| it.fingerprint);
    let role = |it: &IncidentAlert| match it.role {
        Some(role) => role,
        None if Some(it.fingerprint) == first => AlertRole::Root,
        None => AlertRole::Symptom,
    };
    alerts.iter().map(role).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ids::AlertNumber;
    use crate::labels::Fingerprint;

    #[test]
    fn the_first_is_the_root_until_somebody_says_otherwise() {
        use AlertRole::{Duplicate, Root, Symptom};
        let alert = |n: u64, role| IncidentAlert {
            fingerprint: Fingerprint(n),
            alert: AlertNumber(n),
            joined_at: Timestamp::from_second(n.cast_signed()).unwrap(),
            role,
        };
        let roles = |said: [Option<AlertRole>; 3]| {
            let [a, b, c] = said;
            alert_roles(&[alert(3, a), alert(1, b), alert(2, c)])
        };
        assert_eq!(roles([None, None, None]), [Symptom, Root, Symptom]);
        assert_eq!(roles([Some(Root), None, None]), [Root, Symptom, Symptom]);
        assert_eq!(roles([None, Some(Duplicate), None]), [Symptom, Duplicate, Root]);
        for role in AlertRole::ALL {
            assert_eq!(AlertRole::parse(role.as_str()), Some(role));
        }
    }
}
