//! Escalations begin when a group is told, and alerts join those that are open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;

use super::escalate::{AUTO_POLICY, urgency_of};
use super::flush::Telling;
use super::{Tenant, later};
use crate::alert::IncomingAlert;
use crate::escalation::{End, EscalationPolicy, EscalationRun, Next, RunKey, RunState, select};
use crate::event::Event;
use crate::ids::{GroupNumber, RunNumber};
use crate::incident::IncidentNumber;
use crate::labels::{ALERTNAME, Fingerprint, Labels, TEAM};
use crate::notification::{LogEntry, LogKey, NotifyReason};
use crate::severity::{SEVERITY, Severity};

/// The most escalations that are open at once; beyond it nothing new begins, and that is an alert.
const MAX_OPEN_RUNS: usize = 100_000;

/// The most characters of a title.
const MAX_TITLE_CHARS: usize = 200;

/// What the alerts of an escalation or an incident say about it.
pub(super) struct Facts {
    pub(super) severity: Severity,
    pub(super) service: CompactString,
    /// Whose it is; empty while nobody knows.
    pub(super) team: CompactString,
    pub(super) category: CompactString,
    pub(super) title: String,
}

/// What stands in the place of a group for an escalation about a declared incident, before its
/// number.
pub(super) const INCIDENT_GROUP: &str = "incident/";

impl Tenant {
    /// A group is told to a receiver with a policy: people are paged instead of a message sent.
    pub(super) fn tell_escalation(
        &mut self,
        now: Timestamp,
        number: GroupNumber,
        key: &LogKey,
        telling: Telling,
        reason: NotifyReason,
    ) {
        let Some(group) = self.groups.get(&number) else { return };
        let route = self.policy.routes.get(group.route);
        let life = self.policy.retention.min(route.repeat_interval.saturating_mul(2));
        let run_key = RunKey { receiver: Arc::clone(&key.receiver), group: Arc::clone(&key.group) };
        let group_labels = group.labels.clone();
        let Telling { firing, resolved, kept } = telling;
        match reason {
            NotifyReason::First | NotifyReason::NewAlerts | NotifyReason::Unmuted => {
                self.escalate(now, &run_key, &group_labels, &firing);
            }
            NotifyReason::AllResolved => {
                for run in self.runs_that_ended(&run_key, &resolved) {
                    self.end_run(now, run, End::AlertsResolved);
                }
            }
            NotifyReason::SomeResolved | NotifyReason::Repeat => {}
        }
        let mut told = firing;
        told.extend(kept);
        told.sort_unstable();
        let page_key = (!told.is_empty()).then(|| Arc::clone(&key.group));
        let entry = LogEntry {
            told_at: now,
            firing: told,
            resolved,
            expires_at: later(now, life),
            receipt: None,
            page_key,
            doubted: Vec::new(),
        };
        self.log.insert(key.clone(), entry);
        self.recorder.forgotten_log.remove(key);
        self.recorder.log.insert(key.clone());
    }

    /// Returns the escalations of a group of which nothing fires any more; after a reload it may
    /// have begun under another key.
    fn runs_that_ended(&self, key: &RunKey, resolved: &[Fingerprint]) -> BTreeSet<RunNumber> {
        let fires = |fp: &Fingerprint| self.alerts.get(fp).is_some_and(|it| !it.is_resolved);
        let of_alerts =
            resolved.iter().filter_map(|fp| self.escalations.by_alert.get(fp)).flatten();
        of_alerts
            .filter_map(|number| self.escalations.runs.get(number))
            .filter(|run| run.key.receiver == key.receiver && !run.alerts.iter().any(fires))
            .map(|run| run.number)
            .chain(self.escalations.by_key.get(key).copied())
            .collect()
    }

    /// Begins an escalation, or adds alerts to the one that is open.
    fn escalate(
        &mut self,
        now: Timestamp,
        key: &RunKey,
        group_labels: &Labels,
        firing: &[Fingerprint],
    ) {
        let open = self.escalations.by_key.get(key).copied().or_else(|| {
            // Alerts may have moved to a group with another key.
            let runs = firing.iter().filter_map(|fp| self.escalations.by_alert.get(fp)).flatten();
            let mut runs = runs.filter_map(|number| self.escalations.runs.get(number));
            runs.find(|run| run.key.receiver == key.receiver).map(|run| run.number)
        });
        match open {
            Some(run) => self.join_run(now, run, key, firing),
            None => self.start_run(now, key, group_labels, firing),
        }
    }

