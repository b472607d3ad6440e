//! What people answer, whatever the channel: a button, a link, a text message, a key.

use jiff::{SignedDuration, Timestamp};

use super::channel::Channel;
use crate::identity::Handle;
use crate::ids::RunNumber;

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Works on it: the escalation stops.
    Acknowledge,
    /// Gives it back: the escalation goes on.
    Unacknowledge,
    /// The next step at once.
    Escalate,
    /// It is over: nobody is paged for it any more.
    Resolve,
    /// Nobody is paged for a while.
    Snooze {
        /// How long.
        span: SignedDuration,
    },
}

impl Action {
    /// Returns the word for it in the history and the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Unacknowledge => "unacknowledge",
            Self::Escalate => "escalate",
            Self::Resolve => "resolve",
            Self::Snooze { .. } => "snooze",
        }
    }
}

/// Somebody's answer to one escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which one.
    pub run: RunNumber,
    /// Who.
    pub by: Answerer,
    /// What they want.
    pub action: Action,
    /// What they say; may be empty.
    pub comment: String,
    /// How the answer came, such as `slack` or `link`; for the history.
    pub via: String,
    /// When what was answered was sent out: an answer to a page from before the escalation was
    /// given back or taken up anew does nothing. `None` for whoever looks at it as it is now.
    pub asked_at: Option<Timestamp>,
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// A person known here.
    Person(Handle),
    /// Somebody whom only the channel knows, by the name it gives; only where that is allowed.
    Outsider(String),
}

impl Answerer {
    /// Returns the name for the history.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(handle) => handle.as_str(),
            Self::Outsider(name) => name,
        }
    }
}

/// A text message somebody sent, or keys they pressed: who they are follows from the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The channel.
    pub channel: Channel,
    /// From where.
    pub address: String,
    /// What they said.
    pub text: String,
}

/// What an answer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// One sentence for whoever answered.
    pub text: String,
    /// Whether anything changed.
    pub has_changed: bool,
}

/// Why an answer did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRejection {
    /// No such escalation, or long forgotten.
    #[error("there is no escalation {run}; it may be long over")]
    UnknownRun {
        /// Which one was meant.
        run: RunNumber,
    },
    /// It is over.
    #[error("{title} is over since {at:.0}; nothing was changed")]
    Over {
        /// What it was about.
        title: String,
        /// Since when.
        at: Timestamp,
    },
    /// The page that was answered is not the latest word.
    #[error(
        "this answers a page from {asked_at:.0}, and much has happened since; nothing was changed"
    )]
    Stale {
        /// When it was sent.
        asked_at: Timestamp,
    },
    /// Whoever answers is nobody here, or not active.
    #[error("nobody here is known as `{who}`")]
    Stranger {
        /// The name or address.
        who: String,
    },
    /// A snooze that is no span of time.
    #[error("a snooze lasts between a minute and 7 days")]
    SnoozeSpan,
    /// There is no step to go to.
    #[error("policy `{policy}` has no further step")]
    NoFurtherStep {
        /// Its name.
        policy: String,
    },
}

/// Reads the words of a text message: `3a`, `ack 3`, `a`, `3 close`, `aa` for everything.
/// Returns the code, when one was given, and what is wanted; `None` for anything else.
///
/// Letters and numbers are GoAlert's (a, e, c) and PagerDuty's (4, 6), so that nobody relearns.
pub fn parse_words(text: &str) -> Option<Words> {
    let lower: String = text
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c == '#' || c == '\'' || c == '"' { ' ' } else { c })
        .collect();
    let mut digits = String::new();
    let mut letters = String::new();
    for c in lower.chars().filter(|c| !c.is_whitespace()) {
        if c.is_ascii_digit() {
            digits.push(c);
        } else if c.is_ascii_alphabetic() {
            letters.push(c);
        } else {
            return None;
        }
    }
    let code = if digits.is_empty() { None } else { Some(digits.parse::<u32>().ok()?) };
    let (action, is_all) = match letters.as_str() {
        "a" | "ack" | "acknowledge" | "acked" => (Action::Acknowledge, false),
        "aa" | "ackall" => (Action::Acknowledge, true),
        "e" | "esc" | "escalate" => (Action::Escalate, false),
        "c" | "close" | "r" | "resolve" | "resolved" => (Action::Resolve, false),
        "cc" | "closeall" | "resolveall" => (Action::Resolve, true),
        "s" | "snooze" => (Action::Snooze { span: SignedDuration::from_mins(30) }, false),
        "" => match code? {
            // Keys of PagerDuty, without a code of ours.
            4 => return Some(Words { code: None, action: Action::Acknowledge, is_all: false }),
            6 => return Some(Words { code: None, action: Action::Resolve, is_all: false }),
            _ => return None,
        },
        _ => return None,
    };
    Some(Words { code, action, is_all })
}

/// What a text message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The short number of what is meant; the latest when absent.
    pub code: Option<u32>,
    /// What is wanted.
    pub action: Action,
    /// Of everything that this person was paged for.
    pub is_all: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_messages_are_understood_however_they_are_typed() {
        let ack = |code| Some(Words { code, action: Action::Acknowledge, is_all: false });
        for text in ["3a", "3 a", "a3", "ack 3", "'3a'", " 3A ", "Ack #3.", "3a\n"] {
            assert_eq!(parse_words(text), ack(Some(3)), "{text:?}");
        }
        assert_eq!(parse_words("a"), ack(None));
        assert_eq!(parse_words("4"), ack(None));
        let all = parse_words("aa").unwrap();
        assert!(all.is_all && all.action == Action::Acknowledge);
        assert_eq!(parse_words("12 close").unwrap().action, Action::Resolve);
        assert_eq!(parse_words("6").unwrap().action, Action::Resolve);
        assert_eq!(parse_words("2e").unwrap().action, Action::Escalate);
    }

    #[test]
    fn anything_else_is_nothing() {
        for text in ["", "hello", "stop", "3", "a 1 b", "99999999999a", "a; drop", "é"] {
            assert_eq!(parse_words(text), None, "{text:?}");
        }
    }
}
