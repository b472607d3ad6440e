//! People come, change and leave; teams, too.

use std::sync::Arc;

use serde_json::json;

use super::{Directory, IdentityWrites};
use crate::audit::AuditNote;
use crate::identity::{
    Credentials, Handle, IdentityRejection, Owned, Permission, Person, PersonOrigin, Team,
    TokenOwner,
};

/// The most people of a tenant.
const MAX_PEOPLE: usize = 10_000;

/// The most teams of a tenant.
const MAX_TEAMS: usize = 1_000;

impl Directory {
    pub(super) fn add_person(
        &mut self,
        person: Person,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        if self.people.contains_key(&person.handle) {
            return Err(IdentityRejection::PersonExists(person.handle));
        }
        if self.people.len() >= MAX_PEOPLE {
            return Err(IdentityRejection::TooMany { what: "people", limit: MAX_PEOPLE });
        }
        self.check_manager(&person)?;
        let note = AuditNote::new("person.create", subject(&person.handle)).after(json!(person));
        self.put_person(person, writes);
        Ok(note)
    }

    pub(super) fn change_person(
        &mut self,
        mut person: Person,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let known = self.made_here(&person.handle)?;
        self.check_manager(&person)?;
        person.is_active = known.is_active;
        person.origin = known.origin;
        self.check_admin_stays(&known, &person)?;
        let note = AuditNote::new("person.update", subject(&person.handle))
            .before(json!(known))
            .after(json!(person));
        self.put_person(person, writes);
        Ok(note)
    }

    pub(super) fn deactivate(
        &mut self,
        handle: &Handle,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let known = self.made_here(handle)?;
        let left = Person { is_active: false, ..Person::clone(&known) };
        self.check_admin_stays(&known, &left)?;
        let owned = self.owned_by(handle);
        let passed: Vec<_> = owned
            .iter()
            .map(|it| json!({ "kind": it.kind, "subject": it.subject, "to": it.passes_to }))
            .collect();
        let successor = self.successor_of(handle);
        self.put_person(left, writes);
        self.end_sessions(handle, None, writes);
        let tokens = self.tokens.values().filter(|it| is_owned_by(&it.owner, handle));
        for id in tokens.map(|it| it.id).collect::<Vec<_>>() {
            self.drop_token(id, writes);
        }
        let links = self.links.values().filter(|link| link.person == *handle);
        for hash in links.map(|it| it.hash).collect::<Vec<_>>() {
            self.drop_link(hash, writes);
        }
        for report in self.reports_of(handle) {
            let manager = successor.clone().filter(|it| *it != report.handle);
            self.put_person(Person { manager, ..Person::clone(&report) }, writes);
        }
        for team in self.changeable_teams() {
            if team.default_on_call.as_ref() == Some(handle) {
                let default_on_call = successor.clone();
                self.put_team(Team { default_on_call, ..Team::clone(&team) }, writes);
            }
        }
        Ok(AuditNote::new("person.deactivate", subject(handle))
            .before(json!({ "is_active": known.is_active }))
            .after(json!({ "is_active": false, "passed_on": passed })))
    }

    pub(super) fn reactivate(
        &mut self,
        handle: &Handle,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let known = self.made_here(handle)?;
        self.put_person(Person { is_active: true, ..Person::clone(&known) }, writes);
        Ok(AuditNote::new("person.reactivate", subject(handle))
            .before(json!({ "is_active": known.is_active }))
            .after(json!({ "is_active": true })))
    }

    /// Returns who takes over when a person leaves: the manager, or who is on call by default in
    /// one of their teams; active people only.
    pub fn successor_of(&self, handle: &Handle) -> Option<Handle> {
        let is_fit = |other: &&Handle| {
            *other != handle && self.people.get(*other).is_some_and(|person| person.is_active)
        };
        let manager = self.people.get(handle).and_then(|person| person.manager.as_ref());
        let on_call = self.teams_of(handle).filter_map(|team| team.default_on_call.as_ref());
        manager.into_iter().chain(on_call).find(is_fit).cloned()
    }

    /// Returns the teams that somebody belongs to, by name.
    pub fn teams_of(&self, handle: &Handle) -> impl Iterator<Item = &Arc<Team>> {
        self.teams.values().filter(|team| team.member(handle).is_some())
    }

