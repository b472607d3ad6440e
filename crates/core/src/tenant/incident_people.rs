//! Roles change hands, people are asked for help and answer, and whoever wants to hears of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::incident_change::{check_text, impossible, invalid};
use super::{Tenant, later};
use crate::identity::Handle;
use crate::incident::{
    Author, Crew, Fact, HelpAnswer, HelpRequest, IncidentNumber, IncidentRejection, MAX_HOLDINGS,
    MAX_REQUESTS, MAX_SUBSCRIBERS, PeopleStep, Role, Said, time_to_answer,
};

/// The most people who are asked for help at once.
const MAX_ASKED_AT_ONCE: usize = 20;

/// The longest that somebody may have to answer.
const MAX_TIME_TO_ANSWER: SignedDuration = SignedDuration::from_hours(24);

type Changed = Result<bool, IncidentRejection>;

impl Tenant {
    /// Does something about the people of an incident; returns whether that changed anything.
    pub(super) fn people_step(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        step: PeopleStep,
    ) -> Changed {
        match step {
            PeopleStep::Give { role, to, note } => {
                self.give_role(now, number, by, role, (to, note))
            }
            PeopleStep::Leave { role, person } => {
                Ok(self.leave_role(now, number, by, role, &person))
            }
            PeopleStep::HandOver { role, to, note } => {
                self.hand_over(now, number, by, role, (to, note))
            }
            PeopleStep::Ask { people, role, message, within } => {
                self.ask_for_help(now, number, by, (people, role, message, within))
            }
            PeopleStep::Answer { request, comes, message } => {
                self.answer_request(now, number, by, request, (comes, message))
            }
            PeopleStep::Subscribe { person, wants } => {
                self.subscribe(now, number, by, person, wants)
            }
            PeopleStep::Snooze { person, kind, task, until } => {
                self.snooze(now, number, person, (kind, task), until)
            }
        }
    }

    fn crew_mut(&mut self, number: IncidentNumber) -> Option<&mut Crew> {
        self.incidents.held.get_mut(&number).map(|held| &mut held.incident.crew)
    }

    fn give_role(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        role: Role,
        (to, note): (Handle, String),
    ) -> Changed {
        self.check_person(&to)?;
        check_text("note", &note)?;
        let Some(incident) = self.incident(number) else { return Ok(false) };
        if !incident.is_active() {
            return Err(impossible("roles are for incidents that are not over"));
        }
        if incident.crew.has(role, &to) {
            return Ok(false);
        }
        if role.is_single()
            && let Some(holder) = incident.crew.holders(role).next()
        {
            let role = role.title();
            return Err(impossible(format!("{holder} is {role}; hand it over instead")));
        }
        check_room(&incident.crew)?;
        self.assume(now, number, by, role, &to, &note);
        Ok(true)
    }

    /// Gives a role to somebody, tells the timeline and, unless it is their own doing, them.
    fn assume(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        role: Role,
        to: &Handle,
        note: &str,
    ) {
        let Some(held) = self.incidents.held.get_mut(&number) else { return };
        held.incident.crew.assume(now, role, to, &by.name, note);
        held.incident.participants.insert(to.clone());
        let fact = Fact::RoleTaken { role, person: to.clone(), note: note.to_owned() };
        self.tell_incident(now, number, by, now, fact);
        if by.name != to.as_str() {
            let line = format!("You are {} now, says {}.", role.title(), by.name);
            self.notify(now, number, to, &with_note(line, note));
        }
    }

    fn leave_role(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        role: Role,
        person: &Handle,
    ) -> bool {
        let Some(crew) = self.crew_mut(number) else { return false };
        if !crew.renounce(now, role, person) {
            return false;
        }
        let fact = Fact::RoleLeft { role, person: person.clone(), why: String::new() };
        self.tell_incident(now, number, by, now, fact);
        if by.name != person.as_str() {
            let line = format!("You are no longer {}, says {}.", role.title(), by.name);
            self.notify(now, number, person, &[line]);
        }
        true
    }

