//! The ledger of one change: what it alters is altered here, so that nothing is left unwritten.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Directory, IdentityWrites, SealedSecret};
use crate::audit::AuditNote;
use crate::identity::{
    ApiToken, Credentials, Handle, IdentityChange, IdentityRejection, Person, SecretHash, Session,
    SignInLink, Team, TeamName, TokenOwner,
};

/// The most tokens and keys of a tenant.
const MAX_TOKENS: usize = 10_000;

/// The most secrets of a tenant.
const MAX_SECRETS: usize = 1_000;

/// After how long the use of a secret is written into the audit log again.
const USE_NEWS_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How many keys a source of alerts has at once: the old one until the new one is in place.
const KEYS_PER_SOURCE: usize = 2;

impl Directory {
    /// Makes a change and returns what the audit log says of it; `None` for what is no news.
    /// Everything that has to be written is added to `writes`.
    ///
    /// # Errors
    /// [`IdentityRejection`]; nothing changed.
    pub fn apply(
        &mut self,
        now: Timestamp,
        change: IdentityChange,
        writes: &mut IdentityWrites,
    ) -> Result<Option<AuditNote>, IdentityRejection> {
        match change {
            IdentityChange::AddPerson(person) => self.add_person(*person, writes).map(Some),
            IdentityChange::ChangePerson(person) => self.change_person(*person, writes).map(Some),
            IdentityChange::Deactivate(handle) => self.deactivate(&handle, writes).map(Some),
            IdentityChange::Reactivate(handle) => self.reactivate(&handle, writes).map(Some),
            IdentityChange::SetTeam(team) => self.set_team(*team, writes).map(Some),
            IdentityChange::DeleteTeam(name) => self.delete_team(&name, writes).map(Some),
            IdentityChange::AddToken(token) => self.add_token(now, *token, writes).map(Some),
            IdentityChange::RevokeToken(id) => self.revoke_token(id, writes).map(Some),
            IdentityChange::SetPassword { person, hash, keep } => {
                self.set_password(&person, &hash, keep, writes).map(Some)
            }
            IdentityChange::BeginTotp { person, sealed } => {
                self.begin_totp(&person, sealed, writes).map(Some)
            }
            IdentityChange::ConfirmTotp { person, step, recovery_codes } => {
                self.confirm_totp(&person, step, recovery_codes, writes).map(Some)
            }
            IdentityChange::RemoveTotp(person) => self.remove_totp(&person, writes).map(Some),
            IdentityChange::AddLink(link) => self.add_link(now, link, writes).map(Some),
            IdentityChange::SignIn(sign_in) => self.sign_in(now, *sign_in, writes).map(Some),
            IdentityChange::RecordFailedSignIn { name, why } => {
                Ok(Some(AuditNote::new("session.refuse", format!("person/{name}")).because(why)))
            }
            IdentityChange::EndSession(id) => self.end_session(id, writes).map(Some),
            IdentityChange::EndSessions(handle) => {
                let ended = self.end_sessions(&handle, None, writes);
                let note = AuditNote::new("session.end_all", format!("person/{handle}"));
                Ok(Some(note.after(json!({ "ended": ended }))))
            }
            IdentityChange::Touch { sessions, tokens } => {
                self.touch(&sessions, &tokens, writes);
                Ok(None)
            }
            IdentityChange::SetSecret(secret) => self.set_secret(*secret, writes).map(Some),
            IdentityChange::SecretUsed { name, at } => Ok(self.secret_used(&name, at, writes)),
            IdentityChange::DeleteSecret(name) => self.delete_secret(&name, writes).map(Some),
            IdentityChange::Reseal { secrets, totp } => {
                Ok(Some(self.reseal(secrets, totp, writes)))
            }
            IdentityChange::RecordAccess { action, subject } => {
                Ok(Some(AuditNote::new(action, subject)))
            }
        }
    }

    fn add_token(
        &mut self,
        now: Timestamp,
        token: ApiToken,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        if let TokenOwner::Person(handle) = &token.owner {
            self.active(handle)?;
        }
        if self.tokens.len() >= MAX_TOKENS {
            return Err(IdentityRejection::TooMany { what: "tokens", limit: MAX_TOKENS });
        }
        if let TokenOwner::Integration(source_name) = &token.owner {
            let is_valid = |it: &&Arc<ApiToken>| it.owner == token.owner && it.is_valid_at(now);
            if self.tokens.values().filter(is_valid).count() >= KEYS_PER_SOURCE {
                let source_name = source_name.clone();
                return Err(IdentityRejection::TwoKeys { source_name });
            }
        }
        let note = AuditNote::new("token.create", format!("token/{}", token.id));
        let note = note.after(shown_token(&token));
        self.put_token(Arc::new(token), writes);
        Ok(note)
    }