    /// Returns what a person owns here, and who has it when they leave.
    pub fn owned_by(&self, handle: &Handle) -> Vec<Owned> {
        let successor = self.successor_of(handle);
        let mut owned = Vec::new();
        for report in self.reports_of(handle) {
            let passes_to = successor.clone().filter(|it| *it != report.handle);
            owned.push(Owned { kind: "report", subject: report.handle.to_string(), passes_to });
        }
        for team in self.changeable_teams() {
            if team.default_on_call.as_ref() == Some(handle) {
                let passes_to = successor.clone();
                owned.push(Owned {
                    kind: "default_on_call",
                    subject: team.name.to_string(),
                    passes_to,
                });
            }
        }
        let tokens = self.tokens.values().filter(|it| is_owned_by(&it.owner, handle));
        let token = |name: &String| Owned { kind: "token", subject: name.clone(), passes_to: None };
        owned.extend(tokens.map(|it| token(&it.name)));
        owned
    }

    pub(super) fn set_team(
        &mut self,
        mut team: Team,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let known = self.teams.get(&team.name).cloned();
        if let Some(known) = &known {
            team_made_here(known)?;
            team.origin = known.origin;
        } else if self.teams.len() >= MAX_TEAMS {
            return Err(IdentityRejection::TooMany { what: "teams", limit: MAX_TEAMS });
        }
        for handle in team.members.iter().map(|it| &it.handle).chain(&team.default_on_call) {
            self.known(handle)?;
        }
        let note = AuditNote::new("team.set", format!("team/{}", team.name)).after(json!(team));
        let note = match &known {
            Some(known) => note.before(json!(known)),
            None => note,
        };
        self.put_team(team, writes);
        Ok(note)
    }

    pub(super) fn delete_team(
        &mut self,
        name: &Arc<str>,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let unknown = || IdentityRejection::UnknownTeam(name.to_string());
        let known = self.teams.get(name).cloned().ok_or_else(unknown)?;
        team_made_here(&known)?;
        self.teams.remove(name);
        writes.teams.insert(Arc::clone(name), None);
        Ok(AuditNote::new("team.delete", format!("team/{name}")).before(json!(known)))
    }

    fn reports_of(&self, handle: &Handle) -> Vec<Arc<Person>> {
        let is_report = |it: &&Arc<Person>| {
            it.manager.as_ref() == Some(handle) && it.origin != PersonOrigin::Provisioned
        };
        self.people.values().filter(is_report).cloned().collect()
    }

    fn changeable_teams(&self) -> Vec<Arc<Team>> {
        let teams = self.teams.values();
        teams.filter(|it| it.origin != PersonOrigin::Provisioned).cloned().collect()
    }

    /// Returns a person whom the file does not provide.
    fn made_here(&self, handle: &Handle) -> Result<Arc<Person>, IdentityRejection> {
        let known = self.known(handle)?;
        match known.origin {
            PersonOrigin::Provisioned => {
                Err(IdentityRejection::Provisioned { what: format!("person `{handle}`") })
            }
            PersonOrigin::Api | PersonOrigin::Provider => Ok(known),
        }
    }

    fn check_manager(&self, person: &Person) -> Result<(), IdentityRejection> {
        let mut next = person.manager.clone();
        // A chain cannot be longer than there are people.
        for _ in 0..=self.people.len() {
            let Some(handle) = next else { return Ok(()) };
            if handle == person.handle {
                return Err(IdentityRejection::ManagerCycle(handle));
            }
            next = self.known(&handle)?.manager.clone();
        }
        Ok(())
    }

    /// Refuses a change after which nobody who can sign in could undo it.
    fn check_admin_stays(&self, before: &Person, after: &Person) -> Result<(), IdentityRejection> {
        let is_admin = |person: &Person| {
            let grants = person.grants.iter().cloned();
            let access: crate::identity::Access = grants.collect();
            person.is_active && access.allows(Permission::PeopleWrite)
        };
        let can_sign_in = |handle: &Handle| {
            let has_proof = |it: &Arc<Credentials>| it.password.is_some() || it.external.is_some();
            self.credentials.get(handle).is_some_and(has_proof)
        };
        if !is_admin(before) || is_admin(after) || !can_sign_in(&before.handle) {
            return Ok(());
        }
        let is_other = |it: &&Arc<Person>| it.handle != before.handle;
        let mut others = self.people.values().filter(is_other);
        if others.any(|it| is_admin(it) && can_sign_in(&it.handle)) {
            return Ok(());
        }
        Err(IdentityRejection::LastAdmin(before.handle.clone()))
    }
}

fn is_owned_by(owner: &TokenOwner, handle: &Handle) -> bool {
    matches!(owner, TokenOwner::Person(person) if person == handle)
}

fn team_made_here(team: &Team) -> Result<(), IdentityRejection> {
    match team.origin {
        PersonOrigin::Provisioned => {
            Err(IdentityRejection::Provisioned { what: format!("team `{}`", team.name) })
        }
        PersonOrigin::Api | PersonOrigin::Provider => Ok(()),
    }
}

fn subject(handle: &Handle) -> String {
    format!("person/{handle}")
}
