//! Signing in, and what people sign in with.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Directory, IdentityWrites};
use crate::audit::AuditNote;
use crate::identity::{
    Credentials, ExternalAccount, Handle, IdentityRejection, MAX_RECOVERY_CODES, Person,
    PersonOrigin, Proof, SecretHash, SignIn, SignInLink, Totp,
};

/// The most browsers one person is signed in with; the one used longest ago is signed out.
const MAX_SESSIONS_PER_PERSON: usize = 20;

/// The most links that wait to be used.
const MAX_LINKS: usize = 1_000;

/// How many handles are tried for somebody whose own is taken.
const MAX_HANDLE_TRIES: u32 = 100;

impl Directory {
    pub(super) fn sign_in(
        &mut self,
        now: Timestamp,
        sign_in: SignIn,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let SignIn { mut session, proof } = sign_in;
        session.by = proof.signed_in_by();
        match proof {
            Proof::Password => {
                if self.credentials.get(&session.person).is_some_and(|it| it.wants_code()) {
                    return Err(IdentityRejection::CodeWanted);
                }
            }
            Proof::Code { step } => self.use_code(&session.person, step, writes)?,
            Proof::RecoveryCode { hash } => {
                self.use_recovery_code(&session.person, &hash, writes)?;
            }
            Proof::Link { hash } => session.person = self.use_link(now, hash, writes)?,
            Proof::External { account, profile, link_to } => {
                session.person = self.external(account, *profile, link_to, writes)?;
            }
        }
        self.active(&session.person)?;
        let mut own: Vec<_> =
            self.sessions.values().filter(|it| it.person == session.person).collect();
        own.sort_by_key(|it| (it.last_seen_at, it.id));
        let surplus = (own.len() + 1).saturating_sub(MAX_SESSIONS_PER_PERSON);
        for id in own.into_iter().take(surplus).map(|it| it.id).collect::<Vec<_>>() {
            self.drop_session(id, writes);
        }
        let note =
            AuditNote::new("session.start", format!("session/{}", session.id)).after(json!({
                "person": session.person,
                "by": session.by,
                "ends_at": session.ends_at,
            }));
        self.put_session(Arc::new(session), writes);
        Ok(note)
    }

    fn use_code(
        &mut self,
        handle: &Handle,
        step: u64,
        writes: &mut IdentityWrites,
    ) -> Result<(), IdentityRejection> {
        let mut credentials = self.credentials_of(handle);
        let totp = credentials.totp.as_mut().filter(|it| it.is_confirmed);
        let totp = totp.ok_or(IdentityRejection::NoTotp)?;
        if step <= totp.last_step {
            return Err(IdentityRejection::CodeUsed);
        }
        totp.last_step = step;
        self.put_credentials(credentials, writes);
        Ok(())
    }

    fn use_recovery_code(
        &mut self,
        handle: &Handle,
        hash: &SecretHash,
        writes: &mut IdentityWrites,
    ) -> Result<(), IdentityRejection> {
        let mut credentials = self.credentials_of(handle);
        let known = credentials.recovery_codes.iter().position(|code| code.is(hash));
        let place = known.ok_or(IdentityRejection::CodeUsed)?;
        credentials.recovery_codes.remove(place);
        self.put_credentials(credentials, writes);
        Ok(())
    }

    fn use_link(
        &mut self,
        now: Timestamp,
        hash: SecretHash,
        writes: &mut IdentityWrites,
    ) -> Result<Handle, IdentityRejection> {
        let link = self.links.get(&hash).filter(|link| now < link.expires_at);
        let person = link.map(|link| link.person.clone()).ok_or(IdentityRejection::LinkEnded)?;
        self.active(&person)?;
        self.drop_link(hash, writes);
        Ok(person)
    }

    /// Finds or makes the person of an account at the identity provider. Roles that the provider
    /// gives replace those it gave before.
    fn external(
        &mut self,
        account: ExternalAccount,
        mut profile: Person,
        link_to: Option<Handle>,
        writes: &mut IdentityWrites,
    ) -> Result<Handle, IdentityRejection> {
        let owner = self.credentials.values().find(|it| it.external.as_ref() == Some(&account));
        let has_none =
            |handle: &Handle| self.credentials.get(handle).is_none_or(|it| it.external.is_none());
        let handle = match owner.map(|it| it.person.clone()).or(link_to.filter(has_none)) {
            Some(handle) => handle,
            None => {
                profile.handle = self.free_handle(&profile.handle)?;
                profile.origin = PersonOrigin::Provider;
                let handle = profile.handle.clone();
                self.add_person(profile.clone(), writes)?;
                handle
            }
        };
        let known = self.active(&handle)?;
        if known.origin == PersonOrigin::Provider {
            let Person { name, email, grants, .. } = profile;
            self.put_person(Person { name, email, grants, ..Person::clone(&known) }, writes);
        }
        let mut credentials = self.credentials_of(&handle);
        if credentials.external.as_ref() != Some(&account) {
            credentials.external = Some(account);
            self.put_credentials(credentials, writes);
        }
        Ok(handle)
    }

