//! The timeline: what happened in an incident, in rows that are only ever added.

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{IncidentNumber, LinkKind, MarkEdit, Message, ResolutionCode, Role, Said, Status};
use crate::action::ActionId;
use crate::identity::{Actor, Handle, Who};
use crate::paging::{Channel, PageState};
use crate::postmortem::PostmortemState;
use crate::reminder::ReminderKind;
use crate::severity::Severity;

/// One row of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of which incident.
    pub incident: IncidentNumber,
    /// Its place, counted from 1 without gaps in the order of recording.
    pub seq: u64,
    /// When it happened, as far as anybody knows.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// In which cycle, counted from 1.
    pub cycle: u32,
    /// Who did it.
    pub by: Author,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Who is behind a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// A name for people.
    pub name: String,
    /// What kind of one.
    pub kind: AuthorKind,
    /// How they said so, such as `api`, `cli` or a channel; empty for the engine.
    #[serde(default, skip_serializing_if = "CompactString::is_empty")]
    pub via: CompactString,
}

/// What kind of author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// Somebody.
    Person,
    /// Tocsin itself.
    System,
    /// A program.
    Program,
}

impl Author {
    /// Tocsin itself.
    pub fn system() -> Self {
        Self { name: "tocsin".to_owned(), kind: AuthorKind::System, via: CompactString::default() }
    }

    /// Whoever sent a command.
    pub fn of(actor: &Actor) -> Self {
        let kind = match &actor.who {
            Who::Engine => return Self::system(),
            Who::Service(_) | Who::Integration(_) => AuthorKind::Program,
            Who::Local
            | Who::Person(_)
            | Who::ListenerUser(_)
            | Who::Network(_)
            | Who::Stranger => AuthorKind::Person,
        };
        Self { name: actor.who.name().to_owned(), kind, via: "api".into() }
    }

    /// Somebody who said so by a channel.
    pub fn person(name: &str, via: &str) -> Self {
        Self { name: name.to_owned(), kind: AuthorKind::Person, via: via.into() }
    }