    fn start_run(
        &mut self,
        now: Timestamp,
        key: &RunKey,
        group_labels: &Labels,
        firing: &[Fingerprint],
    ) {
        let facts = self.facts(firing, group_labels);
        let named = self.policy.receiver(&key.receiver).and_then(|it| it.escalation_policy.clone());
        let chosen = match named.as_deref().filter(|name| *name != AUTO_POLICY) {
            Some(name) => self.escalation_policy(name).map(|policy| {
                (Arc::clone(policy), format!("receiver `{}` names it", key.receiver))
            }),
            None => None,
        };
        let chosen = chosen.or_else(|| {
            let policies = self.escalation_policies();
            let found = select(policies, &facts.service, facts.severity, &facts.category)?;
            Some((Arc::clone(found.0), found.1))
        });
        let Some((policy, why)) = chosen else {
            let wanted = named.as_deref().unwrap_or(AUTO_POLICY);
            let text = format!(
                "receiver `{}` wants the escalation policy `{wanted}`, and there is none for {}",
                key.receiver, facts.title
            );
            self.own_alert(now, "TocsinNobodyToPage", &[("receiver", &key.receiver)], &text);
            return;
        };
        let alerts = firing.iter().copied().collect();
        self.open_run(now, key.clone(), policy, why, facts, group_labels.clone(), alerts);
    }

    #[expect(clippy::too_many_arguments, reason = "one call site each for alerts and for people")]
    fn open_run(
        &mut self,
        now: Timestamp,
        key: RunKey,
        policy: Arc<EscalationPolicy>,
        why: String,
        facts: Facts,
        group_labels: Labels,
        alerts: BTreeSet<Fingerprint>,
    ) -> Option<RunNumber> {
        if !self.has_room_for_run() {
            let text =
                format!("{MAX_OPEN_RUNS} escalations are open; {} pages nobody", facts.title);
            self.own_alert(now, "TocsinTooManyEscalations", &[], &text);
            return None;
        }
        let number = RunNumber(self.highest.run.0 + 1);
        self.highest.run = number;
        let Facts { severity, service, category, title, .. } = facts;
        self.record(
            now,
            Event::EscalationStarted {
                run: number,
                group: Arc::clone(&key.group),
                receiver: Arc::clone(&key.receiver),
                policy: Arc::clone(&policy.name),
                severity,
                title: title.clone(),
                alerts: self.numbers_of(&alerts),
                why: why.clone(),
            },
        );
        for fingerprint in &alerts {
            self.escalations.by_alert.entry(*fingerprint).or_default().insert(number);
        }
        self.escalations.by_key.insert(key.clone(), number);
        let due_at = later(now, policy.delay_of(0, severity));
        let run = EscalationRun {
            number,
            key,
            policy,
            why,
            title,
            service,
            category,
            group_labels,
            severity,
            alerts,
            started_at: now,
            state: RunState::Open,
            next: Some(Next { step: 0, due_at }),
            still_since: None,
            reopened_at: None,
            round: 1,
            reached: Vec::new(),
            people: BTreeMap::new(),
            places: BTreeMap::new(),
            planned: Vec::new(),
            waiting: Vec::new(),
            unanswered_at: None,
            sent: Vec::new(),
            wake_at: None,
        };
        self.escalations.runs.insert(number, run);
        self.recorder.runs.insert(number);
        self.link_run(number);
        self.give_to_whoever_works(now, number);
        self.advance_run(now, number);
        Some(number)
    }

    /// Begins an escalation that a person asks for, without any alert.
    pub(super) fn page_by_hand(
        &mut self,
        now: Timestamp,
        policy: Arc<EscalationPolicy>,
        id: uuid::Uuid,
        by: &str,
        (title, service, severity): (String, CompactString, Severity),
    ) -> Option<RunNumber> {
        let key = RunKey { receiver: "".into(), group: format!("by-hand/{id}").into() };
        if let Some(known) = self.escalations.by_key.get(&key) {
            return Some(*known);
        }
        let title: String = title.chars().take(MAX_TITLE_CHARS).collect();
        let (team, category) = Default::default();
        let facts = Facts { severity, service, team, category, title };
        let why = format!("{by} asked for it");
        self.open_run(now, key, policy, why, facts, Labels::default(), BTreeSet::new())
    }

