//! Pipelines, commands and operands.

use std::sync::Arc;

use crate::error::RenderError;
use crate::format::{self, MAX_TEXT_BYTES};
use crate::function::{Call, Function};
use crate::syntax::tree::{Callee, Command, Operand, OperandKind, Pipe, Place};
use crate::value::Value;

use super::{ARGUMENT_BYTES_PER_STEP, BYTES_PER_STEP, CALL_STEPS, Frame, NODE_STEPS, Run};

impl<'p> Run<'p> {
    /// Evaluates a pipeline and sets its variables.
    pub(super) fn pipe(
        &mut self,
        pipe: &'p Pipe,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Value, RenderError> {
        let value = self.pipe_value(pipe, frame, dot)?;
        for slot in &pipe.variables {
            frame.set(*slot, value.clone());
        }
        Ok(value)
    }

    /// Evaluates a pipeline and leaves its variables alone.
    pub(super) fn pipe_value(
        &mut self,
        pipe: &'p Pipe,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Value, RenderError> {
        let mut value = None;
        for command in &pipe.commands {
            self.charge(command.place, NODE_STEPS)?;
            value = Some(self.command(command, frame, dot, value)?);
        }
        Ok(value.unwrap_or(Value::Nil))
    }

    /// Evaluates a command; `piped` is its last argument.
    fn command(
        &mut self,
        command: &'p Command,
        frame: &mut Frame,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, RenderError> {
        let operand = &command.operand;
        let takes_none = match &operand.kind {
            OperandKind::Function(name, callee) => {
                return self.call(
                    operand.place,
                    name,
                    *callee,
                    &command.arguments,
                    frame,
                    dot,
                    piped,
                );
            }
            OperandKind::Field(fields) => {
                let arguments = self.arguments(&command.arguments, frame, dot, piped)?;
                return self.chain(operand.place, dot.clone(), fields, &arguments);
            }
            OperandKind::Variable(slot, fields) if !fields.is_empty() => {
                let arguments = self.arguments(&command.arguments, frame, dot, piped)?;
                return self.chain(operand.place, frame.slots[*slot].clone(), fields, &arguments);
            }
            OperandKind::Chain(inner, fields) => {
                let receiver = self.operand(inner, frame, dot)?;
                let arguments = self.arguments(&command.arguments, frame, dot, piped)?;
                return self.chain(operand.place, receiver, fields, &arguments);
            }
            OperandKind::Nil => {
                return Err(self.fail(operand.place, "`nil` alone is no value to work with"));
            }
            OperandKind::Pipe(_) => "a pipeline in parentheses",
            OperandKind::Variable(..) => "a variable",
            OperandKind::Dot => "the dot",
            OperandKind::Constant(_) => "a constant",
        };
        if !command.arguments.is_empty() || piped.is_some() {
            return Err(self.fail(
                operand.place,
                format!("{takes_none} takes no arguments; only functions and methods do"),
            ));
        }
        self.operand(operand, frame, dot)
    }

    fn arguments(
        &mut self,
        operands: &'p [Operand],
        frame: &mut Frame,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Vec<Value>, RenderError> {
        let mut values = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            values.push(self.operand(operand, frame, dot)?);
        }
        values.extend(piped);
        Ok(values)
    }

    /// Evaluates an operand that gets no arguments.
    fn operand(
        &mut self,
        operand: &'p Operand,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Value, RenderError> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Ok(Value::Nil),
            OperandKind::Constant(value) => Ok(value.clone()),
            OperandKind::Field(fields) => self.chain(operand.place, dot.clone(), fields, &[]),
            OperandKind::Variable(slot, fields) => {
                self.chain(operand.place, frame.slots[*slot].clone(), fields, &[])
            }
            OperandKind::Function(name, callee) => {
                self.call(operand.place, name, *callee, &[], frame, dot, None)
            }
            OperandKind::Pipe(pipe) => {
                self.descend(operand.place)?;
                let value = self.pipe(pipe, frame, dot)?;
                self.levels -= 1;
                Ok(value)
            }
            OperandKind::Chain(inner, fields) => {
                let receiver = self.operand(inner, frame, dot)?;
                self.chain(operand.place, receiver, fields, &[])
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a call is a name, a place, its arguments and what they may see"
    )]
    fn call(
        &mut self,
        place: Place,
        name: &str,
        callee: Callee,
        operands: &'p [Operand],
        frame: &mut Frame,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, RenderError> {
        let stops_at = match callee {
            Callee::Plain(function) => {
                let arguments = self.arguments(operands, frame, dot, piped)?;
                return self.apply(place, name, function, &arguments);
            }
            Callee::And => false,
            Callee::Or => true,
        };
        let mut last = None;
        for operand in operands {
            let value = self.operand(operand, frame, dot)?;
            if value.is_true() == stops_at {
                return Ok(value);
            }
            last = Some(value);
        }
        piped
            .or(last)
            .ok_or_else(|| self.fail(place, format!("`{name}` takes at least one argument")))
    }

    fn apply(
        &mut self,
        place: Place,
        name: &str,
        function: Function,
        arguments: &[Value],
    ) -> Result<Value, RenderError> {
        let bytes: usize = arguments.iter().filter_map(Value::as_text).map(|text| text.len()).sum();
        self.charge(place, CALL_STEPS + bytes / ARGUMENT_BYTES_PER_STEP)?;
        let call = Call { arguments, now: self.conditions.now };
        let result = function(&call)
            .map_err(|message| self.fail(place, format!("`{name}` failed: {message}")))?;
        self.accept(place, result)
    }

    /// Takes what a function or a method built, and counts what it cost.
    pub(super) fn accept(&mut self, place: Place, value: Value) -> Result<Value, RenderError> {
        match &value {
            Value::Text(text) | Value::Trusted(_, text) => {
                if text.len() > MAX_TEXT_BYTES {
                    return Err(self.fail(
                        place,
                        format!("the text becomes longer than {MAX_TEXT_BYTES} bytes"),
                    ));
                }
                self.charge(place, text.len() / BYTES_PER_STEP)?;
            }
            Value::List(_) | Value::Map(_) => {
                let cost =
                    self.measures.take(&value).map_err(|message| self.fail(place, message))?;
                self.charge(place, cost)?;
            }
            _ => {}
        }
        Ok(value)
    }

    /// Follows fields; the last one gets the arguments.
    fn chain(
        &mut self,
        place: Place,
        receiver: Value,
        fields: &[Arc<str>],
        arguments: &[Value],
    ) -> Result<Value, RenderError> {
        // Whatever is asked of nothing is nothing; but a missing entry of a map is a mistake to ask.
        if matches!(receiver, Value::Nil) {
            return Ok(Value::Nil);
        }
        let mut value = receiver;
        for (index, name) in fields.iter().enumerate() {
            let arguments = if index + 1 == fields.len() { arguments } else { &[] };
            if matches!(value, Value::Nil) {
                return Err(self.fail(
                    place,
                    format!("`.{name}` is asked of `.{}`, which is missing", fields[index - 1]),
                ));
            }
            value = self.field(place, &value, name, arguments)?;
        }
        Ok(value)
    }

    /// Returns the value as it is printed.
    pub(super) fn printed(&self, place: Place, value: &Value) -> Result<String, RenderError> {
        format::text(value).map_err(|message| self.fail(place, message))
    }
}
