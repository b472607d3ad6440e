//! The UTF-8 grammar: any label name, quoted like a Go string where it holds reserved characters.
//!
//! Errors name the place as Alertmanager does, by columns counted in characters from zero.

use super::{MatchOp, Matcher, ParseError, go_string};

/// Reads a comma-separated list with optional braces and an optional last comma.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut parser = Parser { text, position: 0, column: 0, peeked: None };
    parser.list()
}

/// Reads exactly one matcher.
pub(super) fn matcher(text: &str) -> Result<Matcher, ParseError> {
    let mut found = matchers(text)?;
    match (found.pop(), found.len()) {
        (Some(matcher), 0) => Ok(matcher),
        (None, _) => Err(ParseError { message: "no matchers".to_owned(), offset: 0 }),
        (Some(_), others) => Err(ParseError {
            message: format!("expected 1 matcher, found {}", others + 1),
            offset: 0,
        }),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    OpenBrace,
    CloseBrace,
    Comma,
    Operator(MatchOp),
    Quoted,
    Unquoted,
    End,
}

#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    offset: usize,
    columns: (usize, usize),
}

impl Token<'_> {
    /// Says that the token is not the one that was expected.
    fn unexpected(&self, expected: &str) -> ParseError {
        let message = if self.kind == Kind::End {
            format!("end of input: {expected}")
        } else {
            self.place(&format!("unexpected {}: {expected}", self.text))
        };
        ParseError { message, offset: self.offset }
    }

    fn place(&self, what: &str) -> String {
        format!("{}:{}: {what}", self.columns.0, self.columns.1)
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Byte offset and column of the next character that no token has taken.
    position: usize,
    column: usize,
    peeked: Option<Token<'a>>,
}

impl<'a> Parser<'a> {
    fn list(&mut self) -> Result<Vec<Matcher>, ParseError> {
        let mut matchers = Vec::new();
        let has_brace = self.peek("")?.kind == Kind::OpenBrace;
        if has_brace {
            self.peeked = None;
        } else if self.peek("")?.kind == Kind::End {
            return Ok(matchers);
        }
        if !has_brace || !matches!(self.peek("")?.kind, Kind::CloseBrace | Kind::End) {
            self.matchers(&mut matchers)?;
        }
        let close = self.peek("expected close brace")?;
        match (has_brace, close.kind) {
            (true, Kind::CloseBrace) => self.peeked = None,
            (true, _) => {
                let message = format!("0:{}: end of input: expected close brace", close.columns.1);
                return Err(ParseError { message, offset: close.offset });
            }
            (false, Kind::CloseBrace) => {
                let message = format!("0:{}: }}: expected opening brace", close.columns.1);
                return Err(ParseError { message, offset: close.offset });
            }
            (false, _) => {}
        }
        let end = self.peek("expected end of input")?;
        if end.kind != Kind::End {
            let message = end.place(&format!("{}: expected end of input", end.text));
            return Err(ParseError { message, offset: end.offset });
        }
        Ok(matchers)
    }

    /// Reads matchers until the closing brace or the end is next.
    fn matchers(&mut self, matchers: &mut Vec<Matcher>) -> Result<(), ParseError> {
        const AFTER_COMMA: &str = "expected a matcher or close brace after comma";
        const AFTER_MATCHER: &str = "expected a comma or close brace";
        loop {
            matchers.push(self.matcher()?);
            let next = self.peek(AFTER_MATCHER)?;
            match next.kind {
                Kind::CloseBrace | Kind::End => return Ok(()),
                Kind::Comma => self.peeked = None,
                _ => return Err(next.unexpected(AFTER_MATCHER)),
            }
            let next = self.peek(AFTER_COMMA)?;
            match next.kind {
                Kind::CloseBrace | Kind::End => return Ok(()),
                Kind::Quoted | Kind::Unquoted => {}
                _ => return Err(next.unexpected(AFTER_COMMA)),
            }
        }
    }

