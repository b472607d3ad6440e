//! Splits a text into tokens, with the place of each.

use super::token::{Kind, Token};
use super::tree::{Place, is_space};

/// Splits the text. The last token is [`Kind::End`], or [`Kind::Broken`] where reading stopped.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, at: 0, place: Place { line: 1, column: 1 }, tokens: Vec::new() };
    let last = match lexer.outside() {
        Ok(()) => Token { kind: Kind::End, text: "", place: lexer.place },
        Err((place, reason)) => Token { kind: Kind::Broken(reason), text: "", place },
    };
    lexer.tokens.push(last);
    lexer.tokens
}

type Broken = (Place, String);

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    place: Place,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Moves on by `length` bytes and returns them.
    fn advance(&mut self, length: usize) -> &'t str {
        let passed = &self.text[self.at..self.at + length];
        self.place = self.place.behind(passed);
        self.at += length;
        passed
    }

    fn advance_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        self.advance(rest.find(|character| !belongs(character)).unwrap_or(rest.len()))
    }

    fn push(&mut self, kind: Kind, text: &'t str, place: Place) {
        self.tokens.push(Token { kind, text, place });
    }

    /// Text and actions in turn until the end.
    fn outside(&mut self) -> Result<(), Broken> {
        loop {
            let place = self.place;
            let rest = self.rest();
            let open = rest.find("{{");
            let mut text = self.advance(open.unwrap_or(rest.len()));
            let trims = open.is_some() && trims_left(&self.rest()[2..]);
            if trims {
                text = text.trim_end_matches(is_space);
            }
            if !text.is_empty() {
                self.push(Kind::Text, text, place);
            }
            if open.is_none() {
                return Ok(());
            }
            self.action(trims)?;
        }
    }

    /// From `{{` to behind `}}` and the white space that `-}}` takes away.
    fn action(&mut self, trims: bool) -> Result<(), Broken> {
        let opened = self.place;
        let after_marker = &self.rest()[if trims { 4 } else { 2 }..];
        if after_marker.starts_with("/*") {
            return self.comment(opened, if trims { 4 } else { 2 });
        }
        let open = self.advance(2);
        self.push(Kind::Open, open, opened);
        if trims {
            self.advance(2);
        }
        while !self.close() {
            self.inside(opened)?;
        }
        Ok(())
    }

    fn comment(&mut self, opened: Place, marker: usize) -> Result<(), Broken> {
        self.advance(marker + 2);
        let Some(length) = self.rest().find("*/") else {
            return Err((opened, "this comment has no end: `*/}}` is missing".to_owned()));
        };
        self.advance(length + 2);
        let here = self.place;
        let tokens = self.tokens.len();
        if !self.close() {
            return Err((
                here,
                "a comment ends with `*/}}` or `*/ -}}`: nothing else fits between".to_owned(),
            ));
        }
        // A comment leaves nothing behind.
        self.tokens.truncate(tokens);
        Ok(())
    }

    /// Takes `}}` or ` -}}` when one stands here.
    fn close(&mut self) -> bool {
        let rest = self.rest();
        let place = self.place;
        if rest.starts_with("}}") {
            let text = self.advance(2);
            self.push(Kind::Close, text, place);
            return true;
        }
        if closes_with_trim(rest) {
            self.advance(2);
            let text = self.advance(2);
            self.push(Kind::Close, text, place);
            self.advance_while(is_space);
            return true;
        }
        false
    }

    /// One token inside an action.
    fn inside(&mut self, opened: Place) -> Result<(), Broken> {
        let place = self.place;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err((opened, "this action is not closed: `}}` is missing".to_owned()));
        };
        let simple = match first {
            '|' => Some(Kind::Pipe),
            '(' => Some(Kind::LeftParenthesis),
            ')' => Some(Kind::RightParenthesis),
            ',' => Some(Kind::Comma),
            '=' => Some(Kind::Assign),
            _ => None,
        };
        if let Some(kind) = simple {
            let text = self.advance(1);
            self.push(kind, text, place);
            return Ok(());
        }
        match first {
            _ if is_space(first) => {
                // The space of ` -}}` belongs to the closing.
                let length = rest
                    .char_indices()
                    .find(|(at, character)| !is_space(*character) || closes_with_trim(&rest[*at..]))
                    .map_or(rest.len(), |(at, _)| at);
                let text = self.advance(length);
                self.push(Kind::Space, text, place);
            }
            ':' if rest.starts_with(":=") => {
                let text = self.advance(2);
                self.push(Kind::Declare, text, place);
            }
            '"' => self.quoted('"', Kind::Quoted)?,
            '\'' => self.quoted('\'', Kind::Character)?,
            '`' => self.raw()?,
            '.' if !rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                self.advance(1);
                let name = self.name()?;
                self.push(if name.is_empty() { Kind::Dot } else { Kind::Field }, name, place);
            }
            '$' => {
                let start = self.at;
                self.advance(1);
                self.name()?;
                self.push(Kind::Variable, &self.text[start..self.at], place);
            }
            '.' | '+' | '-' | '0'..='9' => self.number()?,
            _ if is_name(first) => {
                let word = self.name()?;
                self.push(Kind::Word, word, place);
            }
            _ if first.is_ascii_graphic() => {
                let text = self.advance(1);
                self.push(Kind::Other, text, place);
            }
            _ => return Err((place, format!("the character {first:?} cannot stand in an action"))),
        }
        Ok(())
    }

    /// A name, which may be empty, and must be followed by something that ends it.
    fn name(&mut self) -> Result<&'t str, Broken> {
        let name = self.advance_while(is_name);
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(name),
            Some(next) if is_space(next) || self.rest().starts_with("}}") => Ok(name),
            Some(next) => Err((
                self.place,
                format!("the character {next:?} cannot follow here; put a space before it"),
            )),
        }
    }

    fn quoted(&mut self, quote: char, kind: Kind) -> Result<(), Broken> {
        let place = self.place;
        let rest = self.rest();
        let mut escaped = false;
        for (at, character) in rest.char_indices().skip(1) {
            match character {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == quote => {
                    let text = self.advance(at + 1);
                    self.push(kind, text, place);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err((place, format!("this text has no end: {quote} is missing on this line")))
    }

    fn raw(&mut self) -> Result<(), Broken> {
        let place = self.place;
        let Some(length) = self.rest()[1..].find('`') else {
            return Err((place, "this raw string has no end: ` is missing".to_owned()));
        };
        let text = self.advance(length + 2);
        self.push(Kind::Raw, &text[1..=length], place);
        Ok(())
    }

    /// A number with its sign; whether it is a right one is decided when it is converted.
    fn number(&mut self) -> Result<(), Broken> {
        let place = self.place;
        let start = self.at;
        if matches!(self.peek(), Some('+' | '-')) {
            self.advance(1);
        }
        let hexadecimal = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        loop {
            let before = self.at;
            self.advance_while(|character| is_name(character) || character == '.');
            let exponent = if hexadecimal { ['p', 'P'] } else { ['e', 'E'] };
            let signed = self.text[start..self.at].ends_with(exponent)
                && matches!(self.peek(), Some('+' | '-'));
            if !signed || self.at == before {
                break;
            }
            self.advance(1);
        }
        self.push(Kind::Number, &self.text[start..self.at], place);
        Ok(())
    }
}

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Returns whether what follows `{{` is a trim marker: a dash and white space.
fn trims_left(after_open: &str) -> bool {
    after_open.strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space))
}

/// Returns whether ` -}}` stands here.
fn closes_with_trim(rest: &str) -> bool {
    rest.starts_with(is_space) && rest[1..].starts_with("-}}")
}
