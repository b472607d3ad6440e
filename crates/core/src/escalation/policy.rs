//! Escalation policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::run::Next;
use super::select::Selector;
use crate::identity::{Handle, PersonOrigin, TeamName};
use crate::paging::{Channel, Urgency};
use crate::severity::Severity;

/// The most policies of a tenant.
pub const MAX_POLICIES: usize = 1_000;

/// The most steps of a policy.
pub const MAX_STEPS: usize = 10;

/// The most targets of a step.
pub const MAX_TARGETS_PER_STEP: usize = 20;

/// The most often the steps of a policy are gone through again.
pub const MAX_REPEATS: u32 = 50;

/// Whom to page and when, while nobody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationPolicy {
    /// Unique in the tenant.
    pub name: Arc<str>,
    /// What it is for; may be empty.
    #[serde(default)]
    pub description: String,
    /// Whose it is.
    #[serde(default)]
    pub team: Option<TeamName>,
    /// Which problems it is for where nobody names a policy.
    #[serde(default)]
    pub serves: Selector,
    /// Whether it is for whatever no policy serves.
    #[serde(default)]
    pub is_default: bool,
    /// Who is paged, in order; not empty.
    pub steps: Vec<Step>,
    /// How often the steps are gone through again while nobody answers.
    #[serde(default)]
    pub repeat: u32,
    /// How long after the last step the first is due again.
    #[serde(default)]
    pub repeat_after: Delay,
    /// Whose acknowledgement counts.
    #[serde(default)]
    pub acknowledgement: AckMode,
    /// After how long an acknowledgement lapses, so that the escalation goes on; never when unset.
    #[serde(default)]
    pub ack_timeout: Option<Delay>,
    /// Who is paged where nobody else is found.
    #[serde(default)]
    pub default_on_call: Option<Handle>,
    /// Where the policy comes from.
    #[serde(default)]
    pub origin: PersonOrigin,
}

/// Whose acknowledgement counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckMode {
    /// The first one's: nobody else is disturbed any more.
    #[default]
    First,
    /// Everybody's who was paged: one person's does not silence the others, no further step runs.
    All,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How long after the step before, or after the start, it is due.
    #[serde(default)]
    pub after: Delay,
    /// Its level, such as `L2`; for people.
    #[serde(default)]
    pub level: CompactString,
    /// Who is paged.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Whether each new problem pages only the next of the targets in turn.
    #[serde(default)]
    pub round_robin: bool,
    /// Whether a step that finds nobody is left at once, rather than waited for.
    #[serde(default = "yes")]
    pub skip_if_empty: bool,
    /// When the step counts at all.
    #[serde(default)]
    pub when: Conditions,
    /// Whether people may be woken up; by severity when unset.
    #[serde(default)]
    pub urgency: Option<Urgency>,
}

fn yes() -> bool {
    true
}

/// How long to wait.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Delay {
    /// As long as an alert of that severity may stay unacknowledged:
    /// [`Severity::acknowledge_minutes`]. Nothing at the first step.
    #[default]
    BySeverity,
    /// Always the same.
    Fixed {
        /// In seconds.
        seconds: u32,
    },
    /// Its own for each severity; what is not named is as in `BySeverity`.
    Table {
        /// In seconds.
        seconds: BTreeMap<Severity, u32>,
    },
}

impl Delay {
    /// Returns a fixed one.
    pub fn fixed(span: SignedDuration) -> Self {
        Self::Fixed { seconds: u32::try_from(span.as_secs().max(0)).unwrap_or(u32::MAX) }
    }

    /// Returns the span for a severity.
    pub fn of(&self, severity: Severity) -> SignedDuration {
        let usual = || SignedDuration::from_mins(severity.acknowledge_minutes());
        match self {
            Self::BySeverity => usual(),
            Self::Fixed { seconds } => SignedDuration::from_secs((*seconds).into()),
            Self::Table { seconds } => seconds
                .get(&severity)
                .map_or_else(usual, |seconds| SignedDuration::from_secs((*seconds).into())),
        }
    }
}

