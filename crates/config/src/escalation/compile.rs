//! Sections about paging become what the engine decides by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tocsin_core::escalation::{
    AckMode, AtLeast, Conditions, Delay, EscalationPolicy, EscalationSettings, HoursCondition,
    OutwardHeartbeat, PolicyProblem, Selector, ServicePattern, Step, Target, UserGroup,
    WorkingHours,
};
use tocsin_core::heartbeat::{HeartbeatMonitor, MAX_HEARTBEATS};
use tocsin_core::identity::{Handle, Person, PersonOrigin, Team};
use tocsin_core::labels::Labels;
use tocsin_core::paging::{
    Channel, Contacts, MAX_METHODS_PER_PERSON, MAX_RULES_PER_PERSON, Method, MethodId, QuietHours,
    Rule, Rules, Urgency, Verification, Window, Windows,
};
use tocsin_core::severity::{Severity, SeverityWords};
use tocsin_core::tenant::AUTO_POLICY;

use super::{
    AckWord, ChannelWord, DelayConfig, EscalationPolicyConfig, HeartbeatConfig, HoursWord,
    NotifyConfig, NotifyRuleConfig, PagingConfig, QuietHoursConfig, SeverityWord, StepConfig,
    UrgencyWord, WeekdayWord,
};
use crate::channels::UserGroupConfig;
use crate::document::Document;
use crate::identity::PersonConfig;
use crate::reader::{Reader, nearest};

/// Returns how people are paged; what does not fit together is complained about.
pub(crate) fn compile(
    document: &Document,
    people: &[Person],
    teams: &[Team],
    reader: &mut Reader<'_>,
) -> EscalationSettings {
    let mut contacts = BTreeMap::new();
    for (index, config) in document.people.iter().enumerate() {
        let Some(handle) = &config.handle else { continue };
        if !config.contact_methods.is_empty() || config.notify.is_some() {
            contacts.insert(handle.0.clone(), contacts_of(index, config, reader));
        }
    }
    let policies = document.escalation_policies.iter().enumerate();
    let policies: Vec<_> =
        policies.map(|(index, it)| policy(index, it, people, teams, reader)).collect();
    check_names(document, &policies, reader);
    super::channels::check(document, reader);
    let words = document.severity.words.iter();
    let words = words.map(|(word, it)| (word.to_ascii_lowercase().into(), it.severity()));
    EscalationSettings {
        policies: policies.into_iter().map(Arc::new).collect(),
        contacts,
        severities: SeverityWords {
            own: words.collect(),
            otherwise: document.severity.otherwise.severity(),
        },
        user_groups: user_groups(document),
        ..paging(&document.paging, reader)
    }
}

fn user_groups(document: &Document) -> Vec<UserGroup> {
    let groups = document.channels.slack.user_groups.iter();
    let group = |it: &UserGroupConfig| UserGroup {
        name: it.user_group.as_str().into(),
        schedule: it.schedule.as_str().into(),
    };
    groups.map(group).collect()
}

/// Complains about names that occur twice and about policies that are not there.
fn check_names(document: &Document, policies: &[EscalationPolicy], reader: &mut Reader<'_>) {
    let mut seen = BTreeSet::new();
    for (index, policy) in policies.iter().enumerate() {
        if *policy.name == *AUTO_POLICY {
            let span = reader.place(&format!(".escalation_policies[{index}].name"));
            reader.error_span(span, "`auto` means that the policy is chosen; call it otherwise");
        }
        if !seen.insert(&policy.name) {
            let span = reader.place(&format!(".escalation_policies[{index}].name"));
            reader.error_span(span, format!("a second policy is named `{}`", policy.name));
        }
    }
    for (index, receiver) in document.receivers.iter().enumerate() {
        let name = receiver.escalation_policy.as_str();
        if name.is_empty() || name == AUTO_POLICY || policies.iter().any(|it| *it.name == *name) {
            continue;
        }
        let hint = nearest(name, policies.iter().map(|it| &*it.name).chain([AUTO_POLICY]));
        let span = reader.place(&format!(".receivers[{index}].escalation_policy"));
        // It may be made through the API.
        reader.warn_span(span, format!("no policy of this file is named `{name}`{hint}"));
    }
}