    fn free_handle(&self, wish: &Handle) -> Result<Handle, IdentityRejection> {
        let numbered = (2..MAX_HANDLE_TRIES).map(|number| {
            let stem: String = wish.as_str().chars().take(58).collect();
            Handle::parse(&format!("{stem}-{number}")).ok()
        });
        let candidates = std::iter::once(Some(wish.clone())).chain(numbered).flatten();
        let mut free = candidates.filter(|handle| !self.people.contains_key(handle));
        free.next().ok_or_else(|| IdentityRejection::PersonExists(wish.clone()))
    }

    pub(super) fn set_password(
        &mut self,
        handle: &Handle,
        hash: &str,
        keep: Option<Uuid>,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        self.active(handle)?;
        let mut credentials = self.credentials_of(handle);
        let had = credentials.password.is_some();
        credentials.password = Some(hash.to_owned());
        self.put_credentials(credentials, writes);
        let ended = self.end_sessions(handle, keep, writes);
        let note = AuditNote::new("password.set", format!("person/{handle}"));
        Ok(note.after(json!({ "replaced": had, "sessions_ended": ended })))
    }

    pub(super) fn begin_totp(
        &mut self,
        handle: &Handle,
        sealed: String,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        self.active(handle)?;
        let mut credentials = self.credentials_of(handle);
        if credentials.wants_code() {
            let what = "second factors of this person; remove it before another";
            return Err(IdentityRejection::TooMany { what, limit: 1 });
        }
        credentials.totp = Some(Totp { sealed, is_confirmed: false, last_step: 0 });
        self.put_credentials(credentials, writes);
        Ok(AuditNote::new("second_factor.begin", format!("person/{handle}")))
    }

    pub(super) fn confirm_totp(
        &mut self,
        handle: &Handle,
        step: u64,
        mut recovery_codes: Vec<SecretHash>,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let mut credentials = self.credentials_of(handle);
        let totp = credentials.totp.as_mut().ok_or(IdentityRejection::NoTotp)?;
        if step <= totp.last_step {
            return Err(IdentityRejection::CodeUsed);
        }
        totp.is_confirmed = true;
        totp.last_step = step;
        recovery_codes.truncate(MAX_RECOVERY_CODES);
        let codes = recovery_codes.len();
        credentials.recovery_codes = recovery_codes;
        self.put_credentials(credentials, writes);
        let note = AuditNote::new("second_factor.confirm", format!("person/{handle}"));
        Ok(note.after(json!({ "recovery_codes": codes })))
    }

    pub(super) fn remove_totp(
        &mut self,
        handle: &Handle,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        let mut credentials = self.credentials_of(handle);
        credentials.totp.take().ok_or(IdentityRejection::NoTotp)?;
        credentials.recovery_codes.clear();
        self.put_credentials(credentials, writes);
        Ok(AuditNote::new("second_factor.remove", format!("person/{handle}")))
    }

    pub(super) fn add_link(
        &mut self,
        now: Timestamp,
        link: SignInLink,
        writes: &mut IdentityWrites,
    ) -> Result<AuditNote, IdentityRejection> {
        self.active(&link.person)?;
        let is_over = |it: &&Arc<SignInLink>| it.person == link.person || it.expires_at <= now;
        let old: Vec<_> = self.links.values().filter(is_over).map(|it| it.hash).collect();
        for hash in old {
            self.drop_link(hash, writes);
        }
        if self.links.len() >= MAX_LINKS {
            return Err(IdentityRejection::TooMany { what: "links", limit: MAX_LINKS });
        }
        let note = AuditNote::new("link.create", format!("person/{}", link.person));
        let note = note.after(json!({ "expires_at": link.expires_at }));
        self.put_link(link, writes);
        Ok(note)
    }

    fn credentials_of(&self, handle: &Handle) -> Credentials {
        let known = self.credentials.get(handle);
        known.map_or_else(|| Credentials::none(handle.clone()), |it| Credentials::clone(it))
    }
}
