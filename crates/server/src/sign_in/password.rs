//! Passwords: hashed slowly, checked in equal time, refused when they are easily guessed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use tokio::sync::Semaphore;

/// How many passwords are hashed at once: each takes the memory below.
const MAX_HASHING: usize = 2;

/// The longest password that is looked at, in bytes.
pub(super) const MAX_PASSWORD_BYTES: usize = 1_024;

/// Memory in KiB, passes and lanes: what OWASP's password storage cheat sheet names first for
/// Argon2id.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords that lists of leaks have near their top and that are long enough to be tried here,
/// and what such passwords are made of.
const COMMON: &[&str] = &[
    "123456789012",
    "1234567890123",
    "123412341234",
    "123123123123",
    "111111111111",
    "000000000000",
    "qwertyuiopas",
    "qwertyuiop123",
    "qwerty123456",
    "1qaz2wsx3edc",
    "1q2w3e4r5t6y",
    "passwordpassword",
    "password1234",
    "password12345",
    "password123!",
    "passw0rd1234",
    "iloveyou1234",
    "administrator",
    "admin1234567",
    "adminadminadmin",
    "letmeinletmein",
    "welcome12345",
    "welcome123456",
    "changemechangeme",
    "changeme1234",
    "correcthorsebatterystaple",
    "abcdefghijkl",
    "abcd1234abcd",
    "abc123abc123",
    "zaq12wsxcde3",
    "monkey123456",
    "dragon123456",
    "football1234",
    "baseball1234",
    "superman1234",
    "batman123456",
    "sunshine1234",
    "princess1234",
    "trustno1trustno1",
    "masterpassword",
    "secretsecret",
    "supersecret123",
    "topsecret1234",
    "mypassword123",
    "p@ssw0rd1234",
    "p@ssword1234",
    "tocsintocsin",
    "alertmanager",
    "pagerduty1234",
    "opsgenie1234",
];

/// Hashes and checks passwords, a bounded number at once.
#[derive(Clone, Debug)]
pub(super) struct Passwords {
    places: Arc<Semaphore>,
    checked: Arc<AtomicU64>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_HASHING)), checked: Arc::default() }
    }
}

impl Passwords {
    /// Returns the hash of a password as a PHC string.
    ///
    /// # Errors
    /// The password cannot be hashed, in words.
    pub(super) async fn hash(&self, password: String) -> Result<String, String> {
        let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
        let hashing = tokio::task::spawn_blocking(move || hash(&password));
        hashing.await.map_err(|error| error.to_string())?
    }

    /// Returns how many passwords were compared with a hash.
    pub(super) fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// Returns whether the password has that hash. Without a hash it takes as long and is wrong, so
    /// that nobody learns who has an account.
    pub(super) async fn is_right(&self, known: Option<String>, password: String) -> bool {
        let Ok(_place) = self.places.acquire().await else { return false };
        let checked = Arc::clone(&self.checked);
        let checking = tokio::task::spawn_blocking(move || {
            let is_known = known.is_some();
            let hash = known.unwrap_or_else(|| decoy().to_owned());
            let password = password.as_bytes();
            let parsed = PasswordHash::new(&hash);
            let is_right = parsed.is_ok_and(|hash| {
                checked.fetch_add(1, Ordering::Relaxed);
                hasher().verify_password(password, &hash).is_ok()
            });
            is_right && is_known
        });
        checking.await.unwrap_or(false)
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Result<String, String> {
    let hash = hasher().hash_password(password.as_bytes()).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

/// Returns the hash of a password that nobody has.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash(&uuid::Uuid::new_v4().to_string()).unwrap_or_default())
}

/// Refuses a password that is short, known to everybody, or made of what is known of the person.
///
/// # Errors
/// What is wrong with it, for the person who chose it.
pub(super) fn check_strength(
    password: &str,
    min_chars: usize,
    about: &[&str],
) -> Result<(), String> {
    let chars = password.chars().count();
    if chars < min_chars {
        return Err(format!("has {chars} characters; {min_chars} are needed"));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(format!("is longer than {MAX_PASSWORD_BYTES} bytes"));
    }
    let lower = password.to_lowercase();
    if COMMON.contains(&lower.as_str()) {
        return Err("is among those that everybody tries first".to_owned());
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 {
        return Err("has fewer than five different characters".to_owned());
    }
    let mut steps = lower.chars().zip(lower.chars().skip(1));
    if steps.all(|(a, b)| (a, b) == ('9', '0') || u32::from(b).wrapping_sub(u32::from(a)) <= 1) {
        return Err("only counts up".to_owned());
    }
    for word in about.iter().filter(|word| word.len() >= 3) {
        // What remains without the word must still be hard to guess.
        let rest = lower.replace(&word.to_lowercase(), "");
        if rest.chars().count() < min_chars / 2 {
            return Err(format!("is little more than `{word}`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let check = |password: &str| check_strength(password, 12, &["ada", "ada@example.org"]);
        for bad in [
            "short",
            "password1234",
            "PASSWORD1234",
            "aaaaaaaaaaaaaa",
            "ababababababab",
            "abcdefghijklmnop",
            "0123456789012",
            "ada@example.org1",
            &"x1y2z3".repeat(400),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in ["tiny boats sing", "Zm9vYmFyYmF6IQ", "größe-zählt-hier", "ada likes 7 llamas"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_guess_at_nobody_costs_what_a_guess_at_somebody_does() {
        let hash = hash("tiny boats sing").unwrap();
        let (known, nobody) =
            (PasswordHash::new(&hash).unwrap(), PasswordHash::new(decoy()).unwrap());
        assert_eq!((known.algorithm, known.version), (nobody.algorithm, nobody.version));
        assert_eq!(known.params, nobody.params);
        let sizes = |hash: &PasswordHash| {
            (hash.salt.as_ref().unwrap().len(), hash.hash.as_ref().unwrap().len())
        };
        assert_eq!(sizes(&known), sizes(&nobody));
    }

    #[tokio::test]
    async fn only_the_right_password_of_somebody_known_is_right() {
        let passwords = Passwords::default();
        let known = passwords.hash("tiny boats sing".to_owned()).await.unwrap();
        assert!(known.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{known}");
        let right = |known: Option<&str>, given: &str| {
            passwords.is_right(known.map(str::to_owned), given.to_owned())
        };
        assert!(right(Some(&known), "tiny boats sing").await);
        assert!(!right(Some(&known), "tiny boats sang").await);
        assert!(!right(None, "tiny boats sing").await);
        assert!(!right(Some("nonsense"), "tiny boats sing").await);
    }
}