/// Who, or what, is paged by a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Target {
    /// One person; somebody who has left is replaced by their manager, else by whom their team
    /// has on call by default.
    Person {
        /// Who.
        person: Handle,
    },
    /// Everybody of a team.
    Team {
        /// Which.
        team: TeamName,
    },
    /// Whom a schedule names.
    Schedule {
        /// Which.
        schedule: Arc<str>,
        /// Who of it.
        #[serde(default)]
        pick: SchedulePick,
    },
    /// Whoever knows something well, the most available first.
    Expertise {
        /// What they have to know, all of it.
        tags: Vec<CompactString>,
        /// Of which team; anybody when unset.
        #[serde(default)]
        team: Option<TeamName>,
        /// How many of them.
        #[serde(default = "one")]
        count: u32,
    },
    /// A place, such as a team's chat or a webhook.
    Place(PlaceTarget),
}

fn one() -> u32 {
    1
}

/// Who of a schedule is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "who")]
pub enum SchedulePick {
    /// Who is on call.
    #[default]
    Current,
    /// Who is on call next.
    Next,
    /// Who was on call before.
    Previous,
    /// Everybody who takes turns.
    All,
    /// Who is on call by one layer.
    Layer {
        /// Its name.
        layer: Arc<str>,
    },
    /// Who comes so many places after the present one; 0 for the present.
    Nth {
        /// How many.
        places: u32,
    },
    /// One of those who have the fewest open pages.
    Random,
}

impl std::fmt::Display for SchedulePick {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Current => f.write_str("on call"),
            Self::Next => f.write_str("next on call"),
            Self::Previous => f.write_str("on call before"),
            Self::All => f.write_str("one of all members"),
            Self::Layer { layer } => write!(f, "on call by layer {layer}"),
            Self::Nth { places } => write!(f, "{places} after the one on call"),
            Self::Random => f.write_str("one with the fewest pages"),
        }
    }
}

/// A place that is told when a step is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceTarget {
    /// By what.
    pub channel: Channel,
    /// Where.
    pub address: String,
}

impl PlaceTarget {
    /// Returns its name for people: the host of an address that may hold a secret, else all of it.
    pub fn name(&self) -> Arc<str> {
        let shown = match self.address.split_once("://") {
            Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
            None => &self.address,
        };
        let shown = shown.rsplit('@').next().unwrap_or_default();
        match self.channel {
            Channel::Pagerduty => self.channel.as_str().into(),
            _ => format!("{}/{shown}", self.channel).into(),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person { person } => write!(f, "{person}"),
            Self::Team { team } => write!(f, "team {team}"),
            Self::Schedule { schedule, pick: SchedulePick::Current } => {
                write!(f, "schedule {schedule}")
            }
            Self::Schedule { schedule, pick } => write!(f, "schedule {schedule} ({pick})"),
            Self::Expertise { tags, team, .. } => {
                write!(f, "whoever knows {}", tags.join(", "))?;
                team.iter().try_for_each(|team| write!(f, " in team {team}"))
            }
            Self::Place(place) => f.write_str(&place.name()),
        }
    }
}

/// When a step counts at all; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// Only for these severities; any when empty.
    #[serde(default)]
    pub severities: Vec<Severity>,
    /// Only for these categories; any when empty.
    #[serde(default)]
    pub categories: Vec<CompactString>,
    /// Only people for whom it is, or is not, a working hour where they live.
    #[serde(default)]
    pub working_hours: Option<HoursCondition>,
    /// Only when enough alerts fire.
    #[serde(default)]
    pub at_least: Option<AtLeast>,
}

/// Whether it has to be a working hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoursCondition {
    /// It has to be one.
    Inside,
    /// It must not be one.
    Outside,
}