    fn matcher(&mut self) -> Result<Matcher, ParseError> {
        const NO_OPERATOR: &str = "expected an operator such as '=', '!=', '=~' or '!~'";
        let (name_token, name) = self.literal("expected label name")?;
        if name.is_empty() {
            let message = name_token.place("\"\": a label name cannot be empty");
            return Err(ParseError { message, offset: name_token.offset });
        }
        let token = self.next(NO_OPERATOR)?;
        let Kind::Operator(op) = token.kind else { return Err(token.unexpected(NO_OPERATOR)) };
        let (value_token, value) = self.literal("expected label value")?;
        Matcher::new(name, op, value).map_err(|bad| ParseError {
            message: format!("failed to create matcher: {bad}"),
            offset: value_token.offset,
        })
    }

    /// Reads a name or a value.
    fn literal(&mut self, expected: &str) -> Result<(Token<'a>, String), ParseError> {
        let token = self.next(expected)?;
        let text = match token.kind {
            Kind::Unquoted => Some(token.text.to_owned()),
            Kind::Quoted => go_string::unescape(&token.text[1..token.text.len() - 1]),
            _ => return Err(token.unexpected(expected)),
        };
        match text {
            Some(text) => Ok((token, text)),
            None => Err(ParseError {
                message: token.place(&format!("{}: invalid input", token.text)),
                offset: token.offset,
            }),
        }
    }

    fn next(&mut self, expected: &str) -> Result<Token<'a>, ParseError> {
        let token = self.peek(expected)?;
        self.peeked = None;
        Ok(token)
    }

    /// Returns the next token without taking it; an error of the scanner says what was expected.
    fn peek(&mut self, expected: &str) -> Result<Token<'a>, ParseError> {
        if let Some(token) = self.peeked {
            return Ok(token);
        }
        let token = self.scan().map_err(|mut error| {
            if !expected.is_empty() {
                error.message = format!("{}: {expected}", error.message);
            }
            error
        })?;
        self.peeked = Some(token);
        Ok(token)
    }

    fn scan(&mut self) -> Result<Token<'a>, ParseError> {
        let rest = &self.text[self.position..];
        let trimmed = rest.trim_start();
        self.advance(rest.len() - trimmed.len());
        let (kind, length) = match trimmed.chars().next() {
            None => (Kind::End, 0),
            Some('{') => (Kind::OpenBrace, 1),
            Some('}') => (Kind::CloseBrace, 1),
            Some(',') => (Kind::Comma, 1),
            Some('=' | '!') => match operator(trimmed) {
                Some(op) => (Kind::Operator(op), op.as_str().len()),
                None => {
                    let found = if trimmed.len() == 1 { "unexpected end of input," } else { "!:" };
                    return Err(self.fail(1, &format!("{found} expected one of '=~'")));
                }
            },
            Some('"') => match closing_quote(trimmed) {
                Some(end) => (Kind::Quoted, end),
                None => {
                    let message = format!("{trimmed}: missing end \"");
                    return Err(self.fail(trimmed.len(), &message));
                }
            },
            Some(c) if is_reserved(c) => {
                return Err(self.fail(c.len_utf8(), &format!("{c}: invalid input")));
            }
            Some(_) => (Kind::Unquoted, trimmed.find(is_reserved).unwrap_or(trimmed.len())),
        };
        let (offset, column) = (self.position, self.column);
        self.advance(length);
        let text = &trimmed[..length];
        Ok(Token { kind, text, offset, columns: (column, self.column) })
    }

    fn advance(&mut self, bytes: usize) {
        self.column += self.text[self.position..self.position + bytes].chars().count();
        self.position += bytes;
    }

    /// Says what is wrong with the next `bytes` bytes, which no token can begin with.
    fn fail(&self, bytes: usize, what: &str) -> ParseError {
        let end = self.column + self.text[self.position..self.position + bytes].chars().count();
        ParseError { message: format!("{}:{end}: {what}", self.column), offset: self.position }
    }
}

/// Returns the operator that `text`, which begins with `=` or `!`, begins with.
fn operator(text: &str) -> Option<MatchOp> {
    [MatchOp::Regex, MatchOp::NotRegex, MatchOp::NotEqual, MatchOp::Equal]
        .into_iter()
        .find(|op| text.starts_with(op.as_str()))
}

/// Returns the length of the quoted string that `text` begins with, both quotes included.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}

fn is_reserved(c: char) -> bool {
    c.is_whitespace() || "{}!=~,\\\"'`".contains(c)
}
