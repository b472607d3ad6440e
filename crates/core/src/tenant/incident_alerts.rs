//! Alerts belong to incidents: they begin one, join one, bring one back, and let it end.

use jiff::Timestamp;

use super::incident_change::invalid;
use super::incidents::Held;
use super::{Tenant, later};
use crate::event::Event;
use crate::ids::GroupNumber;
use crate::incident::{
    AlertRole, Author, Fact, Incident, IncidentAlert, IncidentKey, IncidentNumber,
    IncidentRejection, Recovery, ResolutionCode, Status, alert_roles,
};
use crate::labels::{ALERTNAME, Fingerprint, Labels, TEAM};
use crate::severity::SEVERITY;

/// The most alerts of one incident; further ones are counted.
pub(super) const MAX_ALERTS_PER_INCIDENT: usize = 10_000;

/// The label that names the service.
pub(super) const SERVICE: &str = "service";

/// How many alerts a row of the timeline names; the others are counted.
pub(super) const MAX_NAMED_ALERTS: usize = 5;

impl Tenant {
    /// A group is looked at: what fires of it and is not held back belongs to an incident.
    pub(super) fn open_incident_for(
        &mut self,
        now: Timestamp,
        group: GroupNumber,
        firing: &std::collections::BTreeSet<Fingerprint>,
    ) {
        let is_new = |fp: &&Fingerprint| !self.incidents.by_alert.contains_key(fp);
        let new: Vec<Fingerprint> = firing.iter().filter(is_new).copied().collect();
        if new.is_empty() {
            return;
        }
        let Some(known) = self.groups.get(&group) else { return };
        let (key, labels) = (IncidentKey::of_group(&known.key), known.labels.clone());
        // Whoever shares alerts with an open incident belongs there, whichever route tells it.
        let shared = firing.iter().filter_map(|fp| self.incidents.by_alert.get(fp)).copied();
        let shared: Vec<IncidentNumber> = shared.filter(|it| self.is_open(*it)).collect();
        // Where some of them were split off, the key says which one is meant.
        let by_key = self.incidents.by_key.get(&key).copied();
        let open = by_key.filter(|it| shared.contains(it)).or(shared.first().copied()).or(by_key);
        if let Some(open) = open.or_else(|| self.incident_of_other_groups(&new)) {
            self.join_incident(now, open, &new, false);
            return;
        }
        let Some(why) = self.reason_to_open(group, &new) else { return };
        let earlier = self.incidents.latest.get(&key).copied();
        if let Some(earlier) = earlier.filter(|it| self.comes_back(*it, now)) {
            let note = "it fires again".to_owned();
            self.move_incident(now, earlier, Status::Detected, &Author::system(), note, None);
            self.join_incident(now, earlier, &new, false);
            return;
        }
        self.open_by_alerts(now, key, &labels, &new, (why, earlier));
    }

    /// Returns the open incident of another group that one of the alerts is in, which may not have
    /// been looked at yet.
    fn incident_of_other_groups(&self, new: &[Fingerprint]) -> Option<IncidentNumber> {
        let alerts = new.iter().filter_map(|fp| self.alerts.get(fp));
        let groups = alerts.flat_map(|alert| &alert.groups).filter_map(|it| self.groups.get(it));
        let mut keys = groups.map(|group| IncidentKey::of_group(&group.key));
        keys.find_map(|key| self.incidents.by_key.get(&key).copied())
    }

    /// Returns why alerts of a group are an incident; `None` when they are none.
    fn reason_to_open(&self, group: GroupNumber, new: &[Fingerprint]) -> Option<String> {
        let route = self.policy.routes.get(self.groups.get(&group)?.route);
        let receiver = self.policy.receiver(&route.receiver)?;
        if receiver.escalation_policy.is_some() {
            return Some(format!("receiver `{}` pages", receiver.name));
        }
        let from = self.policy.incidents.open_from?;
        let words = &self.policy.escalation.severities;
        let named = new.iter().filter_map(|fp| self.alerts.get(fp)?.identity.labels.get(SEVERITY));
        // An alert that says nothing about itself is no reason to begin an incident.
        let worst = named.map(|word| words.read(Some(word))).min()?;
        (worst <= from).then(|| format!("alerts of {worst} are incidents from {from} on"))
    }

