//! Alerts, and how sources post them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::alert::{Activity, AlertStatus, AlertView, Description, Identity, IncomingAlert};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::quote;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Acknowledgement, FieldError};

/// The most errors one report lists; the rest is only counted.
pub const MAX_REPORTED_ERRORS: usize = 100;

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// The hash of its labels: the same for every life of the alert.
    #[schema(value_type = String, example = "6c4d0d558f7061a9")]
    pub fingerprint: Fingerprint,
    /// Its present life; events name alerts by it.
    pub number: u64,
    /// Whether it fires, and if so whether anything holds it back.
    pub state: AlertState,
    /// What identifies it.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// What describes it.
    #[schema(value_type = BTreeMap<String, String>)]
    pub annotations: Labels,
    /// Where the source shows it; absent when the source says nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generator_url: String,
    /// When the condition began.
    pub starts_at: Timestamp,
    /// When it ended, or will end unless the source tells us again.
    pub ends_at: Timestamp,
    /// Whether the end is only our resolve timeout and not the source's word.
    pub is_timeout: bool,
    /// When the source last told us.
    pub updated_at: Timestamp,
    /// The names of the receivers it routes to, in the order of the routes.
    pub receivers: Vec<String>,
    /// What holds it back right now.
    pub suppressed_by: Vec<Suppression>,
    /// Who works on it; absent when nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Fires, and nothing holds it back.
    Active,
    /// Fires, and something holds it back.
    Suppressed,
    /// Over.
    Resolved,
}

/// One thing that holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Suppression {
    /// A silence matches it.
    Silence {
        /// Which one.
        id: Uuid,
    },
    /// A maintenance window is open and matches it.
    MaintenanceWindow {
        /// Its name.
        name: String,
    },
    /// A firing alert inhibits it.
    Inhibition {
        /// The fingerprint of that alert.
        #[schema(value_type = String, example = "6c4d0d558f7061a9")]
        source: Fingerprint,
        /// The position of the rule in the configuration, counted from 0.
        rule: usize,
    },
    /// A time interval mutes the group it is looked at in.
    TimeInterval {
        /// Its name.
        name: String,
    },
}

impl Suppression {
    fn all(status: &AlertStatus) -> Vec<Self> {
        let silences = status.silenced_by.iter().map(|id| Self::Silence { id: *id });
        let windows = status.maintained_by.iter();
        let windows = windows.map(|name| Self::MaintenanceWindow { name: name.to_string() });
        let inhibition = status.inhibited_by.iter();
        let inhibition = inhibition.map(|it| Self::Inhibition { source: it.source, rule: it.rule });
        let intervals = status.muted_by.iter();
        let intervals = intervals.map(|name| Self::TimeInterval { name: name.to_string() });
        silences.chain(windows).chain(inhibition).chain(intervals).collect()
    }
}

impl From<&AlertView> for Alert {
    fn from(view: &AlertView) -> Self {
        let suppressed_by = Suppression::all(&view.status);
        let state =
            if suppressed_by.is_empty() { AlertState::Active } else { AlertState::Suppressed };
        Self {
            fingerprint: view.identity.fingerprint,
            number: view.identity.number.0,
            state,
            labels: view.identity.labels.clone(),
            annotations: view.description.annotations.clone(),
            generator_url: view.description.generator_url.to_string(),
            starts_at: view.activity.starts_at,
            ends_at: view.activity.ends_at,
            is_timeout: view.activity.is_timeout,
            updated_at: view.activity.updated_at,
            receivers: view.receivers.iter().map(ToString::to_string).collect(),
            suppressed_by,
            acknowledgement: view.acknowledgement.as_ref().map(Acknowledgement::from),
        }
    }
}

impl Alert {
    /// Returns an alert whose life is over, as history keeps it.
    pub fn past(identity: &Identity, description: &Description, activity: Activity) -> Self {
        Self {
            fingerprint: identity.fingerprint,
            number: identity.number.0,
            state: AlertState::Resolved,
            labels: identity.labels.clone(),
            annotations: description.annotations.clone(),
            generator_url: description.generator_url.to_string(),
            starts_at: activity.starts_at,
            ends_at: activity.ends_at,
            is_timeout: activity.is_timeout,
            updated_at: activity.updated_at,
            receivers: Vec::new(),
            suppressed_by: Vec::new(),
            acknowledgement: None,
        }
    }

    /// Returns the alert as one that is over: nothing holds it back any more.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        self.state = AlertState::Resolved;
        self.suppressed_by.clear();
        self.acknowledgement = None;
        self
    }
}

/// Alerts that a source posts.
///
/// Only the envelope is read at once: each alert is read by itself, so one that is wrong does not
/// spoil the others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with `alerts`")]
pub struct AlertPosting<'a> {
    /// The alerts; an order is kept only among alerts with the same labels.
    #[serde(borrow)]
    #[schema(value_type = Vec<PostedAlert>)]
    pub alerts: Vec<&'a serde_json::value::RawValue>,
}

