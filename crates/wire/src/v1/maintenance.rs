//! Maintenance windows: planned, possibly recurring quiet times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use tocsin_core::time_interval::time_zone_name;
use tocsin_core::views::MaintenanceView;
use utoipa::ToSchema;

use super::{Matcher, SilenceState, WrittenMatcher};

/// A maintenance window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MaintenanceWindow {
    /// Its name.
    pub name: String,
    /// Whether the configuration file provisions it, so that it can only be changed there.
    pub is_provisioned: bool,
    /// Open, to be opened, or over for good.
    pub state: SilenceState,
    /// The occurrence that is open, or else the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<MaintenanceOccurrence>,
    /// Which alerts it holds back: those that satisfy all of them.
    pub matchers: Vec<Matcher>,
    /// Local start of the first occurrence.
    #[schema(value_type = String, example = "2026-11-22T02:00:00")]
    pub starts_at: DateTime,
    /// How long each occurrence lasts.
    pub duration_seconds: i64,
    /// The IANA name of the zone of `starts_at`.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// When it recurs (RFC 5545); absent for once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "FREQ=WEEKLY;BYDAY=SU")]
    pub recurrence: Option<String>,
    /// Why.
    pub comment: String,
    /// Who planned it.
    pub created_by: String,
}

/// One occurrence of a maintenance window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MaintenanceOccurrence {
    /// First instant.
    pub starts_at: Timestamp,
    /// The instant after the last.
    pub ends_at: Timestamp,
}

/// A maintenance window as a person plans it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a maintenance window: an object")]
pub struct MaintenanceWindowDraft {
    /// Which alerts to hold back: those that satisfy all of them.
    pub matchers: Vec<WrittenMatcher>,
    /// Local start of the first occurrence, without an offset.
    #[schema(value_type = String, example = "2026-11-22T02:00:00")]
    pub starts_at: DateTime,
    /// How long each occurrence lasts.
    #[schema(example = 7200)]
    pub duration_seconds: u64,
    /// The IANA name of the zone of `starts_at`.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin", default = "UTC")]
    pub time_zone: String,
    /// When it recurs (RFC 5545); once when absent.
    #[serde(default)]
    #[schema(example = "FREQ=WEEKLY;BYDAY=SU")]
    pub recurrence: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// Who plans it.
    #[schema(example = "ada")]
    pub created_by: String,
}

/// A maintenance window that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a maintenance window: an object")]
pub struct NewMaintenanceWindow {
    /// Unique among all windows; shown wherever an alert is held back by it.
    #[schema(example = "sunday-backup")]
    pub name: String,
    /// Which alerts to hold back: those that satisfy all of them.
    pub matchers: Vec<WrittenMatcher>,
    /// Local start of the first occurrence, without an offset.
    #[schema(value_type = String, example = "2026-11-22T02:00:00")]
    pub starts_at: DateTime,
    /// How long each occurrence lasts.
    #[schema(example = 7200)]
    pub duration_seconds: u64,
    /// The IANA name of the zone of `starts_at`.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin", default = "UTC")]
    pub time_zone: String,
    /// When it recurs (RFC 5545); once when absent.
    #[serde(default)]
    #[schema(example = "FREQ=WEEKLY;BYDAY=SU")]
    pub recurrence: Option<String>,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// Who plans it.
    #[schema(example = "ada")]
    pub created_by: String,
}

impl NewMaintenanceWindow {
    /// Returns the name, and the rest as a draft. `flatten` would read both at once, but then
    /// unknown fields could not be refused.
    pub fn into_draft(self) -> (String, MaintenanceWindowDraft) {
        let draft = MaintenanceWindowDraft {
            matchers: self.matchers,
            starts_at: self.starts_at,
            duration_seconds: self.duration_seconds,
            time_zone: self.time_zone,
            recurrence: self.recurrence,
            comment: self.comment,
            created_by: self.created_by,
        };
        (self.name, draft)
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

impl From<&MaintenanceView> for MaintenanceWindow {
    fn from(view: &MaintenanceView) -> Self {
        let window = &view.window;
        Self {
            name: window.name.to_string(),
            is_provisioned: view.is_provisioned,
            state: view.state.into(),
            occurrence: view.occurrence.map(|occurrence| MaintenanceOccurrence {
                starts_at: occurrence.starts_at,
                ends_at: occurrence.ends_at,
            }),
            matchers: window.matchers.iter().map(Matcher::from).collect(),
            starts_at: window.starts_at,
            duration_seconds: window.duration.as_secs(),
            time_zone: time_zone_name(&window.zone),
            recurrence: window.recurrence.as_ref().map(|rule| rule.as_str().to_owned()),
            comment: window.comment.clone(),
            created_by: window.created_by.clone(),
        }
    }
}
