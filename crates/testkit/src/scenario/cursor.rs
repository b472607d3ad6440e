//! Reads one line, piece by piece, and knows where it is when something is wrong.

use tocsin_core::labels::Labels;
use tocsin_core::matcher::{MatchOp, Matchers, ParseMode, parse_matchers};

/// What is wrong with a line, and where in it (bytes, counted from 0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// A place in a line.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut cursor = Self { text, offset: 0 };
        cursor.skip_space();
        cursor
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.offset..]
    }

    pub(super) fn trouble(&self, message: impl Into<String>) -> Trouble {
        Trouble { offset: self.offset, message: message.into() }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.offset += rest.len() - rest.trim_start().len();
    }

    fn advance(&mut self, bytes: usize) {
        self.offset += bytes;
        self.skip_space();
    }

    /// Returns the word that is next, without taking it; empty when something else is.
    pub(super) fn peek(&self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | '"' | '='))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    /// Takes the word that is next.
    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, Trouble> {
        let word = self.peek();
        if word.is_empty() {
            return Err(self.trouble(format!("expected {what}, found {}", self.found())));
        }
        self.advance(word.len());
        Ok(word)
    }

    /// Takes `word` if it is next.
    pub(super) fn takes(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word;
        if is_next {
            self.advance(word.len());
        }
        is_next
    }

    /// Takes these words if they are next, all or none.
    pub(super) fn takes_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let all = words.iter().all(|word| ahead.takes(word));
        if all {
            *self = ahead;
        }
        all
    }

    /// Takes `mark` if it is next.
    pub(super) fn takes_mark(&mut self, mark: char) -> bool {
        let is_next = self.rest().starts_with(mark);
        if is_next {
            self.advance(mark.len_utf8());
        }
        is_next
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<(), Trouble> {
        if self.takes(word) {
            return Ok(());
        }
        Err(self.trouble(format!("expected `{word}`, found {}", self.found())))
    }

    pub(super) fn starts_with(&self, mark: char) -> bool {
        self.rest().starts_with(mark)
    }

    /// Takes everything that is left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.offset = self.text.len();
        rest
    }

    /// Takes a text in double quotes; `\"` and `\\` stand for themselves.
    pub(super) fn quoted(&mut self, what: &str) -> Result<String, Trouble> {
        if !self.starts_with('"') {
            let found = self.found();
            return Err(self.trouble(format!("expected {what} in double quotes, found {found}")));
        }
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.advance(at + 1);
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, c)) => text.push(c),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(self.trouble("the quotes are never closed"))
    }

    /// Takes `{a="1", b=~"x.*"}`.
    pub(super) fn matchers(&mut self) -> Result<Matchers, Trouble> {
        let start = self.offset;
        let text = self.braces()?;
        let parsed = parse_matchers(text, ParseMode::Fallback)
            .map_err(|e| Trouble { offset: start + e.offset, message: e.message })?;
        Ok(Matchers::new(parsed.value))
    }

    /// Takes `{a="1", b="2"}`.
    pub(super) fn labels(&mut self) -> Result<Labels, Trouble> {
        let start = self.offset;
        let matchers = self.matchers()?;
        for matcher in &matchers {
            if matcher.op() != MatchOp::Equal {
                let message = format!(
                    "an alert has labels, not matchers: write `{}={}`",
                    tocsin_core::quote::name(matcher.name()),
                    tocsin_core::quote::go(matcher.value())
                );
                return Err(Trouble { offset: start, message });
            }
        }
        Ok(matchers.iter().map(|matcher| (matcher.name(), matcher.value())).collect())
    }

    fn braces(&mut self) -> Result<&'a str, Trouble> {
        if !self.starts_with('{') {
            return Err(self.trouble(format!("expected `{{…}}`, found {}", self.found())));
        }
        let rest = self.rest();
        let mut is_quoted = false;
        let mut is_escaped = false;
        for (at, c) in rest.char_indices() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_quoted,
                '"' => is_quoted = !is_quoted,
                '}' if !is_quoted => {
                    self.advance(at + 1);
                    return Ok(&rest[..=at]);
                }
                _ => {}
            }
        }
        Err(self.trouble("the brace is never closed"))
    }

    /// Returns what is next, for messages.
    pub(super) fn found(&self) -> String {
        let word = self.peek();
        match (word.is_empty(), self.rest().chars().next()) {
            (false, _) => format!("`{word}`"),
            (true, Some(c)) => format!("`{c}`"),
            (true, None) => "the end of the line".to_owned(),
        }
    }
}

/// Returns ", did you mean …?" when one of `known` is close to `word`.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|k| (strsim::damerau_levenshtein(word, k), *k)).min();
    match nearest {
        Some((distance, known)) if distance <= word.len().max(4) / 2 => {
            format!(", did you mean `{known}`?")
        }
        _ => format!("; known are {}", known.join(", ")),
    }
}
