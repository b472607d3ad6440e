//! Escalation policies, what is wrong with them, and what they would do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tocsin_core::escalation::{
    self as domain, AckMode, AtLeast, Conditions, Delay, HoursCondition, PlaceTarget, Selector,
    ServicePattern, Target,
};
use tocsin_core::identity::{Handle, PersonOrigin};
use tocsin_core::paging::Urgency;
use tocsin_core::severity::Severity;
use utoipa::ToSchema;

use super::{FieldError, Origin};

/// The most characters of a name.
const MAX_NAME_CHARS: usize = 100;

/// The most characters of a description.
const MAX_TEXT_CHARS: usize = 2_000;

/// Whom to page and when, while nobody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalationPolicy {
    /// The name; receivers refer to it.
    pub name: String,
    /// Where it comes from: `provisioned` ones are changed in their file only.
    pub origin: Origin,
    /// The receivers that name it.
    pub used_by: Vec<String>,
    /// What it says.
    #[serde(flatten)]
    pub policy: EscalationPolicyDraft,
}

/// What a policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields, expecting = "a policy: an object with `steps`")]
pub struct EscalationPolicyDraft {
    /// What it is for.
    pub description: String,
    /// The team whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Which services it is for where a receiver says `auto`; `*` is any text.
    pub services: Vec<String>,
    /// Which severities it is for then: `sev1` to `sev5`.
    pub severities: Vec<String>,
    /// Which categories it is for then.
    pub categories: Vec<String>,
    /// Whether it is for whatever no other serves.
    pub is_default: bool,
    /// Who is paged, in order.
    pub steps: Vec<PolicyStep>,
    /// How often the steps are gone through again while nobody answers.
    pub repeat: u32,
    /// How long after the last step the first is due again; absent follows the severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_after_seconds: Option<Wait>,
    /// Whose acknowledgement counts: `first` or `all`.
    #[schema(example = "first")]
    pub acknowledgement: Option<String>,
    /// After how long an acknowledgement lapses; absent means never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_timeout_seconds: Option<Wait>,
    /// Who is paged where nobody else is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_on_call: Option<String>,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyStep {
    /// How long after the step before it is due; absent follows the severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_seconds: Option<Wait>,
    /// Its level, such as `L2`.
    #[serde(default)]
    pub level: String,
    /// Who is paged: `ada`, `team:db`, `schedule:primary/next`, `knows:postgres`, `slack:#db`. The
    /// address of a place that is a URL is answered as `webhook:<hooks.example.org>`; sent back
    /// like that it stays as it is.
    #[serde(default)]
    pub page: Vec<String>,
    /// Whether each new problem pages only the next of them in turn.
    #[serde(default)]
    pub round_robin: bool,
    /// Whether a step that finds nobody is left at once.
    #[serde(default = "yes")]
    pub skip_if_empty: bool,
    /// Whether people may be woken up: `high` or `low`; absent follows the severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<String>,
    /// Only for these severities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<String>,
    /// Only for these categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Only people for whom it is (`inside`) or is not (`outside`) a working hour where they live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_hours: Option<String>,
    /// Only when enough alerts fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<EnoughAlerts>,
}

fn yes() -> bool {
    true
}

/// So many alerts in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnoughAlerts {
    /// How many.
    pub alerts: u32,
    /// Counting those that began in this time before; 0 counts all that fire.
    #[serde(default)]
    pub within_seconds: u32,
}

/// How long: always the same, or by severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Wait {
    /// In seconds.
    Always(u32),
    /// In seconds by severity, as in `{"sev1": 120}`; what is not named follows the severity.
    BySeverity(BTreeMap<String, u32>),
}

/// All policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalationPolicies {
    /// Those of the file in its order, then the others by name: the order in which one is chosen.
    pub items: Vec<EscalationPolicy>,
}

/// What would go wrong if a policy had to page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyNotices {
    /// Empty when all is well.
    pub items: Vec<PolicyNotice>,
}

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyNotice {
    /// `pages_nobody`, `empty_step`, `unreachable`, `unknown_person`, `unknown_team`,
    /// `unknown_schedule` or `gap_soon`.
    #[schema(example = "empty_step")]
    pub kind: String,
    /// The step, counted from 1; absent for the policy as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// When it will be so, where that is not now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// One sentence.
    pub text: String,
}

