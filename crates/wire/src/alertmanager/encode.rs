//! What the API answers with, written by hand: lists may hold tens of thousands of alerts and are
//! asked for often.

use jiff::Timestamp;
use tocsin_core::alert::AlertView;
use tocsin_core::labels::Labels;
use tocsin_core::policy::Receiver;
use tocsin_core::silence::{Silence, SilenceState};
use tocsin_core::views::GroupView;

use super::time::write_millis;

/// Returns `GET /silences`.
pub fn encode_silences<'a>(
    silences: impl IntoIterator<Item = &'a (Silence, SilenceState)>,
) -> Vec<u8> {
    let mut out = Vec::new();
    list(&mut out, silences, |out, (silence, state)| write_silence(out, silence, *state));
    out
}

/// Returns `GET /silence/{id}`.
pub fn encode_silence(silence: &Silence, state: SilenceState) -> Vec<u8> {
    let mut out = Vec::new();
    write_silence(&mut out, silence, state);
    out
}

/// Returns `GET /receivers`.
pub fn encode_receivers<'a>(receivers: impl IntoIterator<Item = &'a Receiver>) -> Vec<u8> {
    let mut out = Vec::new();
    list(&mut out, receivers, |out, receiver| {
        raw(out, r#"{"labels":"#);
        labels(out, &receiver.labels);
        raw(out, r#","name":"#);
        string(out, &receiver.name);
        raw(out, "}");
    });
    out
}

/// Appends what comes before the alerts of a group.
pub(super) fn group_start(out: &mut Vec<u8>) {
    raw(out, r#"{"alerts":["#);
}

/// Appends what comes after them.
pub(super) fn group_end(out: &mut Vec<u8>, view: &GroupView) {
    raw(out, r#"],"labels":"#);
    labels(out, &view.labels);
    raw(out, r#","receiver":{"name":"#);
    string(out, &view.receiver);
    raw(out, r#"},"routeLabels":"#);
    labels(out, &view.route_labels);
    raw(out, "}");
}

/// Appends an alert.
pub(super) fn write_alert(out: &mut Vec<u8>, view: &AlertView) {
    raw(out, r#"{"annotations":"#);
    labels(out, &view.description.annotations);
    raw(out, r#","endsAt":"#);
    instant(out, view.activity.ends_at);
    raw(out, r#","fingerprint":""#);
    fingerprint(out, view.identity.fingerprint.0);
    raw(out, r#"","receivers":"#);
    list(out, view.receivers.iter(), |out, name| {
        raw(out, r#"{"name":"#);
        string(out, name);
        raw(out, "}");
    });
    raw(out, r#","startsAt":"#);
    instant(out, view.activity.starts_at);
    status(out, view);
    raw(out, r#","updatedAt":"#);
    instant(out, view.activity.updated_at);
    if !view.description.generator_url.is_empty() {
        raw(out, r#","generatorURL":"#);
        string(out, &view.description.generator_url);
    }
    raw(out, r#","labels":"#);
    labels(out, &view.identity.labels);
    raw(out, "}");
}

fn status(out: &mut Vec<u8>, view: &AlertView) {
    let status = &view.status;
    raw(out, r#","status":{"inhibitedBy":["#);
    if let Some(inhibitor) = &status.inhibited_by {
        raw(out, "\"");
        fingerprint(out, inhibitor.source.0);
        raw(out, "\"");
    }
    // Maintenance windows are ours; clients know names of what mutes from this field.
    raw(out, r#"],"mutedBy":"#);
    list(out, status.maintained_by.iter().chain(&status.muted_by), |out, name| string(out, name));
    raw(out, r#","silencedBy":"#);
    list(out, &status.silenced_by, |out, id| {
        raw(out, "\"");
        raw(out, id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
        raw(out, "\"");
    });
    let state = if status.is_suppressed() { "suppressed" } else { "active" };
    raw(out, r#","state":""#);
    raw(out, state);
    raw(out, "\"}");
}

fn write_silence(out: &mut Vec<u8>, silence: &Silence, state: SilenceState) {
    raw(out, r#"{"id":""#);
    raw(out, &silence.id.to_string());
    raw(out, r#"","status":{"state":""#);
    raw(out, state_word(state));
    raw(out, r#""},"updatedAt":"#);
    instant(out, silence.updated_at);
    if !silence.annotations.is_empty() {
        raw(out, r#","annotations":"#);
        pairs(out, silence.annotations.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    }
    raw(out, r#","comment":"#);
    string(out, &silence.comment);
    raw(out, r#","createdBy":"#);
    string(out, &silence.created_by);
    raw(out, r#","endsAt":"#);
    instant(out, silence.ends_at);
    raw(out, r#","matchers":"#);
    list(out, &silence.matchers, |out, matcher| {
        let op = matcher.op();
        raw(out, if op.is_equal() { r#"{"isEqual":true"# } else { r#"{"isEqual":false"# });
        raw(out, if op.is_regex() { r#","isRegex":true"# } else { r#","isRegex":false"# });
        raw(out, r#","name":"#);
        string(out, matcher.name());
        raw(out, r#","value":"#);
        string(out, matcher.value());
        raw(out, "}");
    });
    raw(out, r#","startsAt":"#);
    instant(out, silence.starts_at);
    raw(out, "}");
}

fn state_word(state: SilenceState) -> &'static str {
    match state {
        SilenceState::Pending => "pending",
        SilenceState::Active => "active",
        SilenceState::Expired => "expired",
    }
}

fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn string(out: &mut Vec<u8>, text: &str) {
    // Most names and values need no escape, and checking is cheaper than escaping.
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push(b'"');
        raw(out, text);
        out.push(b'"');
    } else if serde_json::to_writer(&mut *out, text).is_err() {
        // Writing to memory cannot fail; an empty string keeps the document well-formed.
        raw(out, r#""""#);
    }
}

fn instant(out: &mut Vec<u8>, at: Timestamp) {
    out.push(b'"');
    write_millis(out, at);
    out.push(b'"');
}

fn fingerprint(out: &mut Vec<u8>, hash: u64) {
    for byte in hash.to_be_bytes() {
        out.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
        out.push(b"0123456789abcdef"[usize::from(byte & 0xf)]);
    }
}

fn labels(out: &mut Vec<u8>, set: &Labels) {
    pairs(out, set.iter());
}

fn pairs<'a>(out: &mut Vec<u8>, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    out.push(b'{');
    for (i, (name, value)) in pairs.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        string(out, name);
        out.push(b':');
        string(out, value);
    }
    out.push(b'}');
}

fn list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(b']');
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use tocsin_core::alert::{Activity, AlertStatus, Description, Identity, Inhibitor};
    use tocsin_core::ids::{AlertNumber, GroupNumber, SilenceNumber};
    use tocsin_core::labels::Fingerprint;
    use tocsin_core::matcher::{Matcher, Matchers};

    use super::*;

    const SILENCE_ID: &str = "e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64";

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    fn alert(view: &AlertView) -> String {
        let mut out = Vec::new();
        write_alert(&mut out, view);
        text(out)
    }

    pub(in super::super) fn view(status: AlertStatus) -> AlertView {
        let labels = Labels::from([
            ("alertname", "DiskFull"),
            ("cluster", "eu1"),
            ("instance", "a:9100"),
            ("severity", "warning"),
        ]);
        let starts_at = "2026-11-20T15:10:21.633381649Z".parse().unwrap();
        AlertView {
            identity: Arc::new(Identity {
                number: AlertNumber(1),
                fingerprint: labels.fingerprint(),
                labels,
            }),
            description: Arc::new(Description {
                annotations: Labels::from([("summary", "disk nearly full")]),
                generator_url: "http://prom.example/graph?g0.expr=up".into(),
            }),
            activity: Activity {
                starts_at,
                ends_at: "2026-11-20T15:10:41.633Z".parse().unwrap(),
                is_timeout: false,
                updated_at: starts_at,
            },
            receivers: Arc::from([Arc::from("hook")]),
            status,
            acknowledgement: None,
        }
    }

    #[test]
    fn an_alert_has_the_recorded_shape() {
        let source = Fingerprint(0x6c4d_0d55_8f70_61a9);
        let inhibited = AlertStatus {
            inhibited_by: Some(Inhibitor { source, rule: 0 }),
            ..AlertStatus::default()
        };
        assert_eq!(
            alert(&view(inhibited)),
            r#"{"annotations":{"summary":"disk nearly full"},"endsAt":"2026-11-20T15:10:41.633Z","fingerprint":"638fcf6831e8a35c","receivers":[{"name":"hook"}],"startsAt":"2026-11-20T15:10:21.633Z","status":{"inhibitedBy":["6c4d0d558f7061a9"],"mutedBy":[],"silencedBy":[],"state":"suppressed"},"updatedAt":"2026-11-20T15:10:21.633Z","generatorURL":"http://prom.example/graph?g0.expr=up","labels":{"alertname":"DiskFull","cluster":"eu1","instance":"a:9100","severity":"warning"}}"#
        );
    }

    #[test]
    fn everything_that_mutes_makes_an_alert_suppressed() {
        let status = |status| {
            let value: serde_json::Value = serde_json::from_str(&alert(&view(status))).unwrap();
            value["status"].to_string()
        };
        assert_eq!(
            status(AlertStatus::default()),
            r#"{"inhibitedBy":[],"mutedBy":[],"silencedBy":[],"state":"active"}"#
        );
        assert_eq!(
            status(AlertStatus {
                silenced_by: vec![SILENCE_ID.parse().unwrap()],
                ..AlertStatus::default()
            }),
            format!(
                r#"{{"inhibitedBy":[],"mutedBy":[],"silencedBy":["{SILENCE_ID}"],"state":"suppressed"}}"#
            )
        );
        assert_eq!(
            status(AlertStatus {
                maintained_by: vec![Arc::from("patching")],
                muted_by: vec![Arc::from("never")],
                ..AlertStatus::default()
            }),
            r#"{"inhibitedBy":[],"mutedBy":["patching","never"],"silencedBy":[],"state":"suppressed"}"#
        );
    }

    pub(in super::super) fn group() -> GroupView {
        GroupView {
            number: GroupNumber(1),
            key: Arc::from("{}:{alertname=\"Noise\"}"),
            labels: Labels::from([("alertname", "Noise")]),
            route_labels: Labels::default(),
            receiver: Arc::from("null"),
            opened_at: Timestamp::UNIX_EPOCH,
            flush_at: Timestamp::UNIX_EPOCH,
            alerts: Vec::new(),
        }
    }

    #[test]
    fn a_group_has_the_recorded_shape() {
        let mut out = Vec::new();
        group_start(&mut out);
        group_end(&mut out, &group());
        assert_eq!(
            text(out),
            r#"{"alerts":[],"labels":{"alertname":"Noise"},"receiver":{"name":"null"},"routeLabels":{}}"#
        );
    }

    #[test]
    fn a_silence_has_the_recorded_shape() {
        let updated_at = "2026-11-20T15:10:24.979Z".parse().unwrap();
        let mut silence = Silence {
            id: SILENCE_ID.parse().unwrap(),
            number: SilenceNumber(1),
            matchers: Matchers::new(vec![Matcher::equal("alertname", "PgDown")]),
            starts_at: updated_at,
            ends_at: "2027-01-01T00:00:00Z".parse().unwrap(),
            updated_at,
            created_by: "ops".to_owned(),
            comment: "maint".to_owned(),
            annotations: BTreeMap::new(),
        };
        assert_eq!(
            text(encode_silences(&[(silence.clone(), SilenceState::Active)])),
            r#"[{"id":"e4caac33-3bc6-4ef1-8766-cd4b2ee4ca64","status":{"state":"active"},"updatedAt":"2026-11-20T15:10:24.979Z","comment":"maint","createdBy":"ops","endsAt":"2027-01-01T00:00:00.000Z","matchers":[{"isEqual":true,"isRegex":false,"name":"alertname","value":"PgDown"}],"startsAt":"2026-11-20T15:10:24.979Z"}]"#
        );
        silence.annotations.insert("ticket".to_owned(), "a\"b".to_owned());
        let one = text(encode_silence(&silence, SilenceState::Expired));
        assert!(one.contains(r#""annotations":{"ticket":"a\"b"}"#), "{one}");
        assert!(one.contains(r#""state":"expired""#), "{one}");
    }

    #[test]
    fn receivers_have_the_recorded_shape() {
        let receiver = Receiver {
            name: Arc::from("db.hook"),
            labels: Labels::from([("name", "db.hook")]),
            escalation_policy: None,
            integrations: Vec::new(),
        };
        assert_eq!(
            text(encode_receivers([&receiver])),
            r#"[{"labels":{"name":"db.hook"},"name":"db.hook"}]"#
        );
    }

    #[test]
    fn strings_are_escaped_as_json_demands() {
        let mut out = Vec::new();
        string(&mut out, "tab\t \"quoted\" \u{1} é");
        assert_eq!(text(out), r#""tab\t \"quoted\" \u0001 é""#);
    }
}
