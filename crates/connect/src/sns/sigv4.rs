//! Signature Version 4: how requests to Amazon prove who sends them.
//!
//! Source: "Signature Version 4 signing process", AWS General Reference.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Url;
use sha2::{Digest as _, Sha256};

use super::credentials::Credentials;

/// The block size of SHA-256, which a key of HMAC is filled up to.
const BLOCK_BYTES: usize = 64;

/// The name of the procedure.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// One `POST` of a form to be signed.
pub(super) struct Signing<'a> {
    pub(super) url: &'a Url,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) now: Timestamp,
}

/// The headers that carry the signature.
pub(super) struct Signed {
    pub(super) authorization: String,
    pub(super) date: String,
}

impl Signing<'_> {
    /// Signs the request.
    pub(super) fn sign(&self, credentials: &Credentials) -> Signed {
        let now = self.now.to_zoned(TimeZone::UTC);
        let date = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = now.strftime("%Y%m%d").to_string();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let (canonical, names) = self.canonical(&date, credentials);
        let to_sign = format!(
            "{ALGORITHM}\n{date}\n{scope}\n{}",
            hex::encode(Sha256::digest(canonical.as_bytes()))
        );
        let mut key =
            hmac(format!("AWS4{}", credentials.secret_key.expose()).as_bytes(), day.as_bytes());
        for part in [self.region, self.service, "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex::encode(hmac(&key, to_sign.as_bytes()));
        let authorization = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            credentials.access_key
        );
        Signed { authorization, date }
    }

    /// Returns the request in its one agreed form, and the names of the headers in it.
    fn canonical(&self, date: &str, credentials: &Credentials) -> (String, String) {
        let host = match (self.url.host_str().unwrap_or_default(), self.url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        // By name, ascending.
        let mut headers = vec![("host", host.as_str()), ("x-amz-date", date)];
        if !self.content_type.is_empty() {
            headers.insert(0, ("content-type", self.content_type));
        }
        if let Some(token) = &credentials.session_token {
            headers.push(("x-amz-security-token", token.expose()));
        }
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let hash = hex::encode(Sha256::digest(self.body));
        let path = self.url.path();
        let query = self.url.query().unwrap_or_default();
        (format!("POST\n{path}\n{query}\n{lines}\n{names}\n{hash}"), names)
    }
}

/// HMAC with SHA-256. Source: RFC 2104.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK_BYTES];
    if key.len() > BLOCK_BYTES {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use tocsin_config::Secret;

    use super::*;

    /// The key of Amazon's published test suite.
    fn credentials() -> Credentials {
        Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        }
    }

    fn sign(content_type: &str, body: &str, credentials: &Credentials) -> String {
        let signing = Signing {
            url: &"https://example.amazonaws.com/".parse().unwrap(),
            content_type,
            body: body.as_bytes(),
            region: "us-east-1",
            service: "service",
            now: "2015-08-30T12:36:00Z".parse().unwrap(),
        };
        signing.sign(credentials).authorization
    }

    #[test]
    fn amazons_test_suite_gives_the_same_signatures() {
        // post-vanilla
        assert_eq!(
            sign("", "", &credentials()),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
        // post-x-www-form-urlencoded
        assert_eq!(
            sign("application/x-www-form-urlencoded", "Param1=value1", &credentials()),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
    }

    #[test]
    fn hmac_follows_rfc_4231() {
        assert_eq!(
            hex::encode(hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex::encode(hmac(&[0xaa; 131], text)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
