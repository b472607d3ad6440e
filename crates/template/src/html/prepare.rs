//! Gives every action the escapers of its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::{Context, Slash, State};
use super::{functions, needs, text};
use crate::error::ParseError;
use crate::program::Program;
use crate::syntax::tree::{Branch, BranchKind, Node, Pipe, Place, Template};

/// How many prepared templates one text may need; more is an error, because every place at which a
/// template is called makes one.
const MAX_PREPARED: usize = 1000;

/// How deep templates may call each other while they are prepared.
const MAX_DEPTH: usize = 60;

/// Returns the text of a program and the templates it calls, with their escapers.
pub(crate) fn prepare(program: &Program) -> Result<(Template, Vec<Template>), ParseError> {
    let root = program.root();
    let mut prepare = Prepare {
        program,
        file: root.file.clone(),
        known: BTreeMap::new(),
        prepared: Vec::new(),
        loops: Vec::new(),
        depth: 0,
        nodes: 0,
    };
    let (body, end) = prepare.list(Context::default(), &root.body)?;
    if !matches!(end.state, State::Text | State::Never) {
        let message =
            format!("the text ends inside {}; a page ends outside of every tag", end.describe());
        return Err(prepare.error(root.place, message));
    }
    let prepared = prepare.prepared.into_iter().flatten().collect();
    Ok((Template { body, ..root.clone() }, prepared))
}

/// How many parts of templates are looked at; more is an error. A loop whose end differs from its
/// beginning is followed twice, and so is each loop in it.
const MAX_NODES: usize = 200_000;

/// A template at one place.
struct Known {
    index: usize,
    end: Context,
    /// Whether it was called while it was prepared itself, by assuming that it ends where it begins.
    was_assumed: bool,
}

/// The places at which a loop is left or begun again.
#[derive(Default)]
struct Jumps {
    breaks: Vec<Context>,
    continues: Vec<Context>,
}

struct Prepare<'p> {
    program: &'p Program,
    file: Arc<str>,
    known: BTreeMap<(Arc<str>, Context), Known>,
    prepared: Vec<Option<Template>>,
    loops: Vec<Jumps>,
    depth: usize,
    nodes: usize,
}

