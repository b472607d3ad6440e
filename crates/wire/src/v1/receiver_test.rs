//! A test message: would this receiver be reached?

use serde::{Deserialize, Serialize};
use tocsin_core::labels::Labels;
use tocsin_core::notification::{AttemptOutcome, FailureClass};
use utoipa::ToSchema;

/// What a test message says; everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverTest {
    /// Labels of the alert beside or instead of `alertname="TocsinTest"`, `severity="info"` and
    /// `receiver`.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub labels: Labels,
    /// Annotations beside or instead of a summary that says that nothing is wrong.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub annotations: Labels,
    /// Tells the alert as ended: closes what the test before opened on the other side.
    pub resolved: bool,
    /// Only this integration, as `GET /api/v1/receivers` names it: `db-team/slack[0]`.
    pub integration: Option<String>,
}

/// What became of a test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiverTestResult {
    /// The name of the receiver.
    pub receiver: String,
    /// Whether every integration took the message.
    pub delivered: bool,
    /// One for each integration, in the order of the configuration.
    pub integrations: Vec<TestedIntegration>,
}

/// How one integration took a test message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestedIntegration {
    /// As events name it.
    #[schema(example = "db-team/slack[0]")]
    pub integration: String,
    /// Whether the other side took the message.
    pub delivered: bool,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Why not, when it did not; without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The class of that error, as metrics count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "authError")]
    pub error_class: Option<FailureClass>,
    /// Parts of the message whose template failed and that built-in text replaced.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fallbacks: Vec<String>,
}

impl TestedIntegration {
    /// Describes how an attempt ended.
    pub fn new(integration: String, outcome: AttemptOutcome, elapsed_ms: u64) -> Self {
        let (error, fallbacks) = match outcome {
            AttemptOutcome::Delivered { fallbacks, .. } => (None, fallbacks),
            AttemptOutcome::Failed(failure) | AttemptOutcome::Refused(failure) => {
                (Some(failure), Vec::new())
            }
        };
        Self {
            integration,
            delivered: error.is_none(),
            elapsed_ms,
            error_class: error.as_ref().map(|failure| failure.class),
            error: error.map(|failure| failure.message),
            fallbacks,
        }
    }
}
