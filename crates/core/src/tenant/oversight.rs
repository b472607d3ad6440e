//! What readers take from escalations and paging: how they stand, and what will go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Tenant;
use super::responders::{Found, Problem};
use crate::escalation::{EscalationPolicy, EscalationRun, NoticeKind, PolicyNotice, Step, Target};
use crate::identity::Handle;
use crate::ids::RunNumber;
use crate::incident::Status;
use crate::labels::Fingerprint;
use crate::oncall::Pick;
use crate::paging::{Channel, StateWord};
use crate::severity::Severity;

/// How far ahead gaps of schedules are looked for.
const GAP_HORIZON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How late a page may be on its way; an attempt takes two minutes at most.
const MAX_PAGE_DELAY: SignedDuration = SignedDuration::from_mins(3);

/// How many shifts of a schedule are looked at for that.
const MAX_SHIFTS_AHEAD: usize = 50;

/// How escalations, pages and monitors stand, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PagingCounts {
    /// Open escalations, by the word for how they stand and severity; each pair is there.
    pub open: BTreeMap<(&'static str, Severity), usize>,
    /// Pages on their way.
    pub pages: usize,
    /// Channels that are left alone.
    pub down: BTreeSet<Channel>,
    /// Monitors that are heard, or not missed yet.
    pub heard: usize,
    /// Monitors that are missed.
    pub missed: usize,
    /// Calendars that schedules import and that can be read, or were not yet.
    pub calendars: usize,
    /// Those that cannot.
    pub calendars_failing: usize,
}

/// How incidents stand, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentCounts {
    /// Open ones, by where they stand and severity; each pair is there.
    pub open: BTreeMap<(Status, Severity), usize>,
}

impl Tenant {
    /// Returns how incidents stand, in numbers.
    pub fn incident_counts(&self) -> IncidentCounts {
        let active = Status::ALL.into_iter().filter(|it| it.is_active());
        let pairs = active.flat_map(|status| Severity::ALL.map(|it| (status, it)));
        let mut open: BTreeMap<_, usize> = pairs.map(|pair| (pair, 0)).collect();
        for it in self.incidents().filter(|it| it.is_active()) {
            *open.entry((it.status(), it.severity)).or_default() += 1;
        }
        IncidentCounts { open }
    }

    /// Returns how escalations, pages and monitors stand, in numbers.
    pub fn paging_counts(&self, now: Timestamp) -> PagingCounts {
        let words = [StateWord::Open, StateWord::Acknowledged, StateWord::Snoozed];
        let pairs = words.into_iter().flat_map(|word| Severity::ALL.map(|it| (word.as_str(), it)));
        let mut open: BTreeMap<_, usize> = pairs.map(|pair| (pair, 0)).collect();
        for run in self.escalations.by_key.values().filter_map(|it| self.escalations.runs.get(it)) {
            *open.entry((run.state.word().0.as_str(), run.severity)).or_default() += 1;
        }
        let missed = self.heartbeats().filter(|row| row.missed_at.is_some()).count();
        let specs = self.roster.entries().flat_map(|entry| &entry.schedule.imports);
        let imported = self.roster.entries().flat_map(|entry| entry.imports.values());
        let calendars_failing = imported.filter(|it| it.failing.is_some()).count();
        PagingCounts {
            calendars: specs.count().saturating_sub(calendars_failing),
            calendars_failing,
            open,
            pages: self.paging.pages.len(),
            down: self.channels_down(now).into_keys().collect(),
            heard: self.heartbeats().count() - missed,
            missed,
        }
    }

    /// Returns an escalation that is open, or was over lately.
    pub fn escalation(&self, number: RunNumber) -> Option<&EscalationRun> {
        self.escalations.runs.get(&number)
    }

    /// Returns the escalations that are open or were over lately, by number.
    pub fn escalations(&self) -> impl DoubleEndedIterator<Item = &EscalationRun> {
        self.escalations.runs.values()
    }