    fn is_open(&self, number: IncidentNumber) -> bool {
        self.incidents.held.get(&number).is_some_and(|held| held.incident.is_active())
    }

    /// Returns whether an incident that is over is what fires now.
    fn comes_back(&self, number: IncidentNumber, now: Timestamp) -> bool {
        let Some(Held { incident, .. }) = self.incidents.held.get(&number) else { return false };
        let cycle = incident.record.cycle();
        incident.status() == Status::Resolved
            && incident.record.may_reopen()
            && cycle.resolution.is_some_and(ResolutionCode::may_reopen)
            && cycle
                .resolved_at
                .is_some_and(|at| now < later(at, self.policy.incidents.reopen_window))
    }

    fn open_by_alerts(
        &mut self,
        now: Timestamp,
        key: IncidentKey,
        labels: &Labels,
        new: &[Fingerprint],
        (why, earlier): (String, Option<IncidentNumber>),
    ) {
        let facts = self.facts(new, labels);
        if !self.has_room_for_incident() {
            let limit = super::incidents::MAX_OPEN_INCIDENTS;
            let text = format!("{limit} incidents are open; {} does not become one", facts.title);
            self.own_alert(now, "TocsinTooManyIncidents", &[], &text);
            return;
        }
        let is_storm = self.is_storm(now);
        if is_storm
            && let Some(storm) = self.incidents.by_key.get(&IncidentKey::of_storm()).copied()
        {
            self.join_incident(now, storm, new, false);
            return;
        }
        let number = IncidentNumber(self.highest.incident.0 + 1);
        self.highest.incident = number;
        let limit = self.policy.incidents.storm_limit;
        let (key, title, why) = if is_storm {
            let minutes = crate::incident::IncidentSettings::STORM_WINDOW.as_mins();
            let title = format!("Alert storm: more than {limit} incidents in {minutes} minutes");
            (IncidentKey::of_storm(), title, "what begins now is one incident".to_owned())
        } else {
            self.incidents.begun.push_back(now);
            (key, facts.title, why)
        };
        let mut incident = Incident::new(number, now, Author::system(), title, facts.severity);
        incident.key = Some(key);
        incident.recurrence_of = earlier.filter(|_| !is_storm);
        if !is_storm {
            incident.category = crate::incident::Category::parse(&facts.category);
            incident.labels = with_label(labels, SERVICE, &facts.service);
            incident.labels = with_label(&incident.labels, TEAM, &facts.team);
            incident.service = facts.service;
        }
        incident.restricted = self.restriction_by_category(now, &incident);
        let alerts = self.numbers_of(&new.iter().copied().collect());
        self.begin_incident(now, incident, &alerts, why);
        self.tell_restricted(now, number);
        self.join_incident(now, number, new, true);
    }

