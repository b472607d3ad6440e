//! What was looked up lately, and what was used lately.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tocsin_core::command::Command;
use tocsin_core::identity::{
    Access, ApiToken, Directory, IdentityChange, SealedSecret, SecretHash, Session,
};
use tocsin_engine::EngineHandle;
use uuid::Uuid;

/// How many tokens and sessions are remembered before all are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// To how many seconds it is known when something was used.
const USE_SECONDS: i64 = 60;

/// What may be done with tokens and sessions, worked out once for each state of the directory.
#[derive(Debug, Default)]
pub struct Known {
    remembered: RwLock<Remembered>,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Remembered {
    directory: Arc<Directory>,
    tokens: HashMap<SecretHash, (Arc<ApiToken>, Arc<Access>)>,
    sessions: HashMap<SecretHash, (Arc<Session>, Arc<Access>)>,
}

#[derive(Debug, Default)]
struct Used {
    tokens: HashMap<Uuid, Timestamp>,
    sessions: HashMap<Uuid, Timestamp>,
    secrets: HashMap<String, Timestamp>,
}

impl Known {
    /// Returns the token with that secret and what it allows.
    pub(super) fn token(
        &self,
        directory: &Arc<Directory>,
        hash: &SecretHash,
    ) -> Option<(Arc<ApiToken>, Arc<Access>)> {
        if let Some(found) = self.look(directory, |known| known.tokens.get(hash).cloned()) {
            return Some(found);
        }
        let token = Arc::clone(directory.token_by_hash(hash)?);
        let access = Arc::new(directory.access_of_token(&token));
        let found = (token, access);
        self.remember(directory, |known| known.tokens.insert(*hash, found.clone()));
        Some(found)
    }

    /// Returns the session with that secret and what its person may do.
    pub(super) fn session(
        &self,
        directory: &Arc<Directory>,
        hash: &SecretHash,
    ) -> Option<(Arc<Session>, Arc<Access>)> {
        if let Some(found) = self.look(directory, |known| known.sessions.get(hash).cloned()) {
            return Some(found);
        }
        let session = Arc::clone(directory.session_by_hash(hash)?);
        directory.person(session.person.as_str()).filter(|person| person.is_active)?;
        let access = Arc::new(directory.access_of(session.person.as_str()));
        let found = (session, access);
        self.remember(directory, |known| known.sessions.insert(*hash, found.clone()));
        Some(found)
    }

    fn look<T>(
        &self,
        directory: &Arc<Directory>,
        find: impl FnOnce(&Remembered) -> Option<T>,
    ) -> Option<T> {
        let known = self.remembered.read();
        // What was worked out for an older state may be wrong now.
        if Arc::ptr_eq(&known.directory, directory) { find(&known) } else { None }
    }

    fn remember<T>(&self, directory: &Arc<Directory>, add: impl FnOnce(&mut Remembered) -> T) {
        let mut known = self.remembered.write();
        let is_full = known.tokens.len() + known.sessions.len() >= MAX_REMEMBERED;
        if is_full || !Arc::ptr_eq(&known.directory, directory) {
            *known = Remembered { directory: Arc::clone(directory), ..Remembered::default() };
        }
        add(&mut known);
    }

    /// Notes that a token is used.
    pub(crate) fn token_used(&self, token: &ApiToken, now: Timestamp) {
        if is_news(token.last_used_at, now) {
            self.used.lock().tokens.insert(token.id, now);
        }
    }

    /// Notes that a session is used.
    pub(super) fn session_used(&self, session: &Session, now: Timestamp) {
        if is_news(Some(session.last_seen_at), now) {
            self.used.lock().sessions.insert(session.id, now);
        }
    }

    /// Notes that a stored secret is used.
    pub(crate) fn secret_used(&self, secret: &SealedSecret, now: Timestamp) {
        if is_news(secret.last_used_at, now) {
            self.used.lock().secrets.insert(secret.name.clone(), now);
        }
    }

    /// Writes down what was used since this was called last. What is lost by a crash is at most
    /// when something was used last.
    pub async fn flush(&self, engine: &EngineHandle) {
        let Used { tokens, sessions, secrets } = std::mem::take(&mut *self.used.lock());
        for (name, at) in secrets {
            let change = IdentityChange::SecretUsed { name, at };
            if let Err(error) = engine.command(Command::Identity(change)).await {
                tracing::debug!(%error, "when a secret was used could not be written");
            }
        }
        if tokens.is_empty() && sessions.is_empty() {
            return;
        }
        let change = IdentityChange::Touch {
            sessions: sessions.into_iter().collect(),
            tokens: tokens.into_iter().collect(),
        };
        if let Err(error) = engine.command(Command::Identity(change)).await {
            tracing::debug!(%error, "when tokens and sessions were used could not be written");
        }
    }
}

fn is_news(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.duration_since(last).as_secs() >= USE_SECONDS)
}
