//! What comes in from Amazon SNS: is it really from there, and the answer to "do you want this?".
//!
//! Source: Amazon SNS, "Verifying the signatures of Amazon SNS messages".

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;

use crate::failure::chain;
use crate::guard::{Guard, Resolver, environment_proxies};

/// The most bytes of a certificate or confirmation that are read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// How long Amazon may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The most certificates that are kept.
const MAX_KEPT: usize = 32;

/// How old a message may be, or how far ahead of our clock. Amazon gives up after an hour.
///
/// Source: Amazon SNS, "Amazon SNS message delivery retries".
const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);

/// Whose messages are believed, and when.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The ARNs of the topics that may post.
    pub topics: &'a [String],
    /// Further hosts that may be asked, for services that speak like SNS.
    pub allowed_hosts: &'a [String],
    /// The time at which the message arrived.
    pub now: Timestamp,
}

impl Trust<'_> {
    /// Says why a message that somebody signed is not for us, or not for now.
    fn check(&self, message: &TopicMessage) -> Result<(), String> {
        if !self.topics.contains(&message.topic_arn) {
            let shown: String = message.topic_arn.chars().take(MAX_SHOWN_CHARS).collect();
            return Err(format!(
                "the topic `{shown}` is not among the `topics` of the integration"
            ));
        }
        let sent: Timestamp = message
            .timestamp
            .parse()
            .map_err(|_| "its Timestamp is not an instant of RFC 3339".to_owned())?;
        if sent.duration_since(self.now).abs() > MAX_AGE {
            return Err(format!(
                "it is of {sent}, more than {} minutes from now; is our clock right?",
                MAX_AGE.as_mins()
            ));
        }
        Ok(())
    }
}

/// How much of a foreign text an error shows.
const MAX_SHOWN_CHARS: usize = 200;

/// A message of SNS as it is posted.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TopicMessage {
    /// `Notification`, `SubscriptionConfirmation` or `UnsubscribeConfirmation`.
    pub r#type: String,
    /// Its identity.
    pub message_id: String,
    /// Only to confirm something.
    #[serde(default)]
    pub token: Option<String>,
    /// Where it was published.
    pub topic_arn: String,
    /// Its subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// Its text.
    pub message: String,
    /// When it was published.
    pub timestamp: String,
    /// `1` or `2`.
    #[serde(default)]
    pub signature_version: String,
    /// In base64.
    pub signature: String,
    /// Where the certificate is found.
    #[serde(rename = "SigningCertURL")]
    pub signing_cert_url: String,
    /// What to visit to confirm.
    #[serde(default, rename = "SubscribeURL")]
    pub subscribe_url: Option<String>,
}

/// Asks Amazon and nobody else, and remembers its certificates.
#[derive(Debug)]
pub struct Topics {
    /// For Amazon's hosts, whose names a message chose.
    amazon: Guarded,
    /// For the hosts that the configuration names.
    named: Guarded,
    kept: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Default for Topics {
    fn default() -> Self {
        crate::install_crypto();
        let named = Guard::default();
        Self {
            amazon: Guarded::new(named.strict()),
            named: Guarded::new(named),
            kept: Mutex::default(),
        }
    }
}

/// A client that connects to what its guard lets pass.
#[derive(Debug)]
struct Guarded {
    guard: Guard,
    client: reqwest::Client,
}

impl Guarded {
    fn new(guard: Guard) -> Self {
        let client = reqwest::Client::builder()
            .timeout(TIME_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Resolver::new(guard.clone(), environment_proxies()))
            .build()
            .unwrap_or_default();
        Self { guard, client }
    }
}

impl Topics {
    /// Checks that a message was signed by Amazon, for one of our topics, and lately.
    ///
    /// # Errors
    /// A sentence that says why the message is not believed.
    pub async fn verify(&self, message: &TopicMessage, trust: Trust<'_>) -> Result<(), String> {
        // Nobody is asked for the sake of a message that is not for us.
        trust.check(message)?;
        let url = address(&message.signing_cert_url, trust.allowed_hosts)
            .map_err(|why| format!("SigningCertURL {why}"))?;
        let signature = BASE64_STANDARD
            .decode(message.signature.trim())
            .map_err(|_| "its signature is not base64".to_owned())?;
        let certificate = self.certificate(&url).await?;
        check(&certificate, message, &signature)
    }