    /// Alerts belong to an open incident from now on. That it opened has told of those that it
    /// opened with.
    fn join_incident(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        new: &[Fingerprint],
        is_told: bool,
    ) {
        let mut joined = Vec::new();
        let mut names = Vec::new();
        for fingerprint in new {
            let Some(alert) = self.alerts.get(fingerprint) else { continue };
            let (life, name) = (alert.identity.number, alert_name(&alert.identity.labels));
            let Some(held) = self.incidents.held.get_mut(&number) else { return };
            let is_known = held.alerts.contains_key(fingerprint);
            if !is_known && held.alerts.len() >= MAX_ALERTS_PER_INCIDENT {
                held.left_out.insert(*fingerprint);
                held.firing += 1;
                self.incidents.by_alert.insert(*fingerprint, number);
                // Those that were counted before a start are found one by one.
                let known = held.left_out.len() as u64;
                held.incident.alerts_left_out = held.incident.alerts_left_out.max(known);
                self.recorder.incidents.insert(number);
                continue;
            }
            let row = IncidentAlert {
                fingerprint: *fingerprint,
                alert: life,
                joined_at: now,
                role: None,
            };
            held.alerts.insert(*fingerprint, row);
            held.firing += 1;
            self.incidents.by_alert.insert(*fingerprint, number);
            self.recorder.left_incident_alerts.remove(&(number, *fingerprint));
            self.recorder.incident_alerts.insert((number, *fingerprint));
            joined.push(life);
            if names.len() < MAX_NAMED_ALERTS {
                names.push(name);
            }
        }
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        if held.firing > 0 && held.fires_again() {
            self.recorder.incidents.insert(number);
        }
        self.incidents.stirred.insert(number, true);
        if !joined.is_empty() {
            let (system, count) = (Author::system(), joined.len());
            if !is_told {
                self.record(now, Event::IncidentJoined { incident: number, alerts: joined });
            }
            self.tell_incident(
                now,
                number,
                &system,
                now,
                Fact::AlertsJoined { alerts: names, count },
            );
        }
        self.note_traits(number, new);
        self.raise_severity(now, number, new);
        self.set_incident_timer(now, number);
    }

    /// Worse alerts make an incident worse, unless a person said how bad it is.
    fn raise_severity(&mut self, now: Timestamp, number: IncidentNumber, new: &[Fingerprint]) {
        let words = &self.policy.escalation.severities;
        let read =
            |fp: &Fingerprint| Some(words.read(self.alerts.get(fp)?.identity.labels.get(SEVERITY)));
        let Some(worst) = new.iter().filter_map(read).min() else { return };
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let from = held.incident.severity;
        if worst >= from || held.incident.severity_by.is_some() {
            return;
        }
        held.incident.severity = worst;
        let reason = "a worse alert joined".to_owned();
        let fact = Fact::SeverityChanged { from, to: worst, reason };
        self.tell_incident(now, number, &Author::system(), now, fact);
    }

    /// An alert is something else in its incident than it was held to be.
    pub(super) fn set_alert_role(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        fingerprint: Fingerprint,
        role: AlertRole,
    ) -> Result<bool, IncidentRejection> {
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let alerts: Vec<IncidentAlert> = held.alerts.values().copied().collect();
        let roles = alert_roles(&alerts);
        let known = alerts.iter().zip(roles).find(|(it, _)| it.fingerprint == fingerprint);
        let Some((alert, before)) = known else {
            return Err(invalid("fingerprint", "must be that of an alert of this incident"));
        };
        if alert.role == Some(role) {
            return Ok(false);
        }
        for it in held.alerts.values_mut() {
            // One is the root: whichever was said to be it before is a symptom.
            let is_it = it.fingerprint == fingerprint;
            let was_root = role == AlertRole::Root && it.role == Some(AlertRole::Root);
            if is_it || was_root {
                it.role = Some(if is_it { role } else { AlertRole::Symptom });
                self.recorder.incident_alerts.insert((number, it.fingerprint));
            }
        }
        let name = self.identity(fingerprint).map(|it| alert_name(&it.labels));
        let field = match name {
            Some(name) => format!("role of {name}"),
            None => format!("role of alert {fingerprint}"),
        };
        let (before, after) = (before.as_str().to_owned(), role.as_str().to_owned());
        self.tell_incident(
            now,
            number,
            by,
            now,
            Fact::Edited { field: field.into(), before, after },
        );
        Ok(true)
    }

