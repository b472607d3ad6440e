//! A template as a tree.

use std::sync::Arc;

use crate::function::Function;
use crate::html::Escaper;
use crate::value::Value;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line, counted from 1.
    pub(crate) line: u32,
    /// The column in characters, counted from 1.
    pub(crate) column: u32,
}

impl Place {
    /// Returns the place behind a text that begins here.
    pub(crate) fn behind(self, text: &str) -> Self {
        text.chars().fold(self, |place, character| match character {
            '\n' => Self { line: place.line + 1, column: 1 },
            _ => Self { column: place.column + 1, ..place },
        })
    }
}

/// One named template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) name: Arc<str>,
    /// The file it stands in, or what the inline text belongs to.
    pub(crate) file: Arc<str>,
    /// Where it begins.
    pub(crate) place: Place,
    pub(crate) body: Vec<Node>,
    /// How many variables are visible at once; the first is `$`.
    pub(crate) slots: usize,
}

impl Template {
    /// Returns whether nothing but white space comes out; such a definition never replaces another.
    pub(crate) fn is_empty(&self) -> bool {
        self.body.iter().all(
            |node| matches!(node, Node::Text(text, _) if text.trim_matches(is_space).is_empty()),
        )
    }
}

/// Returns whether the character is white space inside an action and beside a trim marker.
pub(crate) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(Arc<str>, Place),
    /// `{{ pipeline }}`.
    Action(Pipe),
    /// The same with what makes its value harmless in a page.
    Escaped(Pipe, Vec<Escaper>),
    Branch(Branch),
    /// `{{ template "name" pipeline }}`.
    Call {
        place: Place,
        name: Arc<str>,
        pipe: Option<Pipe>,
    },
    /// The same, of a template that is prepared for its place in a page.
    CallPrepared {
        place: Place,
        index: usize,
        pipe: Option<Pipe>,
    },
    Break,
    Continue,
}

/// `if`, `with` and `range`.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) kind: BranchKind,
    pub(crate) place: Place,
    pub(crate) pipe: Pipe,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BranchKind {
    If,
    With,
    Range,
}

impl BranchKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }
}

/// Commands in order; the value of each is the last argument of the next.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    pub(crate) place: Place,
    /// The slots of the variables that take the value.
    pub(crate) variables: Vec<usize>,
    pub(crate) commands: Vec<Command>,
}

/// One operand with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) place: Place,
    pub(crate) operand: Operand,
    pub(crate) arguments: Vec<Operand>,
}

#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) place: Place,
    pub(crate) kind: OperandKind,
}

#[derive(Clone, Debug)]
pub(crate) enum OperandKind {
    Dot,
    Nil,
    Constant(Value),
    /// `.A.B`.
    Field(Vec<Arc<str>>),
    /// `$x.A.B`: the slot and the fields.
    Variable(usize, Vec<Arc<str>>),
    Function(Arc<str>, Callee),
    /// `(pipeline)`.
    Pipe(Box<Pipe>),
    /// `(pipeline).A.B` and `function.A.B`.
    Chain(Box<Operand>, Vec<Arc<str>>),
}

/// What a function name stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Callee {
    /// Stops at the first false argument.
    And,
    /// Stops at the first true argument.
    Or,
    Plain(Function),
}
