//! The store on an embedded SQLite database: one file in the data directory.
//!
//! One thread writes, each turn in one transaction that is synced before it is answered; readers
//! have connections of their own and see the last turn; a third kind of connection keeps the
//! write-ahead log short.

mod backup;
mod checkpoint;
mod columns;
mod connect;
mod escalation;
mod failure;
mod history;
mod identity;
mod incident;
mod incident_list;
mod inspect;
mod knowledge;
mod lesson;
mod load;
mod lock;
mod oncall;
mod purge;
mod readers;
mod reminder;
mod schema;
mod viewer;
mod write;
mod writer;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::Connection;
use tocsin_core::action::{ActionId, ActionItem};
use tocsin_core::audit::AuditRow;
use tocsin_core::escalation::EscalationRun;
use tocsin_core::event::Recorded;
use tocsin_core::ids::TenantId;
use tocsin_core::incident::{Entry, Incident, IncidentAlert, IncidentNumber};
use tocsin_core::knowledge::{Article, ArticleNumber};
use tocsin_core::labels::Fingerprint;
use tocsin_core::oncall::ShiftRecord;
use tocsin_core::postmortem::{Postmortem, PostmortemComment};
use tocsin_core::rows::{TenantRows, WriteSet};

use crate::{
    ActionQuery, AlertRecord, AuditQuery, EntryQuery, EventQuery, IncidentQuery, KnowledgeHits,
    KnowledgeQuery, LikeQuery, Likes, MentionQuery, PostmortemQuery, PostmortemRow,
    PostmortemVersion, Purged, Retention, RunQuery, ShiftQuery, Store, StoreError,
};
pub use backup::{BackupSummary, Restored, back_up, check_backup, restore};
use failure::{Failure, unwritable};
pub use inspect::{Inspection, inspect};
use lock::DirectoryLock;
pub use lock::process_of;
use readers::Readers;
use writer::Writer;

/// The name of the database in the data directory.
pub const DATABASE_FILE: &str = "tocsin.db";

/// The unit of the file and of the log.
const PAGE_BYTES: u64 = 4096;

/// How much a probe writes: as much as a turn of some dozen alerts.
const PROBE_BYTES: i64 = 64 * 1024;

/// A probe fails when fewer pages than this are left below the size limit.
const MIN_FREE_PAGES: i64 = 16;

/// How the store is opened.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// How many queries may read at once; at least one.
    pub readers: u32,
    /// The most bytes the database file may have; `None` for as many as the disk takes.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 4, max_bytes: None }
    }
}

/// A [`Store`] in one file of a data directory that belongs to this process.
///
/// Dropping it without [`Store::close`] waits for the turns under way and leaves the log as a
/// crash would; the next start reads it.
pub struct SqliteStore {
    path: PathBuf,
    readers: Readers,
    writer: Writer,
    /// The last field: released after the connections are closed.
    lock: std::sync::Mutex<Option<DirectoryLock>>,
}

impl SqliteStore {
    /// Opens the database in `directory`, makes both when they are missing, and migrates.
    ///
    /// Blocks for some milliseconds, longer when a migration has much to do.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the directory cannot be used, also because another process
    /// has it; [`StoreError::TooNew`] when a later release wrote it.
    pub fn open(directory: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        make_directory(directory).map_err(|error| unwritable(directory, &error))?;
        let lock = DirectoryLock::take(directory)?;
        let path = directory.join(DATABASE_FILE);
        let mut connection = connect::writer(&path)?;
        schema::migrate(&mut connection, &path).map_err(|failure| failure.of_write(&path))?;
        limit_size(&connection, options.max_bytes).map_err(|failure| failure.of_write(&path))?;
        Ok(Self {
            readers: Readers::new(path.clone(), options.readers.max(1)),
            writer: Writer::start(&path, connection)?,
            path,
            lock: std::sync::Mutex::new(Some(lock)),
        })
    }

