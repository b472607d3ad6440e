//! The query language of lists, as far as alerts here have what it asks for: `field: value`,
//! comparisons of numbers, words of the message, `AND`, `OR`, `NOT` and parentheses.

use super::OpsgenieAlert;

/// The longest query, in bytes.
const MAX_QUERY_BYTES: usize = 1_000;
/// The most parentheses and negations within each other.
const MAX_DEPTH: usize = 20;

/// Which alerts to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query(Term);

/// Why a text is not a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query cannot be read: {0}")]
pub struct NotAQuery(String);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Every,
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Is { field: String, comparison: Comparison, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(Comparison),
    Open,
    Close,
}

/// Fields that hold texts, then those that hold numbers.
const TEXTS: [&str; 12] = [
    "status",
    "tag",
    "message",
    "priority",
    "alias",
    "entity",
    "source",
    "description",
    "owner",
    "acknowledged",
    "snoozed",
    "isseen",
];
const NUMBERS: [&str; 5] = ["createdat", "updatedat", "lastoccurredat", "count", "tinyid"];

impl Query {
    /// Reads a query; an empty one takes every alert.
    ///
    /// # Errors
    /// It is too long or deep, names a field nobody knows, or makes no sense.
    pub fn read(text: &str) -> Result<Self, NotAQuery> {
        if text.len() > MAX_QUERY_BYTES {
            return Err(NotAQuery(format!("it has more than {MAX_QUERY_BYTES} bytes")));
        }
        let tokens = tokens(text)?;
        if tokens.is_empty() {
            return Ok(Self(Term::Every));
        }
        let mut reader = Reader { tokens: &tokens, at: 0 };
        let term = reader.any(0)?;
        match reader.peek() {
            None => Ok(Self(term)),
            Some(token) => Err(NotAQuery(format!("{token:?} stands where nothing should"))),
        }
    }

    /// Returns whether the alert is one of those.
    pub fn takes(&self, alert: &OpsgenieAlert) -> bool {
        self.0.takes(alert)
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, NotAQuery> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                let inner = &rest[1..];
                let end = inner.find('"').ok_or_else(|| NotAQuery("a \" has no end".to_owned()))?;
                tokens.push(Token::Quoted(inner[..end].to_owned()));
                end + 2
            }
            '(' | ')' => {
                tokens.push(if first == '(' { Token::Open } else { Token::Close });
                1
            }
            ':' | '=' | '<' | '>' => {
                let or_equal = rest[1..].starts_with('=');
                tokens.push(Token::Sign(match (first, or_equal) {
                    ('<', false) => Comparison::Less,
                    ('<', true) => Comparison::LessOrEqual,
                    ('>', false) => Comparison::More,
                    ('>', true) => Comparison::MoreOrEqual,
                    _ => Comparison::Equal,
                }));
                1 + usize::from(or_equal)
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || "\"():=<>".contains(c);
                let end = rest.find(is_end).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned()));
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_it =
            matches!(self.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(is_it);
        is_it
    }

    fn any(&mut self, depth: usize) -> Result<Term, NotAQuery> {
        let mut terms = vec![self.all(depth)?];
        while self.takes_word("OR") {
            terms.push(self.all(depth)?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Term::Any(terms) })
    }

    fn all(&mut self, depth: usize) -> Result<Term, NotAQuery> {
        let mut terms = vec![self.one(depth)?];
        loop {
            let is_joined = self.takes_word("AND");
            let is_over = match self.peek() {
                None | Some(Token::Close) => true,
                Some(Token::Word(word)) => word.eq_ignore_ascii_case("OR"),
                Some(_) => false,
            };
            if is_over && !is_joined {
                break;
            }
            terms.push(self.one(depth)?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Term::All(terms) })
    }

    fn one(&mut self, depth: usize) -> Result<Term, NotAQuery> {
        if depth > MAX_DEPTH {
            return Err(NotAQuery(format!("it is nested deeper than {MAX_DEPTH}")));
        }
        if self.takes_word("NOT") {
            return Ok(Term::Not(Box::new(self.one(depth + 1)?)));
        }
        let first = self.peek().cloned();
        self.at += 1;
        match first {
            Some(Token::Open) => {
                let inner = self.any(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return Err(NotAQuery("a ( has no end".to_owned()));
                }
                self.at += 1;
                Ok(inner)
            }
            Some(Token::Word(word)) => match self.peek() {
                Some(Token::Sign(comparison)) => {
                    let comparison = *comparison;
                    self.at += 1;
                    self.value(&word, comparison)
                }
                _ => Ok(of_message(word)),
            },
            Some(Token::Quoted(text)) => Ok(of_message(text)),
            Some(token) => Err(NotAQuery(format!("{token:?} stands where a field should"))),
            None => Err(NotAQuery("it ends too early".to_owned())),
        }
    }

    fn value(&mut self, name: &str, mut comparison: Comparison) -> Result<Term, NotAQuery> {
        // `count: > 3` means what `count > 3` means.
        if let (Comparison::Equal, Some(Token::Sign(next))) = (comparison, self.peek()) {
            comparison = *next;
            self.at += 1;
        }
        let value = match self.peek() {
            Some(Token::Word(text) | Token::Quoted(text)) => text.clone(),
            _ => return Err(NotAQuery(format!("`{name}` is compared with nothing"))),
        };
        self.at += 1;
        let lower = name.to_ascii_lowercase();
        let field = match lower.as_str() {
            "tags" => "tag".to_owned(),
            "teams" | "responders" | "recipients" => {
                return Err(NotAQuery(format!("`{name}` is not kept here: routes decide that")));
            }
            _ if lower.starts_with("details.") => name.to_owned(),
            _ => lower,
        };
        let is_number = NUMBERS.contains(&field.as_str());
        let is_text = TEXTS.contains(&field.as_str()) || field.starts_with("details.");
        if is_number && value.parse::<i64>().is_err() {
            return Err(NotAQuery(format!("`{name}` is compared with a whole number only")));
        }
        if is_text && comparison != Comparison::Equal {
            return Err(NotAQuery(format!("`{name}` knows only `:`")));
        }
        if !is_number && !is_text {
            return Err(NotAQuery(format!("there is no field `{name}`")));
        }
        Ok(Term::Is { field, comparison, value })
    }
}