/// So many alerts, within such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtLeast {
    /// How many.
    pub alerts: u32,
    /// Counting those that began in this time before, in seconds; zero counts all that fire.
    #[serde(default)]
    pub within_seconds: u32,
}

/// When people work, each where they live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHours {
    /// First minute.
    pub from: Time,
    /// The minute after the last.
    pub to: Time,
    /// ISO numbers of the days, Monday is 1.
    pub weekdays: Vec<u8>,
}

impl Default for WorkingHours {
    /// Nine to six, Monday to Friday.
    fn default() -> Self {
        Self {
            from: jiff::civil::time(9, 0, 0, 0),
            to: jiff::civil::time(18, 0, 0, 0),
            weekdays: vec![1, 2, 3, 4, 5],
        }
    }
}

impl WorkingHours {
    /// Returns whether somebody who lives in that zone works then.
    pub fn contain(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let local = at.to_zoned(zone.clone());
        let day: Weekday = local.weekday();
        let number = u8::try_from(day.to_monday_one_offset()).unwrap_or(1);
        self.weekdays.contains(&number) && local.time() >= self.from && local.time() < self.to
    }
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// No step.
    #[error("a policy needs at least one step")]
    NoStep,
    /// Too many steps.
    #[error("{count} steps are more than {MAX_STEPS}")]
    TooManySteps {
        /// How many.
        count: usize,
    },
    /// A step names nobody.
    #[error("step {step} names nobody to page")]
    NoTarget {
        /// Counted from 1.
        step: usize,
    },
    /// A step names too many.
    #[error("step {step} has {count} targets, which is more than {MAX_TARGETS_PER_STEP}")]
    TooManyTargets {
        /// Counted from 1.
        step: usize,
        /// How many.
        count: usize,
    },
    /// Repeats without end.
    #[error("`repeat` is {repeat}, which is more than {MAX_REPEATS}")]
    TooManyRepeats {
        /// How often.
        repeat: u32,
    },
    /// A repetition at once would page without a pause.
    #[error("`repeat_after` must be at least a minute")]
    NoPause,
}

impl EscalationPolicy {
    /// Returns the name under which a policy with this JSON document is kept for the runs that
    /// began with it: the beginning of its SHA-256.
    pub fn snapshot_name(document: &str) -> [u8; 16] {
        use sha2::Digest as _;
        let hash: [u8; 32] = sha2::Sha256::digest(document.as_bytes()).into();
        let mut name = [0; 16];
        name.copy_from_slice(&hash[..16]);
        name
    }

    /// Returns the bounds that it breaks.
    pub fn problems(&self) -> Vec<PolicyProblem> {
        let mut problems = Vec::new();
        let count = self.steps.len();
        if count == 0 {
            problems.push(PolicyProblem::NoStep);
        } else if count > MAX_STEPS {
            problems.push(PolicyProblem::TooManySteps { count });
        }
        for (index, step) in self.steps.iter().enumerate() {
            let (step, count) = (index + 1, step.targets.len());
            if count == 0 {
                problems.push(PolicyProblem::NoTarget { step });
            } else if count > MAX_TARGETS_PER_STEP {
                problems.push(PolicyProblem::TooManyTargets { step, count });
            }
        }
        if self.repeat > MAX_REPEATS {
            problems.push(PolicyProblem::TooManyRepeats { repeat: self.repeat });
        }
        let shortest =
            Severity::ALL.into_iter().map(|severity| self.repeat_after.of(severity)).min();
        if self.repeat > 0 && shortest.is_some_and(|span| span < SignedDuration::from_mins(1)) {
            problems.push(PolicyProblem::NoPause);
        }
        problems
    }

    /// Returns how long after the one before a step is due; the first counts from the start, and
    /// without a word about it is due at once.
    pub fn delay_of(&self, index: usize, severity: Severity) -> SignedDuration {
        match self.steps.get(index).map(|step| &step.after) {
            Some(Delay::BySeverity) if index == 0 => SignedDuration::ZERO,
            Some(delay) => delay.of(severity),
            None => SignedDuration::ZERO,
        }
    }