/// One alert that a source posts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an alert: an object with `labels`")]
pub struct PostedAlert {
    /// What identifies it; at least one label has a value.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// What describes it.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub annotations: Labels,
    /// When the condition began; "now" when absent.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// When it ended, or will end unless told again; when absent it fires until the resolve
    /// timeout.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Where the source shows it: an `http` or `https` URL.
    #[serde(default)]
    pub generator_url: String,
}

/// What became of posted alerts. Everything but the rejected ones is stored already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IngestReport {
    /// Were not known or fire again.
    pub fired: usize,
    /// Were known and fire on.
    pub refreshed: usize,
    /// Are over.
    pub resolved: usize,
    /// Were left out because a configured bound was met.
    pub limited: usize,
    /// Were left out because they are wrong.
    pub rejected: usize,
    /// What is wrong with them; at most a hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl PostedAlert {
    /// Returns what the engine is told, or the field that is wrong and why.
    ///
    /// # Errors
    /// The name of the field and the complaint.
    pub fn into_incoming(
        self,
        now: Timestamp,
        is_classic: bool,
    ) -> Result<IncomingAlert, (&'static str, String)> {
        if self.labels.is_empty() {
            return Err(("labels", "at least one label with a value is needed".to_owned()));
        }
        for (field, labels) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if let Some(name) = invalid_name(labels, is_classic) {
                return Err((field, format!("invalid name {}", quote::go(name))));
            }
        }
        // Alertmanager's rule: an end without a start is also the start.
        let starts_at = self.starts_at.or(self.ends_at.filter(|end| *end <= now));
        if self.ends_at.is_some_and(|end| end < starts_at.unwrap_or(now)) {
            return Err(("ends_at", "lies before `starts_at`".to_owned()));
        }
        if !self.generator_url.is_empty() && !is_web_address(&self.generator_url) {
            return Err(("generator_url", "is not an http or https URL".to_owned()));
        }
        Ok(IncomingAlert {
            fingerprint: self.labels.fingerprint(),
            labels: self.labels,
            annotations: self.annotations,
            generator_url: self.generator_url.into(),
            starts_at,
            ends_at: self.ends_at,
        })
    }
}

fn invalid_name(labels: &Labels, is_classic: bool) -> Option<&str> {
    let is_valid =
        |name: &str| if is_classic { quote::is_classic_name(name) } else { !name.is_empty() };
    labels.iter().map(|(name, _)| name).find(|name| !is_valid(name))
}

/// Returns whether people may be given the text as a link. Anything but the web's own schemes
/// could run as a script where it is shown.
fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(json: &str) -> Result<IncomingAlert, (&'static str, String)> {
        let posted: PostedAlert = serde_json::from_str(json).unwrap();
        posted.into_incoming("2026-11-20T12:00:00Z".parse().unwrap(), false)
    }

    #[test]
    fn a_posted_alert_is_taken_as_it_is() {
        let alert = take(
            r#"{"labels": {"a": "1"}, "annotations": {"b": "2"}, "generator_url": "https://x/y",
                "starts_at": "2026-11-20T13:00:00+02:00", "ends_at": "2026-11-20T14:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!(alert.labels, Labels::from([("a", "1")]));
        assert_eq!(alert.starts_at.unwrap().to_string(), "2026-11-20T11:00:00Z");
        assert_eq!(alert.ends_at.unwrap().to_string(), "2026-11-20T14:00:00Z");
        assert_eq!(alert.generator_url, "https://x/y");
    }

    #[test]
    fn an_end_in_the_past_is_also_the_start() {
        let alert = take(r#"{"labels": {"a": "1"}, "ends_at": "2026-11-20T11:00:00Z"}"#).unwrap();
        assert_eq!(alert.starts_at, alert.ends_at);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_field() {
        for (json, field) in [
            (r#"{"labels": {}}"#, "labels"),
            (r#"{"labels": {"a": ""}}"#, "labels"),
            (r#"{"labels": {"": "1"}}"#, "labels"),
            (r#"{"labels": {"a": "1"}, "annotations": {"": "1"}}"#, "annotations"),
            (
                r#"{"labels": {"a": "1"}, "starts_at": "2026-11-20T12:00:00Z",
                    "ends_at": "2026-11-20T11:00:00Z"}"#,
                "ends_at",
            ),
            (r#"{"labels": {"a": "1"}, "generator_url": "javascript:alert(1)"}"#, "generator_url"),
            (r#"{"labels": {"a": "1"}, "generator_url": "http:///x"}"#, "generator_url"),
        ] {
            assert_eq!(take(json).unwrap_err().0, field, "{json}");
        }
    }
}
