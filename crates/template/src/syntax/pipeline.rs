//! Pipelines: declarations, commands, operands.

use std::sync::Arc;

use super::constant;
use super::parser::Parser;
use super::token::{Kind, Token};
use super::tree::{Callee, Command, Operand, OperandKind, Pipe, Place};
use crate::error::ParseError;
use crate::language;
use crate::value::Value;

/// Words that are no functions.
const KEYWORDS: &[&str] =
    &["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// What takes the value of a pipeline.
enum Targets<'t> {
    /// New variables.
    Declared(Vec<&'t str>),
    /// The slots of known ones; none when the value is not kept.
    Assigned(Vec<usize>),
}

impl<'t> Parser<'t> {
    /// Reads a pipeline and what closes it.
    pub(super) fn pipeline(&mut self, inside: &str, closing: &Kind) -> Result<Pipe, ParseError> {
        self.skip_space();
        let place = self.peek().place;
        let targets = self.targets(inside)?;
        let mut commands: Vec<Command> = Vec::new();
        loop {
            self.skip_space();
            let token = self.peek().clone();
            if token.kind == *closing {
                self.next();
                if commands.is_empty() {
                    return Err(self.error(place, format!("a value is missing in {inside}")));
                }
                // Only now: the pipeline itself still sees an outer variable of the same name.
                let variables = match targets {
                    Targets::Declared(names) => {
                        names.into_iter().map(|name| self.declare(name)).collect()
                    }
                    Targets::Assigned(slots) => slots,
                };
                return Ok(Pipe { place, variables, commands });
            }
            let command = self.command(inside)?;
            if !commands.is_empty() && !takes_arguments(&command.operand) {
                let message = "only a function or a method can stand behind `|`: it gets the value as its last argument";
                return Err(self.error(command.place, message));
            }
            commands.push(command);
        }
    }

    /// Reads `$x :=`, `$x =`, and `$index, $element :=` of a range.
    fn targets(&mut self, inside: &str) -> Result<Targets<'t>, ParseError> {
        let start = self.position();
        let mut names: Vec<(&'t str, Place)> = Vec::new();
        loop {
            let variable = self.next_after_space();
            if variable.kind != Kind::Variable {
                if names.is_empty() {
                    break;
                }
                return Err(self.unexpected(
                    &variable,
                    "a declaration: a variable is expected behind the comma",
                ));
            }
            names.push((variable.text, variable.place));
            let token = self.next_after_space();
            match token.kind {
                Kind::Declare => {
                    return Ok(Targets::Declared(
                        names.into_iter().map(|(name, _)| name).collect(),
                    ));
                }
                Kind::Assign => {
                    let slots: Result<_, _> =
                        names.into_iter().map(|(name, place)| self.slot(name, place)).collect();
                    return slots.map(Targets::Assigned);
                }
                Kind::Comma if inside == "`range`" && names.len() < 2 => {}
                Kind::Comma => {
                    let message = format!(
                        "too many variables in {inside}: `range` takes two, anything else one"
                    );
                    return Err(self.error(token.place, message));
                }
                _ if names.len() > 1 => {
                    return Err(self.unexpected(&token, "a declaration: `:=` is expected"));
                }
                _ => break,
            }
        }
        self.go_back(start);
        Ok(Targets::Assigned(Vec::new()))
    }

    fn declare(&mut self, name: &'t str) -> usize {
        self.scope.variables.push(name);
        self.scope.slots = self.scope.slots.max(self.scope.variables.len());
        self.scope.variables.len() - 1
    }

    fn slot(&self, name: &str, place: Place) -> Result<usize, ParseError> {
        self.scope.variables.iter().rposition(|known| *known == name).ok_or_else(|| {
            let nearest = language::nearest(
                name,
                self.scope.variables.iter().copied().filter(|known| *known != "$"),
            );
            let help = nearest.map_or_else(
                || format!("declare it first: `{{{{ {name} := … }}}}`"),
                |nearest| format!("did you mean `{nearest}`?"),
            );
            self.error(place, format!("there is no variable `{name}` here; {help}"))
        })
    }

    /// Reads an operand and its arguments up to `|`, which is taken, or what closes the pipeline.
    fn command(&mut self, inside: &str) -> Result<Command, ParseError> {
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let position = self.position();
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::Close | Kind::RightParenthesis => {
                    self.go_back(position);
                    break;
                }
                Kind::Pipe => {
                    self.skip_space();
                    if matches!(self.peek().kind, Kind::Close | Kind::RightParenthesis) {
                        return Err(self.error(token.place, "a command is missing behind `|`"));
                    }
                    break;
                }
                _ => return Err(self.misplaced(&token, inside)),
            }
        }
        let mut operands = operands.into_iter();
        let Some(operand) = operands.next() else {
            let token = self.peek().clone();
            return Err(self.unexpected(&token, inside));
        };
        Ok(Command { place: operand.place, operand, arguments: operands.collect() })
    }

    /// Says what is wrong with a token that neither is an operand nor ends a command.
    fn misplaced(&self, token: &Token<'t>, inside: &str) -> ParseError {
        let help = match (&token.kind, token.text) {
            (Kind::Other, "}") => "an action is closed by `}}`".to_owned(),
            (Kind::Assign | Kind::Declare, _) => {
                "only a variable can take a value: `$name := …`".to_owned()
            }
            (Kind::Other, "+" | "*" | "/" | "%" | "<" | ">" | "&" | "!") => {
                "there are no operators; use functions such as `eq`, `lt`, `and`, `or`, `not`"
                    .to_owned()
            }
            (Kind::Quoted | Kind::Raw | Kind::Number | Kind::Variable | Kind::Word, _) => {
                "a space is missing before it".to_owned()
            }
            _ => return self.unexpected(token, inside),
        };
        self.error(
            token.place,
            format!("{} cannot stand here, in {inside}: {help}", token.describe()),
        )
    }

    /// Reads one operand with the fields behind it; `None` when none stands here.
    fn operand(&mut self) -> Result<Option<Operand>, ParseError> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(Arc::from(self.next().text));
        }
        if self.peek().kind == Kind::Dot {
            let token = self.next();
            return Err(self.error(token.place, "the name of a field is missing behind this dot"));
        }
        if fields.is_empty() {
            return Ok(Some(operand));
        }
        operand.kind = match operand.kind {
            OperandKind::Field(mut first) => {
                first.extend(fields);
                OperandKind::Field(first)
            }
            OperandKind::Variable(slot, mut first) => {
                first.extend(fields);
                OperandKind::Variable(slot, first)
            }
            OperandKind::Dot => {
                return Err(self
                    .error(operand.place, "a field of the dot is written `.name`, with one dot"));
            }
            OperandKind::Nil | OperandKind::Constant(_) => {
                return Err(self.error(operand.place, "a constant has no fields"));
            }
            kind => OperandKind::Chain(Box::new(Operand { place: operand.place, kind }), fields),
        };
        Ok(Some(operand))
    }

    fn term(&mut self) -> Result<Option<Operand>, ParseError> {
        let position = self.position();
        let token = self.next();
        let place = token.place;
        let constant = |read: Result<Value, String>| {
            read.map(OperandKind::Constant).map_err(|message| self.error(place, message))
        };
        let kind = match token.kind {
            Kind::Word => match token.text {
                "true" => OperandKind::Constant(Value::Bool(true)),
                "false" => OperandKind::Constant(Value::Bool(false)),
                "nil" => OperandKind::Nil,
                name if KEYWORDS.contains(&name) => {
                    return Err(self
                        .error(place, format!("`{name}` stands first in an action, or nowhere")));
                }
                name => OperandKind::Function(name.into(), self.function(name, place)?),
            },
            Kind::Dot => OperandKind::Dot,
            Kind::Field => OperandKind::Field(vec![token.text.into()]),
            Kind::Variable => OperandKind::Variable(self.slot(token.text, place)?, Vec::new()),
            Kind::Number => constant(constant::number(token.text))?,
            Kind::Character => constant(constant::character(token.text))?,
            Kind::Quoted => constant(constant::quoted(token.text).map(Value::from))?,
            Kind::Raw => constant(Ok(Value::from(token.text.replace('\r', ""))))?,
            Kind::LeftParenthesis => {
                let pipe = self.nested(place, |parser| {
                    parser.pipeline("parentheses; `)` is expected", &Kind::RightParenthesis)
                })?;
                OperandKind::Pipe(Box::new(pipe))
            }
            Kind::Broken(_) => return Err(self.unexpected(&token, "")),
            _ => {
                self.go_back(position);
                return Ok(None);
            }
        };
        Ok(Some(Operand { place, kind }))
    }

    fn function(&self, name: &str, place: Place) -> Result<Callee, ParseError> {
        language::callee(name).ok_or_else(|| {
            let help = language::nearest(name, language::names())
                .map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"));
            self.error(place, format!("there is no function `{name}`{help}"))
        })
    }
}

/// Returns whether the operand can stand behind `|`.
fn takes_arguments(operand: &Operand) -> bool {
    !matches!(operand.kind, OperandKind::Dot | OperandKind::Nil | OperandKind::Constant(_))
}
