//! Who is meant by a step: targets become people, each with the reason why it is they.

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Tenant;
use crate::escalation::{
    Conditions, EscalationPolicy, HoursCondition, PlaceTarget, SchedulePick, Step, Target,
};
use crate::identity::{Handle, Person};
use crate::labels::Fingerprint;
use crate::oncall::Pick;
use crate::severity::Severity;

/// How many managers up somebody who has left is looked for a substitute.
const MAX_SUBSTITUTES: usize = 5;

/// The problem as far as the choice of people depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem<'p> {
    pub(super) severity: Severity,
    pub(super) category: &'p str,
    /// The alerts that it is about; empty when nobody has them yet.
    pub(super) alerts: Option<&'p BTreeSet<Fingerprint>>,
    /// Spreads what is chosen at random, and counts the turns of a round robin.
    pub(super) turn: u64,
}

/// Who is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// People, each once, with the reason.
    pub(super) people: Vec<(Handle, String)>,
    /// Places.
    pub(super) places: Vec<PlaceTarget>,
    /// Who might have been meant and is not, and why, one sentence each.
    pub(super) left_out: Vec<String>,
    /// Why the step does not count at all; empty when it does.
    pub(super) why_not: String,
    /// How many turns of a round robin were passed by before somebody could take one.
    pub(super) passed: u64,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.places.is_empty()
    }

    /// Returns why nobody is paged by the step; empty when somebody is.
    pub(super) fn skipped(&self) -> String {
        if !self.why_not.is_empty() {
            return self.why_not.clone();
        }
        match (self.is_empty(), self.left_out.is_empty()) {
            (false, _) => String::new(),
            (true, true) => "it means nobody".to_owned(),
            (true, false) => self.left_out.join("; "),
        }
    }

    fn add(&mut self, person: &Handle, why: String) {
        if !self.people.iter().any(|(known, _)| known == person) {
            self.people.push((person.clone(), why));
        }
    }
}

impl Tenant {
    /// Returns who is meant by a step at `at`.
    pub(super) fn responders(
        &self,
        policy: &EscalationPolicy,
        step: &Step,
        problem: Problem<'_>,
        at: Timestamp,
    ) -> Found {
        let mut found = Found::default();
        if let Some(why) = self.refuses(&step.when, problem, at) {
            found.why_not = why;
            return found;
        }
        let targets = if step.round_robin {
            let (targets, passed) = self.in_turn(policy, step, problem, at);
            found.passed = passed;
            targets
        } else {
            step.targets.iter().collect()
        };
        for target in targets {
            self.resolve_target(policy, target, problem, at, &mut found);
        }
        if let Some(wanted) = step.when.working_hours {
            let people = std::mem::take(&mut found.people);
            for (person, why) in people {
                let works = self.works_at(&person, at);
                if works == (wanted == HoursCondition::Inside) {
                    found.people.push((person, why));
                } else {
                    let hour = if works { "a" } else { "no" };
                    found.left_out.push(format!("{person}: it is {hour} working hour there"));
                }
            }
        }
        found
    }

    /// Returns why a step does not count; `None` when it does.
    fn refuses(&self, when: &Conditions, problem: Problem<'_>, at: Timestamp) -> Option<String> {
        let Problem { severity, category, alerts, .. } = problem;
        if !when.severities.is_empty() && !when.severities.contains(&severity) {
            let wanted: Vec<_> = when.severities.iter().map(|it| it.as_str()).collect();
            return Some(format!("it is only for {} and this is {severity}", wanted.join(", ")));
        }
        if !when.categories.is_empty() && !when.categories.iter().any(|it| it == category) {
            let has = if category.is_empty() { "none" } else { category };
            return Some(format!(
                "it is only for the categories {} and this has {has}",
                when.categories.join(", ")
            ));
        }
        let (wanted, alerts) = (when.at_least?, alerts?);
        let span = SignedDuration::from_secs(wanted.within_seconds.into());
        let since = at.checked_sub(span).unwrap_or(Timestamp::MIN);
        let counts = |fp: &&Fingerprint| {
            self.alerts.get(fp).is_some_and(|alert| {
                let is_recent = wanted.within_seconds == 0 || alert.activity.starts_at >= since;
                is_recent && !alert.is_resolved
            })
        };
        let count = alerts.iter().filter(counts).count();
        let wanted = usize::try_from(wanted.alerts).unwrap_or(usize::MAX);
        (count < wanted).then(|| format!("it is for {wanted} alerts or more and there are {count}"))
    }