    fn revoke_token(
        &mut self,
        id: Uuid,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let token = self.tokens.get(&id).cloned().ok_or(IdentityRejection::UnknownToken(id))?;
        self.drop_token(id, writes);
        Ok(AuditNote::new("token.revoke", format!("token/{id}")).before(shown_token(&token)))
    }

    fn end_session(
        &mut self,
        id: Uuid,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let session = self.sessions.get(&id).cloned();
        let session = session.ok_or(IdentityRejection::UnknownSession(id))?;
        self.drop_session(id, writes);
        let note = AuditNote::new("session.end", format!("session/{id}"));
        Ok(note.before(json!({ "person": session.person })))
    }

    fn touch(
        &mut self,
        sessions: &[(Uuid, Timestamp)],
        tokens: &[(Uuid, Timestamp)],
        writes: &mut IdentityWrites,
    ) {
        for (id, at) in sessions {
            if let Some(session) = self.sessions.get(id).filter(|it| it.last_seen_at < *at) {
                let session = Session { last_seen_at: *at, ..Session::clone(session) };
                self.put_session(Arc::new(session), writes);
            }
        }
        for (id, at) in tokens {
            if let Some(token) = self.tokens.get(id).filter(|it| it.last_used_at < Some(*at)) {
                let token = ApiToken { last_used_at: Some(*at), ..ApiToken::clone(token) };
                self.put_token(Arc::new(token), writes);
            }
        }
    }

    /// Forgets sessions, links and tokens that ended; their end is no news.
    pub(crate) fn sweep(&mut self, now: Timestamp, writes: &mut IdentityWrites) {
        let ended = self.sessions.values().filter(|it| !it.is_valid_at(now)).map(|it| it.id);
        for id in ended.collect::<Vec<_>>() {
            self.drop_session(id, writes);
        }
        let ended = self.links.values().filter(|it| it.expires_at <= now).map(|it| it.hash);
        for hash in ended.collect::<Vec<_>>() {
            self.drop_link(hash, writes);
        }
    }

    fn set_secret(
        &mut self,
        secret: SealedSecret,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let known = self.secrets.contains_key(&secret.name);
        if !known && self.secrets.len() >= MAX_SECRETS {
            return Err(IdentityRejection::TooMany { what: "secrets", limit: MAX_SECRETS });
        }
        let note = AuditNote::new("secret.set", format!("secret/{}", secret.name));
        self.put_secret(Arc::new(secret), writes);
        Ok(note.after(json!({ "replaced": known })))
    }

    /// Notes a use. One that is told of late, after the secret is gone, is no news.
    fn secret_used(
        &mut self,
        name: &str,
        at: Timestamp,
        writes: &mut IdentityWrites,
    ) -> Option<AuditNote> {
        let known = self.secrets.get(name)?;
        let last = known.last_used_at;
        if last.is_some_and(|last| last >= at) {
            return None;
        }
        let secret = SealedSecret { last_used_at: Some(at), ..SealedSecret::clone(known) };
        self.put_secret(Arc::new(secret), writes);
        let is_news = last.is_none_or(|last| at.duration_since(last) >= USE_NEWS_AFTER);
        is_news.then(|| AuditNote::new("secret.open", format!("secret/{name}")))
    }

    fn delete_secret(
        &mut self,
        name: &str,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        if self.secrets.remove(name).is_none() {
            return Err(IdentityRejection::UnknownSecret(name.to_owned()));
        }
        writes.secrets.insert(name.to_owned(), None);
        Ok(AuditNote::new("secret.delete", format!("secret/{name}")))
    }

    fn reseal(
        &mut self,
        secrets: Vec<SealedSecret>,
        totp: Vec<(Handle, String)>,
        writes: &mut IdentityWrites,
    ) -> AuditNote {
        let counts = json!({ "secrets": secrets.len(), "second_factors": totp.len() });
        for secret in secrets {
            if self.secrets.contains_key(&secret.name) {
                self.put_secret(Arc::new(secret), writes);
            }
        }
        for (handle, sealed) in totp {
            let Some(known) = self.credentials.get(&handle) else { continue };
            let mut credentials = Credentials::clone(known);
            if let Some(totp) = &mut credentials.totp {
                totp.sealed = sealed;
            }
            self.put_credentials(credentials, writes);
        }
        AuditNote::new("secret.reseal", "secrets".to_owned()).after(counts)
    }