    /// An alert fires that did not before.
    pub(super) fn incident_alert_fires(&mut self, now: Timestamp, fingerprint: Fingerprint) {
        let Some(number) = self.incidents.by_alert.get(&fingerprint).copied() else { return };
        let life = self.alerts.get(&fingerprint).map(|alert| alert.identity.number);
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.firing += 1;
        if held.fires_again() {
            self.recorder.incidents.insert(number);
        }
        if let (Some(row), Some(life)) = (held.alerts.get_mut(&fingerprint), life)
            && row.alert != life
        {
            row.alert = life;
            self.recorder.incident_alerts.insert((number, fingerprint));
        }
        self.incidents.stirred.entry(number).or_default();
        self.set_incident_timer(now, number);
    }

    /// An alert is over. One whose incident is over, too, belongs to it no more: when it fires
    /// again, that is news.
    pub(super) fn incident_alert_ends(
        &mut self,
        now: Timestamp,
        fingerprint: Fingerprint,
        is_silent: bool,
    ) {
        let Some(number) = self.incidents.by_alert.get(&fingerprint).copied() else { return };
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.firing = held.firing.saturating_sub(1);
        if !held.incident.is_active() {
            self.incidents.by_alert.remove(&fingerprint);
            return;
        }
        self.incidents.stirred.entry(number).or_default();
        self.look_at_recovery(now, number, is_silent);
        self.set_incident_timer(now, number);
    }

    /// Notes when nothing of an open incident fires any more.
    pub(super) fn look_at_recovery(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        is_silent: bool,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let is_over = held.firing == 0 && !held.alerts.is_empty();
        let incident = &held.incident;
        let is_noted = incident.recovered.is_some() || incident.rests;
        if !is_over || !incident.is_active() || is_noted {
            return;
        }
        // Those that nobody remembers may have been lost rather than over.
        let is_lost = held.members().all(|fp| !self.alerts.contains_key(&fp));
        let is_silent = is_silent || is_lost;
        held.incident.recovered = Some(Recovery { at: now, is_silent });
        self.recorder.incidents.insert(number);
        self.tell_incident(now, number, &Author::system(), now, Fact::Recovered { is_silent });
    }

    /// Something may have to be done about an incident by itself.
    pub(super) fn incident_due(&mut self, now: Timestamp, number: IncidentNumber) {
        let has_open_child = self.has_open_child(number);
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.wake_at = None;
        self.incidents.stirred.entry(number).or_default();
        let deadline = super::incidents::next_deadline(&held.incident, &self.policy.incidents);
        let waits = held.incident.is_active() && has_open_child;
        if deadline.is_some_and(|at| at <= now) && !waits {
            let system = Author::system();
            if held.incident.is_active() {
                let code = Some(ResolutionCode::SelfRecovered);
                let note = match held.incident.recovered {
                    Some(Recovery { is_silent: true, .. }) => "nobody tells of it any more",
                    _ => "nothing of it fires any more",
                };
                self.move_incident(now, number, Status::Resolved, &system, note.to_owned(), code);
            } else if self.missing_to_close(number).is_empty() {
                let note = "nothing was left to do".to_owned();
                self.move_incident(now, number, Status::Closed, &system, note, None);
            } else {
                // Whatever lets it be closed looks at it anew.
                return;
            }
        }
        self.set_incident_timer(now, number);
    }
}

/// Returns the labels, this one among them; without it when it has no value.
pub(super) fn with_label(labels: &Labels, label: &str, value: &str) -> Labels {
    let others = labels.iter().filter(|(name, _)| *name != label);
    others.chain([(label, value)]).collect()
}

/// Returns what people call an alert.
pub(super) fn alert_name(labels: &Labels) -> String {
    let others: Labels = labels.iter().filter(|(name, _)| *name != ALERTNAME).collect();
    match (labels.get(ALERTNAME), others.is_empty()) {
        (Some(name), true) => name.to_owned(),
        (name, _) => format!("{}{others}", name.unwrap_or_default()),
    }
}
