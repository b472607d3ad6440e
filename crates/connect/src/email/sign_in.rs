//! Proving to a mail server who we are.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use md5::Md5;
use tocsin_config::Secret;

/// Who we are, and what proves it.
pub(super) struct Credentials {
    /// The user.
    pub(super) user: String,
    /// For PLAIN and LOGIN.
    pub(super) password: Option<Secret>,
    /// For CRAM-MD5.
    pub(super) secret: Option<Secret>,
    /// Whom to act as, for PLAIN; empty for the user.
    pub(super) identity: String,
}

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    CramMd5,
    Plain,
    Login,
}

impl Credentials {
    /// Returns the first way of those that the server offers, in its order, for which there is what
    /// it takes. PLAIN says the password in clear, so it needs a private line; LOGIN is no better,
    /// but Alertmanager allows it and configurations depend on that.
    pub(super) fn choose(&self, offered: &str, is_private: bool) -> Option<Mechanism> {
        offered.split_ascii_whitespace().find_map(|name| match name.to_ascii_uppercase().as_str() {
            "CRAM-MD5" if self.secret.is_some() => Some(Mechanism::CramMd5),
            "PLAIN" if self.password.is_some() && is_private => Some(Mechanism::Plain),
            "LOGIN" if self.password.is_some() => Some(Mechanism::Login),
            _ => None,
        })
    }

    /// Returns the whole of PLAIN: RFC 4616.
    pub(super) fn plain(&self) -> String {
        let password = self.password.as_ref().map_or("", Secret::expose);
        BASE64_STANDARD.encode(format!("{}\0{}\0{password}", self.identity, self.user))
    }

    /// Returns the two answers of LOGIN.
    pub(super) fn login(&self) -> [String; 2] {
        let password = self.password.as_ref().map_or("", Secret::expose);
        [BASE64_STANDARD.encode(&self.user), BASE64_STANDARD.encode(password)]
    }

    /// Returns the answer to the challenge of CRAM-MD5 (RFC 2195); `None` when the challenge cannot
    /// be read.
    pub(super) fn cram_md5(&self, challenge: &str) -> Option<String> {
        let challenge = BASE64_STANDARD.decode(challenge.trim()).ok()?;
        let secret = self.secret.as_ref().map_or("", Secret::expose);
        let mut mac = Hmac::<Md5>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(&challenge);
        let digest = hex::encode(mac.finalize().into_bytes());
        Some(BASE64_STANDARD.encode(format!("{} {digest}", self.user)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            user: "tim".to_owned(),
            password: Some(Secret::new("tanstaaftanstaaf")),
            secret: Some(Secret::new("tanstaaftanstaaf")),
            identity: "other".to_owned(),
        }
    }

    /// The example of RFC 2195, section 2.
    #[test]
    fn the_challenge_is_answered_as_the_standard_says() {
        let challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+";
        let answer = credentials().cram_md5(challenge);
        let expected = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw";
        assert_eq!(answer.as_deref(), Some(expected));
        assert_eq!(credentials().cram_md5("?"), None);
    }

    #[test]
    fn the_servers_order_decides_among_what_is_possible() {
        let both = credentials();
        assert_eq!(both.choose("GSSAPI PLAIN CRAM-MD5", true), Some(Mechanism::Plain));
        assert_eq!(both.choose("PLAIN cram-md5 LOGIN", false), Some(Mechanism::CramMd5));
        assert_eq!(both.choose("PLAIN", false), None);
        let password_only = Credentials { secret: None, ..credentials() };
        assert_eq!(password_only.choose("CRAM-MD5 LOGIN", false), Some(Mechanism::Login));
        let plain = BASE64_STANDARD.encode("other\0tim\0tanstaaftanstaaf");
        assert_eq!(password_only.plain(), plain);
    }
}
