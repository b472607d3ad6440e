//! What may be done about the people of an incident.

use jiff::{SignedDuration, Timestamp};

use super::Role;
use crate::identity::Handle;
use crate::reminder::ReminderKind;

/// Something that is done about the people of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleStep {
    /// Somebody gets a role. One that a single person has must be nobody's.
    Give {
        /// Which.
        role: Role,
        /// Who gets it.
        to: Handle,
        /// What is said; may be empty.
        note: String,
    },
    /// Somebody gives a role back.
    Leave {
        /// Which.
        role: Role,
        /// Who had it.
        person: Handle,
    },
    /// Somebody takes over from whoever has a role, in one step. Who had it goes on as responder.
    HandOver {
        /// Which.
        role: Role,
        /// Who gets it.
        to: Handle,
        /// How things stand; not empty.
        note: String,
    },
    /// People are asked for help.
    Ask {
        /// Whom; not empty.
        people: Vec<Handle>,
        /// What they would be.
        role: Role,
        /// What they are told; may be empty.
        message: String,
        /// How long they have to answer; by severity unless said.
        within: Option<SignedDuration>,
    },
    /// Somebody who was asked answers.
    Answer {
        /// Which request.
        request: u32,
        /// Whether they come.
        comes: bool,
        /// What they say; may be empty.
        message: String,
    },
    /// Somebody wants to hear of every change, or no more.
    Subscribe {
        /// Who.
        person: Handle,
        /// Whether they want to.
        wants: bool,
    },
    /// Somebody wants to hear of something later.
    Snooze {
        /// Who.
        person: Handle,
        /// Of what.
        kind: ReminderKind,
        /// Of which task, when it is about one.
        task: Option<u32>,
        /// When.
        until: Timestamp,
    },
}

impl PeopleStep {
    /// Returns the name of the action in the audit log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Give { .. } => "incident.role.give",
            Self::Leave { .. } => "incident.role.leave",
            Self::HandOver { .. } => "incident.role.hand_over",
            Self::Ask { .. } => "incident.responder.ask",
            Self::Answer { .. } => "incident.responder.answer",
            Self::Subscribe { .. } => "incident.subscribe",
            Self::Snooze { .. } => "incident.snooze",
        }
    }

    /// Returns what was said.
    pub fn reason(&self) -> &str {
        match self {
            Self::Give { note, .. } | Self::HandOver { note, .. } => note,
            Self::Ask { message, .. } | Self::Answer { message, .. } => message,
            Self::Leave { .. } | Self::Subscribe { .. } | Self::Snooze { .. } => "",
        }
    }
}