fn of_message(value: String) -> Term {
    Term::Is { field: "message".to_owned(), comparison: Comparison::Equal, value }
}

impl Term {
    fn takes(&self, alert: &OpsgenieAlert) -> bool {
        match self {
            Self::Every => true,
            Self::All(terms) => terms.iter().all(|term| term.takes(alert)),
            Self::Any(terms) => terms.iter().any(|term| term.takes(alert)),
            Self::Not(term) => !term.takes(alert),
            Self::Is { field, comparison, value } => is(alert, field, *comparison, value),
        }
    }
}

fn is(alert: &OpsgenieAlert, field: &str, comparison: Comparison, value: &str) -> bool {
    let equals = |text: &str| text_is(text, value);
    let contains = |text: &str| {
        let word = value.trim_matches('*').to_lowercase();
        text.to_lowercase().contains(&word)
    };
    let compares = |number: i64| {
        let Ok(value) = value.parse::<i64>() else { return false };
        match comparison {
            Comparison::Equal => number == value,
            Comparison::Less => number < value,
            Comparison::LessOrEqual => number <= value,
            Comparison::More => number > value,
            Comparison::MoreOrEqual => number >= value,
        }
    };
    match field {
        "status" => equals(alert.status),
        "tag" => alert.tags.iter().any(|tag| equals(tag)),
        "message" => contains(&alert.message),
        "description" => contains(&alert.description),
        "priority" => equals(alert.priority),
        "alias" => equals(&alert.alias),
        "entity" => equals(&alert.entity),
        "source" => equals(&alert.source),
        "owner" => equals(&alert.owner),
        "acknowledged" => equals(&alert.acknowledged.to_string()),
        "snoozed" => equals(&alert.snoozed.to_string()),
        "isseen" => equals(&alert.is_seen.to_string()),
        "createdat" => compares(alert.created_at.as_millisecond()),
        "updatedat" => compares(alert.updated_at.as_millisecond()),
        "lastoccurredat" => compares(alert.last_occurred_at.as_millisecond()),
        "count" => compares(i64::try_from(alert.count).unwrap_or(i64::MAX)),
        "tinyid" => alert.tiny_id.parse().is_ok_and(compares),
        _ => {
            let key = field.get("details.".len()..).unwrap_or_default();
            alert.details.get(key).is_some_and(|text| equals(text))
        }
    }
}

/// Compares without case; a `*` at the end stands for anything.
fn text_is(text: &str, value: &str) -> bool {
    let (text, value) = (text.to_lowercase(), value.to_lowercase());
    match value.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => text == value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_named() {
        let why = |text: &str| Query::read(text).unwrap_err().0;
        assert_eq!(why("colour: red"), "there is no field `colour`");
        assert_eq!(why("status > open"), "`status` knows only `:`");
        assert_eq!(
            why("createdAt > yesterday"),
            "`createdAt` is compared with a whole number only"
        );
        assert_eq!(why("(status: open"), "a ( has no end");
        assert_eq!(why("status: open AND"), "it ends too early");
        assert_eq!(why("teams: web"), "`teams` is not kept here: routes decide that");
        assert_eq!(why(&"(".repeat(60)), "it is nested deeper than 20");
        assert_eq!(why(&"a".repeat(1_001)), "it has more than 1000 bytes");
    }

    #[test]
    fn terms_are_joined_as_written() {
        assert_eq!(Query::read("  ").unwrap(), Query(Term::Every));
        let implicit = Query::read("status: open tag: web").unwrap();
        assert_eq!(implicit, Query::read("status:open AND tag:web").unwrap());
        let grouped = Query::read("NOT (priority: P1 OR count >= 3) disk").unwrap();
        assert!(matches!(&grouped.0, Term::All(terms) if matches!(terms[0], Term::Not(_))));
    }
}
