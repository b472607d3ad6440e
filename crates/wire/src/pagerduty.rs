//! PagerDuty's Events API, version 2 (and 1): what clients post and what they are answered.
//!
//! Shapes and limits are those of the public documentation of the API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tocsin_core::alert::IncomingAlert;
use tocsin_core::change::{self, ChangeLink, MAX_DETAILS_BYTES, MAX_LINKS, MAX_SUMMARY_CHARS};
use tocsin_core::labels::{ALERTNAME, Labels};

/// The largest event in bytes.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;

/// The longest key by which a client knows an incident, in characters.
pub const MAX_DEDUP_KEY_CHARS: usize = 255;

/// The most custom details that become annotations; the rest stays in one of them as JSON.
const MAX_DETAILS: usize = 50;

/// The most characters of one annotation.
const MAX_ANNOTATION_CHARS: usize = 8_000;

/// The severities that the protocol knows.
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// What happens to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It begins, or is told again.
    Trigger,
    /// Somebody works on it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct PagerdutyEvent {
    /// The key of the integration.
    pub routing_key: String,
    /// What happens.
    pub action: Action,
    /// What the client knows it by; `None` when the server shall choose.
    pub dedup_key: Option<String>,
    /// What is known of it; always there when it begins.
    pub payload: Option<Payload>,
    /// The name of the sender.
    pub client: String,
    /// Where that leads.
    pub client_url: String,
    /// Where to read more: address and text.
    pub links: Vec<(String, String)>,
}

/// What is known of an incident.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// What happened.
    pub summary: String,
    /// Where.
    pub source: String,
    /// How bad it is.
    pub severity: String,
    /// When, as the client says.
    pub timestamp: Option<Timestamp>,
    /// The part that is affected.
    pub component: String,
    /// The cluster of parts.
    pub group: String,
    /// The kind of event.
    pub class: String,
    /// Further facts.
    pub custom_details: Map<String, Value>,
}

/// The answer to an event that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Processed<'a> {
    status: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_key: Option<&'a str>,
}

impl<'a> Processed<'a> {
    /// Answers an event.
    pub fn event(dedup_key: &'a str) -> Self {
        Self { status: "success", message: "Event processed", dedup_key: Some(dedup_key) }
    }

    /// Answers a change.
    pub fn change() -> Self {
        Self { status: "success", message: "Change event processed", dedup_key: None }
    }
}

/// The answer to an event that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invalid {
    status: &'static str,
    message: String,
    errors: Vec<String>,
}

impl Invalid {
    /// Refuses an event.
    pub fn new(errors: Vec<String>) -> Self {
        Self { status: "invalid event", message: "Event object is invalid".to_owned(), errors }
    }
}

/// Reads a body as a JSON object.
fn object(body: &[u8]) -> Result<Map<String, Value>, Vec<String>> {
    if body.len() > MAX_EVENT_BYTES {
        return Err(vec![format!("the event has more than {MAX_EVENT_BYTES} bytes")]);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(vec!["the body must be a JSON object".to_owned()]),
        Err(error) => Err(vec![format!("the body is not JSON: {error}")]),
    }
}

/// Reads fields one by one and keeps every complaint.
struct Fields {
    fields: Map<String, Value>,
    prefix: &'static str,
    errors: Vec<String>,
}

impl Fields {
    fn new(fields: Map<String, Value>, prefix: &'static str) -> Self {
        Self { fields, prefix, errors: Vec::new() }
    }

    /// Returns a text; numbers and truths are taken as such, as the service does.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.remove(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => {
                self.complain(format!("'{}{name}' must be a string", self.prefix));
                None
            }
        }
    }

    fn needed(&mut self, name: &str) -> String {
        let text = self.text(name).filter(|text| !text.trim().is_empty());
        text.unwrap_or_else(|| {
            self.complain(format!("'{}{name}' is missing or blank", self.prefix));
            String::new()
        })
    }

    fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        let parsed = read_instant(&text);
        if parsed.is_none() {
            self.complain(format!("'{}{name}' must be an ISO 8601 date and time", self.prefix));
        }
        parsed
    }

    fn map(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.fields.remove(name)? {
            Value::Null => None,
            Value::Object(map) => Some(map),
            // Anything that is no object is taken as one fact.
            other => Some(Map::from_iter([(name.to_owned(), other)])),
        }
    }

    fn links(&mut self, name: &str) -> Vec<(String, String)> {
        let Some(Value::Array(links)) = self.fields.remove(name) else { return Vec::new() };
        let text = |link: &Value, key: &str| {
            link.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let read = links.iter().map(|link| (text(link, "href"), text(link, "text")));
        read.filter(|(href, _)| !href.is_empty()).take(MAX_LINKS).collect()
    }

    fn complain(&mut self, text: String) {
        self.errors.push(text);
    }
}

