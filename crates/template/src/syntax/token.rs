//! The words of a template.

use super::tree::Place;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Outside of actions, already trimmed.
    Text,
    /// `{{`.
    Open,
    /// `}}`.
    Close,
    /// White space inside an action; it separates arguments.
    Space,
    /// A function, a keyword, `true` or `false`.
    Word,
    /// `.Name`, without the dot.
    Field,
    /// `$name`, with the dollar.
    Variable,
    /// `.` alone.
    Dot,
    Number,
    Character,
    /// `"…"`, with the quotes.
    Quoted,
    /// `` `…` ``, without the quotes.
    Raw,
    /// `:=`.
    Declare,
    /// `=`.
    Assign,
    /// `|`.
    Pipe,
    LeftParenthesis,
    RightParenthesis,
    Comma,
    /// Any other printable ASCII character.
    Other,
    /// Nothing follows.
    End,
    /// What cannot be read, with the reason; nothing follows.
    Broken(String),
}

impl Token<'_> {
    /// Returns how errors call it.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            Kind::Text => "text".to_owned(),
            Kind::Close => "`}}`".to_owned(),
            Kind::Field => format!("`.{}`", self.text),
            Kind::End => "the end of the template".to_owned(),
            Kind::Raw => "a raw string".to_owned(),
            Kind::Space => "a space".to_owned(),
            Kind::Broken(reason) => reason.clone(),
            _ => format!("`{}`", self.text),
        }
    }
}
