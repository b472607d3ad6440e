//! How the rest of the process talks to a tenant's engine.

use std::sync::Arc;

use jiff::Timestamp;
use tocsin_core::Tenant;
use tocsin_core::command::{Command, Reply};
use tocsin_core::event::Recorded;
use tocsin_core::ids::TenantId;
use tocsin_store::Store;
use tokio::sync::broadcast;

/// A tenant's engine, from outside. Cheap to clone.
#[derive(Clone)]
pub struct EngineHandle {}

/// Why the engine gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The inbox is full: the caller should try again after a moment.
    #[error("the engine is overloaded: {waiting} commands are waiting already")]
    Overloaded {
        /// How many.
        waiting: usize,
    },
    /// The turn could not be written, so nothing of it happened.
    #[error("nothing was accepted because it could not be written: {0}")]
    NotWritten(String),
    /// The process is stopping.
    #[error("the engine is stopping")]
    Stopping,
}

impl EngineHandle {
    /// Returns the tenant this engine serves.
    pub fn tenant(&self) -> TenantId {
        todo!()
    }

    /// Hands in a command and returns its answer once its turn is committed.
    ///
    /// # Errors
    /// [`EngineError`]; nothing of the command happened.
    pub async fn command(&self, _command: Command) -> Result<Reply, EngineError> {
        todo!()
    }

    /// Runs `read` on the state between two turns and returns what it returns. Everything
    /// answered before is seen. `read` should only collect owned values (cheap `Arc` clones):
    /// formatting belongs to the caller's side.
    ///
    /// # Errors
    /// [`EngineError`] when the engine is overloaded or stopping.
    pub async fn read<R: Send + 'static>(
        &self,
        _read: impl FnOnce(&Tenant, Timestamp) -> R + Send + 'static,
    ) -> Result<R, EngineError> {
        todo!()
    }

    /// Returns a feed of the events of each committed turn, from now on. A follower that lags
    /// more than the feed's bound is told how many turns it missed.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Recorded]>> {
        todo!()
    }

    /// Returns why the engine accepts nothing at the moment; `Ok` when it does.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn readiness(&self) -> Result<(), String> {
        todo!()
    }

    /// Returns the store, for reads of the history.
    pub fn store(&self) -> &Arc<dyn Store> {
        todo!()
    }

    /// Returns the present instant of the engine's clock.
    pub fn now(&self) -> Timestamp {
        todo!()
    }
}
