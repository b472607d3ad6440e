//! A page: what goes to one address, complete.

use std::sync::Arc;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::contact::MethodId;
use super::rules::Urgency;
use crate::identity::Handle;
use crate::ids::{OutboxNumber, RunNumber};
use crate::incident::IncidentNumber;
use crate::labels::Labels;
use crate::severity::Severity;

/// The most alerts that one item of a page lists; the rest is counted.
pub const MAX_ALERTS_PER_PAGE: usize = 20;

/// Names one escalation in what goes out and comes back.
pub type Run = RunNumber;

/// What is on its way to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its number, from the same count as notifications.
    pub number: OutboxNumber,
    /// Whom it is for.
    pub recipient: Recipient,
    /// What is used.
    pub channel: Channel,
    /// Where it leads.
    pub address: String,
    /// The person's language and region, a BCP 47 tag; empty for a place.
    pub locale: String,
    /// The IANA name of the zone in which times are told.
    pub time_zone: String,
    /// Whether it may wake somebody up.
    pub urgency: Urgency,
    /// What is told.
    pub content: Content,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// After this it is given up.
    pub deadline: Timestamp,
    /// What the channel gave back for an earlier message about the same, such as the message to
    /// update; only when there is one such message.
    #[serde(default)]
    pub receipt: Option<String>,
}

impl Page {
    /// Returns the key that makes sending twice harmless: the same before and after a crash.
    /// 32 hexadecimal digits.
    pub fn idempotency_key(&self) -> String {
        use sha2::Digest as _;
        let mut hash = sha2::Sha256::new();
        for part in [self.channel.as_str(), &self.address, "page"] {
            hash.update(part.as_bytes());
            hash.update([0xff]);
        }
        hash.update(self.number.0.to_be_bytes());
        hash.update(self.decided_at.as_nanosecond().to_be_bytes());
        hex::encode(&hash.finalize()[..16])
    }

    /// Returns the escalations that it tells about.
    pub fn runs(&self) -> impl Iterator<Item = RunNumber> {
        self.content.items().iter().map(|item| item.run)
    }
}

/// Whom a page is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "to")]
pub enum Recipient {
    /// A person, by one of their methods.
    Person {
        /// Who.
        person: Handle,
        /// By which method.
        method: MethodId,
    },
    /// A place that a step of a policy names, such as a team's chat.
    Place {
        /// `channel/address`, as the policy names it.
        name: Arc<str>,
    },
}

impl Recipient {
    /// Returns the person; `None` for a place.
    pub fn person(&self) -> Option<&Handle> {
        match self {
            Self::Person { person, .. } => Some(person),
            Self::Place { .. } => None,
        }
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person { person, method } => write!(f, "{person}/{method}"),
            Self::Place { name } => f.write_str(name),
        }
    }
}

/// What a page tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Content {
    /// Somebody is needed; several when they had to wait for each other.
    Page {
        /// What for, the worst first; never empty.
        items: Vec<PageItem>,
    },
    /// How what was paged goes on.
    Update {
        /// As it is now.
        item: Box<PageItem>,
    },
    /// A code that shows that the address is the person's.
    Verification {
        /// Six digits.
        code: String,
    },
    /// Somebody tries whether messages arrive.
    Test,
    /// A shift begins or ends.
    Handoff {
        /// The schedule.
        schedule: Arc<str>,
        /// One sentence.
        text: String,
        /// What is open, one line each; bounded.
        open: Vec<String>,
    },
    /// Something about an incident that somebody has to know, such as that it is theirs now.
    Notice {
        /// Which one.
        incident: IncidentNumber,
        /// What it is about, in one line.
        title: String,
        /// What there is to know, one sentence each; bounded.
        lines: Vec<String>,
    },
}

impl Content {
    /// Returns what it is about.
    pub fn items(&self) -> &[PageItem] {
        match self {
            Self::Page { items } => items,
            Self::Update { item } => std::slice::from_ref(item),
            Self::Verification { .. } | Self::Test | Self::Handoff { .. } | Self::Notice { .. } => {
                &[]
            }
        }
    }

    /// Returns the word for it in events and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Page { .. } => "page",
            Self::Update { .. } => "update",
            Self::Verification { .. } => "verification",
            Self::Test => "test",
            Self::Handoff { .. } => "handoff",
            Self::Notice { .. } => "notice",
        }
    }
}

/// One escalation, as it was when the page was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageItem {
    /// Which one.
    pub run: RunNumber,
    /// The short number by which this person answers, as in `3a` by text message; 0 for places.
    pub code: u32,
    /// How bad it is.
    pub severity: Severity,
    /// One line that says what is wrong.
    pub title: String,
    /// The service; may be empty.
    pub service: String,
    /// Labels that name the group.
    pub group_labels: Labels,
    /// The policy that pages.
    pub policy: Arc<str>,
    /// Which step pages, counted from 1, and of how many.
    pub step: (u32, u32),
    /// The level of that step, such as `L2`.
    pub level: CompactString,
    /// Why this recipient: one sentence.
    pub why: String,
    /// When the escalation began.
    pub started_at: Timestamp,
    /// How it stands.
    pub state: StateWord,
    /// Who made it so: who acknowledged, snoozed or resolved; empty otherwise.
    pub by: String,
    /// Alerts that fire.
    pub firing: usize,
    /// Alerts that are over.
    pub resolved: usize,
    /// The first of them, those that fire before the others.
    pub alerts: Vec<PageAlert>,
}

/// How an escalation stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateWord {
    /// Nobody has answered.
    Open,
    /// Somebody works on it.
    Acknowledged,
    /// It waits.
    Snoozed,
    /// It is over.
    Resolved,
}

impl StateWord {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }
}

/// One alert of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageAlert {
    /// What identifies it.
    pub labels: Labels,
    /// What describes it.
    pub annotations: Labels,
    /// Where the source shows it; may be empty.
    pub generator_url: CompactString,
    /// When it began.
    pub starts_at: Timestamp,
    /// Whether it is over.
    pub is_resolved: bool,
}

/// What a provider says later about a message that it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The channel.
    pub channel: Channel,
    /// What the channel gave back when it took the message.
    pub receipt: String,
    /// What became of it.
    pub state: PageState,
    /// In the provider's words; may be empty.
    pub detail: String,
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageState {
    /// The provider took it.
    Sent,
    /// It arrived.
    Delivered,
    /// Somebody has seen it, or picked up.
    Seen,
    /// It did not arrive and will not.
    Failed,
}

impl PageState {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Seen => "seen",
            Self::Failed => "failed",
        }
    }
}
