//! All SQL of Tocsin behind one trait.

mod codec;
mod lesson;
mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tocsin_core::action::{ActionId, ActionItem};
use tocsin_core::alert::{Description, Identity};
use tocsin_core::audit::AuditRow;
use tocsin_core::escalation::EscalationRun;
use tocsin_core::event::{Recorded, Subject};
use tocsin_core::identity::Handle;
use tocsin_core::ids::{RunNumber, Sequence, TenantId};
use tocsin_core::incident::{Entry, Incident, IncidentAlert, IncidentNumber, Mode, Status};
use tocsin_core::knowledge::{Article, ArticleNumber};
use tocsin_core::labels::Fingerprint;
use tocsin_core::oncall::ShiftRecord;
use tocsin_core::postmortem::{Postmortem, PostmortemComment};
use tocsin_core::rows::{AlertRow, TenantRows, WriteSet};
use tocsin_core::severity::Severity;

pub use lesson::{
    ActionQuery, KnowledgeHit, KnowledgeHits, KnowledgeKind, KnowledgeQuery, LikeQuery, Likes,
    MAX_ACTIONS_PER_QUERY, MAX_HITS_PER_QUERY, MAX_POSTMORTEM_VERSIONS, MAX_POSTMORTEMS_PER_QUERY,
    MAX_RANKED, PostmortemQuery, PostmortemRow, PostmortemVersion, Viewer, Visible,
};
pub use sqlite::{
    BackupSummary, DATABASE_FILE, Inspection, Restored, SqliteOptions, SqliteStore, back_up,
    check_backup, inspect, process_of, restore,
};

/// Where everything durable lives. Every call names its tenant.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Reads the open state of a tenant.
    async fn load(&self, tenant: TenantId) -> Result<TenantRows, StoreError>;

    /// Writes a turn in one transaction. When this returns, the turn survives power loss; when it
    /// fails, nothing of it was written.
    async fn commit(&self, tenant: TenantId, writes: WriteSet) -> Result<(), StoreError>;

    /// Proves that the store can write, without changing anything a reader sees.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Returns events that match, newest first, at most `query.limit`.
    async fn events(
        &self,
        tenant: TenantId,
        query: EventQuery,
    ) -> Result<Vec<Recorded>, StoreError>;

    /// Returns the lives of alerts with that fingerprint, open and closed, newest first.
    async fn alert_history(
        &self,
        tenant: TenantId,
        fingerprint: Fingerprint,
        limit: usize,
    ) -> Result<Vec<AlertRecord>, StoreError>;

    /// Returns rows of the audit log, at most `query.limit`.
    async fn audit(&self, tenant: TenantId, query: AuditQuery)
    -> Result<Vec<AuditRow>, StoreError>;

    /// Returns escalations, newest first, at most `query.limit`.
    async fn escalations(
        &self,
        tenant: TenantId,
        query: RunQuery,
    ) -> Result<Vec<EscalationRun>, StoreError>;

    /// Returns incidents, the newest first, at most `query.limit`.
    async fn incidents(
        &self,
        tenant: TenantId,
        query: IncidentQuery,
    ) -> Result<Vec<Incident>, StoreError>;

    /// Returns an incident with its alerts, the first that joined first.
    async fn incident(
        &self,
        tenant: TenantId,
        number: IncidentNumber,
    ) -> Result<Option<(Incident, Vec<IncidentAlert>)>, StoreError>;

    /// Returns rows of a timeline in the order of recording, at most `query.limit`.
    async fn incident_entries(
        &self,
        tenant: TenantId,
        query: EntryQuery,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Returns the comments that name somebody, the latest first, each with where it stands among
    /// them; at most `query.limit`.
    async fn mentions(
        &self,
        tenant: TenantId,
        query: MentionQuery,
    ) -> Result<Vec<(u64, Entry)>, StoreError>;

    /// Returns the postmortem of an incident: as it is, or as it was in that version.
    async fn postmortem(
        &self,
        tenant: TenantId,
        incident: IncidentNumber,
        version: Option<u64>,
    ) -> Result<Option<Postmortem>, StoreError>;

    /// Returns postmortems, those of the newest incidents first, at most `query.limit`.
    async fn postmortems(
        &self,
        tenant: TenantId,
        query: PostmortemQuery,
    ) -> Result<Vec<PostmortemRow>, StoreError>;

    /// Returns the versions of a postmortem that are kept, the newest first.
    async fn postmortem_versions(
        &self,
        tenant: TenantId,
        incident: IncidentNumber,
    ) -> Result<Vec<PostmortemVersion>, StoreError>;

    /// Returns what was said about a postmortem, in its order.
    async fn postmortem_comments(
        &self,
        tenant: TenantId,
        incident: IncidentNumber,
    ) -> Result<Vec<PostmortemComment>, StoreError>;

    /// Returns action items, the most urgent and earliest due first, at most `query.limit`.
    async fn actions(
        &self,
        tenant: TenantId,
        query: ActionQuery,
    ) -> Result<Vec<ActionItem>, StoreError>;

    /// Returns an action item.
    async fn action(
        &self,
        tenant: TenantId,
        id: ActionId,
    ) -> Result<Option<ActionItem>, StoreError>;

    /// Returns an article.
    async fn article(
        &self,
        tenant: TenantId,
        number: ArticleNumber,
    ) -> Result<Option<Article>, StoreError>;

    /// Searches the knowledge base, the best first, at most `query.limit`.
    async fn knowledge(
        &self,
        tenant: TenantId,
        query: KnowledgeQuery,
    ) -> Result<KnowledgeHits, StoreError>;

    /// Returns earlier incidents that share something with one.
    async fn likes(&self, tenant: TenantId, query: LikeQuery) -> Result<Likes, StoreError>;

    /// Returns who really was on call, ascending by the beginning, at most
    /// [`MAX_SHIFT_RECORDS_PER_QUERY`].
    async fn shift_records(
        &self,
        tenant: TenantId,
        query: ShiftQuery,
    ) -> Result<Vec<ShiftRecord>, StoreError>;

    /// Returns the number of the tenant with that name; a name that is new gets one.
    async fn tenant(&self, name: String) -> Result<TenantId, StoreError>;

    /// Deletes what is older than the retention and not open, in bounded steps.
    async fn purge(&self, tenant: TenantId, retention: Retention) -> Result<Purged, StoreError>;

    /// Finishes what is under way and closes the files.
    async fn close(&self) -> Result<(), StoreError>;
}

