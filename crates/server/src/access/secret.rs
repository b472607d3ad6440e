//! Tokens, cookies and links: random text that is shown once and known by its hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;
use tocsin_core::identity::SecretHash;

/// How every token and integration key begins, so that leaked ones are found by scanners.
pub const TOKEN_PREFIX: &str = "tocsin_";

/// The cookie of a session. The prefix makes browsers refuse it from anywhere but this very host
/// over a connection they trust.
pub const SESSION_COOKIE: &str = "__Host-tocsin";

/// The longest secret that is looked at.
pub(super) const MAX_SECRET_BYTES: usize = 256;

/// A secret that was just made; 256 random bits.
pub struct FreshSecret {
    text: String,
}

impl FreshSecret {
    /// Makes a token or an integration key.
    ///
    /// # Errors
    /// The system has no random numbers, in words.
    pub fn token() -> Result<Self, String> {
        Ok(Self { text: format!("{TOKEN_PREFIX}{}", random_text()?) })
    }

    /// Makes the secret of a cookie or a link.
    ///
    /// # Errors
    /// The system has no random numbers, in words.
    pub fn plain() -> Result<Self, String> {
        Ok(Self { text: random_text()? })
    }

    /// Returns the text, to be shown once.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns what is kept of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(self.text.as_bytes())
    }
}

/// Makes a code of six random digits.
///
/// # Errors
/// The system has no random numbers, in words.
pub(crate) fn random_digits() -> Result<String, String> {
    // Numbers above the last whole million would make small codes likelier.
    const BOUND: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let mut bytes = [0; 4];
        SysRng.try_fill_bytes(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
        let number = u32::from_be_bytes(bytes);
        if number < BOUND {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}

fn random_text() -> Result<String, String> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
