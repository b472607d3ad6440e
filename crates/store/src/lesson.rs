//! What is asked about what is learned.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use jiff::Timestamp;
use tocsin_core::action::{ActionId, ActionPriority, ActionStatus};
use tocsin_core::identity::{Handle, Scope};
use tocsin_core::incident::IncidentNumber;
use tocsin_core::knowledge::Candidate;
use tocsin_core::postmortem::{Postmortem, PostmortemState};
use tocsin_core::severity::Severity;

/// What somebody may see; `None` for everything.
pub type Visible = Option<Viewer>;

/// Who looks, as far as that decides what is seen. Incidents are seen within scopes; restricted
/// ones among them only by those who may see these, and by those whom the incident names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Within which incidents may be seen.
    pub scopes: Vec<Scope>,
    /// Within which restricted ones may be seen, too.
    pub restricted: Vec<Scope>,
    /// Who it is; `None` for a program.
    pub person: Option<Handle>,
    /// The teams that they belong to.
    pub teams: Vec<CompactString>,
}

impl From<Vec<Scope>> for Viewer {
    fn from(scopes: Vec<Scope>) -> Self {
        Self { scopes, ..Self::default() }
    }
}

/// Which postmortems to read; what is empty or `None` may be anything.
#[derive(Clone, Debug, Default)]
pub struct PostmortemQuery {
    /// In any of these.
    pub states: Vec<PostmortemState>,
    /// Had by this person.
    pub owner: Option<Handle>,
    /// Open, and due before this.
    pub due_before: Option<Timestamp>,
    /// Of incidents that may be seen.
    pub visible: Visible,
    /// Only those of incidents with a smaller number: the cursor for the next page.
    pub before: Option<IncidentNumber>,
    /// At most this many; the store bounds it to [`MAX_POSTMORTEMS_PER_QUERY`].
    pub limit: usize,
}

/// The most postmortems that one query returns.
pub const MAX_POSTMORTEMS_PER_QUERY: usize = 200;

/// A postmortem in a list, with what its incident says.
#[derive(Clone, Debug, PartialEq)]
pub struct PostmortemRow {
    /// The postmortem.
    pub postmortem: Postmortem,
    /// How bad the incident was.
    pub severity: Severity,
    /// The service of the incident; may be empty.
    pub service: String,
    /// When the incident was detected.
    pub detected_at: Timestamp,
}

/// One version of a postmortem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostmortemVersion {
    /// Counted from 1.
    pub version: u64,
    /// How far it was.
    pub state: PostmortemState,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
}

/// The most versions of a postmortem that are kept; published ones are always kept.
pub const MAX_POSTMORTEM_VERSIONS: u64 = 200;

/// Which action items to read; what is empty or `None` may be anything.
#[derive(Clone, Debug, Default)]
pub struct ActionQuery {
    /// Of this incident.
    pub incident: Option<IncidentNumber>,
    /// As far as any of these.
    pub statuses: Vec<ActionStatus>,
    /// As urgent as any of these.
    pub priorities: Vec<ActionPriority>,
    /// Had by this person.
    pub owner: Option<Handle>,
    /// Due before this.
    pub due_before: Option<Timestamp>,
    /// Of incidents that may be seen.
    pub visible: Visible,
    /// Only those that come after this one: the cursor for the next page.
    pub after: Option<(ActionPriority, Timestamp, ActionId)>,
    /// At most this many; the store bounds it to [`MAX_ACTIONS_PER_QUERY`].
    pub limit: usize,
}

/// The most action items that one query returns.
pub const MAX_ACTIONS_PER_QUERY: usize = 1_000;

/// What a document of the knowledge base is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnowledgeKind {
    /// An incident.
    Incident,
    /// What somebody said about one.
    Comment,
    /// What was learned from one.
    Postmortem,
    /// What was promised after one.
    Action,
    /// Where it is written what to do about an alert.
    Runbook,
    /// How something is done well.
    BestPractice,
    /// What was learned beyond one incident.
    Lesson,
}

impl KnowledgeKind {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::Incident,
        Self::Comment,
        Self::Postmortem,
        Self::Action,
        Self::Runbook,
        Self::BestPractice,
        Self::Lesson,
    ];

    /// Returns the word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Comment => "comment",
            Self::Postmortem => "postmortem",
            Self::Action => "action",
            Self::Runbook => "runbook",
            Self::BestPractice => "best_practice",
            Self::Lesson => "lesson",
        }
    }

    /// Reads a word; `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.as_str() == lower)
    }
}

/// What to search for.
#[derive(Clone, Debug, Default)]
pub struct KnowledgeQuery {
    /// What somebody typed: words, and phrases in double quotes. Nothing in it is syntax beside
    /// that. Without a word the newest come first.
    pub text: String,
    /// Of any of these kinds; empty means all.
    pub kinds: Vec<KnowledgeKind>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// What may be seen.
    pub visible: Visible,
    /// How many of the best are passed over.
    pub offset: usize,
    /// At most this many; the store bounds it to [`MAX_HITS_PER_QUERY`].
    pub limit: usize,
}

/// The most documents that one search returns.
pub const MAX_HITS_PER_QUERY: usize = 100;

/// The most documents that are ranked by one search: the newest that match.
pub const MAX_RANKED: usize = 5_000;

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct KnowledgeHit {
    /// What it is.
    pub kind: KnowledgeKind,
    /// Which: the number of an incident or an article, `INCIDENT/ROW` of a comment, the name of an
    /// action item, the address of a runbook.
    pub key: String,
    /// The incident that it belongs to.
    pub incident: Option<IncidentNumber>,
    /// Its title; of a comment that of its incident.
    pub title: String,
    /// The place where the words stand.
    pub excerpt: String,
    /// When it was written, or the incident detected.
    pub at: Timestamp,
    /// More is better; 0 when nothing was searched for.
    pub score: f64,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnowledgeHits {
    /// The best first.
    pub hits: Vec<KnowledgeHit>,
    /// Whether nothing has all of the words, so that these have only some.
    pub is_partial: bool,
}

/// What is asked to find incidents like one.
#[derive(Clone, Debug)]
pub struct LikeQuery {
    /// The incident.
    pub incident: IncidentNumber,
    /// What it has in common with others.
    pub traits: BTreeSet<String>,
    /// Since when incidents count that say how often it happens.
    pub since: Timestamp,
    /// What may be seen.
    pub visible: Visible,
}

/// Earlier incidents that share something rare, and how rare everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Likes {
    /// The newest that share something.
    pub candidates: Vec<Candidate>,
    /// How many incidents have each trait, counted up to a bound.
    pub frequencies: BTreeMap<String, u64>,
    /// How many incidents there are.
    pub total: u64,
    /// How many of those that may be seen share an alert, or else the service, since the given time.
    pub recent_alike: u64,
    /// How many that may be seen there were since the given time.
    pub recent_total: u64,
}
