//! Silences: a person mutes matching alerts for a time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_core::silence;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Alert, Matcher, WrittenMatcher};

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Silence {
    /// Its identity.
    pub id: Uuid,
    /// Its number; events name silences by it.
    pub number: u64,
    /// Where it stands.
    pub state: SilenceState,
    /// What it mutes: alerts that satisfy all of them.
    pub matchers: Vec<Matcher>,
    /// First instant.
    pub starts_at: Timestamp,
    /// Last instant.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Free text by name.
    pub annotations: BTreeMap<String, String>,
}

/// Where a silence or maintenance window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceState {
    /// Begins later.
    Pending,
    /// Mutes.
    Active,
    /// Over.
    Expired,
}

impl From<silence::SilenceState> for SilenceState {
    fn from(state: silence::SilenceState) -> Self {
        match state {
            silence::SilenceState::Pending => Self::Pending,
            silence::SilenceState::Active => Self::Active,
            silence::SilenceState::Expired => Self::Expired,
        }
    }
}

impl Silence {
    /// Returns a silence as it stands.
    pub fn new(silence: &silence::Silence, state: silence::SilenceState) -> Self {
        Self {
            id: silence.id,
            number: silence.number.0,
            state: state.into(),
            matchers: silence.matchers.iter().map(Matcher::from).collect(),
            starts_at: silence.starts_at,
            ends_at: silence.ends_at,
            updated_at: silence.updated_at,
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            annotations: silence.annotations.clone(),
        }
    }
}

/// A silence as a person asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a silence: an object with `matchers` and `created_by`")]
pub struct SilenceDraft {
    /// What to mute: alerts that satisfy all of them. At least one must not match an absent
    /// label.
    pub matchers: Vec<WrittenMatcher>,
    /// First instant; "now" when absent or in the past.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Last instant; either this or `duration_seconds` is needed.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// How long it lasts from its start.
    #[serde(default)]
    #[schema(example = 7200)]
    pub duration_seconds: Option<u64>,
    /// Who asks.
    #[schema(example = "ada")]
    pub created_by: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// Free text by name.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl SilenceDraft {
    /// Returns the last instant of a silence that begins at `starts_at`.
    ///
    /// # Errors
    /// The field that is wrong and why.
    pub fn end(&self, starts_at: Timestamp) -> Result<Timestamp, (&'static str, &'static str)> {
        match (self.ends_at, self.duration_seconds) {
            (Some(ends_at), None) => Ok(ends_at),
            (None, Some(0)) => Err(("duration_seconds", "must be longer than no time at all")),
            (None, Some(seconds)) => i64::try_from(seconds)
                .ok()
                .and_then(|seconds| starts_at.checked_add(SignedDuration::from_secs(seconds)).ok())
                .ok_or(("duration_seconds", "reaches beyond the end of time")),
            (None, None) => Err(("ends_at", "either this or `duration_seconds` is needed")),
            (Some(_), Some(_)) => {
                Err(("duration_seconds", "cannot be given together with `ends_at`"))
            }
        }
    }
}

/// Asks what a silence would mute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `matchers`")]
pub struct SilencePreviewRequest {
    /// What it would mute.
    pub matchers: Vec<WrittenMatcher>,
}

/// What a silence would mute right now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SilencePreview {
    /// How many firing alerts match.
    pub matching: usize,
    /// How many alerts fire altogether.
    pub firing: usize,
    /// How many of the matching ones are held back by something else already.
    pub already_suppressed: usize,
    /// Whether the matchers may be a silence: at least one does not match an absent label.
    pub is_acceptable: bool,
    /// The first of the matching alerts, ascending by fingerprint.
    pub alerts: Vec<Alert>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(fields: &str) -> SilenceDraft {
        let json = format!(r#"{{"matchers": ["a=1"], "created_by": "ada"{fields}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_silence_ends_at_an_instant_or_after_a_while() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let end = |fields: &str| draft(fields).end(noon).map(|end| end.to_string());
        assert_eq!(end(r#", "duration_seconds": 7200"#), Ok("2026-11-20T14:00:00Z".to_owned()));
        assert_eq!(
            end(r#", "ends_at": "2026-11-20T13:00:00Z""#),
            Ok("2026-11-20T13:00:00Z".to_owned())
        );
        assert_eq!(end("").unwrap_err().0, "ends_at");
        assert_eq!(end(r#", "duration_seconds": 0"#).unwrap_err().0, "duration_seconds");
        assert_eq!(
            end(r#", "duration_seconds": 18446744073709551615"#).unwrap_err().0,
            "duration_seconds"
        );
        let both = r#", "duration_seconds": 1, "ends_at": "2026-11-20T13:00:00Z""#;
        assert_eq!(end(both).unwrap_err().0, "duration_seconds");
    }
}
