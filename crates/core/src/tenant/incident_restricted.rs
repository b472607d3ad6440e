//! Restricted incidents: few may see them, and whoever looked is written down.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::incident_change::{check_text, impossible, invalid};
use crate::identity::{Directory, Handle, Permission};
use crate::incident::{
    Author, Fact, Incident, IncidentNumber, IncidentRejection, MAX_NAMED_IN_RESTRICTION,
    RestrictStep, Restriction,
};
use crate::labels::TEAM;

type Changed = Result<bool, IncidentRejection>;

impl Tenant {
    /// Restricts an incident, or lets everybody see it again.
    pub(super) fn restrict_step(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        step: RestrictStep,
    ) -> Changed {
        match step {
            RestrictStep::Restrict { people, teams, reason } => {
                self.restrict(now, number, by, (people, teams, reason))
            }
            RestrictStep::Lift { reason } => {
                check_reason(&reason)?;
                let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
                if held.incident.restricted.take().is_none() {
                    return Ok(false);
                }
                self.tell_incident(now, number, by, now, Fact::Unrestricted { reason });
                Ok(true)
            }
            RestrictStep::Answer { request, is_granted } => {
                self.answer_access(now, number, by, request, is_granted)
            }
        }
    }

    fn restrict(
        &mut self,
        now: Timestamp,
        number: IncidentNumber,
        by: &Author,
        (people, teams, reason): (BTreeSet<Handle>, BTreeSet<String>, String),
    ) -> Changed {
        check_reason(&reason)?;
        if people.len() + teams.len() > MAX_NAMED_IN_RESTRICTION {
            let limit = MAX_NAMED_IN_RESTRICTION;
            return Err(impossible(format!("a restriction names at most {limit}")));
        }
        for person in &people {
            self.check_person(person)?;
        }
        if let Some(team) = teams.iter().find(|it| self.directory.team(it).is_none()) {
            return Err(invalid("teams", format!("there is no team `{team}`")));
        }
        let Some(held) = self.incidents.held.get_mut(&number) else { return Ok(false) };
        let relations = &held.incident.relations;
        if !relations.absorbed.is_empty() || relations.merged_into.is_some() {
            return Err(impossible("others are part of it; undo the merge first"));
        }
        let before = held.incident.restricted.as_ref();
        if before.is_some_and(|it| it.people == people && it.teams == teams) {
            return Ok(false);
        }
        let since = before.map_or(now, |it| it.since);
        let requests = before.map(|it| it.requests.clone()).unwrap_or_default();
        let (by_name, why) = (by.name.clone(), reason.clone());
        let restriction = Restriction { since, by: by_name, reason: why, people, teams, requests };
        let named = restriction.named();
        held.incident.restricted = Some(restriction);
        self.tell_incident(now, number, by, now, Fact::Restricted { named, reason });
        Ok(true)
    }

    /// Returns the restriction that the category of an incident asks for: those who have it or
    /// declared it, and its team.
    pub(super) fn restriction_by_category(
        &self,
        now: Timestamp,
        incident: &Incident,
    ) -> Option<Restriction> {
        let categories = &self.policy.incidents.restrict_categories;
        let category = incident.category.filter(|it| categories.contains(it))?;
        let declarer = self.person_of(&incident.created_by);
        let team = incident.labels.get(TEAM).filter(|it| self.directory.team(it).is_some());
        Some(Restriction {
            since: now,
            by: Author::system().name,
            reason: format!("few may see what is about {category}"),
            people: declarer.into_iter().chain(incident.owner.clone()).collect(),
            teams: team.into_iter().map(ToOwned::to_owned).collect(),
            requests: Vec::new(),
        })
    }

    /// Restricts an incident whose category has become one that asks for it.
    pub(super) fn restrict_by_category(&mut self, now: Timestamp, number: IncidentNumber) {
        let Some(incident) = self.incident(number) else { return };
        if incident.restricted.is_some() {
            return;
        }
        let relations = &incident.relations;
        if !relations.absorbed.is_empty() || relations.merged_into.is_some() {
            return;
        }
        let Some(restriction) = self.restriction_by_category(now, incident) else { return };
        if let Some(held) = self.incidents.held.get_mut(&number) {
            held.incident.restricted = Some(restriction);
        }
        self.tell_restricted(now, number);
    }

    /// The timeline of an incident says that few may see it, and why.
    pub(super) fn tell_restricted(&mut self, now: Timestamp, number: IncidentNumber) {
        let restriction = self.incident(number).and_then(|it| it.restricted.as_ref());
        let Some(restriction) = restriction else { return };
        let fact =
            Fact::Restricted { named: restriction.named(), reason: restriction.reason.clone() };
        self.tell_incident(now, number, &Author::system(), now, fact);
    }

    /// Refuses to give somebody something to do in an incident of which they may not know.
    pub(super) fn check_circle(
        &self,
        number: IncidentNumber,
        person: &Handle,
    ) -> Result<(), IncidentRejection> {
        match self.incident(number) {
            Some(incident) if !self.may_know(incident, person) => {
                let why = format!("{person} may not see it; name them in the restriction first");
                Err(impossible(why))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether somebody may know of an incident.
    pub(super) fn may_know(&self, incident: &Incident, person: &Handle) -> bool {
        incident.is_open_to(person, &self.directory)
    }
}

impl Incident {
    /// Returns whether everybody may know of it who may know of another one: it is not restricted,
    /// and belongs to the same service and team.
    pub fn is_open_to_readers_of(&self, other: &Self) -> bool {
        let scope = |it: &Self| {
            let label = |name| it.labels.value(name).to_owned();
            (label("service"), label("team"))
        };
        self.restricted.is_none() && scope(self) == scope(other)
    }

    /// Returns whether somebody may know of it: everybody, unless it is restricted. Who could see
    /// it otherwise is decided elsewhere.
    pub fn is_open_to(&self, person: &Handle, directory: &Directory) -> bool {
        let Some(restriction) = &self.restricted else { return true };
        let is_member =
            |name: &String| directory.team(name).is_some_and(|team| team.member(person).is_some());
        restriction.people.contains(person)
            || restriction.by == person.as_str()
            || self.owner.as_ref() == Some(person)
            || self.crew.present().any(|holding| holding.person == *person)
            || restriction.teams.iter().any(is_member)
            || directory
                .access_of(person.as_str())
                .allows_for(Permission::IncidentRestrictedRead, &self.labels)
    }
}

fn check_reason(reason: &str) -> Result<(), IncidentRejection> {
    if reason.trim().is_empty() {
        return Err(invalid("reason", "must say why"));
    }
    check_text("reason", reason)
}
