//! Groups: alerts that are told together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::labels::Labels;
use tocsin_core::views::GroupView;
use utoipa::ToSchema;

use super::AlertPage;

/// Alerts that are told together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Its present life; events name groups by it.
    pub number: u64,
    /// Its identity: the key of its route, a colon, its labels.
    #[schema(example = "{}/{team=\"db\"}:{alertname=\"PgDown\"}")]
    pub key: String,
    /// The name of the receiver that is told.
    pub receiver: String,
    /// The labels that make its alerts belong together.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// The labels of its route.
    #[schema(value_type = BTreeMap<String, String>)]
    pub route_labels: Labels,
    /// When its first alert arrived.
    pub opened_at: Timestamp,
    /// When it is looked at next.
    pub flush_at: Timestamp,
    /// How many alerts fire in it.
    pub alerts_firing: usize,
    /// How many of those are held back.
    pub alerts_suppressed: usize,
}

/// A group with its firing alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroupDetail {
    /// The group.
    #[serde(flatten)]
    pub group: Group,
    /// A page of its firing alerts.
    pub alerts: AlertPage,
}

impl From<&GroupView> for Group {
    fn from(view: &GroupView) -> Self {
        Self {
            number: view.number.0,
            key: view.key.to_string(),
            receiver: view.receiver.to_string(),
            labels: view.labels.clone(),
            route_labels: view.route_labels.clone(),
            opened_at: view.opened_at,
            flush_at: view.flush_at,
            alerts_firing: view.alerts.len(),
            alerts_suppressed: view.alerts.iter().filter(|it| it.status.is_suppressed()).count(),
        }
    }
}
