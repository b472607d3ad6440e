//! Reads a text into its own tree and those of the templates it defines.

use std::sync::Arc;

use super::lexer;
use super::token::{Kind, Token};
use super::tree::{Node, Place, Template};
use super::{MAX_NESTING, MAX_TEMPLATE_BYTES};
use crate::error::ParseError;

/// What a text holds.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// The text itself.
    pub(crate) root: Template,
    /// What it defines, in order.
    pub(crate) defined: Vec<Template>,
}

/// Reads a text. `file` is what errors call it and `name` what the text itself is called by.
pub(crate) fn parse(file: &str, name: &str, text: &str) -> Result<Parsed, ParseError> {
    let file: Arc<str> = file.into();
    let start = Place { line: 1, column: 1 };
    if text.len() > MAX_TEMPLATE_BYTES {
        let message = format!(
            "this template has {} bytes; at most {MAX_TEMPLATE_BYTES} are read",
            text.len()
        );
        return Err(ParseError { name: file, line: 1, column: 1, message });
    }
    let mut parser = Parser {
        file,
        tokens: lexer::tokens(text),
        at: 0,
        defined: Vec::new(),
        scope: Scope::default(),
        nesting: 0,
    };
    let (body, ending) = parser.list()?;
    match ending {
        Ending::Text => {}
        Ending::End(place) => return Err(parser.error(place, "this `{{ end }}` closes nothing")),
        Ending::Else(place) => {
            return Err(
                parser.error(place, "this `{{ else }}` belongs to no `if`, `with` or `range`")
            );
        }
    }
    let slots = parser.scope.slots;
    let root = Template { name: name.into(), file: parser.file, place: start, body, slots };
    Ok(Parsed { root, defined: parser.defined })
}

/// How a list of nodes ended.
pub(super) enum Ending {
    /// With the text.
    Text,
    /// With `{{ end }}`, which is read.
    End(Place),
    /// With `{{ else`, of which the word is read.
    Else(Place),
}

/// The variables in sight, and whether a loop is around.
pub(super) struct Scope<'t> {
    pub(super) variables: Vec<&'t str>,
    /// The most variables that were in sight at once.
    pub(super) slots: usize,
    /// How many loops are around.
    pub(super) loops: usize,
}

impl Default for Scope<'_> {
    fn default() -> Self {
        Self { variables: vec!["$"], slots: 1, loops: 0 }
    }
}

pub(super) struct Parser<'t> {
    file: Arc<str>,
    tokens: Vec<Token<'t>>,
    at: usize,
    defined: Vec<Template>,
    pub(super) scope: Scope<'t>,
    nesting: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn error(&self, place: Place, message: impl Into<String>) -> ParseError {
        ParseError {
            name: self.file.clone(),
            line: place.line,
            column: place.column,
            message: message.into(),
        }
    }

    /// Returns the next token; the last one stays.
    pub(super) fn peek(&self) -> &Token<'t> {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn next(&mut self) -> Token<'t> {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().kind == Kind::Space {
            self.at += 1;
        }
    }

    pub(super) fn next_after_space(&mut self) -> Token<'t> {
        self.skip_space();
        self.next()
    }

    /// Returns to an earlier position.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn go_back(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn unexpected(&self, token: &Token<'t>, inside: &str) -> ParseError {
        match &token.kind {
            Kind::Broken(reason) => self.error(token.place, reason),
            _ => self
                .error(token.place, format!("{} cannot stand here, in {inside}", token.describe())),
        }
    }

    pub(super) fn close(&mut self, inside: &str) -> Result<(), ParseError> {
        let token = self.next_after_space();
        if token.kind == Kind::Close { Ok(()) } else { Err(self.unexpected(&token, inside)) }
    }

    /// Goes one level down for the time of `read`.
    pub(super) fn nested<T>(
        &mut self,
        place: Place,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        if self.nesting == MAX_NESTING {
            return Err(self.error(
                place,
                format!("blocks and parentheses stand deeper than {MAX_NESTING} in each other"),
            ));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    /// Reads text and actions up to what ends them.
    pub(super) fn list(&mut self) -> Result<(Vec<Node>, Ending), ParseError> {
        let mut nodes = Vec::new();
        loop {
            let token = self.next();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(token.text.into(), token.place)),
                Kind::Open => {
                    if let Some(ending) = self.action(token.place, &mut nodes)? {
                        return Ok((nodes, ending));
                    }
                }
                Kind::End => return Ok((nodes, Ending::Text)),
                _ => return Err(self.unexpected(&token, "a template")),
            }
        }
    }

    /// Reads what must end with `{{ end }}`.
    pub(super) fn list_to_end(
        &mut self,
        opened: Place,
        what: &str,
    ) -> Result<Vec<Node>, ParseError> {
        match self.list()? {
            (nodes, Ending::End(_)) => Ok(nodes),
            (_, Ending::Else(place)) => Err(self
                .error(place, format!("there is no `{{{{ else }}}}` in {what}, or a second one"))),
            (_, Ending::Text) => Err(self.not_closed(opened, what)),
        }
    }

    pub(super) fn not_closed(&self, opened: Place, what: &str) -> ParseError {
        self.error(opened, format!("this {what} is not closed: its `{{{{ end }}}}` is missing"))
    }

    /// Keeps a definition. An empty one never replaces another, and two others must not meet.
    pub(super) fn define(&mut self, template: Template) -> Result<(), ParseError> {
        let Some(known) = self.defined.iter_mut().find(|known| known.name == template.name) else {
            self.defined.push(template);
            return Ok(());
        };
        if known.is_empty() {
            *known = template;
        } else if !template.is_empty() {
            let first = known.place.line;
            let message =
                format!("the template {:?} is already defined on line {first}", &*template.name);
            return Err(self.error(template.place, message));
        }
        Ok(())
    }

    /// Reads a template of its own: other variables, no loop around.
    pub(super) fn separate_template(
        &mut self,
        name: Arc<str>,
        opened: Place,
        what: &str,
    ) -> Result<(), ParseError> {
        let outer = std::mem::take(&mut self.scope);
        let body = self.nested(opened, |parser| parser.list_to_end(opened, what))?;
        let inner = std::mem::replace(&mut self.scope, outer);
        self.define(Template {
            name,
            file: self.file.clone(),
            place: opened,
            body,
            slots: inner.slots,
        })
    }

    /// Returns whether the reader is inside something.
    pub(super) fn is_nested(&self) -> bool {
        self.nesting > 0
    }
}