impl From<&domain::PolicyNotice> for PolicyNotice {
    fn from(notice: &domain::PolicyNotice) -> Self {
        Self {
            kind: notice.kind.as_str().to_owned(),
            step: notice.step,
            at: notice.at,
            text: notice.text.clone(),
        }
    }
}

/// What is to be simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a problem: an object")]
pub struct SimulationRequest {
    /// The service; may be empty.
    #[serde(default)]
    pub service: String,
    /// How bad it would be: `sev1` to `sev5`, or a word such as `critical`.
    #[serde(default)]
    #[schema(example = "sev1")]
    pub severity: Option<String>,
    /// The category.
    #[serde(default)]
    pub category: String,
    /// A policy by name; otherwise it is chosen as usual.
    #[serde(default)]
    pub policy: Option<String>,
    /// When it would begin; now when not given.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// What an escalation would do if nobody answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Simulation {
    /// The service.
    pub service: String,
    /// How bad it would be.
    pub severity: String,
    /// When it would begin.
    pub at: Timestamp,
    /// The policy; absent when there is none for it, so that nobody would be paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Why that one, or why none.
    pub why: String,
    /// Its steps, in the order in which they would be reached.
    pub steps: Vec<SimulatedStep>,
}

/// A step that would be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedStep {
    /// The pass, counted from 1.
    pub round: u32,
    /// Which step, counted from 1.
    pub step: u32,
    /// Its level; may be empty.
    pub level: String,
    /// When.
    pub at: Timestamp,
    /// Who would be paged.
    pub people: Vec<SimulatedPerson>,
    /// The places that would be told.
    pub places: Vec<String>,
    /// Why nobody would be; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Who would be left out, and why, one sentence each.
    pub left_out: Vec<String>,
}

/// Somebody who would be paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedPerson {
    /// The handle.
    pub person: String,
    /// Why they.
    pub why: String,
    /// What would reach them, soonest first.
    pub messages: Vec<SimulatedMessage>,
}

/// A message that would be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedMessage {
    /// When.
    pub at: Timestamp,
    /// By which of the person's methods.
    pub method: String,
    /// What that is.
    pub channel: String,
    /// Why later than the rule says; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

fn unless_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl From<&domain::Simulation> for Simulation {
    fn from(simulation: &domain::Simulation) -> Self {
        let person = |person: &domain::SimulatedPerson| SimulatedPerson {
            person: person.person.to_string(),
            why: person.why.clone(),
            messages: person
                .messages
                .iter()
                .map(|message| SimulatedMessage {
                    at: message.at,
                    method: message.method.to_string(),
                    channel: message.channel.to_string(),
                    held: unless_empty(&message.held),
                })
                .collect(),
        };
        let step = |step: &domain::SimulatedStep| SimulatedStep {
            round: step.round,
            step: step.step,
            level: step.level.to_string(),
            at: step.at,
            people: step.people.iter().map(person).collect(),
            places: step.places.iter().map(ToString::to_string).collect(),
            skipped: unless_empty(&step.skipped),
            left_out: step.left_out.clone(),
        };
        Self {
            service: simulation.service.clone(),
            severity: simulation.severity.to_string(),
            at: simulation.at,
            policy: simulation.policy.as_ref().map(ToString::to_string),
            why: simulation.why.clone(),
            steps: simulation.steps.iter().map(step).collect(),
        }
    }
}

impl Wait {
    fn of(delay: &Delay) -> Option<Self> {
        match delay {
            Delay::BySeverity => None,
            Delay::Fixed { seconds } => Some(Self::Always(*seconds)),
            Delay::Table { seconds } => {
                let named = seconds.iter().map(|(severity, it)| (severity.to_string(), *it));
                Some(Self::BySeverity(named.collect()))
            }
        }
    }

    fn delay(wait: Option<Self>, place: &str, errors: &mut Vec<FieldError>) -> Delay {
        match wait {
            None => Delay::BySeverity,
            Some(Self::Always(seconds)) => Delay::Fixed { seconds },
            Some(Self::BySeverity(table)) => {
                let mut seconds = BTreeMap::new();
                for (word, span) in table {
                    match severity(&word) {
                        Ok(severity) => drop(seconds.insert(severity, span)),
                        Err(why) => errors.push(FieldError::at(format!("{place}/{word}"), why)),
                    }
                }
                Delay::Table { seconds }
            }
        }
    }
}

/// Reads `sev1` to `sev5`.
fn severity(word: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == word);
    found.ok_or_else(|| format!("`{word}` is none of sev1 to sev5"))
}

