//! Everything that is learned, as commands and rows: postmortems, action items, articles.
//!
//! Memory holds what is open and what changed lately. A command about anything older carries it as
//! the store has it; what memory holds is newer and wins.

use jiff::Timestamp;

use crate::action::{ActionDraft, ActionEdit, ActionId, ActionItem, MAX_ACTIONS_PER_INCIDENT};
use crate::incident::IncidentNumber;
use crate::knowledge::{Article, ArticleDraft, ArticleNumber};
use crate::postmortem::{
    Postmortem, PostmortemComment, PostmortemState, PostmortemStep, SectionName, allowed_from,
};

/// One change of what is learned.
#[derive(Clone, Debug)]
pub enum LessonChange {
    /// Something is done about the postmortem of an incident.
    Postmortem {
        /// Of which incident.
        incident: IncidentNumber,
        /// The version that whoever asks saw; `None` for any.
        expected: Option<u64>,
        /// As the store has it.
        stored: Option<Box<Postmortem>>,
        /// What.
        step: PostmortemStep,
    },
    /// Somebody promises to change something.
    AddAction {
        /// After which incident.
        incident: IncidentNumber,
        /// What.
        draft: Box<ActionDraft>,
    },
    /// An action item changes.
    EditAction {
        /// Which.
        id: ActionId,
        /// The version that whoever asks saw; `None` for any.
        expected: Option<u64>,
        /// As the store has it.
        stored: Option<Box<ActionItem>>,
        /// What changes.
        edit: Box<ActionEdit>,
    },
    /// An incident that goes on is like earlier ones: whatever was promised after those and is
    /// still open gets a note of it, and so does the incident.
    NoteRecurrence {
        /// Which goes on.
        incident: IncidentNumber,
        /// Earlier ones about the same.
        earlier: Vec<IncidentNumber>,
    },
    /// An article is new or changed.
    SetArticle {
        /// Which; `None` for a new one.
        number: Option<ArticleNumber>,
        /// The version that whoever asks saw; `None` for any.
        expected: Option<u64>,
        /// As the store has it.
        stored: Option<Box<Article>>,
        /// How it is to be.
        draft: Box<ArticleDraft>,
    },
}

/// How something stands after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LessonReply {
    /// Which.
    pub subject: LessonSubject,
    /// Its version.
    pub version: u64,
    /// Whether the command changed anything.
    pub has_changed: bool,
    /// Whether it is new.
    pub is_new: bool,
}

/// What a change was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonSubject {
    /// The postmortem of an incident.
    Postmortem(IncidentNumber),
    /// An action item.
    Action(ActionId),
    /// An article.
    Article(ArticleNumber),
    /// Action items of several incidents.
    Actions,
}

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LessonRejection {
    /// There is no such incident, or none that is remembered.
    #[error("there is no incident {incident}, or it was closed long ago and can only be read")]
    UnknownIncident {
        /// The number.
        incident: IncidentNumber,
    },
    /// The incident goes on.
    #[error("incident {incident} goes on; its postmortem can begin once it is resolved")]
    GoesOn {
        /// The number.
        incident: IncidentNumber,
    },
    /// Nobody has begun one.
    #[error("incident {incident} has no postmortem yet")]
    NoPostmortem {
        /// The incident.
        incident: IncidentNumber,
    },
    /// There is no such action item.
    #[error("there is no action item {id}")]
    UnknownAction {
        /// Its name.
        id: ActionId,
    },
    /// There is no such article.
    #[error("there is no article {number}")]
    UnknownArticle {
        /// Its number.
        number: ArticleNumber,
    },
    /// It does not go there.
    #[error("a postmortem that is {from} does not go to {to}; it may go to {}", words(*from))]
    Never {
        /// How far it is.
        from: PostmortemState,
        /// Where it was to go.
        to: PostmortemState,
    },
    /// It goes there only with a reason.
    #[error("going from {from} to {to} takes a reason")]
    Unexplained {
        /// How far it is.
        from: PostmortemState,
        /// Where it was to go.
        to: PostmortemState,
    },
    /// Sections are empty that must not be.
    #[error("nothing stands in {} yet", names(missing))]
    Incomplete {
        /// Which.
        missing: Vec<SectionName>,
    },
    /// Its words are settled.
    #[error("a postmortem that is {state} is not changed; move it back to draft first")]
    Settled {
        /// How far it is.
        state: PostmortemState,
    },
    /// What it tells of changed while it was put together.
    #[error("the incident has changed meanwhile; try again")]
    Outdated,
    /// It no longer stands as whoever asks believes.
    #[error("it has changed meanwhile: {by} changed it at {at:.0}, and it has version {version}")]
    Stale {
        /// Its version.
        version: u64,
        /// Who changed it last.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// A value cannot be.
    #[error("`{field}` {message}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it has to be.
        message: String,
    },
    /// Nobody of that name is there.
    #[error("there is nobody called `{person}`, or they have left")]
    UnknownPerson {
        /// The name.
        person: String,
    },
    /// As many as there may be.
    #[error("there are {limit} of them already, which is the bound")]
    TooMany {
        /// The bound.
        limit: u64,
    },
}

impl LessonRejection {
    /// As many action items as one incident may have.
    pub(crate) fn too_many_actions() -> Self {
        Self::TooMany { limit: u64::from(MAX_ACTIONS_PER_INCIDENT) }
    }

    /// Returns where a postmortem could go instead, when that is what was refused.
    pub fn allowed(&self) -> &'static [PostmortemState] {
        match self {
            Self::Never { from, .. } | Self::Unexplained { from, .. } => allowed_from(*from),
            _ => &[],
        }
    }
}

fn words(from: PostmortemState) -> String {
    let words: Vec<&str> = allowed_from(from).iter().map(|it| it.as_str()).collect();
    words.join(", ")
}

fn names(missing: &[SectionName]) -> String {
    let names: Vec<&str> = missing.iter().map(|it| it.as_str()).collect();
    names.join(", ")
}

/// What a turn writes of what is learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LessonWrites {
    /// Every version in its order; the last one of each is how it stands.
    pub postmortems: Vec<Postmortem>,
    /// Appended.
    pub comments: Vec<PostmortemComment>,
    /// Action items that are new or changed.
    pub actions: Vec<ActionItem>,
    /// Every version in its order.
    pub articles: Vec<Article>,
    /// What incidents have in common with others.
    pub traits: Vec<(IncidentNumber, String)>,
    /// Where it is written what to do about an alert.
    pub runbooks: Vec<(IncidentNumber, Runbook)>,
}

/// Where it is written what to do about an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Runbook {
    /// The address.
    pub url: String,
    /// The alert.
    pub alert: String,
    /// What the alert says of itself; may be empty.
    pub text: String,
}

impl LessonWrites {
    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.postmortems.is_empty()
            && self.comments.is_empty()
            && self.actions.is_empty()
            && self.articles.is_empty()
            && self.traits.is_empty()
            && self.runbooks.is_empty()
    }
}

/// What a start reads of what is learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LessonRows {
    /// Postmortems that are neither published nor waived.
    pub postmortems: Vec<Postmortem>,
    /// Action items that are still to be done.
    pub actions: Vec<ActionItem>,
    /// The highest number of an action item of each incident.
    pub action_numbers: Vec<(IncidentNumber, u32)>,
    /// The highest number of an article.
    pub article: ArticleNumber,
}