/// Which events to read.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// About any of these; empty means all.
    pub subjects: Vec<Subject>,
    /// Of any of these kinds; empty means all.
    pub kinds: Vec<String>,
    /// Only events before this place: the cursor for the next page.
    pub before: Option<Sequence>,
    /// Only events after this place, for followers.
    pub after: Option<Sequence>,
    /// Not earlier than this.
    pub from: Option<Timestamp>,
    /// Earlier than this.
    pub to: Option<Timestamp>,
    /// At most this many; the store bounds it to [`MAX_EVENTS_PER_QUERY`].
    pub limit: usize,
}

/// The most events one query returns.
pub const MAX_EVENTS_PER_QUERY: usize = 1_000;

/// Which rows of the audit log to read.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only of this action.
    pub action: Option<String>,
    /// Only about this subject.
    pub subject: Option<String>,
    /// Only by somebody of this name.
    pub who: Option<String>,
    /// Only rows before this place.
    pub before: Option<u64>,
    /// Only rows after this place.
    pub after: Option<u64>,
    /// Which come first.
    pub order: AuditOrder,
    /// At most this many; the store bounds it to [`MAX_AUDIT_ROWS_PER_QUERY`].
    pub limit: usize,
}

/// Which rows of the audit log come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditOrder {
    /// The oldest, to follow the chain.
    OldestFirst,
    /// The newest, to show them.
    #[default]
    NewestFirst,
}

/// The most rows of the audit log that one query returns.
pub const MAX_AUDIT_ROWS_PER_QUERY: usize = 1_000;

