//! The body of a webhook, version 4, as Alertmanager's receivers expect it.
//!
//! Field order, escaping and time format are part of the contract: people verify signatures over
//! the bytes and compare them in tests. So the text is what Go's encoder would write.

use std::io;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};
use tocsin_core::labels::{Fingerprint, Labels};
use tocsin_core::notification::{Notification, NotifiedAlert};

/// The version of the format; it changes when a field changes its meaning.
const VERSION: &str = "4";

/// How Go prints the instant that a firing alert does not have an end at.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// The characters that Go's `regexp.QuoteMeta` puts a backslash before.
const REGEX_SPECIAL: &str = r"\.+*?()|[]{}^$";

/// What is posted to a webhook.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookBody<'a> {
    /// The name of the receiver, its special characters escaped for a regular expression.
    receiver: String,
    /// Firing as long as one of the alerts is.
    status: Status,
    /// Firing alerts first.
    alerts: Vec<WebhookAlert<'a>>,
    /// Why it is sent now.
    #[serde(rename = "notification_reason")]
    notification_reason: &'static str,
    group_labels: &'a Labels,
    common_labels: Labels,
    common_annotations: Labels,
    route_labels: &'a Labels,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    /// How many alerts were left out because of `max_alerts`.
    truncated_alerts: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookAlert<'a> {
    status: Status,
    labels: &'a Labels,
    annotations: &'a Labels,
    starts_at: GoTime,
    ends_at: GoTime,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: Fingerprint,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

impl Status {
    fn new(is_firing: bool) -> Self {
        if is_firing { Self::Firing } else { Self::Resolved }
    }
}

/// An instant as Go prints it: UTC, nanoseconds without trailing zeros, year 1 for none.
#[derive(Debug)]
struct GoTime(Option<Timestamp>);

impl Serialize for GoTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(at) => serializer.collect_str(at),
            None => serializer.serialize_str(NO_TIME),
        }
    }
}

impl<'a> WebhookBody<'a> {
    /// Builds the body from a notification.
    ///
    /// `external_url` is where people reach this server. No more than `max_alerts` alerts are
    /// listed, and what they have in common is computed from those alone; 0 lists all.
    pub fn new(notification: &'a Notification, external_url: &'a str, max_alerts: usize) -> Self {
        let all = notification.alerts.as_slice();
        let kept = if max_alerts == 0 { all } else { &all[..all.len().min(max_alerts)] };
        Self {
            receiver: quote_meta(&notification.receiver),
            status: Status::new(kept.iter().any(|alert| !alert.is_resolved)),
            alerts: kept.iter().map(WebhookAlert::new).collect(),
            notification_reason: notification.reason.as_str(),
            group_labels: &notification.group_labels,
            common_labels: Labels::common(kept.iter().map(|alert| &alert.labels)),
            common_annotations: Labels::common(kept.iter().map(|alert| &alert.annotations)),
            route_labels: &notification.route_labels,
            external_url,
            version: VERSION,
            group_key: &notification.group_key,
            truncated_alerts: all.len() - kept.len(),
        }
    }

    /// Writes the body as one line of JSON, without a line feed at its end.
    ///
    /// # Panics
    /// Never: all keys are strings and memory does not refuse to be written to.
    pub fn to_json(&self) -> String {
        let mut out = Vec::with_capacity(512 * (self.alerts.len() + 1));
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, GoFormatter);
        self.serialize(&mut serializer).expect("a webhook body can always be written");
        String::from_utf8(out).expect("JSON is UTF-8")
    }
}

impl<'a> WebhookAlert<'a> {
    fn new(alert: &'a NotifiedAlert) -> Self {
        Self {
            status: Status::new(!alert.is_resolved),
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: GoTime(Some(alert.starts_at)),
            ends_at: GoTime(alert.is_resolved.then_some(alert.ends_at)),
            generator_url: &alert.generator_url,
            fingerprint: alert.fingerprint,
        }
    }
}

