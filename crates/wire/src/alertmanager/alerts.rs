//! `POST /api/v2/alerts`: decoding and checking.

use std::fmt::Write as _;

use compact_str::CompactString;
use jiff::{SignedDuration, Timestamp};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess};
use serde_json::Value;
use tocsin_core::alert::IncomingAlert;
use tocsin_core::labels::Labels;
use tocsin_core::quote;

use super::error::ApiError;
use super::request_uri::is_request_uri;
use super::slow::{self, Fields};
use super::time::{self, Instant};

/// The most complaints about single alerts that one answer lists; the rest is only counted.
pub(super) const MAX_COMPLAINTS: usize = 100;

/// What decoding needs to know.
#[derive(Clone, Copy, Debug)]
pub struct AlertContext {
    /// When the request arrived.
    pub now: Timestamp,
    /// How long an alert without an end fires.
    pub resolve_timeout: SignedDuration,
    /// Whether only classic label names are valid.
    pub is_classic: bool,
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostedAlerts {
    /// The alerts that may be stored, in the order of the body.
    pub valid: Vec<IncomingAlert>,
    /// Why the others may not; a bounded number of them.
    pub complaints: Vec<String>,
    /// How many may not.
    pub invalid: usize,
    /// How many fire, invalid ones included.
    pub firing: usize,
    /// How many are over, invalid ones included.
    pub resolved: usize,
}

impl PostedAlerts {
    /// Returns the answer owed for the invalid alerts, once the valid ones are stored.
    pub fn complaint(&self) -> Option<ApiError> {
        if self.invalid == 0 {
            return None;
        }
        let mut text = self.complaints.join("; ");
        let more = self.invalid - self.complaints.len();
        if more > 0 {
            let _ = write!(text, "; and {more} more");
        }
        Some(ApiError::bad_request(text))
    }
}

/// Decodes a body.
///
/// # Errors
/// The body is no JSON, has the wrong shape, or lacks what the schema demands: nothing of it may
/// be stored. Alerts that are well-formed but make no sense are reported in the result instead.
pub fn decode_alerts(body: &[u8], context: AlertContext) -> Result<PostedAlerts, ApiError> {
    let posted = match read_fast(body) {
        Ok(posted) => posted,
        Err(_) => read_slow(body)?,
    };
    if let Some(refusal) = posted.iter().enumerate().find_map(|(i, alert)| alert.refusal(i)) {
        return Err(refusal);
    }
    let mut result =
        PostedAlerts { valid: Vec::with_capacity(posted.len()), ..PostedAlerts::default() };
    for alert in posted {
        alert.check(context, &mut result);
    }
    Ok(result)
}

/// One alert as it is written. A field that is not known here may be one of these in other case,
/// so it is left to the slow reading.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Posted {
    labels: Option<Labels>,
    annotations: Option<Labels>,
    #[serde(rename = "startsAt")]
    starts_at: Instant,
    #[serde(rename = "endsAt")]
    ends_at: Instant,
    #[serde(rename = "generatorURL")]
    generator_url: Option<CompactString>,
}

fn read_fast(body: &[u8]) -> serde_json::Result<Vec<Posted>> {
    // Go's decoder stops after the first value, so what follows is not looked at.
    let posted = Vec::<Object>::deserialize(&mut serde_json::Deserializer::from_slice(body))?;
    Ok(posted.into_iter().map(|object| object.0).collect())
}

/// An alert that is written as an object; what is derived would take an array of values, too.
struct Object(Posted);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Object;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an alert")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
                Posted::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn read_slow(body: &[u8]) -> Result<Vec<Posted>, ApiError> {
    match slow::read(body, "alerts")? {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| if item.is_null() { Ok(Posted::default()) } else { Posted::read(item) })
            .collect::<Result<_, _>>()
            .map_err(|why: String| ApiError::unreadable("alerts", &why)),
        other => {
            let why = slow::wrong_type(&other, "value of type models.PostableAlerts");
            Err(ApiError::unreadable("alerts", &why))
        }
    }
}

impl Posted {
    fn read(item: &Value) -> Result<Self, String> {
        let fields = Fields::of(item, "models.PostableAlert")?;
        let alert = fields.named("Alert");
        Ok(Self {
            labels: alert.strings("labels")?.map(Labels::from_iter),
            annotations: fields.strings("annotations")?.map(Labels::from_iter),
            starts_at: Instant(fields.instant("startsAt")?.flatten()),
            ends_at: Instant(fields.instant("endsAt")?.flatten()),
            generator_url: alert.string("generatorURL")?.map(CompactString::from),
        })
    }

    /// Returns what the schema has against the alert at `index`.
    fn refusal(&self, index: usize) -> Option<ApiError> {
        let url = self.generator_url.as_deref().unwrap_or_default();
        if !url.is_empty() && !is_request_uri(url) {
            let place = format!("{index}.generatorURL in body");
            return Some(ApiError::format(&place, "uri", url));
        }
        let is_missing = self.labels.is_none();
        is_missing.then(|| ApiError::required(&format!("{index}.labels in body")))
    }

