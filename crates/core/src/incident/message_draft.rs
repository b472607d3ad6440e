//! What somebody wants others to know, and who they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::{Audience, ResolutionCode, Status};
use crate::escalation::{Target, TargetError};
use crate::severity::Severity;

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageTarget {
    /// Everybody on a list of the configuration.
    List(Arc<str>),
    /// Everybody who works on it or was named.
    Participants,
    /// Everybody who follows it.
    Subscribers,
    /// Whoever an escalation would page by this.
    Target(Target),
}

/// Why a text names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageTargetError {
    /// Nothing follows `list:`.
    #[error("the name of a list must follow `list:`")]
    NoList,
    /// It is no target.
    #[error("{0}; or write `list:NAME`, `participants` or `subscribers`")]
    Target(#[from] TargetError),
}

impl MessageTarget {
    /// Reads `list:NAME`, `participants`, `subscribers`, or a target of an escalation.
    ///
    /// # Errors
    /// [`MessageTargetError`] says what would do.
    pub fn parse(text: &str) -> Result<Self, MessageTargetError> {
        match text.split_once(':') {
            Some(("list", "")) => Err(MessageTargetError::NoList),
            Some(("list", name)) => Ok(Self::List(name.into())),
            _ if text == "participants" => Ok(Self::Participants),
            _ if text == "subscribers" => Ok(Self::Subscribers),
            _ => Ok(Self::Target(Target::parse(text)?)),
        }
    }

    /// Returns the text that [`Self::parse`] reads.
    pub fn written(&self) -> String {
        match self {
            Self::List(name) => format!("list:{name}"),
            Self::Participants => "participants".to_owned(),
            Self::Subscribers => "subscribers".to_owned(),
            Self::Target(target) => target.written(),
        }
    }
}

/// A message that somebody wants to send.
#[derive(Clone, Debug, Default)]
pub struct MessageDraft {
    /// From which template; `None` for one in their own words.
    pub template: Option<CompactString>,
    /// Who reads it, when there is no template.
    pub audience: Audience,
    /// The subject, in place of the template's; may have variables.
    pub subject: Option<String>,
    /// What it says, in place of the template's; may have variables.
    pub body: Option<String>,
    /// Values of variables, in place of those that follow from the incident.
    pub values: BTreeMap<String, String>,
    /// Who is told.
    pub to: Vec<MessageTarget>,
}

/// Several things at once: an update is told in one go, or nothing of it happens.
#[derive(Clone, Debug, Default)]
pub struct IncidentUpdate {
    /// Where it goes.
    pub to: Option<Status>,
    /// What is said about that.
    pub note: String,
    /// How it ended, when it goes to an end.
    pub code: Option<ResolutionCode>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// What others are told.
    pub message: Option<MessageDraft>,
}
