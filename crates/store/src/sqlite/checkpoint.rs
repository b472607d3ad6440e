//! Moves the write-ahead log into the database file, beside the writer rather than in its way.
//!
//! Most of the work happens here, on a connection of its own: a passive checkpoint copies while
//! the writer goes on appending. It never catches up with a busy writer, though, and a log that
//! is never wholly copied never starts over and grows without end. So when little is left, the
//! writer is asked to copy that rest between two turns; its next turn then begins the log anew.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};

use super::{PAGE_BYTES, connect};
use crate::StoreError;

/// A checkpoint begins when the log holds this much.
const BEGIN_AT_PAGES: u64 = 16 * 1024 * 1024 / PAGE_BYTES;

/// The writer copies at most about this much itself.
const REST_PAGES: u64 = 1024 * 1024 / PAGE_BYTES;

/// How often copying is repeated to catch up with the writer before the rest is left to it.
const MAX_ROUNDS: usize = 4;

/// The log file shrinks to this when it starts over after it had grown larger.
pub(super) const MAX_KEPT_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How long a failed checkpoint, a full disk above all, waits before it is tried again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What the writer and the checkpointer tell each other.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Pages in the log after the last turn.
    log_pages: AtomicU64,
    /// Whether the writer shall copy the rest.
    is_rest_left: AtomicBool,
    wake: Mutex<Wake>,
    bell: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wake {
    #[default]
    Sleep,
    Work,
    End,
}

impl Progress {
    /// Notes how long the log is, as the writer's log hook says after each turn.
    pub(super) fn note_log_pages(&self, pages: u64) {
        self.log_pages.store(pages, Ordering::Relaxed);
        if pages >= BEGIN_AT_PAGES {
            self.ring(Wake::Work);
        }
    }

    /// Copies the rest when asked to; the writer calls it between turns.
    pub(super) fn finish_if_asked(&self, connection: &Connection) {
        if self.is_rest_left.swap(false, Ordering::Relaxed)
            && let Err(error) = copy(connection)
        {
            // The checkpointer meets the same trouble, reports it and asks again.
            tracing::debug!("the end of a checkpoint failed: {error}");
        }
    }

    fn ring(&self, wake: Wake) {
        let mut current = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != Wake::End && *current != wake {
            *current = wake;
            self.bell.notify_one();
        }
    }

    /// Sleeps until there is work; returns whether there is, rather than the end.
    fn wait(&self) -> bool {
        let guard = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = self
            .bell
            .wait_while(guard, |wake| *wake == Wake::Sleep)
            .unwrap_or_else(PoisonError::into_inner);
        if *guard == Wake::End {
            return false;
        }
        *guard = Wake::Sleep;
        true
    }

    fn pause(&self) {
        let guard = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        // Whether the pause passed or the end came first, the next `wait` looks.
        drop(self.bell.wait_timeout_while(guard, PAUSE_AFTER_FAILURE, |wake| *wake != Wake::End));
    }
}

/// The thread that checkpoints.
pub(super) struct Checkpointer {
    progress: Arc<Progress>,
    interrupt: InterruptHandle,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread.
    pub(super) fn start(path: &Path, progress: Arc<Progress>) -> Result<Self, StoreError> {
        let connection = connect::checkpointer(path)?;
        let interrupt = connection.get_interrupt_handle();
        let worker = Worker { connection, progress: progress.clone(), path: path.to_owned() };
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StoreError::Database(format!("cannot start a thread: {error}")))?;
        Ok(Self { progress, interrupt, thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    /// Ends the thread; a checkpoint that is under way stops where it is, which loses nothing.
    fn drop(&mut self) {
        self.progress.ring(Wake::End);
        self.interrupt.interrupt();
        if let Some(thread) = self.thread.take() {
            // It fails only if the thread panicked, which the panic hook has reported.
            drop(thread.join());
        }
    }
}

struct Worker {
    connection: Connection,
    progress: Arc<Progress>,
    path: PathBuf,
}

impl Worker {
    fn run(self) {
        let mut is_failing = false;
        while self.progress.wait() {
            match self.catch_up() {
                Ok(()) => is_failing = false,
                Err(error) if is_interruption(&error) => {}
                Err(error) => {
                    // Said once per trouble: nothing is lost while the log can still grow.
                    if !is_failing {
                        tracing::warn!(
                            "cannot move the write-ahead log into {}: {error}",
                            self.path.display()
                        );
                    }
                    is_failing = true;
                    self.progress.pause();
                }
            }
        }
    }

    fn catch_up(&self) -> rusqlite::Result<()> {
        for _ in 0..MAX_ROUNDS {
            let copied = copy(&self.connection)?;
            let rest = self.progress.log_pages.load(Ordering::Relaxed).saturating_sub(copied);
            if rest <= REST_PAGES {
                break;
            }
        }
        self.progress.is_rest_left.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn is_interruption(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted)
}

/// Copies what it can without waiting for anybody; returns how many pages of the log are copied.
fn copy(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let copied: i64 = row.get(2)?;
        Ok(copied.max(0).cast_unsigned())
    })
}

/// Copies everything and empties the log; for an orderly end.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