/// Reads an instant as ISO 8601 writes it; without a zone it is UTC.
fn read_instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    // `+0000` without a colon, and no zone at all.
    for format in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"] {
        if let Ok(instant) = Timestamp::strptime(format, text) {
            return Some(instant);
        }
    }
    let local: jiff::civil::DateTime = text.parse().ok()?;
    Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

impl PagerdutyEvent {
    /// Reads an event of version 2.
    ///
    /// # Errors
    /// Everything that is wrong with it, one sentence each.
    pub fn read(body: &[u8]) -> Result<Self, Vec<String>> {
        let mut fields = Fields::new(object(body)?, "");
        let routing_key = fields.needed("routing_key");
        let action = fields.needed("event_action");
        let action = match action.as_str() {
            "trigger" => Some(Action::Trigger),
            "acknowledge" => Some(Action::Acknowledge),
            "resolve" => Some(Action::Resolve),
            _ => None,
        };
        if action.is_none() {
            let known = "'event_action' must be one of trigger, acknowledge, resolve";
            fields.complain(known.to_owned());
        }
        let dedup_key = fields.text("dedup_key").filter(|key| !key.is_empty());
        check_key(&mut fields, "dedup_key", dedup_key.as_deref());
        if dedup_key.is_none() && matches!(action, Some(Action::Acknowledge | Action::Resolve)) {
            fields.complain("'dedup_key' is needed to acknowledge or resolve".to_owned());
        }
        let payload = fields.map("payload");
        let payload = match (payload, action) {
            (Some(payload), Some(Action::Trigger)) => Some(Payload::read(payload, &mut fields)),
            (None, Some(Action::Trigger)) => {
                fields.complain("'payload' is missing or blank".to_owned());
                None
            }
            // Clients may send one along; it changes nothing.
            _ => None,
        };
        let client = fields.text("client").unwrap_or_default();
        let client_url = fields.text("client_url").unwrap_or_default();
        let links = fields.links("links");
        let Some(action) = action.filter(|_| fields.errors.is_empty()) else {
            return Err(fields.errors);
        };
        Ok(Self { routing_key, action, dedup_key, payload, client, client_url, links })
    }

    /// Reads an event of version 1 (`create_event.json`).
    ///
    /// # Errors
    /// Everything that is wrong with it, one sentence each.
    pub fn read_v1(body: &[u8]) -> Result<Self, Vec<String>> {
        let mut fields = Fields::new(object(body)?, "");
        let routing_key = fields.needed("service_key");
        let action = match fields.needed("event_type").as_str() {
            "trigger" => Some(Action::Trigger),
            "acknowledge" => Some(Action::Acknowledge),
            "resolve" => Some(Action::Resolve),
            _ => {
                let known = "'event_type' must be one of trigger, acknowledge, resolve";
                fields.complain(known.to_owned());
                None
            }
        };
        let dedup_key = fields.text("incident_key").filter(|key| !key.is_empty());
        check_key(&mut fields, "incident_key", dedup_key.as_deref());
        let is_trigger = action == Some(Action::Trigger);
        let summary = if is_trigger { fields.needed("description") } else { String::new() };
        let payload = is_trigger.then(|| Payload {
            summary: cut(&summary, MAX_SUMMARY_CHARS),
            severity: "critical".to_owned(),
            custom_details: fields.map("details").unwrap_or_default(),
            ..Payload::default()
        });
        let client = fields.text("client").unwrap_or_default();
        let client_url = fields.text("client_url").unwrap_or_default();
        let links = fields.links("contexts");
        let Some(action) = action.filter(|_| fields.errors.is_empty()) else {
            return Err(fields.errors);
        };
        Ok(Self { routing_key, action, dedup_key, payload, client, client_url, links })
    }

