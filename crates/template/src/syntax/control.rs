//! Actions that begin with a keyword.

use super::constant;
use super::parser::{Ending, Parser};
use super::token::{Kind, Token};
use super::tree::{Branch, BranchKind, Node, Pipe, Place};
use crate::error::ParseError;

impl Parser<'_> {
    /// Reads one action behind its `{{`; returns the ending when it was `end` or `else`.
    pub(super) fn action(
        &mut self,
        opened: Place,
        nodes: &mut Vec<Node>,
    ) -> Result<Option<Ending>, ParseError> {
        self.skip_space();
        let position = self.position();
        let token = self.next();
        let keyword = if token.kind == Kind::Word { token.text } else { "" };
        match keyword {
            "if" => nodes.push(self.branch(BranchKind::If, opened)?),
            "with" => nodes.push(self.branch(BranchKind::With, opened)?),
            "range" => nodes.push(self.branch(BranchKind::Range, opened)?),
            "end" => {
                self.close("`end`")?;
                return Ok(Some(Ending::End(opened)));
            }
            "else" => return Ok(Some(Ending::Else(opened))),
            "define" => self.definition(opened)?,
            "block" => nodes.push(self.block(opened)?),
            "template" => nodes.push(self.call(opened)?),
            "break" | "continue" => {
                self.close(&format!("`{keyword}`"))?;
                if self.scope.loops == 0 {
                    return Err(self.error(
                        opened,
                        format!("`{{{{ {keyword} }}}}` stands outside of every `range`"),
                    ));
                }
                nodes.push(if keyword == "break" { Node::Break } else { Node::Continue });
            }
            _ => {
                self.go_back(position);
                let pipe = self.pipeline("an action", &Kind::Close)?;
                nodes.push(Node::Action(pipe));
            }
        }
        Ok(None)
    }

    fn branch(&mut self, kind: BranchKind, opened: Place) -> Result<Node, ParseError> {
        let visible = self.scope.variables.len();
        let branch = self.nested(opened, |parser| parser.branch_inside(kind, opened))?;
        self.scope.variables.truncate(visible);
        Ok(Node::Branch(branch))
    }

    fn branch_inside(&mut self, kind: BranchKind, place: Place) -> Result<Branch, ParseError> {
        let what = format!("`{}`", kind.word());
        let pipe = self.pipeline(&what, &Kind::Close)?;
        let is_loop = usize::from(kind == BranchKind::Range);
        self.scope.loops += is_loop;
        let (body, ending) = self.list()?;
        self.scope.loops -= is_loop;
        let otherwise = match ending {
            Ending::End(_) => Vec::new(),
            Ending::Else(place) => self.otherwise(kind, place, &what)?,
            Ending::Text => return Err(self.not_closed(place, &what)),
        };
        Ok(Branch { kind, place, pipe, body, otherwise })
    }

    /// Reads what follows `{{ else`: the rest of an `else if` or `else with`, or nodes up to the end.
    fn otherwise(
        &mut self,
        kind: BranchKind,
        place: Place,
        what: &str,
    ) -> Result<Vec<Node>, ParseError> {
        self.skip_space();
        let token = self.peek().clone();
        if token.kind == Kind::Word && matches!(token.text, "if" | "with") {
            if token.text != kind.word() {
                let message = format!(
                    "`else {}` does not go with {what}; write `else` and a block of its own",
                    token.text
                );
                return Err(self.error(token.place, message));
            }
            self.next();
            // The end of the inner one is the end of both.
            return Ok(vec![self.branch(kind, place)?]);
        }
        self.close("`else`")?;
        self.list_to_end(place, what)
    }

    fn definition(&mut self, opened: Place) -> Result<(), ParseError> {
        if self.is_nested() {
            return Err(self.error(
                opened,
                "`define` stands at the top of a file, never inside another block",
            ));
        }
        let name = self.name("`define`")?;
        self.close("`define`")?;
        self.separate_template(name.as_str().into(), opened, "`define`")
    }

    fn block(&mut self, place: Place) -> Result<Node, ParseError> {
        let name = self.name("`block`")?;
        let pipe = self.pipeline("`block`", &Kind::Close)?;
        self.separate_template(name.as_str().into(), place, "`block`")?;
        Ok(Node::Call { place, name: name.into(), pipe: Some(pipe) })
    }

    fn call(&mut self, place: Place) -> Result<Node, ParseError> {
        let name = self.name("`template`")?;
        self.skip_space();
        let pipe: Option<Pipe> = if self.peek().kind == Kind::Close {
            self.next();
            None
        } else {
            Some(self.pipeline("`template`", &Kind::Close)?)
        };
        Ok(Node::Call { place, name: name.into(), pipe })
    }

    fn name(&mut self, inside: &str) -> Result<String, ParseError> {
        let token = self.next_after_space();
        match token {
            Token { kind: Kind::Quoted, text, place } => {
                constant::quoted(text).map_err(|message| self.error(place, message))
            }
            Token { kind: Kind::Raw, text, .. } => Ok(text.to_owned()),
            Token { kind: Kind::Broken(_), .. } => Err(self.unexpected(&token, inside)),
            _ => Err(self.error(
                token.place,
                format!(
                    "{inside} needs the name of a template in quotes, not {}",
                    token.describe()
                ),
            )),
        }
    }
}
