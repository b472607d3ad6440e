//! What one side said, in words that can be compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::moment::{place, text, tick};
use super::schedule::{Action, Step};

/// The end of an alert that fires, in messages.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Everything that one side said.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// When the schedule began, in milliseconds since 1970.
    origin: i64,
    /// What silences are called, by the ids that this side gave them.
    silences: BTreeMap<String, String>,
    /// In the order in which it was said.
    pub facts: Vec<Fact>,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The tick in which it was said.
    pub tick: i64,
    /// On what occasion.
    pub about: String,
    /// What.
    pub text: String,
}

impl Observed {
    /// Begins with nothing; `origin` is the start of the schedule in milliseconds since 1970.
    pub fn new(origin: i64) -> Self {
        Self { origin, ..Self::default() }
    }

    /// Notes under which id this side knows a silence.
    pub fn name_silence(&mut self, id: &str, slot: usize) {
        let generation = self.silences.len();
        self.silences.entry(id.to_owned()).or_insert_with(|| format!("S{slot}.{generation}"));
    }

    /// Notes a message that arrived.
    pub fn message(&mut self, at: i64, hook: usize, is_accepted: bool, body: &Value) {
        let mut said = String::new();
        let word = |key: &str| body[key].as_str().unwrap_or("?").to_owned();
        let taken = if is_accepted { "" } else { "refused " };
        let _ = write!(
            said,
            "{taken}{} to {} v{} truncated {} key {} url {} group {} common {} {}",
            word("status"),
            word("receiver"),
            word("version"),
            body["truncatedAlerts"],
            word("groupKey"),
            word("externalURL"),
            body["groupLabels"],
            body["commonLabels"],
            body["commonAnnotations"],
        );
        for alert in list(&body["alerts"]) {
            let _ = write!(
                said,
                "\n      {} {}",
                alert["status"].as_str().unwrap_or("?"),
                self.alert(alert)
            );
        }
        self.note(at, format!("message to hook {hook}"), said);
    }

    /// Notes how a request that changes something was answered.
    pub fn reply(&mut self, at: i64, step: &Step, status: u16) {
        // See `known::KNOWN`, `unknown-silence`.
        let is_unknown = status == 500 && matches!(step.action, Action::Expire { .. });
        let status = if is_unknown { 404 } else { status };
        let step = step.number;
        self.note(at, format!("reply to step #{step}"), status.to_string());
    }

    /// Notes an answer of the API to `GET` of this path.
    pub fn answer(&mut self, at: i64, path: &str, status: u16, body: &Value) {
        let about = format!("GET {path}");
        if status != 200 {
            self.note(at, about, status.to_string());
            return;
        }
        let kind = path.split('?').next().unwrap_or(path);
        match kind {
            "/api/v2/alerts/groups" => {
                for group in list(body) {
                    for alert in list(&group["alerts"]) {
                        let said = format!(
                            "{} of {}: {} for {} {}",
                            group["labels"],
                            names(&group["receiver"]),
                            self.alert(alert),
                            names(&alert["receivers"]),
                            self.status(alert)
                        );
                        self.note(at, about.clone(), said);
                    }
                }
            }
            "/api/v2/alerts" => {
                for alert in list(body) {
                    let said = format!(
                        "{} updated {} for {} {}",
                        self.alert(alert),
                        self.coarse(&alert["updatedAt"]),
                        names(&alert["receivers"]),
                        self.status(alert)
                    );
                    self.note(at, about.clone(), said);
                }
            }
            "/api/v2/silences" => {
                for silence in list(body) {
                    let said = self.silence(silence);
                    self.note(at, about.clone(), said);
                }
            }
            // See `known::KNOWN`, `receiver-labels`.
            _ => self.note(at, about, names(body)),
        }
    }

    fn note(&mut self, at: i64, about: String, text: String) {
        self.facts.push(Fact { tick: tick(at), about, text });
    }

    fn alert(&self, alert: &Value) -> String {
        format!(
            "{} {} [{} to {}] {} {}",
            alert["labels"],
            alert["annotations"],
            self.coarse(&alert["startsAt"]),
            self.coarse(&alert["endsAt"]),
            alert["fingerprint"].as_str().unwrap_or("?"),
            // Messages have it empty, the API leaves it out.
            alert["generatorURL"].as_str().unwrap_or(""),
        )
    }

