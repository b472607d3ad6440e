//! Works off a tree: nodes in, text out, within bounds.

mod access;
mod evaluate;
mod measure;
mod methods;
mod range;

use std::sync::Arc;

use crate::error::RenderError;
use crate::program::Program;
use crate::set::Conditions;
use crate::syntax::tree::{Branch, BranchKind, Node, Pipe, Place, Template};
use crate::value::Value;

use measure::Measures;

/// How many blocks, parentheses and templates may be open at once while rendering, over all
/// templates that call each other; more is an error, before the stack is exhausted.
const MAX_LEVELS: usize = 150;

/// What a node costs; functions cost more, because they may work long.
const NODE_STEPS: usize = 1;
const CALL_STEPS: usize = 10;

/// One step for this many bytes that are written or built.
const BYTES_PER_STEP: usize = 256;

/// One step for this many bytes that a function is given: a regular expression may look at each of
/// them more than once.
const ARGUMENT_BYTES_PER_STEP: usize = 16;

/// Renders a program.
pub(crate) fn render(
    program: &Program,
    data: &Value,
    conditions: Conditions,
) -> Result<String, RenderError> {
    let root = program.root();
    let mut run = Run {
        program,
        conditions,
        out: String::new(),
        steps: 0,
        calls: 0,
        levels: 0,
        file: root.file.clone(),
        measures: Measures::default(),
    };
    let mut frame = Frame::new(root.slots, data);
    run.walk(&root.body, &mut frame, data)?;
    Ok(run.out)
}

/// What happens after a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// The variables of one template.
struct Frame {
    slots: Vec<Value>,
}

impl Frame {
    fn new(slots: usize, data: &Value) -> Self {
        let mut frame = Self { slots: vec![Value::Nil; slots.max(1)] };
        frame.set(0, data.clone());
        frame
    }

    fn set(&mut self, slot: usize, value: Value) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }
}

struct Run<'p> {
    program: &'p Program,
    conditions: Conditions,
    out: String,
    steps: usize,
    /// How many templates are open.
    calls: usize,
    levels: usize,
    /// Where the template that is worked off stands.
    file: Arc<str>,
    measures: Measures,
}

impl<'p> Run<'p> {
    fn fail(&self, place: Place, message: impl Into<String>) -> RenderError {
        RenderError::Failed {
            name: self.file.clone(),
            line: place.line,
            column: place.column,
            message: message.into(),
        }
    }

    fn charge(&mut self, place: Place, steps: usize) -> Result<(), RenderError> {
        self.steps = self.steps.saturating_add(steps);
        let limit = self.conditions.limits.steps;
        if self.steps > limit {
            return Err(self.fail(
                place,
                format!("rendering takes more than {limit} steps; is there a loop in a loop?"),
            ));
        }
        Ok(())
    }

    fn descend(&mut self, place: Place) -> Result<(), RenderError> {
        if self.levels == MAX_LEVELS {
            let message = format!(
                "blocks and templates are open more than {MAX_LEVELS} deep; does a template call itself?"
            );
            return Err(self.fail(place, message));
        }
        self.levels += 1;
        Ok(())
    }

    fn write(&mut self, place: Place, text: &str) -> Result<(), RenderError> {
        let limit = self.conditions.limits.output_bytes;
        if self.out.len() + text.len() > limit {
            return Err(self.fail(place, format!("the output becomes longer than {limit} bytes")));
        }
        self.charge(place, text.len() / BYTES_PER_STEP)?;
        self.out.push_str(text);
        Ok(())
    }

    fn walk(
        &mut self,
        nodes: &'p [Node],
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Flow, RenderError> {
        for node in nodes {
            match node {
                Node::Text(text, place) => {
                    self.charge(*place, NODE_STEPS)?;
                    self.write(*place, text)?;
                }
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, frame, dot)?;
                    if pipe.variables.is_empty() {
                        self.print(pipe.place, &value)?;
                    }
                }
                Node::Escaped(pipe, escapers) => {
                    let mut value = self.pipe(pipe, frame, dot)?;
                    for escaper in escapers {
                        value = escaper
                            .apply(&value)
                            .map_err(|message| self.fail(pipe.place, message))?;
                    }
                    self.print(pipe.place, &value)?;
                }
                Node::Branch(branch) => {
                    self.descend(branch.place)?;
                    let flow = self.branch(branch, frame, dot)?;
                    self.levels -= 1;
                    if flow != Flow::Next {
                        return Ok(flow);
                    }
                }
                Node::Call { place, name, pipe } => {
                    let template = self.program.find(name);
                    let template =
                        template.ok_or_else(|| self.fail(*place, self.program.missing(name)))?;
                    self.call_template(*place, template, pipe.as_ref(), frame, dot)?;
                }
                Node::CallPrepared { place, index, pipe } => {
                    let template = self.program.prepared(*index);
                    let template = template
                        .ok_or_else(|| self.fail(*place, "a prepared template is missing"))?;
                    self.call_template(*place, template, pipe.as_ref(), frame, dot)?;
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, place: Place, value: &Value) -> Result<(), RenderError> {
        match value.as_text() {
            Some(text) => self.write(place, text),
            None => {
                let text = self.printed(place, value)?;
                self.write(place, &text)
            }
        }
    }

    fn branch(
        &mut self,
        branch: &'p Branch,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<Flow, RenderError> {
        if branch.kind == BranchKind::Range {
            return self.range(branch, frame, dot);
        }
        let value = self.pipe(&branch.pipe, frame, dot)?;
        if !value.is_true() {
            return self.walk(&branch.otherwise, frame, dot);
        }
        let dot = if branch.kind == BranchKind::With { &value } else { dot };
        self.walk(&branch.body, frame, dot)
    }

    fn call_template(
        &mut self,
        place: Place,
        template: &'p Template,
        pipe: Option<&'p Pipe>,
        frame: &mut Frame,
        dot: &Value,
    ) -> Result<(), RenderError> {
        self.charge(place, CALL_STEPS)?;
        let data = match pipe {
            Some(pipe) => self.pipe(pipe, frame, dot)?,
            None => Value::Nil,
        };
        let limit = self.conditions.limits.depth;
        if self.calls == limit {
            return Err(
                self.fail(place, format!("templates call each other more than {limit} deep"))
            );
        }
        self.calls += 1;
        self.descend(place)?;
        let file = std::mem::replace(&mut self.file, template.file.clone());
        self.walk(&template.body, &mut Frame::new(template.slots, &data), &data)?;
        self.file = file;
        self.levels -= 1;
        self.calls -= 1;
        Ok(())
    }
}
