//! Labels and annotations.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::labels::{ALERTNAME, Labels};

use crate::function::Call;
use crate::value::{Object, Value};

/// Texts by name. A name that is missing has the empty text.
#[derive(Debug)]
pub(super) struct KeyValues(Labels);

/// Pairs in order: the alert's name first, then by name.
#[derive(Debug)]
struct Pairs(Vec<(Arc<str>, Arc<str>)>);

#[derive(Debug)]
struct Pair {
    name: Arc<str>,
    value: Arc<str>,
}

impl KeyValues {
    pub(super) fn of(labels: Labels) -> Value {
        Value::Object(Arc::new(Self(labels)))
    }

    fn sorted(&self) -> Pairs {
        let is_name = |name: &str| name == ALERTNAME;
        let first = self.0.iter().filter(|(name, _)| is_name(name));
        let rest = self.0.iter().filter(|(name, _)| !is_name(name));
        Pairs(first.chain(rest).map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Returns what is left without the names of a list.
    fn without(&self, call: &Call<'_>) -> Result<Value, String> {
        let [list] = call.arguments else {
            return Err("Remove takes a list of names".to_owned());
        };
        let Value::List(names) = list.plain() else {
            return Err(format!("Remove takes a list of names, not {}", list.type_name()));
        };
        let is_removed = |name: &str| {
            names.iter().any(|removed| removed.as_text().is_some_and(|text| **text == *name))
        };
        Ok(Self::of(self.0.iter().filter(|(name, _)| !is_removed(name)).collect()))
    }
}

impl Object for KeyValues {
    fn type_name(&self) -> &'static str {
        "template.KV"
    }

    fn field(&self, name: &str) -> Option<Value> {
        // `.Labels.severity` reads a label; one that is missing is empty.
        Some(self.0.value(name).into())
    }

    fn method(&self, name: &str, call: &Call<'_>) -> Option<Result<Value, String>> {
        let value = match name {
            "SortedPairs" => Value::Object(Arc::new(self.sorted())),
            "Names" => self.sorted().names(),
            "Values" => self.sorted().values(),
            "Remove" => return Some(self.without(call)),
            _ => return None,
        };
        Some(alone(name, call, value))
    }

    fn inner(&self) -> Option<Value> {
        let map: BTreeMap<String, Value> =
            self.0.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Some(Value::Map(Arc::new(map)))
    }

    fn zero(&self) -> Value {
        "".into()
    }
}

impl Pairs {
    fn names(&self) -> Value {
        Value::List(self.0.iter().map(|(name, _)| Value::Text(Arc::clone(name))).collect())
    }

    fn values(&self) -> Value {
        Value::List(self.0.iter().map(|(_, value)| Value::Text(Arc::clone(value))).collect())
    }
}

impl Object for Pairs {
    fn type_name(&self) -> &'static str {
        "template.Pairs"
    }

    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str, call: &Call<'_>) -> Option<Result<Value, String>> {
        let value = match name {
            "Names" => self.names(),
            "Values" => self.values(),
            "String" => self.display()?.into(),
            _ => return None,
        };
        Some(alone(name, call, value))
    }

    fn inner(&self) -> Option<Value> {
        let pair = |(name, value): &(Arc<str>, Arc<str>)| {
            let (name, value) = (Arc::clone(name), Arc::clone(value));
            Value::Object(Arc::new(Pair { name, value }))
        };
        Some(Value::List(self.0.iter().map(pair).collect()))
    }

    fn display(&self) -> Option<String> {
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Some(pairs.join(", "))
    }
}

impl Object for Pair {
    fn type_name(&self) -> &'static str {
        "template.Pair"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Name" => Some(Value::Text(Arc::clone(&self.name))),
            "Value" => Some(Value::Text(Arc::clone(&self.value))),
            _ => None,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        &["Name", "Value"]
    }
}

fn alone(name: &str, call: &Call<'_>, value: Value) -> Result<Value, String> {
    if call.arguments.is_empty() { Ok(value) } else { Err(format!("{name} takes no arguments")) }
}
