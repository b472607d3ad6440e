//! What Alertmanager's API v2 answers, as far as this program reads it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::matcher::MatchOp;
use tocsin_core::quote;

/// An alert of `GET /api/v2/alerts`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) fingerprint: String,
    #[serde(default, rename = "generatorURL")]
    pub(crate) generator_url: String,
    pub(crate) receivers: Vec<Named>,
    pub(crate) status: AlertStatus,
}

/// Something that is known by its name.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
}

/// What holds an alert back.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertStatus {
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) silenced_by: Vec<String>,
    #[serde(default)]
    pub(crate) inhibited_by: Vec<String>,
    #[serde(default)]
    pub(crate) muted_by: Vec<String>,
}

/// An alert for `POST /api/v2/alerts`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostableAlert {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ends_at: Option<Timestamp>,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub(crate) generator_url: Option<String>,
}

/// A silence, as it is listed and as it is posted; what a server computes is left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Silence {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) id: String,
    pub(crate) matchers: Vec<SilenceMatcher>,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) comment: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing)]
    pub(crate) updated_at: Option<Timestamp>,
    #[serde(default, skip_serializing)]
    pub(crate) status: Option<SilenceStatus>,
}

/// Where a silence stands.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SilenceStatus {
    pub(crate) state: String,
}

/// A matcher of a silence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SilenceMatcher {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_regex: bool,
    #[serde(default = "yes")]
    pub(crate) is_equal: bool,
}

fn yes() -> bool {
    true
}

/// What `POST /api/v2/silences` answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PostedSilence {
    #[serde(rename = "silenceID")]
    pub(crate) silence_id: String,
}

impl Silence {
    /// Returns whether the server says that it is over.
    pub(crate) fn is_expired(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.state == "expired")
    }

    /// Returns its state, empty when the server did not say.
    pub(crate) fn state(&self) -> &str {
        self.status.as_ref().map_or("", |status| status.state.as_str())
    }

    /// Returns its matchers as they are typed, separated by spaces.
    pub(crate) fn matchers(&self) -> String {
        let matchers: Vec<String> = self.matchers.iter().map(ToString::to_string).collect();
        matchers.join(" ")
    }
}

impl std::fmt::Display for SilenceMatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let op = MatchOp::from_flags(self.is_equal, self.is_regex).as_str();
        write!(f, "{}{op}{}", quote::name(&self.name), quote::go(&self.value))
    }
}
