//! Opsgenie as the one who rings: an alert there for each escalation here, kept in step.

use reqwest::Url;
use serde_json::{Value, json};
use tocsin_config::OpsgenieChannelConfig;
use tocsin_core::notification::FailureClass;
use tocsin_core::paging::{Content, PageItem, StateWord};
use tocsin_core::severity::Severity;

use super::words::{ItemWords, title};
use super::{Errand, unset};
use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::cut;
use crate::outbound::Sent;
use crate::redact::Redactor;
use crate::secret;
use crate::vendor::{below, run_key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "opsgenie";

/// The most characters of a message.
const MAX_MESSAGE_CHARS: usize = 130;

/// The most characters of a value among the details, and of the description.
const MAX_DETAIL_CHARS: usize = 1_000;
const MAX_DESCRIPTION_CHARS: usize = 10_000;

/// What a name of a responder may begin with.
const RESPONDERS: [&str; 4] = ["team", "user", "escalation", "schedule"];

/// Sends one request for each escalation; an alert is known by its alias, so repeating one is
/// harmless.
pub(super) async fn send(
    config: &OpsgenieChannelConfig,
    sender: &Sender,
    errand: &Errand<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let base = config.api_url.as_ref().ok_or_else(|| unset(TARGET, "opsgenie.api_url"))?;
    let base = parse_url(TARGET, "api_url", base.as_str())?;
    let key = config.key().ok_or_else(|| unset(TARGET, "opsgenie.api_key"))?;
    let key = secret::read(key, redactor).await?;
    for (path, body) in requests(errand)? {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut url: Url = below(&base, &path);
        if path.len() > 2 {
            url.query_pairs_mut().append_pair("identifierType", "alias");
        }
        let request = Request::json(TARGET, url, &body, errand).authorized("GenieKey", &key);
        sender.send(request, errand.deadline, redactor).await?.taken(TARGET, &[429])?;
    }
    Ok(Sent::default())
}

type Asked = (Vec<String>, Value);

fn requests(errand: &Errand<'_>) -> Result<Vec<Asked>, Undelivered> {
    match &errand.page.content {
        Content::Page { .. } | Content::Update { .. } => {
            Ok(errand.words.items().map(|(item, words)| request(item, &words, errand)).collect())
        }
        Content::Test => {
            let alias = format!("tocsin-test-{}", errand.idempotency_key);
            let create = json!({
                "message": "A test of Tocsin; it ends by itself",
                "alias": alias,
                "priority": "P5",
                "source": "Tocsin",
            });
            Ok(vec![(path(&[]), create), (path(&[&alias, "close"]), json!({ "source": "Tocsin" }))])
        }
        Content::Verification { .. } | Content::Handoff { .. } | Content::Notice { .. } => {
            let kind = errand.page.content.kind();
            let why =
                format!("{TARGET} takes pages and what becomes of them, and this is a {kind}");
            Err(Undelivered::refused(FailureClass::Other, why))
        }
    }
}

fn request(item: &PageItem, words: &ItemWords, errand: &Errand<'_>) -> Asked {
    let alias = run_key(&errand.context.external_url, item.run);
    let verb = match item.state {
        StateWord::Open => return (path(&[]), create(item, words, errand, &alias)),
        StateWord::Acknowledged | StateWord::Snoozed => "acknowledge",
        StateWord::Resolved => "close",
    };
    let note = format!("{} in Tocsin", words.state);
    (path(&[&alias, verb]), json!({ "source": "Tocsin", "user": item.by, "note": note }))
}

fn path(rest: &[&str]) -> Vec<String> {
    ["v2", "alerts"].iter().chain(rest).map(|part| (*part).to_owned()).collect()
}

fn create(item: &PageItem, words: &ItemWords, errand: &Errand<'_>, alias: &str) -> Value {
    let mut details = serde_json::Map::new();
    for (name, value) in item.group_labels.iter() {
        details.insert(name.to_owned(), json!(cut(value, MAX_DETAIL_CHARS)));
    }
    details.insert("tocsin".to_owned(), json!(words.link));
    let description = errand.words.plain(|_| None);
    json!({
        "message": cut(&title(item), MAX_MESSAGE_CHARS),
        "alias": alias,
        "description": cut(&description, MAX_DESCRIPTION_CHARS),
        "details": details,
        "entity": item.service,
        "source": "Tocsin",
        "priority": priority(item.severity),
        "responders": responders(&errand.page.address),
    })
}

/// Returns the responder of an address: `team:db`, `user:ada@example.org`; a bare name is a team,
/// a bare address a user.
fn responders(address: &str) -> Vec<Value> {
    let address = address.trim();
    if address.is_empty() {
        return Vec::new();
    }
    let (kind, name) = match address.split_once(':') {
        Some((kind, name)) if RESPONDERS.contains(&kind) => (kind, name.trim()),
        _ if address.contains('@') => ("user", address),
        _ => ("team", address),
    };
    let field = if kind == "user" { "username" } else { "name" };
    vec![json!({ "type": kind, field: name })]
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "P1",
        Severity::Sev2 => "P2",
        Severity::Sev3 => "P3",
        Severity::Sev4 => "P4",
        Severity::Sev5 => "P5",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_responder_is_what_its_address_says() {
        for (address, expected) in [
            ("db", json!([{ "type": "team", "name": "db" }])),
            ("user:ada", json!([{ "type": "user", "username": "ada" }])),
            ("ada@example.org", json!([{ "type": "user", "username": "ada@example.org" }])),
            ("schedule: nights", json!([{ "type": "schedule", "name": "nights" }])),
            (" ", json!([])),
        ] {
            assert_eq!(json!(responders(address)), expected, "{address}");
        }
    }
}
