//! HTTP basic authentication against bcrypt hashes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tocsin_config::Secret;
use tokio::sync::Semaphore;

/// How many passwords are hashed at once; hashing is slow by intent.
const MAX_HASHING: usize = 2;

/// How many proofs are remembered before all are forgotten.
const MAX_REMEMBERED: usize = 1_000;

/// The longest password that is looked at, in bytes; bcrypt itself reads 72.
const MAX_PASSWORD_BYTES: usize = 1_024;

/// The work of a hash that nobody's password has.
const DECOY_COST: u32 = 10;

/// Checks names and passwords, and remembers those that were right: clients send them with every
/// request.
#[derive(Debug)]
pub(super) struct Users {
    proven: Mutex<BTreeSet<[u8; 32]>>,
    hashing: Arc<Semaphore>,
}

impl Default for Users {
    fn default() -> Self {
        Self { proven: Mutex::default(), hashing: Arc::new(Semaphore::new(MAX_HASHING)) }
    }
}

impl Users {
    /// Returns the one of `users` whom the request names with the right password.
    pub(super) async fn find(
        &self,
        users: &BTreeMap<String, Secret>,
        headers: &HeaderMap,
    ) -> Option<String> {
        let (name, password) = credentials(headers)?;
        let known = users.get(&name).map(|hash| hash.expose().to_owned());
        let proof = known.as_deref().map(|hash| proof(&name, &password, hash));
        if proof.is_some_and(|proof| self.proven.lock().contains(&proof)) {
            return Some(name);
        }
        let _place = self.hashing.acquire().await.ok()?;
        // A name that nobody has takes as long as a wrong password.
        let checked = tokio::task::spawn_blocking(move || {
            let is_known = known.is_some();
            let hash = known.unwrap_or_else(|| decoy().to_owned());
            bcrypt::verify(password, &hash).unwrap_or(false) && is_known
        });
        let is_right = checked.await.unwrap_or(false);
        if let Some(proof) = proof.filter(|_| is_right) {
            let mut proven = self.proven.lock();
            if proven.len() >= MAX_REMEMBERED {
                proven.clear();
            }
            proven.insert(proof);
        }
        is_right.then_some(name)
    }
}

/// Returns the name and the password of an `Authorization` header.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    (password.len() <= MAX_PASSWORD_BYTES).then(|| (name.to_owned(), password.to_owned()))
}

/// What is remembered instead of a password. It holds the hash too, so that a changed password
/// ends what was proven.
fn proof(name: &str, password: &str, hash: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [name, password, hash] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().into()
}

fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| bcrypt::hash("nobody's password", DECOY_COST).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(credentials: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(credentials));
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_let_in() {
        let hash = |password: &str| Secret::new(bcrypt::hash(password, 4).unwrap());
        let mut known = BTreeMap::from([("ada".to_owned(), hash("engine:1843"))]);
        let users = Users::default();
        assert!(users.find(&known, &asking("ada:engine:1843")).await.is_some());
        assert!(users.find(&known, &asking("ada:engine:1843")).await.is_some(), "remembered");
        assert!(users.find(&known, &asking("ada:engine")).await.is_none());
        assert!(users.find(&known, &asking("grace:engine:1843")).await.is_none());
        assert!(users.find(&known, &HeaderMap::new()).await.is_none());
        assert!(users.find(&known, &asking("ada")).await.is_none());
        known.insert("ada".to_owned(), hash("another"));
        assert!(users.find(&known, &asking("ada:engine:1843")).await.is_none(), "no longer");
    }
}
