//! Who works on an alert, and what they note.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_core::acknowledgement;
use tocsin_core::labels::Fingerprint;
use utoipa::ToSchema;

use super::WrittenMatcher;

/// Who works on an alert, since when and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// The person, or the integration that told us.
    #[schema(example = "ada")]
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// When it lapses; absent when it holds until the alert ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What they said; may be empty.
    pub comment: String,
}

impl From<&acknowledgement::Acknowledgement> for Acknowledgement {
    fn from(known: &acknowledgement::Acknowledgement) -> Self {
        Self {
            by: known.by.clone(),
            at: known.at,
            expires_at: known.expires_at,
            comment: known.comment.clone(),
        }
    }
}

/// Says that somebody works on alerts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an acknowledgement: an object with `by`")]
pub struct AcknowledgementDraft {
    /// Which alerts: those that fire and satisfy all of these. Not where the path names the alert.
    #[serde(default)]
    pub matchers: Vec<WrittenMatcher>,
    /// Who.
    #[schema(example = "ada")]
    pub by: String,
    /// What they say.
    #[serde(default)]
    pub comment: String,
    /// When it lapses; either this or `duration_seconds`, or neither: then it holds until the
    /// alert ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// How long it holds.
    #[serde(default)]
    #[schema(example = 3600)]
    pub duration_seconds: Option<u64>,
}

impl AcknowledgementDraft {
    /// Returns when an acknowledgement made at `now` lapses.
    ///
    /// # Errors
    /// The field that is wrong and why.
    pub fn end(&self, now: Timestamp) -> Result<Option<Timestamp>, (&'static str, &'static str)> {
        match (self.expires_at, self.duration_seconds) {
            (expires_at, None) => Ok(expires_at),
            (None, Some(seconds)) => i64::try_from(seconds)
                .ok()
                .and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok())
                .map(Some)
                .ok_or(("duration_seconds", "reaches beyond the end of time")),
            (Some(_), Some(_)) => {
                Err(("duration_seconds", "cannot be given together with `expires_at`"))
            }
        }
    }
}

/// Says that nobody works on alerts any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `by`")]
pub struct AcknowledgementEndDraft {
    /// Which alerts. Not where the path names the alert.
    #[serde(default)]
    pub matchers: Vec<WrittenMatcher>,
    /// Who says so.
    #[schema(example = "ada")]
    pub by: String,
    /// What they say.
    #[serde(default)]
    pub comment: String,
}

/// Which alerts were changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedAlerts {
    /// Their fingerprints.
    #[schema(value_type = Vec<String>, example = json!(["6c4d0d558f7061a9"]))]
    pub alerts: Vec<Fingerprint>,
}

/// A note about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a note: an object with `by` and `text`")]
pub struct NoteDraft {
    /// Who.
    #[schema(example = "ada")]
    pub by: String,
    /// What they say.
    #[schema(example = "the disk was replaced")]
    pub text: String,
}
