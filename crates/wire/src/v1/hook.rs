//! What integrations post, and what would become of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::labels::Labels;
use utoipa::ToSchema;

use super::FieldError;

/// What became of what an integration posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookReport {
    /// The name of the integration.
    pub integration: String,
    /// How many alerts fire.
    pub firing: usize,
    /// How many are over.
    pub resolved: usize,
    /// How many were left out because a bound was met.
    pub limited: usize,
    /// How many cannot be taken.
    pub rejected: usize,
    /// Why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// Asks what a body would become.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HookPreviewRequest {
    /// `generic`, `email`, `sns`, `grafana` or `alertmanager`.
    #[serde(rename = "type")]
    #[schema(example = "generic")]
    pub kind: String,
    /// Expressions by field, as the configuration has them under `mapping`.
    #[serde(default)]
    pub mapping: BTreeMap<String, String>,
    /// What would be posted.
    #[schema(value_type = Object)]
    pub body: Value,
    /// Headers, by name in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Parameters of the address.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
}

/// What a body would become.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HookPreview {
    /// The alerts.
    pub alerts: Vec<PreviewedAlert>,
    /// What is wrong with the rest.
    pub errors: Vec<FieldError>,
}

/// An alert that a body would become; the integration adds its own labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewedAlert {
    /// `firing` or `resolved`.
    pub status: String,
    /// What the source knows it by.
    pub dedup_key: Option<String>,
    /// What identifies it.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// What describes it.
    #[schema(value_type = BTreeMap<String, String>)]
    pub annotations: Labels,
    /// When it began; absent for now.
    pub starts_at: Option<Timestamp>,
    /// When it ended or will end.
    pub ends_at: Option<Timestamp>,
    /// Where the source shows it.
    pub url: String,
}
