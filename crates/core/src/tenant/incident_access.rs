//! Whoever was told of a restricted incident may ask to see it, and learns nothing by asking.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::incident_change::impossible;
use crate::identity::{Actor, Handle, Permission, Who};
use crate::incident::{
    AccessAnswer, AccessRequest, Author, Fact, Incident, IncidentNumber, IncidentRejection,
    MAX_ACCESS_REQUESTS, Role,
};

/// The most people who are told that somebody asks, where nobody has the incident.
const MAX_ASKED: usize = 20;

impl Tenant {
    /// Somebody asks to see an incident. Whether there is one, and what became of it, is not for
    /// whoever asks; the audit log has it in any case.
    pub(super) fn ask_access(
        &mut self,
        now: Timestamp,
        actor: &Actor,
        number: IncidentNumber,
        reason: &str,
    ) {
        let Who::Person(person) = &actor.who else { return };
        let Some(incident) = self.incident(number) else { return };
        let is_meant = incident.restricted.is_some() && self.is_there(person);
        if !is_meant || self.may_know(incident, person) {
            return;
        }
        let people = self.keepers_of(incident);
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        let Some(restriction) = &mut held.incident.restricted else { return };
        let requests = &mut restriction.requests;
        if requests.iter().any(|it| it.person == *person && it.answer.is_none()) {
            return;
        }
        if requests.len() >= MAX_ACCESS_REQUESTS {
            let Some(at) = requests.iter().position(|it| it.answer.is_some()) else { return };
            requests.remove(at);
        }
        let request = requests.last().map_or(1, |it| it.number + 1);
        requests.push(AccessRequest {
            number: request,
            person: person.clone(),
            reason: reason.to_owned(),
            asked_at: now,
            answer: None,
        });
        self.recorder.incidents.insert(number);
        let line = format!("{person} asks to see it (request {request}): {reason}");
        self.notify_all(now, number, &people, &[line]);
    }

    /// Returns who hears that somebody wants to see an incident: who has it and who is in command,
    /// else who restricted it, else whoever may see all of them.
    fn keepers_of(&self, incident: &Incident) -> BTreeSet<Handle> {
        let commander = incident.crew.holders(Role::IncidentCommander);
        let found: BTreeSet<Handle> = incident
            .owner
            .iter()
            .chain(commander)
            .filter(|it| self.is_there(it))
            .cloned()
            .collect();
        if !found.is_empty() {
            return found;
        }
        let by = incident.restricted.as_ref().and_then(|it| Handle::parse(&it.by).ok());
        if let Some(by) = by.filter(|it| self.is_there(it)) {
            return [by].into();
        }
        let sees_all = |handle: &Handle| {
            let access = self.directory.access_of(handle.as_str());
            access.allows_for(Permission::IncidentRestrictedRead, &incident.labels)
        };
        let people = self.directory.people().map(|it| &it.handle).filter(|it| sees_all(it));
        people.take(MAX_ASKED).cloned().collect()
    }

    /// Somebody who asked may see an incident, or not. Only the former is told to them.
    pub(super) fn answer_access(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        request: u32,
        is_granted: bool,
    ) -> Result<bool, IncidentRejection> {
        let unknown =
            IncidentRejection::UnknownPart { what: "request for access", number: request };
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let Some(restriction) = &mut held.incident.restricted else { return Err(unknown) };
        let has_room = restriction.has_room();
        let Some(asked) = restriction.requests.iter_mut().find(|it| it.number == request) else {
            return Err(unknown);
        };
        if let Some(answer) = &asked.answer {
            if answer.is_granted == is_granted {
                return Ok(false);
            }
            let by = &answer.by;
            return Err(impossible(format!("{by} has answered already; change the restriction")));
        }
        if is_granted && !has_room {
            return Err(impossible("the restriction names as many as it may"));
        }
        asked.answer = Some(AccessAnswer { is_granted, by: by.name.clone(), at: now });
        let (person, reason) = (asked.person.clone(), asked.reason.clone());
        self.recorder.incidents.insert(number);
        if !is_granted {
            return Ok(true);
        }
        restriction.people.insert(person.clone());
        let named = restriction.named();
        let reason = format!("{person} asked: {reason}");
        self.tell_incident(now, number, by, now, Fact::Restricted { named, reason });
        let line = format!("You may see it now, says {}.", by.name);
        self.notify(now, number, &person, &[line]);
        Ok(true)
    }
}
