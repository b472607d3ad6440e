//! What is published.

use sha2::{Digest as _, Sha256};
use tocsin_config::{SnsConfig, Template};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use super::{TARGET, VERSION};
use crate::failure::Undelivered;
use crate::message::{Message, cut};
use crate::outbound::Job;
use crate::vendor::group_id;

/// The most bytes of a message, its attributes included.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// The most characters of a text message.
const MAX_SMS_CHARS: usize = 1_600;

/// The most characters of a subject.
const MAX_SUBJECT_CHARS: usize = 100;

/// The attribute that says that a message was cut.
const TRUNCATED: &str = "truncated";

/// Room for [`TRUNCATED`], its type and its value.
const TRUNCATED_BYTES: usize = 20;

/// The form that is posted.
pub(super) struct Form {
    arn: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// Returns the name of the topic or device, which holds the region.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// Returns the fields.
    pub(super) fn fields(&self) -> Vec<(&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// Fills in the form.
///
/// # Errors
/// When nobody is named to send it to.
pub(super) fn form(config: &SnsConfig, job: &Job<'_>) -> Result<Form, Undelivered> {
    let address = |field: &str, template: &Option<Template>| match template {
        Some(template) => job.texts.address(TARGET, field, template.text()),
        None => Ok(String::new()),
    };
    let topic = address("topic_arn", &config.topic_arn)?;
    let device = address("target_arn", &config.target_arn)?;
    let phone = address("phone_number", &config.phone_number)?;
    let (kind, whom) = [("TopicArn", &topic), ("TargetArn", &device), ("PhoneNumber", &phone)]
        .into_iter()
        .find(|(_, whom)| !whom.is_empty())
        .ok_or_else(|| {
            let why = "nothing is left of `topic_arn`, `target_arn` and `phone_number`";
            Undelivered::refused(FailureClass::Other, format!("{TARGET}: {why}"))
        })?;
    let mut attributes: Vec<(String, String)> = job
        .texts
        .map("attributes", &config.attributes)
        .into_iter()
        // An attribute without a value is refused.
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let (text, is_cut) = text(config, job, kind == "PhoneNumber", &attributes);
    if is_cut {
        attributes.retain(|(name, _)| name != TRUNCATED);
        attributes.push((TRUNCATED.to_owned(), "true".to_owned()));
    }
    let mut fields = vec![
        ("Action".to_owned(), "Publish".to_owned()),
        ("Version".to_owned(), VERSION.to_owned()),
        (kind.to_owned(), whom.clone()),
        ("Message".to_owned(), text),
    ];
    let subject =
        subject(&job.texts.text("subject", config.subject.as_ref(), defaults::SNS_SUBJECT));
    // A text message has no subject.
    if !subject.is_empty() && kind != "PhoneNumber" {
        fields.push(("Subject".to_owned(), subject));
    }
    if topic.ends_with(".fifo") {
        fields.extend(fifo(job));
    }
    for ((name, value), index) in attributes.into_iter().zip(1..) {
        let entry = format!("MessageAttributes.entry.{index}");
        fields.push((format!("{entry}.Name"), name));
        fields.push((format!("{entry}.Value.DataType"), "String".to_owned()));
        fields.push((format!("{entry}.Value.StringValue"), value));
    }
    let arn = if topic.is_empty() { device } else { topic };
    Ok(Form { arn, fields })
}

/// Returns the text and whether it was cut.
fn text(
    config: &SnsConfig,
    job: &Job<'_>,
    is_sms: bool,
    attributes: &[(String, String)],
) -> (String, bool) {
    let mut text = job.texts.text("message", config.message.as_ref(), defaults::SNS_MESSAGE);
    if text.trim().is_empty() {
        // An empty message is refused.
        text = Message::new(job.notification).title;
    }
    let whole_chars = text.chars().count();
    if is_sms {
        return (cut(&text, MAX_SMS_CHARS), whole_chars > MAX_SMS_CHARS);
    }
    let taken: usize = attributes.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
    let room = MAX_MESSAGE_BYTES.saturating_sub(taken);
    if text.len() <= room {
        return (text, false);
    }
    let end = text.floor_char_boundary(room.saturating_sub(TRUNCATED_BYTES));
    text.truncate(end);
    (text, true)
}

/// Returns a subject that is taken: ASCII, one line, not too long, no blank in front.
fn subject(text: &str) -> String {
    let plain: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .map(|c| if c.is_ascii() { c } else { '?' })
        .collect();
    if plain.len() <= MAX_SUBJECT_CHARS {
        return plain;
    }
    // The sign for what is missing is not ASCII.
    format!("{}...", &plain[..MAX_SUBJECT_CHARS - 3])
}

/// Returns what a topic in order needs: messages of a group stay in order, and one that is sent
/// twice arrives once. The next message of the group is another one: were it named by the group
/// alone, an end within five minutes would be thrown away.
fn fifo(job: &Job<'_>) -> [(String, String); 2] {
    let group = group_id(job.notification);
    let message = Sha256::new()
        .chain_update(&group)
        .chain_update([0xff])
        .chain_update(job.idempotency_key)
        .finalize();
    [
        ("MessageGroupId".to_owned(), group),
        ("MessageDeduplicationId".to_owned(), hex::encode(message)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_made_such_that_it_is_taken() {
        assert_eq!(subject("  [FIRING:1]\nDisk voll: ä"), "[FIRING:1] Disk voll: ?");
        let long = subject(&"x".repeat(200));
        assert_eq!((long.len(), long.ends_with("x...")), (MAX_SUBJECT_CHARS, true));
    }
}
