//! Escalations: whom a problem paged, and how it stands.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tocsin_core::escalation::{End, EscalationRun, RunState};
use tocsin_core::labels::{Fingerprint, Labels};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Event;

/// What the audit of the history came to: whether every due step of every escalation ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EscalationAudit {
    /// When the history was last looked through; absent before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Up to which event.
    pub through: u64,
    /// How many open escalations are followed.
    pub followed: usize,
    /// Why the last look did not work; absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The steps that never ran, the latest first, at most a hundred.
    pub missed: Vec<Event>,
}

/// The most alerts that one escalation lists; their number is told beside them.
const MAX_LISTED_ALERTS: usize = 100;

/// How an escalation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationState {
    /// Nobody has answered.
    Open,
    /// Somebody works on it.
    Acknowledged,
    /// It waits.
    Snoozed,
    /// It is over.
    Resolved,
}

/// A problem for which people are paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Escalation {
    /// Its number.
    pub number: u64,
    /// What it tells.
    #[schema(example = "HighErrorRate on checkout: 5 % of requests fail")]
    pub title: String,
    /// How it stands.
    pub state: EscalationState,
    /// How it stands and why, for people.
    #[schema(example = "acknowledged by grace since 2026-11-20T12:06:30Z")]
    pub standing: String,
    /// Who made it so; absent when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When an acknowledgement lapses or a snooze ends; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Since when nothing of it fires or everything is held back, so that its times stand still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_since: Option<Timestamp>,
    /// The worst it has been: `sev1` to `sev5`.
    #[schema(example = "sev2")]
    pub severity: String,
    /// The same as a word.
    #[schema(example = "high")]
    pub severity_word: String,
    /// The service; may be empty.
    pub service: String,
    /// The category; may be empty.
    pub category: String,
    /// The policy that pages.
    pub policy: String,
    /// Why that policy.
    pub why: String,
    /// The receiver that names the policy; empty when somebody paged by hand.
    pub receiver: String,
    /// The labels that name the group.
    #[schema(value_type = BTreeMap<String, String>)]
    pub group_labels: Labels,
    /// The alerts it pages for, at most a hundred of them.
    #[schema(value_type = Vec<String>)]
    pub alerts: Vec<Fingerprint>,
    /// How many there are.
    pub alerts_total: usize,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Which pass through the steps it is, counted from 1.
    pub round: u32,
    /// The step that was reached last, counted from 1; 0 before the first.
    pub step: usize,
    /// How many steps the policy has.
    pub steps: usize,
    /// The step that is due next; absent when there is none, and while somebody has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    /// Who was paged.
    pub people: Vec<String>,
}

/// The step that is due next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextStep {
    /// Counted from 1.
    pub step: usize,
    /// When; later by the time that the escalation stands still.
    pub due_at: Timestamp,
}

/// An escalation with all that it did and will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EscalationDetail {
    /// The escalation.
    #[serde(flatten)]
    pub escalation: Escalation,
    /// The latest steps that were reached, the oldest first.
    pub reached: Vec<ReachedStep>,
    /// Who was paged, by handle.
    pub paged: Vec<PagedPerson>,
    /// The places that were told.
    pub places: Vec<String>,
    /// What will be sent when its time comes, soonest first.
    pub planned: Vec<PlannedPage>,
    /// What waits for its method to be free.
    pub waiting: Vec<WaitingPage>,
    /// Whether the policy is no longer as it was when the escalation began; it keeps to the old
    /// one.
    pub has_policy_changed: bool,
    /// Where its events are.
    #[schema(example = "/api/v1/escalations/7/events")]
    pub events: String,
}

