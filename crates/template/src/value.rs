//! What a template works with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Zoned};

use crate::function::Call;

/// One value. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Value {
    /// Go's `nil`, and what a missing key of a map of anything yields; prints `<no value>`.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// A text that HTML escaping leaves as it is where it fits.
    Trusted(Trust, Arc<str>),
    /// An instant in its zone.
    Time(Box<Zoned>),
    /// A span of time.
    Duration(SignedDuration),
    /// Values in order.
    List(Arc<[Value]>),
    /// Values by name. A missing name is [`Value::Nil`].
    Map(Arc<BTreeMap<String, Value>>),
    /// Something with fields and methods of its own.
    Object(Arc<dyn Object>),
}

/// What a trusted text is: Go's `template.HTML` and its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Mark-up.
    Html,
    /// An address or a part of one.
    Url,
}

/// Something with fields and methods, such as the alerts of a group.
pub trait Object: fmt::Debug + Send + Sync {
    /// Returns the name of the type, for errors and `%T`.
    fn type_name(&self) -> &'static str;

    /// Returns a field; `None` when there is no such field.
    fn field(&self, name: &str) -> Option<Value>;

    /// Calls a method; `None` when there is no such method.
    fn method(&self, _name: &str, _call: &Call<'_>) -> Option<Result<Value, String>> {
        None
    }

    /// Returns the value that `range`, `index`, `len`, comparison, printing and truth see: a list,
    /// a map or a plain value; `None` for a structure, which is always true.
    fn inner(&self) -> Option<Value> {
        None
    }

    /// Returns what a missing key of [`Self::inner`] yields: the zero value of its elements.
    fn zero(&self) -> Value {
        Value::Nil
    }

    /// Returns the names of the fields in order, for printing a structure and for help in errors.
    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns what a field is called in JSON; `None` when it is left out there.
    fn json_name<'n>(&self, field: &'n str) -> Option<&'n str> {
        Some(field)
    }

    /// Returns what is printed where the type prints itself in its own way: Go's `String()`.
    fn display(&self) -> Option<String> {
        None
    }
}

/// How often [`Object::inner`] may lead to another object before it is taken as it is.
const MAX_INNER: usize = 4;

impl Value {
    /// Returns the name of the type as Go writes it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Trusted(Trust::Html, _) => "template.HTML",
            Self::Trusted(Trust::Url, _) => "template.URL",
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
            Self::Object(object) => object.type_name(),
        }
    }

    /// Returns the list, map or plain value behind an object; other values, and structures, as they are.
    pub fn plain(&self) -> Self {
        let mut value = self.clone();
        for _ in 0..MAX_INNER {
            let Self::Object(object) = &value else { break };
            let Some(inner) = object.inner() else { break };
            value = inner;
        }
        value
    }

    /// Returns whether a condition takes the value for true: anything but false, zero and empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) | Self::Trusted(_, text) => !text.is_empty(),
            Self::Time(_) => true,
            Self::Duration(span) => !span.is_zero(),
            Self::List(values) => !values.is_empty(),
            Self::Map(entries) => !entries.is_empty(),
            Self::Object(object) => object.inner().is_none_or(|_| {
                let plain = self.plain();
                matches!(plain, Self::Object(_)) || plain.is_true()
            }),
        }
    }

    /// Returns the text of a string, trusted or not.
    pub fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) | Self::Trusted(_, text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
