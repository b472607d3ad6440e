//! Notices: one message to one person about an incident, by the method that their own rules name
//! first.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::Tenant;
use super::escalate::urgency_of;
use super::responders::Problem;
use crate::escalation::{EscalationPolicy, select};
use crate::identity::Handle;
use crate::incident::{Category, Incident, IncidentNumber, Mode};
use crate::labels::TEAM;
use crate::paging::{Content, Recipient, Urgency};
use crate::text::cut;

/// The most characters of one line of a notice; the timeline has the whole text.
const MAX_LINE_CHARS: usize = 500;

impl Tenant {
    /// Tells people something about an incident, each once. Returns who is told: not whoever has
    /// left, has no method, or only reads what is tried out or written down afterwards.
    pub(super) fn notify_all(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        people: &BTreeSet<Handle>,
        lines: &[String],
    ) -> Vec<Handle> {
        let told = people.iter().filter(|person| self.notify(now, number, person, lines));
        told.cloned().collect::<Vec<_>>()
    }

    /// Tells somebody something about an incident; returns whether they are told.
    ///
    /// What is bad enough to wake people is told by the rules for what is urgent, anything else by
    /// those for what is not, after quiet hours.
    pub(super) fn notify(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        person: &Handle,
        lines: &[String],
    ) -> bool {
        let title = self.incident(number).map(headline).unwrap_or_default();
        self.notify_titled(now, number, person, title, lines)
    }

    /// The same with a title of its own.
    pub(super) fn notify_titled(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        person: &Handle,
        title: String,
        lines: &[String],
    ) -> bool {
        let Some(incident) = self.incident(number) else { return false };
        let urgency = urgency_of(incident.severity);
        self.notify_with(now, number, person, (title, urgency), lines)
    }

    /// Tells people something that can wait until nobody has to be woken up. Returns who is told.
    pub(super) fn notify_later(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        people: &BTreeSet<Handle>,
        lines: &[String],
    ) -> Vec<Handle> {
        let title = self.incident(number).map(headline).unwrap_or_default();
        let told = people.iter().filter(|person| {
            self.notify_with(now, number, person, (title.clone(), Urgency::Low), lines)
        });
        told.cloned().collect()
    }

    fn notify_with(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        person: &Handle,
        (title, urgency): (String, Urgency),
        lines: &[String],
    ) -> bool {
        let Some(incident) = self.incident(number) else { return false };
        if !incident.is_told() || !self.may_know(incident, person) {
            return false;
        }
        self.tell_person(now, number, person, title, urgency, lines)
    }

    /// Tells somebody something that belongs to an incident; returns whether they are told: not
    /// who has left or has no method.
    pub(super) fn tell_person(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        person: &Handle,
        title: String,
        urgency: Urgency,
        lines: &[String],
    ) -> bool {
        if !self.is_there(person) {
            return false;
        }
        let contacts = self.contacts_of(person);
        let plan = contacts.rules.plan(&contacts, urgency);
        let Some((_, method)) = plan.first() else { return false };
        let quiet = contacts.rules.quiet_hours.as_ref().filter(|_| urgency == Urgency::Low);
        let zone = self.zone_of(person);
        let due_at = quiet.and_then(|quiet| quiet.end_of(now, &zone)).unwrap_or(now);
        let recipient = Recipient::Person { person: person.clone(), method: method.id.clone() };
        let to = (method.channel, method.address.clone());
        let lines = lines.iter().map(|line| cut(line, MAX_LINE_CHARS)).collect();
        let content = Content::Notice { incident: number, title, lines };
        self.send_page_at(now, due_at, recipient, to, urgency, content, None);
        true
    }

    /// Returns who has to know when an incident waits: the owner's manager, or while nobody has it
    /// whom the team has on call by default and the managers of those who worked on it, else whom
    /// the policy for it would page where it finds nobody else, else whom it would page first.
    pub(super) fn overseers(&self, incident: &Incident, at: Timestamp) -> BTreeSet<Handle> {
        if let Some(owner) = &incident.owner {
            return self.substitute_of(owner).into_iter().collect();
        }
        let on_call = match self.default_on_call_of(incident) {
            Some(person) => vec![person],
            None => self.on_call_for(incident, at),
        };
        let managers = incident.participants.iter().filter_map(|it| self.substitute_of(it));
        managers.chain(on_call).collect()
    }

    /// Returns whom the team of an incident has on call by default, if they are there.
    pub(super) fn default_on_call_of(&self, incident: &Incident) -> Option<Handle> {
        let team = self.directory.team(incident.labels.get(TEAM)?)?;
        team.default_on_call.clone().filter(|it| self.is_there(it))
    }

    /// Returns whether somebody is known and has not left.
    pub(super) fn is_there(&self, person: &Handle) -> bool {
        self.directory.person(person.as_str()).is_some_and(|it| it.is_active)
    }

    /// Returns the policy for whatever an incident is about.
    fn policy_for(&self, incident: &Incident) -> Option<&Arc<EscalationPolicy>> {
        let category = incident.category.map_or("", Category::as_str);
        let policies = self.escalation_policies();
        Some(select(policies, &incident.service, incident.severity, category)?.0)
    }

    /// Returns whom the policy for an incident falls back on where it finds nobody else.
    pub(super) fn fallback_for(&self, incident: &Incident) -> Option<Handle> {
        self.policy_for(incident)?.default_on_call.clone().filter(|it| self.is_there(it))
    }

    /// Returns whom the policy for an incident falls back on, else whom its first step that finds
    /// anybody would page.
    fn on_call_for(&self, incident: &Incident, at: Timestamp) -> Vec<Handle> {
        let Some(policy) = self.policy_for(incident) else { return Vec::new() };
        if let Some(person) = self.fallback_for(incident) {
            return vec![person];
        }
        let category = incident.category.map_or("", Category::as_str);
        let severity = incident.severity;
        let problem = Problem { severity, category, alerts: None, turn: incident.number.0 };
        let steps = policy.steps.iter().map(|step| self.responders(policy, step, problem, at));
        let mut people = steps.map(|found| found.people).filter(|people| !people.is_empty());
        let first = people.next().unwrap_or_default();
        first.into_iter().map(|(person, _)| person).collect()
    }
}

/// Returns what an incident is about, in one line.
fn headline(incident: &Incident) -> String {
    let drill = if incident.mode == Mode::Drill { "[drill] " } else { "" };
    format!("{drill}{} ({})", incident.title, incident.severity)
}
