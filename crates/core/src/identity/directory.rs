//! All people, teams, tokens, sessions and secrets of a tenant, and how they change.

mod apply;
mod people;
mod sign_in;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SecretHash;
use super::credentials::{Credentials, SignInLink};
use super::permission::Permission;
use super::person::{Handle, Person, PersonOrigin};
use super::role::{Access, Scope};
use super::session::Session;
use super::team::{Team, TeamName};
use super::token::{ApiToken, TokenOwner};

/// A secret that can be used and not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Unique in the tenant.
    pub name: String,
    /// The sealed value.
    pub sealed: String,
    /// When it was set last.
    pub set_at: Timestamp,
    /// Who set it.
    pub set_by: String,
    /// When it was used last; `None` for not since it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// Who may do what. Cheap to clone: entries are shared.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: BTreeMap<Handle, Arc<Person>>,
    teams: BTreeMap<TeamName, Arc<Team>>,
    tokens: BTreeMap<Uuid, Arc<ApiToken>>,
    token_hashes: BTreeMap<SecretHash, Uuid>,
    sessions: BTreeMap<Uuid, Arc<Session>>,
    session_hashes: BTreeMap<SecretHash, Uuid>,
    credentials: BTreeMap<Handle, Arc<Credentials>>,
    links: BTreeMap<SecretHash, Arc<SignInLink>>,
    secrets: BTreeMap<String, Arc<SealedSecret>>,
}

/// Entries that changed, by key; `None` for those that are gone.
pub type Changed<K, V> = BTreeMap<K, Option<Arc<V>>>;

/// What changed in a directory and has to be written.
#[derive(Clone, Debug, Default)]
pub struct IdentityWrites {
    /// People.
    pub people: Changed<Handle, Person>,
    /// Teams.
    pub teams: Changed<TeamName, Team>,
    /// Tokens and integration keys.
    pub tokens: Changed<Uuid, ApiToken>,
    /// Sessions.
    pub sessions: Changed<Uuid, Session>,
    /// What people sign in with.
    pub credentials: Changed<Handle, Credentials>,
    /// Links that sign in once.
    pub links: Changed<SecretHash, SignInLink>,
    /// Secrets.
    pub secrets: Changed<String, SealedSecret>,
}

impl IdentityWrites {
    /// Returns whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
            && self.teams.is_empty()
            && self.tokens.is_empty()
            && self.sessions.is_empty()
            && self.credentials.is_empty()
            && self.links.is_empty()
            && self.secrets.is_empty()
    }
}

/// What the store holds of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityRows {
    /// People, by handle.
    pub people: Vec<Person>,
    /// Teams, by name.
    pub teams: Vec<Team>,
    /// Tokens, by id.
    pub tokens: Vec<ApiToken>,
    /// Sessions, by id.
    pub sessions: Vec<Session>,
    /// What people sign in with, by handle.
    pub credentials: Vec<Credentials>,
    /// Links, by hash.
    pub links: Vec<SignInLink>,
    /// Secrets, by name.
    pub secrets: Vec<SealedSecret>,
}

impl Directory {
    /// Takes up what the store holds.
    pub fn restore(rows: IdentityRows) -> Self {
        let mut directory = Self::default();
        let by_handle = |it: Person| (it.handle.clone(), Arc::new(it));
        directory.people = rows.people.into_iter().map(by_handle).collect();
        let by_name = |it: Team| (Arc::clone(&it.name), Arc::new(it));
        directory.teams = rows.teams.into_iter().map(by_name).collect();
        for token in rows.tokens {
            directory.token_hashes.insert(token.hash, token.id);
            directory.tokens.insert(token.id, Arc::new(token));
        }
        for session in rows.sessions {
            directory.session_hashes.insert(session.hash, session.id);
            directory.sessions.insert(session.id, Arc::new(session));
        }
        let by_person = |it: Credentials| (it.person.clone(), Arc::new(it));
        directory.credentials = rows.credentials.into_iter().map(by_person).collect();
        directory.links = rows.links.into_iter().map(|it| (it.hash, Arc::new(it))).collect();
        let by_name = |it: SealedSecret| (it.name.clone(), Arc::new(it));
        directory.secrets = rows.secrets.into_iter().map(by_name).collect();
        directory
    }

    /// Takes over the people and teams of a configuration in the place of those of the last one.
    /// Somebody known by the same handle becomes the file's; what they sign in with stays.
    pub fn provision(&mut self, people: &[Person], teams: &[Team]) {
        self.people.retain(|_, person| person.origin != PersonOrigin::Provisioned);
        self.teams.retain(|_, team| team.origin != PersonOrigin::Provisioned);
        for person in people {
            self.people.insert(person.handle.clone(), Arc::new(person.clone()));
        }
        for team in teams {
            self.teams.insert(Arc::clone(&team.name), Arc::new(team.clone()));
        }
    }