fn severities(words: &[String], place: &str, errors: &mut Vec<FieldError>) -> Vec<Severity> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match severity(word) {
            Ok(severity) => found.push(severity),
            Err(why) => errors.push(FieldError::at(format!("{place}/{index}"), why)),
        }
    }
    found
}

impl EscalationPolicy {
    /// Returns a policy as it is shown.
    pub fn new(policy: &domain::EscalationPolicy, used_by: Vec<String>) -> Self {
        let words = |all: &[Severity]| all.iter().map(ToString::to_string).collect();
        let acknowledgement = match policy.acknowledgement {
            AckMode::First => "first",
            AckMode::All => "all",
        };
        Self {
            name: policy.name.to_string(),
            origin: policy.origin.into(),
            used_by,
            policy: EscalationPolicyDraft {
                description: policy.description.clone(),
                team: policy.team.as_ref().map(ToString::to_string),
                services: policy.serves.services.iter().map(|it| it.as_str().to_owned()).collect(),
                severities: words(&policy.serves.severities),
                categories: policy.serves.categories.iter().map(ToString::to_string).collect(),
                is_default: policy.is_default,
                steps: policy.steps.iter().map(PolicyStep::new).collect(),
                repeat: policy.repeat,
                repeat_after_seconds: Wait::of(&policy.repeat_after),
                acknowledgement: Some(acknowledgement.to_owned()),
                ack_timeout_seconds: policy.ack_timeout.as_ref().and_then(Wait::of),
                default_on_call: policy.default_on_call.as_ref().map(ToString::to_string),
            },
        }
    }
}

impl PolicyStep {
    fn new(step: &domain::Step) -> Self {
        let hours = |it: HoursCondition| match it {
            HoursCondition::Inside => "inside".to_owned(),
            HoursCondition::Outside => "outside".to_owned(),
        };
        Self {
            after_seconds: Wait::of(&step.after),
            level: step.level.to_string(),
            page: step.targets.iter().map(shown).collect(),
            round_robin: step.round_robin,
            skip_if_empty: step.skip_if_empty,
            urgency: step.urgency.map(|it| it.as_str().to_owned()),
            severities: step.when.severities.iter().map(ToString::to_string).collect(),
            categories: step.when.categories.iter().map(ToString::to_string).collect(),
            working_hours: step.when.working_hours.map(hours),
            at_least: step
                .when
                .at_least
                .map(|it| EnoughAlerts { alerts: it.alerts, within_seconds: it.within_seconds }),
        }
    }
}

/// Returns a target as text; an address that may hold a secret only by its host.
fn shown(target: &Target) -> String {
    match target {
        Target::Place(place) if hides(place) => hidden(place),
        target => target.written(),
    }
}

fn hides(place: &PlaceTarget) -> bool {
    let is_key = place.channel == tocsin_core::paging::Channel::Pagerduty;
    is_key || place.address.contains("://")
}

fn hidden(place: &PlaceTarget) -> String {
    let name = place.name();
    let host = name.split_once('/').map_or("", |(_, host)| host);
    format!("{}:<{host}>", place.channel)
}