/// A step that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReachedStep {
    /// The pass, counted from 1.
    pub round: u32,
    /// The step, counted from 1.
    pub step: usize,
    /// Its level; may be empty.
    pub level: String,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was carried out.
    pub at: Timestamp,
    /// Who was paged.
    pub people: Vec<String>,
    /// Why nobody was; absent when somebody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// Somebody who was paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PagedPerson {
    /// The handle.
    pub person: String,
    /// The short number by which they answer a text message.
    pub code: u32,
    /// Since when.
    pub since: Timestamp,
    /// The step that paged them last, counted from 1.
    pub step: usize,
    /// Why they.
    pub why: String,
    /// When they acknowledged; absent when they did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// The contact methods that were used.
    pub methods: Vec<String>,
}

/// A contact method that will be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedPage {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub person: String,
    /// Which.
    pub method: String,
    /// `high` may wake the person up, `low` may not.
    pub urgency: String,
}

/// Something that waits for its method to be free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingPage {
    /// For whom, as `person/method` or the name of a place.
    pub recipient: String,
    /// Since when.
    pub since: Timestamp,
}

/// What happened in an escalation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EscalationHistory {
    /// The oldest first; pages that told of several escalations are among them.
    pub items: Vec<Event>,
    /// Whether there is more history before that.
    pub is_cut: bool,
}

/// Somebody pages by hand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a page: an object with `title`")]
pub struct EscalationDraft {
    /// What for.
    pub title: String,
    /// By which policy; without one and without people, the one that serves the service.
    #[serde(default)]
    pub policy: Option<String>,
    /// Whom; all of them at once.
    #[serde(default)]
    pub people: Vec<String>,
    /// The service; may be empty.
    #[serde(default)]
    pub service: String,
    /// How bad it is: `sev1` to `sev5`, or a word such as `critical`; `sev2` when not given.
    #[serde(default)]
    pub severity: Option<String>,
    /// Makes asking twice harmless: the same id never pages twice while it is open.
    #[serde(default)]
    pub idempotency_key: Option<Uuid>,
}

/// Somebody answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an answer: an object")]
pub struct AnswerDraft {
    /// What they say.
    #[serde(default)]
    pub comment: String,
    /// For whom a program answers; a person who is signed in answers for themselves.
    #[serde(default)]
    pub by: Option<String>,
}

/// Somebody wants to be left alone for a while.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a snooze: an object with `duration_seconds`")]
pub struct SnoozeDraft {
    /// How long, from a minute to 7 days.
    #[schema(example = 1800)]
    pub duration_seconds: u32,
    /// What they say.
    #[serde(default)]
    pub comment: String,
    /// For whom a program answers.
    #[serde(default)]
    pub by: Option<String>,
}

impl SnoozeDraft {
    /// Returns how long.
    pub fn span(&self) -> SignedDuration {
        SignedDuration::from_secs(self.duration_seconds.into())
    }
}

/// What an answer did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnswerResult {
    /// One sentence.
    #[schema(example = "acknowledged: HighErrorRate on checkout")]
    pub text: String,
    /// Whether anything changed.
    pub has_changed: bool,
    /// As it stands now.
    pub escalation: Escalation,
}

impl Escalation {
    /// Returns an escalation.
    pub fn new(run: &EscalationRun) -> Self {
        let (word, by) = run.state.word();
        let state = match word {
            tocsin_core::paging::StateWord::Open => EscalationState::Open,
            tocsin_core::paging::StateWord::Acknowledged => EscalationState::Acknowledged,
            tocsin_core::paging::StateWord::Snoozed => EscalationState::Snoozed,
            tocsin_core::paging::StateWord::Resolved => EscalationState::Resolved,
        };
        let until = match &run.state {
            RunState::Acknowledged { until, .. } => *until,
            RunState::Snoozed { until, .. } => Some(*until),
            RunState::Open | RunState::Ended { .. } => None,
        };
        let ended_at = match &run.state {
            RunState::Ended { at, .. } => Some(*at),
            _ => None,
        };
        Self {
            number: run.number.0,
            title: run.title.clone(),
            state,
            standing: standing(run),
            by: (!by.is_empty()).then(|| by.to_owned()),
            until,
            still_since: run.still_since,
            severity: run.severity.to_string(),
            severity_word: run.severity.word().to_owned(),
            service: run.service.to_string(),
            category: run.category.to_string(),
            policy: run.policy.name.to_string(),
            why: run.why.clone(),
            receiver: run.key.receiver.to_string(),
            group_labels: run.group_labels.clone(),
            alerts: run.alerts.iter().copied().take(MAX_LISTED_ALERTS).collect(),
            alerts_total: run.alerts.len(),
            started_at: run.started_at,
            ended_at,
            round: run.round,
            step: run.reached.last().map_or(0, |reached| reached.step + 1),
            steps: run.policy.steps.len(),
            next: run
                .next
                .filter(|_| run.state == RunState::Open)
                .map(|next| NextStep { step: next.step + 1, due_at: next.due_at }),
            people: run.people.keys().map(ToString::to_string).collect(),
        }
    }
}