    /// Returns the path of the database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes the most bytes the database file may have; it never shrinks by that. Beyond,
    /// writes fail with [`StoreError::Unwritable`] as they do on a full disk.
    ///
    /// # Errors
    /// [`StoreError::Closed`] after the store was closed.
    pub async fn limit_size(&self, max_bytes: Option<u64>) -> Result<(), StoreError> {
        self.writer.run(move |connection| limit_size(connection, max_bytes)).await
    }
}

/// Makes the directory such that power loss does not take it away again.
fn make_directory(directory: &Path) -> std::io::Result<()> {
    let missing: Vec<_> = directory.ancestors().take_while(|it| !it.exists()).collect();
    std::fs::create_dir_all(directory)?;
    for parent in missing.iter().filter_map(|it| it.parent()) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn limit_size(connection: &Connection, max_bytes: Option<u64>) -> Result<(), Failure> {
    let pages = max_bytes.map_or(MAX_PAGES, |bytes| (bytes / PAGE_BYTES).clamp(1, MAX_PAGES));
    connection.pragma_update_and_check(None, "max_page_count", pages.cast_signed(), |_| Ok(()))?;
    Ok(())
}

/// The most pages SQLite can number.
const MAX_PAGES: u64 = 0xffff_fffe;

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, tenant: TenantId) -> Result<TenantRows, StoreError> {
        self.readers.run(move |connection| load::tenant_rows(connection, tenant)).await
    }

    async fn commit(&self, tenant: TenantId, writes: WriteSet) -> Result<(), StoreError> {
        self.writer
            .transaction(move |connection| write::write_set(connection, tenant, &writes))
            .await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.writer.transaction(move |connection| probe(connection, &path)).await
    }

    async fn events(
        &self,
        tenant: TenantId,
        query: EventQuery,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.readers.query(move |connection| history::events(connection, tenant, &query)).await
    }

    async fn alert_history(
        &self,
        tenant: TenantId,
        fingerprint: Fingerprint,
        limit: usize,
    ) -> Result<Vec<AlertRecord>, StoreError> {
        self.readers
            .query(move |connection| history::lives(connection, tenant, fingerprint, limit))
            .await
    }

    async fn audit(
        &self,
        tenant: TenantId,
        query: AuditQuery,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.readers.query(move |connection| identity::audit(connection, tenant, &query)).await
    }

    async fn escalations(
        &self,
        tenant: TenantId,
        query: RunQuery,
    ) -> Result<Vec<EscalationRun>, StoreError> {
        self.readers.query(move |connection| escalation::query(connection, tenant, &query)).await
    }

    async fn incidents(
        &self,
        tenant: TenantId,
        query: IncidentQuery,
    ) -> Result<Vec<Incident>, StoreError> {
        self.readers.query(move |connection| incident_list::query(connection, tenant, &query)).await
    }

    async fn incident(
        &self,
        tenant: TenantId,
        number: IncidentNumber,
    ) -> Result<Option<(Incident, Vec<IncidentAlert>)>, StoreError> {
        self.readers.query(move |connection| incident::one(connection, tenant, number)).await
    }

    async fn incident_entries(
        &self,
        tenant: TenantId,
        query: EntryQuery,
    ) -> Result<Vec<Entry>, StoreError> {
        self.readers.query(move |connection| incident::entries(connection, tenant, &query)).await
    }

    async fn mentions(
        &self,
        tenant: TenantId,
        query: MentionQuery,
    ) -> Result<Vec<(u64, Entry)>, StoreError> {
        self.readers.query(move |connection| incident::mentions(connection, tenant, &query)).await
    }

    async fn postmortem(
        &self,
        tenant: TenantId,
        incident: IncidentNumber,
        version: Option<u64>,
    ) -> Result<Option<Postmortem>, StoreError> {
        self.readers
            .query(move |connection| lesson::postmortem(connection, tenant, incident, version))
            .await
    }

    async fn postmortems(
        &self,
        tenant: TenantId,
        query: PostmortemQuery,
    ) -> Result<Vec<PostmortemRow>, StoreError> {
        self.readers.query(move |connection| lesson::postmortems(connection, tenant, &query)).await
    }

    async fn postmortem_versions(
        &self,
        tenant: TenantId,
        incident: IncidentNumber,
    ) -> Result<Vec<PostmortemVersion>, StoreError> {
        self.readers.query(move |connection| lesson::versions(connection, tenant, incident)).await
    }

    async fn postmortem_comments(
        &self,
        tenant: TenantId,
        incident: IncidentNumber,
    ) -> Result<Vec<PostmortemComment>, StoreError> {
        self.readers.query(move |connection| lesson::comments(connection, tenant, incident)).await
    }

    async fn actions(
        &self,
        tenant: TenantId,
        query: ActionQuery,
    ) -> Result<Vec<ActionItem>, StoreError> {
        self.readers.query(move |connection| lesson::actions(connection, tenant, &query)).await
    }

    async fn action(
        &self,
        tenant: TenantId,
        id: ActionId,
    ) -> Result<Option<ActionItem>, StoreError> {
        self.readers.query(move |connection| lesson::action(connection, tenant, id)).await
    }

    async fn article(
        &self,
        tenant: TenantId,
        number: ArticleNumber,
    ) -> Result<Option<Article>, StoreError> {
        self.readers.query(move |connection| lesson::article(connection, tenant, number)).await
    }

    async fn knowledge(
        &self,
        tenant: TenantId,
        query: KnowledgeQuery,
    ) -> Result<KnowledgeHits, StoreError> {
        self.readers.query(move |connection| knowledge::search(connection, tenant, &query)).await
    }

    async fn likes(&self, tenant: TenantId, query: LikeQuery) -> Result<Likes, StoreError> {
        self.readers.query(move |connection| knowledge::likes(connection, tenant, &query)).await
    }

    async fn shift_records(
        &self,
        tenant: TenantId,
        query: ShiftQuery,
    ) -> Result<Vec<ShiftRecord>, StoreError> {
        self.readers.query(move |connection| oncall::records(connection, tenant, &query)).await
    }

    async fn tenant(&self, name: String) -> Result<TenantId, StoreError> {
        self.writer.transaction(move |connection| identity::tenant_number(connection, &name)).await
    }

    async fn purge(&self, tenant: TenantId, retention: Retention) -> Result<Purged, StoreError> {
        let mut purged = Purged::default();
        // Each step is a transaction of its own, and turns that wait come in between.
        loop {
            let step =
                self.writer.transaction(move |it| purge::old_events(it, tenant, retention)).await?;
            purged.events += step.deleted;
            if step.is_over {
                break;
            }
        }
        loop {
            let step =
                self.writer.transaction(move |it| purge::old_lives(it, tenant, retention)).await?;
            purged.alerts += step.deleted;
            if step.is_over {
                break;
            }
        }
        loop {
            let step =
                self.writer.transaction(move |it| purge::old_runs(it, tenant, retention)).await?;
            if step.is_over {
                break;
            }
        }
        Ok(purged)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close().await;
        // Blocks this thread for the turns that still wait and for the rest of the log: both are
        // short, and whoever closes the store has nothing else to do.
        let closed = self.writer.close();
        self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        closed
    }
}

/// Writes a row that no reader looks at.
fn probe(connection: &Connection, path: &Path) -> Result<(), Failure> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let used = pragma("page_count")? - pragma("freelist_count")?;
    if pragma("max_page_count")? - used < MIN_FREE_PAGES {
        return Err(unwritable(path, &"the database has reached its size limit").into());
    }
    // Random, so that no file system can store it as next to nothing.
    connection
        .prepare_cached("INSERT OR REPLACE INTO probe (id, filler) VALUES (1, randomblob(?1))")?
        .execute([PROBE_BYTES])?;
    Ok(())
}