impl Prepare<'_> {
    fn error(&self, place: Place, message: impl Into<String>) -> ParseError {
        ParseError {
            name: self.file.clone(),
            line: place.line,
            column: place.column,
            message: message.into(),
        }
    }

    fn list(&mut self, start: Context, nodes: &[Node]) -> Result<(Vec<Node>, Context), ParseError> {
        let mut context = start;
        let mut out = Vec::with_capacity(nodes.len());
        for node in nodes {
            if context.state == State::Never {
                // Nothing behind `break` is ever worked off.
                break;
            }
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(self.too_much(node));
            }
            let (node, next) = self.node(context, node)?;
            out.push(node);
            context = next;
        }
        Ok((out, context))
    }

    fn too_much(&self, node: &Node) -> ParseError {
        let place = match node {
            Node::Branch(branch) => branch.place,
            _ => Place { line: 1, column: 1 },
        };
        self.error(
            place,
            "the loops and templates in each other are too many to find the place of every value",
        )
    }

    fn node(&mut self, context: Context, node: &Node) -> Result<(Node, Context), ParseError> {
        match node {
            Node::Text(text, place) => {
                let (text, end) = text::follow(context, text)
                    .map_err(|(at, message)| self.error(place.behind(&text[..at]), message))?;
                Ok((Node::Text(text.into(), *place), end))
            }
            Node::Action(pipe) if !pipe.variables.is_empty() => Ok((node.clone(), context)),
            Node::Action(pipe) | Node::Escaped(pipe, _) => self.action(context, pipe),
            Node::Branch(branch) => self.branch(context, branch),
            Node::Call { place, name, pipe } => self.call(context, *place, name, pipe.as_ref()),
            Node::CallPrepared { .. } => Ok((node.clone(), context)),
            Node::Break => {
                if let Some(jumps) = self.loops.last_mut() {
                    jumps.breaks.push(context);
                }
                Ok((Node::Break, context.with(State::Never)))
            }
            Node::Continue => {
                if let Some(jumps) = self.loops.last_mut() {
                    jumps.continues.push(context);
                }
                Ok((Node::Continue, context.with(State::Never)))
            }
        }
    }

    fn action(&mut self, context: Context, pipe: &Pipe) -> Result<(Node, Context), ParseError> {
        let mut context = context.before_value();
        let escapers =
            needs::escapers(context).map_err(|message| self.error(pipe.place, message))?;
        match context.state {
            // A slash behind a value divides.
            State::Script => context.slash = Slash::Division,
            State::Tag => context.state = State::AttributeName,
            _ => {}
        }
        let (pipe, escapers) = functions::merge(context, pipe, escapers)
            .map_err(|(place, message)| self.error(place, message))?;
        Ok((Node::Escaped(pipe, needs::without_redundant(escapers)), context))
    }

    fn branch(&mut self, context: Context, branch: &Branch) -> Result<(Node, Context), ParseError> {
        let (body, mut end) = if branch.kind == BranchKind::Range {
            self.range_body(context, branch)?
        } else {
            self.list(context, &branch.body)?
        };
        let (otherwise, other_end) = self.list(context, &branch.otherwise)?;
        end = self.join(branch, end, other_end, "its branches end")?;
        Ok((Node::Branch(Branch { body, otherwise, pipe: branch.pipe.clone(), ..*branch }), end))
    }

    /// A loop may run any number of times: it has to begin again where it began.
    fn range_body(
        &mut self,
        context: Context,
        branch: &Branch,
    ) -> Result<(Vec<Node>, Context), ParseError> {
        let (body, end) = self.turn(context, branch)?;
        if end == context {
            return Ok((body, end));
        }
        let (_, again) = self.turn(end, branch)?;
        let end = self.join(branch, end, again, "it ends the second time")?;
        Ok((body, end))
    }

    fn turn(
        &mut self,
        context: Context,
        branch: &Branch,
    ) -> Result<(Vec<Node>, Context), ParseError> {
        self.loops.push(Jumps::default());
        let read = self.list(context, &branch.body);
        let jumps = self.loops.pop().unwrap_or_default();
        let (body, mut end) = read?;
        for jump in jumps.breaks.into_iter().chain(jumps.continues) {
            end = self.join(branch, end, jump, "`break` or `continue` leaves it")?;
        }
        Ok((body, end))
    }

    fn join(
        &self,
        branch: &Branch,
        one: Context,
        other: Context,
        what: &str,
    ) -> Result<Context, ParseError> {
        one.join(other).ok_or_else(|| {
            let message = format!(
                "this `{}` cannot be escaped: {what} in different places of the page: once inside {}, once inside {}",
                branch.kind.word(),
                one.describe(),
                other.describe(),
            );
            self.error(branch.place, message)
        })
    }

    fn call(
        &mut self,
        context: Context,
        place: Place,
        name: &Arc<str>,
        pipe: Option<&Pipe>,
    ) -> Result<(Node, Context), ParseError> {
        let (index, end) = self.template(context, place, name)?;
        Ok((Node::CallPrepared { place, index, pipe: pipe.cloned() }, end))
    }

    /// Prepares a template for a place; returns its number and where it ends.
    fn template(
        &mut self,
        context: Context,
        place: Place,
        name: &Arc<str>,
    ) -> Result<(usize, Context), ParseError> {
        let key = (name.clone(), context);
        if let Some(known) = self.known.get_mut(&key) {
            known.was_assumed |= self.prepared[known.index].is_none();
            return Ok((known.index, known.end));
        }
        let Some(template) = self.program.find(name) else {
            return Err(self.error(place, self.program.missing(name)));
        };
        if self.depth == MAX_DEPTH || self.prepared.len() == MAX_PREPARED {
            return Err(self.error(place, "too many templates call each other here"));
        }
        let index = self.prepared.len();
        self.prepared.push(None);
        self.known.insert(key.clone(), Known { index, end: context, was_assumed: false });
        let file = std::mem::replace(&mut self.file, template.file.clone());
        let loops = std::mem::take(&mut self.loops);
        self.depth += 1;
        let read = self.list(context, &template.body);
        self.depth -= 1;
        self.loops = loops;
        self.file = file;
        let (body, end) = read?;
        self.prepared[index] = Some(Template { body, ..template.clone() });
        let end = if end.state == State::Never { context } else { end };
        if let Some(known) = self.known.get_mut(&key) {
            if known.was_assumed && end != context {
                let message = format!(
                    "the template {name:?} calls itself and does not end where it begins in the page"
                );
                return Err(self.error(place, message));
            }
            known.end = end;
        }
        Ok((index, end))
    }
}
