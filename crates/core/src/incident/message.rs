//! Messages about an incident to those who do not work on it: templates with strict variables, and
//! what they become.
//!
//! A variable that nobody gave a value is an error that names it: better no message than one with
//! a hole in it.

mod built_in;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::MAX_TEXT_CHARS;
use crate::text::{cut, one_line};

pub use built_in::{built_in_templates, template_by_alias, template_of_kind};
pub use variables::{GIVEN_VARIABLES, INCIDENT_VARIABLES, variables_of};

/// The most characters of a subject.
pub const MAX_SUBJECT_CHARS: usize = 200;

/// The most templates, lists of recipients, and variables that a configuration has.
pub const MAX_NAMED: usize = 200;

/// The most recipients that one message names.
pub const MAX_RECIPIENTS: usize = 50;

/// Who reads a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Colleagues.
    #[default]
    Internal,
    /// Customers.
    Customer,
    /// Executives.
    Executive,
}

impl Audience {
    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Customer => "customer",
            Self::Executive => "executive",
        }
    }
}

/// A text with variables in braces, as in `{title}`; `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is too long.
    #[error("has more than {limit} characters")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// A brace has no partner.
    #[error("has a `{brace}` without its partner; write `{brace}{brace}` for one that is text")]
    Unpaired {
        /// Which.
        brace: char,
    },
    /// Between braces is no name.
    #[error("`{{{name}}}` is no variable; its name has letters, digits and `_`")]
    NoName {
        /// What stands there.
        name: String,
    },
}

impl Pattern {
    /// Reads a text.
    ///
    /// # Errors
    /// [`PatternError`] when braces do not fit together.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.chars().count() > MAX_TEXT_CHARS {
            return Err(PatternError::TooLong { limit: MAX_TEXT_CHARS });
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' if rest.next_if_eq(&c).is_some() => literal.push(c),
                '}' => return Err(PatternError::Unpaired { brace: '}' }),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some(c) => name.push(c),
                            None => return Err(PatternError::Unpaired { brace: '{' }),
                        }
                    }
                    if !is_name(&name) {
                        return Err(PatternError::NoName { name });
                    }
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Variable(name));
                }
                c => literal.push(c),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }

    /// Returns the names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Variable(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Puts values in the place of variables, once: braces in a value are text.
    fn fill(&self, values: &BTreeMap<String, String>, missing: &mut BTreeSet<String>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Variable(name) => match values.get(name).filter(|it| !it.is_empty()) {
                    Some(value) => text.push_str(value),
                    None => {
                        missing.insert(name.clone());
                    }
                },
            }
        }
        text
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => {
                    f.write_str(&text.replace('{', "{{").replace('}', "}}"))?;
                }
                Piece::Variable(name) => write!(f, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// Returns whether something may be the name of a variable.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What a message is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTemplate {
    /// Its name.
    pub name: CompactString,
    /// Who reads it.
    pub audience: Audience,
    /// Its subject, which is one line.
    pub subject: Pattern,
    /// What it says.
    pub body: Pattern,
}

/// A message as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The template it was made from; empty when there was none.
    pub template: CompactString,
    /// Who reads it.
    pub audience: Audience,
    /// One line.
    pub subject: String,
    /// What it says.
    pub body: String,
}

/// Variables that have no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingVariables(pub BTreeSet<String>);

impl MessageTemplate {
    /// Returns the names of all its variables.
    pub fn variables(&self) -> BTreeSet<&str> {
        self.subject.variables().chain(self.body.variables()).collect()
    }

    /// Makes a message.
    ///
    /// # Errors
    /// [`MissingVariables`] names all that have no value.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<Message, MissingVariables> {
        let mut missing = BTreeSet::new();
        let subject = self.subject.fill(values, &mut missing);
        let body = self.body.fill(values, &mut missing);
        if !missing.is_empty() {
            return Err(MissingVariables(missing));
        }
        Ok(Message {
            template: self.name.clone(),
            audience: self.audience,
            subject: cut(&one_line(&subject), MAX_SUBJECT_CHARS),
            body: cut(body.trim(), MAX_TEXT_CHARS),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(subject: &str, body: &str) -> MessageTemplate {
        MessageTemplate {
            name: "t".into(),
            audience: Audience::Customer,
            subject: Pattern::parse(subject).unwrap(),
            body: Pattern::parse(body).unwrap(),
        }
    }

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_variable_without_a_value_is_named_at_once() {
        let template = template("{title}", "{impact}: {next} {{not}} {title}");
        let error = template.render(&values(&[("title", "x"), ("next", "")])).unwrap_err();
        assert_eq!(error.0.into_iter().collect::<Vec<_>>(), ["impact", "next"]);
        let all = values(&[("title", "a\nb"), ("next", "{title}"), ("impact", "some")]);
        let message = template.render(&all).unwrap();
        assert_eq!(message.subject, "a b", "a subject is one line");
        // What somebody wrote is text, whatever it looks like.
        assert_eq!(message.body, "some: {title} {not} a\nb");
    }

    #[test]
    fn braces_without_partners_are_refused_with_the_way_to_write_them() {
        for (text, says) in [
            ("a } b", "`}` without its partner; write `}}`"),
            ("a {b", "`{` without its partner; write `{{`"),
            ("a {b c}", "`{b c}` is no variable"),
            ("{}", "`{}` is no variable"),
        ] {
            let error = Pattern::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn built_in_templates_use_known_variables_only() {
        let known: BTreeSet<&str> = INCIDENT_VARIABLES
            .iter()
            .chain(GIVEN_VARIABLES.iter())
            .map(|(name, _)| *name)
            .collect();
        for template in built_in_templates() {
            let unknown: Vec<&str> =
                template.variables().into_iter().filter(|it| !known.contains(it)).collect();
            assert!(unknown.is_empty(), "{}: {unknown:?}", template.name);
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_again(text in "[a-z{} ]{0,30}") {
            if let Ok(pattern) = Pattern::parse(&text) {
                prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }
    }
}