    /// Fills in what is missing and adds the alert, or the complaint about it, to `result`.
    fn check(self, context: AlertContext, result: &mut PostedAlerts) {
        let starts_at = self.starts_at.0.or(self.ends_at.0);
        let ends_at = self.ends_at.0;
        let end = ends_at.unwrap_or_else(|| time::after(context.now, context.resolve_timeout));
        if end > context.now {
            result.firing += 1;
        } else {
            result.resolved += 1;
        }
        let labels = self.labels.unwrap_or_default();
        let annotations = self.annotations.unwrap_or_default();
        let complaint = if end < starts_at.unwrap_or(context.now) {
            Some("start time must be before end time".to_owned())
        } else if labels.is_empty() {
            Some("at least one label pair required".to_owned())
        } else if let Some(name) = invalid_name(&labels, context) {
            Some(format!("invalid label set: invalid name {}", quote::go(name)))
        } else {
            invalid_name(&annotations, context)
                .map(|name| format!("invalid annotations: invalid name {}", quote::go(name)))
        };
        if let Some(complaint) = complaint {
            result.invalid += 1;
            if result.complaints.len() < MAX_COMPLAINTS {
                result.complaints.push(complaint);
            }
            return;
        }
        result.valid.push(IncomingAlert {
            fingerprint: labels.fingerprint(),
            labels,
            annotations,
            generator_url: self.generator_url.unwrap_or_default(),
            starts_at,
            ends_at,
        });
    }
}

