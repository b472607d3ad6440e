//! Values as text, the way Go's `fmt` writes them.

mod float;
mod number;
mod printf;
mod quote;
mod spec;
mod time;
mod verb;

pub(crate) use printf::printf;
pub(crate) use quote::is_printable;
pub(crate) use time::{duration, instant};

use spec::Spec;

use crate::value::Value;

/// The longest text that one call may build, in bytes; a longer one is an error.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 20;

/// How deep lists and maps may lie in each other; deeper is an error, so that printing cannot
/// exhaust the stack.
pub(crate) const MAX_VALUE_DEPTH: usize = 64;

/// Text that is being written, up to [`MAX_TEXT_BYTES`].
struct Sink {
    text: String,
}

/// Why nothing more is written.
pub(crate) type Failure = String;

impl Sink {
    fn new() -> Self {
        Self { text: String::new() }
    }

    fn push(&mut self, text: &str) -> Result<(), Failure> {
        if self.text.len() + text.len() > MAX_TEXT_BYTES {
            return Err(format!("the text becomes longer than {MAX_TEXT_BYTES} bytes"));
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// Returns what `{{ value }}` writes.
pub(crate) fn text(value: &Value) -> Result<String, Failure> {
    match value {
        Value::Nil => Ok("<no value>".to_owned()),
        Value::Text(text) | Value::Trusted(_, text) => Ok(text.to_string()),
        value => {
            let mut sink = Sink::new();
            verb::write(&mut sink, value, &Spec::plain(), 0)?;
            Ok(sink.text)
        }
    }
}

/// Returns the values in a row, with a space between two of which neither is a text.
pub(crate) fn print(values: &[Value]) -> Result<String, Failure> {
    let mut sink = Sink::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 && values[index - 1].as_text().is_none() && value.as_text().is_none() {
            sink.push(" ")?;
        }
        verb::write(&mut sink, value, &Spec::plain(), 0)?;
    }
    Ok(sink.text)
}

/// Returns the values in a row, with a space between any two and a line feed behind.
pub(crate) fn println(values: &[Value]) -> Result<String, Failure> {
    let mut sink = Sink::new();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            sink.push(" ")?;
        }
        verb::write(&mut sink, value, &Spec::plain(), 0)?;
    }
    sink.push("\n")?;
    Ok(sink.text)
}

/// Returns what functions that work on text see of their arguments.
pub(crate) fn joined(values: &[Value]) -> Result<String, Failure> {
    match values {
        [one] => text(one),
        _ => {
            // A missing value is told apart from a written `nil` only where it is printed.
            let shown: Vec<Value> = values
                .iter()
                .map(|value| {
                    if matches!(value, Value::Nil) {
                        Value::from("<no value>")
                    } else {
                        value.clone()
                    }
                })
                .collect();
            print(&shown)
        }
    }
}