fn policy(
    index: usize,
    config: &EscalationPolicyConfig,
    people: &[Person],
    teams: &[Team],
    reader: &mut Reader<'_>,
) -> EscalationPolicy {
    let path = format!(".escalation_policies[{index}]");
    let mut services = Vec::new();
    for (at, text) in config.services.iter().enumerate() {
        match ServicePattern::parse(text) {
            Ok(pattern) => services.push(pattern),
            Err(why) => {
                let span = reader.place(&format!("{path}.services[{at}]"));
                reader.error_span(span, why.to_string());
            }
        }
    }
    let delay = |it: &Option<DelayConfig>| it.as_ref().map(|it| it.0.clone());
    let policy = EscalationPolicy {
        name: Arc::from(config.name.as_str()),
        description: config.description.clone(),
        team: Some(Arc::from(config.team.as_str())).filter(|_| !config.team.is_empty()),
        serves: Selector {
            services,
            severities: config.severities.iter().map(|it| it.severity()).collect(),
            categories: config.categories.iter().map(|it| it.as_str().into()).collect(),
        },
        is_default: config.default,
        steps: config.steps.iter().map(step).collect(),
        repeat: config.repeat,
        repeat_after: delay(&config.repeat_after).unwrap_or_default(),
        acknowledgement: match config.acknowledgement {
            AckWord::First => AckMode::First,
            AckWord::All => AckMode::All,
        },
        ack_timeout: delay(&config.ack_timeout),
        default_on_call: config.default_on_call.as_ref().map(|it| it.0.clone()),
        origin: PersonOrigin::Provisioned,
    };
    // That `steps` is missing has been said.
    for problem in policy.problems().into_iter().filter(|it| *it != PolicyProblem::NoStep) {
        let span = reader.place(&path);
        reader.error_span(span, problem.to_string());
    }
    for (at, step) in policy.steps.iter().enumerate() {
        for (target, meant) in step.targets.iter().enumerate() {
            if let Some(why) = unknown(meant, people, teams) {
                let span = reader.place(&format!("{path}.steps[{at}].page[{target}]"));
                reader.error_span(span, why);
            }
        }
    }
    if let Some(person) = &policy.default_on_call
        && let Some(why) = unknown_person(person, people)
    {
        let span = reader.place(&format!("{path}.default_on_call"));
        reader.error_span(span, why);
    }
    policy
}

/// Returns what is wrong with a target that the file does not know.
fn unknown(target: &Target, people: &[Person], teams: &[Team]) -> Option<String> {
    let team = match target {
        Target::Person { person } => return unknown_person(person, people),
        Target::Team { team } => Some(team),
        Target::Expertise { team, .. } => team.as_ref(),
        Target::Schedule { .. } | Target::Place(_) => None,
    }?;
    if teams.iter().any(|known| known.name == *team) {
        return None;
    }
    let hint = nearest(team, teams.iter().map(|it| &*it.name));
    Some(format!("no team of this file is named `{team}`{hint}"))
}

fn unknown_person(person: &Handle, people: &[Person]) -> Option<String> {
    if people.iter().any(|known| known.handle == *person) {
        return None;
    }
    let hint = nearest(person.as_str(), people.iter().map(|it| it.handle.as_str()));
    Some(format!("no person of this file has the handle `{person}`{hint}"))
}

fn step(config: &StepConfig) -> Step {
    Step {
        after: config.after.as_ref().map_or_else(Delay::default, |it| it.0.clone()),
        level: config.level.as_str().into(),
        targets: config.page.iter().map(|it| it.0.clone()).collect(),
        round_robin: config.round_robin,
        skip_if_empty: config.skip_if_empty,
        when: Conditions {
            severities: config.severities.iter().map(|it| it.severity()).collect(),
            categories: config.categories.iter().map(|it| it.as_str().into()).collect(),
            working_hours: config.working_hours.map(|it| match it {
                HoursWord::Inside => HoursCondition::Inside,
                HoursWord::Outside => HoursCondition::Outside,
            }),
            at_least: config.at_least.as_ref().map(|it| AtLeast {
                alerts: it.alerts,
                within_seconds: u32::try_from(it.within.as_secs()).unwrap_or(u32::MAX),
            }),
        },
        urgency: config.urgency.map(|it| match it {
            UrgencyWord::High => Urgency::High,
            UrgencyWord::Low => Urgency::Low,
        }),
    }
}