    /// Begins an escalation about an incident that somebody declares; there is room for one.
    pub(super) fn page_for_incident(
        &mut self,
        now: Timestamp,
        policy: Arc<EscalationPolicy>,
        number: IncidentNumber,
    ) {
        let Some(incident) = self.incident(number) else { return };
        let title = match &incident.restricted {
            // Whoever takes it may see it; who is paged and does not, need not know more.
            Some(_) => "an incident that few may see".to_owned(),
            None => incident.title.clone(),
        };
        let (labels, severity) = (incident.labels.clone(), incident.severity);
        let (service, team) = (incident.service.clone(), labels.value(TEAM).into());
        let category = incident.category.map(|it| it.as_str().into()).unwrap_or_default();
        let facts = Facts { severity, service, team, category, title };
        let why = format!("{} asked for it, declaring incident {number}", incident.created_by.name);
        let key = RunKey { receiver: "".into(), group: format!("{INCIDENT_GROUP}{number}").into() };
        self.open_run(now, key, policy, why, facts, labels, BTreeSet::new());
    }

    /// Returns whether another escalation may begin.
    pub(super) fn has_room_for_run(&self) -> bool {
        self.escalations.by_key.len() < MAX_OPEN_RUNS
    }

    /// Alerts join an open escalation. Whoever works on it is disturbed only when it got worse.
    fn join_run(
        &mut self,
        now: Timestamp,
        number: RunNumber,
        key: &RunKey,
        firing: &[Fingerprint],
    ) {
        let Some(run) = self.escalations.runs.get(&number) else { return };
        let group_labels = run.group_labels.clone();
        let all: BTreeSet<Fingerprint> =
            run.alerts.iter().copied().chain(firing.iter().copied()).collect();
        let firing_now: Vec<Fingerprint> = all
            .iter()
            .copied()
            .filter(|fp| self.alerts.get(fp).is_some_and(|alert| !alert.is_resolved))
            .collect();
        let facts = self.facts(&firing_now, &group_labels);
        let Some(run) = self.escalations.runs.get_mut(&number) else { return };
        let joined: Vec<Fingerprint> =
            firing.iter().copied().filter(|fp| run.alerts.insert(*fp)).collect();
        if run.key != *key {
            self.escalations.by_key.remove(&run.key);
            run.key = key.clone();
            self.escalations.by_key.insert(key.clone(), number);
        }
        for fingerprint in &joined {
            self.escalations.by_alert.entry(*fingerprint).or_default().insert(number);
        }
        let is_worse = facts.severity < run.severity;
        let old = run.severity;
        run.severity = run.severity.min(facts.severity);
        run.title = facts.title;
        self.recorder.runs.insert(number);
        self.link_run(number);
        let has_joined = !joined.is_empty();
        if has_joined {
            let alerts = self.numbers_of(&joined.into_iter().collect());
            self.record(now, Event::EscalationJoined { run: number, alerts });
        }
        if is_worse {
            let Some(run) = self.escalations.runs.get(&number) else { return };
            let severity = run.severity;
            let is_taken = !matches!(run.state, RunState::Open);
            let is_exhausted = run.next.is_none();
            self.record(now, Event::EscalationWorsened { run: number, from: old, to: severity });
            let wakes_up = urgency_of(old) != urgency_of(severity);
            let why = format!("it went from {old} to {severity}");
            if is_taken {
                self.reopen_run(now, number, why, true);
            } else if is_exhausted || wakes_up {
                self.begin_again(now, number, why);
            } else if let Some(run) = self.escalations.runs.get_mut(&number)
                && let Some(next) = &mut run.next
            {
                // What stands still moves by all that time once it goes on.
                let from = run.still_since.unwrap_or(now);
                let due_at = later(from, run.policy.delay_of(next.step, severity));
                next.due_at = next.due_at.min(due_at);
            }
        } else if has_joined && self.is_given_up(number) {
            let why = "something new fires, and nobody answered to the last step".to_owned();
            self.begin_again(now, number, why);
        }
        self.look_at_run(now, number);
    }

