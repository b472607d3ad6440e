//! Is an ID token what the provider says of somebody, for us, now, and for this very sign-in?
//!
//! The rules are those of OpenID Connect Core 1.0, section 3.1.3.7.

use jiff::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

use super::{OidcError, OidcSettings};

/// By how much clocks may differ, in seconds.
const LEEWAY_SECONDS: i64 = 60;

/// Signatures by a key pair. A shared secret, or none, would prove nothing.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What the provider says of somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// What the provider calls them; never used for anybody else.
    pub subject: String,
    /// Everything it says.
    pub all: Map<String, Value>,
}

impl Claims {
    /// Returns a claim that is a text; empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.all.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns whether the provider has seen that the e-mail address is theirs.
    pub fn has_verified_email(&self) -> bool {
        match self.all.get("email_verified") {
            Some(Value::Bool(is_verified)) => *is_verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// Returns the texts at a dotted path such as `realm_access.roles`; one text is a list of one.
    pub fn list(&self, path: &str) -> Vec<String> {
        // A claim may have dots in its own name, as addresses have.
        let found = self.all.get(path).or_else(|| {
            let mut parts = path.split('.');
            let first = self.all.get(parts.next()?)?;
            parts.try_fold(first, |value, part| value.get(part))
        });
        match found {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(list)) => {
                list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Checks a token and returns what it says.
pub(super) fn verify(
    token: &str,
    header: &Header,
    keys: &JwkSet,
    settings: &OidcSettings,
    nonce: &str,
    now: Timestamp,
) -> Result<Claims, OidcError> {
    let wrong = |why: &'static str| Err(OidcError::Untrusted(why));
    if !ALGORITHMS.contains(&header.alg) {
        return wrong("the token is not signed by a key pair");
    }
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None if keys.keys.len() == 1 => keys.keys.first(),
        None => None,
    };
    let Some(key) = key else { return wrong("the token is signed by an unknown key") };
    let Ok(key) = DecodingKey::from_jwk(key) else {
        return wrong("the key of the token cannot be used");
    };
    let mut validation = Validation::new(header.alg);
    // Times are ours to check, against the clock we were given; the rest is checked below, too.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let Ok(decoded) = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation) else {
        return wrong("the signature of the token is wrong");
    };
    let all = decoded.claims;
    let text = |name: &str| all.get(name).and_then(Value::as_str);
    if text("iss") != Some(&settings.issuer) {
        return wrong("the token is of another provider");
    }
    let audiences = match all.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audiences.contains(&settings.client_id.as_str()) {
        return wrong("the token is for somebody else");
    }
    let azp = text("azp");
    let is_ours = azp.is_none_or(|azp| azp == settings.client_id);
    if !is_ours || (audiences.len() > 1 && azp.is_none()) {
        return wrong("the token was given to somebody else");
    }
    let seconds = |name: &str| {
        // Some providers write a fraction.
        let written = all.get(name)?.as_number()?.to_string();
        written.split('.').next()?.parse::<i64>().ok()
    };
    let now = now.as_second();
    if seconds("exp").is_none_or(|exp| exp.saturating_add(LEEWAY_SECONDS) <= now) {
        return wrong("the token has ended");
    }
    let is_early = |at: i64| at.saturating_sub(LEEWAY_SECONDS) > now;
    if seconds("iat").is_none_or(is_early) || seconds("nbf").is_some_and(is_early) {
        return wrong("the token is of the future");
    }
    let given = text("nonce").unwrap_or_default();
    if aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), nonce.as_bytes())
        .is_err()
    {
        return wrong("the token belongs to another sign-in");
    }
    match text("sub").filter(|subject| !subject.is_empty()).map(str::to_owned) {
        Some(subject) => Ok(Claims { subject, all }),
        None => wrong("the token does not say who it is about"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_found_at_a_path_or_by_their_whole_name() {
        let all = serde_json::json!({
            "groups": ["a", 7, "b"],
            "role": "one",
            "realm_access": { "roles": ["x"] },
            "https://example.org/roles": ["dotted"],
            "email_verified": "true"
        });
        let all = all.as_object().unwrap().clone();
        let claims = Claims { subject: "s".to_owned(), all };
        assert_eq!(claims.list("groups"), ["a", "b"]);
        assert_eq!(claims.list("role"), ["one"]);
        assert_eq!(claims.list("realm_access.roles"), ["x"]);
        assert_eq!(claims.list("https://example.org/roles"), ["dotted"]);
        assert_eq!(claims.list("nothing.here"), [""; 0]);
        assert!(claims.has_verified_email());
    }
}
