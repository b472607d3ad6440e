//! The mapping of an integration: its own expressions, and for what it does not say those of its
//! kind.

use std::collections::BTreeMap;

use tocsin_config::{InboundKind, MappingConfig};
use tocsin_core::mapping::{Mapping, MappingError};

/// What bodies usually call things.
const GENERIC: &[(&str, &str)] = &[
    (
        "status",
        "has(body.status) ? body.status : has(body.state) ? body.state : \
         has(body.action) ? body.action : 'firing'",
    ),
    (
        "name",
        "has(body.alertname) ? body.alertname : has(body.title) ? body.title : \
         has(body.name) ? body.name : body.summary",
    ),
    (
        "severity",
        "has(body.severity) ? body.severity : has(body.priority) ? body.priority : body.level",
    ),
    ("dedup_key", "has(body.dedup_key) ? body.dedup_key : has(body.dedup) ? body.dedup : body.id"),
    ("labels", "body.labels"),
    (
        "annotations",
        "has(body.annotations) ? body.annotations : {\
         'summary': has(body.summary) ? body.summary : has(body.title) ? body.title : '', \
         'description': has(body.details) ? body.details : \
         has(body.description) ? body.description : has(body.message) ? body.message : ''}",
    ),
    ("starts_at", "has(body.starts_at) ? body.starts_at : body.timestamp"),
    ("ends_at", "body.ends_at"),
    ("url", "has(body.url) ? body.url : body.link"),
];

/// What providers of inbound mail post; `body.topic` is the subject without what differs between
/// the mails of one alert.
const EMAIL: &[(&str, &str)] = &[
    ("status", "body.is_over ? 'resolved' : 'firing'"),
    ("name", "body.topic"),
    ("dedup_key", "body.topic"),
    ("labels", "{'from': body.from, 'to': body.to}"),
    ("annotations", "{'summary': body.subject, 'description': body.text}"),
];

/// A CloudWatch alarm, or any other message of a topic.
///
/// `INSUFFICIENT_DATA` fires, by choice: an alarm that cannot see must not look healthy. Whoever
/// wants only `ALARM` says so in the mapping of the integration.
const SNS: &[(&str, &str)] = &[
    ("status", "has(body.NewStateValue) ? body.NewStateValue : 'firing'"),
    ("name", "has(body.AlarmName) ? body.AlarmName : body.Subject"),
    ("dedup_key", "has(body.AlarmArn) ? body.AlarmArn : body.MessageId"),
    (
        "labels",
        "has(body.AlarmName) ? {'region': body.Region, 'account': body.AWSAccountId} : \
         {'topic': body.TopicArn}",
    ),
    (
        "annotations",
        "has(body.AlarmName) ? {'summary': body.NewStateReason, \
         'description': body.AlarmDescription} : {'summary': body.Subject, 'description': body.Message}",
    ),
    ("starts_at", "body.StateChangeTime"),
];

/// Returns the mapping of an integration of that kind.
///
/// # Errors
/// The field whose expression cannot be compiled.
pub(super) fn mapping(kind: InboundKind, own: &MappingConfig) -> Result<Mapping, MappingError> {
    let usual: &[(&str, &str)] = match kind {
        InboundKind::Email => EMAIL,
        InboundKind::Sns => SNS,
        InboundKind::Generic => GENERIC,
        // Their bodies have a form of their own.
        _ => return Ok(Mapping::default()),
    };
    let own: BTreeMap<&'static str, &str> = own.expressions().collect();
    // Who reads a list reads its elements; what the usual expressions find in the body is none.
    let usual = usual.iter().filter(|_| !own.contains_key("items"));
    let mut all: BTreeMap<&'static str, &str> = usual.copied().collect();
    all.extend(own);
    Mapping::new(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_usual_expressions_compile() {
        for kind in [InboundKind::Generic, InboundKind::Email, InboundKind::Sns] {
            mapping(kind, &MappingConfig::default()).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
