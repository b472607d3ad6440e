//! What we sign so that it comes back to us: links in messages, and what rides along in buttons.
//!
//! A token is what it says and a signature over it (HMAC-SHA256), both in base64url. What it is
//! for is signed with it, so that a token for one use opens nothing else. The signature is cut to
//! 16 bytes, which nobody guesses and which leaves room in a text message.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use tocsin_core::identity::Handle;
use tocsin_core::ids::RunNumber;
use tocsin_core::paging::{Answerer, Channel};

/// How many bytes of the signature a token carries.
const MAC_BYTES: usize = 16;

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// The first byte of what a link says.
const VERSION: u8 = 1;

/// A key of a signer.
pub type LinkKey = [u8; 32];

/// Signs and checks links of one tenant. The first key signs, all of them check, so that links
/// outlive a change of the master key. Clones share their keys.
#[derive(Clone)]
pub struct LinkSigner {
    keys: Arc<RwLock<Vec<LinkKey>>>,
}

impl std::fmt::Debug for LinkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkSigner").finish_non_exhaustive()
    }
}

/// What a link says: who may answer what, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The escalation.
    pub run: RunNumber,
    /// Whoever the page was for.
    pub by: Answerer,
    /// By which channel it went out.
    pub channel: Channel,
    /// Which of the person's methods it was; empty for a place.
    pub method: String,
    /// When the page was decided.
    pub asked_at: Timestamp,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// Why a link does nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not of ours, or it was changed.
    #[error("this link is not valid; it may have been cut off on the way")]
    Forged,
    /// It was ours, and it is over.
    #[error("this link ended at {:.0}; nothing was changed", .0.expires_at)]
    Expired(Box<Link>),
}

impl LinkSigner {
    /// Signs with the first of the keys and checks with all of them.
    pub fn new(keys: Vec<LinkKey>) -> Self {
        Self { keys: Arc::new(RwLock::new(keys)) }
    }

    /// Puts other keys into effect, everywhere where this signer is used.
    pub fn replace(&self, keys: Vec<LinkKey>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    fn keys(&self) -> RwLockReadGuard<'_, Vec<LinkKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs with a key that nobody knows and that ends with the process.
    pub fn fresh() -> Self {
        Self::new(vec![rand::random()])
    }

    /// Returns the token of a link.
    pub fn sign(&self, link: &Link) -> String {
        self.seal("link", &encode(link))
    }

    /// Reads the token of a link.
    ///
    /// # Errors
    /// [`LinkError`], which says to people why nothing happens.
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Link, LinkError> {
        let bytes = self.open("link", token).ok_or(LinkError::Forged)?;
        let link = decode(&bytes).ok_or(LinkError::Forged)?;
        if now < link.expires_at { Ok(link) } else { Err(LinkError::Expired(Box::new(link))) }
    }

    /// Signs any bytes for one purpose. They can be read by everybody.
    pub fn seal(&self, purpose: &str, bytes: &[u8]) -> String {
        let mut all = bytes.to_vec();
        if let Some(mac) = self.keys().first().and_then(|key| mac(key, purpose, bytes)) {
            all.extend(&mac.finalize().into_bytes()[..MAC_BYTES]);
        }
        URL_SAFE_NO_PAD.encode(all)
    }

    /// Returns the bytes that were signed for that purpose.
    pub fn open(&self, purpose: &str, token: &str) -> Option<Vec<u8>> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let mut all = URL_SAFE_NO_PAD.decode(token).ok()?;
        let bytes = all.len().checked_sub(MAC_BYTES)?;
        let (said, signature) = all.split_at(bytes);
        let is_ours = |key| {
            mac(key, purpose, said).is_some_and(|mac| mac.verify_truncated_left(signature).is_ok())
        };
        if !self.keys().iter().any(is_ours) {
            return None;
        }
        all.truncate(bytes);
        Some(all)
    }
}

fn mac(key: &LinkKey, purpose: &str, bytes: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(bytes);
    Some(mac)
}

