//! Reading bodies the way Go's decoder does: field names in any case, null for nothing, only the
//! first value, and complaints about types in its words.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::{go_json, time};

/// Reads the first value of `body`; `parameter` is what complaints call the body.
///
/// # Errors
/// An empty body is missing, anything that is not JSON is unreadable.
pub(super) fn read(body: &[u8], parameter: &str) -> Result<Value, ApiError> {
    if body.trim_ascii().is_empty() {
        return Err(ApiError::required(&format!("{parameter} in body")));
    }
    // Go replaces bytes that are not UTF-8 instead of refusing them.
    let text: Cow<'_, str> = String::from_utf8_lossy(body);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    Value::deserialize(&mut deserializer).map_err(|error| {
        let why = go_json::complaint(text.as_bytes()).unwrap_or_else(|| error.to_string());
        ApiError::unreadable(parameter, &why)
    })
}

/// Returns Go's complaint about a value of the wrong type.
pub(super) fn wrong_type(value: &Value, into: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {kind} into Go {into}")
}

/// The fields of an object.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// What complaints call the object; Go names some of its structs and leaves others unnamed.
    owner: &'static str,
}

impl<'a> Fields<'a> {
    /// Takes an object; `model` names it in the complaint about anything else.
    pub(super) fn of(value: &'a Value, model: &str) -> Result<Self, String> {
        match value {
            Value::Object(map) => Ok(Self { map, owner: "" }),
            other => Err(wrong_type(other, &format!("value of type {model}"))),
        }
    }

    /// Returns the same fields under another name in complaints.
    pub(super) fn named(self, owner: &'static str) -> Self {
        Self { owner, ..self }
    }

    /// Returns a field, in whatever case it is written; null is the same as absent.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        let found = self.map.get(name).or_else(|| {
            self.map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        found.filter(|value| !value.is_null())
    }

    /// Returns a string field.
    pub(super) fn string(self, name: &str) -> Result<Option<&'a str>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(other, name, "string")),
        }
    }

    /// Returns a boolean field.
    pub(super) fn boolean(self, name: &str) -> Result<Option<bool>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(other) => Err(self.wrong_type(other, name, "bool")),
        }
    }

    /// Returns an instant; the inner `None` is Go's zero.
    pub(super) fn instant(self, name: &str) -> Result<Option<Option<Timestamp>>, String> {
        let Some(text) = self.string(name)? else { return Ok(None) };
        let unreadable = || {
            let text = tocsin_core::quote::go(text);
            format!("parsing time {text} as \"2006-01-02\": cannot parse {text} as \"2006\"")
        };
        time::parse(text).map(Some).ok_or_else(unreadable)
    }

    /// Returns the pairs of an object of strings; null values are empty strings.
    pub(super) fn strings(self, name: &str) -> Result<Option<Vec<(&'a str, &'a str)>>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Value::Object(map) = value else {
            return Err(self.wrong_type(value, name, "models.LabelSet"));
        };
        let pair = |(key, value): (&'a String, &'a Value)| match value {
            Value::String(text) => Ok((key.as_str(), text.as_str())),
            Value::Null => Ok((key.as_str(), "")),
            other => Err(self.wrong_type(other, name, "string")),
        };
        map.iter().map(pair).collect::<Result<_, _>>().map(Some)
    }

    /// Returns the complaint about a field of the wrong type.
    pub(super) fn wrong_type(self, value: &Value, field: &str, go_type: &str) -> String {
        let owner = self.owner;
        wrong_type(value, &format!("struct field {owner}.{field} of type {go_type}"))
    }
}
