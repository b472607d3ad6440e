//! What the tests of the engine share: a store that can be held up, fail, lose a word, and recover.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use tocsin_core::action::{ActionId, ActionItem};
use tocsin_core::audit::AuditRow;
use tocsin_core::escalation::EscalationRun;
use tocsin_core::event::{Event, Recorded};
use tocsin_core::ids::TenantId;
use tocsin_core::incident::{Entry, Incident, IncidentAlert, IncidentNumber};
use tocsin_core::knowledge::{Article, ArticleNumber};
use tocsin_core::labels::Fingerprint;
use tocsin_core::oncall::ShiftRecord;
use tocsin_core::postmortem::{Postmortem, PostmortemComment};
use tocsin_core::rows::{TenantRows, WriteSet};
use tocsin_store::{
    ActionQuery, AlertRecord, AuditQuery, EntryQuery, EventQuery, IncidentQuery, KnowledgeHits,
    KnowledgeQuery, LikeQuery, Likes, MentionQuery, PostmortemQuery, PostmortemRow,
    PostmortemVersion, Purged, Retention, RunQuery, ShiftQuery, Store, StoreError,
};
use tocsin_testkit::memory::MemoryRows;
use tokio::sync::{Semaphore, mpsc};

/// Lets commits through one by one, so that a test decides when each ends.
pub(crate) struct Gate {
    /// Each commit needs a permit.
    pub(crate) permits: Semaphore,
    /// Is told of each commit that begins: how many alerts are new in it.
    pub(crate) begun: mpsc::UnboundedSender<usize>,
}

/// A store in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    /// What was written.
    pub(crate) rows: Mutex<MemoryRows>,
    /// What commits wait at; nothing when there is none.
    pub(crate) gate: Option<Gate>,
    /// Whether nothing can be written.
    pub(crate) is_full: AtomicBool,
    /// How many sets were written.
    pub(crate) commits: AtomicUsize,
    /// The step, counted from 1, of which the history says nothing.
    pub(crate) lost_step: Option<usize>,
}

impl MemoryStore {
    fn check(&self) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::SeqCst) {
            let message = "no space left".to_owned();
            return Err(StoreError::Unwritable { path: "/data".to_owned(), message });
        }
        Ok(())
    }

    fn is_lost(&self, event: &Event) -> bool {
        matches!(event, Event::StepReached { step, .. } if Some(*step) == self.lost_step)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, _: TenantId) -> Result<TenantRows, StoreError> {
        Ok(self.rows.lock().rows())
    }

    async fn commit(&self, _: TenantId, writes: WriteSet) -> Result<(), StoreError> {
        if let Some(gate) = &self.gate {
            let _ = gate.begun.send(writes.identities.len());
            gate.permits.acquire().await.map_err(|_| StoreError::Closed)?.forget();
        }
        self.check()?;
        self.commits.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.rows.lock().apply(writes), Vec::<String>::new());
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.check()
    }

    async fn events(&self, _: TenantId, query: EventQuery) -> Result<Vec<Recorded>, StoreError> {
        let rows = self.rows.lock();
        let matching = rows.events().iter().rev().filter(|it| {
            !self.is_lost(&it.event)
                && (query.kinds.is_empty() || query.kinds.iter().any(|k| k == it.event.kind()))
                && (query.subjects.is_empty() || query.subjects.contains(&it.event.subject()))
                && query.before.is_none_or(|before| it.sequence < before)
                && query.after.is_none_or(|after| it.sequence > after)
        });
        Ok(matching.take(query.limit).cloned().collect())
    }

    async fn alert_history(
        &self,
        _: TenantId,
        _: Fingerprint,
        _: usize,
    ) -> Result<Vec<AlertRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn audit(&self, _: TenantId, _: AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn escalations(
        &self,
        _: TenantId,
        query: RunQuery,
    ) -> Result<Vec<EscalationRun>, StoreError> {
        let mut runs = self.rows.lock().rows().runs;
        runs.retain(|run| {
            query.is_open.is_none_or(|it| it == run.is_open())
                && query.before.is_none_or(|before| run.number < before)
        });
        runs.reverse();
        runs.truncate(query.limit);
        Ok(runs)
    }

    async fn incidents(&self, _: TenantId, _: IncidentQuery) -> Result<Vec<Incident>, StoreError> {
        Ok(Vec::new())
    }

    async fn incident(
        &self,
        _: TenantId,
        _: IncidentNumber,
    ) -> Result<Option<(Incident, Vec<IncidentAlert>)>, StoreError> {
        Ok(None)
    }

    async fn incident_entries(&self, _: TenantId, _: EntryQuery) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    async fn mentions(
        &self,
        _: TenantId,
        _: MentionQuery,
    ) -> Result<Vec<(u64, Entry)>, StoreError> {
        Ok(Vec::new())
    }

    async fn postmortem(
        &self,
        _: TenantId,
        _: IncidentNumber,
        _: Option<u64>,
    ) -> Result<Option<Postmortem>, StoreError> {
        Ok(None)
    }

    async fn postmortems(
        &self,
        _: TenantId,
        _: PostmortemQuery,
    ) -> Result<Vec<PostmortemRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn postmortem_versions(
        &self,
        _: TenantId,
        _: IncidentNumber,
    ) -> Result<Vec<PostmortemVersion>, StoreError> {
        Ok(Vec::new())
    }

    async fn postmortem_comments(
        &self,
        _: TenantId,
        _: IncidentNumber,
    ) -> Result<Vec<PostmortemComment>, StoreError> {
        Ok(Vec::new())
    }

    async fn actions(&self, _: TenantId, _: ActionQuery) -> Result<Vec<ActionItem>, StoreError> {
        Ok(Vec::new())
    }

    async fn action(&self, _: TenantId, _: ActionId) -> Result<Option<ActionItem>, StoreError> {
        Ok(None)
    }

    async fn article(&self, _: TenantId, _: ArticleNumber) -> Result<Option<Article>, StoreError> {
        Ok(None)
    }

    async fn knowledge(&self, _: TenantId, _: KnowledgeQuery) -> Result<KnowledgeHits, StoreError> {
        Ok(KnowledgeHits::default())
    }

    async fn likes(&self, _: TenantId, _: LikeQuery) -> Result<Likes, StoreError> {
        Ok(Likes::default())
    }

    async fn shift_records(
        &self,
        _: TenantId,
        _: ShiftQuery,
    ) -> Result<Vec<ShiftRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn tenant(&self, _: String) -> Result<TenantId, StoreError> {
        Ok(TenantId::DEFAULT)
    }

    async fn purge(&self, _: TenantId, _: Retention) -> Result<Purged, StoreError> {
        Ok(Purged::default())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