fn contacts_of(index: usize, config: &PersonConfig, reader: &mut Reader<'_>) -> Contacts {
    let path = format!(".people[{index}]");
    let mut contacts = Contacts::default();
    for (at, method) in config.contact_methods.iter().enumerate() {
        let channel = method.channel.channel();
        let text = if method.id.is_empty() { channel.as_str() } else { &method.id };
        let place = format!("{path}.contact_methods[{at}]");
        let id = match MethodId::parse(text) {
            Ok(id) => id,
            Err(why) => {
                let span = reader.place(&format!("{place}.id"));
                reader.error_span(span, why.to_string());
                continue;
            }
        };
        if contacts.method(&id).is_some() {
            let span = reader.place(&place);
            let why = format!("a second contact method is named `{id}`; give it an `id`");
            reader.error_span(span, why);
        }
        contacts.methods.push(Method {
            id,
            channel,
            address: method.address.as_ref().map(|it| it.0.clone()).unwrap_or_default(),
            verification: Verification::Verified { at: Timestamp::UNIX_EPOCH },
            is_provisioned: true,
            is_stopped: false,
        });
    }
    if contacts.methods.len() > MAX_METHODS_PER_PERSON {
        let span = reader.place(&format!("{path}.contact_methods"));
        let why = format!("nobody has more than {MAX_METHODS_PER_PERSON} contact methods");
        reader.error_span(span, why);
    }
    if let Some(notify) = &config.notify {
        contacts.rules = rules(&path, notify, &contacts, reader);
    }
    contacts
}

fn rules(path: &str, config: &NotifyConfig, contacts: &Contacts, reader: &mut Reader<'_>) -> Rules {
    let mut read = |key: &str, list: &[NotifyRuleConfig]| {
        let mut rules = Vec::new();
        for (at, rule) in list.iter().enumerate() {
            let known = contacts.methods.iter().find(|method| method.id.as_str() == rule.by);
            let Some(method) = known else {
                let hint =
                    nearest(&rule.by, contacts.methods.iter().map(|method| method.id.as_str()));
                let span = reader.place(&format!("{path}.notify.{key}[{at}].by"));
                let why = format!("the person has no contact method `{}`{hint}", rule.by);
                reader.error_span(span, why);
                continue;
            };
            let after_seconds = u32::try_from(rule.after.as_secs()).unwrap_or(u32::MAX);
            rules.push(Rule { after_seconds, method: method.id.clone() });
        }
        if rules.len() > MAX_RULES_PER_PERSON {
            let span = reader.place(&format!("{path}.notify.{key}"));
            reader.error_span(span, format!("more than {MAX_RULES_PER_PERSON} rules"));
        }
        rules
    };
    let (high, low) = (read("high", &config.high), read("low", &config.low));
    let quiet_hours = config.quiet_hours.as_ref().and_then(quiet_hours);
    Rules { high, low, quiet_hours, wants_updates: config.updates }
}

fn quiet_hours(config: &QuietHoursConfig) -> Option<QuietHours> {
    Some(QuietHours {
        from: config.from.as_ref()?.0,
        to: config.to.as_ref()?.0,
        weekdays: config.weekdays.iter().map(|it| it.number()).collect(),
    })
}

