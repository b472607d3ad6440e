//! PagerDuty, as event version 1 or 2.

use std::collections::BTreeMap;

use reqwest::Url;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tocsin_config::{Any, PagerdutyConfig, SecretSource, Template};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::{Message, cut, one_line};
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::{group_id, key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "pagerduty";

/// Where events of version 2 go.
const ENQUEUE: &str = "https://events.pagerduty.com/v2/enqueue";

/// The end of an address of version 2, and what stands there in version 1.
const PATHS: (&str, &str) = ("/v2/enqueue", "/generic/2010-04-15/create_event.json");

/// The most characters of what happened.
const MAX_SUMMARY_CHARS: usize = 1_024;

/// The most bytes of an event.
const MAX_EVENT_BYTES: usize = 512_000;

/// The words for how bad it is.
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// What details say when nothing else is configured under the name.
const DETAILS: [(&str, &str); 4] = [
    ("firing", r#"{{ template "pagerduty.default.instances" .Alerts.Firing }}"#),
    ("resolved", r#"{{ template "pagerduty.default.instances" .Alerts.Resolved }}"#),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
];

/// An event of version 2.
#[derive(Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: String,
    payload: Payload,
    #[serde(skip_serializing_if = "String::is_empty")]
    client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    client_url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Json>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Json>,
}

#[derive(Serialize)]
struct Payload {
    summary: String,
    source: String,
    severity: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    component: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    class: String,
    custom_details: Json,
}

/// An event of version 1.
#[derive(Serialize)]
struct OldEvent<'a> {
    service_key: &'a str,
    event_type: &'static str,
    incident_key: String,
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    client: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    client_url: String,
    details: Json,
}

/// Sends one event: a trigger while an alert fires, a resolve when none does.
pub(crate) async fn send(
    config: &PagerdutyConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let url = config.url.as_ref().map_or(ENQUEUE, |url| url.as_str());
    let url = parse_url(TARGET, "url", url)?;
    let old = SecretSource::of(config.service_key.as_ref(), config.service_key_file.as_deref());
    // Version 1 says 403 when it is asked too often, version 2 says 429.
    let (request, retried) = if old.is_some() {
        let key = key(TARGET, "service_key", old, job, redactor).await?;
        let body = old_event(config, key.expose(), job)?;
        (Request::post(TARGET, old_url(url), "application/json", body, job), 403)
    } else {
        let new = SecretSource::of(config.routing_key.as_ref(), config.routing_key_file.as_deref());
        let key = key(TARGET, "routing_key", new, job, redactor).await?;
        let body = event(config, key.expose(), job)?;
        (Request::post(TARGET, url, "application/json", body, job), 429)
    };
    sender.send(request, job.deadline, redactor).await?.taken(TARGET, &[retried])?;
    Ok(Sent::default())
}

/// Returns where events of version 1 go: the same host as those of version 2.
fn old_url(mut url: Url) -> Url {
    if let Some(base) = url.path().strip_suffix(PATHS.0) {
        let path = format!("{base}{}", PATHS.1);
        url.set_path(&path);
    }
    url
}

fn event(config: &PagerdutyConfig, key: &str, job: &Job<'_>) -> Result<Vec<u8>, Undelivered> {
    let texts = job.texts;
    let client = client(config, job);
    let source = match &config.source {
        Some(source) if !source.text().is_empty() => texts.text("source", Some(source), ""),
        _ => client.clone(),
    };
    let mut event = Event {
        routing_key: key,
        event_action: action(job),
        dedup_key: group_id(job.notification),
        payload: Payload {
            summary: summary(config, job),
            // An event without a source is refused.
            source: if source.trim().is_empty() { "Tocsin".to_owned() } else { source },
            severity: severity(config, job),
            component: texts.optional("component", config.component.as_ref()),
            group: texts.optional("group", config.group.as_ref()),
            class: texts.optional("class", config.class.as_ref()),
            custom_details: details(config, job),
        },
        client,
        client_url: client_url(config, job),
        images: images(config, job),
        links: links(config, job),
    };
    bounded(&mut event, job, |event| &mut event.payload.custom_details)
}

fn old_event(config: &PagerdutyConfig, key: &str, job: &Job<'_>) -> Result<Vec<u8>, Undelivered> {
    let is_firing = job.notification.is_firing();
    let only_firing = |text: String| if is_firing { text } else { String::new() };
    let mut event = OldEvent {
        service_key: key,
        event_type: action(job),
        incident_key: group_id(job.notification),
        description: summary(config, job),
        client: only_firing(client(config, job)),
        client_url: only_firing(client_url(config, job)),
        details: details(config, job),
    };
    bounded(&mut event, job, |event| &mut event.details)
}

/// Returns the event as JSON. One that is too long loses its details: the page itself is worth more.
fn bounded<T: Serialize>(
    event: &mut T,
    job: &Job<'_>,
    details: impl FnOnce(&mut T) -> &mut Json,
) -> Result<Vec<u8>, Undelivered> {
    let encoded = |event: &T| serde_json::to_vec(event).unwrap_or_default();
    let mut body = encoded(event);
    if body.len() > MAX_EVENT_BYTES {
        job.texts.note(format!(
            "`details` left out: the event has {} bytes, and {MAX_EVENT_BYTES} are taken",
            body.len()
        ));
        let error = format!("The details did not fit into the {MAX_EVENT_BYTES} bytes of an event");
        *details(event) = json!({ "error": error });
        body = encoded(event);
    }
    if body.len() > MAX_EVENT_BYTES {
        let why = format!("{TARGET}: the event is longer than {MAX_EVENT_BYTES} bytes");
        return Err(Undelivered::refused(FailureClass::ClientError, why));
    }
    Ok(body)
}

fn action(job: &Job<'_>) -> &'static str {
    if job.notification.is_firing() { "trigger" } else { "resolve" }
}

fn client(config: &PagerdutyConfig, job: &Job<'_>) -> String {
    job.texts.text("client", config.client.as_ref(), defaults::PAGERDUTY_CLIENT)
}

fn client_url(config: &PagerdutyConfig, job: &Job<'_>) -> String {
    job.texts.text("client_url", config.client_url.as_ref(), defaults::PAGERDUTY_CLIENT_URL)
}

/// Returns what happened; never empty, because such an event is refused.
fn summary(config: &PagerdutyConfig, job: &Job<'_>) -> String {
    let text =
        job.texts.text("description", config.description.as_ref(), defaults::PAGERDUTY_DESCRIPTION);
    if text.trim().is_empty() {
        return cut(&Message::new(job.notification).title, MAX_SUMMARY_CHARS);
    }
    cut(&text, MAX_SUMMARY_CHARS)
}

/// Returns one of the words that are taken; another one would lose the page.
fn severity(config: &PagerdutyConfig, job: &Job<'_>) -> String {
    let severity = config.severity.as_ref().filter(|severity| !severity.text().is_empty());
    let text = job.texts.text("severity", severity, "error").trim().to_lowercase();
    if SEVERITIES.contains(&text.as_str()) {
        return text;
    }
    job.texts.note(format!(
        "`severity`: `{}` is not one of {}; `error` was sent",
        cut(&one_line(&text), 40),
        SEVERITIES.join(", ")
    ));
    "error".to_owned()
}

fn details(config: &PagerdutyConfig, job: &Job<'_>) -> Json {
    let defaults: BTreeMap<&str, Any> = DETAILS
        .iter()
        .filter(|(name, _)| !config.details.contains_key(*name))
        .map(|(name, text)| (*name, Any(json!(text))))
        .collect();
    let own = config.details.iter().map(|(name, value)| (name.as_str(), value));
    let mut details = serde_json::Map::new();
    for (name, value) in defaults.iter().map(|(name, value)| (*name, value)).chain(own) {
        let path = format!("details.{name}");
        let value = job.texts.structure(&path, value).unwrap_or_else(|error| {
            job.texts.note(error.as_str());
            json!(error)
        });
        details.insert(name.to_owned(), value);
    }
    Json::Object(details)
}

fn images(config: &PagerdutyConfig, job: &Job<'_>) -> Vec<Json> {
    let fill = |field: &str, template: &Option<Template>| {
        job.texts.optional(&format!("images.{field}"), template.as_ref())
    };
    let image = |image: &tocsin_config::PagerdutyImage| {
        let src = fill("src", &image.src);
        let (alt, href) = (fill("alt", &image.alt), fill("href", &image.href));
        (!src.is_empty()).then(|| json!({ "src": src, "alt": alt, "href": href }))
    };
    config.images.iter().filter_map(image).collect()
}

fn links(config: &PagerdutyConfig, job: &Job<'_>) -> Vec<Json> {
    let link = |link: &tocsin_config::PagerdutyLink| {
        let href = job.texts.optional("links.href", link.href.as_ref());
        let text = job.texts.optional("links.text", link.text.as_ref());
        (!href.is_empty()).then(|| json!({ "href": href, "text": text }))
    };
    config.links.iter().filter_map(link).collect()
}
