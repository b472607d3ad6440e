//! Opsgenie, by its Alert API.

use std::collections::BTreeMap;

use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::{Value as Json, json};
use tocsin_config::{OpsgenieConfig, Secret, SecretSource};
use tocsin_template::defaults;

use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::{Message, cut};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::{below, comma_list, group_id, key, step_key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "opsgenie";

/// Where the API is.
const API: &str = "https://api.opsgenie.com/";

/// The most characters of the title.
const MAX_MESSAGE_CHARS: usize = 130;

/// The most characters of the description.
const MAX_DESCRIPTION_CHARS: usize = 15_000;

/// The most characters of where it comes from.
const MAX_SOURCE_CHARS: usize = 100;

/// The most characters of what is affected.
const MAX_ENTITY_CHARS: usize = 512;

/// The most characters of a note.
const MAX_NOTE_CHARS: usize = 25_000;

/// The most tags.
const MAX_TAGS: usize = 20;

/// The most actions.
const MAX_ACTIONS: usize = 10;

/// The most characters of a tag or an action.
const MAX_TAG_CHARS: usize = 50;

/// The priorities; another one is refused.
const PRIORITIES: [&str; 5] = ["P1", "P2", "P3", "P4", "P5"];

/// An alert to be created; one with the same alias counts on.
#[derive(Serialize)]
struct Alert<'a> {
    alias: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    details: BTreeMap<String, String>,
    source: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    responders: Vec<Responder>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    priority: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    entity: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<String>,
}

/// One who is told.
#[derive(Serialize)]
struct Responder {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    r#type: String,
}

/// Opens the group's alert, or closes it when nothing fires any more.
pub(crate) async fn send(
    config: &OpsgenieConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let source = SecretSource::of(config.api_key.as_ref(), config.api_key_file.as_deref());
    let key = key(TARGET, "api_key", source, job, redactor).await?;
    let base =
        parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))?;
    let mut api = Api { base, key, sender, job, redactor };
    let alias = group_id(job.notification);
    if !job.notification.is_firing() {
        let body = json!({ "source": alert_source(config, job) });
        api.about(&alias, "close", Method::POST, &body).await?;
        return Ok(Sent::default());
    }
    let (message, description) = (title(config, job), description(config, job));
    let url = below(&api.base, &["v2", "alerts"]);
    api.ask(url, "create", Method::POST, &alert(config, &alias, &message, &description, job))
        .await?;
    if config.update_alerts {
        api.about(&alias, "message", Method::PUT, &json!({ "message": message })).await?;
        let body = json!({ "description": description });
        api.about(&alias, "description", Method::PUT, &body).await?;
    }
    Ok(Sent::default())
}

/// The API, and who asks.
struct Api<'a, 'j> {
    base: Url,
    key: Secret,
    sender: &'a Sender,
    job: &'a Job<'j>,
    redactor: &'a mut Redactor,
}

impl Api<'_, '_> {
    /// Asks about the alert with this alias.
    async fn about(
        &mut self,
        alias: &str,
        what: &str,
        method: Method,
        body: &Json,
    ) -> Result<(), Undelivered> {
        let mut url = below(&self.base, &["v2", "alerts", alias, what]);
        url.query_pairs_mut().append_pair("identifierType", "alias");
        self.ask(url, what, method, body).await
    }

    async fn ask(
        &mut self,
        url: Url,
        step: &str,
        method: Method,
        body: &impl Serialize,
    ) -> Result<(), Undelivered> {
        let step_key = step_key(self.job, step);
        let mut request = Request::json(TARGET, url, body, self.job)
            .with_method(method)
            .authorized("GenieKey", &self.key);
        request.idempotency_key = &step_key;
        let answer = self.sender.send(request, self.job.deadline, self.redactor).await?;
        answer.taken(TARGET, &[429])
    }
}

fn alert<'a>(
    config: &OpsgenieConfig,
    alias: &'a str,
    message: &'a str,
    description: &'a str,
    job: &Job<'_>,
) -> Alert<'a> {
    let texts = job.texts;
    let common = job.notification.common_labels();
    let mut details: BTreeMap<String, String> =
        common.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    details.extend(texts.map("details", &config.details));
    Alert {
        alias,
        message,
        description,
        details,
        source: alert_source(config, job),
        responders: responders(config, job),
        tags: words(&texts.optional("tags", config.tags.as_ref()), MAX_TAGS),
        note: cut(&texts.optional("note", config.note.as_ref()), MAX_NOTE_CHARS),
        priority: priority(config, job),
        entity: cut(&texts.optional("entity", config.entity.as_ref()), MAX_ENTITY_CHARS),
        actions: words(&texts.optional("actions", config.actions.as_ref()), MAX_ACTIONS),
    }
}

fn title(config: &OpsgenieConfig, job: &Job<'_>) -> String {
    let text = job.texts.text("message", config.message.as_ref(), defaults::OPSGENIE_MESSAGE);
    if text.trim().is_empty() {
        // An alert without a title is refused.
        return cut(&Message::new(job.notification).title, MAX_MESSAGE_CHARS);
    }
    cut(&text, MAX_MESSAGE_CHARS)
}

fn description(config: &OpsgenieConfig, job: &Job<'_>) -> String {
    let text =
        job.texts.text("description", config.description.as_ref(), defaults::OPSGENIE_DESCRIPTION);
    cut(&text, MAX_DESCRIPTION_CHARS)
}

fn alert_source(config: &OpsgenieConfig, job: &Job<'_>) -> String {
    cut(
        &job.texts.text("source", config.source.as_ref(), defaults::OPSGENIE_SOURCE),
        MAX_SOURCE_CHARS,
    )
}

/// Returns a priority that is taken, or none: then Opsgenie decides.
fn priority(config: &OpsgenieConfig, job: &Job<'_>) -> String {
    let text = job.texts.optional("priority", config.priority.as_ref()).trim().to_uppercase();
    if text.is_empty() || PRIORITIES.contains(&text.as_str()) {
        return text;
    }
    job.texts.note(format!(
        "`priority`: `{}` is not one of {}; none was sent",
        cut(&text, 40),
        PRIORITIES.join(", ")
    ));
    String::new()
}

/// Splits a list at commas and keeps as much of it as is taken.
fn words(text: &str, max: usize) -> Vec<String> {
    comma_list(text).into_iter().take(max).map(|word| cut(&word, MAX_TAG_CHARS)).collect()
}

/// Returns who is told. A list of `teams` becomes a responder for each; who has neither an
/// identifier nor a name after templates are filled in is left out.
fn responders(config: &OpsgenieConfig, job: &Job<'_>) -> Vec<Responder> {
    let mut all = Vec::new();
    for (index, responder) in config.responders.iter().enumerate() {
        let fill = |field: &str, template| {
            job.texts.optional(&format!("responders[{index}].{field}"), template)
        };
        let id = fill("id", responder.id.as_ref());
        let name = fill("name", responder.name.as_ref());
        let username = fill("username", responder.username.as_ref());
        let r#type = fill("type", Some(&responder.r#type)).to_lowercase();
        if r#type == "teams" {
            all.extend(comma_list(&name).into_iter().map(|name| Responder {
                id: String::new(),
                name,
                username: String::new(),
                r#type: "team".to_owned(),
            }));
        } else if !(id.is_empty() && name.is_empty() && username.is_empty()) {
            all.push(Responder { id, name, username, r#type });
        }
    }
    all
}
