//! Fields, methods and keys.

use crate::error::RenderError;
use crate::function::Call;
use crate::language;
use crate::syntax::tree::Place;
use crate::value::{Object, Value};

use super::{CALL_STEPS, NODE_STEPS, Run, methods};

impl Run<'_> {
    /// Returns what a name means for a value: a method, a field, or the entry of a map.
    pub(super) fn field(
        &mut self,
        place: Place,
        value: &Value,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, RenderError> {
        self.charge(place, NODE_STEPS)?;
        let call = Call { arguments, now: self.conditions.now };
        let found = match value {
            Value::Object(object) => {
                if let Some(result) = object.method(name, &call) {
                    return self.method_result(place, name, result);
                }
                object.field(name).or_else(|| entry(object.as_ref(), value, name))
            }
            Value::Map(entries) => Some(entries.get(name).cloned().unwrap_or(Value::Nil)),
            Value::Time(instant) => {
                return match methods::time(instant, name, &call) {
                    Some(result) => self.method_result(place, name, result),
                    None => Err(self.fail(place, format!("a time has no method `{name}`"))),
                };
            }
            Value::Duration(span) => {
                return match methods::duration(*span, name, &call) {
                    Some(result) => self.method_result(place, name, result),
                    None => Err(self.fail(place, format!("a duration has no method `{name}`"))),
                };
            }
            _ => None,
        };
        match found {
            Some(_) if !arguments.is_empty() => {
                Err(self.fail(place, format!("`.{name}` is no method and takes no arguments")))
            }
            Some(found) => Ok(found),
            None => Err(self.fail(place, unknown(value, name))),
        }
    }

    fn method_result(
        &mut self,
        place: Place,
        name: &str,
        result: Result<Value, String>,
    ) -> Result<Value, RenderError> {
        self.charge(place, CALL_STEPS)?;
        let value =
            result.map_err(|message| self.fail(place, format!("`.{name}` failed: {message}")))?;
        self.accept(place, value)
    }
}

/// Returns the entry of an object that is a map inside, or what stands for a missing one.
fn entry(object: &dyn Object, value: &Value, name: &str) -> Option<Value> {
    match value.plain() {
        Value::Map(entries) => Some(entries.get(name).cloned().unwrap_or_else(|| object.zero())),
        _ => None,
    }
}

fn unknown(value: &Value, name: &str) -> String {
    let known = if let Value::Object(object) = value { object.fields() } else { &[] };
    let help = language::nearest(name, known.iter().copied())
        .map_or_else(String::new, |nearest| format!("; did you mean `.{nearest}`?"));
    format!("a value of type {} has no field or method `{name}`{help}", value.type_name())
}
