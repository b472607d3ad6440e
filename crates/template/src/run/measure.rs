//! How deep and how large the lists and maps are that a rendering builds.
//!
//! A list may hold the same list twice, and that one another twice: a few dozen calls would build
//! what no machine could print. So each is measured when it is built, from the measures of what it
//! holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::format::MAX_VALUE_DEPTH;
use crate::value::Value;

/// The largest list or map, counted in bytes with everything in it; a larger one is an error.
const MAX_VALUE_BYTES: usize = 1 << 20;

/// What each value counts besides its text.
const VALUE_BYTES: usize = 16;

#[derive(Clone, Copy)]
struct Measure {
    depth: usize,
    bytes: usize,
}

/// The measures of everything that was built, which is kept so that no address is used twice.
#[derive(Default)]
pub(super) struct Measures {
    known: BTreeMap<usize, (Measure, Value)>,
}

impl Measures {
    /// Measures a list or map; returns how many steps that is worth.
    pub(super) fn take(&mut self, value: &Value) -> Result<usize, String> {
        let before = self.known.len();
        self.measure(value, 0)?;
        let width = match value {
            Value::List(values) => values.len(),
            Value::Map(entries) => entries.len(),
            _ => 0,
        };
        Ok(width + 4 * (self.known.len() - before))
    }

    fn measure(&mut self, value: &Value, above: usize) -> Result<Measure, String> {
        let address = match value {
            Value::List(values) => Arc::as_ptr(values).cast::<Value>() as usize,
            Value::Map(entries) => Arc::as_ptr(entries) as usize,
            Value::Text(text) | Value::Trusted(_, text) => {
                return Ok(Measure { depth: 0, bytes: VALUE_BYTES + text.len() });
            }
            _ => return Ok(Measure { depth: 0, bytes: VALUE_BYTES }),
        };
        if let Some((measure, _)) = self.known.get(&address) {
            return Ok(*measure);
        }
        if above > MAX_VALUE_DEPTH {
            return Err(too_deep());
        }
        let mut total = Measure { depth: 1, bytes: VALUE_BYTES };
        let mut add = |inner: Measure| {
            total.depth = total.depth.max(inner.depth + 1);
            total.bytes = total.bytes.saturating_add(inner.bytes);
        };
        match value {
            Value::List(values) => {
                for value in values.iter() {
                    add(self.measure(value, above + 1)?);
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries.iter() {
                    let inner = self.measure(value, above + 1)?;
                    add(Measure { bytes: inner.bytes.saturating_add(key.len()), ..inner });
                }
            }
            _ => {}
        }
        if total.depth > MAX_VALUE_DEPTH {
            return Err(too_deep());
        }
        if total.bytes > MAX_VALUE_BYTES {
            return Err(format!("this list or map becomes larger than {MAX_VALUE_BYTES} bytes"));
        }
        self.known.insert(address, (total, value.clone()));
        Ok(total)
    }
}

fn too_deep() -> String {
    format!("lists and maps lie deeper than {MAX_VALUE_DEPTH} in each other")
}