impl EscalationPolicyDraft {
    /// Returns the policy of that name. `before` is the one that it takes the place of, whose
    /// hidden addresses it may keep.
    ///
    /// # Errors
    /// The fields that make no sense.
    pub fn into_policy(
        self,
        name: &str,
        before: Option<&domain::EscalationPolicy>,
    ) -> Result<domain::EscalationPolicy, Vec<FieldError>> {
        let mut errors = Vec::new();
        let length = name.chars().count();
        if length == 0 || length > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            let why = format!("a name has 1 to {MAX_NAME_CHARS} characters");
            errors.push(FieldError::of("name", why));
        } else if name == "auto" {
            let why = "`auto` means that the policy is chosen; call it otherwise";
            errors.push(FieldError::of("name", why));
        }
        if self.description.chars().count() > MAX_TEXT_CHARS {
            let why = format!("is longer than {MAX_TEXT_CHARS} characters");
            errors.push(FieldError::at("/description", why));
        }
        let mut services = Vec::new();
        for (index, text) in self.services.iter().enumerate() {
            match ServicePattern::parse(text) {
                Ok(pattern) => services.push(pattern),
                Err(why) => {
                    errors.push(FieldError::at(format!("/services/{index}"), why.to_string()));
                }
            }
        }
        let serves = Selector {
            services,
            severities: severities(&self.severities, "/severities", &mut errors),
            categories: self.categories.iter().map(Into::into).collect(),
        };
        if !serves.is_bounded() {
            errors.push(FieldError::at("/services", "there are too many patterns"));
        }
        let acknowledgement = match self.acknowledgement.as_deref() {
            None | Some("first") => AckMode::First,
            Some("all") => AckMode::All,
            Some(_) => {
                errors.push(FieldError::at("/acknowledgement", "is neither `first` nor `all`"));
                AckMode::First
            }
        };
        let default_on_call = match self.default_on_call.as_deref().map(Handle::parse) {
            Some(Err(why)) => {
                errors.push(FieldError::at("/default_on_call", why.to_string()));
                None
            }
            Some(Ok(handle)) => Some(handle),
            None => None,
        };
        let repeat_after =
            Wait::delay(self.repeat_after_seconds, "/repeat_after_seconds", &mut errors);
        let ack_timeout = self
            .ack_timeout_seconds
            .map(|wait| Wait::delay(Some(wait), "/ack_timeout_seconds", &mut errors));
        let kept = before.map(places).unwrap_or_default();
        let steps = self.steps.into_iter().enumerate();
        let steps = steps.map(|(index, step)| step.into_step(index, &kept, &mut errors)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(domain::EscalationPolicy {
            name: name.into(),
            description: self.description,
            team: self.team.map(Arc::from),
            serves,
            is_default: self.is_default,
            steps,
            repeat: self.repeat,
            repeat_after,
            acknowledgement,
            ack_timeout,
            default_on_call,
            origin: PersonOrigin::Api,
        })
    }
}

/// Returns the places of a policy whose addresses are hidden, by how they are shown; those that
/// look alike are not kept, since it would not be clear which is meant.
fn places(policy: &domain::EscalationPolicy) -> BTreeMap<String, PlaceTarget> {
    let mut found: BTreeMap<String, PlaceTarget> = BTreeMap::new();
    let mut unclear = BTreeSet::new();
    for target in policy.steps.iter().flat_map(|step| &step.targets) {
        if let Target::Place(place) = target
            && hides(place)
        {
            let known = found.insert(hidden(place), place.clone());
            if known.is_some_and(|known| known != *place) {
                unclear.insert(hidden(place));
            }
        }
    }
    found.retain(|shown, _| !unclear.contains(shown));
    found
}

impl PolicyStep {
    fn into_step(
        self,
        index: usize,
        kept: &BTreeMap<String, PlaceTarget>,
        errors: &mut Vec<FieldError>,
    ) -> domain::Step {
        let at = |field: &str| format!("/steps/{index}/{field}");
        let mut targets = Vec::new();
        for (number, text) in self.page.iter().enumerate() {
            let place = at(&format!("page/{number}"));
            if let Some(known) = kept.get(text) {
                targets.push(Target::Place(known.clone()));
            } else if text.ends_with('>') && text.contains(":<") {
                errors.push(FieldError::at(place, "is hidden and not clear; write the address"));
            } else {
                match Target::parse(text) {
                    Ok(target) => targets.push(target),
                    Err(why) => errors.push(FieldError::at(place, why.to_string())),
                }
            }
        }
        let urgency = match self.urgency.as_deref() {
            None => None,
            Some("high") => Some(Urgency::High),
            Some("low") => Some(Urgency::Low),
            Some(_) => {
                errors.push(FieldError::at(at("urgency"), "is neither `high` nor `low`"));
                None
            }
        };
        let working_hours = match self.working_hours.as_deref() {
            None => None,
            Some("inside") => Some(HoursCondition::Inside),
            Some("outside") => Some(HoursCondition::Outside),
            Some(_) => {
                let why = "is neither `inside` nor `outside`";
                errors.push(FieldError::at(at("working_hours"), why));
                None
            }
        };
        domain::Step {
            after: Wait::delay(self.after_seconds, &at("after_seconds"), errors),
            level: CompactString::from(self.level),
            targets,
            round_robin: self.round_robin,
            skip_if_empty: self.skip_if_empty,
            when: Conditions {
                severities: severities(&self.severities, &at("severities"), errors),
                categories: self.categories.iter().map(Into::into).collect(),
                working_hours,
                at_least: self
                    .at_least
                    .map(|it| AtLeast { alerts: it.alerts, within_seconds: it.within_seconds }),
            },
            urgency,
        }
    }
}
