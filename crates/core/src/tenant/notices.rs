//! Notices: one message to one person about an incident, by the method that their own rules name
//! first.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::escalate::urgency_of;
use crate::identity::Handle;
use crate::incident::{Incident, IncidentNumber, Mode};
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
        if !incident.is_told() || !self.may_know(incident, person) {
            return false;
        }
        let urgency = urgency_of(incident.severity);
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
        let is_active = self.directory.person(person.as_str()).is_some_and(|it| it.is_active);
        if !is_active {
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

    /// Returns who has to know when an incident waits: the owner and their manager, or whom the
    /// team has on call by default while nobody has it.
    pub(super) fn overseers(&self, incident: &Incident) -> BTreeSet<Handle> {
        let mut found = BTreeSet::new();
        if let Some(owner) = &incident.owner {
            found.extend(self.substitute_of(owner));
        } else {
            let team = incident.labels.get("team").and_then(|name| self.directory.team(name));
            found.extend(team.and_then(|team| team.default_on_call.clone()));
            found.extend(incident.participants.iter().filter_map(|it| self.substitute_of(it)));
        }
        found
    }
}

/// Returns what an incident is about, in one line.
fn headline(incident: &Incident) -> String {
    let drill = if incident.mode == Mode::Drill { "[drill] " } else { "" };
    format!("{drill}{} ({})", incident.title, incident.severity)
}