    /// Returns the one target whose turn it is, and how many before it came to nobody.
    fn in_turn<'s>(
        &self,
        policy: &EscalationPolicy,
        step: &'s Step,
        problem: Problem<'_>,
        at: Timestamp,
    ) -> (Vec<&'s Target>, u64) {
        let count = step.targets.len();
        if count == 0 {
            return (Vec::new(), 0);
        }
        let first = usize::try_from(problem.turn % count as u64).unwrap_or(0);
        for offset in 0..count {
            let target = &step.targets[(first + offset) % count];
            let mut found = Found::default();
            self.resolve_target(policy, target, problem, at, &mut found);
            self.leave_out_unreachable(&mut found);
            if !found.is_empty() {
                return (vec![target], offset as u64);
            }
        }
        (step.targets.iter().take(1).collect(), 0)
    }

    pub(super) fn resolve_target(
        &self,
        policy: &EscalationPolicy,
        target: &Target,
        problem: Problem<'_>,
        at: Timestamp,
        found: &mut Found,
    ) {
        match target {
            Target::Person { person } => {
                self.take(policy, person, "the policy names them".to_owned(), found);
            }
            Target::Team { team } => {
                let Some(team) = self.directory.team(team) else {
                    found.left_out.push(format!("there is no team {team}"));
                    return;
                };
                for member in &team.members {
                    self.take(
                        policy,
                        &member.handle,
                        format!("belongs to team {}", team.name),
                        found,
                    );
                }
                if team.members.is_empty()
                    && let Some(person) = &team.default_on_call
                {
                    let why = format!("team {} has them on call by default", team.name);
                    self.take(policy, person, why, found);
                }
            }
            Target::Schedule { schedule, pick } => {
                let asked = self.asked(pick, problem);
                let Some(on_call) = self.roster.on_call(schedule, &asked, at) else {
                    found.left_out.push(format!("there is no schedule {schedule}"));
                    return;
                };
                if on_call.people.is_empty() {
                    found.left_out.push(format!("schedule {schedule} has nobody for {at:.0}"));
                }
                for person in &on_call.people {
                    let why = format!("{pick} in {schedule}: {}", on_call.sentence());
                    self.take(policy, person, why, found);
                }
            }
            Target::Expertise { tags, team, count } => {
                self.experts(tags, team.as_deref(), *count, problem, at, found);
            }
            Target::Place(place) => {
                if !found.places.contains(place) {
                    found.places.push(place.clone());
                }
            }
        }
    }

    /// Adds a person, or whoever stands in for one that has left.
    fn take(&self, policy: &EscalationPolicy, person: &Handle, why: String, found: &mut Found) {
        let is_active = |handle: &Handle| {
            self.directory.person(handle.as_str()).is_some_and(|person| person.is_active)
        };
        if is_active(person) {
            found.add(person, why);
            return;
        }
        let substitute = self.substitute_of(person).or_else(|| policy.default_on_call.clone());
        match substitute.filter(is_active) {
            Some(other) => found.add(&other, format!("stands in for {person}, who has left")),
            None => found.left_out.push(format!("{person} has left and nobody stands in")),
        }
    }

    /// Returns who stands in for somebody who has left: the first manager upwards who is there, or
    /// whom a team on the way has on call by default.
    pub(super) fn substitute_of(&self, person: &Handle) -> Option<Handle> {
        let mut at = person.clone();
        for _ in 0..MAX_SUBSTITUTES {
            let found = self.directory.successor_of(&at).or_else(|| self.former_successor_of(&at));
            let found = found.filter(|found| found != person);
            if found.is_some() {
                return found;
            }
            let former = || self.former.as_ref().and_then(|it| it.person(at.as_str()));
            at = self.directory.person(at.as_str()).or_else(former)?.manager.clone()?;
        }
        None
    }

    /// Returns who takes over from somebody whom the configuration that is being taken over does
    /// not have any more: their manager of before, or whom a team of theirs has on call by default.
    fn former_successor_of(&self, handle: &Handle) -> Option<Handle> {
        let former = self.former.as_ref()?;
        let manager = former.person(handle.as_str())?.manager.as_ref();
        let teams = former.teams_of(handle).filter_map(|team| self.directory.team(&team.name));
        let on_call = teams.filter_map(|team| team.default_on_call.as_ref());
        let mut found = manager.into_iter().chain(on_call);
        found.find(|it| *it != handle && self.is_there(it)).cloned()
    }

    /// Adds those who know something well, the most available first: who is not away, is on call,
    /// has working hours, has the fewest open pages, and was left alone the longest.
    fn experts(
        &self,
        tags: &[CompactString],
        team: Option<&str>,
        count: u32,
        problem: Problem<'_>,
        at: Timestamp,
        found: &mut Found,
    ) {
        let team = team.and_then(|name| self.directory.team(name));
        let knows = |person: &Person| {
            tags.iter().all(|tag| person.expertise.iter().any(|it| it.eq_ignore_ascii_case(tag)))
        };
        let mut ranked: Vec<_> = self
            .directory
            .people()
            .filter(|person| person.is_active && knows(person))
            .filter(|person| team.is_none_or(|team| team.member(&person.handle).is_some()))
            .map(|person| {
                let is_away = self.roster.is_away(&person.handle, at);
                let is_on_call = self.is_on_call(&person.handle, at);
                let works = self.works_at(&person.handle, at);
                let open = self.open_runs_of(&person.handle);
                let spread = spread(&person.handle, problem.turn);
                ((is_away, !is_on_call, !works, open, spread), person)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        if ranked.is_empty() {
            found.left_out.push(format!("nobody knows {}", tags.join(", ")));
        }
        let mut wanted = usize::try_from(count).unwrap_or(usize::MAX);
        for ((is_away, is_not_on_call, is_off, open, _), person) in ranked {
            if is_away {
                found.left_out.push(format!("{} is away", person.handle));
                continue;
            }
            if wanted == 0 {
                break;
            }
            wanted -= 1;
            let hours = if is_off { "outside working hours" } else { "in working hours" };
            let shift = if is_not_on_call { "" } else { ", on call" };
            let why = format!("knows {}; {hours}{shift}, {open} open pages", tags.join(", "));
            found.add(&person.handle, why);
        }
    }

    /// Returns what the roster is asked for.
    fn asked(&self, pick: &SchedulePick, problem: Problem<'_>) -> Pick {
        match pick {
            SchedulePick::Current => Pick::Current,
            SchedulePick::Next => Pick::Next,
            SchedulePick::Previous => Pick::Previous,
            SchedulePick::All => Pick::All,
            SchedulePick::Layer { layer } => Pick::Layer(Arc::clone(layer)),
            SchedulePick::Nth { places } => Pick::Nth(*places),
            SchedulePick::Random => {
                let load = self.escalations.by_person.iter().map(|(person, runs)| {
                    (person.clone(), u32::try_from(runs.len()).unwrap_or(u32::MAX))
                });
                Pick::Random { seed: problem.turn, load: Arc::new(load.collect()) }
            }
        }
    }

    /// Returns whether a person is on call anywhere.
    fn is_on_call(&self, person: &Handle, at: Timestamp) -> bool {
        self.roster.schedules_of(person, at).iter().any(|schedule| {
            let entry = self.roster.entry(schedule);
            let duties = entry.map(|entry| self.roster.duties_in(entry, at));
            duties.is_some_and(|duties| duties.iter().any(|duty| duty.person == *person))
        })
    }

    /// Returns whether it is a working hour where a person lives.
    pub(super) fn works_at(&self, person: &Handle, at: Timestamp) -> bool {
        self.policy.escalation.working_hours.contain(at, &self.zone_of(person))
    }

    /// Returns the zone that a person lives in.
    pub(super) fn zone_of(&self, person: &Handle) -> TimeZone {
        let name = self.directory.person(person.as_str()).map(|it| it.time_zone.as_str());
        name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
    }

    /// Returns the policy of that name: of the file, else made through the API.
    pub fn escalation_policy(&self, name: &str) -> Option<&Arc<EscalationPolicy>> {
        let own = || self.escalations.policies.get(name);
        self.policy.escalation.policies.iter().find(|it| &*it.name == name).or_else(own)
    }

    /// Returns all policies: those of the file in its order, then the others by name.
    pub fn escalation_policies(&self) -> impl Iterator<Item = &Arc<EscalationPolicy>> {
        let provisioned = &self.policy.escalation.policies;
        let is_free =
            |it: &&Arc<EscalationPolicy>| !provisioned.iter().any(|other| other.name == it.name);
        provisioned.iter().chain(self.escalations.policies.values().filter(is_free))
    }
}

/// Returns a number that orders equals differently for each problem, and always the same.
fn spread(person: &Handle, turn: u64) -> u64 {
    use sha2::Digest as _;
    let hash = sha2::Sha256::new().chain_update(person.as_str()).chain_update(turn.to_be_bytes());
    let bytes: [u8; 32] = hash.finalize().into();
    u64::from_be_bytes(bytes[..8].try_into().unwrap_or_default())
}
