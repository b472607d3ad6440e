//! Texts that may hold Go template expressions.

use std::fmt;

use crate::reader::{Reader, Value};
use crate::section::{Out, Shape, Text};
use crate::yaml::Node;

/// A text that may hold `{{ … }}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text as written, expressions included.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the text when it is used as it is; `None` when it holds an expression.
    pub fn literal(&self) -> Option<&str> {
        (!is_template(&self.0)).then_some(self.0.as_str())
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether `text` holds a template expression.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

impl Value for Template {
    fn decode(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, "a text")?;
        if is_template(text) {
            reader.note_template(node);
        }
        Some(Self::new(text))
    }

    fn encode(&self) -> Out {
        Out::text(&self.0)
    }

    fn shape() -> Shape {
        Shape::Text(Text::Template)
    }
}