fn invalid_name(labels: &Labels, context: AlertContext) -> Option<&str> {
    let is_valid = |name: &str| {
        if context.is_classic { quote::is_classic_name(name) } else { !name.is_empty() }
    };
    labels.iter().map(|(name, _)| name).find(|name| !is_valid(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> AlertContext {
        AlertContext {
            now: "2026-11-20T15:05:10Z".parse().unwrap(),
            resolve_timeout: SignedDuration::from_mins(5),
            is_classic: false,
        }
    }

    fn decode(body: &str) -> Result<PostedAlerts, ApiError> {
        decode_alerts(body.as_bytes(), context())
    }

    fn refused(body: &str) -> (u16, String) {
        let error = decode(body).unwrap_err();
        (error.status(), error.body())
    }

    fn complaint(body: &str) -> String {
        let decoded = decode(body).unwrap();
        assert!(decoded.valid.is_empty());
        decoded.complaint().unwrap().body()
    }

    #[test]
    fn what_prometheus_posts_is_read() {
        let decoded = decode(
            r#"[{"annotations":{"summary":"up 8s"},"endsAt":"2026-11-20T15:05:29.632Z","startsAt":"2026-11-20T15:05:09.632Z","generatorURL":"http://prom.example:9090/graph?g0.expr=up\u0026g0.tab=1","labels":{"alertname":"Toggle","instance":"127.0.0.1:19090","job":"self","empty":""}}]"#,
        )
        .unwrap();
        assert_eq!((decoded.firing, decoded.resolved, decoded.invalid), (1, 0, 0));
        let [alert] = decoded.valid.as_slice() else { panic!("one alert was posted") };
        assert_eq!(
            alert.labels.to_string(),
            r#"{alertname="Toggle", instance="127.0.0.1:19090", job="self"}"#
        );
        assert_eq!(alert.fingerprint, alert.labels.fingerprint());
        assert_eq!(alert.annotations.get("summary"), Some("up 8s"));
        assert_eq!(alert.generator_url, "http://prom.example:9090/graph?g0.expr=up&g0.tab=1");
        assert_eq!(alert.starts_at.unwrap().to_string(), "2026-11-20T15:05:09.632Z");
        assert_eq!(alert.ends_at.unwrap().to_string(), "2026-11-20T15:05:29.632Z");
    }

    #[test]
    fn missing_instants_and_gos_zero_are_the_same() {
        for times in [r#""#, r#","startsAt":"0001-01-01T00:00:00.000Z","endsAt":null"#] {
            let decoded = decode(&format!(r#"[{{"labels":{{"a":"1"}}{times}}}]"#)).unwrap();
            assert_eq!(decoded.valid[0].starts_at, None);
            assert_eq!(decoded.valid[0].ends_at, None);
            assert_eq!(decoded.firing, 1);
        }
    }

    #[test]
    fn only_an_end_is_also_the_start() {
        let decoded =
            decode(r#"[{"labels":{"a":"1"},"endsAt":"2026-11-20T14:00:00+00:00"}]"#).unwrap();
        assert_eq!(decoded.resolved, 1);
        assert_eq!(decoded.valid[0].starts_at, decoded.valid[0].ends_at);
    }

    #[test]
    fn unreadable_bodies_are_refused_as_recorded() {
        let parsing = |why: &str| {
            let message = format!("parsing alerts body from \"\" failed, because {why}");
            (400, serde_json::json!({ "code": 400, "message": message }).to_string())
        };
        assert_eq!(
            refused("nonsense"),
            parsing("invalid character 'o' in literal null (expecting 'u')")
        );
        assert_eq!(
            refused(r#"{"labels":{"a":"1"}}"#),
            parsing("json: cannot unmarshal object into Go value of type models.PostableAlerts")
        );
        assert_eq!(refused("[{"), parsing("unexpected EOF"));
        let array = "json: cannot unmarshal array into Go value of type models.PostableAlert";
        assert_eq!(refused(r#"[[{"a":"1"},{},null,null,""]]"#), parsing(array));
        assert_eq!(
            refused(r#"[{"labels":{"a":1}}]"#),
            parsing(
                "json: cannot unmarshal number into Go struct field Alert.labels of type string"
            )
        );
        assert_eq!(
            refused(r#"[{"labels":{"a":"1"},"startsAt":"soon"}]"#),
            parsing("parsing time \"soon\" as \"2006-01-02\": cannot parse \"soon\" as \"2006\"")
        );
        let missing = (422, r#"{"code":602,"message":"alerts in body is required"}"#.to_owned());
        assert_eq!(refused(""), missing);
        assert_eq!(refused("  \n"), missing);
    }

    #[test]
    fn the_schema_is_checked_as_recorded() {
        let missing = (422, r#"{"code":602,"message":"0.labels in body is required"}"#.to_owned());
        assert_eq!(refused("[{}]"), missing);
        assert_eq!(refused("[null]"), missing);
        assert_eq!(refused(r#"[{"labels":null}]"#), missing);
        assert_eq!(
            refused(r#"[{"labels":{"a":"1"}},{"labels":{"a":"1"},"generatorURL":"not a url"}]"#),
            (
                422,
                r#"{"code":601,"message":"1.generatorURL in body must be of type uri: \"not a url\""}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn nonsense_alerts_are_reported_as_recorded() {
        assert_eq!(complaint(r#"[{"labels":{}}]"#), r#""at least one label pair required""#);
        assert_eq!(complaint(r#"[{"labels":{"a":""}}]"#), r#""at least one label pair required""#);
        assert_eq!(
            complaint(
                r#"[{"labels":{"a":"1"},"startsAt":"2026-11-20T15:00:00Z","endsAt":"2026-11-20T14:00:00Z"}]"#
            ),
            r#""start time must be before end time""#
        );
        assert_eq!(
            complaint(r#"[{"labels":{"":"1"}}]"#),
            r#""invalid label set: invalid name \"\"""#
        );
    }

    #[test]
    fn valid_alerts_survive_beside_invalid_ones() {
        let decoded =
            decode(r#"[{"labels":{}},{"labels":{"a":"1"}},{"labels":{"b":""}}]"#).unwrap();
        assert_eq!(decoded.valid.len(), 1);
        assert_eq!(
            decoded.complaint().unwrap().body(),
            r#""at least one label pair required; at least one label pair required""#
        );
    }

    #[test]
    fn the_list_of_complaints_is_bounded() {
        let body = format!("[{}{{}}]", r#"{"labels":{}},"#.repeat(MAX_COMPLAINTS + 3))
            .replace("{}]", r#"{"labels":{}}]"#);
        let decoded = decode(&body).unwrap();
        assert_eq!(decoded.complaints.len(), MAX_COMPLAINTS);
        assert!(decoded.complaint().unwrap().to_string().ends_with("; and 4 more"));
    }

    #[test]
    fn names_beyond_the_classic_ones_depend_on_the_mode() {
        let body = br#"[{"labels":{"a-b":"1"}}]"#;
        assert_eq!(decode_alerts(body, context()).unwrap().valid.len(), 1);
        let classic = AlertContext { is_classic: true, ..context() };
        let decoded = decode_alerts(body, classic).unwrap();
        assert_eq!(
            decoded.complaint().unwrap().body(),
            r#""invalid label set: invalid name \"a-b\"""#
        );
    }

    #[test]
    fn what_gos_decoder_forgives_is_forgiven() {
        assert_eq!(decode("[]").unwrap(), PostedAlerts::default());
        assert_eq!(decode("null").unwrap(), PostedAlerts::default());
        assert_eq!(decode(r#"[{"labels":{"a":"1"}}] trailing"#).unwrap().valid.len(), 1);
        let odd = decode(r#"[{"Labels":{"a":"1","b":null},"STARTSAT":"2026-11-20T15:00:00Z"}]"#);
        let odd = odd.unwrap();
        assert_eq!(odd.valid[0].labels.to_string(), r#"{a="1"}"#);
        assert!(odd.valid[0].starts_at.is_some());
        let mut bytes = br#"[{"labels":{"a":"x"}}]"#.to_vec();
        *bytes.iter_mut().find(|b| **b == b'x').unwrap() = 0xff;
        let lossy = decode_alerts(&bytes, context()).unwrap();
        assert_eq!(lossy.valid[0].labels.get("a"), Some("\u{fffd}"));
    }
}