    fn hand_over(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        role: Role,
        (to, note): (Handle, String),
    ) -> Changed {
        self.check_person(&to)?;
        check_text("note", &note)?;
        if note.trim().is_empty() {
            return Err(invalid("note", "must say how things stand"));
        }
        let Some(incident) = self.incident(number) else { return Ok(false) };
        let crew = &incident.crew;
        let title = role.title();
        let own = self.person_of(by).filter(|it| crew.has(role, it));
        let Some(from) = own.or_else(|| crew.holders(role).next().cloned()) else {
            return Err(impossible(format!("nobody is {title}; give the role instead")));
        };
        if from == to {
            return Ok(false);
        }
        if crew.has(role, &to) {
            return Err(impossible(format!("{to} is {title} already")));
        }
        check_room(crew)?;
        let stays = role != Role::Responder && !crew.has(Role::Responder, &from);
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let crew = &mut held.incident.crew;
        crew.renounce(now, role, &from);
        crew.assume(now, role, &to, &by.name, &note);
        if stays {
            crew.assume(now, Role::Responder, &from, &by.name, "");
        }
        held.incident.participants.insert(to.clone());
        let (outgoing, incoming) = (from.clone(), to.clone());
        let fact = Fact::HandedOver { role, from, to, note: note.clone() };
        self.tell_incident(now, number, by, now, fact);
        if by.name != incoming.as_str() {
            let line = format!("You are {title} now: {outgoing} hands it over to you.");
            self.notify(now, number, &incoming, &with_note(line, &note));
        }
        if by.name != outgoing.as_str() {
            let line = format!("{incoming} is {title} now in your place, says {}.", by.name);
            self.notify(now, number, &outgoing, &with_note(line, &note));
        }
        Ok(true)
    }

    fn ask_for_help(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        (people, role, message, within): (Vec<Handle>, Role, String, Option<SignedDuration>),
    ) -> Changed {
        let people: BTreeSet<Handle> = people.into_iter().collect();
        if people.is_empty() || people.len() > MAX_ASKED_AT_ONCE {
            let message = format!("must name 1 to {MAX_ASKED_AT_ONCE} people");
            return Err(invalid("people", message));
        }
        check_text("message", &message)?;
        let fits = |it: &SignedDuration| *it > SignedDuration::ZERO && *it <= MAX_TIME_TO_ANSWER;
        if within.is_some_and(|it| !fits(&it)) {
            let hours = MAX_TIME_TO_ANSWER.as_hours();
            return Err(invalid("minutes", format!("must be more than none and within {hours} h")));
        }
        for person in &people {
            self.check_person(person)?;
            self.check_circle(number, person)?;
        }
        let Some(incident) = self.incident(number) else { return Ok(false) };
        if !incident.is_active() {
            return Err(impossible("nobody is needed for an incident that is over"));
        }
        let crew = &incident.crew;
        if crew.requests.len() + people.len() > MAX_REQUESTS {
            return Err(impossible(format!("people were asked {MAX_REQUESTS} times already")));
        }
        let within = within
            .unwrap_or_else(|| time_to_answer(self.policy.incidents.targets(incident.severity)));
        let is_new = |person: &Handle| {
            !crew.has(role, person) && !crew.waiting().any(|it| it.person == *person)
        };
        let asked: Vec<Handle> = people.into_iter().filter(is_new).collect();
        let first = crew.requests.last().map_or(1, |it| it.number + 1);
        for (next, person) in (first..).zip(&asked) {
            let request = HelpRequest {
                number: next,
                person: person.clone(),
                role,
                message: message.clone(),
                by: by.name.clone(),
                asked_at: now,
                expires_at: later(now, within),
                answer: None,
            };
            if let Some(crew) = self.crew_mut(number) {
                crew.requests.push(request);
            }
            let (person, message) = (person.clone(), message.clone());
            let fact = Fact::HelpAsked { request: next, person, role, message };
            self.tell_incident(now, number, by, now, fact);
        }
        for person in &asked {
            let line = format!("{} asks you for help as {}.", by.name, role.title());
            self.notify(now, number, person, &with_note(line, &message));
        }
        Ok(!asked.is_empty())
    }

    fn answer_request(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        request: u32,
        (comes, message): (bool, String),
    ) -> Changed {
        check_text("message", &message)?;
        let Some(incident) = self.incident(number) else { return Ok(false) };
        let Some(asked) = incident.crew.request(request).cloned() else {
            return Err(IncidentRejection::UnknownPart { what: "request", number: request });
        };
        if by.is_person() && self.person_of(by).is_some_and(|it| it != asked.person) {
            return Err(impossible(format!("{} was asked, not {}", asked.person, by.name)));
        }
        let said = if comes { Said::Accepted } else { Said::Declined };
        if let Some(answer) = &asked.answer {
            if answer.said == said {
                return Ok(false);
            }
            // Whoever comes late comes all the same.
            if answer.said != Said::Expired || !incident.is_active() {
                let word = answer.said.as_str();
                return Err(impossible(format!("the request is {word} already")));
            }
        }
        self.end_request(now, number, by, request, said, &message);
        if comes && self.incident(number).is_some_and(crate::incident::Incident::is_active) {
            let given =
                self.give_role(now, number, by, asked.role, (asked.person.clone(), String::new()));
            if given.is_err() {
                // Somebody else has it meanwhile; a helping hand is welcome in any case.
                let _ = self.give_role(
                    now,
                    number,
                    by,
                    Role::Responder,
                    (asked.person.clone(), String::new()),
                );
            }
        }
        if let Ok(asker) = Handle::parse(&asked.by)
            && asker != asked.person
        {
            let line = format!("{} {} your request for help.", asked.person, said.as_str());
            self.notify(now, number, &asker, &with_note(line, &message));
        }
        Ok(true)
    }