    /// Returns the escalations that page for an alert, or did lately, by number.
    pub fn escalations_of(&self, alert: Fingerprint) -> Vec<&EscalationRun> {
        let open = self.escalations.by_alert.get(&alert).into_iter().flatten();
        let open = open.filter_map(|number| self.escalations.runs.get(number));
        let ended = self.escalations.ended.iter();
        let ended = ended.filter_map(|(_, number)| self.escalations.runs.get(number));
        let ended = ended.filter(|run| run.alerts.contains(&alert));
        let all: BTreeMap<RunNumber, &EscalationRun> =
            open.chain(ended).map(|run| (run.number, run)).collect();
        all.into_values().collect()
    }

    /// Returns how many escalations are open, by how they stand; each word is there.
    pub fn escalation_counts(&self) -> BTreeMap<&'static str, usize> {
        let words = [StateWord::Open, StateWord::Acknowledged, StateWord::Snoozed];
        let mut counts: BTreeMap<&'static str, usize> =
            words.into_iter().map(|word| (word.as_str(), 0)).collect();
        for number in self.escalations.by_key.values() {
            if let Some(run) = self.escalations.runs.get(number) {
                *counts.entry(run.state.word().0.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// Returns the channels that are left alone because they failed again and again, and until
    /// when.
    pub fn channels_down(&self, now: Timestamp) -> BTreeMap<Channel, Timestamp> {
        let open = self.paging.breakers.iter();
        let open = open.filter_map(|(channel, breaker)| Some((*channel, breaker.open_until?)));
        open.filter(|(_, until)| *until > now).collect()
    }

    /// Returns why pages do not go out; `None` while they do, or while there are none.
    pub fn paging_trouble(&self, now: Timestamp) -> Option<String> {
        let overdue = now.checked_sub(MAX_PAGE_DELAY).unwrap_or(Timestamp::MIN);
        let pages = || self.paging.pages.values();
        if let Some(stuck) = pages().find(|it| it.page.due_at < overdue) {
            let (channel, due_at) = (stuck.page.channel, stuck.page.due_at);
            return Some(format!("a page by {channel} was due at {due_at:.0} and is not out"));
        }
        let all_down =
            pages().next().is_some() && pages().all(|it| self.is_down(now, it.page.channel));
        all_down.then(|| "every channel that there are pages for fails".to_owned())
    }

    /// Returns the receivers that name a policy.
    pub fn users_of_policy(&self, name: &str) -> Vec<String> {
        let receivers = self.policy.receivers.iter();
        let naming = receivers.filter(|it| it.escalation_policy.as_deref() == Some(name));
        naming.map(|receiver| receiver.name.to_string()).collect()
    }

    /// Returns everything that names a schedule: policies, other schedules, user groups.
    pub fn users_of_schedule(&self, name: &str) -> Vec<String> {
        let is_it = |target: &Target| match target {
            Target::Schedule { schedule, .. } => **schedule == *name,
            _ => false,
        };
        let mut users = self.policies_with(is_it);
        users.extend(self.roster.users_of(name));
        let groups = self.policy.escalation.user_groups.iter();
        let kept = groups.filter(|group| *group.schedule == *name);
        users.extend(kept.map(|group| format!("user group {}", group.name)));
        users
    }

    /// Returns everything that names a team: policies and schedules.
    pub fn users_of_team(&self, name: &str) -> Vec<String> {
        let is_it = |target: &Target| match target {
            Target::Team { team } | Target::Expertise { team: Some(team), .. } => **team == *name,
            _ => false,
        };
        let mut users = self.policies_with(is_it);
        let entries = self.roster.entries();
        let owned = entries.filter(|entry| entry.schedule.team.as_deref() == Some(name));
        users.extend(owned.map(|entry| format!("schedule/{}", entry.schedule.name)));
        users
    }

    fn policies_with(&self, is_it: impl Fn(&Target) -> bool) -> Vec<String> {
        let uses = |policy: &&Arc<EscalationPolicy>| {
            policy.steps.iter().flat_map(|step| &step.targets).any(&is_it)
        };
        let policies = self.escalation_policies().filter(uses);
        policies.map(|policy| format!("escalation policy {}", policy.name)).collect()
    }

    /// Returns what would go wrong if a policy had to page somebody; the policy as a whole first.
    pub fn policy_notices(&self, policy: &EscalationPolicy, now: Timestamp) -> Vec<PolicyNotice> {
        let mut notices = Vec::new();
        let mut pages_somebody = false;
        let mut seen = Seen::default();
        for (index, step) in policy.steps.iter().enumerate() {
            let severity = step.when.severities.first().copied().unwrap_or(Severity::Sev1);
            let category = step.when.categories.first().map_or("", |it| it.as_str());
            let problem = Problem { severity, category, alerts: None, turn: 0 };
            let mut found = self.responders(policy, step, problem, now);
            let people: Vec<Handle> = found.people.iter().map(|(it, _)| it.clone()).collect();
            self.leave_out_unreachable(&mut found);
            for person in people {
                let is_left = !found.people.iter().any(|(known, _)| *known == person);
                if is_left && seen.people.insert(person.clone()) {
                    notices.push(PolicyNotice {
                        kind: NoticeKind::Unreachable,
                        step: Some(index + 1),
                        at: None,
                        text: format!("{person} has no contact method that can be used"),
                    });
                }
            }
            pages_somebody |= !found.is_empty();
            self.notices_of_targets(now, index + 1, step, &mut seen, &mut notices);
            if found.is_empty() {
                notices.push(empty_step(index + 1, &found));
            }
        }
        let substitute = policy.default_on_call.as_ref();
        if !pages_somebody && substitute.is_none_or(|person| !self.can_be_paged(person)) {
            let text = "no step would page anybody now".to_owned();
            let kind = NoticeKind::PagesNobody;
            notices.insert(0, PolicyNotice { kind, step: None, at: None, text });
        }
        notices
    }

    fn can_be_paged(&self, person: &Handle) -> bool {
        let known = self.directory.person(person.as_str());
        known.is_some_and(|it| it.is_active) && self.contacts_of(person).usable().next().is_some()
    }

    fn notices_of_targets(
        &self,
        now: Timestamp,
        number: usize,
        step: &Step,
        seen: &mut Seen,
        notices: &mut Vec<PolicyNotice>,
    ) {
        for target in &step.targets {
            let (kind, at, text) = match target {
                Target::Person { person } => match self.directory.person(person.as_str()) {
                    Some(known) if known.is_active => continue,
                    Some(_) => (NoticeKind::UnknownPerson, None, format!("{person} has left")),
                    None => (NoticeKind::UnknownPerson, None, format!("nobody is `{person}`")),
                },
                Target::Team { team } if self.directory.team(team).is_none() => {
                    (NoticeKind::UnknownTeam, None, format!("there is no team `{team}`"))
                }
                Target::Schedule { schedule, .. } => match self.roster.entry(schedule) {
                    None => {
                        let text = format!("there is no schedule `{schedule}`");
                        (NoticeKind::UnknownSchedule, None, text)
                    }
                    Some(_) => match self.next_gap(schedule, now) {
                        Some(at) if seen.schedules.insert(schedule.to_string()) => {
                            let text =
                                format!("schedule `{schedule}` has nobody on call at {at:.0}");
                            (NoticeKind::GapSoon, Some(at), text)
                        }
                        _ => continue,
                    },
                },
                _ => continue,
            };
            notices.push(PolicyNotice { kind, step: Some(number), at, text });
        }
    }

    /// Returns when a schedule has nobody on call, if that is soon.
    fn next_gap(&self, schedule: &str, now: Timestamp) -> Option<Timestamp> {
        let end = super::later(now, GAP_HORIZON);
        let mut at = now;
        for _ in 0..MAX_SHIFTS_AHEAD {
            let on_call = self.roster.on_call(schedule, &Pick::Current, at)?;
            if on_call.people.is_empty() {
                return Some(at);
            }
            at = on_call.until.filter(|until| *until > at && *until < end)?;
        }
        None
    }
}

/// What was told of already.
#[derive(Default)]
struct Seen {
    people: BTreeSet<Handle>,
    schedules: BTreeSet<String>,
}

fn empty_step(step: usize, found: &Found) -> PolicyNotice {
    let text = format!("step {step} would page nobody now: {}", found.skipped());
    PolicyNotice { kind: NoticeKind::EmptyStep, step: Some(step), at: None, text }
}