    /// Returns whether somebody is behind it rather than Tocsin.
    pub fn is_person(&self) -> bool {
        self.kind == AuthorKind::Person
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Fact {
    /// It began.
    Opened {
        /// What it is about.
        title: String,
        /// How bad it is.
        severity: Severity,
        /// Why it is one.
        why: String,
    },
    /// Alerts belong to it.
    AlertsJoined {
        /// What they are called, of some of them.
        alerts: Vec<String>,
        /// How many they are.
        count: usize,
    },
    /// Nothing of it fires any more.
    Recovered {
        /// Whether an alert ended only because nobody told it any more.
        is_silent: bool,
    },
    /// It stands elsewhere.
    Moved {
        /// Where it stood.
        from: Status,
        /// Where it stands.
        to: Status,
        /// What was said; may be empty.
        note: String,
        /// How it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<ResolutionCode>,
    },
    /// It is better or worse than it was held to be.
    SeverityChanged {
        /// How bad it was.
        from: Severity,
        /// How bad it is.
        to: Severity,
        /// Why.
        reason: String,
    },
    /// Somebody else has it.
    Assigned {
        /// Who had it.
        from: Option<Handle>,
        /// Who has it.
        to: Option<Handle>,
        /// Why; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Somebody said something.
    Commented {
        /// What, in Markdown.
        text: String,
        /// Whom it names, and who is told of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        mentions: Vec<Handle>,
        /// What looks like a name and names nobody who may know of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unknown: Vec<String>,
    },
    /// A row is pinned, a key moment, or told in other words.
    Marked {
        /// Which row.
        row: u64,
        /// What became of it.
        #[serde(flatten)]
        edit: MarkEdit,
    },
    /// What a row says is corrected.
    Revised {
        /// Which row.
        row: u64,
        /// What it says now, in Markdown.
        text: String,
    },
    /// A row must not be read any more.
    Redacted {
        /// Which row.
        row: u64,
        /// Why.
        reason: String,
    },
    /// Something was said elsewhere.
    Imported {
        /// Who said it, by the name they have there.
        author: String,
        /// What.
        text: String,
        /// Where, such as `slack`.
        source: CompactString,
    },
    /// There is another task.
    TaskAdded {
        /// Its number.
        task: u32,
        /// What.
        title: String,
        /// Who does it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<Handle>,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Timestamp>,
    },
    /// A task is changed.
    TaskChanged {
        /// Its number.
        task: u32,
        /// What it is called.
        title: String,
        /// What is another now.
        changes: String,
    },
    /// Only few may see it.
    Restricted {
        /// Who, by name, and which teams.
        named: Vec<String>,
        /// Why.
        reason: String,
    },
    /// Everybody may see it who may see incidents.
    Unrestricted {
        /// Why.
        reason: String,
    },
    /// What it is called or said to be about is another.
    Edited {
        /// What was changed.
        field: CompactString,
        /// How it was.
        before: String,
        /// How it is.
        after: String,
    },
    /// Somebody has a role now.
    RoleTaken {
        /// Which.
        role: Role,
        /// Who.
        person: Handle,
        /// What was said; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Somebody has a role no more.
    RoleLeft {
        /// Which.
        role: Role,
        /// Who.
        person: Handle,
        /// Why; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// Somebody took a role over.
    HandedOver {
        /// Which.
        role: Role,
        /// Who had it.
        from: Handle,
        /// Who has it.
        to: Handle,
        /// How things stand.
        note: String,
    },
    /// Somebody was asked for help.
    HelpAsked {
        /// The number of the request.
        request: u32,
        /// Who.
        person: Handle,
        /// As what.
        role: Role,
        /// What they were told; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// What became of a request for help.
    HelpAnswered {
        /// Its number.
        request: u32,
        /// Who was asked.
        person: Handle,
        /// Whether they come.
        said: Said,
        /// What they said; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// Somebody follows it, or no more.
    Subscribed {
        /// Who.
        person: Handle,
        /// Whether they do.
        wants: bool,
    },
    /// Another incident goes on as part of it.
    Absorbed {
        /// Which.
        other: IncidentNumber,
        /// What that was about.
        title: String,
        /// How many alerts came along.
        alerts: usize,
    },
    /// It goes on by itself again.
    Unmerged {
        /// As part of which it went on.
        from: IncidentNumber,
    },
    /// Another incident goes on by itself again.
    Released {
        /// Which.
        other: IncidentNumber,
    },
    /// Some of its alerts are another incident.
    Split {
        /// Which.
        other: IncidentNumber,
        /// How many.
        alerts: usize,
    },
    /// Another incident was the same.
    Duplicated {
        /// Which.
        other: IncidentNumber,
    },
    /// It has something to do with another incident, or no more.
    Linked {
        /// How the other one stands to it.
        link: LinkKind,
        /// Which.
        other: IncidentNumber,
        /// Whether it has.
        linked: bool,
    },
    /// Others were told how it goes.
    MessageSent {
        /// What.
        message: Message,
        /// Who, in the words of those who were named.
        told: Vec<String>,
    },
    /// Somebody is reminded of something.
    Reminded {
        /// Of what.
        reminder: ReminderKind,
        /// What is said.
        text: String,
        /// Who is told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        told: Vec<Handle>,
    },
    /// What is learned from it went on.
    Postmortem {
        /// How far it is.
        state: PostmortemState,
        /// What was said; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Something was promised, or what was promised went on.
    Action {
        /// Which action item.
        action: ActionId,
        /// What to do.
        title: String,
        /// What happened to it.
        note: String,
    },
    /// It comes back from an earlier incident, which is over.
    Recurs {
        /// Which.
        of: IncidentNumber,
    },
    /// A step of a policy asks people.
    Asked {
        /// Which step, counted from 1.
        step: usize,
        /// Whom.
        people: Vec<Handle>,
        /// Which places, such as a team's chat.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        places: Vec<String>,
        /// Why nobody; empty otherwise.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        skipped: String,
    },
    /// What became of a page.
    Paged {
        /// To whom, or to which place.
        to: String,
        /// By what.
        channel: Channel,
        /// How far it came.
        state: PageState,
        /// What the provider said; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
        /// Whether it told how the incident goes rather than asked anybody to come.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_message: bool,
    },
    /// Nobody answered to any step of a policy.
    Unanswered {
        /// Who is told of that, if there is anybody.
        told: Option<Handle>,
    },
    /// Other alerts of it fire than before.
    AlertsChanged {
        /// What those that fire are called, of some of them.
        firing: Vec<String>,
        /// How many fire.
        count: usize,
        /// How many there are.
        total: usize,
    },
    /// Somebody works on an alert of it, or no more.
    AlertTaken {
        /// What it is called.
        alert: String,
        /// Whether somebody does.
        taken: bool,
        /// What was said; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Something was changed that may have to do with it.
    ChangeNoted {
        /// What.
        summary: String,
        /// Where; may be empty.
        source: String,
    },
    /// It ended and began again so often that it is left open for longer.
    Flaps {
        /// How often within [`super::FLAP_WINDOW`].
        times: usize,
        /// How long nothing may fire now until it is over, in seconds.
        delay_seconds: u64,
    },
}

impl Fact {
    /// Returns the name of the kind, as stored and as filters use it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::AlertsJoined { .. } => "alerts_joined",
            Self::Recovered { .. } => "recovered",
            Self::Moved { .. } => "moved",
            Self::SeverityChanged { .. } => "severity_changed",
            Self::Assigned { .. } => "assigned",
            Self::Commented { .. } => "commented",
            Self::Edited { .. } => "edited",
            Self::RoleTaken { .. } => "role_taken",
            Self::RoleLeft { .. } => "role_left",
            Self::HandedOver { .. } => "handed_over",
            Self::HelpAsked { .. } => "help_asked",
            Self::HelpAnswered { .. } => "help_answered",
            Self::Subscribed { .. } => "subscribed",
            Self::Absorbed { .. } => "absorbed",
            Self::Unmerged { .. } => "unmerged",
            Self::Released { .. } => "released",
            Self::Split { .. } => "split",
            Self::Duplicated { .. } => "duplicated",
            Self::Linked { .. } => "linked",
            Self::MessageSent { .. } => "message_sent",
            Self::Marked { .. } => "marked",
            Self::Revised { .. } => "revised",
            Self::Redacted { .. } => "redacted",
            Self::Imported { .. } => "imported",
            Self::TaskAdded { .. } => "task_added",
            Self::TaskChanged { .. } => "task_changed",
            Self::Restricted { .. } => "restricted",
            Self::Unrestricted { .. } => "unrestricted",
            Self::Reminded { .. } => "reminded",
            Self::Postmortem { .. } => "postmortem",
            Self::Action { .. } => "action",
            Self::Recurs { .. } => "recurs",
            Self::Asked { .. } => "asked",
            Self::Paged { .. } => "paged",
            Self::Unanswered { .. } => "unanswered",
            Self::AlertsChanged { .. } => "alerts_changed",
            Self::AlertTaken { .. } => "alert_taken",
            Self::ChangeNoted { .. } => "change_noted",
            Self::Flaps { .. } => "flaps",
        }
    }

    /// Returns whether it is what the history has already: a signal of alerts, pages and changes,
    /// which tells of the incident and changes nothing about it.
    pub fn is_signal(&self) -> bool {
        matches!(
            self,
            Self::Asked { .. }
                | Self::Paged { .. }
                | Self::Unanswered { .. }
                | Self::AlertTaken { .. }
                | Self::ChangeNoted { .. }
        )
    }

    /// Returns the coarse word: `alert_fired`, `alert_update`, `notification`, `comment`,
    /// `state_change`, `assignment`, `resolution`, or `change` for anything else.
    pub fn family(&self) -> &'static str {
        match self {
            Self::AlertsJoined { .. } => "alert_fired",
            Self::AlertsChanged { .. } | Self::AlertTaken { .. } | Self::Recovered { .. } => {
                "alert_update"
            }
            Self::Asked { .. }
            | Self::Paged { .. }
            | Self::Unanswered { .. }
            | Self::MessageSent { .. }
            | Self::Reminded { .. } => "notification",
            Self::Commented { .. } | Self::Imported { .. } => "comment",
            Self::Moved { to: Status::Resolved, .. } => "resolution",
            Self::Moved { .. } | Self::Opened { .. } => "state_change",
            Self::Assigned { .. }
            | Self::RoleTaken { .. }
            | Self::RoleLeft { .. }
            | Self::HandedOver { .. } => "assignment",
            _ => "change",
        }
    }

    /// Returns the words of it that somebody or something chose, so that they can be taken out.
    pub(super) fn words(&mut self) -> Vec<&mut String> {
        match self {
            Self::Opened { title, why, .. } => vec![title, why],
            Self::AlertsJoined { alerts, .. } => alerts.iter_mut().collect(),
            Self::Moved { note, .. }
            | Self::Assigned { note, .. }
            | Self::RoleTaken { note, .. }
            | Self::HandedOver { note, .. }
            | Self::Postmortem { note, .. } => vec![note],
            Self::SeverityChanged { reason, .. }
            | Self::Redacted { reason, .. }
            | Self::Unrestricted { reason } => vec![reason],
            Self::Commented { text, unknown, .. } => {
                std::iter::once(text).chain(unknown.iter_mut()).collect()
            }
            Self::Marked { edit, .. } => edit.caption.iter_mut().collect(),
            Self::Revised { text, .. }
            | Self::Imported { text, .. }
            | Self::Reminded { text, .. } => vec![text],
            Self::TaskAdded { title, .. } | Self::Absorbed { title, .. } => vec![title],
            Self::TaskChanged { title, changes, .. } => vec![title, changes],
            Self::Restricted { named, reason } => {
                named.iter_mut().chain(std::iter::once(reason)).collect()
            }
            Self::Edited { before, after, .. } => vec![before, after],
            Self::RoleLeft { why, .. } => vec![why],
            Self::HelpAsked { message, .. } | Self::HelpAnswered { message, .. } => vec![message],
            Self::MessageSent { message, .. } => vec![&mut message.subject, &mut message.body],
            Self::Action { title, note, .. } => vec![title, note],
            Self::Asked { places, skipped, .. } => {
                places.iter_mut().chain(std::iter::once(skipped)).collect()
            }
            Self::Paged { to, detail, .. } => vec![to, detail],
            Self::AlertsChanged { firing, .. } => firing.iter_mut().collect(),
            Self::AlertTaken { alert, note, .. } => vec![alert, note],
            Self::ChangeNoted { summary, source } => vec![summary, source],
            Self::Recovered { .. }
            | Self::Unanswered { .. }
            | Self::Flaps { .. }
            | Self::Subscribed { .. }
            | Self::Unmerged { .. }
            | Self::Released { .. }
            | Self::Split { .. }
            | Self::Duplicated { .. }
            | Self::Linked { .. }
            | Self::Recurs { .. } => Vec::new(),
        }
    }

    /// Returns what happened in one sentence, without its author.
    pub fn sentence(&self) -> String {
        match self {
            Self::Opened { title, severity, why } => {
                format!("opened at {severity}: {title} ({why})")
            }
            Self::AlertsJoined { alerts, count } => {
                let mut text = alerts.join(", ");
                if *count > alerts.len() {
                    text.push_str(&format!(" and {} more", count - alerts.len()));
                }
                let verb = if *count == 1 { "fires" } else { "fire" };
                format!("{text} {verb}")
            }
            Self::Recovered { is_silent: false } => "all alerts are over".to_owned(),
            Self::Recovered { is_silent: true } => {
                "nobody tells any more that something of it fires".to_owned()
            }
            Self::Moved { from, to, note, code } => {
                let mut text = match (from, to) {
                    (_, Status::Acknowledged) => "acknowledged".to_owned(),
                    (Status::Acknowledged, Status::Detected) => "given back".to_owned(),
                    (Status::Resolved | Status::Closed, to) if to.is_active() => {
                        format!("reopened as {to}")
                    }
                    (_, Status::Resolved) => match code {
                        Some(code) => format!("resolved as {code}"),
                        None => "resolved".to_owned(),
                    },
                    (from, to) => format!("went from {from} to {to}"),
                };
                if !note.is_empty() {
                    text.push_str(": ");
                    text.push_str(note);
                }
                text
            }
            Self::SeverityChanged { from, to, reason } if from == to => {
                format!("severity is said to be {to}: {reason}")
            }
            Self::SeverityChanged { from, to, reason } => {
                let colon = if reason.is_empty() { "" } else { ": " };
                format!("severity went from {from} to {to}{colon}{reason}")
            }
            Self::Assigned { to, note, .. } => {
                let mut text = match to {
                    Some(to) => format!("assigned to {to}"),
                    None => "assigned to nobody".to_owned(),
                };
                if !note.is_empty() {
                    text.push_str(&format!(" ({note})"));
                }
                text
            }
            Self::Commented { text, .. } => text.clone(),
            Self::Edited { field, after, .. } => format!("{field} is now: {after}"),
            Self::RoleTaken { .. }
            | Self::RoleLeft { .. }
            | Self::HandedOver { .. }
            | Self::HelpAsked { .. }
            | Self::HelpAnswered { .. }
            | Self::Subscribed { .. }
            | Self::Absorbed { .. }
            | Self::Unmerged { .. }
            | Self::Released { .. }
            | Self::Split { .. }
            | Self::Duplicated { .. }
            | Self::Linked { .. }
            | Self::Marked { .. }
            | Self::Revised { .. }
            | Self::Redacted { .. }
            | Self::Imported { .. }
            | Self::TaskAdded { .. }
            | Self::TaskChanged { .. }
            | Self::Restricted { .. }
            | Self::Unrestricted { .. }
            | Self::Asked { .. }
            | Self::Paged { .. }
            | Self::Unanswered { .. }
            | Self::AlertsChanged { .. }
            | Self::AlertTaken { .. }
            | Self::ChangeNoted { .. }
            | Self::Flaps { .. } => super::sentence::sentence(self),
            Self::MessageSent { message, told } if told.is_empty() => {
                format!("told nobody, for nobody can be reached: {}", message.subject)
            }
            Self::MessageSent { message, told } => {
                format!("told {}: {}", told.join(", "), message.subject)
            }
            Self::Reminded { text, told, .. } if told.is_empty() => text.clone(),
            Self::Reminded { text, told, .. } => {
                let told: Vec<&str> = told.iter().map(Handle::as_str).collect();
                format!("{text} (told: {})", told.join(", "))
            }
            Self::Postmortem { state, note } => {
                let word = match state {
                    PostmortemState::Draft => "a draft".to_owned(),
                    state => state.as_str().replace('_', " "),
                };
                let colon = if note.is_empty() { "" } else { ": " };
                format!("the postmortem is {word}{colon}{note}")
            }
            Self::Action { action, title, note } => format!("{action} {note}: {title}"),
            Self::Recurs { of } => format!("comes back: incident {of} was about the same"),
        }
    }
}