    /// Returns a person.
    pub fn person(&self, handle: &str) -> Option<&Arc<Person>> {
        self.people.get(handle)
    }

    /// Returns the active person with that handle or that e-mail address, as people sign in.
    pub fn person_signing_in(&self, name: &str) -> Option<&Arc<Person>> {
        let name = name.trim();
        let by_email = || {
            let mut having = self.people.values().filter(|it| it.email.eq_ignore_ascii_case(name));
            let first = having.next().filter(|_| name.contains('@'))?;
            // An address that two people share names neither.
            having.next().is_none().then_some(first)
        };
        let lower = name.to_ascii_lowercase();
        self.people.get(lower.as_str()).or_else(by_email).filter(|person| person.is_active)
    }

    /// Returns everybody, by handle.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.people.values()
    }

    /// Returns a team.
    pub fn team(&self, name: &str) -> Option<&Arc<Team>> {
        self.teams.get(name)
    }

    /// Returns all teams, by name.
    pub fn teams(&self) -> impl Iterator<Item = &Arc<Team>> {
        self.teams.values()
    }

    /// Returns a token.
    pub fn token(&self, id: Uuid) -> Option<&Arc<ApiToken>> {
        self.tokens.get(&id)
    }

    /// Returns all tokens and integration keys, by id.
    pub fn tokens(&self) -> impl Iterator<Item = &Arc<ApiToken>> {
        self.tokens.values()
    }

    /// Returns the token with that secret, valid or not.
    pub fn token_by_hash(&self, hash: &SecretHash) -> Option<&Arc<ApiToken>> {
        self.tokens.get(self.token_hashes.get(hash)?).filter(|token| token.hash.is(hash))
    }

    /// Returns a session.
    pub fn session(&self, id: Uuid) -> Option<&Arc<Session>> {
        self.sessions.get(&id)
    }

    /// Returns all sessions, by id.
    pub fn sessions(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.sessions.values()
    }

    /// Returns the session with that secret, valid or not.
    pub fn session_by_hash(&self, hash: &SecretHash) -> Option<&Arc<Session>> {
        self.sessions.get(self.session_hashes.get(hash)?).filter(|session| session.hash.is(hash))
    }

    /// Returns what a person signs in with.
    pub fn credentials(&self, handle: &Handle) -> Option<&Arc<Credentials>> {
        self.credentials.get(handle)
    }

    /// Returns what everybody signs in with, by handle.
    pub fn all_credentials(&self) -> impl Iterator<Item = &Arc<Credentials>> {
        self.credentials.values()
    }

    /// Returns the link with that secret, valid or not.
    pub fn link(&self, hash: &SecretHash) -> Option<&Arc<SignInLink>> {
        self.links.get(hash)
    }

    /// Returns a secret, sealed.
    pub fn secret(&self, name: &str) -> Option<&Arc<SealedSecret>> {
        self.secrets.get(name)
    }

    /// Returns all secrets, sealed, by name.
    pub fn secrets(&self) -> impl Iterator<Item = &Arc<SealedSecret>> {
        self.secrets.values()
    }

    /// Returns whether anybody can sign in at all.
    pub fn has_accounts(&self) -> bool {
        self.credentials.values().any(|it| it.password.is_some() || it.external.is_some())
    }

    /// Returns what a person may do and where: by their own roles and through their teams. Nothing
    /// when they are unknown or not active.
    pub fn access_of(&self, handle: &str) -> Access {
        let Some(person) = self.person(handle).filter(|person| person.is_active) else {
            return Access::default();
        };
        let mut access: Access = person.grants.iter().cloned().collect();
        for team in self.teams.values() {
            if let Some(member) = team.member(&person.handle) {
                access.add(Scope::Team(Arc::clone(&team.name)), member.role.permissions());
            }
        }
        // Whoever belongs here at all may see who else does and have tokens of their own.
        let own = [Permission::TokenOwn, Permission::PeopleRead].into_iter().collect();
        if access != Access::default() {
            access.add(Scope::Tenant, own);
        }
        access
    }

    /// Returns what a token allows at `now`: of a person's, never more than the person may do.
    pub fn access_of_token(&self, token: &ApiToken) -> Access {
        match &token.owner {
            TokenOwner::Person(handle) => {
                self.access_of(handle.as_str()).narrowed(token.permissions, &token.scopes)
            }
            TokenOwner::Service(_) | TokenOwner::Integration(_) => {
                Access::full().narrowed(token.permissions, &token.scopes)
            }
        }
    }
}
