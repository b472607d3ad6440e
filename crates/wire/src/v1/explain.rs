//! Why an alert was told, or was not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::labels::Labels;
use tocsin_core::views::{GroupExplanation, IntegrationExplanation};
use utoipa::ToSchema;

use super::sentence::{Names, cause};
use super::{Alert, Escalation, Event};

/// Why an alert was told, or was not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertExplanation {
    /// The alert in its latest life.
    pub alert: Alert,
    /// How often it was told to us in that life.
    pub received: u64,
    /// Where it stands in each of its groups; empty once its life is over.
    pub groups: Vec<GroupStanding>,
    /// The escalations that page for it, or did lately; the history tells whom, and why not others.
    #[serde(default)]
    pub escalations: Vec<Escalation>,
    /// What was decided about it, its groups and its escalations, the oldest first, over all its lives.
    pub history: Vec<Event>,
    /// Whether there is more history before that.
    pub is_history_cut: bool,
}

/// Where an alert stands in one of its groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupStanding {
    /// The number of the group.
    pub number: u64,
    /// The identity of the group.
    pub key: String,
    /// The name of the receiver.
    pub receiver: String,
    /// Where the alert stands, for people.
    #[schema(example = "held back: silenced by 6e0d7c4e-2b5e-4f0e-9d5c-0f3b8f7f4a11")]
    pub text: String,
    /// Whether something holds it back in this group.
    pub is_muted: bool,
    /// Whether the group has been looked at before.
    pub has_flushed: bool,
    /// When the group is looked at next.
    pub flush_at: Timestamp,
    /// Each integration of the receiver.
    pub integrations: Vec<IntegrationStanding>,
}

/// What one integration knows of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationStanding {
    /// As `receiver/kind[index]`.
    pub integration: String,
    /// Whether the last message told the alert as firing.
    pub was_told: bool,
    /// When the integration was last told anything about the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// When an unchanged group is told again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_at: Option<Timestamp>,
    /// The message that is on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingMessage>,
}

/// A message that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingMessage {
    /// Its number.
    pub notification: u64,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: Timestamp,
}

impl GroupStanding {
    /// Returns where the alert with `labels` stands in `group`.
    pub fn new(
        group: &GroupExplanation,
        labels: &Labels,
        is_resolved: bool,
        names: &dyn Names,
    ) -> Self {
        Self {
            number: group.number.0,
            key: group.key.to_string(),
            receiver: group.receiver.to_string(),
            text: standing(group, labels, is_resolved, names),
            is_muted: group.muted.is_some(),
            has_flushed: group.has_flushed,
            flush_at: group.flush_at,
            integrations: group.integrations.iter().map(IntegrationStanding::from).collect(),
        }
    }
}

impl From<&IntegrationExplanation> for IntegrationStanding {
    fn from(known: &IntegrationExplanation) -> Self {
        Self {
            integration: known.integration.clone(),
            was_told: known.was_told,
            told_at: known.log.as_ref().map(|log| log.told_at),
            repeat_at: known.repeat_at,
            pending: known.pending.map(|(number, attempts, due_at)| PendingMessage {
                notification: number.0,
                attempts,
                due_at,
            }),
        }
    }
}

fn standing(
    group: &GroupExplanation,
    labels: &Labels,
    is_resolved: bool,
    names: &dyn Names,
) -> String {
    let told = group.integrations.iter().filter(|known| known.was_told).count();
    let all = group.integrations.len();
    let next = group.flush_at;
    if is_resolved {
        return match told {
            0 => "over; nobody was told that it fired, so nobody is told that it ended".to_owned(),
            _ => format!("over; the group is looked at next at {next}"),
        };
    }
    if let Some(muted) = &group.muted {
        return format!("held back: {}", cause(muted, Some(labels), names));
    }
    if all == 0 {
        return format!("receiver {} tells nobody", group.receiver);
    }
    if group.integrations.iter().any(|known| known.pending.is_some()) {
        return "a message is on its way".to_owned();
    }
    if told == all {
        let repeat = group.integrations.iter().filter_map(|known| known.repeat_at).min();
        return match repeat {
            Some(at) => format!("told; an unchanged group is told again at {at}"),
            None if group.is_acknowledged => {
                "told; not repeated, because somebody works on everything that fires here"
                    .to_owned()
            }
            None => "told".to_owned(),
        };
    }
    format!("not told yet: the group is looked at next at {next}")
}