    fn status(&self, alert: &Value) -> String {
        let status = &alert["status"];
        let silenced: Vec<_> =
            list(&status["silencedBy"]).iter().map(|id| self.name_of(id)).collect();
        let is_inhibited = !list(&status["inhibitedBy"]).is_empty();
        let mut state = status["state"].as_str().unwrap_or("?");
        // See `known::KNOWN`, `muted-by`.
        if !list(&status["mutedBy"]).is_empty() && silenced.is_empty() && !is_inhibited {
            state = "active";
        }
        // See `known::KNOWN`, `which-inhibitor`.
        let inhibited = if is_inhibited { " inhibited" } else { "" };
        let mut silenced = silenced;
        silenced.sort();
        format!("{state} silenced by {silenced:?}{inhibited}")
    }

    fn silence(&self, silence: &Value) -> String {
        let mut matchers: Vec<String> =
            list(&silence["matchers"]).iter().map(Value::to_string).collect();
        matchers.sort();
        format!(
            "{} {} {} [{} to {}] updated {} {} {}",
            self.name_of(&silence["id"]),
            silence["status"]["state"].as_str().unwrap_or("?"),
            matchers.join(","),
            self.coarse(&silence["startsAt"]),
            self.coarse(&silence["endsAt"]),
            self.coarse(&silence["updatedAt"]),
            silence["createdBy"],
            silence["comment"],
        )
    }

    fn name_of(&self, id: &Value) -> String {
        let id = id.as_str().unwrap_or("?");
        self.silences.get(id).cloned().unwrap_or_else(|| "unknown".to_owned())
    }

    /// Returns an instant as a time in the schedule, so coarse that both sides agree.
    fn coarse(&self, instant: &Value) -> String {
        let Some(written) = instant.as_str() else { return "?".to_owned() };
        if written == NEVER {
            return "never".to_owned();
        }
        let Ok(at) = written.parse::<Timestamp>() else { return written.to_owned() };
        text(place(at.as_millisecond() - self.origin))
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Returns the names of one receiver or of several.
fn names(value: &Value) -> String {
    match value {
        Value::Array(all) => all.iter().map(names).collect::<Vec<_>>().join(","),
        one => one["name"].as_str().unwrap_or("?").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORIGIN: i64 = 1_700_000_000_100;

    fn answered(body: &Value) -> Vec<String> {
        let mut observed = Observed::new(ORIGIN);
        observed.name_silence("id-1", 0);
        observed.answer(1_400, "/api/v2/alerts", 200, body);
        observed.facts.into_iter().map(|fact| fact.text).collect()
    }

    #[test]
    fn clocks_that_differ_a_little_agree() {
        let alert = |ends: &str| {
            json!([{ "labels": {"a": "b"}, "endsAt": ends, "startsAt": "2023-11-14T22:13:20.100Z",
                "status": {"state": "active"}, "receivers": [{"name": "r0"}] }])
        };
        let one = answered(&alert("2023-11-14T22:13:24.950Z"));
        assert_eq!(one, answered(&alert("2023-11-14T22:13:25.037Z")));
        assert_ne!(one, answered(&alert("2023-11-14T22:13:25.400Z")));
        assert!(one[0].contains("[+0s to +4s850ms]"), "{one:?}");
    }

    #[test]
    fn what_is_known_to_differ_is_left_out() {
        let alert = |status: Value| json!([{ "labels": {}, "status": status }]);
        let old = alert(json!({"state": "active", "silencedBy": [], "inhibitedBy": []}));
        let new = alert(
            json!({"state": "suppressed", "silencedBy": [], "inhibitedBy": [], "mutedBy": ["x"]}),
        );
        assert_eq!(answered(&old), answered(&new));
        let one = alert(json!({"state": "suppressed", "inhibitedBy": ["1"]}));
        let other = alert(json!({"state": "suppressed", "inhibitedBy": ["2"]}));
        assert_eq!(answered(&one), answered(&other));
        let silenced = alert(json!({"state": "suppressed", "silencedBy": ["id-1"]}));
        assert!(answered(&silenced)[0].contains("S0.0"), "{:?}", answered(&silenced));
    }
}
