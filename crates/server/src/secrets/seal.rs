//! Secrets at rest: each value is sealed with a key of its own, and that key with the master key.
//!
//! AES-256-GCM both times; what a value belongs to is bound to it, so that a sealed value that is
//! moved to another place does not open there. A sealed text is `v1.` and, in base64url, the first
//! eight bytes of the master key's hash, then nonce and key, then nonce and value.

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::{Digest as _, Sha256};

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const ID_BYTES: usize = 8;
const VERSION: &str = "v1.";

type Key = [u8; KEY_BYTES];

/// The master key, and older ones that still open what they sealed.
pub struct MasterKey {
    current: Key,
    older: Vec<Key>,
}

/// Why a master key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key file {path} cannot be used: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// A line is no key.
    #[error(
        "{place} is no key: 32 bytes in base64 are needed, as `openssl rand -base64 32` prints"
    )]
    NoKey {
        /// Where.
        place: String,
    },
    /// Others could read it.
    #[error("{path} can be read by others; `chmod 600` it")]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// The system has no random numbers.
    #[error("no random numbers: {0}")]
    NoRandom(String),
}

/// A sealed text does not open: another key, another place, or altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret does not open; was the key file replaced or the database altered?")]
pub struct Unsealable;

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey").field("older", &self.older.len()).finish_non_exhaustive()
    }
}

impl MasterKey {
    /// Returns the key of a text: one in each line, the current one first.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] that names the place.
    pub fn parse(text: &str, place: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || KeyError::NoKey { place: format!("{place}, line {}", number + 1) };
            let bytes = STANDARD.decode(line).map_err(|_| wrong())?;
            keys.push(Key::try_from(bytes).map_err(|_| wrong())?);
        }
        let mut keys = keys.into_iter();
        let none = || KeyError::NoKey { place: place.to_owned() };
        Ok(Self { current: keys.next().ok_or_else(none)?, older: keys.collect() })
    }

    /// Returns a key that is nowhere kept, for tests and short lives.
    ///
    /// # Errors
    /// [`KeyError::NoRandom`].
    pub fn fresh() -> Result<Self, KeyError> {
        Ok(Self { current: random()?, older: Vec::new() })
    }

    /// Reads the key file, or makes one that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`]; nothing is made where something is.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        use std::io::Write as _;
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let wrong = |why| KeyError::File { path: path.to_owned(), why };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let mode = std::fs::metadata(path).map_err(wrong)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(KeyError::Exposed { path: path.to_owned() });
                }
                Self::parse(&text, &path.display().to_string())
            }
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                let key: Key = random()?;
                let mut options = std::fs::OpenOptions::new();
                let mut file =
                    options.write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
                let text = format!("{}\n", STANDARD.encode(key));
                file.write_all(text.as_bytes()).map_err(wrong)?;
                file.sync_all().map_err(wrong)?;
                Ok(Self { current: key, older: Vec::new() })
            }
            Err(why) => Err(wrong(why)),
        }
    }

    /// Puts a fresh key above those of the file, which must be there, and returns how many it
    /// holds then. The file is replaced as a whole: there is no moment without the old keys.
    ///
    /// # Errors
    /// [`KeyError`]; the file stays as it was.
    pub fn rotate(path: &Path) -> Result<usize, KeyError> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let wrong = |why| KeyError::File { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(wrong)?;
        // What is there has to be right before it is written again.
        let known = Self::open(path)?;
        let fresh: Key = random()?;
        let beside = path.with_extension("key.new");
        // What an interrupted attempt left there is no key file, whoever can read it.
        match std::fs::remove_file(&beside) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(wrong(why)),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&beside).map_err(wrong)?;
        let text = format!("{}\n{text}", STANDARD.encode(fresh));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)?;
        std::fs::rename(&beside, path).map_err(wrong)?;
        let directory = path.parent().map(std::fs::File::open);
        if let Some(directory) = directory {
            directory.and_then(|it| it.sync_all()).map_err(wrong)?;
        }
        Ok(known.older.len() + 2)
    }

    /// Seals a value for one place, such as `totp/ada`.
    ///
    /// # Errors
    /// [`KeyError::NoRandom`].
    pub fn seal(&self, place: &str, value: &[u8]) -> Result<String, KeyError> {
        let own: Key = random()?;
        let mut sealed = id_of(&self.current).to_vec();
        close(&self.current, place, &own, &mut sealed)?;
        close(&own, place, value, &mut sealed)?;
        Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what was sealed for that place.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub fn open_sealed(&self, place: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let text = sealed.strip_prefix(VERSION).ok_or(Unsealable)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Unsealable)?;
        let (id, rest) = bytes.split_at_checked(ID_BYTES).ok_or(Unsealable)?;
        let mut keys = std::iter::once(&self.current).chain(&self.older);
        let key = keys.find(|key| id_of(key) == id).ok_or(Unsealable)?;
        let wrapped = NONCE_LEN + KEY_BYTES + TAG_BYTES;
        let (wrapped, value) = rest.split_at_checked(wrapped).ok_or(Unsealable)?;
        let own = unclose(key, place, wrapped)?;
        unclose(&Key::try_from(own).map_err(|_| Unsealable)?, place, value)
    }

    /// Returns keys for one other purpose, that of the current master key first: whoever learns one
    /// of them learns nothing about the others.
    ///
    /// Source: RFC 5869, HKDF with SHA-256.
    pub fn derived(&self, purpose: &str) -> Vec<[u8; KEY_BYTES]> {
        let derive = |key: &Key| {
            let mut out = [0; KEY_BYTES];
            let salt = Salt::new(HKDF_SHA256, b"tocsin");
            salt.extract(key)
                .expand(&[purpose.as_bytes()], HKDF_SHA256)
                .and_then(|key| key.fill(&mut out))
                .ok()
                .map(|()| out)
        };
        std::iter::once(&self.current).chain(&self.older).filter_map(derive).collect()
    }

    /// Returns whether the current key sealed it.
    pub fn is_current(&self, sealed: &str) -> bool {
        let id = || URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION)?).ok();
        id().is_some_and(|bytes| bytes.starts_with(&id_of(&self.current)))
    }
}