    /// Returns the alert that begins with this event; `None` for events that begin nothing.
    ///
    /// Labels say what it is (`alertname`, `severity`, `source`, `component`, `group`, `class`),
    /// annotations everything else. The label sets of an integration are completed by its owner.
    pub fn alert(&self) -> Option<IncomingAlert> {
        let payload = self.payload.as_ref()?;
        let name = if payload.class.is_empty() { &payload.summary } else { &payload.class };
        let labels = [
            (ALERTNAME, name),
            ("severity", &payload.severity),
            ("source", &payload.source),
            ("component", &payload.component),
            ("group", &payload.group),
            ("class", &payload.class),
        ];
        let labels: Labels = labels
            .into_iter()
            .map(|(name, value)| (name.to_owned(), cut(value, MAX_SUMMARY_CHARS)))
            .collect();
        let mut annotations = BTreeMap::from([("summary".to_owned(), payload.summary.clone())]);
        if !self.client.is_empty() {
            annotations.insert("client".to_owned(), self.client.clone());
        }
        for (index, (href, text)) in self.links.iter().enumerate() {
            let link = if text.is_empty() { href.clone() } else { format!("{text}: {href}") };
            annotations.insert(format!("link_{}", index + 1), link);
        }
        for (index, (name, value)) in payload.custom_details.iter().enumerate() {
            if index == MAX_DETAILS {
                let rest = payload.custom_details.len() - MAX_DETAILS;
                annotations.insert("details_left_out".to_owned(), rest.to_string());
                break;
            }
            annotations.entry(name.clone()).or_insert_with(|| plain(value));
        }
        let annotations =
            annotations.into_iter().map(|(name, text)| (name, cut(&text, MAX_ANNOTATION_CHARS)));
        let mut alert = IncomingAlert::new(labels, annotations.collect());
        alert.generator_url = self.client_url.as_str().into();
        alert.starts_at = payload.timestamp;
        Some(alert)
    }
}

impl Payload {
    fn read(payload: Map<String, Value>, outer: &mut Fields) -> Self {
        let mut fields = Fields::new(payload, "payload.");
        let summary = fields.needed("summary");
        let source = fields.needed("source");
        let severity = fields.needed("severity").to_ascii_lowercase();
        if !severity.is_empty() && !SEVERITIES.contains(&severity.as_str()) {
            let known = SEVERITIES.join(", ");
            fields.complain(format!("'payload.severity' must be one of {known}"));
        }
        let payload = Self {
            summary: cut(&summary, MAX_SUMMARY_CHARS),
            source,
            severity,
            timestamp: fields.instant("timestamp"),
            component: fields.text("component").unwrap_or_default(),
            group: fields.text("group").unwrap_or_default(),
            class: fields.text("class").unwrap_or_default(),
            custom_details: fields.map("custom_details").unwrap_or_default(),
        };
        outer.errors.append(&mut fields.errors);
        payload
    }
}

/// Reads a change event; returns the key of the integration and the change as it tells it at
/// `now`.
///
/// # Errors
/// Everything that is wrong with it, one sentence each.
pub fn read_change(body: &[u8], now: Timestamp) -> Result<(String, change::Change), Vec<String>> {
    let mut fields = Fields::new(object(body)?, "");
    let routing_key = fields.needed("routing_key");
    let payload = fields.map("payload").unwrap_or_else(|| {
        fields.complain("'payload' is missing or blank".to_owned());
        Map::new()
    });
    let links = fields.links("links");
    let mut payload = Fields::new(payload, "payload.");
    let summary = payload.needed("summary");
    let source = payload.text("source").unwrap_or_default();
    let occurred_at = payload.instant("timestamp").unwrap_or(now);
    let details = payload.map("custom_details").unwrap_or_default();
    let details =
        if details.is_empty() { String::new() } else { Value::Object(details).to_string() };
    if details.len() > MAX_DETAILS_BYTES {
        payload
            .complain(format!("'payload.custom_details' has more than {MAX_DETAILS_BYTES} bytes"));
    }
    fields.errors.append(&mut payload.errors);
    if !fields.errors.is_empty() {
        return Err(fields.errors);
    }
    let links = links.into_iter().map(|(href, text)| ChangeLink { href, text });
    let change = change::Change {
        summary: cut(&summary, MAX_SUMMARY_CHARS),
        source: cut(&source, MAX_SUMMARY_CHARS),
        occurred_at,
        details,
        links: links.collect(),
        integration: String::new(),
    };
    Ok((routing_key, change))
}

