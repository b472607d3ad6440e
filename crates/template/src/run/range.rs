//! `range`.

use crate::error::RenderError;
use crate::syntax::tree::Branch;
use crate::value::Value;

use super::{Flow, Frame, NODE_STEPS, Run};

impl<'p> Run<'p> {
    pub(super) fn range(
        &mut self,
        branch: &'p Branch,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Flow, RenderError> {
        let value = self.pipe_value(&branch.pipe, frame, dot)?;
        let mut went = false;
        match value.plain() {
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    went = true;
                    let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                    if self.turn(branch, frame, index, value)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(entries) => {
                for (key, value) in entries.iter() {
                    went = true;
                    if self.turn(branch, frame, Value::from(key.as_str()), value)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Int(_) if branch.pipe.variables.len() > 1 => {
                return Err(self.fail(branch.pipe.place, "counting to a number takes one variable"));
            }
            Value::Int(count) => {
                for number in 0..count {
                    went = true;
                    let number = Value::Int(number);
                    if self.turn(branch, frame, number.clone(), &number)? == Flow::Break {
                        break;
                    }
                }
            }
            // What is missing is empty.
            Value::Nil => {}
            other => {
                let message = format!(
                    "`range` goes over lists, maps and whole numbers, not over {}",
                    other.type_name()
                );
                return Err(self.fail(branch.pipe.place, message));
            }
        }
        if went { Ok(Flow::Next) } else { self.walk(&branch.otherwise, frame, dot) }
    }

    fn turn(
        &mut self,
        branch: &'p Branch,
        frame: &mut Frame,
        index: Value,
        value: &Value,
    ) -> Result<Flow, RenderError> {
        self.charge(branch.place, NODE_STEPS)?;
        match branch.pipe.variables[..] {
            [] => {}
            [only] => frame.set(only, value.clone()),
            [first, second, ..] => {
                frame.set(first, index);
                frame.set(second, value.clone());
            }
        }
        self.walk(&branch.body, frame, value)
    }
}
