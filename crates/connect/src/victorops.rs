//! VictorOps (Splunk On-Call), by its REST integration.

use std::collections::BTreeMap;

use tocsin_config::{SecretSource, VictoropsConfig};
use tocsin_core::notification::FailureClass;
use tocsin_template::defaults;

use crate::failure::Undelivered;
use crate::http::{Request, Sender};
use crate::message::cut;
use crate::outbound::{Job, Sent};
use crate::redact::Redactor;
use crate::vendor::{below, group_id, key};
use crate::webhook::parse_url;

/// How it is called in errors.
const TARGET: &str = "victorops";

/// Where alerts go; the key and the routing key follow.
const API: &str = "https://alert.victorops.com/integrations/generic/20131114/alert/";

/// The most characters of what happened.
const MAX_MESSAGE_CHARS: usize = 20_480;

/// The kinds of messages that open or change an incident.
const KINDS: [&str; 3] = ["INFO", "WARNING", "CRITICAL"];

/// Sends one message; the last alert's end is told as `RECOVERY`.
pub(crate) async fn send(
    config: &VictoropsConfig,
    sender: &Sender,
    job: &Job<'_>,
    redactor: &mut Redactor,
) -> Result<Sent, Undelivered> {
    let source = SecretSource::of(config.api_key.as_ref(), config.api_key_file.as_deref());
    let key = key(TARGET, "api_key", source, job, redactor).await?;
    let base =
        parse_url(TARGET, "api_url", config.api_url.as_ref().map_or(API, |url| url.as_str()))?;
    let routing_key = job.texts.address(TARGET, "routing_key", config.routing_key.text())?;
    if routing_key.trim().is_empty() {
        let why = format!("{TARGET}: `routing_key` is empty");
        return Err(Undelivered::refused(FailureClass::Other, why));
    }
    let url = below(&base, &[key.expose(), routing_key.trim()]);
    let request = Request::json(TARGET, url, &message(config, job), job);
    sender.send(request, job.deadline, redactor).await?.taken(TARGET, &[])?;
    Ok(Sent::default())
}

fn message(config: &VictoropsConfig, job: &Job<'_>) -> BTreeMap<String, String> {
    let texts = job.texts;
    let state_message = texts.text(
        "state_message",
        config.state_message.as_ref(),
        defaults::VICTOROPS_STATE_MESSAGE,
    );
    let name = texts.text(
        "entity_display_name",
        config.entity_display_name.as_ref(),
        defaults::VICTOROPS_ENTITY_DISPLAY_NAME,
    );
    let tool = texts.text(
        "monitoring_tool",
        config.monitoring_tool.as_ref(),
        defaults::VICTOROPS_MONITORING_TOOL,
    );
    let mut fields = texts.map("custom_fields", &config.custom_fields);
    fields.extend([
        ("message_type".to_owned(), kind(config, job)),
        ("entity_id".to_owned(), group_id(job.notification)),
        ("entity_display_name".to_owned(), name),
        ("state_message".to_owned(), cut(&state_message, MAX_MESSAGE_CHARS)),
        ("monitoring_tool".to_owned(), tool),
    ]);
    fields
}

fn kind(config: &VictoropsConfig, job: &Job<'_>) -> String {
    if !job.notification.is_firing() {
        return "RECOVERY".to_owned();
    }
    let kind = job.texts.text("message_type", Some(&config.message_type), "CRITICAL");
    let kind = kind.trim().to_uppercase();
    // Anything else would not page, or would close the incident.
    if KINDS.contains(&kind.as_str()) { kind } else { "CRITICAL".to_owned() }
}
