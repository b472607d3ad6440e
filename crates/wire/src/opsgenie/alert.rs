//! An alert as clients of Opsgenie see it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tocsin_core::acknowledgement::SourceAlert;
use tocsin_core::labels::DEDUP_KEY;
use uuid::Uuid;

use super::{DESCRIPTION, DETAILS_PREFIX, OCCURRENCES, SUMMARY, TAGS};

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpsgenieAlert {
    /// Stays the same for one life of the alert.
    pub id: Uuid,
    /// The alert's number.
    pub tiny_id: String,
    /// What the client knows it by.
    pub alias: String,
    /// What happened.
    pub message: String,
    /// `open` or `closed`.
    pub status: &'static str,
    /// Whether somebody works on it.
    pub acknowledged: bool,
    /// The same: nobody looks without saying so here.
    pub is_seen: bool,
    /// What groups it.
    pub tags: Vec<String>,
    /// Whether somebody works on it for a limited time.
    pub snoozed: bool,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// How often it was created while it was open.
    pub count: u64,
    /// When it was told last.
    pub last_occurred_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was told or changed last.
    pub updated_at: Timestamp,
    /// Where it comes from.
    pub source: String,
    /// Who works on it.
    pub owner: String,
    /// `P1` to `P5`.
    pub priority: &'static str,
    /// Nobody: routes decide.
    pub responders: [(); 0],
    /// Who told us.
    pub integration: Integration,
    /// Times, in milliseconds since it began.
    pub report: Report,
    /// None here.
    pub actions: [(); 0],
    /// What it is about.
    pub entity: String,
    /// More words.
    pub description: String,
    /// Facts by name.
    pub details: BTreeMap<String, String>,
}

/// Who told us an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Integration {
    id: String,
    name: String,
    r#type: &'static str,
}

/// How fast an alert was worked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_time: Option<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    acknowledged_by: String,
}

impl OpsgenieAlert {
    /// Shows an alert that `integration` told us.
    pub fn of(known: &SourceAlert, integration: &str) -> Self {
        let view = &known.alert;
        let (labels, annotations) = (&view.identity.labels, &view.description.annotations);
        let text = |name: &str| annotations.value(name).to_owned();
        let alias = labels.value(DEDUP_KEY).to_owned();
        let starts_at = view.activity.starts_at;
        let since = |at: Timestamp| at.as_millisecond() - starts_at.as_millisecond();
        let acknowledgement = view.acknowledgement.as_ref();
        let snoozed_until = acknowledgement.and_then(|acknowledgement| acknowledgement.expires_at);
        let owner = acknowledgement.map(|a| a.by.clone()).unwrap_or_default();
        let details = annotations.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix(DETAILS_PREFIX)?.to_owned(), value.to_owned()))
        });
        Self {
            id: id(integration, &alias, starts_at),
            tiny_id: view.identity.number.0.to_string(),
            alias,
            message: text(SUMMARY),
            status: if known.is_resolved { "closed" } else { "open" },
            acknowledged: acknowledgement.is_some(),
            is_seen: acknowledgement.is_some(),
            tags: text(TAGS).split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect(),
            snoozed: snoozed_until.is_some(),
            snoozed_until,
            count: annotations.value(OCCURRENCES).parse().unwrap_or(1),
            last_occurred_at: view.activity.updated_at,
            created_at: starts_at,
            updated_at: view.activity.updated_at,
            source: labels.value("source").to_owned(),
            report: Report {
                ack_time: acknowledgement.map(|acknowledgement| since(acknowledgement.at)),
                close_time: known.is_resolved.then(|| since(view.activity.ends_at)),
                acknowledged_by: owner.clone(),
            },
            owner,
            priority: priority_of(labels.value("severity")),
            responders: [],
            integration: Integration {
                id: Uuid::from_u128(hash(&[integration])).to_string(),
                name: integration.to_owned(),
                r#type: "API",
            },
            actions: [],
            entity: labels.value("entity").to_owned(),
            description: text(DESCRIPTION),
            details: details.collect(),
        }
    }
}

/// The words of the label `severity`, of whatever origin, as priorities.
fn priority_of(severity: &str) -> &'static str {
    match severity {
        "critical" => "P1",
        "high" | "error" => "P2",
        "low" => "P4",
        "info" => "P5",
        _ => "P3",
    }
}

/// Derives the id of one life of an alert: the same after a restart and after its priority changed,
/// another one when it begins anew.
fn id(integration: &str, alias: &str, starts_at: Timestamp) -> Uuid {
    let began = starts_at.as_nanosecond().to_string();
    uuid::Builder::from_custom_bytes(hash(&[integration, alias, &began]).to_be_bytes()).into_uuid()
}

/// FNV-1a with 128 bits.
fn hash(parts: &[&str]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}