/// Escapes `text` so that a regular expression made of it matches exactly that text.
fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if REGEX_SPECIAL.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Escapes what Go's encoder escapes beyond the JSON standard: the characters that mean something
/// in HTML and the two line separators that JavaScript once stumbled over.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use tocsin_core::ids::AlertNumber;
    use tocsin_core::notification::NotifyReason;

    use super::*;

    fn alert(labels: Labels, annotations: Labels) -> NotifiedAlert {
        NotifiedAlert {
            number: AlertNumber(1),
            fingerprint: labels.fingerprint(),
            labels,
            annotations,
            generator_url: "".into(),
            starts_at: "2026-11-20T15:10:21.633381649Z".parse().unwrap(),
            ends_at: "2026-11-20T15:10:41.5Z".parse().unwrap(),
            is_resolved: false,
        }
    }

    fn notification(alerts: Vec<NotifiedAlert>) -> Notification {
        let group_labels = Labels::from([("alertname", "PgDown"), ("cluster", "eu1")]);
        Notification {
            receiver: "db.hook".into(),
            group_key: r#"{}/{team="db"}:{alertname="PgDown", cluster="eu1"}"#.into(),
            group_labels,
            route_labels: Labels::default(),
            reason: NotifyReason::First,
            alerts,
            decided_at: "2026-11-20T15:10:31Z".parse().unwrap(),
        }
    }

    fn pg_down() -> NotifiedAlert {
        alert(
            Labels::from([
                ("alertname", "PgDown"),
                ("cluster", "eu1"),
                ("severity", "critical"),
                ("team", "db"),
            ]),
            Labels::from([("summary", "pg")]),
        )
    }

    /// The recorded body of a running Alertmanager 0.33.1, with the route labels of 0.34.
    #[test]
    fn a_firing_alert_is_written_byte_for_byte_as_alertmanager_does() {
        let notification = notification(vec![pg_down()]);
        let body = WebhookBody::new(&notification, "http://am.example:9093", 0).to_json();
        assert_eq!(
            body,
            concat!(
                r#"{"receiver":"db\\.hook","status":"firing","alerts":[{"status":"firing","#,
                r#""labels":{"alertname":"PgDown","cluster":"eu1","severity":"critical","team":"db"},"#,
                r#""annotations":{"summary":"pg"},"startsAt":"2026-11-20T15:10:21.633381649Z","#,
                r#""endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"e91768680f2e9979"}],"#,
                r#""notification_reason":"first notification","#,
                r#""groupLabels":{"alertname":"PgDown","cluster":"eu1"},"#,
                r#""commonLabels":{"alertname":"PgDown","cluster":"eu1","severity":"critical","team":"db"},"#,
                r#""commonAnnotations":{"summary":"pg"},"routeLabels":{},"#,
                r#""externalURL":"http://am.example:9093","version":"4","#,
                r#""groupKey":"{}/{team=\"db\"}:{alertname=\"PgDown\", cluster=\"eu1\"}","truncatedAlerts":0}"#,
            )
        );
    }

    #[test]
    fn a_resolved_alert_has_its_end_without_trailing_zeros() {
        let mut resolved = pg_down();
        resolved.is_resolved = true;
        let notification = notification(vec![resolved]);
        let body = WebhookBody::new(&notification, "", 0).to_json();
        assert!(body.contains(r#""status":"resolved","alerts":[{"status":"resolved","#), "{body}");
        assert!(body.contains(r#""endsAt":"2026-11-20T15:10:41.5Z""#), "{body}");
    }

    #[test]
    fn what_is_left_out_is_counted_and_does_not_shrink_what_is_common() {
        let other = alert(Labels::from([("alertname", "Other")]), Labels::default());
        let notification = notification(vec![pg_down(), other]);
        let body = WebhookBody::new(&notification, "", 1).to_json();
        assert!(body.contains(r#""truncatedAlerts":1"#), "{body}");
        assert!(!body.contains("Other"), "{body}");
        assert!(body.contains(r#""commonAnnotations":{"summary":"pg"}"#), "{body}");
        let body = WebhookBody::new(&notification, "", 2).to_json();
        assert!(body.contains(r#""commonLabels":{},"commonAnnotations":{}"#), "{body}");
    }

    #[test]
    fn characters_of_html_are_escaped_as_go_does_and_still_read_back() {
        let text = "a<b>&c\u{2028}\"\\\n\u{1}é";
        let notification = notification(vec![alert(
            Labels::from([("alertname", "X")]),
            Labels::from([("summary", text)]),
        )]);
        let body = WebhookBody::new(&notification, "http://x/?a=1&b=2", 0).to_json();
        let escaped = r#""summary":"a\u003cb\u003e\u0026c\u2028\"\\\n\u0001é""#;
        assert!(body.contains(escaped), "{body}");
        assert!(body.contains(r#""externalURL":"http://x/?a=1\u0026b=2""#), "{body}");
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value["alerts"][0]["annotations"]["summary"], text);
    }
}
