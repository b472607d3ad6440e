//! Mail as providers of inbound mail post it: the fields of several of them under one name each.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::{Value, json};
use tocsin_core::mapping::is_over;

/// What several providers call the same thing, the most telling first.
const SUBJECT: [&str; 3] = ["subject", "Subject", "headers.subject"];
const FROM: [&str; 4] = ["sender", "from", "From", "envelope.from"];
const TO: [&str; 4] = ["recipient", "to", "To", "envelope.to"];
const TEXT: [&str; 5] = ["stripped-text", "body-plain", "text", "TextBody", "plain"];

/// The most parts of a form.
const MAX_PARTS: usize = 200;

/// The most characters of one part that are kept.
const MAX_PART_CHARS: usize = 256 << 10;

/// The most characters of a text.
const MAX_TEXT_CHARS: usize = 4_000;

/// Adds the fields that expressions for mail use to what was posted.
pub(super) fn normalised(mut body: Value) -> Value {
    let find = |names: &[&str]| {
        let found = names.iter().find_map(|name| {
            let value = name.split('.').try_fold(&body, |value, part| value.get(part))?;
            value.as_str().map(str::to_owned)
        });
        found.unwrap_or_default()
    };
    let subject = find(&SUBJECT);
    let text: String = find(&TEXT).chars().take(MAX_TEXT_CHARS).collect();
    let (from, to) = (address(&find(&FROM)), address(&find(&TO)));
    let fields = json!({
        "is_over": says_over(&subject), "topic": topic(&subject),
        "subject": subject, "from": from, "to": to, "text": text
    });
    match (&mut body, fields) {
        (Value::Object(body), Value::Object(fields)) => {
            body.extend(fields);
        }
        (body, fields) => *body = fields,
    }
    body
}

/// Returns the address in `Name <address>`.
fn address(text: &str) -> String {
    let inner = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(text, |(address, _)| address).trim().to_lowercase()
}

fn words(subject: &str) -> impl Iterator<Item = &str> {
    subject
        .split(|c: char| c.is_whitespace() || "[](){}:;,!*#".contains(c))
        .filter(|word| !word.is_empty())
}

fn says_over(subject: &str) -> bool {
    words(subject).any(is_over)
}

/// Returns the subject without the words and numbers in which the mails of one alert differ.
fn topic(subject: &str) -> String {
    const NOISE: [&str; 14] = [
        "re",
        "fw",
        "fwd",
        "firing",
        "problem",
        "alert",
        "alarm",
        "warning",
        "critical",
        "down",
        "triggered",
        "new",
        "open",
        "error",
    ];
    let is_noise = |word: &str| {
        let lower = word.to_lowercase();
        NOISE.contains(&lower.as_str())
            || is_over(word)
            || word.chars().all(|c| c.is_ascii_digit() || ".%-/".contains(c))
    };
    let kept: Vec<&str> = words(subject).filter(|word| !is_noise(word)).collect();
    if kept.is_empty() { subject.trim().to_owned() } else { kept.join(" ") }
}

/// Reads a form with parts, as providers of inbound mail post by default, as a flat object. Files
/// are passed over.
///
/// # Errors
/// What is wrong, in one sentence.
pub(super) async fn parts(media: &str, body: Bytes) -> Result<Value, String> {
    let boundary = multer::parse_boundary(media)
        .map_err(|error| format!("`Content-Type: {media}` cannot be read: {error}"))?;
    let wrong = |error: multer::Error| format!("the parts of the form cannot be read: {error}");
    let stream = futures_util::stream::once(async move { Ok::<_, std::io::Error>(body) });
    let mut parts = multer::Multipart::new(stream, boundary);
    let mut fields = BTreeMap::new();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(wrong)? {
        count += 1;
        if count > MAX_PARTS {
            return Err(format!("the form has more than {MAX_PARTS} parts"));
        }
        let name = part.name().map(str::to_owned);
        let (Some(name), None) = (name, part.file_name()) else { continue };
        let text = part.text().await.map_err(wrong)?;
        fields.insert(name, text.chars().take(MAX_PART_CHARS).collect::<String>());
    }
    Ok(json!(fields))
}

/// Reads a form as a flat object; of a name given twice the last counts.
pub(super) fn form(bytes: &[u8]) -> Value {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(bytes).into_owned().collect();
    json!(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mails_of_one_alert_have_one_topic() {
        let firing = normalised(json!({ "subject": "[FIRING:2] PROBLEM: Disk full on db-1 (93%)",
            "sender": "Checks <Checks@Example.org>", "stripped-text": "it is full" }));
        let over = normalised(json!({ "subject": "Re: [RESOLVED] Disk full on db-1 (12%)" }));
        assert_eq!(firing["topic"], "Disk full on db-1");
        assert_eq!(firing["topic"], over["topic"]);
        assert_eq!((&firing["is_over"], &over["is_over"]), (&json!(false), &json!(true)));
        assert_eq!(firing["from"], "checks@example.org");
        assert_eq!(normalised(json!({ "subject": "Alert" }))["topic"], "Alert");
    }
}