/// Says how an escalation stands.
pub fn standing(run: &EscalationRun) -> String {
    match &run.state {
        RunState::Open => match (run.still_since, run.next) {
            (Some(since), _) => {
                format!("stands still since {since:.0}: nothing of it fires that is not held back")
            }
            (None, Some(next)) => {
                format!("nobody has answered; step {} is due at {:.0}", next.step + 1, next.due_at)
            }
            (None, None) if run.people.is_empty() && run.places.is_empty() => {
                "nobody was found to page".to_owned()
            }
            (None, None) => "nobody has answered, and there is no further step".to_owned(),
        },
        RunState::Acknowledged { by, at, until } => {
            let lapses = until.map(|until| format!(" until {until:.0}")).unwrap_or_default();
            format!("acknowledged by {by} since {at:.0}{lapses}")
        }
        RunState::Snoozed { by, until, .. } => format!("snoozed by {by} until {until:.0}"),
        RunState::Ended { at, why } => match why {
            End::AlertsResolved => format!("over since {at:.0}: nothing of it fires any more"),
            End::Resolved { by } => format!("resolved by {by} at {at:.0}"),
            End::Orphaned => {
                format!("over since {at:.0}: the configuration no longer has its receiver")
            }
        },
    }
}

impl EscalationDetail {
    /// Returns an escalation with all that it did. `events` is where its events are.
    pub fn new(run: &EscalationRun, has_policy_changed: bool, events: String) -> Self {
        let level = |step: usize| {
            run.policy.steps.get(step).map(|step| step.level.to_string()).unwrap_or_default()
        };
        Self {
            escalation: Escalation::new(run),
            reached: run
                .reached
                .iter()
                .map(|reached| ReachedStep {
                    round: reached.round,
                    step: reached.step + 1,
                    level: level(reached.step),
                    due_at: reached.due_at,
                    at: reached.at,
                    people: reached.people.iter().map(ToString::to_string).collect(),
                    skipped: (!reached.skipped.is_empty()).then(|| reached.skipped.clone()),
                })
                .collect(),
            paged: run
                .people
                .iter()
                .map(|(person, paged)| PagedPerson {
                    person: person.to_string(),
                    code: paged.code,
                    since: paged.since,
                    step: paged.step + 1,
                    why: paged.why.clone(),
                    acknowledged_at: paged.acknowledged_at,
                    methods: paged.used.iter().map(ToString::to_string).collect(),
                })
                .collect(),
            places: run.places.keys().map(ToString::to_string).collect(),
            planned: run
                .planned
                .iter()
                .map(|planned| PlannedPage {
                    at: planned.at,
                    person: planned.person.to_string(),
                    method: planned.method.to_string(),
                    urgency: planned.urgency.as_str().to_owned(),
                })
                .collect(),
            waiting: run
                .waiting
                .iter()
                .map(|waiting| WaitingPage {
                    recipient: waiting.recipient.to_string(),
                    since: waiting.since,
                })
                .collect(),
            has_policy_changed,
            events,
        }
    }
}