fn encode(link: &Link) -> Vec<u8> {
    let (tag, name) = match &link.by {
        Answerer::Person(handle) => (0, handle.as_str()),
        Answerer::Outsider(name) => (1, name.as_str()),
    };
    let channel = Channel::ALL.iter().position(|it| *it == link.channel).unwrap_or_default();
    let mut out = vec![VERSION, tag, u8::try_from(channel).unwrap_or_default()];
    put_number(&mut out, link.run.0);
    // Rounded up: an answer is never older than what it answers.
    let asked_ms = link.asked_at.as_nanosecond().div_euclid(1_000_000) + 1;
    put_number(&mut out, u64::try_from(asked_ms).unwrap_or_default());
    put_number(&mut out, u64::try_from(link.expires_at.as_second()).unwrap_or_default());
    for text in [name, link.method.as_str()] {
        put_number(&mut out, text.len() as u64);
        out.extend(text.as_bytes());
    }
    out
}

fn decode(bytes: &[u8]) -> Option<Link> {
    let (&[version, tag, channel], mut rest) = bytes.split_first_chunk::<3>()?;
    if version != VERSION {
        return None;
    }
    let run = RunNumber(take_number(&mut rest)?);
    let asked_at =
        Timestamp::from_millisecond(i64::try_from(take_number(&mut rest)?).ok()?).ok()?;
    let expires_at = Timestamp::from_second(i64::try_from(take_number(&mut rest)?).ok()?).ok()?;
    let name = take_text(&mut rest)?;
    let method = take_text(&mut rest)?;
    let by = match tag {
        0 => Answerer::Person(Handle::parse(&name).ok()?),
        1 => Answerer::Outsider(name),
        _ => return None,
    };
    let channel = *Channel::ALL.get(usize::from(channel))?;
    rest.is_empty().then_some(Link { run, by, channel, method, asked_at, expires_at })
}

/// Writes a number in as few bytes as it takes, seven bits in each, the lowest first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(by: Answerer) -> Link {
        Link {
            run: RunNumber(1_234),
            by,
            channel: Channel::Sms,
            method: "phone".to_owned(),
            asked_at: "2026-11-28T03:12:00.123Z".parse().unwrap(),
            expires_at: "2026-11-30T03:12:00Z".parse().unwrap(),
        }
    }

    fn ada() -> Answerer {
        Answerer::Person(Handle::parse("ada").unwrap())
    }

    #[test]
    fn a_link_comes_back_as_it_was_and_is_short_enough_for_a_text_message() {
        let signer = LinkSigner::new(vec![[7; 32]]);
        let now: Timestamp = "2026-11-28T04:00:00Z".parse().unwrap();
        for by in [ada(), Answerer::Outsider("slack/#ops".to_owned())] {
            let token = signer.sign(&link(by.clone()));
            assert!(token.len() < 72, "{}", token.len());
            let read = signer.read(&token, now).unwrap();
            assert!(read.asked_at >= link(by.clone()).asked_at, "never before the page");
            assert_eq!(Link { asked_at: link(by.clone()).asked_at, ..read }, link(by));
        }
    }

    #[test]
    fn nothing_else_opens_and_an_old_link_says_that_it_is_over() {
        let signer = LinkSigner::new(vec![[7; 32]]);
        let now: Timestamp = "2026-11-28T04:00:00Z".parse().unwrap();
        let token = signer.sign(&link(ada()));
        for place in 0..token.len() - 1 {
            let mut other = token.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(signer.read(&other, now), Err(LinkError::Forged), "{place}");
        }
        for wrong in ["", "AAAA", "not base64!", &"A".repeat(5_000)] {
            assert_eq!(signer.read(wrong, now), Err(LinkError::Forged));
        }
        assert_eq!(LinkSigner::fresh().read(&token, now), Err(LinkError::Forged));
        assert_eq!(signer.open("voice", &token), None, "another purpose");
        let late = "2026-11-30T03:12:00Z".parse().unwrap();
        let error = signer.read(&token, late).unwrap_err();
        assert!(error.to_string().contains("ended at 2026-11-30T03:12:00Z"), "{error}");
    }

    #[test]
    fn links_outlive_a_change_of_the_key() {
        let old = LinkSigner::new(vec![[7; 32]]).seal("voice", b"hello");
        let both = LinkSigner::new(vec![[8; 32], [7; 32]]);
        assert_eq!(both.open("voice", &old).unwrap(), b"hello");
        assert_eq!(LinkSigner::new(vec![[8; 32]]).open("voice", &old), None);
        assert_eq!(LinkSigner::new(vec![]).open("voice", &old), None);
    }
}
