//! Whether something really comes from a vendor.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use tocsin_config::{Secret, SecretSource};

/// Reads a secret; `None` when it is not set or cannot be read, which is logged.
pub(super) async fn secret(source: Option<SecretSource<'_>>) -> Option<Secret> {
    let path = match source? {
        SecretSource::Inline(secret) => return Some(secret.clone()),
        SecretSource::File(path) => path.to_owned(),
    };
    let read = tokio::task::spawn_blocking(move || SecretSource::File(&path).read());
    match read.await {
        Ok(Ok(secret)) if !secret.is_empty() => Some(secret),
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::error!("answers cannot be taken: {error}");
            None
        }
        Err(_) => None,
    }
}

/// Returns whether Twilio signed a form that was posted to `url`.
///
/// Source: Twilio, "Security", "Validating signatures from Twilio".
pub(super) fn is_twilios(
    token: &Secret,
    url: &str,
    form: &[(String, String)],
    signature: &str,
) -> bool {
    let mut pairs: Vec<&(String, String)> = form.iter().collect();
    pairs.sort();
    let mut said = url.to_owned();
    for (name, value) in pairs {
        said.push_str(name);
        said.push_str(value);
    }
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose().as_bytes());
    hmac::verify(&key, said.as_bytes(), &signature).is_ok()
}

/// Returns whether Slack signed a body lately.
///
/// Source: Slack, "Verifying requests from Slack".
pub(super) fn is_slacks(
    secret: &Secret,
    tolerance: SignedDuration,
    now: Timestamp,
    stamp: &str,
    body: &[u8],
    signature: &str,
) -> bool {
    let sent = stamp.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    if sent.is_none_or(|sent| now.duration_since(sent).abs() > tolerance) {
        return false;
    }
    let Some(signature) = signature.strip_prefix("v0=").and_then(unhex) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let said = [b"v0:", stamp.as_bytes(), b":", body].concat();
    hmac::verify(&key, &said, &signature).is_ok()
}

/// Returns whether two secrets are the same, in a time that tells nothing about where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Twilio's documentation.
    #[test]
    fn a_form_of_twilio_is_known_by_its_signature() {
        let form: Vec<(String, String)> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
            ("From", "+12349013030"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        let token = Secret::new("12345");
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let signature = "0/KCTR6DLpKmkAf8muzZqo1nDgQ=";
        assert!(is_twilios(&token, url, &form, signature));
        assert!(!is_twilios(&Secret::new("12346"), url, &form, signature));
        assert!(!is_twilios(&token, "https://mycompany.com/", &form, signature));
        assert!(!is_twilios(&token, url, &form[1..], signature));
        assert!(!is_twilios(&token, url, &form, "nonsense"));
    }

    /// The example of Slack's documentation.
    #[test]
    fn a_body_of_slack_is_known_by_its_signature_for_a_while() {
        let secret = Secret::new("8f742231b10e8888abcd99yyyzzz85a5");
        let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&\
            channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
            command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands\
            %2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.\
            47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        let is_good = |seconds: i64, stamp: &str, body: &[u8]| {
            let now = Timestamp::from_second(seconds).unwrap();
            is_slacks(&secret, SignedDuration::from_mins(5), now, stamp, body, signature)
        };
        assert!(is_good(1_531_420_618, "1531420618", body));
        assert!(is_good(1_531_420_918, "1531420618", body));
        assert!(!is_good(1_531_420_919, "1531420618", body), "too old");
        assert!(!is_good(1_531_420_317, "1531420618", body), "from the future");
        assert!(!is_good(1_531_420_618, "1531420619", body), "another time");
        assert!(!is_good(1_531_420_618, "1531420618", b"token=other"));
    }

    #[test]
    fn what_is_no_hexadecimal_is_nothing() {
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert!(unhex("0").is_none() && unhex("zz").is_none() && unhex("é").is_none());
    }
}
