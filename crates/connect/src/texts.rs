//! The texts of one message: templates filled in, with a way out for those that fail.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value as Json;
use tocsin_config::{Any, Template};
use tocsin_core::notification::FailureClass;
use tocsin_template::{Conditions, Escaping, Limits, Templates, Value};

use crate::failure::Undelivered;
use crate::message::cut;

/// The most sentences about failed templates that one message reports.
const MAX_FALLBACKS: usize = 10;

/// The most characters of one of them.
const MAX_FALLBACK_CHARS: usize = 300;

/// The templates that no file of a user has changed: what a failed template is replaced by.
static BUILTIN: LazyLock<Templates> = LazyLock::new(Templates::builtin);

/// Fills in the templates of one message.
///
/// A page is never lost to a template: a text that fails is replaced by its built-in default and
/// remembered as a sentence for whoever looks after the configuration.
pub(crate) struct Texts {
    templates: Arc<Templates>,
    data: Value,
    conditions: Conditions,
    fallbacks: Mutex<Vec<String>>,
}

impl Texts {
    /// Fills in from `data` as of `now`.
    pub(crate) fn new(templates: Arc<Templates>, data: Value, now: Timestamp) -> Self {
        let conditions = Conditions { now, limits: Limits::default() };
        Self { templates, data, conditions, fallbacks: Mutex::default() }
    }

    /// Returns a text; `default` (a template, too) stands for what is not configured and replaces
    /// what fails.
    pub(crate) fn text(&self, field: &str, template: Option<&Template>, default: &str) -> String {
        self.fill(field, template, default, Escaping::None)
    }

    /// Returns a page of HTML; what comes from alerts is escaped.
    pub(crate) fn html(&self, field: &str, template: Option<&Template>, default: &str) -> String {
        self.fill(field, template, default, Escaping::Html)
    }

    /// Returns a text that is empty unless configured.
    pub(crate) fn optional(&self, field: &str, template: Option<&Template>) -> String {
        self.text(field, template, "")
    }

    /// Returns a text that says where the message goes. Nothing could replace one that fails.
    ///
    /// # Errors
    /// When the template fails; the message is refused.
    pub(crate) fn address(
        &self,
        target: &str,
        field: &str,
        template: &str,
    ) -> Result<String, Undelivered> {
        self.templates.render(field, template, Escaping::None, &self.data, self.conditions).map_err(
            |error| {
                let why = format!("{target}: the template of `{field}` failed: {error}");
                Undelivered::refused(FailureClass::Other, why)
            },
        )
    }

    /// Returns all texts of a map, filled in; one that fails is left empty.
    pub(crate) fn map(
        &self,
        field: &str,
        templates: &BTreeMap<String, Template>,
    ) -> BTreeMap<String, String> {
        let fill = |(name, template): (&String, &Template)| {
            (name.clone(), self.text(&format!("{field}.{name}"), Some(template), ""))
        };
        templates.iter().map(fill).collect()
    }

    /// Returns a structure with every text in it filled in, keys included. A text that has become
    /// a number, a truth or a structure in JSON is taken as that.
    ///
    /// # Errors
    /// The first text that failed, as a sentence; the caller decides what to send instead.
    pub(crate) fn structure(&self, field: &str, any: &Any) -> Result<Json, String> {
        self.deep(field, &any.0)
    }

    /// Notes that a part of the message was replaced.
    pub(crate) fn note(&self, sentence: impl Into<String>) {
        let mut fallbacks = self.fallbacks.lock().unwrap_or_else(PoisonError::into_inner);
        if fallbacks.len() < MAX_FALLBACKS {
            fallbacks.push(cut(&sentence.into(), MAX_FALLBACK_CHARS));
        }
    }

    /// Returns what had to be replaced, as sentences.
    pub(crate) fn into_fallbacks(self) -> Vec<String> {
        self.fallbacks.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(
        &self,
        field: &str,
        template: Option<&Template>,
        default: &str,
        escaping: Escaping,
    ) -> String {
        let text = template.map_or(default, Template::text);
        match self.templates.render(field, text, escaping, &self.data, self.conditions) {
            Ok(text) => text,
            Err(error) => {
                self.note(format!("`{field}`: {error}"));
                BUILTIN
                    .render(field, default, escaping, &self.data, self.conditions)
                    .unwrap_or_default()
            }
        }
    }

    fn deep(&self, path: &str, value: &Json) -> Result<Json, String> {
        Ok(match value {
            Json::String(text) => self.inline(path, text)?,
            Json::Array(items) => Json::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.deep(&format!("{path}[{index}]"), item))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| {
                        let key = self.plain(path, name)?;
                        Ok((key, self.deep(&format!("{path}.{name}"), value)?))
                    })
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    fn inline(&self, path: &str, text: &str) -> Result<Json, String> {
        let filled = self.plain(path, text)?;
        Ok(match serde_json::from_str::<Json>(&filled) {
            Ok(Json::String(_)) | Err(_) => Json::String(filled),
            Ok(value) => value,
        })
    }

    fn plain(&self, path: &str, text: &str) -> Result<String, String> {
        self.templates
            .render(path, text, Escaping::None, &self.data, self.conditions)
            .map_err(|error| format!("`{path}`: {error}"))
    }
}