    /// Visits the address that confirms a subscription.
    ///
    /// # Errors
    /// A sentence that says why it is not confirmed.
    pub async fn confirm(
        &self,
        message: &TopicMessage,
        allowed_hosts: &[String],
    ) -> Result<(), String> {
        let Some(url) = &message.subscribe_url else {
            return Err("it has no SubscribeURL".to_owned());
        };
        let url = address(url, allowed_hosts).map_err(|why| format!("SubscribeURL {why}"))?;
        self.get(&url).await.map(|_| ())
    }

    async fn certificate(&self, url: &Url) -> Result<Vec<u8>, String> {
        let kept = || self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(certificate) = kept().get(url.as_str()) {
            return Ok(certificate.clone());
        }
        let pem = self.get(url).await?;
        let certificate = CertificateDer::from_pem_slice(&pem)
            .map_err(|_| "what SigningCertURL holds is no certificate".to_owned())?
            .to_vec();
        let mut all = kept();
        if all.len() >= MAX_KEPT {
            all.pop_first();
        }
        all.insert(url.to_string(), certificate.clone());
        Ok(certificate)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, String> {
        let host = url.host_str().unwrap_or("?");
        let fail = |error: reqwest::Error| format!("{host}: {}", chain(&error.without_url()));
        let Guarded { guard, client } = if is_amazons(url) { &self.amazon } else { &self.named };
        guard.check_url(url).map_err(|why| why.to_string())?;
        let mut answer = client.get(url.clone()).send().await.map_err(fail)?;
        if !answer.status().is_success() {
            return Err(format!("{host} answered {}", answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(fail)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(format!("{host} answered with more than {MAX_ANSWER_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Returns an address that may be asked: Amazon's by TLS, or one of the hosts that are allowed.
fn address(text: &str, allowed_hosts: &[String]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "is not an address".to_owned())?;
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    if allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&host)) {
        return Ok(url);
    }
    if is_amazons(&url) {
        return Ok(url);
    }
    Err(format!("leads to {host}, which is not Amazon SNS; `allowed_hosts` may name it"))
}

/// Returns whether an address is Amazon's by TLS.
fn is_amazons(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https" && is_amazon(host) && url.port().is_none()
}

/// `sns.REGION.amazonaws.com`, or the same in China.
fn is_amazon(host: &str) -> bool {
    let inner = host.strip_prefix("sns.").and_then(|rest| {
        rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))
    });
    inner.is_some_and(|region| {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !region.is_empty() && region.chars().all(is_part)
    })
}

fn check(certificate: &[u8], message: &TopicMessage, signature: &[u8]) -> Result<(), String> {
    let certificate = CertificateDer::from(certificate);
    let parsed = webpki::EndEntityCert::try_from(&certificate)
        .map_err(|_| "the certificate cannot be read".to_owned())?;
    let key = parsed.subject_public_key_info();
    let algorithm = match message.signature_version.as_str() {
        "2" => &RSA_PKCS1_2048_8192_SHA256,
        "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        other => return Err(format!("its SignatureVersion `{other}` is not known")),
    };
    UnparsedPublicKey::new(algorithm, key.as_ref())
        .verify(signed_text(message).as_bytes(), signature)
        .map_err(|_| "its signature does not fit".to_owned())
}

/// Returns what was signed: names and values, a line each, in the order of the names.
fn signed_text(message: &TopicMessage) -> String {
    let is_notification = message.r#type == "Notification";
    let subject = message.subject.as_deref().filter(|_| is_notification);
    let subscribe = message.subscribe_url.as_deref().filter(|_| !is_notification);
    let token = message.token.as_deref().filter(|_| !is_notification);
    let parts = [
        ("Message", Some(message.message.as_str())),
        ("MessageId", Some(message.message_id.as_str())),
        ("Subject", subject),
        ("SubscribeURL", subscribe),
        ("Timestamp", Some(message.timestamp.as_str())),
        ("Token", token),
        ("TopicArn", Some(message.topic_arn.as_str())),
        ("Type", Some(message.r#type.as_str())),
    ];
    let mut text = String::new();
    for (name, value) in parts {
        if let Some(value) = value {
            text.push_str(name);
            text.push('\n');
            text.push_str(value);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;

    use super::*;

    fn message(kind: &str) -> TopicMessage {
        TopicMessage {
            r#type: kind.to_owned(),
            message_id: "22b80b92".to_owned(),
            token: Some("t".to_owned()),
            topic_arn: "arn:aws:sns:eu-west-1:1:alarms".to_owned(),
            subject: Some("ALARM".to_owned()),
            message: "{}".to_owned(),
            timestamp: "2026-11-24T12:00:00.000Z".to_owned(),
            signature_version: "2".to_owned(),
            signature: String::new(),
            signing_cert_url: String::new(),
            subscribe_url: Some("https://sns.eu-west-1.amazonaws.com/?x".to_owned()),
        }
    }

    #[test]
    fn only_amazon_is_asked() {
        let none: &[String] = &[];
        for (url, is_fine) in [
            ("https://sns.eu-west-1.amazonaws.com/cert.pem", true),
            ("https://sns.cn-north-1.amazonaws.com.cn/cert.pem", true),
            ("http://sns.eu-west-1.amazonaws.com/cert.pem", false),
            ("https://sns.eu-west-1.amazonaws.com.evil.example/cert.pem", false),
            ("https://evil.example/sns.eu-west-1.amazonaws.com", false),
            ("https://sns.amazonaws.com/", false),
            ("https://169.254.169.254/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(address(url, none).is_ok(), is_fine, "{url}");
        }
        assert!(address("http://127.0.0.1:9/x", &["127.0.0.1".to_owned()]).is_ok());
    }

    #[test]
    fn a_message_of_another_topic_or_time_is_not_believed() {
        let topics = ["arn:aws:sns:eu-west-1:1:alarms".to_owned()];
        let at =
            |now: &str| Trust { topics: &topics, allowed_hosts: &[], now: now.parse().unwrap() };
        let mut told = message("Notification");
        assert_eq!(at("2026-11-24T12:59:00Z").check(&told), Ok(()));
        for now in ["2026-11-24T13:01:00Z", "2026-11-24T10:59:00Z"] {
            let why = at(now).check(&told).unwrap_err();
            assert!(why.contains("60 minutes"), "{why}");
        }
        told.topic_arn = "arn:aws:sns:eu-west-1:666:alarms".to_owned();
        let why = at("2026-11-24T12:00:00Z").check(&told).unwrap_err();
        assert!(why.contains("666") && why.contains("`topics`"), "{why}");
        told.topic_arn = topics[0].clone();
        told.timestamp = "noon".to_owned();
        assert!(at("2026-11-24T12:00:00Z").check(&told).unwrap_err().contains("RFC 3339"));
    }

    #[test]
    fn what_is_signed_depends_on_the_type() {
        assert!(signed_text(&message("Notification")).contains("Subject\nALARM\n"));
        let confirmation = signed_text(&message("SubscriptionConfirmation"));
        assert!(!confirmation.contains("Subject\n"), "{confirmation}");
        assert!(confirmation.contains("Token\nt\n"), "{confirmation}");
    }

    #[test]
    fn a_signature_must_fit_every_letter() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let key: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let key: &[u8] = key.as_ref();
        let signer = rcgen::KeyPair::try_from(key).unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["sns.example".to_owned()])
            .unwrap()
            .self_signed(&signer)
            .unwrap();
        let mut told = message("Notification");
        let mut signature = vec![0; pair.public_modulus_len()];
        let text = signed_text(&told);
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .unwrap();
        assert_eq!(check(certificate.der(), &told, &signature), Ok(()));
        told.message.push('!');
        assert!(check(certificate.der(), &told, &signature).is_err());
        told.signature_version = "3".to_owned();
        assert!(check(certificate.der(), &told, &signature).unwrap_err().contains('3'));
    }
}
