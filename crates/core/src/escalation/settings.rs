//! What a configuration says about escalation and paging as a whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::policy::{EscalationPolicy, WorkingHours};
use crate::identity::Handle;
use crate::oncall::ScheduleName;
use crate::paging::{Channel, Contacts, Windows};
use crate::severity::SeverityWords;

/// How escalation and paging work in this tenant.
#[derive(Clone, Debug)]
pub struct EscalationSettings {
    /// Policies that the file provisions, in its order.
    pub policies: Vec<Arc<EscalationPolicy>>,
    /// How people of the file are reached.
    pub contacts: BTreeMap<Handle, Contacts>,
    /// What words mean which severity.
    pub severities: SeverityWords,
    /// When people work.
    pub working_hours: WorkingHours,
    /// How often methods of a channel may be used, where not as usual.
    pub windows: BTreeMap<Channel, Windows>,
    /// The pauses before the second, third, … attempt of a page.
    pub retries: Vec<SignedDuration>,
    /// How long an ended escalation is remembered, so that late answers are told so.
    pub remember: SignedDuration,
    /// After how many failures in a row a channel counts as down.
    pub breaker_failures: u32,
    /// How long a channel that is down is left alone.
    pub breaker_pause: SignedDuration,
    /// Where we say that we are alive.
    pub outward_heartbeat: Option<OutwardHeartbeat>,
    /// User groups of Slack that hold whoever is on call.
    pub user_groups: Vec<UserGroup>,
}

/// A user group that holds whoever is on call in a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserGroup {
    /// What Slack calls it: its id or its handle.
    pub name: Arc<str>,
    /// In which schedule.
    pub schedule: ScheduleName,
}

/// Where we say that we are alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutwardHeartbeat {
    /// The address to ask.
    pub url: String,
    /// How often.
    pub every: SignedDuration,
}

impl Default for EscalationSettings {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            contacts: BTreeMap::new(),
            severities: SeverityWords::default(),
            working_hours: WorkingHours::default(),
            windows: BTreeMap::new(),
            retries: [5, 10, 20].map(SignedDuration::from_secs).to_vec(),
            remember: SignedDuration::from_hours(24),
            breaker_failures: 5,
            breaker_pause: SignedDuration::from_secs(30),
            outward_heartbeat: None,
            user_groups: Vec::new(),
        }
    }
}

impl EscalationSettings {
    /// Returns how often a method of a channel may be used.
    pub fn windows_of(&self, channel: Channel) -> Windows {
        self.windows.get(&channel).cloned().unwrap_or_else(|| Windows::usual(channel))
    }
}