    /// Returns a person who is known and active.
    pub(super) fn active(&self, handle: &Handle) -> Result<Arc<Person>, IdentityRejection> {
        let person = self.known(handle)?;
        if person.is_active { Ok(person) } else { Err(IdentityRejection::Inactive(handle.clone())) }
    }

    /// Returns a person who is known.
    pub(super) fn known(&self, handle: &Handle) -> Result<Arc<Person>, IdentityRejection> {
        let unknown = || IdentityRejection::UnknownPerson(handle.to_string());
        self.people.get(handle).cloned().ok_or_else(unknown)
    }

    pub(super) fn put_person(&mut self, person: Person, writes: &mut IdentityWrites) {
        let (handle, person) = (person.handle.clone(), Arc::new(person));
        writes.people.insert(handle.clone(), Some(Arc::clone(&person)));
        self.people.insert(handle, person);
    }

    pub(super) fn put_team(&mut self, team: Team, writes: &mut IdentityWrites) {
        let (name, team): (TeamName, _) = (Arc::clone(&team.name), Arc::new(team));
        writes.teams.insert(Arc::clone(&name), Some(Arc::clone(&team)));
        self.teams.insert(name, team);
    }

    pub(super) fn put_credentials(&mut self, it: Credentials, writes: &mut IdentityWrites) {
        let (handle, it) = (it.person.clone(), Arc::new(it));
        writes.credentials.insert(handle.clone(), Some(Arc::clone(&it)));
        self.credentials.insert(handle, it);
    }

    pub(super) fn put_link(&mut self, link: SignInLink, writes: &mut IdentityWrites) {
        let (hash, link) = (link.hash, Arc::new(link));
        writes.links.insert(hash, Some(Arc::clone(&link)));
        self.links.insert(hash, link);
    }

    pub(super) fn drop_link(&mut self, hash: SecretHash, writes: &mut IdentityWrites) {
        self.links.remove(&hash);
        writes.links.insert(hash, None);
    }

    fn put_token(&mut self, token: Arc<ApiToken>, writes: &mut IdentityWrites) {
        writes.tokens.insert(token.id, Some(Arc::clone(&token)));
        self.token_hashes.insert(token.hash, token.id);
        self.tokens.insert(token.id, token);
    }

    pub(super) fn drop_token(&mut self, id: Uuid, writes: &mut IdentityWrites) {
        if let Some(token) = self.tokens.remove(&id) {
            self.token_hashes.remove(&token.hash);
            writes.tokens.insert(id, None);
        }
    }

    pub(super) fn put_session(&mut self, session: Arc<Session>, writes: &mut IdentityWrites) {
        writes.sessions.insert(session.id, Some(Arc::clone(&session)));
        self.session_hashes.insert(session.hash, session.id);
        self.sessions.insert(session.id, session);
    }

    pub(super) fn drop_session(&mut self, id: Uuid, writes: &mut IdentityWrites) {
        if let Some(session) = self.sessions.remove(&id) {
            self.session_hashes.remove(&session.hash);
            writes.sessions.insert(id, None);
        }
    }

    /// Ends all sessions of a person but one, and returns how many ended.
    pub(super) fn end_sessions(
        &mut self,
        handle: &Handle,
        keep: Option<Uuid>,
        writes: &mut IdentityWrites,
    ) -> usize {
        let of_person = self.sessions.values().filter(|session| session.person == *handle);
        let ended: Vec<_> = of_person.map(|it| it.id).filter(|id| Some(*id) != keep).collect();
        for id in &ended {
            self.drop_session(*id, writes);
        }
        ended.len()
    }

    fn put_secret(&mut self, secret: Arc<SealedSecret>, writes: &mut IdentityWrites) {
        writes.secrets.insert(secret.name.clone(), Some(Arc::clone(&secret)));
        self.secrets.insert(secret.name.clone(), secret);
    }
}

/// Returns a token as the audit log shows it.
fn shown_token(token: &ApiToken) -> Value {
    json!({
        "name": token.name,
        "owner": token.owner.subject(),
        "permissions": token.permissions,
        "scopes": token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allowed_from": token.allowed_from,
        "expires_at": token.expires_at,
    })
}