    /// Returns what is due after a step that was due at `due_at` in that pass; a step that was
    /// left at once is followed at once. `None` after the last one of the last pass.
    pub fn after_step(
        &self,
        step: usize,
        round: u32,
        severity: Severity,
        due_at: Timestamp,
        is_left: bool,
    ) -> Option<Next> {
        let later = |span| due_at.checked_add(span).unwrap_or(Timestamp::MAX);
        let following = step + 1;
        if following < self.steps.len() {
            let delay = self.delay_of(following, severity);
            let due_at = if is_left { due_at } else { later(delay) };
            return Some(Next { step: following, due_at });
        }
        let goes_on = round <= self.repeat;
        goes_on.then(|| Next { step: 0, due_at: later(self.repeat_after.of(severity)) })
    }

    /// Returns the policy of a page by hand: these people, all at once, and nobody after them. Who
    /// asks for several wants each of them, so one's answer does not silence the others.
    pub fn of_people(people: &[Handle]) -> Self {
        let targets = people.iter().take(MAX_TARGETS_PER_STEP);
        let targets = targets.map(|person| Target::Person { person: person.clone() }).collect();
        let step = Step {
            after: Delay::default(),
            level: CompactString::default(),
            targets,
            round_robin: false,
            skip_if_empty: true,
            when: Conditions::default(),
            urgency: Some(Urgency::High),
        };
        Self {
            name: "by hand".into(),
            description: String::new(),
            team: None,
            serves: Selector::default(),
            is_default: false,
            steps: vec![step],
            repeat: 2,
            repeat_after: Delay::default(),
            acknowledgement: AckMode::All,
            ack_timeout: None,
            default_on_call: None,
            origin: PersonOrigin::Api,
        }
    }

    /// Returns the people whom it names.
    pub fn people(&self) -> impl Iterator<Item = &Handle> {
        let named =
            self.steps.iter().flat_map(|step| &step.targets).filter_map(|target| match target {
                Target::Person { person } => Some(person),
                _ => None,
            });
        named.chain(&self.default_on_call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_severity_unless_a_policy_says_otherwise() {
        let minutes =
            |delay: &Delay| Severity::ALL.map(|severity| delay.of(severity).as_secs() / 60);
        assert_eq!(minutes(&Delay::BySeverity), [5, 15, 60, 240, 240]);
        let table = Delay::Table { seconds: BTreeMap::from([(Severity::Sev1, 120)]) };
        assert_eq!(minutes(&table), [2, 15, 60, 240, 240]);
        assert_eq!(minutes(&Delay::Fixed { seconds: 600 }), [10; 5]);
    }

    #[test]
    fn a_place_is_named_without_what_its_address_may_hide() {
        let place = |channel, address: &str| PlaceTarget { channel, address: address.to_owned() };
        let hook = place(Channel::Webhook, "https://user:pw@hooks.example.org/T0/secret?x=1");
        assert_eq!(&*hook.name(), "webhook/hooks.example.org");
        assert_eq!(&*place(Channel::Slack, "#db").name(), "slack/#db");
        assert_eq!(&*place(Channel::Pagerduty, "R0UT1NGKEY").name(), "pagerduty");
    }

    #[test]
    fn working_hours_are_those_of_where_somebody_lives() {
        let hours = WorkingHours::default();
        let at: Timestamp = "2026-07-06T07:30:00Z".parse().unwrap();
        let zone = |name| TimeZone::get(name).unwrap();
        assert!(hours.contain(at, &zone("Europe/Berlin")));
        assert!(!hours.contain(at, &zone("Europe/London")), "half past eight");
        assert!(!hours.contain(at, &zone("America/New_York")));
        let sunday: Timestamp = "2026-07-05T10:00:00Z".parse().unwrap();
        assert!(!hours.contain(sunday, &zone("Europe/Berlin")));
    }
}