fn check_key(fields: &mut Fields, name: &str, key: Option<&str>) {
    if key.is_some_and(|key| key.chars().count() > MAX_DEDUP_KEY_CHARS) {
        fields.complain(format!("'{name}' has more than {MAX_DEDUP_KEY_CHARS} characters"));
    }
}

/// Returns a value as people read it: texts without quotes, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGER: &str = r#"{
        "routing_key": "k", "event_action": "trigger", "dedup_key": "disk-a",
        "client": "checks", "client_url": "http://checks.example/7",
        "links": [{"href": "http://wiki.example/disk", "text": "what to do"}, {"text": "no"}],
        "payload": {
            "summary": "disk full on a", "source": "a", "severity": "Critical",
            "timestamp": "2026-11-20T15:10:21.000+0000", "class": "disk", "group": "eu1",
            "custom_details": {"free": 3, "mounts": ["/", "/var"], "summary": "not this one"}
        }
    }"#;

    #[test]
    fn an_event_becomes_an_alert() {
        let event = PagerdutyEvent::read(TRIGGER.as_bytes()).unwrap();
        assert_eq!((event.action, event.dedup_key.as_deref()), (Action::Trigger, Some("disk-a")));
        let alert = event.alert().unwrap();
        assert_eq!(
            alert.labels.to_string(),
            r#"{alertname="disk", class="disk", group="eu1", severity="critical", source="a"}"#
        );
        assert_eq!(
            alert.annotations.to_string(),
            concat!(
                r#"{client="checks", free="3", link_1="what to do: http://wiki.example/disk", "#,
                r#"mounts="[\"/\",\"/var\"]", summary="disk full on a"}"#
            )
        );
        assert_eq!(alert.starts_at.unwrap().to_string(), "2026-11-20T15:10:21Z");
        assert_eq!(alert.generator_url, "http://checks.example/7");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let body = r#"{"event_action": "fire", "payload": {"severity": "bad"}}"#;
        let errors = PagerdutyEvent::read(body.as_bytes()).unwrap_err();
        assert_eq!(
            errors,
            [
                "'routing_key' is missing or blank",
                "'event_action' must be one of trigger, acknowledge, resolve",
            ]
        );
        let body = r#"{"routing_key": "k", "event_action": "trigger", "payload":
            {"severity": "bad", "source": [], "timestamp": "soon"}}"#;
        let errors = PagerdutyEvent::read(body.as_bytes()).unwrap_err();
        assert_eq!(
            errors,
            [
                "'payload.summary' is missing or blank",
                "'payload.source' must be a string",
                "'payload.source' is missing or blank",
                "'payload.severity' must be one of critical, error, warning, info",
                "'payload.timestamp' must be an ISO 8601 date and time",
            ]
        );
        let long = format!(
            r#"{{"routing_key": "k", "event_action": "resolve", "dedup_key": "{}"}}"#,
            "x".repeat(256)
        );
        assert!(PagerdutyEvent::read(long.as_bytes()).unwrap_err()[0].contains("255"));
        assert!(PagerdutyEvent::read(b"[]").is_err());
        assert!(PagerdutyEvent::read(b"").is_err());
    }

    #[test]
    fn the_first_version_of_the_api_is_read_too() {
        let body = r#"{"service_key": "k", "event_type": "trigger", "incident_key": "i",
            "description": "FAILURE for production/HTTP", "details": {"load": 0.75}}"#;
        let alert = PagerdutyEvent::read_v1(body.as_bytes()).unwrap().alert().unwrap();
        assert_eq!(alert.labels.get("severity"), Some("critical"));
        assert_eq!(alert.annotations.get("load"), Some("0.75"));
    }

    #[test]
    fn a_change_is_read() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let body = r#"{"routing_key": "k", "payload": {"summary": "build 42", "source": "ci",
            "custom_details": {"build": 42}}, "links": [{"href": "http://ci.example/42"}]}"#;
        let (key, change) = read_change(body.as_bytes(), now).unwrap();
        assert_eq!((key.as_str(), change.summary.as_str()), ("k", "build 42"));
        assert_eq!((change.occurred_at, change.details.as_str()), (now, r#"{"build":42}"#));
        assert!(read_change(br#"{"routing_key": "k"}"#, now).unwrap_err().len() >= 2);
    }
}