    /// Notes what became of a request.
    pub(super) fn end_request(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        request: u32,
        said: Said,
        message: &str,
    ) {
        let Some(crew) = self.crew_mut(number) else { return };
        let Some(found) = crew.requests.iter_mut().find(|it| it.number == request) else { return };
        found.answer = Some(HelpAnswer { said, at: now, message: message.to_owned() });
        let person = found.person.clone();
        let fact = Fact::HelpAnswered { request, person, said, message: message.to_owned() };
        self.tell_incident(now, number, by, now, fact);
    }

    fn subscribe(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        person: Handle,
        wants: bool,
    ) -> Changed {
        if wants {
            self.check_person(&person)?;
            self.check_circle(number, &person)?;
        }
        let Some(crew) = self.crew_mut(number) else { return Ok(false) };
        if wants && crew.subscribers.len() >= MAX_SUBSCRIBERS {
            return Err(impossible(format!("{MAX_SUBSCRIBERS} people follow it already")));
        }
        let has_changed = match wants {
            true => crew.subscribers.insert(person.clone()),
            false => crew.subscribers.remove(&person),
        };
        if has_changed {
            self.tell_incident(now, number, by, now, Fact::Subscribed { person, wants });
        }
        Ok(has_changed)
    }

    /// Tells those who follow an incident what happened, but not whoever did it.
    pub(super) fn tell_subscribers(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        text: String,
    ) {
        let Some(incident) = self.incident(number) else { return };
        let mut people = incident.crew.subscribers.clone();
        people.retain(|person| person.as_str() != by.name);
        if !people.is_empty() {
            self.notify_all(now, number, &people, &[text]);
        }
    }

    /// Somebody has left: their deputy has their roles, whoever takes over their tasks, and nobody
    /// waits for their answer.
    pub(super) fn pass_roles_on(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        leaver: &Handle,
        (deputy, successor): (Option<&Handle>, Option<&Handle>),
    ) {
        let system = Author::system();
        let why = format!("{leaver} has left");
        let Some(crew) = self.crew_mut(number) else { return };
        crew.subscribers.remove(leaver);
        self.recorder.incidents.insert(number);
        self.pass_tasks_on(now, number, leaver, successor);
        let Some(crew) = self.crew_mut(number) else { return };
        let waiting: Vec<u32> =
            crew.waiting().filter(|it| it.person == *leaver).map(|it| it.number).collect();
        for role in crew.renounce_all(now, leaver) {
            let fact = Fact::RoleLeft { role, person: leaver.clone(), why: why.clone() };
            self.tell_incident(now, number, &system, now, fact);
            let Some(deputy) = deputy else { continue };
            let is_needed = self
                .incident(number)
                .is_some_and(|it| !it.crew.has(role, deputy) && check_room(&it.crew).is_ok());
            if is_needed && role != Role::Responder {
                self.assume(now, number, &system, role, deputy, &why);
            }
        }
        for request in waiting {
            self.end_request(now, number, &system, request, Said::Withdrawn, &why);
        }
    }

    /// Nothing is left to do: everybody is free.
    pub(super) fn release_everybody(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(crew) = self.crew_mut(number) else { return };
        let present = crew.present().map(|it| (it.role, it.person.clone()));
        for (role, person) in present.collect::<Vec<_>>() {
            if let Some(crew) = self.crew_mut(number) {
                crew.renounce(now, role, &person);
            }
            let fact = Fact::RoleLeft { role, person, why: "it is closed".to_owned() };
            self.tell_incident(now, number, &Author::system(), now, fact);
        }
    }

    /// It is open again: whoever had a role until it was closed may want it back.
    pub(super) fn offer_roles_back(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        closed_at: Timestamp,
    ) {
        let Some(crew) = self.crew_mut(number) else { return };
        let had = crew.holdings.iter().filter(|it| it.renounced_at == Some(closed_at));
        let mut offered: BTreeMap<Handle, Vec<String>> = BTreeMap::new();
        for holding in had.filter(|it| it.person.as_str() != by.name) {
            offered.entry(holding.person.clone()).or_default().push(holding.role.title());
        }
        for (person, roles) in offered {
            let roles = roles.join(", ");
            let line = format!("It is open again. You were {roles}: join it as that once more?");
            self.notify(now, number, &person, &[line]);
        }
    }
}

fn check_room(crew: &Crew) -> Result<(), IncidentRejection> {
    // A handover takes two.
    if crew.holdings.len() + 2 > MAX_HOLDINGS {
        return Err(impossible(format!("roles changed hands {MAX_HOLDINGS} times already")));
    }
    Ok(())
}

fn with_note(line: String, note: &str) -> Vec<String> {
    let note = note.trim();
    if note.is_empty() { vec![line] } else { vec![line, note.to_owned()] }
}