/// Which escalations to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunQuery {
    /// Only those that are open, or only those that are over; all when unset.
    pub is_open: Option<bool>,
    /// Only those with a smaller number: the cursor for the next page.
    pub before: Option<RunNumber>,
    /// At most this many; the store bounds it to [`MAX_RUNS_PER_QUERY`].
    pub limit: usize,
}

/// The most escalations that one query returns.
pub const MAX_RUNS_PER_QUERY: usize = 1_000;

/// Which incidents to read; what is empty or `None` may be anything.
#[derive(Clone, Debug, Default)]
pub struct IncidentQuery {
    /// In any of these.
    pub statuses: Vec<Status>,
    /// Of any of these.
    pub severities: Vec<Severity>,
    /// Of any of these.
    pub modes: Vec<Mode>,
    /// Of this service.
    pub service: Option<String>,
    /// Had by this person.
    pub owner: Option<Handle>,
    /// Detected not earlier than this.
    pub from: Option<Timestamp>,
    /// Detected earlier than this.
    pub to: Option<Timestamp>,
    /// With all of these facets, as [`tocsin_core::incident::Facet`] writes them.
    pub facets: Vec<String>,
    /// With words that begin like these in the title, the summary or the names of alerts.
    pub text: Option<String>,
    /// Only those with a smaller number: the cursor for the next page.
    pub before: Option<IncidentNumber>,
    /// At most this many; the store bounds it to [`MAX_INCIDENTS_PER_QUERY`].
    pub limit: usize,
}

/// The most incidents that one query returns.
pub const MAX_INCIDENTS_PER_QUERY: usize = 1_000;

/// Which rows of a timeline to read.
#[derive(Clone, Copy, Debug)]
pub struct EntryQuery {
    /// Of which incident.
    pub incident: IncidentNumber,
    /// Only rows after this place.
    pub after: u64,
    /// At most this many; the store bounds it to [`MAX_ENTRIES_PER_QUERY`].
    pub limit: usize,
}

/// Which comments that name somebody to read.
#[derive(Clone, Debug)]
pub struct MentionQuery {
    /// Whom they name.
    pub person: Handle,
    /// Only those before this place among them.
    pub before: Option<u64>,
    /// At most this many; the store bounds it to [`MAX_ENTRIES_PER_QUERY`].
    pub limit: usize,
}

/// The most rows of a timeline that one query returns.
pub const MAX_ENTRIES_PER_QUERY: usize = 1_000;

/// Which shifts to read.
#[derive(Clone, Debug)]
pub struct ShiftQuery {
    /// Of this schedule, which may be gone.
    pub schedule: String,
    /// That ended after this, or go on.
    pub from: Timestamp,
    /// That began before this.
    pub to: Timestamp,
}

/// The most shifts that one query returns; later ones are left out.
pub const MAX_SHIFT_RECORDS_PER_QUERY: usize = 50_000;

/// One life of an alert.
#[derive(Clone, Debug)]
pub struct AlertRecord {
    /// Labels, fingerprint, number.
    pub identity: Arc<Identity>,
    /// Annotations and generator URL, as last told.
    pub description: Arc<Description>,
    /// Start, end, counts.
    pub row: AlertRow,
}

/// What may be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Events recorded before this.
    pub events_before: Timestamp,
    /// Closed alerts that ended before this.
    pub alerts_before: Timestamp,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Events.
    pub events: u64,
    /// Closed alerts.
    pub alerts: u64,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room, or the directory or file cannot be written; nothing was changed.
    #[error("cannot write to {path}: {message}")]
    Unwritable {
        /// The file.
        path: String,
        /// What the system says.
        message: String,
    },
    /// A newer release wrote this database.
    #[error(
        "{path} has schema version {found}, this release knows up to {known}; use a newer Tocsin"
    )]
    TooNew {
        /// The file.
        path: String,
        /// What it has.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// A row cannot be read.
    #[error("{table} holds a row that cannot be read: {message}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A file is not a whole database of ours.
    #[error("{path} is damaged or no backup of Tocsin: {message}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Anything else the database says.
    #[error("database: {0}")]
    Database(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}