fn id_of(key: &Key) -> [u8; ID_BYTES] {
    let hash: [u8; 32] = Sha256::digest(key).into();
    std::array::from_fn(|place| hash[place])
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    let filled = SysRng.try_fill_bytes(&mut bytes);
    filled.map_err(|error| KeyError::NoRandom(error.to_string()))?;
    Ok(bytes)
}

fn aead(key: &Key) -> Result<LessSafeKey, Unsealable> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Unsealable)
}

fn close(key: &Key, place: &str, value: &[u8], sealed: &mut Vec<u8>) -> Result<(), KeyError> {
    let nonce: [u8; NONCE_LEN] = random()?;
    let mut bytes = value.to_vec();
    let failed = |_| KeyError::NoRandom("the value cannot be sealed".to_owned());
    let aead = aead(key).map_err(|error| KeyError::NoRandom(error.to_string()))?;
    let nonce_of = Nonce::assume_unique_for_key(nonce);
    aead.seal_in_place_append_tag(nonce_of, Aad::from(place), &mut bytes).map_err(failed)?;
    sealed.extend(nonce);
    sealed.extend(bytes);
    Ok(())
}

fn unclose(key: &Key, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
    let (nonce, value) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
    let mut bytes = value.to_vec();
    let opened = aead(key)?.open_in_place(nonce, Aad::from(place), &mut bytes);
    opened.map(|plain| plain.to_vec()).map_err(|_| Unsealable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_with_its_key_and_nowhere_else() {
        let key = MasterKey::fresh().unwrap();
        let sealed = key.seal("totp/ada", b"secret").unwrap();
        assert_eq!(key.open_sealed("totp/ada", &sealed).unwrap(), b"secret");
        assert_eq!(key.open_sealed("totp/bob", &sealed), Err(Unsealable));
        assert_eq!(MasterKey::fresh().unwrap().open_sealed("totp/ada", &sealed), Err(Unsealable));
        assert_ne!(key.seal("totp/ada", b"secret").unwrap(), sealed);
        assert!(!sealed.contains("secret"));
        for place in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            // The last letter holds bits that mean nothing, so it may read the same.
            if place + 1 < sealed.len() {
                assert_eq!(key.open_sealed("totp/ada", &altered), Err(Unsealable), "{place}");
            }
        }
    }

    #[test]
    fn an_older_key_opens_what_it_sealed_and_is_known_not_to_be_current() {
        let [old, new] = [[7_u8; 32], [8; 32]].map(|key| STANDARD.encode(key));
        let sealed = MasterKey::parse(&old, "x").unwrap().seal("p", b"v").unwrap();
        let both = MasterKey::parse(&format!("# keys\n{new}\n{old}\n"), "x").unwrap();
        assert_eq!(both.open_sealed("p", &sealed).unwrap(), b"v");
        assert!(!both.is_current(&sealed));
        assert!(both.is_current(&both.seal("p", b"v").unwrap()));
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_outlive_a_change() {
        let [old, new] = [[7_u8; 32], [8; 32]].map(|key| STANDARD.encode(key));
        let old_only = MasterKey::parse(&old, "x").unwrap().derived("links/1");
        let both = MasterKey::parse(&format!("{new}\n{old}\n"), "x").unwrap();
        let links = both.derived("links/1");
        assert_eq!(links.len(), 2);
        assert_eq!(links[1..], old_only);
        assert_ne!(links[0], links[1]);
        assert_ne!(both.derived("links/2"), links);
        assert_ne!(links[1], [7; 32]);
    }

    #[test]
    fn a_new_key_comes_above_the_old_one_in_a_file_of_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.key");
        assert!(MasterKey::rotate(&path).is_err(), "there is no file yet");
        let sealed = MasterKey::open(&path).unwrap().seal("p", b"v").unwrap();
        assert_eq!(MasterKey::rotate(&path).unwrap(), 2);
        let both = MasterKey::open(&path).unwrap();
        assert_eq!(both.open_sealed("p", &sealed).unwrap(), b"v");
        assert!(!both.is_current(&sealed));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_is_made_for_its_owner_alone_and_read_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.key");
        let sealed = MasterKey::open(&path).unwrap().seal("p", b"v").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKey::open(&path).unwrap().open_sealed("p", &sealed).unwrap(), b"v");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(MasterKey::open(&path), Err(KeyError::Exposed { .. })));
        assert!(matches!(MasterKey::rotate(&path), Err(KeyError::Exposed { .. })));
        let wrong = MasterKey::parse("nonsense", "the variable").unwrap_err();
        assert!(wrong.to_string().starts_with("the variable, line 1 is no key"), "{wrong}");
    }
}