    /// Returns whether all steps are done and nobody works on it.
    fn is_given_up(&self, number: RunNumber) -> bool {
        self.escalations.runs.get(&number).is_some_and(|run| {
            let is_over = run.next.is_none() && run.planned.is_empty() && run.waiting.is_empty();
            let is_answered = run.people.values().any(|paged| paged.acknowledged_at.is_some());
            run.state == RunState::Open && is_over && !is_answered
        })
    }

    /// Raises an alert of our own: about what only we can notice.
    pub(super) fn own_alert(
        &mut self,
        now: Timestamp,
        name: &str,
        labels: &[(&str, &str)],
        summary: &str,
    ) {
        self.own_alert_until(now, name, labels, summary, None);
    }

    /// Does so; the alert ends then unless it is told again.
    pub(super) fn own_alert_until(
        &mut self,
        now: Timestamp,
        name: &str,
        labels: &[(&str, &str)],
        summary: &str,
        ends_at: Option<Timestamp>,
    ) {
        let own = [(ALERTNAME, name), (SEVERITY, "critical"), ("source", "tocsin")];
        let labels: Labels = own.into_iter().chain(labels.iter().copied()).collect();
        let annotations = Labels::from([("summary", summary)]);
        let mut alert = IncomingAlert::new(labels, annotations);
        alert.ends_at = ends_at;
        self.ingest(now, vec![alert]);
    }

    pub(super) fn numbers_of(
        &self,
        alerts: &BTreeSet<Fingerprint>,
    ) -> Vec<crate::ids::AlertNumber> {
        let known = alerts.iter().filter_map(|fp| self.alerts.get(fp));
        known.map(|alert| alert.identity.number).collect()
    }

    /// Returns what alerts say about the escalation that they are in.
    pub(super) fn facts(&self, firing: &[Fingerprint], group_labels: &Labels) -> Facts {
        let alerts: Vec<_> = firing.iter().filter_map(|fp| self.alerts.get(fp)).collect();
        let common = Labels::common(alerts.iter().map(|alert| &alert.identity.labels));
        let annotations = Labels::common(alerts.iter().map(|alert| &alert.description.annotations));
        let words = &self.policy.escalation.severities;
        let severity = alerts
            .iter()
            .map(|alert| words.read(alert.identity.labels.get(SEVERITY)))
            .min()
            .unwrap_or(words.otherwise);
        let first = |name: &str| {
            let named = || alerts.iter().find_map(|alert| alert.identity.labels.get(name));
            let own = group_labels.get(name).or_else(|| common.get(name));
            CompactString::from(own.or_else(named).unwrap_or_default())
        };
        let (service, category) = (first("service"), first("category"));
        let mut team = first(TEAM);
        if team.is_empty() {
            team = self.team_of_service(&service);
        }
        let mut title = match common.get(ALERTNAME) {
            Some(name) => name.to_owned(),
            None => format!("{} alerts", alerts.len()),
        };
        if !service.is_empty() {
            title.push_str(" on ");
            title.push_str(&service);
        }
        let summary =
            ["summary", "message", "description"].iter().find_map(|it| annotations.get(it));
        if let Some(summary) = summary.filter(|text| !text.trim().is_empty()) {
            title.push_str(": ");
            title.push_str(summary.trim());
        }
        let title = title.chars().map(|c| if c.is_control() { ' ' } else { c });
        let title = title.take(MAX_TITLE_CHARS).collect();
        Facts { severity, service, team, category, title }
    }

    /// Returns the team of the first policy that is for this service; empty for none.
    pub fn team_of_service(&self, service: &str) -> CompactString {
        let serves = |policy: &&Arc<EscalationPolicy>| {
            !service.is_empty() && policy.serves.services.iter().any(|it| it.matches(service))
        };
        let mut teams = self.escalation_policies().filter(serves).filter_map(|it| it.team.as_ref());
        teams.next().map(|team| CompactString::from(&**team)).unwrap_or_default()
    }
}
