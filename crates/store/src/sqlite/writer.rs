//! The one thread that writes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::{self, Checkpointer, Progress};
use super::failure::Failure;
use crate::StoreError;

/// How many pieces of work may wait; whoever brings one more waits for room.
const MAX_WAITING: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Hands work to the thread that owns the writing connection.
pub(super) struct Writer {
    path: PathBuf,
    /// Gone once closed.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<rusqlite::Result<()>>>>,
    /// Whether the thread shall empty the log at its end.
    is_end_orderly: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread on a connection that has been migrated.
    pub(super) fn start(path: &Path, mut connection: Connection) -> Result<Self, StoreError> {
        let progress = Arc::new(Progress::default());
        let hooked = progress.clone();
        connection
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
                hooked.note_log_pages(u64::try_from(pages).unwrap_or(0));
                Ok(())
            }))
            .map_err(|error| Failure::from(error).of_write(path))?;
        let checkpointer = Checkpointer::start(path, progress.clone())?;
        let is_end_orderly = Arc::new(AtomicBool::new(false));
        let asked_to_empty = is_end_orderly.clone();
        let (jobs, mut waiting) = mpsc::channel::<Job>(MAX_WAITING);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                while let Some(job) = waiting.blocking_recv() {
                    job(&mut connection);
                    progress.finish_if_asked(&connection);
                }
                // First, because only one may checkpoint at a time.
                drop(checkpointer);
                if asked_to_empty.load(Ordering::Relaxed) {
                    checkpoint::empty_log(&connection)?;
                }
                Ok(())
            })
            .map_err(|error| StoreError::Database(format!("cannot start a thread: {error}")))?;
        Ok(Self {
            path: path.to_owned(),
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
            is_end_orderly,
        })
    }

    /// Runs `work` in one transaction that is on the disk when this returns.
    ///
    /// The work is done even if the caller stops waiting.
    pub(super) async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Dropped before its commit, whether by an error here or there, it is rolled back.
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        })
        .await
    }

    /// Runs `work` on the writing connection.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let jobs = jobs.ok_or(StoreError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody listens when the caller gave up; the work counts all the same.
            drop(reply.send(work(connection)));
        });
        jobs.send(job).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?.map_err(|failure| failure.of_write(&self.path))
    }

    /// Takes no more work, does what was accepted and empties the log. Blocks meanwhile.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        self.is_end_orderly.store(true, Ordering::Relaxed);
        self.end().map_err(|error| Failure::from(error).of_write(&self.path))
    }

    fn end(&self) -> rusqlite::Result<()> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Joining fails only if the thread panicked, which the panic hook has reported.
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or(Ok(())))
    }
}

impl Drop for Writer {
    /// Waits for at most the turns under way, so that the directory can be opened again at once.
    fn drop(&mut self) {
        // Fails only when emptying the log does, and that happens only when closed.
        drop(self.end());
    }
}

fn ended() -> StoreError {
    StoreError::Database("the writing thread ended unexpectedly; restart".to_owned())
}
