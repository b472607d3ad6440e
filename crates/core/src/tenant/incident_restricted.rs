//! Restricted incidents: few may see them, and whoever looked is written down.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Tenant;
use super::incident_change::{check_text, impossible, invalid};
use crate::identity::{Directory, Handle, Permission};
use crate::incident::{
    Author, Fact, Incident, IncidentNumber, IncidentRejection, RestrictStep, Restriction,
};

/// The most people and teams that a restriction names.
const MAX_NAMED: usize = 200;

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
        if people.len() + teams.len() > MAX_NAMED {
            return Err(impossible(format!("a restriction names at most {MAX_NAMED}")));
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
        let by_name = by.name.clone();
        let restriction = Restriction { since, by: by_name, reason: reason.clone(), people, teams };
        let named = restriction.people.iter().map(ToString::to_string);
        let teams = restriction.teams.iter().map(|it| format!("team {it}"));
        let named = named.chain(teams).collect();
        held.incident.restricted = Some(restriction);
        self.tell_incident(now, number, by, now, Fact::Restricted { named, reason });
        Ok(true)
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
