//! Everything about escalations and incidents that a start has to find again.

use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use crate::escalation::EscalationRun;
use crate::heartbeat::HeartbeatRow;
use crate::identity::Handle;
use crate::incident::Incident;
use crate::paging::{Contacts, Page, Recipient, Throttle};

/// How escalations, pages and incidents stand, without what is only known while one works on them.
#[derive(Clone, Debug, PartialEq)]
pub struct EscalationState {
    /// Open ones, and those that ended lately, by number.
    pub runs: Vec<EscalationRun>,
    /// Messages on their way, by number.
    pub pages: Vec<Page>,
    /// How people said that they are reached.
    pub contacts: Vec<(Handle, Contacts)>,
    /// When methods and places were used lately; what no window reaches any more is left out.
    pub throttles: Vec<(Recipient, Throttle)>,
    /// How often steps that go round were reached.
    pub turns: Vec<(Arc<str>, usize, u64)>,
    /// Heartbeat monitors, by name.
    pub heartbeats: Vec<HeartbeatRow>,
    /// Incidents that may still change, by number.
    pub incidents: Vec<Incident>,
}

impl Tenant {
    /// Returns how escalations, pages and incidents stand at `now`.
    pub fn escalation_state(&self, now: Timestamp) -> EscalationState {
        let runs = self.escalations.runs.values();
        let throttles = self.paging.queues.iter().filter(|(recipient, queue)| {
            let windows = match recipient {
                Recipient::Place { .. } => None,
                Recipient::Person { person, method } => {
                    let contacts = self.contacts_of(person);
                    contacts
                        .method(method)
                        .map(|method| self.policy.escalation.windows_of(method.channel))
                }
            };
            windows.is_none_or(|windows| !queue.throttle.is_idle(&windows, now))
                && queue.throttle != Throttle::default()
        });
        EscalationState {
            runs: runs.map(|run| EscalationRun { wake_at: None, ..run.clone() }).collect(),
            pages: self.paging.pages.values().map(|outgoing| outgoing.page.clone()).collect(),
            contacts: self.paging.contacts.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            throttles: throttles.map(|(k, queue)| (k.clone(), queue.throttle.clone())).collect(),
            turns: self
                .escalations
                .turns
                .iter()
                .map(|((policy, step), count)| (Arc::clone(policy), *step, *count))
                .collect(),
            heartbeats: self.heartbeats().cloned().collect(),
            incidents: self.incidents().cloned().collect(),
        }
    }
}
