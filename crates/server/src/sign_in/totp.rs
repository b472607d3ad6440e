//! Codes that follow from a secret and the time (RFC 6238): six digits, half a minute, SHA-1, as
//! every authenticator app knows them.

use totp_rs::{Algorithm, TOTP};

const DIGITS: usize = 6;
const STEP_SECONDS: u64 = 30;

/// How many steps before and after the present one are taken, for clocks that are off.
const SLACK_STEPS: u64 = 1;

/// Bytes of a secret: as many as SHA-1 has.
pub(super) const SECRET_BYTES: usize = 20;

/// Returns the time step whose code was given, among those near `now_seconds`.
pub(super) fn step_of(secret: &[u8], code: &str, now_seconds: u64) -> Option<u64> {
    let totp = totp(secret, "tocsin")?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let present = now_seconds / STEP_SECONDS;
    let steps = present.saturating_sub(SLACK_STEPS)..=present + SLACK_STEPS;
    let mut found = None;
    for step in steps {
        // All of them, so that the time tells nothing.
        let expected = totp.generate(step * STEP_SECONDS);
        if is_same(expected.as_bytes(), code.as_bytes()) {
            found = Some(step);
        }
    }
    found
}

/// Returns the address that an authenticator app reads from a QR code.
pub(super) fn address(secret: &[u8], person: &str) -> Option<String> {
    Some(totp(secret, person)?.get_url())
}

/// Returns the secret as people type it.
pub(super) fn written(secret: &[u8]) -> Option<String> {
    Some(totp(secret, "tocsin")?.get_secret_base32())
}

fn totp(secret: &[u8], person: &str) -> Option<TOTP> {
    let issuer = Some("Tocsin".to_owned());
    TOTP::new(Algorithm::SHA1, DIGITS, 1, STEP_SECONDS, secret.to_vec(), issuer, person.to_owned())
        .ok()
}

fn is_same(a: &[u8], b: &[u8]) -> bool {
    let difference =
        a.iter().zip(b).fold(a.len() ^ b.len(), |all, (a, b)| all | usize::from(a ^ b));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1, the last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(step_of(secret, code, seconds), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_off_by_half_a_minute_and_no_more() {
        let secret = b"12345678901234567890";
        assert_eq!(step_of(secret, "28 70 82", 59 + 30), Some(1));
        assert_eq!(step_of(secret, "287082", 59 + 61), None);
        assert_eq!(step_of(secret, "", 59), None);
        assert_eq!(step_of(secret, "2870821", 59), None);
    }

    #[test]
    fn an_app_is_told_everything_by_one_address() {
        let url = address(b"12345678901234567890", "ada").unwrap();
        assert!(
            url.starts_with("otpauth://totp/Tocsin:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        );
        assert!(url.contains("issuer=Tocsin"), "{url}");
    }
}