fn paging(config: &PagingConfig, reader: &mut Reader<'_>) -> EscalationSettings {
    let defaults = EscalationSettings::default();
    let hours = &config.working_hours;
    let usual = WorkingHours::default();
    let weekdays: Vec<u8> = hours.weekdays.iter().map(|it| it.number()).collect();
    let mut windows = BTreeMap::new();
    for (name, list) in &config.throttle {
        let Some(channel) = Channel::from_word(name) else {
            let hint = nearest(name, Channel::ALL.into_iter().map(Channel::as_str));
            let span = reader.place(&format!(".paging.throttle.{name}"));
            reader.error_span(span, format!("there is no channel `{name}`{hint}"));
            continue;
        };
        let mut list: Vec<Window> = list
            .iter()
            .map(|it| Window {
                most: usize::try_from(it.most.max(1)).unwrap_or(usize::MAX),
                span: signed(it.within),
            })
            .collect();
        list.sort_by_key(|window| window.span);
        windows.insert(channel, Windows(list));
    }
    EscalationSettings {
        working_hours: WorkingHours {
            from: hours.from.as_ref().map_or(usual.from, |it| it.0),
            to: hours.to.as_ref().map_or(usual.to, |it| it.0),
            weekdays: if weekdays.is_empty() { usual.weekdays } else { weekdays },
        },
        windows,
        retries: config.retries.iter().take(10).map(|it| signed(*it)).collect(),
        remember: signed(config.remember),
        breaker_failures: config.channel_failures,
        breaker_pause: signed(config.channel_pause),
        outward_heartbeat: config.heartbeat.as_ref().and_then(|it| {
            Some(OutwardHeartbeat { url: it.url.as_ref()?.0.clone(), every: signed(it.every) })
        }),
        ..defaults
    }
}

/// Returns what is expected to say that it is alive.
pub(crate) fn heartbeats(document: &Document, reader: &mut Reader<'_>) -> Vec<HeartbeatMonitor> {
    let mut monitors: Vec<HeartbeatMonitor> = Vec::new();
    if document.heartbeats.len() > MAX_HEARTBEATS {
        let span = reader.place(".heartbeats");
        reader.error_span(span, format!("more than {MAX_HEARTBEATS} heartbeats"));
    }
    for (index, config) in document.heartbeats.iter().enumerate() {
        let HeartbeatConfig { name, timeout, labels, annotations } = config;
        if monitors.iter().any(|other| *other.name == **name) {
            let span = reader.place(&format!(".heartbeats[{index}].name"));
            reader.error_span(span, format!("a second heartbeat is named `{name}`"));
        }
        let pairs = |map: &BTreeMap<String, String>| -> Labels {
            map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        };
        monitors.push(HeartbeatMonitor {
            name: Arc::from(name.as_str()),
            timeout: signed(*timeout),
            labels: pairs(labels),
            annotations: pairs(annotations),
        });
    }
    monitors
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

impl SeverityWord {
    /// Returns the severity.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Sev1 => Severity::Sev1,
            Self::Sev2 => Severity::Sev2,
            Self::Sev3 => Severity::Sev3,
            Self::Sev4 => Severity::Sev4,
            Self::Sev5 => Severity::Sev5,
        }
    }
}

impl WeekdayWord {
    /// Returns the ISO number: Monday is 1.
    fn number(self) -> u8 {
        match self {
            Self::Monday => 1,
            Self::Tuesday => 2,
            Self::Wednesday => 3,
            Self::Thursday => 4,
            Self::Friday => 5,
            Self::Saturday => 6,
            Self::Sunday => 7,
        }
    }
}

impl ChannelWord {
    /// Returns the channel.
    pub(crate) fn channel(self) -> Channel {
        match self {
            Self::Email => Channel::Email,
            Self::Sms => Channel::Sms,
            Self::Voice => Channel::Voice,
            Self::Slack => Channel::Slack,
            Self::Msteams => Channel::Msteams,
            Self::Telegram => Channel::Telegram,
            Self::Mattermost => Channel::Mattermost,
            Self::Discord => Channel::Discord,
            Self::Ntfy => Channel::Ntfy,
            Self::WebPush => Channel::WebPush,
            Self::Webhook => Channel::Webhook,
            Self::Pagerduty => Channel::Pagerduty,
            Self::Opsgenie => Channel::Opsgenie,
            Self::Stdout => Channel::Stdout,
        }
    }
}
