//! What the requests to several vendors have in common: keys, names of groups, addresses.

use reqwest::Url;
use sha2::{Digest as _, Sha256};
use tocsin_config::{Secret, SecretSource};
use tocsin_core::ids::RunNumber;
use tocsin_core::notification::{FailureClass, Notification};

use crate::failure::Undelivered;
use crate::outbound::Job;
use crate::redact::Redactor;
use crate::secret;

/// Returns the name under which vendors know the group: messages about the same group meet there.
/// It is Alertmanager's: SHA-256 of the group key, in hexadecimal digits.
pub(crate) fn group_id(notification: &Notification) -> String {
    hex::encode(Sha256::digest(notification.group_key.as_bytes()))
}

/// Reads a key, which may be a template, and hides it from every error.
///
/// # Errors
/// When it cannot be read, or nothing is left of it.
pub(crate) async fn key(
    target: &str,
    field: &str,
    source: Option<SecretSource<'_>>,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Secret, Undelivered> {
    let key = match source {
        Some(source) => secret::read(source, redactor).await?,
        None => Secret::default(),
    };
    let key = if key.expose().contains("{{") {
        // What is wrong with it would be said in its own words, which are a secret.
        let filled = job.texts.address(target, field, key.expose()).map_err(|_| {
            let why = format!("{target}: the template of `{field}` failed");
            Undelivered::refused(FailureClass::Other, why)
        })?;
        Secret::new(filled.trim())
    } else {
        key
    };
    redactor.hide(key.expose());
    if key.is_empty() {
        let why = format!("{target}: `{field}` is empty");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }
    Ok(key)
}

/// Returns `base` with further parts of the path, each of them escaped.
pub(crate) fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// Returns the key of one of several requests of an attempt. Each has its own: a vendor that knows
/// the key already would answer with what it said to the request before.
pub(crate) fn step_key(job: &Job<'_>, step: &str) -> String {
    format!("{}-{step}", job.idempotency_key)
}

/// Returns the name under which vendors know an escalation: messages about the same one meet there.
/// The address of this server is a part of it, so that two of them do not meet.
pub(crate) fn run_key(external_url: &str, run: RunNumber) -> String {
    let server = hex::encode(&Sha256::digest(external_url.as_bytes())[..4]);
    format!("tocsin-{server}-run-{run}")
}

/// Splits a list at commas; empty items are dropped.
pub(crate) fn comma_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_escaped_and_meet_with_one_slash() {
        for base in ["https://a.example/v1", "https://a.example/v1/"] {
            let url = below(&base.parse().unwrap(), &["k/1", "db team"]);
            assert_eq!(url.as_str(), "https://a.example/v1/k%2F1/db%20team");
        }
    }

    #[test]
    fn a_list_has_no_empty_items() {
        assert_eq!(comma_list(" a, ,b,"), ["a", "b"]);
        assert!(comma_list("").is_empty());
    }
}
