//! User groups of a chat that hold whoever is on call.
//!
//! What a group has to hold follows from the schedules, so nothing of this is stored: after a start
//! every group is set once, which changes nothing where it is right already. What fails is tried
//! again, and a change meanwhile takes the place of what was tried.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Tenant, Timer, later};
use crate::oncall::{Pick, ScheduleName};
use crate::paging::Channel;

/// The pause before the second attempt; it doubles.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// The longest pause between two attempts.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// A group is to hold exactly these members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSync {
    /// What the chat calls the group.
    pub group: Arc<str>,
    /// Whose people it holds.
    pub schedule: ScheduleName,
    /// What the chat calls the members; empty when nobody on call is known to it.
    pub members: Vec<String>,
}

/// How setting a group ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupOutcome {
    /// It is as it should be, or was left alone because nobody on call is known to the chat.
    Done,
    /// It could not be set.
    Failed {
        /// How long the other side asks us to wait.
        retry_after: Option<SignedDuration>,
    },
}

/// How one group stands.
#[derive(Debug)]
pub(super) struct Kept {
    wanted: GroupSync,
    is_done: bool,
    is_under_way: bool,
    failures: u32,
    due_at: Timestamp,
}

impl Tenant {
    /// Finds out what groups have to hold after this turn, where anything may have changed.
    pub(super) fn look_after_groups(&mut self, now: Timestamp) {
        if !std::mem::take(&mut self.groups_are_stale) {
            return;
        }
        let policy = Arc::clone(&self.policy);
        let groups = &policy.escalation.user_groups;
        self.user_groups.retain(|name, _| groups.iter().any(|group| group.name == *name));
        for group in groups {
            // A schedule that is not there says nothing about who is on call.
            let Some(on_call) = self.roster.on_call(&group.schedule, &Pick::Current, now) else {
                continue;
            };
            let mut members: Vec<String> = Vec::new();
            for person in &on_call.people {
                let contacts = self.contacts_of(person);
                let known = contacts.usable().find(|method| method.channel == Channel::Slack);
                members.extend(known.map(|method| method.address.clone()));
            }
            members.sort();
            members.dedup();
            let (name, schedule) = (Arc::clone(&group.name), Arc::clone(&group.schedule));
            let wanted = GroupSync { group: Arc::clone(&name), schedule, members };
            let is_same = self.user_groups.get(&name).is_some_and(|kept| kept.wanted == wanted);
            if is_same {
                continue;
            }
            let is_under_way = self.user_groups.get(&name).is_some_and(|kept| kept.is_under_way);
            let due_at = now;
            let kept = Kept { wanted, is_done: false, is_under_way, failures: 0, due_at };
            self.user_groups.insert(Arc::clone(&name), kept);
            self.group_due(now, &name);
        }
    }

    /// A group is to be set now, unless an attempt is under way.
    pub(super) fn group_due(&mut self, now: Timestamp, name: &Arc<str>) {
        let Some(kept) = self.user_groups.get_mut(name) else { return };
        if kept.is_under_way || kept.is_done || kept.due_at > now {
            return;
        }
        kept.is_under_way = true;
        self.group_syncs.push(kept.wanted.clone());
    }

    /// An attempt to set a group has ended.
    pub(super) fn group_synced(
        &mut self,
        now: Timestamp,
        sync: &GroupSync,
        outcome: &GroupOutcome,
    ) {
        let Some(kept) = self.user_groups.get_mut(&sync.group) else { return };
        if !std::mem::take(&mut kept.is_under_way) {
            return;
        }
        if kept.wanted == *sync {
            match outcome {
                GroupOutcome::Done => {
                    kept.is_done = true;
                    return;
                }
                GroupOutcome::Failed { retry_after } => {
                    let doubled = FIRST_PAUSE * 2_i32.saturating_pow(kept.failures.min(10));
                    let pause = (*retry_after).unwrap_or_default().max(doubled).min(LONGEST_PAUSE);
                    kept.failures += 1;
                    kept.due_at = later(now, pause);
                }
            }
        }
        let due_at = kept.due_at;
        self.schedule(due_at.max(now), Timer::UserGroup(Arc::clone(&sync.group)));
    }
}
