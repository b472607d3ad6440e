//! A few connections that only read, each used by one query at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect;
use super::failure::Failure;
use crate::StoreError;

/// How long one query may run. While it does, the log cannot start over, so this also bounds
/// the log.
const MAX_QUERY_TIME: Duration = Duration::from_secs(10);

/// The clock is looked at once per this many steps of SQLite's machine, some microseconds.
const STEPS_PER_LOOK: std::ffi::c_int = 10_000;

/// The connections and who may use them.
pub(super) struct Readers {
    pool: Arc<Pool>,
    permits: Arc<Semaphore>,
    count: u32,
}

struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Allows `count` queries at once; the connections are opened as they are needed.
    pub(super) fn new(path: PathBuf, count: u32) -> Self {
        Self {
            pool: Arc::new(Pool { path, idle: Mutex::default() }),
            permits: Arc::new(Semaphore::new(count as usize)),
            count,
        }
    }

    /// Runs a query that ends within [`MAX_QUERY_TIME`].
    pub(super) async fn query<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |connection| {
            let deadline = Instant::now() + MAX_QUERY_TIME;
            connection.progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() > deadline))?;
            let answer = work(connection);
            connection.progress_handler(0, None::<fn() -> bool>)?;
            answer
        })
        .await
    }

    /// Runs work that takes as long as it takes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let answer = pool.with(work);
            drop(permit);
            answer
        });
        // The runtime drops the task when it shuts down before the work began.
        done.await.map_err(|_| StoreError::Closed)?.map_err(Failure::of_read)
    }

    /// Waits for the queries under way, refuses more and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(self.count).await;
        self.permits.close();
        drop(all);
        self.pool.idle().clear();
    }
}

impl Pool {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect::reader(&self.path)?,
        };
        let answer = work(&mut connection);
        self.idle().push(connection);
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
