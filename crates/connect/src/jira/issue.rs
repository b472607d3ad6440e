//! What an issue says.

use reqwest::Url;
use serde_json::{Map, Value as Json, json};
use tocsin_config::{JiraConfig, JiraText};
use tocsin_template::defaults;

use super::TARGET;
use crate::failure::Undelivered;
use crate::message::{Message, cut, one_line};
use crate::outbound::Job;
use crate::vendor::group_id;

/// The most characters of a summary.
const MAX_SUMMARY_CHARS: usize = 255;

/// The most characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 32_767;

/// What the fields are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A new issue: everything is said.
    Create,
    /// One that is there: what people may have changed is left alone where it is configured so.
    Update,
}

/// Returns the label that identifies the group's issue.
pub(super) fn label(job: &Job<'_>) -> String {
    format!("ALERT{{{}}}", group_id(job.notification))
}

/// Returns the fields of the issue.
///
/// # Errors
/// When it cannot be told what kind of issue it is.
pub(super) fn fields(
    config: &JiraConfig,
    job: &Job<'_>,
    project: &str,
    base: &Url,
    purpose: Use,
) -> Result<Map<String, Json>, Undelivered> {
    let texts = job.texts;
    let issue_type = texts.address(TARGET, "issue_type", config.issue_type.text())?;
    let mut fields = Map::new();
    fields.insert("project".to_owned(), json!({ "key": project }));
    fields.insert("issuetype".to_owned(), json!({ "name": issue_type }));
    fields.insert("labels".to_owned(), json!(labels(config, job)));
    if is_told(config.summary.as_ref(), purpose) {
        fields.insert("summary".to_owned(), json!(summary(config, job)));
    }
    if is_told(config.description.as_ref(), purpose) {
        let description = description(config, job);
        let is_v3 = base.path().trim_end_matches('/').ends_with("/3");
        let value = if is_v3 { document(&description) } else { json!(description) };
        fields.insert("description".to_owned(), value);
    }
    let priority = texts.text("priority", config.priority.as_ref(), defaults::JIRA_PRIORITY);
    let priority = priority.trim();
    if !priority.is_empty() {
        fields.insert("priority".to_owned(), json!({ "name": priority }));
    }
    for (name, value) in config.custom_fields.iter().chain(&config.fields) {
        match texts.structure(&format!("fields.{name}"), value) {
            Ok(value) => {
                fields.insert(name.clone(), value);
            }
            Err(error) => texts.note(error),
        }
    }
    Ok(fields)
}

/// Returns whether a text is said; an open issue follows it unless it is configured otherwise.
fn is_told(text: Option<&JiraText>, purpose: Use) -> bool {
    purpose == Use::Create || text.and_then(|text| text.enable_update).unwrap_or(true)
}

fn summary(config: &JiraConfig, job: &Job<'_>) -> String {
    let template = config.summary.as_ref().map(|text| &text.template);
    // A summary is one line, and an issue without one is refused.
    let text = one_line(job.texts.text("summary", template, defaults::JIRA_SUMMARY).trim());
    if text.is_empty() {
        return cut(&Message::new(job.notification).title, MAX_SUMMARY_CHARS);
    }
    cut(&text, MAX_SUMMARY_CHARS)
}

fn description(config: &JiraConfig, job: &Job<'_>) -> String {
    let template = config.description.as_ref().map(|text| &text.template);
    cut(&job.texts.text("description", template, defaults::JIRA_DESCRIPTION), MAX_DESCRIPTION_CHARS)
}

fn labels(config: &JiraConfig, job: &Job<'_>) -> Vec<String> {
    let fill = |(index, template)| {
        // Jira refuses labels with blanks.
        let label = job.texts.optional(&format!("labels[{index}]"), Some(template));
        label.split_whitespace().collect::<Vec<_>>().join("_")
    };
    let mut labels: Vec<String> = config.labels.iter().enumerate().map(fill).collect();
    labels.push(label(job));
    labels.retain(|label| !label.is_empty());
    labels.sort();
    labels.dedup();
    labels
}

/// Returns a description as version 3 of the API wants it: a document. A template that writes one
/// is taken at its word; any other text becomes a paragraph.
fn document(text: &str) -> Json {
    if let Ok(document @ Json::Object(_)) = serde_json::from_str::<Json>(text) {
        return document;
    }
    let mut content = Vec::new();
    for line in text.lines() {
        if !content.is_empty() {
            content.push(json!({ "type": "hardBreak" }));
        }
        if !line.is_empty() {
            content.push(json!({ "type": "text", "text": line }));
        }
    }
    let paragraphs = if content.is_empty() {
        json!([])
    } else {
        json!([{ "type": "paragraph", "content": content }])
    };
    json!({ "version": 1, "type": "doc", "content": paragraphs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_and_a_text_becomes_one() {
        let own = json!({ "version": 1, "type": "doc", "content": [] });
        assert_eq!(document(&own.to_string()), own);
        assert_eq!(document(""), own);
        assert_eq!(
            document("a\n\nb")["content"][0]["content"],
            json!([
                { "type": "text", "text": "a" },
                { "type": "hardBreak" },
                { "type": "hardBreak" },
                { "type": "text", "text": "b" },
            ])
        );
    }
}
