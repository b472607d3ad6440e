//! How booleans, numbers, lists, maps, paths and free values are read and written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::template::is_template;
use crate::reader::{Reader, Value};
use crate::section::{Entry, Out, Shape, Text};
use crate::yaml::{Kind, Node};

impl Value for String {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.text(node, "a text").map(str::to_owned)
    }

    fn encode(&self) -> Out {
        if self.is_empty() { Out::Null } else { Out::text(self) }
    }

    fn shape() -> Shape {
        Shape::Text(Text::Plain)
    }
}

impl Value for bool {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        const WORDS: [(&str, bool); 8] = [
            ("true", true),
            ("false", false),
            ("yes", true),
            ("no", false),
            ("y", true),
            ("n", false),
            ("on", true),
            ("off", false),
        ];
        let text = node.plain().unwrap_or_default().to_ascii_lowercase();
        let found = WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            reader.wrong_type(node, "`true` or `false`");
        }
        found
    }

    fn encode(&self) -> Out {
        Out::word(self.to_string())
    }

    fn shape() -> Shape {
        Shape::Bool
    }
}

/// Whole numbers share one reading: underscores are not allowed, the type bounds the value.
macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                let Some(text) = node.plain().filter(|text| is_integer(text)) else {
                    reader.wrong_type(node, "a whole number");
                    return None;
                };
                let number = text.parse().ok();
                if number.is_none() {
                    reader.error(node, format!(
                        "`{text}` is out of range ({} to {})", <$type>::MIN, <$type>::MAX
                    ));
                }
                number
            }

            fn encode(&self) -> Out {
                Out::word(self.to_string())
            }

            fn shape() -> Shape {
                Shape::Integer
            }
        }
    )*};
}
integers!(i64, u32, u64, usize);

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Value for f64 {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let number =
            node.plain().and_then(|text| text.parse().ok()).filter(|n: &Self| n.is_finite());
        if number.is_none() {
            reader.wrong_type(node, "a number");
        }
        number
    }

    fn encode(&self) -> Out {
        Out::word(self.to_string())
    }

    fn shape() -> Shape {
        Shape::Number
    }
}

/// A path; a relative one is resolved against the directory of the file that names it.
impl Value for PathBuf {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a path")?;
        if text.is_empty() {
            return None;
        }
        Some(reader.resolve(node, text))
    }

    fn encode(&self) -> Out {
        Out::text(&self.display())
    }

    fn shape() -> Shape {
        Shape::Text(Text::Path)
    }
}

impl<T: Value> Value for Option<T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(Some)
    }

    fn encode(&self) -> Out {
        self.as_ref().map_or(Out::Null, T::encode)
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Value> Value for Box<T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::decode(node, reader).map(Self::new)
    }

    fn encode(&self) -> Out {
        T::encode(self)
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Value> Value for Vec<T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::List(items) = &node.kind else {
            hide_secrets::<T>(node, reader);
            reader.wrong_type(node, "a list");
            return None;
        };
        let read = |(index, item): (usize, &Node)| {
            reader.inside(&format!("[{index}]"), item, |reader| T::decode(item, reader))
        };
        Some(items.iter().enumerate().filter_map(read).collect())
    }

    fn encode(&self) -> Out {
        Out::List(self.iter().map(T::encode).collect())
    }

    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
}

impl<T: Value> Value for BTreeMap<String, T> {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            hide_secrets::<T>(node, reader);
            reader.wrong_type(node, "a mapping");
            return None;
        };
        let mut map = Self::new();
        for (key, value) in entries {
            let path = format!(".{}", key.text);
            let read = reader.inside(&path, value, |reader| T::decode(value, reader));
            if let Some(read) = read {
                map.insert(key.text.clone(), read);
            }
        }
        Some(map)
    }

    fn encode(&self) -> Out {
        Out::Map(self.iter().map(|(key, value)| Entry::new(key, value.encode())).collect())
    }

    fn shape() -> Shape {
        Shape::Map(Box::new(T::shape()))
    }
}

/// Keeps out of complaints what stands in the place of a list or mapping of secrets.
fn hide_secrets<T: Value>(node: &Node, reader: &mut Reader<'_>) {
    let shape = match T::shape() {
        Shape::List(inner) | Shape::Map(inner) => *inner,
        shape => shape,
    };
    if matches!(shape, Shape::Text(Text::Secret | Text::SecretUrl)) {
        reader.hide(node);
    }
}

/// A value of any form, kept as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Any(pub serde_json::Value);

impl Value for Any {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        note_templates(node, reader);
        Some(Self(node.to_json()))
    }

    fn encode(&self) -> Out {
        json_to_out(&self.0)
    }

    fn shape() -> Shape {
        Shape::Any
    }
}

fn note_templates(node: &Node, reader: &mut Reader<'_>) {
    match &node.kind {
        Kind::Scalar { text, .. } if is_template(text) => reader.note_template(node),
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| note_templates(item, reader)),
        Kind::Map(entries) => {
            entries.iter().for_each(|(_, value)| note_templates(value, reader));
        }
    }
}

fn json_to_out(json: &serde_json::Value) -> Out {
    match json {
        serde_json::Value::Null => Out::word("null"),
        serde_json::Value::Bool(value) => Out::word(value.to_string()),
        serde_json::Value::Number(number) => Out::word(number.to_string()),
        serde_json::Value::String(text) => Out::text(text),
        serde_json::Value::Array(items) => Out::List(items.iter().map(json_to_out).collect()),
        serde_json::Value::Object(map) => {
            Out::Map(map.iter().map(|(key, value)| Entry::new(key, json_to_out(value))).collect())
        }
    }
}
