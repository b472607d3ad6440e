//! Who we are to the push services of browsers: a key that is made once and never leaves.
//!
//! Source: RFC 8292, "Voluntary Application Server Identification (VAPID) for Web Push".

use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

/// How long a proof is good; services take at most a day.
const PROOF_LIFE: SignedDuration = SignedDuration::from_hours(12);

/// How many characters a line of PEM has.
const PEM_LINE: usize = 64;

/// The key by which push services know this server.
pub struct VapidKey {
    pair: EcdsaKeyPair,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum VapidError {
    /// The file cannot be read or made.
    #[error("the key of Web Push {path} cannot be used: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// It holds something else.
    #[error("{place} is no private key of the curve P-256 as PEM (PKCS #8)")]
    NoKey {
        /// Where.
        place: String,
    },
}

impl std::fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public()).finish_non_exhaustive()
    }
}

impl VapidKey {
    /// Returns a key that is nowhere kept.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn fresh() -> Result<Self, VapidError> {
        Self::of_der(&new_der()?, "a new key")
    }

    /// Reads the key file, or makes one that only its owner can read. Browsers that subscribed are
    /// lost with it.
    ///
    /// # Errors
    /// [`VapidError`]; nothing is made where something is.
    pub fn open(path: &Path) -> Result<Self, VapidError> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let wrong = |why| VapidError::File { path: path.to_owned(), why };
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &path.display().to_string()),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                let der = new_der()?;
                let mut options = std::fs::OpenOptions::new();
                let mut file =
                    options.write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
                file.write_all(pem(&der).as_bytes()).map_err(wrong)?;
                file.sync_all().map_err(wrong)?;
                Self::of_der(&der, &path.display().to_string())
            }
            Err(why) => Err(wrong(why)),
        }
    }

    /// Reads a key from PEM.
    ///
    /// # Errors
    /// [`VapidError::NoKey`] that names the place.
    pub fn parse(text: &str, place: &str) -> Result<Self, VapidError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
            .map_err(|_| VapidError::NoKey { place: place.to_owned() })?;
        Self::of_der(der.secret_pkcs8_der(), place)
    }

    fn of_der(der: &[u8], place: &str) -> Result<Self, VapidError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
            .map(|pair| Self { pair })
            .map_err(|_| VapidError::NoKey { place: place.to_owned() })
    }

    /// Returns the public half as browsers want it to subscribe: base64url of the point.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref())
    }

    /// Returns the value of `Authorization` for one push service.
    pub(super) fn authorization(
        &self,
        audience: &str,
        subject: &str,
        now: Timestamp,
    ) -> Option<String> {
        let expires_at = now.checked_add(PROOF_LIFE).ok()?.as_second();
        let claims = json!({ "aud": audience, "exp": expires_at, "sub": subject });
        let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"ES256"}"#);
        let said = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), said.as_bytes()).ok()?;
        let token = format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        Some(format!("vapid t={token}, k={}", self.public()))
    }
}

fn new_der() -> Result<Vec<u8>, VapidError> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map(|document| document.as_ref().to_vec())
        .map_err(|_| VapidError::NoKey {
            place: "what the system's random numbers make".to_owned(),
        })
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out + "-----END PRIVATE KEY-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web-push.pem");
        let public = VapidKey::open(&path).unwrap().public();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(VapidKey::open(&path).unwrap().public(), public);
        assert_eq!(URL_SAFE_NO_PAD.decode(&public).unwrap().len(), 65);
        std::fs::write(&path, "nonsense").unwrap();
        let error = VapidKey::open(&path).unwrap_err().to_string();
        assert!(error.contains("is no private key"), "{error}");
    }

    #[test]
    fn a_proof_names_the_service_and_ends() {
        let key = VapidKey::fresh().unwrap();
        let now = Timestamp::from_second(1_000_000).unwrap();
        let value = key.authorization("https://push.example", "mailto:a@b.c", now).unwrap();
        let token = value.strip_prefix("vapid t=").unwrap();
        let (token, public) = token.split_once(", k=").unwrap();
        assert_eq!(public, key.public());
        let parts: Vec<&str> = token.split('.').collect();
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["aud"], "https://push.example");
        assert_eq!(claims["exp"], 1_000_000 + 12 * 3_600);
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 64);
    }
}
